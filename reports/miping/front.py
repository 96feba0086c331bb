"""Up front: the object, the range, what was found first; then the table of contents."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal

from policies.assessment import Assessment
from policies.scoring.points import points
from policies.verdict import Verdict
from reports.dengbao.problems import Problem, count_risks
from reports.dengbao.wording import GRADE_WORD, HUMAN, RISK_TONE, moment, percent
from reports.document import Block, Bullets, Cell, Contents, Facts, Heading, PageBreak, Paragraph, Table
from reports.miping.wording import STATEMENT, UNIT_WORD, conclusion_text, score_of, shown, span, total, units

_TOP = 5


def front(assessment: Assessment, found: list[Problem]) -> list[Block]:
    """自查概要, 总体评价, 安全问题及改进建议, 目录."""
    first: list[list[str | Cell]] = [
        [p.number, p.title, p.asset_names(3), p.fix, Cell(p.risk, RISK_TONE[p.risk])] for p in found[:_TOP]
    ]
    return [
        Heading("自查概要"),
        Paragraph(STATEMENT, "note"),
        Facts([*_object(assessment), *_result(assessment, found)]),
        Heading("总体评价"),
        Bullets([_layer(assessment, code) for code in [x.code for x in score_of(assessment).layers]]),
        Heading("安全问题及改进建议"),
        Table(
            ["编号", "问题", "涉及对象", "改进建议", "风险（建议）"],
            first,
            [0.9, 3, 2.4, 3.4, 1.1],
            caption=f"最先处理的问题（前 {_TOP} 个，全部见第 6 章）",
            empty="自动核查没有发现问题；没有查明的单元见第 7 章",
        ),
        PageBreak(),
        Heading("目录"),
        Contents(),
        PageBreak(),
    ]


def _object(assessment: Assessment) -> list[tuple[str, str | Cell]]:
    system, score = assessment.system, score_of(assessment)
    grade = system.graded
    own = "" if score.level == grade.g else "，与等级保护级别不同，按配置"
    cloud = {"platform": "是，本系统即云平台", "tenant": "是，云租户", "none": "否"}[system.cloud]
    return [
        ("信息系统", system.title),
        ("密码应用等级", f"{GRADE_WORD[score.level]}{own}"),
        ("等级保护", f"{GRADE_WORD[grade.g]}（{grade}G{grade.g}），备案 {system.filing_number or '未登记'}"),
        ("部署在云平台", cloud),
        ("责任单位 / 联系人", f"{system.department or HUMAN} / {system.contact or HUMAN}"),
        ("上次密评 / 密码应用方案评审", Cell(HUMAN, "unknown")),
        ("自查依据 / 时间", f"{assessment.standard_title}；{moment(assessment.taken_at)}（北京时间）"),
    ]


def _result(assessment: Assessment, found: list[Problem]) -> list[tuple[str, str | Cell]]:
    score = score_of(assessment)
    counts = Counter(unit.verdict for unit in units(score))
    told = "，".join(f"{word} {counts[v]}" for v, word in UNIT_WORD.items())
    return [
        (f"得分区间（{score.edition} 版规则）", f"{total(score)}；单元查明率 {percent(score.coverage)}"),
        ("自查初判", Cell(conclusion_text(score), "note")),
        (
            "测评单元",
            Cell(f"共 {len(units(score))} 个：{told}", "unknown" if counts[Verdict.UNKNOWN] else "plain"),
        ),
        ("高风险情形", high_risk_text(assessment)),
        ("安全问题", count_risks(found)),
    ]


def high_risk_text(assessment: Assessment) -> str:
    """How many high risks are met, open, and mitigated by a person's word."""
    score = score_of(assessment)
    mitigated = sum(1 for risk in assessment.high_risks if risk.state == "mitigated")
    confirmed = f"；由人确认缓解 {mitigated} 个" if mitigated else ""
    return f"命中 {score.high_risks} 个（缓解措施待人工确认）；无法判定 {score.open_risks} 个{confirmed}"


def _layer(assessment: Assessment, code: str) -> str:
    """One layer in a line: its range, what was seen to fail, what may still be had."""
    score = score_of(assessment)
    layer = next(x for x in score.layers if x.code == code)
    if layer.low is None:
        return f"{layer.title}：不适用"
    worth = points(score)
    held = [worth[u.code] for u in layer.units if u.code in worth]
    failed = [u for u in layer.units if u.verdict in (Verdict.FAIL, Verdict.PARTIAL)]
    denied = sum(1 for u in layer.units for o in u.objects if False in (o.d, o.a))
    parts = [f"得分 {span(layer.low, layer.high)}"]
    if held:
        share = sum((p.share for p in held), Decimal(0))
        best = sum((p.high for p in held), Decimal(0))
        parts.append(f"占 {shown(share)} 分，已确定失去 {shown(share - best)} 分")
    if failed:
        parts.append(f"{len(failed)} 个单元不符合或部分符合")
    if denied:
        parts.append(f"{denied} 处 D 或 A 不符合")
    open_ = sum(1 for u in layer.units if u.verdict is Verdict.UNKNOWN)
    if open_:
        parts.append(f"{open_} 个单元未查明")
    return f"{layer.title}：{'；'.join(parts)}"
