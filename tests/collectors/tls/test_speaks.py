"""What is told of Python's TLS equals its configuration."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from collectors.tls.codes import suite_names
from collectors.tls.targets import Target
from inventory.coverage import Batch, Status
from inventory.kinds.crypto import Certificate, Endpoint
from inventory.unknown import Unknown

V10, V11 = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
V12, V13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3
Collect = Callable[..., list[Batch]]


def endpoint(batches: list[Batch]) -> Endpoint:
    (one,) = [r for b in batches for r in b.resources if isinstance(r, Endpoint)]
    return one


def certificates(batches: list[Batch]) -> list[Certificate]:
    return [r for b in batches for r in b.resources if isinstance(r, Certificate)]


def statuses(batches: list[Batch]) -> dict[str, Status]:
    return {c.kind: c.status for b in batches for c in b.collections}


def offered(one: Endpoint) -> dict[str, Any]:
    return {v.version: v.offered for v in one.versions}


def suites(one: Endpoint, version: str) -> list[str]:
    return next(v.suites for v in one.versions if v.version == version)


def configured(ciphers: str, auth: str) -> set[str]:
    """What OpenSSL says that such a configuration has, by code."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers(ciphers)
    return {
        suite_names()[c["id"] & 0xFFFF]
        for c in context.get_ciphers()
        if c["protocol"] != "TLSv1.3" and c["auth"] == auth and c["kea"] in ("kx-ecdhe", "kx-rsa")
    }


@pytest.mark.parametrize(
    ("oldest", "newest", "wanted"),
    [
        (V12, V13, {"TLS 1.3", "TLS 1.2"}),
        (V13, V13, {"TLS 1.3"}),
        (V10, V11, {"TLS 1.1", "TLS 1.0"}),
        (V10, V10, {"TLS 1.0"}),
        (V10, V13, {"TLS 1.3", "TLS 1.2", "TLS 1.1", "TLS 1.0"}),
    ],
)
def test_versions(
    serve_tls: Any, pem_of: Any, keys: Any, collect: Collect, oldest: Any, newest: Any, wanted: set[str]
) -> None:
    batches = collect(serve_tls(pem_of("a", key=keys["rsa"]), oldest=oldest, newest=newest))
    one = endpoint(batches)
    assert {version for version, seen in offered(one).items() if seen} == wanted
    assert set(offered(one).values()) == {True, False}
    assert one.tls is True
    assert statuses(batches) == {"endpoint": Status.COMPLETE, "certificate": Status.COMPLETE}
    assert [c.fingerprint for c in certificates(batches)] != []


def test_suites_are_those_of_the_configuration(
    serve_tls: Any, pem_of: Any, keys: Any, collect: Collect
) -> None:
    port = serve_tls(pem_of("a", key=keys["rsa"]))
    one = endpoint(collect(port))
    assert set(suites(one, "TLS 1.2")) == configured("DEFAULT:@SECLEVEL=0", "auth-rsa")
    assert set(suites(one, "TLS 1.3")) == {
        "TLS_AES_256_GCM_SHA384",
        "TLS_CHACHA20_POLY1305_SHA256",
        "TLS_AES_128_GCM_SHA256",
    }
    assert suites(one, "TLS 1.0") == []
    assert all(v.all_suites is True for v in one.versions)


def test_the_server_s_own_order_is_told_from_the_client_s(
    serve_tls: Any, pem_of: Any, keys: Any, collect: Collect
) -> None:
    ciphers = "AES128-SHA:ECDHE-RSA-AES256-SHA:ECDHE-RSA-AES128-GCM-SHA256:@SECLEVEL=0"
    for own, preference in ((True, "server"), (False, "client")):
        port = serve_tls(pem_of("a", key=keys["rsa"]), ciphers=ciphers, own_order=own, newest=V12)
        one = endpoint(collect(port))
        (seen,) = [v for v in one.versions if v.version == "TLS 1.2"]
        assert seen.preference == preference
        named = [
            "TLS_RSA_WITH_AES_128_CBC_SHA",
            "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA",
            "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
        ]
        assert seen.suites == named if own else set(seen.suites) == set(named)


def test_groups_and_schemes(serve_tls: Any, pem_of: Any, keys: Any, collect: Collect) -> None:
    one = endpoint(collect(serve_tls(pem_of("a", key=keys["ec"]), newest=V12)))
    assert {g.name for g in one.groups} == {"x25519", "secp256r1", "x448", "secp521r1", "secp384r1"}
    assert {g.family for g in one.groups} == {"ec"}
    strong = {"ecdsa_secp256r1_sha256", "ecdsa_secp384r1_sha384", "ecdsa_secp521r1_sha512", "ecdsa_sha224"}
    assert set(one.signature_schemes) - {"ecdsa_sha1"} == strong
    modern = endpoint(collect(serve_tls(pem_of("a", key=keys["ec"]), oldest=V13)))
    assert isinstance(modern.signature_schemes, Unknown)  # TLS 1.3 encrypts them
    assert {"ffdhe2048", "x25519"} <= {g.name for g in modern.groups}


def test_a_certificate_of_tls_1_3_comes_from_an_ordinary_handshake(
    serve_tls: Any, pem_of: Any, keys: Any, collect: Collect
) -> None:
    leaf = pem_of("leaf", key=keys["rsa"], issuer=("the authority", keys["ca"]))
    authority = pem_of("the authority", key=keys["ca"], ca=True)
    pem = leaf + authority[authority.index(b"-----BEGIN CERT") :]
    batches = collect(serve_tls(pem, oldest=V13))
    first, second = certificates(batches)
    assert (first.subject, first.issuer, first.position) == ("CN=leaf", "CN=the authority", 0)
    assert (second.subject, second.position, second.authority) == ("CN=the authority", 1, True)
    assert (second.self_signed, first.self_signed) == (True, False)
    (shown,) = endpoint(batches).certificates
    assert (shown.use, shown.length, shown.name_matches) == ("tls", 2, True)
    assert endpoint(batches).related("terminates_tls") == [first.uid]


def test_what_a_certificate_says(serve_tls: Any, pem_of: Any, keys: Any, collect: Collect) -> None:
    pem = pem_of("a.example", key=keys["short"], days=-10, names=["a.example", "2001:db8::1"], serial=255)
    (one,) = certificates(collect(serve_tls(pem, newest=V12)))
    assert (one.name, one.names, one.serial) == ("a.example", ["a.example", "2001:db8::1"], "ff")
    assert (one.key_type, one.key_bits, one.curve) == ("RSA", 1024, None)
    assert (one.signature_algorithm, one.signature_hash) == ("sha256WithRSAEncryption", "SHA-256")
    assert one.not_after < datetime.now(UTC)
    assert (one.self_signed, one.authority, one.key_usage) == (True, False, None)


def test_a_name_that_does_not_match(serve_tls: Any, pem_of: Any, keys: Any, collect: Collect) -> None:
    port = serve_tls(pem_of("a", key=keys["ec"], names=["other.example", "*.a.test"]))
    for name, matches in (("", False), ("www.a.test", True), ("a.test", False)):
        batches = collect(Target(address=f"127.0.0.1:{port}", server_name=name))
        (shown,) = endpoint(batches).certificates
        assert shown.name_matches is matches, name
        assert endpoint(batches).native_id == f"127.0.0.1:{port}" + (f"/{name}" if name else "")


def test_the_home_page_s_headers(serve_tls: Any, pem_of: Any, keys: Any, collect: Collect) -> None:
    head = b"HTTP/1.1 200 OK\r\nStrict-Transport-Security: max-age=600 ; includeSubDomains\r\n"
    head += b"X-Frame-Options: DENY\r\nSet-Cookie: session=abcdef\r\n\r\n"
    batches = collect(serve_tls(pem_of("a", key=keys["ec"]), answer=head), http=True)
    http = endpoint(batches).http
    assert (http.status, http.hsts_seconds, http.hsts_subdomains) == (200, 600, True)
    assert (http.frame_options, http.content_security_policy) == ("DENY", None)
    assert b"abcdef" not in b"".join(e.content for b in batches for e in b.evidence)
    other = collect(serve_tls(pem_of("a", key=keys["ec"]), answer=b"220 hello\r\n"), http=True)
    assert endpoint(other).http is None
    unasked = collect(serve_tls(pem_of("a", key=keys["ec"]), answer=head))
    assert isinstance(endpoint(unasked).http, Unknown)


def test_over_ipv6(serve_tls: Any, pem_of: Any, keys: Any, collect: Collect) -> None:
    port = serve_tls(pem_of("a", key=keys["ec"], names=["::1"]), address="::1")
    one = endpoint(collect(f"[::1]:{port}"))
    assert (one.family, one.native_id, one.tls) == ("ipv6", f"[::1]:{port}", True)
    assert one.certificates[0].name_matches is True


def test_a_host_is_probed_at_each_of_its_addresses(
    serve_tls: Any, pem_of: Any, keys: Any, collect: Collect
) -> None:
    port = serve_tls(pem_of("a", key=keys["ec"]))
    batches = collect(f"localhost:{port}", families=["ipv4"])
    assert endpoint(batches).server_name == "localhost"
    assert {c.scope for b in batches for c in b.collections} == {f"localhost:{port}"}
    assert endpoint(batches).scope == f"localhost:{port}"
