"""What people said: answers with their evidence, and the deviations they accepted."""

from __future__ import annotations

from inventory.daily import day_of
from policies.answers import word_of
from policies.assessment import AnswerUse, Assessment, PolicyException
from policies.exceptions import STATE_WORD
from policies.questions import objects_of
from reports.document import Block, Cell, Heading, Paragraph, Table, Tone

ANNEX_ANSWERS = "表 {}-1 人工答复"
ANNEX_EXCEPTIONS = "表 {}-2 例外"
_STATE: dict[str, Tone] = {"matched": "note", "unused": "partial", "expired": "fail", "unknown": "fail"}

_EFFECT: dict[str, tuple[str, Tone]] = {
    "counted": ("已采用", "pass"),
    "contradicted": ("与机器所见不符，未采用", "fail"),
    "unused": ("用不上", "na"),
    "expired": ("已过期，恢复为未核查", "unknown"),
}


def people(assessment: Assessment, annex: str = "K") -> list[Block]:
    """The annex of this letter: what people said."""
    return [*_answers(assessment, annex), *_exceptions(assessment, annex)]


def accepted_note(exception: PolicyException | None) -> str:
    """That a finding was accepted, until when (中文); "" where it was not."""
    return f"已接受：例外 {exception.id}，至 {exception.expires}" if exception else ""


def _exceptions(assessment: Assessment, annex: str) -> list[Block]:
    rows: list[list[str | Cell]] = [
        [
            use.exception.id,
            "\n".join(part for part in (use.exception.rule, use.exception.control) if part),
            str(len(use.findings)),
            use.exception.reason,
            f"{use.exception.owner}\n{use.exception.approver}",
            Cell(f"{use.exception.expires}\n余 {use.days_left} 天", "partial")
            if use.expiring
            else f"{use.exception.expires}",
            Cell("\n".join(part for part in (STATE_WORD[use.state], use.why) if part), _STATE[use.state]),
        ]
        for use in assessment.exceptions
    ]
    return [
        Paragraph("例外是经批准接受的偏离：问题照列、结论和评分不变，只标明已接受；过期后照常处理。"),
        Table(
            ["例外", "规则 / 要求项", "问题数", "理由", "负责人 / 批准人", "到期", "状态"],
            rows,
            [2, 2.4, 0.9, 3.4, 1.6, 1.5, 2],
            caption=ANNEX_EXCEPTIONS.format(annex),
            empty="没有例外",
        ),
    ]


def _answers(assessment: Assessment, annex: str) -> list[Block]:
    return [
        Heading(f"附录 {annex} 人工答复、证据与例外"),
        Paragraph(
            "机器看不见的由人答复。人工答复不改变机器已发现的不符合；到期后恢复为未核查。"
            "证据文件以 SHA-256 前 12 位标识，存于本程序的库中。"
        ),
        Table(
            ["条款 / 情形", "对象", "答复", "答复人 / 日期", "有效至", "说明", "证据", "采用情况"],
            [_row(assessment, use) for use in assessment.answers],
            [1.6, 1.6, 1.1, 1.4, 1.4, 3.2, 2, 1.7],
            caption=ANNEX_ANSWERS.format(annex),
            empty="没有人工答复",
        ),
    ]


def _row(assessment: Assessment, use: AnswerUse) -> list[str | Cell]:
    answer = use.answer
    cites = {c.control.id: f"{c.control.code} {c.control.cite}".strip() for c in assessment.controls}
    names = objects_of(assessment).get(answer.subject, {})
    word, tone = _EFFECT[use.effect]
    end = f"{answer.valid_until}" if answer.valid_until else "—"
    return [
        cites.get(answer.subject, answer.subject),
        names.get(answer.object, answer.object) or "整个系统",
        word_of(answer),
        f"{answer.by}\n{day_of(answer.answered_at)}",
        Cell(f"{end}\n余 {use.days_left} 天", "partial") if use.expiring else end,
        answer.note or "—",
        "\n".join(f"{f.name}（{f.digest[:12]}）" for f in answer.files) or "—",
        Cell("\n".join(part for part in (word, use.why) if part), tone),
    ]
