"""What there is to ask of the outside world: asked live, kept while asked, or answered from a recording."""

from __future__ import annotations

import asyncio
import socket
import ssl
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeVar

import msgspec

from collectors.contract import SourceError
from collectors.pace import Pace
from collectors.tls import headers, trust
from collectors.tls.flight import Answer, End, answer_of
from collectors.tls.hello import Hello
from collectors.tls.starttls import NoTlsError
from collectors.tls.trust import Trust
from collectors.tls.wire import Place, converse, exchange
from inventory.decoding import convert
from inventory.kinds.crypto import HttpAnswer

T = TypeVar("T")
_MOST_ADDRESSES = 8
_LONGEST_ANSWER = 16 * 1024
_OLD_RECORDING = SourceError("录制里没有这一问", "用当前版本重新录制")


class Talk(msgspec.Struct, kw_only=True):
    """An ordinary handshake: the chain in DER, the leaf first; ``whole`` False = only the leaf could be had.
    ``spoke``: an answer to the HTTP request came; ``http`` None = it was none of HTTP."""

    chain: list[bytes]
    whole: bool
    spoke: bool = False
    http: HttpAnswer | None = None


class Peer(Protocol):
    """The endpoints of one target."""

    async def addresses(self, host: str, port: int, families: list[str]) -> list[str]:
        """Numeric addresses of a host. Raises SourceError where it has none."""
        ...

    async def ask(self, place: Place, hello: Hello) -> Answer:
        """One ClientHello. Raises NoTlsError."""
        ...

    async def talk(self, place: Place, server_name: str, host: str) -> Talk | None:
        """An ordinary handshake, with a GET of the home page of ``host`` where one is given."""
        ...

    async def verify(self, chain: list[bytes], *, sm2: bool) -> Trust:
        """Whether a chain is trusted."""
        ...


class LivePeer:
    """A ``Peer`` over the network."""

    def __init__(self, *, seconds: float, pace: Pace, ca_file: str, clean: Callable[[str], str]) -> None:
        self._seconds, self._pace, self._ca_file, self._clean = seconds, pace, ca_file, clean
        self._contexts: dict[bool, ssl.SSLContext] = {}
        self._verified: dict[tuple[bytes, ...], asyncio.Future[Trust]] = {}

    async def addresses(self, host: str, port: int, families: list[str]) -> list[str]:
        """See ``Peer``."""
        try:
            async with asyncio.timeout(self._seconds):
                found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except TimeoutError as error:
            raise SourceError(f"域名 {host} 解析超时", "检查 DNS") from error
        except (OSError, UnicodeError) as error:
            raise SourceError(f"域名 {host} 解析不出地址", "检查名字和 DNS") from error
        wanted = {"ipv4": socket.AF_INET, "ipv6": socket.AF_INET6}
        chosen = {wanted[family] for family in families}
        addresses = list(dict.fromkeys(str(info[4][0]) for info in found if info[0] in chosen))
        if not addresses:
            raise SourceError(f"{host} 没有 {'、'.join(families)} 地址", "检查名字和 families")
        return addresses[:_MOST_ADDRESSES]

    async def ask(self, place: Place, hello: Hello) -> Answer:
        """See ``Peer``."""
        return (await self.exchange(place, hello))[2]

    async def exchange(self, place: Place, hello: Hello) -> tuple[bytes, End, Answer]:
        """``ask``, with the bytes that came and how the connection ended."""
        await self._pace.turn()
        return await exchange(place, hello, self._seconds)

    async def talk(self, place: Place, server_name: str, host: str) -> Talk | None:
        """See ``Peer``."""
        await self._pace.turn()
        http = bool(host)
        context = self._contexts.get(http) or self._contexts.setdefault(http, _context(http=http))
        request = headers.request(host) if http else b""
        told = await converse(place, context, server_name, request, self._seconds, _LONGEST_ANSWER)
        if told is None:
            return None
        answer = headers.read(told.answer, self._clean) if told.answer else None
        return Talk(chain=told.chain, whole=told.whole, spoke=bool(told.answer), http=answer)

    async def verify(self, chain: list[bytes], *, sm2: bool) -> Trust:
        """See ``Peer``. Endpoints that show the same chain at the same time wait for one answer."""
        key = tuple(chain)
        asked = self._verified.get(key)
        if asked is None:
            loop = asyncio.get_running_loop()
            asked = self._verified[key] = loop.run_in_executor(
                None, lambda: trust.verify(key, sm2=sm2, ca_file=self._ca_file)
            )
        return await asyncio.shield(asked)


def _context(*, http: bool) -> ssl.SSLContext:
    """For seeing a certificate, whatever it is: what is wrong with it is found afterwards."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    if http:
        context.set_alpn_protocols(["http/1.1"])
    return context


class Recorder:
    """A ``Peer`` that passes questions on and keeps the answers of one target in ``told``."""

    def __init__(self, peer: LivePeer) -> None:
        self._peer = peer
        self.told: dict[str, list[Any]] = {}

    def _keep(self, key: str, value: Any) -> None:
        self.told.setdefault(key, []).append(value)

    async def addresses(self, host: str, port: int, families: list[str]) -> list[str]:
        """See ``Peer``."""
        try:
            found = await self._peer.addresses(host, port, families)
        except SourceError as error:
            self._keep("addresses", {"reason": error.reason, "remedy": error.remedy})
            raise
        self._keep("addresses", found)
        return found

    async def ask(self, place: Place, hello: Hello) -> Answer:
        """See ``Peer``."""
        key = f"ask/{place.address}/{hello.key}"
        try:
            raw, end, answer = await self._peer.exchange(place, hello)
        except NoTlsError as error:
            self._keep(key, {"text": str(error), "offered": error.offered})
            raise
        self._keep(key, [b64encode(raw).decode(), end])
        return answer

    async def talk(self, place: Place, server_name: str, host: str) -> Talk | None:
        """See ``Peer``."""
        told = await self._peer.talk(place, server_name, host)
        self._keep(f"talk/{place.address}", msgspec.to_builtins(told))
        return told

    async def verify(self, chain: list[bytes], *, sm2: bool) -> Trust:
        """See ``Peer``."""
        told = await self._peer.verify(chain, sm2=sm2)
        self._keep(_chain_key(chain), [told.trusted, told.problem])
        return told


class ReplayPeer:
    """A ``Peer`` that answers one target from a recording. What was not recorded was not answered."""

    def __init__(self, told: Mapping[str, list[Any]]) -> None:
        self._told = {key: list(values) for key, values in told.items()}

    def _next(self, key: str, type_: type[T] | Any) -> Any:
        values = self._told.get(key)
        if not values:
            raise _OLD_RECORDING
        return convert(values.pop(0) if len(values) > 1 else values[0], type_)

    async def addresses(self, host: str, port: int, families: list[str]) -> list[str]:
        """See ``Peer``."""
        found: list[str] | dict[str, str] = self._next("addresses", list[str] | dict[str, str])
        if isinstance(found, dict):
            raise SourceError(found.get("reason", ""), found.get("remedy", ""))
        return found

    async def ask(self, place: Place, hello: Hello) -> Answer:
        """See ``Peer``."""
        key = f"ask/{place.address}/{hello.key}"
        if key not in self._told:
            raise TimeoutError  # the run that was recorded ended before this question
        told = self._next(key, tuple[str, End] | _NoTls)
        if isinstance(told, _NoTls):
            raise NoTlsError(told.text, told.offered)
        return answer_of(b64decode(told[0], validate=True), told[1])

    async def talk(self, place: Place, server_name: str, host: str) -> Talk | None:
        """See ``Peer``."""
        told: Talk | None = self._next(f"talk/{place.address}", Talk | None)
        return told

    async def verify(self, chain: list[bytes], *, sm2: bool) -> Trust:
        """See ``Peer``."""
        trusted, problem = self._next(_chain_key(chain), tuple[bool | None, str])
        return Trust(trusted, problem)


class _NoTls(msgspec.Struct):
    text: str
    offered: bool | None = None


def _chain_key(chain: list[bytes]) -> str:
    from collectors.tls.certificates import fingerprint

    return f"verify/{fingerprint(b''.join(chain))}"
