"""ClientHellos: the one question that a prober asks in many forms. Nothing here computes a key.

RFC 6101 (SSL 3.0), RFC 5246, RFC 8446 with RFC 8998, GB/T 38636 (TLCP). TLS 1.3 is asked with no key share
at all (RFC 8446, 4.2.8): the server names suite and group in a HelloRetryRequest. Servers that know no such
hello get fixed points of the curves instead, since the exchange is never finished.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

import msgspec

from collectors.tls.codes import SM_GROUP, WIRE
from inventory.kinds.crypto import TlsVersion

_RANDOM: Final = b"zhengguan asks; no session comes"
_PADDED_BYTES: Final = 517  # some balancers hang on hellos of 256 to 511 bytes (RFC 7685)

# Public values of the private key 1: the curves' generators, and 9 for x25519.
_SHARES: Final[dict[int, bytes]] = {
    29: (9).to_bytes(32, "little"),
    23: bytes.fromhex(
        "04"
        "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
        "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5"
    ),
    SM_GROUP: bytes.fromhex(
        "04"
        "32c4ae2c1f1981195f9904466a39c9948fe30bbff2660be1715a4589334c74c7"
        "bc3736a2f4f6779c59bdcee36b692153d0a9877cc62a474002df32e52139f0a0"
    ),
}


class Hello(msgspec.Struct, frozen=True, kw_only=True):
    """One question. ``plain``: without any extension, as SSL 3.0 and TLCP know it; ``shares``: with key
    shares, for TLS 1.3."""

    version: TlsVersion
    suites: tuple[int, ...]
    groups: tuple[int, ...] = ()
    schemes: tuple[int, ...] = ()
    server_name: str = ""
    plain: bool = False
    shares: bool = False

    @property
    def key(self) -> str:
        """The question in short, the same in every run: what a recording is looked up by."""
        import hashlib

        digest = hashlib.sha256(repr((self.suites, self.groups, self.schemes)).encode()).hexdigest()[:16]
        marks = ("plain" if self.plain else "") + ("shares" if self.shares else "")
        return f"{self.version}/{self.server_name}/{marks}/{digest}"


def encode(hello: Hello) -> bytes:
    """The record that asks it."""
    before, extensions = _parts(
        hello.version, hello.suites, hello.groups, hello.schemes, hello.plain, hello.shares
    )
    body = before
    if not hello.plain:
        if hello.server_name:
            name = hello.server_name.encode("ascii")
            extensions = _extension(0, _long(b"\0" + _long(name))) + extensions
        missing = _PADDED_BYTES - 4 - 2 - len(body) - len(extensions)
        if missing >= 4:
            extensions += _extension(21, bytes(missing - 4))
        body += _long(extensions)
    wire = WIRE[hello.version]
    # RFC 8446, 5.1: the record of a first hello says 0x0301 for the sake of old servers
    record = wire if wire <= 0x0301 else 0x0301
    return struct.pack(">BHHBBH", 22, record, len(body) + 4, 1, len(body) >> 16, len(body) & 0xFFFF) + body


@lru_cache(maxsize=8192)
def _parts(
    version: TlsVersion,
    suites: tuple[int, ...],
    groups: tuple[int, ...],
    schemes: tuple[int, ...],
    plain: bool,
    shares: bool,
) -> tuple[bytes, bytes]:
    """What endpoints of one make are asked alike: all before the extensions, and the extensions but for the
    name that is asked for."""
    legacy = min(WIRE[version], 0x0303)
    before = legacy.to_bytes(2, "big") + _RANDOM + b"\0" + _long(_packed(suites)) + b"\1\0"
    return before, b"" if plain else b"".join(_extensions(version, groups, schemes, shares=shares))


def _extensions(
    version: TlsVersion, groups: tuple[int, ...], schemes: tuple[int, ...], *, shares: bool
) -> Iterable[bytes]:
    if groups:
        yield _extension(10, _long(_packed(groups)))
        yield _extension(11, b"\1\0")
    if schemes:
        yield _extension(13, _long(_packed(schemes)))
    if version == "TLS 1.3":
        yield _extension(43, b"\2\3\4")
        public = b"".join(
            group.to_bytes(2, "big") + _long(_SHARES[group]) for group in groups if group in _SHARES
        )
        yield _extension(51, _long(public if shares else b""))
    elif version != "TLCP 1.1":
        yield _extension(0xFF01, b"\0")


def _extension(code: int, body: bytes) -> bytes:
    return code.to_bytes(2, "big") + _long(body)


def _long(body: bytes) -> bytes:
    return len(body).to_bytes(2, "big") + body


def _packed(codes: tuple[int, ...]) -> bytes:
    return struct.pack(f">{len(codes)}H", *codes)
