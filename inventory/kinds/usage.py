"""Amounts: how much of something there is, and how much of it is promised and used."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar, Literal

from inventory.resource import Nested, Resource
from inventory.unknown import UNKNOWN, Maybe

AmountOf = Literal["vcpu", "memory_mib", "disk_gib", "address", "floating_ip", "pod", "gpu"]
"""What is counted. ``disk_gib`` is any block or local storage, by what holds the amount."""


class Amount(Nested):
    """One counted thing of whatever holds it. What may be promised is ``(total − reserved) × ratio``.

    ``allocated`` is promised to consumers (flavors, requests, volumes, fixed addresses), ``used`` is what
    they take where the platform itself measures it.
    """

    of: Maybe[AmountOf] = UNKNOWN
    total: Maybe[float] = UNKNOWN
    reserved: Maybe[float] = UNKNOWN  # kept back for the platform
    ratio: Maybe[float] = UNKNOWN  # overcommit; 1.0 = none
    allocated: Maybe[float] = UNKNOWN
    used: Maybe[float] = UNKNOWN


class Utilization(Resource):
    """Measured load of one thing over a window, from a monitoring system; native id = uid/metric.

    Its relation ``measures`` leads to the thing. Shares are 0–1 of what the thing has.
    """

    KIND: ClassVar[str] = "utilization"
    TITLE: ClassVar[str] = "利用率"
    VOLATILE: ClassVar[frozenset[str]] = frozenset({"mean", "p95", "peak", "measured_at"})

    metric: Maybe[Literal["cpu", "memory", "disk"]] = UNKNOWN
    window_hours: Maybe[float] = UNKNOWN
    mean: Maybe[float] = UNKNOWN
    p95: Maybe[float] = UNKNOWN
    peak: Maybe[float] = UNKNOWN
    measured_at: Maybe[datetime] = UNKNOWN


FAMILY: tuple[type[Resource], ...] = (Utilization,)
