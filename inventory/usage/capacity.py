"""What there is: the amounts of compute nodes, cluster nodes, storage pools and subnets, summed by place."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator

import msgspec

from inventory.kinds.cluster import Node
from inventory.kinds.compute import Hypervisor
from inventory.kinds.storage import StoragePool
from inventory.kinds.usage import Amount, AmountOf
from inventory.kinds.virtual_network import Subnet
from inventory.resource import Resource
from inventory.snapshot import Snapshot
from inventory.unknown import Maybe, Unknown, known
from inventory.usage.figures import DIMENSIONS, NOT_SEEN, Coverage, Dimension, Usage

EXPECTED: dict[str, tuple[AmountOf, ...]] = {
    "hypervisor": ("vcpu", "memory_mib", "disk_gib"),
    "storage_pool": ("disk_gib",),
    "subnet": ("address", "floating_ip"),
    "node": ("vcpu", "memory_mib", "pod"),
}
"""What the holders of a kind are expected to tell: a kind that nobody could read has these, unseen."""

_OLD_FIELDS: tuple[tuple[AmountOf, str, str], ...] = (
    ("vcpu", "vcpus", "vcpus_used"),
    ("memory_mib", "memory_mib", "memory_used_mib"),
    ("disk_gib", "disk_gib", "disk_used_gib"),
)


class Holder(msgspec.Struct, kw_only=True):
    """One thing that has amounts to give. ``closed``: it takes no new consumers now."""

    uid: str
    source: str
    kind: str
    zone: str = ""
    architecture: str = ""
    department: str = ""
    aggregates: list[str] = msgspec.field(default_factory=list)
    closed: bool = False
    stale: bool = False
    amounts: dict[AmountOf, Amount] = msgspec.field(default_factory=dict)

    def keys(self, dimension: Dimension) -> list[str]:
        """Where it belongs in a dimension; several places only among aggregates."""
        match dimension:
            case "source":
                return [""]
            case "zone":
                return [self.zone]
            case "architecture":
                return [self.architecture]
            case "department":
                return [self.department]
            case "aggregate":
                return self.aggregates


def holders(snapshot: Snapshot) -> list[Holder]:
    """Everything that has amounts, by kind. IPv6 subnets are left out: their addresses do not run out."""
    found = [
        *map(_hypervisor, snapshot.of(Hypervisor)),
        *map(_pool, snapshot.of(StoragePool)),
        *(_subnet(s) for s in snapshot.of(Subnet) if isinstance(s.family, Unknown) or s.family != "ipv6"),
        *map(_node, snapshot.of(Node)),
    ]
    for holder in found:
        holder.stale = holder.uid in snapshot.stale
    return found


def capacity(snapshot: Snapshot, found: Iterable[Holder] | None = None) -> list[Usage]:
    """One row per source, kind of holder, dimension, key and resource, sorted.

    A kind that a source was asked for and did not show has rows without holders, marked incomplete.
    """
    coverage = Coverage(snapshot)
    rows: dict[tuple[str, str, Dimension, str, AmountOf], Usage] = {}

    def row(source: str, kind: str, dimension: Dimension, key: str, resource: AmountOf) -> Usage:
        place = (source, kind, dimension, key, resource)
        held = rows.get(place)
        if held is None:
            held = rows[place] = Usage(
                source=source,
                holder=kind,
                dimension=dimension,
                key=key,
                resource=resource,
                complete=coverage.complete(source, kind),
            )
        return held

    for holder in holders(snapshot) if found is None else found:
        for resource, amount in holder.amounts.items():
            for dimension in DIMENSIONS:
                for key in holder.keys(dimension):
                    row(holder.source, holder.kind, dimension, key, resource).take(
                        amount, closed=holder.closed, stale=holder.stale
                    )
    for kind, resources in EXPECTED.items():
        for source in coverage.sources(kind):
            if not coverage.complete(source, kind) and not any(
                place[:3] == (source, kind, "source") for place in rows
            ):
                for resource in resources:
                    row(source, kind, "source", "", resource)
    return [rows[place] for place in sorted(rows)]


def summed(rows: Iterable[Usage], by: Callable[[Usage], Hashable]) -> list[Usage]:
    """Rows added up by a key; of the others' fields the first row's stay. Rows of one dimension only."""
    totals: dict[Hashable, Usage] = {}
    for row in rows:
        key = by(row)
        held = totals.get(key)
        if held is None:
            totals[key] = copied = msgspec.structs.replace(row)
            for name in ("capacity", "reserved", "schedulable", "allocated", "used", "free"):
                setattr(copied, name, msgspec.structs.replace(getattr(row, name)))
            for name in ("promised", "physical", "load"):
                setattr(copied, name, msgspec.structs.replace(getattr(row, name)))
        else:
            held.merge(row)
    return list(totals.values())


def _word(value: Maybe[str] | Maybe[str | None]) -> str:
    return NOT_SEEN if isinstance(value, Unknown) else value or ""


def _department(resource: Resource) -> str:
    return resource.labels.get("department", "")


def _listed(amounts: Maybe[list[Amount]]) -> dict[AmountOf, Amount] | None:
    if isinstance(amounts, Unknown):
        return None
    return {of: a for a in amounts if not isinstance(of := a.of, Unknown)}


def _unseen(kind: str) -> dict[AmountOf, Amount]:
    return {of: Amount(of=of) for of in EXPECTED[kind]}


def _hypervisor(h: Hypervisor) -> Holder:
    amounts = _listed(h.amounts)
    if amounts is None:
        amounts = dict(_old(h))
    return Holder(
        uid=h.uid,
        source=h.source,
        kind=h.KIND,
        zone=_word(h.zone),
        architecture=_word(h.cpu_architecture),
        department=_department(h),
        aggregates=[NOT_SEEN] if isinstance(h.aggregates, Unknown) else h.aggregates,
        closed=(known(h.state) and h.state == "down") or (known(h.enabled) and not h.enabled),
        amounts=amounts,
    )


def _old(h: Hypervisor) -> Iterator[tuple[AmountOf, Amount]]:
    """What the compute service told before Placement did: no reserve, no ratio."""
    for of, total, used in _OLD_FIELDS:
        yield of, Amount(of=of, total=getattr(h, total), allocated=getattr(h, used))


def _pool(pool: StoragePool) -> Holder:
    amounts = _listed(pool.amounts)
    return Holder(
        uid=pool.uid,
        source=pool.source,
        kind=pool.KIND,
        department=_department(pool),
        amounts=_unseen(pool.KIND) if amounts is None else amounts,
    )


def _subnet(subnet: Subnet) -> Holder:
    amounts = _listed(subnet.amounts)
    return Holder(
        uid=subnet.uid,
        source=subnet.source,
        kind=subnet.KIND,
        department=_department(subnet),
        amounts={"address": Amount(of="address")} if amounts is None else amounts,
    )


def _node(node: Node) -> Holder:
    amounts = _listed(node.amounts)
    return Holder(
        uid=node.uid,
        source=node.source,
        kind=node.KIND,
        zone=_word(node.zone),
        architecture=_word(node.cpu_architecture),
        department=_department(node),
        closed=(known(node.ready) and node.ready is not True)
        or (known(node.schedulable) and not node.schedulable),
        amounts=_unseen(node.KIND) if amounts is None else amounts,
    )
