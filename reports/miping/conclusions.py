"""Chapters 6 and 7: risks, the preliminary conclusion, and what is still to be learnt."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from policies.assessment import Assessment, HighRisk, PolicyException
from policies.crypto import CryptoUnit, Seen, UnitScore
from policies.exceptions import excepted
from policies.scoring.points import points
from reports.dengbao.conclusions import method
from reports.dengbao.first import first_fixes
from reports.dengbao.people import accepted_note
from reports.dengbao.problems import Problem, count_risks
from reports.dengbao.wording import HUMAN, RISK_TONE, percent
from reports.document import Block, Cell, Heading, Paragraph, Table, Tone
from reports.miping.front import high_risk_text
from reports.miping.results import open_units
from reports.miping.wording import (
    FIRST,
    HIGH_RISKS,
    PARAMETERS,
    PROBLEMS,
    RESULT,
    UNKNOWNS,
    conclusion_text,
    score_of,
    shown,
    standard_of,
    total,
)

_STATE: dict[str, tuple[str, Tone]] = {
    "triggered": ("命中，待人工确认缓解措施", "fail"),
    "mitigated": ("命中，已由人确认缓解", "partial"),
    "undetermined": ("未查明", "unknown"),
    "clear": ("未命中", "pass"),
}
_HOW: dict[Seen, str] = {
    "auto": "采集或探测后由人认定",
    "evidence": "取配置、样本为证，由人判定",
    "register": "查密码产品认证证书（编号、有效期、模块等级）",
    "person": "现场核查",
}


def risks(assessment: Assessment, found: list[Problem]) -> list[Block]:
    """Chapter 6."""
    codes = {c.control.id: c.control.code for c in assessment.controls}
    accepted = excepted(assessment)
    rows: list[list[str | Cell]] = [
        [
            p.number,
            _with_exceptions(p, accepted),
            p.asset_names(),
            "\n".join(dict.fromkeys(codes[c] for c in p.controls if c in codes)) or "—",
            "\n".join([p.why, *(f"符合高风险情形 {case}" for case in p.cases)]).strip() or HUMAN,
            p.fix,
            Cell(p.risk, RISK_TONE[p.risk]),
        ]
        for p in found
    ]
    return [
        Heading("6 风险分析"),
        Paragraph(
            f"{count_risks(found)}。风险等级是程序的建议：命中高风险情形或检查项严重的为高，其余按检查的严重程度为中或低；"
            "可能性、影响、关联威胁和最终等级由人判定。"
        ),
        Table(
            ["编号", "安全问题", "涉及对象", "测评单元", "危害", "改进建议", "风险等级（建议）"],
            rows,
            [0.9, 2.6, 2, 1, 2.6, 2.8, 1.2],
            caption=PROBLEMS,
            empty="自动核查没有发现问题",
        ),
        Paragraph(
            f"高风险情形：{high_risk_text(assessment)}。有一个高风险未缓解，结论即为不符合；缓解措施须由人确认，"
            "只能酌情降低风险等级，问题仍在。"
        ),
        _cases(assessment, found),
        *first_fixes(assessment, found, FIRST),
    ]


def _with_exceptions(problem: Problem, accepted: Mapping[str, PolicyException]) -> str:
    """What is wrong, and how much of it was accepted until when."""
    held = Counter(accepted_note(accepted[f.id]) for f in problem.findings if f.id in accepted)
    return "\n".join([problem.title, *(f"{note}（{n} 处）" for note, n in held.items())])


def _cases(assessment: Assessment, found: list[Problem]) -> Table:
    order = list(_STATE)
    held = sorted(assessment.high_risks, key=lambda r: (r.warning, order.index(r.state)))
    return Table(
        ["情形", "名称", "判定", "条件（概括）", "缓解（人工确认后才适用）", "问题", "来源的核实情况"],
        [_case(assessment, risk, found) for risk in held],
        [1.3, 2, 1.4, 2.6, 2.2, 0.9, 2.2],
        caption=HIGH_RISKS,
    )


def _case(assessment: Assessment, risk: HighRisk, found: list[Problem]) -> list[str | Cell]:
    text, tone = _STATE[risk.state]
    if risk.confirmed and risk.state == "triggered":
        text = "命中，缓解措施未经确认"
    mitigation = risk.mitigation if risk.mitigable else "不可缓解"
    case = standard_of(assessment).cases[risk.case]
    counted = score_of(assessment).parameters["uncertain_high_risk"] == "veto"
    only_told = (
        "本级是否属于高风险未核实，" + ("按高风险计" if counted else "只作提示") if risk.warning else ""
    )
    doubts = "；".join(part for part in (only_told, case.unverified) if part)
    return [
        risk.case,
        risk.title,
        Cell(text, tone),
        risk.condition,
        f"{mitigation}\n{risk.confirmed}" if risk.confirmed else mitigation,
        "\n".join(p.number for p in found if risk.case in p.cases) or "—",
        Cell(doubts, "unknown") if doubts else "见于公开来源",
    ]


def conclusion(assessment: Assessment) -> list[Block]:
    """Chapter 7."""
    score = score_of(assessment)
    rows: list[list[str | Cell]] = [
        ["适用版本", f"{score.edition} 版"],
        ["得分区间", total(score)],
        ["单元查明率", percent(score.coverage)],
        ["高风险情形", high_risk_text(assessment)],
        ["下限结论（未查明的均不符合）", score.conclusion_low],
        ["上限结论（未查明的均符合）", score.conclusion_high],
        ["自查初判", Cell(conclusion_text(score), "note")],
    ]
    return [
        Heading("7 自查初判"),
        Paragraph("本章是自查初判，不是商用密码应用安全性评估结论。", "note"),
        Table(["项目", "结果"], rows, [2, 4], caption=RESULT),
        Heading("7.1 尚未查明的内容和查明办法", 2),
        Paragraph(
            "按查明后最多可增加的分值排列。K 一律须由人核查：登记密码产品的认证证书编号和密码模块等级，"
            "核对密钥全生命周期的管理。采集权限不足的见附录 B，补足后重新采集。"
        ),
        Table(
            ["单元", "名称", "没有查明的", "D 怎样查明", "A 怎样查明", "K 怎样查明", "最多可增加"],
            [_open(assessment, unit) for unit in open_units(assessment)],
            [1.4, 2.2, 2.8, 1.8, 1.8, 2.2, 1],
            caption=UNKNOWNS,
            empty="全部查明",
        ),
        Heading("7.2 方法参数", 2),
        *method(score, PARAMETERS),
    ]


def _open(assessment: Assessment, unit: UnitScore) -> list[str | Cell]:
    crypto = standard_of(assessment).crypto[unit.control]
    held = points(score_of(assessment)).get(unit.code)
    missing = [
        f"{word} {count} 个对象"
        for word, count in (
            (j, sum(1 for o in unit.objects if o.d is not False and getattr(o, j.lower()) is None))
            for j in "DAK"
        )
        if count
    ]
    if unit.uncovered:
        missing.append(f"未清点：{'、'.join(unit.uncovered)}")
    return [
        unit.code,
        unit.title,
        "；".join(missing) or "整个单元",
        *_how(crypto),
        f"{shown(held.high - held.low)} 分" if held else "—",
    ]


def _how(crypto: CryptoUnit) -> list[str | Cell]:
    if not crypto.seen:
        return ["查制度、记录，访谈有关人员", "—", "—"]
    return [_HOW[crypto.seen[judgement]] for judgement in ("D", "A", "K")]
