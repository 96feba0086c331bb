"""``check --format``: what programs read comes out whole, beside the same exit codes."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as Xml

import pytest

ROOT = Path(__file__).parents[2]
SARIF = ROOT / "tests" / "data" / "sarif" / "sarif-2.1.0-rtm.5.json"


def zhengguan(*words: str, folder: Path) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "zhengguan", *words], cwd=folder, capture_output=True, check=False
    )


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo's folder: a cloud, devices and this machine; two systems."""
    folder = tmp_path_factory.mktemp("demo")
    done = zhengguan("demo", "--out", "d", folder=folder)
    assert done.returncode == 0, done.stderr.decode()
    return folder / "d"


@pytest.fixture(scope="module")
def judged(demo: Path) -> list[dict[str, Any]]:
    """The same assessments as JSON: what every other format must agree with."""
    held: list[dict[str, Any]] = json.loads(zhengguan("check", "--json", folder=demo).stdout)
    assert [(a["system"], a["standard"]) for a in held][:2] == [("zwy", "dengbao"), ("zwy", "miping")]
    assert len(held) == 3  # each system by the standards that it names
    return held


def counts(judged: list[dict[str, Any]]) -> dict[str, int]:
    return {v: sum(a["verdicts"][v] for a in judged) for v in judged[0]["verdicts"]}


def test_junit_of_the_demo(demo: Path, judged: list[dict[str, Any]]) -> None:
    done = zhengguan("check", "--format", "junit", folder=demo)
    assert done.returncode == 0, done.stderr.decode()
    root = Xml.fromstring(done.stdout)
    told = counts(judged)
    assert int(root.attrib["failures"]) == told["fail"] + told["partial"]
    assert int(root.attrib["skipped"]) == told["unknown"] + told["not_applicable"]
    assert int(root.attrib["tests"]) == sum(told.values())


def test_what_to_fix_first_and_what_if(demo: Path, judged: list[dict[str, Any]]) -> None:
    (now,) = [a for a in judged if (a["system"], a["standard"]) == ("zwy", "dengbao")]
    first = now["priorities"]
    assert {p["rule"] for p in first} == {f["rule"] for f in now["findings"]}
    assert [bool(p["cases"]) for p in first] == sorted((bool(p["cases"]) for p in first), reverse=True)
    assert now["assumed"] is None
    rules = [p["rule"] for p in first if float(p["gain_high"] or 0) > 0][:2]
    assert rules
    words = ("check", "--standard", "dengbao", "--system", "zwy", "--assume-fixed", *rules)
    (then,) = json.loads(zhengguan(*words, "--json", folder=demo).stdout)
    assert then["assumed"]["rules"] == rules
    assert then["assumed"]["findings"] == sum(1 for f in now["findings"] if f["rule"] in rules)
    assert float(then["assumed"]["score"]["high"]) > float(now["score"]["high"])
    assert then["score"] == now["score"]  # the truth stays what it is
    told = zhengguan(*words, "--fail-on", "critical", folder=demo)
    assert told.returncode == 1
    text = told.stdout.decode()
    assert f"假设（不是现状）修好 {'、'.join(rules)} 的 " in text
    assert "最先整改（前 5" in text
    wrong = zhengguan("check", "--assume-fixed", "device-telnt", folder=demo)
    assert (wrong.returncode, "是不是 device-telnet" in wrong.stderr.decode()) == (2, True)


def test_miping_of_the_demo(demo: Path) -> None:
    config = ("check", "--standard", "miping", "--system", "zwy")
    (held,) = json.loads(zhengguan(*config, "--json", folder=demo).stdout)
    score = held["score"]
    assert (held["standard"], score["edition"], score["level"]) == ("miping", "2023", 3)
    assert 0 <= float(score["low"]) < float(score["high"]) < 100  # plain channels were seen
    assert [layer["code"] for layer in score["layers"]][:4] == ["PHY", "NET", "DEV", "APP"]
    assert {c["code"]: c["verdict"] for c in held["controls"]}["DEV-02"] == "fail"
    assert {"HR-NET-01", "HR-DEV-02"} <= {r["case"] for r in held["high_risks"] if r["state"] == "triggered"}
    done = zhengguan(*config, "--format", "junit", "--fail-on", "critical", folder=demo)
    assert done.returncode == 1
    root = Xml.fromstring(done.stdout)
    told = held["verdicts"]
    assert int(root.attrib["failures"]) == told["fail"] + told["partial"]
    assert int(root.attrib["tests"]) == 41
    table = zhengguan(*config, folder=demo).stdout.decode()
    assert "密评第 3 级" in table
    assert re.search(r"网络和通信安全 +0\.0000–0\.\d{4} ", table)


def test_sarif_of_the_demo(demo: Path, judged: list[dict[str, Any]]) -> None:
    log = json.loads(zhengguan("check", "--format", "sarif", folder=demo).stdout)
    from jsonschema import Draft4Validator  # takes seconds: it compiles a grammar

    schema = Draft4Validator(json.loads(SARIF.read_text(encoding="utf-8")))
    assert [e.message for e in schema.iter_errors(log)] == []
    for run, assessment in zip(log["runs"], judged, strict=True):
        prints = [r["fingerprints"]["zhengguan/v1"] for r in run["results"]]
        assert len(set(prints)) == len(prints)
        ids = {f["id"] for f in assessment["findings"]}
        assert ids <= set(prints)
        rules = {r["id"]: r for r in run["tool"]["driver"]["rules"]}
        assert all("help" in rules[r["ruleId"]] for r in run["results"])
        assert not [r for r in run["results"] if r["kind"] == "pass"]


def test_ocsf_of_the_demo(demo: Path, judged: list[dict[str, Any]]) -> None:
    lines = zhengguan("check", "--format", "ocsf", folder=demo).stdout.splitlines()
    events = [json.loads(text) for text in lines]
    from jsonschema import Draft202012Validator  # takes seconds: it compiles a grammar
    from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema

    built = OcsfJsonSchemaEmbedded(get_ocsf_schema("1.5.0")).get_class_schema("compliance_finding")
    schema = Draft202012Validator(built)
    assert [e.message for event in events for e in schema.iter_errors(event)] == []
    controls = [e for e in events if e["finding_info"]["types"] == ["control"]]
    told = {v: sum(e["unmapped"]["verdict"] == v for e in controls) for v in counts(judged)}
    assert told == counts(judged)
    assert len({e["metadata"]["uid"] for e in events}) == len(events)


@pytest.mark.parametrize("form", ["table", "sarif"])
def test_a_file_holds_what_standard_output_would(demo: Path, tmp_path: Path, form: str) -> None:
    shown = zhengguan("check", "--format", form, "--fail-on", "info", folder=demo)
    target = tmp_path / "out"
    target.write_text("old", encoding="utf-8")
    written = zhengguan("check", "--format", form, "--fail-on", "info", "-o", str(target), folder=demo)
    assert shown.returncode == written.returncode == 1
    assert written.stdout == b""
    assert target.read_bytes() == shown.stdout
    assert list(tmp_path.iterdir()) == [target]


def test_exit_codes_are_those_of_the_table(demo: Path) -> None:
    assert zhengguan("check", "--format", "sarif", "--min-coverage", "0.99", folder=demo).returncode == 3
    assert zhengguan("check", "--format", "xunit", folder=demo).returncode == 2


def test_a_file_that_cannot_be_written_is_one_line(demo: Path, tmp_path: Path) -> None:
    done = zhengguan("check", "--format", "ocsf", "-o", str(tmp_path / "no" / "out"), folder=demo)
    assert done.returncode == 2
    assert done.stderr.decode().count("\n") == 1
    assert "写不进" in done.stderr.decode()


def test_the_pipeline_of_the_page_works(demo: Path) -> None:
    page = (ROOT / "docs" / "pipelines.md").read_text(encoding="utf-8")
    (script,) = re.findall(r"^```sh pipeline\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
    command = f'zhengguan() {{ if [ "$1" != collect ]; then "{sys.executable}" -m zhengguan "$@"; fi; }}\n'
    ran = subprocess.run(
        ["bash", "-c", command + script], cwd=demo, capture_output=True, check=False, env=os.environ
    )
    assert ran.returncode in (0, 1), ran.stderr.decode()
    assert Xml.parse(demo / "check.xml").getroot().tag == "testsuites"
    assert json.loads((demo / "check.sarif").read_text(encoding="utf-8"))["version"] == "2.1.0"
    assert (demo / "check.ocsf.jsonl").read_bytes().count(b"\n") > 100
