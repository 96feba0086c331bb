"""Readiness by system, department and level: a worked example, and what hidden resources do to it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inventory.coverage import Collection, Status
from inventory.kinds.address import address_of
from inventory.kinds.cloud import Project
from inventory.kinds.compute import Server
from inventory.kinds.host import Host, Listener
from inventory.kinds.virtual_network import SecurityGroup, SecurityGroupRule
from inventory.resource import Relation, Resource
from inventory.selectors import Selector
from inventory.snapshot import Snapshot, SnapshotInfo
from inventory.systems import System
from inventory.unknown import UNKNOWN
from policies.assessment import IndicatorValue
from policies.ipv6.readiness import Group, Readiness, missing_to_target, readiness
from policies.standards import load_standard
from policies.verdict import Verdict

INDICATORS = load_standard("ipv6").indicators
AT = datetime(2026, 5, 1, tzinfo=UTC)
SIX, FOUR = address_of("fd00::1", 64), address_of("10.0.0.1", 24)
PORTAL = System(
    name="portal",
    title="门户",
    grade="S3A3",
    include=[Selector(projects=["p1"])],
    department="市文旅局",
    importance="关键",
)
OFFICE = System(
    name="office", title="办公", grade="S2A2", include=[Selector(projects=["p2"])], department="市政务办"
)
LABELS = {"cloud": {"department": "市大数据局", "level": "市"}, "county": {"level": "县"}}


def server(name: str, project: str, *, six: Any = True, source: str = "cloud", **more: Any) -> Server:
    addresses = UNKNOWN if six is UNKNOWN else [FOUR, SIX] if six else [FOUR]
    held: dict[str, Any] = {"status": "ACTIVE", "addresses": addresses, **more}
    return Server(
        source=source, native_id=name, name=name, labels=dict(LABELS[source]),
        relations=[Relation("in_project", f"{source}/project/{project}")], **held,
    )  # fmt: skip


def estate() -> list[Resource]:
    """Cloud: portal has 3 servers (2 with IPv6), office 2 (none, one not seen), 1 of nobody; county: 1."""
    rule = {"direction": "ingress", "protocol": "tcp", "port_min": 22, "port_max": 22, "remote_group": None}
    rules = [
        SecurityGroupRule(family="ipv4", remote="10.0.0.0/8", **rule),  # type: ignore[arg-type]
        SecurityGroupRule(family="ipv6", remote="::/0", **rule),  # type: ignore[arg-type]
    ]
    return [
        *(Project(source="cloud", native_id=p, name=p) for p in ("p1", "p2", "p3")),
        server("a1", "p1"), server("a2", "p1"), server("a3", "p1", six=False),
        server("b1", "p2", six=False), server("b2", "p2", six=UNKNOWN),
        server("c1", "p3"),
        server("d1", "p1", six=False, source="county"),
        SecurityGroup(
            source="cloud", native_id="g", name="=cmd()", rules=rules, in_use=True,
            relations=[Relation("in_project", "cloud/project/p2")],
        ),
        Host(source="cloud", native_id="h", name="web-01", ipv6_enabled=True, firewall_families=[]),
        Listener(
            source="cloud", native_id="h/443", name="tcp 0.0.0.0:443", protocol="tcp", port=443, family="ipv4",
            loopback=False, program="nginx", relations=[Relation("runs_on", "cloud/host/h")],
        ),
    ]  # fmt: skip


def snapshot(rows: Sequence[Resource], denied: Sequence[tuple[str, str]] = (), at: datetime = AT) -> Snapshot:
    by_kind: dict[str, list[Resource]] = {}
    for row in rows:
        by_kind.setdefault(row.KIND, []).append(row)
    collections = [
        Collection(source=s, kind=k, status=Status.DENIED, started_at=at, ended_at=at, reason="没有权限")
        for s, k in denied
    ]
    return Snapshot(SnapshotInfo(id=1, taken_at=at), by_kind, collections)


def told(of: Snapshot, **more: Any) -> Readiness:
    options: dict[str, Any] = {"year": 2026, "targets": {}, "source_labels": LABELS, **more}
    return readiness(INDICATORS, of, [PORTAL, OFFICE], **options)


def group(readiness_: Readiness, of: str, name: str) -> Group:
    return next(g for g in readiness_.groups if (g.of, g.name) == (of, name))


def value(of: Group, id_: str) -> IndicatorValue:
    return next(v for v in of.values if v.id == id_)


def span(of: Group, id_: str = "V6-CLD-02") -> tuple[Decimal | None, Decimal | None]:
    return value(of, id_).low, value(of, id_).high


def test_shares_by_hand() -> None:
    # servers with IPv6, by whom:
    #   whole: a1 a2 c1 yes; a3 b1 d1 no; b2 not seen      → 3/7 = 0.4286 to 4/7 = 0.5714
    #   portal: a1 a2 of a1 a2 a3                           → 2/3 = 0.6667
    #   office: b1 no, b2 not seen                          → 0/2 to 1/2
    #   市文旅局 is portal's, 市政务办 office's
    #   市大数据局: label of all six of the cloud: a1 a2 c1  → 3/6 to 4/6
    #   市: the same six; 县: d1                            → 0/1
    found = told(snapshot(estate()))
    assert [(g.of, g.name) for g in found.groups] == [
        ("whole", ""), ("system", "portal"), ("system", "office"),
        ("department", "市大数据局"), ("department", "市政务办"), ("department", "市文旅局"),
        ("level", "县"), ("level", "市"),
    ]  # fmt: skip
    assert span(found.whole) == (Decimal("0.4286"), Decimal("0.5714"))
    assert span(group(found, "system", "portal")) == (Decimal("0.6667"), Decimal("0.6667"))
    assert span(group(found, "system", "office")) == (0, Decimal("0.5"))
    assert span(group(found, "department", "市文旅局")) == (Decimal("0.6667"), Decimal("0.6667"))
    assert span(group(found, "department", "市大数据局")) == (Decimal("0.5"), Decimal("0.6667"))
    assert span(group(found, "level", "市")) == (Decimal("0.5"), Decimal("0.6667"))
    assert span(group(found, "level", "县")) == (0, 0)


def test_what_is_missing_to_the_target() -> None:
    # 3 of 7 meet it, 0.9 × 7 = 6.3 → 7 must: 4 more; of 0.5: 3.5 → 4: 1 more
    found = told(snapshot(estate()))
    assert missing_to_target(value(found.whole, "V6-CLD-02")) == 4
    half = told(snapshot(estate()), targets={"ipv6/V6-CLD-02": {2026: Decimal("0.5")}})
    assert missing_to_target(value(half.whole, "V6-CLD-02")) == 1
    assert value(half.whole, "V6-CLD-02").verdict is Verdict.UNKNOWN  # 0.4286 to 0.5714
    past = told(snapshot(estate()), year=2025, targets={"ipv6/V6-CLD-02": {2026: Decimal("0.5")}})
    assert value(past.whole, "V6-CLD-02").target is None  # not yet in force
    with pytest.raises(ValueError, match="没有指标 ipv6/V6-CLD-20"):
        told(snapshot(estate()), targets={"ipv6/V6-CLD-20": {0: Decimal(1)}})


def test_what_stands_in_the_way_is_named() -> None:
    found = told(snapshot(estate()))
    servers = [o for o in found.obstacles if o.indicator == "V6-CLD-02"]
    # those of the weightiest system first; b2 was not seen, and is no obstacle
    assert [(o.name, o.systems, o.department, o.weight, o.home) for o in servers] == [
        ("a3", ("门户",), "市文旅局", "关键", "p1"),
        ("b1", ("办公",), "市政务办", "一般", "p2"),
        ("d1", (), "", "", ""),  # its project was not seen
    ]
    (socket,) = [o for o in found.obstacles if o.indicator == "HOST-LISTEN"]
    assert (socket.name, socket.detail) == ("web-01 的 tcp 0.0.0.0:443", "tcp 443（nginx） 只在 IPv4 上监听")
    (gap,) = found.gaps
    assert (gap.name, gap.detail, gap.systems) == ("=cmd()", "入方向的来源限制", ("办公",))
    assert [s.value.id for s in found.steps] == ["PARITY", "V6-CLD-02", "HOST-LISTEN"]
    # a3 b1 d1 and the socket break without IPv4; b2 may, and the host whose time and log servers nobody saw
    assert (found.whole.breaking, found.whole.may_break) == (4, 3)


def test_one_system_alone() -> None:
    found = told(snapshot(estate()), only=PORTAL)
    assert [(g.of, g.name, g.resources) for g in found.groups] == [("system", "portal", 4)]
    assert {o.name for o in found.obstacles} == {"a3"}
    assert (found.title, found.gaps) == ("门户", [])


def test_a_source_that_was_not_read_leaves_open_whom_it_may_hide() -> None:
    found = told(snapshot(estate(), denied=[("county", "server")]))
    assert span(found.whole) == (0, 1)
    assert span(group(found, "level", "县")) == (0, 1)
    assert span(group(found, "level", "市")) == (
        Decimal("0.5"),
        Decimal("0.6667"),
    )  # the cloud was read whole
    assert span(group(found, "system", "portal")) == (Decimal("0.6667"), Decimal("0.6667"))
    # what is hidden in the cloud may be a system's, and so its department's
    cloud = told(snapshot(estate(), denied=[("cloud", "server")]))
    assert span(group(cloud, "department", "市文旅局")) == (0, 1)
    assert span(group(cloud, "level", "县")) == (0, 0)
    dark = told(snapshot([], denied=[("county", "server")]))
    assert [(g.of, g.name) for g in dark.groups if g.of == "level"] == [
        ("level", "县")
    ]  # nothing seen, not nothing there


def test_what_is_known_to_be_in_the_way_of_all_cannot_be_hidden_away() -> None:
    # all devices must, one surely does not: however many more there are, it is missed
    off = Host(source="cloud", native_id="off", name="off", ipv6_enabled=False)
    missed = value(told(snapshot([off], denied=[("cloud", "host")])).whole, "HOST-V6")
    assert (missed.low, missed.high, missed.verdict) == (0, 1, Verdict.FAIL)
    on = msgspec.structs.replace(off, ipv6_enabled=True)
    assert value(told(snapshot([on], denied=[("cloud", "host")])).whole, "HOST-V6").verdict is Verdict.UNKNOWN


def test_the_trend() -> None:
    rows = estate()
    before = [r for r in rows if r.native_id not in ("a2", "c1")]
    found = told(snapshot(rows), earlier=[snapshot(before, at=AT - timedelta(days=30))])
    (point,) = found.trend
    assert point.shares["V6-CLD-02"] == (Decimal("0.2"), Decimal("0.4"))  # a1 of a1 a3 b1 b2 d1


SERVERS = [r for r in estate() if isinstance(r, Server)]


@given(st.sets(st.integers(0, len(SERVERS) - 1)), st.sets(st.integers(0, len(SERVERS) - 1)), st.booleans())
@settings(max_examples=40, deadline=None)
def test_seeing_less_never_narrows(first: set[int], more: set[int], hidden: bool) -> None:
    def seen(blind: set[int], denied: bool) -> Readiness:
        rows: list[Resource] = [r for r in estate() if not isinstance(r, Server)]
        rows += [
            msgspec.structs.replace(one, addresses=UNKNOWN, status=UNKNOWN) if i in blind else one
            for i, one in enumerate(SERVERS)
        ]
        return told(snapshot(rows, denied=[("cloud", "server")] if denied else []))

    some, less = seen(first, denied=False), seen(first | more, hidden)
    for a, b in zip(some.groups, less.groups, strict=True):
        for x, y in zip(a.values, b.values, strict=True):
            if x.low is None or x.high is None:
                continue
            assert y.low is not None
            assert y.high is not None
            assert y.low <= x.low <= x.high <= y.high, (a.name, x.id)
            assert y.verdict in (x.verdict, Verdict.UNKNOWN)
