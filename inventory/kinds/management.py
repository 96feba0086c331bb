"""Kinds of the systems that operations work with."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from inventory.resource import Resource
from inventory.unknown import UNKNOWN, Maybe


class MonitoringSystem(Resource):
    """A monitoring system itself; native id = name of the source that asks it.

    A target is what it scrapes. ``unwatched``: names of the machines and virtual devices of the clouds it is
    meant for that it has no series of, at most 50; UNKNOWN where that could not be told of all of them.
    """

    KIND: ClassVar[str] = "monitoring_system"
    TITLE: ClassVar[str] = "监控平台"
    VOLATILE: ClassVar[frozenset[str]] = frozenset({"targets", "measured_at"})

    software: Maybe[str] = UNKNOWN
    targets: Maybe[int] = UNKNOWN
    targets_down: Maybe[int] = UNKNOWN
    down: Maybe[list[str]] = UNKNOWN  # job and instance of targets that do not answer, at most 50
    alert_rules: Maybe[int] = UNKNOWN
    alert_receivers: Maybe[int] = UNKNOWN  # Alertmanagers that alerts are sent to
    unwatched: Maybe[list[str]] = UNKNOWN
    measured_at: Maybe[datetime] = UNKNOWN


class LogPlatform(Resource):
    """Where the logs of an estate come together; native id = name of the source that asks it.

    ``oldest_record_at`` and ``newest_record_at``: None = there is no record; records of the future are left
    out of them. ``silent``: names of listed machines without a recent record that are meant to send theirs,
    at most 50; UNKNOWN where it could not be told of every one.
    """

    KIND: ClassVar[str] = "log_platform"
    TITLE: ClassVar[str] = "日志平台"
    VOLATILE: ClassVar[frozenset[str]] = frozenset(
        {"records", "oldest_record_at", "newest_record_at", "indices", "measured_at"}
    )

    software: Maybe[str] = UNKNOWN
    version: Maybe[str] = UNKNOWN
    indices: Maybe[int] = UNKNOWN
    closed_indices: Maybe[int] = UNKNOWN  # no search looks into these
    records: Maybe[int] = UNKNOWN
    oldest_record_at: Maybe[datetime | None] = UNKNOWN
    newest_record_at: Maybe[datetime | None] = UNKNOWN
    days_without_records: Maybe[int] = UNKNOWN  # whole days of the last 183, from the oldest record on
    sources: Maybe[int] = UNKNOWN  # names that records are of
    listed: Maybe[int] = UNKNOWN  # machines that other sources list and that may send
    silent: Maybe[list[str]] = UNKNOWN
    measured_at: Maybe[datetime] = UNKNOWN


FAMILY: tuple[type[Resource], ...] = (MonitoringSystem, LogPlatform)
