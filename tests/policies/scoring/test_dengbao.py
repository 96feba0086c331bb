"""Scores of the three editions, against worked examples; their ranges and conclusions."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.systems import Grade
from policies.assessment import ControlVerdict, HighRisk, ObjectVerdict, Score
from policies.scoring.dengbao import control_points, score
from policies.scoring.method import method, rounded
from policies.standards import load_standard
from policies.verdict import Finding, Verdict

DENGBAO = load_standard("dengbao")
THIRD = DENGBAO.chosen(Grade(3, 3), cloud=False)  # 96 technical and 115 management items
BOTH = DENGBAO.chosen(Grade(3, 3), cloud=True)
WORD = {
    "p": Verdict.PASS,
    "h": Verdict.PARTIAL,
    "f": Verdict.FAIL,
    "u": Verdict.UNKNOWN,
    "n": Verdict.NOT_APPLICABLE,
}


def verdicts(letters: str, chosen: Any = THIRD) -> list[ControlVerdict]:
    """One control per letter: p(ass), h(alf), f(ail), u(nknown), n(ot applicable)."""
    return [
        ControlVerdict(control=c, verdict=WORD[x], origin="auto", reason="")
        for c, x in zip(chosen, letters, strict=False)
    ]


def objects(control: str, letters: str, verdict: str) -> ControlVerdict:
    return ControlVerdict(
        control=DENGBAO.get(f"dengbao/{control}"),
        verdict=WORD[verdict],
        origin="auto",
        reason="",
        objects=[
            ObjectVerdict(asset=f"a/host/{i}", verdict=WORD[x], reason="", checks={})
            for i, x in enumerate(letters)
        ],
    )


def case(state: Any, major: str = "A-18") -> HighRisk:
    return HighRisk(
        case="6.4.1.1",
        title="",
        state=state,
        condition="",
        mitigation="",
        mitigable=True,
        major_trigger=major,
        controls=(),
    )


def finding(severity: Any) -> Finding:
    return Finding(
        rule="r",
        severity=severity,
        uid="u",
        kind="k",
        source="s",
        name="",
        message="",
        fix="",
        controls=(),
        evidence={},
    )


def of(
    edition: Any, controls: list[ControlVerdict], *, risks: Any = (), findings: Any = (), **values: str
) -> Score:
    importance = values.pop("importance", None)
    return score(method(DENGBAO, edition, values), controls, risks, findings, importance)  # type: ignore[arg-type]


def test_2025_worked_example_of_level_3() -> None:
    # 211 items: 150 符合, 20 部分符合, 31 不符合, 4 未知, 6 不适用
    # applicable 211 − 6 = 205
    # low  150 / 205           = 0.731707… → 73.17 %
    # high (150 + 4) / 205     = 0.751219… → 75.12 %
    # coverage (205 − 4) / 205 = 0.980487… → 0.9805
    example = verdicts("p" * 150 + "h" * 20 + "f" * 31 + "u" * 4 + "n" * 6)
    found = of("2025", example)
    assert (found.low, found.high, found.unit) == (Decimal("73.17"), Decimal("75.12"), "%")
    assert found.coverage == Decimal("0.9805")
    assert (found.conclusion_low, found.conclusion_high) == ("基本符合", "基本符合")
    # a half for each 部分符合: low 160 / 205 = 0.780487…, high 164 / 205 = 0.8 exactly
    half = of("2025", example, partial_credit="0.5")
    assert (half.low, half.high) == (Decimal("78.05"), Decimal("80.00"))


def test_2025_by_item_and_object() -> None:
    # two items over three and one objects: 符合 2 + 0 of 4, 1 of them unknown
    controls = [objects("8.1.4.1.a", "ppf", "h"), objects("8.1.4.1.b", "u", "u")]
    found = of("2025", controls, basis="item_object")
    assert (found.low, found.high) == (Decimal("50.00"), Decimal("75.00"))
    controls[0].uncovered = ("数据库",)  # one more that nobody saw: 2 of 5 … 4 of 5
    found = of("2025", controls, basis="item_object")
    assert (found.low, found.high) == (Decimal("40.00"), Decimal("80.00"))
    # what a person answered for the whole stands for what nobody saw, and for nothing that was seen
    controls[0].origin, controls[0].answered = "person", Verdict.PASS
    found = of("2025", controls, basis="item_object")
    assert (found.low, found.high) == (Decimal("60.00"), Decimal("80.00"))
    controls[0].answered = Verdict.NOT_APPLICABLE
    found = of("2025", controls, basis="item_object")
    assert (found.low, found.high) == (Decimal("50.00"), Decimal("75.00"))


@pytest.mark.parametrize(
    ("letters", "risks", "conclusion", "noted"),
    [
        ("p" * 91 + "f" * 9, [], "符合", ""),
        ("p" * 91 + "f" * 9, [case("clear")], "符合", ""),
        ("p" * 91 + "f" * 9, [case("triggered", "")], "符合", ""),
        ("p" * 91 + "f" * 9, [case("triggered")], "基本符合", "above_with_major_risk"),
        ("p" * 90 + "f" * 10, [], "基本符合", "at_pass_threshold"),
        ("p" * 89 + "f" * 11, [case("triggered")], "基本符合", ""),
        ("p" * 61 + "f" * 39, [], "基本符合", ""),
        ("p" * 60 + "f" * 40, [], "基本符合", "at_fail_threshold"),
        ("p" * 59 + "f" * 41, [], "不符合", ""),
    ],
)
def test_2025_conclusions(letters: str, risks: list[HighRisk], conclusion: str, noted: str) -> None:
    found = of("2025", verdicts(letters), risks=risks)
    assert (found.conclusion_low, found.conclusion_high) == (conclusion, conclusion)
    said = [n.split(" = ")[0] for n in found.notes]
    assert [n for n in said if n not in ("unlisted_objects", "partial_credit", "basis", "rate_places")] == (
        [noted] if noted else []
    )
    assert all(n.endswith("（未核实）") for n in found.notes)


def test_2025_the_undefined_rows_are_the_users_to_set() -> None:
    ninety, sixty = verdicts("p" * 90 + "f" * 10), verdicts("p" * 60 + "f" * 40)
    assert of("2025", ninety, at_pass_threshold="符合").conclusion_low == "符合"
    assert (
        of("2025", ninety, at_pass_threshold="符合", risks=[case("triggered")]).conclusion_low == "基本符合"
    )
    assert of("2025", sixty, at_fail_threshold="不符合").conclusion_low == "不符合"
    major = of(
        "2025", verdicts("p" * 95 + "f" * 5), risks=[case("triggered")], above_with_major_risk="不符合"
    )
    assert major.conclusion_low == "不符合"


def test_2025_what_cannot_be_told_weighs_on_the_worst_case_only() -> None:
    found = of("2025", verdicts("p" * 95 + "f" * 5), risks=[case("undetermined")])
    assert (found.conclusion_low, found.conclusion_high) == ("基本符合", "符合")
    wide = of("2025", verdicts("p" * 50 + "u" * 50))
    assert (wide.conclusion_low, wide.conclusion_high) == ("不符合", "符合")
    assert wide.coverage == Decimal("0.5000")


def test_2021_worked_example() -> None:
    # n = 211, S = 100 / 211 = 0.4739; ten 关键 technical items fail: 10 × 3 × 0.4739 = 14.217 → 14.22
    # Vt = 50 − 14.22 = 35.78, Vm = 50, M = 85.78
    controls = verdicts("f" * 10 + "p" * 201)
    assert all(c.control.class_name == "安全物理环境" for c in controls[:10])
    weights = {c.control.id: "关键" for c in controls[:10]}
    found = score(method(DENGBAO, "2021"), controls, importance=weights)
    assert (found.low, found.high, found.unit) == (Decimal("85.78"), Decimal("85.78"), "分")
    assert found.conclusion_low == "良"  # a fault of unknown weight: not 优 in the worst case
    # as 一般 items they cost a third: 4.739 → 4.74
    assert score(method(DENGBAO, "2021"), controls).low == Decimal("95.26")
    # the management part is not touched by what the technical part loses beyond its own half
    lost = verdicts("f" * 96 + "p" * 115)
    weights = {c.control.id: "关键" for c in lost[:96]}
    assert score(method(DENGBAO, "2021"), lost, importance=weights).low == Decimal("50.00")


def test_2021_many_objects_both_ways() -> None:
    # one item of two, three objects of which one fails: x = 0.5, or 2/3 → 0.67; S = 50
    controls = [objects("8.1.4.1.a", "ppf", "h"), *verdicts("p", THIRD[-1:])]
    # ternary: 50 − 0.5 × 50 = 25; mean: 50 − 0.33 × 50 = 33.5
    assert of("2021", controls).low == Decimal("75.00")
    assert of("2021", controls, multi_object="mean").low == Decimal("83.50")


def test_2021_share_of_the_technical_part() -> None:
    controls = verdicts("f" * 211)
    assert of("2021", verdicts("p" * 211), technical_share="0.7").low == Decimal("100.00")
    # 96 × 0.4739 = 45.49, 115 × 0.4739 = 54.50: Vt = 70 − 45.49, Vm = max(0, 30 − 54.50)
    assert of("2021", controls, technical_share="0.7").low == Decimal("24.51")


def test_2019_worked_example() -> None:
    # two classes. 安全物理环境: two 关键 items, one fails: 1 of 2 → 50.00
    # 安全计算环境: 一般 (0.4) with objects p f, 重要 (0.7) partial on its one object:
    #   kept 0.4 + 0 + 0.35 of 0.4 + 0.4 + 0.7 = 0.75 / 1.5 → 50 %
    # M = (50 + 50) / 2 = 50.00
    physical = verdicts("pf", THIRD[:2])
    computing = [objects("8.1.4.1.a", "pf", "h"), objects("8.1.4.1.b", "h", "h")]
    weights = {**{c.control.id: "关键" for c in physical}, "dengbao/8.1.4.1.b": "重要"}
    found = score(method(DENGBAO, "2019"), [*physical, *computing], importance=weights)
    assert (found.low, found.high) == (Decimal("50.00"), Decimal("50.00"))
    # with the object of b) unseen: kept 0.4 … 0.4 + 0.7 of 1.5 → 26.67 … 73.33; M 38.34 … 61.67
    computing[1] = objects("8.1.4.1.b", "u", "u")
    found = score(method(DENGBAO, "2019"), [*physical, *computing], importance=weights)
    assert (found.low, found.high) == (Decimal("38.34"), Decimal("61.67"))


def test_2019_extension_with_its_class_or_left_out() -> None:
    cloud = [c for c in BOTH if c.part == "cloud" and c.class_name == "安全物理环境"]
    controls = [*verdicts("p", THIRD[:1]), *verdicts("f", cloud)]
    assert of("2019", controls).low == Decimal("50.00")
    assert of("2019", controls, extension="ignore").low == Decimal("100.00")


@pytest.mark.parametrize(
    ("rows", "weights", "low", "high"),
    [
        # mean over objects, then over items: (1 + 0.5) / 2 × 10
        ([("8.1.4.1.a", "pp"), ("8.1.4.1.b", "pf")], {}, "7.50", "7.50"),
        # (1 × 0.4 + 0 × 1) / 1.4 × 10 = 2.857 → 2.86
        ([("8.1.4.1.a", "p"), ("8.1.4.1.b", "f")], {"8.1.4.1.b": "关键"}, "2.86", "2.86"),
        # thirds are rounded before they are averaged: (0.67 + 0.33) / 2 × 10
        ([("8.1.4.1.a", "ppf"), ("8.1.4.1.b", "pff")], {}, "5.00", "5.00"),
        # 部分符合 counts half, what does not apply is left out, what was not seen is a range
        ([("8.1.4.1.a", "hn"), ("8.1.4.1.b", "u")], {}, "2.50", "7.50"),
    ],
)
def test_2019_control_points(
    rows: list[tuple[str, str]], weights: dict[str, str], low: str, high: str
) -> None:
    controls = [objects(id_, letters, "u") for id_, letters in rows]
    controls.append(objects("8.1.4.1.c", "", "n"))
    (point,) = control_points(
        method(DENGBAO, "2019"), controls, {f"dengbao/{k}": v for k, v in weights.items()}
    )
    assert (point.class_name, point.title) == ("安全计算环境", "身份鉴别")
    assert (point.low, point.high) == (Decimal(low), Decimal(high))


@pytest.mark.parametrize("edition", ["2019", "2021"])
@pytest.mark.parametrize(
    ("letters", "risks", "findings", "grade"),
    [
        ("p" * 211, [], [], "优"),
        ("p" * 211, [], [finding("low")], "优"),
        ("p" * 211, [], [finding("medium")], "良"),
        ("p" * 211, [case("triggered")], [], "差"),
        ("p" * 211, [case("clear")], [], "优"),
    ],
)
def test_grades_of_full_marks(edition: str, letters: str, risks: Any, findings: Any, grade: str) -> None:
    found = of(edition, verdicts(letters), risks=risks, findings=findings)
    assert (found.low, found.conclusion_low, found.conclusion_high) == (Decimal("100.00"), grade, grade)


def test_grades_by_points() -> None:
    def grade(failed: int) -> tuple[Decimal, str]:
        found = of("2021", verdicts("f" * failed + "p" * (100 - failed), THIRD[96 - 50 : 96 + 50]))
        return found.high, found.conclusion_high

    # 50 technical items of 100 that apply: each costs one point
    assert grade(10) == (Decimal("90.00"), "优")
    assert grade(11) == (Decimal("89.00"), "良")
    assert grade(20) == (Decimal("80.00"), "良")
    assert grade(21) == (Decimal("79.00"), "中")
    assert grade(30) == (Decimal("70.00"), "中")
    assert grade(31) == (Decimal("69.00"), "差")


def test_nothing_applicable_is_nothing_known() -> None:
    for edition in ("2025", "2021", "2019"):
        found = of(edition, verdicts("nnn"))
        assert (found.low, found.high, found.coverage) == (0, 100, 0)
        assert found.conclusion_low != found.conclusion_high


def test_half_is_rounded_up() -> None:
    assert rounded(Decimal("2.345"), 2) == Decimal("2.35")
    assert rounded(Decimal("0.125"), 2) == Decimal("0.13")


@pytest.mark.parametrize(
    ("edition", "values", "said"),
    [
        ("2024", {}, "没有 2024 版"),
        ("2025", {"technical_share": "0.5"}, "没有参数 technical_share"),
        ("2025", {"partial_credit": "0.3"}, "可取 0、0.5"),
        ("2021", {"technical_share": "1.5"}, "超出范围"),
        ("2021", {"score_places": "2.5"}, "整数"),
        ("2021", {"excellent": "很高"}, "应为数字"),
    ],
)
def test_parameters_that_are_none_are_refused(edition: Any, values: dict[str, str], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        method(DENGBAO, edition, values)


def test_importance_has_three_values() -> None:
    with pytest.raises(ValueError, match="很重要"):
        score(method(DENGBAO, "2021"), verdicts("p"), importance={THIRD[0].id: "很重要"})


@given(st.text("phfun", min_size=1, max_size=211), st.sampled_from(["2025", "2021", "2019"]))
def test_the_range_is_one_and_within_the_scale(letters: str, edition: str) -> None:
    found = of(edition, verdicts(letters))
    assert 0 <= found.low <= found.high <= 100
    if set(letters) <= set("pfh"):
        assert (found.low, found.coverage) == (found.high, 1)
