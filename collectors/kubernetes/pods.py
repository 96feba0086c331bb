"""Pods in aggregate: what runs of each workload, on each node, in each namespace.

A pod is looked at once and dropped. What stays is counted by its topmost owner; of pods that nobody owns,
and of owners that hold no template themselves, the first template seen stays.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import msgspec

from collectors.kubernetes.containers import claims, requests
from collectors.kubernetes.listing import Ask
from collectors.kubernetes.nodes import Load
from collectors.kubernetes.objects import Owner
from collectors.kubernetes.templates import ContainerSpec, Pod, PodSpec
from inventory.decoding import decoder
from inventory.kinds.address import Family

ASK = Ask(resource="pods")
BUILT_IN = {
    "Deployment": "apps", "ReplicaSet": "apps", "StatefulSet": "apps", "DaemonSet": "apps",
    "Job": "batch", "CronJob": "batch", "ReplicationController": "",
}  # fmt: skip
_OVER = ("Succeeded", "Failed")

OwnerKey = tuple[str, str]  # type, name


class Group(msgspec.Struct, kw_only=True):
    """The pods of one workload. ``extra`` are containers that its own template does not have; ``base`` is
    a template taken from a pod, where the owner has none."""

    pods: int = 0
    ready: int = 0
    restarts: int = 0
    phases: Counter[str] = msgspec.field(default_factory=Counter)
    nodes: set[str] = msgspec.field(default_factory=set)
    families: set[Family] = msgspec.field(default_factory=set)
    digests: dict[str, set[str]] = msgspec.field(default_factory=dict)
    claims: set[str] = msgspec.field(default_factory=set)
    extra: dict[str, ContainerSpec] = msgspec.field(default_factory=dict)
    base: Pod | None = None
    static: bool = False


class Pods:
    """A fold over all pods. ``names`` maps the native id of a workload whose template is known to the names
    of its containers; ``owners`` maps what stands between ("namespace/ReplicaSet/name") to what owns it."""

    def __init__(self, names: Mapping[str, frozenset[str]], owners: Mapping[str, OwnerKey]) -> None:
        self._names = names
        self._owners = owners
        self.reset()

    def reset(self) -> None:
        """See ``Fold``."""
        self.groups: dict[str, Group] = {}
        self.loads: dict[str, Load] = {}
        self.phases: dict[str, Counter[str]] = {}
        self.mirrors: list[Pod] = []

    def take(self, rows: list[Pod]) -> None:
        """See ``Fold``."""
        for pod in rows:
            self._one(pod)

    def _one(self, pod: Pod) -> None:
        meta, spec, status = pod.meta, pod.spec, pod.status
        namespace, phase = meta.namespace, status.phase or "Unknown"
        key = self._workload(pod)
        group = self.groups.get(key)
        if group is None:
            group = self.groups[key] = Group()
        group.pods += 1
        group.phases[phase] += 1
        phases = self.phases.get(namespace)
        if phases is None:
            phases = self.phases[namespace] = Counter()
        phases[phase] += 1
        self._containers(pod, key, group)
        if phase not in _OVER:
            for address in status.addresses or []:
                group.families.add("ipv6" if ":" in address.ip else "ipv4")
            if spec.node:
                self._load(spec.node, spec)
        if spec.node:
            group.nodes.add(spec.node)
        if spec.volumes:
            group.claims.update(claims(spec))
        if pod.mirror:
            group.static = True
            if namespace == "kube-system":
                self.mirrors.append(_detached(pod))

    def _load(self, node: str, spec: PodSpec) -> None:
        load = self.loads.get(node)
        if load is None:
            load = self.loads[node] = Load()
        load.pods += 1
        total = load.requests
        for name, value in requests(spec).items():
            total[name] = total.get(name, 0.0) + value

    def _containers(self, pod: Pod, key: str, group: Group) -> None:
        statuses = pod.status.containers or []
        ready = bool(statuses)
        for one in statuses:
            group.restarts += one.restarts
            ready = ready and one.ready
            _, at, digest = one.image_id.rpartition("@")
            if at:
                held = group.digests.get(one.name)
                if held is None:
                    group.digests[one.name] = {digest}
                else:
                    held.add(digest)
        group.ready += ready
        names = self._names.get(key)
        if names is None and group.base is None:
            group.base = _detached(pod)
            return
        for container in pod.spec.containers:
            if names is not None and container.name in names:
                continue
            if names is None and _merge(group, pod, container):
                continue
            if container.name not in group.extra:
                group.extra[container.name] = container

    def _workload(self, pod: Pod) -> str:
        """Native id of the topmost owner, or of the pod itself."""
        namespace = pod.meta.namespace
        owner = controller(pod.meta.owners)
        if owner is None or owner.kind == "Node":
            return f"{namespace}/Pod/{pod.meta.name}"
        type_, name = type_of(owner), owner.name
        above = self._owners.get(f"{namespace}/{type_}/{name}")
        if above is None and type_ == "ReplicaSet" and f"{namespace}/ReplicaSet/{name}" not in self._names:
            above = _by_hash(name, pod.meta.labels or {})
        if above is not None:
            type_, name = above
        return f"{namespace}/{type_}/{name}"


def _detached(pod: Pod) -> Pod:
    """A copy that stands alone: raw parts are views that keep the whole page they came from."""
    return _pod.decode(msgspec.json.encode(pod))


_pod = decoder(Pod)


def _merge(group: Group, pod: Pod, container: ContainerSpec) -> bool:
    """Whether a container of a pod without a known template is in the template taken from another."""
    base = group.base
    if base is None:
        return True
    for name in ("host_network", "host_pid", "host_ipc"):
        if getattr(pod.spec, name):
            setattr(base.spec, name, True)
    return any(one.name == container.name for one in base.spec.containers)


def _by_hash(name: str, labels: Mapping[str, str]) -> OwnerKey | None:
    """The deployment of a replica set that could not be read: their names differ by the template's hash."""
    suffix = "-" + labels.get("pod-template-hash", "")
    return ("Deployment", name.removesuffix(suffix)) if len(suffix) > 1 and name.endswith(suffix) else None


def controller(owners: list[Owner] | None) -> Owner | None:
    """The owner that keeps an object, of all that it has."""
    for owner in owners or ():
        if owner.controller:
            return owner
    return None


def type_of(owner: Owner) -> str:
    """An owner's kind; with its group where it borrows the name of a built-in one."""
    group = owner.api_version.rpartition("/")[0]
    if owner.kind in BUILT_IN and BUILT_IN[owner.kind] != group and group:
        return f"{owner.kind}.{group}"
    return owner.kind
