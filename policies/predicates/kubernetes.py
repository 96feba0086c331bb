"""Versions of Kubernetes past the end of the community's support, and the systems that nodes run.

Dates are the last days of patches for each minor version (kubernetes.io "Patch Releases"), written down
from memory and not checked. Distributions and clouds may patch for longer; they are not told apart here.
"""

from __future__ import annotations

import re
from datetime import date, datetime

from inventory.kinds.cluster import Cluster, Node
from inventory.unknown import Maybe
from policies.predicates.contract import Predicate, UndecidedError, seen
from policies.predicates.end_of_life import past_end

END_OF_PATCHES: dict[int, date] = {
    20: date(2022, 2, 28), 21: date(2022, 6, 28), 22: date(2022, 10, 28), 23: date(2023, 2, 28),
    24: date(2023, 7, 28), 25: date(2023, 10, 28), 26: date(2024, 2, 28), 27: date(2024, 6, 28),
    28: date(2024, 10, 28), 29: date(2025, 2, 28), 30: date(2025, 6, 28), 31: date(2025, 10, 28),
    32: date(2026, 2, 28), 33: date(2026, 6, 28), 34: date(2026, 10, 27), 35: date(2027, 2, 28),
}  # fmt: skip
"""Minor version of 1.x → last day of patches. Everything older is past; what is newer is not judged."""

_VERSION = re.compile(r"v?1\.(\d{1,3})(?:[.+-]|$)")
_SYSTEMS = (
    ("CentOS", "centos"),
    ("Ubuntu", "ubuntu"),
    ("Debian GNU/Linux", "debian"),
    ("Red Hat Enterprise Linux", "rhel"),
    ("Rocky Linux", "rocky"),
    ("AlmaLinux", "almalinux"),
)
"""How PRETTY_NAME of os-release begins → id of the table of operating systems."""


def _past_patches(version: Maybe[str], now: datetime) -> bool:
    text = seen(version)
    found = _VERSION.match(text)
    if found is None:
        raise UndecidedError(f"看不懂版本 {text[:40]}")
    minor = int(found[1])
    if minor < min(END_OF_PATCHES):
        return True
    if minor not in END_OF_PATCHES:
        raise UndecidedError(f"支持期表里没有 Kubernetes 1.{minor}")
    return now.date() > END_OF_PATCHES[minor]


def cluster_out_of_support(cluster: Cluster, now: datetime) -> bool:
    """Whether the API server's version gets no more patches from the community."""
    return _past_patches(cluster.version, now)


def node_kubelet_out_of_support(node: Node, now: datetime) -> bool:
    """The same for a node's kubelet."""
    return _past_patches(node.kubelet_version, now)


def node_os_out_of_support(node: Node, now: datetime) -> bool:
    """Whether a node's operating system is past its maker's support."""
    image = seen(node.os_image)
    for begin, system in _SYSTEMS:
        release = re.search(r"\d+(?:\.\d+)?", image)
        if image.startswith(begin) and release is not None:
            return past_end(system, release[0], now)
    raise UndecidedError(f"支持期表里没有 {image[:60]}")


PREDICATES = (
    Predicate(
        name="cluster_out_of_support",
        kinds=(Cluster,),
        reads=("version",),
        call=cluster_out_of_support,
        purpose="Kubernetes 的版本已过社区支持期",
    ),
    Predicate(
        name="node_kubelet_out_of_support",
        kinds=(Node,),
        reads=("kubelet_version",),
        call=node_kubelet_out_of_support,
        purpose="节点的 kubelet 已过社区支持期",
    ),
    Predicate(
        name="node_os_out_of_support",
        kinds=(Node,),
        reads=("os_image",),
        call=node_os_out_of_support,
        purpose="节点的操作系统已过厂商支持期",
    ),
)
