"""Block Storage API v3 answers → volumes, their types, snapshots, backups, pools.

Fields of the typed rows that are named as in the kind go there as they are (``Place.make``).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from datetime import datetime

import msgspec
from msgspec import UNSET, UnsetType

from collectors.openstack.listing import Mapped, Place, mapped, moment, rows, seen
from inventory.decoding import from_json
from inventory.kinds.storage import StoragePool, Volume, VolumeBackup, VolumeSnapshot, VolumeType
from inventory.kinds.usage import Amount
from inventory.unknown import UNKNOWN, Maybe

MICROVERSION = "3.64"  # the first that tells which key encrypts a volume or a backup


class _Attachment(msgspec.Struct):
    server_id: str | None = None


class _Volume(msgspec.Struct):
    id: str
    name: str | None = None
    status: str | UnsetType = UNSET
    size_gib: int | UnsetType = msgspec.field(name="size", default=UNSET)
    volume_type: str | UnsetType | None = UNSET
    volume_type_id: str | UnsetType | None = UNSET  # from 3.63 on
    encrypted: bool | UnsetType = UNSET
    key: str | UnsetType | None = msgspec.field(name="encryption_key_id", default=UNSET)
    bootable: str | UnsetType = UNSET
    zone: str | UnsetType | None = msgspec.field(name="availability_zone", default=UNSET)
    attachments: list[_Attachment] | UnsetType = UNSET
    metadata: dict[str, str] | UnsetType = UNSET
    multiattach: bool | UnsetType = UNSET
    replication_status: str | UnsetType | None = UNSET
    created_at: datetime | None = None
    updated_at: datetime | UnsetType | None = UNSET
    project_id: str | None = msgspec.field(name="os-vol-tenant-attr:tenant_id", default=None)
    backend: str | UnsetType | None = msgspec.field(name="os-vol-host-attr:host", default=UNSET)
    image_properties: dict[str, str] | UnsetType = msgspec.field(name="volume_image_metadata", default=UNSET)


Hardened = Callable[[Mapping[str, str]], Maybe[bool | None]]
"""Whether the image with these properties is hardened."""


def volumes(
    pages: list[bytes],
    place: Place,
    types: Mapping[str, str] | None = None,
    backups: Mapping[str, datetime] | None = None,
    hardened: Hardened | None = None,
) -> Mapped:
    """Volumes. ``encrypted`` is the volume's own; a type that promises encryption is no evidence.

    ``types`` leads from a type's name to its id, for answers that hold the name only; ``backups`` from a
    volume to its newest backup, and is None unless all backups were seen.
    """

    def make(row: _Volume) -> Volume:
        attachments = [] if isinstance(row.attachments, UnsetType) else row.attachments
        return place.make(
            Volume,
            row,
            relations=place.relations(
                ("in_project", "project", row.project_id),
                ("has_type", "volume_type", _type_id(row, types or {})),
                *(("attached_to", "server", a.server_id) for a in attachments),
            ),
            bootable=UNKNOWN if isinstance(row.bootable, UnsetType) else row.bootable.lower() == "true",
            attached=UNKNOWN if isinstance(row.attachments, UnsetType) else bool(attachments),
            metadata=UNKNOWN if isinstance(row.metadata, UnsetType) else place.clean(row.metadata),
            created_at=moment(row.created_at) or UNKNOWN,
            encryption_key_id=_key(row),
            replicated=_replicated(row.replication_status),
            image=_image(row),
            image_hardened=_hardened(row, hardened),
            last_backup_at=UNKNOWN if backups is None else backups.get(row.id),
        )

    return mapped(pages, "volumes", _Volume, make, place.clean)


def _image(row: _Volume) -> Maybe[str | None]:
    """A disk without an image has no such key, and neither has any where the policy hides it: one that
    boots may have come from an image."""
    if isinstance(row.image_properties, UnsetType):
        return None if isinstance(row.bootable, str) and row.bootable.lower() == "false" else UNKNOWN
    return row.image_properties.get("image_id")


def _hardened(row: _Volume, hardened: Hardened | None) -> Maybe[bool | None]:
    image = _image(row)
    if image is None or isinstance(row.image_properties, UnsetType):
        return image  # type: ignore[return-value]  # None, or UNKNOWN
    return UNKNOWN if hardened is None else hardened(row.image_properties)


def _type_id(row: _Volume, types: Mapping[str, str]) -> str | None:
    if not isinstance(row.volume_type_id, UnsetType):
        return row.volume_type_id
    return types.get(row.volume_type) if isinstance(row.volume_type, str) else None


def _key(row: _Volume) -> Maybe[str | None]:
    """A volume without a key is told by silence, and so is every volume of a cinder before 3.64 (no
    release stopped at 3.63)."""
    if isinstance(row.key, UnsetType):
        return UNKNOWN if isinstance(row.volume_type_id, UnsetType) else None
    return row.key


def _replicated(status: str | UnsetType | None) -> Maybe[bool]:
    if isinstance(status, UnsetType):
        return UNKNOWN
    return status not in (None, "", "disabled", "not-capable")


def keys(pages: list[bytes]) -> set[str]:
    """Ids, in the key manager, of the keys that volumes are encrypted with."""
    return {row.key for row in rows(pages, "volumes", _Volume)[0] if isinstance(row.key, str)}


class _Type(msgspec.Struct):
    id: str
    name: str | None = None
    public: bool | UnsetType = msgspec.field(name="is_public", default=UNSET)
    specs: dict[str, str] | UnsetType | None = msgspec.field(name="extra_specs", default=UNSET)
    qos_specs_id: str | UnsetType | None = UNSET  # administrators only, and so are most extra specs


class _Encryption(msgspec.Struct):
    """{} where the type does not encrypt."""

    encryption_id: str | None = None
    cipher: str | None = None
    key_size: int | None = None
    control_location: str | None = None


def type_ids(pages: list[bytes]) -> dict[str, str]:
    """Name → id of the volume types."""
    return {row.name or row.id: row.id for row in rows(pages, "volume_types", _Type)[0]}


def qos_names(pages: list[bytes]) -> dict[str, str]:
    """Id → name of the QoS specifications."""
    return {row.id: row.name or "" for row in rows(pages, "qos_specs", _Type)[0]}


def default_type(body: bytes) -> str | None:
    """Id of the type that a volume without a type gets; None where the answer holds none."""
    try:
        return from_json(body, dict[str, _Type])["volume_type"].id
    except (msgspec.DecodeError, KeyError):
        return None


def volume_types(
    pages: list[bytes],
    encryption: Mapping[str, bytes],
    default: str | None,
    qos: Mapping[str, str] | None,
    place: Place,
) -> Mapped:
    """Volume types. ``encryption`` holds the answer of each type's own call by type id; ``default`` is
    the default type's id ("" = none is set, None = not seen), ``qos`` names by id (None = not seen)."""

    def make(row: _Type) -> VolumeType:
        told = _encryption(encryption.get(row.id))
        specs = row.specs
        if isinstance(row.qos_specs_id, UnsetType) or specs is None:
            specs = UNSET  # what is left of them for everybody is not all of them
        return place.make(
            VolumeType,
            row,
            default=UNKNOWN if default is None else row.id == default,
            encrypted=UNKNOWN if told is None else told.encryption_id is not None,
            cipher=UNKNOWN if told is None else told.cipher,
            key_bits=UNKNOWN if told is None else told.key_size,
            encryption_location=UNKNOWN if told is None else told.control_location,
            driver=UNKNOWN if isinstance(specs, UnsetType) else specs.get("volume_backend_name"),
            extra_specs=UNKNOWN if isinstance(specs, UnsetType) else place.clean(specs),
            qos=_qos(row.qos_specs_id, qos),
        )

    return mapped(pages, "volume_types", _Type, make, place.clean)


def _encryption(body: bytes | None) -> _Encryption | None:
    if body is None:
        return None
    try:
        return from_json(body, _Encryption)
    except msgspec.DecodeError:
        return None


def _qos(id_: str | UnsetType | None, names: Mapping[str, str] | None) -> Maybe[str | None]:
    if isinstance(id_, UnsetType) or (id_ and (names is None or id_ not in names)):
        return UNKNOWN
    return names[id_] if id_ and names is not None else None


class _Copy(msgspec.Struct):
    """A snapshot or a backup."""

    id: str
    name: str | None = None
    status: str | UnsetType = UNSET
    size_gib: int | UnsetType = msgspec.field(name="size", default=UNSET)
    volume_id: str | UnsetType | None = UNSET
    created_at: datetime | None = None


class _Snapshot(_Copy):
    project_id: str | None = msgspec.field(name="os-extended-snapshot-attributes:project_id", default=None)


class _Backup(_Copy):
    incremental: bool | UnsetType = msgspec.field(name="is_incremental", default=UNSET)
    zone: str | UnsetType | None = msgspec.field(name="availability_zone", default=UNSET)
    key: str | None = msgspec.field(name="encryption_key_id", default=None)
    project_id: str | None = msgspec.field(name="os-backup-project-attr:project_id", default=None)


def snapshots(pages: list[bytes], place: Place) -> Mapped:
    """Snapshots of volumes."""

    def make(row: _Snapshot) -> VolumeSnapshot:
        volume = row.volume_id if isinstance(row.volume_id, str) else None
        return place.make(
            VolumeSnapshot,
            row,
            relations=place.relations(
                ("in_project", "project", row.project_id), ("made_from", "volume", volume)
            ),
            volume=volume or UNKNOWN,
            created_at=moment(row.created_at) or UNKNOWN,
        )

    return mapped(pages, "snapshots", _Snapshot, make, place.clean)


def tells_keys(body: bytes) -> bool:
    """Whether a list of volumes is of a form that names the key of each that is encrypted."""
    try:
        found, _ = rows([body], "volumes", _Volume)
    except (msgspec.DecodeError, KeyError):
        return False
    return any(not isinstance(row.volume_type_id, UnsetType) for row in found)


def backups(pages: list[bytes], keys_told: bool, place: Place) -> Mapped:
    """Backups of volumes. That one is not encrypted, cinder says by silence, where it names the keys of
    those that are (``keys_told``)."""

    def make(row: _Backup) -> VolumeBackup:
        volume = row.volume_id if isinstance(row.volume_id, str) else None
        return place.make(
            VolumeBackup,
            row,
            relations=place.relations(
                ("in_project", "project", row.project_id), ("made_from", "volume", volume)
            ),
            volume=seen(row.volume_id),
            encrypted=row.key is not None if row.key or keys_told else UNKNOWN,
            created_at=moment(row.created_at) or UNKNOWN,
        )

    return mapped(pages, "backups", _Backup, make, place.clean)


def last_backups(pages: list[bytes]) -> dict[str, datetime]:
    """Volume → its newest backup that can be restored from."""
    result: dict[str, datetime] = {}
    for row in rows(pages, "backups", _Backup)[0]:
        made = moment(row.created_at)
        if row.status in ("available", "restoring") and isinstance(row.volume_id, str) and made:
            result[row.volume_id] = max(made, result.get(row.volume_id, made))
    return result


_Capacity = float | str | UnsetType | None  # GiB; "infinite" and "unknown" are answers too


class _Capabilities(msgspec.Struct):
    volume_backend_name: str | None = None
    vendor_name: str | UnsetType | None = UNSET
    storage_protocol: str | list[str] | UnsetType | None = UNSET
    thin_provisioning_support: bool | UnsetType = UNSET
    total_capacity_gb: _Capacity = UNSET
    free_capacity_gb: _Capacity = UNSET
    allocated_capacity_gb: _Capacity = UNSET
    provisioned_capacity_gb: _Capacity = UNSET
    reserved_percentage: float | UnsetType | None = UNSET
    max_over_subscription_ratio: _Capacity = UNSET


class _Pool(msgspec.Struct):
    name: str
    capabilities: _Capabilities = msgspec.field(default_factory=_Capabilities)


def pools(pages: list[bytes], place: Place) -> Mapped:
    """Back-end pools as the scheduler sees them; the native id is host@backend#pool, which volumes name."""

    def make(row: _Pool) -> StoragePool:
        told = row.capabilities
        protocol = told.storage_protocol  # a list of synonyms from Yoga on, the proper one first
        return place.make(
            StoragePool,
            row,
            native_id=row.name,
            backend=told.volume_backend_name,
            protocol=seen(next(iter(protocol), None) if isinstance(protocol, list) else protocol),
            vendor=seen(told.vendor_name),
            thin=seen(told.thin_provisioning_support),
            amounts=[_amount(told)],
        )

    return mapped(pages, "pools", _Pool, make, place.clean)


def _amount(told: _Capabilities) -> Amount:
    """cinder's own sum (its capacity filter): what may be promised is (total − reserved) × ratio where
    the pool is thin, and what is free where it is not."""
    total, free = _gib(told.total_capacity_gb), _gib(told.free_capacity_gb)
    provisioned, allocated = _gib(told.provisioned_capacity_gb), _gib(told.allocated_capacity_gb)
    percentage = told.reserved_percentage
    ratio: Maybe[float] = UNKNOWN
    if told.thin_provisioning_support is False:
        ratio = 1.0
    elif told.thin_provisioning_support is True:
        ratio = _gib(told.max_over_subscription_ratio)
    return Amount(
        of="disk_gib",
        total=total,
        reserved=total * percentage / 100
        if isinstance(total, float) and isinstance(percentage, float)
        else UNKNOWN,
        ratio=ratio,
        allocated=provisioned if isinstance(provisioned, float) else allocated,
        used=total - free if isinstance(total, float) and isinstance(free, float) else UNKNOWN,
    )


def _gib(value: _Capacity) -> Maybe[float]:
    """A number, also one that came as text; UNKNOWN for "infinite", "unknown", "auto"."""
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return UNKNOWN
    return number if math.isfinite(number) and number >= 0 else UNKNOWN
