"""Asking for the load of devices and links over time, for some of them at a time, and what came of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import msgspec

from collectors.contract import Run, Source
from collectors.prometheus.asking import Asking, Series
from collectors.prometheus.client import Client
from collectors.prometheus.load_mapping import (
    Assigned,
    Frame,
    LinkSeen,
    Machine,
    Measure,
    count_of,
    link_loads,
    link_of,
    load_of,
    machine_name,
    name_of,
    put,
    sensible,
    unwatched,
)
from collectors.prometheus.load_mapping import (
    series_of as series_of_link,
)
from collectors.prometheus.load_queries import FAST_MBPS, LoadOptions, in_portions
from collectors.things import Directory
from inventory.coverage import Batch, Collection, Status
from inventory.evidence import Evidence
from inventory.resource import Resource

KINDS = ("load", "link_load")
_PERCENT = 100.0


class _Found(msgspec.Struct, kw_only=True):
    """What was learned, by uid of the machine."""

    asking: Asking
    options: LoadOptions
    directory: Directory
    devices: Assigned = msgspec.field(default_factory=Assigned)
    hosts: Assigned = msgspec.field(default_factory=Assigned)
    machines: dict[str, Machine] = msgspec.field(default_factory=dict)
    links: dict[str, dict[str, LinkSeen]] = msgspec.field(default_factory=dict)
    unread: set[str] = msgspec.field(default_factory=set)  # devices whose links could not all be asked for
    senseless: int = 0
    unlisted: int = 0  # devices without a list of interfaces


def measure(
    client: Client,
    source: Source,
    run: Run,
    directory: Directory,
    options: LoadOptions,
    evidence_of: Callable[[str, str, bytes], Evidence],
) -> Batch:
    """The load of every device (and the being watched of every host) that is known, with how whole it is."""
    began = run.now()
    if not options.days or not any(directory.of_kind(kind) for kind in ("device", "host")):
        reason = "没有设备和主机要查负载" if options.days else "load.days 是 0，没有查负载"
        none = [run.collection(kind, Status.UNSUPPORTED, began, reason=reason) for kind in KINDS]
        return Batch(collections=none)
    asking = Asking(client=client, run=run, evidence_of=evidence_of)
    found = _Found(asking=asking, options=options, directory=directory)
    if directory.of_kind("host") and options.hosts:
        _watched_hosts(found)
    if directory.of_kind("device"):
        for metric, expressions in (("cpu", options.cpu), ("memory", options.memory)):
            for expression in expressions:
                _metric(found, metric, expression)
        _links(found)
    frame = Frame(source=source.name, labels=source.labels, options=options, now=asking.at or began)
    loads, links = _rows(found, frame)
    ended = [
        _ended(found, "load", len(loads), run.collection),
        _ended(found, "link_load", len(links), run.collection),
    ]
    collections = [msgspec.structs.replace(one, started_at=began) for one in ended]
    return Batch(resources=[*loads, *links], collections=collections, evidence=asking.evidence)


def _watched_hosts(found: _Found) -> None:
    by = "instance, nodename"
    for lately in (False, True):
        rows = found.asking.ask("hosts", found.options.series(found.options.hosts, by, lately=lately))
        for labels, _ in rows or ():
            instance = labels.get("instance", "")
            uid = found.hosts.take("host", instance, (labels.get("nodename", ""), instance), found.directory)
            if uid is not None:
                machine = found.machines.setdefault(uid, Machine("host"))
                machine.lately = machine.lately or lately


def _instances(found: _Found, what: str, expression: str) -> dict[str, int] | None:
    """Instances of known devices with how many series of an expression they have; None: not answered."""
    counts: dict[str, int] = {}
    rows = found.asking.ask(what, found.options.series(expression))
    if rows is None:
        return None
    late = found.asking.ask(what, found.options.series(expression, lately=True)) if rows else []
    lately = {labels.get("instance", "") for labels, _ in late or ()}
    for labels, value in [*rows, *(late or ())]:
        instance = labels.get("instance", "")
        uid = found.devices.take("device", instance, (instance,), found.directory)
        if uid is not None:
            counts[instance] = max(count_of(value), counts.get(instance, 1))
            machine = found.machines.setdefault(uid, Machine("device"))
            machine.lately = machine.lately or instance in lately
    return counts


def _metric(found: _Found, metric: str, expression: str) -> None:
    """Peak, samples and share above the threshold of one family of metrics. A peak of zero is no measure: it
    stands for "has none" as well."""
    options = found.options
    for group in in_portions(_instances(found, metric, expression) or {}, options.series_at_once):
        peaks = _values(found, metric, options.over(expression, "max_over_time", group), _PERCENT)
        if not peaks:
            continue
        answers = {"max_over_time": peaks}
        answers["count_over_time"] = _values(
            found, metric, options.over(expression, "count_over_time", group)
        )
        if any(value > options.device_percent for _, value in peaks):
            answers["above"] = _values(
                found, metric, options.above(expression, options.device_percent, group)
            )
        measured = {labels.get("instance", "") for labels, value in peaks if value > 0}
        for function, rows in answers.items():
            for labels, value in rows:
                instance = labels.get("instance", "")
                uid = found.devices.uids.get(instance)
                if uid is not None and instance in measured:
                    held = found.machines[uid].metrics.setdefault(metric, Measure())
                    put(held, function, value, expression)


def _values(found: _Found, what: str, expression: str, most: float = float("inf")) -> Series:
    rows = found.asking.ask(what, expression) or []
    good = [row for row in rows if sensible(row[1], most)]
    found.senseless += len(rows) - len(good)
    return good


def _links(found: _Found) -> None:
    """Both directions of every link, for some devices at a time."""
    options = found.options
    counts: dict[str, int] = {}
    for direction, rate in options.directions().items():
        told = _instances(found, f"link {direction}", rate)
        if told is None:
            found.unread |= {thing.uid for thing in found.directory.of_kind("device")}
            return
        for instance, count in told.items():
            counts[instance] = max(count, counts.get(instance, 0))
    for group in in_portions(counts, options.series_at_once):
        problems = len(found.asking.problems)
        _portion(found, group)
        if len(found.asking.problems) > problems:
            found.unread |= {found.devices.uids[instance] for instance in group}


def _portion(found: _Found, group: list[str]) -> None:
    options, seen = found.options, dict[str, list[LinkSeen]]()  # by instance
    for direction, rate in options.directions().items():
        for function in ("max_over_time", "count_over_time"):
            for labels, value in _values(found, "link", options.over(rate, function, group)):
                link = _link(found, labels)
                if link is not None:
                    held = link.rate.setdefault(direction, Measure())
                    put(held, function, value, series_of_link(labels), add=True)
                    seen.setdefault(labels["instance"], []).append(link)
    _speeds(found, options.high_speed, group, "megabits")
    slow = [one for one, links in seen.items() if any(link.megabits.most < FAST_MBPS for link in links)]
    _speeds(found, options.speed, slow, "bits")
    unclear = [
        one for one, links in seen.items() if any(link.unclear(options.link_percent) for link in links)
    ]
    if unclear:
        _exactly(found, unclear)
        for link in (link for one in unclear for link in seen[one]):
            link.exact = True


def _speeds(found: _Found, expression: str, instances: list[str], field: str) -> None:
    for function in ("min_over_time", "max_over_time") if instances and expression else ():
        for labels, value in _values(found, "speed", found.options.over(expression, function, instances)):
            link = _link(found, labels, known=True)
            if link is not None:
                getattr(link, field).take(function, value)


def _exactly(found: _Found, instances: list[str]) -> None:
    """Percent of the speed of each moment, and the share of time above the threshold."""
    options = found.options
    for direction, rate in options.directions().items():
        percent = options.percent(rate)
        asked = {one: options.over(percent, one, instances) for one in ("max_over_time", "count_over_time")}
        asked["above"] = options.above(percent, options.link_percent, instances)
        for function, expression in asked.items():
            for labels, value in _values(found, f"link {direction}", expression):
                link = _link(found, labels, known=True)
                if link is not None:
                    held = link.percent.setdefault(direction, Measure())
                    put(held, function, value, series_of_link(labels), add=True)


def _link(found: _Found, labels: Mapping[str, str], *, known: bool = False) -> LinkSeen | None:
    """The link that a series is of; ``known``: only one whose rates were told."""
    uid = found.devices.uids.get(labels.get("instance", ""))
    name = name_of(labels)
    if uid is None or not name:
        return None
    thing = link_of(labels, found.directory.links(uid))
    key = thing.uid if thing else f"{uid}/{name}"
    held = found.links.setdefault(uid, {})
    if key not in held:
        if known:
            return None
        interface = thing.names[0] if thing and thing.names else name
        held[key] = LinkSeen(interface, thing, lately=found.machines[uid].lately)
    return held[key]


def _rows(found: _Found, frame: Frame) -> tuple[list[Resource], list[Resource]]:
    things = {thing.uid: thing for kind in ("device", "host") for thing in found.directory.of_kind(kind)}
    names = {uid: machine_name(thing) for uid, thing in things.items()}
    loads: list[Resource] = [
        load_of(uid, names.get(uid, uid), found.machines[uid], frame) for uid in sorted(found.machines)
    ]
    if frame.options.everything and not found.asking.problems and not found.asking.warnings:
        doubtful = [*found.devices.ambiguous.values(), *found.hosts.ambiguous.values()]
        may_be: set[str] = set().union(*doubtful)
        loads += [
            unwatched(thing, frame)
            for uid, thing in sorted(things.items())
            if uid not in found.machines and uid not in may_be
        ]
    links: list[Resource] = []
    for uid, machine in sorted(found.machines.items()):
        if machine.kind != "device" or not frame.options.inbound or uid in found.unread:
            continue
        if known := found.directory.links(uid):  # without its own list nobody can tell that these are all
            links += link_loads(uid, names.get(uid, uid), found.links.get(uid, {}), known, frame)
        else:
            found.unlisted += 1
    return loads, links


def _ended(found: _Found, kind: str, count: int, made: Callable[..., Collection]) -> Collection:
    asking = found.asking
    told = [*found.devices.remarks("设备"), *(found.hosts.remarks("主机") if kind == "load" else [])]
    told += _silent(found) if kind == "load" else []
    if found.unlisted and kind == "link_load":
        told.append(f"{found.unlisted} 台设备的接口清单没有采集过，看不出链路全不全，没有算")
    if found.senseless:
        told.append(f"{found.senseless} 个值不是 0–100 的百分数")
    if asking.malformed:
        told.append(f"{asking.malformed} 条读不懂")
    status, remedy = Status.COMPLETE, "检查 of 和标签 instance：应当是设备的管理地址或名称" if told else ""
    if asking.warnings:
        status = Status.PARTIAL
        told.append(f"Prometheus 提醒：{'；'.join(sorted(asking.warnings))[:300]}")
    if asking.problems:
        first = asking.problems[0]
        status = Status.PARTIAL if count else first.status
        told.insert(0, f"{len(asking.problems)} 个查询没有答：{first.reason}")
        remedy = first.remedy
    elif not count:
        status = Status.UNSUPPORTED
        told.insert(0, "这个 Prometheus 里没有已知设备的负载")
        remedy = remedy or "没有用 snmp_exporter 采集设备的不用管；指标名称不同的，用 load 的表达式写明"
    ids = [one.id for one in asking.evidence]
    return made(
        kind, status, asking.run.now(), count=count, reason="；".join(told), remedy=remedy, evidence=ids
    )


def _silent(found: _Found) -> list[str]:
    """Machines that have no series, where that is not held against them (中文)."""
    if found.options.everything:
        return []
    known: Iterable[str] = (t.uid for kind in ("device", "host") for t in found.directory.of_kind(kind))
    silent = sum(uid not in found.machines for uid in known)
    words = f"{silent} 台设备或主机没有序列（都应由这套监控监测的，写 load.everything: true）"
    return [words] if silent else []
