"""Selectors and systems on a small estate."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from inventory.coverage import Batch, Collection, Status
from inventory.kinds.address import address_of
from inventory.kinds.cloud import Project
from inventory.kinds.cluster import Namespace, Workload
from inventory.kinds.compute import Server
from inventory.kinds.network import Device, Interface
from inventory.kinds.storage import Volume
from inventory.kinds.virtual_network import Port
from inventory.resource import Relation, Resource
from inventory.selectors import Selector, select
from inventory.snapshot import Snapshot
from inventory.systems import Grade, System

NOW = datetime(2026, 3, 1, tzinfo=UTC)
IN_P1 = [Relation("in_project", "云甲/project/p1")]

ESTATE: list[Resource] = [
    Project(source="云甲", native_id="p1", name="财政局-预算"),
    Project(source="云甲", native_id="p2", name="民政局"),
    Project(source="云甲", native_id="p3"),
    Server(
        source="云甲",
        native_id="s1",
        name="web-1",
        relations=IN_P1,
        labels={"zone": "互联网区", "department": "财政局"},
        addresses=[address_of("10.1.2.3", 24), address_of("2001:db8:1::5", 64)],
    ),
    Server(
        source="云甲",
        native_id="s2",
        name="db-1",
        relations=IN_P1,
        labels={"zone": "专用网络区"},
        addresses=[],
    ),
    Server(source="云乙", native_id="s3", relations=[Relation("in_project", "云甲/project/p2")]),
    Volume(source="云甲", native_id="v1", name="web-data", relations=IN_P1),
    Port(source="云甲", native_id="o1", addresses=[address_of("10.1.9.9")]),
    Namespace(source="群甲", native_id="finance", name="finance"),
    Workload(
        source="群甲",
        native_id="finance/Deployment/web",
        relations=[Relation("in_namespace", "群甲/namespace/finance")],
        labels={"app": "budget"},
    ),
    Workload(source="群甲", native_id="health/Deployment/web"),
    Namespace(source="群乙", native_id="finance", name="finance"),
    Device(source="sw-1", native_id="d", name="核心", management_address="10.1.2.250"),
    Interface(source="sw-1", native_id="d/1", name="Vlan1", addresses=[address_of("fe80::1%Vlan1")]),
]


@pytest.fixture(scope="module")
def snapshot() -> Snapshot:
    return Snapshot.of_batches([Batch(resources=list(ESTATE))], NOW)


def chosen(snapshot: Snapshot, *selectors: dict[str, Any]) -> list[str]:
    return [r.native_id for r in select(snapshot, [Selector(**s) for s in selectors])]


@pytest.mark.parametrize(
    ("selector", "expected"),
    [
        ({"sources": ["sw-*"]}, ["d", "d/1"]),
        ({"kinds": ["volume", "port"]}, ["o1", "v1"]),
        ({"names": ["web-*"]}, ["s1", "v1"]),
        ({"names": ["WEB-*"]}, []),
        ({"labels": {"zone": "互联网区"}}, ["s1"]),
        ({"labels": {"zone": "*网*", "department": "财政局"}}, ["s1"]),
        ({"labels": {"zone": "*"}, "kinds": ["server"]}, ["s3", "s1", "s2"]),
        ({"projects": ["财政局-*"]}, ["p1", "s1", "s2", "v1"]),
        ({"projects": ["p1"]}, ["p1", "s1", "s2", "v1"]),
        ({"projects": ["p2"]}, ["p2", "s3"]),
        ({"projects": ["p1"], "kinds": ["server"], "names": ["db-?"]}, ["s2"]),
        ({"namespaces": ["fin*"]}, ["finance", "finance", "finance/Deployment/web"]),
        ({"namespaces": ["finance"], "sources": ["群甲"]}, ["finance", "finance/Deployment/web"]),
        ({"namespaces": ["finance"], "labels": {"app": "*dget"}}, ["finance/Deployment/web"]),
        ({"namespaces": ["budget"]}, []),
        ({"addresses": ["10.1.2.0/24"]}, ["d", "s1"]),
        ({"addresses": ["10.1.2.99/16"]}, ["d", "o1", "s1"]),
        ({"addresses": ["2001:db8::/32"]}, ["s1"]),
        ({"addresses": ["fe80::/10"]}, ["d/1"]),
        ({"addresses": ["::/0"]}, ["d/1", "s1"]),
    ],
)
def test_conditions(snapshot: Snapshot, selector: dict[str, Any], expected: list[str]) -> None:
    assert chosen(snapshot, selector) == expected


def test_several_selectors_take_what_any_of_them_takes_once(snapshot: Snapshot) -> None:
    assert chosen(snapshot, {"names": ["web-*"]}, {"kinds": ["volume"]}) == ["s1", "v1"]
    assert chosen(snapshot) == []


def test_an_empty_selector_is_refused_and_not_everything() -> None:
    with pytest.raises(ValueError, match="选择条件为空"):
        Selector()


@pytest.mark.parametrize("prefix", ["10.1.2", "fe80::/200", "部门"])
def test_a_wrong_prefix_is_named(prefix: str) -> None:
    with pytest.raises(ValueError, match=prefix.partition("/")[0]):
        Selector(addresses=[prefix])


def test_a_typo_in_a_selector_is_an_error() -> None:
    with pytest.raises(msgspec.ValidationError, match="source"):
        msgspec.convert({"source": ["a"]}, Selector)


def test_an_address_no_machine_can_parse_matches_nothing_and_breaks_nothing() -> None:
    odd = Device(source="sw-2", native_id="x", management_address="核心.gov.cn")
    snapshot = Snapshot.of_batches([Batch(resources=[odd, *ESTATE])], NOW)
    assert chosen(snapshot, {"addresses": ["10.1.2.0/24"]}) == ["d", "s1"]


def system(**fields: Any) -> System:
    given = {"name": "budget", "title": "预算系统", "grade": "S3A2", "include": [Selector(projects=["p1"])]}
    return System(**(given | fields))


def test_a_system_is_what_it_includes_without_what_it_excludes(snapshot: Snapshot) -> None:
    assert [r.native_id for r in system().members(snapshot)] == ["p1", "s1", "s2", "v1"]
    without = system(exclude=[Selector(kinds=["volume"]), Selector(labels={"zone": "专用*"})])
    assert [r.native_id for r in without.members(snapshot)] == ["p1", "s1"]


@pytest.mark.parametrize(
    ("text", "s", "a", "g"), [("S3A3", 3, 3, 3), ("S2A3", 2, 3, 3), (" s4a1 ", 4, 1, 4), ("S1A1", 1, 1, 1)]
)
def test_grade(text: str, s: int, a: int, g: int) -> None:
    grade = Grade.parse(text)
    assert (grade.s, grade.a, grade.g) == (s, a, g)
    assert str(grade) == f"S{s}A{a}"


@pytest.mark.parametrize("text", ["", "S5A1", "S0A1", "A3S3", "S3", "S3A3G3", "三级"])
def test_a_grade_that_is_none_is_refused_where_it_is_written(text: str) -> None:
    with pytest.raises(ValueError, match="定级写作"):
        system(grade=text)


def test_snapshot_of_batches_is_sorted_and_fresh_only_where_complete() -> None:
    done = Collection(source="a", kind="server", status=Status.COMPLETE, started_at=NOW, ended_at=NOW)
    denied = Collection(source="a", kind="port", status=Status.DENIED, started_at=NOW, ended_at=NOW)
    rows = [Server(source="a", native_id=i) for i in "312"]
    snapshot = Snapshot.of_batches(
        [Batch(resources=rows, collections=[done]), Batch(collections=[denied])], NOW
    )
    assert [r.native_id for r in snapshot.of(Server)] == ["1", "2", "3"]
    assert snapshot.kinds() == ["server"]
    assert snapshot.of_kind("port") == []
    assert [c.kind for c in snapshot.collections] == ["port", "server"]
    assert snapshot.fresh == {("a", "server"): NOW}
    found = snapshot.get("a/server/2")
    assert found is not None
    assert found.native_id == "2"
    assert snapshot.get("a/server/9") is None
    assert len(snapshot) == 3
    assert Snapshot(snapshot.info, {"port": [], "server": rows}, []).kinds() == ["server"]
