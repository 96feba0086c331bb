"""What there is to ask of the outside world: asked live, kept while asked, or answered from a recording."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, Protocol

import msgspec

from collectors.contract import SourceError
from collectors.website import guard
from collectors.website.problems import Problem
from collectors.website.urls import Url, numeric, server_of
from collectors.website.wire import Ask, Got, Limits, contexts, fetch, race, reach
from inventory.decoding import convert
from inventory.kinds.crypto import VersionOffer

_MOST_ADDRESSES: Final = 4
_CONNECTION_ATTEMPT_DELAY: Final = 0.25  # RFC 8305, section 8
_VERSIONS_SECONDS: Final = 60.0


class Found(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Addresses of a name in one family, [] where it has none; ``why`` = it could not be told."""

    addresses: list[str] = msgspec.field(default_factory=list)
    why: str = ""


class Peer(Protocol):
    """The network, as one site's checks see it."""

    async def addresses(self, host: str, family: str) -> Found:
        """Of a host in one family."""
        ...

    async def routed(self, address: str) -> bool:
        """Whether this machine has a way there."""
        ...

    async def get(
        self,
        url: Url,
        address: str,
        *,
        whole: bool = True,
        small: bool = False,
        cookies: Mapping[str, str] = {},
    ) -> Got:
        """GET from one address."""
        ...

    async def reach(self, address: str, port: int) -> tuple[Problem, str]:
        """Connect and hang up: why it could not be done."""
        ...

    async def race(self, ipv6: list[str], ipv4: list[str], port: int) -> float | None:
        """Milliseconds to connect as RFC 8305 has it."""
        ...

    async def versions(self, address: str, port: int, name: str) -> list[VersionOffer] | None:
        """TLS versions and suites at an address; None where they were not seen whole."""
        ...


class LivePeer:
    """A ``Peer`` over the network. Requests to one host follow each other by ``delay_seconds``."""

    def __init__(
        self, *, limits: Limits, agent: str, delay_seconds: float, ca_file: str, resolvers: list[str],
        fixed: Mapping[str, list[str]],
    ) -> None:  # fmt: skip
        self._limits, self._agent, self._delay = limits, agent, delay_seconds
        self._resolvers, self._fixed = resolvers, fixed
        self._strict, self._lax = contexts(ca_file)
        self._distrusted: dict[tuple[str, int, str], str] = {}
        self._next: dict[str, float] = {}
        self._asked: dict[tuple[str, str], asyncio.Task[Found]] = {}

    async def addresses(self, host: str, family: str) -> Found:
        """See ``Peer``. A name is asked for once in a run."""
        key = (host, family)
        if key not in self._asked:
            self._asked[key] = asyncio.create_task(self._look_up(host, family))
        return await asyncio.shield(self._asked[key])

    async def _look_up(self, host: str, family: str) -> Found:
        held = [host] if numeric(host) else self._fixed.get(host)
        if held is not None:
            return Found(addresses=[a for a in held if (":" in a) == (family == "ipv6")])
        return await look_up(host, family, self._resolvers, self._limits.connect_seconds)

    async def routed(self, address: str) -> bool:
        """See ``Peer``."""
        return guard.routed(address)

    async def get(
        self,
        url: Url,
        address: str,
        *,
        whole: bool = True,
        small: bool = False,
        cookies: Mapping[str, str] = {},
    ) -> Got:
        """See ``Peer``. A certificate that is not accepted is told, and the page asked for all the same."""
        ask = Ask(
            url=url, address=address, agent=self._agent, whole=whole, small=small, cookies=dict(cookies)
        )
        place = (address, url.port, url.host)
        await self._turn(url.host)
        if place not in self._distrusted:
            try:
                return await fetch(ask, self._limits, self._strict)
            except ssl.SSLCertVerificationError as error:
                self._distrusted[place] = (error.verify_message or "verify failed")[:200]
            except ssl.SSLError:
                self._distrusted[place] = ""
        try:
            got = await fetch(ask, self._limits, self._lax)
        except ssl.SSLError as error:
            return Got(
                address=address, problem="tls", detail=(error.reason or error.__class__.__name__)[:120]
            )
        got.distrust = self._distrusted[place]
        return got

    async def _turn(self, host: str) -> None:
        if not self._delay:
            return
        now = time.monotonic()
        at = max(now, self._next.get(host, 0.0))
        self._next[host] = at + self._delay
        if at > now:
            await asyncio.sleep(at - now)

    async def reach(self, address: str, port: int) -> tuple[Problem, str]:
        """See ``Peer``."""
        return await reach(address, port, self._limits)

    async def race(self, ipv6: list[str], ipv4: list[str], port: int) -> float | None:
        """See ``Peer``."""
        return await race(ipv6, ipv4, port, self._limits, _CONNECTION_ATTEMPT_DELAY)

    async def versions(self, address: str, port: int, name: str) -> list[VersionOffer] | None:
        """See ``Peer``: the questions of the source type ``tls``."""
        from collectors.website.parity import versions_at

        return await versions_at(address, port, name, self._limits.connect_seconds, _VERSIONS_SECONDS)


async def look_up(host: str, family: str, resolvers: list[str], seconds: float) -> Found:
    """Ask resolvers (those of the system where none are given) for A or AAAA, aliases followed."""
    import dns.asyncresolver
    import dns.exception
    import dns.nameserver
    import dns.resolver

    resolver = dns.asyncresolver.Resolver(configure=not resolvers)
    if resolvers:
        resolver.nameservers = [dns.nameserver.Do53Nameserver(*server_of(text)) for text in resolvers]
    resolver.lifetime = max(seconds, 1.0) * 2
    try:
        answer = await resolver.resolve(
            host.rstrip(".") + ".",
            "AAAA" if family == "ipv6" else "A",
            raise_on_no_answer=False,
            search=False,
        )
    except dns.resolver.NXDOMAIN:
        return Found()
    except (dns.exception.DNSException, OSError) as error:
        return Found(why=error.__class__.__name__)
    rows = answer.rrset or ()
    return Found(addresses=sorted(str(row.address) for row in rows)[:_MOST_ADDRESSES])


class Recorder:
    """A ``Peer`` that passes questions on and keeps the answers of one site in ``told``. Links are cleaned,
    and
    cookies left out."""

    def __init__(self, peer: LivePeer, clean: Callable[[str], str]) -> None:
        self._peer, self._clean = peer, clean
        self.told: dict[str, list[Any]] = {}

    async def _keep(self, key: str, answer: Awaitable[Any]) -> Any:
        told = await answer
        self.told.setdefault(self._clean(key), []).append(msgspec.to_builtins(told))
        return told

    async def addresses(self, host: str, family: str) -> Found:
        """See ``Peer``."""
        found: Found = await self._keep(f"addresses/{family}/{host}", self._peer.addresses(host, family))
        return found

    async def routed(self, address: str) -> bool:
        """See ``Peer``."""
        return bool(await self._keep(f"routed/{address}", self._peer.routed(address)))

    async def get(
        self,
        url: Url,
        address: str,
        *,
        whole: bool = True,
        small: bool = False,
        cookies: Mapping[str, str] = {},
    ) -> Got:
        """See ``Peer``."""
        got = await self._peer.get(url, address, whole=whole, small=small, cookies=cookies)
        self.told.setdefault(self._clean(_key(url, address, whole, small)), []).append(
            msgspec.to_builtins(cleaned(got, self._clean))
        )
        return got

    async def reach(self, address: str, port: int) -> tuple[Problem, str]:
        """See ``Peer``."""
        told: tuple[Problem, str] = await self._keep(
            f"reach/{address}/{port}", self._peer.reach(address, port)
        )
        return told

    async def race(self, ipv6: list[str], ipv4: list[str], port: int) -> float | None:
        """See ``Peer``."""
        told: float | None = await self._keep(f"race/{port}", self._peer.race(ipv6, ipv4, port))
        return told

    async def versions(self, address: str, port: int, name: str) -> list[VersionOffer] | None:
        """See ``Peer``."""
        key = f"versions/{address}/{port}/{name}"
        told: list[VersionOffer] | None = await self._keep(key, self._peer.versions(address, port, name))
        return told


def _key(url: Url, address: str, whole: bool, small: bool) -> str:
    return f"get/{address}/{'whole' if whole else 'head'}/{'small' if small else 'usual'}/{url}"


def cleaned(got: Got, clean: Callable[[str], str]) -> Got:
    """An answer without what must not be kept."""
    page = got.page
    if page is not None:
        links = [msgspec.structs.replace(link, url=clean(link.url)) for link in page.links]
        page = msgspec.structs.replace(page, links=links, refresh=clean(page.refresh))
    return msgspec.structs.replace(
        got,
        cookies={},
        location=clean(got.location),
        text=None if got.text is None else clean(got.text),
        headers={name: clean(value) for name, value in got.headers.items()},
        page=page,
    )


class ReplayPeer:
    """A ``Peer`` that answers one site from a recording. What was not recorded was not answered in time."""

    def __init__(self, told: Mapping[str, list[Any]], clean: Callable[[str], str]) -> None:
        if not told:
            raise SourceError("录制里没有这个网站", "用当前版本重新录制")
        self._told = {key: list(values) for key, values in told.items()}
        self._clean = clean

    def _next(self, key: str, type_: Any) -> Any:
        values = self._told.get(self._clean(key))
        if not values:
            raise TimeoutError  # the run that was recorded ended before this question
        return convert(values.pop(0) if len(values) > 1 else values[0], type_)

    async def addresses(self, host: str, family: str) -> Found:
        """See ``Peer``."""
        found: Found = self._next(f"addresses/{family}/{host}", Found)
        return found

    async def routed(self, address: str) -> bool:
        """See ``Peer``."""
        return bool(self._next(f"routed/{address}", bool))

    async def get(
        self,
        url: Url,
        address: str,
        *,
        whole: bool = True,
        small: bool = False,
        cookies: Mapping[str, str] = {},
    ) -> Got:
        """See ``Peer``."""
        got: Got = self._next(_key(url, address, whole, small), Got)
        return got

    async def reach(self, address: str, port: int) -> tuple[Problem, str]:
        """See ``Peer``."""
        told: tuple[Problem, str] = self._next(f"reach/{address}/{port}", tuple[Problem, str])
        return told

    async def race(self, ipv6: list[str], ipv4: list[str], port: int) -> float | None:
        """See ``Peer``."""
        told: float | None = self._next(f"race/{port}", float | None)
        return told

    async def versions(self, address: str, port: int, name: str) -> list[VersionOffer] | None:
        """See ``Peer``."""
        key = f"versions/{address}/{port}/{name}"
        told: list[VersionOffer] | None = self._next(key, list[VersionOffer] | None)
        return told
