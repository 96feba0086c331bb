"""The catalogue of GB/T 39786: units, layers, weights, 应/宜/可, cases; what a wrong one is refused for."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from inventory.systems import Grade
from policies.assets import OBJECT_TITLE
from policies.crypto import JUDGEMENTS
from policies.standards import BUILT_IN, StandardError, load_standard

MIPING = load_standard("miping")
DENGBAO = load_standard("dengbao")
LAYERS = ("PHY", "NET", "DEV", "APP", "POL", "PER", "CON", "EMG")

# weight and 应/宜/可 of each unit at levels 1 to 4, as the published table of weights has them
TABLE = """
PHY-01 0.4可 0.7宜 1宜 1应
PHY-02 0.4可 0.4可 0.7宜 0.7应
PHY-03 / / 0.7宜 0.7应
NET-01 0.4可 0.7宜 1应 1应
NET-02 0.4可 0.4可 0.7宜 1应
NET-03 0.4可 0.7宜 1应 1应
NET-04 0.4可 0.4可 0.4宜 0.7应
NET-05 / / 0.4可 0.7宜
DEV-01 0.4可 0.7宜 1应 1应
DEV-02 / / 1应 1应
DEV-03 0.4可 0.4可 0.4宜 0.7应
DEV-04 / / 0.4宜 0.7应
DEV-05 0.4可 0.4可 0.4宜 0.7应
DEV-06 / / 0.7宜 1应
APP-01 0.4可 0.7宜 1应 1应
APP-02 0.4可 0.4可 0.4宜 0.7应
APP-03 / / 0.4宜 0.7应
APP-04 0.4可 0.7宜 1应 1应
APP-05 0.4可 0.7宜 1应 1应
APP-06 0.4可 0.7宜 0.7宜 1应
APP-07 0.4可 0.7宜 0.7宜 1应
APP-08 / / 1宜 1应
POL-01 1应 1应 1应 1应
POL-02 0.7应 0.7应 0.7应 0.7应
POL-03 / 0.7应 0.7应 0.7应
POL-04 / / 0.7应 0.7应
POL-05 / / 0.7应 0.7应
POL-06 / / 0.7应 0.7应
PER-01 0.7应 0.7应 0.7应 0.7应
PER-02 / 1应 1应 1应
PER-03 / 0.7应 0.7应 0.7应
PER-04 / / 0.7应 0.7应
PER-05 0.7应 0.7应 0.7应 0.7应
CON-01 1应 1应 1应 1应
CON-02 1应 1应 1应 1应
CON-03 0.7应 0.7应 0.7应 0.7应
CON-04 1可 1宜 1应 1应
CON-05 / / 0.7应 0.7应
EMG-01 1可 1应 1应 1应
EMG-02 / / 0.7应 0.7应
EMG-03 / / 0.7应 0.7应
"""


def test_the_table_of_weights() -> None:
    wanted = {}
    for line in TABLE.split("\n")[1:-1]:
        code, *cells = line.split()
        for level, cell in enumerate(cells, 1):
            if cell != "/":
                wanted[code, level] = (Decimal(cell[:-1]), cell[-1])
    assert {(u.code, u.level): (u.weight, u.strength) for u in MIPING.crypto.values()} == wanted


@pytest.mark.parametrize(("level", "number"), [(1, 24), (2, 27), (3, 41), (4, 41)])
def test_number_of_units(level: int, number: int) -> None:
    assert len(MIPING.at_level(level)) == number == MIPING.expected["general"][level]
    assert MIPING.chosen(Grade(level, level), cloud=True) == MIPING.at_level(level)
    codes = [MIPING.crypto[c.id].code for c in MIPING.at_level(level)]
    assert codes == sorted(codes, key=lambda code: (LAYERS.index(code[:3]), code))


def test_layers_and_their_weights() -> None:
    assert tuple(MIPING.layers) == LAYERS
    assert [int(x.weight) for x in MIPING.layers.values()] == [10, 20, 10, 30, 8, 8, 8, 6]
    assert sum(x.weight for x in MIPING.layers.values() if x.technical) == 70
    sizes = Counter(MIPING.crypto[c.id].layer for c in MIPING.at_level(3))
    assert [sizes[code] for code in LAYERS] == [3, 5, 6, 8, 6, 5, 5, 3]


def test_a_unit_as_a_reader_cites_it() -> None:
    control = MIPING.get("miping/8.2.c")
    assert (control.cite, control.class_name) == ("8.2 c)", "网络和通信安全")
    assert (control.control_point, control.unit_id) == ("通信过程中重要数据的机密性", "6.2.3")
    assert control.high_risk == (
        "HR-GEN-ALG-1",
        "HR-GEN-ALG-2",
        "HR-GEN-TECH-1",
        "HR-GEN-TECH-2",
        "HR-NET-03",
    )
    assert MIPING.counterparts(control.id) == ("miping/6.2.c", "miping/7.2.c", "miping/8.2.c", "miping/9.2.c")
    assert MIPING.get("miping/6.8.a").cite == "6.8"  # a clause with one item has no letter


def test_who_can_judge_a_unit() -> None:
    for id_, unit in MIPING.crypto.items():
        technical = MIPING.layers[unit.layer].technical
        assert tuple(unit.seen) == (JUDGEMENTS if technical else ())
        if MIPING.get(id_).automation == "technical-auto":
            assert unit.seen["D"] == "auto"
        assert set(MIPING.get(id_).objects) <= set(OBJECT_TITLE)


def test_what_is_not_verified_is_told() -> None:
    seen = {u.code for u in MIPING.crypto.values() if u.strength_verified}
    assert {u.level for u in MIPING.crypto.values() if u.strength_verified} == {3}
    technical = {u.code for u in MIPING.crypto.values() if MIPING.layers[u.layer].technical}
    assert seen == technical - {"PHY-01"}
    assert {u.level: u.weight_sources for u in MIPING.crypto.values()} == {1: 1, 2: 1, 3: 2, 4: 1}
    assert any("未核实" in note for note in MIPING.notes)
    assert {g.code for g in MIPING.general if g.unverified} == {"GEN-PROD", "GEN-KEY"}


def test_cases() -> None:
    assert len(MIPING.cases) == 23
    for case in MIPING.cases.values():
        assert set(case.warn_levels) <= set(case.levels)
        assert {MIPING.get(c).level for c in case.controls} <= set(case.levels)
        assert case.mitigable is (case.mitigation != "无")
        if case.class_name != "通用要求":
            assert [MIPING.get(c).level for c in case.controls] == list(case.levels)
            for id_ in case.controls:
                assert (MIPING.get(id_).class_name, MIPING.get(id_).control_point) == (
                    case.class_name,
                    case.control_point,
                )
    warned = {c.id: c.warn_levels for c in MIPING.cases.values() if c.warn_levels}
    assert warned == {
        "HR-NET-01": (2,),
        "HR-APP-01": (2,),
        "HR-APP-04": (2,),
        "HR-APP-05": (2,),
        "HR-MGT-01": (2, 3, 4),
        "HR-MGT-02": (2, 3, 4),
        "HR-MGT-03": (3, 4),
    }
    assert all(MIPING.cases[id_].unverified for id_ in warned)
    assert not MIPING.cases["HR-NET-03"].unverified


def test_every_open_point_of_scoring_says_what_it_rests_on() -> None:
    for edition in MIPING.editions.values():
        for parameter in (*edition.parameters.values(), *MIPING.shared.values()):
            assert parameter.note
            assert not parameter.choices or parameter.value in parameter.choices
    assert not MIPING.shared["threshold"].verified
    assert not any(p.verified for p in MIPING.editions["2021"].parameters.values())


def test_the_other_standard_has_none_of_it() -> None:
    assert (dict(DENGBAO.layers), dict(DENGBAO.crypto), DENGBAO.general) == ({}, {}, ())


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("code: NET-02", "code: NET-01", "NET-01 出现两次"),
        ("code: NET-02", "code: LAN-02", "LAN-02 的层面不在"),
        ("code: NET-02", "code: APP-09", "APP-09 属于 应用和数据安全"),
        ("strength: {3: 可, 4: 宜}", "strength: {3: 可}", "NET-05 的 at、strength、weight"),
        ("strength: {3: 可, 4: 宜}", "strength: {3: 可, 4: 必}", "必"),
        ("weight: {3: '0.4', 4: '0.7'}", "weight: {3: '0', 4: '0.7'}", "大于 0"),
        ("weight: {3: '0.4', 4: '0.7'}", "weight: {3: '0.4', 4: '-1'}", "大于 0"),
        ("seen: {D: auto, A: auto, K: register}", "seen: {D: auto, A: auto}", "D、A、K 三项"),
        ("seen: {D: auto, A: auto, K: register}", "seen: {D: auto, A: auto, K: oracle}", "oracle"),
        ("code: POL-01", "seen: {D: person, A: person, K: person}\n      code: POL-01", "管理单元不写"),
        ("weight_sources: {1: 1, 2: 1, 3: 2, 4: 1}", "weight_sources: {1: 1, 2: 1, 3: 2}", "缺少第 4 级"),
        ("technical: true, weight: '10'}", "technical: true, weight: '0'}", "weight 应大于 0"),
        ("{code: DEV, title: 设备和计算安全", "{code: NET, title: 设备和计算安全", "code 不能重复"),
        ("    crypto:\n      code: EMG-03\n", "    cryptic:\n      code: EMG-03\n", "cryptic"),
    ],
)
def test_a_wrong_catalogue_is_refused_with_its_line(tmp_path: Path, old: str, new: str, said: str) -> None:
    text = (BUILT_IN / "miping.yaml").read_text(encoding="utf-8").replace("name: miping\n", "name: own\n", 1)
    assert old in text
    path = tmp_path / "own.yaml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(StandardError) as error:
        load_standard("own", [tmp_path])
    assert str(error.value).startswith(f"{path}:")
    assert said in str(error.value)


def test_units_are_of_all_items_or_of_none(tmp_path: Path) -> None:
    text: Any = (
        (BUILT_IN / "miping.yaml").read_text(encoding="utf-8").replace("name: miping\n", "name: own\n", 1)
    )
    path = tmp_path / "own.yaml"
    path.write_text(text[: text.rindex("    crypto:\n")], encoding="utf-8")
    with pytest.raises(StandardError, match="要么整份标准都有"):
        load_standard("own", [tmp_path])
