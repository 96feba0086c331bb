"""Nodes: hardware, system, addresses, conditions, and how much of them is promised to pods."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from collectors.kubernetes.listing import Ask
from collectors.kubernetes.objects import Meta
from collectors.kubernetes.quantities import gibibytes, mebibytes, quantity
from collectors.kubernetes.survey import Place
from inventory.kinds.address import Address, address_of
from inventory.kinds.cluster import Node, NodeCondition, Taint
from inventory.kinds.usage import Amount, AmountOf
from inventory.origin import cpu_origin, os_image_origin
from inventory.unknown import UNKNOWN

ASK = Ask(resource="nodes", namespaced=False)
_ARCHITECTURES: Final = {"amd64": "x86_64", "arm64": "aarch64", "loong64": "loongarch64", "386": "i686"}
_ROLE = "node-role.kubernetes.io/"
_VENDOR_LABELS = ("feature.node.kubernetes.io/cpu-model.vendor_id", "cpu-model.node.kubevirt.io/vendor")
_FEATURES = "feature.node.kubernetes.io/"  # dozens a node; no selector needs them
_GPU = (
    "nvidia.com/gpu amd.com/gpu gpu.intel.com/i915 hygon.com/dcu cambricon.com/mlu iluvatar.ai/gpu"
    " metax-tech.com/gpu mthreads.com/gpu birentech.com/gpu enflame.com/gcu kunlunxin.com/xpu"
).split()


class _Taint(msgspec.Struct, kw_only=True):
    key: str = ""
    value: str = ""
    effect: str = ""


class _Spec(msgspec.Struct, kw_only=True):
    unschedulable: bool = False
    taints: list[_Taint] | None = None
    pod_prefix: str = msgspec.field(default="", name="podCIDR")
    pod_prefixes: list[str] | None = msgspec.field(default=None, name="podCIDRs")
    provider_id: str = msgspec.field(default="", name="providerID")


class _Condition(msgspec.Struct, kw_only=True):
    type: str
    status: str
    reason: str = ""


class _Address(msgspec.Struct, kw_only=True):
    type: str
    address: str


class _Info(msgspec.Struct, kw_only=True):
    architecture: str = ""
    os_image: str = msgspec.field(default="", name="osImage")
    kernel: str = msgspec.field(default="", name="kernelVersion")
    runtime: str = msgspec.field(default="", name="containerRuntimeVersion")
    kubelet: str = msgspec.field(default="", name="kubeletVersion")


class _Status(msgspec.Struct, kw_only=True):
    capacity: dict[str, str | float] | None = None
    allocatable: dict[str, str | float] | None = None
    conditions: list[_Condition] | None = None
    addresses: list[_Address] | None = None
    info: _Info = msgspec.field(default_factory=_Info, name="nodeInfo")


class NodeRow(msgspec.Struct, kw_only=True):
    """A node as the API has it."""

    meta: Meta = msgspec.field(name="metadata")
    spec: _Spec = msgspec.field(default_factory=_Spec)
    status: _Status = msgspec.field(default_factory=_Status)

    @property
    def architecture(self) -> str:
        """As ``uname -m`` says it; "" = not told."""
        told = self.status.info.architecture
        return _ARCHITECTURES.get(told, told)


class Load(msgspec.Struct, kw_only=True):
    """What the pods of one node ask for."""

    pods: int = 0
    requests: dict[str, float] = msgspec.field(default_factory=dict)  # resource → base units


def node(row: NodeRow, load: Load | None, place: Place) -> Node:
    """One node. ``load`` is None where not all pods were seen."""
    labels = row.meta.labels or {}
    vendor = next((labels[name] for name in _VENDOR_LABELS if labels.get(name)), "")
    info, architecture = row.status.info, row.architecture
    conditions = [
        NodeCondition(type=c.type, status=_TRUTH.get(c.status), reason=c.reason)
        for c in row.status.conditions or []
    ]
    ready = next((c.status for c in conditions if c.type == "Ready"), None)
    prefixes = row.spec.pod_prefixes or ([row.spec.pod_prefix] if row.spec.pod_prefix else [])
    return Node(
        source=place.source,
        native_id=row.meta.name,
        name=row.meta.name,
        labels=place.tags({k: v for k, v in labels.items() if not k.startswith(_FEATURES)}),
        roles=sorted(k.removeprefix(_ROLE) for k in labels if k.startswith(_ROLE)),
        ready=ready,
        schedulable=not row.spec.unschedulable,
        conditions=sorted(conditions, key=lambda c: str(c.type)),
        taints=[Taint(key=t.key, value=place.clean(t.value), effect=t.effect) for t in row.spec.taints or []],
        os_image=info.os_image or UNKNOWN,
        os_origin=os_image_origin(info.os_image) if info.os_image else UNKNOWN,
        kernel=info.kernel or UNKNOWN,
        container_runtime=info.runtime or UNKNOWN,
        kubelet_version=info.kubelet or UNKNOWN,
        cpu_architecture=architecture or UNKNOWN,
        cpu_vendor=vendor or UNKNOWN,
        # the architecture alone tells only what no foreign house makes
        cpu_origin=cpu_origin(vendor, "", architecture)
        if vendor or cpu_origin("", "", architecture) == "domestic"
        else UNKNOWN,
        zone=labels.get("topology.kubernetes.io/zone")
        or labels.get("failure-domain.beta.kubernetes.io/zone"),
        addresses=_addresses(row.status.addresses or []),
        pod_prefixes=prefixes,
        provider_id=row.spec.provider_id or None,
        created_at=row.meta.created_at or UNKNOWN,
        pods=load.pods if load is not None else UNKNOWN,
        amounts=_amounts(row.status, load),
    )


_TRUTH: Final = {"True": True, "False": False}


def _addresses(rows: list[_Address]) -> list[Address]:
    found = []
    for row in rows:
        if row.type in ("InternalIP", "ExternalIP"):
            one = address_of(row.address)
            one.floating = row.type == "ExternalIP"
            found.append(one)
    return found


def _amounts(status: _Status, load: Load | None) -> list[Amount]:
    capacity, allocatable = status.capacity or {}, status.allocatable or {}
    requests: Mapping[str, float] | None = load.requests if load is not None else None
    found = []
    for of, name, unit in (
        ("vcpu", "cpu", quantity),
        ("memory_mib", "memory", mebibytes),
        ("disk_gib", "ephemeral-storage", gibibytes),
    ):
        if name in capacity:
            total = unit(capacity[name])
            amount = Amount(of=of, total=_round(total), ratio=1.0)  # type: ignore[arg-type]
            if name in allocatable:
                amount.reserved = _round(total - unit(allocatable[name]))
            if requests is not None:
                amount.allocated = _round(unit(requests.get(name, 0.0)))
            found.append(amount)
    if "pods" in capacity:
        amount = Amount(of="pod", total=quantity(capacity["pods"]), ratio=1.0)
        amount.reserved = quantity(capacity["pods"]) - quantity(allocatable.get("pods", capacity["pods"]))
        if load is not None:
            amount.allocated = float(load.pods)
        found.append(amount)
    cards = sorted(name for name in capacity if name in _GPU or name.startswith("huawei.com/Ascend"))
    if cards:
        found.append(_gpu(cards, capacity, allocatable, requests))
    return found


def _gpu(
    cards: list[str],
    capacity: Mapping[str, str | float],
    allocatable: Mapping[str, str | float],
    requests: Mapping[str, float] | None,
) -> Amount:
    of: AmountOf = "gpu"
    total = sum(quantity(capacity[name]) for name in cards)
    amount = Amount(of=of, total=total, ratio=1.0)
    amount.reserved = total - sum(quantity(allocatable.get(name, 0.0)) for name in cards)
    if requests is not None:
        amount.allocated = sum(requests.get(name, 0.0) for name in cards)
    return amount


def _round(value: float) -> float:
    """Three places: a thousandth of a processor is the least that is asked for."""
    return round(value, 3)


def control_plane_nodes(rows: Iterable[NodeRow]) -> int:
    """How many nodes carry the label of the control plane (``master`` before Kubernetes 1.20); 0 where the
    nodes of a managed cluster are workers alone."""
    wanted = {f"{_ROLE}control-plane", f"{_ROLE}master"}
    return sum(1 for row in rows if wanted & set(row.meta.labels or {}))
