"""Kinds of cryptography on the wire: what endpoints speak (TLS, SSH, IKE), and certificates they show."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar, Literal

from inventory.kinds.address import Family
from inventory.resource import Nested, Resource
from inventory.unknown import UNKNOWN, Maybe

TlsVersion = Literal["SSL 3.0", "TLS 1.0", "TLS 1.1", "TLS 1.2", "TLS 1.3", "TLCP 1.1"]
"""TLCP: GB/T 38636, on the wire 0x0101."""
Hash = Literal["MD2", "MD5", "SHA-1", "SHA-224", "SHA-256", "SHA-384", "SHA-512", "SM3"]


class VersionOffer(Nested):
    """One protocol version. ``suites``: names that the server took (IANA's or GB/T 38636's), in its own order
    where ``preference`` is "server"; [] where the version is not offered. ``all_suites`` True: there are no
    others; UNKNOWN: the server was not asked to the end."""

    version: Maybe[TlsVersion] = UNKNOWN
    offered: Maybe[bool] = UNKNOWN
    suites: Maybe[list[str]] = UNKNOWN
    all_suites: Maybe[bool] = (
        UNKNOWN  # True: there are no others; UNKNOWN: the server was not asked to the end
    )
    preference: Maybe[Literal["server", "client"] | None] = UNKNOWN  # None = one suite, or none


class KeyGroup(Nested):
    """A group of the key exchange. ``dh``: finite field, ``bits`` of its prime; ``ec``: elliptic curve, SM2
    among them; ``pq``: hybrid with a post-quantum part, ``bits`` of its curve."""

    name: Maybe[str] = UNKNOWN
    family: Maybe[Literal["dh", "ec", "pq"]] = UNKNOWN
    bits: Maybe[int] = UNKNOWN


class Presented(Nested):
    """A certificate as an endpoint presents it; ``certificate`` is the native id of its leaf. ``trusted``:
    its chain leads to an authority that the collecting machine trusts, whatever its dates and names."""

    certificate: Maybe[str] = UNKNOWN
    use: Maybe[Literal["tls", "tlcp_sign", "tlcp_encrypt"]] = UNKNOWN
    length: Maybe[int] = UNKNOWN  # certificates sent along, this one included
    trusted: Maybe[bool] = UNKNOWN
    problem: Maybe[str | None] = UNKNOWN  # why not, as OpenSSL says it
    name_matches: Maybe[bool] = UNKNOWN  # the name that was asked for is among its names


class HttpAnswer(Nested):
    """What ``GET /`` over TLS answered; of the headers only those that protect a browser. None = not sent."""

    status: Maybe[int] = UNKNOWN
    hsts_seconds: Maybe[int | None] = UNKNOWN  # max-age of Strict-Transport-Security (RFC 6797)
    hsts_subdomains: Maybe[bool] = UNKNOWN
    content_security_policy: Maybe[str | None] = UNKNOWN
    frame_options: Maybe[str | None] = UNKNOWN
    content_type_options: Maybe[str | None] = UNKNOWN
    referrer_policy: Maybe[str | None] = UNKNOWN


class Endpoint(Resource):
    """An address and port as a TLS client sees it; native id = address:port, with /name where one was asked
    for. ``tls``: whether it speaks any version of TLS or TLCP at all."""

    KIND: ClassVar[str] = "endpoint"
    TITLE: ClassVar[str] = "加密端点"

    address: Maybe[str] = UNKNOWN
    family: Maybe[Family] = UNKNOWN
    port: Maybe[int] = UNKNOWN
    server_name: Maybe[str | None] = UNKNOWN  # asked for by SNI (RFC 6066); None = asked without
    starttls: Maybe[str | None] = UNKNOWN  # protocol whose own dialogue came first; None = TLS at once
    tls: Maybe[bool] = UNKNOWN
    versions: Maybe[list[VersionOffer]] = UNKNOWN
    groups: Maybe[list[KeyGroup]] = UNKNOWN
    signature_schemes: Maybe[list[str]] = UNKNOWN  # of key exchanges up to TLS 1.2; TLS 1.3 encrypts them
    certificates: Maybe[list[Presented]] = UNKNOWN
    http: Maybe[HttpAnswer | None] = UNKNOWN  # None = the answer was no HTTP; UNKNOWN = not asked


class Certificate(Resource):
    """An X.509 certificate in one place; native id = place/beginning of SHA-256, where the place is an
    endpoint's native id, a file's path, a host and a path, or an object of a cluster (kind/namespace/name).
    So a certificate in two places is two resources: it has to be replaced in both."""

    KIND: ClassVar[str] = "certificate"
    TITLE: ClassVar[str] = "证书"

    fingerprint: Maybe[str] = UNKNOWN  # SHA-256 of the DER, hexadecimal
    location: Maybe[str | None] = UNKNOWN  # file, or object of a cluster; None = an endpoint sent it
    # in the chain as sent, or in the file; 0 = the service's own; None = an authority kept to verify others
    position: Maybe[int | None] = UNKNOWN
    subject: Maybe[str] = UNKNOWN
    issuer: Maybe[str] = UNKNOWN
    serial: Maybe[str] = UNKNOWN  # hexadecimal
    names: Maybe[list[str]] = UNKNOWN  # DNS names and addresses of subjectAltName
    not_before: Maybe[datetime] = UNKNOWN
    not_after: Maybe[datetime] = UNKNOWN
    key_type: Maybe[str] = UNKNOWN  # RSA, DSA, EC, SM2, Ed25519, Ed448; other algorithms by their OID
    key_bits: Maybe[int] = UNKNOWN
    curve: Maybe[str | None] = UNKNOWN  # None = no elliptic curve
    signature_algorithm: Maybe[str] = UNKNOWN  # sha256WithRSAEncryption, SM2-SM3 …; unknown ones by OID
    signature_hash: Maybe[Hash | None] = UNKNOWN  # None = part of the algorithm
    key_usage: Maybe[list[str] | None] = UNKNOWN  # RFC 5280 names; None = no such extension
    extended_key_usage: Maybe[list[str] | None] = UNKNOWN
    authority: Maybe[bool] = UNKNOWN  # may issue certificates
    self_signed: Maybe[bool] = UNKNOWN
    crl_urls: Maybe[list[str]] = UNKNOWN
    ocsp_urls: Maybe[list[str]] = UNKNOWN


class SshHostKey(Nested):
    """A host key that an SSH server offers to prove itself with. ``algorithms``: the offered names that it
    signs under; ``key_bits`` and ``fingerprint`` are UNKNOWN where the key itself was not shown to us."""

    algorithms: Maybe[list[str]] = UNKNOWN
    key_type: Maybe[str] = UNKNOWN  # RSA, DSA, EC, SM2, Ed25519, Ed448; UNKNOWN for a name nobody here knows
    key_bits: Maybe[int] = UNKNOWN
    fingerprint: Maybe[str] = UNKNOWN  # SHA256: and base64, as ssh-keygen -l writes it
    certificate: Maybe[bool] = UNKNOWN  # signed by an authority for SSH
    authority_type: Maybe[str | None] = UNKNOWN  # key of that authority; None = no certificate
    authority_bits: Maybe[int | None] = UNKNOWN


class SshEndpoint(Resource):
    """An address and port as an SSH client sees it before it logs in; native id = address:port. The lists are
    in the server's order, of both directions, and [] where version 2 is not spoken."""

    KIND: ClassVar[str] = "ssh_endpoint"
    TITLE: ClassVar[str] = "SSH 端点"

    address: Maybe[str] = UNKNOWN
    family: Maybe[Family] = UNKNOWN
    port: Maybe[int] = UNKNOWN
    ssh: Maybe[bool] = UNKNOWN  # False = something else answers there
    version1: Maybe[bool] = UNKNOWN  # SSH 1.x is spoken, alone or too (RFC 4253 §5.1)
    version2: Maybe[bool] = UNKNOWN
    banner: Maybe[str | None] = UNKNOWN  # the peer's own line, printable characters of it
    key_exchanges: Maybe[list[str]] = UNKNOWN  # without the markers of extensions
    host_key_algorithms: Maybe[list[str]] = UNKNOWN
    ciphers: Maybe[list[str]] = UNKNOWN
    macs: Maybe[list[str]] = UNKNOWN
    compressions: Maybe[list[str]] = UNKNOWN
    strict_key_exchange: Maybe[bool] = UNKNOWN  # kex-strict-s-v00@openssh.com, the answer to CVE-2023-48795
    group_exchange_bits: Maybe[int | None] = (
        UNKNOWN  # shortest prime it hands out (RFC 4419); None = does not
    )
    host_keys: Maybe[list[SshHostKey]] = UNKNOWN


class IkeVersion(Nested):
    """One version of IKE. Each list holds what the peer took in some proposal; ``asked_all`` True: it
    refused, in words, all others that this program knows; UNKNOWN: not all was answered. ``offered``
    is UNKNOWN where everything was refused: there may be proposals that nobody asked for."""

    version: Maybe[Literal["IKEv1", "IKEv2"]] = UNKNOWN
    offered: Maybe[bool] = UNKNOWN
    encryptions: Maybe[list[str]] = UNKNOWN  # with the key's length where it can vary: AES-CBC-128
    hashes: Maybe[list[str]] = UNKNOWN  # IKEv1: hash; IKEv2: pseudo-random function
    integrities: Maybe[list[str]] = UNKNOWN  # IKEv2 alone; [] in IKEv1
    groups: Maybe[list[KeyGroup]] = UNKNOWN
    authentications: Maybe[list[str]] = UNKNOWN  # IKEv1 alone, as not refused at once: PSK, SM2-ENVELOPE …
    asked_all: Maybe[bool] = UNKNOWN


class IkeEndpoint(Resource):
    """An address and port as an IKE initiator sees it before anybody is authenticated; native id =
    address:port."""

    KIND: ClassVar[str] = "ike_endpoint"
    TITLE: ClassVar[str] = "IPsec 端点"

    address: Maybe[str] = UNKNOWN
    family: Maybe[Family] = UNKNOWN
    port: Maybe[int] = UNKNOWN
    versions: Maybe[list[IkeVersion]] = UNKNOWN
    aggressive: Maybe[bool] = UNKNOWN  # IKEv1 aggressive mode was answered, to an identity it cannot know
    aggressive_authentication: Maybe[str | None] = UNKNOWN  # taken in it; None = it was not answered
    vendor_ids: Maybe[list[str]] = UNKNOWN  # names of known ones, hexadecimal of others


FAMILY: tuple[type[Resource], ...] = (Endpoint, Certificate, SshEndpoint, IkeEndpoint)
