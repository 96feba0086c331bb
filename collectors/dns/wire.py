"""Datagrams and connections: the I/O of the questions and nothing else."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import secrets
import socket
import struct
import time
from typing import Final, NamedTuple

from collectors.dns.messages import Problem, Question, is_answer, is_truncated, query, wants_plain
from collectors.dns.targets import address_of_server

_LARGEST_DATAGRAM = 65535
_TIMESTAMP = 35  # SO_TIMESTAMPNS of Linux, which Python does not name
_MOST_STRANGERS = 64  # datagrams that answer something else, before the peer is called nonsense
_UNREACHABLE: Final = frozenset(
    {errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT}
)


class Told(NamedTuple):
    """Bytes of an answer, or why there are none; ``ms``: until the first datagram of it came."""

    wire: bytes
    problem: Problem | None
    ms: float = 0.0


async def exchange(server: str, question: Question, seconds: float) -> Told:
    """Ask one question once, over TCP again where the answer was cut off, and without EDNS where the server
    does not know that. Never raises for what a peer does."""
    told = await _asked(server, question, seconds, edns=True)
    if told.problem is None and wants_plain(told.wire):
        return await _asked(server, question, seconds, edns=False)
    return told


async def _asked(server: str, question: Question, seconds: float, *, edns: bool) -> Told:
    place = address_of_server(server)
    id_ = secrets.randbits(16)
    asked = query(question, id_, edns=edns)
    try:
        async with asyncio.timeout(seconds):
            wire, ms = await _datagram(place, asked, id_)
            if wire is not None and is_truncated(wire):
                wire = await _stream(place, asked, id_)
    except TimeoutError:
        return Told(b"", "silent")
    except OSError as error:
        if isinstance(error, ConnectionRefusedError):
            return Told(b"", "closed")
        return Told(b"", "unreachable" if error.errno in _UNREACHABLE else "silent")
    return Told(wire, None, ms) if wire is not None else Told(b"", "nonsense")


def _open(place: tuple[str, int], kind: socket.SocketKind) -> socket.socket:
    family = socket.AF_INET6 if ":" in place[0] else socket.AF_INET
    opened = socket.socket(family, kind)
    opened.setblocking(False)
    return opened


async def _datagram(place: tuple[str, int], asked: bytes, id_: int) -> tuple[bytes | None, float]:
    """A socket of its own for each question: a port nobody can guess, and refusals of the host are heard. The
    time is the kernel's, so that our own work on other answers does not count as the server's."""
    with _open(place, socket.SOCK_DGRAM) as opened:
        with contextlib.suppress(OSError):
            opened.setsockopt(socket.SOL_SOCKET, _TIMESTAMP, 1)
        opened.connect(place)
        sent = time.time_ns()
        opened.send(asked)
        for _ in range(_MOST_STRANGERS):
            await _readable(opened)
            try:
                wire, ancillary, _, _ = opened.recvmsg(_LARGEST_DATAGRAM, 64)
            except BlockingIOError:
                continue  # a datagram with a wrong checksum, thrown away after it was announced
            if is_answer(wire, id_, asked):
                return wire, max(0.0, (_arrival(ancillary) - sent) / 1e6)
    return None, 0.0


def _arrival(ancillary: list[tuple[int, int, bytes]]) -> int:
    """When the kernel took a datagram, in nanoseconds since the epoch; now where it does not say."""
    for level, kind, data in ancillary:
        if level == socket.SOL_SOCKET and kind == _TIMESTAMP and len(data) == 16:
            seconds, nanoseconds = struct.unpack("qq", data)
            return int(seconds) * 1_000_000_000 + int(nanoseconds)
    return time.time_ns()


async def _readable(opened: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    ready: asyncio.Future[None] = loop.create_future()
    loop.add_reader(opened, lambda: None if ready.done() else ready.set_result(None))
    try:
        await ready
    finally:
        loop.remove_reader(opened)


async def _stream(place: tuple[str, int], asked: bytes, id_: int) -> bytes | None:
    loop = asyncio.get_running_loop()
    with _open(place, socket.SOCK_STREAM) as opened:
        await loop.sock_connect(opened, place)
        await loop.sock_sendall(opened, len(asked).to_bytes(2, "big") + asked)
        held = bytearray()
        while len(held) < 2 or len(held) < 2 + int.from_bytes(held[:2], "big"):
            piece = await loop.sock_recv(opened, _LARGEST_DATAGRAM)
            if not piece:
                return None
            held += piece
    wire = bytes(held[2 : 2 + int.from_bytes(held[:2], "big")])
    return wire if is_answer(wire, id_, asked) and not is_truncated(wire) else None


async def greeting(address: str, seconds: float) -> tuple[bool, Problem | None]:
    """Whether a mail server greets (RFC 5321 §4.2: 220); taken leave of at once."""
    loop = asyncio.get_running_loop()
    held = b""
    try:
        async with asyncio.timeout(seconds):
            with _open((address, 25), socket.SOCK_STREAM) as opened:
                await loop.sock_connect(opened, (address, 25))
                while len(held) < 4 and (piece := await loop.sock_recv(opened, 512)):
                    held += piece
                if held.startswith(b"220"):
                    await loop.sock_sendall(opened, b"QUIT\r\n")
    except TimeoutError:
        return False, "silent"
    except OSError as error:
        if not held:
            if isinstance(error, ConnectionRefusedError):
                return False, None  # nobody listens: an answer of the host
            return False, "unreachable" if error.errno in _UNREACHABLE else "silent"
    return held.startswith(b"220"), None
