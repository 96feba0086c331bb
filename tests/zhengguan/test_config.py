"""The configuration: what is right loads, what is wrong names its line and the way out."""

from __future__ import annotations

from pathlib import Path

import pytest

from policies.scoring.miping import method
from policies.standards import load_standard
from zhengguan.config import Config, load_config, parse_config
from zhengguan.errors import Exit, UserError

GOOD = """\
store: data/estate.db
sources:
  - name: this-host
    type: local
    labels: {department: 市大数据局}
    deadline_seconds: 30
systems:
  - name: web
    title: 网站群
    grade: s2a2
    filing_expires: 2027-12-31
    include:
      - sources: [this-host]
serve:
  listen: 127.0.0.1:9999
"""


def parse(text: str, **environ: str) -> Config:
    return parse_config(text, Path("zhengguan.yaml"), environ)


def test_a_good_file_gives_typed_values() -> None:
    config = parse(GOOD)
    assert config.store.endswith("/data/estate.db")
    assert [s.name for s in config.sources] == ["this-host"]
    assert config.sources[0].deadline_seconds == 30
    assert str(config.systems[0].graded) == "S2A2"
    assert str(config.systems[0].filing_expires) == "2027-12-31"
    assert config.serve.listen == "127.0.0.1:9999"


def test_the_plan_of_ipv6_addresses() -> None:
    text = (
        "policies:\n  ipv6:\n    plan:\n    - {prefix: 'fd00:1::/32', owner: 市大数据局, purpose: 政务云}\n"
    )
    (one,) = parse(text).policies.ipv6.plan
    assert (one.owner, one.assignment) == ("市大数据局", "")
    again = text + "    - {prefix: 'fd00:1:0::/32', owner: 别人, purpose: 别的}\n"
    with pytest.raises(UserError, match="登记了两次") as caught:
        parse(again)
    assert caught.value.where.endswith(":5")
    for wrong, said in (
        ("10.0.0.0/8", "不是 IPv6 前缀"),
        ("fd00::1/32", "host bits"),
        ("nonsense", "nonsense"),
    ):
        with pytest.raises(UserError, match=said) as caught:
            parse(text.replace("fd00:1::/32", wrong))
        assert caught.value.where.endswith(":4")


def test_environment_overrides_single_values() -> None:
    config = parse(
        GOOD,
        ZHENGGUAN_STORE="/var/lib/z.db",
        ZHENGGUAN_SERVE_LISTEN="[::1]:1",
        ZHENGGUAN_COLLECT_CONCURRENCY="9",
    )
    assert config.store == "/var/lib/z.db"
    assert config.serve.listen == "[::1]:1"
    assert config.collect.concurrency == 9


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("stor: x\n", "zhengguan.yaml:1", ["不认识的键 stor", "是不是 store"]),
        (
            GOOD.replace("deadline_seconds: 30", "deadline: 30"),
            "zhengguan.yaml:6",
            ["deadline", "deadline_seconds"],
        ),
        (GOOD.replace("type: local", "type: locl"), "zhengguan.yaml:4", ["locl", "是不是 local"]),
        (GOOD.replace("grade: s2a2", "grade: 二级"), "zhengguan.yaml:8", ["S3A3"]),
        (
            GOOD.replace("sources: [this-host]", "sorces: [this-host]"),
            "zhengguan.yaml:13",
            ["sorces", "是不是 sources"],
        ),
        (
            GOOD.replace("deadline_seconds: 30", "deadline_seconds: soon"),
            "zhengguan.yaml:6",
            ["float", "str"],
        ),
        (GOOD.replace("name: this-host", "name: ../etc"), "zhengguan.yaml:3", ["../etc"]),
        ("sources: [\n", "zhengguan.yaml:2", ["YAML"]),
        ("- a\n", "zhengguan.yaml:1", ["键: 值"]),
        ("sources:\n  - type: local\n", "zhengguan.yaml:2", ["缺少 name"]),
    ],
)
def test_a_wrong_file_names_line_and_remedy(text: str, place: str, words: list[str]) -> None:
    with pytest.raises(UserError) as caught:
        parse(text)
    assert caught.value.where == place
    assert all(word in caught.value.line() for word in words), caught.value.line()
    assert caught.value.code is Exit.USAGE
    assert "\n" not in caught.value.line()


def test_two_sources_of_one_name_are_refused() -> None:
    twice = "sources:\n  - {name: a, type: local}\n  - {name: a, type: local}\n"
    with pytest.raises(UserError, match="两个 a") as caught:
        parse(twice)
    assert caught.value.where == "zhengguan.yaml:3"


def test_a_secret_in_the_file_is_refused() -> None:
    text = "sources:\n  - {name: sw, type: snmp, targets: [127.0.0.1], version: v2c, community_ref: public}\n"
    with pytest.raises(UserError, match="引用") as caught:
        parse(text)
    assert caught.value.where == "zhengguan.yaml:2"


def test_an_alias_bomb_costs_nothing() -> None:
    lines = ["a0: &a0 [x, x]"] + [f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, 40)]
    with pytest.raises(UserError, match="锚点"):
        parse("\n".join(lines) + "\n")


def test_a_missing_file_says_how_to_write_one(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="zhengguan init"):
        load_config(tmp_path / "none.yaml")


def test_open_points_of_both_standards_are_set_apart() -> None:
    config = parse_config(
        'policies: {parameters: {basis: item_object}, miping: {edition: "2021", parameters: {pool: groups}}}\n',
        Path("zhengguan.yaml"),
        {},
    )
    assert config.policies.parameters == {"basis": "item_object"}
    chosen = config.policies.miping
    assert method(load_standard("miping"), chosen.edition, chosen.parameters)["pool"] == "groups"
    with pytest.raises(UserError, match="2025"):
        parse_config('policies: {miping: {edition: "2025"}}\n', Path("zhengguan.yaml"), {})
