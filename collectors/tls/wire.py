"""Connections: the I/O of the prober and nothing else. Sockets without a stream layer, since a connection
lives for one question and one answer."""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from collections.abc import Callable
from typing import NamedTuple

from collectors.tls.flight import Answer, End, Flight
from collectors.tls.hello import Hello, encode
from collectors.tls.starttls import NoTlsError, Starttls, start

_PIECE = 64 * 1024


class Place(NamedTuple):
    """Where a question goes: a numeric address, a port, the dialogue before TLS."""

    address: str
    port: int
    starttls: Starttls = ""

    @property
    def family(self) -> socket.AddressFamily:
        """Of the address."""
        return socket.AF_INET6 if ":" in self.address else socket.AF_INET


class Pace:
    """Hands out moments at which a connection may begin, ``per_second`` of them; 0 = at any time."""

    def __init__(self, per_second: float) -> None:
        self._gap = 1 / per_second if per_second else 0.0
        self._next = 0.0

    async def turn(self) -> None:
        """Wait for the next moment."""
        if not self._gap:
            return
        now = time.monotonic()
        at = max(now, self._next)
        self._next = at + self._gap
        if at > now:
            await asyncio.sleep(at - now)


class Connection:
    """One TCP connection; a ``Stream`` for the dialogues."""

    def __init__(self, place: Place) -> None:
        self._loop = asyncio.get_running_loop()
        self._place = place
        self._socket = socket.socket(place.family, socket.SOCK_STREAM)
        self._socket.setblocking(False)

    async def open(self) -> None:
        """Connect. Raises OSError."""
        await self._loop.sock_connect(self._socket, (self._place.address, self._place.port))

    async def send(self, data: bytes) -> None:
        """Send all of it. Raises OSError."""
        await self._loop.sock_sendall(self._socket, data)

    async def receive(self) -> bytes:
        """The next bytes; b"" at the end. Raises OSError."""
        return await self._loop.sock_recv(self._socket, _PIECE)

    def close(self) -> None:
        """Close it; a peer that still sends gets a reset."""
        self._socket.close()


async def exchange(place: Place, hello: Hello, seconds: float) -> tuple[bytes, End, Answer]:
    """Ask one question: the bytes of the flight, how it ended, what both tell. Never raises for what a peer
    does; raises NoTlsError where the dialogue before TLS led to none."""
    flight = Flight()
    connected = False
    end: End = "closed"
    connection = Connection(place)
    try:
        async with asyncio.timeout(seconds):
            await connection.open()
            connected = True
            if place.starttls:
                await start(place.starttls, connection)
            await connection.send(encode(hello))
            while data := await connection.receive():
                if flight.feed(data):
                    break
    except TimeoutError:
        end = "silent" if connected else "unreachable"
    except ConnectionRefusedError:
        end = "refused"
    except (ConnectionResetError, BrokenPipeError):
        end = "reset" if connected else "refused"
    except OSError:
        end = "closed" if connected else "unreachable"
    finally:
        connection.close()
    return bytes(flight.raw), end, flight.ended(end)


class Conversation(NamedTuple):
    """An ordinary handshake, finished: the chain as sent (the leaf first; ``whole`` False = only the leaf
    could be had), and the first bytes of the answer where something was asked."""

    chain: list[bytes]
    whole: bool
    answer: bytes = b""


async def converse(
    place: Place, context: ssl.SSLContext, server_name: str, request: bytes, seconds: float, longest: int
) -> Conversation | None:
    """An ordinary handshake by the platform's TLS, then ``request`` if there is one. None where it did not
    come about: a peer that the platform's TLS cannot talk to is nothing unusual."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context.wrap_bio(incoming, outgoing, server_hostname=server_name or None)
    connection = Connection(place)

    async def step(call: Callable[[], bytes | None]) -> bytes | None:
        while True:
            try:
                result = call()
            except ssl.SSLWantReadError:
                pass
            else:
                if outgoing.pending:
                    await connection.send(outgoing.read())
                return result
            if outgoing.pending:
                await connection.send(outgoing.read())
            data = await connection.receive()
            if data:
                incoming.write(data)
            else:
                incoming.write_eof()

    answer = b""
    chain: list[bytes] = []
    whole = False
    try:
        async with asyncio.timeout(seconds):
            await connection.open()
            await start(place.starttls, connection)
            await step(tls.do_handshake)
            chain, whole = _chain_of(tls)
            if request:
                tls.write(request)
                while len(answer) < longest and b"\r\n\r\n" not in answer:
                    piece = await step(lambda: tls.read(16384))
                    if not piece:
                        break
                    answer += piece
    except (OSError, ValueError, NoTlsError):  # ssl.SSLError and TimeoutError are OSErrors
        pass
    finally:
        connection.close()
    return Conversation(chain, whole, answer) if chain else None


def _chain_of(tls: ssl.SSLObject) -> tuple[list[bytes], bool]:
    """The chain as the peer sent it. Python tells it since 3.13; before, its C object does."""
    leaf = tls.getpeercert(binary_form=True)
    if leaf is None:
        return [], False
    holder = tls if hasattr(tls, "get_unverified_chain") else getattr(tls, "_sslobj", None)
    ask = getattr(holder, "get_unverified_chain", None)
    if ask is None:
        return [leaf], False
    der = 2  # _ssl.ENCODING_DER
    chain = [c if isinstance(c, bytes) else c.public_bytes(der) for c in ask() or []]
    return (chain, True) if chain else ([leaf], False)
