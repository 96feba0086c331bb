"""Logs kept: as of the moment when the platform was asked. What was not searched shows nothing missing."""

from __future__ import annotations

from datetime import datetime, timedelta

from inventory.kinds.management import LogPlatform
from policies.predicates.contract import Predicate, UndecidedError, seen

HALF_YEAR = timedelta(days=183)


def kept_too_short(platform: LogPlatform, now: datetime) -> bool:
    """Whether no record is half a year old."""
    oldest = seen(platform.oldest_record_at)
    if oldest is not None and seen(platform.measured_at) - oldest >= HALF_YEAR:
        return False
    if closed := seen(platform.closed_indices):
        raise UndecidedError(f"{closed} 个索引是关闭的，查不到里面的记录，更早的可能在那里")
    return True


def days_lost(platform: LogPlatform, now: datetime) -> bool:
    """Whether days of the last half year have no record."""
    if not seen(platform.days_without_records):
        return False
    if closed := seen(platform.closed_indices):
        raise UndecidedError(f"{closed} 个索引是关闭的，缺的那些天可能在那里")
    return True


def nothing_new(platform: LogPlatform, now: datetime) -> bool:
    """Whether the last record was more than a day old."""
    newest = seen(platform.newest_record_at)
    return newest is None or seen(platform.measured_at) - newest > timedelta(days=1)


PREDICATES = (
    Predicate(
        name="kept_too_short",
        kinds=(LogPlatform,),
        reads=("oldest_record_at", "measured_at", "closed_indices"),
        call=kept_too_short,
        purpose="查询的时候没有一条记录满 183 天；关闭的索引查不到，有的就判断不了",
    ),
    Predicate(
        name="days_lost",
        kinds=(LogPlatform,),
        reads=("days_without_records", "closed_indices"),
        call=days_lost,
        purpose="最近 183 天（从最早的记录起）里有整天没有一条记录；有关闭的索引就判断不了",
    ),
    Predicate(
        name="nothing_new",
        kinds=(LogPlatform,),
        reads=("newest_record_at", "measured_at"),
        call=nothing_new,
        purpose="查询的时候最新的记录已超过一天，或一条也没有",
    ),
)
