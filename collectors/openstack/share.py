"""Shared File System API v2 answers → shares with who may mount them.

The answer about access rules holds keys (Ceph) from 2.21 on; they are not decoded, and masked by name
wherever the answer is kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import msgspec
from msgspec import UNSET, UnsetType

from collectors.openstack import platform
from collectors.openstack.listing import PAGE, Ask, Mapped, Place, mapped, moment, row_ids, rows, seen
from collectors.openstack.row import Row, View
from inventory.kinds.storage import Share
from inventory.unknown import UNKNOWN

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


def access_rules(pages: list[bytes], place: Place) -> list[str] | None:
    """Access rules of one share in words; None where an answer is odd."""
    found, odd = rows(pages, "access_list", _Access)
    if odd:
        return None
    rules = {f"{row.access_type} {row.access_to} {row.access_level}" for row in found}
    return sorted(str(place.clean(rule)) for rule in rules)


def shares(pages: list[bytes], access: Mapping[str, list[str]], place: Place) -> Mapped:
    """Shares. ``access`` holds access rules by share; those of one that is not there were not seen."""

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
            access=access.get(row.id, UNKNOWN),
            created_at=moment(row.created_at) or UNKNOWN,
        )

    return mapped(pages, "shares", _Share, make, place.clean)


def _learn_shares(page: bytes, _: str, view: View) -> None:
    view.known.shares_listed |= row_ids([page], "shares")


def _learn_access(page: bytes, share: str, view: View) -> None:
    rules = access_rules([page], view.place)
    if rules is not None:
        view.known.share_access[share] = rules


def _ask(path: str, key: str, **params: str) -> Ask:
    return Ask(service="share", path=path, key=key, params=params, microversion=MICROVERSION)


_SHARES = msgspec.structs.replace(
    # by a key of its own, or rows made in the same second change places between pages
    _ask("/shares", "shares", all_tenants="1", limit=PAGE, offset="0", sort_key="id", sort_dir="asc"),
    by_offset=True,
)

ROWS: tuple[Row, ...] = (
    Row(
        name="share.list",
        ask=_SHARES,
        learn=_learn_shares,
    ),
    Row(
        name="share.access",
        ask=_ask("/share-access-rules", "access_list", share_id="{}"),
        each=lambda view: sorted(view.known.shares_listed),
        learn=_learn_access,
        adds={"share": "访问规则没有读到"},
    ),
    Row(
        name="share",
        kind="share",
        ask=msgspec.structs.replace(_SHARES, path="/shares/detail"),
        sight="shares",
        map=lambda page, _, view: shares([page], view.known.share_access, view.place),
    ),
    Row(
        name="share.service",
        kind="platform_service",
        ask=_ask("/services", "services"),
        sight="shares",
        map=lambda page, _, view: platform.services([page], "share", view.place),
    ),
)
