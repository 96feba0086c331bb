"""整改先后: what to fix first, as ``policies.priorities`` ranks it."""

from __future__ import annotations

from policies.assessment import Assessment
from policies.priorities import EFFORT_WORD, gain_text
from policies.verdict import SEVERITY_TITLE
from reports.dengbao.problems import Problem
from reports.document import Block, Cell, Paragraph, Table

MOST_ROWS = 30
"""Rules that are printed; the rest is counted."""


def first_fixes(assessment: Assessment, found: list[Problem], caption: str) -> list[Block]:
    """The table, and how to read it; nothing where the assessment was not ranked."""
    ranked = assessment.priorities
    if not ranked:
        return []
    numbers = {p.rule: p.number for p in found}
    rows: list[list[str | Cell]] = [
        [
            str(place),
            numbers.get(p.rule, "—"),
            p.title,
            Cell("\n".join(p.cases), "fail") if p.cases else "—",
            SEVERITY_TITLE[p.severity],
            str(p.findings),
            gain_text(p, assessment.score.unit),
            EFFORT_WORD[p.effort],
        ]
        for place, p in enumerate(ranked[:MOST_ROWS], 1)
    ]
    blocks: list[Block] = [
        Paragraph(
            "整改先后：先消除高风险情形，再按单独修好一条后评分区间上限、下限的增加，再按每处的工作量。"
            "同一要求项上还有别的问题的，单独修好不增加得分；工作量大小是程序的估计。"
        ),
        Table(
            ["次序", "编号", "检查", "高风险情形", "级别", "处数", "修好后得分", "每处工作量"],
            rows,
            [0.7, 0.9, 4, 1.4, 0.8, 0.8, 2.2, 1.1],
            caption=caption,
        ),
    ]
    if len(ranked) > MOST_ROWS:
        rest = len(ranked) - MOST_ROWS
        blocks.append(Paragraph(f"另有 {rest} 条未印出，见 zhengguan check --json。", "note"))
    return blocks
