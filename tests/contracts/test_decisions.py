"""What the built-in decisions must keep: they name what there is, and only what can decide."""

import pytest

from policies.assets import _OF_CLUSTER, _OF_PLATFORM
from policies.decisions import Decision
from policies.reach import SEEN_AS
from policies.rules import load_rules
from policies.standards import load_standard

DENGBAO = load_standard("dengbao")
RULES = {rule.id: rule for rule in load_rules(examples=False)}
DECISIONS = sorted({d.item: d for d in DENGBAO.decisions.values()}.values(), key=lambda d: d.item)
PARTS = {
    "host": {"host", "account", "listener", "interface", "route", "load", "account_review", "change_review"},
    "device": {
        "device",
        "device_config",
        "interface",
        "load",
        "link_load",
        "account_review",
        "change_review",
    },
    "cloud": _OF_PLATFORM
    | {"account_review", "action_review", "change_review", "replicated_pool", "monitoring_coverage"},
    "cluster": _OF_CLUSTER
    | {"role", "role_assignment", "principal", "secret", "volume", "quota", "change_review"},
    "server": {"server"},
    "monitoring_system": {"monitoring_system"},
    "log_platform": {"log_platform"},
    "source": {"endpoint", "certificate"},
    "backup_plan": {"backup_plan"},
}

each = pytest.mark.parametrize("decision", DECISIONS, ids=[d.item for d in DECISIONS])


@each
def test_its_rules_are_there_speak_to_it_and_look_at_such_an_asset(decision: Decision) -> None:
    for kind, ids in decision.by.items():
        assert [i for i in ids if i not in RULES] == []
        assert len(set(ids)) == len(ids)
        same = set(DENGBAO.counterparts(decision.item))
        assert [i for i in ids if not same & set(RULES[i].controls.all())] == []
        assert [i for i in ids if RULES[i].kind not in PARTS[kind]] == []
        assert [i for i in ids if RULES[i].severity == "info"] == []


@each
def test_data_can_decide_it_for_an_object_that_it_is_about(decision: Decision) -> None:
    controls = [DENGBAO.get(c) for c in DENGBAO.counterparts(decision.item)]
    kinds = {kind for c in controls for t in c.objects for kind in SEEN_AS.get(t, ())}
    assert set(decision.by) | set(decision.unseen) <= kinds
    if decision.by:
        assert {c.automation for c in controls} == {"technical-auto"}


@each
def test_what_it_says_is_for_people(decision: Decision) -> None:
    assert decision.by or decision.unseen or decision.left or decision.because or decision.yet
    alone = [text for text in (decision.left, decision.because, decision.yet) if text]
    for text in (*decision.unseen.values(), *alone):
        assert any("\u4e00" <= character <= "\u9fff" for character in text)
        assert not text.endswith(("。", "；"))


def test_the_twins_of_ipv6_decide_wherever_ipv4_does() -> None:
    for decision in DECISIONS:
        for ids in decision.by.values():
            four = {i for i in ids if i.endswith("-ipv4")}
            assert {i.replace("-ipv4", "-ipv6") for i in four} == {i for i in ids if i.endswith("-ipv6")}


def test_no_rule_decides_alone_beside_the_table() -> None:
    """One place says what decides: a built-in rule that says so of itself stands there with its kind."""
    listed = {
        (control, rule)
        for control, decision in DENGBAO.decisions.items()
        for ids in decision.by.values()
        for rule in ids
    }
    named = {(c, rule.id) for rule in RULES.values() for c in rule.controls.decides if c in DENGBAO}
    assert named - listed == set()
