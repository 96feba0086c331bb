"""What to fix first: failing rules by high risk, by the points that mending gains, and by effort. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Final

from policies.assessment import AnyScore, Assumed, ControlVerdict, HighRisk, Priority
from policies.outcome import Rule
from policies.verdict import SEVERITIES, Effort, Finding, Verdict

EFFORT_WORD: Final[Mapping[Effort, str]] = {"low": "小", "medium": "中", "high": "大"}
_EFFORTS: Final = ("low", "medium", "high")
_MEDIUM: Final = frozenset(
    {"certificate", "cluster", "control_plane_component", "endpoint", "hypervisor", "ingress",
     "load_balancer", "network", "router", "volume"}
)  # fmt: skip
"""Kinds where a fix is more than a setting: others must be asked, or a service interrupted."""
_STEPS: Final = 10_000
"""Assets × rules that are reckoned with: an estate of any size is ranked, the rules last in line without
points."""
_LEAST, _MOST = 5, 200

IfFixed = Callable[[Collection[str]], AnyScore]
"""The score with these rules (ids) mended wherever they fail."""


def effort_of(rule: Rule) -> Effort:
    """What mending a rule takes on one resource: as the rule says, else by its kind."""
    return rule.effort or ("medium" if rule.kind in _MEDIUM else "low")


def priorities(
    rules: Mapping[str, Rule],
    findings: Sequence[Finding],
    controls: Sequence[ControlVerdict],
    risks: Sequence[HighRisk],
    assets: int,
    score: AnyScore,
    if_fixed: IfFixed,
) -> list[Priority]:
    """Every rule that failed, what to fix first in front. Points are those that mending this rule alone,
    wherever it fails, adds to both ends of the range; None for rules last in line on a very large estate."""
    by_rule: dict[str, list[Finding]] = {}
    for finding in findings:
        by_rule.setdefault(finding.rule, []).append(finding)
    triggered = [(r.case, set(r.findings)) for r in risks if r.state == "triggered" and not r.warning]
    cases = {}
    for id_, held in by_rule.items():
        ids = [f.id for f in held]
        cases[id_] = tuple(case for case, by in triggered if not by.isdisjoint(ids))
    breached: dict[str, set[str]] = {}
    for c in controls:
        for checks in {tuple(o.checks.items()) for o in c.objects}:
            for id_, verdict in checks:
                if verdict in (Verdict.FAIL, Verdict.PARTIAL):
                    breached.setdefault(id_, set()).add(c.control.id)
    line = sorted(
        by_rule,
        key=lambda id_: (
            not cases[id_],
            SEVERITIES.index(by_rule[id_][0].severity),
            -len(breached.get(id_, ())),
            -len(by_rule[id_]),
            id_,
        ),
    )
    most = max(_LEAST, min(_MOST, _STEPS // max(1, assets)))
    found = []
    for place, id_ in enumerate(line):
        held = by_rule[id_]
        rule = rules.get(id_)
        low, high = gain(score, if_fixed({id_})) if place < most else (None, None)
        found.append(
            Priority(
                rule=id_,
                title=rule.title if rule else held[0].message,
                fix=rule.fix if rule else held[0].fix,
                severity=held[0].severity,
                effort=effort_of(rule) if rule else "medium",
                findings=len(held),
                controls=tuple(sorted(breached.get(id_, ()))),
                cases=cases[id_],
                gain_low=low,
                gain_high=high,
            )
        )
    return sorted(found, key=_rank)


def _rank(p: Priority) -> tuple[object, ...]:
    """High risks first, then what gains most, then what is done soonest."""
    return (
        not p.cases,
        p.gain_high is None,
        -(p.gain_high or Decimal(0)),
        -(p.gain_low or Decimal(0)),
        _EFFORTS.index(p.effort),
        SEVERITIES.index(p.severity),
        -len(p.controls),
        -p.findings,
        p.rule,
    )


def gain(before: AnyScore, after: AnyScore) -> tuple[Decimal | None, Decimal | None]:
    """What both ends gain; None where there is no number."""
    ends = ((before.low, after.low), (before.high, after.high))
    low, high = (None if a is None or b is None else b - a for a, b in ends)
    return low, high


def assumed(rules: Iterable[str], findings: Sequence[Finding], if_fixed: IfFixed) -> Assumed:
    """What would be, were these rules mended wherever they fail."""
    named = tuple(dict.fromkeys(rules))
    count = sum(1 for f in findings if f.rule in named)
    return Assumed(rules=named, findings=count, score=if_fixed(named))


def gain_text(p: Priority, unit: str) -> str:
    """The points in words (中文): 上限 +1.20%, that there are none, or that they were not reckoned."""
    if p.gain_low is None or p.gain_high is None:
        return "未估算"
    if not p.gain_low and not p.gain_high:
        return "单独修好不变"
    ends = [("上限", p.gain_high), ("下限", p.gain_low)]
    return "，".join(f"{end} +{points}{unit}" for end, points in ends if points)
