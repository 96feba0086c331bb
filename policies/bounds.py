"""Bounds: what a verdict may still turn out to be once the unseen is seen.

Several results make one: all pass → pass, all fail → fail, otherwise partial. Something unseen is either,
so it is a fail in the worst case and a pass in the best. A verdict is then read off its bounds: what is
decided whatever the unseen may be, is decided. This makes a score's range sound: seeing less never raises
its low end nor lowers its high end, and mending a fault lowers neither.
"""

from __future__ import annotations

from collections.abc import Iterable

from policies.assessment import ControlVerdict, ObjectVerdict
from policies.verdict import Bounds, Verdict

PASSED: Bounds = (Verdict.PASS, Verdict.PASS)
MIXED: Bounds = (Verdict.PARTIAL, Verdict.PARTIAL)
FAILED: Bounds = (Verdict.FAIL, Verdict.FAIL)
UNSEEN: Bounds = (Verdict.FAIL, Verdict.PASS)

_OF_VERDICT = {
    Verdict.PASS: PASSED,
    Verdict.PARTIAL: MIXED,
    Verdict.FAIL: FAILED,
    Verdict.UNKNOWN: UNSEEN,
}


def bounds_of(verdict: ObjectVerdict | ControlVerdict) -> Bounds:
    """Worst and best case. Raises KeyError for 不适用, which has none."""
    return verdict.bounds or _OF_VERDICT[verdict.verdict]


def of_verdict(verdict: Verdict) -> Bounds:
    """Bounds of a verdict that is what it is. Raises KeyError for 不适用, which has none."""
    return _OF_VERDICT[verdict]


def told(bounds: Bounds) -> Bounds | None:
    """Bounds as a verdict stores them: None where they are those of the verdict itself."""
    return None if bounds == _OF_VERDICT[verdict_of(bounds)] else bounds


def together(parts: Iterable[Bounds]) -> Bounds:
    """Bounds of what the parts make up. No part at all is unseen."""
    pairs = set(parts)
    if not pairs:
        return UNSEEN
    return _one({low for low, _ in pairs}), _one({high for _, high in pairs})


def _one(verdicts: set[Verdict]) -> Verdict:
    return verdicts.pop() if len(verdicts) == 1 else Verdict.PARTIAL


def verdict_of(bounds: Bounds) -> Verdict:
    """The verdict that bounds allow: fail where nothing seen complies and the best case is partial;
    unknown where it may still turn out a pass."""
    low, high = bounds
    if high is Verdict.PASS and low is not Verdict.PASS:
        return Verdict.UNKNOWN
    return low
