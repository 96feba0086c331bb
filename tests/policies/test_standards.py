"""The catalogue of GB/T 22239, its cases and parameters; users' own standards."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from textwrap import dedent

import pytest

from inventory.systems import Grade
from policies.standards import StandardError, available, load_standard

DENGBAO = load_standard("dengbao")


def test_numbers_of_items_are_those_the_standard_has() -> None:
    counts = Counter((c.part, c.level) for c in DENGBAO)
    assert counts == {
        ("general", 1): 55,
        ("general", 2): 135,
        ("general", 3): 211,
        ("general", 4): 228,
        ("cloud", 1): 11,
        ("cloud", 2): 29,
        ("cloud", 3): 46,
        ("cloud", 4): 49,
    }
    assert {(part, n): k for part, levels in DENGBAO.expected.items() for n, k in levels.items()} == counts


def test_classes_of_level_3_in_the_order_and_size_of_the_handbook() -> None:
    general = Counter(c.class_name for c in DENGBAO.at_level(3) if c.part == "general")
    assert list(general.items()) == [
        ("安全物理环境", 22),
        ("安全通信网络", 8),
        ("安全区域边界", 20),
        ("安全计算环境", 34),
        ("安全管理中心", 12),
        ("安全管理制度", 7),
        ("安全管理机构", 14),
        ("安全管理人员", 12),
        ("安全建设管理", 34),
        ("安全运维管理", 48),
    ]


def test_a_control_as_a_reader_cites_it() -> None:
    control = DENGBAO.get("dengbao/8.1.3.2.a")
    assert control.cite == "8.1.3.2 a)"
    assert (control.class_name, control.control_point, control.sag) == ("安全区域边界", "访问控制", "G")
    assert control.high_risk == ("6.3.2.1",)
    assert DENGBAO.get("dengbao/8.1.4.5.a").cite == "8.1.4.5"  # a point with one item has no letter


def test_units_are_told_only_where_they_were_seen() -> None:
    seen = [c for c in DENGBAO if c.unit_verified]
    assert len(seen) == 133
    assert {c.level for c in seen} == {3}
    assert {c.unit_id for c in DENGBAO if not c.unit_verified} == {""}
    assert "L3-CES1-16" not in {c.unit_id for c in seen}
    assert DENGBAO.get("dengbao/8.1.4.4.a").unit_id == "L3-CES1-17"


def test_each_part_of_a_grade_is_taken_at_its_own_level() -> None:
    chosen = DENGBAO.chosen(Grade.parse("S3A2"), cloud=False)
    assert {(c.sag, c.level) for c in chosen} == {("S", 3), ("A", 2), ("G", 3)}
    assert {c.part for c in chosen} == {"general"}
    third = [c for c in DENGBAO.at_level(3) if c.part == "general"]
    second = [c for c in DENGBAO.at_level(2) if c.part == "general"]
    assert len(chosen) == sum(c.sag != "A" for c in third) + sum(c.sag == "A" for c in second) == 209
    # the A items of the lower level stand in their own class, not in front of everything
    assert [c.class_name for c in chosen] == sorted(
        (c.class_name for c in chosen), key=list(dict.fromkeys(c.class_name for c in third)).index
    )


@pytest.mark.parametrize(("level", "number"), [(1, 66), (2, 164), (3, 257), (4, 277)])
def test_a_plain_grade_takes_its_level_in_order(level: int, number: int) -> None:
    chosen = DENGBAO.chosen(Grade(level, level), cloud=True)
    assert len(chosen) == number
    assert chosen == DENGBAO.at_level(level)


def test_the_same_requirement_is_found_at_every_level() -> None:
    assert DENGBAO.counterparts("dengbao/8.1.4.1.a") == (
        "dengbao/6.1.4.1.a",
        "dengbao/7.1.4.1.a",
        "dengbao/8.1.4.1.a",
        "dengbao/9.1.4.1.a",
    )
    # two-factor authentication is asked for from level 3 on
    assert DENGBAO.counterparts("dengbao/8.1.4.1.d") == ("dengbao/8.1.4.1.d", "dengbao/9.1.4.1.d")


def test_every_case_and_trigger_of_the_guideline() -> None:
    assert Counter(c.part for c in DENGBAO.cases.values()) == {"general": 42, "cloud": 16}
    for case in DENGBAO.cases.values():
        for id_ in case.controls:
            control = DENGBAO.get(id_)
            assert (control.class_name, control.control_point) == (case.class_name, case.control_point)
            assert control.level in case.levels
            assert case.id in control.high_risk
    codes = [t.code for t in DENGBAO.major_risk.triggers]
    assert codes == [f"A-{n:02}" for n in range(1, 33)]
    for trigger in DENGBAO.major_risk.triggers:
        if trigger.case in DENGBAO.cases:
            assert DENGBAO.cases[trigger.case].major_trigger == trigger.code
    assert [p.name for p in DENGBAO.major_risk.principles] == ["相关性", "严重性", "高发性"]


def test_every_open_point_of_scoring_says_what_it_rests_on() -> None:
    assert set(DENGBAO.editions) == {"2025", "2021", "2019"}
    assert DENGBAO.default_edition == "2025"
    for edition in DENGBAO.editions.values():
        for parameter in (*edition.parameters.values(), *DENGBAO.shared.values()):
            assert parameter.note
            assert not parameter.choices or parameter.value in parameter.choices
    assert DENGBAO.editions["2025"].parameters["pass_above"].verified
    assert not DENGBAO.editions["2025"].parameters["partial_credit"].verified
    assert not any(p.verified for p in DENGBAO.editions["2021"].parameters.values())


@pytest.mark.parametrize(("name", "items"), [("ipv6", 55), ("extranet", 58)])
def test_standards_without_a_published_score(name: str, items: int) -> None:
    standard = load_standard(name)
    assert len(standard.controls) == items
    assert dict(standard.editions) == {}
    for level in (1, 4):
        assert len(standard.chosen(Grade(level, level), cloud=True)) == items
    assert {c.part for c in standard.chosen(Grade(3, 3), cloud=False)} == {"general"}
    for control in standard:
        assert control.verified in ("read", "memory", "default"), control.id
        assert control.summary_en.isascii()
        # a number that no regulation was read for says so
        assert (
            control.verified == "default"
            or "产品缺省" not in control.summary
            or control.id.endswith("MON-01")
        )
    for one in standard.indicators.values():
        assert one.targets or "由本单位定" in one.note
        assert one.verified in ("read", "default")
        assert one.kind or one.needs


def test_targets_of_the_yearly_plans() -> None:
    traffic = load_standard("ipv6").indicators["ipv6/V6-NET-05"]
    assert dict(traffic.targets) == {2022: "0.13", 2023: "0.15", 2024: "0.23", 2025: "0.27"}
    assert "不是单个网络的及格线" in traffic.note


def test_an_unknown_control_is_an_error() -> None:
    with pytest.raises(StandardError, match=r"dengbao/8\.9\.9\.9\.a"):
        DENGBAO.get("dengbao/8.9.9.9.a")


OWN = """\
    name: province
    title: 省级补充要求
    points:
    - part: general
      class: 安全计算环境
      title: 身份鉴别
      sag: S
      items:
      - at: {2: 1.1 a), 3: 2.1 a)}
        automation: technical-auto
        objects: [server]
        summary: 运维账户实名
      - at: {3: 2.1 b)}
        automation: manual
        objects: [organization]
        summary: 每季度复核
    """


def own(folder: Path, text: str = OWN, name: str = "province") -> Path:
    path = folder / f"{name}.yaml"
    path.write_text(dedent(text), encoding="utf-8")
    return path


def test_users_bring_their_own_standard(tmp_path: Path) -> None:
    own(tmp_path)
    assert available([tmp_path]) == ["dengbao", "extranet", "ipv6", "miping", "province"]
    standard = load_standard("province", [tmp_path])
    assert [c.id for c in standard.chosen(Grade(3, 3), cloud=False)] == ["province/2.1.a", "province/2.1.b"]
    assert standard.cases == {}


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        ("3: 2.1 b)", "3: 2.1 a)", 13, "province/2.1.a 出现两次；另一处在 province.yaml:9:24"),
        ("1.1 a)", "1.1 第一项", 9, "条款写作"),
        ("automation: manual", "automation: magic", 14, "magic"),
        ("summary: 每季度复核", "summery: 每季度复核", 16, "summary"),
        ("sag: S", "sag: [S", 8, "语法错误"),
    ],
)
def test_a_wrong_file_is_refused_with_its_line(
    tmp_path: Path, old: str, new: str, line: int, said: str
) -> None:
    path = own(tmp_path, OWN.replace(old, new, 1))
    with pytest.raises(StandardError) as error:
        load_standard("province", [tmp_path])
    assert str(error.value).startswith(f"{path}:{line}:")
    assert said in str(error.value)


def test_a_name_in_two_places_is_refused_with_both(tmp_path: Path) -> None:
    path = own(tmp_path, OWN.replace("name: province", "name: dengbao"), "dengbao")
    with pytest.raises(StandardError, match="有两份") as error:
        load_standard("dengbao", [tmp_path])
    assert str(path) in str(error.value)


def test_a_name_that_is_none_lists_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(StandardError, match="可用的有：dengbao、extranet、ipv6、miping"):
        load_standard("iso", [tmp_path])
