"""Quota answers of nova, cinder and neutron → quotas, one a project and service."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from collectors.openstack.listing import Ask, Mapped, Place
from collectors.openstack.row import Row, View
from inventory.decoding import convert, from_json
from inventory.kinds.cloud import Quota

QuotaService = Literal["compute", "volume", "network"]


class _Amount(msgspec.Struct):
    limit: int
    in_use: int | None = None  # nova, cinder
    used: int | None = None  # neutron


_ASKS: dict[QuotaService, tuple[str, dict[str, str]]] = {  # the answers that tell limits and usage together
    "compute": ("/os-quota-sets/{}/detail", {}),
    "volume": ("/os-quota-sets/{}", {"usage": "True"}),
    "network": ("/quotas/{}/details", {}),
}


def quota(body: bytes, service: QuotaService, project: str, place: Place) -> Quota:
    """One answer. Raises msgspec.DecodeError where it is none."""
    envelope = from_json(body, dict[str, dict[str, Any]])
    amounts: dict[str, _Amount] = {
        name: convert(value, _Amount)
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


def _row(service: QuotaService) -> Row:
    def map_(body: bytes, project: str, view: View) -> Mapped:
        return Mapped(resources=[quota(body, service, project, view.place)])

    path, params = _ASKS[service]
    return Row(
        name=f"quota.{service}",
        kind="quota",
        ask=Ask(service=service, path=path, key="", params=params),
        map=map_,
        each=lambda view: sorted(view.known.ids.get("project", ())),
        along="project",
        after=("project",),
    )


ROWS: tuple[Row, ...] = tuple(_row(service) for service in _ASKS)
