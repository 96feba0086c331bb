"""Verdicts with people's answers in them. Pure.

A person closes what the machine left open, and nothing else:

- an answer that the machine's bounds still allow is taken;
- one better than the machine's best case is not: something was seen to fail, the machine's part stands, and
  the answer is told as contradicted;
- one worse than the machine's worst case is taken: nobody is overruled who says 不符合;
- 不适用 is taken only where the machine saw nothing that decides anything.

An answer on an object is about that object. One on the whole control stands for every object that is still
open and has no answer of its own, and for what nobody inventoried. So an answer never raises the best case,
and it lowers the worst only where it is worse than what was seen.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Final, Literal

import msgspec

from inventory.answers import Answer, AnswerKey
from inventory.daily import day_of
from policies.answers import WARN_DAYS, days_left, word_of
from policies.assessment import AnswerEffect, AnswerUse, ControlVerdict, HighRisk, ObjectVerdict
from policies.bounds import UNSEEN, bounds_of, of_verdict, together, told, verdict_of
from policies.verdict import Bounds, Verdict

NOT_ASKED = "这个系统的定级或范围里没有这一项"
NO_OBJECT = "这一项里没有这个对象"
STRICTER = "人工判定比机器所见严，从严采用"

_RANK: Final = {Verdict.FAIL: 0, Verdict.PARTIAL: 1, Verdict.PASS: 2}
_NA: Final = Verdict.NOT_APPLICABLE
_UNKNOWN: Final = Verdict.UNKNOWN


class People:
    """The answers of one system and standard on one day, and what becomes of each."""

    def __init__(self, held: Mapping[AnswerKey, Answer], today: date, warn_days: int = WARN_DAYS) -> None:
        self._held = held
        self._today = today
        self._warn_days = warn_days
        self._told: dict[AnswerKey, tuple[AnswerEffect, str]] = {}
        self._shared: dict[Verdict, dict[str, ObjectVerdict]] = {}
        self._cases: dict[str, Answer] = {}
        self._whole: dict[str, Answer] = {}
        self._own: dict[str, dict[str, Answer]] = {}
        for answer in held.values():
            if days_left(answer, today) < 0:
                continue
            if answer.about == "case":
                self._cases[answer.subject] = answer
            elif answer.object:
                self._own.setdefault(answer.subject, {})[answer.object] = answer
            else:
                self._whole[answer.subject] = answer

    def of(self, control: str) -> tuple[Answer | None, Mapping[str, Answer]]:
        """What holds of a control: the answer on the whole, and those on single objects."""
        return self._whole.get(control), self._own.get(control, {})

    def tell(self, answer: Answer, effect: AnswerEffect, why: str = "") -> None:
        """What became of an answer."""
        self._told[answer.key] = (effect, why)

    def controls(self, controls: Sequence[ControlVerdict]) -> list[ControlVerdict]:
        """The controls, those with answers replaced."""
        return [self._control(c) for c in controls]

    def risks(self, risks: Sequence[HighRisk]) -> list[HighRisk]:
        """The high risks, those with answers replaced."""
        return [self._risk(risk) for risk in risks]

    def uses(self) -> list[AnswerUse]:
        """What became of every answer, as recorded; to be asked after ``controls`` and ``risks``."""
        return [self._use(answer) for answer in sorted(self._held.values(), key=lambda a: a.id)]

    def _use(self, answer: Answer) -> AnswerUse:
        left = days_left(answer, self._today)
        effect, why = self._told.get(answer.key, ("unused", NOT_ASKED))
        if left < 0:
            effect, why = "expired", f"有效期至 {answer.valid_until}，已过 {-left} 天"
        return AnswerUse(
            answer=answer,
            effect=effect,
            why=why,
            days_left=left,
            expiring=0 <= left <= self._warn_days,
        )

    def _control(self, c: ControlVerdict) -> ControlVerdict:
        whole, own = self._whole.get(c.control.id), self._own.get(c.control.id, {})
        if whole is None and not own:
            return c
        given = [*own.values(), *([whole] if whole else [])]
        if c.verdict is _NA:
            self._told |= {answer.key: ("unused", c.reason) for answer in given}
            return c
        self._told |= {answer.key: ("unused", NO_OBJECT) for answer in own.values()}
        objects = [self._object(o, own[o.asset]) if o.asset in own else o for o in c.objects]
        if whole is None:
            return _made(c, objects, None, _over(c, objects, None), self._counted(given))
        claim = Verdict(whole.verdict)
        objects, stricter = self._filled(objects, own, claim)
        bounds = _over(c, objects, claim)
        low, high = bounds or (_NA, _NA)
        if _RANK.get(claim, 2) < _RANK.get(low, 0):
            stricter = True
            objects = [_lowered(o, claim, whole) for o in objects]
            bounds = _over(c, objects, claim)
        if stricter:
            self._told[whole.key] = ("counted", STRICTER)
        elif _RANK.get(claim, 3) > _RANK.get(high, 3):
            self._told[whole.key] = ("contradicted", f"机器所见：{c.reason}")
        else:
            self._told[whole.key] = ("counted", "")
        return _made(c, objects, whole, bounds, self._counted(given))

    def _filled(
        self, objects: Sequence[ObjectVerdict], own: Collection[str], claim: Verdict
    ) -> tuple[list[ObjectVerdict], bool]:
        """The objects, those still open with the answer on the whole; and whether it was stricter than what
        was seen of any. What no rule looked at shares one value per asset: a hundred thousand may stand under
        each control."""
        shared = self._shared.setdefault(claim, {})
        text = f"按对整项的人工答复：{claim.label}"
        filled, stricter = [], False
        for o in objects:
            if o.verdict is _UNKNOWN and o.bounds is None and not o.checks and o.asset not in own:
                held = shared.get(o.asset)
                if held is None:
                    held = shared[o.asset] = _said(o, claim, text)
                filled.append(held)
            elif o.asset not in own and _is_open(o) and _takes(bounds_of(o), claim):
                stricter |= _RANK.get(claim, 2) < _RANK[bounds_of(o)[0]]
                filled.append(_said(o, claim, text))
            else:
                filled.append(o)
        return filled, stricter

    def _counted(self, given: Collection[Answer]) -> list[Answer]:
        return [answer for answer in given if self._told[answer.key][0] == "counted"]

    def _object(self, o: ObjectVerdict, answer: Answer) -> ObjectVerdict:
        claim = Verdict(answer.verdict)
        machine = None if o.verdict is _NA else bounds_of(o)
        if not _takes(machine, claim):
            self._told[answer.key] = ("contradicted", f"机器所见：{o.reason}")
            return o
        stricter = claim is not _NA and (machine is None or _RANK[claim] < _RANK[machine[0]])
        self._told[answer.key] = ("counted", STRICTER if stricter else "")
        return _said(o, claim, says(answer))

    def _risk(self, risk: HighRisk) -> HighRisk:
        answer = self._cases.get(risk.case)
        if answer is None:
            return risk
        if answer.verdict == "absent" and risk.state == "triggered":
            return self._unheard(risk, answer, f"机器发现了 {len(risk.findings)} 处")
        if answer.verdict == "mitigated" and not risk.mitigable:
            return self._unheard(risk, answer, "指引不允许缓解")
        self._told[answer.key] = ("counted", "")
        state: Literal["triggered", "mitigated", "clear"] = "clear"
        if answer.verdict != "absent":
            state = "mitigated" if answer.verdict == "mitigated" else "triggered"
        return msgspec.structs.replace(risk, state=state, confirmed=says(answer))

    def _unheard(self, risk: HighRisk, answer: Answer, why: str) -> HighRisk:
        self._told[answer.key] = ("contradicted", why)
        return msgspec.structs.replace(risk, confirmed=f"{says(answer)}（{why}，未采用）")


def answers_line(uses: Sequence[AnswerUse]) -> str:
    """How many answers there are, how many count, and which want attention (中文)."""
    counts = Counter("expiring" if u.effect == "counted" and u.expiring else u.effect for u in uses)
    words = {
        "counted": "采用",
        "expiring": "采用而即将到期",
        "expired": "已过期",
        "contradicted": "与机器所见不符",
        "unused": "用不上",
    }
    told = "，".join(f"{word} {counts[effect]}" for effect, word in words.items() if counts[effect])
    return f"{len(uses)} 条：{told}" if told else "0 条"


def says(answer: Answer) -> str:
    """What a person said, who and until when, in one line (中文)."""
    evidence = f"；证据 {len(answer.files)} 份" if answer.files else ""
    note = f"：{' '.join(answer.note.split())}" if answer.note.strip() else ""
    when = f"{answer.by}，{day_of(answer.answered_at)}，有效至 {answer.valid_until}"
    return f"人工答复{word_of(answer)}（{when}{evidence}）{note}"


def _is_open(o: ObjectVerdict) -> bool:
    if o.verdict is _NA:
        return False
    low, high = bounds_of(o)
    return low is not high


def _takes(machine: Bounds | None, claim: Verdict) -> bool:
    """Whether an answer is taken beside what the machine saw (None: 不适用)."""
    if machine is None:
        return claim in (_NA, Verdict.FAIL)
    if claim is _NA:
        return machine == UNSEEN
    return _RANK[claim] <= _RANK[machine[1]]


def _said(o: ObjectVerdict, claim: Verdict, reason: str) -> ObjectVerdict:
    return msgspec.structs.replace(o, verdict=claim, bounds=None, reason=reason, origin="person")


def _lowered(o: ObjectVerdict, claim: Verdict, whole: Answer) -> ObjectVerdict:
    """No better than a stricter answer on the whole."""
    if o.verdict is _NA or _RANK[bounds_of(o)[0]] <= _RANK[claim]:
        return o
    return _said(o, claim, says(whole))


def _over(c: ControlVerdict, objects: Sequence[ObjectVerdict], claim: Verdict | None) -> Bounds | None:
    """Bounds of the control over its objects and what nobody inventoried; None where nothing applies."""
    held = {(o.verdict, o.bounds) for o in objects}
    parts = {bounds or of_verdict(verdict) for verdict, bounds in held if verdict is not _NA}
    if claim is None and (c.uncovered or all(o.verdict is _NA for o in c.objects)):
        parts.add(UNSEEN)
    elif claim not in (None, _NA) and (c.uncovered or not parts):
        parts.add(of_verdict(claim))
    return together(parts) if parts else None


def _made(
    c: ControlVerdict,
    objects: list[ObjectVerdict],
    whole: Answer | None,
    bounds: Bounds | None,
    counted: Sequence[Answer],
) -> ControlVerdict:
    verdict = _NA if bounds is None else verdict_of(bounds)
    changed = verdict is not c.verdict or bounds != bounds_of(c)
    origin: Literal["auto", "person", "inherited", "none"] = "person" if changed else c.origin
    return msgspec.structs.replace(
        c,
        objects=objects,
        answered=Verdict(whole.verdict) if whole else None,
        verdict=verdict,
        bounds=None if bounds is None else told(bounds),
        origin="none" if verdict is Verdict.UNKNOWN else origin,
        reason=_reason(c, objects, whole, counted),
    )


def _reason(
    c: ControlVerdict, objects: Sequence[ObjectVerdict], whole: Answer | None, counted: Sequence[Answer]
) -> str:
    if whole is None:
        own = sum(1 for o in objects if o.origin == "person")
        return f"{c.reason}；其中 {own} 个对象由人工答复" if own else f"{c.reason}；人工答复未采用"
    if whole in counted:
        return says(whole) + (f"；机器所见：{c.reason}" if any(o.checks for o in c.objects) else "")
    return f"{c.reason}；{says(whole)}，与机器所见不符的部分未采用"
