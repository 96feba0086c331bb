"""Networking API v2.0 answers → trunks, QoS policies, and who shares what."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from collectors.openstack.listing import Mapped, Place, mapped, rows, seen
from inventory.kinds.virtual_network import QosPolicy, Trunk
from inventory.unknown import UNKNOWN

_UNITS = {
    "max_kbps": "kbit/s",
    "min_kbps": "kbit/s",
    "max_kpps": "kpacket/s",
    "min_kpps": "kpacket/s",
    "dscp_mark": "",
}


class _Subport(msgspec.Struct):
    port_id: str
    segmentation_type: str | None = None
    segmentation_id: int | None = None


class _Trunk(msgspec.Struct):
    id: str
    name: str | None = None
    project_id: str | None = None
    status: str | UnsetType = UNSET
    admin_state_up: bool | UnsetType = UNSET
    port_id: str | UnsetType = UNSET
    sub_ports: list[_Subport] | UnsetType = UNSET


class _Policy(msgspec.Struct):
    id: str
    name: str | None = None
    project_id: str | None = None
    shared: bool | UnsetType = UNSET
    is_default: bool | UnsetType = UNSET
    rules: list[dict[str, Any]] | UnsetType = UNSET


class _Sharing(msgspec.Struct):
    object_id: str
    object_type: str
    action: str
    target_tenant: str


def trunks(pages: list[bytes], place: Place) -> Mapped:
    """Trunks."""

    def make(row: _Trunk) -> Trunk:
        return Trunk(
            source=place.source,
            native_id=row.id,
            name=row.name or "",
            labels=place.labels,
            relations=place.relations(
                ("in_project", "project", row.project_id),
                ("attached_to", "port", row.port_id if isinstance(row.port_id, str) else None),
            ),
            status=seen(row.status),
            admin_up=seen(row.admin_state_up),
            port=seen(row.port_id),
            subports=UNKNOWN
            if isinstance(row.sub_ports, UnsetType)
            else sorted(f"{p.segmentation_type} {p.segmentation_id} {p.port_id}" for p in row.sub_ports),
        )

    return mapped(pages, "trunks", _Trunk, make, place.clean)


def trunk_of_port(pages: list[bytes]) -> dict[str, str]:
    """Parent port → trunk."""
    return {row.port_id: row.id for row in rows(pages, "trunks", _Trunk)[0] if isinstance(row.port_id, str)}


def qos_policies(pages: list[bytes], place: Place) -> Mapped:
    """QoS policies of the network service."""

    def make(row: _Policy) -> QosPolicy:
        return QosPolicy(
            source=place.source,
            native_id=row.id,
            name=row.name or "",
            labels=place.labels,
            relations=place.relations(("in_project", "project", row.project_id)),
            shared=seen(row.shared),
            default=seen(row.is_default),
            rules=UNKNOWN if isinstance(row.rules, UnsetType) else sorted(_rule(rule) for rule in row.rules),
        )

    return mapped(pages, "policies", _Policy, make, place.clean)


def _rule(rule: dict[str, Any]) -> str:
    name, unit = next(((n, u) for n, u in _UNITS.items() if rule.get(n) is not None), ("", ""))
    parts = (rule.get("type"), rule.get("direction"), rule.get(name), unit)
    return " ".join(str(part) for part in parts if part not in (None, ""))


def shared_with(pages: list[bytes]) -> tuple[dict[str, dict[str, set[str]]], list[str]]:
    """Type of thing → its id → ids of the projects that RBAC policies share it with ("*" = all); and a
    text for each policy that is not as it should be. Use as an external network is no sharing."""
    found, problems = rows(pages, "rbac_policies", _Sharing)
    shares: dict[str, dict[str, set[str]]] = {}
    for row in found:
        if row.action == "access_as_shared":
            shares.setdefault(row.object_type, {}).setdefault(row.object_id, set()).add(row.target_tenant)
    return shares, problems
