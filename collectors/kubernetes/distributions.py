"""Which distribution a cluster is, and what is built upon it, told by marks.

Marks are names of API groups, the suffix of the version, and keys of node labels. Those of KubeSphere,
Karmada and OpenKruise were held against their custom resource definitions; those of k3s, RKE2, OpenShift,
Rancher, KubeEdge and the clouds' managed services are written down from memory of their documentation.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import msgspec


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """Any one of what is given is enough. ``groups`` and ``labels`` are ends of domain names: "kruise.io"
    takes apps.kruise.io as well."""

    name: str
    groups: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()  # of the part before the slash of a node label's key
    version: str = ""  # regular expression, searched in the version of the server


MARKS: tuple[Mark, ...] = (
    Mark(name="KubeSphere", groups=("kubesphere.io",)),
    Mark(name="Karmada", groups=("karmada.io",)),
    Mark(name="OpenKruise", groups=("kruise.io",)),
    Mark(name="k3s", groups=("k3s.cattle.io",), version=r"\+k3s\d"),
    Mark(name="RKE2", version=r"\+rke2"),
    Mark(name="Rancher", groups=("management.cattle.io",)),
    Mark(name="OpenShift", groups=("config.openshift.io", "route.openshift.io"), labels=("openshift.io",)),
    Mark(name="KubeEdge", groups=("kubeedge.io",)),
    Mark(name="阿里云 ACK", labels=("alibabacloud.com",), version=r"-aliyun\.\d"),
    Mark(name="腾讯云 TKE", labels=("tke.cloud.tencent.com",), version=r"-tke\.\d"),
    Mark(name="华为云 CCE", labels=("cce.cloud.com",), version=r"-r\d+-(?:CCE)?\d+\."),
    Mark(name="Amazon EKS", labels=("eks.amazonaws.com",), version=r"-eks-"),
    Mark(name="Google GKE", labels=("cloud.google.com",), version=r"-gke\.\d"),
    Mark(name="Azure AKS", labels=("kubernetes.azure.com",)),
)


def distributions(version: str, api_groups: Iterable[str], node_labels: Iterable[str]) -> list[str]:
    """Names of what the cluster bears the marks of, sorted. ``api_groups`` with or without a version,
    ``node_labels`` the keys of all nodes' labels."""
    groups = {group.partition("/")[0] for group in api_groups}
    prefixes = {label.partition("/")[0] for label in node_labels if "/" in label}
    return sorted(
        mark.name
        for mark in MARKS
        if _ends(groups, mark.groups)
        or _ends(prefixes, mark.labels)
        or (mark.version and re.search(mark.version, version))
    )


def _ends(names: Iterable[str], domains: tuple[str, ...]) -> bool:
    return any(name == domain or name.endswith(f".{domain}") for name in names for domain in domains)
