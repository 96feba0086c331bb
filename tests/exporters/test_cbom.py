"""The bill of cryptography, read by CycloneDX's own library and held against its strict schema."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from exporters.cbom import cbom
from inventory.coverage import Batch, Collection, Status
from inventory.kinds.compute import KeyPair
from inventory.kinds.crypto import (
    Certificate,
    Endpoint,
    IkeEndpoint,
    IkeVersion,
    KeyGroup,
    Presented,
    SshEndpoint,
    SshHostKey,
    VersionOffer,
)
from inventory.kinds.host import Host, SshServer
from inventory.kinds.identity import Secret
from inventory.kinds.network import Device
from inventory.kinds.storage import VolumeType
from inventory.resource import Relation, Resource
from inventory.snapshot import Snapshot

AT = datetime(2026, 5, 1, tzinfo=UTC)
PRINT = "ab" * 32
SUITE = "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"


def endpoint(id_: str, **more: Any) -> Endpoint:
    values: dict[str, Any] = {
        "name": id_,
        "address": "192.0.2.7",
        "family": "ipv4",
        "port": 443,
        "tls": True,
        "versions": [
            VersionOffer(version="TLS 1.2", offered=True, suites=[SUITE], all_suites=True),
            VersionOffer(version="TLS 1.0", offered=False, suites=[], all_suites=True),
        ],
        "groups": [KeyGroup(name="secp256r1", family="ec", bits=256)],
        "certificates": [Presented(certificate=f"{id_}/abab", use="tls")],
        "relations": [Relation("terminates_tls", f"tls/certificate/{id_}/abab")],
    }
    return Endpoint(source="tls", native_id=id_, **(values | more))


def certificate(id_: str, **more: Any) -> Certificate:
    values: dict[str, Any] = {
        "fingerprint": PRINT,
        "subject": "CN=portal",
        "issuer": "CN=ca",
        "not_before": AT,
        "not_after": AT,
        "key_type": "RSA",
        "key_bits": 1024,
        "curve": None,
        "signature_algorithm": "sha1WithRSAEncryption",
        "signature_hash": "SHA-1",
    }
    return Certificate(source="tls", native_id=f"{id_}/abab", **(values | more))


def bill(*rows: Resource, attempts: list[Collection] | None = None) -> dict[str, Any]:
    """The bill of a few resources, once both readers have taken it."""
    from cyclonedx.model.bom import Bom
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator  # takes seconds: it compiles a grammar

    if attempts is None:
        attempts = [attempt(kind) for kind in sorted({(r.source, r.KIND) for r in rows})]
    snapshot = Snapshot.of_batches([Batch(resources=list(rows), collections=attempts)], AT)
    text = cbom(snapshot, program="zhengguan 0.1.0")
    assert text == cbom(snapshot, program="zhengguan 0.1.0")
    wrong = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text.decode())
    assert wrong is None, wrong
    found: dict[str, Any] = json.loads(text)
    Bom.from_json(data=found).validate()  # type: ignore[attr-defined]  # made by py-serializable
    return found


def attempt(place: tuple[str, str], status: Status = Status.COMPLETE) -> Collection:
    return Collection(
        source=place[0], kind=place[1], status=status, started_at=AT, ended_at=AT, reason="超过时限"
    )


def component(found: dict[str, Any], ref: str) -> dict[str, Any]:
    (one,) = [c for c in found["components"] if c["bom-ref"] == ref]
    held: dict[str, Any] = one
    return held


def graded(found: dict[str, Any], ref: str) -> str:
    properties = {p["name"]: p["value"] for p in component(found, ref)["properties"]}
    return str(properties["zhengguan:grade"])


def aggregates(found: dict[str, Any]) -> dict[str, str]:
    """Reference → how whole it is said to be."""
    return {
        ref: told["aggregate"]
        for told in found["compositions"]
        for ref in (*told.get("assemblies", ()), *told.get("dependencies", ()))
    }


def test_what_an_endpoint_speaks_and_how_it_is_graded() -> None:
    found = bill(endpoint("a"), certificate("a"))
    protocol = component(found, "tls/endpoint/a#TLS 1.2")["cryptoProperties"]["protocolProperties"]
    assert (protocol["type"], protocol["version"]) == ("tls", "1.2")
    assert [s["name"] for s in protocol["cipherSuites"]] == [SUITE]
    assert graded(found, f"algorithm/other/{SUITE}") == "non-domestic"
    assert graded(found, "algorithm/pke/RSA-1024") == "prohibited"
    shown = component(found, f"certificate/{PRINT}")["cryptoProperties"]["certificateProperties"]
    assert shown["subjectName"] == "CN=portal"
    assert shown["signatureAlgorithmRef"] == "algorithm/signature/sha1WithRSAEncryption"
    (service,) = found["services"]
    assert service["endpoints"] == ["tls://192.0.2.7:443"]
    needs = {d["ref"]: d["dependsOn"] for d in found["dependencies"]}
    assert needs["tls/endpoint/a"] == [f"certificate/{PRINT}", "tls/endpoint/a#TLS 1.2"]
    assert needs["estate"] == ["tls/endpoint/a"]
    refs = {c["bom-ref"] for c in found["components"]}
    assert not any("TLS 1.0" in ref for ref in refs)  # not offered


def test_a_certificate_in_two_places_is_one_component() -> None:
    found = bill(endpoint("a"), endpoint("b"), certificate("a"), certificate("b"))
    places = component(found, f"certificate/{PRINT}")["evidence"]["occurrences"]
    assert places == [{"location": f"tls/certificate/{x}/abab"} for x in "ab"]
    assert aggregates(found)["estate"] == "complete"


def test_domestic_algorithms_are_compliant() -> None:
    offer = VersionOffer(version="TLCP 1.1", offered=True, suites=["ECC_SM4_CBC_SM3"], all_suites=True)
    key = {"key_type": "SM2", "key_bits": 256, "curve": "curveSM2", "signature_algorithm": "SM2-SM3"}
    found = bill(endpoint("a", versions=[offer]), certificate("a", **key))
    for ref in ("algorithm/other/ECC_SM4_CBC_SM3", "algorithm/signature/SM2-256", "tls/endpoint/a#TLCP 1.1"):
        assert graded(found, ref) == "compliant"
    protocol = component(found, "tls/endpoint/a#TLCP 1.1")["cryptoProperties"]["protocolProperties"]
    assert protocol["type"] == "other"  # CycloneDX knows no TLCP


@pytest.mark.parametrize(
    "unseen",
    [
        {"groups": None},
        {"certificates": None},
        {"versions": [VersionOffer(version="TLS 1.2", offered=True, suites=[SUITE])]},
        {"versions": [VersionOffer(version="TLS 1.2")]},
    ],
)
def test_an_endpoint_that_was_not_asked_to_its_end_is_incomplete(unseen: dict[str, Any]) -> None:
    one = endpoint("a", **{k: v for k, v in unseen.items() if v is not None})
    for name in [k for k, v in unseen.items() if v is None]:
        setattr(one, name, Endpoint(source="", native_id="").groups)  # UNKNOWN, as a collector leaves it
    told = aggregates(bill(one, endpoint("b")))
    assert (told["tls/endpoint/a"], told["tls/endpoint/b"]) == ("incomplete", "complete")
    assert told["estate"] == "incomplete"


def test_an_estate_of_which_a_source_was_not_read_is_incomplete_and_says_which() -> None:
    attempts = [
        attempt(("tls", "endpoint")),
        attempt(("tls", "certificate")),
        attempt(("dmz", "endpoint"), Status.FAILED),
    ]
    found = bill(endpoint("a"), attempts=attempts)
    assert aggregates(found) == {"estate": "incomplete", "tls/endpoint/a": "complete"}
    unread = [p["value"] for p in found["metadata"]["properties"] if p["name"] == "zhengguan:unread"]
    assert unread == ["dmz endpoint：失败。超过时限"]


def test_where_nothing_was_read_nothing_is_said_to_be_whole() -> None:
    assert aggregates(bill()) == {"estate": "unknown"}


def test_other_things_that_tell_of_cryptography() -> None:
    ssh = SshServer(
        installed=True,
        ciphers=["aes256-ctr", "arcfour"],
        macs=["hmac-sha1"],
        key_exchanges=["curve25519-sha256"],
    )
    found = bill(
        Host(source="h", native_id="h", name="h", ssh=ssh),
        Device(
            source="n", native_id="n", snmp_version="v3", snmp_authentication="SHA256", snmp_privacy="AES128"
        ),
        Secret(
            source="c", native_id="k", secret_type="symmetric", algorithm="aes", bit_length=256, mode="cbc"
        ),
        Secret(source="c", native_id="p", secret_type="passphrase"),
        KeyPair(
            source="c", native_id="u/k", key_type="ssh", algorithm="ssh-rsa", bits=2048, fingerprint="aa"
        ),
        VolumeType(source="c", native_id="t", encrypted=True, cipher="sm4-xts", key_bits=256),
        VolumeType(source="c", native_id="plain", encrypted=False, cipher=None),
    )
    refs = {c["bom-ref"] for c in found["components"]}
    assert refs == {
        "h/host/h#SSH", "algorithm/block-cipher/aes256-ctr", "algorithm/stream-cipher/arcfour",
        "algorithm/mac/hmac-sha1", "algorithm/key-agree/curve25519-sha256",
        "n/device/n#SNMPv3", "algorithm/mac/SHA256", "algorithm/block-cipher/AES128",
        "c/secret/k", "algorithm/block-cipher/aes-256-cbc",
        "c/key_pair/u/k", "algorithm/signature/ssh-rsa-2048", "algorithm/block-cipher/sm4-xts-256",
    }  # fmt: skip
    assert aggregates(found)["estate"] == "complete"
    (estate,) = [d["dependsOn"] for d in found["dependencies"] if d["ref"] == "estate"]
    assert {"c/secret/k", "c/key_pair/u/k"} < set(estate)


def test_hostile_text_stays_text_and_apart(hostile: str) -> None:
    found = bill(
        endpoint("a\nb", name=hostile, versions=[]),
        endpoint("a b", name=hostile, versions=[]),
        certificate("x", subject=hostile + "\ud800", issuer="\x1b[31m", fingerprint="c\u202ed"),
    )
    assert len(found["services"]) == 2
    text = json.dumps(found, ensure_ascii=False)
    assert not {"\x1b", "\u202e", "\x07"} & set(text)


def ssh_endpoint(id_: str, **more: Any) -> SshEndpoint:
    values: dict[str, Any] = {
        "name": id_, "address": "2001:db8::1", "port": 22, "ssh": True, "version1": False, "version2": True,
        "key_exchanges": ["curve25519-sha256"], "host_key_algorithms": ["rsa-sha2-512"],
        "ciphers": ["3des-cbc", "sm4-ctr"], "macs": ["hmac-sm3"],
        "host_keys": [SshHostKey(algorithms=["rsa-sha2-512"], key_type="RSA", key_bits=1024, fingerprint="SHA256:abc")],
    }  # fmt: skip
    return SshEndpoint(source="ssh", native_id=id_, **(values | more))


def test_ssh_endpoints_their_algorithms_and_keys() -> None:
    found = bill(ssh_endpoint("a"), ssh_endpoint("b", version1=True))
    protocol = component(found, "ssh/ssh_endpoint/a#SSH 2.0")
    assert protocol["cryptoProperties"]["protocolProperties"]["type"] == "ssh"
    assert graded(found, "algorithm/block-cipher/3des-cbc") == "weak"
    assert graded(found, "algorithm/block-cipher/sm4-ctr") == "compliant"
    assert graded(found, "ssh/ssh_endpoint/b#SSH 1") == "prohibited"
    assert graded(found, "algorithm/pke/RSA-1024") == "prohibited"
    key = component(found, "ssh-host-key/SHA256:abc")
    assert key["cryptoProperties"]["relatedCryptoMaterialProperties"]["size"] == 1024
    assert [o["location"] for o in key["evidence"]["occurrences"]] == [
        "ssh/ssh_endpoint/a",
        "ssh/ssh_endpoint/b",
    ]
    assert aggregates(found)["ssh/ssh_endpoint/a"] == "complete"
    hidden = ssh_endpoint("a", host_keys=[SshHostKey(algorithms=["sm2"], key_type="SM2")])
    assert aggregates(bill(hidden))["ssh/ssh_endpoint/a"] == "incomplete"


def test_ipsec_endpoints_and_what_they_accept() -> None:
    version = IkeVersion(
        version="IKEv1", offered=True, encryptions=["DES-CBC", "SM4-CBC"], hashes=["SM3"], integrities=[],
        groups=[KeyGroup(name="modp1024", family="dh", bits=1024)], authentications=["PSK"], asked_all=True,
    )  # fmt: skip
    row = IkeEndpoint(
        source="vpn",
        native_id="g",
        name="g",
        address="192.0.2.1",
        port=500,
        versions=[version, IkeVersion(version="IKEv2")],
    )
    found = bill(row)
    protocol = component(found, "vpn/ike_endpoint/g#IKEv1")["cryptoProperties"]["protocolProperties"]
    assert (protocol["type"], protocol["version"]) == ("ike", "1")
    assert graded(found, "algorithm/block-cipher/DES-CBC") == "prohibited"
    assert graded(found, "algorithm/block-cipher/SM4-CBC") == "compliant"
    assert graded(found, "algorithm/key-agree/modp1024") == "weak"
    assert aggregates(found)["vpn/ike_endpoint/g"] == "incomplete"


def test_a_certificate_in_a_file_is_of_the_estate_although_nothing_uses_it() -> None:
    kept = certificate("/srv/a.pem", location="/srv/a.pem", position=0)
    found = bill(kept)
    (component,) = [c for c in found["components"] if c["cryptoProperties"]["assetType"] == "certificate"]
    assert component["evidence"]["occurrences"] == [{"location": kept.uid}]
    (estate,) = [d for d in found["dependencies"] if d["ref"] == "estate"]
    assert estate["dependsOn"] == [component["bom-ref"]]
