"""The assessment: outcomes of rules, put together per control and asset. Pure.

The way is: outcomes → what each rule found on each asset (one pass over what is special, never resource ×
control) → per control and asset → per control (``policies.scope``).
"""

from __future__ import annotations

from collections.abc import Collection as Several
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from types import MappingProxyType

from inventory.answers import Answer
from inventory.coverage import Collection
from inventory.daily import day_of
from inventory.resource import Resource
from inventory.snapshot import Snapshot
from inventory.systems import System
from policies.answered import People
from policies.answers import WARN_DAYS, held
from policies.assessment import (
    AnyScore,
    Assessment,
    Control,
    ControlVerdict,
    Edition,
    HighRisk,
)
from policies.assets import Estate, estate_of
from policies.high_risk import high_risks
from policies.indicators import Targets, by_share, values_of
from policies.inheritance import with_inherited
from policies.outcome import Outcome
from policies.priorities import assumed, priorities
from policies.readings import mended, readings_of, relevant_gaps
from policies.scope import Link, Scope
from policies.scoring.dengbao import score
from policies.scoring.method import method
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
    ranked: bool = False,
    assume: Several[str] = (),
) -> Assessment:
    """One system against one standard.

    ``outcomes`` may be over this system's ``members`` alone or over more: what is no member is left out.
    Findings are those of rules that speak to what the grade asks for. ``parameters`` replace values of the
    edition's open points, ``importance`` (control id → 关键, 重要 or 一般) the default of 一般.
    ``answers`` are people's, of any system, oldest first; they must hold ``today`` (the snapshot's day).
    ``targets`` replace those of indicators. A standard without editions is not scored.
    ``ranked``: tell what to fix first; ``assume``: rules (ids) to tell the score without whose failures.
    Raises ValueError for a parameter that the edition does not have, or a value it does not allow, and for a
    target of no indicator.
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
        standard.indicators, system, resources, snapshot, estate, today=day, targets=targets
    )
    given = held(answers, system.name, standard)
    people = People(given, day, warn_days)
    machine = by_share([scope.control(c, links.get(c.id, [])) for c in chosen], indicators)
    controls = people.controls(machine)
    # before inheriting: what the platform's report says clears no risk of the tenant's own
    risks = people.risks(high_risks(system, standard, controls, outcomes, readings))
    names = (standard.name, *standard.bases)
    controls, inheritance = with_inherited(controls, system, names, day, warn_days)
    findings, unseen = spoken(links, risks, outcomes, estate, gaps)

    def figure(of: list[ControlVerdict], with_: list[HighRisk], faults: list[Finding]) -> AnyScore:
        if chosen_method is None:
            return unscored(standard, of)
        return score(chosen_method, of, with_, faults, importance)

    scored = figure(controls, risks, findings)

    def if_fixed(rules: Several[str]) -> AnyScore:
        fixed = {index for index, outcome in enumerate(outcomes) if outcome.rule.id in rules}
        seen = mended(readings, fixed)
        touched = touched_by(links, fixed)
        other, persons = scope.seeing(seen), People(given, day, warn_days)
        now = persons.controls(
            by_share(
                [
                    other.control(c, links[c.id]) if c.id in touched else was
                    for c, was in zip(chosen, machine, strict=True)
                ],
                indicators,
            )
        )
        left = persons.risks(high_risks(system, standard, now, outcomes, seen))
        now, _ = with_inherited(now, system, names, day, warn_days)
        return figure(now, left, [f for f in findings if f.rule not in rules])

    by_id = {outcome.rule.id: outcome.rule for outcome in outcomes}
    first = (
        priorities(by_id, findings, controls, risks, len(estate.assets), scored, if_fixed) if ranked else []
    )
    collections, stale = read_of(resources, gaps, estate, snapshot)
    return Assessment(
        system=system,
        standard=standard.name,
        standard_title=standard.title,
        taken_at=snapshot.info.taken_at,
        snapshot=snapshot.info.id,
        program=program,
        score=scored,
        controls=controls,
        high_risks=risks,
        assets=estate.assets,
        findings=findings,
        unseen=unseen,
        collections=collections,
        stale=stale,
        answers=people.uses(),
        indicators=indicators,
        inheritance=inheritance,
        priorities=first,
        assumed=assumed(assume, findings, if_fixed) if assume else None,
    )


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
