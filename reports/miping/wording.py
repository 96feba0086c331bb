"""Words and cells that the chapters of the 密评 self-check share."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from policies.assessment import Assessment
from policies.crypto import CryptoScore, CryptoUnit, LayerScore, ObjectScore, UnitScore
from policies.scoring.method import rounded
from policies.standards import Standard, load_standard
from policies.verdict import Verdict
from reports.dengbao.wording import VERDICT_TONE, VERDICT_WORD
from reports.document import Cell

TITLE: Final = "商用密码应用安全性自查报告（技术项自动核查）"
STATEMENT: Final = (
    "本报告是责任单位的自查材料，由程序对采集到的数据自动核查、按量化评估规则估算，不是商用密码应用安全性评估（密评）"
    "结论，也不能替代由密评机构进行的评估。程序只能查出 D、A 的不符合，不能证明符合；密钥管理（K）须凭"
    "密码产品认证证书等由人核查。没有查明的既不算符合，也不算不符合，得分因此以区间给出。"
)
CORRECTIONS: Final = "表 5-1 测评结果修正"
LAYERS: Final = "表 5-2 各层面得分"
UNITS: Final = "表 5-3 整体测评结果与分值"
PROBLEMS: Final = "表 6-1 安全问题风险分析"
HIGH_RISKS: Final = "表 6-2 高风险情形"
FIRST: Final = "表 6-3 整改先后"
RESULT: Final = "表 7-1 自查初判"
UNKNOWNS: Final = "表 7-2 尚未查明的单元和查明办法"
PARAMETERS: Final = "表 7-3 方法参数（取值可配置）"
COVERAGE: Final = "表 B-1 采集覆盖情况"
UNIT_WORD: Final = VERDICT_WORD | {Verdict.UNKNOWN: "未查明"}


def score_of(assessment: Assessment) -> CryptoScore:
    """The score of 密评. Raises TypeError for an assessment against another standard."""
    if not isinstance(assessment.score, CryptoScore):
        raise TypeError(f"not an assessment of 密评: {assessment.standard}")
    return assessment.score


def standard_of(assessment: Assessment) -> Standard:
    return load_standard(assessment.standard)


def span(low: Decimal | None, high: Decimal | None, unit: str = "") -> str:
    """A range, as one number only where both ends are the same."""
    if low is None or high is None:
        return "不适用"
    return f"{low}{unit}" if low == high else f"{low}{unit} ～ {high}{unit}"


def total(score: CryptoScore) -> str:
    """The whole; a single number only where nothing is open."""
    if score.low is None:
        return "没有总分（技术或管理一侧全部不适用，须由人判定）"
    if score.low == score.high and score.exact is None:
        return f"{score.low}分 ～ {score.high}分"
    return span(score.low, score.high, "分")


def conclusion_text(score: CryptoScore) -> str:
    """The conclusion at each end, and that they differ where they do."""
    if score.conclusion_low == score.conclusion_high:
        return score.conclusion_low
    return f"{score.conclusion_low}（未查明的均不符合时） ～ {score.conclusion_high}（未查明的均符合时）"


def unit_cell(verdict: Verdict) -> Cell:
    return Cell(UNIT_WORD[verdict], VERDICT_TONE[verdict])


def dak(scored: ObjectScore) -> list[str | Cell]:
    """D, A and K as the official record writes them: √, ×, "/" where D fails, ？ where nothing is known."""
    marks = [{True: "√", False: "×", None: "？"}[value] for value in (scored.d, scored.a, scored.k)]
    return [marks[0], "/", "/"] if scored.d is False else list(marks)


def required(unit: CryptoUnit) -> str:
    """应, 宜 or 可, and that this was not verified where it was not."""
    return unit.strength if unit.strength_verified else f"{unit.strength}（未核实）"


def shown(points: Decimal) -> str:
    """Points to two places."""
    return str(rounded(points, 2))


def technical(score: CryptoScore) -> list[LayerScore]:
    return [layer for layer in score.layers if layer.technical]


def management(score: CryptoScore) -> list[LayerScore]:
    return [layer for layer in score.layers if not layer.technical]


def units(score: CryptoScore) -> list[UnitScore]:
    """All units in the standard's order."""
    return [unit for layer in score.layers for unit in layer.units]
