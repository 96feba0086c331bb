"""A site over both families: its home page, what else is compared at the same place, and its links."""

from __future__ import annotations

import asyncio

import msgspec

from collectors.website.crawl import FAMILIES, Crawl
from collectors.website.page import likeness
from collectors.website.quality import measured
from collectors.website.trip import Traveller, Trip
from collectors.website.urls import Url
from collectors.website.wire import Got, named
from inventory.kinds.address import Family
from inventory.kinds.crypto import VersionOffer


class Side(msgspec.Struct, kw_only=True):
    """One family. ``tries``: answers of the repeated visits; None = not come to it."""

    trip: Trip | None = None
    ports: list[int] | None = None
    versions: list[VersionOffer] | None = None
    tries: list[Got] | None = None


class Whole(msgspec.Struct, kw_only=True):
    """One site with everything that was learnt of it. ``late``: its time was over before all was."""

    url: Url
    crawl: Crawl
    sides: dict[Family, Side] = msgspec.field(default_factory=lambda: {family: Side() for family in FAMILIES})
    raced_ms: float | None = None
    raced: bool = False
    late: bool = False

    @property
    def answered(self) -> bool:
        """Something of HTTP came over one family at least."""
        return any(
            side.trip is not None and side.trip.got is not None and side.trip.got.status is not None
            for side in self.sides.values()
        )

    @property
    def similarity(self) -> float | None:
        """Of the two home pages; None where one is missing."""
        pages = [side.trip.page if side.trip and side.trip.ok else None for side in self.sides.values()]
        one, other = pages
        return None if one is None or other is None else likeness(one, other)


class Wanted(msgspec.Struct, kw_only=True, frozen=True):
    """What is to be learnt beside the home page."""

    tries: int
    ports: tuple[int, ...]
    tls: bool


async def look_at(one: Whole, traveller: Traveller, wanted: Wanted, seconds: float) -> None:
    """Fill ``one`` as the answers come."""
    try:
        async with asyncio.timeout(seconds):
            for family, side in one.sides.items():
                side.trip = await traveller.go(one.url, family, diagnose=True)
            if not one.answered:
                return
            for side in one.sides.values():
                await _compare(one.url, side, traveller, wanted)
            await _measure(one, traveller, wanted.tries)
            await _race(one, traveller)
            pages = [
                side.trip.page for side in one.sides.values() if side.trip and side.trip.ok and side.trip.page
            ]
            await one.crawl.run(pages)
    except TimeoutError:
        one.late = True


async def _compare(url: Url, side: Side, traveller: Traveller, wanted: Wanted) -> None:
    """Ports of the site's address, and TLS where its home page is."""
    trip = side.trip
    if trip is None or trip.address is None or not trip.asked:
        return
    address = trip.address
    answers = await asyncio.gather(*(traveller.peer.reach(address, port) for port in wanted.ports))
    side.ports = [port for port, (problem, _) in zip(wanted.ports, answers, strict=True) if not problem]
    got = trip.got
    if wanted.tls and got is not None and trip.url.scheme == "https" and got.connect_ms is not None:
        side.versions = await traveller.peer.versions(got.address, trip.url.port, named(trip.url))


async def _measure(one: Whole, traveller: Traveller, tries: int) -> None:
    for side in one.sides.values():
        if side.trip is not None and side.trip.asked:
            side.tries = await measured(traveller, side.trip, tries)


async def _race(one: Whole, traveller: Traveller) -> None:
    """Connect as a visitor does who has both families."""
    ways = {family: await traveller.way(one.url.host, family) for family in FAMILIES}
    if all(not problem for problem, _, _ in ways.values()):
        one.raced_ms = await traveller.peer.race(ways["ipv6"][2], ways["ipv4"][2], one.url.port)
        one.raced = True
