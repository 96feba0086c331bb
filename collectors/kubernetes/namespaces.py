"""Namespaces, with what the other lists tell of them where those were seen whole."""

from __future__ import annotations

from collections import Counter
from fnmatch import fnmatchcase

import msgspec

from collectors.kubernetes.listing import Ask
from collectors.kubernetes.objects import Meta
from collectors.kubernetes.survey import Place
from inventory.kinds.cluster import Namespace
from inventory.unknown import UNKNOWN, Unknown

ASK = Ask(resource="namespaces", namespaced=False)
_SYSTEM = (
    "kube-* openshift-* kubesphere-* karmada-* kruise-system cattle-* fleet-* istio-system calico-*"
    " tigera-operator cert-manager ingress-nginx longhorn-system rook-ceph metallb-system cilium-*"
    " knative-* volcano-system open-cluster-management* vela-system koordinator-system"
    " gatekeeper-system kyverno"
).split()
_POD_SECURITY = "pod-security.kubernetes.io/"


class _Status(msgspec.Struct, kw_only=True):
    phase: str = ""


class NamespaceRow(msgspec.Struct, kw_only=True):
    """A Namespace as the API has it."""

    meta: Meta = msgspec.field(name="metadata")
    status: _Status = msgspec.field(default_factory=_Status)


class Facts(msgspec.Struct, kw_only=True):
    """What was seen in the namespaces; None = that list was not seen whole."""

    policies: Counter[str] | None = None
    denies_ingress: set[str] | None = None
    denies_egress: set[str] | None = None
    quotas: set[str] | None = None
    limit_ranges: set[str] | None = None
    phases: dict[str, Counter[str]] | None = None


def namespace(row: NamespaceRow, facts: Facts, place: Place) -> Namespace:
    """One namespace."""
    name = row.meta.name
    labels = row.meta.labels or {}
    phases = facts.phases.get(name, Counter()) if facts.phases is not None else None
    return Namespace(
        source=place.source,
        native_id=name,
        name=name,
        labels=place.tags(labels),
        status=row.status.phase.lower() or UNKNOWN,
        pod_security={
            k.removeprefix(_POD_SECURITY): v
            for k, v in sorted(labels.items())
            if k.startswith(_POD_SECURITY) and not k.endswith("-version")
        },
        network_policies=facts.policies[name] if facts.policies is not None else UNKNOWN,
        default_deny_ingress=_in(name, facts.denies_ingress),
        default_deny_egress=_in(name, facts.denies_egress),
        quota=_in(name, facts.quotas),
        limit_range=_in(name, facts.limit_ranges),
        system=any(fnmatchcase(name, pattern) for pattern in _SYSTEM)
        or labels.get("kubesphere.io/workspace") == "system-workspace",
        created_at=row.meta.created_at or UNKNOWN,
        pods=sum(phases.values()) if phases is not None else UNKNOWN,
        pod_phases=dict(sorted(phases.items())) if phases is not None else UNKNOWN,
    )


def _in(name: str, names: set[str] | None) -> bool | Unknown:
    return name in names if names is not None else UNKNOWN
