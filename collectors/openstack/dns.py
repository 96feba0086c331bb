"""DNS API v2 answers → zones with the types of their records."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import msgspec
from msgspec import UNSET, UnsetType

from collectors.openstack import platform
from collectors.openstack.listing import PAGE, Ask, Mapped, Place, mapped, rows, seen
from collectors.openstack.row import Row, View
from inventory.kinds.virtual_network import DnsZone
from inventory.unknown import UNKNOWN


class _Zone(msgspec.Struct):
    id: str
    name: str
    project_id: str | None = None
    status: str | UnsetType = UNSET
    email: str | UnsetType | None = UNSET
    ttl: int | UnsetType | None = UNSET
    type: str | UnsetType | None = UNSET


class _RecordSet(msgspec.Struct):
    id: str
    zone_id: str
    type: str


def record_types(pages: list[bytes]) -> tuple[dict[str, Counter[str]], list[str]]:
    """Zone → record type → number of record sets, and a text for each that is not as it should be."""
    found, problems = rows(pages, "recordsets", _RecordSet)
    counts: dict[str, Counter[str]] = {}
    for row in found:
        counts.setdefault(row.zone_id, Counter())[row.type] += 1
    return counts, problems


def zones(pages: list[bytes], types: Mapping[str, Mapping[str, int]] | None, place: Place) -> Mapped:
    """Zones. ``types`` counts record sets by zone; None = they were not all seen."""

    def make(row: _Zone) -> DnsZone:
        return DnsZone(
            source=place.source,
            native_id=row.id,
            name=row.name,
            labels=place.labels,
            relations=place.relations(("in_project", "project", row.project_id)),
            status=seen(row.status),
            email=seen(row.email),
            ttl=seen(row.ttl),
            zone_type=seen(row.type),
            record_types=UNKNOWN if types is None else dict(sorted(types.get(row.id, {}).items())),
        )

    return mapped(pages, "zones", _Zone, make, place.clean)


def _learn_records(page: bytes, _: str, view: View) -> None:
    found, problems = record_types([page])
    for zone, counts in found.items():
        view.known.record_types.setdefault(zone, Counter()).update(counts)
    view.odd["recordset"] = view.odd.get("recordset", 0) + len(problems)


def _ask(path: str, **params: str) -> Ask:
    return Ask(service="dns", path=f"/{path}", key=path, params={"limit": PAGE, **params})


ROWS: tuple[Row, ...] = (
    Row(
        name="recordset",
        ask=_ask("recordsets", all_projects="true"),
        learn=_learn_records,
        adds={"dns_zone": "解析记录没有读到"},
    ),
    Row(
        name="dns_zone",
        kind="dns_zone",
        ask=_ask("zones", all_projects="true"),
        sight="zones",
        instead=_ask("zones"),
        map=lambda page, _, view: zones(
            [page],
            view.known.record_types if view.whole("recordset", "recordset", "zones") else None,
            view.place,
        ),
    ),
    Row(
        name="dns.service",
        kind="platform_service",
        ask=Ask(service="dns", path="/service_statuses", key="service_statuses"),
        map=lambda page, _, view: platform.statuses([page], view.place),
    ),
)
