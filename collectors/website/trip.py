"""Going to a page over one family and no other, with the redirects on the way."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from collectors.website import guard
from collectors.website.page import Page
from collectors.website.peer import Peer
from collectors.website.problems import NO_CONNECTION, NOT_ASKED, Problem, words
from collectors.website.urls import Url, url_of
from collectors.website.wire import Got
from inventory.kinds.address import Family

_MOST_REDIRECTS = 8
_OFTEN = 2  # a page may send its reader to itself once, to see whether cookies are kept


class Trip(msgspec.Struct, kw_only=True):
    """How it went. ``url`` is where it ended, ``address`` that of the host asked for first (None = it has
    none of the family). ``hops``: redirects that were followed."""

    family: Family
    url: Url
    problem: Problem = ""
    detail: str = ""
    got: Got | None = None
    address: str | None = None
    hops: int = 0
    size: int = 0

    @property
    def ok(self) -> bool:
        """It ended in success."""
        return not self.problem

    @property
    def asked(self) -> bool:
        """It says something about the site; otherwise what kept it from being asked lies with us."""
        return self.problem not in NOT_ASKED

    @property
    def page(self) -> Page | None:
        """What came at the end."""
        return self.got.page if self.got else None

    @property
    def words(self) -> str:
        """Why it failed, for the user; "" where it did not."""
        if not self.problem:
            return ""
        return words(self.problem, self.family, self.detail, self.url.host if self.hops else "")


class Traveller(msgspec.Struct, kw_only=True):
    """Who goes. ``named``: hosts that the user named, whose addresses may be of any sort; ``private``: so may
    those of all others. ``spent`` is told how many bytes came."""

    peer: Peer
    named: frozenset[str]
    private: bool = False
    spent: Callable[[int], None] = lambda _: None

    async def way(self, host: str, family: Family) -> tuple[Problem, str, list[str]]:
        """Addresses of a host in a family that may be asked, or why there are none."""
        found = await self.peer.addresses(host, family)
        if found.why:
            return "unresolved", found.why, []
        if not found.addresses:
            return "no_address", "", []
        allowed = [a for a in found.addresses if self.private or host in self.named or guard.public(a)]
        if not allowed:
            return "private", "", []
        reachable = [address for address in allowed if await self.peer.routed(address)]
        return ("", "", reachable) if reachable else ("no_route", "", allowed)

    async def go(self, url: Url, family: Family, *, whole: bool = True, diagnose: bool = False) -> Trip:
        """GET a page, redirects followed. ``diagnose``: where a connection stays silent, ask once more in
        small segments, which tells a path MTU black hole."""
        trip = Trip(family=family, url=url)
        visited: dict[Url, int] = {}
        cookies: dict[str, str] = {}
        while True:
            trip.problem, trip.detail, addresses = await self.way(trip.url.host, family)
            if trip.hops == 0:
                trip.address = addresses[0] if addresses else None
            if trip.problem:
                return trip
            got = await self._get(trip.url, addresses, whole, cookies)
            if got.problem in ("silent", "cut", "tls") and diagnose and got.connect_ms is not None:
                got = await self._diagnosed(got, trip.url, whole, cookies)
            trip.got, trip.size = got, trip.size + got.size
            cookies |= got.cookies
            to = _redirect(got)
            if got.problem or to is None:
                trip.problem, trip.detail = got.problem, got.detail
                if not got.problem and not got.ok:
                    trip.problem, trip.detail = "status", str(got.status)
                return trip
            following = url_of(to, trip.url)
            visited[trip.url] = visited.get(trip.url, 0) + 1
            if following is None:
                trip.problem = "nowhere"
            elif visited.get(following, 0) >= _OFTEN:
                trip.problem = "loop"
            elif trip.hops >= _MOST_REDIRECTS:
                trip.problem = "too_many"
            if trip.problem or following is None:
                return trip
            trip.url, trip.hops = following, trip.hops + 1

    async def _get(self, url: Url, addresses: list[str], whole: bool, cookies: dict[str, str]) -> Got:
        """From the first address that takes a connection."""
        got = Got()
        for address in addresses:
            got = await self.peer.get(url, address, whole=whole, cookies=cookies)
            self.spent(got.size)
            if got.problem not in NO_CONNECTION:
                break
        return got

    async def _diagnosed(self, got: Got, url: Url, whole: bool, cookies: dict[str, str]) -> Got:
        again = await self.peer.get(url, got.address, whole=whole, small=True, cookies=cookies)
        self.spent(again.size)
        if again.problem:
            return got
        return msgspec.structs.replace(got, problem="mtu", detail="", certificate=again.certificate)


def _redirect(got: Got) -> str | None:
    if got.problem:
        return None
    if got.status in (301, 302, 303, 307, 308) and got.location:
        return got.location
    return (got.page.refresh or None) if got.page and got.ok else None
