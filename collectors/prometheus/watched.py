"""What of a cloud a Prometheus watches, held against what the cloud lists; and the Prometheus itself: whether
its targets answer, and whether it would tell anybody.

Metric names are those of node_exporter, of prometheus-libvirt-exporter and of openstack-exporter; alert rules
and where alerts go are in the HTTP API of Prometheus ("Rules", "Alertmanagers"; both since 2.2).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any, Final, Literal, get_args

import msgspec

from collectors.contract import Run, Source
from collectors.prometheus.asking import Asking
from collectors.prometheus.client import Client
from collectors.things import Directory, Thing
from inventory.coverage import Batch, Collection, Status
from inventory.evidence import Evidence
from inventory.kinds.load import MonitoringCoverage
from inventory.kinds.management import MonitoringSystem
from inventory.resource import Relation
from inventory.unknown import UNKNOWN

Sort = Literal["hypervisor", "server", "virtual_device"]
KINDS: Final = (MonitoringCoverage.KIND, MonitoringSystem.KIND)
_MEANS: Final[dict[Sort, tuple[str, ...]]] = {
    "hypervisor": ("hypervisor",),
    "server": ("server",),
    "virtual_device": ("router", "load_balancer"),
}
_NAMED_BY: Final = ("uuid", "instance_id", "id", "nodename", "name", "instance")  # the surest first
_LONGEST: Final = 50
_LONGEST_NAME: Final = 200
RULES: Final = "/api/v1/rules?type=alert"
RECEIVERS: Final = "/api/v1/alertmanagers"


class CloudOptions(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, omit_defaults=True, frozen=True):
    """A cloud (the name of its source) that this Prometheus is there for. ``everything``: sorts of machines
    of which it is meant to watch every one; of the others one without series is unknown. In the expressions
    every series is of one machine, named by a label uuid, instance_id, id, nodename, name or instance."""

    cloud: str
    everything: list[Sort] = []
    hypervisor: list[str] = msgspec.field(default_factory=lambda: ["node_uname_info", "libvirt_up == 1"])
    server: list[str] = msgspec.field(
        default_factory=lambda: [
            "libvirt_domain_info_meta",
            "openstack_nova_server_status",
            "node_uname_info",
        ]
    )
    virtual_device: list[str] = msgspec.field(
        default_factory=lambda: ["openstack_neutron_router", "openstack_loadbalancer_loadbalancer_status"]
    )

    def __post_init__(self) -> None:
        if not self.cloud.strip():
            raise ValueError("clouds 的 cloud 写云平台来源的名称")


class _Rules(msgspec.Struct):
    class Group(msgspec.Struct):
        rules: list[msgspec.Raw] = []

    groups: list[Group] = []


class _Receivers(msgspec.Struct):
    activeAlertmanagers: list[msgspec.Raw] = []  # noqa: N815 - the API's word


def lately(expression: str) -> str:
    """The series of an expression that were there within the last day."""
    return f"({expression}) or last_over_time(({expression})[1d:1h])"


def watch(
    client: Client,
    source: Source,
    run: Run,
    things: Iterable[Thing],
    clouds: list[CloudOptions],
    evidence_of: Callable[[str, str, bytes], Evidence],
) -> Batch:
    """A row for each cloud and sort of machine, and the monitoring system."""
    began = run.now()
    known = list(things)
    asking = Asking(client=client, run=run, evidence_of=evidence_of)
    rows, told = [], []
    for one in clouds:
        platform = [thing.uid for thing in known if thing.kind == "cloud" and thing.source == one.cloud]
        if len(platform) != 1:
            told.append(f"没有来源 {one.cloud} 的云平台")
            continue
        directory = Directory(known, [one.cloud])
        rows += [_coverage(asking, source, one, sort, directory, platform[0]) for sort in get_args(Sort)]
    ended = [_ended(asking, KINDS[0], len(rows), told, asked=bool(clouds))]
    itself = Asking(client=client, run=run, evidence_of=evidence_of)
    whole = rows if rows and not told and not asking.problems else []
    systems = [_system(itself, source, whole)]
    if not itself.evidence:
        systems = []  # nothing was answered
    ended.append(_ended(itself, KINDS[1], len(systems), [], asked=True))
    return Batch(
        resources=[*rows, *systems],
        collections=[msgspec.structs.replace(one, started_at=began) for one in ended],
        evidence=[*asking.evidence, *itself.evidence],
    )


def _coverage(
    asking: Asking, source: Source, one: CloudOptions, sort: Sort, directory: Directory, cloud: str
) -> MonitoringCoverage:
    problems = len(asking.problems) + len(asking.warnings)
    listed = {thing.uid: thing for kind in _MEANS[sort] for thing in directory.of_kind(kind)}
    watched: set[str] = set()
    doubtful: set[str] = set()
    for expression in getattr(one, sort) if listed else ():
        for labels, _ in asking.ask(f"watched {sort}", lately(expression)) or ():
            found = _named(labels, sort, directory)
            (watched if len(found) == 1 else doubtful).update(found)
    missing = sorted(_name(thing) for uid, thing in listed.items() if uid not in watched | doubtful)
    told = len(asking.problems) + len(asking.warnings) == problems
    return MonitoringCoverage(
        source=source.name,
        native_id=f"{cloud}/{sort}",
        name=f"{one.cloud} {sort}",
        labels=source.labels,
        relations=[Relation("part_of", cloud), Relation("measures", cloud)],
        sort=sort,
        meant_for_all=True if sort in one.everything else UNKNOWN,
        listed=len(listed),
        watched=len(watched),
        without_series=len(missing) if told else UNKNOWN,
        unwatched=missing[:_LONGEST] if told else UNKNOWN,
        measured_at=asking.at or asking.run.now(),
    )


def _named(labels: dict[str, str], sort: Sort, directory: Directory) -> set[str]:
    """What a series may be of, by the first label that anything of the sort is called."""
    for label in _NAMED_BY:
        if word := labels.get(label, ""):
            found = set().union(*(directory.candidates(kind, word) for kind in _MEANS[sort]))
            if found:
                return found
    return set()


def _name(thing: Thing) -> str:
    return (thing.names[0] if thing.names else thing.native_id)[:_LONGEST_NAME]


def _system(asking: Asking, source: Source, rows: list[MonitoringCoverage]) -> MonitoringSystem:
    values: dict[str, Any] = {}
    targets = asking.ask("targets", "up")
    if targets is not None:
        down = [labels for labels, value in targets if math.isnan(value) or value != 1]
        names = sorted(f"{d.get('job', '')} {d.get('instance', '')}".strip()[:_LONGEST_NAME] for d in down)
        values = {"targets": len(targets), "targets_down": len(down), "down": names[:_LONGEST]}
    rules = asking.read("alert rules", RULES, _Rules)
    if rules is not None:
        values["alert_rules"] = sum(len(group.rules) for group in rules.groups)
    receivers = asking.read("alert receivers", RECEIVERS, _Receivers)
    if receivers is not None:
        values["alert_receivers"] = len(receivers.activeAlertmanagers)
    return MonitoringSystem(
        source=source.name,
        native_id=source.name,
        name=source.name,
        labels=source.labels,
        software="prometheus",
        unwatched=_unwatched(rows),
        measured_at=asking.at or asking.run.now(),
        **values,
    )


def _unwatched(rows: list[MonitoringCoverage]) -> Any:
    """Names of what should be watched and is not; UNKNOWN where nobody is sure that there is none."""
    missing: list[str] = []
    sure = bool(rows)
    for row in rows:
        whole = row.listed == row.watched and bool(row.listed)
        if row.meant_for_all is True and isinstance(row.unwatched, list):
            missing += row.unwatched
        sure = sure and whole
    if missing:
        return sorted(missing)[:_LONGEST]
    return [] if sure else UNKNOWN


def _ended(asking: Asking, kind: str, count: int, told: list[str], *, asked: bool) -> Collection:
    status, remedy = Status.COMPLETE, ""
    if not asked:
        status, told = Status.UNSUPPORTED, ["没有写 clouds，没有查监控覆盖了云上的哪些资源"]
    elif told:
        status, remedy = Status.PARTIAL, "clouds 的 cloud 写云平台来源的名称，并先采集它"
    if asking.malformed or asking.warnings:
        status = Status.PARTIAL
        told = [*told, *([f"{asking.malformed} 条读不懂"] if asking.malformed else [])]
        told += [f"Prometheus 提醒：{'；'.join(sorted(asking.warnings))[:300]}"] if asking.warnings else []
    if asking.problems:
        first = asking.problems[0]
        status, remedy = Status.PARTIAL if count and asking.evidence else first.status, first.remedy
        told = [f"{len(asking.problems)} 个查询没有答：{first.reason}", *told]
    ids = [one.id for one in asking.evidence]
    return asking.run.collection(
        kind, status, asking.run.now(), count=count, reason="；".join(told), remedy=remedy, evidence=ids
    )
