"""安全问题 as the chapters show them: each with its findings and the assets it was found on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

import msgspec

from policies.assessment import Assessment, Asset
from policies.outcome import Rule
from policies.problems import RISK_LEVELS, RiskLevel
from policies.problems import problems as problems_of
from policies.verdict import Finding


class Problem(msgspec.Struct, kw_only=True):
    """A problem of ``policies.problems`` with what it stands on. ``risk`` is a proposal."""

    number: str
    rule: str
    title: str
    why: str
    risk: RiskLevel
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


def problems(assessment: Assessment, rules: Iterable[Rule]) -> list[Problem]:
    """Problems of an assessment, in the order of their numbers."""
    assets = {a.uid: a for a in assessment.assets}
    findings = {f.id: f for f in assessment.findings}
    return [
        Problem(
            number=p.number,
            rule=p.rule,
            title=_title(p.title, [findings[id_] for id_ in p.findings]),
            why=p.why,
            risk=p.risk,
            findings=[findings[id_] for id_ in p.findings],
            assets=[assets[uid] for uid in p.assets if uid in assets],
            controls=p.controls,
            cases=p.cases,
            fix=p.fix,
        )
        for p in problems_of(assessment, rules)
    ]


def _title(requirement: str, findings: list[Finding]) -> str:
    """What is wrong. A rule's title says what should be; a finding's message what is."""
    first = findings[0].message
    if len(findings) == 1:
        return first
    if requirement == first:
        return f"{first}（同类共 {len(findings)} 处）"
    return f"不满足“{requirement}”（{len(findings)} 处）"


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
    inner = "，".join(f"{risk} {counts[risk]} 个" for risk in RISK_LEVELS)
    return f"共 {len(found)} 个：{inner}"


def evidence_text(evidence: dict[str, Any]) -> str:
    """The readings behind a finding, one per line."""
    return "\n".join(f"{key} = {_reading(value)}" for key, value in evidence.items())


def _reading(value: Any) -> str:
    if isinstance(value, str):
        return value
    return msgspec.json.encode(value, enc_hook=str).decode()
