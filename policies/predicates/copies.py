"""Copies of customers' data: any pool shows that some are missing, storage that holds all that none are."""

from __future__ import annotations

from datetime import datetime

from inventory.kinds.load import ReplicatedPool
from inventory.unknown import Unknown, or_none
from policies.predicates.contract import Predicate, UndecidedError, seen


def copies_missing(pool: ReplicatedPool, now: datetime) -> bool:
    """Whether some data of a pool has fewer copies than it should, or cannot be reached."""
    short = (pool.groups_degraded, pool.groups_undersized, pool.groups_unfound)
    if any((or_none(count) or 0) > 0 for count in short):
        return True
    if seen(pool.groups_active) < seen(pool.placement_groups):
        return True
    if any(isinstance(count, Unknown) for count in short):
        raise UndecidedError("监控系统没有给出这个存储池各归置组的状态")
    if or_none(pool.holds_everything) is not True:
        raise UndecidedError("没有说明客户数据是不是都在这套存储里：是的，在 ceph 里写 everything: true")
    return False


PREDICATES = (
    Predicate(
        name="copies_missing",
        kinds=(ReplicatedPool,),
        reads=(
            *("placement_groups", "groups_active", "groups_degraded", "groups_undersized"),
            *("groups_unfound", "holds_everything"),
        ),
        call=copies_missing,
        purpose="有数据的副本不够数或读不到；都够的，要写明客户数据都在这套存储里才算",
    ),
)
