"""SARIF 2.1.0 (OASIS) of assessments: one run per system.

Results are findings ("fail"), rules that could not be decided ("open"), and controls that no finding speaks
for: unknown ("open"), not applicable, or failed by a person's answer. Nothing unseen is a "pass"; passes are
only counted. A finding that an exception covers is a result like the others, and suppressed.
Collections that did not end complete are notifications of the run, with the permission they
want.

Resources are no files. Each result names its resource as a logical location; because GitHub, GitLab and most
viewers drop a result without a file, it also has the path ``inventory/<uid>``, which exists nowhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import chain, islice
from typing import Any
from urllib.parse import quote

from exporters.plain import json_bytes, json_part, line
from inventory.coverage import Collection, Status
from policies.assessment import Assessment, Control, ControlVerdict, PolicyException
from policies.crypto import CryptoScore
from policies.exceptions import excepted
from policies.outcome import Rule
from policies.verdict import SEVERITY_TITLE, Finding, Severity, Unseen, Verdict, finding_id

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
LEVEL: dict[Severity, str] = {
    "critical": "error",
    "high": "error",
    "medium": "warning",
    "low": "note",
    "info": "note",
}
SECURITY_SEVERITY: dict[Severity, str] = {
    "critical": "9.5",
    "high": "8.0",
    "medium": "5.5",
    "low": "2.5",
    "info": "0.0",
}
"""Inside the bands by which GitHub names a severity (over 9.0 critical, 7.0 high, 4.0 medium)."""
_KIND = {Verdict.UNKNOWN: "open", Verdict.NOT_APPLICABLE: "notApplicable"}
_ESCAPES = str.maketrans({"\\": "\\\\", "[": "\\[", "]": "\\]", "{": "{{", "}": "}}"})

Json = dict[str, Any]
_BATCH = 500  # results written at once


def sarif(assessments: Sequence[Assessment], rules: Sequence[Rule]) -> Iterator[bytes]:
    """The log file, piece by piece: joined they are its bytes, and no more than a piece is ever held.
    ``rules`` give titles, reasons and fixes; those that nothing cites are left out."""
    known = {rule.id: rule for rule in rules}
    yield json_bytes({"$schema": SCHEMA, "version": "2.1.0"})[:-1] + b',"runs":['
    for index, assessment in enumerate(assessments):
        yield b"," if index else b""
        yield from _run(assessment, known)
    yield b"]}\n"


def _run(assessment: Assessment, known: Mapping[str, Rule]) -> Iterator[bytes]:
    """A run: what stands before the results, these in pieces, and what stands behind."""
    controls = {c.control.id: c.control for c in assessment.controls}
    cited = sorted(_cited(assessment))
    place = {id_: index for index, id_ in enumerate([*cited, *controls])}
    units = {f"{assessment.standard}/{c.code}": c.id for c in controls.values() if c.code}
    descriptors = [_rule(id_, known.get(id_), controls, units, place) for id_ in cited]
    descriptors += [_control(control) for control in controls.values()]
    name, _, version = assessment.program.partition(" ")
    accepted = excepted(assessment)
    taken = _utc(assessment.taken_at)
    results = chain(
        (_found(f, accepted.get(f.id)) for f in assessment.findings),
        map(_not_seen, assessment.unseen),
        (_of_control(c, assessment) for c in assessment.controls if _stands_alone(c)),
    )
    suppressed = bool(accepted)  # where one result tells of suppressions, all should (§3.27.23)
    gaps = [c for c in assessment.collections if c.status is not Status.COMPLETE]
    head = {
        "tool": {
            "driver": {
                "name": name or "zhengguan",
                **({"semanticVersion": version, "version": version} if version else {}),
                "language": "zh-CN",
                "rules": [json_part(descriptor) for descriptor in descriptors],
            }
        },
        "automationDetails": {
            "id": f"zhengguan/{assessment.standard}/{assessment.system.name}/",
            "description": {"text": _message(f"{assessment.system.title}，{assessment.standard_title}")},
        },
        "invocations": [
            {
                "executionSuccessful": True,
                "startTimeUtc": taken,
                "endTimeUtc": taken,
                "toolExecutionNotifications": [json_part(_gap(c)) for c in gaps],
            }
        ],
        "columnKind": "unicodeCodePoints",
    }
    yield json_bytes(head)[:-1] + b',"results":['
    for first, batch in _batches(results):
        rows = [
            json_bytes({**({"suppressions": []} if suppressed else {}), **r, "ruleIndex": place[r["ruleId"]]})
            for r in batch
        ]
        yield (b"" if first else b",") + b",".join(rows)
    yield b'],"properties":' + json_bytes(_summary(assessment)) + b"}"


def _batches(results: Iterator[Json]) -> Iterator[tuple[bool, list[Json]]]:
    """Results in lists of some hundreds, the first one marked."""
    first = True
    while batch := list(islice(results, _BATCH)):
        yield first, batch
        first = False


def _cited(assessment: Assessment) -> set[str]:
    """Rules that spoke: those with a finding or something unseen, and those a verdict rests on."""
    spoke = {f.rule for f in assessment.findings} | {u.rule for u in assessment.unseen}
    return spoke.union(*(judged.checks for c in assessment.controls for judged in c.objects))


def _rule(
    id_: str,
    rule: Rule | None,
    controls: Mapping[str, Control],
    units: Mapping[str, str],
    place: Mapping[str, int],
) -> Json:
    """``units``: what rules may call a control at every level, and its id at this one."""
    if rule is None:  # of another installation: its id is all there is
        return {"id": id_, "shortDescription": {"text": id_}}
    named = dict.fromkeys(units.get(c, c) for c in rule.controls.all())
    linked = [c for c in named if c in controls]
    titles = [f"{controls[c].cite} {controls[c].control_point}" for c in linked]
    parts = [("为什么", rule.why), ("整改", rule.fix), ("测评项", "；".join(titles))]
    told = [(head, text.strip()) for head, text in parts if text.strip()]
    return {
        "id": id_,
        "name": rule.title_en,
        "shortDescription": {"text": rule.title},
        "fullDescription": {"text": rule.why.strip() or rule.title},
        "help": {
            "text": "\n\n".join(f"{head}：{text}" for head, text in told),
            "markdown": "\n\n".join(f"**{head}**：{text}" for head, text in told),
        },
        "defaultConfiguration": {"level": LEVEL[rule.severity]},
        "relationships": [{"target": {"id": c, "index": place[c]}, "kinds": ["relevant"]} for c in linked],
        "properties": {
            "security-severity": SECURITY_SEVERITY[rule.severity],
            "precision": "high",
            "kind": rule.kind,
            "controls": rule.controls.all(),
            "tags": ["security", rule.kind],
        },
    }


def _control(control: Control) -> Json:
    return {
        "id": control.id,
        "shortDescription": {"text": f"{control.cite} {control.control_point}"},
        "fullDescription": {"text": control.summary},
        "help": {"text": f"{control.summary}\n\n{control.hint}".strip()},
        "properties": {
            "level": control.level,
            "class": control.class_name,
            "automation": control.automation,
            "tags": ["compliance"],
        },
    }


def _found(finding: Finding, exception: PolicyException | None) -> Json:
    text = f"{finding.message}（{SEVERITY_TITLE[finding.severity]}）。整改：{finding.fix}"
    return {
        "ruleId": finding.rule,
        "kind": "fail",
        "level": LEVEL[finding.severity],
        "message": {"text": _message(text)},
        "locations": [_location(finding.uid, finding.name, finding.kind)],
        **_prints(finding.id),
        "properties": {
            "severity": finding.severity,
            "source": finding.source,
            "controls": finding.controls,
            "evidence": finding.evidence,
            "stale": finding.stale,
        },
        **({"suppressions": [_suppression(exception)]} if exception else {}),
    }


def _suppression(exception: PolicyException) -> Json:
    """An accepted deviation: it was accepted outside of the code, in a file of exceptions."""
    told = f"{exception.reason}（{exception.owner} 负责，{exception.approver} 批准，至 {exception.expires}）"
    return {
        "kind": "external",
        "status": "accepted",
        "justification": line(told),
        "properties": {"exception": exception.id, "expires": exception.expires.isoformat()},
    }


def _not_seen(unseen: Unseen) -> Json:
    uid = unseen.uid or f"{unseen.source}/{unseen.kind}"
    text = "；".join(part for part in (f"未知：没有看到 {unseen.missing}", unseen.remedy) if part)
    return {
        "ruleId": unseen.rule,
        "kind": "open",
        "level": "none",
        "message": {"text": _message(text)},
        "locations": [_location(uid, unseen.name, unseen.kind)],
        **_prints(finding_id(unseen.rule, uid)),
        "properties": {"verdict": Verdict.UNKNOWN.value, "source": unseen.source},
    }


def _stands_alone(verdict: ControlVerdict) -> bool:
    """Whether nothing but the control itself says what became of it."""
    if verdict.verdict in (Verdict.FAIL, Verdict.PARTIAL):
        return not any(judged.findings for judged in verdict.objects)
    return verdict.verdict is not Verdict.PASS


def _of_control(verdict: ControlVerdict, assessment: Assessment) -> Json:
    kind = _KIND.get(verdict.verdict, "fail")
    uid = f"{assessment.system.name}/{verdict.control.id}"
    return {
        "ruleId": verdict.control.id,
        "kind": kind,
        "level": "warning" if kind == "fail" else "none",
        "message": {"text": _message(f"{verdict.verdict.label}：{verdict.reason}")},
        "locations": [_location(uid, assessment.system.title, "system")],
        **_prints(finding_id(verdict.control.id, assessment.system.name)),
        "properties": {
            "verdict": verdict.verdict.value,
            "origin": verdict.origin,
            "uncovered": verdict.uncovered,
        },
    }


def _location(uid: str, name: str, kind: str) -> Json:
    """The resource, twice: as what it is, and as a path for consumers that know only files."""
    path = quote(f"inventory/{uid}", safe="/", errors="replace")
    return {
        "physicalLocation": {"artifactLocation": {"uri": path}, "region": {"startLine": 1}},
        "logicalLocations": [
            {"name": line(name or uid), "fullyQualifiedName": line(uid), "kind": "resource"},
        ],
        "properties": {"kind": kind},
    }


def _prints(id_: str) -> Json:
    """The same at each run, wherever the result stands. GitHub reads only ``primaryLocationLineHash``."""
    return {"fingerprints": {"zhengguan/v1": id_}, "partialFingerprints": {"primaryLocationLineHash": id_}}


def _gap(collection: Collection) -> Json:
    failed = collection.status is Status.FAILED
    scope = f" {collection.scope}" if collection.scope else ""
    text = f"{collection.source}{scope} {collection.kind}：{collection.status.label}"
    more = "；".join(part for part in (collection.reason, collection.remedy) if part)
    return {
        "descriptor": {"id": f"collection-{collection.status.value}"},
        "level": "error" if failed else "note" if collection.status is Status.UNSUPPORTED else "warning",
        "message": {"text": _message(f"{text}。{more}" if more else text)},
        "timeUtc": _utc(collection.ended_at),
        "properties": {
            "source": collection.source,
            "kind": collection.kind,
            "scope": collection.scope,
            "count": collection.count,
        },
    }


def _summary(assessment: Assessment) -> Json:
    return {
        "system": assessment.system.name,
        "grade": str(assessment.system.graded),
        "standard": assessment.standard,
        "edition": assessment.score.edition,
        **({"level": assessment.score.level} if isinstance(assessment.score, CryptoScore) else {}),
        "snapshot": assessment.snapshot,
        "score_low": assessment.score.low,
        "score_high": assessment.score.high,
        "unit": assessment.score.unit,
        "coverage": assessment.score.coverage,
        "verdicts": {v.value: assessment.count(v) for v in Verdict},
    }


def _message(text: str) -> str:
    """Plain message text: brackets would make links of a device's text (§3.11.6), braces placeholders
    (§3.11.5)."""
    return line(text).translate(_ESCAPES)


def _utc(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}"[:-3] + "Z"
