"""What TLS endpoints and their certificates tell of the units of 密评, through the program's own rules."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from inventory.coverage import Batch, Collection, Status
from inventory.kinds.crypto import Certificate, Endpoint, KeyGroup, Presented, VersionOffer
from inventory.resource import Relation, Resource
from inventory.selectors import Selector
from inventory.snapshot import Snapshot
from inventory.systems import System
from policies.assess_crypto import assess_crypto
from policies.assessment import Assessment
from policies.crypto import CryptoScore, ObjectScore, UnitScore
from policies.evaluate import evaluate
from policies.rules import BUILTIN, load_rule
from policies.standards import load_standard

MIPING = load_standard("miping")
AT = datetime(2026, 5, 1, 8, tzinfo=UTC)
RULES = [load_rule(path) for path in sorted((BUILTIN / "tls").glob("*.yaml"))]
GOOD_SUITES = ["ECC_SM4_GCM_SM3"]


def version(name: Any, *suites: str) -> VersionOffer:
    return VersionOffer(version=name, offered=bool(suites), suites=list(suites), all_suites=True)


def endpoint(name: str, **more: Any) -> Endpoint:
    """One that is in order: TLCP alone, both certificates, trusted, of the right name."""
    shown = [
        Presented(certificate=f"{name}/{use}", use=use, length=2, trusted=True, name_matches=True)
        for use in ("tlcp_sign", "tlcp_encrypt")
    ]
    fields: dict[str, Any] = {
        "address": "192.0.2.1", "port": 443, "server_name": "a.example", "tls": True, "http": None,
        "versions": [version("TLCP 1.1", *GOOD_SUITES)],
        "groups": [KeyGroup(name="curveSM2", family="ec", bits=256)],
        "signature_schemes": [],
        "certificates": shown,
        "relations": [Relation("terminates_tls", f"tls/certificate/{p.certificate}") for p in shown],
        **more,
    }  # fmt: skip
    return Endpoint(source="tls", native_id=name, name=name, **fields)


def certificate(id_: str, **more: Any) -> Certificate:
    fields: dict[str, Any] = {
        "position": 0, "self_signed": False, "key_type": "SM2", "key_bits": 256, "curve": "SM2",
        "signature_hash": "SM3", "not_before": AT - timedelta(days=9), "not_after": AT + timedelta(days=90),
        **more,
    }  # fmt: skip
    return Certificate(source="tls", native_id=id_, name=id_, **fields)


def pair(name: str, **sign: Any) -> list[Resource]:
    return [certificate(f"{name}/tlcp_sign", **sign), certificate(f"{name}/tlcp_encrypt")]


def judged(*resources: Resource, status: Status = Status.COMPLETE) -> Assessment:
    told = [
        Collection(source="tls", kind=kind, status=status if kind == "certificate" else Status.COMPLETE,
                   started_at=AT, ended_at=AT)
        for kind in ("endpoint", "certificate")
    ]  # fmt: skip
    snapshot = Snapshot.of_batches([Batch(resources=list(resources), collections=told)], AT)
    system = System(name="s", title="系统", grade="S3A3", include=[Selector(sources=["*"])])
    outcomes = evaluate(RULES, snapshot, members=system.members(snapshot), now=AT)
    return assess_crypto(system, MIPING, outcomes, snapshot)


def unit(assessment: Assessment, code: str) -> UnitScore:
    assert isinstance(assessment.score, CryptoScore)
    return next(u for layer in assessment.score.layers for u in layer.units if u.code == code)


def only(assessment: Assessment, code: str) -> ObjectScore:
    (found,) = unit(assessment, code).objects
    return found


def denied(assessment: Assessment) -> set[str]:
    return {
        f"{letter} {code}"
        for code in ("NET-01", "NET-02", "NET-03")
        for letter in "DA"
        if getattr(only(assessment, code), letter.lower()) is False
    }


def risks(assessment: Assessment) -> set[str]:
    return {r.case for r in assessment.high_risks if r.state == "triggered"}


def test_an_endpoint_in_order_is_one_channel_and_nothing_is_denied() -> None:
    found = judged(endpoint("e"), *pair("e"))
    assert denied(found) == set()
    assert [o.name for o in unit(found, "NET-01").objects] == ["tls/endpoint/e"]
    assert only(found, "NET-01").title == "加密端点 e"
    assert risks(found) == set()
    assert (only(found, "NET-01").d, only(found, "NET-01").a) == (None, None)  # and nothing is granted


def test_what_an_endpoint_speaks_denies_the_algorithm_or_the_use() -> None:
    every_a = {"A NET-01", "A NET-02", "A NET-03"}
    modern = version("TLS 1.3", "TLS_AES_128_GCM_SHA256")
    assert denied(judged(endpoint("e", versions=[modern]), *pair("e"))) == every_a
    both = [version("TLCP 1.1", *GOOD_SUITES), version("TLS 1.0", *GOOD_SUITES)]
    old = judged(endpoint("e", versions=both), *pair("e"))
    assert (denied(old), risks(old)) == (every_a, {"HR-GEN-TECH-1"})
    broken = [version("TLCP 1.1", *GOOD_SUITES, "TLS_RSA_WITH_RC4_128_SHA")]
    found = judged(endpoint("e", versions=broken), *pair("e"))
    assert (denied(found), risks(found)) == (every_a, {"HR-GEN-ALG-1"})
    short = judged(endpoint("e", groups=[KeyGroup(name="dh1024", family="dh", bits=1024)]), *pair("e"))
    assert (denied(short), risks(short)) == (every_a, {"HR-GEN-ALG-1"})
    bare = [version("TLCP 1.1", *GOOD_SUITES, "TLS_RSA_WITH_NULL_SHA256")]
    assert denied(judged(endpoint("e", versions=bare), *pair("e"))) == {"D NET-03"}
    plain = judged(endpoint("e", tls=False, versions=[], groups=[], certificates=[], relations=[]))
    assert denied(plain) == {"D NET-01", "D NET-02", "D NET-03"}
    assert risks(plain) == {"HR-NET-03"}
    # the application may encrypt by itself: a clue
    (clue,) = next(c for c in plain.controls if c.control.code == "APP-04").objects
    assert clue.reason.startswith("线索：列为加密端点的端口应当加密")


def test_a_certificate_speaks_for_the_endpoints_that_show_it() -> None:
    expired = {"not_after": AT - timedelta(days=1)}
    found = judged(endpoint("e"), *pair("e", **expired))
    assert denied(found) == {"D NET-01"}
    assert len(unit(found, "NET-01").objects) == 1  # a certificate is no channel of its own
    held = next(o for c in found.controls if c.control.code == "NET-01" for o in c.objects)
    assert held.reason.startswith("D 不符合：证书应在有效期内")
    assert len(held.findings) == 1
    weak = judged(endpoint("e"), *pair("e", key_type="RSA", key_bits=1024))
    assert (denied(weak), risks(weak)) == ({"A NET-01"}, {"HR-GEN-ALG-1"})
    two = judged(endpoint("e"), endpoint("f"), *pair("e", **expired), *pair("f"))
    assert {o.name: o.d for o in unit(two, "NET-01").objects} == {
        "tls/endpoint/e": False,
        "tls/endpoint/f": None,
    }


def test_what_is_sent_along_or_shown_by_nobody_denies_nothing() -> None:
    expired = {"not_after": AT - timedelta(days=1)}
    along = certificate("e/issuer", position=1, **expired)
    assert denied(judged(endpoint("e"), *pair("e"), along)) == set()
    alone = judged(certificate("x/leaf", **expired))
    assert unit(alone, "NET-01").objects == ()


def test_a_self_signed_certificate_is_a_clue_and_an_untrusted_one_denies() -> None:
    assert denied(judged(endpoint("e"), *pair("e", self_signed=True))) == set()
    shown = [Presented(certificate="e/tlcp_sign", use="tls", length=1, trusted=False, name_matches=True)]
    untrusted = endpoint("e", versions=[version("TLS 1.3", "TLS_SM4_GCM_SM3")], certificates=shown)
    assert denied(judged(untrusted, *pair("e"))) == {"D NET-01"}


def test_certificates_that_were_not_read_are_no_more_channels() -> None:
    found = judged(endpoint("e"), *pair("e"), status=Status.PARTIAL)
    assert [text for text in unit(found, "NET-01").uncovered if "证书" in text] == []
