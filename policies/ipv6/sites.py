"""Websites: points and level of each, from what was seen of the site and of its name.

The parts and the thresholds are those of ipv6.yaml; the points, and how a part that is met half counts, are a
default of this program and are told as such (``PARAMETERS``). What was not seen counts for nothing in the low
end and in full in the high one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Final, Literal, NamedTuple
from urllib.parse import urlsplit

import msgspec

from inventory.kinds.address import Address
from inventory.kinds.web import Delegation, Domain, Link, Quality, Visit, Website
from inventory.resource import Resource
from inventory.unknown import Maybe, known, or_none
from policies.assessment import TRUST_WORD
from policies.ipv6.addressing import sort_of
from policies.ipv6.contract import Counted, Judged, Measure, Met, View
from policies.predicates.sites import (
    CONNECT_FLOOR_MS,
    FIRST_BYTE_FLOOR_MS,
    HOLES,
    LEVEL2,
    LEVEL3,
    LOSS_FLOOR,
    PAGE_FLOOR_MS,
    RATE_FLOOR,
    SUCCESS,
    TRIES,
)

Level = Literal["不支持", "差", "中", "良", "优"]
LEVELS: Final[tuple[Level, ...]] = ("不支持", "差", "中", "良", "优")
POINTS: Final[dict[str, int]] = {
    "V6-WEB-01": 15, "V6-WEB-02": 15, "V6-WEB-03": 10, "V6-WEB-04": 10, "V6-WEB-05": 10, "V6-WEB-06": 15,
    "V6-WEB-07": 10, "V6-WEB-08": 5, "V6-WEB-09…14": 10,
}  # fmt: skip
PART_WORD: Final[dict[str, str]] = {
    "V6-WEB-01": "AAAA", "V6-WEB-02": "首页可达", "V6-WEB-03": "成功率", "V6-WEB-04": "授权体系",
    "V6-WEB-05": "内容一致", "V6-WEB-06": "二级链接", "V6-WEB-07": "三级链接", "V6-WEB-08": "天窗",
    "V6-WEB-09…14": "访问质量",
}  # fmt: skip
SIMILAR: Final = Fraction("0.90")
WORSE, MUCH_WORSE = 0.10, 0.30  # than over IPv4
FLOORS: Final = {
    "lookup": 20.0,
    "connect_ms": CONNECT_FLOOR_MS,
    "first_byte_ms": FIRST_BYTE_FLOOR_MS,
    "page_ms": PAGE_FLOOR_MS,
    "loss": LOSS_FLOOR,
}
"""Where both families are below (milliseconds; a share), they are equal. So are rates of a page that is there
at once, or that comes at a mebibyte a second."""
_DEFAULT: Final = TRUST_WORD["default"]
PARAMETERS: Final[tuple[tuple[str, str, str], ...]] = (
    ("各项分值", "、".join(f"{id_} {n}" for id_, n in POINTS.items()), _DEFAULT),
    ("等级", "V6-WEB-01 或 02 不符合为不支持；90 分及以上优，75 良，60 中，其余差", _DEFAULT),
    ("部分达到怎么计分", "占比类按占比除以目标计分，达到目标计满分；是否类不达到不计分", _DEFAULT),
    ("成功率", f"不低于 {float(SUCCESS):.0%}，至少 {TRIES} 次；次数不够的，没做的次数算不明",
     "项目见于公开来源，数值凭记忆"),
    ("内容相似度", f"不低于 {float(SIMILAR):.2f}", _DEFAULT),
    ("二级、三级链接", f"不低于 {float(LEVEL2):.0%}、{float(LEVEL3):.0%}；没有这一级链接的计满分", _DEFAULT),
    ("天窗", f"嵌入的外部主机中没有 IPv6 的不超过 {float(HOLES):.0%}", _DEFAULT),
    ("访问质量", f"六个项目各占六分之一：劣化不超过 {WORSE:.0%} 计满分，不超过 {MUCH_WORSE:.0%} 计一半；"
     "两族都低于此的视为相当：解析 20、TCP 50、首包 200、首页 1000 毫秒，丢包 1%；"
     "下载都不低于 1 MiB/s 的也是",
     "比值的算法见于公开来源，阈值为产品缺省"),
)  # fmt: skip

_NOTHING, _ALL = Fraction(0), Fraction(1)
_Span = tuple[Fraction, Fraction]
_OPEN: Final[_Span] = (_NOTHING, _ALL)
_MET: Final[_Span] = (_ALL, _ALL)
_MISSED: Final[_Span] = (_NOTHING, _NOTHING)


class Part(NamedTuple):
    """One part of a score: how much of it is met, 0–1, and why (中文)."""

    id: str
    low: Fraction
    high: Fraction
    why: str


class SiteScore(msgspec.Struct, kw_only=True, frozen=True):
    """Points of a site, 0–100, and its level, as ranges. ``parts`` in the order of ``POINTS``."""

    uid: str
    url: str
    source: str
    labels: dict[str, str]
    parts: tuple[Part, ...]
    low: Fraction
    high: Fraction
    level_low: Level
    level_high: Level


def scores(by_kind: Mapping[str, Sequence[Resource]]) -> list[SiteScore]:
    """Every site, the worst first."""
    names = {
        one.native_id.rstrip(".").lower(): one
        for one in by_kind.get(Domain.KIND, ())
        if isinstance(one, Domain)
    }
    sites = [one for one in by_kind.get(Website.KIND, ()) if isinstance(one, Website)]
    found = [score(one, names.get(_host(one))) for one in sites]
    return sorted(found, key=lambda s: (LEVELS.index(s.level_low), s.low, s.high, s.url))


def score(site: Website, name: Domain | None) -> SiteScore:
    """One site; ``name`` is its host in the DNS where that was looked up."""
    parts = (
        Part("V6-WEB-01", *_address(site, name)),
        Part("V6-WEB-02", *_home(site)),
        Part("V6-WEB-03", *_success(site)),
        Part("V6-WEB-04", *_delegated(name)),
        Part("V6-WEB-05", *_alike(site)),
        Part("V6-WEB-06", *_inner(site, 2, LEVEL2)),
        Part("V6-WEB-07", *_inner(site, 3, LEVEL3)),
        Part("V6-WEB-08", *_holes(site)),
        Part("V6-WEB-09…14", *_quality(site, name)),
    )
    low = sum((part.low * POINTS[part.id] for part in parts), _NOTHING)
    high = sum((part.high * POINTS[part.id] for part in parts), _NOTHING)
    must = parts[:2]
    return SiteScore(
        uid=site.uid,
        url=site.url if known(site.url) else site.native_id,
        source=site.source,
        labels=site.labels,
        parts=parts,
        low=low,
        high=high,
        level_low=_level(low) if all(part.low == 1 for part in must) else "不支持",
        level_high=_level(high) if all(part.high == 1 for part in must) else "不支持",
    )


def _level(points: Fraction) -> Level:
    return "优" if points >= 90 else "良" if points >= 75 else "中" if points >= 60 else "差"


def _host(site: Website) -> str:
    text = or_none(site.host) or urlsplit(site.native_id).hostname or ""
    return text.rstrip(".").lower()


def _visit(site: Website, family: str) -> Visit | None:
    """The visit over one family; None where none was seen."""
    if not known(site.visits):
        return None
    return next((v for v in site.visits if known(v.family) and v.family == family), None)


def right_addresses(addresses: Maybe[list[Address]]) -> _Span:
    """Whether one of some addresses is a global unicast one of IPv6, and no transition's and none for
    documentation (V6-WEB-01)."""
    if not known(addresses):
        return _OPEN
    texts = [a.address for a in addresses if known(a.family) and a.family == "ipv6" and known(a.address)]
    if any(sort_of(text) == "global" for text in texts):
        return _MET
    return _OPEN if any(not known(a.family) or not known(a.address) for a in addresses) else _MISSED


def _address(site: Website, name: Domain | None) -> tuple[Fraction, Fraction, str]:
    span = right_addresses(name.addresses) if name is not None else _OPEN
    visit = _visit(site, "ipv6")
    if span == _OPEN and visit is not None and known(visit.address):
        used = [Address(address=visit.address, family="ipv6")] if visit.address else []
        span = right_addresses(used)
    why = "有正确的 AAAA" if span == _MET else "没有正确的 AAAA" if span == _MISSED else "域名没有解析过"
    return *span, why


def _home(site: Website) -> tuple[Fraction, Fraction, str]:
    visit = _visit(site, "ipv6")
    if visit is None or not known(visit.ok):
        return *_OPEN, "没有以 IPv6 访问过"
    if visit.ok:
        return *_MET, "首页以 IPv6 可达"
    return *_MISSED, f"首页以 IPv6 打不开：{or_none(visit.problem) or '没有说明原因'}"


def _of_family(site: Website, family: str) -> Quality | None:
    if not known(site.quality):
        return None
    return next((q for q in site.quality if known(q.family) and q.family == family), None)


def _success(site: Website) -> tuple[Fraction, Fraction, str]:
    """Visits that were not made yet may come out either way."""
    found = _of_family(site, "ipv6")
    if found is None or not known(found.tries) or not known(found.succeeded):
        return *_OPEN, "没有多次访问"
    left = max(0, TRIES - found.tries)
    whole = found.tries + left
    low, high = Fraction(found.succeeded, whole), Fraction(found.succeeded + left, whole)
    return _reached(low, SUCCESS), _reached(high, SUCCESS), f"{found.tries} 次成功 {found.succeeded} 次"


def _reached(share: Fraction, wanted: Fraction) -> Fraction:
    return min(_ALL, share / wanted)


def answers_over_ipv6(delegations: Maybe[list[Delegation]]) -> tuple[Fraction, Fraction, str]:
    """Whether each zone cut has a server that answers over IPv6 (V6-WEB-04)."""
    if not known(delegations):
        return *_OPEN, "授权没有查过"
    open_: list[str] = []
    for cut in delegations:
        zone = or_none(cut.zone) or "根"
        if not known(cut.servers):
            open_.append(zone)
        elif not any(known(s.answers_ipv6) and s.answers_ipv6 for s in cut.servers):
            if all(known(s.answers_ipv6) for s in cut.servers):
                return *_MISSED, f"{zone} 没有一台域名服务器以 IPv6 应答"
            open_.append(zone)
    if open_ or not delegations:
        return *_OPEN, f"{'、'.join(open_) or '授权'}没有查明"
    return *_MET, "逐级授权都以 IPv6 应答"


def _delegated(name: Domain | None) -> tuple[Fraction, Fraction, str]:
    return answers_over_ipv6(name.delegations) if name is not None else (*_OPEN, "授权没有查过")


def _alike(site: Website) -> tuple[Fraction, Fraction, str]:
    four = _visit(site, "ipv4")
    if four is not None and known(four.address) and four.address is None:
        return *_MET, "没有 IPv4，不用比较"
    if not known(site.similarity):
        return *_OPEN, "没有比较过内容"
    if site.similarity is None:
        return *_MISSED, "有一族打不开，无从比较"
    met = Fraction(str(site.similarity)) >= SIMILAR
    return *(_MET if met else _MISSED), f"相似度 {site.similarity:.2f}"


def _shares(oks: Iterable[Maybe[bool]]) -> tuple[int, int, int]:
    """How many are true, false, unseen."""
    rows = list(oks)
    yes = sum(1 for ok in rows if known(ok) and ok)
    no = sum(1 for ok in rows if known(ok) and not ok)
    return yes, no, len(rows) - yes - no


def _links(site: Website) -> list[Link] | None:
    return site.links if known(site.links) else None


def _inner(site: Website, level: int, wanted: Fraction) -> tuple[Fraction, Fraction, str]:
    links = _links(site)
    if links is None:
        return *_OPEN, "没有爬取"
    own = [x for x in links if known(x.external) and not x.external and known(x.level) and x.level == level]
    if not own:
        whole = known(site.all_links) and site.all_links
        return (*_MET, "没有这一级链接") if whole else (*_OPEN, "没有爬到这一级")
    yes, _, open_ = _shares(link.ipv6 for link in own)
    whole = known(site.all_links) and site.all_links
    told = (
        f"{yes}/{len(own)} 条可达"
        + (f"，{open_} 条没有问" if open_ else "")
        + ("" if whole else "，没有爬完")
    )
    low = Fraction(yes, len(own)) if whole else _NOTHING
    return _reached(low, wanted), _reached(Fraction(yes + open_, len(own)), wanted), told


def _holes(site: Website) -> tuple[Fraction, Fraction, str]:
    """By hosts: one link of a host that answers shows that the host does."""
    links = _links(site)
    if links is None:
        return *_OPEN, "没有爬取"
    hosts: dict[str, list[Maybe[bool]]] = {}
    for link in links:
        if (
            known(link.external)
            and link.external
            and known(link.embedded)
            and link.embedded
            and known(link.url)
        ):
            hosts.setdefault(urlsplit(link.url).netloc.lower(), []).append(link.ipv6)
    whole = known(site.all_links) and site.all_links
    if not hosts:
        return (*_MET, "没有嵌入外部资源") if whole else (*_OPEN, "没有爬完")
    yes, no, open_ = 0, 0, 0
    for oks in hosts.values():
        good, bad, _ = _shares(oks)
        yes, no, open_ = yes + bool(good), no + (not good and bool(bad)), open_ + (not good and not bad)
    dark = sorted(host for host, oks in hosts.items() if any(known(o) and not o for o in oks))
    told = f"{len(hosts)} 个外部主机，{no} 个没有 IPv6" + (f"：{'、'.join(dark[:3])}" if no else "")
    total = len(hosts)
    worst, best = Fraction(no + open_, total) if whole else _ALL, Fraction(no, total)
    told += "" if whole else "，没有爬完"
    return _kept(worst), _kept(best), told + (f"，{open_} 个没有问" if open_ else "")


def _kept(holes: Fraction) -> Fraction:
    return _ALL if holes <= HOLES else (1 - holes) / (1 - HOLES)


def worse(four: float, six: float, floor: float) -> Fraction:
    """What a pair of times or losses is worth: all where IPv6 is at most a tenth worse, or both are below the
    floor; half up to three tenths; else nothing."""
    if four <= floor and six <= floor:
        return _ALL
    ratio = (six - four) / four if four > 0 else float("inf")
    return _ALL if ratio <= WORSE else Fraction(1, 2) if ratio <= MUCH_WORSE else _NOTHING


def _quality(site: Website, name: Domain | None) -> tuple[Fraction, Fraction, str]:
    rows = list(_compared(site, name))
    low = sum((row[1] or _NOTHING for row in rows), _NOTHING) / len(rows)
    high = sum((_ALL if row[1] is None else row[1] for row in rows), _NOTHING) / len(rows)
    bad = [word for word, worth in rows if worth is not None and worth < 1]
    open_ = sum(1 for _, worth in rows if worth is None)
    parts = [f"比 IPv4 差：{'、'.join(bad)}" if bad else "", f"{open_} 项没有测" if open_ else ""]
    return low, high, "；".join(filter(None, parts)) or "与 IPv4 相当"


def _compared(site: Website, name: Domain | None) -> Iterator[tuple[str, Fraction | None]]:
    """V6-WEB-09 to 14: each with what it is worth, None where one of the two was not measured."""
    four, six = _of_family(site, "ipv4"), _of_family(site, "ipv6")
    a = name.lookup_ipv4_ms if name is not None and known(name.lookup_ipv4_ms) else None
    b = name.lookup_ipv6_ms if name is not None and known(name.lookup_ipv6_ms) else None
    yield "解析时延", None if a is None or b is None else worse(a, b, FLOORS["lookup"])
    rows = (
        ("TCP 时延", "connect_ms"),
        ("首包时延", "first_byte_ms"),
        ("首页时延", "page_ms"),
        ("丢包", "loss"),
    )
    for word, field in rows:
        pair = _pair(four, six, field)
        yield word, None if pair is None else worse(*pair, FLOORS[field])
    yield "下载速度", _rates(_pair(four, six, "bytes_per_second"), _pair(four, six, "page_ms"))


def _pair(four: Quality | None, six: Quality | None, field: str) -> tuple[float, float] | None:
    values = [or_none(getattr(q, field)) if q is not None else None for q in (four, six)]
    return None if values[0] is None or values[1] is None else (values[0], values[1])


def _rates(rates: tuple[float, float] | None, pages: tuple[float, float] | None) -> Fraction | None:
    if rates is None:
        return None
    at_once = pages is not None and max(pages) <= FLOORS["page_ms"]
    if at_once or min(rates) >= RATE_FLOOR:
        return _ALL
    return worse(1 / rates[0], 1 / rates[1], 0.0) if min(rates) > 0 else _NOTHING


def _as_met(span: _Span) -> Met:
    return "y" if span[0] == 1 else "n" if span[1] < 1 else "m"


def sites_supporting(view: View) -> list[Judged]:
    """Of each site: whether it is not 不支持: a right address, and the home page comes over IPv6."""
    found = []
    for one in scores(view.by_kind):
        span = (Fraction(one.level_low != "不支持"), Fraction(one.level_high != "不支持"))
        why = "；".join(part.why for part in one.parts[:2] if part.low < 1)
        found.append(Judged(one.uid, one.uid, "y", _as_met(span), why))
    return found


def sites_good(view: View) -> list[Judged]:
    """Of each site: whether its level is at least 良 (75 points)."""
    found = []
    for one in scores(view.by_kind):
        good = [LEVELS.index(level) >= LEVELS.index("良") for level in (one.level_low, one.level_high)]
        lost = sorted(one.parts, key=lambda p: -(1 - p.high) * POINTS[p.id])
        why = "；".join(p.why for p in lost[:3] if p.high < 1)
        found.append(Judged(one.uid, one.uid, "y", _as_met((Fraction(good[0]), Fraction(good[1]))), why))
    return found


def names_right(view: View) -> list[Judged]:
    """Of each name that has addresses at all: whether one of them is a right one of IPv6."""
    found = []
    for one in view.by_kind.get(Domain.KIND, ()):
        assert isinstance(one, Domain)
        if (known(one.exists) and not one.exists) or (known(one.addresses) and not one.addresses):
            continue
        counted: Counted = "y" if known(one.addresses) else "m"
        span = right_addresses(one.addresses)
        found.append(Judged(one.uid, one.uid, counted, _as_met(span), "没有正确的 AAAA"))
    return found


def names_delegated(view: View) -> list[Judged]:
    """Of each name: whether it can be resolved where there is IPv6 alone."""
    found = []
    for one in view.by_kind.get(Domain.KIND, ()):
        assert isinstance(one, Domain)
        if known(one.exists) and not one.exists:
            continue
        low, high, why = answers_over_ipv6(one.delegations)
        counted: Counted = "y" if known(one.exists) or known(one.delegations) else "m"
        found.append(Judged(one.uid, one.uid, counted, _as_met((low, high)), why))
    return found


_SITE, _NAME = (Website.KIND, Domain.KIND), (Domain.KIND,)
MEASURES = (
    Measure(name="sites_supporting", kinds=_SITE, call=sites_supporting, purpose="网站以 IPv6 可达"),
    Measure(name="sites_good", kinds=_SITE, call=sites_good, purpose="网站 IPv6 支持度为良以上"),
    Measure(name="names_right", kinds=_NAME, call=names_right, purpose="域名有正确的 AAAA"),
    Measure(name="names_delegated", kinds=_NAME, call=names_delegated, purpose="域名逐级授权以 IPv6 应答"),
)
