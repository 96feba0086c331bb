"""Shares over the inventory: their ranges by hand, targets by year, and what not seeing does to them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from textwrap import dedent
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inventory.answers import Answer
from inventory.coverage import Collection, Status
from inventory.kinds.address import Address
from inventory.kinds.compute import Hypervisor, Server
from inventory.kinds.virtual_network import FloatingIp, Network, Subnet
from inventory.resource import Relation, Resource
from inventory.selectors import Selector
from inventory.snapshot import Snapshot, SnapshotInfo
from inventory.systems import System
from inventory.unknown import UNKNOWN
from policies.assess import assess
from policies.assessment import Assessment, IndicatorValue
from policies.standards import StandardError, load_standard
from policies.verdict import Verdict

IPV6 = load_standard("ipv6")
EXTRANET = load_standard("extranet")
AT = datetime(2026, 5, 1, tzinfo=UTC)
V4 = Address(address="10.0.0.4", family="ipv4", scope="private")
V6 = Address(address="2001:db8::4", family="ipv6", scope="global")
LINK = Address(address="fe80::4", family="ipv6", scope="link")


def server(number: int, *addresses: Address, **fields: Any) -> Server:
    held: Any = {"status": "ACTIVE", "addresses": list(addresses), **fields}
    return Server(source="c", native_id=f"s{number}", name=f"s{number}", **held)


def snapshot(resources: Sequence[Resource], gaps: Sequence[str] = (), stale: Sequence[str] = ()) -> Snapshot:
    by_kind: dict[str, list[Resource]] = {}
    for resource in resources:
        by_kind.setdefault(resource.KIND, []).append(resource)
    collections = [
        Collection(
            source="c", kind=kind, status=Status.DENIED, started_at=AT, ended_at=AT, reason="只看到自己的项目"
        )
        for kind in gaps
    ]
    info = SnapshotInfo(id=1, taken_at=AT)
    return Snapshot(info, by_kind, collections, stale=dict.fromkeys(stale, AT))


def run(of: Snapshot, standard: Any = IPV6, **options: Any) -> Assessment:
    system = System(name="s", title="系统", grade="S3A3", include=[Selector(sources=["*"])], cloud="platform")
    return assess(system, standard, [], of, **options)


def value(assessment: Assessment, id_: str) -> IndicatorValue:
    return next(v for v in assessment.indicators if v.id == id_)


def verdict(assessment: Assessment, item: str) -> Verdict:
    return next(c.verdict for c in assessment.controls if c.control.cite == item)


def test_a_share_by_hand() -> None:
    # 6 running servers and a stopped one, which does not count:
    #   s1, s2, s3 have a global IPv6 address         → 3 yes
    #   s4 has link-local IPv6 alone, s5 IPv4 alone   → 2 no
    #   s6: addresses were not seen                   → 1 maybe
    # low (3 + 0) / 6 = 0.5, high (3 + 1) / 6 = 0.6667
    seen = [server(n, V4, V6) for n in (1, 2, 3)]
    seen += [server(4, V4, LINK), server(5, V4)]
    unseen = server(6, addresses=UNKNOWN)
    found = run(snapshot([*seen, unseen, server(7, V4, status="SHUTOFF")]))
    share = value(found, "V6-CLD-02")
    assert (share.low, share.high) == (Decimal("0.5"), Decimal("0.6667"))
    assert (share.met, share.short, share.open) == (3, 2, 1)
    # the best case, 66.67 %, is below the target of 90 %
    assert (share.target, share.verdict) == (Decimal("0.9"), Verdict.FAIL)
    assert verdict(found, "V6-CLD-02") is Verdict.FAIL
    assert "50.0%–66.7%" in share.reason


def test_what_may_not_count_at_all_widens_both_ends() -> None:
    # s1 counts and meets it; s2 may be stopped, and has no IPv6; s3 may be stopped, and has it
    # low 1 / 2 (s2 counts, s3 does not), high 2 / 2 (s3 counts, s2 does not)
    rows = [server(1, V6), server(2, V4, status=UNKNOWN), server(3, V6, status=UNKNOWN)]
    share = value(run(snapshot(rows)), "V6-CLD-02")
    assert (share.low, share.high) == (Decimal("0.5"), Decimal(1))
    # where nothing surely counts, it may be that there is nothing to take a share of
    share = value(run(snapshot(rows[2:])), "V6-CLD-02")
    assert (share.low, share.high, share.verdict) == (Decimal(0), Decimal(1), Verdict.UNKNOWN)


def test_the_target_decides_only_what_the_whole_range_is_on_one_side_of() -> None:
    mixed = snapshot([server(1, V6), server(2, addresses=UNKNOWN)])  # 50–100 %
    targets = {"ipv6/V6-CLD-02": {0: Decimal("0.5")}}
    for share, expected in (("0.5", Verdict.PASS), ("0.51", Verdict.UNKNOWN), ("1", Verdict.UNKNOWN)):
        targets["ipv6/V6-CLD-02"][0] = Decimal(share)
        assert verdict(run(mixed, targets=targets), "V6-CLD-02") is expected
    third = snapshot([server(1, V6), server(2, V4), server(3, V4)])
    targets["ipv6/V6-CLD-02"][0] = Decimal("0.3334")  # compared exactly, not as rounded to 33.33 %
    assert verdict(run(third, targets=targets), "V6-CLD-02") is Verdict.FAIL
    targets["ipv6/V6-CLD-02"][0] = Decimal("0.33333")
    assert verdict(run(third, targets=targets), "V6-CLD-02") is Verdict.PASS


def test_less_is_better_of_what_lies_idle() -> None:
    addresses = [
        FloatingIp(source="c", native_id=str(n), name=str(n), associated=n > 1) for n in range(1, 21)
    ]
    found = run(snapshot(addresses), EXTRANET)  # 1 of 20 unused = 5 %, the most that the default allows
    share = value(found, "CLD-LC-06-FIP")
    assert (share.low, share.high, share.better) == (Decimal("0.05"), Decimal("0.05"), "less")
    assert verdict(found, "CLD-LC-06-FIP") is Verdict.PASS
    addresses[5].associated = False
    assert verdict(run(snapshot(addresses), EXTRANET), "CLD-LC-06-FIP") is Verdict.FAIL
    addresses[5].associated = UNKNOWN
    assert verdict(run(snapshot(addresses), EXTRANET), "CLD-LC-06-FIP") is Verdict.UNKNOWN


def test_networks_are_counted_by_their_subnets() -> None:
    def subnet(number: int, network: str, family: Any) -> Subnet:
        edge = Relation("in_network", f"c/network/{network}")
        return Subnet(source="c", native_id=str(number), name="", family=family, relations=[edge])

    # a: v4 and v6 → yes; b: v4 alone → no; d: v4 and one not seen → maybe
    rows: list[Resource] = [Network(source="c", native_id=n, name=n) for n in "abd"]
    rows += [subnet(1, "a", "ipv4"), subnet(2, "a", "ipv6"), subnet(3, "b", "ipv4")]
    rows += [subnet(4, "d", "ipv4"), subnet(5, "d", UNKNOWN)]
    share = value(run(snapshot(rows)), "V6-CLD-01")
    assert (share.met, share.short, share.open) == (1, 1, 1)
    assert (share.low, share.high) == (Decimal("0.3333"), Decimal("0.6667"))


def test_what_cannot_be_identified_is_no_domestic_one_and_no_foreign_one() -> None:
    rows = [
        Hypervisor(source="c", native_id=o, name=o, cpu_origin=o)  # type: ignore[arg-type]
        for o in ("domestic", "foreign", "unidentified")
    ]
    share = value(run(snapshot(rows), EXTRANET), "XC-CPU-HYP")
    assert (share.met, share.short, share.open) == (1, 1, 1)
    assert (share.low, share.high) == (Decimal("0.3333"), Decimal("0.6667"))


def test_a_gap_may_hide_any_number() -> None:
    whole = [server(n, V6) for n in range(1, 11)]
    assert verdict(run(snapshot(whole)), "V6-CLD-02") is Verdict.PASS
    found = run(snapshot(whole, gaps=["server"]))
    share = value(found, "V6-CLD-02")
    assert (share.low, share.high, share.met) == (Decimal(0), Decimal(1), 10)
    assert verdict(found, "V6-CLD-02") is Verdict.UNKNOWN
    assert "只看到自己的项目" in share.reason


def test_what_is_stale_is_not_known_any_more() -> None:
    found = run(snapshot([server(1, V6), server(2, V4)], stale=["c/server/s1", "c/server/s2"]))
    share = value(found, "V6-CLD-02")
    assert (share.low, share.high) == (Decimal(0), Decimal(1))


def test_nothing_to_count_is_a_persons_to_explain() -> None:
    share = value(run(snapshot([])), "V6-CLD-02")
    assert (share.low, share.high, share.verdict) == (None, None, Verdict.UNKNOWN)
    assert "是否不适用需人工确认" in share.reason


def test_the_target_of_a_year_holds_until_the_next() -> None:
    def target(year: int) -> tuple[Any, int]:
        share = value(run(snapshot([]), today=date(year, 6, 1)), "V6-NET-05")
        return share.target, share.target_year

    assert target(2021) == (None, 0)
    assert target(2023) == (Decimal("0.15"), 2023)
    assert target(2030) == (Decimal("0.27"), 2025)
    own = {"ipv6/V6-NET-05": {2026: Decimal("0.3")}}
    share = value(run(snapshot([]), today=date(2026, 6, 1), targets=own), "V6-NET-05")
    assert (share.target, share.set_here) == (Decimal("0.3"), True)
    # what nothing computes stays open, whatever the target
    assert (share.verdict, share.low) == (Verdict.UNKNOWN, None)
    assert "还算不出来" in share.reason


def test_a_target_of_no_indicator_is_refused() -> None:
    with pytest.raises(ValueError, match=r"没有指标 ipv6/V6-CLD-20.*V6-CLD-0"):
        run(snapshot([]), targets={"ipv6/V6-CLD-20": {0: Decimal(1)}})
    assert run(snapshot([]), targets={"extranet/XC-NET": {0: Decimal(1)}}).indicators  # another standard's


def test_a_person_may_not_call_met_what_was_measured_short() -> None:
    def answered(verdict_: Any) -> Answer:
        return Answer(
            system="s", standard="ipv6", about="control", subject="ipv6/V6-CLD-02", verdict=verdict_,
            note="已改造", by="张三", answered_at=AT, valid_until=date(2027, 1, 1),
        )  # fmt: skip

    short = snapshot([server(1, V4)])
    assert verdict(run(short, answers=[answered("pass")]), "V6-CLD-02") is Verdict.FAIL
    open_ = snapshot([server(1, addresses=UNKNOWN)])
    assert verdict(run(open_, answers=[answered("pass")]), "V6-CLD-02") is Verdict.PASS
    met = snapshot([server(1, V6)])
    assert verdict(run(met, answers=[answered("fail")]), "V6-CLD-02") is Verdict.FAIL  # nobody is overruled


def test_these_standards_are_never_scored() -> None:
    for standard in (IPV6, EXTRANET):
        score: Any = run(snapshot([server(1, V6)]), standard).score
        assert (score.low, score.high, score.conclusion_low) == (None, None, "")
        assert 0 <= score.met_low <= score.met_high <= 1


SERVERS = st.lists(st.tuples(st.sampled_from(["ACTIVE", "SHUTOFF"]), st.booleans()), min_size=1, max_size=8)


@settings(max_examples=120)
@given(SERVERS, st.data())
def test_seeing_less_never_narrows_a_range(rows: list[tuple[str, bool]], data: st.DataObject) -> None:
    """Fields unseen, resources stale, resources hidden behind a collection that is not complete."""
    whole = [server(n, V6 if yes else V4, status=status) for n, (status, yes) in enumerate(rows)]
    before = run(snapshot(whole))
    less: list[Resource] = []
    stale, hidden = [], False
    for one in whole:
        match data.draw(st.sampled_from(["seen", "status", "addresses", "both", "stale", "hidden"])):
            case "status":
                less.append(msgspec.structs.replace(one, status=UNKNOWN))
            case "addresses":
                less.append(msgspec.structs.replace(one, addresses=UNKNOWN))
            case "both":
                less.append(msgspec.structs.replace(one, status=UNKNOWN, addresses=UNKNOWN))
            case "stale":
                less.append(one)
                stale.append(one.uid)
            case "hidden":
                hidden = True
            case _:
                less.append(one)
    after = run(snapshot(less, gaps=["server"] if hidden else [], stale=stale))
    old, new = value(before, "V6-CLD-02"), value(after, "V6-CLD-02")
    if old.low is not None and old.high is not None:
        assert new.low is not None
        assert new.high is not None
        assert new.low <= old.low
        assert new.high >= old.high
    first: Any = before.score
    second: Any = after.score
    assert second.met_low <= first.met_low
    assert second.met_high >= first.met_high


OWN = """\
    name: own-indicators
    title: 指标
    indicators:
    - id: A
      title: 甲
      item: X-1
      kind: server
      meets: it.status == "ACTIVE"
      targets: {2026: '0.5'}
    """
STANDARD = """\
    name: own
    title: 自己的
    points:
    - class: 类
      title: 点
      items:
      - {id: X-1, automation: technical-auto, objects: [vm], summary: 开机}
    """


@pytest.mark.parametrize(
    ("old", "new", "place", "said"),
    [
        ("item: X-1", "item: X-2", "6:9", "没有要求项 X-2"),
        ("kind: server", "kind: servr", "7:9", "没有资源类型 servr"),
        ("it.status", "it.statu", "8:13", "statu"),
        ("'0.5'", "'50'", "9:19", "0–1"),
        ('meets: it.status == "ACTIVE"\n', "needs: 别的\n", "4:3", "写 kind 和 meets"),
        ("targets: {2026: '0.5'}", "tagets: {}", "9:3", "tagets"),
        ('meets: it.status == "ACTIVE"', "measure: parityy", "8:12", "没有度量 parityy。是不是 parity"),
        ('meets: it.status == "ACTIVE"', "measure: parity", "7:9", "度量 parity 不看 server"),
        (
            'server\n  meets: it.status == "ACTIVE"',
            "host\n  measure: parity\n  by: part_of",
            "4:3",
            "写了 measure",
        ),
    ],
)
def test_a_wrong_indicator_is_refused_with_its_place(
    tmp_path: Path, old: str, new: str, place: str, said: str
) -> None:
    (tmp_path / "own.yaml").write_text(dedent(STANDARD), encoding="utf-8")
    path = tmp_path / "own-indicators.yaml"
    path.write_text(dedent(OWN).replace(old, new), encoding="utf-8")
    with pytest.raises(StandardError) as caught:
        load_standard("own", [tmp_path])
    assert str(caught.value).startswith(f"{path}:{place}")
    assert said in str(caught.value)


def test_an_indicator_twice_is_refused_with_both_places(tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text(dedent(STANDARD), encoding="utf-8")
    text = dedent(OWN)
    (tmp_path / "own-indicators.yaml").write_text(
        text + "- id: A\n  title: 乙\n  needs: x\n", encoding="utf-8"
    )
    with pytest.raises(StandardError, match=r"yaml:10:7: 指标 A 出现两次；另一处在 own-indicators.yaml:4:7"):
        load_standard("own", [tmp_path])
