"""密评: what machines saw of each unit, as facts to be scored, and what people add to it. Pure.

A rule that fails denies D or A of what it looked at where it says so (``Rule.denies``); else it is a clue. No
rule shows that D, A or K is met: machines lower the high end of a range alone; what they do not deny stays
a person's to judge. Objects of a unit on channels are the resources that end one (a load balancer, the
interfaces of a cloud), those of the other units are assets.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from copy import copy
from typing import Literal

import msgspec

from inventory.kinds import KINDS
from inventory.kinds.crypto import Certificate
from inventory.resource import Resource
from inventory.systems import System
from inventory.unknown import or_none
from policies.assessment import Control
from policies.assets import OBJECT_TITLE, Estate
from policies.crypto import CryptoObject, UnitFacts
from policies.outcome import Outcome
from policies.readings import BLIND, FAIL, NONE_APPLIES, PASS, Readings, mended
from policies.scope import Link
from policies.standards import Standard
from policies.verdict import Unseen, Verdict

CHANNELS = "信道（是否列全须由人确认）"
_CHECK = {FAIL: Verdict.FAIL, BLIND: Verdict.UNKNOWN, PASS: Verdict.PASS}
_Denied = Literal["D", "A", ""]


class Looked(msgspec.Struct, kw_only=True, frozen=True):
    """What rules found on one thing. ``failed``: titles of rules by what they deny, D, A, or "" for a clue;
    ``missing`` tells what was not seen (中文). ``judged``: a rule that could deny something saw enough of it
    to pass or fail."""

    checks: dict[str, Verdict]
    failed: dict[_Denied, list[str]]
    findings: tuple[str, ...] = ()
    missing: str = ""
    judged: bool = False


class UnitReading(msgspec.Struct, kw_only=True, frozen=True):
    """One unit as machines see it: its facts, what rules found on its objects (those they looked at), and
    the clues on other things, both by uid."""

    facts: UnitFacts
    looked: dict[str, Looked]
    clues: dict[str, Looked]


class Scene:
    """What every unit of a system is read against. ``gaps``: of each outcome, those that concern it;
    ``members`` tell which end of a channel shows which certificate."""

    def __init__(
        self,
        system: System,
        standard: Standard,
        outcomes: Sequence[Outcome],
        readings: Readings,
        estate: Estate,
        gaps: Sequence[Sequence[Unseen]],
        members: Sequence[Resource] = (),
    ) -> None:
        self.system = system
        self.standard = standard
        self.outcomes = outcomes
        self.readings = readings
        self.estate = estate
        self.gaps = gaps
        self._showing: dict[str, list[Resource]] = {}
        for resource in members:
            for shown in resource.related("terminates_tls"):
                self._showing.setdefault(shown, []).append(resource)
        # one value for all units: a hundred thousand assets may stand under each of many
        self._untouched = [CryptoObject(name=a.uid, title=a.name) for a in estate.assets]
        self._by_type: dict[str, list[int]] = {}
        for position, asset in enumerate(estate.assets):
            for type_ in asset.types:
                self._by_type.setdefault(type_, []).append(position)

    def mended(self, fixed: Collection[int]) -> Scene:
        """The same scene, had these outcomes found nothing wrong."""
        other = copy(self)
        other.outcomes = [
            msgspec.structs.replace(o, failed=[], findings=[]) if i in fixed else o
            for i, o in enumerate(self.outcomes)
        ]
        other.readings = mended(self.readings, fixed)
        return other

    def read(self, control: Control, links: Sequence[Link]) -> UnitReading:
        """One technical unit."""
        denies = {index: self._denies(index, control) for index, _ in links}
        on_channels = "channel" in control.objects
        objects, looked = self._channels(denies) if on_channels else ({}, {})
        on_assets = [i for i, denied in denies.items() if not (on_channels and denied)]
        clues: dict[str, Looked] = {}
        rows = [self.readings.masks[i] for i in on_assets]
        for position, (due, *masks) in enumerate(zip(self._speaks_to(control), *rows, strict=True)):
            if not any(masks):
                if due:
                    objects[self._untouched[position].name] = self._untouched[position]
                continue
            found = [(i, mask) for i, mask in zip(on_assets, masks, strict=True) if mask & ~NONE_APPLIES]
            asset = self.estate.assets[position]
            told = self._looked(asset.uid, found, denies)
            if due or any(denies[i] for i, _ in found):
                objects[asset.uid] = _object(asset.uid, asset.name, told)
                looked[asset.uid] = told
            elif told.failed:
                clues[asset.uid] = told
        if not objects and all(t in self.system.absent_objects for t in control.objects):
            return UnitReading(facts=UnitFacts(verdict=Verdict.NOT_APPLICABLE), looked={}, clues=clues)
        uncovered = [*self._unlisted(control), *self._lost(denies, on_channels)]
        facts = UnitFacts(objects=tuple(objects.values()), uncovered=tuple(dict.fromkeys(uncovered)))
        return UnitReading(facts=facts, looked=looked, clues=clues)

    def _speaks_to(self, control: Control) -> bytearray:
        """Per asset, whether the unit speaks to its type."""
        speaks = bytearray(len(self._untouched))
        for type_ in control.objects:
            for position in self._by_type.get(type_, ()):
                speaks[position] = 1
        return speaks

    def _denies(self, index: int, control: Control) -> _Denied:
        for judgement, units in self.outcomes[index].rule.denies.items():
            for unit in units:
                if unit.startswith(f"{self.standard.name}/") and control.id in self.standard.counterparts(
                    unit
                ):
                    return judgement
        return ""

    def _looked(self, asset: str, found: Sequence[tuple[int, int]], denies: Mapping[int, _Denied]) -> Looked:
        failed: dict[_Denied, list[str]] = {}
        for index, mask in found:
            if mask & FAIL:
                failed.setdefault(denies[index], []).append(self.outcomes[index].rule.title)
        return Looked(
            checks={self.outcomes[i].rule.id: _check(mask) for i, mask in found},
            failed=failed,
            findings=tuple(f for i, _ in found for f in self.readings.findings[i].get(asset, ())),
            missing=next((t for i, _ in found if (t := self.readings.missing[i].get(asset))), ""),
            judged=any(denies[i] and mask & (PASS | FAIL) for i, mask in found),
        )

    def _channels(self, denies: Mapping[int, _Denied]) -> tuple[dict[str, CryptoObject], dict[str, Looked]]:
        """Members that end a channel: those a denying rule applies to, itself or through what they show."""
        ends: dict[str, Resource] = {}
        answers: dict[str, dict[int, list[tuple[str, int]]]] = {}
        for index in (i for i, denied in denies.items() if denied):
            outcome = self.outcomes[index]
            special = dict.fromkeys(outcome.failed, FAIL)
            special |= dict.fromkeys(outcome.unknown, BLIND) | dict.fromkeys(outcome.excluded, NONE_APPLIES)
            for place, resource in enumerate(outcome.resources):
                answer = special.get(place, PASS)
                if answer == NONE_APPLIES or resource.uid not in self.estate.owner:
                    continue
                for end in self._ends(resource):
                    ends[end.uid] = end
                    answers.setdefault(end.uid, {}).setdefault(index, []).append((resource.uid, answer))
        found = {(f.rule, f.uid): f.id for i in denies for f in self.outcomes[i].findings}
        unseen = {(u.rule, u.uid): u.missing for i in denies for u in self.outcomes[i].unseen}
        looked = {}
        for uid, rows in answers.items():
            failed: dict[_Denied, list[str]] = {}
            checks = {}
            for index, parts in rows.items():
                mask = 0
                for _, answer in parts:
                    mask |= answer
                checks[self.outcomes[index].rule.id] = _check(mask)
                if mask & FAIL:
                    failed.setdefault(denies[index], []).append(self.outcomes[index].rule.title)
            ids = [(self.outcomes[index].rule.id, part) for index, parts in rows.items() for part, _ in parts]
            looked[uid] = Looked(
                checks=checks,
                failed=failed,
                findings=tuple(found[key] for key in ids if key in found),
                missing=next((f"没有看到：{text}" for key in ids if (text := unseen.get(key))), ""),
                judged=any(verdict is not Verdict.UNKNOWN for verdict in checks.values()),
            )
        return {uid: _object(uid, _title(ends[uid]), told) for uid, told in looked.items()}, looked

    def _ends(self, resource: Resource) -> Sequence[Resource]:
        """The ends of channels that a resource speaks for: itself, a certificate for those that show it. What
        is only sent along (intermediate certificates) and what no member shows ends none."""
        return self._showing.get(resource.uid, ()) if resource.KIND == Certificate.KIND else (resource,)

    def _unlisted(self, control: Control) -> list[str]:
        """Object types of the unit that the inventory does not show and nobody declared absent; channels are
        never known to be all there are."""
        return [
            CHANNELS if t == "channel" else OBJECT_TITLE.get(t, t)
            for t in control.objects
            if t not in self._by_type and t not in self.system.absent_objects
        ]

    def _lost(self, denies: Mapping[int, _Denied], on_channels: bool) -> list[str]:
        """Sources that may hold objects nobody saw, as far as a denying rule reads them."""
        lost = [text for i in denies for text in self.readings.lost[i]]
        if on_channels:
            lost += [
                f"{gap.source} 的{KINDS[gap.kind].TITLE if gap.kind in KINDS else gap.kind}"
                for i, denied in denies.items()
                for gap in self.gaps[i]
                if denied and gap.kind != Certificate.KIND  # the ends that show them are counted
            ]
        return lost


def with_answers(seen: UnitFacts, told: UnitFacts) -> UnitFacts:
    """Facts of a unit with a person's beside them.

    A person fills in what machines left open, adds objects, and may say that one does not apply; what was
    seen to fail stays failed. An object that is called as one of ``uncovered`` stands in its place.
    """
    answers = {o.name: o for o in told.objects}
    names = {o.name for o in seen.objects}
    objects = [_filled(o, answers[o.name]) if o.name in answers else o for o in seen.objects]
    return UnitFacts(
        objects=(*objects, *(o for o in told.objects if o.name not in names)),
        uncovered=tuple(u for u in (*seen.uncovered, *told.uncovered) if u not in answers),
        verdict=seen.verdict if told.verdict is Verdict.UNKNOWN else told.verdict,
    )


def _filled(seen: CryptoObject, told: CryptoObject) -> CryptoObject:
    def of(judgement: Literal["d", "a", "k"]) -> bool | None:
        known: bool | None = getattr(seen, judgement)
        answer: bool | None = getattr(told, judgement)
        return known if known is not None else answer

    return msgspec.structs.replace(
        told,
        title=told.title or seen.title,
        d=of("d"),
        a=of("a"),
        k=of("k"),
        applicable=seen.applicable and told.applicable,
    )


def _object(uid: str, title: str, looked: Looked) -> CryptoObject:
    return CryptoObject(
        name=uid,
        title=title,
        d=False if "D" in looked.failed else None,
        a=False if "A" in looked.failed else None,
    )


def _title(resource: Resource) -> str:
    namespace = or_none(getattr(resource, "namespace", None))
    name = or_none(resource.name) or resource.native_id
    return f"{resource.TITLE} {namespace}/{name}" if namespace else f"{resource.TITLE} {name}"


def _check(mask: int) -> Verdict:
    """What one rule found on one asset, fails first: a pass beside a fail changes nothing here."""
    return next(verdict for bit, verdict in _CHECK.items() if mask & bit)
