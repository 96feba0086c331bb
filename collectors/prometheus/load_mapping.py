"""From what Prometheus tells of devices and links to their load. Pure; labels may be wrong or hostile."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

import msgspec

from collectors.prometheus.load_queries import FAST_MBPS, PLAUSIBLE, SATURATED, LoadOptions
from collectors.things import Directory, Thing
from inventory.kinds.load import LinkLoad, Load
from inventory.resource import Relation
from inventory.unknown import UNKNOWN

_LONGEST_NAME = 200
_WHOLE_PERCENT = 100.0
_BITS = 8
_CHANGES: Final = ("ifIndex", "ifAlias")  # of a series: may be another's later, while it is the same link
_EXAMPLES = 3


class Measure(msgspec.Struct):
    """One quantity over the window: its peak, the share of samples above the threshold, and samples by what
    they came from (a family of metrics, an instance)."""

    peak: float | None = None
    over: float | None = None
    samples: dict[str, float] = msgspec.field(default_factory=dict)


class Machine(msgspec.Struct):
    """What was told of one machine; ``lately``: there are samples of the last day."""

    kind: str
    lately: bool = False
    metrics: dict[str, Measure] = msgspec.field(default_factory=dict)  # cpu, memory


class Range(msgspec.Struct):
    """The least and the most that something was; nothing was told where the most is 0."""

    least: float = math.inf
    most: float = 0.0

    def take(self, function: str, value: float) -> None:
        """Add one answer."""
        if function == "min_over_time":
            self.least = min(self.least, value)
        else:
            self.most = max(self.most, value)

    def only(self, unit: float) -> float | None:
        """The one value it always had, in its unit."""
        return self.most * unit if self.least == self.most > 0 else None


class LinkSeen(msgspec.Struct):
    """What was told of one link: direction → octet/s; where that was asked for, direction → percent of the
    speed of each moment; and the least and the most that ``high_speed`` and ``speed`` were."""

    interface: str
    thing: Thing | None
    lately: bool = False
    rate: dict[str, Measure] = msgspec.field(default_factory=dict)
    percent: dict[str, Measure] = msgspec.field(default_factory=dict)
    exact: bool = False  # ``percent`` was asked for
    megabits: Range = msgspec.field(default_factory=Range)
    bits: Range = msgspec.field(default_factory=Range)

    def told_speed(self) -> bool:
        """Whether the monitoring system knows a speed."""
        return max(self.megabits.most, self.bits.most) > 0

    def speed_bps(self) -> float | None:
        """The speed, where it was one all the time; the device's own answer where the monitoring system has
        none."""
        if not self.told_speed():
            link = self.thing.link if self.thing else None
            return link.speed_bps if link else None
        if self.megabits.most >= FAST_MBPS:
            return self.megabits.only(1_000_000)
        one = self.bits.only(1)
        return one if one != SATURATED else None

    def peak(self, direction: str) -> float | None:
        """Percent of the speed at the highest rate; None where it cannot be told."""
        if self.exact and self.told_speed():
            return self.percent.get(direction, Measure()).peak
        rate, speed = self.rate.get(direction, Measure()).peak, self.speed_bps()
        if not rate:
            return rate  # nothing is nothing at any speed
        percent = _WHOLE_PERCENT * _BITS * rate / speed if speed else math.inf
        return percent if percent <= PLAUSIBLE else None

    def samples(self, direction: str) -> float:
        """Steps that have a value, of the source that has the most."""
        held = self.percent if self.exact and self.told_speed() else self.rate
        return max(held.get(direction, Measure()).samples.values(), default=0.0)

    def unclear(self, threshold: float) -> bool:
        """Whether its percentages have to be asked for moment by moment: its speed was not one, the rate is
        more than that, or the time above the threshold is to be told."""
        if not self.told_speed():
            return False
        peaks = [self.peak(direction) for direction in self.rate]
        return any(peak is None or peak > threshold for peak in peaks)


class Assigned(msgspec.Struct):
    """Which instance is which machine (uid), and the instances that are none that is known, or may be
    several."""

    uids: dict[str, str] = msgspec.field(default_factory=dict)
    strangers: set[str] = msgspec.field(default_factory=set)
    ambiguous: dict[str, set[str]] = msgspec.field(default_factory=dict)  # instance → what it may be

    def take(self, kind: str, instance: str, names: Iterable[str], directory: Directory) -> str | None:
        """Uid of the machine that an instance is, by the first name that anything has."""
        found = next((held for name in names if name and (held := directory.candidates(kind, name))), set())
        if len(found) != 1:
            if found:
                self.ambiguous[instance] = found
            else:
                self.strangers.add(instance)
            return None
        uid = self.uids[instance] = next(iter(found))
        return uid

    def remarks(self, title: str) -> list[str]:
        """What was not assigned (中文)."""
        told = []
        for held, words in (
            (sorted(self.strangers), f"对不上已知{title}"),
            (sorted(self.ambiguous), f"对上不止一台{title}，没有猜"),
        ):
            if held:
                examples = "、".join(one[:80] for one in held[:_EXAMPLES])
                told.append(f"{len(held)} 个监控对象{words}（如 {examples}）")
        return told


def count_of(value: float) -> int:
    """A number of series; 0 for what is none."""
    return int(value) if math.isfinite(value) and value > 0 else 0


def sensible(value: float, most: float = math.inf) -> bool:
    """Whether a value can be one of a quantity that is never negative."""
    return math.isfinite(value) and 0 <= value <= most


def put(measure: Measure, function: str, value: float, of: str, *, add: bool = False) -> None:
    """Add one answer to a measure. ``add``: samples of several series are of different times."""
    if function == "max_over_time":
        measure.peak = max(value, measure.peak or 0.0)
    elif function == "count_over_time":
        held = measure.samples.get(of, 0.0)
        measure.samples[of] = held + value if add else max(held, value)
    else:
        measure.over = max(value, measure.over or 0.0)


def link_of(labels: Mapping[str, str], links: Iterable[Thing]) -> Thing | None:
    """The interface that a series is of: by its name, for an index may be another's after a restart (RFC 2863
    §3.1.5); by the index where no name is told, or several have it. None where it is not one."""
    held = list(links)
    names = [word for word in (labels.get("ifName", ""), labels.get("ifDescr", "")) if word]
    for word in names:
        found = [one for one in held if word.lower() in (name.lower() for name in one.names)]
        if len(found) == 1:
            return found[0]
        if found:
            return _by_index(labels, found)
    return None if names else _by_index(labels, held)


def _by_index(labels: Mapping[str, str], links: Iterable[Thing]) -> Thing | None:
    index = labels.get("ifIndex", "")
    found = [one for one in links if one.link and index and str(one.link.if_index) == index]
    return found[0] if len(found) == 1 else None


def series_of(labels: Mapping[str, str]) -> str:
    """What series of one link have in common that are of different times (before and after a restart); those
    of two jobs that ask the same device are of the same time."""
    return "\0".join(f"{k}={v}" for k, v in sorted(labels.items()) if k not in _CHANGES)


def name_of(labels: Mapping[str, str]) -> str:
    """What a link is called where no interface is known for it; "" where its labels tell nothing."""
    name = labels.get("ifName") or labels.get("ifDescr") or ""
    index = labels.get("ifIndex", "")
    return (name or (f"ifIndex {index}" if index else ""))[:_LONGEST_NAME]


class Frame(msgspec.Struct, kw_only=True):
    """What all rows of a run share."""

    source: str
    labels: dict[str, str]
    options: LoadOptions
    now: datetime

    def common(self) -> dict[str, Any]:
        """Fields of every row."""
        return {
            "source": self.source,
            "labels": self.labels,
            "window_days": self.options.days,
            "measured_at": self.now,
        }


def load_of(uid: str, name: str, machine: Machine, frame: Frame) -> Load:
    """The row of a machine that has series. Not of the last day: a device that is down, or one that is no
    longer asked; nobody can tell."""
    cpu, memory = (machine.metrics.get(metric, Measure()) for metric in ("cpu", "memory"))
    threshold, steps = frame.options.device_percent, frame.options.steps

    def observed(measure: Measure) -> Any:
        return _share(min(measure.samples.values()) / steps) if measure.samples else UNKNOWN

    return Load(
        native_id=uid,
        name=name,
        relations=_of(uid),
        machine="host" if machine.kind == "host" else "device",
        watched=True if machine.lately else UNKNOWN,
        peak_cpu_percent=_rounded(cpu.peak),
        cpu_over_ratio=_over(cpu, cpu.peak, threshold),
        cpu_observed_ratio=observed(cpu),
        peak_memory_percent=_rounded(memory.peak),
        memory_over_ratio=_over(memory, memory.peak, threshold),
        memory_observed_ratio=observed(memory),
        **frame.common(),
    )


def unwatched(thing: Thing, frame: Frame) -> Load:
    """The row of a machine that should be watched and has no series."""
    return Load(
        native_id=thing.uid,
        name=machine_name(thing),
        relations=_of(thing.uid),
        machine="host" if thing.kind == "host" else "device",
        watched=False,
        **frame.common(),
    )


def link_loads(
    uid: str, name: str, seen: Mapping[str, LinkSeen], links: Iterable[Thing], frame: Frame
) -> list[LinkLoad]:
    """The rows of a device's links: those that have series, and those that are up and have none. ``links``
    are its interfaces by its own list."""
    rows = [
        _link(uid, name, key, link, frame)
        for key, link in sorted(seen.items())
        if not (link.thing and link.thing.link and link.thing.link.virtual)
    ]
    for thing in sorted(links, key=lambda one: one.uid):
        if thing.uid in seen or not thing.link or thing.link.virtual or thing.link.up is False:
            continue
        interface = thing.names[0] if thing.names else thing.native_id
        rows.append(
            LinkLoad(
                native_id=thing.uid,
                name=f"{name} {interface}",
                relations=_of(uid, thing.uid),
                interface=interface,
                watched=False if thing.link.up else UNKNOWN,
                **frame.common(),
            )
        )
    return rows


def _link(uid: str, name: str, key: str, seen: LinkSeen, frame: Frame) -> LinkLoad:
    values: dict[str, Any] = {}
    for direction in ("in", "out"):
        peak = seen.peak(direction)
        values[f"peak_{direction}_percent"] = _rounded(peak)
        above = seen.percent.get(direction, Measure())
        values[f"{direction}_over_ratio"] = _over(above, peak, frame.options.link_percent)
    observed = min(seen.samples(direction) for direction in ("in", "out"))
    return LinkLoad(
        native_id=key,
        name=f"{name} {seen.interface}",
        relations=_of(uid, seen.thing.uid if seen.thing else ""),
        interface=seen.interface,
        watched=True if seen.lately else UNKNOWN,
        observed_ratio=_share(observed / frame.options.steps),
        **values,
        **frame.common(),
    )


def _over(measure: Measure, peak: float | None, threshold: float) -> Any:
    if peak is None:
        return UNKNOWN
    if peak <= threshold:
        return 0.0
    return _share(measure.over) if measure.over is not None else UNKNOWN


def _rounded(value: float | None) -> Any:
    return UNKNOWN if value is None else round(value, 2)


def _share(value: float) -> float:
    return round(min(1.0, value), 4)


def _of(uid: str, interface: str = "") -> list[Relation]:
    return [Relation("part_of", uid), Relation("measures", interface or uid)]


def machine_name(thing: Thing) -> str:
    """What a machine is called."""
    return thing.names[0] if thing.names else thing.native_id
