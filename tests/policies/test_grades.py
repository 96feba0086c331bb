"""The table of grades: what it says, that it says something of everything, and that the rules agree."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, get_args

import pytest

from collectors.ike import codes
from collectors.tls.certificates import SIGNATURES
from collectors.tls.codes import GROUPS, suite_names
from inventory.kinds.crypto import TlsVersion
from policies import grades
from policies.rule_examples import example_resource
from policies.rules import load_rules
from policies.verdict import Verdict

RULES = {rule.id: rule for rule in load_rules()}


@pytest.mark.parametrize(
    ("name", "grade", "ra"),
    [
        ("ECC_SM4_CBC_SM3", "compliant", "1"),
        ("TLS_SM4_GCM_SM3", "compliant", "1"),
        ("RSA_SM4_CBC_SM3", "non-domestic", "1"),
        ("RSA_SM4_CBC_SHA1", "weak", "0.5"),
        ("TLS_AES_256_GCM_SHA384", "non-domestic", "1"),
        ("TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA", "non-domestic", "1"),
        ("TLS_RSA_WITH_3DES_EDE_CBC_SHA", "weak", "0.5"),
        ("TLS_RSA_WITH_DES_CBC_SHA", "prohibited", "0.2"),
        ("TLS_RSA_WITH_RC4_128_SHA", "prohibited", "0.2"),
        ("TLS_RSA_WITH_NULL_SHA256", "prohibited", "0.2"),
        ("TLS_DH_anon_WITH_AES_128_GCM_SHA256", "prohibited", "0.2"),
        ("TLS_RSA_EXPORT_WITH_RC4_40_MD5", "prohibited", "0.2"),
    ],
)
def test_suites(name: str, grade: str, ra: str) -> None:
    found = grades.of_suite(name)
    assert found is not None
    assert (found.name, found.ra, found.a) == (grade, Decimal(ra), grade == "compliant")


def test_everything_that_is_seen_by_name_has_a_grade() -> None:
    assert [name for name in suite_names().values() if grades.of_suite(name) is None] == []
    assert [version for version in get_args(TlsVersion) if grades.of_protocol(version) is None] == []
    assert [pair for pair in SIGNATURES.values() if grades.of_signature(*pair) is None] == []
    assert grades.of_suite("0x1234") is None
    assert grades.of_key("1.2.3.4", 2048) is None
    domestic = [name for name in suite_names().values() if (g := grades.of_suite(name)) and g.a]
    assert len(domestic) == 14
    assert all("SM" in name for name in domestic)


@pytest.mark.parametrize(
    ("key", "grade", "bits"),
    [
        (("SM2", 256), "compliant", 128),
        (("RSA", 512), "prohibited", 56),
        (("RSA", 1024), "prohibited", 80),
        (("RSA", 2047), "prohibited", 80),
        (("RSA", 2048), "non-domestic", 112),
        (("EC", 192), "weak", 80),
        (("EC", 256), "non-domestic", 112),
        (("DH", 1024), "weak", 80),
        (("DH", 2048), "non-domestic", 112),
    ],
)
def test_keys(key: tuple[str, int], grade: str, bits: int) -> None:
    found = grades.of_key(*key)
    assert found is not None
    assert (found.name, found.bits) == (grade, bits)


def test_a_short_rsa_key_keeps_half_of_its_credit() -> None:
    """The guideline calls it a high risk; its 80 bits are Ra 0.5 all the same."""
    found = grades.of_key("RSA", 1024)
    assert found is not None
    assert (found.name, found.ra) == ("prohibited", Decimal("0.5"))


def judged(rule: str, **values: Any) -> Verdict:
    from datetime import UTC, datetime

    from inventory.coverage import Batch
    from inventory.snapshot import Snapshot
    from policies.evaluate import evaluate

    resource = example_resource(RULES[rule].kind, {"name": "x", **values})
    now = datetime(2026, 1, 1, tzinfo=UTC)
    [outcome] = evaluate([RULES[rule]], Snapshot.of_batches([Batch(resources=[resource])], now), now=now)
    [(_, verdict)] = outcome.verdicts()
    return verdict


def violates(rule: str, **values: Any) -> bool:
    verdict = judged(rule, **values)
    assert verdict in (Verdict.FAIL, Verdict.PASS)
    return verdict is Verdict.FAIL


@pytest.mark.parametrize("key_type", ["RSA", "DSA", "EC"])
@pytest.mark.parametrize("bits", [160, 192, 224, 256, 512, 1024, 2047, 2048, 3072])
def test_the_rule_on_keys_agrees_with_the_table(key_type: str, bits: int) -> None:
    grade = grades.of_key(key_type, bits)
    assert grade is not None
    short = grade.name in ("weak", "prohibited")
    assert violates("certificate-short-key", key_type=key_type, key_bits=bits) is short


def test_the_rule_on_signatures_agrees_with_the_table() -> None:
    for algorithm, digest in SIGNATURES.values():
        grade = grades.of_signature(algorithm, digest)
        assert grade is not None
        bad = violates("certificate-weak-signature", self_signed=False, signature_hash=digest)
        assert bad is (grade.name == "prohibited"), algorithm


def test_each_suite_breaks_the_rule_of_its_grade_and_no_other() -> None:
    for name in suite_names().values():
        versions = [{"version": "TLS 1.2", "offered": True, "suites": [name], "all_suites": True}]
        broken = {
            rule
            for rule in ("endpoint-unprotected-suites", "endpoint-broken-suites", "endpoint-weak-suites")
            if violates(rule, tls=True, versions=versions)
        }
        grade = grades.of_suite(name)
        assert grade is not None
        wanted = {"weak": 1, "prohibited": 1}.get(grade.name, 0)
        assert len(broken) == wanted, name
        assert violates("endpoint-without-sm", tls=True, versions=versions) is not grade.a


@pytest.mark.parametrize(
    ("rule", "bad"),
    [
        ("endpoint-unprotected-suites", "TLS_RSA_WITH_NULL_SHA256"),
        ("endpoint-broken-suites", "TLS_RSA_WITH_RC4_128_SHA"),
        ("endpoint-weak-suites", "TLS_RSA_WITH_3DES_EDE_CBC_SHA"),
    ],
)
def test_a_suite_that_nobody_knows_is_not_known_to_be_good(rule: str, bad: str) -> None:
    def offering(*suites: str) -> Verdict:
        versions = [{"version": "TLS 1.2", "offered": True, "suites": list(suites), "all_suites": True}]
        return judged(rule, tls=True, versions=versions)

    assert offering("TLS_AES_256_GCM_SHA384") is Verdict.PASS
    assert offering("TLS_AES_256_GCM_SHA384", "0xABCD") is Verdict.UNKNOWN
    assert offering(bad, "0xABCD") is Verdict.FAIL


def test_the_rules_on_groups_agree_with_the_table() -> None:
    for group in GROUPS.values():
        if group.family == "pq":
            continue
        key_type = "SM2" if group.name == "curveSM2" else {"dh": "DH", "ec": "EC"}[str(group.family)]
        bits = int(str(group.bits))
        grade = grades.of_key(key_type, bits)
        assert grade is not None
        shown = [{"name": group.name, "family": group.family, "bits": bits}]
        bad = violates("endpoint-short-dh", tls=True, groups=shown) or violates(
            "endpoint-short-curve", tls=True, groups=shown
        )
        assert bad is (grade.name == "weak"), group.name


@pytest.mark.parametrize(
    ("name", "grade"),
    [
        ("sm2-sm3", "compliant"), ("sm4-ctr", "compliant"), ("hmac-sm3", "compliant"), ("sm2", "compliant"),
        ("sm2kep-sha2-nistp256", "non-domestic"), ("aes256-ctr", "non-domestic"), ("ssh-ed25519", "non-domestic"),
        ("hmac-sha1", "non-domestic"), ("hmac-sha1-96", "weak"), ("3des-cbc", "weak"), ("none", "prohibited"),
        ("diffie-hellman-group1-sha1", "weak"), ("diffie-hellman-group14-sha1", "weak"),
        ("diffie-hellman-group14-sha256", "non-domestic"), ("diffie-hellman-group16-sha512", "non-domestic"),
        ("ssh-rsa", "prohibited"), ("rsa-sha2-256", "non-domestic"), ("hmac-md5", "weak"),
    ],
)  # fmt: skip
def test_names_of_ssh(name: str, grade: str) -> None:
    found = grades.of_ssh(name)
    assert found is not None
    assert found.name == grade


def test_every_name_of_ssh_audit_that_is_no_marker_is_known_or_said_not_to_be() -> None:
    """The names Debian's sshd can be made to offer all have a grade."""
    offered = (
        "curve25519-sha256 ecdh-sha2-nistp521 sntrup761x25519-sha512@openssh.com diffie-hellman-group18-sha512 "
        "aes128-gcm@openssh.com chacha20-poly1305@openssh.com umac-128-etm@openssh.com hmac-sha2-512 "
        "ecdsa-sha2-nistp256 sk-ssh-ed25519@openssh.com ssh-ed25519-cert-v01@openssh.com"
    ).split()
    assert [name for name in offered if grades.of_ssh(name) is None] == []
    assert grades.of_ssh("quantum@example") is None


def test_names_of_ike() -> None:
    expected = {
        "SM4-CBC": "compliant",
        "SM3": "compliant",
        "NULL": "prohibited",
        "DES-CBC": "prohibited",
        "3DES-CBC": "weak",
    }
    assert {name: grades.of_ike(name).name for name in expected} == expected  # type: ignore[union-attr]
    known = [c.name for c in (*codes.V1_CIPHERS, *codes.V1_DOMESTIC_CIPHERS, *codes.V2_CIPHERS)]
    known += [*codes.V1_HASHES.values(), *codes.V2_PRFS.values(), *codes.V2_INTEGRITIES.values()]
    assert [name for name in known if grades.of_ike(name) is None] == []
    assert grades.of_ike("99") is None


@pytest.mark.parametrize(
    "name", [c.name for c in (*codes.V1_CIPHERS, *codes.V1_DOMESTIC_CIPHERS, *codes.V2_CIPHERS)]
)
def test_the_rules_on_ciphers_of_ike_agree_with_the_table(name: str) -> None:
    grade = grades.of_ike(name)
    assert grade is not None
    versions = [{"version": "IKEv1", "offered": True, "encryptions": [name], "asked_all": True}]
    assert violates("ike-broken-encryption", versions=versions) is (grade.name == "prohibited")
    assert violates("ike-weak-encryption", versions=versions) is (grade.name == "weak")
    assert violates("ike-without-sm", versions=versions) is not grade.a
