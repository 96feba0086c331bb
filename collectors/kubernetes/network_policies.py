"""Network policies: whom they govern and what they let through."""

from __future__ import annotations

from ipaddress import ip_network
from typing import Literal

import msgspec

from collectors.kubernetes.listing import Ask
from collectors.kubernetes.objects import Meta, Selector
from collectors.kubernetes.survey import Place
from inventory.kinds.cluster import NetworkPolicy, PolicyPeer

ASK = Ask(resource="networkpolicies", group="networking.k8s.io")

Direction = Literal["ingress", "egress"]


class _Block(msgspec.Struct, kw_only=True):
    cidr: str
    excluded: list[str] | None = msgspec.field(default=None, name="except")


class _Peer(msgspec.Struct, kw_only=True):
    block: _Block | None = msgspec.field(default=None, name="ipBlock")
    namespaces: Selector | None = msgspec.field(default=None, name="namespaceSelector")
    pods: Selector | None = msgspec.field(default=None, name="podSelector")


class _Port(msgspec.Struct, kw_only=True):
    protocol: str = "TCP"
    port: int | str | None = None
    end: int | None = msgspec.field(default=None, name="endPort")

    def text(self) -> str:
        """TCP/443, TCP/8000-9000, TCP/http, TCP for all."""
        if self.port is None:
            return self.protocol
        return f"{self.protocol}/{self.port}" + (f"-{self.end}" if self.end is not None else "")


class _Rule(msgspec.Struct, kw_only=True):
    sources: list[_Peer] | None = msgspec.field(default=None, name="from")
    targets: list[_Peer] | None = msgspec.field(default=None, name="to")
    ports: list[_Port] | None = None

    @property
    def everything(self) -> bool:
        """Anybody, on any port."""
        return not (self.sources or self.targets or self.ports)


class _Spec(msgspec.Struct, kw_only=True):
    pods: Selector = msgspec.field(default_factory=Selector, name="podSelector")
    types: list[str] | None = msgspec.field(default=None, name="policyTypes")
    ingress: list[_Rule] | None = None
    egress: list[_Rule] | None = None


class PolicyRow(msgspec.Struct, kw_only=True):
    """A NetworkPolicy as the API has it."""

    meta: Meta = msgspec.field(name="metadata")
    spec: _Spec

    def governs(self, direction: Direction) -> bool:
        """Whether it speaks of a direction at all (NetworkPolicySpec.policyTypes: without it, ingress
        always, egress where there are such rules)."""
        if self.spec.types:
            return direction.capitalize() in self.spec.types
        return direction == "ingress" or bool(self.spec.egress)

    def denies_by_default(self, direction: Direction) -> bool:
        """It takes all pods of the namespace, so that only what some policy names gets through, and does
        not itself let everything through."""
        rules = self.spec.ingress if direction == "ingress" else self.spec.egress
        everybody = not self.spec.pods.labels and not self.spec.pods.expressions
        return everybody and self.governs(direction) and not any(rule.everything for rule in rules or [])


def network_policy(row: PolicyRow, governed: list[str], place: Place) -> NetworkPolicy:
    """One policy; ``governed`` are native ids of the workloads that it takes. Raises ValueError for an
    address that is none."""
    directions: tuple[Direction, ...] = ("ingress", "egress")
    peers = [peer for d in directions if row.governs(d) for peer in _peers(row, d)]
    return NetworkPolicy(
        source=place.source,
        native_id=row.meta.key,
        name=row.meta.name,
        labels=place.tags(row.meta.labels),
        relations=place.relations(
            ("in_namespace", "namespace", row.meta.namespace),
            *(("governs", "workload", native) for native in governed),
        ),
        namespace=row.meta.namespace,
        pods=place.clean(row.spec.pods.text()),
        ingress=row.governs("ingress"),
        egress=row.governs("egress"),
        peers=peers,
    )


def _peers(row: PolicyRow, direction: Direction) -> list[PolicyPeer]:
    found = []
    for rule in (row.spec.ingress if direction == "ingress" else row.spec.egress) or []:
        ports = [port.text() for port in rule.ports or []]
        # an empty list of peers is as good as none: anybody
        for peer in (rule.sources if direction == "ingress" else rule.targets) or [_Peer()]:
            block = peer.block
            found.append(
                PolicyPeer(
                    direction=direction,
                    prefix=block.cidr if block else None,
                    family=("ipv4", "ipv6")[ip_network(block.cidr, strict=False).version == 6]
                    if block
                    else None,
                    excluded=sorted(block.excluded or []) if block else [],
                    namespaces=peer.namespaces.text() if peer.namespaces is not None else None,
                    pods=peer.pods.text() if peer.pods is not None else None,
                    ports=ports,
                )
            )
    return found
