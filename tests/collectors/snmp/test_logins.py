"""Logins against real agents: every algorithm, several in order, the one that worked first, defaults."""

from __future__ import annotations

import gzip
import socket
import time

import msgspec
import pytest

from collectors import snmp
from collectors.contract import Run, Source
from collectors.snmp import logins
from inventory.coverage import Status
from inventory.unknown import known

SECRETS = {"COMMUNITY": "public", "OTHER": "other-community", "AUTH": "authentication-secret"}
SECRETS |= {"PRIV": "privacy-secret", "WRONG": "not-the-secret"}
HASHES = ("MD5", "SHA1", "SHA224", "SHA256", "SHA384", "SHA512")
CIPHERS = ("DES", "3DES", "AES128", "AES192", "AES256", "AES192C", "AES256C")
PAIRS = [(h, "AES128") for h in HASHES] + [(h, c) for h in ("MD5", "SHA256") for c in CIPHERS]
PAIRS = [*dict.fromkeys(PAIRS), ("SHA512", "none")]
GUFO_CANNOT = {"3DES"}


def user_of(hash_name, cipher):
    return f"u-{hash_name}-{cipher}"


def v3(hash_name, cipher, **changed):
    login = {"version": "v3", "user": user_of(hash_name, cipher)}
    login |= {"authentication": hash_name, "authentication_ref": "env:AUTH"}
    if cipher != "none":
        login |= {"privacy": cipher, "privacy_ref": "env:PRIV"}
    return {**login, **changed}


@pytest.fixture(scope="module")
def host(farm, lab):
    arguments = []
    for hash_name, cipher in PAIRS:
        privacy = "" if cipher == "none" else f":{cipher}:privacy-secret"
        arguments += ["--v3", f"{user_of(hash_name, cipher)}:{hash_name}:authentication-secret{privacy}"]
    [host] = farm(*arguments, recordings=lab / "snmprec" / "venus-vsos-v0600r0705b20180507.snmprec", count=1)
    return host


@pytest.fixture(scope="module")
def private_host(farm, lab):
    """Takes a community of its own, and no other."""
    recording = lab / "snmprec" / "venus-vsos-v0600r0705b20180507.snmprec"
    [host] = farm("--community", "other-community", recordings=recording, count=1)
    return host


def options_of(host, options):
    return msgspec.convert({"targets": [host.target], **options}, snmp.Options)


def read(host, source="net", **options):
    options = {"timeout_seconds": 4.0, **options}
    given = Source(name=source, type="snmp", options=options_of(host, options))
    [batch] = snmp.collect(given, Run(given, environ=SECRETS))
    device = next((r for r in batch.resources if r.KIND == "device"), None)
    return device, {c.kind: c for c in batch.collections}, len(batch.resources)


@pytest.mark.parametrize("engine", ["gufo", "pysnmp"])
@pytest.mark.parametrize(("hash_name", "cipher"), PAIRS)
def test_every_algorithm(host, engine, hash_name, cipher):
    if engine == "gufo" and cipher in GUFO_CANNOT:
        engine = "auto"  # takes pysnmp
    options = options_of(host, {"engine": engine, "timeout_seconds": 4.0, **v3(hash_name, cipher)})
    source = Source(name="net", type="snmp", options=options)
    [line] = snmp.probe(source, Run(source, environ=SECRETS))
    assert line.ok, line.detail
    assert line.detail.startswith("SNMP v3，VENUS VSOS")


def test_the_facts_are_those_of_the_login(host):
    device, _, _ = read(host, **v3("SHA512", "none"))
    assert (device.snmp_version, device.snmp_security) == ("v3", "authNoPriv")
    assert (device.snmp_authentication, device.snmp_privacy) == ("SHA512", None)


@pytest.mark.parametrize("engine", ["gufo", "pysnmp"])
def test_v1(host, recordings, engine):
    device, collections, count = read(host, version="v1", community_ref="env:COMMUNITY", engine=engine)
    assert (device.snmp_version, device.snmp_security) == ("v1", "community")
    assert device.vendor == "Venustech"
    assert count == recordings[host.recording].interfaces + 1
    assert {c.status for c in collections.values()} == {Status.COMPLETE}


LIST = [
    {"version": "v3", "user": "nobody", "authentication": "SHA1", "authentication_ref": "env:AUTH"},
    {"community_ref": "env:WRONG"},
    {"version": "v1", "community_ref": "env:COMMUNITY"},
    {"community_ref": "env:COMMUNITY"},
]


def test_several_logins_in_order_and_the_one_that_worked_first(host, monkeypatch):
    opened = []
    original = logins.open_engine

    def noted(address, port, credentials, wanted):
        opened.append((credentials.version, credentials.community))
        return original(address, port, credentials, wanted)

    monkeypatch.setattr(logins, "open_engine", noted)
    options = {"credentials": LIST, "retries": 0, "timeout_seconds": 0.5}
    device, _, _ = read(host, source="several", **options)
    assert device.snmp_version == "v1"
    assert opened == [("v3", ""), ("v2c", "not-the-secret"), ("v1", "public")]
    opened.clear()
    read(host, source="several", **options)
    assert opened == [("v1", "public")]
    opened.clear()
    read(host, source="another source", **options)  # knows nothing of it
    assert len(opened) == 3


def test_no_login_works(host):
    _, collections, count = read(host, credentials=LIST[:2], retries=0, timeout_seconds=0.3)
    assert count == 0
    assert {c.status for c in collections.values()} == {Status.DENIED}
    reason = collections["device"].reason
    assert reason == "2 组凭据都不行（v3 nobody：认证失败；v2c：没有应答）"
    _, collections, _ = read(host, credentials=[LIST[1]] * 2, retries=0, timeout_seconds=0.2)
    assert {c.status for c in collections.values()} == {Status.FAILED}
    assert collections["device"].reason.startswith("没有应答，试了 2 组凭据")


def test_default_communities_are_tried_only_when_asked_for(host, private_host):
    login = v3("SHA256", "AES128")
    assert not known(read(host, **login)[0].snmp_default_community)
    assert read(host, **login, try_defaults=True)[0].snmp_default_community is True
    options = {"community_ref": "env:OTHER", "timeout_seconds": 0.3, "retries": 0}
    assert not known(read(private_host, **options)[0].snmp_default_community)
    assert read(private_host, **options, try_defaults=True)[0].snmp_default_community is False


def test_a_recording_keeps_the_login_that_worked(host, tmp_path):
    options = {"credentials": [LIST[1], v3("SHA384", "AES128")], "retries": 0, "timeout_seconds": 1.0}
    source = Source(name="net", type="snmp", options=options_of(host, options))
    snmp.record(source, Run(source, environ=SECRETS), tmp_path / "rec")
    again = Source(name="net", type="snmp", options=snmp.Options(recording=str(tmp_path / "rec")))
    [batch] = snmp.collect(again, Run(again, environ={}))
    device = batch.resources[0]
    assert (device.snmp_version, device.snmp_authentication) == ("v3", "SHA384")
    content = gzip.decompress((tmp_path / "rec" / f"{host.target}.snmprec.gz").read_bytes())
    for secret in SECRETS.values():
        assert secret.encode() not in content
        assert secret.encode().hex().encode() not in content


@pytest.mark.parametrize("engine", ["gufo", "pysnmp"])
def test_all_logins_share_the_device_s_one_deadline(engine):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as deaf:
        deaf.bind(("127.77.9.7", 0))
        options = {"targets": [f"127.77.9.7:{deaf.getsockname()[1]}"], "credentials": LIST, "engine": engine}
        options |= {"retries": 9, "timeout_seconds": 5.0, "device_seconds": 1.0}
        source = Source(name="net", type="snmp", options=msgspec.convert(options, snmp.Options))
        began = time.monotonic()
        [batch] = snmp.collect(source, Run(source, environ=SECRETS))
    assert time.monotonic() - began < 20
    assert {(c.status, c.reason) for c in batch.collections} == {(Status.FAILED, "超过时限 1 秒")}
