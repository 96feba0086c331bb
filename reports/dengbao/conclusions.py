"""Chapters 5 to 8: risk, rates, the preliminary conclusion, and what to do."""

from __future__ import annotations

from policies.assessment import Assessment, ControlVerdict, HighRisk, Score, Unscored
from policies.crypto import CryptoScore
from policies.verdict import Verdict
from reports.dengbao.first import first_fixes
from reports.dengbao.front import filing, last_assessment
from reports.dengbao.problems import Problem, count_risks
from reports.dengbao.wording import (
    CONCLUSION,
    FIXES,
    HIGH_RISKS,
    HUMAN,
    PARAMETERS,
    RATES,
    RISK_TONE,
    RISKS,
    VERDICT_COLUMNS,
    by_class,
    conclusion_text,
    count_cell,
    counts,
    percent,
    score_text,
)
from reports.document import BEIJING, Block, Bullets, Cell, Facts, Heading, Paragraph, Table, Tone

_STATE: dict[str, tuple[str, Tone]] = {
    "triggered": ("命中，待人工确认缓解措施", "fail"),
    "mitigated": ("命中，缓解措施已由人工确认", "partial"),
    "undetermined": ("未核查", "unknown"),
    "clear": ("未命中", "pass"),
}


def risks(assessment: Assessment, found: list[Problem]) -> list[Block]:
    """Chapter 5."""
    rows: list[list[str | Cell]] = [
        [
            p.number,
            p.title,
            p.asset_names(),
            Cell(HUMAN, "unknown"),
            _harm(p),
            Cell(p.risk, RISK_TONE[p.risk]),
        ]
        for p in found
    ]
    return [
        Heading("5 安全问题风险分析"),
        Paragraph(
            f"{count_risks(found)}。风险等级是程序的建议：命中高风险指引情形或检查项严重的为高，其余按检查的严重程度为中或低；"
            "指引之外的问题也可能为高，关联威胁和最终等级由人判定。"
        ),
        Table(
            ["编号", "安全问题", "关联资产", "关联威胁", "危害分析", "风险等级（建议）"],
            rows,
            [1.1, 3.5, 2.8, 1.4, 2.4, 1.4],
            caption=RISKS,
        ),
        _cases(assessment, found),
    ]


def _harm(problem: Problem) -> str | Cell:
    case = "符合高风险指引情形 " + "、".join(problem.cases) if problem.cases else ""
    if not case and not problem.why:
        return Cell(HUMAN, "unknown")
    return "\n".join(text for text in (problem.why, case) if text)


def _cases(assessment: Assessment, found: list[Problem]) -> Table:
    order = ("triggered", "mitigated", "undetermined", "clear")
    rows = [
        _case_row(risk, found) for risk in sorted(assessment.high_risks, key=lambda r: order.index(r.state))
    ]
    return Table(
        ["指引条目", "情形", "判定", "触发条件", "缓解（人工确认后才适用）", "重大隐患触发项", "问题"],
        rows,
        [1.3, 2.6, 1.6, 2.8, 2.8, 1.2, 1.2],
        caption=HIGH_RISKS,
    )


def _case_row(risk: HighRisk, found: list[Problem]) -> list[str | Cell]:
    text, tone = _STATE[risk.state]
    if risk.confirmed and risk.state == "triggered":
        text = "命中，缓解措施未经确认"
    mitigation = risk.mitigation if risk.mitigable else "不可缓解"
    numbers = [p.number for p in found if risk.state == "triggered" and risk.case in p.cases]
    return [
        risk.case,
        risk.title,
        Cell(text, tone),
        risk.condition,
        f"{mitigation}\n{risk.confirmed}" if risk.confirmed else mitigation,
        risk.major_trigger or "—",
        "\n".join(numbers) or "—",
    ]


def rates(assessment: Assessment) -> list[Block]:
    """Chapter 6."""
    rows: list[list[str | Cell]] = [_rate(name, held) for name, held in by_class(assessment).items()]
    rows.append(_rate("合计", assessment.controls))
    return [
        Heading("6 总体评价"),
        Paragraph(
            f"{score_text(assessment)}（{assessment.score.edition} 版方法），"
            f"核查覆盖率 {percent(assessment.score.coverage)}。"
            "下表“符合项占比”只按要求项计数：下限把未核查算作不符合，上限算作符合，部分符合不计入。"
        ),
        Table(
            ["安全类", "适用", *VERDICT_COLUMNS, "符合项占比", "覆盖率"],
            rows,
            [2.8, 0.8, 0.9, 1.3, 1.1, 1.1, 1.1, 2.1, 1.2],
            caption=RATES,
        ),
    ]


def _rate(name: str, held: list[ControlVerdict]) -> list[str | Cell]:
    verdicts = [c.verdict for c in held]
    applicable = [v for v in verdicts if v is not Verdict.NOT_APPLICABLE]
    unknown = applicable.count(Verdict.UNKNOWN)
    passed = applicable.count(Verdict.PASS)
    if not applicable:
        return [name, "0", *counts(verdicts), "—", "—"]
    low, high = passed / len(applicable), (passed + unknown) / len(applicable)
    span = percent(low) if low == high else f"{percent(low)} ～ {percent(high)}"
    return [
        name,
        str(len(applicable)),
        *counts(verdicts),
        span,
        percent(1 - unknown / len(applicable)),
    ]


def conclusion(assessment: Assessment) -> list[Block]:
    """Chapter 7."""
    score = assessment.score
    unknown = assessment.count(Verdict.UNKNOWN)
    return [
        Heading("7 自查初判"),
        Paragraph("本章是自查初判，不是等级测评结论。", "note"),
        Table(
            ["项目", "结果"],
            [
                ["适用版本", f"{score.edition} 版"],
                ["符合率" if score.unit == "%" else "综合得分", score_text(assessment)],
                ["核查覆盖率", percent(score.coverage)],
                ["未核查要求项", count_cell(unknown, "unknown")],
                ["下限结论（未核查均不符合）", score.conclusion_low],
                ["上限结论（未核查均符合）", score.conclusion_high],
                ["自查初判", Cell(conclusion_text(assessment), "note")],
            ],
            [2, 4],
            caption=CONCLUSION,
        ),
        *method(score),
    ]


def method(score: Score | CryptoScore | Unscored, caption: str = PARAMETERS) -> list[Block]:
    """Parameters with their verification status; notes that belong to none of them stand below."""
    rows: list[list[str | Cell]] = []
    told = set()
    for name, value in score.parameters.items():
        note = next((n for n in score.notes if n.startswith(f"{name} = ")), "")
        told.add(note)
        text = note.partition("：")[2]
        rows.append([name, value, Cell(text, "unknown") if text else "有公开来源，或未影响本次结果"])
    rest = [note for note in score.notes if note not in told]
    others: list[Block] = [Paragraph("方法的其他说明："), Bullets(rest)] if rest else []
    return [
        Table(
            ["参数", "取值", "核实情况"],
            rows,
            [2, 1.2, 5],
            caption=caption,
        ),
        *others,
    ]


def fixes(assessment: Assessment, found: list[Problem]) -> list[Block]:
    """Chapter 8."""
    today = assessment.taken_at.astimezone(BEIJING).date()
    rows: list[list[str | Cell]] = [
        [p.number, p.title, p.asset_names(), p.fix, Cell(p.risk, RISK_TONE[p.risk])] for p in found
    ]
    met = [r for r in assessment.high_risks if r.state == "triggered"]
    major: list[list[str | Cell]] = [
        [
            r.major_trigger or "—",
            f"{r.case} {r.title}",
            "\n".join(p.fix for p in found if r.case in p.cases),
            Cell(HUMAN, "unknown"),
        ]
        for r in met
    ]
    return [
        Heading("8 安全问题整改建议"),
        Table(
            ["编号", "安全问题", "关联资产", "整改建议", "风险（建议）"],
            rows,
            [1.1, 3.2, 2.5, 4.3, 1.4],
            caption=FIXES,
        ),
        Table(
            ["触发项", "情形", "整改建议", "完成情况"],
            major,
            [1, 3, 4.4, 1.4],
            caption="表 8-2 重大风险隐患整改建议表",
        ),
        *first_fixes(assessment, found, "表 8-3 整改先后"),
        Heading("8.1 到期事项", 2),
        Facts(
            [
                ("备案证明", filing(assessment, today)),
                ("等级测评", last_assessment(assessment, today)),
                ("应急演练、特征库更新", Cell(HUMAN, "unknown")),
            ]
        ),
    ]
