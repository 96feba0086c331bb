"""The page up front: what an office or an examiner wants to know before turning it."""

from __future__ import annotations

from datetime import date, timedelta

from policies.answered import answers_line
from policies.assessment import Assessment
from policies.verdict import Verdict
from reports.dengbao.problems import Problem, count_risks
from reports.dengbao.wording import (
    GRADE_WORD,
    HUMAN,
    RISK_TONE,
    VERDICT_ORDER,
    VERDICT_WORD,
    conclusion_text,
    moment,
    percent,
    score_text,
)
from reports.document import BEIJING, Block, Cell, Contents, Facts, Heading, PageBreak, Paragraph, Table

STATEMENT = (
    "本报告是运营使用单位的自查材料，由程序对技术项自动核查生成，不是等级测评机构出具的报告，也不能替代等级测评；"
    "第三级及以上对象须每年由具备资质的测评机构进行等级测评。未核查的要求项既不算符合，也不算不符合，"
    "结论因此以区间给出。"
)
_TOP = 5


def front(assessment: Assessment, found: list[Problem]) -> list[Block]:
    """Object, grade, filing, conclusion, counts, what to mend first; then the table of contents."""
    first: list[list[str | Cell]] = [
        [p.number, p.title, p.asset_names(3), Cell(p.risk, RISK_TONE[p.risk])] for p in found[:_TOP]
    ]
    return [
        Heading("自查概要", 1),
        Paragraph(STATEMENT, "note"),
        Facts([*_object(assessment), *_result(assessment, found)]),
        Table(
            ["编号", "问题", "涉及资产", "风险（建议）"],
            first,
            [1, 5, 3, 1.6],
            caption=f"最先处理的问题（前 {_TOP} 个，全部见第 8 章）",
            empty="自动核查没有发现问题；未核查的要求项见附录 D",
        ),
        PageBreak(),
        Heading("目录", 1),
        Contents(),
        PageBreak(),
    ]


def _object(assessment: Assessment) -> list[tuple[str, str | Cell]]:
    system, today = assessment.system, assessment.taken_at.astimezone(BEIJING).date()
    grade = system.graded
    return [
        ("定级对象", system.title),
        ("安全保护等级", f"{GRADE_WORD[grade.g]}（{grade}G{grade.g}）"),
        ("备案证明编号", filing(assessment, today)),
        ("上次等级测评", last_assessment(assessment, today)),
        ("责任部门 / 联系人", f"{system.department or HUMAN} / {system.contact or HUMAN}"),
        ("自查依据 / 时间", f"{assessment.standard_title}；{moment(assessment.taken_at)}（北京时间）"),
    ]


def filing(assessment: Assessment, today: date) -> str | Cell:
    """Filing number with its expiry, and how near that is."""
    system = assessment.system
    if not system.filing_number:
        return Cell("未登记（在系统配置中补充 filing_number）", "unknown")
    if system.filing_expires is None:
        return Cell(f"{system.filing_number}（有效期未登记）", "unknown")
    left = (system.filing_expires - today).days
    text = f"{system.filing_number}（有效期至 {system.filing_expires}"
    if left < 0:
        return Cell(f"{text}，已过期 {-left} 天）", "fail")
    return Cell(f"{text}，余 {left} 天）", "partial" if left <= 90 else "plain")


def last_assessment(assessment: Assessment, today: date) -> str | Cell:
    """When it was assessed last; level 3 and above is due each year."""
    system = assessment.system
    if system.last_assessment is None:
        return Cell("未登记（在系统配置中补充 last_assessment）", "unknown")
    if system.graded.g < 3:
        return str(system.last_assessment)
    due = next_assessment(system.last_assessment)
    text = f"{system.last_assessment}，下次应不晚于 {due}"
    return Cell(f"{text}（已逾期）", "fail") if due < today else text


def next_assessment(last: date) -> date:
    """A year later (from 29 February: 1 March)."""
    try:
        return last.replace(year=last.year + 1)
    except ValueError:
        return last + timedelta(days=366)


def major_text(assessment: Assessment) -> str:
    """Cases met that are also triggers of the major-risk table. Not yet a confirmed major risk: that wants
    relevance, severity and prevalence together, which a person judges."""
    met = [r for r in assessment.high_risks if r.state == "triggered"]
    major = [r for r in met if r.major_trigger]
    open_ = sum(1 for r in assessment.high_risks if r.state == "undetermined")
    mitigated = sum(1 for r in assessment.high_risks if r.state == "mitigated")
    confirmed = f"；已由人工确认缓解 {mitigated} 个" if mitigated else ""
    return (
        f"命中重大风险隐患触发项 {len(major)} 个（待人工确认；整改情况见附录 H）；"
        f"命中高风险情形 {len(met)} 个；无法判定 {open_} 个{confirmed}"
    )


def verdict_counts(assessment: Assessment) -> str:
    parts = "，".join(f"{VERDICT_WORD[v]} {assessment.count(v)}" for v in VERDICT_ORDER)
    return f"共 {len(assessment.controls)} 项：{parts}"


def _answers(assessment: Assessment) -> str:
    if not assessment.answers:
        return f"没有；{HUMAN}核查的要求项用 zhengguan attest 答复"
    return f"{answers_line(assessment.answers)}；逐条见附录 K"


def _result(assessment: Assessment, found: list[Problem]) -> list[tuple[str, str | Cell]]:
    score = assessment.score
    rate = "符合率" if score.unit == "%" else "综合得分"
    return [
        (
            f"{rate}（{score.edition} 版方法）",
            f"{score_text(assessment)}；核查覆盖率 {percent(score.coverage)}",
        ),
        ("自查初判", Cell(conclusion_text(assessment), "note")),
        (
            "要求项",
            Cell(verdict_counts(assessment), "unknown" if assessment.count(Verdict.UNKNOWN) else "plain"),
        ),
        ("安全问题", count_risks(found)),
        ("人工答复", _answers(assessment)),
        ("重大风险隐患", major_text(assessment)),
        ("整改率", f"{HUMAN}（本次自查只记录现状）"),
    ]
