"""Shares of items, where a standard publishes no way to score: never a score, never a conclusion."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from policies.assessment import ControlVerdict, Unscored
from policies.scoring.method import rounded
from policies.standards import Standard
from policies.verdict import Verdict


def unscored(standard: Standard, controls: Sequence[ControlVerdict]) -> Unscored:
    """What stands in place of a score where the standard publishes no method."""
    applicable = [c for c in controls if c.verdict is not Verdict.NOT_APPLICABLE]
    met = sum(1 for c in applicable if c.verdict is Verdict.PASS)
    open_ = sum(1 for c in applicable if c.verdict is Verdict.UNKNOWN)
    total = len(applicable)
    low, high, known = (
        rounded(Decimal(n) / total if total else Decimal(whole), 4)
        for n, whole in ((met, 0), (met + open_, 1), (total - open_, 0))
    )
    return Unscored(met_low=low, met_high=high, coverage=known, notes=standard.notes)
