"""What every built-in rule must keep."""

from collections import Counter
from pathlib import Path

import pytest
from msgspec.structs import replace

from policies import rule_examples
from policies.outcome import Rule
from policies.rules import BUILTIN, load_rules
from policies.standards import load_standard
from policies.verdict import SEVERITIES

RULES = load_rules()
STANDARDS = [load_standard(name) for name in ("dengbao", "miping", "ipv6", "extranet")]

each_rule = pytest.mark.parametrize("rule", RULES, ids=[rule.id for rule in RULES])


@each_rule
def test_its_examples_come_out_as_they_say(rule: Rule) -> None:
    results = rule_examples.test_rule(rule)
    assert [f"{result.place} {result.problem}" for result in results if result.problem] == []
    assert len(results) >= 3


@each_rule
def test_a_careful_reader_has_nothing_to_remark(rule: Rule) -> None:
    # a matter of operation alone belongs to no clause, and says so by an empty list
    assert [remark for remark in rule_examples.lint(rule) if not remark.startswith("controls")] == []


@each_rule
def test_it_says_what_and_why_and_what_to_do(rule: Rule) -> None:
    assert len(rule.title) <= 40
    assert rule.title_en.isascii()
    for text in (rule.title, rule.message, rule.why, rule.fix):
        assert any("\u4e00" <= character <= "\u9fff" for character in text), text
        assert not text.endswith("。") or text is rule.why
    assert Path(rule.path).parent.parent == BUILTIN


@each_rule
def test_its_controls_are_in_the_catalogue_at_every_level_that_asks_for_the_same(rule: Rule) -> None:
    for links in (rule.controls.decides, rule.controls.supports):
        assert [c for c in links if not any(c in standard for standard in STANDARDS)] == []
        dengbao = STANDARDS[0]
        whole = {same for c in links if c in dengbao for same in dengbao.counterparts(c)}
        assert whole - set(links) == set()
        # a unit of 密评 has one name at all levels, and is never decided by a machine
        named = [c for c in links if c.startswith("miping/")]
        assert [c for c in named if c in STANDARDS[1].controls] == []
        assert named == [] or links is rule.controls.supports


@each_rule
def test_its_high_risk_cases_belong_to_its_controls(rule: Rule) -> None:
    for case in rule.high_risk:
        (standard,) = [standard for standard in STANDARDS if case in standard.cases]
        mine = [c for c in rule.controls.all() if c in standard]
        assert {same for c in mine for same in standard.counterparts(c)} & set(standard.cases[case].controls)
    if rule.severity in ("low", "info"):
        assert rule.high_risk == []
    if rule.severity == "info":
        assert rule.controls.all() == []


@each_rule
def test_what_it_denies_is_a_machines_to_deny(rule: Rule) -> None:
    """D and A alone, of units whose D or A the catalogue lets collected data show."""
    miping = STANDARDS[1]
    for judgement, units in rule.denies.items():
        seen = {miping.crypto[same].seen[judgement] for unit in units for same in miping.counterparts(unit)}
        assert seen <= {"auto", "evidence"}, judgement
        layers = {unit.partition("/")[2][:3] for unit in units}
        assert layers <= {"NET", "DEV"}  # data and applications may be protected where no machine looks


def test_the_worst_mistakes_of_each_kind_are_looked_for() -> None:
    assert len(RULES) >= 100
    assert {rule.severity for rule in RULES} == set(SEVERITIES)
    counts = Counter(rule.kind for rule in RULES)
    assert counts["host"] >= 25
    assert counts["security_group"] >= 10
    assert counts["account"] >= 5
    assert counts["listener"] >= 5
    assert counts["device"] >= 5
    assert counts["device_config"] >= 60
    assert {"user", "port", "network", "volume", "image", "hypervisor", "cloud", "quota"} <= set(counts)


def test_ipv6_is_judged_as_ipv4_is() -> None:
    by_id = {rule.id: rule for rule in RULES}
    four = [rule for rule in RULES if rule.id.endswith("-ipv4")]
    assert len(four) >= 5
    for rule in four:
        six = by_id[rule.id.replace("-ipv4", "-ipv6")]
        assert six.violates == rule.violates.replace("ipv4", "ipv6")
        # what the standard of IPv6 asks for, the rule of IPv6 alone can speak to
        spoken = [[c for c in r.controls.all() if not c.startswith("ipv6/")] for r in (six, rule)]
        assert (six.severity, spoken[0]) == (rule.severity, spoken[1])
        assert len(six.examples.bad) == len(rule.examples.bad)


def test_without_their_examples_they_are_the_same_rules() -> None:
    read = load_rules(examples=False)
    assert not any(rule.examples.bad for rule in read)
    assert [replace(rule, examples=full.examples) for rule, full in zip(read, RULES, strict=True)] == RULES
