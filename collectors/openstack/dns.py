"""DNS API v2 answers → zones with the types of their records."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import msgspec
from msgspec import UNSET, UnsetType

from collectors.openstack.listing import Mapped, Place, mapped, rows, seen
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


def record_types(pages: list[bytes]) -> tuple[dict[str, dict[str, int]], list[str]]:
    """Zone → record type → number of record sets, and a text for each that is not as it should be."""
    found, problems = rows(pages, "recordsets", _RecordSet)
    counts: dict[str, Counter[str]] = {}
    for row in {row.id: row for row in found}.values():
        counts.setdefault(row.zone_id, Counter())[row.type] += 1
    return {zone: dict(sorted(count.items())) for zone, count in counts.items()}, problems


def zones(pages: list[bytes], types: Mapping[str, dict[str, int]] | None, place: Place) -> Mapped:
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
            record_types=UNKNOWN if types is None else types.get(row.id, {}),
        )

    return mapped(pages, "zones", _Zone, make, place.clean)
