"""Image API v2 answers → images."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

from collectors.openstack.listing import PAGE, Ask, Mapped, Place, mapped, moment
from collectors.openstack.row import Row, View
from inventory.kinds.compute import Image
from inventory.origin import os_origin
from inventory.unknown import UNKNOWN, Unknown


class _Image(msgspec.Struct):
    id: str
    name: str | None = None
    status: str = ""
    visibility: Literal["public", "private", "shared", "community"] | None = None
    protected: bool | None = None
    owner: str | None = None
    size_bytes: int | None = msgspec.field(name="size", default=None)
    os_distro: str | None = None
    os_version: str | None = None
    hw_architecture: str | None = None
    architecture: str | None = None  # the older name of the property
    os_hash_algo: str | None = None
    os_hash_value: str | None = None
    img_signature: str | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None


def images(pages: list[bytes], place: Place) -> Mapped:
    """Images, hidden ones too where their pages are given. What the operating system is, the owner of
    the image declared; nobody looked inside."""

    def make(row: _Image) -> Image:
        return place.make(
            Image,
            row,
            relations=place.relations(("in_project", "project", row.owner)),
            status=row.status or UNKNOWN,
            visibility=row.visibility or UNKNOWN,
            protected=UNKNOWN if row.protected is None else row.protected,
            os_origin=os_origin(row.os_distro) if row.os_distro else UNKNOWN,
            architecture=row.hw_architecture or row.architecture,
            hash_algorithm=row.os_hash_algo if row.os_hash_value else None,
            signed=bool(row.img_signature),
            created_at=moment(row.created_at) or UNKNOWN,
            updated_at=moment(row.updated_at) or UNKNOWN,
        )

    return mapped(pages, "images", _Image, make, place.clean)


def _images(page: bytes, _: str, view: View) -> Mapped:
    found = images([page], view.place)
    for one in found.resources:
        if isinstance(one, Image) and not isinstance(one.architecture, Unknown):
            view.known.architectures[one.native_id] = one.architecture
    return found


def _row(name: str, **params: str) -> Row:
    return Row(
        name=name,
        kind="image",
        ask=Ask(
            service="image",
            path="/images",
            key="images",
            params={"visibility": "all", "limit": PAGE, **params},
        ),
        sight="images",
        map=_images,
    )


ROWS: tuple[Row, ...] = (
    _row("image"),
    _row("image.hidden", os_hidden="true"),  # servers can still be made from them, and no other list has them
)
