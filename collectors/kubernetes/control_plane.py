"""Pods of the control plane → its components with their flags.

kubeadm, RKE2 and their like run the control plane as static pods, whose mirrors stand in kube-system with
the whole command line. A managed cluster shows none, and k3s runs everything in one process.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath

from collectors.kubernetes.survey import Place
from collectors.kubernetes.templates import ContainerSpec, Pod
from inventory.kinds.cluster import ControlPlaneComponent

NAMESPACE = "kube-system"
COMPONENTS = (
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "etcd",
    "cloud-controller-manager",
)
NOT_VISIBLE = "看不见控制面：kube-system 里没有控制面组件的容器组（托管集群，或控制面不以静态容器组运行）"
NOT_VISIBLE_REMEDY = "托管集群由云服务商提供控制面的参数和证明；自建的在控制节点上核查启动参数"
_SHELLS = ("sh", "bash", "ash", "dash")
_REDIRECTIONS = ("1>>", "1>", ">>", ">", "2>&1", "|", "&&", ";")
_LISTS = frozenset(
    "admission-control api-audiences authorization-mode cipher-suites controllers "
    "disable-admission-plugins disabled-metrics enable-admission-plugins etcd-servers etcd-servers-overrides "
    "feature-gates oidc-required-claim requestheader-allowed-names requestheader-username-headers "
    "requestheader-group-headers requestheader-extra-headers-prefix runtime-config service-account-issuer "
    "service-account-key-file tls-cipher-suites tls-sni-cert-key vmodule watch-cache-sizes".split()
)
"""Flags that add up where they are repeated; of all others the last counts (pflag)."""


def components(rows: Iterable[Pod], place: Place) -> list[ControlPlaneComponent]:
    """The components among the pods of kube-system; secrets are masked by the names of flags and by the
    shapes of values."""
    found: list[ControlPlaneComponent] = []
    for row in rows:
        if row.meta.namespace not in ("", NAMESPACE):
            continue
        for container in row.spec.containers:
            words = _unwrapped([*(container.command or ()), *(container.args or ())])
            name = _component(words)
            if name is not None:
                found.append(_one(row, container, name, place.clean(flags(words[1:])), place))
    return found


def _one(
    row: Pod, container: ContainerSpec, name: str, given: dict[str, str], place: Place
) -> ControlPlaneComponent:
    node = row.spec.node
    return ControlPlaneComponent(
        source=place.source,
        native_id=f"{name}/{row.meta.name}",
        name=row.meta.name,
        labels=place.labels,
        relations=place.relations(("runs_on", "node", node)),
        component=name,
        node=node,
        image=container.image,
        flags=given,
    )


def _unwrapped(words: Sequence[str]) -> list[str]:
    """The command behind ``sh -c "exec kube-apiserver …"``; the words themselves where there is no shell."""
    if len(words) < 3 or PurePosixPath(words[0]).name not in _SHELLS or "-c" not in words[1:-1]:
        return list(words)
    script = words[list(words).index("-c") + 1]
    try:
        inner = shlex.split(script, comments=True)
    except ValueError:
        return list(words)
    for at, word in enumerate(inner):
        if PurePosixPath(word).name in COMPONENTS:
            return inner[at:]
    return list(words)


def _component(words: Sequence[str]) -> str | None:
    """Which component a command line starts; a wrapper (hyperkube, kube-log-runner) may stand before it."""
    for word in words:
        name = PurePosixPath(word).name
        if name in COMPONENTS:
            return name
        if word.startswith("--"):
            return None
    return None


def flags(words: Sequence[str]) -> dict[str, str]:
    """Flags of a command line by name, without dashes: ``--a=b``, ``--a b``, ``--a`` ("")."""
    given: list[tuple[str, str]] = []
    bare = False  # whether the last flag still lacks a value
    for word in words:
        if word in _REDIRECTIONS:
            break
        if word.startswith("--") and len(word) > 2:
            name, equals, value = word[2:].partition("=")
            given.append((name, value))
            bare = not equals
        elif bare and not word.startswith("-"):
            given[-1] = (given[-1][0], word)
            bare = False
    found: dict[str, str] = {}
    for name, value in given:
        before = found.get(name)
        found[name] = f"{before},{value}" if before and value and name in _LISTS else value
    return found
