"""密评 scores: the worked figures of both editions, a system by hand, ranges, conclusions, open points."""

from __future__ import annotations

from decimal import Decimal
from itertools import product
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from policies.assessment import HighRisk
from policies.crypto import CryptoEdition, CryptoObject, CryptoScore, UnitFacts
from policies.scoring.miping import (
    BY_PERSON,
    compensated,
    conclusion,
    layer_score,
    method,
    object_score,
    object_span,
    ra,
    rk,
    score,
    total_score,
    unit_score,
)
from policies.scoring.miping_notes import SELF_ESTIMATE
from policies.standards import load_standard
from policies.verdict import Verdict

MIPING = load_standard("miping")
RULE = method(MIPING, "2023")
OLD = method(MIPING, "2021")
YES = UnitFacts(verdict=Verdict.PASS)
HALF = UnitFacts(verdict=Verdict.PARTIAL)
NO = UnitFacts(verdict=Verdict.FAIL)
LEFT_OUT = UnitFacts(verdict=Verdict.NOT_APPLICABLE)
FULL = {"d": True, "a": True, "k": True}

VECTORS: list[dict[str, Any]] = yaml.safe_load(
    (Path(__file__).parents[2] / "data/miping/quantification-vectors.yaml").read_text(encoding="utf-8")
)["vectors"]
WEIGHTS = {(u.code, u.level): u.weight for u in MIPING.crypto.values()}


def exactly(value: float | None) -> Decimal | None:
    return None if value is None else Decimal(str(value))


def number(value: float) -> Decimal:
    return Decimal(str(value))


def thing(name: str, **known: Any) -> CryptoObject:
    return CryptoObject(name=name, **known)


def unit(*objects: CryptoObject, uncovered: tuple[str, ...] = ()) -> UnitFacts:
    return UnitFacts(objects=objects, uncovered=uncovered)


def risk(state: Any, *, warning: bool = False) -> HighRisk:
    return HighRisk(
        case="HR-NET-03",
        title="信道重要数据机密性缺失",
        state=state,
        condition="",
        mitigation="",
        mitigable=True,
        major_trigger="",
        controls=(),
        warning=warning,
    )


def units_of(found: CryptoScore) -> dict[str, Any]:
    return {u.code: u for layer in found.layers for u in layer.units}


def computed(vector: dict[str, Any]) -> Any:
    """What the program makes of one vector, in the form of its ``expected``."""
    given_ = vector["input"]
    match vector["kind"]:
        case "object_2023":
            factors = (number(given_["Ra"]), number(given_["Rk"]))
            return str(object_score(RULE, given_["D"], given_["A"], given_["K"], *factors))
        case "object_2021":
            return str(object_score(OLD, given_["D"], given_["A"], given_["K"], Decimal(1), Decimal(1)))
        case "compensation":
            return str(compensated(RULE, number(given_["PA"]), number(given_["PB"])))
        case "unit_mean":
            return str(unit_score(RULE, [number(x) for x in given_["objects"]]))
        case "layer":
            rows = [(WEIGHTS[code, given_["level"]], exactly(x)) for code, x in given_["units"].items()]
            return str(layer_score(RULE, rows))
        case "total":
            rows = [(MIPING.layers[code], exactly(x)) for code, x in given_.items()]
            totals = {f"total_{m.edition}": total_score(m, rows) for m in (RULE, OLD)}  # type: ignore[arg-type]
            return {name: None if x is None else str(x) for name, x in totals.items()}
        case "conclusion":
            rule = method(MIPING, "2023", {"threshold": str(given_["threshold"])})
            return conclusion(rule, number(given_["score"]), given_["high_risk_count"] > 0)
    raise AssertionError(vector["kind"])


@pytest.mark.parametrize("vector", [v for v in VECTORS if v["kind"] != "full"], ids=lambda v: v["id"])
def test_vectors(vector: dict[str, Any]) -> None:
    assert computed(vector) == vector["expected"]


def test_there_are_all_54_vectors() -> None:
    assert len(VECTORS) == 54
    assert [v["id"] for v in VECTORS if v["kind"] == "full"] == ["QE01"]


def from_vector(told: dict[str, Any]) -> CryptoObject:
    """Ra and Rk as a reader gets to them: a strength, a module."""
    bits = {1.0: 128, 0.5: 80, 0.2: 56}[told["Ra"]]
    raised = told["Rk"] > 1
    return CryptoObject(
        name=told["name"],
        d=told["D"],
        a=told["A"],
        k=told["K"],
        strength_bits=bits,
        module_level=int(raised),
        keys_managed=raised,
    )


def test_vector_of_a_whole_system() -> None:
    (vector,) = [v for v in VECTORS if v["kind"] == "full"]
    facts = {
        code: unit(*map(from_vector, rows)) if rows else LEFT_OUT for code, rows in vector["objects"].items()
    }
    facts |= {code: {None: LEFT_OUT, 1: YES, 0.5: HALF, 0: NO}[x] for code, x in vector["management"].items()}
    found = score(MIPING, RULE, vector["level"], facts, [])
    for code, told in units_of(found).items():
        assert told.low == told.high == exactly(vector["units"][code]), code
        for known, row in zip(told.objects, vector["objects"].get(code) or [], strict=True):
            assert known.low == Decimal(row["score"])
    assert {x.code: str(x.low) for x in found.layers} == vector["layers"]
    assert str(found.exact) == str(found.high) == vector["total_2023"]
    assert found.conclusion_low == found.conclusion_high == vector["conclusion_if_no_high_risk"]
    risky = score(MIPING, RULE, vector["level"], facts, [risk("triggered")])
    assert risky.conclusion_low == risky.conclusion_high == vector["conclusion_if_high_risk"]


def by_hand() -> dict[str, UnitFacts]:
    """A system of level 3, partly seen."""
    https = thing("https", d=True, a=False, strength_bits=128)  # whether its module is certified: not seen
    ipsec = thing("ipsec", **FULL)
    lacking = unit(thing("srv", d=False))
    return {
        "PHY-01": lacking,
        "PHY-02": LEFT_OUT,
        "PHY-03": unit(thing("cctv", **FULL)),
        "NET-01": unit(https, ipsec),
        "NET-02": unit(https, ipsec),
        "NET-03": unit(https, ipsec, thing("ftp", d=False)),
        # NET-04: nobody looked
        "NET-05": LEFT_OUT,
        "DEV-01": unit(thing("srv", d=False), thing("bastion", **FULL), thing("lab", applicable=False)),
        "DEV-02": unit(thing("ssh", d=True, a=False, k=True, strength_bits=80)),
        "DEV-03": lacking,
        "DEV-04": LEFT_OUT,
        "DEV-05": lacking,
        "DEV-06": lacking,
        "APP-01": unit(thing("portal", **FULL)),
        "APP-02": lacking,
        "APP-03": LEFT_OUT,
        "APP-04": unit(thing("form", d=False, made_up_by=(("NET-03", "https"),))),
        "APP-05": unit(thing("db", d=True, a=True, k=False, module_level=1, keys_managed=True)),
        "APP-06": unit(thing("form", d=True, a=False, k=False, strength_bits=56, module_level=0)),
        "APP-07": lacking,
        "APP-08": unit(thing("seal", d=True, a=True)),
        "POL-01": YES, "POL-02": YES, "POL-03": HALF, "POL-04": NO, "POL-06": YES,  # POL-05: not answered
        "PER-01": YES, "PER-02": YES, "PER-03": YES, "PER-04": YES, "PER-05": YES,
        "CON-01": YES, "CON-02": HALF, "CON-03": YES, "CON-04": NO, "CON-05": YES,
        "EMG-01": YES, "EMG-02": LEFT_OUT, "EMG-03": LEFT_OUT,
    }  # fmt: skip


def test_a_system_of_level_3_by_hand() -> None:
    # https: D√ A× (128 bits: Ra 1), K not seen: × with Rk 1 → 0.25·1·1 = 0.25; √ → 0.5·1 = 0.5
    # NET-01, NET-02: (0.25 + 1) / 2 = 0.625 … (0.5 + 1) / 2 = 0.75
    # NET-03: (0.25 + 1 + 0) / 3 = 0.41666… → 0.4167 … 1.5 / 3 = 0.5; NET-04: 0 … 1
    # DEV-01: (0 + 1) / 2 = 0.5, the third object does not apply; DEV-02: 0.5 · Ra 0.5 = 0.25
    # APP-04: 0, made up for by https: max(0.5 · 0.25, 0) = 0.125 … 0.25
    # APP-05: 0.5 · Rk 1.2 = 0.6; APP-06: 0.25 · Ra 0.2 · Rk 1 = 0.05; APP-08: 0.5 … 1
    found = score(MIPING, RULE, 3, by_hand(), [])
    spans = {code: (u.low, u.high) for code, u in units_of(found).items()}
    assert {code: spans[code] for code in ("NET-01", "NET-03", "NET-04", "NET-05")} == {
        "NET-01": (Decimal("0.6250"), Decimal("0.7500")),
        "NET-03": (Decimal("0.4167"), Decimal("0.5000")),
        "NET-04": (0, 1),
        "NET-05": (None, None),
    }
    assert spans["DEV-01"] == (Decimal("0.5000"), Decimal("0.5000"))
    assert spans["DEV-02"] == (Decimal("0.2500"), Decimal("0.2500"))
    assert spans["APP-04"] == (Decimal("0.1250"), Decimal("0.2500"))
    assert spans["APP-05"] == (Decimal("0.6000"), Decimal("0.6000"))
    assert spans["APP-06"] == (Decimal("0.0500"), Decimal("0.0500"))
    assert spans["APP-08"] == (Decimal("0.5000"), Decimal("1.0000"))
    # PHY: weights 1, 0.7 (PHY-02 left out): (0 + 0.7) / 1.7 = 0.41176… → 0.4118
    # NET: weights 1, 0.7, 1, 0.4 = 3.1
    #   low  (0.625 + 0.4375 + 0.4167 + 0) / 3.1 = 1.4792 / 3.1 = 0.47716… → 0.4772
    #   high (0.75 + 0.525 + 0.5 + 0.4) / 3.1 = 2.175 / 3.1 = 0.70161… → 0.7016
    # DEV: weights 1, 1, 0.4, 0.4, 0.7 = 3.5: (0.5 + 0.25) / 3.5 = 0.21428… → 0.2143
    # APP: weights 1, 0.4, 1, 1, 0.7, 0.7, 1 = 5.8
    #   low  (1 + 0 + 0.125 + 0.6 + 0.035 + 0 + 0.5) / 5.8 = 2.26 / 5.8 = 0.38965… → 0.3897
    #   high (1 + 0 + 0.25 + 0.6 + 0.035 + 0 + 1) / 5.8 = 2.885 / 5.8 = 0.49741… → 0.4974
    # POL: weights 1, 0.7 × 5 = 4.5: low (1 + 0.7 + 0.35 + 0 + 0 + 0.7) / 4.5 = 2.75 / 4.5 → 0.6111
    #   high 3.45 / 4.5 → 0.7667; PER 1; EMG 1
    # CON: weights 1, 1, 0.7, 1, 0.7 = 4.4: (1 + 0.5 + 0.7 + 0 + 0.7) / 4.4 = 2.9 / 4.4 → 0.6591
    assert {x.code: (str(x.low), str(x.high)) for x in found.layers} == {
        "PHY": ("0.4118", "0.4118"),
        "NET": ("0.4772", "0.7016"),
        "DEV": ("0.2143", "0.2143"),
        "APP": ("0.3897", "0.4974"),
        "POL": ("0.6111", "0.7667"),
        "PER": ("1.0000", "1.0000"),
        "CON": ("0.6591", "0.6591"),
        "EMG": ("1.0000", "1.0000"),
    }
    # technical, of 70: 10·0.4118 + 20·0.4772 + 10·0.2143 + 30·0.3897 = 4.118 + 9.544 + 2.143 + 11.691 = 27.496
    #   high 4.118 + 14.032 + 2.143 + 14.922 = 35.215
    # management, of 30: 8·0.6111 + 8·1 + 8·0.6591 + 6·1 = 4.8888 + 8 + 5.2728 + 6 = 24.1616
    #   high 8·0.7667 = 6.1336 for POL: 25.4064
    # whole: 51.6576 → 51.66 … 60.6214 → 60.62
    assert (found.low, found.high, found.exact) == (Decimal("51.66"), Decimal("60.62"), None)
    assert (found.conclusion_low, found.conclusion_high) == ("不符合", "基本符合")
    # units that apply: 2 + 4 + 5 + 7 + 6 + 5 + 5 + 1 = 35; open: NET-01…04, APP-04, APP-08, POL-05
    assert found.coverage == Decimal("0.8000")
    # the same, were it 2021: one pool of weights 100, no Ra, no Rk: DEV-02 0.5, APP-05 0.5, APP-06 0.25
    # DEV (0.5 + 0.5) / 3.5 = 0.28571… → 0.2857
    # APP low (1 + 0.125 + 0.5 + 0.175 + 0.5) / 5.8 = 2.3 / 5.8 → 0.3966; high (1 + 0.25 + 0.5 + 0.175 + 1) → 0.5043
    # low 4.118 + 9.544 + 2.857 + 11.898 + 24.1616 = 52.5786; high 4.118 + 14.032 + 2.857 + 15.129 + 25.4064 = 61.5424
    old = score(MIPING, OLD, 3, by_hand(), [])
    assert (old.low, old.high) == (Decimal("52.58"), Decimal("61.54"))


def test_verdicts_are_as_judged_and_keep_what_was_corrected() -> None:
    told = units_of(score(MIPING, RULE, 3, by_hand()))
    assert {c: told[c].verdict for c in ("APP-01", "APP-02", "NET-01", "NET-04", "NET-05", "APP-08")} == {
        "APP-01": Verdict.PASS,
        "APP-02": Verdict.FAIL,
        "NET-01": Verdict.PARTIAL,
        "NET-04": Verdict.UNKNOWN,
        "NET-05": Verdict.NOT_APPLICABLE,
        "APP-08": Verdict.UNKNOWN,
    }
    (form,) = told["APP-04"].objects
    assert (form.before, form.low, form.high) == ((0, 0), Decimal("0.1250"), Decimal("0.2500"))
    assert told["APP-04"].verdict is Verdict.FAIL


@pytest.mark.parametrize(("bits", "factor"), [(0, "0.2"), (79, "0.2"), (80, "0.5"), (111, "0.5"), (112, "1")])
def test_ra_by_strength(bits: int, factor: str) -> None:
    assert ra(RULE, bits) == Decimal(factor)
    assert ra(OLD, bits) == 1


@pytest.mark.parametrize(
    ("level", "module", "managed", "factor"),
    [
        (1, 4, True, "1"),
        (2, 4, True, "1"),
        (3, 0, True, "1"),
        (3, 1, False, "1"),
        (3, 1, True, "1.2"),
        (4, 1, True, "1"),
        (4, 2, True, "1.5"),
        (4, 3, True, "1.5"),
    ],
)
def test_rk_by_module(level: int, module: int, managed: bool, factor: str) -> None:
    assert rk(RULE, level, module, managed) == Decimal(factor)
    assert rk(OLD, level, module, managed) == 1


@pytest.mark.parametrize(
    ("known", "low", "high"),
    [
        ({}, "0.0000", "1.0000"),
        ({"d": False}, "0.0000", "0.0000"),
        ({"d": True}, "0.0500", "1.0000"),  # both missing, broken algorithm: 0.25 · 0.2
        ({"d": True, "a": False}, "0.0500", "0.5000"),
        ({"d": True, "a": True}, "0.5000", "1.0000"),
        ({"d": True, "a": True, "k": False}, "0.5000", "0.6000"),  # the module is not known: Rk 1 … 1.2
        ({"d": True, "a": False, "k": True}, "0.1000", "0.5000"),  # the strength is not known: Ra 0.2 … 1
    ],
)
def test_an_object_ranges_over_what_is_not_known_of_it(known: dict[str, bool], low: str, high: str) -> None:
    span, _ = object_span(RULE, 3, thing("x", **known))
    assert tuple(map(str, span)) == (low, high)


def test_a_thing_nobody_looked_at_counts_as_one_more() -> None:
    told = units_of(score(MIPING, RULE, 3, {"NET-01": unit(thing("a", **FULL), uncovered=("专线",))}))[
        "NET-01"
    ]
    assert (told.low, told.high, told.decided) == (Decimal("0.5000"), Decimal("1.0000"), False)
    assert told.verdict is Verdict.UNKNOWN
    alone = units_of(score(MIPING, RULE, 3, {"NET-01": unit(uncovered=("专线",))}))["NET-01"]
    assert (alone.low, alone.high) == (0, 1)


def test_nothing_known_is_everything_possible() -> None:
    found = score(MIPING, RULE, 4, {}, [])
    assert (found.low, found.high, found.coverage, found.exact) == (0, 100, 0, None)
    assert (found.conclusion_low, found.conclusion_high) == ("不符合", "符合")
    assert [len(x.units) for x in found.layers] == [3, 5, 6, 8, 6, 5, 5, 3]


def test_objects_that_do_not_apply_leave_the_mean_and_the_unit() -> None:
    gone = thing("a", applicable=False)
    assert units_of(score(MIPING, RULE, 3, {"DEV-06": unit(gone)}))["DEV-06"].low is None
    told = units_of(score(MIPING, RULE, 3, {"DEV-06": unit(gone, thing("b", **FULL))}))["DEV-06"]
    assert (told.low, told.high) == (1, 1)


def test_who_makes_up_for_whom() -> None:
    def made(*helpers: tuple[str, str], **values: str) -> tuple[Decimal, Decimal]:
        facts = {
            "APP-04": unit(thing("a", **FULL), thing("b", d=True, a=False, k=True, strength_bits=128)),
            "APP-06": unit(thing("gone", applicable=False)),
            "APP-07": msgspec.structs.replace(LEFT_OUT, objects=(thing("out", **FULL),)),
            "NET-03": unit(thing("https", d=True, a=False, k=False, strength_bits=56, made_up_by=helpers)),
        }
        told = units_of(score(MIPING, method(MIPING, "2023", values), 3, facts))["NET-03"]
        return told.low, told.high

    low = Decimal("0.0500")
    assert made() == (low, Decimal("0.0600"))  # whether the module raises Rk is not known
    # one channel, two kinds of application data of 1 and 0.5: by the worse one, 0.5 · 0.5
    both = (("APP-04", "a"), ("APP-04", "b"))
    assert made(*both) == (Decimal("0.2500"), Decimal("0.2500"))
    assert made(*both, compensation_of_many="max") == (Decimal("0.5000"), Decimal("0.5000"))
    assert made(("APP-04", "a"), compensation_factor="0.4")[0] == Decimal("0.4000")
    for gone in (("APP-06", "gone"), ("APP-07", "out")):
        assert made(gone) == (low, Decimal("0.0600"))  # “/” makes up for nothing
    for wrong in (("APP-04", "c"), ("NET-03", "https")):
        with pytest.raises(ValueError, match="不存在或就是它自己"):
            made(wrong)


def test_help_is_never_passed_on() -> None:
    facts = {
        "NET-03": unit(thing("n", **FULL)),
        "APP-04": unit(thing("m", d=False, made_up_by=(("NET-03", "n"),))),
        "APP-06": unit(thing("x", d=False, made_up_by=(("APP-04", "m"),))),
    }
    told = units_of(score(MIPING, RULE, 3, facts))
    assert (told["APP-04"].low, told["APP-06"].low) == (Decimal("0.5000"), 0)


@pytest.mark.parametrize(
    ("risks", "low", "high", "met", "open_"),
    [
        (None, "不符合", "符合", None, None),
        ([], "符合", "符合", 0, 0),
        ([risk("clear")], "符合", "符合", 0, 0),
        ([risk("undetermined")], "不符合", "符合", 0, 1),
        ([risk("triggered"), risk("undetermined")], "不符合", "不符合", 1, 1),
        ([risk("triggered", warning=True)], "符合", "符合", 0, 0),
    ],
)
def test_risks_weigh_on_the_conclusion(risks: Any, low: str, high: str, met: Any, open_: Any) -> None:
    found = score(MIPING, RULE, 3, everything(), risks)
    assert found.exact == 100
    assert (found.conclusion_low, found.conclusion_high) == (low, high)
    assert (found.high_risks, found.open_risks) == (met, open_)
    assert found.notes[0] == SELF_ESTIMATE
    assert any("尚未做风险分析" in n for n in found.notes) is (risks is None)


def everything(**other: UnitFacts) -> dict[str, UnitFacts]:
    """Level 3, all met."""
    return {
        code: unit(thing("x", **FULL)) if MIPING.layers[code[:3]].technical else YES
        for code, level in WEIGHTS
        if level == 3
    } | {code.replace("_", "-"): facts for code, facts in other.items()}


def test_a_case_whose_level_is_open_is_told_and_the_users_to_weigh() -> None:
    warned = [risk("triggered", warning=True)]
    found = score(MIPING, RULE, 3, everything(), warned)
    assert "是否属于高风险未核实：信道重要数据机密性缺失" in found.notes
    assert any(n.startswith("uncertain_high_risk = warn") for n in found.notes)
    strict = score(MIPING, method(MIPING, "2023", {"uncertain_high_risk": "veto"}), 3, everything(), warned)
    assert (strict.conclusion_high, strict.high_risks) == ("不符合", 1)
    assert not any(n.startswith("uncertain") for n in score(MIPING, RULE, 3, everything(), []).notes)


def test_a_side_that_does_not_apply_leaves_no_number() -> None:
    facts = everything() | {
        code: LEFT_OUT for code, n in WEIGHTS if n == 3 and MIPING.layers[code[:3]].technical
    }
    found = score(MIPING, RULE, 3, facts, [])
    assert (found.low, found.high, found.exact) == (None, None, None)
    assert (found.conclusion_low, found.conclusion_high) == (BY_PERSON, BY_PERSON)
    assert any("须由人判定" in n for n in found.notes)
    assert score(MIPING, RULE, 3, facts, [risk("triggered")]).conclusion_high == "不符合"
    assert score(MIPING, OLD, 3, facts, []).exact == 100


def test_a_result_tells_every_open_point_and_what_is_not_verified() -> None:
    rule = method(MIPING, "2023", {"threshold": "70"})
    found = score(MIPING, rule, 3, by_hand(), [])
    assert found.parameters["threshold"] == "70"
    assert set(found.parameters) == {*MIPING.shared, *MIPING.editions["2023"].parameters}
    unverified = [n.split(" = ")[0] for n in found.notes if " = " in n]
    assert unverified == ["threshold", "several_algorithms", "empty_group", "compensation_of_many"]
    assert [n for n in found.notes if n.startswith("“")] == [
        "“应”项记为不适用：EMG-02（未核实）、EMG-03（未核实）；须说明测评对象确实不存在（依据凭记忆，未核实）",
        "“宜”项记为不适用：PHY-02、DEV-04、APP-03；须由经评审的密码应用方案论证，并核实替代的风险控制措施有效（依据凭记忆，未核实）",
        "“可”项记为不适用：NET-05；由责任单位决定不采用（依据凭记忆，未核实）",
    ]
    assert not any("只见于一个公开来源" in n for n in found.notes)
    assert any("只见于一个公开来源" in n for n in score(MIPING, RULE, 2, {}).notes)
    old = [n.split(" = ")[0] for n in score(MIPING, OLD, 3, {}).notes if " = " in n]
    assert {"unit_weights", "pool", "one_missing"} <= set(old)
    assert found.conclusion_high == "不符合"  # 60.62 is below the threshold that was set


@pytest.mark.parametrize(
    ("edition", "values", "said"),
    [
        ("2020", {}, "没有 2020 版"),
        ("2021", {"ra_weak": "0.1"}, "没有参数 ra_weak"),
        ("2023", {"threshold": "101"}, "超出范围"),
        ("2023", {"pool": "single"}, "可取 groups"),
        ("2023", {"rk_level_4": "2.1"}, "超出范围"),
        ("2023", {"one_missing": "0.8"}, "少符合一项"),
        ("2021", {"both_missing": "0.6"}, "少符合一项"),
        ("2023", {"ra_weak": "0.7"}, "强度高的 Ra"),
        ("2023", {"ra_medium_bits": "128"}, "强度高的 Ra"),
        ("2023", {"rk_level_3": "0.9"}, "提高后的 Rk"),
    ],
)
def test_parameters_that_are_none_are_refused(edition: Any, values: dict[str, str], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        method(MIPING, edition, values)


@pytest.mark.parametrize(
    ("level", "facts", "said"),
    [
        (2, {"NET-05": LEFT_OUT}, "第 2 级没有测评单元 NET-05"),
        (3, {"NET-01": unit(thing("a"), thing("a"))}, "出现两次"),
        (3, {"NET-01": YES}, "逐个测评对象"),
        (3, {"POL-01": unit(thing("a"))}, "按整体判定"),
        (3, {"POL-01": unit(uncovered=("x",))}, "按整体判定"),
    ],
)
def test_facts_that_do_not_fit_are_refused(level: int, facts: dict[str, UnitFacts], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        score(MIPING, RULE, level, facts)


BOOL = st.sampled_from([True, False, None])
CODES = {n: sorted(code for code, level in WEIGHTS if level == n) for n in (1, 2, 3, 4)}
HELPER = ("NET-03", "o0")  # may make up for objects of other units
THINGS = st.builds(
    CryptoObject,
    name=st.just("o"),
    d=BOOL,
    a=BOOL,
    k=BOOL,
    applicable=st.sampled_from([True, True, True, False]),
    strength_bits=st.sampled_from([None, 0, 80, 128]),
    module_level=st.sampled_from([None, 0, 1, 2]),
    keys_managed=BOOL,
    made_up_by=st.sampled_from([(), (HELPER,)]),
)


@st.composite
def systems(draw: Any) -> tuple[int, dict[str, UnitFacts]]:
    level = draw(st.integers(1, 4))
    facts = {}
    for code in CODES[level]:
        if not MIPING.layers[code[:3]].technical:
            facts[code] = UnitFacts(verdict=draw(st.sampled_from(list(Verdict))))
            continue
        objects = draw(st.lists(THINGS, min_size=1, max_size=2))
        if code == HELPER[0]:
            objects = [msgspec.structs.replace(o, made_up_by=()) for o in objects]
        facts[code] = UnitFacts(
            objects=tuple(msgspec.structs.replace(o, name=f"o{i}") for i, o in enumerate(objects)),
            uncovered=draw(st.sampled_from([(), (), ("信道",)])),
            verdict=draw(st.sampled_from([Verdict.UNKNOWN] * 3 + [Verdict.NOT_APPLICABLE])),
        )
    return level, facts


EDITIONS: Any = st.sampled_from([RULE, OLD])
RISKS = st.lists(st.sampled_from(["triggered", "undetermined", "clear"]), max_size=2)
ORDER = ["不符合", "基本符合", "符合"]


def rank(word: str) -> int:
    return ORDER.index(word) if word in ORDER else -1


def scored(rule: Any, system: tuple[int, dict[str, UnitFacts]], risks: list[Any]) -> CryptoScore:
    return score(MIPING, rule, system[0], system[1], [risk(r) for r in risks])


def changed(facts: UnitFacts, which: int, field: str, to: dict[Any, Any]) -> UnitFacts:
    """The unit with one thing about it known otherwise."""
    if not facts.objects:
        return UnitFacts(verdict=to["verdict"].get(facts.verdict, facts.verdict))
    objects = list(facts.objects)
    which %= len(objects)
    now = getattr(objects[which], field)
    objects[which] = msgspec.structs.replace(objects[which], **{field: to[field].get(now, now)})
    return msgspec.structs.replace(facts, objects=tuple(objects))


FIELDS = ("d", "a", "k", "strength_bits", "module_level", "keys_managed")
FORGET: dict[str, Any] = {f: dict.fromkeys((True, False, 0, 1, 2, 80, 128)) for f in FIELDS}
FORGET["verdict"] = dict.fromkeys(Verdict, Verdict.UNKNOWN)
MEND: dict[str, Any] = {f: {False: True} for f in ("d", "a", "k", "keys_managed")}
MEND |= {"strength_bits": {0: 80, 80: 128}, "module_level": {0: 1, 1: 2}}
MEND["verdict"] = {Verdict.FAIL: Verdict.PARTIAL, Verdict.PARTIAL: Verdict.PASS}


@pytest.mark.parametrize("rule", [RULE, OLD], ids=lambda r: r.edition)
@pytest.mark.parametrize("level", [3, 4])
def test_an_object_is_monotone_in_each_answer(rule: Any, level: int) -> None:
    """Every object there can be: forgetting an answer widens its range, mending one lowers neither end."""
    answers: dict[str, tuple[Any, ...]] = dict.fromkeys(("d", "a", "k", "keys_managed"), (True, False, None))
    answers |= {"strength_bits": (128, 80, 0, None), "module_level": (3, 2, 1, 0, None)}  # best to worst
    spans = {
        values: object_span(rule, level, thing("x", **dict(zip(answers, values, strict=True))))[0]
        for values in product(*answers.values())
    }
    for values, (low, high) in spans.items():
        for at, choices in enumerate(answers.values()):
            place = choices.index(values[at])
            if values[at] is None:
                continue
            less = spans[*values[:at], None, *values[at + 1 :]]
            assert less[0] <= low <= high <= less[1], values
            better = spans[*values[:at], choices[max(0, place - 1)], *values[at + 1 :]]
            assert better[0] >= low, values
            assert better[1] >= high, values


@settings(max_examples=60)
@given(systems(), EDITIONS, RISKS)
def test_low_is_never_above_high(system: Any, rule: Any, risks: Any) -> None:
    found = scored(rule, system, risks)
    assert rank(found.conclusion_low) <= rank(found.conclusion_high)
    if found.low is None or found.high is None:
        assert found.low is found.high is None
        return
    assert 0 <= found.low <= found.high <= 100
    assert found.exact is None or found.low == found.high
    for layer in found.layers:
        for part in (layer, *layer.units, *(o for u in layer.units for o in u.objects)):
            assert part.low is None or 0 <= part.low <= part.high <= 1


@settings(max_examples=80)
@given(systems(), EDITIONS, st.data())
def test_seeing_less_never_narrows_the_range(system: Any, rule: Any, data: Any) -> None:
    level, facts = system
    code = data.draw(st.sampled_from(sorted(facts)))
    way = data.draw(st.sampled_from([*FIELDS, "uncovered", "unit"]))
    less = dict(facts)
    if way == "unit":
        if facts[code].objects and code == HELPER[0]:
            return  # what others rest on cannot vanish
        del less[code]
    elif way == "uncovered" and facts[code].objects:
        less[code] = msgspec.structs.replace(facts[code], uncovered=(*facts[code].uncovered, "又一处"))
    else:
        less[code] = changed(
            facts[code], data.draw(st.integers(0, 1)), "d" if way == "uncovered" else way, FORGET
        )
    seen, unseen = scored(rule, system, []), scored(rule, (level, less), ["undetermined"])
    assert rank(unseen.conclusion_low) <= rank(seen.conclusion_low) or seen.low is None
    if seen.low is not None and seen.high is not None:
        assert unseen.low is not None
        assert unseen.high is not None
        assert unseen.low <= seen.low
        assert unseen.high >= seen.high
    wider = units_of(unseen)
    for unit_code, told in units_of(seen).items():
        if told.low is not None:
            assert wider[unit_code].low <= told.low
            assert wider[unit_code].high >= told.high


@settings(max_examples=80)
@given(systems(), EDITIONS, st.data())
def test_mending_never_costs(system: Any, rule: Any, data: Any) -> None:
    level, facts = system
    code = data.draw(st.sampled_from(sorted(facts)))
    field, which = data.draw(st.sampled_from(FIELDS)), data.draw(st.integers(0, 1))
    mended = facts | {code: changed(facts[code], which, field, MEND)}
    before, after = scored(rule, system, ["triggered"]), scored(rule, (level, mended), ["clear"])
    assert rank(after.conclusion_low) >= rank(before.conclusion_low) or after.low is None
    if before.low is not None and before.high is not None:
        assert after.low is not None
        assert after.high is not None
        assert after.low >= before.low
        assert after.high >= before.high
    better = units_of(after)
    for unit_code, told in units_of(before).items():
        if told.low is not None:
            assert better[unit_code].low >= told.low
            assert better[unit_code].high >= told.high


def test_editions_are_those_of_the_catalogue() -> None:
    assert set(MIPING.editions) == set(CryptoEdition.__args__)  # type: ignore[attr-defined]
    assert MIPING.default_edition == "2023"
