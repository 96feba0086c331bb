"""安全问题: findings of one rule are one problem, numbered T001… in the order of their weight."""

from __future__ import annotations

from collections import Counter
from typing import Any, Literal

import msgspec

from policies.assessment import Assessment, Asset
from policies.verdict import Finding, Severity

Risk = Literal["高", "中", "低"]
_RISK: dict[Severity, Risk] = {"critical": "高", "high": "高", "medium": "中", "low": "低", "info": "低"}
RISKS: tuple[Risk, ...] = ("高", "中", "低")


class Problem(msgspec.Struct, kw_only=True):
    """``risk`` is a proposal: 高 where a case of the high-risk guideline is met, otherwise by severity, and
    a person decides. ``cases`` are the guideline's."""

    number: str
    rule: str
    title: str
    risk: Risk
    findings: list[Finding]
    assets: list[Asset]
    controls: tuple[str, ...]
    cases: tuple[str, ...]
    fix: str

    def asset_names(self, limit: int = 6) -> str:
        """Names of the assets it was found on; the rest as a number."""
        names = [a.name for a in self.assets] or sorted({f.name for f in self.findings})
        more = f" 等 {len(names)} 个" if len(names) > limit else ""
        return "、".join(names[:limit]) + more


def problems(assessment: Assessment) -> list[Problem]:
    """Problems of an assessment: heaviest first, then as the findings stand."""
    grouped: dict[str, list[Finding]] = {}
    for finding in assessment.findings:
        grouped.setdefault(finding.rule, []).append(finding)
    cases: dict[str, list[str]] = {}
    for risk in assessment.high_risks:
        if risk.state == "triggered":
            for id_ in risk.findings:
                cases.setdefault(id_, []).append(risk.case)
    owners = asset_of_findings(assessment)
    found = [_problem(rule, rows, cases, owners) for rule, rows in grouped.items()]
    found.sort(key=lambda p: RISKS.index(p.risk))
    return [msgspec.structs.replace(p, number=f"T{i:03}") for i, p in enumerate(found, start=1)]


def _problem(
    rule: str, findings: list[Finding], cases: dict[str, list[str]], owners: dict[str, list[Asset]]
) -> Problem:
    met = dict.fromkeys(case for f in findings for case in cases.get(f.id, []))
    messages = list(dict.fromkeys(f.message for f in findings))
    title = messages[0] if len(messages) == 1 else f"{messages[0]}（同类共 {len(findings)} 处）"
    return Problem(
        number="",
        rule=rule,
        title=title,
        risk="高" if met else _RISK[findings[0].severity],
        findings=findings,
        assets=list({a.uid: a for f in findings for a in owners.get(f.id, [])}.values()),
        controls=tuple(dict.fromkeys(c for f in findings for c in f.controls)),
        cases=tuple(met),
        fix=findings[0].fix,
    )


def asset_of_findings(assessment: Assessment) -> dict[str, list[Asset]]:
    """Finding id → the assets whose verdicts name it."""
    assets = {a.uid: a for a in assessment.assets}
    owners: dict[str, dict[str, Asset]] = {}
    for held in assessment.controls:
        for row in held.objects:
            if row.asset in assets:
                for id_ in row.findings:
                    owners.setdefault(id_, {})[row.asset] = assets[row.asset]
    return {id_: list(held.values()) for id_, held in owners.items()}


def count_risks(found: list[Problem]) -> str:
    """How many of each risk, as the front page and chapter 5 say it."""
    counts = Counter(p.risk for p in found)
    inner = "，".join(f"{risk} {counts[risk]} 个" for risk in RISKS)
    return f"共 {len(found)} 个：{inner}"


def evidence_text(evidence: dict[str, Any]) -> str:
    """The readings behind a finding, one per line."""
    return "\n".join(f"{key} = {_reading(value)}" for key, value in evidence.items())


def _reading(value: Any) -> str:
    if isinstance(value, str):
        return value
    return msgspec.json.encode(value, enc_hook=str).decode()
