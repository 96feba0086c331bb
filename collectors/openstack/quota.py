"""Quota answers of nova, cinder and neutron → quotas, one a project and service."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from collectors.openstack.listing import Place
from inventory.kinds.cloud import Quota

QuotaService = Literal["compute", "volume", "network"]


class _Amount(msgspec.Struct):
    limit: int
    in_use: int | None = None  # nova, cinder
    used: int | None = None  # neutron


def quota_request(service: QuotaService, project: str) -> tuple[str, dict[str, str]]:
    """Path and parameters of the one answer that tells limits and usage together."""
    if service == "compute":
        return f"/os-quota-sets/{project}/detail", {}
    if service == "volume":
        return f"/os-quota-sets/{project}", {"usage": "True"}
    return f"/quotas/{project}/details", {}


def quota(body: bytes, service: QuotaService, project: str, place: Place) -> Quota:
    """One answer. Raises msgspec.DecodeError where it is none."""
    envelope = msgspec.json.decode(body, type=dict[str, dict[str, Any]])
    amounts: dict[str, _Amount] = {
        name: msgspec.convert(value, _Amount)
        for name, value in next(iter(envelope.values()), {}).items()
        if isinstance(value, dict)
    }
    usage = {name: a.in_use if a.in_use is not None else a.used for name, a in amounts.items()}
    return Quota(
        source=place.source,
        native_id=f"{project}/{service}",
        name=service,
        labels=place.labels,
        relations=place.relations(("in_project", "project", project)),
        service=service,
        limits={name: amount.limit for name, amount in sorted(amounts.items())},
        usage={name: used for name, used in sorted(usage.items()) if used is not None},
    )
