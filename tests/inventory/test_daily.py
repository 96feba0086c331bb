"""Values of the day: what each run leaves behind, what it leaves alone, and stores from before."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from inventory.coverage import Batch, Collection, Status
from inventory.daily import UsageDay, day_of
from inventory.kinds.cloud import Project
from inventory.kinds.compute import Hypervisor, Server
from inventory.kinds.storage import Volume
from inventory.kinds.usage import Amount
from inventory.resource import Relation, Resource
from inventory.store import Store, open_store
from inventory.unknown import UNKNOWN
from inventory.usage import consumers

MORNING = datetime(2026, 11, 22, 1, tzinfo=UTC)  # 09:00 in Beijing
KINDS = ("hypervisor", "project", "server", "volume")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.db"


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    opened = open_store(str(path))
    yield opened
    opened.close()


def run(store: Store, at: datetime, *rows: Resource, source: str = "cloud", **status: Status) -> None:
    attempts = [
        Collection(
            source=source, kind=kind, status=status.get(kind, Status.COMPLETE), started_at=at, ended_at=at
        )
        for kind in KINDS
    ]
    with store.writer(at) as writer:
        writer.add(Batch(resources=list(rows), collections=attempts))


def host(vcpus: float, allocated: float, source: str = "cloud") -> Hypervisor:
    amounts = [Amount(of="vcpu", total=vcpus, reserved=0, ratio=2.0, allocated=allocated)]
    return Hypervisor(source=source, native_id="h", zone="az-a", cpu_architecture="aarch64", amounts=amounts)


def things(vcpus: int = 4) -> list[Resource]:
    mine = [Relation("in_project", "cloud/project/p")]
    department = {"department": "省数据局"}
    return [
        Project(source="cloud", native_id="p", name="门户", labels=department),
        Server(source="cloud", native_id="s", vcpus=vcpus, memory_mib=8192, relations=mine),
        Volume(source="cloud", native_id="v", size_gib=100, relations=mine),
    ]


def only(rows: list[UsageDay], **wanted: object) -> UsageDay:
    (row,) = [r for r in rows if all(getattr(r, k) == v for k, v in wanted.items())]
    return row


def test_a_run_leaves_the_values_of_its_day(store: Store) -> None:
    run(store, MORNING, host(64, 100), *things())
    rows = store.usage_days()
    assert {r.day for r in rows} == {date(2026, 11, 22)}
    whole = only(rows, holder="hypervisor", dimension="source", resource="vcpu")
    assert (whole.capacity, whole.schedulable, whole.allocated, whole.used) == (64, 128, 100, None)
    assert (whole.holders, whole.unknown, whole.complete, whole.key) == (1, 0, True, "")
    assert only(rows, dimension="zone", resource="vcpu").key == "az-a"
    assert only(rows, dimension="project", resource="memory_mib").allocated == 8192
    assert only(rows, dimension="department", resource="disk_gib") == UsageDay(
        day=date(2026, 11, 22), source="cloud", holder="project", dimension="department", key="省数据局",
        resource="disk_gib", capacity=None, schedulable=None, allocated=100, used=None, holders=1, unknown=0,
        complete=True,
    )  # fmt: skip


def test_the_last_run_of_a_day_wins_and_days_are_those_of_the_office(store: Store) -> None:
    run(store, MORNING, host(64, 100), *things())
    run(store, MORNING + timedelta(hours=14), host(64, 110), *things(vcpus=6))
    run(store, MORNING + timedelta(hours=16), host(64, 120), *things())  # 01:00 of the 23rd in Beijing
    rows = store.usage_days(holder="hypervisor", dimension="source", resource="vcpu")
    assert [(r.day.day, r.allocated) for r in rows] == [(22, 110), (23, 120)]
    (early, _) = store.usage_days(dimension="project", resource="vcpu")
    assert early.allocated == 6
    assert day_of(MORNING + timedelta(hours=16)) == date(2026, 11, 23)
    assert [r.day.day for r in store.usage_days(since=date(2026, 11, 23), dimension="zone")] == [23]


@pytest.mark.parametrize("how", [Status.DENIED, Status.FAILED, Status.UNSUPPORTED])
def test_what_a_run_could_not_read_leaves_the_morning_as_it_was(store: Store, how: Status) -> None:
    run(store, MORNING, host(64, 100), *things())
    before = store.usage_days()
    run(store, MORNING + timedelta(hours=1), *things(vcpus=5), hypervisor=how, volume=how)
    after = store.usage_days()
    assert only(after, dimension="project", resource="vcpu").allocated == 5
    kept = {"hypervisor": ("vcpu",), "project": ("disk_gib",)}
    for holder, resources in kept.items():
        for resource in resources:
            wanted = [r for r in before if (r.holder, r.resource) == (holder, resource)]
            assert [r for r in after if (r.holder, r.resource) == (holder, resource)] == wanted
    run(store, MORNING + timedelta(days=1), *things(), hypervisor=how)
    assert store.usage_days(since=date(2026, 11, 23), holder="hypervisor") == []  # a gap, not a zero


def test_a_partial_read_is_marked(store: Store) -> None:
    run(store, MORNING, host(64, 100), hypervisor=Status.PARTIAL)
    assert {r.complete for r in store.usage_days(holder="hypervisor")} == {False}


def test_another_source_of_the_day_is_left_alone(store: Store) -> None:
    run(store, MORNING, host(64, 100))
    run(store, MORNING + timedelta(hours=1), host(32, 5, source="other"), source="other")
    rows = store.usage_days(holder="hypervisor", dimension="source", resource="vcpu")
    assert [(r.source, r.allocated) for r in rows] == [("cloud", 100), ("other", 5)]
    assert store.usage_days(source="other", dimension="zone")[0].key == "az-a"


def test_a_run_that_fails_leaves_no_values(store: Store) -> None:
    def broken() -> None:
        with store.writer(MORNING) as writer:
            writer.add(Batch(resources=[host(1, 1)]))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        broken()
    assert store.usage_days() == []


def test_a_store_from_before_is_read_and_gets_the_table_with_its_next_run(store: Store, path: Path) -> None:
    run(store, MORNING, host(64, 100))
    with sqlite3.connect(path) as raw:
        raw.execute("DROP TABLE usage_day")
    raw.close()
    old = open_store(str(path), create=False)
    assert old.usage_days() == []
    assert len(old.snapshot()) == 1
    run(old, MORNING + timedelta(hours=1), host(64, 110))
    assert only(old.usage_days(), dimension="source", resource="vcpu").allocated == 110
    old.close()


def test_hostile_places_are_kept_as_text(store: Store) -> None:
    odd = Hypervisor(source="cloud", native_id="h", zone="az\0\ud800", amounts=[Amount(of="vcpu", total=1)])
    run(store, MORNING, odd)
    assert only(store.usage_days(), dimension="zone", resource="vcpu").key == "az\\x00\\ud800"


SERVERS = st.lists(
    st.tuples(st.integers(0, 5), st.sampled_from(["p", "q", ""]), st.sampled_from([None, 2, 4])), max_size=8
)
"""What one run shows, in this order: native id, project, processors. A server may come twice."""


@given(
    runs=st.lists(
        st.tuples(SERVERS, st.sampled_from([Status.COMPLETE, Status.PARTIAL]), st.booleans()),
        min_size=2,
        max_size=4,
    )
)
@example(  # one comes twice and another not at all, so that the number of rows alone tells nothing
    runs=[
        ([(0, "p", 2), (1, "p", 4)], Status.COMPLETE, True),
        ([(0, "p", 2), (0, "p", 4)], Status.PARTIAL, True),
    ]
)
@settings(max_examples=30)
def test_what_is_counted_as_it_goes_by_is_what_the_store_then_holds(
    runs: list[tuple[list[tuple[int, str, int | None]], Status, bool]],
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(str(Path(folder) / "store.db"))
        for turn, (shown, status, at_once) in enumerate(runs):
            at = MORNING + timedelta(days=turn)
            rows = [
                Server(
                    source="cloud",
                    native_id=f"s{number}",
                    vcpus=UNKNOWN if vcpus is None else vcpus,
                    relations=[Relation("in_project", f"cloud/project/{project}")] if project else [],
                )
                for number, project, vcpus in shown
            ]
            last = Collection(source="cloud", kind="server", status=status, started_at=at, ended_at=at)
            with store.writer(at) as writer:
                for batch in [rows] if at_once else [[row] for row in rows]:
                    writer.add(Batch(resources=list(batch)))
                writer.add(Batch(collections=[last]))
            held = [c for c in consumers(store.snapshot()) if c.vcpu.told or c.vcpu.unknown]
            kept = store.usage_days(since=day_of(at), dimension="project", resource="vcpu")
            assert [(k.key, k.allocated, k.unknown, k.holders) for k in kept] == [
                (c.uid.split("/", 2)[-1], c.vcpu.seen, c.vcpu.unknown, c.servers) for c in held
            ]
        store.close()
