"""Capacity as metrics: base units, nothing claimed that nobody told, and few series."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families as parse_text

from exporters.capacity import FIGURES, UNITS, capacity_families
from exporters.exposition import FORBIDDEN_LABELS, Page
from inventory.coverage import Collection, Status
from inventory.kinds.compute import Flavor, Hypervisor, Server
from inventory.resource import Resource
from inventory.snapshot import Snapshot, SnapshotInfo
from inventory.usage import usage_of

Found = dict[str, dict[tuple[str, ...], float]]


def read(snapshot: Snapshot) -> Found:
    """Metric name without prefix → label values in order → value."""
    out: Found = {}
    for family in parse_text(Page(capacity_families(usage_of(snapshot))).body().decode()):
        for sample in family.samples:
            out.setdefault(sample.name.removeprefix("zhengguan_"), {})[*sample.labels.values()] = sample.value
    return out


@pytest.fixture
def found(planned: Snapshot) -> Found:
    return read(planned)


AZ_A = ("province-cloud", "hypervisor", "az-a", "aarch64", "省数据局")
AZ_B = ("province-cloud", "hypervisor", "az-b", "x86_64", "省数据局")


def test_figures_at_the_finest_grain_in_base_units(found: Found) -> None:
    assert found["capacity_vcpus"][AZ_A] == 128
    assert found["reserved_vcpus"][AZ_A] == 8
    assert found["schedulable_vcpus"][AZ_A] == 480
    assert found["allocated_memory_bytes"][AZ_A] == 300_000 * 2**20
    assert found["free_vcpus"][AZ_B] == 10  # the host that is down gives none
    pool = ("province-cloud", "storage_pool", "", "", "")
    assert found["used_storage_bytes"][pool] == 6100 * 2**30
    assert found["capacity_holders"][*AZ_A, "vcpu"] == 2
    assert found["compared_allocated_vcpus"][AZ_A] / found["compared_schedulable_vcpus"][AZ_A] == 0.5


def test_what_was_not_told_is_no_zero(found: Found) -> None:
    assert AZ_A not in found.get("used_memory_bytes", {})
    assert found["capacity_unseen"][*AZ_A, "memory_mib", "used"] == 2
    assert (*AZ_A, "vcpu", "used") not in found["capacity_unseen"]
    assert not any("city-cloud" in key for key in found["capacity_vcpus"])
    assert found["capacity_complete"]["city-cloud", "hypervisor"] == 0
    assert found["capacity_complete"]["province-cloud", "hypervisor"] == 1


def test_hosts_that_told_half_do_not_spoil_how_full_it_is() -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    old = Hypervisor(source="c", native_id="h", vcpus=8, vcpus_used=64, zone="z", cpu_architecture="x86_64")
    one = read(Snapshot(SnapshotInfo(id=1, taken_at=now), {"hypervisor": [old]}, []))
    place = ("c", "hypervisor", "z", "x86_64", "")
    assert one["allocated_vcpus"][place] == 64
    assert "compared_allocated_vcpus" not in one


def test_what_fits_who_has_it_and_what_is_idle(found: Found) -> None:
    assert found["largest_flavor_fits"] == {
        ("province-cloud", "az-a", "中"): 12,
        ("province-cloud", "az-c", "小"): 1,
    }
    assert found["largest_flavor_memory_bytes"]["province-cloud", "az-a", "中"] == 2**34
    office = ("province-cloud", "project", "省政务办")
    assert found["department_vcpus"][office] == 16
    assert found["department_storage_bytes"][office] == 2500 * 2**30
    assert found["department_servers"][office] == 2
    assert found["idle_resources"]["province-cloud", "省政务办", "volume_unattached"] == 1
    assert found["idle_storage_bytes"]["province-cloud", "省政务办", "volume_unattached"] == 2000 * 2**30
    assert found["idle_undecided"]["server_low_load",] == 2
    assert found["utilization_resources"]["province-cloud", "server", "cpu", "0-10%"] == 1
    assert found["utilization_resources"]["province-cloud", "server", "cpu", "60-80%"] == 1


def test_every_family_is_named_documented_and_labelled_safely(planned: Snapshot) -> None:
    page = (Path(__file__).parents[2] / "docs" / "metrics.md").read_text(encoding="utf-8")
    generated = {f"zhengguan_{figure}_{unit}" for figure in FIGURES for unit, _, _ in UNITS.values()}
    generated |= {
        f"zhengguan_compared_{side}_{u}"
        for side in ("allocated", "schedulable")
        for u, _, _ in UNITS.values()
    }
    for encoded in capacity_families(usage_of(planned)):
        family = encoded.family
        assert family.help.isascii()
        assert not set(family.labels) & FORBIDDEN_LABELS
        if family.name not in generated:
            assert f"| `{family.name}` | {', '.join(f'`{n}`' for n in family.labels)} |" in page
    for unit, _, _ in UNITS.values():
        assert f"`{unit}`" in page


def test_100_clouds_stay_under_their_share_of_the_page() -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    rows: list[Resource] = []
    for c in range(20):
        labels: Any = {"department": f"部门{c}"}
        rows += [Flavor(source=f"c{c}", native_id=f"f{n}", vcpus=2, memory_mib=4096 * n) for n in range(50)]
        rows += [
            Hypervisor(
                source=f"c{c}", native_id=f"h{n}", zone=f"az-{n % 3}", cpu_architecture=("x86_64", "aarch64")[n % 2],
                vcpus=64, memory_mib=262144, vcpus_used=10, memory_used_mib=1024, labels=labels,
            )
            for n in range(100)
        ]  # fmt: skip
        rows += [
            Server(
                source=f"c{c}",
                native_id=f"s{n}",
                status="SHUTOFF",
                vcpus=2,
                labels={"department": f"部门{n % 20}"},
            )
            for n in range(500)
        ]
    by_kind: dict[str, list[Resource]] = {}
    for row in rows:
        by_kind.setdefault(row.KIND, []).append(row)
    told = [
        Collection(source=s, kind=k, status=Status.COMPLETE, started_at=now, ended_at=now)
        for s, k in {(r.source, r.KIND) for r in rows}
    ]
    snapshot = Snapshot(SnapshotInfo(id=1, taken_at=now), by_kind, told)
    assert 1000 < Page(capacity_families(usage_of(snapshot))).series < 6000
