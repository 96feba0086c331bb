"""Monitoring of a cloud: one without series counts where the monitoring system is meant for all."""

from __future__ import annotations

from datetime import datetime

from inventory.kinds.load import MonitoringCoverage
from inventory.unknown import or_none
from policies.predicates.contract import Predicate, UndecidedError, seen


def some_unwatched(row: MonitoringCoverage, now: datetime) -> bool:
    """Whether the monitoring system has no series of a machine that it is meant to watch."""
    listed = seen(row.listed)
    if not listed:
        raise UndecidedError("云平台来源没有列出这类资源，或没有采集到")
    if seen(row.watched) >= listed:
        return False
    without = seen(row.without_series)
    if not without:
        raise UndecidedError("有的序列对得上不止一个资源，分不清哪个有监控")
    if or_none(row.meant_for_all) is not True:
        raise UndecidedError(
            f"{without} 个没有序列；都应由这套监控监测的，在 clouds 的 everything 里写明这一类"
        )
    return True


PREDICATES = (
    Predicate(
        name="some_unwatched",
        kinds=(MonitoringCoverage,),
        reads=("listed", "watched", "without_series", "meant_for_all"),
        call=some_unwatched,
        purpose="云上有资源在应当监测它的监控系统里没有序列；都有的，要云平台列得出这类资源才算",
    ),
)
