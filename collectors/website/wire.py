"""One request, one answer: the I/O of the collector. Each request has a connection of its own to one numeric
address, so that nothing chooses another family behind its back; only GET is ever sent.

HTTP is h11's, TLS the platform's. Whatever a peer does costs its deadline, and its bytes are counted.
"""

from __future__ import annotations

import asyncio
import hashlib
import socket
import ssl
import struct
import sys
import time
import zlib
from typing import Any, Final

import msgspec

from collectors.website.page import Page, read
from collectors.website.problems import Problem
from collectors.website.urls import Url, numeric

HEADERS: Final = (
    "content-security-policy", "permissions-policy", "referrer-policy", "strict-transport-security",
    "x-content-type-options", "x-frame-options",
)  # fmt: skip
"""Those that protect a browser."""
_PIECE: Final = 64 * 1024
_LONGEST_HEAD: Final = 64 * 1024
_MOST_INFORMATIONAL: Final = 10
_LONGEST_TEXT: Final = 64 * 1024
_RETRANSMITS_AT: Final = 100  # tcpi_total_retrans in struct tcp_info of Linux (include/uapi/linux/tcp.h)
_SMALL_SEGMENT: Final = {socket.AF_INET: 536, socket.AF_INET6: 1220}  # of the least MTU (RFC 9293 3.7.1)


class Limits(msgspec.Struct, kw_only=True, frozen=True):
    """Of one request: seconds to connect, seconds in all, bytes of the page (as sent, and unpacked)."""

    connect_seconds: float
    page_seconds: float
    page_bytes: int


class Got(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What came of one request. ``problem`` "" = a whole answer, whatever its status. ``certificate``:
    SHA-256
    of the leaf; ``distrust``: why it is not accepted, as OpenSSL says. Times in milliseconds: to connect,
    from
    request to the first byte, from the first packet to the last byte. ``resent``: segments that were sent
    again. ``text``: a plain text, as robots.txt is. ``cookies`` serve the next step of a redirect and are
    kept
    nowhere."""

    address: str = ""
    problem: Problem = ""
    detail: str = ""
    status: int | None = None
    location: str = ""
    headers: dict[str, str] = msgspec.field(default_factory=dict)
    certificate: str | None = None
    distrust: str = ""
    page: Page | None = None
    text: str | None = None
    size: int = 0
    connect_ms: float | None = None
    first_byte_ms: float | None = None
    page_ms: float | None = None
    resent: int | None = None
    cookies: dict[str, str] = msgspec.field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """A whole answer of success."""
        return not self.problem and self.status is not None and 200 <= self.status < 300


class Ask(msgspec.Struct, kw_only=True, frozen=True):
    """A request. ``whole``: the body is wanted too; ``small``: TCP is to send small segments."""

    url: Url
    address: str
    agent: str
    whole: bool = True
    small: bool = False
    cookies: dict[str, str] = msgspec.field(default_factory=dict)


def contexts(ca_file: str) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """As a browser verifies, and one that accepts anything, to see what is there all the same."""
    strict = ssl.create_default_context()
    if ca_file:
        strict.load_verify_locations(ca_file)
    lax = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    lax.check_hostname = False
    lax.verify_mode = ssl.CERT_NONE
    lax.set_ciphers("DEFAULT:@SECLEVEL=0")
    lax.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    for context in (strict, lax):
        context.set_alpn_protocols(["http/1.1"])
    return strict, lax


async def fetch(ask: Ask, limits: Limits, context: ssl.SSLContext) -> Got:
    """Ask, and read the answer. Never raises for what a peer does, but for a certificate that ``context``
    does not accept (ssl.SSLError)."""
    got = Got(address=ask.address)
    try:
        async with asyncio.timeout(limits.page_seconds):
            connection = await _connected(ask, limits, got)
            if connection is not None:
                await _converse(connection, ask, limits, context, got)
    except TimeoutError:
        got.problem = got.problem or ("cut" if got.first_byte_ms is not None else "silent")
    except ssl.SSLError:
        raise
    except OSError:
        got.problem = "silent" if got.first_byte_ms is None else "cut"
    return got


async def _connected(ask: Ask, limits: Limits, got: Got) -> socket.socket | None:
    """A TCP connection to the address; None = there is none, and ``got`` tells why."""
    family = socket.AF_INET6 if ":" in ask.address else socket.AF_INET
    connection = socket.socket(family, socket.SOCK_STREAM)
    try:
        connection.setblocking(False)
        if ask.small:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, _SMALL_SEGMENT[family])
        got.problem, got.detail, got.connect_ms = await connect(connection, ask.address, ask.url.port, limits)
    except BaseException:
        connection.close()
        raise
    if not got.problem:
        return connection
    connection.close()
    return None


async def connect(
    connection: socket.socket, address: str, port: int, limits: Limits
) -> tuple[Problem, str, float | None]:
    """Connect: why not, a word more, and the milliseconds that it took."""
    began = time.monotonic()
    try:
        async with asyncio.timeout(limits.connect_seconds):
            await asyncio.get_running_loop().sock_connect(connection, (address, port))
    except TimeoutError:
        return "dropped", "", None
    except ConnectionRefusedError:
        return "refused", "", None
    except ConnectionError as error:
        return "refused", _words(error), None
    except OSError as error:
        return "unreachable", _words(error), None
    return "", "", _ms(began)


async def _converse(
    connection: socket.socket, ask: Ask, limits: Limits, context: ssl.SSLContext, got: Got
) -> None:
    """From here on the connection is the transport's, which closes it."""
    began = time.monotonic()
    secured: dict[str, Any] = {}
    if ask.url.scheme == "https":
        secured = {
            "ssl": context,
            "server_hostname": ask.url.host,
            "ssl_handshake_timeout": limits.page_seconds,
        }
    reader, writer = await asyncio.open_connection(sock=connection, **secured)
    try:
        tls = writer.get_extra_info("ssl_object")
        leaf = tls.getpeercert(binary_form=True) if tls else None
        got.certificate = hashlib.sha256(leaf).hexdigest() if leaf else None
        await _answer(reader, writer, ask, limits, got)
        got.page_ms = _ms(began) + (got.connect_ms or 0.0)
        got.resent = _resent(connection)
    finally:
        writer.transport.abort()


async def _answer(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, ask: Ask, limits: Limits, got: Got
) -> None:
    import h11

    http = h11.Connection(h11.CLIENT, max_incomplete_event_size=_LONGEST_HEAD)
    request = h11.Request(method="GET", target=ask.url.target, headers=_request_headers(ask))
    writer.write((http.send(request) or b"") + (http.send(h11.EndOfMessage()) or b""))
    await writer.drain()
    sent, informational = time.monotonic(), 0
    body = _Body(limits.page_bytes)
    try:
        while True:
            event = http.next_event()
            if event is h11.NEED_DATA:
                data = await reader.read(_PIECE)
                if got.first_byte_ms is None and data:
                    got.first_byte_ms = _ms(sent)
                got.size += len(data)
                http.receive_data(data)
            elif isinstance(event, h11.InformationalResponse):
                informational += 1
                if informational > _MOST_INFORMATIONAL:
                    got.problem, got.detail = "broken", "1xx"
                    break
            elif isinstance(event, h11.Response):
                _head(event, got, body)
                if not ask.whole or 300 <= event.status_code < 400:
                    return
            elif isinstance(event, h11.Data):
                if not body.take(bytes(event.data)) or got.size > limits.page_bytes + _LONGEST_HEAD:
                    break
            else:
                if isinstance(event, h11.ConnectionClosed):
                    got.problem = "silent" if got.status is None else "cut"
                break
    except h11.RemoteProtocolError as error:
        if got.first_byte_ms is None:
            got.problem = "silent"
        elif got.status is None and got.size >= _LONGEST_HEAD:
            got.problem = "too_long"
        elif got.status is not None and "closed connection" in str(error):
            got.problem = "cut"
        else:
            got.problem, got.detail = "broken", str(error)[:120]
    except zlib.error:
        got.problem, got.detail = "broken", "gzip"
    if got.status is not None and not got.problem and body.html:
        got.page = read(bytes(body.held), body.charset, ask.url)
    elif got.status is not None and not got.problem and body.plain:
        got.text = body.held[:_LONGEST_TEXT].decode("utf-8", "replace")


def _request_headers(ask: Ask) -> list[tuple[str, str]]:
    headers = [
        ("Host", ask.url.authority),
        ("User-Agent", ask.agent),
        ("Accept", "text/html,*/*;q=0.8"),
        ("Accept-Language", "zh-CN,zh;q=0.9"),
        ("Accept-Encoding", "gzip"),
        ("Connection", "close"),
    ]
    if ask.cookies:
        headers.append(("Cookie", "; ".join(f"{name}={value}" for name, value in ask.cookies.items())))
    return headers


class _Body:
    """A body, unpacked as it comes, up to a limit."""

    def __init__(self, most: int) -> None:
        self.held, self.most = bytearray(), most
        self.html, self.plain, self.charset = False, False, ""
        self.unpack: Any = None

    def take(self, data: bytes) -> bool:
        """Whether more is wanted. Raises zlib.error."""
        room = self.most - len(self.held)
        if self.unpack is None:
            self.held += data[:room]
        else:
            self.held += self.unpack.decompress(data, room)  # no more than that, whatever is packed in it
        return len(self.held) < self.most


def _head(event: Any, got: Got, body: _Body) -> None:
    got.status = event.status_code
    for raw_name, raw_value in event.headers:
        name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
        if name in HEADERS:
            got.headers.setdefault(name, value)
        elif name == "location":
            # browsers read it as UTF-8
            got.location = raw_value.decode("utf-8", "replace")[:4000]
        elif name == "set-cookie" and len(got.cookies) < 20:
            pair = value.split(";", 1)[0]
            if pair.isprintable() and pair.isascii() and "=" in pair and len(pair) < 4096:
                key, _, held = pair.partition("=")
                got.cookies[key.strip()] = held.strip()
        elif name == "content-type":
            kind, _, rest = value.partition(";")
            body.html = kind.strip().lower() in ("text/html", "application/xhtml+xml")
            body.plain = kind.strip().lower() == "text/plain"
            body.charset = rest.lower().partition("charset=")[2].split(";")[0].strip(" \"'")[:40]
        elif name == "content-encoding" and "gzip" in value.lower():
            body.unpack = zlib.decompressobj(wbits=47)  # gzip or zlib, as the header says


def _resent(connection: socket.socket) -> int | None:
    """Segments sent again on a connection, the first among them; None where the system does not tell."""
    if not sys.platform.startswith("linux") or connection.fileno() < 0:
        return None
    told = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256)
    if len(told) < _RETRANSMITS_AT + 4:
        return None
    return int(struct.unpack_from("=I", told, _RETRANSMITS_AT)[0])


async def race(
    ipv6: list[str], ipv4: list[str], port: int, limits: Limits, gap_seconds: float
) -> float | None:
    """Connect as RFC 8305 (section 5) has it: addresses in turn, IPv6 first, the next one when the last has
    failed or ``gap_seconds`` are over. Milliseconds to the first connection; None = there was none."""
    order = [a for pair in zip(ipv6, ipv4, strict=False) for a in pair]
    order += ipv6[len(ipv4) :] + ipv4[len(ipv6) :]
    began = time.monotonic()
    running: set[asyncio.Task[bool]] = set()
    try:
        while order or running:
            if order:
                running.add(asyncio.create_task(_reaches(order.pop(0), port, limits)))
            done, running = await asyncio.wait(
                running, timeout=gap_seconds if order else None, return_when=asyncio.FIRST_COMPLETED
            )
            if any(task.result() for task in done):
                return _ms(began)
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
    return None


async def _reaches(address: str, port: int, limits: Limits) -> bool:
    return not (await reach(address, port, limits))[0]


async def reach(address: str, port: int, limits: Limits) -> tuple[Problem, str]:
    """Connect and hang up: why it could not be done."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as connection:
        connection.setblocking(False)
        problem, detail, _ = await connect(connection, address, port, limits)
    return problem, detail


def named(url: Url) -> str:
    """What is asked for by SNI (RFC 6066): a name, never an address."""
    return "" if numeric(url.host) else url.host


def _ms(since: float) -> float:
    return round((time.monotonic() - since) * 1000, 3)


def _words(error: OSError) -> str:
    return (error.strerror or error.__class__.__name__)[:120]
