"""OCSF 1.5.0 Compliance Finding events (class 2003) of assessments, as JSON lines for a SIEM.

Three kinds of events, told apart by ``finding_info.types``: "control" (one per control of a system: the
verdict), "finding" (one per failed rule on a resource) and "unseen" (one per rule that could not be decided).
A reader who counts posture takes the first, one who opens tickets the second. 部分符合 is Warning, 未知 is
Unknown, 不适用 is Other: none of them is Pass. What the class has no attribute for is under ``unmapped``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from exporters.plain import json_bytes, line
from policies.assessment import Assessment, ControlVerdict, PolicyException
from policies.crypto import CryptoScore
from policies.exceptions import excepted
from policies.outcome import Rule
from policies.verdict import SEVERITIES, Finding, Unseen, Verdict, finding_id

VERSION = "1.5.0"
CLASS_UID = 2003
_CREATE = 1
_STATUS = {
    Verdict.PASS: (1, "Pass"),
    Verdict.PARTIAL: (2, "Warning"),
    Verdict.FAIL: (3, "Fail"),
    Verdict.UNKNOWN: (0, "Unknown"),
    Verdict.NOT_APPLICABLE: (99, "Not Applicable"),
}
_SEVERITY = {
    "": (0, "Unknown"),
    "info": (1, "Informational"),
    "low": (2, "Low"),
    "medium": (3, "Medium"),
    "high": (4, "High"),
    "critical": (5, "Critical"),
}
_RULE_ANALYTIC = 1
_SUPPRESSED = 3

Json = dict[str, Any]


def ocsf(assessments: Sequence[Assessment], rules: Sequence[Rule]) -> bytes:
    """One event a line: per assessment its controls, its findings, what was not seen, each in order."""
    known = {rule.id: rule for rule in rules}
    return b"".join(json_bytes(event) + b"\n" for a in assessments for event in _events(a, known))


def _events(assessment: Assessment, known: Mapping[str, Rule]) -> Iterator[Json]:
    by_id = {finding.id: finding for finding in assessment.findings}
    for control in assessment.controls:
        yield _of_control(control, assessment, by_id)
    accepted = excepted(assessment)
    for finding in assessment.findings:
        yield _of_finding(finding, assessment, known.get(finding.rule), accepted.get(finding.id))
    for unseen in assessment.unseen:
        yield _of_unseen(unseen, assessment, known.get(unseen.rule))


def _of_control(verdict: ControlVerdict, assessment: Assessment, by_id: Mapping[str, Finding]) -> Json:
    control = verdict.control
    ids = dict.fromkeys(i for judged in verdict.objects for i in judged.findings)
    held = [by_id[i] for i in ids if i in by_id]
    worst = min((f.severity for f in held), key=SEVERITIES.index, default="")
    if verdict.verdict in (Verdict.PASS, Verdict.NOT_APPLICABLE):
        worst = "info"
    event = _event(
        assessment,
        verdict.verdict,
        about="control",
        uid=finding_id(control.id, assessment.system.name),
        title=f"{control.cite} {control.control_point}",
        desc=control.summary,
        detail=verdict.reason,
        severity=worst,
        controls=[control.id],
    )
    event["unmapped"] |= {
        "origin": verdict.origin,
        "class": control.class_name,
        "automation": control.automation,
        "findings": list(ids),
        "uncovered": verdict.uncovered,
        "objects": _tally(verdict),
    }
    return event


def _of_finding(
    finding: Finding, assessment: Assessment, rule: Rule | None, exception: PolicyException | None
) -> Json:
    event = _event(
        assessment,
        Verdict.FAIL,
        about="finding",
        uid=finding.id,
        title=rule.title if rule else finding.rule,
        desc=rule.why if rule else finding.message,
        detail=finding.message,
        severity=finding.severity,
        controls=_of_standard(finding.controls, assessment),
    )
    event["finding_info"]["analytic"] = _analytic(finding.rule, rule)
    event["remediation"] = {"desc": line(finding.fix)}
    event["resources"] = [_resource(finding.uid, finding.name, finding.kind)]
    event["unmapped"] |= {"source": finding.source, "evidence": finding.evidence, "stale": finding.stale}
    if exception:  # accepted, and still a failure
        event |= {"status_id": _SUPPRESSED, "status": "Suppressed", "status_detail": line(exception.reason)}
        event["unmapped"] |= {
            "exception": exception.id,
            "exception_owner": exception.owner,
            "exception_approver": exception.approver,
            "exception_expires": exception.expires.isoformat(),
        }
    return event


def _of_unseen(unseen: Unseen, assessment: Assessment, rule: Rule | None) -> Json:
    uid = unseen.uid or f"{unseen.source}/{unseen.kind}"
    event = _event(
        assessment,
        Verdict.UNKNOWN,
        about="unseen",
        uid=finding_id(unseen.rule, uid),
        title=rule.title if rule else unseen.rule,
        desc=rule.why if rule else "",
        detail=f"没有看到 {unseen.missing}",
        severity="",
        controls=_of_standard(rule.controls.all() if rule else (), assessment),
    )
    event["finding_info"]["analytic"] = _analytic(unseen.rule, rule)
    if unseen.remedy:
        event["remediation"] = {"desc": line(unseen.remedy)}
    event["resources"] = [_resource(uid, unseen.name, unseen.kind)]
    event["unmapped"] |= {"source": unseen.source}
    return event


def _event(
    assessment: Assessment,
    verdict: Verdict,
    *,
    about: str,
    uid: str,
    title: str,
    desc: str,
    detail: str,
    severity: str,
    controls: Sequence[str],
) -> Json:
    """What every event has. ``time`` is the snapshot's, in milliseconds: the same assessment makes the
    same bytes, and ``metadata.uid`` lets a reader drop an event that was sent twice."""
    status_id, status = _STATUS[verdict]
    severity_id, severity_name = _SEVERITY[severity]
    name, _, version = assessment.program.partition(" ")
    system = assessment.system
    compliance: Json = {
        "standards": [assessment.standard_title],
        "requirements": list(controls),
        "status_id": status_id,
        "status": status,
        "status_detail": line(detail),
    }
    if controls:
        compliance["control"] = controls[0]
    return {
        "category_uid": 2,
        "category_name": "Findings",
        "class_uid": CLASS_UID,
        "class_name": "Compliance Finding",
        "activity_id": _CREATE,
        "activity_name": "Create",
        "type_uid": CLASS_UID * 100 + _CREATE,
        "type_name": "Compliance Finding: Create",
        "time": int(assessment.taken_at.timestamp() * 1000),
        "severity_id": severity_id,
        "severity": severity_name,
        "message": line(f"{verdict.label}：{detail}"),
        "metadata": {
            "version": VERSION,
            "uid": f"{system.name}/{assessment.standard}/{assessment.snapshot}/{about}/{uid}",
            "product": {
                "name": name or "zhengguan",
                "vendor_name": "Zhengguan",
                "lang": "zh",
                **({"version": version} if version else {}),
            },
        },
        "finding_info": {
            "uid": uid,
            "title": line(title),
            "desc": line(desc) or line(title),
            "types": [about],
        },
        "compliance": compliance,
        "unmapped": {
            "verdict": verdict.value,
            "system": system.name,
            "system_title": system.title,
            "grade": str(system.graded),
            "edition": assessment.score.edition,
            **({"level": assessment.score.level} if isinstance(assessment.score, CryptoScore) else {}),
        },
    }


def _of_standard(controls: Sequence[str], assessment: Assessment) -> list[str]:
    """Of what a rule speaks to, the requirements of the standard at hand."""
    names = {c.control.id.partition("/")[0] for c in assessment.controls} | {assessment.standard}
    return [c for c in controls if c.partition("/")[0] in names]


def _analytic(id_: str, rule: Rule | None) -> Json:
    return {"uid": id_, "name": rule.title_en if rule else id_, "type_id": _RULE_ANALYTIC, "type": "Rule"}


def _resource(uid: str, name: str, kind: str) -> Json:
    return {"uid": line(uid), "name": line(name or uid), "type": kind}


def _tally(verdict: ControlVerdict) -> dict[str, int]:
    counts = dict.fromkeys((v.value for v in Verdict), 0)
    for judged in verdict.objects:
        counts[judged.verdict.value] += 1
    return {name: count for name, count in counts.items() if count}
