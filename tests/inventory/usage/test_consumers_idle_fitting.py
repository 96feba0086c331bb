"""Who has what, what can be given back, what still fits."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from inventory.coverage import Status
from inventory.kinds.cloud import Cloud, Project, Quota
from inventory.kinds.cluster import Cluster, Container, Namespace, Workload
from inventory.kinds.compute import Flavor, Hypervisor, Server
from inventory.kinds.storage import Volume, VolumeClaim, VolumeSnapshot
from inventory.kinds.usage import Amount, Utilization
from inventory.kinds.virtual_network import FloatingIp, Port, SecurityGroup, SecurityGroupRule
from inventory.resource import Relation, Resource
from inventory.snapshot import Snapshot
from inventory.usage import Judged, by_department, consumers, fits, idle, reclaimable

Compose = Callable[..., Snapshot]
THEN = datetime(2026, 3, 1, tzinfo=UTC)


def of(project: str) -> list[Relation]:
    return [Relation("in_project", f"cloud/project/{project}")]


def server(name: str, project: str = "p1", **more: Any) -> Server:
    return Server(source="cloud", native_id=name, name=name, relations=of(project), **more)


def test_projects_have_what_their_things_have(compose: Compose) -> None:
    rows = consumers(
        compose(
            Project(source="cloud", native_id="p1", name="门户"),
            Project(source="cloud", native_id="p2", name="空"),
            server("a", vcpus=4, memory_mib=8192, disk_gib=40),
            server("b", vcpus=8),
            Volume(source="cloud", native_id="v", size_gib=100, relations=of("p1")),
            FloatingIp(source="cloud", native_id="f", relations=of("gone")),
            Quota(
                source="cloud",
                native_id="p1/compute",
                service="compute",
                relations=of("p1"),
                limits={"cores": 20, "ram": -1, "instances": 10},
            ),
        )
    )
    named = {c.name: c for c in rows}
    portal, empty, gone = named["门户"], named["空"], named["gone"]
    assert (portal.name, portal.servers, portal.vcpu.value, portal.vcpu.unknown) == ("门户", 2, 12, 0)
    assert (portal.memory_mib.value, portal.memory_mib.unknown) == (8192, 1)
    assert (portal.disk_gib.value, portal.local_gib.value, portal.volumes) == (100, 40, 1)
    assert portal.quota == {"vcpu": 20}  # −1 is no limit
    assert portal.complete
    assert (empty.servers, empty.vcpu.seen) == (0, None)
    assert gone.floating_ips == 1


def test_a_department_is_the_projects_where_the_source_says_another(compose: Compose) -> None:
    bureau = {"department": "市数据局"}
    rows = consumers(
        compose(
            Cloud(source="cloud", native_id="self", labels=bureau),
            Project(source="cloud", native_id="p1", name="p1", labels={"department": "市文旅局"}),
            server("a", vcpus=2, labels=bureau),
            server("b", vcpus=3, labels={"department": "市财政局"}),
        )
    )
    assert [(c.department, c.vcpu.value) for c in by_department(rows)] == [("市文旅局", 5)]


def test_namespaces_have_what_their_pods_ask_for(compose: Compose) -> None:
    def container(**more: Any) -> Container:
        return Container(init=False, **more)

    place = {"source": "k", "namespace": "web"}
    rows = consumers(
        compose(
            Cluster(source="k", native_id="self"),
            Namespace(source="k", native_id="web", name="web"),
            Workload(
                native_id="web/Deployment/a",
                pods=3,
                containers=[
                    container(cpu_request=0.5, memory_request_mib=256.0),
                    container(cpu_request=None, memory_request_mib=None),
                    Container(init=True, cpu_request=9.0, memory_request_mib=9.0),
                ],
                **place,
            ),
            Workload(native_id="web/Deployment/b", pods=2, containers=[container()], **place),
            VolumeClaim(native_id="web/c", size_gib=10.0, **place),
            Volume(source="k", native_id="pv", size_gib=10, namespace="web"),
            Quota(
                source="k",
                native_id="web/q",
                service="kubernetes",
                relations=[Relation("in_namespace", "k/namespace/web")],
                limits={"requests.cpu": 4000, "requests.memory": 8192, "pods": 20},
            ),
        )
    )
    (web,) = rows
    assert (web.pods.value, web.vcpu.value, web.memory_mib.value) == (5, 1.5, 768)
    assert (web.vcpu.unknown, web.memory_mib.unknown) == (1, 1)
    assert (web.disk_gib.value, web.volumes) == (10, 1)
    assert web.quota == {"vcpu": 4, "memory_mib": 8192, "pod": 20}


def test_what_was_not_seen_whole_is_said(compose: Compose) -> None:
    snapshot = compose(
        Project(source="cloud", native_id="p1", name="p"), status={("cloud", "server"): Status.DENIED}
    )
    assert [c.complete for c in consumers(snapshot)] == [False]


def judged(snapshot: Snapshot, reason: str) -> Judged:
    (one,) = [j for j in idle(snapshot) if j.reason == reason]
    return one


IDLE: list[tuple[str, Resource, Resource, Resource]] = [
    ("server_shut_off", server("x", status="SHUTOFF"), server("y", status="ACTIVE"), server("z")),
    (
        "volume_unattached",
        Volume(source="cloud", native_id="x", attached=False, status="available"),
        Volume(source="cloud", native_id="y", attached=False, status="creating"),
        Volume(source="cloud", native_id="z"),
    ),
    (
        "floating_ip_unused",
        FloatingIp(source="cloud", native_id="x", associated=False),
        FloatingIp(source="cloud", native_id="y", associated=True),
        FloatingIp(source="cloud", native_id="z"),
    ),
    (
        "port_without_device",
        Port(source="cloud", native_id="x", device_owner=""),
        Port(source="cloud", native_id="y", device_owner="network:dhcp"),
        Port(source="cloud", native_id="z"),
    ),
    (
        "security_group_unused",
        SecurityGroup(source="cloud", native_id="x", default=False, in_use=False),
        SecurityGroup(source="cloud", native_id="y", default=True, in_use=False),
        SecurityGroup(source="cloud", native_id="z", default=False, rules=[SecurityGroupRule()]),
    ),
    (
        "namespace_empty",
        Namespace(source="cloud", native_id="x", pods=0, system=False),
        Namespace(source="cloud", native_id="y", pods=0, system=True),
        Namespace(source="cloud", native_id="z", system=False),
    ),
    (
        "claim_unmounted",
        VolumeClaim(source="cloud", native_id="x", used=False),
        VolumeClaim(source="cloud", native_id="y", used=True),
        VolumeClaim(source="cloud", native_id="z"),
    ),
]


@pytest.mark.parametrize(("reason", "yes", "no", "unseen"), IDLE, ids=[row[0] for row in IDLE])
def test_each_reason_and_what_it_cannot_tell(
    compose: Compose, reason: str, yes: Resource, no: Resource, unseen: Resource
) -> None:
    one = judged(compose(yes, no, unseen), reason)
    assert [i.uid for i in one.found] == [yes.uid]
    assert (one.looked_at, one.undecided, one.complete) == (3, 1, True)


def test_a_kind_nobody_could_list_is_not_free_of_waste(compose: Compose) -> None:
    one = judged(compose(status={("cloud", "volume"): Status.DENIED}), "volume_unattached")
    assert (one.found, one.complete, one.asked) == ([], False, True)
    assert not judged(compose(), "volume_unattached").asked


def test_a_snapshot_is_an_orphan_only_where_all_volumes_were_seen(compose: Compose) -> None:
    kept = Volume(source="cloud", native_id="v1", attached=True, status="in-use")
    rows = [
        VolumeSnapshot(source="cloud", native_id="s1", volume="v1"),
        VolumeSnapshot(source="cloud", native_id="s2", volume="gone", size_gib=80),
    ]
    one = judged(compose(kept, *rows), "snapshot_orphaned")
    assert [(i.uid, i.disk_gib) for i in one.found] == [("cloud/volume_snapshot/s2", 80)]
    partial = judged(compose(kept, *rows, status={("cloud", "volume"): Status.PARTIAL}), "snapshot_orphaned")
    assert (partial.found, partial.undecided) == ([], 1)


def load(target: str, metric: Any, p95: float, hours: float = 168.0) -> Utilization:
    return Utilization(
        source="prom",
        native_id=f"{target}/{metric}",
        metric=metric,
        p95=p95,
        window_hours=hours,
        relations=[Relation("measures", f"cloud/server/{target}")],
    )


def test_little_used_servers_by_measurement(compose: Compose) -> None:
    servers = [server(n, vcpus=4, memory_mib=8192, status="ACTIVE") for n in "abcde"]
    one = judged(
        compose(
            *servers,
            server("off", status="SHUTOFF"),
            load("a", "cpu", 0.02),
            load("a", "memory", 0.12),
            load("b", "cpu", 0.02),
            load("b", "memory", 0.80),
            load("c", "cpu", 0.70),
            load("d", "cpu", 0.01, hours=1),
            load("off", "cpu", 0.0),
        ),
        "server_low_load",
    )
    assert [i.name for i in one.found] == ["a"]
    assert one.undecided == 2  # d measured too shortly, e not at all
    assert one.found[0].detail == "处理器 P95 2%（168 小时）；内存 P95 12%（168 小时）"
    assert (one.found[0].vcpu, one.found[0].memory_mib) == (4, 8192)


def test_age_owner_and_what_comes_free(compose: Compose) -> None:
    one = judged(
        compose(
            Project(source="cloud", native_id="p1", name="门户", labels={"department": "省数据局"}),
            server("small", status="SHUTOFF", vcpus=1, memory_mib=1024, created_at=THEN),
            server(
                "big",
                status="SHUTOFF",
                vcpus=8,
                memory_mib=16384,
                disk_gib=40,
                created_at=THEN,
                updated_at=THEN + timedelta(days=9),
            ),
        ),
        "server_shut_off",
    )
    big, small = one.found
    assert (big.home, big.department, big.since, big.since_created) == (
        "门户", "省数据局", THEN + timedelta(days=9), False,
    )  # fmt: skip
    assert (small.since, small.since_created) == (THEN, True)
    both = reclaimable([big, small, big])
    assert both is not None
    assert (both.vcpu, both.memory_mib, both.disk_gib) == (9, 17408, 40)
    assert reclaimable([]) is None


def host(name: str, vcpus: float, memory: float, **more: Any) -> Hypervisor:
    def left(kind: Any, value: float) -> Amount:
        return Amount(of=kind, total=value + 10, reserved=2, ratio=1.0, allocated=8)

    return Hypervisor(
        source="cloud", native_id=name, state=more.pop("state", "up"), enabled=True,
        amounts=[left("vcpu", vcpus), left("memory_mib", memory)], **more,
    )  # fmt: skip


def flavor(name: str, vcpus: int, memory: int, disk: int = 0) -> Flavor:
    return Flavor(source="cloud", native_id=name, name=name, vcpus=vcpus, memory_mib=memory, disk_gib=disk)


def test_a_flavor_must_fit_on_one_host(compose: Compose) -> None:
    found = fits(
        compose(
            host("a", 6, 12_000, zone="az-a", cpu_architecture="aarch64", aggregates=["信创"]),
            host("b", 3, 9_000, zone="az-b", cpu_architecture="x86_64", aggregates=[]),
            host("c", 99, 99_000, zone="az-b", cpu_architecture="x86_64", aggregates=[], state="down"),
            flavor("s", 2, 4096, disk=20),
            flavor("m", 4, 8192),
            flavor("xl", 8, 16384),
        )
    )
    whole = next(f for f in found if f.dimension == "source")
    assert {f.name: (f.count, f.pooled) for f in whole.flavors} == {"s": (3, 4), "m": (1, 2), "xl": (0, 1)}
    assert whole.largest is not None
    assert (whole.largest.name, whole.hosts, whole.closed, whole.exact) == ("m", 2, 1, True)
    places = {(f.dimension, f.key): f.largest and f.largest.name for f in found}
    assert places == {
        ("source", ""): "m",
        ("zone", "az-a"): "m",
        ("zone", "az-b"): "s",
        ("architecture", "aarch64"): "m",
        ("architecture", "x86_64"): "s",
        ("aggregate", "信创"): "m",
    }


def test_local_disks_limit_where_they_are_counted(compose: Compose) -> None:
    small = host("a", 100, 100_000)
    small.amounts.append(Amount(of="disk_gib", total=50, reserved=0, ratio=1.0, allocated=5))  # type: ignore[union-attr]
    (found,) = [f for f in fits(compose(small, flavor("s", 1, 1024, disk=20))) if f.dimension == "source"]
    assert found.flavors[0].count == 2


def test_a_host_that_does_not_tell_makes_it_at_least(compose: Compose) -> None:
    silent = Hypervisor(source="cloud", native_id="z", vcpus=64, memory_mib=99_999, vcpus_used=1)
    (found,) = [
        f for f in fits(compose(host("a", 4, 8192), silent, flavor("s", 2, 4096))) if f.dimension == "source"
    ]
    assert (found.hosts, found.untold, found.exact) == (1, 1, False)
    assert found.flavors[0].count == 2
