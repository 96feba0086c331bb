"""Bounds against brute force: try every outcome of what was not seen."""

from __future__ import annotations

from itertools import combinations_with_replacement, product

import pytest

from policies.assessment import ObjectVerdict
from policies.bounds import FAILED, MIXED, PASSED, UNSEEN, bounds_of, together, told, verdict_of
from policies.verdict import Verdict

ORDER = [Verdict.FAIL, Verdict.PARTIAL, Verdict.PASS]


def combined(verdicts: tuple[Verdict, ...]) -> Verdict:
    return verdicts[0] if len(set(verdicts)) == 1 else Verdict.PARTIAL


@pytest.mark.parametrize("size", [1, 2, 3, 4])
def test_bounds_are_the_worst_and_the_best_that_can_be(size: int) -> None:
    parts = {PASSED: ORDER[2:], MIXED: ORDER[1:2], FAILED: ORDER[:1], UNSEEN: ORDER}
    for chosen in combinations_with_replacement(parts, size):
        possible = [combined(world) for world in product(*(parts[p] for p in chosen))]
        bounds = together(chosen)
        assert bounds == (min(possible, key=ORDER.index), max(possible, key=ORDER.index))
        verdict = verdict_of(bounds)
        assert (verdict is Verdict.PASS) == (set(possible) == {Verdict.PASS})
        assert (verdict is Verdict.UNKNOWN) == (Verdict.PASS in possible and len(set(possible)) > 1)
        assert (verdict is Verdict.FAIL) == (possible[0] is Verdict.FAIL and Verdict.PASS not in possible)
        # what a verdict stores gives its bounds back
        stored = ObjectVerdict(asset="", verdict=verdict, reason="", checks={}, bounds=told(bounds))
        assert bounds_of(stored) == bounds


def test_putting_together_in_steps_is_the_same() -> None:
    for a, b, c in product((PASSED, MIXED, FAILED, UNSEEN), repeat=3):
        assert together([together([a, b]), c]) == together([a, b, c])


def test_nothing_at_all_is_unseen() -> None:
    assert together([]) == UNSEEN


def test_what_does_not_apply_has_no_bounds() -> None:
    with pytest.raises(KeyError):
        bounds_of(ObjectVerdict(asset="", verdict=Verdict.NOT_APPLICABLE, reason="", checks={}))
