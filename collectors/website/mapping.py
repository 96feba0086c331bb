"""From what was seen of a site to its resource, and to how much of it was seen. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from collectors.website.quality import quality_of
from collectors.website.trip import Trip
from collectors.website.visits import Side, Whole
from inventory.kinds.address import Family
from inventory.kinds.web import Link, Quality, Visit, Website
from inventory.unknown import UNKNOWN, Maybe

_LONGEST: Final = 300
_NONCE: Final = re.compile(r"'nonce-[^']*'")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
NO_IPV6: Final = (
    "采集机没有 {family}（没有到网站地址的路由，或没有可用的源地址），{family} 一侧的事实未知",
    "在有 {family} 的机器上采集，或先给采集机配置 {family}",
)
WHY: Final[dict[str, tuple[str, str]]] = {
    "unresolved": ("域名解析失败", "检查 resolvers、DNS，或用 addresses 写明地址"),
    "private": ("跳转到内网地址，没有跟随", "确认无误后把该主机写进 private_hosts"),
    "late": ("到时限还没有看完", "调大 site_seconds 和来源的 deadline_seconds，或减少 tries、links"),
    "links": ("链接没有全部检查", "调大 links、pages、external_hosts、site_mib、site_seconds"),
    "versions": ("TLS 的版本和套件没有问全", "在对端放行采集机，或降低并发"),
    "race": ("两族同时尝试也没有连上", "检查网络后重新采集"),
}


def plain(text: str) -> str:
    """Text of a peer, without what moves a terminal's cursor or turns a line around."""
    return _CONTROL.sub("", text)[:_LONGEST]


def website(one: Whole, *, source: str, labels: dict[str, str], clean: Callable[[str], str]) -> Website:
    """The site."""
    sides, url = one.sides, str(one.url)
    similarity = one.similarity
    crawled = any(side.trip is not None and side.trip.page is not None for side in sides.values())
    pages = [
        side.trip.page for side in sides.values() if side.trip is not None and side.trip.page is not None
    ]
    return Website(
        source=source,
        native_id=clean(url),
        scope=clean(url),
        name=clean(url),
        labels=dict(labels),
        url=clean(url),
        host=one.url.host,
        visits=[_visit(family, side, clean) for family, side in sides.items()],
        quality=[_quality(family, side) for family, side in sides.items()],
        similarity=similarity if similarity is not None or _certain(one) else UNKNOWN,
        claims_ipv6=any(page.claims for page in pages) if pages else UNKNOWN,
        links=[_link(link, clean) for link in one.crawl.links] if crawled else UNKNOWN,
        all_links=one.crawl.whole and not one.late if crawled else UNKNOWN,
        delay_ms=_delay(one),
    )


def _certain(one: Whole) -> bool:
    """Whether both families were asked, so that a page that is missing is missing."""
    return all(side.trip is not None and side.trip.asked for side in one.sides.values())


def _visit(family: Family, side: Side, clean: Callable[[str], str]) -> Visit:
    trip = side.trip
    if trip is None:
        return Visit(family=family)
    got, secured = trip.got, trip.url.scheme == "https"
    shaken = got is not None and got.certificate is not None
    seen = got is not None and got.status is not None
    none_of_it = trip.problem == "no_address" and not trip.hops
    asked: Maybe[bool] = trip.ok if trip.asked else UNKNOWN
    return Visit(
        family=family,
        address=trip.address if trip.address is not None or none_of_it else UNKNOWN,
        ok=asked,
        problem=plain(clean(trip.words)) or None,
        status=got.status if got is not None and trip.asked else (None if trip.asked else UNKNOWN),
        url=plain(clean(str(trip.url))) if trip.asked and seen else (None if trip.asked else UNKNOWN),
        certificate=got.certificate
        if got is not None and shaken
        else (None if trip.asked and not secured else UNKNOWN),
        certificate_problem=(plain(got.distrust) or None)
        if got is not None and shaken
        else (None if trip.asked and not secured else UNKNOWN),
        versions=[] if trip.asked and not secured else (UNKNOWN if side.versions is None else side.versions),
        headers=_headers(got.headers, clean) if got is not None and seen and trip.asked else UNKNOWN,
        open_ports=side.ports if side.ports is not None else ([] if none_of_it else UNKNOWN),
    )


def _headers(headers: dict[str, str], clean: Callable[[str], str]) -> dict[str, str]:
    """A nonce differs at each visit, and says nothing."""
    return {name: plain(clean(_NONCE.sub("'nonce-…'", headers[name]))) for name in sorted(headers)}


def _quality(family: Family, side: Side) -> Quality:
    if not side.tries:
        return Quality(family=family)
    return quality_of(family, side.tries)


def _link(link: Link, clean: Callable[[str], str]) -> Link:
    return Link(
        url=plain(str(link.url)),
        level=link.level,
        external=link.external,
        embedded=link.embedded,
        ipv6=link.ipv6,
        problem=plain(clean(link.problem)) if isinstance(link.problem, str) else link.problem,
    )


def _delay(one: Whole) -> Maybe[float | None]:
    """How much later than over IPv4 alone; None where there is nothing to choose between."""
    trips = [side.trip for side in one.sides.values()]
    if any(trip is not None and trip.problem == "no_address" and not trip.hops for trip in trips):
        return None
    alone = _quality("ipv4", one.sides["ipv4"]).connect_ms
    if not one.raced or one.raced_ms is None or not isinstance(alone, float):
        return UNKNOWN
    return round(max(0.0, one.raced_ms - alone), 3)


def gaps(one: Whole, tls: bool) -> list[tuple[str, str]]:
    """What was not seen, and what helps; [] = all was."""
    found: list[tuple[str, str]] = []
    for family, side in one.sides.items():
        trip = side.trip
        if trip is None:
            continue
        if trip.problem == "no_route":
            shown = {"ipv4": "IPv4", "ipv6": "IPv6"}[family]
            found.append((NO_IPV6[0].format(family=shown), NO_IPV6[1].format(family=shown)))
        elif trip.problem in ("unresolved", "private"):
            found.append(WHY[trip.problem])
        elif tls and _secured(trip) and side.versions is None and not one.late:
            found.append(WHY["versions"])
    if one.late:
        found.append(WHY["late"])
    return list(dict.fromkeys(found))


def links_left(one: Whole) -> list[tuple[str, str]]:
    """The same for links that the budget left out: the row itself tells of them (``all_links``), so that the
    collection is whole nonetheless."""
    crawled = any(side.trip and side.trip.page for side in one.sides.values())
    return [WHY["links"]] if crawled and not one.crawl.whole and not one.late else []


def _secured(trip: Trip) -> bool:
    return trip.url.scheme == "https" and trip.got is not None and trip.got.connect_ms is not None
