"""Sites over IPv6 against the same sites over IPv4.

Thresholds are defaults of this program, as the catalogue of IPv6 has them (none is published): a share of
links, of visits, and how much worse than IPv4 a figure may be. Where both families are better than a floor, a
difference says nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from fractions import Fraction
from typing import Final

from inventory.kinds.web import Link, Quality, Visit, Website
from inventory.unknown import Unknown
from policies.predicates.contract import Predicate, UndecidedError, seen

SUCCESS: Final = Fraction(95, 100)
TRIES: Final = 20
LEVEL2: Final = Fraction(90, 100)
LEVEL3: Final = Fraction(80, 100)
HOLES: Final = Fraction(10, 100)
WORSE: Final = 1.10
"""How many times the figure of IPv4 that of IPv6 may be."""
CONNECT_FLOOR_MS: Final = 50.0
FIRST_BYTE_FLOOR_MS: Final = 200.0
PAGE_FLOOR_MS: Final = 1000.0
RATE_FLOOR: Final = 1_048_576.0  # bytes per second
LOSS_FLOOR: Final = 0.01


def few_visits_succeed(site: Website, now: datetime) -> bool:
    """Whether too few of the visits over IPv6 succeed. Fewer visits than ``TRIES`` decide only where those
    that are missing could not make up for the failures."""
    quality = _of(seen(site.quality), "ipv6")
    tries, succeeded = seen(quality.tries), seen(quality.succeeded)
    if tries >= TRIES:
        return Fraction(succeeded, tries) < SUCCESS
    if Fraction(succeeded + TRIES - tries, TRIES) < SUCCESS:
        return True
    raise UndecidedError(f"只访问了 {tries} 次，不到 {TRIES} 次")


def level2_without_ipv6(site: Website, now: datetime) -> bool:
    """Whether too few links of the home page answer over IPv6."""
    return _too_few(site, lambda link: seen(link.level) == 2 and not seen(link.external), LEVEL2)


def level3_without_ipv6(site: Website, now: datetime) -> bool:
    """Whether too few links of the pages behind it answer over IPv6."""
    return _too_few(site, lambda link: seen(link.level) == 3 and not seen(link.external), LEVEL3)


def holes(site: Website, now: datetime) -> bool:
    """Whether too many of the hosts of others that the pages load from have no IPv6."""
    return _too_few(site, lambda link: seen(link.external) and seen(link.embedded), 1 - HOLES)


def _too_few(site: Website, counts: Callable[[Link], bool], least: Fraction) -> bool:
    """Whether the share that answers is surely below ``least``. That it is not takes all links."""
    links = [link.ipv6 for link in seen(site.links) if counts(link)]
    if not links:
        if seen(site.all_links):
            return False
        raise UndecidedError("有链接没有检查")
    good = sum(answer is True for answer in links)
    open_ = sum(isinstance(answer, Unknown) for answer in links)
    if seen(site.all_links) and Fraction(good, len(links)) >= least:
        return False
    if Fraction(good + open_, len(links)) < least:
        return True
    raise UndecidedError("有链接没有检查，占比还定不下来")


def slower_connect(site: Website, now: datetime) -> bool:
    """Whether a TCP connection takes longer."""
    return _slower(site, lambda quality: quality.connect_ms, CONNECT_FLOOR_MS)


def slower_first_byte(site: Website, now: datetime) -> bool:
    """Whether the first byte comes later after the request."""
    return _slower(site, lambda quality: quality.first_byte_ms, FIRST_BYTE_FLOOR_MS)


def slower_page(site: Website, now: datetime) -> bool:
    """Whether the whole page takes longer."""
    return _slower(site, lambda quality: quality.page_ms, PAGE_FLOOR_MS)


def _slower(site: Website, figure: Callable[[Quality], object], floor: float) -> bool:
    four, six = (_figure(site, family, figure) for family in ("ipv4", "ipv6"))
    return max(four, six) > floor and six > four * WORSE


def slower_download(site: Website, now: datetime) -> bool:
    """Whether the page comes at a lower rate. One that is there at once says nothing of rates."""
    four, six = (_figure(site, family, lambda one: one.bytes_per_second) for family in ("ipv4", "ipv6"))
    slowest = max(_figure(site, family, lambda one: one.page_ms) for family in ("ipv4", "ipv6"))
    return slowest > PAGE_FLOOR_MS and min(four, six) < RATE_FLOOR and six * WORSE < four


def lossier(site: Website, now: datetime) -> bool:
    """Whether more connections fail."""
    four, six = (_figure(site, family, lambda one: one.loss) for family in ("ipv4", "ipv6"))
    return six > LOSS_FLOOR and six > four * WORSE


def _figure(site: Website, family: str, figure: Callable[[Quality], object]) -> float:
    value = seen(figure(_of(seen(site.quality), family)))
    if not isinstance(value, (int, float)):
        raise UndecidedError("没有成功的访问可比")
    return float(value)


def tls_differs(site: Website, now: datetime) -> bool:
    """Whether certificate, its acceptance, versions or suites are not the same over both families."""
    four, six = (_visit(seen(site.visits), family) for family in ("ipv4", "ipv6"))
    if seen(four.certificate) != seen(six.certificate):
        return True
    if seen(four.certificate_problem) != seen(six.certificate_problem):
        return True
    return _offers(four) != _offers(six)


def _offers(visit: Visit) -> dict[str, frozenset[str]]:
    return {seen(v.version): frozenset(seen(v.suites)) for v in seen(visit.versions) if seen(v.offered)}


def ports_wider(site: Website, now: datetime) -> bool:
    """Whether a port is open over IPv6 that is not over IPv4."""
    four, six = (set(seen(_visit(seen(site.visits), family).open_ports)) for family in ("ipv4", "ipv6"))
    return bool(six - four)


def headers_weaker(site: Website, now: datetime) -> bool:
    """Whether a header that protects the browser is sent over IPv4 and not, or otherwise, over IPv6."""
    four, six = (seen(_visit(seen(site.visits), family).headers) for family in ("ipv4", "ipv6"))
    return any(six.get(name) != value for name, value in four.items())


def _visit(visits: Sequence[Visit], family: str) -> Visit:
    for one in visits:
        if seen(one.family) == family:
            return one
    raise UndecidedError(f"没有 {family} 的访问")


def _of(qualities: Sequence[Quality], family: str) -> Quality:
    for one in qualities:
        if seen(one.family) == family:
            return one
    raise UndecidedError(f"没有 {family} 的访问")


_TRIES = ("quality", "quality[].family", "quality[].tries", "quality[].succeeded")
_LINKS = ("links", "links[].level", "links[].external", "links[].embedded", "links[].ipv6", "all_links")
_TLS = (
    "visits", "visits[].family", "visits[].certificate", "visits[].certificate_problem", "visits[].versions",
    "visits[].versions[].suites",
)  # fmt: skip


def _quality(name: str) -> tuple[str, ...]:
    return ("quality", "quality[].family", f"quality[].{name}")


def _visits(name: str) -> tuple[str, ...]:
    return ("visits", "visits[].family", f"visits[].{name}")


PREDICATES = tuple(
    Predicate(name=call.__name__, kinds=(Website,), reads=reads, call=call, purpose=purpose)
    for call, reads, purpose in (
        (few_visits_succeed, _TRIES, "IPv6 访问成功率不足 95%"),
        (level2_without_ipv6, _LINKS, "二级内链以 IPv6 可达的不足 90%"),
        (level3_without_ipv6, _LINKS, "三级内链以 IPv6 可达的不足 80%"),
        (holes, _LINKS, "嵌入的外部主机没有 IPv6 的超过 10%"),
        (slower_connect, _quality("connect_ms"), "IPv6 建立连接比 IPv4 慢 10% 以上"),
        (slower_first_byte, _quality("first_byte_ms"), "IPv6 首包比 IPv4 慢 10% 以上"),
        (slower_page, _quality("page_ms"), "IPv6 首页比 IPv4 慢 10% 以上"),
        (
            slower_download,
            (*_quality("bytes_per_second"), "quality[].page_ms"),
            "IPv6 下载速度比 IPv4 低 10% 以上",
        ),
        (lossier, _quality("loss"), "IPv6 连接失败的比 IPv4 多"),
        (tls_differs, _TLS, "两族的证书、TLS 版本或套件不一致"),
        (ports_wider, _visits("open_ports"), "IPv6 上开放了 IPv4 上没有的端口"),
        (headers_weaker, _visits("headers"), "IPv6 上缺少 IPv4 上有的安全响应头"),
    )
)
