"""People's answers to 密评: what they fill in, what they cannot undo, when they end, and that ranges hold."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inventory.answers import Answer, CryptoJudgement
from inventory.coverage import Batch
from inventory.kinds.network import Device
from inventory.kinds.virtual_network import LoadBalancer
from inventory.selectors import Selector
from inventory.snapshot import Snapshot
from inventory.systems import System
from policies.answered_crypto import NO_HELPER, SEEN_AT_WORK
from policies.answers import word_of, wrong_with
from policies.assess_crypto import assess_crypto
from policies.assessment import Assessment, ControlVerdict
from policies.crypto import CryptoScore, UnitScore
from policies.crypto_facts import CHANNELS
from policies.outcome import ControlLinks, Denies, Examples, Outcome, Rule
from policies.questions import objects_of, questions
from policies.standards import load_standard
from policies.verdict import Finding, Verdict

MIPING = load_standard("miping")
AT = datetime(2026, 5, 1, 8, tzinfo=UTC)
DAY = date(2026, 5, 1)
ID = {c.code: c.id for c in MIPING.at_level(3)}
SW1, SW2 = (Device(source=n, native_id=n, name=n, role="switch") for n in ("sw1", "sw2"))
LB1, LB2 = (LoadBalancer(source="cloud1", native_id=n, name=n) for n in ("lb1", "lb2"))
SYSTEM = System(
    name="s",
    title="系统",
    grade="S3A3",
    include=[Selector(sources=["*"])],
    absent_objects=["vm", "security_device", "database", "cluster", "terminal", "application", "server"],
)
FULL: dict[str, Any] = {"d": True, "a": True, "k": True}


def rule(id_: str, kind: str, *, high_risk: Sequence[str] = (), **denies: str) -> Rule:
    units = {j: [f"miping/{u}" for u in named.split()] for j, named in denies.items()}
    return Rule(
        id=id_, title=f"规则 {id_}", title_en=id_, kind=kind, severity="high", violates="True",
        evidence=[], message="m", why="w", fix="f", high_risk=list(high_risk),
        controls=ControlLinks(supports=[u for held in units.values() for u in held]), denies=Denies(**units),
        examples=Examples(bad=[], good=[], unknown=[]),
    )  # fmt: skip


TELNET = rule("telnet", "device", D="DEV-02")
OLD = rule("old", "load_balancer", A="NET-01 NET-02 NET-03", high_risk=["HR-GEN-TECH-1"])
HTTP = rule("http", "load_balancer", D="NET-01 NET-02 NET-03", high_risk=["HR-NET-03"])


def outcome(of: Rule, resources: Sequence[Any], letters: str) -> Outcome:
    """One letter per resource: p(ass), f(ail), u(nknown), n(ot applicable)."""
    at = {letter: [i for i, a in enumerate(letters) if a == letter] for letter in "fun"}
    about = [{"rule": of.id, "kind": of.kind, "source": r.source, "uid": r.uid} for r in resources]
    return Outcome(
        rule=of, resources=resources, failed=at["f"], unknown=at["u"], excluded=at["n"], unseen=[], gaps=[],
        findings=[
            Finding(**about[i], severity="high", name="", message="m", fix="f", controls=(), evidence={})
            for i in at["f"]
        ],
    )  # fmt: skip


def answer(code: str, object_: str = "", verdict: str = "judged", **more: Any) -> Answer:
    judged = {k: more.pop(k) for k in list(more) if k in CryptoJudgement.__struct_fields__}
    fields: dict[str, Any] = {
        "system": "s", "standard": "miping", "about": "control", "subject": ID.get(code, code),
        "object": object_, "verdict": verdict, "note": "查过证书", "by": "张三", "answered_at": AT,
        "valid_until": date(2027, 5, 1), "crypto": CryptoJudgement(**judged) if judged else None, **more,
    }  # fmt: skip
    return Answer(**fields)


def run(
    *answers: Answer, telnet: str = "pp", old: str = "pp", http: str = "pp", **options: Any
) -> Assessment:
    outcomes = [
        outcome(TELNET, [SW1, SW2], telnet),
        outcome(OLD, [LB1, LB2], old),
        outcome(HTTP, [LB1, LB2], http),
    ]
    snapshot = Snapshot.of_batches([Batch(resources=[SW1, SW2, LB1, LB2])], AT)
    return assess_crypto(SYSTEM, MIPING, outcomes, snapshot, answers=answers, **options)


def unit(assessment: Assessment, code: str) -> UnitScore:
    assert isinstance(assessment.score, CryptoScore)
    return next(u for layer in assessment.score.layers for u in layer.units if u.code == code)


def held(assessment: Assessment, code: str) -> ControlVerdict:
    return next(c for c in assessment.controls if c.control.code == code)


def effects(assessment: Assessment) -> list[tuple[str, str]]:
    return [(u.effect, u.why) for u in assessment.answers]


def span(assessment: Assessment, code: str) -> tuple[str, str]:
    found = unit(assessment, code)
    return str(found.low), str(found.high)


def test_a_word_on_a_unit_stands_for_all_that_is_open() -> None:
    found = run(answer("NET-03", **FULL))
    # both balancers, and the channels that nobody listed
    assert [(o.name, o.d, o.a, o.k) for o in unit(found, "NET-03").objects] == [
        (LB1.uid, True, True, True),
        (LB2.uid, True, True, True),
        (CHANNELS, True, True, True),
    ]
    assert span(found, "NET-03") == ("1.0000", "1.0000")
    assert (held(found, "NET-03").verdict, held(found, "NET-03").origin) == (Verdict.PASS, "person")
    assert effects(found) == [("counted", "")]
    row = held(found, "NET-03").objects[0]
    assert row.origin == "person"
    assert row.reason == "人工答复D√ A√ K√（张三，2026-05-01，有效至 2027-05-01）：查过证书"


def test_an_objects_own_word_goes_before_that_on_the_unit() -> None:
    weak = answer("NET-03", LB2.uid, d=True, a=False, k=True, strength_bits=80)
    found = run(answer("NET-03", **FULL), weak, answer("NET-03", CHANNELS, "not_applicable"))
    # (1 + 0.5 · Ra 0.5) / 2; there are no other channels
    assert span(found, "NET-03") == ("0.6250", "0.6250")
    assert [o.verdict for o in held(found, "NET-03").objects] == [
        Verdict.PASS,
        Verdict.PARTIAL,
        Verdict.NOT_APPLICABLE,
    ]
    assert word_of(weak) == "D√ A× K√，强度 80 比特"


def test_what_was_denied_stays_denied() -> None:
    told = [answer("NET-03", **FULL), answer("DEV-02", SW1.uid, **FULL)]
    found = run(*told, telnet="fp", old="pf", http="fp")
    assert [(o.d, o.a) for o in unit(found, "NET-03").objects] == [(False, True), (True, False), (True, True)]
    assert effects(found) == [
        ("contradicted", "机器所见：D 不符合等 2 个对象"),
        ("contradicted", "机器所见：D 不符合"),
    ]
    assert next(o for o in unit(found, "DEV-02").objects if o.name == SW1.uid).high == 0
    assert "D 不符合：规则 http" in held(found, "NET-03").objects[0].reason
    assert {r.case for r in found.high_risks if r.state == "triggered"} == {"HR-NET-03", "HR-GEN-TECH-1"}


@pytest.mark.parametrize("letters", ["fp", "pp"])
def test_what_a_machine_saw_at_work_cannot_be_put_out_of_the_way(letters: str) -> None:
    out = answer("NET-03", LB1.uid, "not_applicable")
    found = run(out, http=letters)
    assert effects(found) == [("contradicted", SEEN_AT_WORK)]
    assert LB1.uid in [o.name for o in unit(found, "NET-03").objects]
    whole = run(answer("NET-03", "", "not_applicable"), http=letters)
    assert held(whole, "NET-03").verdict is not Verdict.NOT_APPLICABLE
    assert [o.name for o in unit(whole, "NET-03").objects] == [LB1.uid, LB2.uid]
    blind = run(out, http="up", old="up")  # nothing was seen of it
    assert effects(blind) == [("counted", "")]


def test_a_unit_without_what_a_machine_saw_may_be_left_out() -> None:
    found = run(answer("PHY-01", "", "not_applicable"), answer("APP-04", "数据", "not_applicable"))
    assert held(found, "PHY-01").verdict is held(found, "APP-04").verdict is Verdict.NOT_APPLICABLE
    assert "张三" in held(found, "PHY-01").reason
    declared = run(answer("NET-05", **FULL))  # the system has no terminals and no security devices
    assert [effect for effect, _ in effects(declared)] == ["unused"]


def test_objects_that_people_name_are_objects_and_typing_errors_are_none() -> None:
    door, gone = answer("PHY-01", "机房乙", added=True, **FULL), answer("PHY-01", "机房丙", **FULL)
    found = run(door, gone)
    assert [o.name for o in unit(found, "PHY-01").objects] == ["机房乙"]
    assert unit(found, "PHY-01").uncovered == ("机房",)
    assert [effect for effect, _ in effects(found)] == ["counted", "unused"]


def test_what_makes_up_for_another_must_be_there() -> None:
    full = answer("NET-03", LB2.uid, **FULL)
    data = answer("APP-04", "数据", d=False, made_up_by=(("NET-03", LB2.uid),))
    assert span(run(full, data), "APP-04") == ("0.5000", "0.5000")
    assert span(run(full, data, edition="2021"), "APP-04") == ("0.5000", "0.5000")
    lost = run(answer("APP-04", "数据", d=False, made_up_by=(("NET-03", "cloud1/load_balancer/lb9"),)))
    assert span(lost, "APP-04") == ("0.0000", "0.0000")
    assert effects(lost) == [("contradicted", f"{NO_HELPER}：NET-03 cloud1/load_balancer/lb9")]


def test_modules_and_strength_count_where_the_method_has_them() -> None:
    weak = answer("APP-05", "数据", d=True, a=True, k=False, module_level=1, keys_managed=True)
    assert span(run(weak), "APP-05") == ("0.6000", "0.6000")  # 0.5 · Rk 1.2
    assert span(run(weak, edition="2021"), "APP-05") == ("0.5000", "0.5000")


def test_management_units_are_answered_as_a_whole() -> None:
    found = run(answer("POL-01", "", "pass"), answer("PER-02", "", "partial"))
    assert span(found, "POL-01") == ("1.0000", "1.0000")
    assert span(found, "PER-02") == ("0.5000", "0.5000")
    assert held(found, "POL-01").reason.startswith("人工答复符合（张三")


def test_an_answer_ends_and_warns_before() -> None:
    for left, effect, expiring in ((-1, "expired", False), (0, "counted", True), (31, "counted", False)):
        found = run(answer("PHY-01", valid_until=date.fromordinal(DAY.toordinal() + left), **FULL), today=DAY)
        (use,) = found.answers
        assert (use.effect, use.expiring) == (effect, expiring)
        assert (held(found, "PHY-01").verdict is Verdict.UNKNOWN) == (effect == "expired")


def test_high_risks_are_a_persons_to_mitigate() -> None:
    fields = {"about": "case", "subject": "HR-NET-03", "object": "", "crypto": None}
    mitigated = msgspec.structs.replace(answer("NET-03", "", "mitigated"), **fields)
    before, after = run(http="fp"), run(mitigated, http="fp")
    assert isinstance(after.score, CryptoScore)
    assert isinstance(before.score, CryptoScore)
    assert (before.score.high_risks, after.score.high_risks) == (1, 0)
    risk = next(r for r in after.high_risks if r.case == "HR-NET-03")
    assert (risk.state, "张三" in risk.confirmed) == ("mitigated", True)
    denied = run(msgspec.structs.replace(mitigated, verdict="absent"), http="fp")
    assert effects(denied)[0][0] == "contradicted"


def test_what_is_asked_is_what_is_scored() -> None:
    found = run(http="fp")
    asked = questions(found, MIPING, by_object=True)
    mine = {q.object for q in asked if q.subject == ID["NET-03"]}
    assert mine == {"", LB2.uid, CHANNELS}  # of lb1 nothing is open: D was denied
    assert {q.object for q in asked if q.subject == ID["APP-04"]} == {"", "数据"}
    assert {q.allowed for q in asked if q.subject == ID["POL-01"]} == {
        ("pass", "partial", "fail", "not_applicable")
    }
    assert (
        len({q.subject for q in asked if q.about == "control"}) == 41 - 6
    )  # what was declared absent is not asked
    assert objects_of(found)[ID["APP-04"]] == {"数据": "数据"}
    answered = questions(run(answer("NET-03", **FULL)), MIPING)
    assert [q.state for q in answered if q.subject == ID["NET-03"]] == ["answered"]


@pytest.mark.parametrize(
    ("given_", "field"),
    [
        (answer("NET-01"), "d"),
        (answer("NET-01", "", "pass"), "verdict"),
        (answer("NET-01", d=False, note=""), "note"),
        (answer("NET-01", note="", **FULL), "note"),
        (answer("NET-01", strength_bits=4096, **FULL), "strength_bits"),
        (answer("NET-01", module_level=5, **FULL), "module_level"),
        (answer("NET-01", made_up_by=(("NET-99", "x"),), **FULL), "made_up_by"),
        (answer("NET-01", "x", made_up_by=(("NET-01", "x"),), **FULL), "made_up_by"),
        (answer("POL-01", "x", "pass"), "object"),
        (answer("POL-01", "", "pass", **FULL), "object"),
        (answer("POL-01"), "verdict"),
    ],
)
def test_what_cannot_be_recorded(given_: Answer, field: str) -> None:
    assert [w.field for w in wrong_with(given_, MIPING, DAY)] == [field]


BOOL = st.sampled_from([True, False, None])
JUDGED = st.builds(
    CryptoJudgement,
    d=BOOL,
    a=BOOL,
    k=BOOL,
    strength_bits=st.sampled_from([None, 56, 128]),
    module_level=st.sampled_from([None, 1]),
    keys_managed=BOOL,
)
PLACES = [("NET-01", ""), ("NET-01", LB1.uid), ("NET-03", ""), ("NET-03", LB1.uid), ("NET-03", CHANNELS),
          ("DEV-02", ""), ("DEV-02", SW1.uid), ("DEV-02", SW2.uid), ("APP-04", "数据")]  # fmt: skip


@st.composite
def people(draw: Any) -> list[Answer]:
    found = []
    for code, object_ in draw(st.lists(st.sampled_from(PLACES), unique=True)):
        judged = draw(st.one_of(st.none(), JUDGED))
        one = answer(code, object_, "judged" if judged else "not_applicable")
        found.append(msgspec.structs.replace(one, crypto=judged))
    return found


LETTERS = st.tuples(*[st.text("pfu", min_size=2, max_size=2)] * 3)


def total(letters: Sequence[str], answers: Sequence[Answer]) -> tuple[Decimal, Decimal]:
    score = run(*answers, telnet=letters[0], old=letters[1], http=letters[2]).score
    assert score.low is not None
    assert score.high is not None
    return score.low, score.high


@settings(max_examples=60)
@given(LETTERS, people(), st.integers(0, 5))
def test_a_mended_finding_lowers_neither_end(letters: Any, answers: Any, which: int) -> None:
    flat = "".join(letters)
    mended = flat[:which] + flat[which].replace("f", "p") + flat[which + 1 :]
    before, after = total(letters, answers), total([mended[:2], mended[2:4], mended[4:]], answers)
    assert after[0] >= before[0]
    assert after[1] >= before[1]


@settings(max_examples=60)
@given(LETTERS, people())
def test_no_answer_makes_a_denied_object_better_than_its_best(letters: Any, answers: Any) -> None:
    alone = run(telnet=letters[0], old=letters[1], http=letters[2])
    found = run(*answers, telnet=letters[0], old=letters[1], http=letters[2])
    for code in ("NET-01", "NET-03", "DEV-02"):
        best = {o.name: o for o in unit(alone, code).objects if False in (o.d, o.a)}
        now = {o.name: o for o in unit(found, code).objects}
        for name, machine in best.items():
            assert now[name].high <= machine.high
            assert (machine.d is False) <= (now[name].d is False)
            assert (machine.a is False) <= (now[name].a is False)
