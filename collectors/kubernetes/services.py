"""Services and ingresses: what of the cluster can be reached, in which families, and with TLS or not."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from collectors.kubernetes.listing import Ask
from collectors.kubernetes.objects import Annotated, Meta
from collectors.kubernetes.survey import Place
from inventory.kinds.address import Address, Family, address_of
from inventory.kinds.cluster import ClusterService, Ingress, IngressHost, ServicePort
from inventory.unknown import UNKNOWN

SERVICES = Ask(resource="services")
INGRESSES = Ask(resource="ingresses", group="networking.k8s.io", versions=("v1", "v1beta1"))
OLD_INGRESSES = Ask(resource="ingresses", group="extensions", versions=("v1beta1",))
"""Where ingresses lay before networking.k8s.io had them (1.18)."""
_FAMILIES: dict[str, Family] = {"IPv4": "ipv4", "IPv6": "ipv6"}


class _Port(msgspec.Struct, kw_only=True):
    port: int
    protocol: str = "TCP"
    node_port: int | None = msgspec.field(default=None, name="nodePort")


class _ServiceSpec(msgspec.Struct, kw_only=True):
    type: str = "ClusterIP"
    families: list[str] | None = msgspec.field(default=None, name="ipFamilies")
    family_policy: str | None = msgspec.field(default=None, name="ipFamilyPolicy")
    address: str | None = msgspec.field(default=None, name="clusterIP")
    addresses: list[str] | None = msgspec.field(default=None, name="clusterIPs")
    external: list[str] | None = msgspec.field(default=None, name="externalIPs")
    external_name: str | None = msgspec.field(default=None, name="externalName")
    source_prefixes: list[str] | None = msgspec.field(default=None, name="loadBalancerSourceRanges")
    ports: list[_Port] | None = None
    selector: dict[str, str] | None = None


class _BalancerAddress(msgspec.Struct, kw_only=True):
    ip: str = ""


class _Balancer(msgspec.Struct, kw_only=True):
    ingress: list[_BalancerAddress] | None = None


class _BalancedStatus(msgspec.Struct, kw_only=True):
    balancer: _Balancer = msgspec.field(default_factory=_Balancer, name="loadBalancer")

    def addresses(self) -> list[str]:
        """Of the balancer, as far as they are addresses and no names."""
        return [one.ip for one in self.balancer.ingress or [] if one.ip]


class ServiceRow(msgspec.Struct, kw_only=True):
    """A Service as the API has it."""

    meta: Meta = msgspec.field(name="metadata")
    spec: _ServiceSpec = msgspec.field(default_factory=_ServiceSpec)
    status: _BalancedStatus = msgspec.field(default_factory=_BalancedStatus)


Matching = Callable[[str, dict[str, str]], list[str]]
"""Native ids of the workloads of a namespace whose pods carry these labels."""


def cluster_service(row: ServiceRow, matching: Matching, place: Place) -> ClusterService:
    """One service. Families are those written, or those of its addresses (clusters before dual stack write
    none)."""
    spec = row.spec
    held = [a for a in spec.addresses or [spec.address or ""] if a and a != "None"]
    addresses = [address_of(a) for a in held]
    families = {_FAMILIES[f] for f in spec.families or [] if f in _FAMILIES}
    families |= {a.family for a in addresses if a.family is not UNKNOWN}  # type: ignore[misc]
    targets = matching(row.meta.namespace, spec.selector) if spec.selector else []
    return ClusterService(
        source=place.source,
        native_id=row.meta.key,
        name=row.meta.name,
        labels=place.tags(row.meta.labels),
        relations=place.relations(
            ("in_namespace", "namespace", row.meta.namespace),
            *(("routes_to", "workload", target) for target in targets),
        ),
        namespace=row.meta.namespace,
        type=spec.type,  # type: ignore[arg-type]
        families=sorted(families) if families or spec.type == "ExternalName" else UNKNOWN,
        family_policy=spec.family_policy,
        headless=spec.address == "None",
        addresses=addresses,
        external_addresses=_sorted(map(address_of, [*(spec.external or []), *row.status.addresses()])),
        external_name=spec.external_name or None,
        source_prefixes=sorted(spec.source_prefixes or []),
        ports=[
            ServicePort(protocol=p.protocol, port=p.port, node_port=p.node_port) for p in spec.ports or []
        ],
    )


def _sorted(addresses: object) -> list[Address]:
    return sorted(addresses, key=lambda a: str(a.address))  # type: ignore[call-overload, no-any-return]


class _NewService(msgspec.Struct, kw_only=True):
    name: str = ""


class _Backend(msgspec.Struct, kw_only=True):
    """``service`` since v1, ``serviceName`` before; neither where something else serves."""

    service: _NewService | None = None
    service_name: str = msgspec.field(default="", name="serviceName")

    @property
    def name(self) -> str:
        return self.service.name if self.service else self.service_name


class _HttpPath(msgspec.Struct, kw_only=True):
    backend: _Backend = msgspec.field(default_factory=_Backend)


class _Http(msgspec.Struct, kw_only=True):
    paths: list[_HttpPath] | None = None


class _IngressRule(msgspec.Struct, kw_only=True):
    host: str = ""
    http: _Http | None = None


class _Tls(msgspec.Struct, kw_only=True):
    hosts: list[str] | None = None
    secret: str = msgspec.field(default="", name="secretName")


class _IngressSpec(msgspec.Struct, kw_only=True):
    class_name: str | None = msgspec.field(default=None, name="ingressClassName")
    rules: list[_IngressRule] | None = None
    tls: list[_Tls] | None = None
    default: _Backend | None = msgspec.field(default=None, name="defaultBackend")
    old_default: _Backend | None = msgspec.field(default=None, name="backend")


class IngressRow(msgspec.Struct, kw_only=True):
    """An Ingress as the API has it."""

    meta: Annotated = msgspec.field(name="metadata")
    spec: _IngressSpec = msgspec.field(default_factory=_IngressSpec)
    status: _BalancedStatus = msgspec.field(default_factory=_BalancedStatus)

    def secrets(self) -> list[str]:
        """Keys of the certificates' secrets."""
        return [f"{self.meta.namespace}/{t.secret}" for t in self.spec.tls or [] if t.secret]


def ingress(row: IngressRow, place: Place) -> Ingress:
    """One ingress. A back end for whatever no rule takes is a host of its own: any."""
    spec, notes = row.spec, row.meta.annotations or {}
    default = spec.default or spec.old_default
    backends = [p.backend for r in spec.rules or [] if r.http for p in r.http.paths or []]
    backends += [default] if default else []
    names = {r.host for r in spec.rules or []} | ({""} if default or not spec.rules else set())
    services = sorted({b.name for b in backends if b.name})
    namespace = row.meta.namespace
    return Ingress(
        source=place.source,
        native_id=row.meta.key,
        name=row.meta.name,
        labels=place.tags(row.meta.labels),
        relations=place.relations(
            ("in_namespace", "namespace", namespace),
            *(("routes_to", "cluster_service", f"{namespace}/{name}") for name in services),
            *(("uses", "secret", key) for key in row.secrets()),
        ),
        namespace=namespace,
        class_name=spec.class_name or notes.get("kubernetes.io/ingress.class"),
        hosts=[_host(name, spec.tls or []) for name in sorted(names)],
        services=services,
        snippets=any(name.endswith("-snippet") for name in notes),
        addresses=_sorted(map(address_of, row.status.addresses())),
    )


def _host(name: str, entries: list[_Tls]) -> IngressHost:
    """Whether some TLS entry covers a host: by its name, by a wildcard of one label, or by naming none."""
    for entry in entries:
        hosts = entry.hosts or []
        if not hosts or name in hosts or ("." in name and f"*.{name.partition('.')[2]}" in hosts):
            return IngressHost(host=name or None, tls=True, secret=entry.secret or None)
    return IngressHost(host=name or None, tls=False, secret=None)
