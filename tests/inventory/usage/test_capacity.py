"""What there is: exact sums, and what may not be called a sum."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inventory.coverage import Batch, Collection, Status
from inventory.kinds.cluster import Node
from inventory.kinds.compute import Hypervisor
from inventory.kinds.storage import StoragePool
from inventory.kinds.usage import Amount
from inventory.kinds.virtual_network import Subnet
from inventory.snapshot import Snapshot, SnapshotInfo
from inventory.unknown import UNKNOWN
from inventory.usage import NOT_SEEN, Usage, capacity, summed

Compose = Callable[..., Snapshot]


def host(name: str, *amounts: Amount, source: str = "cloud", **more: Any) -> Hypervisor:
    more.setdefault("state", "up")
    more.setdefault("enabled", True)
    return Hypervisor(source=source, native_id=name, name=name, amounts=list(amounts), **more)


def amount(of: str, total: float, reserved: float, ratio: float, allocated: float, **more: Any) -> Amount:
    return Amount(of=of, total=total, reserved=reserved, ratio=ratio, allocated=allocated, **more)  # type: ignore[arg-type]


def row(rows: list[Usage], dimension: str, key: str, resource: str) -> Usage:
    (found,) = [r for r in rows if (r.dimension, r.key, r.resource) == (dimension, key, resource)]
    return found


def test_the_formula_of_what_may_be_promised(compose: Compose) -> None:
    rows = capacity(
        compose(
            host("a", amount("vcpu", 64, 4, 4.0, 100, used=12), zone="az-a"),
            host("b", amount("vcpu", 32, 0, 2.0, 70), zone="az-b"),
        )
    )
    whole = row(rows, "source", "", "vcpu")
    assert (whole.holders, whole.complete) == (2, True)
    assert whole.capacity.value == 96
    assert whole.reserved.value == 4
    assert whole.schedulable.value == 60 * 4 + 32 * 2
    assert whole.allocated.value == 170
    assert whole.free.value == 140  # b is over-promised by 6: that takes nothing from a
    assert (whole.ratio_low, whole.ratio_high) == (2.0, 4.0)
    assert whole.promised.ratio == 170 / 304
    assert (whole.used.value, whole.used.unknown, whole.load.ratio) == (12, 1, 12 / 64)
    assert whole.exact("allocated")
    assert not whole.exact("used")
    assert row(rows, "zone", "az-b", "vcpu").promised.ratio == 70 / 64


def test_without_amounts_the_older_fields_count_and_the_ratio_is_not_made_up(compose: Compose) -> None:
    old = Hypervisor(
        source="cloud", native_id="h", vcpus=64, vcpus_used=40, memory_mib=1024, memory_used_mib=512
    )
    rows = capacity(compose(old))
    cpu = row(rows, "source", "", "vcpu")
    assert (cpu.capacity.value, cpu.allocated.value) == (64, 40)
    assert (cpu.schedulable.seen, cpu.free.seen, cpu.promised.ratio, cpu.ratio_low) == (None,) * 4
    assert (cpu.schedulable.unknown, cpu.reserved.unknown) == (1, 1)
    assert cpu.physical.ratio == 40 / 64
    disk = row(rows, "source", "", "disk_gib")
    assert (disk.capacity.seen, disk.capacity.unknown, disk.holders) == (None, 1, 1)
    assert row(rows, "zone", NOT_SEEN, "vcpu").holders == 1


@pytest.mark.parametrize("how", [Status.DENIED, Status.FAILED, Status.PARTIAL])
def test_a_kind_that_was_not_seen_is_no_zero(compose: Compose, how: Status) -> None:
    rows = capacity(compose(status={("cloud", "hypervisor"): how}))
    assert {r.resource for r in rows} == {"vcpu", "memory_mib", "disk_gib"}
    for one in rows:
        assert (one.holders, one.complete, one.capacity.seen) == (0, False, None)


def test_a_cloud_without_block_storage_has_none(compose: Compose) -> None:
    assert capacity(compose(status={("cloud", "storage_pool"): Status.UNSUPPORTED})) == []


def test_a_partial_collection_makes_every_sum_at_least(compose: Compose) -> None:
    snapshot = compose(
        host("a", amount("vcpu", 8, 0, 1, 4), zone="z"), status={("cloud", "hypervisor"): Status.PARTIAL}
    )
    rows = capacity(snapshot)
    assert rows
    assert not any(r.exact("capacity") for r in rows)


def test_stale_rows_are_told(compose: Compose) -> None:
    fresh = compose(host("a", amount("vcpu", 8, 0, 1, 4)))
    at = fresh.info.taken_at
    stale = Snapshot(
        SnapshotInfo(id=1, taken_at=at),
        {"hypervisor": fresh.of_kind("hypervisor")},
        fresh.collections,
        {"cloud/hypervisor/a": at},
    )
    one = row(capacity(stale), "source", "", "vcpu")
    assert (one.stale, one.exact("capacity")) == (1, False)


def test_closed_hosts_have_nothing_to_give(compose: Compose) -> None:
    snapshot = compose(
        host("down", amount("vcpu", 8, 0, 1, 2), state="down"),
        host("off", amount("vcpu", 8, 0, 1, 2), enabled=False),
        host("up", amount("vcpu", 8, 0, 1, 2)),
        Node(
            source="k8s", native_id="n", ready=None, schedulable=True, amounts=[amount("pod", 110, 0, 1, 10)]
        ),
    )
    rows = capacity(snapshot)
    (cpu,) = [r for r in rows if r.source == "cloud" and r.dimension == "source"]
    assert (cpu.capacity.value, cpu.schedulable.value, cpu.free.value, cpu.closed) == (24, 24, 6, 2)
    (pods,) = [r for r in rows if r.source == "k8s" and r.dimension == "source"]
    assert (pods.free.value, pods.closed) == (0, 1)


def test_clouds_clusters_and_storage_stay_apart(compose: Compose) -> None:
    rows = capacity(
        compose(
            host("a", amount("vcpu", 8, 0, 1, 2), amount("disk_gib", 100, 0, 1, 50)),
            Node(source="cloud", native_id="n", amounts=[amount("vcpu", 4, 1, 1, 2)]),
            StoragePool(source="cloud", native_id="p", amounts=[amount("disk_gib", 1000, 0, 1, 10)]),
        )
    )
    found = {(r.holder, r.resource): r.capacity.value for r in rows if r.dimension == "source"}
    assert found == {
        ("hypervisor", "vcpu"): 8,
        ("hypervisor", "disk_gib"): 100,
        ("node", "vcpu"): 4,
        ("storage_pool", "disk_gib"): 1000,
    }


def test_addresses_without_those_that_do_not_run_out(compose: Compose) -> None:
    rows = capacity(
        compose(
            Subnet(source="c", native_id="4", family="ipv4", amounts=[amount("floating_ip", 250, 0, 1, 200)]),
            Subnet(source="c", native_id="6", family="ipv6", amounts=[amount("address", 2**64, 0, 1, 5)]),
            Subnet(source="c", native_id="u", family="ipv4"),
        )
    )
    found = {r.resource: (r.capacity.seen, r.capacity.unknown) for r in rows if r.dimension == "source"}
    assert found == {"floating_ip": (250, 0), "address": (None, 1)}


def test_a_host_in_two_aggregates_stands_in_both(compose: Compose) -> None:
    rows = capacity(compose(host("a", amount("vcpu", 8, 0, 1, 2), aggregates=["gpu", "信创"])))
    assert {r.key for r in rows if r.dimension == "aggregate"} == {"gpu", "信创"}


def seen(value: Any) -> Any:
    """None stands for what was not told: a strategy cannot hold UNKNOWN, which refuses to be hashed."""
    return UNKNOWN if value is None else value


whole_numbers = st.integers(0, 10_000).map(float)
maybe = st.one_of(st.none(), whole_numbers)
hosts = st.lists(
    st.builds(
        lambda n, source, zone, department, parts, state: Hypervisor(
            source=source,
            native_id=str(n),
            zone=UNKNOWN if zone == "" else zone,
            labels={"department": department} if department else {},
            cpu_architecture="x86_64" if n % 2 else "aarch64",
            state=seen(state),
            amounts=[
                Amount(
                    of="vcpu",
                    total=seen(parts[0]),
                    reserved=seen(parts[1]),
                    ratio=seen(parts[2]),
                    allocated=seen(parts[3]),
                    used=seen(parts[4]),
                )
            ],
        ),
        st.integers(0, 10**9),
        st.sampled_from(["c1", "c2"]),
        st.sampled_from(["az-a", "az-b", None, ""]),
        st.sampled_from(["省数据局", "省财政厅", ""]),
        st.tuples(maybe, maybe, st.sampled_from([None, 1.0, 2.0, 16.0]), maybe, maybe),
        st.sampled_from(["up", "down", None]),
    ),
    max_size=12,
)
FIGURES = ("capacity", "reserved", "schedulable", "allocated", "used", "free")


def snapshot_of(rows: list[Hypervisor]) -> Snapshot:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    told = [
        Collection(source=s, kind="hypervisor", status=Status.COMPLETE, started_at=at, ended_at=at)
        for s in ("c1", "c2")
    ]
    return Snapshot.of_batches([Batch(resources=list(rows), collections=told)], at)


@settings(max_examples=80)
@given(hosts)
def test_partitions_add_up_to_the_whole(rows: list[Hypervisor]) -> None:
    found = [r for r in capacity(snapshot_of(rows)) if r.resource == "vcpu"]
    (whole,) = summed((r for r in found if r.dimension == "source"), by=lambda r: "") or [None]
    for dimension in ("zone", "architecture", "department"):
        (parts,) = summed((r for r in found if r.dimension == dimension), by=lambda r: "") or [None]
        assert (whole is None) == (parts is None)
        if whole is not None and parts is not None:
            assert parts.holders == whole.holders
            for name in FIGURES:
                assert getattr(parts, name) == getattr(whole, name)


@settings(max_examples=80)
@given(hosts)
def test_those_who_do_not_tell_never_shrink_what_is_there_at_least(rows: list[Hypervisor]) -> None:
    silent = Hypervisor(source="c1", native_id="silent", zone="az-a", cpu_architecture="x86_64", state="up")
    before = {(r.source, r.dimension, r.key): r for r in capacity(snapshot_of(rows)) if r.resource == "vcpu"}
    after = {
        (r.source, r.dimension, r.key): r
        for r in capacity(snapshot_of([*rows, silent]))
        if r.resource == "vcpu"
    }
    for place, old in before.items():
        for name in FIGURES:
            assert getattr(after[place], name).value == getattr(old, name).value
    place = ("c1", "source", "")
    assert after[place].holders == (before[place].holders if place in before else 0) + 1
    assert not after[place].exact("capacity")


def test_adding_up_leaves_the_rows_as_they_were(compose: Compose) -> None:
    rows = capacity(
        compose(host("a", amount("vcpu", 8, 0, 1, 2), source="x"), host("b", amount("vcpu", 4, 0, 1, 2)))
    )
    found = [r for r in rows if r.dimension == "source"]
    (whole,) = summed(found, by=lambda r: r.resource)
    assert whole.capacity.value == 12
    assert [r.capacity.value for r in found] == [4, 8]
