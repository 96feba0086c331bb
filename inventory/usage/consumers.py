"""Who has what: projects of clouds, namespaces of clusters, and the departments they belong to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Set
from operator import attrgetter
from typing import Any, Final, Literal, NamedTuple

import msgspec

from inventory.kinds.cloud import Cloud, Project, Quota
from inventory.kinds.cluster import Cluster, Namespace, Workload
from inventory.kinds.compute import Server
from inventory.kinds.storage import Volume, VolumeClaim
from inventory.kinds.usage import AmountOf
from inventory.kinds.virtual_network import FloatingIp
from inventory.resource import Resource
from inventory.snapshot import Snapshot
from inventory.unknown import UNKNOWN, Maybe, Unknown, UnknownValueError, known, or_none
from inventory.usage.figures import Coverage, Figure

_LIMITS: dict[str, AmountOf] = {
    "cores": "vcpu",
    "ram": "memory_mib",
    "gigabytes": "disk_gib",
    "floatingip": "floating_ip",
}
Owner = Literal["project", "namespace"]


class Consumer(msgspec.Struct, kw_only=True):
    """What one project or namespace has (or, summed, all of one department; ``source`` and ``uid`` are "").

    ``vcpu`` and ``memory_mib`` are what servers were given, or pods ask for; ``disk_gib`` volumes and claims;
    ``local_gib`` the disks of flavors. ``quota`` holds limits by resource; what is not limited is absent.
    """

    source: str
    kind: Owner
    uid: str
    name: str
    department: str
    complete: bool = True
    servers: int = 0
    volumes: int = 0
    floating_ips: int = 0
    pods: Figure = msgspec.field(default_factory=Figure)
    vcpu: Figure = msgspec.field(default_factory=Figure)
    memory_mib: Figure = msgspec.field(default_factory=Figure)
    disk_gib: Figure = msgspec.field(default_factory=Figure)
    local_gib: Figure = msgspec.field(default_factory=Figure)
    quota: dict[str, float] = msgspec.field(default_factory=dict)

    def merge(self, other: Consumer) -> None:
        """Add another consumer's part. Quotas are not added: one project may be without."""
        self.complete = self.complete and other.complete
        self.add(other)

    def add(self, other: Consumer) -> None:
        """Add what another consumer has."""
        self.servers += other.servers
        self.volumes += other.volumes
        self.floating_ips += other.floating_ips
        for name in FIGURES:
            getattr(self, name).merge(getattr(other, name))


FIGURES = ("pods", "vcpu", "memory_mib", "disk_gib", "local_gib")
_NEEDED = {"project": ("server", "volume", "floating_ip"), "namespace": ("workload", "volume_claim")}


class Owners:
    """Whose a resource is. Its own department label counts, unless it is only the one that its whole source
    carries and its project says another."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._homes: dict[str, Resource] = {r.uid: r for r in snapshot.of(Project)}
        self._homes |= {r.uid: r for r in snapshot.of(Namespace)}
        wholes: list[Resource] = [*snapshot.of(Cloud), *snapshot.of(Cluster)]
        self._of_source = {r.source: r.labels.get("department", "") for r in wholes}

    def name(self, uid: str) -> str:
        """Name of a project or namespace; its native id where the name was not seen."""
        held = self._homes.get(uid)
        name = held.name if held else UNKNOWN
        return uid.split("/", 2)[-1] if isinstance(name, Unknown) else name

    def department(self, resource: Resource) -> str:
        """See the class."""
        own = resource.labels.get("department", "")
        if own and own != self._of_source.get(resource.source):
            return own
        home = self._homes.get(home_of(resource))
        return (home.labels.get("department", "") if home else "") or own

    def homes(self) -> Iterable[Resource]:
        """Every project and namespace."""
        return self._homes.values()


_Alike = tuple[str, str, str, tuple[Any, ...]]  # source, kind, uid of the owner, values


class Counted:
    """Who has what of the things shown so far. ``kinds``: those to count; the others are passed over.

    Things that are alike are counted, not added: of many servers there are few sizes.
    """

    def __init__(self, kinds: Iterable[str] | None = None) -> None:
        self._values = {kind: _COUNTED[kind].values for kind in kinds or _COUNTED}
        self._alike: dict[_Alike, int] = {}
        self._first: dict[_Alike, Resource] = {}

    def take(self, things: Iterable[Resource]) -> None:
        """Add things."""
        alike, wanted = self._alike, self._values
        for thing in things:
            values_of = wanted.get(thing.KIND)
            if values_of is None:
                continue
            key = (thing.source, thing.KIND, home_of(thing), values_of(thing))
            try:
                held = alike.get(key)
            except UnknownValueError:
                key = (*key[:3], tuple(map(or_none, key[3])))
                held = alike.get(key)
            if held is None:
                alike[key] = 1
                self._first[key] = thing
            else:
                alike[key] = held + 1

    def rows(self, kind: str) -> Counter[str]:
        """Things of a kind by source."""
        found: Counter[str] = Counter()
        for (source, counted, _, _), times in self._alike.items():
            if counted == kind:
                found[source] += times
        return found

    def forget(self, kind: str, sources: Set[str]) -> None:
        """Take back all of a kind that these sources have."""
        self._alike = {k: n for k, n in self._alike.items() if k[1] != kind or k[0] not in sources}

    def parts(self) -> Iterator[tuple[Resource, Consumer]]:
        """What each owner has of things that are alike, with the first of them."""
        for key, times in self._alike.items():
            source, kind, uid, values = key
            way = _COUNTED[kind]
            held = Consumer(source=source, kind=way.owner, uid=uid, name="", department="")
            if way.number:
                setattr(held, way.number, times)
            for name, value in zip(way.figures, values, strict=True):
                getattr(held, name).take(value, times)
            yield self._first[key], held


def consumers(
    snapshot: Snapshot, owners: Owners | None = None, counted: Counted | None = None
) -> list[Consumer]:
    """Every project and namespace with what it has, those that have nothing too, sorted by uid. What belongs
    to no known one stands under its source with the uid "". ``counted``: beside what the snapshot holds."""
    owners = owners or Owners(snapshot)
    coverage = Coverage(snapshot)
    found: dict[tuple[str, str], Consumer] = {}

    def consumer(resource: Resource, kind: Owner, uid: str) -> Consumer:
        held = found.get((resource.source, uid))
        if held is None:
            held = found[resource.source, uid] = Consumer(
                source=resource.source,
                kind=kind,
                uid=uid,
                name=owners.name(uid) if uid else "",
                department=owners.department(resource),
                complete=all(coverage.complete(resource.source, needed) for needed in _NEEDED[kind]),
            )
        return held

    for home in owners.homes():
        consumer(home, "project" if home.KIND == "project" else "namespace", home.uid)
    counted = counted or Counted()
    for kind in (Server, Volume, FloatingIp, Workload, VolumeClaim):
        counted.take(snapshot.of(kind))
    clusters = {c.source for c in snapshot.of(Cluster)}
    for first, held in counted.parts():
        if first.KIND != "volume" or held.source not in clusters:  # their volumes are counted by their claims
            consumer(first, held.kind, held.uid).add(held)
    _quotas(snapshot, found)
    return [found[place] for place in sorted(found)]


def home_of(resource: Resource) -> str:
    """Uid of the project or namespace that a resource is of; "" where none was told."""
    for relation in resource.relations:
        if relation.type in ("in_project", "in_namespace"):
            return relation.target
    namespace = getattr(resource, "namespace", None)
    if isinstance(namespace, str) and namespace:
        return f"{resource.source}/namespace/{namespace}"
    return ""


class _Way(NamedTuple):
    """How a kind is counted: ``values`` of a thing go into ``figures`` of its owner."""

    owner: Owner
    figures: tuple[str, ...]
    values: Callable[[Any], tuple[Any, ...]]
    number: str = ""  # field of the owner that counts the things themselves


def _asked(workload: Workload) -> tuple[Any, ...]:
    return workload.pods, requested(workload, "cpu_request"), requested(workload, "memory_request_mib")


_COUNTED: Final = {
    "server": _Way(
        "project",
        ("vcpu", "memory_mib", "local_gib"),
        attrgetter("vcpus", "memory_mib", "disk_gib"),
        "servers",
    ),
    "volume": _Way("project", ("disk_gib",), lambda volume: (volume.size_gib,), "volumes"),
    "floating_ip": _Way("project", (), lambda _: (), "floating_ips"),
    "workload": _Way("namespace", ("pods", "vcpu", "memory_mib"), _asked),
    "volume_claim": _Way("namespace", ("disk_gib",), lambda claim: (claim.size_gib,), "volumes"),
}


def requested(workload: Workload, field: str) -> Maybe[float]:
    """What the pods of a workload ask for together; init containers run before, not beside."""
    if isinstance(workload.containers, Unknown) or isinstance(workload.pods, Unknown):
        return UNKNOWN
    total = 0.0
    for container in workload.containers:
        if known(container.init) and container.init:
            continue
        value: Maybe[float | None] = getattr(container, field)
        if isinstance(value, Unknown):
            return UNKNOWN
        total += (value or 0.0) * workload.pods
    return total


def _quotas(snapshot: Snapshot, found: dict[tuple[str, str], Consumer]) -> None:
    for quota in snapshot.of(Quota):
        held = found.get((quota.source, home_of(quota)))
        if held is None or isinstance(quota.limits, Unknown):
            continue
        if or_none(quota.service) == "kubernetes":
            limits = _cluster_limits(quota.limits)
        else:
            limits = {_LIMITS[name]: float(n) for name, n in quota.limits.items() if name in _LIMITS}
        for resource, limit in limits.items():
            if limit >= 0:  # the tighter one holds where several limit the same
                held.quota[resource] = min(limit, held.quota.get(resource, limit))


def _cluster_limits(limits: dict[str, int]) -> dict[str, float]:
    """Limits on requests; processors come in thousandths."""
    found: dict[str, float] = {}
    for name in ("requests.cpu", "cpu"):
        if name in limits:
            found["vcpu"] = limits[name] / 1000
            break
    for name in ("requests.memory", "memory"):
        if name in limits:
            found["memory_mib"] = float(limits[name])
            break
    if "pods" in limits:
        found["pod"] = float(limits["pods"])
    return found


def by_department(found: Iterable[Consumer]) -> list[Consumer]:
    """Consumers added up by department and kind, sorted. Projects and namespaces stay apart, since a cluster
    may run on the servers of a cloud."""
    totals: dict[tuple[str, str], Consumer] = {}
    for one in found:
        held = totals.get((one.department, one.kind))
        if held is None:
            held = totals[one.department, one.kind] = Consumer(
                source="", kind=one.kind, uid="", name=one.department, department=one.department
            )
        held.merge(one)
    return [totals[key] for key in sorted(totals)]
