"""Questions: what an assessment leaves to people, in plain words, and what they said so far. Pure."""

from __future__ import annotations

from collections.abc import Container, Iterator
from typing import Literal

import msgspec

from inventory.answers import About, Given
from policies.answers import OF_CASE, OF_CONTROL
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
    there is, whatever became of it."""

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
    for c in assessment.controls:
        found += _of_control(c, uses, names, by_object=by_object, every=c.control.id in every)
    for risk in assessment.high_risks:
        if risk.state != "clear" or risk.case in every or ("case", risk.case, "") in uses:
            found.append(_of_case(risk, standard, uses.get(("case", risk.case, ""))))
    asked = {(q.about, q.subject, q.object) for q in found}
    found += [_of_nothing(use) for key, use in uses.items() if key not in asked]
    return found


_Uses = dict[tuple[About, str, str], AnswerUse]


def _of_control(
    c: ControlVerdict, uses: _Uses, names: dict[str, str], *, by_object: bool, every: bool
) -> Iterator[Question]:
    control = c.control
    about: About = "control"

    def question(object_: str, name: str, seen: str, verdict: Verdict) -> Question:
        return Question(
            about=about,
            subject=control.id,
            object=object_,
            object_name=name,
            cite=control.cite,
            title=control.control_point,
            class_name=control.class_name,
            text=f"是否做到：{control.summary}？",
            look=_look(control),
            seen=seen,
            verdict=verdict.label,
            allowed=OF_CONTROL,
            use=uses.get((about, control.id, object_)),
        )

    if every or (about, control.id, "") in uses or _open(c):
        yield question("", "", c.reason, c.verdict)
    if not (every or by_object or any(subject == control.id and object_ for _, subject, object_ in uses)):
        return
    for o in c.objects:
        if every or (about, control.id, o.asset) in uses or (by_object and _open(o)):
            yield question(o.asset, names.get(o.asset, o.asset), o.reason, o.verdict)


def _look(control: Control) -> str:
    """What a requirement is about, and what it rests on where its standard says so."""
    about = f"涉及：{'、'.join(OBJECT_TITLE.get(t, t) for t in control.objects)}"
    return f"{about}；{TRUST_WORD[control.verified]}" if control.verified else about


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
