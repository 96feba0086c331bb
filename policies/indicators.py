"""Indicators: shares over the inventory, as ranges, against targets by year. Pure.

What was not seen counts as not met in the low bound and as met in the high one. Where a source's collection
of the kind is not complete, any number of resources may exist that nobody saw: the share may be anything.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from fractions import Fraction
from typing import NamedTuple

import msgspec

from inventory.kinds import KINDS
from inventory.resource import Resource
from inventory.snapshot import Snapshot
from inventory.systems import System
from policies.assessment import Control, ControlVerdict, IndicatorValue, ObjectVerdict
from policies.assets import Estate
from policies.bounds import FAILED, PASSED, UNSEEN, told, verdict_of
from policies.catalogue import Indicator
from policies.evaluate import compile_filter, gaps_of
from policies.expression import ExpressionError
from policies.ipv6.contract import Counted, Judged, View
from policies.ipv6.plan import PlannedPrefix
from policies.measures import MEASURES
from policies.readings import relevant
from policies.spelling import suggestion
from policies.verdict import Bounds, Unseen, Verdict
from policies.yaml_text import YamlText

Targets = Mapping[str, Mapping[int, Decimal]]
"""A user's own: "standard/indicator" → year → share, 0–1 (year 0 = any year)."""

_ANY = (Fraction(0), Fraction(1))


def checked(
    text: YamlText, indicators: Sequence[Indicator], standard: str, controls: Mapping[str, Control]
) -> dict[str, Indicator]:
    """Indicators by "standard/id", their ``item`` as the id of a control. Raises YamlError with the place."""
    found: dict[str, Indicator] = {}
    for index, one in enumerate(indicators):
        place = ("indicators", index)
        item = f"{standard}/{one.item}" if one.item else ""
        if f"{standard}/{one.id}" in found:
            first = text.error("", ("indicators", [i.id for i in indicators].index(one.id), "id"))
            message = f"指标 {one.id} 出现两次；另一处在 {text.path.name}:{first.line}:{first.column}"
            raise text.error(message, (*place, "id"), "改一个编号")
        if item and item not in controls:
            near = suggestion(one.item, [c.partition("/")[2] for c in controls])
            raise text.error(f"{standard} 中没有要求项 {one.item}", (*place, "item"), near)
        if item and any(i.item == item for i in found.values()):
            raise text.error(f"要求项 {one.item} 已有一个指标", (*place, "item"), "一项一个指标")
        _expressions(text, one, place)
        for year, share in one.targets.items():
            if _share(share) is None:
                raise text.error(f"目标 {share} 应为 0–1 的小数", (*place, "targets", year), "例如 0.9")
        found[f"{standard}/{one.id}"] = msgspec.structs.replace(one, item=item)
    return found


def _expressions(text: YamlText, one: Indicator, place: tuple[str | int, ...]) -> None:
    if bool(one.kind) == bool(one.needs) or bool(one.kind) != bool(one.meets or one.measure):
        raise text.error("写 kind 和 meets；还算不出来的写 needs，不写它们", place)
    if not one.kind:
        return
    if one.kind not in KINDS:
        raise text.error(f"没有资源类型 {one.kind}", (*place, "kind"), suggestion(one.kind, KINDS))
    if one.measure:
        _measured(text, one, place)
        return
    for field in ("counts", "meets", "unclear"):
        if expression := getattr(one, field):
            try:
                compile_filter(expression, one.kind)
            except ExpressionError as error:
                raise text.error(error.message, (*place, field), error.hint, error.offset) from error


def _measured(text: YamlText, one: Indicator, place: tuple[str | int, ...]) -> None:
    known = MEASURES
    if one.measure not in known:
        raise text.error(f"没有度量 {one.measure}", (*place, "measure"), suggestion(one.measure, list(known)))
    if one.kind not in known[one.measure].kinds:
        raise text.error(f"度量 {one.measure} 不看 {one.kind}", (*place, "kind"))
    if one.meets or one.unclear or one.by or one.counts != "True":
        raise text.error("写了 measure，就不写 counts、meets、unclear 和 by", place)


def _share(value: str) -> Decimal | None:
    try:
        number = Decimal(value)
    except InvalidOperation:
        return None
    return number if number.is_finite() and 0 <= number <= 1 else None


class Tally(NamedTuple):
    """How many count and meet it: the first letter tells whether a thing counts, the second whether it meets
    it (y(es), m(aybe), n(o)); what surely does not count is left out."""

    yy: int = 0
    ym: int = 0
    yn: int = 0
    my: int = 0
    mm: int = 0
    mn: int = 0

    def span(self) -> tuple[Fraction, Fraction] | None:
        """The least and the greatest share; None where nothing counts. What may not count at all counts where
        that makes the bound wider. Where nothing surely counts, there may be nothing to take a share of."""
        if not any(self):
            return None
        sure = self.yy + self.ym + self.yn
        if not sure:
            return _ANY
        low = Fraction(self.yy, sure + self.mm + self.mn)
        high = Fraction(self.yy + self.ym + self.my + self.mm, sure + self.my + self.mm)
        return low, high


def tally(judged: Sequence[Judged]) -> Tally:
    """How many things count and meet it."""
    return Tally(**Counter(one.counted + one.met for one in judged))


def judged_of(indicator: Indicator, view: View, stale: Iterable[str], now: datetime) -> list[Judged]:
    """Each thing that an indicator counts: a resource, what ``by`` leads to, or what a measure tells. Of what
    is stale neither can be told."""
    old = set(stale)
    if indicator.measure:
        found = MEASURES[indicator.measure].call(view)
        return [one._replace(counted="m", met="m") if one.uid in old else one for one in found]
    rows = view.by_kind.get(indicator.kind, ())
    counts = _told(indicator.counts, indicator.kind, rows, now)
    meets = _told(indicator.meets, indicator.kind, rows, now)
    unclear = _told(indicator.unclear, indicator.kind, rows, now) if indicator.unclear else {}
    groups: dict[str, list[Judged]] = {}
    for row in rows:
        known = row.uid not in old
        counted = counts.get(row.uid, "n") if known else "m"
        met = meets.get(row.uid, "n") if known and unclear.get(row.uid, "n") == "n" else "m"
        if counted != "n":
            ends = row.related(indicator.by) if indicator.by else []
            for key in ends or [row.uid]:
                groups.setdefault(key, []).append(Judged(key, key, counted, met))  # type: ignore[arg-type]
    return [_together(parts) for parts in groups.values()]


def _told(expression: str, kind: str, rows: Sequence[Resource], now: datetime) -> dict[str, str]:
    """uid → "y" or "m"; what an expression surely does not take is left out."""
    split = compile_filter(expression, kind).split(rows, now)
    return {r.uid: "m" for r in split.unknown} | {r.uid: "y" for r in split.matched}


def _together(parts: Sequence[Judged]) -> Judged:
    """One that counts and meets it is enough; one that may is enough for maybe."""
    first = parts[0]
    if len(parts) == 1:
        return first
    counted: Counted = "y" if any(p.counted == "y" for p in parts) else "m"
    if any(p.met == "y" and p.counted == counted for p in parts):
        return first._replace(counted=counted, met="y")
    return first._replace(counted=counted, met="m" if any(p.met != "n" for p in parts) else "n")


def values_of(
    indicators: Mapping[str, Indicator],
    system: System,
    members: Sequence[Resource],
    snapshot: Snapshot,
    estate: Estate,
    *,
    today: date,
    targets: Targets,
    plan: Sequence[PlannedPrefix] = (),
) -> list[IndicatorValue]:
    """The indicators of a standard over one system, in its order. Raises ValueError for a target of an
    indicator that the standard does not have."""
    return [
        value
        for value, _ in told_over(
            indicators,
            members,
            snapshot,
            lambda gaps: relevant(system, gaps, estate),
            year=today.year,
            targets=targets,
            plan=plan,
        )
    ]


def told_over(
    indicators: Mapping[str, Indicator],
    members: Sequence[Resource],
    snapshot: Snapshot,
    hiding: Callable[[Sequence[Unseen]], Sequence[Unseen]],
    *,
    year: int,
    targets: Targets,
    plan: Sequence[PlannedPrefix] = (),
) -> list[tuple[IndicatorValue, list[Judged]]]:
    """The indicators over any resources, in their order, each with the things it counted. ``hiding``: of some
    gaps, those that may hide more of these resources; ``year``: whose targets hold. Raises ValueError for a
    target of no indicator."""
    names = {name.partition("/")[0] for name in indicators}
    for name in targets:
        if name.partition("/")[0] in names and name not in indicators:
            raise ValueError(f"没有指标 {name}。{suggestion(name, indicators)}".rstrip("。"))
    by_kind: dict[str, list[Resource]] = {}
    for resource in members:
        by_kind.setdefault(resource.KIND, []).append(resource)
    view = View(by_kind=by_kind, plan=plan)
    found: list[tuple[IndicatorValue, list[Judged]]] = []
    for name, one in indicators.items():
        target = _target(one, targets.get(name), year)
        missing = one.needs or (MEASURES[one.measure].wants(view) if one.measure else "")
        if missing:
            why = f"还算不出来：需要{missing}"
            found.append((_value(one, Tally(), None, target, name in targets, why), []))
            continue
        judged = judged_of(one, view, snapshot.stale, snapshot.info.taken_at)
        kinds = MEASURES[one.measure].kinds if one.measure else (one.kind,)
        gaps = hiding([gap for kind in kinds for gap in gaps_of(snapshot, kind, one.id)])
        counted = tally(judged)
        span = _ANY if gaps else counted.span()
        why = "；".join(dict.fromkeys(f"{g.source}：{g.missing}" for g in gaps))
        if span is None:
            things = "、".join(KINDS[kind].TITLE for kind in kinds)
            why = f"清单中没有可计算的{things}，是否不适用需人工确认"
        found.append((_value(one, counted, span, target, name in targets, why), judged))
    return found


def _short_of_all(one: Indicator, counted: Tally, target: Decimal) -> bool:
    """Whether something is known to be in the way of all, or of none at all: however much is hidden, it
    stays."""
    return counted.yn > 0 and target == 1 if one.better == "more" else counted.yy > 0 and target == 0


def _target(one: Indicator, own: Mapping[int, Decimal] | None, year: int) -> tuple[int, Decimal] | None:
    """The target in force: that of the latest year that has begun."""
    held = own if own is not None else {y: Decimal(share) for y, share in one.targets.items()}
    begun = [y for y in held if y <= year]
    return (max(begun), held[max(begun)]) if begun else None


def _value(
    one: Indicator,
    counted: Tally,
    span: tuple[Fraction, Fraction] | None,
    target: tuple[int, Decimal] | None,
    set_here: bool,
    why: str,
) -> IndicatorValue:
    bounds = _bounds(one, span, target[1] if target else None)
    if span is not None and target is not None and _short_of_all(one, counted, target[1]):
        bounds = FAILED
    low, high = (_rounded(span[0]), _rounded(span[1])) if span else (None, None)
    return IndicatorValue(
        id=one.id,
        title=one.title,
        item=one.item,
        kind=one.kind,
        low=low,
        high=high,
        met=counted.yy,
        short=counted.yn,
        open=counted.ym + counted.my + counted.mm + counted.mn,
        better=one.better,
        target=target[1] if target else None,
        target_year=target[0] if target else 0,
        set_here=set_here,
        verified=one.verified,
        verdict=verdict_of(bounds),
        bounds=bounds,
        reason=_reason(one, counted, low, high, target, set_here, why),
    )


def _rounded(share: Fraction) -> Decimal:
    return (Decimal(share.numerator) / Decimal(share.denominator)).quantize(Decimal("0.0001"), ROUND_HALF_UP)


def _bounds(one: Indicator, span: tuple[Fraction, Fraction] | None, target: Decimal | None) -> Bounds:
    if span is None or target is None:
        return UNSEEN
    wanted = Fraction(target)
    worst, best = span if one.better == "more" else (-span[1], -span[0])
    wanted = wanted if one.better == "more" else -wanted
    if worst >= wanted:
        return PASSED
    return FAILED if best < wanted else UNSEEN


def _reason(
    one: Indicator,
    counted: Tally,
    low: Decimal | None,
    high: Decimal | None,
    target: tuple[int, Decimal] | None,
    set_here: bool,
    why: str,
) -> str:
    if low is None or high is None:
        return why
    share = f"{low:.1%}" if low == high else f"{low:.1%}–{high:.1%}"
    seen = f"看到 {counted.yy} 个是、{counted.yn} 个不是"
    open_ = sum(counted) - counted.yy - counted.yn
    parts = [f"{share}（{seen}" + (f"、{open_} 个不明）" if open_ else "）"), target_text(one.better, target)]
    if target and not set_here:
        parts[-1] += "（未按本地区要求设定，policies.targets 可改）" if one.verified == "default" else ""
    return "，".join(parts) + (f"；{why}" if why else "")


def target_text(better: str, target: tuple[int, Decimal] | None) -> str:
    """A target in words (中文)."""
    if target is None:
        return "没有设目标（policies.targets）"
    year = f"（{target[0]} 年起）" if target[0] else ""
    return f"目标{'不低于' if better == 'more' else '不高于'} {target[1]:.1%}{year}"


def by_share(controls: Sequence[ControlVerdict], values: Sequence[IndicatorValue]) -> list[ControlVerdict]:
    """The controls, those that an indicator decides replaced."""
    by_item = {value.item: value for value in values if value.item}
    return [decided(c, by_item[c.control.id]) if c.control.id in by_item else c for c in controls]


def decided(control: ControlVerdict, value: IndicatorValue) -> ControlVerdict:
    """A control that an indicator decides, in place of what rules say of single resources (they stay among
    the findings). Where data alone cannot decide it, a met target leaves the rest to a person."""
    if control.verdict is Verdict.NOT_APPLICABLE:
        return control
    auto = control.control.automation == "technical-auto"
    bounds = value.bounds if auto or value.bounds != PASSED else UNSEEN
    verdict = verdict_of(bounds)
    one = ObjectVerdict(
        asset=f"indicator/{value.id}",
        verdict=verdict,
        reason=value.reason,
        checks={value.id: value.verdict},
        bounds=told(bounds),
    )
    return msgspec.structs.replace(
        control,
        verdict=verdict,
        origin="none" if verdict is Verdict.UNKNOWN else "auto",
        reason=value.reason + ("" if auto or value.bounds != PASSED else "；其余待人工确认"),
        objects=[one],
        uncovered=(),
        bounds=told(bounds),
    )
