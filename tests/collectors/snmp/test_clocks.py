"""v3 agents whose clock is wrong, or who restart in the middle, among healthy ones; loss in v3."""

from __future__ import annotations

import pytest

from inventory.coverage import Status

LOGIN = {
    "version": "v3",
    "user": "monitor",
    "authentication": "SHA1",
    "authentication_ref": "env:AUTH",
    "privacy": "AES128",
    "privacy_ref": "env:PRIV",
}
DEVICE_SECONDS = 90.0


@pytest.fixture(scope="module")
def hosts(farm, lab):
    chosen = ",".join(
        str(lab / "snmprec" / f"{n}.snmprec") for n in ("h3c-e528-2", "maipu-sm4200-16gef8ge-ac")
    )
    hosts = farm(
        *("--fault", "badtime=0.3,reboot=0.3", "--seed", "7"),
        *("--v3", "monitor:SHA1:authentication-secret:AES:privacy-secret"),
        recordings=chosen,
        count=8,
    )
    assert {h.fault for h in hosts} == {"-", "badtime", "reboot"}
    return hosts


@pytest.mark.parametrize("engine", ["gufo", "pysnmp"])
def test_clocks(hosts, recordings, collect, engine):
    chosen = [next(h for h in hosts if h.fault == fault) for fault in ("-", "badtime", "reboot")]
    found = collect(
        targets=[h.target for h in chosen],
        engine=engine,
        timeout_seconds=5.0,
        device_seconds=DEVICE_SECONDS,
        **LOGIN,
    )
    healthy, wrong, restarts = (found[h.target] for h in chosen)
    assert {c.status for c in healthy.collections.values()} == {Status.COMPLETE}
    assert wrong.batch.resources == []
    assert {c.status for c in wrong.collections.values()} == {Status.DENIED}
    assert "时间" in wrong.collections["device"].reason
    # boots went up several times while it was read: each time the clock is learnt again
    assert {c.status for c in restarts.collections.values()} == {Status.COMPLETE}
    assert len(restarts.interfaces) == recordings[chosen[2].recording].interfaces
