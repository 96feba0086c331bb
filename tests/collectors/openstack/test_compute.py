"""What servers run on, Placement, and what belongs to servers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from collectors.openstack import compute, hosts, placement
from collectors.openstack.known import Inventory, Provider
from collectors.openstack.listing import Place
from inventory.coverage import Batch, Status
from inventory.kinds.cloud import PlatformService
from inventory.kinds.compute import Aggregate, Hypervisor, KeyPair, Server, ServerGroup
from inventory.kinds.usage import Amount
from inventory.resource import Resource

Lines = list[dict[str, Any]]
Replay = Callable[..., dict[str, Batch]]
PLACE = Place(source="zw", labels={}, clean=lambda value: value)


def rows(batches: dict[str, Batch], kind: type[Resource]) -> dict[str, Any]:
    return {str(r.name): r for r in batches[kind.KIND].resources}


@pytest.fixture
def estate(replay: Replay, recordings: dict[str, Path]) -> dict[str, Batch]:
    return replay(recordings["estate"])


def test_a_node_with_all_that_is_told_about_it(estate: dict[str, Batch]) -> None:
    nodes = rows(estate, Hypervisor)
    node = nodes["zw-a-kunpeng-01"]
    assert (node.version, node.host, node.zone) == ("7.2.0", "zw-a-kunpeng-01", "az-a")
    assert node.aggregates == ["az-a", "chip-kunpeng"]
    assert len(node.related("member_of")) == 2
    assert "CUSTOM_CHIP_KUNPENG" in node.traits
    amounts = {amount.of: amount for amount in node.amounts}
    assert (amounts["vcpu"].total, amounts["vcpu"].ratio) == (256.0, 4.0)  # as its operators set it
    assert (amounts["memory_mib"].reserved, amounts["memory_mib"].ratio) == (16384.0, 1.0)
    others = {a.ratio for n in nodes.values() if n is not node for a in n.amounts if a.of == "vcpu"}
    assert 2.0 in others
    assert node.orphaned_allocations == 0
    # a disabled host is in no list of zones; its service knows where it is
    assert (nodes["zw-b-hygon-02"].enabled, nodes["zw-b-hygon-02"].zone) == (False, "az-b")


def test_what_is_promised_of_the_nodes_is_what_servers_have(estate: dict[str, Batch]) -> None:
    servers = [s for s in estate["server"].resources if isinstance(s, Server) and s.host is not None]
    for node in rows(estate, Hypervisor).values():
        here = [s for s in servers if node.uid in s.related("runs_on")]
        allocated = {amount.of: amount.allocated for amount in node.amounts}
        assert allocated["vcpu"] == sum(s.vcpus for s in here)
        assert allocated["memory_mib"] == sum(s.memory_mib for s in here)


def test_aggregates_services_and_server_groups(estate: dict[str, Batch]) -> None:
    aggregates, groups = rows(estate, Aggregate), rows(estate, ServerGroup)
    assert aggregates["chip-hygon"].hosts == ["zw-a-hygon-01", "zw-b-hygon-02"]
    assert (aggregates["az-a"].zone, aggregates["djbh-3"].hosts) == ("az-a", [])
    services = rows(estate, PlatformService)
    hurt = services["nova-compute@zw-b-hygon-02"]
    assert (hurt.enabled, hurt.alive, hurt.disabled_reason) == (False, True, "内存告警，待更换")
    assert hurt.heartbeat_at.tzinfo is not None
    assert groups["spread"].policy == "anti-affinity"
    members = {s.native_id: s for s in estate["server"].resources}
    for id_ in groups["pair"].members:
        assert members[id_].server_group == groups["pair"].native_id  # type: ignore[attr-defined]
        assert members[id_].related("member_of") == [groups["pair"].uid]


def test_new_fields_of_servers(estate: dict[str, Batch]) -> None:
    told = rows(estate, Server)["x-told"]
    assert (told.description, told.tags, told.image_architecture) == (
        "堡垒机",
        ["bastion", "djbh-3"],
        "aarch64",
    )
    assert told.host == told.hypervisor
    assert told.task_state is None
    assert told.launched_at.tzinfo is not None
    assert told.owner in {u.native_id for u in estate["user"].resources}


def test_without_placement_amounts_are_unknown_and_said_to_be(
    edited: Callable[..., Path], replay: Replay
) -> None:
    def refuse(lines: Lines) -> None:
        for line in lines[2:]:
            if line["service"] == "placement" and line["path"].endswith("/inventories"):
                line["status"] = 403

    batch = replay(edited(refuse, "estate"))["hypervisor"]
    (collection,) = batch.collections
    assert (collection.status, collection.count) == (Status.COMPLETE, 6)
    assert "资源放置服务没有读全" in collection.reason
    assert {repr(h.amounts) for h in batch.resources} == {"UNKNOWN"}  # type: ignore[attr-defined]
    assert all(isinstance(h.traits, list) for h in batch.resources)  # type: ignore[attr-defined]


def test_an_allocation_to_no_server_is_an_orphan(edited: Callable[..., Path], replay: Replay) -> None:
    def leave(lines: Lines) -> None:
        line = next(ln for ln in lines[2:] if ln["path"].endswith("/allocations"))
        held = line["body"]["allocations"]
        held["00000000-0000-0000-0000-00000000dead"] = {"resources": {"VCPU": 4}}
        leave.node = line["path"].split("/")[2]  # type: ignore[attr-defined]

    nodes = {h.native_id: h for h in replay(edited(leave, "estate"))["hypervisor"].resources}
    assert nodes[leave.node].orphaned_allocations == 1  # type: ignore[attr-defined]
    assert sum(h.orphaned_allocations for h in nodes.values()) == 1  # type: ignore[attr-defined]


def test_nodes_add_up_what_lies_below_them() -> None:
    held = {
        "root": Provider(
            root="root",
            inventories={"MEMORY_MB": Inventory(total=1000, reserved=100, allocation_ratio=2.0)},
            allocated={"MEMORY_MB": 300},
            traits=["B"],
        ),
        "numa0": Provider(
            root="root",
            inventories={"VCPU": Inventory(total=8, allocation_ratio=4.0), "PCPU": Inventory(total=8)},
            allocated={"VCPU": 5, "PCPU": 2},
            traits=["A"],
        ),
        "card": Provider(root="root", inventories={"VGPU": Inventory(total=2)}, allocated={"SRIOV": 1}),
    }
    assert placement.amounts(held) == {
        "root": [
            Amount(of="gpu", total=2.0, reserved=0.0, ratio=1.0, allocated=0.0),
            Amount(of="memory_mib", total=1000.0, reserved=100.0, ratio=2.0, allocated=300.0),
            Amount(of="vcpu", total=16.0, reserved=0.0, ratio=2.5, allocated=7.0),
        ]
    }
    assert placement.traits(held) == {"root": ["A", "B"]}


@pytest.mark.parametrize(
    ("told", "version"), [(7002000, "7.2.0"), (1, "1"), (None, None), (8000017, "8.0.17")]
)
def test_versions_of_hypervisors(told: int | None, version: str | None) -> None:
    row = {"id": "h", "hypervisor_hostname": "h", "hypervisor_version": told}
    page = msgspec.json.encode({"hypervisors": [row]})
    (found,) = hosts.hypervisors([page], hosts.Around(), PLACE).resources
    assert found.version == version  # type: ignore[attr-defined]


def public(key: Any) -> str:
    encoding, form = serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH
    text: str = key.public_key().public_bytes(encoding, form).decode()
    return text


@pytest.mark.parametrize(
    ("key", "algorithm", "bits"),
    [
        (lambda: public(rsa.generate_private_key(65537, 1024)) + " root@host", "ssh-rsa", 1024),
        (lambda: public(ed25519.Ed25519PrivateKey.generate()), "ssh-ed25519", 256),
        (lambda: public(ec.generate_private_key(ec.SECP521R1())), "ecdsa-sha2-nistp521", 521),
        (lambda: "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----", None, None),
        (lambda: "ssh-rsa AAAA", None, None),
        (lambda: "ssh-rsa not base64!", None, None),
        (lambda: "", None, None),
    ],
)  # fmt: skip
def test_public_keys(key: Callable[[], str], algorithm: str | None, bits: int | None) -> None:
    row = {"keypair": {"name": "k", "type": "ssh", "fingerprint": "f", "public_key": key()}}
    (found,) = compute.key_pairs([msgspec.json.encode({"keypairs": [row]})], "u", PLACE).resources
    assert isinstance(found, KeyPair)
    assert found.native_id == "u/k"
    if algorithm is None:
        assert repr(found.algorithm) == repr(found.bits) == "UNKNOWN"
    else:
        assert (found.algorithm, found.bits) == (algorithm, bits)


def test_who_sees_compute_and_who_does_not(replay: Replay, recordings: dict[str, Path]) -> None:
    for name in ("estate-system-reader", "estate-project-reader"):
        batches = replay(recordings[name])
        assert batches["platform_service"].collections[0].status is Status.DENIED
        for kind in ("aggregate", "server_group", "key_pair", "hypervisor"):
            one = batches[kind].collections[0]
            assert (one.status, one.count) == (Status.DENIED, 0), (name, kind)
            assert "admin" in one.remedy
