"""First messages of IKEv1 (RFC 2408, 2409) and IKEv2 (RFC 7296), and what answers say. Pure.

No key is made: public values are constants that any group takes, nonces are derived from the SPI. Of an
answer only what stands in the clear is read: the proposal that was chosen, notifications, vendor ids.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from typing import Final, NamedTuple

from collectors.ike.codes import GROUPS, Cipher

MAIN, AGGRESSIVE, INFORMATIONAL, SA_INIT = 2, 4, 5, 34
NO_PROPOSAL_CHOSEN, INVALID_KE, COOKIE = 14, 17, 16390
_HEADER: Final = struct.Struct(">8s8sBBBBII")
_MOST_PAYLOADS = 64
_RESPONSE = 0x20
_END = 0
_SA1, _KE1, _ID1, _NONCE1, _NOTIFY1, _VENDOR1 = 1, 4, 5, 10, 11, 13
_SA2, _KE2, _NONCE2, _NOTIFY2, _VENDOR2 = 33, 34, 40, 41, 43


class BadPacketError(Exception):
    """What came is no answer of IKE."""


class Transform(NamedTuple):
    """One combination of IKEv1; ``group`` and ``asymmetric`` 0 = the attribute is not sent."""

    encryption: int
    key_bits: int
    hash: int
    method: int
    group: int = 0
    asymmetric: int = 0


class Proposal(NamedTuple):
    """One proposal of IKEv2: any of each list may be chosen."""

    ciphers: tuple[Cipher, ...]
    prfs: tuple[int, ...]
    integrities: tuple[int, ...]
    groups: tuple[int, ...]


class Choice2(NamedTuple):
    """What an IKEv2 responder chose; 0 = none of the sort."""

    encryption: int = 0
    key_bits: int = 0
    prf: int = 0
    integrity: int = 0
    group: int = 0


class Reply(NamedTuple):
    """An answer: version, exchange, what was chosen, notifications with their data, vendor ids."""

    major: int
    exchange: int
    responder: bytes
    chosen1: Transform | None
    chosen2: Choice2 | None
    notifications: tuple[tuple[int, bytes], ...]
    vendors: tuple[bytes, ...]

    def notified(self, kind: int) -> bool:
        """Whether a notification of this type is among them."""
        return any(found == kind for found, _ in self.notifications)

    def data(self, kind: int) -> bytes:
        """What the first notification of a type carries; b"" without."""
        return next((data for found, data in self.notifications if found == kind), b"")


def main_mode(spi: bytes, transforms: Sequence[Transform]) -> bytes:
    """First message of IKEv1's main mode."""
    return _message(spi, 0x10, MAIN, [(_SA1, _sa1(transforms))])


def aggressive_mode(spi: bytes, transforms: Sequence[Transform]) -> bytes:
    """First message of IKEv1's aggressive mode; all transforms are of one group. The identity is a name that
    nobody has."""
    identity = struct.pack(">BBH", 2, 0, 0) + b"zhengguan.invalid"
    body = [(_SA1, _sa1(transforms)), (_KE1, public_value(transforms[0].group)), (_NONCE1, _nonce(spi))]
    return _message(spi, 0x10, AGGRESSIVE, [*body, (_ID1, identity)])


def abandon(spi: bytes, responder: bytes) -> bytes:
    """Tell an IKEv1 responder that there will be nothing more, so it need not wait: a notification of the
    phase, in the clear."""
    notify = struct.pack(">IBBH", 1, 1, 16, NO_PROPOSAL_CHOSEN) + spi + responder
    return _message(spi, 0x10, INFORMATIONAL, [(_NOTIFY1, notify)], responder=responder, message_id=spi[:4])


def sa_init(spi: bytes, proposals: Sequence[Proposal], group: int, cookie: bytes = b"") -> bytes:
    """IKE_SA_INIT with a public value of ``group``, which need not be among those proposed: a responder then
    says which one it would have had (RFC 7296 §1.2), and makes no key."""
    body = [(_SA2, _sa2(proposals)), (_KE2, struct.pack(">HH", group, 0) + public_value(group))]
    body.append((_NONCE2, _nonce(spi)))
    if cookie:
        body.insert(0, (_NOTIFY2, struct.pack(">BBH", 0, 0, COOKIE) + cookie))
    return _message(spi, 0x20, SA_INIT, body, flags=0x08)


def public_value(group: int) -> bytes:
    """A public value that is one of the group's, and nobody's secret: 4 = 2² for primes."""
    return bytes(GROUPS[group].public_bytes - 1) + b"\x04"


def _nonce(spi: bytes) -> bytes:
    return sha256(spi).digest()


def _message(
    spi: bytes,
    version: int,
    exchange: int,
    payloads: Sequence[tuple[int, bytes]],
    *,
    flags: int = 0,
    responder: bytes = bytes(8),
    message_id: bytes = bytes(4),
) -> bytes:
    content = b""
    for (_, body), following in zip(payloads, [*(kind for kind, _ in payloads[1:]), _END], strict=True):
        content += struct.pack(">BBH", following, 0, len(body) + 4) + body
    head = (spi, responder, payloads[0][0], version, exchange, flags, int.from_bytes(message_id, "big"))
    return _HEADER.pack(*head, len(content) + _HEADER.size) + content


def _sa1(transforms: Sequence[Transform]) -> bytes:
    rows = [_transform1(number, one) for number, one in enumerate(transforms, start=1)]
    content = b"".join(
        struct.pack(">BBH", 3 if at < len(rows) else _END, 0, len(row) + 4) + row
        for at, row in enumerate(rows, start=1)
    )
    proposal = struct.pack(">BBHBBBB", _END, 0, len(content) + 8, 1, 1, 0, len(rows)) + content
    return struct.pack(">II", 1, 1) + proposal


def _transform1(number: int, one: Transform) -> bytes:
    """RFC 2409, appendix A; a life of eight hours, since some want one."""
    attributes = [(1, one.encryption), (2, one.hash), (3, one.method), (4, one.group), (14, one.key_bits)]
    attributes += [(20, one.asymmetric), (11, 1), (12, 28800)]
    packed = b"".join(struct.pack(">HH", 0x8000 | kind, value) for kind, value in attributes if value)
    return struct.pack(">BBH", number, 1, 0) + packed


def _sa2(proposals: Sequence[Proposal]) -> bytes:
    content = b""
    for number, one in enumerate(proposals, start=1):
        rows = [(1, c.code, c.bits) for c in one.ciphers]
        for kind, codes in ((2, one.prfs), (3, one.integrities), (4, one.groups)):
            rows += [(kind, code, 0) for code in codes]
        body = b""
        for at, (kind, code, bits) in enumerate(rows, start=1):
            length = struct.pack(">HH", 0x800E, bits) if bits else b""
            more = 3 if at < len(rows) else _END
            body += struct.pack(">BBHBBH", more, 0, 8 + len(length), kind, 0, code) + length
        more = 2 if number < len(proposals) else _END
        content += struct.pack(">BBHBBBB", more, 0, len(body) + 8, number, 1, 0, len(rows)) + body
    return content


def reply_of(packet: bytes, spi: bytes) -> Reply:
    """Decode an answer to the message of ``spi``. Raises BadPacketError."""
    if len(packet) < _HEADER.size:
        raise BadPacketError("too short")
    initiator, responder, kind, version, exchange, flags, _, length = _HEADER.unpack_from(packet)
    major = version >> 4
    if initiator != spi or length > len(packet) or major not in (1, 2):
        raise BadPacketError("no answer to this")
    echo = not flags & _RESPONSE if major == 2 else exchange != INFORMATIONAL and not any(responder)
    if echo:  # what only sends back what it gets accepts nothing
        raise BadPacketError("our own words")
    chosen1: Transform | None = None
    chosen2: Choice2 | None = None
    notifications: list[tuple[int, bytes]] = []
    vendors: list[bytes] = []
    for found, body in _payloads(packet[_HEADER.size : length], kind):
        if found == _SA1 and major == 1:
            chosen1 = _chosen1(body)
        elif found == _SA2 and major == 2:
            chosen2 = _chosen2(body)
        elif found == (_NOTIFY1 if major == 1 else _NOTIFY2):
            notifications.append(_notification(body[4:] if major == 1 else body))
        elif found == (_VENDOR1 if major == 1 else _VENDOR2):
            vendors.append(body)
    return Reply(major, exchange, responder, chosen1, chosen2, tuple(notifications), tuple(vendors))


def _payloads(content: bytes, kind: int) -> Iterator[tuple[int, bytes]]:
    for _ in range(_MOST_PAYLOADS):
        if kind == _END:
            return
        if len(content) < 4:
            raise BadPacketError("a payload is cut off")
        following, _, length = struct.unpack_from(">BBH", content)
        if not 4 <= length <= len(content):
            raise BadPacketError("a payload is cut off")
        yield kind, content[4:length]
        kind, content = following, content[length:]
    raise BadPacketError("too many payloads")


def _notification(body: bytes) -> tuple[int, bytes]:
    if len(body) < 4:
        raise BadPacketError("a notification is cut off")
    _, spi_size, kind = struct.unpack_from(">BBH", body)
    return kind, body[4 + spi_size :]


def _chosen1(body: bytes) -> Transform:
    """The one transform of the one proposal (RFC 2408 §4.2)."""
    if len(body) < 16:
        raise BadPacketError("a proposal is cut off")
    at = 16 + body[14]
    if len(body) < at + 8:
        raise BadPacketError("a transform is cut off")
    (length,) = struct.unpack_from(">H", body, at + 2)
    found = dict(_attributes(body[at + 8 : at + length]))
    return Transform(*(found.get(kind, 0) for kind in (1, 14, 2, 3, 4, 20)))


def _chosen2(body: bytes) -> Choice2:
    if len(body) < 8:
        raise BadPacketError("a proposal is cut off")
    at = 8 + body[6]
    found: dict[int, int] = {}
    bits = 0
    for _ in range(body[7]):
        if len(body) < at + 8:
            raise BadPacketError("a transform is cut off")
        _, _, length, kind, _, code = struct.unpack_from(">BBHBBH", body, at)
        if length < 8:
            raise BadPacketError("a transform is cut off")
        found[kind] = code
        if kind == 1:
            bits = dict(_attributes(body[at + 8 : at + length])).get(14, 0)
        at += length
    return Choice2(found.get(1, 0), bits, found.get(2, 0), found.get(3, 0), found.get(4, 0))


def _attributes(content: bytes) -> Iterable[tuple[int, int]]:
    """Type and value; long values (RFC 2408 §3.3) are passed over: none of those that are read is one."""
    at = 0
    while at + 4 <= len(content):
        kind, value = struct.unpack_from(">HH", content, at)
        at += 4
        if kind & 0x8000:
            yield kind & 0x7FFF, value
        else:
            at += value
