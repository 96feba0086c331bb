"""Block Storage API v3 answers → volumes."""

from __future__ import annotations

from datetime import datetime

import msgspec
from msgspec import UNSET, UnsetType

from collectors.openstack.listing import Mapped, Place, mapped, moment, seen
from inventory.kinds.storage import Volume
from inventory.unknown import UNKNOWN


class _Attachment(msgspec.Struct):
    server_id: str | None = None


class _Volume(msgspec.Struct):
    id: str
    name: str | None = None
    status: str | UnsetType = UNSET
    size: int | UnsetType = UNSET
    volume_type: str | UnsetType | None = UNSET
    encrypted: bool | UnsetType = UNSET
    bootable: str | UnsetType = UNSET
    availability_zone: str | UnsetType | None = UNSET
    attachments: list[_Attachment] | UnsetType = UNSET
    metadata: dict[str, str] | UnsetType = UNSET
    created_at: datetime | None = None
    project_id: str | None = msgspec.field(name="os-vol-tenant-attr:tenant_id", default=None)


def volumes(pages: list[bytes], place: Place) -> Mapped:
    """Volumes. ``encrypted`` is the volume's own; a type that promises encryption is no evidence."""

    def make(row: _Volume) -> Volume:
        attachments = [] if isinstance(row.attachments, UnsetType) else row.attachments
        return Volume(
            source=place.source,
            native_id=row.id,
            name=row.name or "",
            labels=place.labels,
            relations=place.relations(
                ("in_project", "project", row.project_id),
                *(("attached_to", "server", a.server_id) for a in attachments),
            ),
            status=seen(row.status),
            size_gib=seen(row.size),
            volume_type=seen(row.volume_type),
            encrypted=seen(row.encrypted),
            bootable=UNKNOWN if isinstance(row.bootable, UnsetType) else row.bootable.lower() == "true",
            attached=UNKNOWN if isinstance(row.attachments, UnsetType) else bool(attachments),
            zone=seen(row.availability_zone),
            metadata=UNKNOWN if isinstance(row.metadata, UnsetType) else place.clean(row.metadata),
            created_at=moment(row.created_at) or UNKNOWN,
        )

    return mapped(pages, "volumes", _Volume, make, place.clean)
