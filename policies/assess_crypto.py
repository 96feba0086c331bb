"""密评 of a system: units from what rules saw and people told, their score as a range, the high risks. Pure.

Facts go in (``policies.crypto_facts``), a score comes out (``policies.scoring.miping``); here the two are put
together into an assessment like any other.
"""

from __future__ import annotations

from collections.abc import Collection as Several
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Literal, NamedTuple

from inventory.answers import Answer
from inventory.daily import day_of
from inventory.resource import Resource
from inventory.snapshot import Snapshot
from inventory.systems import System
from policies.answered import People, says
from policies.answered_crypto import Said, answered_facts, settled
from policies.answers import WARN_DAYS, current
from policies.assess import links_of, read_of, spoken, touched_by
from policies.assessment import Assessment, Control, ControlVerdict, HighRisk, ObjectVerdict
from policies.assets import OBJECT_TITLE, estate_of
from policies.bounds import told, verdict_of
from policies.crypto import CryptoEdition, CryptoScore, ObjectScore, UnitFacts, UnitScore
from policies.crypto_facts import Looked, Scene, UnitReading, with_answers
from policies.high_risk import high_risks
from policies.outcome import Outcome
from policies.priorities import assumed, priorities
from policies.readings import readings_of, relevant_gaps
from policies.scope import BY_PERSON
from policies.scoring.miping import concluded, layers_of, method
from policies.standards import Standard
from policies.verdict import Verdict

NOT_LOOKED = "没有自动检查，D、A、K 须由人核查"
NOTHING_FOUND = "自动检查没有发现不符合；D、A、K 仍须由人核查"


def assess_crypto(
    system: System,
    standard: Standard,
    outcomes: Sequence[Outcome],
    snapshot: Snapshot,
    *,
    edition: CryptoEdition = "2023",
    parameters: Mapping[str, str] | None = None,
    people: Mapping[str, UnitFacts] | None = None,
    members: Sequence[Resource] | None = None,
    program: str = "",
    answers: Iterable[Answer] = (),
    today: date | None = None,
    warn_days: int = WARN_DAYS,
    ranked: bool = False,
    assume: Several[str] = (),
) -> Assessment:
    """One system against 密评, at ``system.crypto_level``; its ``score`` is a ``CryptoScore``.

    ``answers`` are people's, of any system, oldest first; they must hold ``today`` (the snapshot's day).
    ``people``: what a program tells beside, by unit code; objects by the uid of what they are about, or by
    the words of what was not covered. ``ranked``: tell what to fix first; ``assume``: rules (ids) to tell the
    score without whose failures. Raises ValueError as ``policies.scoring.miping`` does, for parameters
    and for what is told.
    """
    chosen_method = method(standard, edition, parameters)
    level = system.crypto_level
    resources = system.members(snapshot) if members is None else members
    estate = estate_of(system, resources, snapshot)
    chosen = standard.at_level(level)
    links = links_of(standard, chosen, outcomes)
    gaps = relevant_gaps(system, outcomes, estate)
    readings = readings_of(outcomes, estate, gaps)
    scene = Scene(system, standard, outcomes, readings, estate, gaps, resources)
    technical = {c.id for c in chosen if standard.layers[standard.crypto[c.id].layer].technical}
    units = {c.code: scene.read(c, links.get(c.id, [])) for c in chosen if c.id in technical}
    day = today or day_of(snapshot.info.taken_at)
    held = current(answers, system.name, standard.name)

    def judged(seen: Scene, units: Mapping[str, UnitReading]) -> _Judged:
        persons = People(held, day, warn_days)
        told_by, said = answered_facts(persons, [(c, units.get(c.code)) for c in chosen])
        facts = {code: reading.facts for code, reading in units.items()} | told_by
        for code, told_ in (people or {}).items():
            facts[code] = with_answers(facts.get(code, UnitFacts()), told_)
        facts = settled(persons, facts, said)
        layers = layers_of(standard, chosen_method, level, facts)
        verdicts = _Verdicts(system, facts, said, {*(people or ()), *(c for c, by in said.items() if by)})
        by_control = {unit.control: unit for layer in layers for unit in layer.units}
        controls = [verdicts.of(c, by_control[c.id], units.get(by_control[c.id].code)) for c in chosen]
        risks = high_risks(system, standard, controls, outcomes, seen.readings, level=level)
        risks = persons.risks(risks)
        return _Judged(persons, controls, risks, concluded(standard, chosen_method, level, layers, risks))

    def if_fixed(rules: Several[str]) -> CryptoScore:
        fixed = {index for index, outcome in enumerate(outcomes) if outcome.rule.id in rules}
        other = scene.mended(fixed)
        touched = touched_by(links, fixed) & technical
        again = {c.code: other.read(c, links[c.id]) for c in chosen if c.id in touched}
        return judged(other, units | again).score

    persons, controls, risks, scored = judged(scene, units)
    findings, unseen = spoken(links, risks, outcomes, estate, gaps)
    by_id = {outcome.rule.id: outcome.rule for outcome in outcomes}
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
        answers=persons.uses(),
        priorities=priorities(by_id, findings, controls, risks, len(estate.assets), scored, if_fixed)
        if ranked
        else [],
        assumed=assumed(assume, findings, if_fixed) if assume else None,
    )


class _Judged(NamedTuple):
    """What came of the facts, and who said what of them."""

    people: People
    controls: list[ControlVerdict]
    risks: list[HighRisk]
    score: CryptoScore


class _Verdicts:
    """Units as verdicts over their objects, as every assessment has them."""

    def __init__(
        self, system: System, facts: Mapping[str, UnitFacts], said: Said, answered: Several[str]
    ) -> None:
        self.system = system
        self.facts = facts
        self.said = said
        self.answered = answered
        self._untouched: dict[str, ObjectVerdict] = {}

    def of(self, control: Control, unit: UnitScore, reading: UnitReading | None) -> ControlVerdict:
        """One unit. Clues stand after its objects: they are unknown, with the rules that failed."""
        looked = reading.looked if reading else {}
        said = self.said.get(unit.code, {})
        objects = [self._object(s, looked.get(s.name), said.get(s.name)) for s in unit.objects]
        objects += [
            ObjectVerdict(
                asset=o.name,
                verdict=Verdict.NOT_APPLICABLE,
                reason=says(said[o.name]) if o.name in said else "由人认定不适用",
                checks={},
                origin="person",
            )
            for o in self.facts.get(unit.code, UnitFacts()).objects
            if not o.applicable
        ]
        objects += [_clue(uid, found) for uid, found in (reading.clues if reading else {}).items()]
        return ControlVerdict(
            control=control,
            verdict=unit.verdict,
            origin=self._origin(unit),
            reason=self._reason(control, unit),
            objects=objects,
            uncovered=unit.uncovered,
            bounds=told(unit.bounds) if unit.bounds else None,
        )

    def _object(self, scored: ObjectScore, looked: Looked | None, answer: Answer | None) -> ObjectVerdict:
        if looked is None and scored.d is scored.a is scored.k is None:
            if scored.name not in self._untouched:
                self._untouched[scored.name] = ObjectVerdict(
                    asset=scored.name, verdict=Verdict.UNKNOWN, reason=NOT_LOOKED, checks={}
                )
            return self._untouched[scored.name]
        return ObjectVerdict(
            asset=scored.name,
            verdict=verdict_of(scored.bounds),
            reason=_why(scored, looked, answer),
            checks=looked.checks if looked else {},
            findings=looked.findings if looked else (),
            bounds=told(scored.bounds),
            origin="person" if answer else "auto",
        )

    def _origin(self, unit: UnitScore) -> Literal["auto", "person", "none"]:
        if unit.verdict is Verdict.UNKNOWN:
            return "none"
        if unit.code in self.answered or unit.verdict is Verdict.NOT_APPLICABLE:
            return "person"
        return "auto"

    def _reason(self, control: Control, unit: UnitScore) -> str:
        if unit.verdict is Verdict.NOT_APPLICABLE:
            if unit.code in self.answered:
                whole = self.said.get(unit.code, {}).get("")
                return says(whole) if whole else "由人认定不适用"
            return "系统声明没有这类对象：" + "、".join(OBJECT_TITLE.get(t, t) for t in control.objects)
        if set(control.objects) <= {"organization"}:
            whole = self.said.get(unit.code, {}).get("")
            if whole is not None:
                return says(whole)
            return BY_PERSON if unit.verdict is Verdict.UNKNOWN else "由人确认"
        parts = []
        denied = [sum(1 for o in unit.objects if getattr(o, j) is False) for j in ("d", "a", "k")]
        if unit.objects:
            words = "，".join(f"{j} 不符合 {n} 个" for j, n in zip("DAK", denied, strict=True) if n)
            parts.append(f"{len(unit.objects)} 个对象：{words or '没有查到不符合'}")
        by_person = sum(1 for name in self.said.get(unit.code, {}) if name)
        if by_person:
            parts.append(f"{by_person} 个由人判定")
        if unit.uncovered:
            parts.append(f"未清点：{'、'.join(unit.uncovered)}")
        if any(None in (o.d, o.a, o.k) and o.d is not False for o in unit.objects):
            parts.append("其余 D、A、K 须由人核查")
        return "；".join(parts)


def _why(scored: ObjectScore, looked: Looked | None, answer: Answer | None) -> str:
    failed = looked.failed if looked else {}
    parts = [f"{j} 不符合：{'、'.join(failed[j])}" for j in ("D", "A") if j in failed]
    told_ = [
        f"{word} {'符合' if value else '不符合'}（由人确认）"
        for word, value in (("D", scored.d), ("A", scored.a), ("K", scored.k))
        if value is not None and word not in failed
    ]
    open_ = [w for w, v in (("D", scored.d), ("A", scored.a), ("K", scored.k)) if v is None]
    if "" in failed:
        parts.append(f"线索：{'、'.join(failed[''])}")
    parts += [says(answer)] if answer else told_
    if not parts:
        return (looked.missing if looked else "") or NOTHING_FOUND
    if open_ and scored.d is not False:
        parts.append(f"{'、'.join(open_)} 须由人核查")
    return "；".join(parts)


def _clue(uid: str, found: Looked) -> ObjectVerdict:
    titles = "、".join(title for titles in found.failed.values() for title in titles)
    return ObjectVerdict(
        asset=uid,
        verdict=Verdict.UNKNOWN,
        reason=f"线索：{titles}；不能据此判定本单元",
        checks=found.checks,
        findings=found.findings,
    )
