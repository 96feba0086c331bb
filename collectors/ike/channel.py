"""One address over UDP: a question, its answer, again where none came. Replayed from a recording likewise."""

from __future__ import annotations

import os
import socket
import time
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping

from collectors.contract import DeadlineError
from collectors.ike.packets import COOKIE, MAIN, BadPacketError, Reply, abandon, reply_of
from collectors.ike.questions import Packet

_LARGEST = 65535
_MARKER = bytes(4)  # RFC 3948 §2.2: what is not ESP on the port of NAT traversal begins so
_LATER_ATTEMPTS = 2


class RefusedError(Exception):
    """The host says that nothing listens there (ICMP)."""


class Channel:
    """A socket to one address. ``told`` holds what was answered, by the names of questions; "" = nothing."""

    def __init__(
        self, address: str, port: int, *, marker: bool, timeout_seconds: float, attempts: int,
        per_second: float, ends: Callable[[float], float],
    ) -> None:  # fmt: skip
        self.told: dict[str, list[str]] = {}
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self._socket = socket.socket(family, socket.SOCK_DGRAM)
        self._socket.connect((address, port))
        self._marker = _MARKER if marker else b""
        self._timeout, self._attempts, self._left = timeout_seconds, attempts, ends
        self._gap = 1 / per_second if per_second else 0.0
        self._next = 0.0
        self._heard = False

    def close(self) -> None:
        """Give the socket back."""
        self._socket.close()

    def ask(self, key: str, packet: Packet) -> Reply | None:
        """Ask, with the cookie again where the responder wants one first (RFC 7296 §2.6). Raises
        RefusedError, OSError, DeadlineError."""
        self.told[key] = answers = []
        spi = os.urandom(8)
        reply, raw = self._try(packet(spi, b""), spi)
        if reply is not None and reply.major == 2 and reply.notified(COOKIE):
            answers.append(b64encode(raw).decode())
            reply, raw = self._try(packet(spi, reply.data(COOKIE)), spi)
        answers.append(b64encode(raw).decode())
        if reply is not None and reply.major == 1 and reply.chosen1 is not None and reply.exchange == MAIN:
            self._send(abandon(spi, reply.responder))
        return reply

    def _try(self, packet: bytes, spi: bytes) -> tuple[Reply | None, bytes]:
        for _ in range(_LATER_ATTEMPTS if self._heard else self._attempts):
            self._pause()
            self._send(packet)
            ends = time.monotonic() + self._left(self._timeout)
            while (left := ends - time.monotonic()) > 0:
                raw = self._receive(left)
                if raw is None:
                    break
                try:
                    reply = reply_of(raw, spi)
                except BadPacketError:
                    continue  # somebody else's, or garbage: the answer may still come
                self._heard = True
                # bytes 0 to 8 are ours and random: a recording is asked under another SPI
                return reply, raw
        return None, b""

    def _pause(self) -> None:
        now = time.monotonic()
        if self._next > now:
            time.sleep(min(self._next - now, self._left(self._next - now)))
        self._next = max(now, self._next) + self._gap

    def _send(self, packet: bytes) -> None:
        try:
            self._socket.send(self._marker + packet)
        except ConnectionRefusedError as error:
            raise RefusedError from error

    def _receive(self, seconds: float) -> bytes | None:
        self._socket.settimeout(seconds)
        try:
            raw = self._socket.recv(_LARGEST)
        except TimeoutError:
            return None
        except ConnectionRefusedError as error:
            raise RefusedError from error
        return raw.removeprefix(self._marker) if self._marker else raw


class Replay:
    """Answers of a recording. What was not recorded was not reached in time."""

    def __init__(self, told: Mapping[str, list[str]]) -> None:
        self._told = told

    def ask(self, key: str, packet: Packet) -> Reply | None:
        """See ``Channel``."""
        if key not in self._told:
            raise DeadlineError(0)
        raw = b64decode(self._told[key][-1]) if self._told[key] else b""
        try:
            return reply_of(raw, raw[:8]) if raw else None
        except BadPacketError:
            return None
