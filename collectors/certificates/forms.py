"""Certificates out of the bytes of a file: PEM, DER, PKCS#7.

A file often holds the private key beside its certificate. In PEM, lines are looked at one at a time and those
of a key are dropped as they come; in DER the first bytes tell a key from a certificate, and no more of it is
read. RFC 7468 (PEM labels), RFC 5280, RFC 5652 (PKCS#7), RFC 5958 and RFC 7292 (what is told from them).
"""

from __future__ import annotations

import binascii
from collections.abc import Iterable, Iterator
from typing import Final, Literal

Form = Literal["pem", "der", "pkcs7", "pkcs12", "jks", "key", "none"]

HEAD_BYTES: Final = 64  # enough to tell the forms apart, and too few for a key
LONGEST_LINE: Final = 4096

_CERTIFICATES: Final = {b"CERTIFICATE", b"X509 CERTIFICATE", b"TRUSTED CERTIFICATE"}
_BUNDLES: Final = {b"PKCS7", b"CMS"}
_MOST_BLOCK_BYTES: Final = 1 << 20
_JKS: Final = (b"\xfe\xed\xfe\xed", b"\xce\xce\xce\xce")


class DamagedError(ValueError):
    """A block or a file that says it holds certificates, and cannot be taken apart."""


def form_of(head: bytes) -> Form:
    """What a file is, by its first ``HEAD_BYTES``. "pem" stands for any text."""
    if head.startswith(_JKS):
        return "jks"
    if head[:1] != b"\x30":
        return "none" if b"\0" in head else "pem"
    tag, content = _inside(head)
    if tag == 0x06:
        return "pkcs7"
    if tag == 0x02:  # a version: 3 of PKCS#12, 0 and 1 of private keys
        return "pkcs12" if content[:2] == b"\1\3" else "key"
    if tag != 0x30:
        return "none"
    inner, _ = _inside(head[2 + _length_bytes(head) :])
    # an encrypted key begins with an algorithm; a certificate with its version, or its serial number
    return "der" if inner in (0xA0, 0x02) else "key" if inner == 0x06 else "none"


def _length_bytes(data: bytes) -> int:
    """Bytes that the length of an element takes after its first one."""
    return data[1] & 0x7F if len(data) > 1 and data[1] & 0x80 else 0


def _inside(data: bytes) -> tuple[int, bytes]:
    """The tag of the first element inside an element, and what follows the tag; 0 where there is none."""
    at = 2 + _length_bytes(data)
    return (data[at], data[at + 1 :]) if len(data) > at else (0, b"")


def from_pem(lines: Iterable[bytes]) -> Iterator[list[bytes] | DamagedError]:
    """For each block that holds certificates its certificates, or what is wrong with it. Every other block
    is passed over."""
    label, body, size = b"", list[bytes](), 0
    for line in lines:
        text = line.strip()
        if text.startswith(b"-----BEGIN ") and text.endswith(b"-----"):
            label, body, size = text[11:-5], [], 0
        elif text.startswith(b"-----END "):
            if label in _CERTIFICATES or label in _BUNDLES:
                yield _block(label, body, size)
            label = b""
        elif label in _CERTIFICATES or label in _BUNDLES:
            size += len(text)
            if size <= _MOST_BLOCK_BYTES:
                body.append(text)
    if label in _CERTIFICATES or label in _BUNDLES:
        yield DamagedError("证书块没有结尾")


def _block(label: bytes, body: list[bytes], size: int) -> list[bytes] | DamagedError:
    if size > _MOST_BLOCK_BYTES:
        return DamagedError("证书块超过 1 MiB")
    try:
        der = binascii.a2b_base64(b"".join(body), strict_mode=True)
        return from_pkcs7(der) if label in _BUNDLES else [from_der(der)]
    except DamagedError as error:
        return error
    except binascii.Error:
        return DamagedError("证书块不是完整的 Base64")


def from_der(data: bytes) -> bytes:
    """The certificate at the beginning of ``data`` (OpenSSL's trusted certificates have more behind it).
    Raises DamagedError."""
    from asn1crypto import parser

    from collectors.tls.certificates import fields_of

    try:
        *_, header, content, trailer = parser.parse(data)
    except ValueError as error:
        raise DamagedError("证书的编码不完整") from error
    der: bytes = header + content + trailer
    if "subject" not in fields_of(der):
        raise DamagedError("内容不是 X.509 证书")
    return der


def from_pkcs7(data: bytes) -> list[bytes]:
    """The certificates of a PKCS#7 bundle. Raises DamagedError."""
    from asn1crypto import cms

    try:
        info = cms.ContentInfo.load(data)
        signed = info["content_type"].native == "signed_data"
        held = [c.chosen.dump() for c in info["content"]["certificates"] if c.name == "certificate"]
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise DamagedError("PKCS#7 的编码不完整") from error
    if not signed:
        raise DamagedError("PKCS#7 里不是证书")
    return [from_der(der) for der in held]
