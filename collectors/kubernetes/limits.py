"""Quotas and limit ranges of namespaces."""

from __future__ import annotations

from math import ceil

import msgspec

from collectors.kubernetes.listing import Ask
from collectors.kubernetes.objects import Meta
from collectors.kubernetes.quantities import quantity
from collectors.kubernetes.survey import Place
from inventory.kinds.cloud import Quota
from inventory.kinds.cluster import LimitRange

QUOTAS = Ask(resource="resourcequotas")
LIMIT_RANGES = Ask(resource="limitranges")
_PROCESSORS = ("cpu", "requests.cpu", "limits.cpu")
_BYTES = ("memory", "storage", "hugepages")


class _QuotaSpec(msgspec.Struct, kw_only=True):
    hard: dict[str, str | float] | None = None


class _QuotaStatus(msgspec.Struct, kw_only=True):
    used: dict[str, str | float] | None = None


class QuotaRow(msgspec.Struct, kw_only=True):
    """A ResourceQuota as the API has it."""

    meta: Meta = msgspec.field(name="metadata")
    spec: _QuotaSpec = msgspec.field(default_factory=_QuotaSpec)
    status: _QuotaStatus = msgspec.field(default_factory=_QuotaStatus)

    @property
    def bounds_compute(self) -> bool:
        """It limits processors or memory."""
        names = self.spec.hard or {}
        return any(name.rpartition(".")[2] in ("cpu", "memory") for name in names)


class _LimitItem(msgspec.Struct, kw_only=True):
    type: str = ""
    default: dict[str, str | float] | None = None
    default_request: dict[str, str | float] | None = msgspec.field(default=None, name="defaultRequest")
    max: dict[str, str | float] | None = None
    min: dict[str, str | float] | None = None
    ratio: dict[str, str | float] | None = msgspec.field(default=None, name="maxLimitRequestRatio")


class _LimitSpec(msgspec.Struct, kw_only=True):
    limits: list[_LimitItem]


class LimitRow(msgspec.Struct, kw_only=True):
    """A LimitRange as the API has it."""

    meta: Meta = msgspec.field(name="metadata")
    spec: _LimitSpec


def quota(row: QuotaRow, place: Place) -> Quota:
    """One quota: processors in thousandths, bytes in MiB, the rest in pieces."""
    return Quota(
        source=place.source,
        native_id=row.meta.key,
        name=row.meta.name,
        labels=place.tags(row.meta.labels),
        relations=place.relations(("in_namespace", "namespace", row.meta.namespace)),
        service="kubernetes",
        limits=_whole(row.spec.hard),
        usage=_whole(row.status.used),
    )


def _whole(amounts: dict[str, str | float] | None) -> dict[str, int]:
    return {name: _unit(name, quantity(value)) for name, value in sorted((amounts or {}).items())}


def _unit(name: str, value: float) -> int:
    if name in _PROCESSORS:
        return ceil(round(value * 1000, 6))
    last = name.rpartition("/")[2] if "storageclass" in name else name
    if any(word in last for word in _BYTES) and not last.startswith("count/"):
        return ceil(round(value / 2**20, 6))
    return ceil(value)


def limit_range(row: LimitRow, place: Place) -> LimitRange:
    """One limit range, flat: "Container/default/cpu" → "500m"."""
    limits = {
        f"{item.type}/{word}/{resource}": str(value)
        for item in row.spec.limits
        for word, amounts in (
            ("default", item.default),
            ("defaultRequest", item.default_request),
            ("max", item.max),
            ("min", item.min),
            ("maxLimitRequestRatio", item.ratio),
        )
        for resource, value in (amounts or {}).items()
    }
    return LimitRange(
        source=place.source,
        native_id=row.meta.key,
        name=row.meta.name,
        labels=place.tags(row.meta.labels),
        relations=place.relations(("in_namespace", "namespace", row.meta.namespace)),
        namespace=row.meta.namespace,
        limits=dict(sorted(limits.items())),
    )
