"""How ready everything is: the indicators over the whole, by system, department and level, and what stands in
the way of each. Pure.

A department's figures are over the resources of its systems, and those that carry its label; a resource
may count for two of them. A level's are over the resources that carry its label (省, 市, 县). As ever,
what was not seen is neither ready nor not, and a source that could not be read whole leaves the share
open for everybody whose resources it may hide.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from math import ceil
from typing import Final, Literal

import msgspec

from inventory.resource import Resource
from inventory.snapshot import Snapshot
from inventory.systems import System, holders_of
from inventory.unknown import known
from policies.assessment import IndicatorValue
from policies.assets import estate_of
from policies.catalogue import Indicator
from policies.indicators import Targets, told_over
from policies.ipv6.addressing import Census, census
from policies.ipv6.contract import Judged
from policies.ipv6.plan import PlannedPrefix
from policies.ipv6.sites import SiteScore, scores
from policies.readings import relevant
from policies.verdict import Unseen, Verdict

GroupOf = Literal["whole", "system", "department", "level"]
PARITY: Final = "PARITY"
_WEIGHT: Final = {"关键": 0, "重要": 1, "一般": 2, "": 3}
Hiding = Callable[[Sequence[Unseen]], Sequence[Unseen]]


class Group(msgspec.Struct, kw_only=True, frozen=True):
    """Some of the estate with its indicators, in the order of the standard. ``name`` is the system's, the
    department's, the level's; ``resources`` counts them. ``breaking``: things that surely, and that maybe,
    break the day IPv4 is switched off."""

    of: GroupOf
    name: str
    title: str
    resources: int
    values: tuple[IndicatorValue, ...]
    breaking: int
    may_break: int


class Obstacle(msgspec.Struct, kw_only=True, frozen=True):
    """A thing that does not meet an indicator. ``name`` is what people call it, ``detail`` which part of it
    (中文); ``systems`` those it belongs to (titles), ``weight`` the greatest importance among them."""

    indicator: str
    uid: str
    kind: str
    source: str
    home: str  # the project or namespace it lies in
    name: str
    detail: str
    systems: tuple[str, ...]
    department: str
    weight: str


class Step(msgspec.Struct, kw_only=True, frozen=True):
    """An indicator below its target, as work: ``missing`` so many things must surely change until the low end
    reaches it (of those that do not meet it, and of those that were not seen)."""

    value: IndicatorValue
    group: str
    advice: str
    single_stack: bool
    missing: int


class Point(msgspec.Struct, kw_only=True, frozen=True):
    """The indicators over the whole at an earlier snapshot: id → range, where there was one."""

    taken_at: datetime
    shares: dict[str, tuple[Decimal, Decimal]]


class Readiness(msgspec.Struct, kw_only=True):
    """Everything that ``report ipv6`` tells, of one snapshot. ``groups`` begins with the whole. ``obstacles``
    are in the order of ``steps``, the weightiest first; ``gaps`` are controls of IPv4 without a twin,
    ``open_gaps`` counts those of which that was not seen."""

    snapshot: Snapshot
    year: int
    title: str
    indicators: Mapping[str, Indicator]  # by id
    groups: list[Group]
    steps: list[Step]
    obstacles: list[Obstacle]
    sites: list[SiteScore]
    gaps: list[Obstacle]
    open_gaps: int
    census: Census
    plan: Sequence[PlannedPrefix]
    trend: list[Point]
    departments: dict[str, str]  # uid of a site → department

    @property
    def whole(self) -> Group:
        return self.groups[0]


def readiness(
    indicators: Mapping[str, Indicator],
    snapshot: Snapshot,
    systems: Sequence[System],
    *,
    year: int,
    targets: Targets,
    plan: Sequence[PlannedPrefix] = (),
    source_labels: Mapping[str, Mapping[str, str]] = {},
    only: System | None = None,
    earlier: Iterable[Snapshot] = (),
) -> Readiness:
    """How ready the estate is, or ``only`` one system. ``indicators`` are those of the standard by
    "standard/id"; ``source_labels`` of each configured source, also of those that gave no resource.
    ``earlier`` snapshots make the trend, each read when it is its turn. Raises ValueError for a target of no
    indicator."""

    def over(of: GroupOf, name: str, title: str, members: Sequence[Resource], hiding: Hiding) -> Group:
        told = told_over(indicators, members, snapshot, hiding, year=year, targets=targets, plan=plan)
        judged[of, name] = [rows for _, rows in told]
        values = tuple(value for value, _ in told)
        single = [v for v in values if by_id[v.id].single_stack]
        return Group(
            of=of,
            name=name,
            title=title,
            resources=len(members),
            values=values,
            breaking=sum(v.short for v in single),
            may_break=sum(v.open for v in single),
        )

    by_id = {one.id: one for one in indicators.values()}
    judged: dict[tuple[GroupOf, str], list[list[Judged]]] = {}
    holders = holders_of(snapshot, systems)
    if only is not None:
        members = only.members(snapshot)
        groups = [over("system", only.name, only.title, members, _of_system(only, members, snapshot))]
    else:
        members = list(snapshot)
        groups = [over("whole", "", "全部", members, lambda gaps: gaps)]
        parts = [over(*row) for row in _parts(snapshot, systems, source_labels)]
        groups += [g for g in parts if g.of == "system" or any(v.low is not None for v in g.values)]
    first = judged[groups[0].of, groups[0].name]
    place = _Place(snapshot, {s.name: s for s in systems}, holders)
    by_kind = _by_kind(members)
    steps = _steps(groups[0], by_id)
    rows = {value.id: rows for value, rows in zip(groups[0].values, first, strict=True)}
    found = scores(by_kind)
    return Readiness(
        snapshot=snapshot,
        year=year,
        title=only.title if only is not None else "",
        indicators=by_id,
        groups=groups,
        steps=steps,
        obstacles=[o for step in steps for o in place.obstacles(step.value.id, rows[step.value.id])],
        sites=found,
        gaps=place.obstacles(PARITY, rows.get(PARITY, [])),
        open_gaps=sum(1 for one in rows.get(PARITY, ()) if one.met == "m"),
        census=census(by_kind),
        plan=plan,
        trend=[_point(indicators, one, only, year, targets, plan) for one in earlier],
        departments={site.uid: place.department(site.uid) for site in found},
    )


def _of_system(system: System, members: Sequence[Resource], snapshot: Snapshot) -> Hiding:
    estate = estate_of(system, members, snapshot)
    return lambda gaps: relevant(system, gaps, estate)


_Part = tuple[GroupOf, str, str, Sequence[Resource], Hiding]


def _parts(
    snapshot: Snapshot,
    systems: Sequence[System],
    source_labels: Mapping[str, Mapping[str, str]],
) -> list[_Part]:
    """Systems, departments and levels, each with its resources and what may hide more of them."""
    of_system = {s.name: s.members(snapshot) for s in systems}
    hiding = {s.name: _of_system(s, of_system[s.name], snapshot) for s in systems}
    parts: list[_Part] = [("system", s.name, s.title, of_system[s.name], hiding[s.name]) for s in systems]
    labelled: dict[tuple[str, str], list[Resource]] = {}
    for resource in snapshot:
        if level := resource.labels.get("level"):
            labelled.setdefault(("level", level), []).append(resource)
        if name := resource.labels.get("department"):
            labelled.setdefault(("department", name), []).append(resource)
    for of, label in (("department", "department"), ("level", "level")):
        own = [s for s in systems if s.department] if of == "department" else []
        names = {s.department for s in own} | {n for kind, n in labelled if kind == of}
        names |= {labels[label] for labels in source_labels.values() if labels.get(label)}
        for name in sorted(names):
            mine = [s for s in own if s.department == name]
            rows = {r.uid: r for s in mine for r in of_system[s.name]}
            rows |= {r.uid: r for r in labelled.get((of, name), ())}
            sources = {r.source for r in labelled.get((of, name), ())}
            sources |= {s for s, labels in source_labels.items() if labels.get(label) == name}
            may = _either([hiding[s.name] for s in mine], sources)
            if rows or sources:
                parts.append((of, name, name, list(rows.values()), may))  # type: ignore[arg-type]
    return parts


def _either(hiding: Sequence[Hiding], sources: set[str]) -> Hiding:
    """What may hide resources of any of some systems, or of what some sources show."""

    def may(gaps: Sequence[Unseen]) -> Sequence[Unseen]:
        taken = {id(gap) for one in hiding for gap in one(gaps)}
        return [gap for gap in gaps if gap.source in sources or id(gap) in taken]

    return may


def _by_kind(members: Iterable[Resource]) -> dict[str, Sequence[Resource]]:
    found: dict[str, list[Resource]] = {}
    for one in members:
        found.setdefault(one.KIND, []).append(one)
    return dict(found)


def missing_to_target(value: IndicatorValue) -> int:
    """How many more things must surely meet an indicator until its low end reaches the target; 0 where it
    does, or where there is no target."""
    if value.target is None or value.low is None:
        return 0
    total = value.met + value.short + value.open
    if value.better == "less":
        return max(0, value.met + value.open - int(Fraction(value.target) * total))
    return max(0, ceil(Fraction(value.target) * total) - value.met)


def _steps(whole: Group, by_id: Mapping[str, Indicator]) -> list[Step]:
    """What is below its target: first what surely is, security before what IPv4 alone keeps alive, then what
    the most things miss."""
    steps = [
        Step(
            value=value,
            group=by_id[value.id].group,
            advice=by_id[value.id].advice,
            single_stack=by_id[value.id].single_stack,
            missing=missing_to_target(value),
        )
        for value in whole.values
        if value.short and value.better == "more" and value.target is not None
        if value.verdict is not Verdict.PASS
    ]
    return sorted(
        steps,
        key=lambda s: (
            s.value.verdict is not Verdict.FAIL,
            s.group != "安全对等",
            not s.single_stack,
            -s.value.short,
        ),
    )


class _Place:
    """Where things are: the names, systems and departments of uids."""

    def __init__(
        self, snapshot: Snapshot, systems: Mapping[str, System], holders: Mapping[str, tuple[str, ...]]
    ) -> None:
        self._snapshot = snapshot
        self._systems = systems
        self._holders = holders

    def obstacles(self, indicator: str, judged: Sequence[Judged]) -> list[Obstacle]:
        """Those that surely do not meet it, of the weightiest systems first."""
        found = [self._obstacle(indicator, one) for one in judged if one.met == "n" and one.counted == "y"]
        return sorted(
            found, key=lambda o: (_WEIGHT.get(o.weight, 3), o.source, o.kind, o.name, o.detail, o.uid)
        )

    def department(self, uid: str) -> str:
        """Of the systems that hold it, else its own label."""
        own = [self._systems[name].department for name in self._holders.get(uid, ())]
        names = list(dict.fromkeys(filter(None, own)))
        held = self._snapshot.get(uid)
        return "、".join(names) or (held.labels.get("department", "") if held else "")

    def _obstacle(self, indicator: str, one: Judged) -> Obstacle:
        held = self._snapshot.get(one.uid)
        source, kind, native = (*one.uid.split("/", 2), "", "")[:3]
        systems = [self._systems[name] for name in self._holders.get(one.uid, ())]
        return Obstacle(
            indicator=indicator,
            uid=one.uid,
            kind=held.KIND if held else kind,
            source=source,
            home=self._home(held),
            name=self._name(held, native),
            detail=one.detail,
            systems=tuple(s.title for s in systems),
            department=self.department(one.uid),
            weight=min((s.importance for s in systems), key=lambda w: _WEIGHT[w], default=""),
        )

    def _home(self, held: Resource | None) -> str:
        if held is None:
            return ""
        for uid in (*held.related("in_project"), *held.related("in_namespace")):
            whole = self._snapshot.get(uid)
            if whole is not None and known(whole.name) and whole.name:
                return whole.name
        return ""

    def _name(self, held: Resource | None, native: str) -> str:
        """What people call it; what is part of something is named with that."""
        if held is None:
            return native
        own = held.name if known(held.name) and held.name else held.native_id
        owners = (*held.related("runs_on"), *held.related("part_of"))
        for uid in owners if held.KIND in ("listener", "interface") else ():
            owner = self._snapshot.get(uid)
            if owner is not None:
                name = owner.name if known(owner.name) and owner.name else owner.native_id
                return f"{name} 的 {own}"
        return own


def _point(
    indicators: Mapping[str, Indicator],
    snapshot: Snapshot,
    only: System | None,
    year: int,
    targets: Targets,
    plan: Sequence[PlannedPrefix],
) -> Point:
    members = list(snapshot) if only is None else only.members(snapshot)
    hiding: Hiding = (lambda gaps: gaps) if only is None else _of_system(only, members, snapshot)
    told = told_over(indicators, members, snapshot, hiding, year=year, targets=targets, plan=plan)
    shares = {v.id: (v.low, v.high) for v, _ in told if v.low is not None and v.high is not None}
    return Point(taken_at=snapshot.info.taken_at, shares=shares)
