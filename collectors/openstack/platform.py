"""What the platform consists of: service lists of nova, cinder and manila, agents of neutron, statuses
of designate → one kind.

Their native id is "<catalogue type>/<id>", with binary@host where the service gives no id.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from collectors.openstack.listing import Mapped, Place, mapped, moment, seen
from inventory.decoding import convert
from inventory.kinds.cloud import PlatformService
from inventory.unknown import UNKNOWN, Maybe


class _Service(msgspec.Struct):
    binary: str
    host: str
    id: str | int | None = None
    zone: str | UnsetType | None = UNSET
    status: str | UnsetType = UNSET
    state: str | UnsetType = UNSET
    disabled_reason: str | UnsetType | None = UNSET
    updated_at: datetime | UnsetType | None = UNSET


class _Agent(msgspec.Struct):
    id: str
    binary: str | UnsetType = UNSET
    host: str | UnsetType = UNSET
    availability_zone: str | UnsetType | None = UNSET
    admin_state_up: bool | UnsetType = UNSET
    alive: bool | UnsetType = UNSET
    heartbeat_timestamp: datetime | UnsetType | None = UNSET
    configurations: Any = None


class _Tunnels(msgspec.Struct):
    """What an agent of Open vSwitch or of Linux bridges says of how customers' traffic leaves its node."""

    tunnel_types: list[str] | UnsetType = UNSET
    tunneling_ip: str | UnsetType | None = UNSET
    bridge_mappings: dict[str, str] = msgspec.field(default_factory=dict)
    interface_mappings: dict[str, str] = msgspec.field(default_factory=dict)


_SWITCHES = ("neutron-openvswitch-agent", "neutron-linuxbridge-agent")


class _Status(msgspec.Struct):
    id: str
    service_name: str | UnsetType = UNSET
    hostname: str | UnsetType | None = UNSET
    status: str | UnsetType = UNSET
    heartbeated_at: datetime | UnsetType | None = UNSET


def services(pages: list[bytes], service: str, place: Place) -> Mapped:
    """The lists that nova, cinder and manila share the form of; ``service`` is the catalogue type."""

    def make(row: _Service) -> PlatformService:
        id_ = f"{row.binary}@{row.host}" if row.id is None else row.id
        return PlatformService(
            source=place.source,
            native_id=f"{service}/{id_}",
            name=f"{row.binary}@{row.host}",
            labels=place.labels,
            service=service,
            binary=row.binary,
            host=row.host,
            zone=seen(row.zone),
            enabled=UNKNOWN if isinstance(row.status, UnsetType) else row.status == "enabled",
            disabled_reason=place.clean(seen(row.disabled_reason)),
            alive=UNKNOWN if isinstance(row.state, UnsetType) else row.state == "up",
            heartbeat_at=UNKNOWN if isinstance(row.updated_at, UnsetType) else moment(row.updated_at),
        )

    return mapped(pages, "services", _Service, make, place.clean)


def agents(pages: list[bytes], place: Place, nodes: Mapping[str, str] | None = None) -> Mapped:
    """Agents of neutron. ``nodes`` leads from a compute host to the address that it is managed at, and is
    None unless all were seen."""

    def make(row: _Agent) -> PlatformService:
        beat = row.heartbeat_timestamp
        tunnels = _tunnels(row)
        return PlatformService(
            source=place.source,
            native_id=f"network/{row.id}",
            name=f"{row.binary}@{row.host}",
            labels=place.labels,
            service="network",
            binary=seen(row.binary),
            host=seen(row.host),
            zone=seen(row.availability_zone),
            enabled=seen(row.admin_state_up),
            alive=seen(row.alive),
            heartbeat_at=UNKNOWN if isinstance(beat, UnsetType) else moment(beat),
            tunnel_address=_tunnel_address(tunnels),
            physical_networks=UNKNOWN
            if tunnels is None
            else sorted({*tunnels.bridge_mappings, *tunnels.interface_mappings}),
            management_address=UNKNOWN
            if nodes is None or isinstance(row.host, UnsetType)
            else nodes.get(row.host),
        )

    return mapped(pages, "agents", _Agent, make, place.clean)


def _tunnels(row: _Agent) -> _Tunnels | None:
    """None where an agent is no switch, or does not say."""
    if row.binary not in _SWITCHES:
        return None
    try:
        return convert(row.configurations, _Tunnels)
    except msgspec.ValidationError:
        return None


def _tunnel_address(tunnels: _Tunnels | None) -> Maybe[str | None]:
    if tunnels is None:
        return UNKNOWN
    if tunnels.tunnel_types == []:
        return None
    return tunnels.tunneling_ip or UNKNOWN if isinstance(tunnels.tunneling_ip, str) else UNKNOWN


def statuses(pages: list[bytes], place: Place) -> Mapped:
    """What designate knows of its own processes."""

    def make(row: _Status) -> PlatformService:
        beat = row.heartbeated_at
        binary = row.service_name
        return PlatformService(
            source=place.source,
            native_id=f"dns/{row.id}",
            name=f"{binary}@{row.hostname}",
            labels=place.labels,
            service="dns",
            binary=UNKNOWN if isinstance(binary, UnsetType) else f"designate-{binary}",
            host=row.hostname if isinstance(row.hostname, str) else UNKNOWN,
            alive=UNKNOWN if isinstance(row.status, UnsetType) else row.status.upper() == "UP",
            heartbeat_at=UNKNOWN if isinstance(beat, UnsetType) else moment(beat),
        )

    return mapped(pages, "service_statuses", _Status, make, place.clean)
