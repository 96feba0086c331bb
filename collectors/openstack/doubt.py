"""Cross-checks: lists that were proven whole, held against what other lists say must be in them."""

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
    """A server with an address has a port."""
    reason = f"{known.servers_with_addresses} 台云主机有地址，却只看见 {known.ports_listed} 个端口"
    enough = known.ports_listed >= known.servers_with_addresses
    return _unless("" if enough else reason, proof, known.ports_listed)


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


DOUBTS: dict[str, Callable[[Proof, Known], Proof]] = {"volume": volumes, "port": ports}
"""By kind; asked only where the list was proven whole."""
