"""What a server says to a ClientHello: its first flight, from bytes that may be anything.

ServerHello, Certificate, ServerKeyExchange, ServerHelloDone and alerts of RFC 6101, RFC 5246, RFC 8446 and
GB/T 38636. Nothing is verified or decrypted. Every length is checked; what does not parse is ``not_tls``.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final, Literal

import msgspec

from collectors.tls.codes import SM_GROUP, VERSIONS, suite_name
from inventory.kinds.crypto import TlsVersion

End = Literal["hello", "alert", "closed", "reset", "silent", "not_tls", "too_long", "refused", "unreachable"]
"""How it ended: a ServerHello; an alert; an orderly close or a reset without an answer; nothing in time;
something else than TLS; more than ``LONGEST_BYTES``; and where there was no connection to speak over."""

LONGEST_BYTES: Final = 256 * 1024  # of one flight: chains of a dozen certificates take a tenth of it

_RETRY: Final = bytes.fromhex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c")
_MOST_CERTIFICATES = 32


class Answer(msgspec.Struct, kw_only=True):
    """``whole``: the flight came to its end, so what is not in it was not sent. ``group`` is a code,
    ``dh_bits`` the length of a finite-field prime; ``certificates`` are DER."""

    end: End
    version: TlsVersion | None = None
    suite: int = -1
    group: int | None = None
    dh_bits: int | None = None
    scheme: int | None = None
    certificates: list[bytes] = msgspec.field(default_factory=list)
    alert: int | None = None
    tlcp_record: bool = False  # it came in a record of version 0x0101
    whole: bool = False
    said: bytes = b""  # the first bytes of what is not TLS


class _MalformedError(Exception):
    pass


class Flight:
    """Takes bytes as they come; ``done`` as soon as nothing more is needed."""

    def __init__(self) -> None:
        self.raw = bytearray()
        self.done = False
        self.answer = Answer(end="closed")
        self._at = 0  # of the next record in raw
        self._handshake = bytearray()

    def feed(self, data: bytes) -> bool:
        """Take in more; whether that is enough."""
        if self.done:
            return True
        self.raw += data
        try:
            self._records()
        except _MalformedError:
            # a hello that was good stays good; nothing after it is believed
            if self.answer.end != "hello":
                self.answer = Answer(end="not_tls", said=bytes(self.raw[:64]))
            self.done = True
        if not self.done and len(self.raw) > LONGEST_BYTES:
            if self.answer.end != "hello":
                self.answer.end = "too_long"
            self.done = True
        return self.done

    def ended(self, end: End) -> Answer:
        """The answer, where the connection ended in this way."""
        if self.answer.end == "closed" and not self.done:
            self.answer.end = "not_tls" if self.raw and not _may_be_tls(self.raw) else end
            self.answer.said = bytes(self.raw[:64]) if self.answer.end == "not_tls" else b""
        return self.answer

    def _records(self) -> None:
        while not self.done and len(self.raw) - self._at >= 5:
            kind, major, minor = self.raw[self._at : self._at + 3]
            length = int.from_bytes(self.raw[self._at + 3 : self._at + 5], "big")
            if kind not in (20, 21, 22, 23) or (major, minor) not in _RECORDS or length > 16640:
                raise _MalformedError
            if len(self.raw) - self._at - 5 < length:
                return
            body = bytes(self.raw[self._at + 5 : self._at + 5 + length])
            self._at += 5 + length
            self.answer.tlcp_record = (major, minor) == (1, 1)
            if kind == 22:
                self._handshake += body
                self._messages()
            elif kind == 21:
                self._alert(body)
            elif self.answer.end != "hello":
                raise _MalformedError
            else:  # what follows a TLS 1.3 hello is encrypted
                self.done = True

    def _alert(self, body: bytes) -> None:
        if len(body) != 2 or body[0] not in (1, 2):
            raise _MalformedError
        if body[0] == 1 and body[1] != 0:
            return  # a warning, such as unrecognized_name: the flight goes on
        if self.answer.end != "hello":
            self.answer.end, self.answer.alert = "alert", body[1]
        self.done = True

    def _messages(self) -> None:
        while not self.done and len(self._handshake) >= 4:
            kind, length = self._handshake[0], int.from_bytes(self._handshake[1:4], "big")
            if self.answer.end != "hello" and kind != 2:
                raise _MalformedError
            if length > LONGEST_BYTES:
                self.done = True  # nobody's certificate: read no further
                if self.answer.end != "hello":
                    raise _MalformedError
                return
            if len(self._handshake) < 4 + length:
                return
            body = bytes(self._handshake[4 : 4 + length])
            del self._handshake[: 4 + length]
            if kind == 2:
                self._server_hello(body)
            elif kind == 11:
                self.answer.certificates = list(_certificates(body))
            elif kind == 12:
                self._key_exchange(_Reader(body))
            elif kind == 14:
                self.answer.whole = self.done = True

    def _server_hello(self, body: bytes) -> None:
        if self.answer.end == "hello" or len(body) < 38 or len(body) < 38 + body[34]:
            raise _MalformedError
        random, after = body[2:34], 35 + body[34]
        wire, suite = int.from_bytes(body[:2], "big"), int.from_bytes(body[after : after + 2], "big")
        group = None
        if len(body) > after + 3:
            reader = _Reader(body[after + 3 :])
            extensions = _Reader(reader.take(reader.number(2)))
            while extensions.left:
                code, value = extensions.number(2), _Reader(extensions.take(extensions.number(2)))
                if code == 43:
                    wire = value.number(2)
                elif code == 51 and value.left:
                    group = value.number(2)
        version = VERSIONS.get(wire)
        if version is None or self.answer.tlcp_record is not (version == "TLCP 1.1"):
            raise _MalformedError
        self.answer.end, self.answer.version, self.answer.suite = "hello", version, suite
        if version == "TLS 1.3":
            self.answer.group = group
            self.answer.whole = self.done = True
        elif random == _RETRY:
            raise _MalformedError

    def _key_exchange(self, reader: _Reader) -> None:
        """Parameters and, in TLS 1.2, the scheme of the signature (RFC 5246, 7.4.3; RFC 8422, 5.4)."""
        name = suite_name(self.answer.suite)
        if self.answer.version == "TLCP 1.1":
            self.answer.group = SM_GROUP if name.startswith("ECDHE_") else None
            return
        exchange = name.removeprefix("TLS_").partition("_WITH_")[0]
        if "PSK" in exchange or "SRP" in exchange or "KRB5" in exchange:
            return
        if exchange.startswith("ECDH"):
            if reader.number(1) != 3:
                return  # explicit curves: no name to tell
            self.answer.group = reader.number(2)
            reader.take(reader.number(1))
        elif exchange.startswith("DH"):
            self.answer.dh_bits = int.from_bytes(reader.take(reader.number(2)), "big").bit_length()
            reader.take(reader.number(2))
            reader.take(reader.number(2))
        else:
            return
        if self.answer.version == "TLS 1.2" and "anon" not in exchange:
            self.answer.scheme = reader.number(2)


_RECORDS: Final = frozenset({(1, 1), (3, 0), (3, 1), (3, 2), (3, 3), (3, 4)})


def _may_be_tls(raw: bytearray) -> bool:
    return raw[0] in (21, 22) and (len(raw) < 3 or (raw[1], raw[2]) in _RECORDS)


class _Reader:
    """A cursor over bytes that refuses to run over their end."""

    __slots__ = ("_at", "_data", "left")

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0
        self.left = len(data)

    def take(self, length: int) -> bytes:
        if length > self.left:
            raise _MalformedError
        at = self._at
        self._at += length
        self.left -= length
        return self._data[at : at + length]

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size), "big")


@lru_cache(maxsize=256)
def _certificates(body: bytes) -> tuple[bytes, ...]:
    """Kept for a while: an endpoint sends the same ones with every suite. Raises _MalformedError."""
    reader = _Reader(body)
    listed = _Reader(reader.take(reader.number(3)))
    found: list[bytes] = []
    while listed.left and len(found) < _MOST_CERTIFICATES:
        found.append(listed.take(listed.number(3)))
    return tuple(found)


def answer_of(raw: bytes, end: End = "closed") -> Answer:
    """The answer that bytes give when the connection ends in this way after them."""
    flight = Flight()
    flight.feed(raw)
    return flight.ended(end)
