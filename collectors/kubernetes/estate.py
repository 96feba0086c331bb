"""What a cluster is made of, read in the order in which one thing needs another."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

import msgspec

from collectors.contract import Access
from collectors.kubernetes import limits, network_policies, nodes, pods, services, storage, workloads
from collectors.kubernetes import namespaces as _namespaces
from collectors.kubernetes.accounts import ACCOUNTS, AccountRow
from collectors.kubernetes.client import ReadError
from collectors.kubernetes.listing import Ask, Listing, Reader
from collectors.kubernetes.namespaces import Facts, NamespaceRow
from collectors.kubernetes.objects import Selector
from collectors.kubernetes.survey import Survey
from collectors.kubernetes.templates import Pod
from collectors.kubernetes.workloads import Made
from inventory.coverage import Batch
from inventory.kinds.cluster import Cluster
from inventory.resource import Resource
from inventory.unknown import UNKNOWN

T = TypeVar("T")

KINDS: tuple[str, ...] = (
    "node",
    "namespace",
    "workload",
    "cluster_service",
    "ingress",
    "network_policy",
    "limit_range",
    "quota",
    "volume_type",
    "volume",
    "volume_claim",
)
ASKS: tuple[Ask, ...] = (
    nodes.ASK,
    _namespaces.ASK,
    pods.ASK,
    *workloads.CONTROLLERS.values(),
    workloads.CRON_JOBS,
    ACCOUNTS,
    services.SERVICES,
    services.INGRESSES,
    network_policies.ASK,
    limits.LIMIT_RANGES,
    limits.QUOTAS,
    storage.CLASSES,
    storage.VOLUMES,
    storage.CLAIMS,
)


class Seen(msgspec.Struct, kw_only=True):
    """What one part of the reading leaves for the others."""

    namespaces: list[NamespaceRow] = msgspec.field(default_factory=list)
    namespace_listing: Listing | None = None
    mirror_pods: list[Pod] = msgspec.field(default_factory=list)  # of kube-system
    pod_listing: Listing | None = None
    accounts: list[AccountRow] = msgspec.field(default_factory=list)
    account_listing: Listing | None = None
    secrets_used: set[str] = msgspec.field(default_factory=set)  # namespace/name, by workloads and ingresses
    users_seen: bool = False  # all that could use a secret was seen
    workloads_seen: bool = False  # whole
    account_users: dict[str, list[str]] = msgspec.field(default_factory=dict)  # service account → workloads
    node_labels: set[str] = msgspec.field(default_factory=set)  # keys of all nodes' labels
    families: set[str] = msgspec.field(default_factory=set)  # of services
    cluster: dict[str, Any] = msgspec.field(default_factory=dict)  # further fields of the ``cluster`` kind


def collect(reader: Reader, survey: Survey, seen: Seen) -> Iterator[Batch]:
    """Read it; what others need is left in ``seen``."""
    place = survey.place
    spaces, seen.namespace_listing = _read_namespaces(reader)
    seen.namespaces = spaces
    reader.namespaces = list(dict.fromkeys([*reader.namespaces, *(row.meta.name for row in spaces)]))
    facts = Facts()
    yield from _bounds(reader, survey, facts)

    hosts, host_listing = reader.all(nodes.ASK, nodes.NodeRow)
    if host_listing.whole and (count := nodes.control_plane_nodes(hosts)):
        seen.cluster["control_plane_nodes"] = count
    accounts, account_listing = reader.all(ACCOUNTS, AccountRow)
    seen.accounts, seen.account_listing = accounts, account_listing
    seen.node_labels = {key for row in hosts for key in row.meta.labels or {}}
    controllers = workloads.read_controllers(reader)
    fold = pods.Pods(controllers.names(), controllers.owners)
    listing = seen.pod_listing = reader.read(pods.ASK, Pod, fold)
    seen.mirror_pods = fold.mirrors
    facts.phases = fold.phases if listing.whole else None

    made, problems = _workloads(
        controllers,
        fold,
        workloads.Surroundings(
            place=place,
            architectures={r.meta.name: r.architecture for r in hosts} if host_listing.whole else None,
            accounts={r.meta.key: r.automount for r in accounts} if account_listing.whole else None,
            pods_seen=lambda namespace: listing.whole or namespace in listing.namespaces,
        ),
    )
    templates = [*controllers.listings, listing]
    yield survey.batch("workload", (m.workload for m in made), templates, problems)
    whole = all(one.whole or one.absent for one in templates) and not problems
    loads = fold.loads if listing.whole else None
    yield _mapped(
        survey,
        "node",
        hosts,
        [host_listing],
        lambda row: nodes.node(row, _load(row, loads), place),
    )
    by_labels = _by_labels(made)
    del controllers, fold

    yield from _network(reader, survey, seen, facts, by_labels)
    seen.secrets_used |= {key for m in made for key in m.secrets}
    seen.account_users = _account_users(made)
    seen.workloads_seen = whole
    seen.users_seen = seen.users_seen and whole
    yield from _storage(reader, survey, {key for m in made for key in m.claims} if whole else None)
    yield _mapped(
        survey,
        "namespace",
        spaces,
        [seen.namespace_listing],
        lambda row: _namespaces.namespace(row, facts, place),
    )


def _read_namespaces(reader: Reader) -> tuple[list[NamespaceRow], Listing]:
    """All namespaces; where the list is refused, those that were named, one by one."""
    rows, listing = reader.all(_namespaces.ASK, NamespaceRow)
    if listing.error is not None:
        for name in reader.namespaces:
            try:
                row = reader.one(_namespaces.ASK, name, NamespaceRow)
            except ReadError:
                break  # what the list ended in is told already
            rows += [row] if row is not None else []
    return rows, listing


def _bounds(reader: Reader, survey: Survey, facts: Facts) -> Iterator[Batch]:
    """Limit ranges and quotas."""
    place = survey.place
    ranges, listing = reader.all(limits.LIMIT_RANGES, limits.LimitRow)
    facts.limit_ranges = {r.meta.namespace for r in ranges} if listing.whole else None
    yield _mapped(survey, "limit_range", ranges, [listing], lambda row: limits.limit_range(row, place))
    quotas, listing = reader.all(limits.QUOTAS, limits.QuotaRow)
    facts.quotas = {r.meta.namespace for r in quotas if r.bounds_compute} if listing.whole else None
    yield _mapped(survey, "quota", quotas, [listing], lambda row: limits.quota(row, place))


def _network(
    reader: Reader, survey: Survey, seen: Seen, facts: Facts, by_labels: ByLabels
) -> Iterator[Batch]:
    """Network policies, services, ingresses, with the workloads that they concern."""
    place = survey.place
    policies, listing = reader.all(network_policies.ASK, network_policies.PolicyRow)
    if listing.whole:
        facts.policies = Counter(row.meta.namespace for row in policies)
        facts.denies_ingress = {r.meta.namespace for r in policies if r.denies_by_default("ingress")}
        facts.denies_egress = {r.meta.namespace for r in policies if r.denies_by_default("egress")}

    def governed(namespace: str, selector: Selector) -> list[str]:
        return [native for native, labels in by_labels.get(namespace, []) if selector.takes(labels)]

    yield _mapped(
        survey,
        "network_policy",
        policies,
        [listing],
        lambda row: network_policies.network_policy(row, governed(row.meta.namespace, row.spec.pods), place),
    )
    rows, listing = reader.all(services.SERVICES, services.ServiceRow)

    def matching(namespace: str, labels: dict[str, str]) -> list[str]:
        return governed(namespace, Selector(labels=labels))

    batch = _mapped(
        survey,
        "cluster_service",
        rows,
        [listing],
        lambda row: services.cluster_service(row, matching, place),
    )
    if listing.whole:
        seen.cluster["service_families"] = sorted(
            {
                f
                for r in batch.resources
                if isinstance(f_list := getattr(r, "families", None), list)
                for f in f_list
            }
        )
    yield batch
    entries, listing = reader.all(services.INGRESSES, services.IngressRow)
    listings = [listing]
    if listing.absent:
        entries, old = reader.all(services.OLD_INGRESSES, services.IngressRow)
        listings.append(old)
    seen.secrets_used |= {key for row in entries for key in row.secrets()}
    seen.users_seen = any(one.whole for one in listings)
    yield _mapped(survey, "ingress", entries, listings, lambda row: services.ingress(row, place))


def _storage(reader: Reader, survey: Survey, used: set[str] | None) -> Iterator[Batch]:
    place = survey.place
    classes, listing = reader.all(storage.CLASSES, storage.ClassRow)
    yield _mapped(survey, "volume_type", classes, [listing], lambda row: storage.volume_type(row, place))
    volumes, listing = reader.all(storage.VOLUMES, storage.VolumeRow)
    yield _mapped(survey, "volume", volumes, [listing], lambda row: storage.volume(row, place))
    claims, listing = reader.all(storage.CLAIMS, storage.ClaimRow)
    yield _mapped(
        survey, "volume_claim", claims, [listing], lambda row: storage.volume_claim(row, used, place)
    )


ByLabels = dict[str, list[tuple[str, dict[str, str]]]]
"""Workloads of a namespace: native id, and the labels of its pods."""


def _by_labels(made: list[Made]) -> ByLabels:
    found: ByLabels = {}
    for one in made:
        namespace = one.workload.native_id.partition("/")[0]
        found.setdefault(namespace, []).append((one.workload.native_id, one.labels))
    return found


def _account_users(made: list[Made]) -> dict[str, list[str]]:
    """Service account → native ids of the workloads that run as it."""
    found: dict[str, list[str]] = {}
    for one in made:
        account, namespace = one.workload.service_account, one.workload.namespace
        if isinstance(account, str) and isinstance(namespace, str):
            found.setdefault(f"{namespace}/{account}", []).append(one.workload.native_id)
    return found


def _workloads(
    controllers: workloads.Controllers, fold: pods.Pods, around: workloads.Surroundings
) -> tuple[list[Made], list[str]]:
    made, problems = [], []
    for one in workloads.workloads(controllers, fold.groups, around):
        if isinstance(one, str):
            problems.append(str(around.place.clean(one)))
        else:
            made.append(one)
    return made, problems


def _load(row: nodes.NodeRow, loads: dict[str, nodes.Load] | None) -> nodes.Load | None:
    return loads.get(row.meta.name, nodes.Load()) if loads is not None else None


def _mapped(
    survey: Survey,
    kind: str,
    rows: Iterable[T],
    listings: list[Listing],
    make: Callable[[T], Resource],
) -> Batch:
    """Resources of rows; one that cannot be made becomes a problem, and the others stay."""
    found: dict[str, Resource] = {}
    problems: list[str] = []
    for row in rows:
        try:
            resource = make(row)
        except ValueError as error:  # msgspec's are such too
            problems.append(str(survey.place.clean(f"{row.meta.key}：{error}")))  # type: ignore[attr-defined]
            continue
        found[resource.native_id] = resource  # an object can be on two pages of a list that moves
    return survey.batch(kind, found.values(), listings, problems)


def cluster(survey: Survey, seen: Seen) -> Batch:
    """The cluster itself; last, since other parts tell of it."""
    served, peer = survey.served, survey.peer
    resource = Cluster(
        source=survey.place.source,
        native_id="cluster",
        name=survey.place.source,
        labels=dict(survey.place.labels),
        software="kubernetes",
        version=served.version or UNKNOWN,
        endpoint=peer.server or UNKNOWN,
        certificate_verified=peer.verified,
        api_groups=served.group_versions() if not served.denied else UNKNOWN,
        **seen.cluster,
    )
    also = ["不许读 /apis（403），不知道有哪些 API"] if served.denied else []
    return survey.batch("cluster", [resource], [], also)


def probe(reader: Reader, asks: Iterable[Ask]) -> Iterator[Access]:
    """Whether each list is allowed, asked for one row each."""
    allowed = []
    for ask in asks:
        status, detail = reader.allowed(ask)
        if status:
            allowed.append(ask.title)
        elif status is None:
            yield Access(subject=ask.title, ok=None, detail=detail)
        else:
            yield Access(subject=ask.title, ok=False, detail=detail, remedy=ask.remedy)
    if allowed:
        yield Access(subject="看得全", ok=True, detail="、".join(allowed))
