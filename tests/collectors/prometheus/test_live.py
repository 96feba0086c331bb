"""A real Prometheus (Debian package) with a day of samples put in by promtool, behind the built-in queries."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest

from collectors.contract import Run, Source
from collectors.prometheus import Options, collect, probe
from collectors.things import Thing
from inventory.coverage import Batch, Collection, Status
from inventory.kinds.management import MonitoringSystem
from inventory.kinds.usage import Utilization
from inventory.unknown import Unknown

pytestmark = pytest.mark.lab
A, B, C = (f"{n}f6b6310-cf50-443a-8499-a383b9bbc51c" for n in "abc")
THINGS = [
    Thing(f"cloud/server/{A}", "cloud", "server", A, ("portal",)),
    Thing(f"cloud/server/{B}", "cloud", "server", B),
    Thing("cloud/hypervisor/7", "cloud", "hypervisor", "7", ("cn-01.gov.cn",)),
    Thing("k8s/node/n1", "k8s", "node", "n1", ("worker-1",)),
    Thing("k8s/workload/web/Deployment/portal", "k8s", "workload", "web/Deployment/portal"),
    Thing("k8s/workload/web/Pod/naked", "k8s", "workload", "web/Pod/naked"),
    Thing("k8s/workload/kube-system/DaemonSet/proxy", "k8s", "workload", "kube-system/DaemonSet/proxy"),
]
MINUTES = 26 * 60
Sample = tuple[str, float]


def busy(minute: int) -> float:
    """Share of its processors that server A uses: a tenth, and nine tenths in one hour of the day."""
    return 0.9 if MINUTES - 600 <= minute < MINUTES - 540 else 0.1


def samples() -> Iterator[tuple[int, list[Sample]]]:
    """(minute, series and values): counters start at zero."""
    spent = {A: 0.0, B: 0.0}
    for minute in range(MINUTES):
        spent[A] += 60 * 4 * busy(minute)
        spent[B] += 60 * 2 * 0.5
        yield minute, [*_guests(spent), *_nodes(minute), *_pods(minute)]


def _guests(spent: dict[str, float]) -> Iterable[Sample]:
    for domain, uuid, cpus in (("instance-1", A, 4), ("instance-2", C, 1)):
        labels = f'instance="cn-01:9177",domain="{domain}"'
        yield f"libvirt_domain_info_cpu_time_seconds_total{{{labels}}}", spent.get(uuid, 0.0)
        yield f"libvirt_domain_info_virtual_cpus{{{labels}}}", cpus
        yield f'libvirt_domain_info_meta{{{labels},uuid="{uuid}"}}', 1
        yield f"libvirt_domain_memory_stats_used_percent{{{labels}}}", 25
    labels = 'instance="cn-02:9177",domain="instance-3"'  # an exporter that does not tell the id
    yield f"libvirt_domain_info_cpu_time_seconds_total{{{labels}}}", spent[B]
    yield f"libvirt_domain_info_virtual_cpus{{{labels}}}", 2
    yield f'openstack_nova_server_status{{uuid="{B}",instance_libvirt="instance-3",status="ACTIVE"}}', 0


def _nodes(minute: int) -> Iterable[Sample]:
    for instance, name, idle in (("10.0.0.1:9100", "cn-01", 0.25), ("10.0.0.2:9100", "worker-1", 0.5)):
        for cpu in "01":
            yield (
                f'node_cpu_seconds_total{{instance="{instance}",cpu="{cpu}",mode="idle"}}',
                minute * 60 * idle,
            )
        yield f'node_uname_info{{instance="{instance}",nodename="{name}"}}', 1
        yield f'node_memory_MemAvailable_bytes{{instance="{instance}"}}', 2**30
        yield f'node_memory_MemTotal_bytes{{instance="{instance}"}}', 2**32


def _pods(minute: int) -> Iterable[Sample]:
    pods = (
        ("web", "portal-6d4-x1", "ReplicaSet", "portal-6d4", 0.2),
        ("web", "portal-6d4-x2", "ReplicaSet", "portal-6d4", 0.4),
        ("web", "naked", "<none>", "<none>", 0.1),
        ("kube-system", "proxy-abc", "DaemonSet", "proxy", 3.0),
    )
    for namespace, pod, kind, owner, cores in pods:
        place = f'namespace="{namespace}",pod="{pod}"'
        yield f'container_cpu_usage_seconds_total{{{place},container="app"}}', minute * 60 * cores
        yield f'container_memory_working_set_bytes{{{place},container="app"}}', 2**28
        yield f'kube_pod_owner{{{place},owner_kind="{kind}",owner_name="{owner}"}}', 1
        yield f'kube_pod_container_resource_requests{{{place},container="app",resource="cpu"}}', 1
        yield f'kube_pod_container_resource_requests{{{place},container="app",resource="memory"}}', 2**29
    yield (
        'kube_replicaset_owner{namespace="web",replicaset="portal-6d4",owner_kind="Deployment",owner_name="portal"}',
        1,
    )


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory, serving: Callable[..., Any]) -> Iterator[str]:
    began = int(time.time()) - MINUTES * 60
    rows = ((began + minute * 60, row) for minute, row in samples())
    with serving(tmp_path_factory.mktemp("prometheus"), rows) as base:
        yield base


def source(url: str, **options: Any) -> Source:
    return Source(name="prom", type="prometheus", options=Options(url=url, **options), labels={"level": "省"})


def gather(url: str, things: list[Thing] = THINGS, **options: Any) -> list[Batch]:
    wanted = source(url, **options)
    return list(collect(wanted, Run(wanted, things=lambda: things)))


def shares(batches: list[Batch]) -> dict[str, tuple[float, ...]]:
    found = {}
    for batch in batches:
        for row in batch.resources:
            if isinstance(row, MonitoringSystem):
                continue
            assert isinstance(row, Utilization)
            values = (row.mean, row.p95, row.peak)
            found[row.native_id] = tuple(round(v, 2) for v in values if not isinstance(v, Unknown))
    return found


def told(batches: list[Batch]) -> dict[str, Collection]:
    return {c.scope: c for b in batches for c in b.collections if c.kind == "utilization"}


def test_the_built_in_queries_measure_what_was_put_in(url: str) -> None:
    batches = gather(url, of=["cloud", "k8s"])
    found = shares(batches)
    assert found == {
        f"cloud/server/{A}/cpu": (0.13, 0.1, 0.9),
        f"cloud/server/{A}/memory": (0.25, 0.25, 0.25),
        f"cloud/server/{B}/cpu": (0.5, 0.5, 0.5),
        "cloud/hypervisor/7/cpu": (0.75, 0.75, 0.75),
        "cloud/hypervisor/7/memory": (0.75, 0.75, 0.75),
        "k8s/node/n1/cpu": (0.5, 0.5, 0.5),
        "k8s/node/n1/memory": (0.75, 0.75, 0.75),
        "k8s/workload/web/Deployment/portal/cpu": (0.3, 0.3, 0.3),
        "k8s/workload/web/Pod/naked/cpu": (0.1, 0.1, 0.1),
        "k8s/workload/kube-system/DaemonSet/proxy/cpu": (3.0, 3.0, 3.0),  # thrice what it asks for
        "k8s/workload/web/Deployment/portal/memory": (0.5, 0.5, 0.5),
        "k8s/workload/web/Pod/naked/memory": (0.5, 0.5, 0.5),
        "k8s/workload/kube-system/DaemonSet/proxy/memory": (0.5, 0.5, 0.5),
    }
    rows = [row for b in batches for row in b.resources if isinstance(row, Utilization)]
    assert {r.related("measures")[0] for r in rows} <= {t.uid for t in THINGS}
    assert all(row.labels == {"level": "省"} for row in rows)
    ended = told(batches)
    assert ended["libvirt-cpu"].status is Status.COMPLETE
    assert ended["libvirt-cpu"].reason == f"1 个对象对不上已知资源（如 {C}）"
    assert ended["node-disk"].status is Status.UNSUPPORTED  # nobody exports it here
    assert ended["workload-cpu"].status is Status.COMPLETE
    assert (ended["workload-cpu"].count, ended["workload-cpu"].reason) == (3, "")
    held = {e.id for b in batches for e in b.evidence}
    assert all(set(c.evidence) <= held for c in ended.values())


def test_a_users_query_comes_before_the_built_in_one(url: str) -> None:
    mine = {
        "name": "mine",
        "kind": "server",
        "metric": "cpu",
        "expr": f'vector(0.42) * on () group_right () (0 * libvirt_domain_info_meta{{uuid="{A}"}} + 1)',
        "by": ["uuid"],
    }
    import msgspec

    options = msgspec.convert({"url": url, "queries": [mine], "presets": ["libvirt"]}, Options)
    wanted = Source(name="prom", type="prometheus", options=options)
    batches = list(collect(wanted, Run(wanted, things=lambda: THINGS)))
    assert shares(batches)[f"cloud/server/{A}/cpu"] == (0.42, 0.42, 0.42)
    assert told(batches)["libvirt-cpu"].count == 0  # measured already


def test_before_the_cloud_was_ever_read_an_id_is_taken_at_its_word(url: str) -> None:
    found = shares(gather(url, things=[], of=["cloud"], presets=["libvirt"]))
    assert set(found) == {f"cloud/server/{u}/{m}" for u in (A, C) for m in ("cpu", "memory")}
    assert shares(gather(url, things=[], presets=["libvirt"])) == {}


def test_what_prometheus_refuses_is_said_and_the_rest_is_read(url: str) -> None:
    import msgspec

    bad = {"name": "bad", "kind": "server", "metric": "disk", "by": ["uuid"], "expr": "sum(("}
    matrix = {"name": "text", "kind": "server", "metric": "disk", "by": ["uuid"], "expr": '"a"'}
    options = msgspec.convert({"url": url, "queries": [bad, matrix], "presets": ["libvirt"]}, Options)
    wanted = Source(name="prom", type="prometheus", options=options)
    batches = list(collect(wanted, Run(wanted, things=lambda: THINGS)))
    ended = told(batches)
    assert ended["bad"].status is Status.FAILED
    assert ended["bad"].reason.startswith("查询写得不对：")
    assert ended["text"].status is Status.FAILED
    assert ended["libvirt-cpu"].count == 1


def test_probe_counts_series(url: str) -> None:
    wanted = source(url)
    lines = {a.subject: a for a in probe(wanted, Run(wanted))}
    assert lines["连接"].ok
    assert (lines["libvirt-cpu"].ok, lines["libvirt-cpu"].detail) == (True, "2 条序列")
    assert (lines["node-disk"].ok, lines["node-disk"].detail) == (None, "没有数据")
    assert lines["workload-cpu"].detail == "3 条序列"
