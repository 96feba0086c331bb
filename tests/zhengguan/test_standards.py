"""Standards as a user meets them: checked by name, one's own among them, and mistakes told with their place."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from inventory.coverage import Batch, Collection, Status
from inventory.kinds.address import Address
from inventory.kinds.compute import Server
from inventory.kinds.host import Account, Host
from inventory.resource import Relation, Resource
from inventory.store import open_store
from zhengguan.cli import main

AT = datetime(2026, 11, 20, tzinfo=UTC)
CONFIG = """\
    sources: [{name: c, type: local}]
    policies:
      standards: [own]
      rules: [rules]
      targets: {ipv6/V6-CLD-02: {2026: 0.5, 2027: 0.9}}
    systems:
    - {name: portal, title: 门户, grade: S3A3, include: [{sources: [c]}], standards: [ipv6, city], cloud: platform}
    """
CITY = """\
    name: city
    title: 本市基线
    extends: {standard: dengbao}
    points:
    - class: 本市补充
      title: 运维账户
      items:
      - {id: CITY-1, automation: technical-auto, objects: [server], summary: 没有通用账户}
    """
RULE = """\
    title: 不得有通用运维账户
    title_en: No shared accounts
    kind: account
    severity: high
    violates: it.name == "ops"
    evidence: [name]
    message: 账户 {it.name} 是通用账户
    why: 分不清是谁。
    fix: 每人一个账户
    controls: {decides: [city/CITY-1]}
    examples:
      bad: [{name: ops}]
      good: [{name: zhang}]
      unknown: [{}]
    """


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a configuration, a standard and a rule of one's own, and a store with two servers, one of
    them with IPv6, and a host with an account that all share."""
    monkeypatch.chdir(tmp_path)
    for name, text in (("zhengguan.yaml", CONFIG), ("own/city.yaml", CITY), ("rules/x/no-shared.yaml", RULE)):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text), encoding="utf-8")
    v4 = Address(address="10.0.0.4", family="ipv4", scope="private")
    v6 = Address(address="2001:db8::4", family="ipv6", scope="global")
    host = Host(source="c", native_id="h", name="h")
    resources: list[Resource] = [
        Server(source="c", native_id="1", name="a", status="ACTIVE", addresses=[v4, v6]),
        Server(source="c", native_id="2", name="b", status="ACTIVE", addresses=[v4]),
        host,
        Account(source="c", native_id="h/ops", name="ops", relations=[Relation("part_of", host.uid)]),
    ]
    collections = [
        Collection(source="c", kind=r.KIND, status=Status.COMPLETE, started_at=AT, ended_at=AT)
        for r in resources
    ]
    with open_store(str(tmp_path / "zhengguan.db"), create=True).writer(AT) as writer:
        writer.add(Batch(resources=resources, collections=collections))
    return tmp_path


def told(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> Any:
    assert main([*words, "--json"]) == code
    return json.loads(capsys.readouterr().out)


def test_a_standard_without_a_score_tells_shares(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (found,) = told(capsys, "check", "--standard", "ipv6")
    assert (found["score"]["low"], found["score"]["high"], found["score"]["conclusion_low"]) == (
        None,
        None,
        "",
    )
    (share,) = [i for i in found["indicators"] if i["id"] == "V6-CLD-02"]
    assert (share["low"], share["high"], share["target"], share["set_here"]) == (
        "0.5000",
        "0.5000",
        "0.5",
        True,
    )
    (control,) = [c for c in found["controls"] if c["id"] == "ipv6/V6-CLD-02"]
    assert (control["verdict"], control["verified"]) == ("pass", "memory")
    (probe,) = [c for c in found["controls"] if c["id"] == "ipv6/V6-NET-18"]
    assert (probe["verdict"], probe["reason"]) == ("unknown", "还看不到：需要以 IPv6 管理地址采集设备")
    assert main(["check", "--standard", "ipv6"]) == 0
    text = capsys.readouterr().out
    assert "没有公布的计分方法，不打分" in text
    assert "自查初判" not in text
    assert "目标不低于 50.0%（2026 年起）" in text


def test_people_answer_what_no_machine_sees(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = told(capsys, "attest", "list", "--standard", "extranet")
    (one,) = [q for q in asked if q["subject"] == "extranet/EXT-ACC-01"]
    assert one["text"] == "是否做到：远程、移动和基层接入经 VPN 网关，用证书和密码技术？"
    assert one["look"] == "涉及：网络架构；见于公开来源"
    words = ["attest", "set", "EXT-ACC-01", "--standard", "extranet", "--verdict", "部分符合"]
    assert main([*words, "--note", "县级未接入", "--by", "张三"]) == 0
    capsys.readouterr()
    (found,) = told(capsys, "check", "--standard", "extranet")
    (control,) = [c for c in found["controls"] if c["id"] == "extranet/EXT-ACC-01"]
    assert (control["verdict"], control["origin"]) == ("partial", "person")


def test_a_baseline_is_asked_about_as_its_base_is(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["attest", "set", "8.1.6.1.a", "--standard", "city", "--verdict", "符合"]
    assert main([*words, "--note", "见总体策略", "--by", "张三"]) == 0
    capsys.readouterr()
    (found,) = told(capsys, "check", "--standard", "city")
    (control,) = [c for c in found["controls"] if c["id"] == "dengbao/8.1.6.1.a"]
    assert control["verdict"] == "pass"
    (base,) = told(capsys, "check", "--standard", "dengbao")
    assert [c["verdict"] for c in base["controls"] if c["id"] == "dengbao/8.1.6.1.a"] == ["unknown"]


@pytest.mark.parametrize("form", ["junit", "sarif", "ocsf"])
def test_other_programs_read_it_too(
    home: Path, form: str, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    assert main(["check", "--standard", "extranet", "--format", form]) == 0
    assert b"extranet" in capsysbinary.readouterr().out


def test_ones_own_standard_and_rule(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (found,) = told(capsys, "check", "--standard", "city")
    (control,) = [c for c in found["controls"] if c["id"] == "city/CITY-1"]
    assert control["verdict"] == "fail"
    assert "no-shared" in {f["rule"] for f in found["findings"]}
    reach = told(capsys, "rules", "coverage", "--standard", "city")
    assert (reach["standard"], reach["level"]) == ("city", 3)
    (item,) = [i for i in reach["items"] if i["id"] == "city/CITY-1"]
    assert (item["reach"], item["rules"]) == ("automatic", ["no-shared"])


@pytest.mark.parametrize("standard", ["dengbao", "miping", "ipv6", "extranet", "city"])
def test_coverage_counts_every_item_once(
    home: Path, standard: str, capsys: pytest.CaptureFixture[str]
) -> None:
    reach = told(capsys, "rules", "coverage", "--standard", standard)
    assert {"standard", "level", "automatic", "partly", "manual", "missing", "items"} <= set(reach)
    counted = sum(reach[word] for word in ("automatic", "partly", "manual", "missing"))
    assert counted == len(reach["items"]) > 0
    if standard in ("ipv6", "extranet"):
        assert {i["verified"] for i in reach["items"]} <= {"read", "memory", "default"}


def test_what_a_rule_speaks_to_says_what_it_rests_on(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rules", "show", "host-lockout"]) == 0
    text = capsys.readouterr().out
    assert "dengbao/8.1.4.1.b" in text
    assert "（单元 L3-CES1-02）" in text
    assert "（单元编号未核实，不列）" in text  # of the same requirement at another level


@pytest.mark.parametrize(
    ("file", "old", "new", "words", "said"),
    [
        ("own/city.yaml", "standard: dengbao", "standard: dengbo", ("check", "--standard", "city"),
         "city.yaml:3:21: 没有名为 dengbo 的标准。是不是 dengbao？"),
        ("own/city.yaml", "summary: 没有", "sumary: 没有", ("rules", "coverage", "--standard", "city"),
         "city.yaml:8:65: 不认识的键 sumary"),
        ("zhengguan.yaml", "[ipv6, city]", "[ipv6, citty]", ("check",), "zhengguan.yaml:7: 没有标准 citty。是不是 city？"),
        ("zhengguan.yaml", "[own]", "[owm]", ("check",), "zhengguan.yaml:3: 没有这个标准目录"),
        ("zhengguan.yaml", "2026: 0.5", "2026: 50", ("check",), "zhengguan.yaml:5: 目标 50.0 要在 0 和 1 之间"),
        ("zhengguan.yaml", "V6-CLD-02", "V6-CLD-20", ("check", "--standard", "ipv6"), "没有指标 ipv6/V6-CLD-20"),
        ("zhengguan.yaml", "x", "x", ("check", "--standard", "citty"), "没有标准 'citty'。是不是 city？"),
        ("zhengguan.yaml", "x", "x", ("check", "--standard", "ipv6", "--edition", "2025"), "没有公布的计分方法"),
        ("rules/x/no-shared.yaml", "CITY-1", "CITY-7", ("check", "--standard", "city"), "没有要求项 city/CITY-7"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_line_with_its_place(
    home: Path, file: str, old: str, new: str, words: tuple[str, ...], said: str, capsys: Any
) -> None:
    path = home / file
    path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    assert main(list(words)) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1


def test_what_is_inherited_is_told_everywhere(home: Path, capsys: Any) -> None:
    path = home / "zhengguan.yaml"
    platform = (
        "{platform: 市政务云, report: PT-1, grade: S3A3, valid_until: 2027-03-31, items: [8.1.1, 7.1.1]}"
    )
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("cloud: platform", f"cloud: tenant, platform: {platform}"), encoding="utf-8")
    (found,) = told(capsys, "check", "--standard", "dengbao")
    assert found["inheritance"]["state"] == "in_force"
    assert {c["id"] for c in found["controls"] if c["origin"] == "inherited"} == set(
        found["inheritance"]["taken"]
    )
    assert "dengbao/8.1.1.1.a" in found["inheritance"]["taken"]
    assert found["split"] == {"model": "iaas", "assumed": True, "claimed": [], "unmatched": []}
    duties = {c["id"]: c["duty"] for c in found["controls"]}
    assert duties["dengbao/8.1.1.1.a"] == {"who": "provider", "origin": "report"}
    assert duties["dengbao/8.1.6.1.a"] == {"who": "customer", "origin": "default"}
    assert main(["check", "--standard", "dengbao"]) == 0
    assert (
        "云平台 市政务云 PT-1，S3A3，有效至 2027-03-31：继承 22 项，7.1.1 不对应任何要求项"
        in capsys.readouterr().out
    )
    assert main(["report", "dengbao", "--format", "html", "--out", "out"]) == 0
    (page,) = (home / "out").glob("*.html")
    html = page.read_text(encoding="utf-8")
    assert "继承 22 项" in html
    assert "继承云平台测评结论：符合" in html
    # the baseline that starts from it inherits too, the others do not
    capsys.readouterr()
    (city,) = told(capsys, "check", "--standard", "city")
    assert len(city["inheritance"]["taken"]) == 22
    (ipv6,) = told(capsys, "check", "--standard", "ipv6")
    assert ipv6["inheritance"] is None
    path.write_text(
        path.read_text(encoding="utf-8").replace("cloud: tenant", "cloud: none"), encoding="utf-8"
    )
    assert main(["check"]) == 2
    assert "只用于 cloud: tenant" in capsys.readouterr().err


def test_two_standards_of_one_name_are_refused_with_both_paths(home: Path, capsys: Any) -> None:
    (home / "own" / "miping.yaml").write_text("name: miping\ntitle: 冒名\npoints: []\n", encoding="utf-8")
    assert main(["check", "--standard", "miping"]) == 2
    error = capsys.readouterr().err
    assert "有两份" in error
    assert str(home / "own" / "miping.yaml") in error
