"""JUnit XML: what a pipeline counts, what it shows, and that unknown never looks like a pass."""

from __future__ import annotations

import copy
import re
from xml.etree import ElementTree as Xml

import junitparser

from exporters.junit import junit
from policies.assessment import Assessment
from policies.verdict import Verdict

# What Jenkins' and pytest's (xunit2) schemas both know.
ATTRIBUTES = {
    "testsuites": {"name", "tests", "failures", "errors", "skipped", "time"},
    "testsuite": {"name", "tests", "failures", "errors", "skipped", "time", "timestamp"},
    "properties": set(),
    "property": {"name", "value"},
    "testcase": {"classname", "name", "time"},
    "failure": {"message", "type"},
    "skipped": {"message", "type"},
    "system-out": set(),
}
CHILDREN = {
    "testsuites": ["testsuite"],
    "testsuite": ["properties", "testcase", "system-out"],
    "properties": ["property"],
    "testcase": ["failure", "skipped"],
}


def check_dialect(root: Xml.Element) -> None:
    assert root.tag == "testsuites"
    for element in root.iter():
        assert set(element.attrib) == ATTRIBUTES[element.tag]
        order = [CHILDREN[element.tag].index(child.tag) for child in element]
        assert order == sorted(order)
    for parent in [root, *root.iter("testsuite")]:
        cases = list(parent.iter("testcase"))
        assert int(parent.attrib["tests"]) == len(cases)
        assert int(parent.attrib["failures"]) == sum(c.find("failure") is not None for c in cases)
        assert int(parent.attrib["skipped"]) == sum(c.find("skipped") is not None for c in cases)
    for suite in root.iter("testsuite"):
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", suite.attrib["timestamp"])


def ended(case: Xml.Element) -> str:
    return case[0].attrib["type"] if len(case) else "pass"


def test_every_control_is_a_case_that_ends_as_its_verdict(assessment: Assessment) -> None:
    root = Xml.fromstring(junit([assessment]))
    check_dialect(root)
    cases = list(root.iter("testcase"))
    assert [ended(c) for c in cases] == [c.verdict.value for c in assessment.controls]
    assert [c.attrib["name"].split()[0] for c in cases] == [c.control.id for c in assessment.controls]
    assert {k: root.attrib[k] for k in ("tests", "failures", "skipped", "errors")} == {
        "tests": "8",
        "failures": "4",
        "skipped": "2",
        "errors": "0",
    }
    assert [s.attrib["name"].rpartition(" ")[2] for s in root] == [
        "安全物理环境",
        "安全区域边界",
        "安全计算环境",
        "安全管理机构",
    ]


def test_unknown_is_skipped_says_why_and_is_counted(assessment: Assessment) -> None:
    (suite, *_) = Xml.fromstring(junit([assessment]))
    (skipped,) = suite.iter("skipped")
    assert skipped.attrib == {"message": "未知：待人工核查", "type": "unknown"}
    held = {p.attrib["name"]: p.attrib["value"] for p in suite.iter("property")}
    assert (held["verdict.unknown"], held["verdict.pass"]) == ("1", "0")
    assert (held["score_low"], held["score_high"], held["coverage"]) == ("28.57%", "42.86%", "0.8571")
    told = suite.findtext("system-out") or ""
    assert "province-cloud user：无权限，凭据不能列出账户；授予 system 范围的 reader 角色" in told
    assert "jump-01" not in told


def test_units_of_miping_are_cases_by_layer(crypto_assessment: Assessment) -> None:
    root = Xml.fromstring(junit([crypto_assessment]))
    assert [suite.get("name").rpartition(" ")[2] for suite in root] == [  # type: ignore[union-attr]
        "物理和环境安全", "网络和通信安全", "设备和计算安全", "应用和数据安全",
        "管理制度", "人员管理", "建设运行", "应急处置",
    ]  # fmt: skip
    assert root.get("tests") == "41"
    held = {p.get("name"): p.get("value") for p in root[0].iter("property")}
    assert (held["level"], held["edition"]) == ("3", "2023")
    assert held["score_high"] == f"{crypto_assessment.score.high}分"


def test_a_failure_names_objects_fixes_and_rules(assessment: Assessment) -> None:
    root = Xml.fromstring(junit([assessment]))
    texts = {c.attrib["name"].split()[0]: c.findtext("failure") or "" for c in root.iter("testcase")}
    told = texts["dengbao/8.1.4.1.c"]
    assert "[中] 设备开放 telnet（上次结果）（例外 old-switch）；core-sw-01 core-sw-01/device/sw" in told
    assert "关闭 telnet，改用 SSH；device-telnet" in told


def test_a_failed_object_without_a_finding_is_named_too(assessment: Assessment) -> None:
    told = copy.deepcopy(assessment)
    told.findings = []
    root = Xml.fromstring(junit([told]))
    texts = [f.text or "" for f in root.iter("failure")]
    assert any("jump-01 jump-01/host/jump-01：允许 root 直接 ssh 登录" in text for text in texts)


def test_a_control_no_rule_decided_is_never_a_pass(assessment: Assessment) -> None:
    told = copy.deepcopy(assessment)
    for verdict in told.controls:
        verdict.verdict = Verdict.UNKNOWN
    root = Xml.fromstring(junit([told]))
    assert {ended(c) for c in root.iter("testcase")} == {"unknown"}


def test_hostile_text_parses_and_stays_text(hostile_assessment: Assessment) -> None:
    content = junit([hostile_assessment])
    root = Xml.fromstring(content)
    check_dialect(root)
    assert not list(root.iter("a"))
    shown = "".join([*root.itertext(), *(v for e in root.iter() for v in e.attrib.values())])
    assert "<a href='x'>" in shown
    assert not set("\x00\x08\x1b\u202e\u2028\ud800\uffff") & set(shown)
    content.decode("utf-8")


def test_a_reader_of_the_dialect_counts_the_same(assessment: Assessment) -> None:
    read = junitparser.JUnitXml.fromstring(junit([assessment]))
    ends = [[type(r).__name__ for r in case.result] for suite in read for case in suite]
    assert ends.count(["Failure"]) == 4
    assert ends.count(["Skipped"]) == 2
    assert ends.count([]) == 2
    assert (read.tests, read.failures, read.skipped) == (8, 4, 2)


def test_same_assessment_same_bytes(assessment: Assessment) -> None:
    assert junit([assessment]) == junit([copy.deepcopy(assessment)])
    assert junit([]).count(b"<testsuite ") == 0
