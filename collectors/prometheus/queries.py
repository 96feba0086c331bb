"""The questions: PromQL for the share of processor, memory and disk that things use, and their windows.

Metric names are those of the exporters' own documentation: prometheus-libvirt-exporter, node_exporter 1.x,
cAdvisor and kube-state-metrics 2.x. openstack-exporter measures no load: what it tells (limits, allocations)
is in the cloud's own APIs already; it only lends its table of libvirt names.
"""

from __future__ import annotations

from typing import Final, Literal

import msgspec

Kind = Literal["server", "hypervisor", "node", "host", "workload"]
Metric = Literal["cpu", "memory", "disk"]
Preset = Literal["libvirt", "libvirt_openstack", "node_exporter", "kubernetes"]
Statistic = Literal["mean", "p95", "peak"]
STATISTICS: Final[tuple[Statistic, ...]] = ("mean", "p95", "peak")


class Query(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, omit_defaults=True, frozen=True):
    """One question. ``expr`` gives the share in use now, 0–1, with ``$rate`` for the range of a rate.
    The labels ``by``, joined with "/", name the thing: its native id, or a name of it. For the kinds of
    ``also`` the same series are looked up too."""

    name: str
    kind: Kind
    metric: Metric
    expr: str
    by: list[str]
    also: list[Kind] = []

    def __post_init__(self) -> None:
        if not self.name.strip() or not self.expr.strip() or not self.by:
            raise ValueError("name、expr、by 都要写")

    def kinds(self) -> list[Kind]:
        """Kinds to look a series up in, in order."""
        return [self.kind, *self.also]


def over(query: Query, statistic: Statistic, window_hours: int, step_minutes: int) -> str:
    """The instant query for a statistic of ``expr`` over the window that ends now."""
    inner = query.expr.replace("$rate", f"{step_minutes}m")
    subquery = f"({inner})[{window_hours}h:{step_minutes}m]"
    match statistic:
        case "mean":
            return f"avg_over_time({subquery})"
        case "p95":
            return f"quantile_over_time(0.95, {subquery})"
        case "peak":
            return f"max_over_time({subquery})"


def presets(names: list[Preset]) -> list[Query]:
    """Built-in queries of the named exporters, in order."""
    return [query for name in names for query in PRESETS[name]]


_GUEST_CPU = (
    "sum by (instance, domain) (rate(libvirt_domain_info_cpu_time_seconds_total[$rate]))"
    " / on (instance, domain) max by (instance, domain) (libvirt_domain_info_virtual_cpus)"
)
_GUEST_MEMORY = "max by (instance, domain) (libvirt_domain_memory_stats_used_percent) / 100"
_BY_META = (
    " * on (instance, domain) group_left (uuid) max by (instance, domain, uuid) (libvirt_domain_info_meta)"
)
_BY_NOVA = (
    " * on (domain) group_left (uuid) max by (domain, uuid) (0 * label_replace("
    'openstack_nova_server_status{instance_libvirt!=""}, "domain", "$1", "instance_libvirt", "(.+)") + 1)'
)
_IDLE = 'avg by (instance) (rate(node_cpu_seconds_total{mode="idle"}[$rate]))'
_BY_NODENAME = " * on (instance) group_left (nodename) max by (instance, nodename) (node_uname_info)"
_OWNED = (
    'label_replace(label_replace({metric}, "workload", "$1", "owner_name", "(.+)"),'
    ' "workload_type", "$1", "owner_kind", "(.+)")'
)
_OWNER = (
    "max by (namespace, pod, workload_type, workload) ("
    + _OWNED.format(metric='kube_pod_owner{owner_kind!~"ReplicaSet|<none>|"}')
    + ' or label_replace(label_replace(kube_pod_owner{owner_kind=~"<none>|"},'
    ' "workload", "$1", "pod", "(.+)"), "workload_type", "Pod", "", "")'
    ' or label_replace(kube_pod_owner{owner_kind="ReplicaSet"}, "replicaset", "$1", "owner_name", "(.+)")'
    " * on (namespace, replicaset) group_left (workload, workload_type)"
    " max by (namespace, replicaset, workload, workload_type) ("
    + _OWNED.format(metric='kube_replicaset_owner{owner_kind!~"<none>|"}')
    + "))"
)


def _per_workload(of_pods: str) -> str:
    joined = f"({of_pods}) * on (namespace, pod) group_left (workload_type, workload) {_OWNER}"
    return f"sum by (namespace, workload_type, workload) ({joined})"


_POD_CPU = (
    'sum by (namespace, pod) (rate(container_cpu_usage_seconds_total{container!="",container!="POD"}[$rate]))'
)
_POD_MEMORY = 'sum by (namespace, pod) (container_memory_working_set_bytes{container!="",container!="POD"})'
_ASKED = 'sum by (namespace, pod) (kube_pod_container_resource_requests{resource="%s"})'
_WORKLOAD = ["namespace", "workload_type", "workload"]

PRESETS: Final[dict[Preset, tuple[Query, ...]]] = {
    "libvirt": (
        Query(name="libvirt-cpu", kind="server", metric="cpu", by=["uuid"], expr=_GUEST_CPU + _BY_META),
        Query(
            name="libvirt-memory", kind="server", metric="memory", by=["uuid"], expr=_GUEST_MEMORY + _BY_META
        ),
    ),
    "libvirt_openstack": (
        Query(
            name="libvirt-nova-cpu",
            kind="server",
            metric="cpu",
            by=["uuid"],
            expr=f"({_GUEST_CPU}){_BY_NOVA}",
        ),
        Query(
            name="libvirt-nova-memory",
            kind="server",
            metric="memory",
            by=["uuid"],
            expr=f"({_GUEST_MEMORY}){_BY_NOVA}",
        ),
    ),
    "node_exporter": (
        Query(
            name="node-cpu",
            kind="hypervisor",
            also=["node", "host"],
            metric="cpu",
            by=["nodename"],
            expr=f"(1 - {_IDLE}){_BY_NODENAME}",
        ),
        Query(
            name="node-memory",
            kind="hypervisor",
            also=["node", "host"],
            metric="memory",
            by=["nodename"],
            expr="(1 - max by (instance) (node_memory_MemAvailable_bytes)"
            f" / max by (instance) (node_memory_MemTotal_bytes)){_BY_NODENAME}",
        ),
        Query(
            name="node-disk",
            kind="hypervisor",
            also=["node", "host"],
            metric="disk",
            by=["nodename"],
            expr='(1 - max by (instance) (node_filesystem_avail_bytes{mountpoint="/"})'
            f' / max by (instance) (node_filesystem_size_bytes{{mountpoint="/"}})){_BY_NODENAME}',
        ),
    ),
    "kubernetes": (
        Query(
            name="workload-cpu",
            kind="workload",
            metric="cpu",
            by=_WORKLOAD,
            expr=f"{_per_workload(_POD_CPU)} / {_per_workload(_ASKED % 'cpu')}",
        ),
        Query(
            name="workload-memory",
            kind="workload",
            metric="memory",
            by=_WORKLOAD,
            expr=f"{_per_workload(_POD_MEMORY)} / {_per_workload(_ASKED % 'memory')}",
        ),
    ),
}
