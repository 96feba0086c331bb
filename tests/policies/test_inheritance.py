"""Inheriting from the cloud platform's own report: what it closes, what it never hides, when it ends."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inventory.answers import Answer
from inventory.coverage import Batch
from inventory.kinds.network import Device
from inventory.selectors import Selector
from inventory.snapshot import Snapshot
from inventory.systems import PlatformReport, Responsibilities, ServiceModel, System
from policies.assess import assess
from policies.assessment import Assessment, ControlVerdict
from policies.inheritance import inheritance_line
from policies.outcome import ControlLinks, Examples, Outcome, Rule
from policies.standards import load_standard
from policies.verdict import Finding, Unseen, Verdict

WHOLE = load_standard("dengbao")
# a rule made up here decides BOUNDARY for devices, in place of those that do
DENGBAO = msgspec.structs.replace(
    WHOLE, decisions={k: v for k, v in WHOLE.decisions.items() if k != "dengbao/8.1.3.2.a"}
)
AT = datetime(2026, 5, 1, 8, tzinfo=UTC)
PASS, FAIL, PARTIAL, UNKNOWN = Verdict.PASS, Verdict.FAIL, Verdict.PARTIAL, Verdict.UNKNOWN

SITE = "dengbao/8.1.1.1.a"  # manual, site
ZONES = "dengbao/8.1.2.1.c"  # technical-evidence: network, network_device, cloud_platform
BOUNDARY = "dengbao/8.1.3.2.a"  # technical-auto: network_device, security_device, cloud_platform
SWITCHES = [Device(source=n, native_id=n, name=n, role="switch") for n in ("sw1", "sw2")]


def report(**changes: Any) -> PlatformReport:
    fields: dict[str, Any] = {
        "report": "PT-2026-01",
        "platform": "市政务云",
        "grade": "S3A3",
        "valid_until": date(2027, 1, 31),
        "items": ["8.1.1", "8.1.2.1.c", "8.1.3.2.a"],
        **changes,
    }
    return PlatformReport(**fields)


def outcome(link: str, id_: str, answers: str, number: int = 0) -> Outcome:
    """A rule on the switches; one letter for each: p(ass), f(ail), u(nknown), n(ot applicable)."""
    rule = Rule(
        id=f"r{number}", title="规则", title_en="r", kind="device", severity="high", violates="True", evidence=[],
        message="m", why="w", fix="f", controls=ControlLinks(**{link: [id_]}),
        examples=Examples(bad=[], good=[], unknown=[]),
    )  # fmt: skip
    at = {letter: [i for i, a in enumerate(answers) if a == letter] for letter in "fun"}
    told: dict[str, Any] = {"rule": rule.id, "kind": "device"}
    return Outcome(
        rule=rule,
        resources=SWITCHES,
        failed=at["f"],
        unknown=at["u"],
        excluded=at["n"],
        findings=[
            Finding(
                **told, severity="high", uid=SWITCHES[i].uid, source=SWITCHES[i].source, name="", message="m",
                fix="f", controls=(id_,), evidence={},
            )
            for i in at["f"]
        ],
        unseen=[
            Unseen(**told, uid=SWITCHES[i].uid, source=SWITCHES[i].source, missing="配置") for i in at["u"]
        ],
        gaps=[],
    )  # fmt: skip


def run(
    outcomes: Sequence[Outcome] = (), platform: PlatformReport | None = None, **options: Any
) -> Assessment:
    system = System(
        name="s",
        title="系统",
        grade=options.pop("grade", "S3A3"),
        include=[Selector(sources=["*"])],
        cloud="tenant",
        platform=platform,
        service_model=options.pop("model", None),
        responsibilities=options.pop("split", Responsibilities()),
        absent_objects=["security_device", "cloud_platform", "network"],
    )
    snapshot = Snapshot.of_batches([Batch(resources=list(SWITCHES))], AT)
    return assess(system, DENGBAO, outcomes, snapshot, **options)


def control(assessment: Assessment, id_: str) -> ControlVerdict:
    return next(c for c in assessment.controls if c.control.id == id_)


def seen(found: ControlVerdict) -> ControlVerdict:
    """What was found, without who answers for it."""
    return msgspec.structs.replace(found, duty=None, reason="")


def test_what_is_the_platforms_and_open_is_inherited() -> None:
    without, found = run(), run(platform=report())
    site = control(found, SITE)
    assert (site.verdict, site.origin) == (PASS, "inherited")
    assert site.reason == "继承云平台测评结论：符合（市政务云 PT-2026-01，S3A3，有效至 2027-01-31）"
    assert control(without, SITE).verdict is UNKNOWN
    taken = found.inheritance.taken if found.inheritance else ()
    third = [c for c in DENGBAO.at_level(3) if c.part == "general"]
    assert [t for t in taken if t.startswith("dengbao/8.1.1.")] == [
        c.id for c in third if c.id.startswith("dengbao/8.1.1.")
    ]
    # everything else is as it was
    others = {c.control.id: c for c in without.controls if c.control.id not in taken}
    assert {c.control.id: c for c in found.controls if c.control.id in others} == others
    assert found.score.low is not None
    assert without.score.low is not None
    assert found.score.low > without.score.low
    assert found.score.high == without.score.high


@pytest.mark.parametrize(
    ("answers", "verdict", "origin"),
    [
        ("pp", PASS, "auto"),  # the tenant's own was seen
        ("nn", PASS, "inherited"),  # nothing of the tenant's is concerned
        ("fp", PARTIAL, "auto"),
        ("ff", FAIL, "auto"),
        ("fu", FAIL, "auto"),
        ("pu", UNKNOWN, "none"),  # what was not seen might be a failure
        ("uu", UNKNOWN, "none"),
    ],
)
def test_what_was_seen_of_the_tenant_stands(answers: str, verdict: Verdict, origin: str) -> None:
    outcomes = [outcome("decides", BOUNDARY, answers)]
    found = control(run(outcomes, report()), BOUNDARY)
    assert (found.verdict, found.origin) == (verdict, origin)
    if origin != "inherited":
        assert seen(found) == seen(control(run(outcomes), BOUNDARY))


def test_what_the_report_says_is_not_met_is_not_met_here() -> None:
    told = report(partial=["8.1.1.1.a", "8.1.3.2.a"], failed=["8.1.1.2"])
    found = run([outcome("decides", BOUNDARY, "pp")], told)
    assert control(found, SITE).verdict is PARTIAL
    assert control(found, "dengbao/8.1.1.2.a").verdict is FAIL
    boundary = control(found, BOUNDARY)
    assert (boundary.verdict, boundary.origin) == (PARTIAL, "inherited")
    assert "本系统：" in boundary.reason
    assert control(run([outcome("decides", BOUNDARY, "ff")], told), BOUNDARY).verdict is FAIL


def test_a_person_who_says_otherwise_is_not_overruled() -> None:
    said = Answer(
        system="s", standard="dengbao", about="control", subject=SITE, verdict="fail", note="漏水", by="张三",
        answered_at=AT, valid_until=date(2027, 1, 1),
    )  # fmt: skip
    found = control(run(platform=report(), answers=[said]), SITE)
    assert (found.verdict, found.origin) == (FAIL, "person")


@pytest.mark.parametrize(
    ("changes", "state", "said"),
    [
        ({"valid_until": date(2026, 4, 30)}, "expired", "有效期至 2026-04-30，已过 1 天，不再继承"),
        ({"grade": "S2A2"}, "lower_grade", "平台定级 S2A2 低于本系统 S3A3，不能继承"),
    ],
)
def test_an_expired_or_lower_report_gives_nothing_and_says_so(
    changes: dict[str, Any], state: str, said: str
) -> None:
    found, without = run(platform=report(**changes)), run()
    assert [seen(c) for c in found.controls] == [seen(c) for c in without.controls]
    assert found.score == without.score
    assert found.inheritance is not None
    assert (found.inheritance.state, found.inheritance.taken) == (state, ())
    assert said in inheritance_line(found.inheritance)


def test_the_last_day_still_counts_and_is_warned_of() -> None:
    found = run(platform=report(valid_until=date(2026, 5, 1))).inheritance
    assert found is not None
    assert (found.state, found.days_left, found.expiring) == ("in_force", 0, True)
    assert "还有 0 天到期" in inheritance_line(found)


def test_parts_of_a_grade_are_inherited_at_their_own_level() -> None:
    """A platform S2A3 is of level 3, but its S items were assessed at level 2."""
    found = run(platform=report(grade="S2A3", items=["8.1.1", "8.1.4"]))
    assert found.inheritance is not None
    sag = {c.control.id: c.control.sag for c in found.controls}
    assert {sag[id_] for id_ in found.inheritance.weaker} == {"S"}
    assert "S" not in {sag[id_] for id_ in found.inheritance.taken}
    assert control(found, SITE).verdict is PASS
    assert "不继承" in inheritance_line(found.inheritance)


def test_a_clause_of_another_level_is_told() -> None:
    found = run(platform=report(items=["7.1.1", "8.1.1.1.a", "8.1.1.1"])).inheritance
    assert found is not None
    assert found.unmatched == ("7.1.1",)
    assert found.taken == (SITE, "dengbao/8.1.1.1.b")  # 8.1.1.1 is not 8.1.1.10


def test_a_tenant_of_level_3_by_hand() -> None:
    # S3A3 tenant: 211 general and 46 cloud items = 257, nothing seen of its own, nothing declared absent.
    # The platform's report covers 8.1.1 (安全物理环境, 22 items): 19 符合, 2 部分符合, 1 不符合.
    # 2025, 符合率 = 符合 / applicable; 部分符合 counts 0:
    #   low      19 / 257 =  7.392996… →  7.39 %
    #   high     (257 − 2 − 1) / 257 = 254 / 257 = 98.832684… → 98.83 %
    #   coverage 22 / 257 = 0.085603… → 0.0856
    told = report(items=["8.1.1"], partial=["8.1.1.1.a", "8.1.1.1.b"], failed=["8.1.1.2"])
    tenant = System(
        name="s", title="系统", grade="S3A3", include=[Selector(sources=["*"])], cloud="tenant", platform=told
    )
    found = assess(tenant, DENGBAO, [], Snapshot.of_batches([], AT))
    score: Any = found.score
    assert (score.low, score.high) == (Decimal("7.39"), Decimal("98.83"))
    assert score.coverage == Decimal("0.0856")
    assert [found.count(v) for v in (PASS, PARTIAL, FAIL, UNKNOWN)] == [19, 2, 1, 235]
    # the day after it ends, everything is open again
    after = assess(tenant, DENGBAO, [], Snapshot.of_batches([], AT), today=date(2027, 2, 1))
    ended: Any = after.score
    assert (ended.low, ended.high, ended.coverage) == (Decimal("0.00"), Decimal("100.00"), Decimal("0.0000"))


def test_it_clears_no_high_risk_of_the_tenants() -> None:
    def states(found: Assessment) -> dict[str, str]:
        return {r.case: r.state for r in found.high_risks}

    outcomes = [outcome("decides", BOUNDARY, "nn")]
    assert states(run(outcomes, report())) == states(run(outcomes))


def test_only_a_tenant_inherits() -> None:
    with pytest.raises(ValueError, match="cloud: tenant"):
        msgspec.convert(
            {
                "name": "s", "title": "s", "grade": "S3A3", "include": [{"sources": ["*"]}], "cloud": "none",
                "platform": {"report": "r", "grade": "S3A3", "valid_until": "2027-01-31", "items": ["8.1.1"]},
            },
            System,
        )  # fmt: skip


TABLE = st.lists(
    st.tuples(
        st.sampled_from(["decides", "supports"]),
        st.sampled_from([BOUNDARY, ZONES, SITE, "dengbao/8.1.2.1.a"]),
        st.text("pfun", min_size=2, max_size=2),
    ),
    min_size=1,
    max_size=5,
)
REPORTS = st.builds(
    report,
    items=st.lists(st.sampled_from(["8.1.1", "8.1.2", "8.1.2.1.c", "8.1.3.2.a"]), min_size=1, max_size=3),
    partial=st.lists(st.sampled_from(["8.1.2.1.c", "8.1.1.1"]), max_size=1),
    failed=st.lists(st.sampled_from(["8.1.2.1.a", "8.1.3"]), max_size=1),
)
Table = list[tuple[str, str, str]]


def of(table: Table) -> list[Outcome]:
    return [outcome(link, id_, answers, number) for number, (link, id_, answers) in enumerate(table)]


SPLITS = st.builds(
    lambda clauses, whose: Responsibilities(**{w: [c] for c, w in zip(clauses, whose, strict=True)}),
    st.permutations(["8.1.1", "8.1.2.1.c", "8.1.3"]),
    st.permutations(["provider", "customer", "both"]),
)
MODELS = st.sampled_from([None, "iaas", "paas", "saas"])


@settings(max_examples=80)
@given(TABLE, REPORTS, st.booleans(), SPLITS, MODELS)
def test_it_never_hides_a_failure_of_the_tenants_own(
    table: Table, told: PlatformReport, all_: bool, split: Responsibilities, model: ServiceModel | None
) -> None:
    if all_:
        told = msgspec.structs.replace(told, items=[*told.items, "provider"])
    without = run(of(table))
    found = run(of(table), told, split=split, model=model)
    rank = {FAIL: 0, PARTIAL: 1, UNKNOWN: 2, PASS: 3, Verdict.NOT_APPLICABLE: 3}
    for before, after in zip(without.controls, found.controls, strict=True):
        if before.verdict in (FAIL, PARTIAL):
            assert rank[after.verdict] <= rank[before.verdict]
        assert after.objects == before.objects  # and each object stays as it was seen
        if any(v in (FAIL, PARTIAL) for o in before.objects for v in o.checks.values()):
            assert after.verdict is not PASS
    assert found.findings == without.findings
    assert found.high_risks == without.high_risks


EDITIONS = st.sampled_from(
    [
        ("2025", {"rate_places": "6"}),
        ("2025", {"rate_places": "6", "basis": "item_object", "partial_credit": "0.5"}),
        ("2021", {"unit_places": "8", "score_places": "6"}),
        ("2019", {"score_places": "6"}),
    ]
)


def span(table: Table, told: PlatformReport, edition: Any) -> tuple[Decimal, Decimal]:
    score: Any = run(of(table), told, edition=edition[0], parameters=edition[1]).score
    assert score.low <= score.high
    return score.low, score.high


@settings(max_examples=80)
@given(TABLE, REPORTS, EDITIONS, st.data())
def test_seeing_less_never_narrows_the_range(
    table: Table, told: PlatformReport, edition: Any, data: st.DataObject
) -> None:
    low, high = span(table, told, edition)
    blind = [
        (link, id_, "".join("u" if a in "pf" and data.draw(st.booleans()) else a for a in answers))
        for link, id_, answers in table
    ]
    less_low, less_high = span(blind, told, edition)
    assert less_low <= low
    assert less_high >= high
