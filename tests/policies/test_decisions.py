"""Requirements that several rules decide together: all of them, or nobody."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inventory.coverage import Batch, Collection, Status
from inventory.kinds.host import Account, Host, Listener
from inventory.resource import Relation, Resource
from inventory.selectors import Selector
from inventory.snapshot import Snapshot
from inventory.systems import System
from policies.assess import assess
from policies.assessment import ObjectVerdict
from policies.bounds import bounds_of
from policies.decisions import Decision, by_control, sides_of
from policies.outcome import ControlLinks, Examples, Outcome, Rule
from policies.standards import StandardError, load_standard
from policies.verdict import Verdict

DENGBAO = load_standard("dengbao")
AT = datetime(2026, 5, 1, 8, tzinfo=UTC)
PASS, FAIL, PARTIAL = Verdict.PASS, Verdict.FAIL, Verdict.PARTIAL
UNKNOWN, NA = Verdict.UNKNOWN, Verdict.NOT_APPLICABLE
PASSWORDS = "dengbao/8.1.4.1.a"  # technical-auto

HOST = Host(source="web1", native_id="web1", name="web1")
ACCOUNT = Account(source="web1", native_id="web1/a", relations=[Relation("runs_on", HOST.uid)])
LISTENER = Listener(source="web1", native_id="web1/tcp/22", relations=[Relation("runs_on", HOST.uid)])
RESOURCES: Mapping[str, Resource] = {"host": HOST, "account": ACCOUNT, "listener": LISTENER}
KINDS = {"long": "host", "used": "account", "open": "listener"}
STANDARD = msgspec.structs.replace(
    DENGBAO,
    decisions=by_control(
        [Decision(item=PASSWORDS, by={"host": tuple(KINDS)}, left="口令由谁保管")], DENGBAO.same
    ),
)
SYSTEM = System(name="s", title="系统", grade="S3A3", include=[Selector(sources=["*"])])


def outcome(id_: str, kind: str, answer: str) -> Outcome:
    """``answer``: p(ass), f(ail), u(nknown), n(ot applicable), "-" = there is no such resource."""
    rows = [] if answer == "-" else [RESOURCES[kind]]
    at = {letter: [0] if answer == letter else [] for letter in "fun"}
    rule = Rule(
        id=id_,
        title=id_,
        title_en=id_,
        kind=kind,
        severity="high",
        violates="True",
        evidence=[],
        message="m",
        why="w",
        fix="f",
        controls=ControlLinks(supports=[PASSWORDS]),
        examples=Examples(bad=[], good=[], unknown=[]),
    )
    return Outcome(
        rule=rule,
        resources=rows,
        failed=at["f"],
        unknown=at["u"],
        excluded=at["n"],
        findings=[],
        unseen=[],
        gaps=[],
    )


def judged(answers: str, whole: Sequence[str] = ("account", "listener"), **more: str) -> ObjectVerdict:
    """The host, under the control; one letter for each deciding rule, "." = the rule was not run."""
    outcomes = [outcome(id_, KINDS[id_], a) for id_, a in zip(KINDS, answers, strict=True) if a != "."]
    outcomes += [outcome(id_, "host", a) for id_, a in more.items()]
    resources: dict[str, Resource] = {HOST.uid: HOST}
    resources |= {r.uid: r for o in outcomes for r in o.resources}
    collections = [
        Collection(source="web1", kind=kind, status=Status.COMPLETE, started_at=AT, ended_at=AT)
        for kind in whole
    ]
    batch = Batch(resources=list(resources.values()), collections=collections)
    assessment = assess(SYSTEM, STANDARD, outcomes, Snapshot.of_batches([batch], AT))
    control = next(c for c in assessment.controls if c.control.id == PASSWORDS)
    (found,) = control.objects
    return found


@pytest.mark.parametrize(
    ("answers", "verdict"),
    [
        ("ppp", PASS),  # every part is met
        ("pup", UNKNOWN),  # a part was not seen
        ("pfp", PARTIAL),
        ("fff", FAIL),
        ("ffu", FAIL),  # whatever the third is, nothing complied so far and not all can
        ("pfu", PARTIAL),
        ("pnp", PASS),  # what does not apply asks for nothing
        ("nnn", NA),
        ("pp.", UNKNOWN),  # a rule that decides a part was not run: nothing is decided
        (".p.", UNKNOWN),
        ("f..", FAIL),  # but a fault is a fault
        ("pp-", PASS),  # nothing listens, and all sockets were seen
        ("p-p", UNKNOWN),  # there is no machine without an account: nobody saw them
    ],
)
def test_all_parts_together_decide(answers: str, verdict: Verdict) -> None:
    assert judged(answers).verdict is verdict


def test_that_nothing_is_there_counts_only_where_all_was_seen() -> None:
    assert judged("pp-", whole=("account",)).verdict is UNKNOWN
    assert judged("pp-", whole=("account",)).reason == "没有看到：监听端口"
    assert judged("pp.").reason == "没有运行的规则：open"


def test_a_host_is_concerned_by_its_own_scope_and_the_whole_source() -> None:
    hosts = [Host(source="dc", native_id=n, scope=n) for n in ("10.0.0.1", "10.0.0.2")]
    whole = Host(source="dc", native_id="x")

    def told(scope: str, kind: str, status: Status) -> Collection:
        return Collection(source="dc", scope=scope, kind=kind, status=status, started_at=AT, ended_at=AT)

    collections = [
        told("10.0.0.1", "listener", Status.COMPLETE),
        told("10.0.0.2", "listener", Status.DENIED),
        told("", "account", Status.COMPLETE),
        told("", "route", Status.PARTIAL),
        told("10.0.0.1", "route", Status.COMPLETE),
    ]
    snapshot = Snapshot.of_batches([Batch(resources=[*hosts, whole], collections=collections)], AT)
    sides = sides_of([*(h.uid for h in hosts), whole.uid, hosts[0].uid], snapshot)
    assert [sorted(side.whole) for side in sides[:3]] == [["account", "listener"], ["account"], ["account"]]
    assert sides[3] is sides[0]


def test_other_rules_on_the_requirement_still_count() -> None:
    assert judged("ppp", extra="f").verdict is PARTIAL
    assert judged("ppp", extra="u").verdict is UNKNOWN
    assert judged("ppp", extra="p").verdict is PASS
    assert judged("...", extra="p").verdict is UNKNOWN


def test_what_is_left_to_a_person_is_said() -> None:
    decided = msgspec.structs.replace(STANDARD.decisions[PASSWORDS], by={})
    standard = msgspec.structs.replace(STANDARD, decisions={PASSWORDS: decided})
    batch = Batch(resources=[HOST])
    found = assess(SYSTEM, standard, [outcome("long", "host", "p")], Snapshot.of_batches([batch], AT))
    control = next(c for c in found.controls if c.control.id == PASSWORDS)
    assert control.objects[0].reason == "机器可见部分符合；待人工确认：口令由谁保管"


_RANK = [FAIL, PARTIAL, PASS]


@settings(max_examples=60)
@given(st.text("pfun-.", min_size=3, max_size=3), st.integers(0, 2), st.booleans())
def test_seeing_less_never_narrows_and_mending_never_lowers(answers: str, place: int, run: bool) -> None:
    before = judged(answers)
    if before.verdict is NA:
        return
    worse, better = map(_RANK.index, bounds_of(before))
    less = judged(answers[:place] + ("u" if run else ".") + answers[place + 1 :])
    if answers[place] in "pf" and less.verdict is not NA and less.checks:
        low, high = map(_RANK.index, bounds_of(less))
        assert low <= worse or not run
        assert high >= better or not run
        assert less.verdict is not PASS
    if answers[place] == "f":
        mended = judged(answers[:place] + "p" + answers[place + 1 :])
        low, high = map(_RANK.index, bounds_of(mended))
        assert low >= worse
        assert high >= better


@pytest.mark.parametrize(
    ("decisions", "problem"),
    [
        ([{"item": "dengbao/8.9.9.9.a", "by": {"host": ["a"]}}], "没有要求项 dengbao/8.9.9.9.a"),
        ([{"item": PASSWORDS}, {"item": "dengbao/7.1.4.1.a"}], "dengbao/7.1.4.1.a 出现两次"),
        ([{"item": PASSWORDS, "by": {"host": ["a"]}, "unseen": {"host": "看不到"}}], "同时在 by 和 unseen"),
        ([{"item": PASSWORDS, "by": {"host": []}}], "by.host 是空的"),
    ],
)
def test_a_wrong_decision_is_refused(decisions: list[dict[str, Any]], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        by_control([msgspec.convert(d, Decision) for d in decisions], DENGBAO.same)


def test_a_users_standard_may_have_its_own(tmp_path: Path) -> None:
    item = '{at: {3: "1.1"}, automation: technical-auto, objects: [server], summary: 甲}'
    (tmp_path / "mine.yaml").write_text(
        f"name: mine\ntitle: 甲\npoints:\n- {{part: general, class: 乙, title: 丙, sag: G, items: [{item}]}}\n"
    )
    decisions = tmp_path / "mine-decisions.yaml"
    decisions.write_text("name: mine\ntitle: 甲\ndecisions:\n- {item: mine/1.1.a, by: {host: [a]}}\n")
    assert load_standard("mine", [tmp_path]).decisions["mine/1.1.a"].by == {"host": ("a",)}
    (tmp_path / "other").mkdir()
    for path in (tmp_path / "mine.yaml", decisions):
        (tmp_path / "other" / path.name).write_text(path.read_text().replace("1.1.a", "9.9.a"))
    with pytest.raises(StandardError, match=r"mine-decisions\.yaml: 没有要求项 mine/9\.9\.a"):
        load_standard("mine", [tmp_path / "other"])
