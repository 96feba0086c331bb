"""密评 from outcomes of rules and people's answers to a score: a system by hand, what machines may say and
what they may not, ranges that hold."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inventory.coverage import Batch
from inventory.kinds.host import Host
from inventory.kinds.network import Device
from inventory.kinds.virtual_network import LoadBalancer
from inventory.resource import Resource
from inventory.selectors import Selector
from inventory.snapshot import Snapshot
from inventory.systems import System
from policies.assess_crypto import assess_crypto
from policies.assessment import Assessment, ControlVerdict, ObjectVerdict
from policies.crypto import CryptoObject, CryptoScore, UnitFacts, UnitScore
from policies.crypto_facts import CHANNELS
from policies.outcome import ControlLinks, Denies, Examples, Outcome, Rule
from policies.standards import StandardError, load_standard
from policies.verdict import Finding, Unseen, Verdict

MIPING = load_standard("miping")
AT = datetime(2026, 5, 1, 8, tzinfo=UTC)
SW1, SW2 = (Device(source=n, native_id=n, name=n, role="switch") for n in ("sw1", "sw2"))
HOST = Host(source="host1", native_id="host1", name="host1")
LB1, LB2 = (LoadBalancer(source="cloud1", native_id=n, name=n) for n in ("lb1", "lb2"))
CLOUD = "cloud1/cloud/cloud1"
ABSENT = ["vm", "security_device", "database", "cluster", "terminal", "application"]
YES = UnitFacts(verdict=Verdict.PASS)
HALF = UnitFacts(verdict=Verdict.PARTIAL)
LEFT_OUT = UnitFacts(verdict=Verdict.NOT_APPLICABLE)
FULL = {"d": True, "a": True, "k": True}


def rule(id_: str, kind: str, supports: str, *, high_risk: Sequence[str] = (), **denies: str) -> Rule:
    return Rule(
        id=id_,
        title=f"规则 {id_}",
        title_en=id_,
        kind=kind,
        severity="high",
        violates="True",
        evidence=[],
        message="m",
        why="w",
        fix="f",
        controls=ControlLinks(supports=[f"miping/{u}" for u in supports.split()]),
        high_risk=list(high_risk),
        denies=Denies(**{j: [f"miping/{u}" for u in units.split()] for j, units in denies.items()}),
        examples=Examples(bad=[], good=[], unknown=[]),
    )


TELNET = rule("telnet", "device", "DEV-01 DEV-02", D="DEV-02")
SSH = rule("ssh", "host", "DEV-02", A="DEV-02")
HTTP = rule("http", "load_balancer", "NET-01 NET-02 NET-03 APP-04", D="NET-01 NET-02 NET-03",
            high_risk=["HR-NET-03"])  # fmt: skip


def outcome(of: Rule, resources: Sequence[Resource], answers: str, gaps: Sequence[Unseen] = ()) -> Outcome:
    """``answers``: one letter per resource: p(ass), f(ail), u(nknown), n(ot applicable)."""
    at = {letter: [i for i, a in enumerate(answers) if a == letter] for letter in "fun"}
    about = [{"rule": of.id, "kind": of.kind, "source": r.source, "uid": r.uid} for r in resources]
    return Outcome(
        rule=of,
        resources=resources,
        failed=at["f"],
        unknown=at["u"],
        excluded=at["n"],
        findings=[
            Finding(**about[i], severity="high", name="", message="m", fix="f", controls=(), evidence={})
            for i in at["f"]
        ],
        unseen=[Unseen(**about[i], missing="监听", remedy="加只读角色") for i in at["u"]],
        gaps=list(gaps),
    )


def seen(telnet: str = "fp", ssh: str = "f", http: str = "fp") -> list[Outcome]:
    return [
        outcome(TELNET, [SW1, SW2], telnet),
        outcome(SSH, [HOST], ssh),
        outcome(HTTP, [LB1, LB2], http),
    ]


def system(**changes: Any) -> System:
    fields: dict[str, Any] = {
        "name": "s",
        "title": "系统",
        "grade": "S3A3",
        "include": [Selector(sources=["*"])],
        "absent_objects": ABSENT,
        "cloud": "tenant",
        **changes,
    }
    return System(**fields)


def run(outcomes: Sequence[Outcome], *, of: System | None = None, **options: Any) -> Assessment:
    resources = {r.uid: r for r in (SW1, SW2, HOST, LB1, LB2)}
    snapshot = Snapshot.of_batches([Batch(resources=list(resources.values()))], AT)
    return assess_crypto(of or system(), MIPING, outcomes, snapshot, **options)


def score_of(assessment: Assessment) -> CryptoScore:
    assert isinstance(assessment.score, CryptoScore)
    return assessment.score


def unit(assessment: Assessment, code: str) -> UnitScore:
    return next(u for layer in score_of(assessment).layers for u in layer.units if u.code == code)


def verdict(assessment: Assessment, code: str) -> ControlVerdict:
    return next(c for c in assessment.controls if c.control.code == code)


def on(assessment: Assessment, code: str, asset: str) -> ObjectVerdict:
    return next(o for o in verdict(assessment, code).objects if o.asset == asset)


def told(*objects: CryptoObject) -> UnitFacts:
    return UnitFacts(objects=objects)


def thing(name: str, **known: Any) -> CryptoObject:
    return CryptoObject(name=name, **known)


def spans(assessment: Assessment, *codes: str) -> dict[str, tuple[str, str]]:
    found = {code: unit(assessment, code) for code in codes}
    return {code: (str(u.low), str(u.high)) for code, u in found.items()}


def answers() -> dict[str, UnitFacts]:
    """What people told of the system of this module."""
    return {
        "PHY-01": told(thing("机房", **FULL)),
        "PHY-02": LEFT_OUT,
        "PHY-03": told(thing("机房", d=False)),
        "NET-01": told(
            thing(LB1.uid, **FULL),  # it was seen to serve plain http: that stays
            thing(LB2.uid, d=True, a=False, k=True, strength_bits=128),
            thing(CHANNELS, applicable=False),  # there are no others
        ),
        "NET-03": told(thing(LB2.uid, **FULL)),
        "DEV-01": told(thing(HOST.uid, **FULL), thing(SW2.uid, d=False)),
        "DEV-02": told(thing(HOST.uid, d=True, a=True, k=True, strength_bits=80)),  # A was seen to fail
        "DEV-04": LEFT_OUT,
        "APP-04": told(thing("数据", d=False, made_up_by=(("NET-03", LB2.uid),))),
        "APP-05": told(thing("数据", d=True, a=True, k=False, module_level=1, keys_managed=True)),
        **dict.fromkeys(["POL-01", "POL-02", "POL-03", "POL-04", "POL-05", "POL-06"], YES),
        **dict.fromkeys(["PER-01", "PER-03", "PER-04", "PER-05"], YES),
        "PER-02": HALF,
        "EMG-01": YES, "EMG-02": LEFT_OUT, "EMG-03": LEFT_OUT,
    }  # fmt: skip


def test_a_system_of_level_3_by_hand() -> None:
    # Two switches (the first with Telnet), a host (weak SSH), two load balancers (the first plain http) of a
    # cloud. Assets under DEV: sw1, sw2, host1, the cloud; channels under NET-01 to NET-03: lb1, lb2.
    found = run(seen(), people=answers())
    # NET-01: lb1 D× 0, lb2 D√ A× (128 bits: Ra 1) K√ 0.5, no other channel: 0.5 / 2 = 0.25
    # NET-02: lb1 0, lb2 0…1, other channels 0…1: 0 … 2/3
    # NET-03: lb1 0, lb2 1, other channels 0…1: 1/3 … 2/3; NET-04: sw1, sw2, cloud: open; NET-05: none there
    assert spans(found, "NET-01", "NET-02", "NET-03", "NET-04", "NET-05") == {
        "NET-01": ("0.2500", "0.2500"),
        "NET-02": ("0.0000", "0.6667"),
        "NET-03": ("0.3333", "0.6667"),
        "NET-04": ("0.0000", "1.0000"),
        "NET-05": ("None", "None"),
    }
    # DEV-01: host 1, sw2 0, sw1 and cloud 0…1 (Telnet is a clue here): 1/4 … 3/4
    # DEV-02: sw1 D× 0, sw2 0…1, cloud 0…1, host D√ A× K√ at 80 bits: 0.5 · Ra 0.5 = 0.25:
    #   0.25/4 = 0.0625 … (0 + 1 + 1 + 0.25)/4 = 0.5625
    assert spans(found, "DEV-01", "DEV-02", "DEV-03", "DEV-04") == {
        "DEV-01": ("0.2500", "0.7500"),
        "DEV-02": ("0.0625", "0.5625"),
        "DEV-03": ("0.0000", "1.0000"),
        "DEV-04": ("None", "None"),
    }
    # APP-04: 0, made up for by lb2 of NET-03: 0.5 · 1; APP-05: 0.5 · Rk 1.2; the application units: none there
    assert spans(found, "APP-01", "APP-04", "APP-05", "APP-06") == {
        "APP-01": ("None", "None"),
        "APP-04": ("0.5000", "0.5000"),
        "APP-05": ("0.6000", "0.6000"),
        "APP-06": ("0", "1"),
    }
    # PHY: weights 1, 0.7: (1 + 0) / 1.7 = 0.5882
    # NET: weights 1, 0.7, 1, 0.4 = 3.1
    #   low (0.25 + 0 + 0.3333 + 0) / 3.1 = 0.1882; high (0.25 + 0.46669 + 0.6667 + 0.4) / 3.1 = 0.5753
    # DEV: weights 1, 1, 0.4, 0.4, 0.7 = 3.5
    #   low (0.25 + 0.0625) / 3.5 = 0.0893; high (0.75 + 0.5625 + 0.4 + 0.4 + 0.7) / 3.5 = 0.8036
    # APP: weights 1, 1, 0.7, 0.7 = 3.4: low 1.1 / 3.4 = 0.3235; high (1.1 + 1.4) / 3.4 = 0.7353
    # PER: weights 0.7, 1, 0.7, 0.7, 0.7 = 3.8: (2.8 + 0.5) / 3.8 = 0.8684; CON: nobody answered
    score = score_of(found)
    assert {x.code: (str(x.low), str(x.high)) for x in score.layers} == {
        "PHY": ("0.5882", "0.5882"),
        "NET": ("0.1882", "0.5753"),
        "DEV": ("0.0893", "0.8036"),
        "APP": ("0.3235", "0.7353"),
        "POL": ("1.0000", "1.0000"),
        "PER": ("0.8684", "0.8684"),
        "CON": ("0.0000", "1.0000"),
        "EMG": ("1.0000", "1.0000"),
    }
    # technical: 10·0.5882 + 20·0.1882 + 10·0.0893 + 30·0.3235 = 5.882 + 3.764 + 0.893 + 9.705 = 20.244
    #   high 5.882 + 11.506 + 8.036 + 22.059 = 47.483
    # management: 8·1 + 8·0.8684 + 0 + 6 = 20.9472; high 28.9472
    assert (score.low, score.high, score.exact) == (Decimal("41.19"), Decimal("76.43"), None)
    # 2 + 4 + 5 + 4 + 6 + 5 + 5 + 1 = 32 units apply; PHY 2, NET-01, APP 2, POL 6, PER 5, EMG 1 = 17 are decided
    assert score.coverage == Decimal("0.5313")
    # plain http meets HR-NET-03, so that no score helps
    assert (score.high_risks, score.conclusion_low, score.conclusion_high) == (1, "不符合", "不符合")
    mended = score_of(run(seen(telnet="pp", ssh="p", http="pp"), people=answers()))
    # mended: NET-01 lb1 1, so (1 + 0.5)/2; NET-03 lb1 0…1: 1/3 … 1; DEV-02: host D√ A√ K√ 1: 1/4 … 1
    #   NET-02: 0 … 1. NET: low (0.75 + 0.3333)/3.1 = 0.3495; high (0.75 + 0.7 + 1 + 0.4)/3.1 = 0.9194
    #   DEV: low (0.25 + 0.25)/3.5 = 0.1429; high (0.75 + 1 + 1.5)/3.5 = 0.9286
    #   whole: 5.882 + 6.99 + 1.429 + 9.705 + 20.9472 = 44.9532; 5.882 + 18.388 + 9.286 + 22.059 + 28.9472 = 84.5622
    assert (mended.low, mended.high) == (Decimal("44.95"), Decimal("84.56"))
    assert (mended.high_risks, mended.conclusion_low, mended.conclusion_high) == (0, "不符合", "基本符合")


def test_a_machine_denies_and_never_grants() -> None:
    found = run(seen())
    telnet, ssh, plain = (on(found, "DEV-02", x.uid) for x in (SW1, HOST, SW2))
    assert (telnet.verdict, telnet.checks) == (Verdict.FAIL, {"telnet": Verdict.FAIL})
    assert telnet.reason == "D 不符合：规则 telnet"
    assert (ssh.verdict, ssh.reason) == (Verdict.FAIL, "A 不符合：规则 ssh；D、K 须由人核查")
    assert ssh.bounds == (Verdict.FAIL, Verdict.PARTIAL)
    assert (plain.verdict, plain.checks) == (Verdict.UNKNOWN, {"telnet": Verdict.PASS})
    assert on(found, "DEV-02", CLOUD).checks == {}
    best = run(seen(telnet="pp", ssh="p", http="pp"))
    assert {c.verdict for c in best.controls} == {Verdict.UNKNOWN, Verdict.NOT_APPLICABLE}
    judged = [o for layer in score_of(best).layers for u in layer.units for o in u.objects]
    assert {(o.d, o.a, o.k) for o in judged} == {(None, None, None)}
    assert score_of(best).low == 0


def test_a_clue_is_told_and_scores_nothing() -> None:
    found = run(seen())
    switch = on(found, "DEV-01", SW1.uid)
    assert switch.reason == "线索：规则 telnet；D、A、K 须由人核查"
    assert (switch.verdict, len(switch.findings)) == (Verdict.UNKNOWN, 1)
    assert unit(found, "DEV-01").high == 1
    cloud = on(found, "APP-04", CLOUD)  # data is what the unit is about, and a cloud is none
    assert cloud.reason == "线索：规则 http；不能据此判定本单元"
    assert (unit(found, "APP-04").objects, unit(found, "APP-04").uncovered) == ((), ("数据",))
    assert verdict(found, "APP-04").verdict is Verdict.UNKNOWN


def test_objects_on_channels_are_what_ends_them() -> None:
    found = run(seen(http="fn"))
    assert [(o.name, o.title, o.d) for o in unit(found, "NET-01").objects] == [
        (LB1.uid, "负载均衡 lb1", False)
    ]
    assert unit(found, "NET-01").uncovered == (CHANNELS,)
    assert verdict(found, "NET-01").reason == f"1 个对象：D 不符合 1 个；未清点：{CHANNELS}"
    assert [o.asset for o in verdict(run(seen(http="nn")), "NET-01").objects] == []


def test_what_was_not_read_is_one_more_object_and_never_a_pass() -> None:
    gap = Unseen(rule="", kind="load_balancer", source="cloud1", missing="负载均衡", remedy="加只读角色")
    whole, broken = seen(), [*seen()[:2], outcome(HTTP, [LB1, LB2], "fp", [gap])]
    assert unit(run(broken), "NET-01").uncovered == (CHANNELS, "cloud1 的负载均衡")
    assert spans(run(whole), "NET-01") == {"NET-01": ("0.0000", "0.6667")}
    assert spans(run(broken), "NET-01") == {"NET-01": ("0.0000", "0.7500")}
    blind = on(run(seen(http="fu")), "NET-01", LB2.uid)
    assert (blind.verdict, blind.reason) == (Verdict.UNKNOWN, "没有看到：监听")


def test_the_level_is_the_systems_unless_it_is_set() -> None:
    assert (score_of(run(seen())).level, len(run(seen()).controls)) == (3, 41)
    assert score_of(run(seen(), of=system(grade="S2A1"))).level == 2
    other = run(seen(), of=system(grade="S2A2", miping_level=3))
    assert (score_of(other).level, len(other.controls)) == (3, 41)
    low = run(seen(), of=system(miping_level=1))
    assert len(low.controls) == 24
    assert all(c.control.level == 1 for c in low.controls)
    assert verdict(low, "DEV-01").control.id == "miping/6.3.a"
    assert on(low, "DEV-01", SW1.uid).checks == {"telnet": Verdict.FAIL}  # one name at every level


def test_high_risks_go_by_the_level_of_miping() -> None:
    cases = {r.case: r for r in run(seen()).high_risks}
    assert (cases["HR-NET-03"].state, len(cases["HR-NET-03"].findings)) == ("triggered", 1)
    assert cases["HR-NET-03"].controls == ("miping/8.2.c",)
    assert cases["HR-PHY-01"].state == "undetermined"
    second = {r.case: r for r in run(seen(), of=system(miping_level=2)).high_risks}
    assert "HR-NET-03" not in second
    assert second["HR-NET-01"].warning


def test_findings_are_those_of_rules_that_speak_to_the_level() -> None:
    alone = rule("third", "device", "DEV-06")
    outcomes = [*seen(), outcome(alone, [SW1, SW2], "fp")]
    assert {f.rule for f in run(outcomes).findings} == {"telnet", "ssh", "http", "third"}
    first = run(outcomes, of=system(miping_level=1))  # has neither DEV-02 nor DEV-06
    assert {f.rule for f in first.findings} == {"telnet", "http"}
    with pytest.raises(StandardError):
        run([outcome(rule("x", "device", "NET-09"), [SW1], "f")])


def test_people_fill_in_and_what_was_seen_to_fail_stays() -> None:
    found = run(seen(), people=answers())
    assert [(o.d, o.a, o.k) for o in unit(found, "NET-01").objects] == [
        (False, True, True),
        (True, False, True),
    ]
    (host,) = [o for o in unit(found, "DEV-02").objects if o.name == HOST.uid]
    assert (host.d, host.a, host.k) == (True, False, True)
    assert verdict(found, "POL-01").origin == verdict(found, "NET-01").origin == "person"
    assert verdict(found, "DEV-03").origin == "none"
    assert verdict(run(seen()), "DEV-02").origin == "auto"
    assert verdict(found, "DEV-04").reason == "由人认定不适用"
    assert verdict(run(seen()), "NET-05").reason == "系统声明没有这类对象：终端、安全设备"
    assert (
        on(found, "NET-01", LB2.uid).reason == "D 符合（由人确认）；A 不符合（由人确认）；K 符合（由人确认）"
    )
    with pytest.raises(ValueError, match="没有测评单元 NET-09"):
        run(seen(), people={"NET-09": YES})


BOOL = st.sampled_from([True, False, None])
THINGS = st.builds(
    CryptoObject,
    name=st.just("x"),
    d=BOOL,
    a=BOOL,
    k=BOOL,
    applicable=st.sampled_from([True, True, True, False]),
    strength_bits=st.sampled_from([None, 56, 128]),
    module_level=st.sampled_from([None, 0, 1]),
    keys_managed=BOOL,
)
NAMES = {"NET-01": [LB1.uid, LB2.uid, CHANNELS], "NET-03": [LB1.uid, LB2.uid], "DEV-01": [SW1.uid, HOST.uid],
         "DEV-02": [SW1.uid, SW2.uid, HOST.uid], "APP-04": ["数据"], "PHY-01": ["机房"]}  # fmt: skip
LETTERS = st.tuples(*[st.text("pfu", min_size=n, max_size=n) for n in (2, 1, 2)])


@st.composite
def people(draw: Any) -> dict[str, UnitFacts]:
    found: dict[str, UnitFacts] = {}
    for code, names in NAMES.items():
        chosen = draw(st.lists(st.sampled_from(names), unique=True))
        found[code] = told(*(msgspec.structs.replace(draw(THINGS), name=name) for name in chosen))
    for code in ("POL-01", "PER-02", "EMG-01"):
        found[code] = UnitFacts(verdict=draw(st.sampled_from(list(Verdict))))
    return found


def total(letters: Sequence[str], answered: dict[str, UnitFacts]) -> tuple[Decimal, Decimal]:
    score = score_of(run(seen(*letters), people=answered))
    assert score.low is not None
    assert score.high is not None
    assert score.low <= score.high
    return score.low, score.high


def other(letters: Sequence[str], which: int, to: dict[str, str]) -> list[str]:
    """The outcomes with one letter changed."""
    flat = "".join(letters)
    flat = flat[:which] + to.get(flat[which], flat[which]) + flat[which + 1 :]
    return [flat[:2], flat[2:3], flat[3:]]


@settings(max_examples=40)
@given(LETTERS, people(), st.integers(0, 4))
def test_a_mended_finding_lowers_neither_end(letters: Any, answered: Any, which: int) -> None:
    before, after = total(letters, answered), total(other(letters, which, {"f": "p"}), answered)
    assert after[0] >= before[0]
    assert after[1] >= before[1]


@settings(max_examples=40)
@given(LETTERS, people(), st.integers(0, 4), st.data())
def test_seeing_less_never_narrows_the_range(letters: Any, answered: Any, which: int, data: Any) -> None:
    way = data.draw(st.sampled_from(["machine", "unit", "object"]))
    less, fewer = dict(answered), letters
    code = data.draw(st.sampled_from(sorted(less)))
    if way == "machine":
        # where people say otherwise than what is seen, their word counts once it is no longer seen
        less = answered = {c: f for c, f in answered.items() if not f.objects}
        fewer = other(letters, which, {"f": "u", "p": "u"})
    elif way == "unit":
        if any(not o.applicable for o in less[code].objects) or less[code].verdict is Verdict.NOT_APPLICABLE:
            return  # to take back that something does not apply brings a new thing in, known or not
        del less[code]
    else:
        blank = {"d": None, "a": None, "k": None, "strength_bits": None, "keys_managed": None}
        less[code] = msgspec.structs.replace(
            less[code], objects=tuple(msgspec.structs.replace(o, **blank) for o in less[code].objects)
        )
    known, unknown = total(letters, answered), total(fewer, less)
    assert unknown[0] <= known[0]
    assert unknown[1] >= known[1]
