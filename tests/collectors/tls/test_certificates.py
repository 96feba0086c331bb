"""Certificates from bytes that may be anything, chains and names."""

from __future__ import annotations

import ssl
from datetime import UTC
from typing import Any

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collectors.tls.certificates import certificate, fields_of, fingerprint
from collectors.tls.trust import matches

# An SM2 certificate (the one of a pair to encrypt with), made with OpenSSL 3.0.
SM2 = """\
-----BEGIN CERTIFICATE-----
MIIB6DCCAY+gAwIBAgIUAsxKevc8twuk2wj4AqITvHrkBZgwCgYIKoEcz1UBg3Uw
NTELMAkGA1UEBhMCQ04xFTATBgNVBAoMDOa1i+ivleWNleS9jTEPMA0GA1UEAwwG
U00yIENBMB4XDTI2MTEyMjEwMjMwMloXDTI3MDExMTEwMjMwMlowQTELMAkGA1UE
BhMCQ04xFTATBgNVBAoMDOa1i+ivleWNleS9jTEbMBkGA1UEAwwSd3d3LmV4YW1w
bGUuZ292LmNuMFkwEwYHKoZIzj0CAQYIKoEcz1UBgi0DQgAESmHCm4jx2NDPqrPM
nahp0I+RF1klUQ67LbLiQ4w2sq1PJZ9OiulaUN+j9VxYHyIhzEw9tYs8ZSv3XNaO
dSgJ3KNxMG8wDgYDVR0PAQH/BAQDAgM4MB0GA1UdEQQWMBSCEnd3dy5leGFtcGxl
Lmdvdi5jbjAdBgNVHQ4EFgQUpGQIMZRy7frnlgKeFZUDrrB0K+owHwYDVR0jBBgw
FoAUowERNZRcMFsCD+G+0lnnezhn/UgwCgYIKoEcz1UBg3UDRwAwRAIgL6eArjVE
+CszaAcRFX2Raf2QOHmj7MrBkCn59U524ZUCIDCf4dbO4Bh3c4lNGfq8VLAKCUkH
mmeSXacMY50ejQZ6
-----END CERTIFICATE-----
"""


def der_of(pem: bytes) -> bytes:
    text = pem.decode()
    return ssl.PEM_cert_to_DER_cert(text[text.index("-----BEGIN CERTIFICATE") :])


def test_an_sm2_certificate() -> None:
    fields = fields_of(der_of(SM2.encode()))
    assert (fields["key_type"], fields["key_bits"], fields["curve"]) == ("SM2", 256, "sm2p256v1")
    assert (fields["signature_algorithm"], fields["signature_hash"]) == ("SM2-SM3", "SM3")
    assert fields["key_usage"] == ["keyEncipherment", "dataEncipherment", "keyAgreement"]
    assert fields["subject"] == "C=CN, O=测试单位, CN=www.example.gov.cn"
    assert (fields["names"], fields["authority"], fields["self_signed"]) == (
        ["www.example.gov.cn"],
        False,
        False,
    )


def test_dates_addresses_and_purposes(pem_of: Any, keys: Any) -> None:
    point = x509.DistributionPoint(
        [x509.UniformResourceIdentifier("http://ca.example/a.crl")], None, None, None
    )
    ocsp = x509.AccessDescription(
        x509.oid.AuthorityInformationAccessOID.OCSP, x509.UniformResourceIdentifier("http://ocsp.example/")
    )
    der = der_of(
        pem_of(
            "a",
            key=keys["ec"],
            days=12,
            extensions=[
                x509.CRLDistributionPoints([point]),
                x509.AuthorityInformationAccess([ocsp]),
                x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]),
            ],
        )
    )
    fields, oracle = fields_of(der), x509.load_der_x509_certificate(der)
    assert fields["not_after"] == oracle.not_valid_after_utc
    assert fields["not_before"] == oracle.not_valid_before_utc
    assert fields["not_after"].tzinfo is UTC
    assert fields["crl_urls"] == ["http://ca.example/a.crl"]
    assert fields["ocsp_urls"] == ["http://ocsp.example/"]
    assert fields["extended_key_usage"] == ["server_auth"]
    assert (fields["key_type"], fields["key_bits"], fields["curve"]) == ("EC", 256, "secp256r1")


def test_what_does_not_parse_is_unknown_and_still_a_certificate() -> None:
    one = certificate(b"garbage", source="s", scope="", native_id="x", position=0)
    assert one.fingerprint == fingerprint(b"garbage")
    assert set(fields_of(b"garbage")) == {"fingerprint"}


@given(data=st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
def test_garbled_certificates_raise_nothing(pem_of: Any, keys: Any, data: st.DataObject) -> None:
    der = bytearray(data.draw(st.sampled_from(_samples(pem_of, keys))))
    for _ in range(data.draw(st.integers(1, 5))):
        der[data.draw(st.integers(0, len(der) - 1))] = data.draw(st.integers(0, 255))
    made = certificate(bytes(der), source="s", scope="", native_id="x", position=0)
    assert made.fingerprint == fingerprint(bytes(der))


_MADE: list[bytes] = []


def _samples(pem_of: Any, keys: Any) -> list[bytes]:
    if not _MADE:
        _MADE.extend([der_of(SM2.encode()), der_of(pem_of("a", key=keys["rsa"]))])
    return _MADE


@pytest.mark.parametrize(
    ("asked", "names", "same"),
    [
        ("a.example", ["a.example"], True),
        ("A.Example.", ["a.example"], True),
        ("b.a.example", ["*.a.example"], True),
        ("a.example", ["*.a.example"], False),
        ("c.b.a.example", ["*.a.example"], False),
        ("a.example", ["*.example"], False),
        ("xa.example", ["*a.example"], False),
        ("192.0.2.1", ["192.0.2.1"], True),
        ("192.0.2.1", ["*.0.2.1"], False),
        ("2001:db8::1", ["2001:DB8:0::1"], True),
        ("a.example", [], False),
    ],
)
def test_names(asked: str, names: list[str], same: bool) -> None:
    assert matches(asked, names) is same
