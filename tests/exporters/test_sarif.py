"""SARIF: valid by its schema, stable over runs, and nothing unseen a pass."""

from __future__ import annotations

import copy
import json
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from exporters.sarif import sarif
from policies.assessment import Assessment
from policies.outcome import Rule
from policies.verdict import Verdict, finding_id

if TYPE_CHECKING:
    from jsonschema import Draft4Validator

SCHEMA = Path(__file__).parents[1] / "data" / "sarif" / "sarif-2.1.0-rtm.5.json"


def written(assessments: Sequence[Assessment], rules: Sequence[Rule]) -> bytes:
    """The whole file."""
    return b"".join(sarif(assessments, rules))


@pytest.fixture(scope="module")
def schema() -> Draft4Validator:
    from jsonschema import Draft4Validator  # takes seconds: it compiles a grammar

    return Draft4Validator(json.loads(SCHEMA.read_text(encoding="utf-8")))


@pytest.fixture
def run(assessment: Assessment, rules: list[Rule]) -> Any:
    (only,) = json.loads(written([assessment], rules))["runs"]
    return only


def of_kind(run: Any, kind: str) -> dict[str, Any]:
    return {r["ruleId"]: r for r in run["results"] if r["kind"] == kind}


def test_it_is_valid(schema: Draft4Validator, assessment: Assessment, rules: list[Rule]) -> None:
    log = json.loads(written([assessment, assessment], rules))
    assert [e.message for e in schema.iter_errors(log)] == []
    log["runs"][0]["results"][0]["kind"] = "unknown"  # the schema does look at results
    assert len(list(schema.iter_errors(log))) == 1


def test_findings_fail_unseen_is_open_and_passes_are_only_counted(run: Any) -> None:
    assert Counter(r["kind"] for r in run["results"]) == {"fail": 3, "open": 2, "notApplicable": 1}
    assert set(of_kind(run, "open")) == {"user-no-mfa", "dengbao/8.1.1.1.a"}
    assert set(of_kind(run, "notApplicable")) == {"dengbao/8.1.4.9.b"}
    assert {r["level"] for r in run["results"] if r["kind"] != "fail"} == {"none"}
    assert run["properties"]["verdicts"] == {
        "pass": 2,
        "partial": 1,
        "fail": 3,
        "not_applicable": 1,
        "unknown": 1,
    }
    told = of_kind(run, "open")["user-no-mfa"]["message"]["text"]
    assert told == "未知：没有看到 账户列表；授予 system 范围的 reader 角色"


def test_an_excepted_finding_is_suppressed_and_still_a_failure(
    assessment: Assessment, rules: list[Rule], run: Any
) -> None:
    told = of_kind(run, "fail")
    (suppression,) = told["device-telnet"]["suppressions"]
    assert (suppression["kind"], suppression["status"]) == ("external", "accepted")
    assert suppression["justification"].endswith("（张三 负责，李四 批准，至 2027-03-02）")
    assert "\n" not in suppression["justification"]
    assert [r["suppressions"] for r in run["results"] if r["ruleId"] != "device-telnet"] == [[]] * 5
    (plain,) = json.loads(written([msgspec.structs.replace(assessment, exceptions=[])], rules))["runs"]
    assert not any("suppressions" in r for r in plain["results"])


def test_what_a_person_failed_is_not_lost(assessment: Assessment, rules: list[Rule]) -> None:
    told = copy.deepcopy(assessment)
    told.controls[-1].verdict = Verdict.FAIL
    (run,) = json.loads(written([told], rules))["runs"]
    result = of_kind(run, "fail")["dengbao/8.1.7.1.a"]
    assert (result["level"], result["properties"]["origin"]) == ("warning", "person")


def test_rules_say_why_how_and_for_which_control(run: Any) -> None:
    held = run["tool"]["driver"]["rules"]
    for result in run["results"]:
        assert held[result["ruleIndex"]]["id"] == result["ruleId"]
    by_id = {r["id"]: r for r in held}
    assert "never-cited" not in by_id
    assert by_id["host-password-policy"] == {  # a rule of another installation
        "id": "host-password-policy",
        "shortDescription": {"text": "host-password-policy"},
    }
    rule = by_id["security-group-open-admin-port"]
    assert rule["help"]["text"] == (
        "为什么：一个弱口令就足以失陷。\n\n整改：只放行堡垒机。\n\n"
        "测评项：8.1.3.2 a) 访问控制；8.1.3.2 c) 访问控制"
    )
    assert [held[r["target"]["index"]]["id"] for r in rule["relationships"]] == [
        "dengbao/8.1.3.2.a",
        "dengbao/8.1.3.2.c",
    ]
    severities = {i: by_id[i]["properties"]["security-severity"] for i in of_kind(run, "fail")}
    assert severities == {
        "security-group-open-admin-port": "9.5",
        "host-ssh-root-login": "8.0",
        "device-telnet": "5.5",
    }


def test_rules_point_to_the_unit_at_the_systems_level(
    crypto_assessment: Assessment, crypto_rules: list[Rule], schema: Draft4Validator
) -> None:
    log = json.loads(written([crypto_assessment], crypto_rules))
    assert [e.message for e in schema.iter_errors(log)] == []
    held = log["runs"][0]["tool"]["driver"]["rules"]
    telnet = next(r for r in held if r["id"] == "device-telnet")
    targets = [held[r["target"]["index"]]["id"] for r in telnet["relationships"]]
    assert targets == ["miping/8.3.a", "miping/8.3.b"]
    assert "8.3 b) 远程管理通道安全" in telnet["help"]["text"]
    told = log["runs"][0]["properties"]
    assert (told["standard"], told["edition"], told["level"]) == ("miping", "2023", 3)


def test_a_result_stands_at_its_resource_for_readers_of_files_too(run: Any) -> None:
    (location,) = of_kind(run, "fail")["device-telnet"]["locations"]
    assert location["logicalLocations"][0]["fullyQualifiedName"] == "core-sw-01/device/sw"
    assert location["physicalLocation"] == {
        "artifactLocation": {"uri": "inventory/core-sw-01/device/sw"},
        "region": {"startLine": 1},
    }
    (location,) = of_kind(run, "open")["user-no-mfa"]["locations"]
    assert location["logicalLocations"][0]["fullyQualifiedName"] == "province-cloud/user"


def test_fingerprints_are_the_findings_ids_and_outlive_the_run(
    assessment: Assessment, rules: list[Rule]
) -> None:
    later = copy.deepcopy(assessment)
    later.taken_at += timedelta(days=1)
    later.snapshot += 1
    first, second = (
        [r["fingerprints"]["zhengguan/v1"] for r in json.loads(written([a], rules))["runs"][0]["results"]]
        for a in (assessment, later)
    )
    assert first == second
    assert len(set(first)) == len(first)
    assert first[:3] == [finding_id(f.rule, f.uid) for f in assessment.findings]


def test_collections_that_did_not_end_complete_are_notifications(run: Any) -> None:
    notes = run["invocations"][0]["toolExecutionNotifications"]
    assert [(n["descriptor"]["id"], n["level"]) for n in notes] == [
        ("collection-denied", "warning"),
        ("collection-failed", "error"),
        ("collection-partial", "warning"),
    ]
    assert notes[0]["message"]["text"].endswith("授予 system 范围的 reader 角色")


def test_runs_of_two_systems_are_told_apart(assessment: Assessment, rules: list[Rule]) -> None:
    other = copy.deepcopy(assessment)
    other.system.name = "mail"
    runs = json.loads(written([assessment, other], rules))["runs"]
    assert [r["automationDetails"]["id"] for r in runs] == [
        "zhengguan/dengbao/portal/",
        "zhengguan/dengbao/mail/",
    ]


def test_hostile_text_makes_no_link_no_placeholder_and_no_path(
    schema: Draft4Validator, hostile_assessment: Assessment, rules: list[Rule]
) -> None:
    log = json.loads(written([hostile_assessment], rules))
    assert [e.message for e in schema.iter_errors(log)] == []
    for result in log["runs"][0]["results"]:
        text = result["message"]["text"]
        assert "[" not in text.replace("\\[", "")
        assert "{" not in text.replace("{{", "")
        assert not set("\x00\x1b\u202e\r\n\u2028") & set(text)
        for location in result["locations"]:
            uri = location["physicalLocation"]["artifactLocation"]["uri"]
            assert uri.isascii()
            assert not set(" <>[]{}\\") & set(uri)
    (found, *_) = log["runs"][0]["results"]
    assert found["properties"]["evidence"]["name"].startswith("sw\x00\x08")  # evidence is as it was


def test_same_assessment_same_bytes(assessment: Assessment, rules: list[Rule]) -> None:
    assert written([assessment], rules) == written([copy.deepcopy(assessment)], list(reversed(rules)))


def test_it_is_written_in_pieces_and_the_pieces_are_one_compact_file(
    assessment: Assessment, rules: list[Rule], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = written([assessment, assessment], rules)
    assert whole == msgspec.json.encode(json.loads(whole)) + b"\n"
    for size in (1, 2, 10_000):  # wherever a piece ends
        monkeypatch.setattr("exporters.sarif._BATCH", size)
        assert written([assessment, assessment], rules) == whole
    nothing = msgspec.structs.replace(assessment, findings=[], unseen=[], controls=[])
    assert json.loads(written([nothing], rules))["runs"][0]["results"] == []
    assert json.loads(written([], rules))["runs"] == []
