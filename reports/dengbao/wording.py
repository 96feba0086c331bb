"""Words, cells and captions that the chapters share, so that the same thing is called the same everywhere."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import Final, Literal

from inventory.coverage import Status
from policies.assessment import Assessment, Control, ControlVerdict
from policies.verdict import Verdict
from reports.document import BEIJING, Cell, Tone

TITLE: Final = "网络安全等级保护自查报告（技术项自动核查）"
HUMAN: Final = "待人工"
UNSEEN: Final = "未见"
GLOBAL: Final = "（全部对象）"

ASSETS_BY_CATEGORY: Final = "表 2-4 测评对象一览"
PROBLEMS: Final = "表 3-1 安全问题汇总表"
RISKS: Final = "表 5-1 安全问题风险分析表"
HIGH_RISKS: Final = "表 5-2 重大风险隐患与高风险判定分析表"
RATES: Final = "表 6-1 要求项符合情况统计表"
CONCLUSION: Final = "表 7-1 自查初判"
PARAMETERS: Final = "表 7-2 方法参数（取值可配置）"
FIXES: Final = "表 8-1 安全问题整改建议表"
ANNEX_ASSETS: Final = "表 A-1 被测对象资产"
ANNEX_SUMMARY: Final = "表 C-1 单项结果汇总（安全类 × 测评对象）"
ANNEX_RECORD: Final = "单项结果记录"
ANNEX_FINDINGS: Final = "问题记录与证据"
COVERAGE: Final = "表 I-1 采集覆盖情况"

VERDICT_WORD: Final = {
    Verdict.PASS: "符合",
    Verdict.PARTIAL: "部分符合",
    Verdict.FAIL: "不符合",
    Verdict.NOT_APPLICABLE: "不适用",
    Verdict.UNKNOWN: "未核查",
}
VERDICT_TONE: Final[dict[Verdict, Tone]] = {
    Verdict.PASS: "pass",
    Verdict.PARTIAL: "partial",
    Verdict.FAIL: "fail",
    Verdict.NOT_APPLICABLE: "na",
    Verdict.UNKNOWN: "unknown",
}
ORIGIN_WORD: Final = {"auto": "自动", "person": "人工确认", "inherited": "继承", "none": "未核查"}
DUTY_ORIGIN: Final = {"here": "本单位所设", "report": "列在平台的测评报告里"}
STATUS_TONE: Final[dict[Status, Tone]] = {
    Status.COMPLETE: "pass",
    Status.PARTIAL: "partial",
    Status.DENIED: "unknown",
    Status.UNSUPPORTED: "na",
    Status.FAILED: "fail",
}
TECHNOLOGY_ORIGIN: Final = {
    "domestic": "国产",
    "foreign": "国外",
    "unidentified": "未识别",
    "": UNSEEN,
}
RISK_TONE: Final[dict[str, Tone]] = {"高": "fail", "中": "partial", "低": "note"}
GRADE_WORD: Final = {1: "第一级", 2: "第二级", 3: "第三级", 4: "第四级"}
VERDICT_ORDER: Final = (
    Verdict.PASS,
    Verdict.PARTIAL,
    Verdict.FAIL,
    Verdict.NOT_APPLICABLE,
    Verdict.UNKNOWN,
)
VERDICT_COLUMNS: Final = [VERDICT_WORD[v] for v in VERDICT_ORDER]


def verdict_cell(verdict: Verdict) -> Cell:
    return Cell(VERDICT_WORD[verdict], VERDICT_TONE[verdict])


def count_cell(count: int, tone: Tone) -> Cell:
    """A number that draws the eye only where there is something."""
    return Cell(str(count), tone if count else "plain")


def counts(verdicts: Iterable[Verdict]) -> list[str | Cell]:
    """One cell per verdict, in the order of ``VERDICT_COLUMNS``."""
    found = Counter(verdicts)
    return [count_cell(found[v], VERDICT_TONE[v]) for v in VERDICT_ORDER]


def moment(when: datetime) -> str:
    """Time of day as offices write it: Beijing time, to the minute."""
    return when.astimezone(BEIJING).strftime("%Y-%m-%d %H:%M")


def origin_cell(origin: Literal["auto", "person", "inherited", "none"]) -> Cell:
    return Cell(ORIGIN_WORD[origin], "unknown" if origin == "none" else "plain")


def cite(control: Control) -> str:
    """Clause as shown; with the evaluation unit's code only where that code was verified."""
    unit = f"（{control.unit_id}）" if control.unit_verified and control.unit_id else ""
    return f"{control.cite}{unit}"


def by_class(assessment: Assessment) -> dict[str, list[ControlVerdict]]:
    """Controls by security class, in the standard's order; a class of the cloud extension stands apart."""
    found: dict[str, list[ControlVerdict]] = {}
    for held in assessment.controls:
        name = held.control.class_name + ("（云计算扩展）" if held.control.part == "cloud" else "")
        found.setdefault(name, []).append(held)
    return found


def score_text(assessment: Assessment) -> str:
    """The range; one number only where everything was decided."""
    score = assessment.score
    if score.low == score.high and score.coverage >= 1:
        return f"{score.low}{score.unit}"
    return f"{score.low}{score.unit} ～ {score.high}{score.unit}"


def percent(ratio: object) -> str:
    return f"{float(str(ratio)) * 100:.1f}%"


def conclusion_text(assessment: Assessment) -> str:
    """The conclusion at each bound, and that they differ where they do."""
    low, high = assessment.score.conclusion_low, assessment.score.conclusion_high
    if low == high:
        return low
    return f"{low}（未核查项均不符合时） ～ {high}（未核查项均符合时），须补充核查后判定"


def shorten(text: str, limit: int = 240) -> str:
    """Long readings end visibly, with how much there was."""
    return text if len(text) <= limit else f"{text[:limit]}…（共 {len(text)} 字符）"
