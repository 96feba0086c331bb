"""Image API v2 answers → images.

An image's own properties lie among its fields: what is not a field of the API is a property.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Set
from datetime import datetime
from typing import Any, Literal

import msgspec
from msgspec import UNSET, UnsetType

from collectors.openstack import hardening
from collectors.openstack.listing import PAGE, Ask, Mapped, Place, mapped, moment, rows
from collectors.openstack.row import Row, View
from inventory.kinds.compute import Image
from inventory.origin import os_origin
from inventory.unknown import UNKNOWN, Maybe, Unknown

_FIELDS = frozenset(
    "checksum container_format created_at direct_url disk_format file id locations min_disk min_ram name"
    " os_hash_algo os_hash_value os_hidden owner protected schema self size status stores tags updated_at"
    " virtual_size visibility".split()
)
_CERTIFICATE = "img_signature_certificate_uuid"
_KEYS = ("os_encrypt_key_id", "cinder_encryption_key_id")  # properties that name the key of an image


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
    tags: list[str] | UnsetType = UNSET
    os_hash_algo: str | None = None
    os_hash_value: str | None = None
    img_signature: str | None = None
    img_signature_hash_method: str | None = None
    hidden: bool | UnsetType = msgspec.field(name="os_hidden", default=UNSET)
    os_type: str | None = None
    disk_format: str | UnsetType | None = UNSET
    min_disk_gib: int | UnsetType = msgspec.field(name="min_disk", default=UNSET)
    created_at: datetime | None = None
    updated_at: datetime | None = None


class _Member(msgspec.Struct):
    member_id: str


def shared(pages: list[bytes]) -> set[str]:
    """Ids of the images that may have members."""
    return {row.id for row in rows(pages, "images", _Image)[0] if row.visibility == "shared"}


def members(pages: list[bytes]) -> set[str] | None:
    """Projects that one image is shared with, accepted or not; None where an answer is odd."""
    found, odd = rows(pages, "members", _Member)
    return None if odd else {row.member_id for row in found}


def keys(pages: list[bytes]) -> set[str]:
    """Ids, in the key manager, of what images are signed and encrypted with."""
    names = (_CERTIFICATE, *_KEYS)
    return {own[name] for own in _properties(pages).values() for name in names if own.get(name)}


def images(
    pages: list[bytes],
    place: Place,
    shared_with: Mapping[str, Set[str]] | None = None,
    hardened_marks: Collection[str] = (),
) -> Mapped:
    """Images. What the operating system is, the owner of the image declared; nobody looked inside.
    ``shared_with`` holds the members of shared images by id, those that were seen; ``hardened_marks`` are
    what says that an image is hardened."""
    properties = _properties(pages)

    def make(row: _Image) -> Image:
        own = properties.get(row.id, {})
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
            signature_algorithm=row.img_signature_hash_method if row.img_signature else None,
            encrypted=row.disk_format == "luks" or any(own.get(name) for name in _KEYS),
            properties=place.clean(own),
            members=_members(row, shared_with or {}),
            hardened=UNKNOWN
            if isinstance(row.tags, UnsetType)
            else hardening.said(own, row.tags, hardened_marks),
        )

    return mapped(pages, "images", _Image, make, place.clean)


def _properties(pages: list[bytes]) -> dict[str, dict[str, str]]:
    return {
        str(row.get("id")): {k: v for k, v in row.items() if k not in _FIELDS and isinstance(v, str)}
        for row in rows(pages, "images", dict[str, Any])[0]
    }


def _members(row: _Image, shared_with: Mapping[str, Set[str]]) -> Maybe[list[str]]:
    if row.visibility is None or (row.visibility == "shared" and row.id not in shared_with):
        return UNKNOWN
    return sorted(shared_with.get(row.id, ()))


def _learn_shared(page: bytes, _: str, view: View) -> None:
    view.known.images_shared |= shared([page])


def _learn_members(page: bytes, image: str, view: View) -> None:
    found = members([page])
    if found is not None:
        view.known.image_members[image] = found


def _learn_keys(page: bytes, _: str, view: View) -> None:
    view.known.image_keys |= keys([page])


def _ask(visibility: str, **params: str) -> Ask:
    params = {"visibility": visibility, "limit": PAGE, **params}
    return Ask(service="image", path="/images", key="images", params=params)


def _images(page: bytes, _: str, view: View) -> Mapped:
    found = images([page], view.place, view.known.image_members, view.hardened_marks)
    for one in found.resources:
        if isinstance(one, Image) and not isinstance(one.hardened, Unknown):
            view.known.images_hardened[one.native_id] = one.hardened
        if isinstance(one, Image) and not isinstance(one.architecture, Unknown):
            view.known.architectures[one.native_id] = one.architecture
    return found


def _row(name: str, **params: str) -> Row:
    return Row(
        name=name,
        kind="image",
        ask=_ask("all", **params),
        sight="images",
        learn=_learn_keys,
        map=_images,
    )


ROWS: tuple[Row, ...] = (
    Row(name="image.shared", ask=_ask("shared"), learn=_learn_shared, adds={"image": "共享镜像没有读到"}),
    Row(
        name="image.shared_hidden",
        ask=_ask("shared", os_hidden="true"),
        learn=_learn_shared,
        adds={"image": "共享镜像没有读到"},
    ),
    Row(
        name="image.member",
        ask=Ask(service="image", path="/images/{}/members", key="members"),
        each=lambda view: sorted(view.known.images_shared),
        learn=_learn_members,
        adds={"image": "共享镜像的成员没有读到"},
    ),
    _row("image"),
    _row("image.hidden", os_hidden="true"),  # servers can still be made from them, and no other list has them
)
