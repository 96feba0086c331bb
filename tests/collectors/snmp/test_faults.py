"""Broken agents among healthy ones: the healthy are whole, the broken say why they are not. Clocks that are
wrong (of v3 alone) are in test_clocks."""

from __future__ import annotations

import time

import pytest

from inventory.coverage import Status

PATIENCE = {"gufo": 30.0, "pysnmp": 90.0}  # enough for every device that answers, on a busy machine too
CUT_SECONDS = 5.0  # of the slow one, which no patience reads to the end
GRACE_SECONDS = 25.0  # of a busy machine


@pytest.fixture(scope="module")
def hosts(farm, lab):
    names = ("h3c-e528-2", "maipu-sm4200-16gef8ge-ac")
    hosts = farm(
        *("--fault", "loop=0.1,drop=0.1,toobig=0.1,silent=0.1,slow=0.1", "--seed", "1335"),
        recordings=",".join(str(lab / "snmprec" / f"{name}.snmprec") for name in names),
    )
    assert {h.fault for h in hosts} == {"-", "loop", "drop", "toobig", "silent", "slow"}
    return hosts


@pytest.fixture(scope="module", params=["gufo", "pysnmp"])
def found(request, hosts, collect):
    """All that answer in their time, the broken among the healthy; then the slow, under a short deadline."""
    chosen = [h for h in hosts if request.param == "gufo" or _cheap(h, hosts)]

    def read(hosts, seconds):
        return collect(
            targets=[h.target for h in hosts],
            community_ref="env:COMMUNITY",
            engine=request.param,
            timeout_seconds=0.6 if request.param == "gufo" else 1.5,
            device_seconds=seconds,
            table_seconds=0.75 * seconds,
            concurrency=20,
        )

    found = read([h for h in chosen if h.fault != "slow"], PATIENCE[request.param])
    began = time.monotonic()
    slow = read([h for h in chosen if h.fault in ("slow", "silent")], CUT_SECONDS)
    assert time.monotonic() - began < CUT_SECONDS + GRACE_SECONDS
    return slow | found


def _cheap(host, hosts):
    """One host of each fault: pysnmp takes a second of processor time a device."""
    return next(h for h in hosts if h.fault == host.fault) == host


def of(hosts, found, fault):
    chosen = [h for h in hosts if h.fault == fault and h.target in found]
    assert chosen
    return [(h, found[h.target]) for h in chosen]


def test_healthy_devices_are_whole(hosts, found, recordings):
    for host, outcome in of(hosts, found, "-"):
        recorded = recordings[host.recording]
        assert outcome.device.vendor == recorded.vendor
        assert {c.status for c in outcome.collections.values()} == {Status.COMPLETE}, host
        assert len(outcome.interfaces) == recorded.interfaces


def test_an_agent_that_goes_back_is_stopped(hosts, found, recordings):
    for host, outcome in of(hosts, found, "loop"):
        assert Status.PARTIAL in {c.status for c in outcome.collections.values()}
        assert "不递增" in "".join(c.reason for c in outcome.collections.values())
        assert len(outcome.interfaces) <= recordings[host.recording].interfaces


def test_a_slow_agent_is_cut_off_at_its_deadline(hosts, found):
    for _, outcome in of(hosts, found, "slow"):
        statuses = {c.status for c in outcome.collections.values()}
        assert statuses <= {Status.PARTIAL, Status.FAILED}
        assert "时限" in outcome.collections["device"].reason


def test_too_big_is_read_in_smaller_pages(hosts, found, recordings):
    for host, outcome in of(hosts, found, "toobig"):
        assert len(outcome.interfaces) == recordings[host.recording].interfaces
        assert {c.status for c in outcome.collections.values()} == {Status.COMPLETE}


def test_silence_is_a_failure_and_never_an_empty_list(hosts, found):
    for _, outcome in of(hosts, found, "silent"):
        assert outcome.batch.resources == []
        assert {c.status for c in outcome.collections.values()} == {Status.FAILED}
        assert {c.reason for c in outcome.collections.values()} == {"没有应答"}
        assert all("团体字" in c.remedy for c in outcome.collections.values())


def test_what_is_short_after_losses_says_so(hosts, found, recordings):
    for host, outcome in of(hosts, found, "drop"):
        for kind, collection in outcome.collections.items():
            if collection.status is Status.COMPLETE:
                if kind == "interface":
                    assert len(outcome.interfaces) == recordings[host.recording].interfaces
            else:
                assert collection.status in (Status.PARTIAL, Status.FAILED)
                assert collection.reason
                assert collection.remedy
