"""What still fits: servers of each flavor that the hosts of a place can take, host by host.

Free amounts in small pieces are worth less than their sum: a flavor must fit on one host. Counted is by
amounts alone; what traits, aggregates' metadata or server groups forbid is not known here.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable

import msgspec

from inventory.kinds.compute import Flavor
from inventory.kinds.usage import AmountOf
from inventory.snapshot import Snapshot
from inventory.unknown import Unknown, known
from inventory.usage.capacity import Holder, holders
from inventory.usage.figures import Coverage, Dimension, free

_PLACES: tuple[Dimension, ...] = ("source", "zone", "architecture", "aggregate")


class FlavorFit(msgspec.Struct, kw_only=True):
    """``count`` fit host by host; ``pooled`` would fit if all free amounts lay on one host."""

    name: str
    vcpus: int
    memory_mib: int
    disk_gib: int
    count: int = 0
    pooled: int = 0


class Fit(msgspec.Struct, kw_only=True):
    """One place of one cloud. ``hosts`` take new servers and told what they have; ``untold`` may take some
    too, so with them, or with an incomplete collection, counts are "at least"."""

    source: str
    dimension: Dimension
    key: str
    hosts: int
    untold: int
    closed: int
    complete: bool
    flavors: list[FlavorFit]  # largest first
    largest: FlavorFit | None  # that fits at least once

    @property
    def exact(self) -> bool:
        """Whether the counts are the whole."""
        return self.complete and not self.untold


def fits(snapshot: Snapshot, found: Iterable[Holder] | None = None) -> list[Fit]:
    """Every place of every cloud that has compute nodes, by source, dimension and key."""
    coverage = Coverage(snapshot)
    flavors: dict[str, list[FlavorFit]] = defaultdict(list)
    for flavor in snapshot.of(Flavor):
        if known(flavor.vcpus) and known(flavor.memory_mib):
            flavors[flavor.source].append(
                FlavorFit(
                    name=flavor.native_id if isinstance(flavor.name, Unknown) else flavor.name,
                    vcpus=flavor.vcpus,
                    memory_mib=flavor.memory_mib,
                    disk_gib=0 if isinstance(flavor.disk_gib, Unknown) else flavor.disk_gib,
                )
            )
    groups: dict[tuple[str, Dimension, str], list[Holder]] = defaultdict(list)
    for holder in holders(snapshot) if found is None else found:
        if holder.kind == "hypervisor":
            for dimension in _PLACES:
                for key in holder.keys(dimension):
                    groups[holder.source, dimension, key].append(holder)
    return [
        _fit(place, group, flavors[place[0]], complete=coverage.complete(place[0], "hypervisor"))
        for place, group in sorted(groups.items())
    ]


def _fit(
    place: tuple[str, Dimension, str], group: list[Holder], flavors: list[FlavorFit], *, complete: bool
) -> Fit:
    open_ = [h for h in group if not h.closed]
    told = [left for left in map(_left, open_) if left is not None]
    counted = [_counted(flavor, told) for flavor in flavors]
    counted.sort(key=lambda f: (-f.memory_mib, -f.vcpus, -f.disk_gib, f.name))
    source, dimension, key = place
    return Fit(
        source=source,
        dimension=dimension,
        key=key,
        hosts=len(told),
        untold=len(open_) - len(told),
        closed=len(group) - len(open_),
        complete=complete,
        flavors=counted,
        largest=next((f for f in counted if f.count), None),
    )


Left = tuple[float, float, float]  # vcpu, memory_mib, disk_gib; infinite where it is no limit


def _left(holder: Holder) -> Left | None:
    """What a host can still give; None where it did not tell. A host without local disk amounts keeps
    disks elsewhere, and they limit nothing here."""
    left = []
    needed: tuple[AmountOf, ...] = ("vcpu", "memory_mib", "disk_gib")
    for of in needed:
        amount = holder.amounts.get(of)
        if amount is None:
            if of == "disk_gib":
                left.append(math.inf)
                continue
            return None
        value = free(amount)
        if isinstance(value, Unknown):
            return None
        left.append(value)
    return left[0], left[1], left[2]


def _counted(flavor: FlavorFit, told: list[Left]) -> FlavorFit:
    wants = (flavor.vcpus, flavor.memory_mib, flavor.disk_gib)
    pool = (sum(t[0] for t in told), sum(t[1] for t in told), sum(t[2] for t in told))
    return msgspec.structs.replace(
        flavor, count=sum(_times(left, wants) for left in told), pooled=_times(pool, wants) if told else 0
    )


def _times(left: Left, wants: tuple[int, int, int]) -> int:
    """How many times ``wants`` goes into ``left``; 0 for a flavor that wants nothing, which is no flavor."""
    limits = [
        math.floor(have / want)
        for have, want in zip(left, wants, strict=True)
        if want > 0 and have < math.inf
    ]
    return min(limits, default=0)
