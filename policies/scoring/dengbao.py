"""等保 scores by edition of the report template: 2025 (符合率), 2021 (deductions), 2019 (weights).

A score is a range: low = everything unseen fails, high = everything unseen passes. Sources and what is not
verified about each method stand with the parameters (``dengbao-scoring.yaml``); every score lists the
unverified ones it rests on. Decimal throughout, rounded half up at each stage.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Literal

import msgspec

from policies.assessment import ControlVerdict, Edition, HighRisk, Score
from policies.bounds import UNSEEN, bounds_of, of_verdict
from policies.inheritance import within
from policies.scoring.method import Method, Span, rounded
from policies.verdict import Bounds, Finding, Verdict

TECHNICAL_CLASSES = ("安全物理环境", "安全通信网络", "安全区域边界", "安全计算环境", "安全管理中心")
"""The five technical classes; the other five are management (GB/T 22239)."""

_WEIGHT = {"一般": "weight_ordinary", "重要": "weight_important", "关键": "weight_critical"}
_BAD = ("triggered", "undetermined")  # a high risk in the worst case; one that was mitigated is none
_ZERO, _ONE, _HUNDRED = Decimal(0), Decimal(1), Decimal(100)


class ControlPoint(msgspec.Struct, kw_only=True, frozen=True):
    """Score of a control point of the 2019 edition, 0–10."""

    class_name: str
    title: str
    low: Decimal
    high: Decimal


def score(
    method: Method[Edition],
    controls: Sequence[ControlVerdict],
    risks: Sequence[HighRisk] = (),
    findings: Sequence[Finding] = (),
    importance: Mapping[str, str] | None = None,
) -> Score:
    """The score of an assessment. Controls 不适用 are left out; with none left nothing is known, and the
    range is everything. ``importance``: control id → 关键, 重要, 一般 (the default)."""
    applicable = [c for c in controls if c.verdict is not Verdict.NOT_APPLICABLE]
    weights = {c.control.id: (importance or {}).get(c.control.id, "一般") for c in applicable}
    wrong = next((w for w in weights.values() if w not in _WEIGHT), None)
    if wrong is not None:
        raise ValueError(f"重要程度应为 关键、重要 或 一般，而不是 {wrong}")
    rate = {"2025": _rate_2025, "2021": _score_2021, "2019": _score_2019}[method.edition]
    span, used = rate(method, applicable, weights) if applicable else ((_ZERO, _HUNDRED), [])
    conclude = _conclude_2025 if method.edition == "2025" else _grades
    (worst, best), more = conclude(method, span, applicable, risks, findings)
    decided = sum(1 for c in applicable if c.verdict is not Verdict.UNKNOWN)
    unit: Literal["%", "分"] = "%" if method.about.unit == "%" else "分"
    return Score(
        edition=method.edition,
        low=span[0],
        high=span[1],
        unit=unit,
        coverage=rounded(Decimal(decided) / len(applicable), 4) if applicable else _ZERO,
        conclusion_low=worst,
        conclusion_high=best,
        parameters={name: p.value for name, p in method.parameters.items()},
        notes=method.notes(["unlisted_objects", *used, *more]),
    )


def object_bounds(control: ControlVerdict) -> list[Bounds]:
    """Bounds of a control's objects, one more for each thing that nobody inventoried (what a person said of
    those, where one did), each within what is inherited. A control that has no objects counts as one."""
    parts = _parts(control)
    limits = control.inherited
    return parts if limits is None else [within(part, limits) for part in parts]


def _parts(control: ControlVerdict) -> list[Bounds]:
    objects = [bounds_of(o) for o in control.objects if o.verdict is not Verdict.NOT_APPLICABLE]
    if not objects:
        return [bounds_of(control)]
    if control.answered is Verdict.NOT_APPLICABLE:
        return objects
    rest = UNSEEN if control.answered is None else of_verdict(control.answered)
    return [*objects, *(rest for _ in control.uncovered)]


def control_points(
    method: Method[Edition], controls: Sequence[ControlVerdict], importance: Mapping[str, str] | None = None
) -> list[ControlPoint]:
    """Control points of the 2019 edition: the mean of each item over its objects, weighted over the items
    of the point, on a scale of 10; items that do not apply are left out."""
    places = method.places("score_places")
    points: dict[tuple[str, str, str], list[ControlVerdict]] = {}
    for c in controls:
        if c.verdict is not Verdict.NOT_APPLICABLE:
            points.setdefault((c.control.part, c.control.class_name, c.control.control_point), []).append(c)
    made = []
    for (_, class_name, title), items in points.items():
        weights = [method.number(_WEIGHT[(importance or {}).get(c.control.id, "一般")]) for c in items]
        means = [_mean(method, c) for c in items]
        low, high = (
            rounded(
                sum((m[side] * w for m, w in zip(means, weights, strict=True)), _ZERO) / sum(weights) * 10,
                places,
            )
            for side in (0, 1)
        )
        made.append(ControlPoint(class_name=class_name, title=title, low=low, high=high))
    return made


def _credit(method: Method[Edition]) -> Callable[[Verdict], Decimal]:
    values = {Verdict.PASS: _ONE, Verdict.PARTIAL: method.number("partial_credit"), Verdict.FAIL: _ZERO}
    return values.__getitem__


def _mean(method: Method[Edition], control: ControlVerdict) -> Span:
    credit = _credit(method)
    parts = object_bounds(control)
    places = method.places("score_places")
    low, high = (
        rounded(sum((credit(part[side]) for part in parts), _ZERO) / len(parts), places) for side in (0, 1)
    )
    return low, high


Rated = tuple[Span, list[str]]


def _rate_2025(method: Method[Edition], controls: Sequence[ControlVerdict], _: Mapping[str, str]) -> Rated:
    """符合率 = 符合 / applicable × 100 %."""
    by_item = method["basis"] == "item"
    parts = [b for c in controls for b in ([bounds_of(c)] if by_item else object_bounds(c))]
    credit = _credit(method)
    low, high = (
        rounded(
            sum((credit(part[side]) for part in parts), _ZERO) * 100 / len(parts),
            method.places("rate_places"),
        )
        for side in (0, 1)
    )
    return (low, high), ["partial_credit", "basis", "rate_places"]


def _conclude_2025(
    method: Method[Edition],
    span: Span,
    controls: Sequence[ControlVerdict],
    risks: Sequence[HighRisk],
    findings: Sequence[Finding],
) -> tuple[tuple[str, str], list[str]]:
    """公网安〔2025〕1846号 question 20. A major risk in the worst case: a case with a trigger that is met
    or cannot be told; in the best case: one that is met."""
    major = [r for r in risks if r.major_trigger]
    used: list[str] = []
    worst = _row_2025(method, span[0], any(r.state in _BAD for r in major), used)
    best = _row_2025(method, span[1], any(r.state == "triggered" for r in major), used)
    return (worst, best), used


def _row_2025(method: Method[Edition], rate: Decimal, major: bool, used: list[str]) -> str:
    if rate > method.number("pass_above"):
        if not major:
            return "符合"
        used.append("above_with_major_risk")
        return method["above_with_major_risk"]
    if rate == method.number("pass_above"):
        used.append("at_pass_threshold")
        return "基本符合" if major else method["at_pass_threshold"]
    if rate > method.number("fail_below"):
        return "基本符合"
    if rate == method.number("fail_below"):
        used.append("at_fail_threshold")
        return method["at_fail_threshold"]
    return "不符合"


def _score_2021(
    method: Method[Edition], controls: Sequence[ControlVerdict], weights: Mapping[str, str]
) -> Rated:
    """M = Vt + Vm; each part starts from its share of 100 and loses f × (1 − x) × S per item, S = 100/n."""
    credit = _credit(method)
    places = method.places("score_places")
    unit = rounded(_HUNDRED / len(controls), method.places("unit_places"))
    share = method.number("technical_share")
    lost = {True: [_ZERO, _ZERO], False: [_ZERO, _ZERO]}
    for c in controls:
        x = tuple(map(credit, bounds_of(c))) if method["multi_object"] == "ternary" else _mean(method, c)
        factor = method.number(_WEIGHT[weights[c.control.id]])
        part = lost[c.control.class_name in TECHNICAL_CLASSES]
        for side in (0, 1):
            part[side] += factor * (1 - x[side]) * unit
    starts = ((True, _HUNDRED * share), (False, _HUNDRED * (1 - share)))
    low, high = (
        sum(
            (max(_ZERO, rounded(start - rounded(lost[t][side], places), places)) for t, start in starts),
            _ZERO,
        )
        for side in (0, 1)
    )
    used = [
        "technical_share",
        "partial_credit",
        "multi_object",
        *_WEIGHT.values(),
        "unit_places",
        "score_places",
    ]
    return (low, high), used


def _score_2019(
    method: Method[Edition], controls: Sequence[ControlVerdict], weights: Mapping[str, str]
) -> Rated:
    """M = 100 − mean over classes of (weight failed + half the weight partial) / weight of all, × 100,
    each item counted once per object."""
    if method["extension"] == "ignore":
        controls = [c for c in controls if c.control.part == "general"] or controls
    credit = _credit(method)
    places = method.places("score_places")
    classes: dict[str, list[list[Decimal]]] = {}
    for c in controls:
        weight = method.number(_WEIGHT[weights[c.control.id]])
        rows = classes.setdefault(c.control.class_name, [])
        rows += [[weight, *(weight * credit(v) for v in part)] for part in object_bounds(c)]
    low, high = (
        rounded(
            sum(
                (
                    rounded(
                        sum((r[side] for r in rows), _ZERO) * 100 / sum((r[0] for r in rows), _ZERO), places
                    )
                    for rows in classes.values()
                ),
                _ZERO,
            )
            / len(classes),
            places,
        )
        for side in (1, 2)
    )
    return (low, high), ["partial_credit", *_WEIGHT.values(), "extension", "score_places"]


def _grades(
    method: Method[Edition],
    span: Span,
    controls: Sequence[ControlVerdict],
    risks: Sequence[HighRisk],
    findings: Sequence[Finding],
) -> tuple[tuple[str, str], list[str]]:
    """优 良 中 差. High risk in the worst case: a case that is met or cannot be told; in the best case: one
    that is met. Any fault that no case calls high counts as medium unless its severity is low."""
    medium = any(f.severity in ("critical", "high", "medium") for f in findings)
    open_ = any(c.verdict is not Verdict.PASS for c in controls)
    worst = _grade(method, span[0], any(r.state in _BAD for r in risks), medium or open_)
    best = _grade(method, span[1], any(r.state == "triggered" for r in risks), medium)
    return (worst, best), ["excellent", "good", "fair"]


def _grade(method: Method[Edition], points: Decimal, high: bool, medium: bool) -> str:
    if high or points < method.number("fair"):
        return "差"
    if points >= method.number("excellent") and not medium:
        return "优"
    return "良" if points >= method.number("good") else "中"
