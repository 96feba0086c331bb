"""Both engines against real agents: every recording, v2c and v3."""

from __future__ import annotations

import pytest

from inventory.coverage import Status
from inventory.unknown import known

V2C = {"version": "v2c", "community_ref": "env:COMMUNITY"}
V3 = {
    "version": "v3",
    "user": "monitor",
    "authentication": "SHA1",
    "authentication_ref": "env:AUTH",
    "privacy": "AES128",
    "privacy_ref": "env:PRIV",
}
PATIENT = {"timeout_seconds": 5.0, "device_seconds": 200.0, "table_seconds": 100.0}


def v3_farm(hash_name):
    return f"monitor:{hash_name}:authentication-secret:AES:privacy-secret"


@pytest.fixture(scope="module")
def hosts(farm):
    return farm("--v3", v3_farm("SHA1"), count=22)


@pytest.fixture(scope="module")
def hosts_sha256(farm, lab):
    return farm("--v3", v3_farm("SHA256"), recordings=lab / "snmprec" / "h3c-e528-2.snmprec", count=1)


@pytest.mark.parametrize("engine", ["gufo", "pysnmp"])
@pytest.mark.parametrize("login", [V2C, V3], ids=["v2c", "v3"])
def test_every_recording_is_read_as_it_says(hosts, recordings, collect, lab, engine, login):
    if engine == "pysnmp":  # forty times slower: the small ones
        hosts = [h for h in hosts if (lab / "snmprec" / f"{h.recording}.snmprec").stat().st_size < 100_000]
    found = collect(targets=[h.target for h in hosts], engine=engine, **login, **PATIENT)
    assert set(found) == {h.target for h in hosts}
    assert {h.recording for h in hosts} <= set(recordings)
    assert len(hosts) == (22 if engine == "gufo" else 9)
    for host in hosts:
        outcome, recorded = found[host.target], recordings[host.recording]
        assert outcome.device is not None, host
        assert (outcome.device.vendor, outcome.device.sys_object_id) == (
            recorded.vendor,
            recorded.sys_object_id,
        )
        assert len(outcome.interfaces) == recorded.interfaces, host
        assert outcome.collections["device"].status is Status.COMPLETE, outcome.collections["device"]
        expected = Status.COMPLETE if recorded.interfaces else Status.UNSUPPORTED
        assert outcome.collections["interface"].status is expected
        assert outcome.collections["interface"].count == recorded.interfaces


def test_facts_of_how_it_answered(hosts, collect):
    target = hosts[0].target
    device = collect(targets=[target], **V2C)[target].device
    assert (device.snmp_version, device.snmp_security, device.snmp_default_community) == (
        "v2c",
        "community",
        True,
    )
    assert (device.snmp_authentication, device.snmp_privacy) == (None, None)
    assert device.management_address == target.partition(":")[0]
    device = collect(targets=[target], **V3)[target].device
    assert (device.snmp_version, device.snmp_security) == ("v3", "authPriv")
    assert (device.snmp_authentication, device.snmp_privacy) == ("SHA1", "AES128")
    assert not known(device.snmp_default_community)  # never tried


@pytest.mark.parametrize("engine", ["gufo", "pysnmp"])
def test_sha256(hosts_sha256, recordings, collect, engine):
    [host] = hosts_sha256
    login = {**V3, "authentication": "SHA256"}
    outcome = collect(targets=[host.target], engine=engine, **login, **PATIENT)[host.target]
    assert outcome.device.model == "E528"
    assert outcome.device.snmp_authentication == "SHA256"
    assert len(outcome.interfaces) == recordings[host.recording].interfaces
    # the same user under another hash is refused, and told apart from silence
    [refused] = collect(targets=[host.target], engine=engine, retries=0, **V3).values()
    assert refused.device is None
    assert {c.status for c in refused.collections.values()} == {Status.DENIED}


@pytest.mark.parametrize("engine", ["gufo", "pysnmp"])
@pytest.mark.parametrize(
    ("change", "status", "reason"),
    [
        ({"authentication_ref": "env:WRONG"}, Status.DENIED, "认证失败"),
        ({"user": "nobody"}, Status.DENIED, "认证失败"),
        ({"privacy_ref": "env:WRONG"}, Status.FAILED, "没有应答"),
    ],
    ids=["wrong password", "wrong user", "wrong privacy password"],
)
def test_wrong_credentials_are_not_an_empty_device(hosts, collect, engine, *, change, status, reason):
    target = hosts[0].target
    login = {**V3, **change}
    patience = 0.5 if status is Status.FAILED else 5.0  # a refusal comes at once, but on a busy machine
    outcome = collect(targets=[target], engine=engine, timeout_seconds=patience, retries=0, **login)[target]
    assert outcome.batch.resources == []
    for kind in ("device", "interface"):
        assert outcome.collections[kind].status is status
        assert reason in outcome.collections[kind].reason
        assert outcome.collections[kind].remedy


def test_a_wrong_community_is_silence(hosts, collect):
    target = hosts[0].target
    found = collect(targets=[target], community_ref="env:WRONG", timeout_seconds=0.3, retries=0)[target]
    assert found.collections["device"].status is Status.FAILED
    assert found.collections["device"].reason == "没有应答"
