"""A device's configuration in an assessment: what it decides for the device, and what stays open."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import pytest

from collectors.cli import facts, signatures
from inventory.coverage import Batch, Collection, Status
from inventory.kinds.device_config import DeviceConfig
from inventory.kinds.network import Device
from inventory.resource import Relation
from inventory.selectors import Selector
from inventory.snapshot import Snapshot
from inventory.systems import System
from policies.assess import assess
from policies.assessment import Assessment, ObjectVerdict
from policies.evaluate import evaluate
from policies.rules import load_rules
from policies.standards import load_standard
from policies.verdict import Verdict

SAMPLES = Path(__file__).parents[1] / "data" / "cli"
AT = datetime(2026, 5, 1, tzinfo=UTC)


def assessed(sample: str, role: Literal["switch", "firewall"] = "switch", *, cut: str = "") -> Assessment:
    """A sample on its device, with what the device displays of signatures; ``cut``: words taken out of it."""
    device = Device(source="sw1", native_id="sw1", name="核心", role=role)
    text = (SAMPLES / f"{sample}.cfg").read_text()
    assert cut in text
    text = text.replace(cut, "")
    config = DeviceConfig(
        source="sw1", native_id="sw1", name="核心", relations=[Relation("part_of", device.uid)],
        **facts.read(sample.rsplit("-", 1)[0], text, {}),
    )  # fmt: skip
    shown = {name: SAMPLES / f"{sample}.{name}.txt" for name in signatures.PURPOSES}
    config = signatures.completed(config, {n: p.read_text() for n, p in shown.items() if p.exists()})
    collections = [
        Collection(source="sw1", kind=r.KIND, status=Status.COMPLETE, started_at=AT, ended_at=AT)
        for r in (device, config)
    ]
    snapshot = Snapshot.of_batches([Batch(resources=[device, config], collections=collections)], AT)
    system = System(name="s", title="系统", grade="S3A3", include=[Selector(sources=["*"])])
    rules = [rule for rule in load_rules(examples=False) if rule.kind == "device_config"]
    outcomes = evaluate(rules, snapshot, members=system.members(snapshot), now=AT)
    return assess(system, load_standard("dengbao"), outcomes, snapshot)


def on_device(assessment: Assessment, control: str) -> ObjectVerdict:
    (found,) = [c for c in assessment.controls if c.control.id == control]
    (verdict,) = [o for o in found.objects if o.asset == "sw1/device/sw1"]
    return verdict


def test_a_good_configuration_answers_requirements_for_its_device() -> None:
    found = assessed("hp_comware-good")
    passed = ("dengbao/8.1.4.1.a", "dengbao/8.1.4.1.b", "dengbao/8.1.4.1.c", "dengbao/8.1.4.4.c")
    assert {c: on_device(found, c).verdict for c in passed} == dict.fromkeys(passed, Verdict.PASS)
    # what data shows only in part stays a person's
    assert on_device(found, "dengbao/8.1.2.2.a").verdict is Verdict.UNKNOWN
    assert not [r for r in found.high_risks if r.state == "triggered"]


def test_a_bad_one_fails_them_meets_high_risks_and_shows_its_lines() -> None:
    found = assessed("huawei_vrp-bad")
    for control in ("dengbao/8.1.4.1.a", "dengbao/8.1.4.1.b", "dengbao/8.1.4.1.c", "dengbao/8.1.4.4.c"):
        assert on_device(found, control).verdict in (Verdict.FAIL, Verdict.PARTIAL), control
    triggered = {r.case for r in found.high_risks if r.state == "triggered"}
    assert {"6.4.1.1", "6.4.1.2", "6.4.2.1", "6.4.3.1", "6.5.1.1", "6.3.1.1"} <= triggered
    (telnet,) = [f for f in found.findings if f.rule == "config-telnet-ipv4"]
    assert telnet.evidence["telnet"] == {"ipv4": True, "ipv6": True, "lines": [7, 8]}
    (users,) = [f for f in found.findings if f.rule == "config-user-plain-password"]
    assert [(row["name"], row["lines"]) for row in users.evidence["users"]] == [("admin", [37, 38, 39])]


def test_a_configuration_cut_off_decides_nothing_that_rests_on_absence() -> None:
    text = (SAMPLES / "hp_comware-good.cfg").read_text()
    whole = facts.read("hp_comware", text, {})
    cut = facts.read("hp_comware", text, {"partial": "yes"})
    rules = [rule for rule in load_rules(examples=False) if rule.kind == "device_config"]
    counts = {}
    for name, fields in (("whole", whole), ("cut", cut)):
        config = DeviceConfig(source="s", native_id="1", **fields)
        snapshot = Snapshot.of_batches([Batch(resources=[config])], AT)
        verdicts = [v for o in evaluate(rules, snapshot, now=AT) for _, v in o.verdicts()]
        counts[name] = (verdicts.count(Verdict.PASS), verdicts.count(Verdict.FAIL))
    assert counts["cut"][1] == counts["whole"][1] == 0
    assert counts["cut"][0] < counts["whole"][0]


BOUNDARY = ("dengbao/8.1.3.2.a", "dengbao/8.1.3.2.b", "dengbao/8.1.3.2.c", "dengbao/8.1.3.2.d")
MALWARE = "dengbao/8.1.3.4.a"


@pytest.mark.parametrize("sample", ["huawei_vrp-good", "juniper_junos-good", "hp_comware-good"])
def test_a_firewall_that_scans_and_is_kept_up_to_date_meets_the_requirement(sample: str) -> None:
    found = assessed(sample, "firewall")
    assert on_device(found, MALWARE).verdict is Verdict.PASS
    assert on_device(found, "dengbao/8.1.3.2.d").verdict is Verdict.PASS
    # what data shows only in part stays a person's
    for control in ("dengbao/8.1.3.2.e", "dengbao/8.1.3.3.a", "dengbao/8.1.3.4.b"):
        assert on_device(found, control).verdict is Verdict.UNKNOWN, control


@pytest.mark.parametrize("sample", ["huawei_vrp-bare", "juniper_junos-bare", "hp_comware-bare"])
def test_one_that_does_not_fails_it(sample: str) -> None:
    found = assessed(sample, "firewall")
    for control in (MALWARE, "dengbao/8.1.3.2.b", "dengbao/8.1.3.2.c", "dengbao/8.1.3.2.d"):
        assert on_device(found, control).verdict in (Verdict.FAIL, Verdict.PARTIAL), control
    assert "6.3.3.1" in {r.case for r in found.high_risks if r.state == "triggered"}


def test_of_a_firewall_whose_signatures_nobody_saw_nothing_is_concluded() -> None:
    """A library of an age that is not known does not pass."""
    found = assessed("huawei_vrp-good", "firewall", cut="update schedule av-sdb enable\n")
    verdict = on_device(found, MALWARE)
    assert (verdict.verdict, verdict.checks["config-signature-manual"]) == (Verdict.UNKNOWN, Verdict.UNKNOWN)


def test_access_lists_of_a_router_decide_for_it() -> None:
    good, bad = assessed("cisco_ios-good"), assessed("cisco_ios-bare")
    assert {c: on_device(good, c).verdict for c in BOUNDARY} == {
        BOUNDARY[0]: Verdict.PASS, BOUNDARY[1]: Verdict.PASS, BOUNDARY[2]: Verdict.PASS,
        BOUNDARY[3]: Verdict.NOT_APPLICABLE,  # of lists without sessions nothing is said
    }  # fmt: skip
    for control in BOUNDARY[:3]:
        assert on_device(bad, control).verdict in (Verdict.FAIL, Verdict.PARTIAL), control
    assert on_device(assessed("zte_zxros-good"), BOUNDARY[0]).verdict is Verdict.UNKNOWN  # bound, not read
    assert on_device(good, MALWARE).verdict is Verdict.NOT_APPLICABLE  # it is no firewall
