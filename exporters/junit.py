"""JUnit XML of assessments, for the test view of a pipeline (Jenkins, GitLab, Gitea …).

A suite is a system × class of the standard, a case one control. Controls and not rule × asset: their number
and names stay the same from run to run, so that a pipeline's trend means something; they also hold what no
rule sees; and a hundred thousand cases open in no viewer. Which objects failed stands in the failure's text.

JUnit knows no "unknown". 未知 is written as skipped, with the reason, and is counted in the properties of
its suite: to a viewer it is no pass. The dialect is what pytest (xunit2) and Jenkins have in common.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC
from itertools import groupby
from xml.etree import ElementTree as Xml

from exporters.plain import line, xml_text
from inventory.coverage import Status
from policies.assessment import Assessment, ControlVerdict, ObjectVerdict, PolicyException
from policies.crypto import CryptoScore
from policies.exceptions import excepted
from policies.verdict import SEVERITY_TITLE, Finding, Verdict

_FAILED = (Verdict.FAIL, Verdict.PARTIAL)
_SKIPPED = (Verdict.UNKNOWN, Verdict.NOT_APPLICABLE)
_MOST = 200  # lines of a failure: viewers cut longer ones, and JSON has them all


def junit(assessments: Sequence[Assessment]) -> bytes:
    """``<testsuites>`` in UTF-8, in the order of assessments and of their controls."""
    root = Xml.Element("testsuites", {"name": "zhengguan"})
    for assessment in assessments:
        root.extend(_suites(assessment))
    for key in ("tests", "failures", "errors", "skipped"):
        root.set(key, str(sum(int(suite.get(key, "0")) for suite in root)))
    root.set("time", "0")
    Xml.indent(root)
    content: bytes = Xml.tostring(root, encoding="utf-8", xml_declaration=True)
    return content + b"\n"


def _suites(assessment: Assessment) -> Iterator[Xml.Element]:
    by_id = {finding.id: finding for finding in assessment.findings}
    accepted = excepted(assessment)
    names = {asset.uid: asset.name for asset in assessment.assets}
    title = f"{assessment.system.title}（{assessment.system.name}）{assessment.standard}"
    for class_name, group in groupby(assessment.controls, key=lambda c: c.control.class_name):
        controls = list(group)
        suite = Xml.Element(
            "testsuite",
            {
                "name": _name(f"{title} {class_name}"),
                "tests": str(len(controls)),
                "failures": str(sum(1 for c in controls if c.verdict in _FAILED)),
                "errors": "0",
                "skipped": str(sum(1 for c in controls if c.verdict in _SKIPPED)),
                "time": "0",
                "timestamp": f"{assessment.taken_at.astimezone(UTC):%Y-%m-%dT%H:%M:%S}",
            },
        )
        held = Xml.SubElement(suite, "properties")
        for name, value in _properties(assessment, controls):
            Xml.SubElement(held, "property", {"name": name, "value": _name(value)})
        where = f"{assessment.system.name}.{assessment.standard}.{class_name}"
        for control in controls:
            suite.append(_case(control, where, by_id, names, accepted))
        if gaps := list(_gaps(assessment)):
            Xml.SubElement(suite, "system-out").text = xml_text("\n".join(["没有读全的来源：", *gaps]))
        yield suite


def _properties(assessment: Assessment, controls: Sequence[ControlVerdict]) -> Iterator[tuple[str, str]]:
    score = assessment.score
    yield "program", assessment.program
    yield "snapshot", str(assessment.snapshot)
    yield "grade", str(assessment.system.graded)
    yield "edition", score.edition
    if isinstance(score, CryptoScore):
        yield "level", str(score.level)
    if score.low is not None:  # 密评 has no total where a whole side does not apply
        yield "score_low", f"{score.low}{score.unit}"
        yield "score_high", f"{score.high}{score.unit}"
    yield "coverage", str(score.coverage)
    for verdict in Verdict:
        yield f"verdict.{verdict.value}", str(sum(1 for c in controls if c.verdict is verdict))


def _case(
    verdict: ControlVerdict,
    where: str,
    by_id: Mapping[str, Finding],
    names: Mapping[str, str],
    accepted: Mapping[str, PolicyException],
) -> Xml.Element:
    control = verdict.control
    case = Xml.Element(
        "testcase",
        {
            "classname": _name(where),
            "name": _name(f"{control.id} {control.control_point}：{control.summary}"),
            "time": "0",
        },
    )
    message = _name(f"{verdict.verdict.label}：{verdict.reason}")
    if verdict.verdict in _FAILED:
        failure = Xml.SubElement(case, "failure", {"message": message, "type": verdict.verdict.value})
        failure.text = xml_text("\n".join(_details(verdict, by_id, names, accepted)))
    elif verdict.verdict in _SKIPPED:
        Xml.SubElement(case, "skipped", {"message": message, "type": verdict.verdict.value})
    return case


_ORIGIN = {"person": "人工确认", "inherited": "继承云平台测评结论"}


def _details(
    verdict: ControlVerdict,
    by_id: Mapping[str, Finding],
    names: Mapping[str, str],
    accepted: Mapping[str, PolicyException],
) -> Iterator[str]:
    """A failure's text: who decided, then every finding once, then objects that failed without one."""
    yield f"{verdict.control.cite}，{_ORIGIN.get(verdict.origin, '自动核查')}"
    if verdict.uncovered:
        yield line(f"未清点：{'、'.join(verdict.uncovered)}")
    lines = list(dict.fromkeys(_object_lines(verdict.objects, by_id, names, accepted)))
    yield from lines[:_MOST]
    if len(lines) > _MOST:
        yield f"还有 {len(lines) - _MOST} 行，见 zhengguan check --format json"


def _object_lines(
    objects: Sequence[ObjectVerdict],
    by_id: Mapping[str, Finding],
    names: Mapping[str, str],
    accepted: Mapping[str, PolicyException],
) -> Iterator[str]:
    for judged in objects:
        held = [by_id[i] for i in judged.findings if i in by_id]
        for f in held:
            old = "（上次结果）" if f.stale else ""
            old += f"（例外 {accepted[f.id].id}）" if f.id in accepted else ""
            yield line(
                f"[{SEVERITY_TITLE[f.severity]}] {f.message}{old}；{f.name} {f.uid}；{f.fix}；{f.rule}"
            )
        if not held and judged.verdict in _FAILED:
            yield line(f"{names.get(judged.asset, judged.asset)} {judged.asset}：{judged.reason}")


def _gaps(assessment: Assessment) -> Iterator[str]:
    for c in assessment.collections:
        if c.status is not Status.COMPLETE:
            scope = f" {c.scope}" if c.scope else ""
            yield line(f"{c.source}{scope} {c.kind}：{c.status.label}，{c.reason}；{c.remedy}")


def _name(text: str) -> str:
    """An attribute's value: one line, whatever was in it."""
    return xml_text(line(text))
