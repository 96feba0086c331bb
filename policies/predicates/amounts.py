"""Amounts that run out."""

from __future__ import annotations

from datetime import datetime

from inventory.kinds.cluster import Node
from inventory.kinds.compute import Hypervisor
from inventory.kinds.storage import StoragePool
from inventory.kinds.virtual_network import Subnet
from policies.predicates.contract import Predicate, seen

NEARLY = 0.9  # share of what may be promised from which something counts as nearly full


def nearly_full(holder: Hypervisor | StoragePool | Subnet | Node, now: datetime) -> bool:
    """Whether nine tenths of some amount that may be promised, (total − reserved) × ratio, are."""
    full = False
    for amount in seen(holder.amounts):
        schedulable = (seen(amount.total) - seen(amount.reserved)) * seen(amount.ratio)
        full = full or (schedulable > 0 and seen(amount.allocated) >= NEARLY * schedulable)
    return full


PREDICATES = (
    Predicate(
        name="nearly_full",
        kinds=(Hypervisor, StoragePool, Subnet, Node),
        reads=(
            "amounts",
            "amounts[].total",
            "amounts[].reserved",
            "amounts[].ratio",
            "amounts[].allocated",
        ),
        call=nearly_full,
        purpose="可分配的数量已分出九成以上",
    ),
)
