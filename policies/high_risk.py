"""High risks: which cases of the guideline are met, which cannot be told.

A finding meets a case where its rule names it. That a case is clear is said only where data can show it,
rules looked for it everywhere and found nothing, and every control it belongs to is 符合; all else is
undetermined. Mitigation is a person's to confirm and never assumed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from inventory.systems import System
from policies.assessment import ControlVerdict, HighRisk
from policies.outcome import Outcome
from policies.readings import BLIND, FAIL, Readings
from policies.standards import Case, Standard
from policies.verdict import Verdict


def high_risks(
    system: System,
    standard: Standard,
    controls: Sequence[ControlVerdict],
    outcomes: Sequence[Outcome],
    readings: Readings,
    *,
    level: int | None = None,
) -> list[HighRisk]:
    """The cases that concern this system, in the guideline's order. ``level`` None = that of its grade."""
    level = level or system.graded.g
    verdicts = {c.control.id: c.verdict for c in controls}
    naming: dict[str, list[int]] = {}  # case → rules that name it, by their index
    for index, outcome in enumerate(outcomes):
        for name in outcome.rule.high_risk:
            naming.setdefault(name, []).append(index)
    risks = []
    for case in standard.cases.values():
        linked = tuple(c for c in case.controls if c in verdicts)
        if not _concerns(case, standard, system, linked, level):
            continue
        rules = naming.get(case.id, [])
        findings = tuple(f for i in rules for ids in readings.findings[i].values() for f in ids)
        looked = bool(rules) and all(_looked_everywhere(readings, i) for i in rules)
        passed = bool(linked) and all(verdicts[c] is Verdict.PASS for c in linked)
        state: Literal["triggered", "undetermined", "clear"] = "undetermined"
        if findings:
            state = "triggered"
        elif case.detect == "auto" and looked and passed:
            state = "clear"
        risks.append(
            HighRisk(
                case=case.id,
                title=case.title,
                state=state,
                condition=f"{case.condition}（{case.scope}）" if case.scope else case.condition,
                mitigation=case.mitigation,
                mitigable=case.mitigable,
                major_trigger=case.major_trigger,
                controls=linked,
                findings=findings,
                warning=level in case.warn_levels,
            )
        )
    return risks


def _looked_everywhere(readings: Readings, rule: int) -> bool:
    seen = set(readings.masks[rule]) - {0}
    return bool(seen) and not readings.lost[rule] and not any(mask & (FAIL | BLIND) for mask in seen)


def _concerns(case: Case, standard: Standard, system: System, linked: tuple[str, ...], level: int) -> bool:
    if case.part == "cloud" and system.cloud == "none":
        return False
    if case.scope == "云平台" and system.cloud != "platform":
        return False
    if case.scope == "客户系统" and system.cloud != "tenant":
        return False
    if case.scope == "仅限业务连续性要求高的对象" and not system.high_availability:
        return False
    # one case names a level at which the catalogue has no clause for it: the guideline prevails
    without_clause = all(standard.get(c).level != level for c in case.controls)
    return bool(linked) or (level in case.levels and without_clause)
