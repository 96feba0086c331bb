"""Loading rules: what is wrong is said with file, line and remedy; examples are the rule's tests."""

from pathlib import Path

import pytest

from inventory.kinds.virtual_network import SecurityGroup
from inventory.unknown import UNKNOWN
from policies import rule_examples
from policies.freeze import printable, template
from policies.rules import RulesError, load_rule, load_rules

GOOD = """\
title: 用户应启用多因素认证
title_en: Users have MFA
kind: user
severity: high
applies: it.enabled
violates: >
  it.administrator == True
  and not it.mfa_enabled
evidence: [name, mfa_enabled]
message: 用户 {it.name} 没有多因素认证
why: 口令会泄露
fix: 启用
controls: {supports: [dengbao/8.1.4.1.d]}
high_risk: [6.4.1.3]
examples:
  bad: [{name: a, enabled: true, administrator: true, mfa_enabled: false}]
  good: [{name: a, enabled: true, administrator: true, mfa_enabled: true}, {name: b, enabled: true, administrator: false}]
  unknown: [{name: a, enabled: true, administrator: true}]
  not_applicable: [{name: a, enabled: false}]
"""


def write(folder: Path, text: str, name: str = "user-mfa") -> Path:
    path = folder / "identity" / f"{name}.yaml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def refusal(folder: Path, old: str, new: str, name: str = "user-mfa") -> str:
    """Load the good rule with one change; its errors, with the folder left out."""
    assert old in GOOD
    path = write(folder, GOOD.replace(old, new), name)
    with pytest.raises(RulesError) as caught:
        load_rules([folder], builtin=False)
    assert str(path) in str(caught.value)
    return str(caught.value).replace(str(path.parent), "…")


def test_a_rule_loads_with_its_file_name_as_id(tmp_path: Path) -> None:
    write(tmp_path, GOOD)
    [rule] = load_rules([tmp_path], builtin=False)
    assert rule.id == "user-mfa"
    assert rule.path == str(tmp_path / "identity" / "user-mfa.yaml")
    assert [result.problem for result in rule_examples.test_rule(rule)] == [""] * 5
    assert rule_examples.lint(rule) == []


REFUSALS = [
    ("kind: user", "kind: usr", "user-mfa.yaml:3:7: 没有资源类型 usr。是不是 user？"),
    ("severity: high", "severity: hihg", "user-mfa.yaml:4:11: 不能是 'hihg'（在 severity）。写 critical、high"),
    ("severity: high", "sevrity: high", "user-mfa.yaml:4:1: 不认识的键 sevrity。是不是 severity？"),
    ("title_en: Users have MFA\n", "", "user-mfa.yaml:1:1: 缺少 title_en"),
    ("it.mfa_enabled\n", "it.mfa_enabld\n", "user-mfa.yaml:8:14: user 没有字段 mfa_enabld。是不是 mfa_enabled？"),
    ("it.administrator == True", "it.administrator is True", "user-mfa.yaml:7:3: 不能用 is"),
    ("it.administrator == True", "it.__class__ == 1", "user-mfa.yaml:7:6: 不能读以下划线开头的 __class__"),
    ("it.administrator == True", "__import__('os')", "user-mfa.yaml:7:3: 没有函数 __import__"),
    ("it.administrator == True", "it.administrator == 3", "user-mfa.yaml:7:23: it.administrator 是是否"),
    ("applies: it.enabled", "applies: it.enable", "user-mfa.yaml:5:13: user 没有字段 enable"),
    ("applies: it.enabled", "applies: it.name", "user-mfa.yaml:5:13: 这里要一个条件"),
    ("applies: it.enabled", "predicate: open_in_pieces", "violates 和 predicate 要写一个"),
    ("evidence: [name, mfa_enabled]", "evidence: [name, mfa]", "user-mfa.yaml:9:18: 没有字段 mfa"),
    ("{it.name}", "{it.nam}", "user-mfa.yaml:10:10: 没有字段 nam。是不是 name？"),
    ("{it.name}", "{it.name.__class__}", "user-mfa.yaml:10:10: 没有字段 name.__class__"),
    ("{it.name}", "{it.__class__.__init__.__globals__}", "user-mfa.yaml:10:10: 没有字段 __class__"),
    ("{it.name}", "{it.name!r:>99999999}", "user-mfa.yaml:10:13: message 里只能写 {it.字段}"),
    ("{it.name}", "{0.name}", "message 里只能写 {it.字段}"),
    ("dengbao/8.1.4.1.d", "dengbao/8.1.4.1-d", "user-mfa.yaml:13:23: 条款编号 dengbao/8.1.4.1-d 不对"),
    ("dengbao/8.1.4.1.d", "8.1.4.1.d", "条款编号 8.1.4.1.d 不对"),
    ("dengbao/8.1.4.1.d", "miping/NET03", "条款编号 miping/NET03 不对。写成 miping/NET-03"),
    ("{supports: [dengbao/8.1.4.1.d]}", "{decides: [miping/NET-03]}", "没有规则能判定 miping/NET-03 符合"),
    ("[6.4.1.3]", "[6.4.1.3]\ndenies: {D: [miping/DEV-01]}", "denies 里的 miping/DEV-01 不在 supports 里"),
    ("[6.4.1.3]", "[6.4.1.3]\ndenies: {K: [dengbao/8.1.4.1.d]}", "user-mfa.yaml:15:10: 不认识的键 K（在 denies）"),
    ("[6.4.1.3]", "[HR-DEV]", "高风险判例编号 HR-DEV 不对。写成 6.4.1.1 或 HR-NET-03"),
    ("{supports: [", "{decides: [dengbao/8.1.4.1.d], supports: [", "同时在 decides 和 supports 里"),
    ("[6.4.1.3]", "[A-19]", "user-mfa.yaml:14:13: 高风险判例编号 A-19 不对。写成 6.4.1.1"),
    ("[6.4.1.3]", "6.4.1.3", "user-mfa.yaml:14:12: 要 array，而写的是 str（在 high_risk）"),
    ("  unknown: [{name: a, enabled: true, administrator: true}]\n", "", "user-mfa.yaml:16:3: 缺少 unknown（在 examples）。每条规则"),
    ("  unknown: [{name: a, enabled: true, administrator: true}]\n", "  unknown: []\n", "user-mfa.yaml:18:12: examples.unknown 里没有例子"),
    ("examples:\n", "exmples:\n", "user-mfa.yaml:15:1: 不认识的键 exmples。是不是 examples？"),
    ("why: 口令会泄露", "why: ''", "user-mfa.yaml:11:6: why 是空的"),
    ("why: 口令会泄露", "why: a\nwhy: b", "user-mfa.yaml:12:1: why 写了两次"),
    ("why: 口令会泄露", "why: &x a", "user-mfa.yaml:11:6"),
    ("why: 口令会泄露", "why: !!python/object/apply:os.system [id]", "user-mfa.yaml:11:6: YAML 语法错误"),
    ("why: 口令会泄露", "why: [", "YAML 语法错误"),
    ("title: 用户", "id: other\ntitle: 用户", "id other 和文件名 user-mfa 不一样"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "message"), REFUSALS, ids=[f"{r[0][:12]}→{r[1][:24]}" for r in REFUSALS]
)
def test_refused_with_file_line_and_remedy(tmp_path: Path, old: str, new: str, message: str) -> None:
    if "&x" in new:
        new = "why: &x a\ntitle2: *x"
        message = "不支持 YAML 锚点"
    assert message in refusal(tmp_path, old, new)


def test_a_rule_without_examples_does_not_load(tmp_path: Path) -> None:
    write(tmp_path, GOOD[: GOOD.index("examples:")])
    with pytest.raises(RulesError, match=r"缺少 examples.*bad、good、unknown"):
        load_rules([tmp_path], builtin=False)


def test_all_errors_of_all_files_come_at_once(tmp_path: Path) -> None:
    write(tmp_path, GOOD.replace("it.mfa_enabled\n", "it.mfa\n").replace("{it.name}", "{it.nam}"), "a")
    write(tmp_path, "", "b")
    write(tmp_path, GOOD, "c")
    with pytest.raises(RulesError) as caught:
        load_rules([tmp_path], builtin=False)
    assert [(error.path.stem, error.line) for error in caught.value.errors] == [("a", 8), ("a", 10), ("b", 0)]


def test_same_id_twice_is_refused_also_against_a_built_in_one(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    write(tmp_path, GOOD)
    (tmp_path / "other" / "user-mfa.yaml").write_text(GOOD, encoding="utf-8")
    with pytest.raises(RulesError, match="规则 user-mfa 已经有了"):
        load_rules([tmp_path], builtin=False)
    mine = tmp_path / "mine"
    mine.mkdir()
    write(mine, GOOD, "sg-ssh-open-ipv4")
    with pytest.raises(RulesError, match="规则 sg-ssh-open-ipv4 已经有了"):
        load_rules([mine])


def test_odd_file_names_and_places(tmp_path: Path) -> None:
    with pytest.raises(RulesError, match="没有这个规则目录"):
        load_rules([tmp_path / "nowhere"], builtin=False)
    with pytest.raises(RulesError, match="文件名 User_MFA 不能作规则 id"):
        load_rule(write(tmp_path, GOOD, "User_MFA"))
    path = write(tmp_path, GOOD)
    path.write_bytes(GOOD.encode("gb18030"))
    with pytest.raises(RulesError, match="不是 UTF-8"):
        load_rule(path)
    path.write_text("# " + "x" * 300_000, encoding="utf-8")
    with pytest.raises(RulesError, match="文件太大"):
        load_rule(path)
    path.write_text("a: " + "[" * 2_000, encoding="utf-8")
    with pytest.raises(RulesError):
        load_rule(path)


def test_a_wrong_example_is_told_with_what_came_out(tmp_path: Path) -> None:
    text = GOOD.replace(
        "bad: [{name: a, enabled: true, administrator: true, mfa_enabled: false}",
        "bad: [{name: a, enabled: true, administrator: true}",
    )
    text = text.replace(
        "not_applicable: [{name: a, enabled: false}]",
        "not_applicable: [{nmae: a}, {enabled: 1}, {mfa_rules: [{a: 1}]}]",
    )
    write(tmp_path, text)
    [rule] = load_rules([tmp_path], builtin=False)
    problems = [
        f"{result.place} {result.problem}" for result in rule_examples.test_rule(rule) if result.problem
    ]
    assert problems[0] == "bad[0] 应为不符合，得到未知（缺少 mfa_enabled）"
    assert problems[1] == "not_applicable[0] user 没有字段 nmae"
    assert problems[2].startswith("not_applicable[1] 例子的取值不对")
    assert problems[3].startswith("not_applicable[2] 例子的取值不对")
    assert len(problems) == 4


def test_lint_remarks(tmp_path: Path) -> None:
    text = GOOD.replace("{supports: [dengbao/8.1.4.1.d]}", "{}").replace("[name, mfa_enabled]", "[]")
    text = text.replace("{it.name}", "某人").replace("  not_applicable: [{name: a, enabled: false}]\n", "")
    text = text.replace("title: 用户", "title: " + "长" * 40)
    write(tmp_path, text)
    [rule] = load_rules([tmp_path], builtin=False)
    assert [remark[:8] for remark in rule_examples.lint(rule)] == [
        "title 有 ", "evidence", "message ", "controls", "写了 appli",
    ]  # fmt: skip


def test_message_is_one_bounded_printable_line() -> None:
    hostile = "a\nb\x1b[31m" + "x" * 500
    group = SecurityGroup(source="s", native_id="1", name=hostile, description=UNKNOWN)
    text = template("组 {it.name}（{it.description}）", SecurityGroup).render(group)
    assert text.startswith("组 a b [31mxxx")
    assert text.endswith("…（未知）")
    assert text.isprintable()
    assert len(text) < 180
    assert [printable(v) for v in (None, True, ["a", "b"], 3)] == ["空", "是", "a、b", "3"]
