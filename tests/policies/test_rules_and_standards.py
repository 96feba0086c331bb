"""The program's own rules against its own standard: nothing names what is not there."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from inventory.coverage import Batch, Collection, Status
from inventory.kinds.cloud import Cloud
from inventory.kinds.virtual_network import SecurityGroup, SecurityGroupRule
from inventory.selectors import Selector
from inventory.snapshot import Snapshot
from inventory.systems import System
from policies.assess import assess
from policies.evaluate import evaluate
from policies.outcome import Rule
from policies.problems import problems
from policies.rules import load_rules
from policies.standards import load_standard
from policies.verdict import Verdict

DENGBAO = load_standard("dengbao")
MIPING = load_standard("miping")
IPV6 = load_standard("ipv6")
EXTRANET = load_standard("extranet")
RULES = load_rules(examples=False)
AT = datetime(2026, 5, 1, tzinfo=UTC)


@pytest.mark.parametrize("rule", RULES, ids=lambda r: r.id)
def test_a_rule_names_controls_and_cases_that_there_are(rule: Rule) -> None:
    assert [c for c in rule.controls.all() if c.startswith("dengbao/") and c not in DENGBAO] == []
    assert [c for c in rule.controls.all() if c.startswith("miping/") and c not in MIPING] == []
    for standard in (IPV6, EXTRANET):
        mine = [c for c in rule.controls.all() if c.startswith(f"{standard.name}/")]
        assert [c for c in mine if c not in standard] == []
        # what nothing can read yet is told by no rule
        assert [c for c in mine if standard.get(c).needs or standard.get(c).automation == "manual"] == []
        # a share decides its item against a target: single resources are findings, not the verdict
        shares = {i.item for i in standard.indicators.values()}
        assert [c for c in rule.controls.decides if c in shares] == []
    assert [c for c in rule.high_risk if c not in DENGBAO.cases and c not in MIPING.cases] == []


def test_from_a_real_rule_to_a_problem() -> None:
    group = SecurityGroup(
        source="cloud1",
        native_id="g1",
        name="web",
        in_use=True,
        default=False,
        rules=[
            SecurityGroupRule(
                direction="ingress",
                family="ipv4",
                protocol="tcp",
                port_min=22,
                port_max=22,
                remote="0.0.0.0/0",
                remote_group=None,
            )
        ],
    )
    resources = [Cloud(source="cloud1", native_id="cloud1", name="云"), group]
    collections = [
        Collection(source="cloud1", kind=r.KIND, status=Status.COMPLETE, started_at=AT, ended_at=AT)
        for r in resources
    ]
    snapshot = Snapshot.of_batches([Batch(resources=resources, collections=collections)], AT)
    system = System(
        name="s", title="系统", grade="S3A3", include=[Selector(sources=["cloud1"])], cloud="tenant"
    )
    outcomes = evaluate(RULES, snapshot, members=system.members(snapshot), now=AT)
    assessment = assess(system, DENGBAO, outcomes, snapshot)

    problem = next(p for p in problems(assessment, RULES) if p.rule == "sg-ssh-open-ipv4")
    assert problem.assets == ("cloud1/cloud/cloud1",)
    assert len(problem.findings) == 1
    verdicts = {c.control.id: c.verdict for c in assessment.controls}
    assert {verdicts[c] for c in problem.controls} <= {Verdict.FAIL, Verdict.PARTIAL}
    assert problem.controls
