"""Cross-checks: lists that were proven whole, held against what other lists say must be in them.

Things come and go while a cloud is read, and leave traces behind, so a few that are missing prove nothing
where the other list is no evidence of existence now.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from collectors.openstack.known import Known
from collectors.openstack.sight import REMEDY, Proof
from inventory.coverage import Status


def volumes(proof: Proof, known: Known) -> Proof:
    """Disks that servers carry must be among the volumes seen."""
    lost = len(known.volumes_attached - known.volumes_listed)
    reason = f"云主机上挂着 {lost} 块不在列表里的云硬盘" if lost else ""
    return _unless(reason, proof, len(known.volumes_listed))


def ports(proof: Proof, known: Known) -> Proof:
    """A server with an address has a port; one in fifty may have come or gone in between."""
    servers = known.servers_with_addresses
    lost = len(servers - known.devices_with_ports)
    reason = f"{len(servers)} 台云主机有地址，其中 {lost} 台的端口看不见" if lost > len(servers) // 50 else ""
    return _unless(reason, proof, known.ports_listed)


def servers(proof: Proof, known: Known) -> Proof:
    """What Placement has promised to somebody is promised to servers, save what migrations hold and what
    was left behind."""
    consumers = {c for provider in known.resource_providers.values() for c in provider.consumers}
    lost = len(consumers - known.servers_listed)
    reason = f"资源放置服务记着 {len(consumers)} 个占用者，其中 {lost} 个不在云主机列表里"
    return _unless(reason if _many(lost, len(consumers)) else "", proof, len(known.servers_listed))


def projects(proof: Proof, known: Known) -> Proof:
    """Owners are projects; those of a project that was deleted with its things left behind are not."""
    listed = known.ids.get("project", set())
    lost = len(known.owners - listed)
    reason = f"资源的 {len(known.owners)} 个所属项目里，{lost} 个不在项目列表里"
    return _unless(reason if _many(lost, len(known.owners)) else "", proof, len(listed))


def _many(lost: int, of: int) -> bool:
    return lost >= 3 and lost > of // 3


def _unless(reason: str, proof: Proof, seen: int) -> Proof:
    if not reason:
        return proof
    return msgspec.structs.replace(
        proof,
        everything=False,
        reason=reason,
        remedy=REMEDY,
        status=Status.PARTIAL if seen else Status.DENIED,
    )


DOUBTS: dict[str, Callable[[Proof, Known], Proof]] = {
    "project": projects,
    "server": servers,
    "volume": volumes,
    "port": ports,
}
"""By kind; asked only where the list was proven whole."""
