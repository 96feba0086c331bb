"""Compute API v2.1 answers → what servers run on: compute nodes, host aggregates, nova's own services.

Asked at microversion 2.87, the last at which a hypervisor tells cpu_info, vcpus and memory (2.88 took them
away). How much may be promised of a node and how much is, Placement tells (``placement``).
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from collectors.openstack import levels, placement
from collectors.openstack.listing import PAGE, Ask, Mapped, Place, mapped, rows, seen
from collectors.openstack.row import Row, View
from inventory.decoding import convert, from_json
from inventory.kinds.cloud import PlatformService
from inventory.kinds.compute import Aggregate, Hypervisor
from inventory.kinds.usage import Amount
from inventory.origin import cpu_origin
from inventory.unknown import UNKNOWN, Maybe

MICROVERSION = "2.87"
_AMOUNTS = (
    "vcpus",
    "memory_mib",
    "disk_gib",
    "vcpus_used",
    "memory_used_mib",
    "disk_used_gib",
    "servers",
)


class _Service(msgspec.Struct):
    host: str = ""


class _Hypervisor(msgspec.Struct):
    id: str | int
    hypervisor_hostname: str
    state: str | UnsetType = UNSET
    status: str | UnsetType = UNSET
    hypervisor_type: str | UnsetType = UNSET
    hypervisor_version: int | UnsetType | None = UNSET
    cpu_info: Any = None  # an object; a JSON text before 2.28; None or "" where the driver tells none
    # taken away by 2.88, and null where a driver does not tell
    vcpus: int | UnsetType | None = UNSET
    memory_mib: int | UnsetType | None = msgspec.field(name="memory_mb", default=UNSET)
    disk_gib: int | UnsetType | None = msgspec.field(name="local_gb", default=UNSET)
    vcpus_used: int | UnsetType | None = UNSET
    memory_used_mib: int | UnsetType | None = msgspec.field(name="memory_mb_used", default=UNSET)
    disk_used_gib: int | UnsetType | None = msgspec.field(name="local_gb_used", default=UNSET)
    servers: int | UnsetType | None = msgspec.field(name="running_vms", default=UNSET)
    host_ip: str | UnsetType | None = UNSET
    service: _Service = msgspec.field(default_factory=_Service)


class _Cpu(msgspec.Struct):
    arch: str = ""
    vendor: str = ""
    model: str = ""


class _Zone(msgspec.Struct):
    zone: str = msgspec.field(name="zoneName")
    hosts: dict[str, Any] | None = None


class _Aggregate(msgspec.Struct):
    id: int | str
    name: str
    uuid: str = ""  # from 2.41 on
    zone: str | UnsetType | None = msgspec.field(name="availability_zone", default=UNSET)
    hosts: list[str] | UnsetType = UNSET
    metadata: dict[str, str] | UnsetType = UNSET


class _ComputeService(msgspec.Struct):
    id: str | int
    binary: str
    host: str
    zone: str | UnsetType | None = UNSET
    status: str | UnsetType = UNSET
    state: str | UnsetType = UNSET
    disabled_reason: str | UnsetType | None = UNSET
    heartbeat_at: datetime | UnsetType | None = msgspec.field(name="updated_at", default=UNSET)


class Around(msgspec.Struct, kw_only=True):
    """What other lists say about compute nodes; None = they were not read to their end."""

    zones: dict[str, str] | None = None  # host → zone
    aggregates: dict[str, dict[str, str]] | None = None  # host → aggregate id → name
    amounts: dict[str, list[Amount]] | None = None  # id → what the scheduler counts
    traits: dict[str, list[str]] | None = None  # id → traits
    orphans: dict[str, int] | None = None  # id → allocations to no server
    levels: dict[str, list[int]] | None = None  # host name → 等保 levels that run there


def zones(pages: list[bytes]) -> dict[str, str]:
    """Compute host → availability zone, out of GET /os-availability-zone/detail."""
    found, _ = rows(pages, "availabilityZoneInfo", _Zone)
    return {host: zone.zone for zone in found if zone.zone != "internal" for host in zone.hosts or {}}


def hypervisors(pages: list[bytes], around: Around, place: Place) -> Mapped:
    """Compute nodes."""

    def make(row: _Hypervisor) -> Hypervisor:
        id_, host = str(row.id), row.service.host
        aggregates = None if around.aggregates is None else around.aggregates.get(host, {})
        result = place.make(
            Hypervisor,
            row,
            native_id=id_,
            name=row.hypervisor_hostname,
            relations=place.relations(*(("member_of", "aggregate", a) for a in aggregates or ())),
            state=row.state if row.state in ("up", "down") else UNKNOWN,
            enabled=UNKNOWN if isinstance(row.status, UnsetType) else row.status == "enabled",
            zone=UNKNOWN if around.zones is None else around.zones.get(host),
            version=_version(row.hypervisor_version),
            host=host or UNKNOWN,
            aggregates=UNKNOWN if aggregates is None else sorted(aggregates.values()),
            amounts=UNKNOWN if around.amounts is None else around.amounts.get(id_, []),
            traits=UNKNOWN if around.traits is None else around.traits.get(id_, []),
            orphaned_allocations=UNKNOWN if around.orphans is None else around.orphans.get(id_, 0),
            levels=UNKNOWN if around.levels is None else around.levels.get(row.hypervisor_hostname, []),
        )
        for name in _AMOUNTS:
            if getattr(result, name) is None:
                setattr(result, name, UNKNOWN)
        cpu = _cpu(row.cpu_info)
        if cpu is not None:
            result.cpu_architecture = cpu.arch or UNKNOWN
            result.cpu_vendor = cpu.vendor or UNKNOWN
            result.cpu_model = cpu.model or UNKNOWN
            result.cpu_origin = cpu_origin(cpu.vendor, cpu.model, cpu.arch)
        return result

    return mapped(pages, "hypervisors", _Hypervisor, make, place.clean)


def _version(number: int | UnsetType | None) -> Maybe[str | None]:
    """libvirt and the drivers like it write 7.2.0 as 7002000; others write what they please."""
    if isinstance(number, UnsetType) or number is None:
        return seen(number)
    if number < 1_000_000:
        return str(number)
    return f"{number // 1_000_000}.{number // 1000 % 1000}.{number % 1000}"


def _cpu(info: Any) -> _Cpu | None:
    try:
        if isinstance(info, str):
            info = from_json(info)
        return convert(info, _Cpu) if info else None
    except msgspec.DecodeError:
        return None


def aggregates(pages: list[bytes], place: Place) -> Mapped:
    """Host aggregates."""

    def make(row: _Aggregate) -> Aggregate:
        return place.make(
            Aggregate,
            row,
            native_id=row.uuid or str(row.id),
            hosts=UNKNOWN if isinstance(row.hosts, UnsetType) else sorted(row.hosts),
            metadata=place.clean(seen(row.metadata)),
        )

    return mapped(pages, "aggregates", _Aggregate, make, place.clean)


def services(pages: list[bytes], place: Place) -> Mapped:
    """Nova's services; native id compute/ and nova's own id."""

    def make(row: _ComputeService) -> PlatformService:
        return place.make(
            PlatformService,
            row,
            native_id=f"compute/{row.id}",
            name=f"{row.binary}@{row.host}",
            service="compute",
            enabled=UNKNOWN if isinstance(row.status, UnsetType) else row.status == "enabled",
            alive=UNKNOWN if isinstance(row.state, UnsetType) else row.state == "up",
        )

    return mapped(pages, "services", _ComputeService, make, place.clean)


def names_to_ids(found: Mapped) -> dict[str, str]:
    """Name → native id."""
    return {r.name: r.native_id for r in found.resources if isinstance(r.name, str)}


def _learn_zones(page: bytes, _: str, view: View) -> None:
    view.known.zones |= zones([page])


def _services(page: bytes, _: str, view: View) -> Mapped:
    found = services([page], view.place)
    for one in found.resources:  # the list of zones leaves out hosts whose service is disabled
        if isinstance(one, PlatformService) and one.binary == "nova-compute" and isinstance(one.zone, str):
            view.known.zones[str(one.host)] = one.zone
    return found


def _aggregates(page: bytes, _: str, view: View) -> Mapped:
    found = aggregates([page], view.place)
    for one in found.resources:
        if isinstance(one, Aggregate) and isinstance(one.hosts, list):
            for host in one.hosts:
                view.known.aggregates_of.setdefault(host, {})[one.native_id] = str(one.name)
    return found


def _learn_names(page: bytes, _: str, view: View) -> None:
    for row in rows([page], "hypervisors", _Hypervisor)[0]:
        view.known.hypervisors[row.hypervisor_hostname] = str(row.id)
        if isinstance(row.host_ip, str) and row.service.host:
            view.known.node_addresses[row.service.host] = row.host_ip


def _hypervisors(page: bytes, _: str, view: View) -> Mapped:
    known = view.known
    allocated = view.came("resource_provider", "inventory", "allocation")
    around = Around(
        zones=known.zones if view.came("zone") or view.came("service.compute") else None,
        aggregates=known.aggregates_of if view.came("aggregate") else None,
        amounts=placement.amounts(known.resource_providers) if allocated else None,
        traits=placement.traits(known.resource_providers)
        if view.came("resource_provider", "trait")
        else None,
        orphans=placement.orphans(known.resource_providers, known.servers_listed)
        if allocated and view.whole("server", "server", "servers")
        else None,
        levels=levels.on_nodes(view),
    )
    return hypervisors([page], around, view.place)


def ask(path: str, key: str, **params: str) -> Ask:
    """One list of nova, at the microversion that this program reads."""
    return Ask(service="compute", path=path, key=key, params=params, microversion=MICROVERSION)


BEFORE_SERVERS: tuple[Row, ...] = (
    Row(
        name="zone",
        ask=ask("/os-availability-zone/detail", "availabilityZoneInfo"),
        learn=_learn_zones,
        adds={"hypervisor": "可用区没有读到"},
    ),
    Row(
        name="aggregate",
        kind="aggregate",
        ask=ask("/os-aggregates", "aggregates"),
        sight="hypervisors",
        map=_aggregates,
        adds={"hypervisor": "主机聚合没有读到"},
    ),
    # servers name their node, and nodes are told when Placement and the servers have been read
    Row(
        name="hypervisor_name",
        ask=ask("/os-hypervisors/detail", "hypervisors", limit=PAGE),
        learn=_learn_names,
    ),
    Row(
        name="service.compute",
        kind="platform_service",
        ask=ask("/os-services", "services"),
        sight="hypervisors",
        map=_services,
    ),
)
AFTER_SERVERS: tuple[Row, ...] = (
    Row(
        name="hypervisor",
        kind="hypervisor",
        ask=ask("/os-hypervisors/detail", "hypervisors", limit=PAGE),
        sight="hypervisors",
        after=("trait", "project"),
        map=_hypervisors,
    ),
)
