"""The questions about load over time: PromQL for devices and links, and how it is asked of a long window.

Metric names are those that snmp_exporter makes of the MIBs: IF-MIB (RFC 2863), HOST-RESOURCES-MIB (RFC 2790)
and the vendors' own; another exporter's are put in their place by the options. The label ``instance`` names
the device, as snmp_exporter's documentation relabels it. A window of a month is asked for some machines at a
time: a Prometheus refuses a query that would load too many samples (--query.max-samples).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

import msgspec

LABELS: Final = ("instance", "ifIndex", "ifName", "ifDescr")  # what tells one link from another
_BY: Final = ", ".join(LABELS)
PLAUSIBLE: Final = 110
"""Percent of its speed above which no link can be: a counter that was set back, a speed that is wrong. Such
a moment counts as one without a sample."""
FAST_MBPS: Final = 10  # from here on ifHighSpeed is no rounding of something smaller (RFC 2863 §3.1.6)
SATURATED: Final = 4294967295  # what ifSpeed says of any speed that it cannot hold
_COARSE: Final = "6h"  # step of the questions about who has series at all


def _most(metric: str) -> str:
    """The highest reading of one step, of the busiest part: no reading between two steps is missed."""
    return f"max by (instance) (max_over_time({metric}{{$in}}[$rate]))"


def _last(metric: str, more: str = "") -> str:
    """The last reading of one step: a plain selector would see only those of the last five minutes."""
    return f"last_over_time({metric}{{$in{more}}}[$rate])"


_POOL: Final = ',ciscoMemoryPoolType="1"'  # CISCO-MEMORY-POOL-MIB: the processor's
_CPU: Final = (
    _most("hwEntityCpuUsage"),  # HUAWEI-ENTITY-EXTENT-MIB
    _most("hh3cEntityExtCpuUsage"),  # HH3C-ENTITY-EXT-MIB
    _most("cpmCPUTotal5minRev"),  # CISCO-PROCESS-MIB
    _most("jnxOperatingCPU"),  # JUNIPER-MIB
    _most("fgSysCpuUsage"),  # FORTINET-FORTIGATE-MIB
    "avg by (instance) (avg_over_time(hrProcessorLoad{$in}[$rate]))",  # HOST-RESOURCES-MIB: one row a core
)
_MEMORY: Final = (
    *(_most(metric) for metric in ("hwEntityMemUsage", "hh3cEntityExtMemUsage")),
    f"max by (instance) (100 * {_last('ciscoMemoryPoolUsed', _POOL)}"
    f" / ({_last('ciscoMemoryPoolUsed', _POOL)} + {_last('ciscoMemoryPoolFree', _POOL)}))",
    *(_most(metric) for metric in ("jnxOperatingBuffer", "fgSysMemUsage")),
)


class LoadOptions(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, omit_defaults=True, frozen=True):
    """What to ask about devices and links. ``days`` 0 = nothing. ``everything``: this Prometheus is meant to
    watch every device (and, with ``hosts``, host) of the sources in ``of``; one without series then lacks
    monitoring, and is not merely unknown. In the expressions ``$in`` stands for the matchers of the label
    ``instance`` and ``$rate`` for the range of a rate."""

    days: int = 30
    step_minutes: int = 5
    everything: bool = False
    link_percent: float = 70.0  # thresholds of which the share of time above is told
    device_percent: float = 80.0
    series_at_once: int = 300
    inbound: str = "rate(ifHCInOctets{$in}[$rate])"  # octet/s
    outbound: str = "rate(ifHCOutOctets{$in}[$rate])"
    high_speed: str = _last("ifHighSpeed")  # Mbit/s
    speed: str = _last("ifSpeed")  # bit/s, where the other tells less than 10 Mbit/s; nonsense of 10 Gbit/s
    cpu: list[str] = msgspec.field(default_factory=lambda: list(_CPU))  # percent, by instance
    memory: list[str] = msgspec.field(default_factory=lambda: list(_MEMORY))
    hosts: str = _last("node_uname_info")  # what every watched host has; its nodename or instance names it

    def __post_init__(self) -> None:
        if self.days < 0 or self.days > 366:
            raise ValueError("load.days 写 0（不查）到 366")
        if self.step_minutes < 1 or self.series_at_once < 1:
            raise ValueError("load 的 step_minutes、series_at_once 都要大于 0")
        if not all(0 < percent < 100 for percent in (self.link_percent, self.device_percent)):
            raise ValueError("load 的 link_percent、device_percent 写 0 到 100 之间的百分数")
        if bool(self.inbound) != bool(self.outbound):
            raise ValueError("load 的 inbound 和 outbound 要写就都写")

    @property
    def steps(self) -> int:
        """Samples that a whole window has."""
        return self.days * 24 * 60 // self.step_minutes

    def directions(self) -> dict[str, str]:
        """Direction → octet/s of each link."""
        return {"in": self.inbound, "out": self.outbound} if self.inbound else {}

    def now(self) -> dict[str, list[str]]:
        """What is asked for (as ``doctor`` calls it) → expressions of the series that are there now."""
        found = {"load-link": [self.inbound] if self.inbound else [], "load-cpu": self.cpu}
        found |= {"load-memory": self.memory, "load-host": [self.hosts] if self.hosts else []}
        return {name: [self._of(one, ()) for one in asked] for name, asked in found.items() if asked}

    def percent(self, rate: str) -> str:
        """A direction in percent of the speed of each moment, by ``LABELS``: ten times as dear to ask as the
        rate alone. A link whose speed nobody tells is not among them."""
        speed = f"({self.high_speed} >= {FAST_MBPS}) * 1e6 or ({self.speed} > 0 < {SATURATED})"
        return f"800 * {_by_link(rate)} / {_by_link(speed)} <= {PLAUSIBLE}"

    def over(self, expression: str, function: str, instances: Iterable[str] = ()) -> str:
        """The instant query for a function over the window that ends now, of some instances, or of all."""
        return f"{function}(({self._of(expression, instances)})[{self.days}d:{self.step_minutes}m])"

    def above(self, expression: str, percent: float, instances: Iterable[str]) -> str:
        """The share of an expression's samples above a threshold."""
        return self.over(f"({expression}) > bool {percent:g}", "avg_over_time", instances)

    def series(self, expression: str, by: str = "instance", *, lately: bool = False) -> str:
        """How many series each instance has, at most, in the window, or in its last day."""
        span = "[1d:1h]" if lately else f"[{self.days}d:{_COARSE}]"
        return f"max_over_time((count by ({by}) ({self._of(expression, ())})){span})"

    def _of(self, expression: str, instances: Iterable[str]) -> str:
        matcher = _matcher(sorted(instances))
        return expression.replace("$in", matcher).replace("$rate", f"{self.step_minutes}m")


def _by_link(expression: str) -> str:
    return f"max by ({_BY}) ({expression})"


def _matcher(instances: list[str]) -> str:
    """The label matcher for some instances; labels are hostile text, so all but letters and digits of ASCII
    is written as an escape of RE2."""
    if not instances:
        return 'instance!=""'
    alternatives = "|".join(
        re.sub(r"[^0-9A-Za-z]", lambda found: f"\\\\x{{{ord(found[0]):x}}}", one) for one in instances
    )
    return f'instance=~"{alternatives}"'


def in_portions(series: Mapping[str, int], most: int) -> Iterator[list[str]]:
    """Instances in groups of at most so many series together, in order; one with more stands alone."""
    group: list[str] = []
    held = 0
    for instance in sorted(series):
        if group and held + series[instance] > most:
            yield group
            group, held = [], 0
        group.append(instance)
        held += series[instance]
    if group:
        yield group
