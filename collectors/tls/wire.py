"""Connections: the I/O of the prober and nothing else. Sockets without a stream layer, since a connection
lives for one question and one answer."""

from __future__ import annotations

import asyncio
import errno
import socket
import ssl
import struct
from collections.abc import Callable
from typing import NamedTuple

from collectors.tls.flight import Answer, End, Flight
from collectors.tls.hello import Hello, encode
from collectors.tls.starttls import NoTlsError, Starttls, start

_PIECE = 64 * 1024
# The exchange is broken off in any case. A reset leaves no port in TIME_WAIT, of which thousands of questions
# a minute would hold all there are.
_NO_LINGER = struct.pack("ii", 1, 0)


class Place(NamedTuple):
    """Where a question goes: a numeric address, a port, the dialogue before TLS."""

    address: str
    port: int
    starttls: Starttls = ""

    @property
    def family(self) -> socket.AddressFamily:
        """Of the address."""
        return socket.AF_INET6 if ":" in self.address else socket.AF_INET


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
    if not place.starttls:
        asked = _Question(place, encode(hello))
        asked.begin(seconds)
        try:
            end: End = await asked.ended
        finally:
            asked.close()
        return bytes(asked.flight.raw), end, asked.flight.ended(end)
    flight = Flight()
    connected = False
    end = "closed"
    connection = Connection(place)
    try:
        async with asyncio.timeout(seconds):
            await connection.open()
            connected = True
            await start(place.starttls, connection)
            await connection.send(encode(hello))
            while data := await connection.receive():
                if flight.feed(data):
                    break
    except (TimeoutError, OSError) as error:
        end = _end_of(error, connected=connected)
    finally:
        connection.close()
    return bytes(flight.raw), end, flight.ended(end)


def _end_of(error: Exception | None, *, connected: bool) -> End:
    match error:
        case TimeoutError():
            return "silent" if connected else "unreachable"
        case ConnectionRefusedError():
            return "refused"
        case ConnectionResetError() | BrokenPipeError():
            return "reset" if connected else "refused"
        case None:
            return "closed"
        case _:
            return "closed" if connected else "unreachable"


class _Question:
    """One question on a connection of its own, driven by the loop's callbacks: half the cost of awaiting each
    step, and there are dozens of questions to an endpoint. ``ended`` tells how."""

    def __init__(self, place: Place, payload: bytes) -> None:
        self._loop = asyncio.get_running_loop()
        self._place, self._payload = place, payload
        self._connected = False
        self._undo: Callable[[int], bool] | None = None  # what the loop waits for, to be taken back
        self.flight = Flight()
        self.ended: asyncio.Future[End] = self._loop.create_future()

    def begin(self, seconds: float) -> None:
        """Connect and ask."""
        self._socket = socket.socket(self._place.family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
        self._number = self._socket.fileno()
        self._timer = self._loop.call_later(seconds, self._finish, TimeoutError())
        code = self._socket.connect_ex((self._place.address, self._place.port))
        if code in (0, errno.EINPROGRESS):
            self._send()
        else:
            self._finish(OSError(code, "connect"))

    def _wait(self, add: Callable[..., None], undo: Callable[[int], bool], call: Callable[[], None]) -> None:
        if self._undo is not None and self._undo != undo:
            self._undo(self._number)
        self._undo = undo
        add(self._number, call)

    def _connect(self) -> None:
        """The loop says that the attempt has come to an end."""
        code = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code:
            self._finish(OSError(code, "connect"))
        else:
            self._connected = True
            self._send()

    def _send(self) -> None:
        try:
            sent = self._socket.send(self._payload)
        except BlockingIOError:
            self._wait(
                self._loop.add_writer,
                self._loop.remove_writer,
                self._send if self._connected else self._connect,
            )
            return
        except OSError as error:
            self._finish(error)
            return
        self._connected = True
        self._payload = self._payload[sent:]
        if self._payload:
            self._wait(self._loop.add_writer, self._loop.remove_writer, self._send)
        else:
            self._wait(self._loop.add_reader, self._loop.remove_reader, self._receive)

    def _receive(self) -> None:
        try:
            data = self._socket.recv(_PIECE)
        except BlockingIOError:
            return
        except OSError as error:
            self._finish(error)
            return
        if not data or self.flight.feed(data):
            self._finish(None)

    def _finish(self, error: Exception | None) -> None:
        if not self.ended.done():
            self.ended.set_result(_end_of(error, connected=self._connected))

    def close(self) -> None:
        """Let go of everything; also where the one who asked was cancelled."""
        self._timer.cancel()
        if self._undo is not None:
            self._undo(self._number)
        self._socket.close()


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
