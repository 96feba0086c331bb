"""One control on the assets of a system: what the rules that speak to it found there. Pure.

Nothing is 符合 that was not seen to be: see ``_judge``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from functools import lru_cache, reduce
from itertools import compress
from operator import or_

import msgspec

from inventory.kinds import KINDS
from inventory.snapshot import Snapshot
from inventory.systems import System
from policies.assessment import Control, ControlVerdict, ObjectVerdict
from policies.assets import OBJECT_TITLE, Estate
from policies.bounds import FAILED, PASSED, UNSEEN, bounds_of, together, told, verdict_of
from policies.decisions import Decision, sides_of, unheard
from policies.outcome import Outcome, Rule
from policies.readings import BLIND, FAIL, NONE_APPLIES, PASS, Readings
from policies.standards import Standard
from policies.verdict import Bounds, Verdict

NO_CHECK = "尚无自动检查"
BY_PERSON = "需人工核查"
PARTLY = "机器可见部分符合，其余待人工确认"
NOT_HERE = "现有检查不适用于该对象，其余待人工确认"


Link = tuple[int, bool]
"""A rule that speaks to a control: index of its outcome, and whether it decides."""


class _Judged(msgspec.Struct, frozen=True):
    """``failed``: some check failed; ``blind``: none did, and something was not seen."""

    verdict: Verdict
    bounds: Bounds | None
    reason: str
    checks: dict[str, Verdict]
    failed: bool = False
    blind: bool = False


class Scope:
    """What every control of the system is judged against."""

    def __init__(
        self,
        system: System,
        standard: Standard,
        estate: Estate,
        outcomes: Sequence[Outcome],
        readings: Readings,
        snapshot: Snapshot,
        unlisted: str,
    ) -> None:
        self.system = system
        self.decisions = standard.decisions
        self.rules = [o.rule for o in outcomes]
        self.by_id = {rule.id: rule for rule in self.rules}
        self.readings = readings
        self.unlisted = unlisted
        self.assets = [asset.uid for asset in estate.assets]
        sides = sides_of(self.assets, snapshot)
        self.sides = list(dict.fromkeys(sides))
        place = {side: index for index, side in enumerate(self.sides)}
        self.side_of = [place[side] for side in sides]
        self.by_type: dict[str, list[int]] = {}
        for position, asset in enumerate(estate.assets):
            for type_ in asset.types:
                self.by_type.setdefault(type_, []).append(position)
        self._unchecked: dict[tuple[int, str], ObjectVerdict] = {}

    def seeing(self, readings: Readings) -> Scope:
        """The same scope with other readings."""
        other = copy(self)
        other.readings = readings
        return other

    def control(self, control: Control, links: Sequence[Link]) -> ControlVerdict:
        """One control over the system's assets."""
        objects = self._objects(control, links)
        absent = [t for t in control.objects if t in self.system.absent_objects]
        if len(absent) == len(control.objects) and not objects:
            titles = "、".join(OBJECT_TITLE.get(t, t) for t in absent)
            return ControlVerdict(
                control=control,
                verdict=Verdict.NOT_APPLICABLE,
                origin="person",
                reason=f"系统声明没有这类对象：{titles}",
            )
        uncovered = (*self._unlisted(control), *self._lost(links))
        return _over_objects(control, objects, uncovered)

    def _objects(self, control: Control, links: Sequence[Link]) -> list[ObjectVerdict]:
        """Assets that a rule looked at, and those the control speaks to that no rule did. Most assets
        answer alike, so a control is judged once per combination of answers."""
        speaks = self._speaks_to(control)
        if not links and not any(speaks):
            return []
        why = NO_CHECK if control.automation == "technical-auto" else f"{NO_CHECK}，{BY_PERSON}"
        rows = [self.readings.masks[index] for index, _ in links]
        missing: dict[str, str] = {}
        for index, _ in reversed(links):  # the first that has a word of an asset tells it
            missing.update(self.readings.missing[index])
        findings = [found for index, _ in links if (found := self.readings.findings[index])]
        answered = _either(rows, len(speaks))
        concerned = _either([speaks, answered], len(speaks))
        judgements: dict[tuple[int, ...], _Judged] = {}
        objects = []
        for position in compress(range(len(speaks)), concerned):
            if not answered[position]:
                objects.append(self._not_checked(position, why))
                continue
            key = (self.side_of[position], *[row[position] for row in rows])
            judged = judgements.get(key)
            if judged is None:
                judged = judgements[key] = self._judged(control, links, key)
            asset = self.assets[position]
            objects.append(
                ObjectVerdict(
                    asset=asset,
                    verdict=judged.verdict,
                    reason=missing.get(asset) or judged.reason if judged.blind else judged.reason,
                    checks=judged.checks,
                    findings=_findings(asset, findings) if judged.failed else (),
                    bounds=judged.bounds,
                )
            )
        return objects

    def _judged(self, control: Control, links: Sequence[Link], key: tuple[int, ...]) -> _Judged:
        """A control on the assets of one side that gave these answers, one for each link."""
        side, masks = self.sides[key[0]], key[1:]
        decision = self.decisions.get(control.id)
        needed = decision.by.get(side.kind) if decision else None  # type: ignore[call-overload]
        spoke = [(self.rules[i], d, mask) for (i, d), mask in zip(links, masks, strict=True) if mask]
        if needed is None:
            wanted = PASS | FAIL if any(mask != NONE_APPLIES for _, _, mask in spoke) else NONE_APPLIES
            return _judge(
                control.automation, spoke, any(d and m & wanted for _, d, m in spoke), _rest(decision)
            )
        open_ = unheard(needed, side, self.by_id, {rule.id for rule, _, _ in spoke})
        kinds = dict.fromkeys(self.by_id[i].kind for i in open_ if i in self.by_id)
        titles = "、".join(KINDS[kind].TITLE for kind in kinds)
        lost = f"没有看到：{titles}" if titles else f"没有运行的规则：{'、'.join(open_)}"
        return _judge(control.automation, spoke, not open_, lost if open_ else _rest(decision))

    def _speaks_to(self, control: Control) -> bytearray:
        """Per asset, whether the control speaks to its type; a manual one is asked of people as a whole."""
        speaks = bytearray(len(self.assets))
        if control.automation != "manual":
            for type_ in control.objects:
                for position in self._of_type(control, type_):
                    speaks[position] = 1
        return speaks

    def _of_type(self, control: Control, type_: str) -> list[int]:
        """Places of the assets of a type that the control is asked of."""
        found = self.by_type.get(type_, [])
        decision = self.decisions.get(control.id)
        kinds = decision.asked_of(type_) if decision else None
        if kinds is None:
            return found
        return [p for p in found if self.sides[self.side_of[p]].kind in kinds]

    def _not_checked(self, position: int, why: str) -> ObjectVerdict:
        """One shared value per asset: a hundred thousand assets may stand under each of many controls."""
        shared = self._unchecked.get((position, why))
        if shared is None:
            shared = ObjectVerdict(
                asset=self.assets[position], verdict=Verdict.UNKNOWN, reason=why, checks={}
            )
            self._unchecked[position, why] = shared
        return shared

    def _unlisted(self, control: Control) -> tuple[str, ...]:
        """Object types of the control that the inventory does not show and nobody declared absent."""
        listed = {t for t in control.objects if self._of_type(control, t)}
        if self.unlisted == "ignore" and listed:
            return ()
        return tuple(
            OBJECT_TITLE.get(t, t)
            for t in control.objects
            if t not in listed and t not in self.system.absent_objects
        )

    def _lost(self, links: Iterable[Link]) -> tuple[str, ...]:
        """Sources that may hold assets which nobody saw, as far as a rule on this control reads them."""
        return tuple(dict.fromkeys(text for index, _ in links for text in self.readings.lost[index]))


def _either(rows: Iterable[bytes | bytearray], length: int) -> bytes:
    """The bits of all rows together, place by place."""
    bits = reduce(or_, (int.from_bytes(row, "big") for row in rows), 0)
    return bits.to_bytes(length, "big")


def _findings(asset: str, found: Iterable[Mapping[str, Sequence[str]]]) -> tuple[str, ...]:
    return tuple(f for of_rule in found for f in of_rule.get(asset, ()))


def _rest(decision: Decision | None) -> str:
    """What is said where all that was seen complies and does not decide."""
    return f"机器可见部分符合；待人工确认：{decision.left}" if decision and decision.left else PARTLY


def _judge(automation: str, spoke: Sequence[tuple[Rule, bool, int]], decided: bool, rest: str) -> _Judged:
    """One control on one asset, from what each of the rules that spoke found there.

    符合 needs all of: data can decide the control (technical-auto), what decides it has spoken, every rule
    passed, and nothing was unseen. Where only something less was seen to comply, the rest is a person's.
    """
    checks = {rule.id: _check(mask) for rule, _, mask in spoke}
    if all(mask == NONE_APPLIES for _, _, mask in spoke):
        if decided:
            return _Judged(Verdict.NOT_APPLICABLE, None, "检查不适用于该对象", checks)
        return _Judged(Verdict.UNKNOWN, None, NOT_HERE, checks)
    parts: list[Bounds] = []
    for _, _, mask in spoke:
        parts += [b for bit, b in ((PASS, PASSED), (FAIL, FAILED), (BLIND, UNSEEN)) if mask & bit]
    if automation != "technical-auto" or not decided:
        parts.append(UNSEEN)
    bounds = together(parts)
    verdict = verdict_of(bounds)
    blind = any(mask & BLIND for _, _, mask in spoke)
    failed = "、".join(rule.title for rule, _, mask in spoke if mask & FAIL)
    reason = {
        Verdict.PASS: f"{len(spoke)} 项检查全部符合",
        Verdict.PARTIAL: f"部分不符合：{failed}",
        Verdict.FAIL: f"不符合：{failed}",
    }.get(verdict, "有内容没有看到" if blind else rest)
    return _Judged(verdict, told(bounds), reason, checks, bool(failed), blind and not failed)


@lru_cache(maxsize=32)
def _check(mask: int) -> Verdict:
    """What one rule found on one asset."""
    if mask == NONE_APPLIES:
        return Verdict.NOT_APPLICABLE
    parts = [b for bit, b in ((PASS, PASSED), (FAIL, FAILED), (BLIND, UNSEEN)) if mask & bit]
    return verdict_of(together(parts))


def _over_objects(
    control: Control, objects: list[ObjectVerdict], uncovered: tuple[str, ...]
) -> ControlVerdict:
    """A control over its objects: those it does not apply to are not counted, what nobody inventoried is
    one more that was not seen. 不适用 as a whole is a person's to say."""
    counted = [o for o in objects if o.verdict is not Verdict.NOT_APPLICABLE]
    parts = {bounds_of(o) for o in counted}
    if uncovered:
        parts.add(UNSEEN)
    bounds = together(parts)
    verdict = verdict_of(bounds)
    return ControlVerdict(
        control=control,
        verdict=verdict,
        origin="none" if verdict is Verdict.UNKNOWN else "auto",
        reason=_reason(control, verdict, objects, uncovered),
        objects=objects,
        uncovered=uncovered,
        bounds=told(bounds),
    )


def _reason(
    control: Control,
    verdict: Verdict,
    objects: Sequence[ObjectVerdict],
    uncovered: tuple[str, ...],
) -> str:
    counted = [o for o in objects if o.verdict is not Verdict.NOT_APPLICABLE]
    if control.needs and not any(o.checks for o in objects):
        return f"还看不到：需要{control.needs}"
    if verdict is not Verdict.UNKNOWN:
        return _tally(counted) + (f"；未清点：{'、'.join(uncovered)}" if uncovered else "")
    if not objects:
        if control.automation == "manual" or set(control.objects) <= {"organization", "site"}:
            return BY_PERSON
        return f"清单中没有这类对象（{'、'.join(uncovered)}），是否不适用需人工确认"
    if not counted:
        return "现有检查对已清点的对象均不适用，是否不适用需人工确认"
    reasons = list(dict.fromkeys(o.reason for o in counted if o.verdict is Verdict.UNKNOWN))
    if not reasons:
        return f"已清点的对象均符合；未清点：{'、'.join(uncovered)}"
    text = reasons[0] if len(reasons) == 1 else f"{_tally(counted)}；{reasons[0]} 等"
    return text + (f"；未清点：{'、'.join(uncovered)}" if uncovered else "")


def _tally(objects: Sequence[ObjectVerdict]) -> str:
    counts: dict[Verdict, int] = {}
    for o in objects:
        counts[o.verdict] = counts.get(o.verdict, 0) + 1
    words = "，".join(f"{counts[v]} 个{v.label}" for v in Verdict if v in counts)
    return f"{len(objects)} 个对象：{words}"
