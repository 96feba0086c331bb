"""The assessment: outcomes of rules, put together per control and asset. Pure.

The way is: outcomes → what each rule found on each asset (one pass over what is special, never resource ×
control) → per control and asset → per control (``policies.scope``).
"""

from __future__ import annotations

from collections.abc import Collection as Several
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from types import MappingProxyType
from typing import NamedTuple

from inventory.answers import Answer, AnswerKey
from inventory.coverage import Collection
from inventory.daily import day_of
from inventory.resource import Resource
from inventory.snapshot import Snapshot
from inventory.systems import System
from policies.answered import People
from policies.answers import WARN_DAYS, held
from policies.assessment import (
    AnswerUse,
    AnyScore,
    Assessment,
    Control,
    ControlVerdict,
    Edition,
    HighRisk,
    IndicatorValue,
    Inheritance,
    Priority,
    Split,
)
from policies.assets import Estate, estate_of
from policies.high_risk import high_risks
from policies.indicators import Targets, by_share, values_of
from policies.inheritance import with_inherited
from policies.ipv6.plan import PlannedPrefix
from policies.outcome import Outcome
from policies.priorities import IfFixed, assumed, priorities
from policies.readings import Readings, mended, readings_of, relevant_gaps
from policies.responsibilities import with_duties
from policies.scope import Link, Scope
from policies.scoring.dengbao import score
from policies.scoring.method import Method, method
from policies.scoring.shares import unscored
from policies.standards import Standard
from policies.verdict import SEVERITIES, Finding, Unseen


def assess(
    system: System,
    standard: Standard,
    outcomes: Sequence[Outcome],
    snapshot: Snapshot,
    *,
    edition: Edition = "2025",
    parameters: Mapping[str, str] | None = None,
    importance: Mapping[str, str] | None = None,
    members: Sequence[Resource] | None = None,
    program: str = "",
    answers: Iterable[Answer] = (),
    today: date | None = None,
    warn_days: int = WARN_DAYS,
    targets: Targets = MappingProxyType({}),
    plan: Sequence[PlannedPrefix] = (),
    ranked: bool = False,
    assume: Several[str] = (),
) -> Assessment:
    """One system against one standard.

    ``outcomes`` may be over this system's ``members`` alone or over more: what is no member is left out.
    Findings are those of rules that speak to what the grade asks for. ``parameters`` replace values of the
    edition's open points, ``importance`` (control id → 关键, 重要 or 一般) the default of 一般.
    ``answers`` are people's, of any system, oldest first; they must hold ``today`` (the snapshot's day).
    ``targets`` replace those of indicators, ``plan`` is that of IPv6 addresses. A standard without editions
    is not scored. ``ranked``: tell what to fix first; ``assume``: rules (ids) to tell the score without whose
    failures. Raises ValueError for a parameter that the edition does not have, or a value it does not allow,
    and for a target of no indicator.
    """
    chosen_method = method(standard, edition, parameters) if standard.editions else None
    resources = system.members(snapshot) if members is None else members
    estate = estate_of(system, resources, snapshot)
    chosen = standard.chosen(system.graded, cloud=system.cloud != "none")
    links = links_of(standard, chosen, outcomes)
    gaps = relevant_gaps(system, outcomes, estate)
    readings = readings_of(outcomes, estate, gaps)
    unlisted = chosen_method["unlisted_objects"] if chosen_method else "unknown"
    scope = Scope(system, standard, estate, outcomes, readings, snapshot, unlisted)
    day = today or day_of(snapshot.info.taken_at)
    indicators = values_of(
        standard.indicators, system, resources, snapshot, estate, today=day, targets=targets, plan=plan
    )
    given = held(answers, system.name, standard)
    bench = _Bench(system, standard, outcomes, indicators, given, day, warn_days, chosen_method, importance)
    machine = [scope.control(c, links.get(c.id, [])) for c in chosen]
    found = bench.concluded(machine, readings)
    findings, unseen = spoken(links, found.risks, outcomes, estate, gaps)
    scored = bench.figure(found, findings)
    if_fixed = _fixing(bench, scope, links, machine, findings)
    by_id = {outcome.rule.id: outcome.rule for outcome in outcomes}
    first: list[Priority] = []
    if ranked:
        first = priorities(by_id, findings, found.controls, found.risks, len(estate.assets), scored, if_fixed)
    collections, stale = read_of(resources, gaps, estate, snapshot)
    return Assessment(
        system=system,
        standard=standard.name,
        standard_title=standard.title,
        taken_at=snapshot.info.taken_at,
        snapshot=snapshot.info.id,
        program=program,
        score=scored,
        controls=found.controls,
        high_risks=found.risks,
        assets=estate.assets,
        findings=findings,
        unseen=unseen,
        collections=collections,
        stale=stale,
        answers=found.answers,
        indicators=indicators,
        inheritance=found.inheritance,
        split=found.split,
        priorities=first,
        assumed=assumed(assume, findings, if_fixed) if assume else None,
    )


class _Concluded(NamedTuple):
    """What stands of a system's controls and high risks once people and the platform have spoken too."""

    controls: list[ControlVerdict]
    risks: list[HighRisk]
    inheritance: Inheritance | None
    split: Split | None
    answers: list[AnswerUse]


class _Bench(NamedTuple):
    """What concludes an assessment besides what rules found: it is the same were something mended."""

    system: System
    standard: Standard
    outcomes: Sequence[Outcome]
    indicators: list[IndicatorValue]
    given: Mapping[AnswerKey, Answer]
    day: date
    warn_days: int
    method: Method[Edition] | None
    importance: Mapping[str, str] | None

    def concluded(self, machine: Sequence[ControlVerdict], readings: Readings) -> _Concluded:
        """Controls as rules have them, then by shares, by people, and as the platform's report has them."""
        people = People(self.given, self.day, self.warn_days)
        controls = people.controls(by_share(machine, self.indicators))
        # before inheriting: what the platform's report says clears no risk of the tenant's own
        risks = people.risks(high_risks(self.system, self.standard, controls, self.outcomes, readings))
        names = (self.standard.name, *self.standard.bases)
        controls, split = with_duties(controls, self.system, self.standard.responsibilities, names)
        controls, inheritance = with_inherited(controls, self.system, names, self.day, self.warn_days)
        return _Concluded(controls, risks, inheritance, split, people.uses())

    def figure(self, found: _Concluded, findings: Sequence[Finding]) -> AnyScore:
        """The score; that of no standard without editions."""
        if self.method is None:
            return unscored(self.standard, found.controls)
        return score(self.method, found.controls, found.risks, findings, self.importance)


def _fixing(
    bench: _Bench,
    scope: Scope,
    links: Mapping[str, Sequence[Link]],
    machine: Sequence[ControlVerdict],
    findings: Sequence[Finding],
) -> IfFixed:
    """What tells the score there would be without the failures of some rules. Only controls that one of them
    speaks to are judged anew."""

    def if_fixed(rules: Several[str]) -> AnyScore:
        fixed = {index for index, outcome in enumerate(bench.outcomes) if outcome.rule.id in rules}
        seen = mended(scope.readings, fixed)
        touched, other = touched_by(links, fixed), scope.seeing(seen)
        now = [
            other.control(was.control, links[was.control.id]) if was.control.id in touched else was
            for was in machine
        ]
        return bench.figure(bench.concluded(now, seen), [f for f in findings if f.rule not in rules])

    return if_fixed


def links_of(
    standard: Standard, chosen: Sequence[Control], outcomes: Sequence[Outcome]
) -> dict[str, list[Link]]:
    """Which rules speak to which control. A rule that names a requirement at one level speaks to the same
    requirement at every level, unless it names that one too; ids of other standards are left alone, a
    wrong id of this one is an error (StandardError)."""
    found: dict[str, dict[int, bool]] = {}
    for index, outcome in enumerate(outcomes):
        named = outcome.rule.controls
        told = dict.fromkeys(named.decides, True) | dict.fromkeys(named.supports, False)
        told = {c: d for c, d in told.items() if c.startswith(f"{standard.name}/") or c in standard}
        spread = {same: d for c, d in told.items() for same in standard.counterparts(c)}
        for control, decides in (spread | told).items():
            found.setdefault(control, {})[index] = decides
    return {c.id: sorted(found[c.id].items()) for c in chosen if c.id in found}


def touched_by(links: Mapping[str, Sequence[Link]], rules: Several[int]) -> set[str]:
    """The controls that any of these rules (indexes of outcomes) speaks to."""
    return {control for control, own in links.items() if any(index in rules for index, _ in own)}


def spoken(
    links: Mapping[str, Sequence[Link]],
    risks: Sequence[HighRisk],
    outcomes: Sequence[Outcome],
    estate: Estate,
    gaps: Sequence[Sequence[Unseen]],
) -> tuple[list[Finding], list[Unseen]]:
    """What the rules that speak to a control or a high risk found on the members, and what they missed."""
    speaking = {index for linked in links.values() for index, _ in linked}
    speaking |= {i for i, o in enumerate(outcomes) if any(r.case in o.rule.high_risk for r in risks)}
    findings = [f for i in sorted(speaking) for f in outcomes[i].findings if f.uid in estate.owner]
    findings.sort(key=lambda f: (SEVERITIES.index(f.severity), f.rule, f.uid))
    unseen = [u for i in sorted(speaking) for u in outcomes[i].unseen if u.uid in estate.owner]
    return findings, unseen + [g for i in sorted(speaking) for g in gaps[i]]


def read_of(
    resources: Sequence[Resource], gaps: Sequence[Sequence[Unseen]], estate: Estate, snapshot: Snapshot
) -> tuple[list[Collection], dict[str, datetime]]:
    """How the sources that concern a system were read, and its members that were not seen since when."""
    sources = {r.source for r in resources} | {g.source for gs in gaps for g in gs}
    stale = {uid: snapshot.stale[uid] for uid in estate.owner if uid in snapshot.stale}
    return [c for c in snapshot.collections if c.source in sources], stale
