"""Compute API v2.1 answers at microversion 2.87 → servers, flavors, hypervisors.

2.87 is the last at which a hypervisor tells cpu_info, vcpus and memory (2.88 took them away), and late
enough for the flavor to be embedded in the server.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from collectors.openstack.listing import PAGE, Ask, Mapped, Place, mapped, moment, rows, seen
from collectors.openstack.row import Row, View
from inventory.kinds.address import Address, address_of
from inventory.kinds.compute import Flavor, Hypervisor, Server
from inventory.origin import cpu_origin
from inventory.unknown import UNKNOWN, Maybe, Unknown

MICROVERSION = "2.87"
_POWER = {0: "none", 1: "running", 3: "paused", 4: "shutdown", 6: "crashed", 7: "suspended"}


class _Flavor(msgspec.Struct):
    id: str
    name: str
    vcpus: int | UnsetType = UNSET
    ram: int | UnsetType = UNSET
    disk: int | UnsetType = UNSET
    public: bool | UnsetType = msgspec.field(name="os-flavor-access:is_public", default=UNSET)
    extra_specs: dict[str, str] | UnsetType = UNSET


class _Service(msgspec.Struct):
    host: str = ""


class _Hypervisor(msgspec.Struct):
    id: str | int
    hypervisor_hostname: str
    state: str | UnsetType = UNSET
    status: str | UnsetType = UNSET
    hypervisor_type: str | UnsetType = UNSET
    cpu_info: Any = None  # an object; a JSON text before 2.28; None or "" where the driver tells none
    vcpus: int | None = None
    memory_mb: int | None = None
    local_gb: int | None = None
    vcpus_used: int | None = None
    memory_mb_used: int | None = None
    local_gb_used: int | None = None
    running_vms: int | None = None
    service: _Service = msgspec.field(default_factory=_Service)


class _Cpu(msgspec.Struct):
    arch: str = ""
    vendor: str = ""
    model: str = ""


class _Zone(msgspec.Struct):
    zone: str = msgspec.field(name="zoneName")
    hosts: dict[str, Any] | None = None


class _ServerFlavor(msgspec.Struct):
    original_name: str = ""
    id: str = ""  # before 2.47
    vcpus: int | UnsetType = UNSET
    ram: int | UnsetType = UNSET
    disk: int | UnsetType = UNSET


class _Image(msgspec.Struct):
    id: str


class _Address(msgspec.Struct):
    addr: str
    type: str = msgspec.field(name="OS-EXT-IPS:type", default="")


class _Group(msgspec.Struct):
    name: str


class _Attached(msgspec.Struct):
    id: str


class _Server(msgspec.Struct):
    id: str
    name: str | UnsetType = UNSET  # a server in a cell that is down has id, status and project only
    status: str = "UNKNOWN"
    tenant_id: str | None = None
    created: datetime | UnsetType | None = UNSET
    flavor: _ServerFlavor | UnsetType = UNSET
    image: _Image | str | UnsetType | None = UNSET  # "" = boots from volume
    metadata: dict[str, str] | UnsetType = UNSET
    addresses: dict[str, list[_Address]] | UnsetType = UNSET
    security_groups: list[_Group] | UnsetType = UNSET
    key_name: str | UnsetType | None = UNSET
    config_drive: str | UnsetType = UNSET
    locked: bool | UnsetType = UNSET
    zone: str | UnsetType | None = msgspec.field(name="OS-EXT-AZ:availability_zone", default=UNSET)
    power_state: int | UnsetType = msgspec.field(name="OS-EXT-STS:power_state", default=UNSET)
    hypervisor: str | UnsetType | None = msgspec.field(
        name="OS-EXT-SRV-ATTR:hypervisor_hostname", default=UNSET
    )
    volumes: list[_Attached] = msgspec.field(
        name="os-extended-volumes:volumes_attached", default_factory=list
    )


def flavors(pages: list[bytes], place: Place) -> Mapped:
    """Flavors."""

    def make(row: _Flavor) -> Flavor:
        return Flavor(
            source=place.source,
            native_id=row.id,
            name=row.name,
            labels=place.labels,
            vcpus=seen(row.vcpus),
            memory_mib=seen(row.ram),
            disk_gib=seen(row.disk),
            public=seen(row.public),
            extra_specs=seen(row.extra_specs),
        )

    return mapped(pages, "flavors", _Flavor, make, place.clean)


def zones(pages: list[bytes]) -> dict[str, str]:
    """Compute host → availability zone, out of GET /os-availability-zone/detail."""
    found, _ = rows(pages, "availabilityZoneInfo", _Zone)
    return {host: zone.zone for zone in found if zone.zone != "internal" for host in zone.hosts or {}}


def hypervisors(pages: list[bytes], host_zones: dict[str, str] | None, place: Place) -> Mapped:
    """Compute nodes; ``host_zones`` None where the zones could not be read."""

    def make(row: _Hypervisor) -> Hypervisor:
        result = Hypervisor(
            source=place.source,
            native_id=str(row.id),
            name=row.hypervisor_hostname,
            labels=place.labels,
            state=row.state if row.state in ("up", "down") else UNKNOWN,  # type: ignore[arg-type]
            enabled=UNKNOWN if isinstance(row.status, UnsetType) else row.status == "enabled",
            zone=UNKNOWN if host_zones is None else host_zones.get(row.service.host),
            hypervisor_type=seen(row.hypervisor_type),
            vcpus=_number(row.vcpus),
            memory_mib=_number(row.memory_mb),
            disk_gib=_number(row.local_gb),
            vcpus_used=_number(row.vcpus_used),
            memory_used_mib=_number(row.memory_mb_used),
            disk_used_gib=_number(row.local_gb_used),
            servers=_number(row.running_vms),
        )
        cpu = _cpu(row.cpu_info)
        if cpu is not None:
            result.cpu_architecture = cpu.arch or UNKNOWN
            result.cpu_vendor = cpu.vendor or UNKNOWN
            result.cpu_model = cpu.model or UNKNOWN
            result.cpu_origin = cpu_origin(cpu.vendor, cpu.model, cpu.arch)
        return result

    return mapped(pages, "hypervisors", _Hypervisor, make, place.clean)


def _number(value: int | None) -> Maybe[int]:
    return UNKNOWN if value is None else value


def _cpu(info: Any) -> _Cpu | None:
    try:
        if isinstance(info, str):
            info = msgspec.json.decode(info)
        return msgspec.convert(info, _Cpu) if info else None
    except msgspec.DecodeError:
        return None


def servers(
    pages: list[bytes], hypervisor_ids: dict[str, str], flavor_ids: dict[str, str], place: Place
) -> Mapped:
    """Servers. The two tables (host name → hypervisor id, flavor name → id) make relations; a server
    whose partner is not in them has the plain name only. user_data is never looked at."""

    def make(row: _Server) -> Server:
        flavor = None if isinstance(row.flavor, UnsetType) else row.flavor
        image = row.image.id if isinstance(row.image, _Image) else None
        host = None if isinstance(row.hypervisor, UnsetType) else row.hypervisor
        flavor_name = flavor.original_name if flavor else ""
        return Server(
            source=place.source,
            native_id=row.id,
            name=seen(row.name),
            labels=place.labels,
            relations=place.relations(
                ("in_project", "project", row.tenant_id),
                ("runs_on", "hypervisor", hypervisor_ids.get(host or "")),
                ("has_flavor", "flavor", flavor.id or flavor_ids.get(flavor_name) if flavor else None),
                ("made_from", "image", image),
            ),
            status=row.status,
            power_state=_power(row.power_state),
            locked=seen(row.locked),
            zone=seen(row.zone),
            hypervisor=seen(row.hypervisor),
            flavor=(flavor_name or flavor.id or None) if flavor else UNKNOWN,
            vcpus=seen(flavor.vcpus) if flavor else UNKNOWN,
            memory_mib=seen(flavor.ram) if flavor else UNKNOWN,
            disk_gib=seen(flavor.disk) if flavor else UNKNOWN,
            image=UNKNOWN if isinstance(row.image, UnsetType) else image,
            key_name=seen(row.key_name),
            config_drive=UNKNOWN if isinstance(row.config_drive, UnsetType) else row.config_drive == "True",
            metadata=UNKNOWN if isinstance(row.metadata, UnsetType) else place.clean(row.metadata),
            addresses=_addresses(row.addresses),
            security_groups=UNKNOWN
            if isinstance(row.security_groups, UnsetType)
            else sorted({g.name for g in row.security_groups}),
            created_at=UNKNOWN
            if isinstance(row.created, UnsetType) or row.created is None
            else moment(row.created) or UNKNOWN,
        )

    return mapped(pages, "servers", _Server, make, place.clean)


def _power(value: int | UnsetType) -> Any:
    return UNKNOWN if isinstance(value, UnsetType) else _POWER.get(value, UNKNOWN)


def _addresses(networks: dict[str, list[_Address]] | UnsetType) -> Maybe[list[Address]]:
    if isinstance(networks, UnsetType):
        return UNKNOWN
    result = []
    for addresses in networks.values():
        for one in addresses:
            address = address_of(one.addr)
            address.floating = one.type == "floating"
            result.append(address)
    return sorted(result, key=lambda a: (str(a.family), str(a.address)))


def _learn_zones(page: bytes, _: str, view: View) -> None:
    view.known.zones |= zones([page])


def _flavors(page: bytes, _: str, view: View) -> Mapped:
    found = flavors([page], view.place)
    view.known.flavors |= _ids(found)
    return found


def _hypervisors(page: bytes, _: str, view: View) -> Mapped:
    found = hypervisors([page], view.known.zones if view.came("zone") else None, view.place)
    view.known.hypervisors |= _ids(found)
    return found


def _ids(found: Mapped) -> dict[str, str]:
    return {r.name: r.native_id for r in found.resources if isinstance(r.name, str)}


def _learn_servers(page: bytes, _: str, view: View) -> None:
    for row in rows([page], "servers", _Server)[0]:
        view.known.volumes_attached.update(v.id for v in row.volumes)
        if not isinstance(row.addresses, UnsetType) and any(row.addresses.values()):
            view.known.servers_with_addresses += 1


def _servers(page: bytes, _: str, view: View) -> Mapped:
    found = servers([page], view.known.hypervisors, view.known.flavors, view.place)
    down = sum(isinstance(r.name, Unknown) for r in found.resources)
    if down:
        found.problems.append(f"{down} 台云主机所在的 cell 没有应答，只知道编号")
    return found


def _ask(path: str, key: str, **params: str) -> Ask:
    return Ask(service="compute", path=path, key=key, params=params, microversion=MICROVERSION)


ROWS: tuple[Row, ...] = (
    Row(
        name="flavor",
        kind="flavor",
        ask=_ask("/flavors/detail", "flavors", is_public="None", limit=PAGE),
        sight="flavors",
        map=_flavors,
    ),
    Row(
        name="zone",
        ask=_ask("/os-availability-zone/detail", "availabilityZoneInfo"),
        learn=_learn_zones,
    ),
    Row(
        name="hypervisor",
        kind="hypervisor",
        ask=_ask("/os-hypervisors/detail", "hypervisors", limit=PAGE),
        sight="hypervisors",
        map=_hypervisors,
    ),
    Row(
        name="server",
        kind="server",
        ask=_ask("/servers/detail", "servers", all_tenants="1", limit=PAGE),
        sight="servers",
        instead=_ask("/servers/detail", "servers", limit=PAGE),
        learn=_learn_servers,
        map=_servers,
    ),
)
