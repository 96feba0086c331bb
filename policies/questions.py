"""Questions: what an assessment leaves to people, in plain words, and what they said so far. Pure."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator
from typing import Literal

import msgspec

from inventory.answers import About, Given
from policies.answers import OF_CASE, allowed_of, is_technical
from policies.assessment import (
    TRUST_WORD,
    AnswerUse,
    Assessment,
    Control,
    ControlVerdict,
    HighRisk,
    ObjectVerdict,
)
from policies.assets import OBJECT_TITLE
from policies.bounds import bounds_of
from policies.crypto import CryptoScore, ObjectScore, Seen, UnitScore
from policies.responsibilities import duty_text, whom
from policies.standards import Standard
from policies.verdict import Verdict

State = Literal["open", "answered", "expiring", "expired", "contradicted", "unused"]
STATE_WORD: dict[State, str] = {
    "open": "待答复",
    "answered": "已答复",
    "expiring": "即将到期",
    "expired": "已过期",
    "contradicted": "与机器所见相反",
    "unused": "用不上",
}


class Question(msgspec.Struct, kw_only=True, frozen=True):
    """One thing that a person may answer. ``object`` is an asset, "" = the whole system. ``text`` asks in
    plain words, ``look`` tells what it is about, ``seen`` what the program saw of it. ``use`` is the answer
    there is, whatever became of it. ``whom``: who is to answer where requirements are split between a cloud's
    provider and its customer, "" elsewhere (中文)."""

    about: About
    subject: str
    object: str
    object_name: str
    cite: str
    title: str
    class_name: str
    text: str
    look: str
    seen: str
    verdict: str
    allowed: tuple[Given, ...]
    use: AnswerUse | None = None
    whom: str = ""

    @property
    def state(self) -> State:
        if self.use is None:
            return "open"
        if self.use.effect == "counted":
            return "expiring" if self.use.expiring else "answered"
        return self.use.effect

    @property
    def wants_answer(self) -> bool:
        """Whether an answer is missing, or will be."""
        return self.state in ("open", "expiring", "expired")


def questions(
    assessment: Assessment, standard: Standard, *, by_object: bool = False, every: Container[str] = ()
) -> list[Question]:
    """Open controls and high-risk cases in the standard's order, and those with an answer. ``by_object`` asks
    for each open asset of a control as well; what is in ``every`` is asked in full, open or not."""
    uses = {(u.answer.about, u.answer.subject, u.answer.object): u for u in assessment.answers}
    names = {asset.uid: asset.name for asset in assessment.assets}
    found: list[Question] = []
    layers = assessment.score.layers if isinstance(assessment.score, CryptoScore) else ()
    units = {unit.control: unit for layer in layers for unit in layer.units}
    for c in assessment.controls:
        whole = c.control.id in every
        if is_technical(c.control.id, standard):
            unit = units[c.control.id]
            found += _of_unit(c, unit, standard, uses, names, by_object=by_object, every=whole)
        else:
            found += _of_control(c, standard, uses, names, by_object=by_object, every=whole)
    for risk in assessment.high_risks:
        if risk.state != "clear" or risk.case in every or ("case", risk.case, "") in uses:
            found.append(_of_case(risk, standard, uses.get(("case", risk.case, ""))))
    asked = {(q.about, q.subject, q.object) for q in found}
    found += [_of_nothing(use) for key, use in uses.items() if key not in asked]
    return found


def objects_of(assessment: Assessment) -> dict[str, dict[str, str]]:
    """Control → its objects that may be answered for, uid (or name) → what readers call it."""
    names = {asset.uid: asset.name for asset in assessment.assets}
    found = {
        c.control.id: {o.asset: names.get(o.asset, o.asset) for o in c.objects} for c in assessment.controls
    }
    if not isinstance(assessment.score, CryptoScore):
        return found
    left_out = {
        c.control.id: [o.asset for o in c.objects if o.verdict is Verdict.NOT_APPLICABLE]
        for c in assessment.controls
    }
    for layer in assessment.score.layers:
        for unit in layer.units:  # clues stand beside the objects, and nobody is asked about those
            held = {o.name: o.title or names.get(o.name, o.name) for o in unit.objects}
            held |= {name: names.get(name, name) for name in (*unit.uncovered, *left_out[unit.control])}
            found[unit.control] = held
    return found


_Uses = dict[tuple[About, str, str], AnswerUse]


def _asking(
    control: Control, standard: Standard, uses: _Uses, *, text: str, look: str, who: str = ""
) -> Callable[[str, str, str, Verdict], Question]:
    """What makes the questions of one control: of an object, its name, what was seen of it, its verdict."""

    def question(object_: str, name: str, seen: str, verdict: Verdict) -> Question:
        return Question(
            about="control",
            subject=control.id,
            object=object_,
            object_name=name,
            cite=f"{control.code} {control.cite}".strip(),
            title=control.control_point,
            class_name=control.class_name,
            text=text,
            look=look,
            seen=seen,
            verdict=verdict.label,
            allowed=allowed_of(control.id, standard),
            use=uses.get(("control", control.id, object_)),
            whom=who,
        )

    return question


def _of_control(
    c: ControlVerdict,
    standard: Standard,
    uses: _Uses,
    names: dict[str, str],
    *,
    by_object: bool,
    every: bool,
) -> Iterator[Question]:
    control = c.control
    question = _asking(
        control, standard, uses, text=f"是否做到：{control.summary}？", look=_look(c), who=whom(c.duty)
    )
    if every or ("control", control.id, "") in uses or _open(c):
        yield question("", "", c.reason, c.verdict)
    if not (every or by_object or any(subject == control.id and object_ for _, subject, object_ in uses)):
        return
    for o in c.objects:
        if every or ("control", control.id, o.asset) in uses or (by_object and _open(o)):
            yield question(o.asset, names.get(o.asset, o.asset), o.reason, o.verdict)


def _look(held: ControlVerdict) -> str:
    """What a requirement is about, what it rests on where its standard says so, and what of it is whose."""
    control = held.control
    parts = [f"涉及：{'、'.join(OBJECT_TITLE.get(t, t) for t in control.objects)}"]
    parts += [TRUST_WORD[control.verified]] if control.verified else []
    parts += [duty_text(held.duty)] if held.duty else []
    return "；".join(parts)


_HOW: dict[Seen, str] = {
    "auto": "采集或探测后认定",
    "evidence": "取配置、样本为证",
    "register": "查产品认证证书",
    "person": "现场核查",
}


def _of_unit(
    c: ControlVerdict,
    unit: UnitScore,
    standard: Standard,
    uses: _Uses,
    names: dict[str, str],
    *,
    by_object: bool,
    every: bool,
) -> Iterator[Question]:
    """Of a technical unit of 密评: its objects are those that are scored, and what nobody inventoried."""
    control = c.control
    seen = standard.crypto[control.id].seen
    how = "，".join(f"{judgement} {_HOW[who]}" for judgement, who in seen.items())
    objects = "、".join(OBJECT_TITLE.get(t, t) for t in control.objects)

    question = _asking(
        control,
        standard,
        uses,
        text=f"D 使用有效、A 算法和技术合规、K 密钥管理安全各是否符合：{control.summary}？",
        look=f"涉及：{objects}；怎样查：{how}",
    )
    if c.verdict is Verdict.NOT_APPLICABLE and not every and ("control", control.id, "") not in uses:
        return
    if every or ("control", control.id, "") in uses or not unit.decided:
        yield question("", "", c.reason, c.verdict)
    held = any(subject == control.id and object_ for _, subject, object_ in uses)
    if not (every or by_object or held):
        return
    reasons = {o.asset: o for o in c.objects}
    for scored in unit.objects:
        wanted = every or (by_object and _open_object(scored))
        if wanted or ("control", control.id, scored.name) in uses:
            row = reasons[scored.name]
            name = scored.title or names.get(scored.name, scored.name)
            yield question(scored.name, name, row.reason, row.verdict)
    for missing in unit.uncovered:
        if every or by_object:
            yield question(missing, f"（未清点）{missing}", "没有清点", Verdict.UNKNOWN)
    scored_names = {o.name for o in unit.objects} | set(unit.uncovered)
    for row in c.objects:
        if row.asset not in scored_names and ("control", control.id, row.asset) in uses:
            yield question(row.asset, names.get(row.asset, row.asset), row.reason, row.verdict)


def _open_object(scored: ObjectScore) -> bool:
    return scored.low != scored.high


def _open(judged: ControlVerdict | ObjectVerdict) -> bool:
    if judged.verdict is Verdict.NOT_APPLICABLE:
        return False
    low, high = bounds_of(judged)
    return low is not high


def _of_case(risk: HighRisk, standard: Standard, use: AnswerUse | None) -> Question:
    case = standard.cases[risk.case]
    allowed = OF_CASE if risk.mitigable else tuple(g for g in OF_CASE if g != "mitigated")
    return Question(
        about="case",
        subject=risk.case,
        object="",
        object_name="",
        cite=f"高风险 {risk.case}",
        title=risk.title,
        class_name=case.class_name,
        text=f"是否存在：{risk.condition}？",
        look=f"缓解：{risk.mitigation}" if risk.mitigable else "指引不允许缓解",
        seen={
            "triggered": f"命中，{len(risk.findings)} 处问题",
            "mitigated": "已缓解",
            "undetermined": "程序不能判定",
            "clear": "未命中",
        }[risk.state],
        verdict={"triggered": "命中", "mitigated": "已缓解", "undetermined": "未知", "clear": "未命中"}[
            risk.state
        ],
        allowed=allowed,
        use=use,
    )


def _of_nothing(use: AnswerUse) -> Question:
    """An answer to what the system's grade or scope no longer asks."""
    answer = use.answer
    return Question(
        about=answer.about,
        subject=answer.subject,
        object=answer.object,
        object_name=answer.object,
        cite=answer.subject,
        title="",
        class_name="",
        text="",
        look="",
        seen=use.why,
        verdict="",
        allowed=(),
        use=use,
    )
