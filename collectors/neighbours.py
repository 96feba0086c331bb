"""Devices beside a device, as LLDP and CDP tell them: edges to those that are targets of the same source."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from inventory.kinds.network import Device, DeviceNeighbour
from inventory.resource import Relation, uid_of
from inventory.unknown import known


def edges(
    device: Device, neighbours: Iterable[DeviceNeighbour], targets: Mapping[str, str]
) -> list[Relation]:
    """Edges by management address or by name. ``targets``: address or lower-case name → target."""
    found: set[str] = set()
    for neighbour in neighbours:
        keys = list(neighbour.addresses) if known(neighbour.addresses) else []
        if known(neighbour.system_name) and neighbour.system_name:
            keys.append(neighbour.system_name.lower())
        found |= {targets[key] for key in keys if key in targets}
    found.discard(device.native_id)
    return [Relation("neighbour_of", uid_of(device.source, Device.KIND, target)) for target in sorted(found)]
