"""Problems (安全问题) and counts: an assessment as its reader works through it. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Literal

import msgspec

from policies.assessment import Assessment
from policies.outcome import Rule
from policies.verdict import SEVERITIES, Finding, Severity, Verdict

RiskLevel = Literal["高", "中", "低"]
RISK_LEVELS: tuple[RiskLevel, ...] = ("高", "中", "低")
_RISK: dict[Severity, RiskLevel] = {
    "critical": "高",
    "high": "高",
    "medium": "中",
    "low": "低",
    "info": "低",
}


class Problem(msgspec.Struct, kw_only=True, frozen=True):
    """One rule that failed somewhere in the system. ``number`` T001 … in order of risk; ``risk`` is the
    machine's reading: 高 where a high-risk case is met or the rule is severe, and a person may judge
    otherwise. ``assets``, ``controls``, ``findings`` are ids; ``cases`` those of the guideline."""

    number: str
    rule: str
    title: str
    why: str
    fix: str
    severity: Severity
    risk: RiskLevel
    assets: tuple[str, ...]
    controls: tuple[str, ...]
    findings: tuple[str, ...]
    cases: tuple[str, ...]


def problems(assessment: Assessment, rules: Iterable[Rule]) -> list[Problem]:
    """安全问题汇总: findings by rule, worst and widest first. A rule that is not in ``rules`` (removed since)
    is told by its finding: no ``why``, and the message for a title."""
    by_id = {rule.id: rule for rule in rules}
    by_rule: dict[str, list[Finding]] = {}
    for finding in assessment.findings:
        by_rule.setdefault(finding.rule, []).append(finding)
    where: dict[str, list[str]] = {}  # rule → assets it failed on
    breached: dict[str, list[str]] = {}  # rule → controls
    for control in assessment.controls:
        for object_ in control.objects:
            for failed, verdict in object_.checks.items():
                if verdict in (Verdict.FAIL, Verdict.PARTIAL):
                    where.setdefault(failed, []).append(object_.asset)
                    breached.setdefault(failed, []).append(control.control.id)
    met = {risk.case: set(risk.findings) for risk in assessment.high_risks if risk.state == "triggered"}
    found = []
    for id_, findings in by_rule.items():
        rule = by_id.get(id_)
        first = findings[0]
        severity = rule.severity if rule else first.severity
        ids = tuple(f.id for f in findings)
        cases = tuple(case for case, of_case in met.items() if not of_case.isdisjoint(ids))
        found.append(
            Problem(
                number="",
                rule=id_,
                title=rule.title if rule else first.message,
                why=rule.why if rule else "",
                fix=rule.fix if rule else first.fix,
                severity=severity,
                risk="高" if cases else _RISK[severity],
                assets=tuple(dict.fromkeys(where.get(id_, ()))),
                controls=tuple(dict.fromkeys(breached.get(id_, ()))),
                findings=ids,
                cases=cases,
            )
        )
    found.sort(
        key=lambda p: (
            RISK_LEVELS.index(p.risk),
            SEVERITIES.index(p.severity),
            -len(p.assets),
            p.rule,
        )
    )
    return [msgspec.structs.replace(p, number=f"T{n:03}") for n, p in enumerate(found, 1)]


def by_class(assessment: Assessment) -> dict[str, Counter[Verdict]]:
    """Class of requirements (安全物理环境 …) → verdict → number of controls, in the standard's order."""
    counts: dict[str, Counter[Verdict]] = {}
    for control in assessment.controls:
        counts.setdefault(control.control.class_name, Counter())[control.verdict] += 1
    return counts


def by_risk(found: Iterable[Problem]) -> Counter[RiskLevel]:
    """Number of problems by level of risk."""
    return Counter(p.risk for p in found)
