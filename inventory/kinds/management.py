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


FAMILY: tuple[type[Resource], ...] = (MonitoringSystem,)
