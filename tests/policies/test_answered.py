"""People's answers in verdicts: what they close, what they never hide, and that they only narrow."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inventory.answers import Answer, latest
from inventory.coverage import Batch
from inventory.kinds.network import Device
from inventory.selectors import Selector
from inventory.snapshot import Snapshot
from inventory.systems import System
from policies.answered import NO_OBJECT, NOT_ASKED, STRICTER, People
from policies.answers import current
from policies.assess import assess
from policies.assessment import ControlVerdict, HighRisk, ObjectVerdict
from policies.bounds import bounds_of, together, told, verdict_of
from policies.scoring.dengbao import score
from policies.scoring.method import method
from policies.standards import load_standard
from policies.verdict import Bounds, Verdict

DENGBAO = load_standard("dengbao")
TODAY = date(2026, 11, 22)
PASS, FAIL, PARTIAL = Verdict.PASS, Verdict.FAIL, Verdict.PARTIAL
UNKNOWN, NA = Verdict.UNKNOWN, Verdict.NOT_APPLICABLE
BOUNDS: dict[str, Bounds] = {
    "p": (PASS, PASS),
    "h": (PARTIAL, PARTIAL),
    "f": (FAIL, FAIL),
    "?": (FAIL, PASS),
    "-": (FAIL, PARTIAL),  # a failure was seen, and not everything
    "+": (PARTIAL, PASS),
}
IDS = [c.id for c in DENGBAO.at_level(3)][:60]


def machine(id_: str, letters: str, uncovered: Sequence[str] = ()) -> ControlVerdict:
    """A control as the machine leaves it: one letter per object (``BOUNDS``, or n(ot applicable))."""
    objects = [
        ObjectVerdict(
            asset=f"o{i}",
            verdict=NA if letter == "n" else verdict_of(BOUNDS[letter]),
            reason=f"看到 {letter}",
            checks={} if letter == "?" else {"r": UNKNOWN},
            bounds=None if letter == "n" else told(BOUNDS[letter]),
        )
        for i, letter in enumerate(letters)
    ]
    parts = {bounds_of(o) for o in objects if o.verdict is not NA} | ({BOUNDS["?"]} if uncovered else set())
    bounds = together(parts)
    verdict = verdict_of(bounds)
    return ControlVerdict(
        control=DENGBAO.get(id_),
        verdict=verdict,
        origin="none" if verdict is UNKNOWN else "auto",
        reason="机器的话",
        objects=objects,
        uncovered=tuple(uncovered),
        bounds=told(bounds),
    )


def answer(verdict: str, object_: str = "", subject: str = IDS[0], **more: Any) -> Answer:
    fields = {
        "system": "s",
        "standard": "dengbao",
        "about": "control",
        "note": "查过制度",
        "by": "张三",
        "answered_at": datetime(2026, 11, 1, tzinfo=UTC),
        "valid_until": date(2027, 10, 31),
    }
    return Answer(verdict=verdict, object=object_, subject=subject, **{**fields, **more})


def judged(c: ControlVerdict, *answers: Answer) -> tuple[ControlVerdict, list[str]]:
    """The control with the answers, and what became of each of them."""
    people = People(current(answers, "s", "dengbao"), TODAY)
    (made,) = people.controls([c])
    return made, [use.effect for use in people.uses()]


@pytest.mark.parametrize(
    ("letter", "claims"),
    [
        # what becomes of 符合, 部分符合, 不符合, 不适用 beside what the machine saw of the object
        ("?", "p h f n"),
        ("-", "- h f -"),  # a failure was seen: no answer makes it 符合, nor 不适用
        ("f", "f f f f"),
        ("h", "h h f h"),
        ("+", "p h f +"),  # 不符合 is worse than what was seen, and is taken
        ("p", "p h f p"),
        ("n", "n n f n"),
    ],
)
def test_an_answer_on_an_object(letter: str, claims: str) -> None:
    for verdict, expected in zip(("pass", "partial", "fail", "not_applicable"), claims.split(), strict=True):
        made, (effect,) = judged(machine(IDS[0], letter), answer(verdict, "o0"))
        found = made.objects[0]
        wanted = NA if expected == "n" else verdict_of(BOUNDS[expected])
        assert (found.verdict, verdict) == (wanted, verdict)
        if expected != "n":
            assert bounds_of(found) == BOUNDS[expected]
        taken = {"pass": "p", "partial": "h", "fail": "f", "not_applicable": "n"}[verdict] == expected
        assert effect == ("counted" if taken else "contradicted")
        assert found.origin == ("person" if effect == "counted" else "auto")
        assert ("张三" in found.reason) == (effect == "counted")


def test_a_manual_control_is_answered_as_a_whole() -> None:
    c = machine(IDS[0], "", ["管理体系"])
    assert c.verdict is UNKNOWN
    for verdict, expected in (("pass", PASS), ("partial", PARTIAL), ("fail", FAIL), ("not_applicable", NA)):
        made, effects = judged(c, answer(verdict))
        assert (made.verdict, made.origin, made.bounds, effects) == (expected, "person", None, ["counted"])
        assert "张三，2026-11-01，有效至 2027-10-31" in made.reason
        assert "查过制度" in made.reason


def test_an_answer_on_the_whole_stands_for_what_is_open_and_for_nothing_else() -> None:
    made, effects = judged(machine(IDS[0], "p??", ["数据库"]), answer("pass"))
    assert [o.verdict for o in made.objects] == [PASS] * 3
    assert [o.origin for o in made.objects] == ["auto", "person", "person"]
    assert (made.verdict, made.origin, effects) == (PASS, "person", ["counted"])
    made, effects = judged(machine(IDS[0], "pf?", ["数据库"]), answer("pass"))
    assert [o.verdict for o in made.objects] == [PASS, FAIL, PASS]
    assert (made.verdict, effects) == (PARTIAL, ["contradicted"])
    assert "与机器所见不符" in made.reason
    made, effects = judged(machine(IDS[0], "f"), answer("pass"))
    assert (made.verdict, made.origin, effects) == (FAIL, "auto", ["contradicted"])
    made, effects = judged(machine(IDS[0], "-"), answer("pass"))
    assert (made.verdict, made.bounds, effects) == (FAIL, (FAIL, PARTIAL), ["contradicted"])


def test_an_objects_own_answer_goes_before_that_on_the_whole() -> None:
    made, effects = judged(machine(IDS[0], "??"), answer("pass"), answer("partial", "o1"))
    assert [o.verdict for o in made.objects] == [PASS, PARTIAL]
    assert (made.verdict, effects) == (PARTIAL, ["contradicted", "counted"])


def test_who_is_stricter_than_the_machine_is_heard() -> None:
    made, effects = judged(machine(IDS[0], "pp"), answer("fail"))
    assert (made.verdict, made.origin, effects) == (FAIL, "person", ["counted"])
    assert [o.verdict for o in made.objects] == [FAIL, FAIL]
    people = People(current([answer("partial")], "s", "dengbao"), TODAY)
    (made,) = people.controls([machine(IDS[0], "pp")])
    assert made.verdict is PARTIAL
    assert people.uses()[0].why == STRICTER


def test_what_does_not_apply_leaves_what_was_seen() -> None:
    made, effects = judged(machine(IDS[0], "p?"), answer("not_applicable"))
    assert ([o.verdict for o in made.objects], made.verdict) == ([PASS, NA], PASS)
    assert effects == ["contradicted"]
    made, effects = judged(machine(IDS[0], "??"), answer("not_applicable"))
    assert (made.verdict, effects) == (NA, ["counted"])
    made, effects = judged(machine(IDS[0], "??"), answer("not_applicable", "o0"))
    assert (made.verdict, made.origin, effects) == (UNKNOWN, "none", ["counted"])


def test_an_expired_answer_counts_for_nothing_and_one_that_ends_soon_warns() -> None:
    c = machine(IDS[0], "?")
    for left, effect, expiring in ((-1, "expired", False), (0, "counted", True), (31, "counted", False)):
        given_ = answer("pass", valid_until=date.fromordinal(TODAY.toordinal() + left))
        people = People(current([given_], "s", "dengbao"), TODAY, warn_days=30)
        (made,) = people.controls([c])
        (use,) = people.uses()
        assert (use.effect, use.expiring, use.days_left) == (effect, expiring, left)
        assert (made.verdict is UNKNOWN) == (effect == "expired")


def test_the_last_answer_counts_and_one_taken_back_does_not() -> None:
    first, second = answer("pass", id=1), answer("fail", id=2, by="李四")
    made, effects = judged(machine(IDS[0], "?"), first, second)
    assert (made.verdict, effects) == (FAIL, ["counted"])
    assert "李四" in made.reason
    back = answer("withdrawn", id=3)
    made, effects = judged(machine(IDS[0], "?"), first, second, back)
    assert (made.verdict, effects) == (UNKNOWN, [])
    assert latest([first, second, back]) == {}


def test_answers_that_nothing_asks_for_are_told() -> None:
    lost, gone = answer("pass", subject="dengbao/9.1.1.1.a", id=1), answer("fail", "gone", id=2)
    people = People(current([lost, gone], "s", "dengbao"), TODAY)
    (made,) = people.controls([machine(IDS[0], "p")])
    assert made.verdict is PASS
    assert [(u.effect, u.why) for u in people.uses()] == [("unused", NOT_ASKED), ("unused", NO_OBJECT)]
    declared = machine(IDS[0], "")
    declared.verdict, declared.bounds = NA, None
    made, effects = judged(declared, answer("pass"))
    assert (made.verdict, effects) == (NA, ["unused"])


def risk(state: Any, *, mitigable: bool = True) -> HighRisk:
    return HighRisk(
        case="6.1.1.1",
        title="t",
        state=state,
        condition="c",
        mitigation="m",
        mitigable=mitigable,
        major_trigger="A-01",
        controls=(),
    )


@pytest.mark.parametrize(
    ("state", "verdict", "becomes", "effect"),
    [
        ("triggered", "mitigated", "mitigated", "counted"),
        ("triggered", "absent", "triggered", "contradicted"),
        ("triggered", "present", "triggered", "counted"),
        ("undetermined", "absent", "clear", "counted"),
        ("undetermined", "present", "triggered", "counted"),
        ("undetermined", "mitigated", "mitigated", "counted"),
        ("clear", "present", "triggered", "counted"),
    ],
)
def test_a_high_risk_is_a_persons_to_confirm(state: str, verdict: str, becomes: str, effect: str) -> None:
    people = People(current([answer(verdict, about="case", subject="6.1.1.1")], "s", "dengbao"), TODAY)
    (found,) = people.risks([risk(state)])
    assert found.state == becomes
    assert "张三" in found.confirmed
    assert people.uses()[0].effect == effect


def test_what_the_guideline_does_not_let_mitigate_stays() -> None:
    given_ = answer("mitigated", about="case", subject="6.1.1.1")
    people = People(current([given_], "s", "dengbao"), TODAY)
    assert people.risks([risk("triggered", mitigable=False)])[0].state == "triggered"
    assert people.uses()[0].effect == "contradicted"


def test_a_mitigated_major_risk_no_longer_holds_the_conclusion_down() -> None:
    rated = method(DENGBAO, "2025")
    controls = [msgspec.structs.replace(machine(i, "p"), bounds=None) for i in IDS]
    found = score(rated, controls, [risk("triggered")])
    assert (found.conclusion_low, found.conclusion_high) == ("基本符合", "基本符合")
    found = score(rated, controls, [risk("mitigated")])
    assert (found.conclusion_low, found.conclusion_high) == ("符合", "符合")


def test_the_assessment_takes_answers_of_its_own_system_and_standard() -> None:
    switch = Device(source="sw1", native_id="sw1", name="sw1", role="switch")
    snapshot = Snapshot.of_batches([Batch(resources=[switch])], datetime(2026, 11, 22, tzinfo=UTC))
    system = System(name="s", title="t", grade="S3A3", include=[Selector(sources=["*"])])
    control = next(c for c in DENGBAO.at_level(3) if c.automation == "manual")

    def verdict(**changes: Any) -> Verdict:
        held = [answer("pass", subject=control.id, **changes)]
        found = assess(system, DENGBAO, [], snapshot, answers=held)
        return next(c.verdict for c in found.controls if c.control.id == control.id)

    assert verdict() is PASS
    assert verdict(system="other") is UNKNOWN
    assert verdict(standard="miping") is UNKNOWN
    assert verdict(valid_until=date(2026, 11, 21)) is UNKNOWN
    before = assess(system, DENGBAO, [], snapshot).score
    after = assess(system, DENGBAO, [], snapshot, answers=[answer("pass", subject=control.id)]).score
    assert after.low > before.low
    assert after.coverage > before.coverage


EDITIONS = st.sampled_from(
    [
        ("2025", {"partial_credit": "0", "rate_places": "6"}),
        ("2025", {"partial_credit": "0.5", "basis": "item_object", "rate_places": "6"}),
        ("2021", {"multi_object": "ternary", "unit_places": "8", "score_places": "6"}),
        ("2021", {"multi_object": "mean", "unit_places": "8", "score_places": "6"}),
        ("2019", {"score_places": "6"}),
    ]
)
ROUNDING = Decimal("0.001")
TABLE = st.lists(
    st.tuples(st.text("phf?-+n", max_size=4), st.sampled_from([(), ("数据库",)])), min_size=1, max_size=6
)
CLAIMS = st.lists(
    st.tuples(
        st.integers(0, 5),
        st.sampled_from(["", "o0", "o1", "o2"]),
        st.sampled_from(["pass", "partial", "fail", "not_applicable"]),
    ),
    min_size=1,
    max_size=8,
)
Table = list[tuple[str, tuple[str, ...]]]
Claims = list[tuple[int, str, str]]


def spans(
    table: Table, claims: Claims, edition: str, parameters: dict[str, str]
) -> tuple[list[ControlVerdict], list[str], tuple[Decimal, Decimal]]:
    held = [answer(v, o, IDS[i], id=n) for n, (i, o, v) in enumerate(claims, 1)]
    people = People(current(held, "s", "dengbao"), TODAY)
    # the rest of the standard, as much of it seen as not, so that no denominator is empty
    rest = [machine(id_, "p" if n % 2 else "f") for n, id_ in enumerate(IDS[6:])]
    made = people.controls([machine(IDS[n], *row) for n, row in enumerate(table)] + rest)
    found = score(method(DENGBAO, edition, parameters), made)
    return made, [f"{u.effect} {u.why}" for u in people.uses()], (found.low, found.high)


@settings(max_examples=60)
@given(TABLE, CLAIMS, EDITIONS, st.data())
def test_more_answers_never_widen(table: Table, claims: Claims, edition: Any, data: st.DataObject) -> None:
    fewer = claims[: data.draw(st.integers(0, len(claims) - 1))]
    # only answers to what was not answered yet: a later answer replaces an earlier one, and one on an object
    # what the answer on the whole said of it
    given_ = {f[:2] for f in fewer}
    more = [c for c in claims[len(fewer) :] if c[:2] not in given_ and (c[0], "") not in given_]
    claims = fewer + more
    _, _, (low, high) = spans(table, fewer, *edition)
    _, uses, (more_low, more_high) = spans(table, claims, *edition)
    assert more_low <= more_high
    assert more_high <= high + ROUNDING
    if not any(STRICTER in use for use in uses):
        assert more_low >= low - ROUNDING


@settings(max_examples=60)
@given(TABLE, CLAIMS)
def test_no_answer_makes_a_failure_that_was_seen_a_pass(table: Table, claims: Claims) -> None:
    before, _, _ = spans(table, [], "2025", {})
    after, _, _ = spans(table, claims, "2025", {})
    for old, new in zip(before, after, strict=True):
        if old.verdict is not NA and bounds_of(old)[1] is not PASS:
            assert new.verdict is not PASS
            assert new.verdict is not NA
        for was, is_ in zip(old.objects, new.objects, strict=True):
            if was.verdict is not NA and bounds_of(was)[1] is not PASS:
                assert is_.verdict in (FAIL, PARTIAL)
