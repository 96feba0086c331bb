"""How far rules reach: automatic only where every object that is seen is decided."""

from __future__ import annotations

import msgspec
import pytest

from policies.decisions import Decision, by_control
from policies.outcome import ControlLinks, Examples, Rule
from policies.reach import ItemReach, reach
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
    assert (seen.reach, seen.unseen) == ("automatic", {"terminal": "没有采集", "cluster": "看不到"})
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
    assert [i.id for i in found.items if i.reach == "manual" and i.automation != "manual"] == []
    assert [i.id for i in found.items if i.reach == "automatic" and i.automation != "technical-auto"] == []
