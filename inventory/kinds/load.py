"""Kinds of what a monitoring system has measured of machines, links and the storage of a cloud.

They are part of the machine or cloud they tell of, and belong to a system where that does.
"""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar, Literal

from inventory.resource import Resource
from inventory.unknown import UNKNOWN, Maybe


class Load(Resource):
    """How busy one machine was over a window, as a monitoring system tells; native id = uid of the machine.

    Peaks are in percent of what the machine has, of its busiest part; ``*_observed_ratio`` is the share of
    the window that has samples (0–1), ``*_over_ratio`` the share of the samples above the threshold that
    was asked for. ``watched``: False only where the monitoring system is said to watch every machine.
    """

    KIND: ClassVar[str] = "load"
    TITLE: ClassVar[str] = "设备负载"
    VOLATILE: ClassVar[frozenset[str]] = frozenset(
        (
            "peak_cpu_percent cpu_over_ratio cpu_observed_ratio "
            "peak_memory_percent memory_over_ratio memory_observed_ratio measured_at"
        ).split()
    )

    machine: Maybe[Literal["device", "host"]] = UNKNOWN
    watched: Maybe[bool] = UNKNOWN  # samples of the last day are there
    window_days: Maybe[int] = UNKNOWN
    peak_cpu_percent: Maybe[float] = UNKNOWN
    cpu_over_ratio: Maybe[float] = UNKNOWN
    cpu_observed_ratio: Maybe[float] = UNKNOWN
    peak_memory_percent: Maybe[float] = UNKNOWN
    memory_over_ratio: Maybe[float] = UNKNOWN
    memory_observed_ratio: Maybe[float] = UNKNOWN
    measured_at: Maybe[datetime] = UNKNOWN


class LinkLoad(Resource):
    """How full one link of a device was over a window; native id = uid of the interface, else of the device
    with the interface's name.

    Peaks are the highest rate over one step, in percent of the interface's speed; ratios as in ``Load``,
    of the direction with fewer samples.
    """

    KIND: ClassVar[str] = "link_load"
    TITLE: ClassVar[str] = "链路负载"
    VOLATILE: ClassVar[frozenset[str]] = frozenset(
        "peak_in_percent peak_out_percent in_over_ratio out_over_ratio observed_ratio measured_at".split()
    )

    interface: Maybe[str] = UNKNOWN
    watched: Maybe[bool] = UNKNOWN
    window_days: Maybe[int] = UNKNOWN
    peak_in_percent: Maybe[float] = UNKNOWN  # UNKNOWN where the speed is not known, too
    peak_out_percent: Maybe[float] = UNKNOWN
    in_over_ratio: Maybe[float] = UNKNOWN
    out_over_ratio: Maybe[float] = UNKNOWN
    observed_ratio: Maybe[float] = UNKNOWN
    measured_at: Maybe[datetime] = UNKNOWN


class ReplicatedPool(Resource):
    """A pool of the storage behind a cloud and the copies that it keeps; native id = scope/pool's id.

    A placement group is the unit of copying: ``groups_*`` count those of the pool in a state, which may be in
    several. ``degraded``: has objects with too few copies; ``undersized``: is kept on too few disks;
    ``inconsistent``: its copies were found to differ; ``unfound``: has objects that no copy is found of.
    ``holds_everything``: True where all customers' data of the cloud is said to lie in this storage.
    """

    KIND: ClassVar[str] = "replicated_pool"
    TITLE: ClassVar[str] = "副本存储池"
    VOLATILE: ClassVar[frozenset[str]] = frozenset(
        "placement_groups groups_active groups_degraded groups_undersized measured_at".split()
    )

    protection: Maybe[Literal["replicated", "erasure"]] = UNKNOWN
    copies: Maybe[int | None] = UNKNOWN  # None = erasure-coded
    data_chunks: Maybe[int | None] = UNKNOWN  # k
    coding_chunks: Maybe[int | None] = UNKNOWN  # m, the disks that may fail; None = replicated
    placement_groups: Maybe[int] = UNKNOWN
    groups_active: Maybe[int] = UNKNOWN
    groups_degraded: Maybe[int] = UNKNOWN
    groups_undersized: Maybe[int] = UNKNOWN
    groups_inconsistent: Maybe[int] = UNKNOWN
    groups_unfound: Maybe[int] = UNKNOWN
    cluster_health: Maybe[Literal["ok", "warning", "error"]] = UNKNOWN  # of the whole storage cluster
    holds_everything: Maybe[bool] = UNKNOWN
    measured_at: Maybe[datetime] = UNKNOWN


class MonitoringCoverage(Resource):
    """How much of one sort of a cloud's machines a monitoring system watches; native id = cloud's uid/sort.

    ``watched``: those that it had series of within the last day. ``meant_for_all``: True where it is said to
    watch every one. ``without_series`` leaves out those that a series of several may be of.
    """

    KIND: ClassVar[str] = "monitoring_coverage"
    TITLE: ClassVar[str] = "监控覆盖"
    VOLATILE: ClassVar[frozenset[str]] = frozenset({"measured_at"})

    sort: Maybe[Literal["hypervisor", "server", "virtual_device"]] = UNKNOWN  # routers and load balancers
    meant_for_all: Maybe[bool] = UNKNOWN
    listed: Maybe[int] = UNKNOWN  # by the cloud itself
    watched: Maybe[int] = UNKNOWN
    without_series: Maybe[int] = UNKNOWN
    unwatched: Maybe[list[str]] = UNKNOWN  # their names, at most 50
    measured_at: Maybe[datetime] = UNKNOWN


FAMILY: tuple[type[Resource], ...] = (Load, LinkLoad, ReplicatedPool, MonitoringCoverage)
