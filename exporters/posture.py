"""Families of assessments: scores, verdicts, high risks, findings, answers and exceptions by system."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from decimal import Decimal

from exporters.cached import Rows, family
from exporters.exposition import Encoded
from policies.assessment import Assessment
from policies.exceptions import excepted
from policies.verdict import SEVERITIES, Verdict


def posture(assessments: Sequence[Assessment]) -> list[Encoded]:
    """What was found of each system, the most wanted first."""
    scores = [((a.system.name, a.standard, a.score.edition), a) for a in assessments]
    indicators = [
        ((a.system.name, a.standard, v.id, v.title), v) for a in assessments for v in a.indicators if v.kind
    ]
    return [
        family(
            "system_info",
            "A graded system (title, department and grade to join on system).",
            "system title department grade importance",
            [
                ((s.name, s.title, s.department, str(s.graded), s.importance), 1)
                for s in {a.system.name: a.system for a in assessments}.values()
            ],
        ),
        family(
            "score_low_ratio",
            "Self-check score of a system if every unknown fails, 0 to 1.",
            "system standard edition",
            [(key, a.score.low / Decimal(100)) for key, a in scores if a.score.low is not None],
        ),
        family(
            "score_high_ratio",
            "Self-check score of a system if every unknown passes, 0 to 1.",
            "system standard edition",
            [(key, a.score.high / Decimal(100)) for key, a in scores if a.score.high is not None],
        ),
        family(
            "assessment_coverage_ratio",
            "Controls decided among those applicable, 0 to 1.",
            "system standard edition",
            [(key, a.score.coverage) for key, a in scores],
        ),
        family(
            "indicator_low_ratio",
            "Share over the inventory if nothing that was not seen meets it, 0 to 1.",
            "system standard indicator title",
            [(key, v.low) for key, v in indicators if v.low is not None],
        ),
        family(
            "indicator_high_ratio",
            "Share over the inventory if all that was not seen meets it, 0 to 1.",
            "system standard indicator title",
            [(key, v.high) for key, v in indicators if v.high is not None],
        ),
        family(
            "indicator_target_ratio",
            "Share an indicator should reach, or (better = less) stay at or below, 0 to 1.",
            "system standard indicator better",
            [((*key[:3], v.better), v.target) for key, v in indicators if v.target is not None],
        ),
        family(
            "high_risks",
            "High-risk cases by state; undetermined: nothing that was seen decides it; "
            "mitigated: a person says so.",
            "system standard state",
            _high_risks(assessments),
        ),
        family(
            "high_risk_triggered",
            "A high-risk case whose condition is met (a person may still confirm a mitigation).",
            "system standard case title",
            _triggered(assessments),
        ),
        family(
            "control_verdicts",
            "Controls by verdict and by who gave it (auto, person, inherited from the platform, none).",
            "system standard verdict origin",
            _verdicts(assessments),
        ),
        family(
            "answers",
            "People's answers by what became of them; expiring ones still count.",
            "system standard state",
            _answers(assessments),
        ),
        family(
            "exceptions",
            "Exceptions that concern a system by state; expired ones no longer cover anything.",
            "system standard state",
            _exceptions(assessments),
        ),
        family(
            "findings_excepted",
            "Findings that an exception in force covers; they are among the open ones.",
            "system rule severity",
            _covered(assessments),
        ),
        family(
            "findings_by_severity",
            "Open findings of a system by severity.",
            "system severity",
            _severities(assessments),
        ),
        family(
            "findings",
            "Open findings of a system by rule; a rule without findings has no series.",
            "system rule severity",
            _findings(assessments),
        ),
    ]


def _high_risks(assessments: Sequence[Assessment]) -> Rows:
    for a in assessments:
        counts = Counter(risk.state for risk in a.high_risks)
        for state in ("triggered", "mitigated", "undetermined", "clear"):
            yield (a.system.name, a.standard, state), counts[state]


def _triggered(assessments: Sequence[Assessment]) -> Rows:
    for a in assessments:
        for risk in a.high_risks:
            if risk.state == "triggered":
                yield (a.system.name, a.standard, risk.case, risk.title), 1


def _verdicts(assessments: Sequence[Assessment]) -> Rows:
    for a in assessments:
        counts = Counter((c.verdict, c.origin) for c in a.controls)
        for verdict in Verdict:
            for origin in ("auto", "person", "inherited", "none"):
                yield (a.system.name, a.standard, verdict.value, origin), counts[verdict, origin]


def _answers(assessments: Sequence[Assessment]) -> Rows:
    for a in assessments:
        counts = Counter("expiring" if u.effect == "counted" and u.expiring else u.effect for u in a.answers)
        for state in ("counted", "expiring", "expired", "contradicted", "unused"):
            yield (a.system.name, a.standard, state), counts[state]


def _exceptions(assessments: Sequence[Assessment]) -> Rows:
    for a in assessments:
        counts = Counter(
            "expiring" if use.state == "matched" and use.expiring else use.state for use in a.exceptions
        )
        for state in ("matched", "expiring", "unused", "expired", "unknown"):
            yield (a.system.name, a.standard, state), counts[state]


def _covered(assessments: Sequence[Assessment]) -> Rows:
    found: dict[tuple[str, str, str], set[str]] = defaultdict(set)
    for a in assessments:
        covered = excepted(a)
        for f in a.findings:
            if f.id in covered:
                found[a.system.name, f.rule, f.severity].add(f.id)
    return [(key, len(ids)) for key, ids in found.items()]


def _severities(assessments: Sequence[Assessment]) -> Rows:
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for a in assessments:
        found[a.system.name] |= {f.id: f.severity for f in a.findings}
    for system, held in found.items():
        counts = Counter(held.values())
        for severity in SEVERITIES:
            yield (system, severity), counts[severity]


def _findings(assessments: Sequence[Assessment]) -> Rows:
    """One finding may stand in two assessments of a system (two standards): it is counted once."""
    found: dict[tuple[str, str, str], set[str]] = defaultdict(set)
    for a in assessments:
        for f in a.findings:
            found[a.system.name, f.rule, f.severity].add(f.uid)
    return [(key, len(uids)) for key, uids in found.items()]
