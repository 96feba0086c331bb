"""YAML as people write it: the same data as PyYAML's safe loader, and errors with their place."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from policies import yaml_text
from policies.rules import BUILTIN
from policies.yaml_text import YamlError, parse_yaml

HERE = Path("a.yaml")
BUILT_IN = sorted(BUILTIN.rglob("*.yaml")) + sorted(BUILTIN.parent.glob("standards/*.yaml"))
ORDINARY = """\
plain: words, and an end
quoted: ["yes", '1', "a\\tb", '']
folded: >
  one
  two
kept: |
  a: 1
numbers: [0, -7, 0x1f, 0o7, 017, 1_000, 1:30, 1.5, 1e3, .inf, +12]
others: [yes, No, on, true, ~, null, 2020-01-31, 2020-01-31T08:00:00Z]
1: number
~: nothing
nested: {a: [{b: {c: }}]}
"""


def test_an_ordinary_file_is_what_pyyaml_makes_of_it() -> None:
    assert repr(yaml_text._ordinary(ORDINARY)) == repr(yaml.safe_load(ORDINARY))


def test_all_built_in_files_are_ordinary_and_the_same() -> None:
    for path in BUILT_IN[::8]:
        text = path.read_text(encoding="utf-8")
        assert yaml_text._ordinary(text) == yaml.load(text, yaml.CSafeLoader), path


@pytest.mark.parametrize(
    "text",
    ["--- a\n...\n", "%YAML 1.1\n---\na: 1\n", "a: !!str 1\n", "a: &x 1\n", "<<: {a: 1}\nb: 2\n"],
)
def test_what_is_out_of_the_ordinary_is_read_all_the_same(text: str) -> None:
    assert parse_yaml(text, HERE).data == yaml.load(text, yaml.SafeLoader)


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("", "a.yaml: 文件是空的"),
        ("a: 1\nb: 2\na: 3\n", "a.yaml:3:1: a 写了两次。删掉一个"),
        ("a: &x [1]\nb: *x\n", "a.yaml:1:4: 不支持 YAML 锚点和引用。把内容写出来"),
        ("a: *x\n", "a.yaml:1:4: YAML 语法错误：found undefined alias。"),
        ("a: 1\n  b: 2\n", "a.yaml:2:4: YAML 语法错误：mapping values are not allowed in this context。"),
        ("a: 1\n---\nb: 2\n", "a.yaml:2:1: YAML 语法错误：but found another document。"),
        (
            "a: !mine 1\n",
            "a.yaml:1:4: YAML 语法错误：could not determine a constructor for the tag '!mine'。",
        ),
        ("? [a]\n: b\n", "a.yaml:1:3: YAML 语法错误：found unhashable key。"),
        ("a: 2020-13-45\n", "a.yaml: YAML 读不懂：month must be in 1..12。"),
        ("a: \x01\n", "a.yaml: YAML 读不懂："),
        ("- =\n", "a.yaml:1:3: YAML 语法错误：could not determine a constructor for the tag"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(text: str, wrong: str) -> None:
    with pytest.raises(YamlError) as told:
        parse_yaml(text, HERE)
    assert str(told.value).startswith(wrong)


def test_a_place_is_found_in_a_file_that_was_loaded() -> None:
    source = parse_yaml("a:\n  - b: 1\n  - b: >-\n      one\n      two\n", HERE)
    assert str(source.error("x", ["a", 0, "b"])) == "a.yaml:2:8: x"
    assert str(source.error_at_key("x", ["a", 1, "b"])) == "a.yaml:3:5: x"
    assert str(source.error("x", ["a", 1, "b"], offset=4)) == "a.yaml:5:7: x"
