"""Answers of a real Ceph, by way of a real Prometheus: the copies of a cloud's data, and what is not told."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from collectors.contract import Run, Source
from collectors.prometheus import Options, collect, probe
from collectors.prometheus.ceph import CephOptions
from collectors.prometheus.load_queries import LoadOptions
from collectors.things import Thing
from inventory.coverage import Batch, Collection, Status
from inventory.kinds.cloud import Cloud
from inventory.kinds.load import ReplicatedPool
from inventory.selectors import Selector
from inventory.snapshot import Snapshot
from inventory.systems import System
from inventory.unknown import UNKNOWN
from policies.assess import assess
from policies.evaluate import evaluate
from policies.rules import load_rules
from policies.standards import load_standard

pytestmark = pytest.mark.lab
DATA = Path(__file__).parents[2] / "data" / "prometheus" / "ceph"
STATES = ("healthy", "thin", "degraded")
CLOUD = Cloud(source="gov", native_id="gov", name="gov")
THINGS = [Thing(CLOUD.uid, "gov", "cloud", "gov", ("gov",)), Thing("x/cloud/x", "x", "cloud", "x")]
NOW = datetime(2026, 11, 23, tzinfo=UTC)
RULES = load_rules()


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory, scraping: Callable[..., Any]) -> Iterator[str]:
    exporters = {state: gzip.decompress((DATA / f"{state}.txt.gz").read_bytes()) for state in STATES}
    with scraping(tmp_path_factory.mktemp("ceph"), exporters) as base:
        yield base


def gather(url: str, *ceph: CephOptions) -> tuple[dict[str, ReplicatedPool], list[Collection], list[Batch]]:
    """Pools by name, of what the last batch tells."""
    options = Options(url=url, presets=[], load=LoadOptions(days=0), ceph=list(ceph))
    wanted = Source(name="prom", type="prometheus", options=options, labels={"level": "省"})
    batches = list(collect(wanted, Run(wanted, things=lambda: THINGS)))
    rows = [row for batch in batches for row in batch.resources if isinstance(row, ReplicatedPool)]
    pools = {str(row.name): row for row in rows}
    assert len(pools) == len(rows)
    return pools, [c for b in batches for c in b.collections if c.kind == "replicated_pool"], batches


def ceph(state: str, **more: Any) -> CephOptions:
    return CephOptions(cloud="gov", labels={"job": state}, **{"everything": True} | more)


def test_pools_are_told_as_they_were(url: str) -> None:
    pools, (told,), _ = gather(url, ceph("healthy"))
    assert told.status is Status.COMPLETE, told
    assert set(pools) == {"volumes", "vms", "backups", "device_health_metrics"}
    volumes, backups = pools["volumes"], pools["backups"]
    assert (volumes.protection, volumes.copies, volumes.coding_chunks) == ("replicated", 3, None)
    assert (backups.protection, backups.copies) == ("erasure", None)
    assert (backups.data_chunks, backups.coding_chunks) == (2, 2)
    assert (volumes.placement_groups, volumes.groups_active, volumes.groups_degraded) == (8, 8, 0)
    assert (volumes.groups_undersized, volumes.groups_inconsistent, volumes.groups_unfound) == (0, 0, 0)
    assert (volumes.cluster_health, volumes.holds_everything) == ("ok", True)
    assert volumes.related("part_of") == [CLOUD.uid]
    assert volumes.labels == {"level": "省"}


def test_few_copies_and_missing_copies_are_seen(url: str) -> None:
    thin, _, _ = gather(url, ceph("thin"))
    assert {name: pool.copies for name, pool in thin.items() if pool.protection == "replicated"} == {
        "volumes": 3, "vms": 3, "device_health_metrics": 3, "scratch": 1, "images": 2,
    }  # fmt: skip
    degraded, _, _ = gather(url, ceph("degraded"))
    images = degraded["images"]
    assert (images.copies, images.groups_degraded, images.groups_undersized) == (3, 0, 32)
    assert (degraded["volumes"].groups_degraded, degraded["volumes"].cluster_health) == (3, "warning")


def verdict(url: str, *ceph: CephOptions) -> dict[str, str]:
    """How the cloud stands to 8.2.4.6.c, and each rule's finding on its pools."""
    seen = Collection(
        source="gov", kind="cloud", status=Status.COMPLETE, started_at=NOW, ended_at=NOW, count=1
    )
    own = Batch(resources=[CLOUD], collections=[seen])
    batches = gather(url, *ceph)[2] if ceph else []
    snapshot = Snapshot.of_batches([own, *batches], NOW)
    outcomes = evaluate(RULES, snapshot, now=NOW)
    system = System(name="s", title="云", grade="S3A3", cloud="platform", include=[Selector(sources=["gov"])])
    done = assess(system, load_standard("dengbao"), outcomes, snapshot)
    (control,) = [c for c in done.controls if c.control.id == "dengbao/8.2.4.6.c"]
    (one,) = [o for o in control.objects if o.asset == CLOUD.uid]
    return {"": str(one.verdict.value)} | {rule: str(found.value) for rule, found in one.checks.items()}


def test_a_cloud_is_decided_by_the_storage_that_holds_all_its_data(url: str) -> None:
    assert verdict(url) == {"": "unknown"}
    assert verdict(url, ceph("healthy")) == {
        "": "pass",
        "replicated-pool-copies": "pass",
        "replicated-pool-degraded": "pass",
        "replicated-pool-inconsistent": "pass",
    }
    assert verdict(url, ceph("healthy", everything=False))[""] == "unknown"
    thin = verdict(url, ceph("thin"))
    assert (thin["replicated-pool-copies"], thin["replicated-pool-degraded"]) == ("partial", "pass")
    assert thin[""] == "partial"
    degraded = verdict(url, ceph("degraded"))
    assert (degraded["replicated-pool-copies"], degraded["replicated-pool-degraded"]) == ("pass", "fail")
    assert degraded[""] in ("partial", "fail")


def test_several_cephs_are_not_mixed(url: str) -> None:
    pools, (told,), _ = gather(url, CephOptions(cloud="gov", everything=True))
    assert pools == {}
    assert told.status is Status.PARTIAL
    assert told.reason == "有 3 个 Ceph 的序列，分不清是哪一个，没有猜"
    assert "labels" in told.remedy


def test_what_is_not_there_is_said(url: str) -> None:
    pools, (told,), _ = gather(url, ceph("none"))
    assert (pools, told.status) == ({}, Status.UNSUPPORTED)
    pools, (told,), _ = gather(url, CephOptions(cloud="other"))
    assert (pools, told.status, told.reason) == ({}, Status.PARTIAL, "没有来源 other 的云平台")
    _, both, _ = gather(url, ceph("healthy"), ceph("none"))
    assert [c.scope for c in both] == ["gov,job=healthy", "gov,job=none"]


def test_doctor_counts_pools(url: str) -> None:
    options = Options(url=url, presets=[], load=LoadOptions(days=0), ceph=[ceph("thin"), ceph("none")])
    wanted = Source(name="prom", type="prometheus", options=options)
    told = {a.subject: (a.ok, a.detail) for a in probe(wanted, Run(wanted))}
    assert told["ceph gov,job=thin"] == (True, "6 条序列")
    assert told["ceph gov,job=none"] == (None, "没有数据")


@pytest.mark.parametrize(
    ("metric", "field"),
    [("ceph_pg_degraded", "groups_degraded"), ("ceph_pg_backfill_unfound", "groups_unfound")],
)
def test_a_metric_that_is_not_there_stays_unknown(
    metric: str, field: str, tmp_path: Path, scraping: Callable[..., Any]
) -> None:
    whole = gzip.decompress((DATA / "healthy.txt.gz").read_bytes()).splitlines(keepends=True)
    left = b"".join(line for line in whole if not line.startswith(metric.encode()))
    with scraping(tmp_path, {"healthy": left}, "") as base:
        pools, _, _ = gather(base, ceph("healthy"))
        assert getattr(pools["volumes"], field) is UNKNOWN
        found = verdict(base, ceph("healthy"))
    assert (found[""], found["replicated-pool-degraded"]) == ("unknown", "unknown")


def test_labels_are_matched_to_the_letter() -> None:
    text = CephOptions(cloud="gov", labels={"job": 'a"} or vector(1) #', "x": "云"}).of("m")
    assert text.count('"') == 4
    assert "vector(1)" not in text
    with pytest.raises(ValueError, match="不是标签名"):
        CephOptions(cloud="gov", labels={'a="b",c': "d"})
