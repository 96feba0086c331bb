"""OCSF events: valid by the published class, and what is not decided is not Pass."""

from __future__ import annotations

import copy
import json
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from exporters.ocsf import VERSION, ocsf
from policies.assessment import Assessment
from policies.outcome import Rule

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator


@pytest.fixture(scope="module")
def schema() -> Draft202012Validator:
    from jsonschema import Draft202012Validator  # takes seconds: it compiles a grammar
    from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema

    built = OcsfJsonSchemaEmbedded(get_ocsf_schema(VERSION)).get_class_schema("compliance_finding")
    return Draft202012Validator(built)


@pytest.fixture
def events(assessment: Assessment, rules: list[Rule]) -> list[Any]:
    return [json.loads(text) for text in ocsf([assessment], rules).splitlines()]


def about(events: list[Any], what: str) -> list[Any]:
    return [e for e in events if e["finding_info"]["types"] == [what]]


def test_every_event_is_valid(schema: Draft202012Validator, events: list[Any]) -> None:
    for event in events:
        assert [e.message for e in schema.iter_errors(event)] == []
        assert (event["class_uid"], event["metadata"]["version"]) == (2003, "1.5.0")
    broken = copy.deepcopy(events[0])  # the schema does look inside
    broken["compliance"]["status_id"] = 7
    del broken["finding_info"]["uid"]
    assert len(list(schema.iter_errors(broken))) >= 2


def test_an_event_names_requirements_of_its_own_standard(
    schema: Draft202012Validator, crypto_assessment: Assessment, crypto_rules: list[Rule]
) -> None:
    events = [json.loads(text) for text in ocsf([crypto_assessment], crypto_rules).splitlines()]
    assert [e.message for event in events for e in schema.iter_errors(event)] == []
    assert len(about(events, "control")) == 41
    found = {e["finding_info"]["analytic"]["uid"]: e for e in about(events, "finding")}
    assert found["device-telnet"]["compliance"]["requirements"] == ["miping/DEV-01", "miping/DEV-02"]
    assert {e["unmapped"]["level"] for e in events} == {3}


def test_a_control_carries_its_verdict_and_only_pass_is_pass(
    events: list[Any], assessment: Assessment
) -> None:
    held = [(e["compliance"]["control"], e["compliance"]["status"]) for e in about(events, "control")]
    expected = {
        "pass": "Pass",
        "partial": "Warning",
        "fail": "Fail",
        "unknown": "Unknown",
        "not_applicable": "Not Applicable",
    }
    assert held == [(c.control.id, expected[c.verdict.value]) for c in assessment.controls]
    ids = Counter(e["compliance"]["status_id"] for e in about(events, "control"))
    assert ids == {1: 2, 2: 1, 3: 3, 0: 1, 99: 1}


def test_a_finding_names_resource_rule_fix_and_evidence(events: list[Any], assessment: Assessment) -> None:
    root = next(
        e for e in about(events, "finding") if e["finding_info"]["analytic"]["uid"] == "host-ssh-root-login"
    )
    assert root["finding_info"]["uid"] == assessment.findings[1].id
    assert root["resources"] == [{"uid": "jump-01/host/jump-01", "name": "jump-01", "type": "host"}]
    assert root["remediation"] == {"desc": "在 sshd_config 中设 PermitRootLogin no 并重载 sshd"}
    assert (root["severity_id"], root["severity"]) == (4, "High")
    assert root["compliance"]["requirements"] == ["dengbao/8.1.4.2.a"]
    assert root["unmapped"]["evidence"] == {"ssh.permit_root_login": "yes"}
    assert root["time"] == 1795311000000  # 2026-11-22T01:30:00Z
    assert len(about(events, "finding")) == len(assessment.findings)


def test_what_was_not_seen_is_unknown_and_says_the_permission(events: list[Any]) -> None:
    (event,) = about(events, "unseen")
    assert (event["compliance"]["status_id"], event["severity_id"]) == (0, 0)
    assert event["message"] == "未知：没有看到 账户列表"
    assert event["remediation"]["desc"] == "授予 system 范围的 reader 角色"
    assert event["resources"][0]["uid"] == "province-cloud/user"


def test_a_control_is_as_severe_as_its_worst_finding(events: list[Any]) -> None:
    held = {e["compliance"]["control"]: e["severity"] for e in about(events, "control")}
    assert held["dengbao/8.1.3.2.c"] == "Critical"
    assert held["dengbao/8.1.4.1.a"] == "Informational"
    assert held["dengbao/8.1.1.1.a"] == "Unknown"


def test_events_have_an_id_of_their_own(events: list[Any]) -> None:
    ids = [e["metadata"]["uid"] for e in events]
    assert len(set(ids)) == len(ids)


def test_hostile_text_stays_inside_its_line(
    schema: Draft202012Validator, hostile_assessment: Assessment, rules: list[Rule]
) -> None:
    content = ocsf([hostile_assessment], rules)
    assert content.count(b"\n") == 8 + 3 + 1
    assert not set(b"\x00\x08\x1b\r") & set(content)
    for text in content.split(b"\n")[:-1]:
        event = json.loads(text)
        assert [e.message for e in schema.iter_errors(event)] == []
        assert not set("\x1b\u202e\u2028") & set(event["message"])


def test_same_assessment_same_bytes(assessment: Assessment, rules: list[Rule]) -> None:
    assert ocsf([assessment], rules) == ocsf([copy.deepcopy(assessment)], list(reversed(rules)))


def test_an_excepted_finding_is_suppressed_and_still_a_failure(events: list[Any]) -> None:
    held = {e["finding_info"]["analytic"]["uid"]: e for e in about(events, "finding")}
    telnet = held["device-telnet"]
    assert (telnet["status_id"], telnet["status"], telnet["compliance"]["status"]) == (
        3,
        "Suppressed",
        "Fail",
    )
    assert telnet["unmapped"]["exception"] == "old-switch"
    assert telnet["unmapped"]["exception_expires"] == "2027-03-02"
    assert not any("status" in e for rule, e in held.items() if rule != "device-telnet")
