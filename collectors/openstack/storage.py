"""Block Storage API v3 answers → volumes."""

from __future__ import annotations

from datetime import datetime

import msgspec
from msgspec import UNSET, UnsetType

from collectors.openstack.listing import PAGE, Ask, Mapped, Place, mapped, moment, row_ids
from collectors.openstack.row import Row, View
from inventory.kinds.storage import Volume
from inventory.unknown import UNKNOWN


class _Attachment(msgspec.Struct):
    server_id: str | None = None


class _Volume(msgspec.Struct):
    id: str
    name: str | None = None
    status: str | UnsetType = UNSET
    size_gib: int | UnsetType = msgspec.field(name="size", default=UNSET)
    volume_type: str | UnsetType | None = UNSET
    encrypted: bool | UnsetType = UNSET
    bootable: str | UnsetType = UNSET
    zone: str | UnsetType | None = msgspec.field(name="availability_zone", default=UNSET)
    attachments: list[_Attachment] | UnsetType = UNSET
    metadata: dict[str, str] | UnsetType = UNSET
    created_at: datetime | None = None
    project_id: str | None = msgspec.field(name="os-vol-tenant-attr:tenant_id", default=None)


def volumes(pages: list[bytes], place: Place) -> Mapped:
    """Volumes. ``encrypted`` is the volume's own; a type that promises encryption is no evidence."""

    def make(row: _Volume) -> Volume:
        attachments = [] if isinstance(row.attachments, UnsetType) else row.attachments
        return place.make(
            Volume,
            row,
            relations=place.relations(
                ("in_project", "project", row.project_id),
                *(("attached_to", "server", a.server_id) for a in attachments),
            ),
            bootable=UNKNOWN if isinstance(row.bootable, UnsetType) else row.bootable.lower() == "true",
            attached=UNKNOWN if isinstance(row.attachments, UnsetType) else bool(attachments),
            metadata=UNKNOWN if isinstance(row.metadata, UnsetType) else place.clean(row.metadata),
            created_at=moment(row.created_at) or UNKNOWN,
        )

    return mapped(pages, "volumes", _Volume, make, place.clean)


def _learn_volumes(page: bytes, _: str, view: View) -> None:
    view.known.volumes_listed |= row_ids([page], "volumes")


ROWS: tuple[Row, ...] = (
    Row(
        name="volume",
        kind="volume",
        ask=Ask(
            service="volume",
            path="/volumes/detail",
            key="volumes",
            params={"all_tenants": "1", "limit": PAGE},
        ),
        sight="volumes",
        learn=_learn_volumes,
        map=lambda page, _, view: volumes([page], view.place),
    ),
)
