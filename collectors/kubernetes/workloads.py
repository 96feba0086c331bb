"""Workloads: every pod template with its topmost owner, put together from controllers and pods."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import msgspec

from collectors.kubernetes.containers import container, volumes
from collectors.kubernetes.listing import Ask, Fold, Listing, Reader, Rows
from collectors.kubernetes.objects import Meta
from collectors.kubernetes.pods import Group, OwnerKey, controller, type_of
from collectors.kubernetes.survey import Place
from collectors.kubernetes.templates import ControllerSpec, CronJob, PodSpec, Template
from inventory.decoding import decoder
from inventory.kinds.cluster import Container, Workload
from inventory.unknown import UNKNOWN, Unknown

CONTROLLERS: dict[str, Ask] = {
    "Deployment": Ask(resource="deployments", group="apps"),
    "StatefulSet": Ask(resource="statefulsets", group="apps"),
    "DaemonSet": Ask(resource="daemonsets", group="apps"),
    "ReplicationController": Ask(resource="replicationcontrollers"),
    "ReplicaSet": Ask(resource="replicasets", group="apps"),
    "Job": Ask(resource="jobs", group="batch"),
}
CRON_JOBS = Ask(resource="cronjobs", group="batch", versions=("v1", "v1beta1"))
_REPLICATED = ("Deployment", "StatefulSet", "ReplicaSet", "ReplicationController")


class ControllerRow(msgspec.Struct, kw_only=True):
    """A controller whose template is decoded only if it is the topmost one: a deployment leaves up to ten
    replica sets behind it."""

    meta: Meta = msgspec.field(name="metadata")
    spec: msgspec.Raw


class Holder(msgspec.Struct, kw_only=True):
    """A template and whose it is. ``labels`` are those of its pods."""

    type: str
    meta: Meta
    spec: PodSpec
    labels: dict[str, str]
    replicas: int | None = None

    @property
    def native_id(self) -> str:
        return f"{self.meta.namespace}/{self.type}/{self.meta.name}"


class Controllers(msgspec.Struct, kw_only=True):
    """All templates that controllers hold, and which controller stands under which."""

    holders: dict[str, Holder] = msgspec.field(default_factory=dict)
    owners: dict[str, OwnerKey] = msgspec.field(default_factory=dict)
    listings: list[Listing] = msgspec.field(default_factory=list)

    def names(self) -> dict[str, frozenset[str]]:
        """Names of the containers of each template, by native id."""
        return {
            key: frozenset(c.name for c in (*h.spec.containers, *(h.spec.init or [])))
            for key, h in self.holders.items()
        }


class _Take:
    """A fold that keeps the templates of one type of controller."""

    def __init__(self, type_: str, into: Controllers) -> None:
        self._type = type_
        self._into = into
        self._mine: list[str] = []
        self.problems: list[str] = []

    def reset(self) -> None:
        """See ``Fold``."""
        for key in self._mine:
            self._into.holders.pop(key, None)
        self._mine.clear()
        self.problems.clear()

    def take(self, rows: list[ControllerRow]) -> None:
        """See ``Fold``."""
        for row in rows:
            owner = controller(row.meta.owners) if self._type in ("ReplicaSet", "Job") else None
            if owner is not None:
                key = f"{row.meta.namespace}/{self._type}/{row.meta.name}"
                self._into.owners[key] = (type_of(owner), owner.name)
                continue
            try:
                spec = _controller_spec.decode(bytes(row.spec))  # a copy: views keep their page
            except msgspec.ValidationError as error:
                self.problems.append(f"{self._type} {row.meta.key}：{error}")
                continue
            replicas = (1 if spec.replicas is None else spec.replicas) if self._type in _REPLICATED else None
            self._keep(row.meta, spec.template, replicas)

    def _keep(self, meta: Meta, template: Template, replicas: int | None) -> None:
        holder = Holder(
            type=self._type,
            meta=meta,
            spec=template.spec,
            labels=template.meta.labels or {},
            replicas=replicas,
        )
        self._into.holders[holder.native_id] = holder
        self._mine.append(holder.native_id)


_controller_spec = decoder(ControllerSpec)


def read_controllers(reader: Reader) -> Controllers:
    """Read all that hold templates."""
    found = Controllers()
    for type_, ask in CONTROLLERS.items():
        take = _Take(type_, found)
        listing = reader.read(ask, ControllerRow, take)
        listing.odd += len(take.problems)
        listing.problems += map(reader.run.redactor.text, take.problems)
        found.listings.append(listing)
    rows: Rows[CronJob] = Rows()
    fold: Fold[CronJob] = rows
    found.listings.append(reader.read(CRON_JOBS, CronJob, fold))
    for row in rows.rows:
        template = row.spec.job.spec.template
        holder = Holder(type="CronJob", meta=row.meta, spec=template.spec, labels=template.meta.labels or {})
        found.holders[holder.native_id] = holder
    return found


class Surroundings(msgspec.Struct, kw_only=True):
    """What workloads are held against. ``architectures`` maps nodes, None = not all were seen;
    ``accounts`` maps a service account's key to its automount setting, None = not all were seen;
    ``pods_seen`` tells whether all pods of a namespace were."""

    place: Place
    architectures: dict[str, str] | None
    accounts: dict[str, bool | None] | None
    pods_seen: Callable[[str], bool]


class Made(msgspec.Struct, kw_only=True):
    """One workload, the labels of its pods, and the keys of what it uses."""

    workload: Workload
    labels: dict[str, str]
    secrets: set[str]
    claims: set[str]


def workloads(
    controllers: Controllers, groups: Mapping[str, Group], around: Surroundings
) -> Iterator[Made | str]:
    """All workloads; a text where one could not be made."""
    for key in sorted(controllers.holders.keys() | groups.keys()):
        holder, group = controllers.holders.get(key), groups.get(key)
        try:
            yield _made(key, holder or _of_pod(key, group), group, around)
        except ValueError as error:  # msgspec's are such too
            yield f"{key}：{error}"


def _of_pod(key: str, group: Group | None) -> Holder:
    """A template taken from a pod: of a bare pod, or of an owner that has none that could be read."""
    if group is None or group.base is None:
        raise ValueError("没有模板")
    pod = group.base
    _, type_, name = key.split("/", 2)
    bare = type_ == "Pod"
    meta = Meta(
        name=name,
        namespace=pod.meta.namespace,
        labels=pod.meta.labels if bare else None,
        created_at=pod.meta.created_at if bare else None,
    )
    return Holder(type=type_, meta=meta, spec=pod.spec, labels=pod.meta.labels or {})


def _made(key: str, holder: Holder, group: Group | None, around: Surroundings) -> Made:
    spec, meta, place = holder.spec, holder.meta, around.place
    namespace = meta.namespace
    seen = around.pods_seen(namespace)
    running = group or Group()
    held = volumes(spec)
    containers = _containers(holder, running, seen, place)
    account = spec.service_account or "default"
    pull = sorted({r.name for r in spec.pull_secrets or [] if r.name})
    references = {name for c in containers for name in c.secret_references}  # type: ignore[union-attr]
    secrets = {f"{namespace}/{name}" for name in (*held.secrets, *references, *pull)}
    claims = {f"{namespace}/{name}" for name in held.claims | running.claims}
    workload = Workload(
        source=place.source,
        native_id=key,
        name=meta.name,
        labels=place.tags(meta.labels),
        relations=place.relations(
            ("in_namespace", "namespace", namespace),
            ("uses", "service_account", f"{namespace}/{account}"),
            *(("uses", "secret", secret) for secret in secrets),
            *(("uses", "volume_claim", claim) for claim in claims),
        ),
        namespace=namespace,
        type=holder.type,
        static=running.static if group is not None else False,
        replicas=holder.replicas,
        service_account=account,
        automount_token=_automount(spec, f"{namespace}/{account}", around),
        host_network=spec.host_network is True,
        host_pid=spec.host_pid is True,
        host_ipc=spec.host_ipc is True,
        containers=containers,
        mounts=held.mounts,
        image_pull_secrets=pull,
        created_at=meta.created_at or UNKNOWN,
    )
    if seen:
        _running(workload, running, around)
    return Made(workload=workload, labels=holder.labels, secrets=secrets, claims=claims)


def _containers(holder: Holder, group: Group, seen: bool, place: Place) -> list[Container]:
    spec = holder.spec

    def digests(name: str) -> set[str] | Unknown:
        return group.digests.get(name, set()) if seen else UNKNOWN

    rows = [(one, True) for one in spec.init or []]
    rows += [(one, False) for one in spec.containers]
    rows += [(group.extra[name], False) for name in sorted(group.extra)]
    return [
        container(one, spec.security, digests(one.name), place.clean, init=init and one.restart != "Always")
        for one, init in rows
    ]


def _automount(spec: PodSpec, account: str, around: Surroundings) -> bool | Unknown | None:
    if spec.automount is not None:
        return spec.automount
    if around.accounts is None:
        return UNKNOWN
    return around.accounts.get(account)


def _running(workload: Workload, group: Group, around: Surroundings) -> None:
    workload.ready = group.ready
    workload.pods = group.pods
    workload.pod_phases = dict(sorted(group.phases.items()))
    workload.restarts = group.restarts
    workload.families = sorted(group.families)
    known = around.architectures
    if known is not None:
        workload.architectures = sorted({known[node] for node in group.nodes if known.get(node)})
