"""Kinds of a container cluster."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar, Literal

from inventory.kinds.address import Address, Family
from inventory.kinds.usage import Amount
from inventory.origin import Origin
from inventory.resource import Nested, Resource
from inventory.unknown import UNKNOWN, Maybe


class Cluster(Resource):
    """The cluster itself. One per source."""

    KIND: ClassVar[str] = "cluster"
    TITLE: ClassVar[str] = "容器集群"

    software: Maybe[str] = UNKNOWN  # "kubernetes"
    version: Maybe[str] = UNKNOWN  # git version: v1.33.1+k3s1
    distributions: Maybe[list[str]] = UNKNOWN  # KubeSphere, Karmada, OpenKruise, k3s …, told by their marks
    endpoint: Maybe[str] = UNKNOWN  # of the API, without credentials
    certificate_verified: Maybe[bool] = UNKNOWN
    api_groups: Maybe[list[str]] = UNKNOWN  # group/version, sorted
    custom_kinds: Maybe[list[str]] = UNKNOWN  # names (plural.group) of custom resource definitions, sorted
    service_families: Maybe[list[Family]] = UNKNOWN
    anonymous_permissions: Maybe[bool] = UNKNOWN  # anonymous may do more than discovery and health
    pod_security_admission: Maybe[bool] = UNKNOWN  # some admission judges pods: PSA labels, PSP, a policy
    control_plane_nodes: Maybe[int] = UNKNOWN  # never 0: a managed cluster hides them


class ControlPlaneComponent(Resource):
    """One process of the control plane on one node, as its mirror pod shows it (managed ones: none)."""

    KIND: ClassVar[str] = "control_plane_component"
    TITLE: ClassVar[str] = "集群控制面组件"

    component: Maybe[str] = UNKNOWN  # kube-apiserver, kube-controller-manager, kube-scheduler, etcd
    node: Maybe[str | None] = UNKNOWN
    image: Maybe[str] = UNKNOWN
    flags: Maybe[dict[str, str]] = UNKNOWN  # without the dashes; secrets masked; "" = given without a value


class NodeCondition(Nested):
    type: Maybe[str] = UNKNOWN  # Ready, MemoryPressure …
    status: Maybe[bool | None] = UNKNOWN  # None = the cluster itself does not know
    reason: Maybe[str] = UNKNOWN


class Taint(Nested):
    key: Maybe[str] = UNKNOWN
    value: Maybe[str] = UNKNOWN
    effect: Maybe[str] = UNKNOWN


class Node(Resource):
    KIND: ClassVar[str] = "node"
    TITLE: ClassVar[str] = "集群节点"
    VOLATILE: ClassVar[frozenset[str]] = frozenset({"amounts", "pods"})

    roles: Maybe[list[str]] = UNKNOWN
    ready: Maybe[bool | None] = UNKNOWN
    schedulable: Maybe[bool] = UNKNOWN
    conditions: Maybe[list[NodeCondition]] = UNKNOWN
    taints: Maybe[list[Taint]] = UNKNOWN
    os_image: Maybe[str] = UNKNOWN
    os_origin: Maybe[Origin] = UNKNOWN
    kernel: Maybe[str] = UNKNOWN
    container_runtime: Maybe[str] = UNKNOWN  # containerd://1.7.20
    kubelet_version: Maybe[str] = UNKNOWN
    cpu_architecture: Maybe[str] = UNKNOWN  # uname -m words, as for hypervisors
    cpu_vendor: Maybe[str] = UNKNOWN  # where a label tells it (amd64 alone cannot tell 海光 from Intel)
    cpu_origin: Maybe[Origin] = UNKNOWN
    zone: Maybe[str | None] = UNKNOWN
    addresses: Maybe[list[Address]] = UNKNOWN
    pod_prefixes: Maybe[list[str]] = UNKNOWN
    provider_id: Maybe[str | None] = UNKNOWN  # e.g. the server of a cloud it is
    created_at: Maybe[datetime] = UNKNOWN
    pods: Maybe[int] = UNKNOWN
    amounts: Maybe[list[Amount]] = UNKNOWN  # reserved = not allocatable, allocated = requests


class Namespace(Resource):
    """What other kinds tell about a namespace is UNKNOWN unless they were seen whole."""

    KIND: ClassVar[str] = "namespace"
    TITLE: ClassVar[str] = "命名空间"
    VOLATILE: ClassVar[frozenset[str]] = frozenset({"pods", "pod_phases"})

    status: Maybe[str] = UNKNOWN
    pod_security: Maybe[dict[str, str]] = UNKNOWN  # enforce, audit, warn → level; {} = no label
    network_policies: Maybe[int] = UNKNOWN
    default_deny_ingress: Maybe[bool] = UNKNOWN  # some policy selects all pods and lets nothing in by itself
    default_deny_egress: Maybe[bool] = UNKNOWN
    quota: Maybe[bool] = UNKNOWN  # a resource quota limits processor or memory
    limit_range: Maybe[bool] = UNKNOWN
    system: Maybe[bool] = UNKNOWN  # the platform's own: kube-system and its like
    created_at: Maybe[datetime] = UNKNOWN
    pods: Maybe[int] = UNKNOWN
    pod_phases: Maybe[dict[str, int]] = UNKNOWN


class Container(Nested):
    """Security settings as they come into force: the container's own over the pod's. None = set nowhere."""

    name: Maybe[str] = UNKNOWN
    init: Maybe[bool] = UNKNOWN
    image: Maybe[str] = UNKNOWN  # as written in the template
    registry: Maybe[str] = UNKNOWN  # docker.io where none is written
    tag: Maybe[str | None] = UNKNOWN  # None = neither tag nor digest written, which means latest
    digest: Maybe[str | None] = UNKNOWN  # as written
    running_digests: Maybe[list[str]] = UNKNOWN  # of the pods that run, sorted
    pull_policy: Maybe[str | None] = UNKNOWN
    privileged: Maybe[bool] = UNKNOWN
    allow_privilege_escalation: Maybe[bool | None] = UNKNOWN
    run_as_non_root: Maybe[bool | None] = UNKNOWN
    run_as_user: Maybe[int | None] = UNKNOWN
    read_only_root: Maybe[bool] = UNKNOWN
    capabilities_added: Maybe[list[str]] = UNKNOWN
    capabilities_dropped: Maybe[list[str]] = UNKNOWN
    seccomp: Maybe[str | None] = UNKNOWN
    host_ports: Maybe[list[int]] = UNKNOWN
    cpu_request: Maybe[float | None] = UNKNOWN  # processors
    cpu_limit: Maybe[float | None] = UNKNOWN
    memory_request_mib: Maybe[float | None] = UNKNOWN
    memory_limit_mib: Maybe[float | None] = UNKNOWN
    secret_variables: Maybe[list[str]] = UNKNOWN  # names of variables with a literal that looks secret
    secret_references: Maybe[list[str]] = UNKNOWN  # names of secrets its environment takes
    liveness_probe: Maybe[bool] = UNKNOWN
    readiness_probe: Maybe[bool] = UNKNOWN


class Mount(Nested):
    """One volume of a pod template. ``source`` is the host's path, or the name of the secret, map, claim."""

    name: Maybe[str] = UNKNOWN
    type: Maybe[str] = UNKNOWN  # host_path, secret, config_map, claim, empty_dir, projected, csi …
    source: Maybe[str | None] = UNKNOWN
    read_only: Maybe[bool] = UNKNOWN  # in every container that mounts it


class Workload(Resource):
    """A pod template with its topmost owner, and its pods in aggregate; native id = namespace/type/name."""

    KIND: ClassVar[str] = "workload"
    TITLE: ClassVar[str] = "工作负载"
    VOLATILE: ClassVar[frozenset[str]] = frozenset({"ready", "pods", "pod_phases", "restarts"})

    namespace: Maybe[str] = UNKNOWN
    type: Maybe[str] = UNKNOWN  # Deployment, StatefulSet, DaemonSet, Job, CronJob, Pod, or the owner's kind
    static: Maybe[bool] = UNKNOWN  # a mirror pod of a node
    replicas: Maybe[int | None] = UNKNOWN
    service_account: Maybe[str] = UNKNOWN
    automount_token: Maybe[bool | None] = UNKNOWN  # in force; None = written nowhere
    host_network: Maybe[bool] = UNKNOWN
    host_pid: Maybe[bool] = UNKNOWN
    host_ipc: Maybe[bool] = UNKNOWN
    containers: Maybe[list[Container]] = UNKNOWN
    mounts: Maybe[list[Mount]] = UNKNOWN
    image_pull_secrets: Maybe[list[str]] = UNKNOWN
    architectures: Maybe[list[str]] = UNKNOWN  # of the nodes its pods run on, sorted
    families: Maybe[list[Family]] = UNKNOWN  # of its pods' addresses
    created_at: Maybe[datetime] = UNKNOWN
    ready: Maybe[int] = UNKNOWN
    pods: Maybe[int] = UNKNOWN
    pod_phases: Maybe[dict[str, int]] = UNKNOWN
    restarts: Maybe[int] = UNKNOWN


class ServicePort(Nested):
    protocol: Maybe[str] = UNKNOWN
    port: Maybe[int] = UNKNOWN
    node_port: Maybe[int | None] = UNKNOWN


class ClusterService(Resource):
    KIND: ClassVar[str] = "cluster_service"
    TITLE: ClassVar[str] = "集群服务"

    namespace: Maybe[str] = UNKNOWN
    type: Maybe[Literal["ClusterIP", "NodePort", "LoadBalancer", "ExternalName"]] = UNKNOWN
    families: Maybe[list[Family]] = UNKNOWN
    family_policy: Maybe[str | None] = UNKNOWN  # SingleStack, PreferDualStack, RequireDualStack
    headless: Maybe[bool] = UNKNOWN
    addresses: Maybe[list[Address]] = UNKNOWN  # the cluster's
    external_addresses: Maybe[list[Address]] = UNKNOWN  # external IPs and the balancer's
    external_name: Maybe[str | None] = UNKNOWN
    source_prefixes: Maybe[list[str]] = UNKNOWN  # that a balancer lets in; [] = all
    ports: Maybe[list[ServicePort]] = UNKNOWN


class IngressHost(Nested):
    """``host`` None = any host."""

    host: Maybe[str | None] = UNKNOWN
    tls: Maybe[bool] = UNKNOWN
    secret: Maybe[str | None] = UNKNOWN  # name of the certificate's secret


class Ingress(Resource):
    KIND: ClassVar[str] = "ingress"
    TITLE: ClassVar[str] = "集群入口"

    namespace: Maybe[str] = UNKNOWN
    class_name: Maybe[str | None] = UNKNOWN
    hosts: Maybe[list[IngressHost]] = UNKNOWN
    services: Maybe[list[str]] = UNKNOWN  # names of services behind it, sorted
    snippets: Maybe[bool] = UNKNOWN  # annotations that put text into the proxy's configuration
    addresses: Maybe[list[Address]] = UNKNOWN


class PolicyPeer(Nested):
    """One line of what a network policy lets through. All of ``prefix``, ``namespaces``, ``pods`` None =
    anybody. Selectors as text ("app=web,tier in (a,b)"; "" = all)."""

    direction: Maybe[Literal["ingress", "egress"]] = UNKNOWN
    prefix: Maybe[str | None] = UNKNOWN
    family: Maybe[Family | None] = UNKNOWN  # of the prefix
    excluded: Maybe[list[str]] = UNKNOWN
    namespaces: Maybe[str | None] = UNKNOWN
    pods: Maybe[str | None] = UNKNOWN
    ports: Maybe[list[str]] = UNKNOWN  # "TCP/443", "TCP/8000-9000"; [] = all


class NetworkPolicy(Resource):
    KIND: ClassVar[str] = "network_policy"
    TITLE: ClassVar[str] = "集群网络策略"

    namespace: Maybe[str] = UNKNOWN
    pods: Maybe[str] = UNKNOWN  # selector as text; "" = all pods of the namespace
    ingress: Maybe[bool] = UNKNOWN  # it governs this direction
    egress: Maybe[bool] = UNKNOWN
    peers: Maybe[list[PolicyPeer]] = UNKNOWN


class ServiceAccount(Resource):
    KIND: ClassVar[str] = "service_account"
    TITLE: ClassVar[str] = "服务账户"

    namespace: Maybe[str] = UNKNOWN
    automount_token: Maybe[bool | None] = UNKNOWN  # None = not written: mounted
    default: Maybe[bool] = UNKNOWN  # the one every namespace has
    token_secrets: Maybe[int] = UNKNOWN  # long-lived tokens that the account itself lists
    image_pull_secrets: Maybe[list[str]] = UNKNOWN
    created_at: Maybe[datetime] = UNKNOWN


class LimitRange(Resource):
    """Defaults and bounds of a namespace; values as written, "Container/default/cpu" → "500m"."""

    KIND: ClassVar[str] = "limit_range"
    TITLE: ClassVar[str] = "资源限制范围"

    namespace: Maybe[str] = UNKNOWN
    limits: Maybe[dict[str, str]] = UNKNOWN


class AdmissionWebhook(Resource):
    """One webhook of a configuration; native id = type/configuration/webhook."""

    KIND: ClassVar[str] = "admission_webhook"
    TITLE: ClassVar[str] = "准入控制回调"

    type: Maybe[Literal["validating", "mutating"]] = UNKNOWN
    configuration: Maybe[str] = UNKNOWN
    failure_policy: Maybe[Literal["Fail", "Ignore"] | None] = UNKNOWN
    url: Maybe[str | None] = UNKNOWN  # host and port of an external one; None = a service of the cluster
    service: Maybe[str | None] = UNKNOWN  # namespace/name
    has_ca: Maybe[bool] = UNKNOWN
    operations: Maybe[list[str]] = UNKNOWN
    resources: Maybe[list[str]] = UNKNOWN  # group/resource; core/pods; */* = all
    timeout_seconds: Maybe[int | None] = UNKNOWN
    namespace_selector: Maybe[str] = UNKNOWN  # "" = all
    excludes_system: Maybe[bool] = UNKNOWN  # does not look at kube-system


class AdmissionPolicy(Resource):
    """A policy that the API server itself enforces: ValidatingAdmissionPolicy, PodSecurityPolicy."""

    KIND: ClassVar[str] = "admission_policy"
    TITLE: ClassVar[str] = "准入策略"

    type: Maybe[str] = UNKNOWN  # the API's own kind
    failure_policy: Maybe[str | None] = UNKNOWN
    bound: Maybe[bool] = UNKNOWN  # some binding (PodSecurityPolicy: some role in force) puts it into force
    denies: Maybe[bool] = UNKNOWN  # some binding refuses what violates it, and does not only warn or log
    allows_privileged: Maybe[bool | None] = UNKNOWN  # PodSecurityPolicy; None = does not speak of it
    resources: Maybe[list[str]] = UNKNOWN  # as a webhook's


FAMILY: tuple[type[Resource], ...] = (
    Cluster, ControlPlaneComponent, Node, Namespace, Workload, ClusterService, Ingress, NetworkPolicy,
    ServiceAccount, LimitRange, AdmissionWebhook, AdmissionPolicy,
)  # fmt: skip
