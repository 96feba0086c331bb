"""Ranges, targets and verdicts as cells: never more certain than they are."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Final

from policies.assessment import IndicatorValue
from policies.verdict import Verdict
from reports.document import Block, Cell, Paragraph, Tone

TITLE: Final = "IPv6 就绪情况报告"
NO_SHARE: Final = "－"
TONE: Final[dict[Verdict, Tone]] = {
    Verdict.PASS: "pass",
    Verdict.PARTIAL: "partial",
    Verdict.FAIL: "fail",
    Verdict.NOT_APPLICABLE: "na",
    Verdict.UNKNOWN: "unknown",
}


def count(number: int, tone: Tone = "plain") -> Cell:
    """A whole number, with thousands."""
    return Cell(f"{number:,}", tone, float(number), "#,##0")


def percent(share: Decimal | None) -> Cell:
    """One end of a range; a dash where there is nothing to take a share of."""
    if share is None:
        return Cell(NO_SHARE, "na")
    return Cell(f"{share:.1%}", "plain", float(share), "0.0%")


def ends(value: IndicatorValue) -> list[str | Cell]:
    """The low and the high end."""
    return [percent(value.low), percent(value.high)]


def span(value: IndicatorValue) -> str:
    """A range as text."""
    if value.low is None or value.high is None:
        return NO_SHARE
    return f"{value.low:.1%}" if value.low == value.high else f"{value.low:.1%}～{value.high:.1%}"


def target(value: IndicatorValue) -> str:
    """The target in force."""
    if value.target is None:
        return "没有设目标"
    sign = "≥" if value.better == "more" else "≤"
    return f"{sign} {value.target:.0%}" + (f"（{value.target_year} 年起）" if value.target_year else "")


def verdict(value: IndicatorValue) -> Cell:
    """Reached, missed, or not to be told; nothing to count is none of them."""
    if value.low is None:
        return Cell("无可计算的对象", "na")
    if value.target is None:
        return Cell("只作参考", "note")
    words = {Verdict.PASS: "达标", Verdict.FAIL: "未达标", Verdict.UNKNOWN: "判断不了"}
    return Cell(words.get(value.verdict, value.verdict.label), TONE[value.verdict])


def open_(number: int) -> Cell:
    """How many may be either."""
    return count(number, "unknown" if number else "plain")


def short(number: int) -> Cell:
    """How many do not meet it."""
    return count(number, "fail" if number else "plain")


def points(low: Fraction, high: Fraction) -> str:
    """A score as text, one decimal."""
    a, b = f"{float(low):.1f}", f"{float(high):.1f}"
    return a if a == b else f"{a}～{b}"


def cut(found: int, limit: int) -> list[Block]:
    """Says that a list was cut."""
    if found <= limit:
        return []
    return [Paragraph(f"共 {found:,} 行，这里列出前 {limit:,} 行，全部见 XLSX。", "note")]
