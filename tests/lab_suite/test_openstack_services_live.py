"""Block storage, network, image and the optional services against the lab's live OpenStack; what must come
out, its databases tell."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from collectors import openstack
from collectors.contract import Source
from collectors.run import collect_all
from inventory.coverage import Batch
from inventory.kinds.cloud import PlatformService
from inventory.kinds.compute import Image
from inventory.kinds.storage import ObjectContainer, Share, StoragePool, VolumeBackup, VolumeType
from inventory.kinds.virtual_network import (
    DnsZone,
    LoadBalancer,
    Network,
    QosPolicy,
    Router,
    SecurityGroup,
    Subnet,
    Trunk,
)

pytestmark = pytest.mark.lab

FOLDER = Path(os.environ["LAB_DIR"])  # conftest sees to it
CORE = (
    "volume_type", "volume_backup", "volume_snapshot", "volume", "storage_pool", "trunk", "qos_policy",
    "network", "subnet", "port", "floating_ip", "router", "security_group", "image",
)  # fmt: skip
OPTIONAL = ("load_balancer", "secret", "dns_zone", "share", "object_container")
SERVICES = ("services_nova", "services_cinder", "services_neutron", "services_manila", "services_designate")


def collect(cloud: str, deadline_seconds: float = 900.0, **options: Any) -> dict[str, Batch]:
    options = {"timeout_seconds": 120.0, **options}  # the machine may be busy
    source = Source(
        name="zw",
        type="openstack",
        options=openstack.Options(cloud=cloud, config_file=str(FOLDER / "clouds.yaml"), **options),
        deadline_seconds=deadline_seconds,
    )
    whole: dict[str, Batch] = {}
    for _, batch in collect_all([source]):
        for resource in batch.resources:
            whole.setdefault(resource.KIND, Batch()).resources.append(resource)
        for collection in batch.collections:
            whole.setdefault(collection.kind, Batch()).collections.append(collection)
    return whole


def told(batches: dict[str, Batch], kinds: Iterable[str]) -> dict[str, tuple[str, int]]:
    return {kind: (c.status.value, c.count) for kind in kinds for c in batches[kind].collections}


def rows(batches: dict[str, Batch], kind: type) -> list[Any]:
    return [r for r in batches[kind.KIND].resources if isinstance(r, kind)]  # type: ignore[attr-defined]


@pytest.fixture(scope="module")
def seen(expected: dict[str, Any]) -> dict[str, Batch]:
    """What the administrator's collection gave."""
    return collect("lab-admin")


def test_an_administrator_sees_what_the_databases_hold(
    seen: dict[str, Batch], expected: dict[str, Any]
) -> None:
    kinds = expected["kinds"]
    own = expected["projects"]["admin"]["secret"]  # barbican lists no other project to anybody
    assert own < kinds["secret"]
    assert told(seen, (*CORE, *OPTIONAL)) == {
        **{kind: ("complete", kinds[kind]) for kind in (*CORE, *OPTIONAL)},
        "secret": ("denied", own),
    }
    services = sum(expected["numbers"][name] for name in SERVICES)
    assert told(seen, ["platform_service"]) == {"platform_service": ("complete", services)}


def test_storage_in_numbers(seen: dict[str, Batch], expected: dict[str, Any]) -> None:
    types, backups = rows(seen, VolumeType), rows(seen, VolumeBackup)
    numbers = {
        "volume_types_encrypted": sum(t.encrypted for t in types),
        "volume_types_private": sum(not t.public for t in types),
        "volume_types_with_qos": sum(t.qos is not None for t in types),
        "backups_incremental": sum(b.incremental for b in backups),
        "backups_failed": sum(b.status == "error" for b in backups),
        "backups_encrypted": sum(b.encrypted for b in backups),
        "share_access_rules": sum(len(s.access) for s in rows(seen, Share)),
        "shares_public": sum(s.public for s in rows(seen, Share)),
    }
    assert numbers == {name: expected["numbers"][name] for name in numbers}
    assert [t.name for t in types if t.default] == ["__DEFAULT__"]
    ciphers = {t.name: t.cipher for t in types if t.encrypted}
    assert ciphers == {name: facts["cipher"] for name, facts in expected["names"]["volume_type"].items()}
    pools = {p.native_id for p in rows(seen, StoragePool)}
    assert {v.backend for v in seen["volume"].resources if v.backend} <= pools  # type: ignore[attr-defined]


def test_networks_in_numbers(seen: dict[str, Batch], expected: dict[str, Any]) -> None:
    groups, routers = rows(seen, SecurityGroup), rows(seen, Router)
    numbers = {
        "networks_shared_by_rbac": sum(bool(n.shared_with) for n in rows(seen, Network)),
        "security_groups_shared": sum(bool(g.shared_with) for g in groups),
        "security_groups_stateless": sum(not g.stateful for g in groups),
        "qos_policies_shared": sum(q.shared for q in rows(seen, QosPolicy)),
        "qos_rules": sum(len(q.rules) for q in rows(seen, QosPolicy)),
        "subports": sum(len(t.subports) for t in rows(seen, Trunk)),
        "routers_ha": sum(r.highly_available for r in routers),
        "routers_distributed": sum(r.distributed for r in routers),
    }
    assert numbers == {name: expected["numbers"][name] for name in numbers}
    amounts = {a.of: a for s in rows(seen, Subnet) for a in s.amounts if a.of == "floating_ip"}
    pool = amounts["floating_ip"]
    assert pool.allocated == expected["kinds"]["floating_ip"]
    assert pool.allocated - pool.used == expected["numbers"]["floating_ips_idle"]
    assert pool.total > pool.reserved + pool.allocated


def test_images_in_numbers(seen: dict[str, Batch], expected: dict[str, Any]) -> None:
    images = rows(seen, Image)
    numbers = {
        "images_hidden": sum(i.hidden for i in images),
        "images_community": sum(i.visibility == "community" for i in images),
        "images_shared": sum(i.visibility == "shared" for i in images),
        "images_signed": sum(i.signed for i in images),
        "image_members": sum(len(i.members) for i in images),
    }
    assert numbers == {name: expected["numbers"][name] for name in numbers}


def test_the_other_services_in_numbers(seen: dict[str, Batch], expected: dict[str, Any]) -> None:
    balancers = rows(seen, LoadBalancer)
    listeners = [listener for b in balancers for listener in b.listeners]
    records: Counter[str] = Counter()
    for zone in rows(seen, DnsZone):
        records.update(zone.record_types)
    numbers = {
        "listeners": len(listeners),
        "listeners_ended_tls": sum(one.protocol == "TERMINATED_HTTPS" for one in listeners),
        "listeners_limited": sum(bool(one.allowed_prefixes) for one in listeners),
        "balancer_pools": sum(b.pools for b in balancers),
        "recordsets": records.total(),
        "recordsets_aaaa": records["AAAA"],
        "agents_dead": sum(s.service == "network" and not s.alive for s in rows(seen, PlatformService)),
    }
    assert numbers == {name: expected["numbers"][name] for name in numbers}
    public = [c.name for c in rows(seen, ObjectContainer) if c.public_read]
    assert public == ["public-files"]


def test_an_application_credential_sees_the_same(seen: dict[str, Batch], expected: dict[str, Any]) -> None:
    kinds = [*CORE, *OPTIONAL[:-1], "platform_service"]
    assert told(collect("lab-app-credential"), kinds) == told(seen, kinds)


def test_a_project_reader_is_denied_and_keeps_its_projects_rows(expected: dict[str, Any]) -> None:
    batches = collect("lab-project-reader")
    own = expected["projects"][expected["reader_project"]]
    found = told(batches, (*CORE, *OPTIONAL, "platform_service"))
    assert {status for status, _ in found.values()} == {"denied"}
    for kind in ("volume", "volume_snapshot", "volume_backup", "port", "floating_ip", "share", "dns_zone"):
        assert found[kind] == ("denied", own.get(kind, 0))
    for kind in (*CORE, *OPTIONAL):
        (collection,) = batches[kind].collections
        assert collection.remedy
        assert "不等于" in collection.reason


def test_a_system_reader_sees_what_octavia_shows_it_and_is_denied_the_rest(expected: dict[str, Any]) -> None:
    found = told(collect("lab-system-reader"), (*CORE, *OPTIONAL, "platform_service"))
    assert found.pop("load_balancer") == ("complete", expected["kinds"]["load_balancer"])
    assert {status for status, _ in found.values()} == {"denied"}
    for kind in ("volume", "port", "dns_zone", "share", "secret", "object_container"):
        assert found[kind] == ("denied", 0)


def test_a_region_without_the_services_says_so(expected: dict[str, Any]) -> None:
    batches = collect("lab-second-region")
    assert told(batches, OPTIONAL) == dict.fromkeys(OPTIONAL, ("unsupported", 0))
    for kind in OPTIONAL:
        assert "目录里没有" in batches[kind].collections[0].reason


def test_services_that_are_down_fail_alone_and_nothing_is_zero(
    expected: dict[str, Any], stopped: Callable[[str, str, str], None]
) -> None:
    for service in ("octavia-api", "designate-api", "manila-api", "barbican", "swift"):
        stopped("stop", "start", service)
    found = told(collect("lab-admin"), (*CORE, *OPTIONAL, "platform_service"))
    for kind in OPTIONAL:
        assert found.pop(kind) == ("failed", 0)
    left = sum(expected["numbers"][name] for name in SERVICES[:3])
    assert found.pop("platform_service") == ("partial", left)
    assert found == {kind: ("complete", expected["kinds"][kind]) for kind in CORE}
