"""How full it is, who has what, what can be reclaimed: pure functions of a snapshot.

capacity     what compute nodes, cluster nodes, storage pools and subnets have, by place
consumers    what projects and namespaces have, by department
idle         what could be given back
fitting      how many servers of each flavor still fit
"""

from __future__ import annotations

import msgspec

from inventory.snapshot import Snapshot
from inventory.usage.capacity import Holder, capacity, holders, summed
from inventory.usage.consumers import Consumer, Counted, Owners, by_department, consumers
from inventory.usage.figures import DIMENSIONS, NOT_SEEN, Coverage, Figure, Share, Usage
from inventory.usage.fitting import Fit, FlavorFit, fits
from inventory.usage.idle import Idle, Judged, idle, reclaimable

__all__ = [
    "DIMENSIONS",
    "NOT_SEEN",
    "Consumer",
    "Counted",
    "Coverage",
    "Estate",
    "Figure",
    "Fit",
    "FlavorFit",
    "Holder",
    "Idle",
    "Judged",
    "Owners",
    "Share",
    "Usage",
    "by_department",
    "capacity",
    "consumers",
    "fits",
    "holders",
    "idle",
    "reclaimable",
    "summed",
    "usage_of",
]


class Estate(msgspec.Struct, kw_only=True):
    """All of it, from one snapshot."""

    snapshot: Snapshot
    capacity: list[Usage]
    consumers: list[Consumer]
    idle: list[Judged]
    fits: list[Fit]


def usage_of(snapshot: Snapshot) -> Estate:
    """Reckon everything once; what reports and metrics both read."""
    found = holders(snapshot)
    owners = Owners(snapshot)
    return Estate(
        snapshot=snapshot,
        capacity=capacity(snapshot, found),
        consumers=consumers(snapshot, owners),
        idle=idle(snapshot, owners),
        fits=fits(snapshot, found),
    )
