"""What can be reclaimed: things that run for nobody, and things that belong to nothing any more.

Each reason is judged only where what it rests on was seen; what could not be judged is counted beside what
was found. A reason is a hint for the owner to confirm, never a decision.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Literal

import msgspec

from inventory.kinds.cluster import Namespace
from inventory.kinds.compute import Server
from inventory.kinds.storage import Volume, VolumeClaim, VolumeSnapshot
from inventory.kinds.usage import Utilization
from inventory.kinds.virtual_network import FloatingIp, Port, SecurityGroup
from inventory.resource import Resource
from inventory.snapshot import Snapshot
from inventory.unknown import UNKNOWN, Maybe, Unknown, known
from inventory.usage.consumers import Owners, home_of
from inventory.usage.figures import Coverage

Reason = Literal[
    "server_shut_off",
    "server_low_load",
    "volume_unattached",
    "snapshot_orphaned",
    "floating_ip_unused",
    "port_without_device",
    "security_group_unused",
    "namespace_empty",
    "claim_unmounted",
]
TITLES: dict[Reason, str] = {
    "server_shut_off": "关机的云主机",
    "server_low_load": "长期低负载的云主机",
    "volume_unattached": "未挂载的云硬盘",
    "snapshot_orphaned": "原云硬盘已不在的快照",
    "floating_ip_unused": "未使用的浮动 IP",
    "port_without_device": "没有接设备的虚拟网卡",
    "security_group_unused": "没有被使用或没有规则的安全组",
    "namespace_empty": "没有容器组的命名空间",
    "claim_unmounted": "没有被挂载的存储卷声明",
}
LOW_CPU, LOW_MEMORY, LONG_ENOUGH_HOURS = 0.10, 0.30, 24.0
"""A server is called little used where 95 % of the measured time its processors are below the first share
and, if its memory is measured too, that is below the second, over a window at least this long."""


class Idle(msgspec.Struct, kw_only=True):
    """One thing that could be reclaimed, and what would come free.

    ``since`` is when it was last known to change or, with ``since_created``, to be made: the platforms do not
    keep since when it is idle.
    """

    reason: Reason
    uid: str
    name: str
    source: str
    home: str  # name of the project or namespace
    department: str
    since: datetime | None = None
    since_created: bool = False
    stale: bool = False
    vcpu: float = 0.0
    memory_mib: float = 0.0
    disk_gib: float = 0.0
    addresses: int = 0
    detail: str = ""


class Judged(msgspec.Struct, kw_only=True):
    """One reason over all resources of its kind. ``undecided``: what it rests on was not seen.
    ``complete`` False: there may be more of the kind than was seen."""

    reason: Reason
    found: list[Idle]
    looked_at: int = 0
    undecided: int = 0
    complete: bool = True
    asked: bool = True  # some source was asked for the kind at all


Verdict = Literal["idle", "in_use", "undecided"]


def idle(snapshot: Snapshot, owners: Owners | None = None) -> list[Judged]:
    """Every reason in the order of ``TITLES``; within one, the largest first."""
    owners = owners or Owners(snapshot)
    coverage = Coverage(snapshot)
    loads = measured(snapshot)
    volumes = {v.uid for v in snapshot.of(Volume)}

    def orphan(r: VolumeSnapshot) -> Verdict:
        if isinstance(r.volume, Unknown):
            return "undecided"
        if f"{r.source}/volume/{r.volume}" in volumes:
            return "in_use"
        return "idle" if coverage.complete(r.source, "volume") else "undecided"

    def judge(kind: type[Resource], reason: Reason, verdict: Callable[..., Verdict]) -> Judged:
        sources = coverage.sources(kind.KIND)
        rows = snapshot.of(kind)
        result = Judged(
            reason=reason,
            found=[],
            looked_at=len(rows),
            asked=bool(sources or rows),
            complete=all(coverage.complete(source, kind.KIND) for source in sources),
        )
        for row in rows:
            told = verdict(row)
            if told == "idle":
                result.found.append(_idle(row, reason, snapshot, owners, loads))
            elif told == "undecided":
                result.undecided += 1
        result.found.sort(key=lambda i: (-i.memory_mib, -i.vcpu, -i.disk_gib, i.uid))
        return result

    return [
        judge(Server, "server_shut_off", _shut_off),
        judge(Server, "server_low_load", lambda r: _low_load(r, loads)),
        judge(Volume, "volume_unattached", _unattached),
        judge(VolumeSnapshot, "snapshot_orphaned", orphan),
        judge(FloatingIp, "floating_ip_unused", lambda r: _when(r.associated, idle_if=False)),
        judge(Port, "port_without_device", _without_device),
        judge(SecurityGroup, "security_group_unused", _unused_group),
        judge(Namespace, "namespace_empty", _empty_namespace),
        judge(VolumeClaim, "claim_unmounted", lambda r: _when(r.used, idle_if=False)),
    ]


def _when(value: Maybe[bool], *, idle_if: bool) -> Verdict:
    if isinstance(value, Unknown):
        return "undecided"
    return "idle" if value == idle_if else "in_use"


def _shut_off(server: Server) -> Verdict:
    if known(server.status):
        return "idle" if server.status.upper() == "SHUTOFF" else "in_use"
    if known(server.power_state):
        return "idle" if server.power_state == "shutdown" else "in_use"
    return "undecided"


def _low_load(server: Server, loads: dict[str, dict[str, Utilization]]) -> Verdict:
    if _shut_off(server) == "idle":
        return "in_use"  # told by its own reason
    held = loads.get(server.uid, {})
    cpu = held.get("cpu")
    if cpu is None or isinstance(cpu.p95, Unknown) or isinstance(cpu.window_hours, Unknown):
        return "undecided"
    if cpu.window_hours < LONG_ENOUGH_HOURS:
        return "undecided"
    memory = held.get("memory")
    low_memory = memory is None or isinstance(memory.p95, Unknown) or memory.p95 < LOW_MEMORY
    return "idle" if cpu.p95 < LOW_CPU and low_memory else "in_use"


def _unattached(volume: Volume) -> Verdict:
    if known(volume.namespace) and volume.namespace:
        return "in_use"  # of a cluster: told by its claim
    if known(volume.attached) and known(volume.status):
        return "idle" if not volume.attached and volume.status == "available" else "in_use"
    return _when(volume.attached, idle_if=False)


def _without_device(port: Port) -> Verdict:
    if isinstance(port.device_owner, Unknown):
        return "undecided"
    return "in_use" if port.device_owner or port.related("attached_to") else "idle"


def _unused_group(group: SecurityGroup) -> Verdict:
    if known(group.default) and group.default:
        return "in_use"  # each project has one, and it cannot be deleted
    if known(group.in_use):
        return "in_use" if group.in_use else "idle"
    if known(group.rules) and not group.rules:
        return "idle"
    return "undecided"


def _empty_namespace(namespace: Namespace) -> Verdict:
    if known(namespace.system) and namespace.system:
        return "in_use"
    if isinstance(namespace.pods, Unknown):
        return "undecided"
    return "idle" if namespace.pods == 0 else "in_use"


def measured(snapshot: Snapshot) -> dict[str, dict[str, Utilization]]:
    """Uid of a thing → metric → its measured load; of several measurements of one, the longest window."""
    found: dict[str, dict[str, Utilization]] = {}
    for row in snapshot.of(Utilization):
        if isinstance(row.metric, Unknown) or row.uid in snapshot.stale:
            continue
        for target in row.related("measures"):
            held = found.setdefault(target, {})
            before = held.get(row.metric)
            if before is None or _hours(row) > _hours(before):
                held[row.metric] = row
    return found


def _hours(row: Utilization) -> float:
    return 0.0 if isinstance(row.window_hours, Unknown) else row.window_hours


def _idle(
    row: Resource,
    reason: Reason,
    snapshot: Snapshot,
    owners: Owners,
    loads: dict[str, dict[str, Utilization]],
) -> Idle:
    since, created = _since(row)
    home = home_of(row)
    return Idle(
        reason=reason,
        uid=row.uid,
        name=row.native_id if isinstance(row.name, Unknown) or not row.name else row.name,
        source=row.source,
        home=owners.name(home) if home else "",
        department=owners.department(row),
        since=since,
        since_created=created,
        stale=row.uid in snapshot.stale,
        vcpu=_number(row, "vcpus"),
        memory_mib=_number(row, "memory_mib"),
        disk_gib=_number(row, "disk_gib") or _number(row, "size_gib"),
        addresses=1 if reason == "floating_ip_unused" else len(_addresses(row)),
        detail="；".join(_details(row, reason, loads)),
    )


def _since(row: Resource) -> tuple[datetime | None, bool]:
    """Last change where the platform tells it, else creation."""
    changed: Maybe[datetime | None] = getattr(row, "updated_at", UNKNOWN)
    if known(changed) and changed is not None:
        return changed, False
    made: Maybe[datetime | None] = getattr(row, "created_at", UNKNOWN)
    if known(made) and made is not None:
        return made, True
    return None, False


def _number(row: Resource, field: str) -> float:
    value: Maybe[float | None] = getattr(row, field, UNKNOWN)
    return 0.0 if isinstance(value, Unknown) else value or 0.0


def _addresses(row: Resource) -> list[object]:
    held = row.addresses if isinstance(row, Port) else UNKNOWN
    return [] if isinstance(held, Unknown) else list(held)


def _details(row: Resource, reason: Reason, loads: dict[str, dict[str, Utilization]]) -> Iterator[str]:
    if reason == "server_low_load":
        for metric, word in (("cpu", "处理器"), ("memory", "内存")):
            held = loads.get(row.uid, {}).get(metric)
            if held is not None and known(held.p95):
                yield f"{word} P95 {held.p95:.0%}（{_hours(held):g} 小时）"
    elif isinstance(row, FloatingIp) and known(row.address):
        yield row.address
    elif isinstance(row, VolumeSnapshot) and known(row.volume):
        yield f"原云硬盘 {row.volume}"


def reclaimable(found: Iterable[Idle]) -> Idle | None:
    """What a list would free together: a row of sums, or None for an empty list. A server counts once, even
    where two reasons name it."""
    rows = {row.uid: row for row in found}.values()
    first = next(iter(rows), None)
    if first is None:
        return None
    return msgspec.structs.replace(
        first,
        name="",
        vcpu=sum(r.vcpu for r in rows),
        memory_mib=sum(r.memory_mib for r in rows),
        disk_gib=sum(r.disk_gib for r in rows),
        addresses=sum(r.addresses for r in rows),
    )
