"""Mapping: odd objects, and the values that mislead."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.openstack import compute, hosts, identity, image, network, storage
from collectors.openstack.listing import Mapped, Place
from inventory.coverage import Batch, Status
from inventory.kinds.virtual_network import SecurityGroup, SecurityGroupRule

Lines = list[dict[str, Any]]
Replay = Callable[..., dict[str, Batch]]
Answer = Callable[..., dict[str, Any]]
Edited = Callable[..., Path]

PLACE = Place(source="zw", labels={}, clean=lambda value: value)


def group_rule(**fields: Any) -> SecurityGroupRule:
    rule = {
        "id": "r", "direction": "ingress", "ethertype": "IPv4", "protocol": "tcp", "port_range_min": 22,
        "port_range_max": 22, "remote_ip_prefix": None, "remote_group_id": None, **fields,
    }  # fmt: skip
    page = {"security_groups": [{"id": "g", "name": "web", "security_group_rules": [rule]}]}
    (group,) = network.security_groups([msgspec.json.encode(page)], None, PLACE).resources
    assert isinstance(group, SecurityGroup)
    return group.rules[0]  # type: ignore[index]


def test_an_address_group_is_not_everybody() -> None:
    rule = group_rule(remote_address_group_id="ag1")
    assert (rule.remote, rule.remote_group) == (None, "address_group/ag1")


def test_a_host_with_prefix_length_zero_is_everybody() -> None:
    rule = group_rule(remote_ip_prefix="10.0.0.5/0", normalized_cidr="0.0.0.0/0")
    assert rule.remote == "0.0.0.0/0"
    assert group_rule(remote_ip_prefix="10.0.0.5/0").remote == "0.0.0.0/0"
    assert group_rule(remote_ip_prefix="2001:db8::1/0", ethertype="IPv6").remote == "::/0"


@pytest.mark.parametrize(
    ("written", "protocol"),
    [("6", "tcp"), (17, "udp"), ("TCP", "tcp"), ("58", "ipv6-icmp"), ("icmpv6", "ipv6-icmp"), (None, None),
     ("any", None), ("0", None), ("47", "47")],
)  # fmt: skip
def test_protocols_by_number_and_by_name(written: str | int | None, protocol: str | None) -> None:
    assert group_rule(protocol=written).protocol == protocol


@pytest.mark.parametrize(
    ("tags", "level"),
    [(["djbh-level-3"], 3), (["x", "等保2级", "djbh-level-3"], 3), (["dengbao:4"], 4), (["level-3"], None),
     ([], None)],
)  # fmt: skip
def test_levels_that_tags_declare(tags: list[str], level: int | None) -> None:
    page = msgspec.json.encode({"projects": [{"id": "p", "name": "p", "tags": tags}]})
    (project,) = identity.projects([page], {}, PLACE).resources
    assert project.level == level  # type: ignore[attr-defined]


def test_times_without_a_zone_are_utc() -> None:
    page = msgspec.json.encode(
        {"users": [{"id": "u", "name": "u", "password_expires_at": "2027-02-20T03:33:16.000000"}]}
    )
    (user,) = identity.users([page], {}, None, ["admin"], PLACE).resources
    assert user.password_expires_at == datetime(2027, 2, 20, 3, 33, 16, tzinfo=UTC)  # type: ignore[attr-defined]
    assert repr(user.mfa_enabled) == "UNKNOWN"  # type: ignore[attr-defined]  # options were not told


def test_processors_before_and_after_their_json_was_text() -> None:
    def one(info: object) -> Any:
        row = {"id": 7, "hypervisor_hostname": "h", "cpu_info": info}
        page = msgspec.json.encode({"hypervisors": [row]})
        (found,) = hosts.hypervisors([page], hosts.Around(), PLACE).resources
        return found

    told = {"arch": "aarch64", "vendor": "HiSilicon", "model": "Kunpeng-920"}
    for info in (told, msgspec.json.encode(told).decode()):
        assert (one(info).native_id, one(info).cpu_origin, one(info).cpu_vendor) == (
            "7",
            "domestic",
            "HiSilicon",
        )
    for nothing in (None, "", "no json", [1]):
        assert repr(one(nothing).cpu_origin) == "UNKNOWN"


def test_a_hidden_field_is_unknown_and_not_empty() -> None:
    """Policies take away single fields: an answer without them must not read as "no"."""
    (volume,) = storage.volumes([b'{"volumes":[{"id":"v"}]}'], PLACE).resources
    (port,) = network.ports([b'{"ports":[{"id":"p"}]}'], {}, PLACE).resources
    (server,) = compute.servers([b'{"servers":[{"id":"s"}]}'], compute.Partners(), PLACE).resources
    (router,) = network.routers([b'{"routers":[{"id":"r"}]}'], PLACE).resources
    for resource, fields in (
        (volume, ("encrypted", "attached", "status", "created_at")),
        (port, ("port_security_enabled", "addresses", "allowed_address_pairs", "device_owner")),
        (server, ("name", "addresses", "image", "locked", "power_state", "security_groups", "vcpus")),
        (router, ("external_gateway", "highly_available")),
    ):
        assert {repr(getattr(resource, name)) for name in fields} == {"UNKNOWN"}


ODD = [
    ("compute", "/servers/detail", "servers", "server", "addresses", "not a table"),
    ("compute", "/os-hypervisors/detail", "hypervisors", "hypervisor", "vcpus", "many"),
    ("volume", "/volumes/detail", "volumes", "volume", "size", None),
    ("network", "/ports", "ports", "port", "fixed_ips", [{"ip_address": "300.1.1.1"}]),
    ("network", "/subnets", "subnets", "subnet", "ip_version", 5),
    ("network", "/security-groups", "security_groups", "security_group", "security_group_rules", [{}]),
    ("image", "/images", "images", "image", "created_at", "yesterday"),
    ("identity", "/projects", "projects", "project", "name", 7),
]


@pytest.mark.parametrize(("service", "path", "key", "kind", "field", "value"), ODD)
def test_one_odd_object_costs_itself_only(
    *,
    service: str,
    path: str,
    key: str,
    kind: str,
    field: str,
    value: object,
    edited: Edited,
    replay: Replay,
    recordings: dict[str, Path],
) -> None:
    odd: list[str] = []

    def spoil(lines: Lines) -> None:
        line = next(
            ln for ln in lines
            if ln.get("service") == service and ln.get("path") == path and ln["body"].get(key)
        )  # fmt: skip
        line["body"][key][0][field] = value
        odd.append(line["body"][key][0]["id"])

    whole = replay(recordings["day1"])[kind]
    batch = replay(edited(spoil))[kind]
    assert len(batch.resources) == len(whole.resources) - 1
    assert {r.native_id for r in whole.resources} - {r.native_id for r in batch.resources} == set(odd)
    assert batch.collections[0].status is Status.PARTIAL
    assert odd[0] in batch.collections[0].reason


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
FIELDS = [
    "id", "name", "status", "addresses", "flavor", "image", "metadata", "cpu_info", "hypervisor_hostname",
    "fixed_ips", "security_groups", "security_group_rules", "ip_version", "cidr", "options", "attachments",
    "os_distro", "domain_id", "tags", "service", "created_at",
]  # fmt: skip
MAPPERS: dict[str, Callable[[list[bytes]], Mapped]] = {
    "servers": lambda pages: compute.servers(pages, compute.Partners(), PLACE),
    "hypervisors": lambda pages: hosts.hypervisors(pages, hosts.Around(zones={}), PLACE),
    "flavors": lambda pages: compute.flavors(pages, PLACE),
    "volumes": lambda pages: storage.volumes(pages, PLACE),
    "ports": lambda pages: network.ports(pages, {}, PLACE),
    "subnets": lambda pages: network.subnets(pages, PLACE),
    "security_groups": lambda pages: network.security_groups(pages, set(), PLACE),
    "images": lambda pages: image.images(pages, PLACE),
    "users": lambda pages: identity.users(pages, {}, None, [], PLACE),
    "projects": lambda pages: identity.projects(pages, {}, PLACE),
}


@given(
    st.sampled_from(sorted(MAPPERS)),
    st.lists(st.dictionaries(st.sampled_from(FIELDS), JSON) | JSON, max_size=3),
)
def test_whatever_a_cloud_answers_no_row_is_lost_in_silence(key: str, objects: list[Any]) -> None:
    found = MAPPERS[key]([msgspec.json.encode({key: objects})])
    ids = {o["id"] for o in objects if isinstance(o, dict) and isinstance(o.get("id"), str | int)}
    assert len(found.resources) + len(found.problems) >= len(ids)
    assert len(found.resources) + len(found.problems) <= len(objects)
    msgspec.json.encode(found.resources)
