"""Shared File System API v2 answers → shares with who may mount them.

The answer about access rules holds keys (Ceph) from 2.21 on; they are not decoded, and masked by name
wherever the answer is kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import msgspec
from msgspec import UNSET, UnsetType

from collectors.openstack.listing import Mapped, Place, mapped, moment, rows, seen
from inventory.kinds.storage import Share
from inventory.unknown import UNKNOWN, Maybe

MICROVERSION = "2.45"  # the first that lists access rules by GET (Rocky)


class _Share(msgspec.Struct):
    id: str
    name: str | None = None
    project_id: str | None = None
    status: str | UnsetType = UNSET
    size: int | UnsetType = UNSET
    share_proto: str | UnsetType = UNSET
    is_public: bool | UnsetType = UNSET
    share_type_name: str | UnsetType | None = UNSET
    created_at: datetime | None = None


class _Access(msgspec.Struct):
    access_type: str
    access_to: str
    access_level: str


def shares(pages: list[bytes], access: Mapping[str, list[bytes]], place: Place) -> Mapped:
    """Shares. ``access`` holds the answers about their access rules by share id; one that is not there
    was not read."""

    def make(row: _Share) -> Share:
        return Share(
            source=place.source,
            native_id=row.id,
            name=row.name or "",
            labels=place.labels,
            relations=place.relations(("in_project", "project", row.project_id)),
            status=seen(row.status),
            size_gib=seen(row.size),
            protocol=seen(row.share_proto),
            public=seen(row.is_public),
            share_type=seen(row.share_type_name),
            access=_rules(access.get(row.id), place),
            created_at=moment(row.created_at) or UNKNOWN,
        )

    return mapped(pages, "shares", _Share, make, place.clean)


def _rules(pages: list[bytes] | None, place: Place) -> Maybe[list[str]]:
    found, odd = rows(pages or [], "access_list", _Access)
    if pages is None or odd:
        return UNKNOWN
    rules = {f"{row.access_type} {row.access_to} {row.access_level}" for row in found}
    return sorted(str(place.clean(rule)) for rule in rules)
