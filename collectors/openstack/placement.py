"""Placement API answers → what may be promised of each compute node, and what is.

A node's resource provider has the node's id; providers below it (NUMA cells, graphics cards) are added up
to their root. Three calls a provider, since no list tells inventories, allocations or traits of all:
allocation candidates leave out the nodes that are full, which are the ones a planner looks for.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from collectors.openstack.known import Inventory, Provider
from collectors.openstack.listing import Ask, rows
from collectors.openstack.row import Row, View
from inventory.decoding import from_json
from inventory.kinds.usage import Amount, AmountOf

_MICROVERSION = "1.39"
_COUNTED: dict[str, AmountOf] = {
    "VCPU": "vcpu",
    "PCPU": "vcpu",
    "MEMORY_MB": "memory_mib",
    "DISK_GB": "disk_gib",
    "VGPU": "gpu",
    "PGPU": "gpu",
}


class _Provider(msgspec.Struct):
    uuid: str
    root_provider_uuid: str | None = None  # from 1.14 on


class _Inventories(msgspec.Struct):
    inventories: dict[str, Inventory]


class _Allocation(msgspec.Struct):
    resources: dict[str, float]


class _Allocations(msgspec.Struct):
    allocations: dict[str, _Allocation]


class _Traits(msgspec.Struct):
    traits: list[str]


def amounts(providers: dict[str, Provider]) -> dict[str, list[Amount]]:
    """Root provider → what it has and has promised. Where a thing is counted in several inventories
    (shared and dedicated processors), ``ratio`` is that of their sum."""
    found: dict[str, dict[AmountOf, Amount]] = {}
    capacity: dict[tuple[str, AmountOf], float] = {}
    for one in providers.values():
        held = found.setdefault(one.root, {})
        for name, inventory in one.inventories.items():
            of = _COUNTED.get(name)
            if of is None:
                continue
            amount = held.setdefault(of, Amount(of=of, total=0.0, reserved=0.0, allocated=0.0))
            amount.total += inventory.total  # type: ignore[operator]
            amount.reserved += inventory.reserved  # type: ignore[operator]
            amount.allocated += one.allocated.get(name, 0.0)  # type: ignore[operator]
            free = inventory.total - inventory.reserved
            capacity[one.root, of] = capacity.get((one.root, of), 0.0) + free * inventory.allocation_ratio
    for (root, of), whole in capacity.items():
        amount = found[root][of]
        free = amount.total - amount.reserved  # type: ignore[operator]
        amount.ratio = round(whole / free, 4) if free else 1.0
    return {root: [held[of] for of in sorted(held)] for root, held in found.items()}


def traits(providers: dict[str, Provider]) -> dict[str, list[str]]:
    """Root provider → its traits and those of the providers below it."""
    found: dict[str, set[str]] = {}
    for one in providers.values():
        found.setdefault(one.root, set()).update(one.traits)
    return {root: sorted(names) for root, names in found.items()}


def orphans(providers: dict[str, Provider], servers: set[str]) -> dict[str, int]:
    """Root provider → consumers that are no server: left behind by one that is gone, or by a migration
    that is under way."""
    found: dict[str, set[str]] = {}
    for one in providers.values():
        found.setdefault(one.root, set()).update(set(one.consumers) - servers)
    return {root: len(consumers) for root, consumers in found.items()}


def providers(page: bytes) -> dict[str, Provider]:
    """Resource providers by id, out of GET /resource_providers."""
    listed, _ = rows([page], "resource_providers", _Provider)
    return {row.uuid: Provider(root=row.root_provider_uuid or row.uuid) for row in listed}


def set_inventories(provider: Provider, body: bytes) -> None:
    """GET /resource_providers/{id}/inventories. Raises msgspec.DecodeError."""
    provider.inventories = from_json(body, _Inventories).inventories


def set_allocations(provider: Provider, body: bytes) -> None:
    """GET /resource_providers/{id}/allocations. Raises msgspec.DecodeError."""
    held = from_json(body, _Allocations).allocations
    allocated: dict[str, float] = {}
    for one in held.values():
        for name, amount in one.resources.items():
            allocated[name] = allocated.get(name, 0.0) + amount
    provider.allocated, provider.consumers = allocated, list(held)


def set_traits(provider: Provider, body: bytes) -> None:
    """GET /resource_providers/{id}/traits. Raises msgspec.DecodeError."""
    provider.traits = from_json(body, _Traits).traits


def _learn_providers(page: bytes, _: str, view: View) -> None:
    view.known.resource_providers |= providers(page)


def _row(name: str, what: str, learn: Callable[[Provider, bytes], None]) -> Row:
    """One answer a provider; that kind of answer is no list."""
    return Row(
        name=name,
        ask=Ask(
            service="placement", path=f"/resource_providers/{{}}/{what}", key="", microversion=_MICROVERSION
        ),
        each=lambda view: sorted(view.known.resource_providers),
        learn=lambda body, id_, view: learn(view.known.resource_providers[id_], body),
        adds={"hypervisor": "资源放置服务没有读全"},
    )


ROWS: tuple[Row, ...] = (
    Row(
        name="resource_provider",
        ask=Ask(
            service="placement",
            path="/resource_providers",
            key="resource_providers",
            microversion=_MICROVERSION,
        ),
        learn=_learn_providers,
        adds={"hypervisor": "资源放置服务没有读全"},
    ),
    _row("inventory", "inventories", set_inventories),
    _row("allocation", "allocations", set_allocations),
    _row("trait", "traits", set_traits),
)
