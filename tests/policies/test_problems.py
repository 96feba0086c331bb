"""安全问题汇总 and counts, from an assessment."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from inventory.coverage import Batch
from inventory.kinds.network import Device
from inventory.selectors import Selector
from inventory.snapshot import Snapshot
from inventory.systems import System
from policies.assess import assess
from policies.assessment import Assessment
from policies.outcome import ControlLinks, Examples, Outcome, Rule
from policies.problems import by_class, by_risk, problems
from policies.standards import load_standard
from policies.verdict import Finding, Verdict

SWITCHES = [Device(source=n, native_id=n, name=n, role="switch") for n in ("sw1", "sw2", "sw3")]


def rule(id_: str, severity: Any, controls: list[str], cases: list[str] | None = None) -> Rule:
    return Rule(
        id=id_,
        title=f"规则 {id_}",
        title_en=id_,
        kind="device",
        severity=severity,
        violates="True",
        evidence=[],
        message="m",
        why=f"为什么 {id_}",
        fix=f"怎么改 {id_}",
        controls=ControlLinks(decides=controls),
        high_risk=cases or [],
        examples=Examples(bad=[], good=[], unknown=[]),
    )


RULES = [
    rule("banner", "low", ["dengbao/8.1.3.2.c"]),
    rule("telnet", "medium", ["dengbao/8.1.4.1.c", "dengbao/8.1.5.4.b"], ["6.4.1.2"]),
    rule("community", "medium", ["dengbao/8.1.4.1.a"]),
    rule("clock", "medium", ["dengbao/8.1.4.3.b"]),
    rule("quiet", "critical", ["dengbao/8.1.4.1.b"]),
]
FAILED = {"banner": [0], "telnet": [0, 2], "community": [1], "clock": [0, 1], "quiet": []}


def assessment() -> Assessment:
    outcomes = [
        Outcome(
            rule=r,
            resources=SWITCHES,
            failed=FAILED[r.id],
            unknown=[],
            excluded=[],
            findings=[
                Finding(
                    rule=r.id,
                    severity=r.severity,
                    uid=SWITCHES[i].uid,
                    kind="device",
                    source=SWITCHES[i].source,
                    name="",
                    message="m",
                    fix="f",
                    controls=tuple(r.controls.all()),
                    evidence={},
                )
                for i in FAILED[r.id]
            ],
            unseen=[],
            gaps=[],
        )
        for r in RULES
    ]
    at = datetime(2026, 5, 1, tzinfo=UTC)
    system = System(name="s", title="系统", grade="S3A3", include=[Selector(sources=["*"])])
    snapshot = Snapshot.of_batches([Batch(resources=list(SWITCHES))], at)
    return assess(system, load_standard("dengbao"), outcomes, snapshot)


def test_problems_are_numbered_from_the_worst() -> None:
    found = problems(assessment(), RULES)
    assert [(p.number, p.rule, p.risk, p.cases) for p in found] == [
        ("T001", "telnet", "高", ("6.4.1.2",)),  # medium by its rule, high by the guideline
        ("T002", "clock", "中", ()),  # two assets before one
        ("T003", "community", "中", ()),
        ("T004", "banner", "低", ()),
    ]
    assert by_risk(found) == {"高": 1, "中": 2, "低": 1}


def test_a_problem_tells_where_what_and_why() -> None:
    telnet = problems(assessment(), RULES)[0]
    assert (telnet.title, telnet.why, telnet.fix) == ("规则 telnet", "为什么 telnet", "怎么改 telnet")
    assert telnet.assets == ("sw1/device/sw1", "sw3/device/sw3")
    assert telnet.controls == ("dengbao/8.1.4.1.c", "dengbao/8.1.5.4.b")
    assert len(telnet.findings) == 2


def test_counts_by_class_add_up() -> None:
    made = assessment()
    counts = by_class(made)
    assert list(counts)[:5] == [
        "安全物理环境",
        "安全通信网络",
        "安全区域边界",
        "安全计算环境",
        "安全管理中心",
    ]
    assert counts["安全物理环境"] == {Verdict.UNKNOWN: 22}
    assert counts["安全计算环境"] == {Verdict.PARTIAL: 3, Verdict.UNKNOWN: 31}
    assert sum(c.total() for c in counts.values()) == len(made.controls) == 211
