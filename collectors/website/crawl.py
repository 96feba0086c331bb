"""Links of a site, each over IPv6: those of the home page (level 2), those of the pages behind them (level
3),
and the other hosts that its pages load from or point to. Politely, and within a budget."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from urllib.robotparser import RobotFileParser

import msgspec

from collectors.website.page import Page
from collectors.website.problems import NO_CONNECTION, words
from collectors.website.trip import Traveller
from collectors.website.urls import Url, domain_of, url_of
from inventory.kinds.address import Family
from inventory.kinds.web import Link
from inventory.unknown import UNKNOWN

_AT_ONCE = 4
_GIVE_UP_AFTER = 2  # connections to one host that failed
_MOST_LISTED = 2000
AGENT = "zhengguan"
FAMILIES: tuple[Family, ...] = ("ipv4", "ipv6")


class Budget(msgspec.Struct, kw_only=True):
    """What a site may cost. ``pages`` are read whole for the links on them."""

    pages: int
    links: int
    external_hosts: int
    bytes_left: int

    def spend(self, size: int) -> None:
        """Bytes that came."""
        self.bytes_left -= size


class Crawl(msgspec.Struct, kw_only=True):
    """A crawl as it stands: what is found is there at once, so that a deadline leaves what there was.
    ``whole``: every link was looked at. ``clean`` masks secrets in what is kept."""

    home: Url
    budget: Budget
    traveller: Traveller
    clean: Callable[[str], str]
    robots: bool
    external: bool
    whole: bool = False
    links: list[Link] = msgspec.field(default_factory=list)
    _seen: set[str] = msgspec.field(default_factory=set)
    _hosts: dict[str, tuple[Url, Link]] = msgspec.field(default_factory=dict)
    _failed: dict[str, list[str]] = msgspec.field(default_factory=dict)
    _rules: dict[str, asyncio.Task[RobotFileParser | None]] = msgspec.field(default_factory=dict)
    _cut: bool = False

    async def run(self, pages: Iterable[Page]) -> None:
        """Follow the links of the home page, as it came over each family."""
        self._seen.add(self.clean(str(self.home)))
        second: list[tuple[Url, Link]] = []
        for page in pages:
            second += self._take(page, 2)
        further: list[Page | None] = [None] * len(second)

        async def follow(number: int, url: Url, link: Link) -> None:
            further[number] = await self._check(url, link)

        await self._all(follow(number, url, link) for number, (url, link) in enumerate(second))
        third = [pair for page in further if page is not None for pair in self._take(page, 3)]
        await self._all(self._check(url, link) for url, link in third)
        if self.external:
            await self._all(self._outside(url, link) for url, link in self._hosts.values())
        self.whole = not self._cut

    def _take(self, page: Page, level: int) -> list[tuple[Url, Link]]:
        """Note the links of a page that are new; those that are to be asked."""
        self._cut |= page.cut
        own, todo = domain_of(self.home.host), []
        for anchor in page.links:
            url, shown = url_of(anchor.url), self.clean(anchor.url)
            if url is None or shown in self._seen:
                continue
            external = domain_of(url.host) != own
            link = Link(url=shown, level=level, external=external, embedded=anchor.embedded)
            if external or anchor.embedded:
                self._take_host(url, link)
                continue
            self._seen.add(shown)
            if len(self.links) < _MOST_LISTED:
                self.links.append(link)
            if self.budget.links > 0 and len(self.links) <= _MOST_LISTED:
                self.budget.links -= 1
                todo.append((url, link))
            else:
                self._cut = True
        return todo

    def _take_host(self, url: Url, link: Link) -> None:
        """Of what is loaded, and of what lies with others, the host counts: its first link stands for all."""
        held = self._hosts.get(url.host)
        if url.host == self.home.host:
            return
        if held is not None:
            if link.embedded and not held[1].embedded:
                held[1].embedded, held[1].url = True, link.url
        elif len(self._hosts) < self.budget.external_hosts:
            self._hosts[url.host] = (url, link)
            self.links.append(link)
        else:
            self._cut = True

    async def _all(self, todo: Iterable[Awaitable[object]]) -> None:
        """A few at once."""
        gate = asyncio.Semaphore(_AT_ONCE)

        async def one(work: Awaitable[object]) -> None:
            async with gate:
                await work

        for ended in await asyncio.gather(*(one(work) for work in todo), return_exceptions=True):
            if isinstance(ended, BaseException):
                raise ended

    async def _check(self, url: Url, link: Link) -> Page | None:
        """Whether a page of the site answers over IPv6; the page, if it is to be read for more links."""
        if self.robots and not await self._permitted(url):
            link.problem = words("robots", "ipv6")
            return None
        failed = self._failed.get(url.host, [])
        whole = link.level == 2 and self.budget.pages > 0
        self.budget.pages -= whole
        if self.budget.bytes_left <= 0:
            self._cut = True
            return None
        if len(failed) >= _GIVE_UP_AFTER:
            link.ipv6, link.problem = False, failed[0]
            return await self._over_ipv4(url) if whole else None
        six = await self.traveller.go(url, "ipv6", whole=whole)
        if six.ok:
            link.ipv6, link.problem = True, None
            return six.page
        if not six.asked:
            link.problem = six.words
        elif six.problem == "status":
            four = await self.traveller.go(url, "ipv4", whole=False)
            dead = four.problem == "status" and four.detail == six.detail
            link.ipv6 = UNKNOWN if not four.asked and four.problem != "no_address" else dead
            link.problem = f"死链：两族都是{six.words}" if dead else six.words
            return None
        else:
            link.ipv6, link.problem = False, six.words
            if six.problem in NO_CONNECTION and not six.hops:
                self._failed.setdefault(url.host, []).append(six.words)
        return await self._over_ipv4(url) if whole else None

    async def _over_ipv4(self, url: Url) -> Page | None:
        return (await self.traveller.go(url, "ipv4")).page

    async def _outside(self, url: Url, link: Link) -> None:
        """Whether a host of others takes a connection over IPv6: no page of theirs is asked for."""
        problem, detail, addresses = await self.traveller.way(url.host, "ipv6")
        if not problem:
            for address in addresses:
                problem, detail = await self.traveller.peer.reach(address, url.port)
                if not problem:
                    break
        elif problem != "no_address":
            link.problem = words(problem, "ipv6", detail)
            return
        link.ipv6, link.problem = not problem, words(problem, "ipv6", detail) if problem else None

    async def _permitted(self, url: Url) -> bool:
        key = f"{url.scheme}://{url.authority}"
        if key not in self._rules:
            self._rules[key] = asyncio.create_task(self._robots(url))
        rules = await asyncio.shield(self._rules[key])
        return rules is None or rules.can_fetch(AGENT, str(url))

    async def _robots(self, url: Url) -> RobotFileParser | None:
        """What a host's robots.txt says (RFC 9309); None = it has none, or no family answers."""
        at = msgspec.structs.replace(url, target="/robots.txt")
        for family in FAMILIES:
            trip = await self.traveller.go(at, family)
            if trip.got is not None and trip.got.text is not None:
                rules = RobotFileParser()
                rules.parse(trip.got.text.splitlines())
                return rules
            if trip.problem == "status":
                return None
        return None
