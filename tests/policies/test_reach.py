"""How far rules reach: automatic only where every object that is seen is decided."""

from __future__ import annotations

import msgspec
import pytest

from policies.decisions import Decision, by_control
from policies.outcome import ControlLinks, Examples, Rule
from policies.reach import NOT_READ, ItemReach, reach
from policies.rules import load_rules
from policies.standards import load_standard

DENGBAO = load_standard("dengbao")
MALWARE = "dengbao/8.1.4.5.a"  # technical-auto: server, terminal, cluster
MANY_FACTORS = "dengbao/8.1.4.1.d"  # technical-evidence


def rule(id_: str, control: str, **links: list[str]) -> Rule:
    return Rule(
        id=id_,
        title=id_,
        title_en=id_,
        kind="host",
        severity="high",
        violates="True",
        evidence=[],
        message="m",
        why="w",
        fix="f",
        controls=ControlLinks(**(links or {"supports": [control]})),
        examples=Examples(bad=[], good=[], unknown=[]),
    )


def item(control: str, rules: list[Rule], *decisions: Decision) -> ItemReach:
    standard = msgspec.structs.replace(DENGBAO, decisions=by_control(decisions, DENGBAO.same))
    return next(i for i in reach(standard, rules, 3).items if i.id == control)


def test_automatic_is_decided_for_every_object_that_is_seen() -> None:
    host = Decision(item=MALWARE, by={"host": ("a",)})
    seen = item(MALWARE, [rule("a", MALWARE)], host)
    assert (seen.reach, seen.decided, seen.open) == ("partly", ("server",), ("cluster",))
    why = msgspec.structs.replace(host, unseen={"cluster": "看不到"})
    seen = item(MALWARE, [rule("a", MALWARE)], why)
    assert (seen.reach, seen.unseen) == ("automatic", {"terminal": "没有登录终端的来源", "cluster": "看不到"})
    assert seen.left == "终端、容器集群由人核查"
    two = msgspec.structs.replace(why, by={"host": ("a", "b")})
    assert item(MALWARE, [rule("a", MALWARE)], two).reach == "partly"  # b is not among the rules
    assert item(MALWARE, [rule("a", MALWARE), rule("b", MANY_FACTORS)], two).reach == "partly"
    assert item(MALWARE, [rule("a", MALWARE), rule("b", MALWARE)], two).reach == "automatic"


def test_a_users_rule_may_decide_alone() -> None:
    assert item(MALWARE, [rule("a", "", decides=["dengbao/7.1.4.5.a"])]).reach in ("automatic", "missing")
    assert item(MALWARE, [rule("a", "", decides=[MALWARE])]).reach == "automatic"


def test_evidence_is_never_automatic_and_says_what_is_left() -> None:
    told = Decision(item=MANY_FACTORS, left="两种方式里有没有密码技术")
    seen = item(MANY_FACTORS, [rule("a", "", decides=[MANY_FACTORS])], told)
    assert seen.reach == "partly"
    assert seen.left == "两种方式里有没有密码技术"
    assert item(MANY_FACTORS, [rule("a", MANY_FACTORS)]).left.startswith("规则之外的部分由人核查：")
    none = item(MANY_FACTORS, [])
    assert (none.reach, none.left) == ("missing", f"全部由人核查：{none.summary}")


@pytest.mark.parametrize("level", [1, 2, 3, 4])
def test_every_item_is_counted_once_and_something_is_left_where_rules_do_not_decide(level: int) -> None:
    found = reach(DENGBAO, load_rules(), level)
    counts = [found.automatic, found.partly, found.manual, found.missing]
    assert sum(counts) == len(found.items) == sum(DENGBAO.expected[p][level] for p in ("general", "cloud"))
    sums = [[c.automatic, c.partly, c.manual, c.missing] for c in found.classes]
    assert [sum(column) for column in zip(*sums, strict=True)] == counts
    assert [i.id for i in found.items if i.reach != "automatic" and not i.left] == []
    by_hand = [i for i in found.items if i.reach == "manual" and i.automation != "manual"]
    assert len(by_hand) == found.manual_for_data
    assert [i.id for i in by_hand if not i.why.startswith("由人：") or i.rules] == []
    assert [i.id for i in found.items if i.reach == "automatic" and i.automation != "technical-auto"] == []


@pytest.mark.parametrize("level", [1, 2, 3, 4])
def test_what_data_should_decide_or_show_and_do_not_says_why(level: int) -> None:
    for i in reach(DENGBAO, load_rules(), level).items:
        if i.automation != "manual" and i.reach in ("manual", "missing"):
            assert i.why, i.id
        if i.automation == "technical-auto" and i.reach == "partly":
            assert i.why or not set(i.unseen.values()).isdisjoint(NOT_READ.values()), i.id
        if i.automation == "technical-auto" and i.reach != "automatic" and level == 3:
            assert i.open == (), i.id  # each type that collectors see has its reason


def test_by_hand_for_good_and_not_yet_are_two_things() -> None:
    good = item(MANY_FACTORS, [], Decision(item=MANY_FACTORS, because="在人手里"))
    assert (good.reach, good.why) == ("manual", "由人：在人手里")
    later = item(MANY_FACTORS, [], Decision(item=MANY_FACTORS, yet="要读令牌"))
    assert (later.reach, later.why) == ("missing", "还没有：要读令牌")
    seen = item(MALWARE, [rule("a", MALWARE)], Decision(item=MALWARE, unseen={"host": "看不到"}))
    assert (seen.reach, seen.why) == ("partly", "服务器：看不到；容器集群：还没有规则")
    with pytest.raises(ValueError, match="because"):
        by_control([Decision(item=MALWARE, because="x", by={"host": ("a",)})], DENGBAO.same)
