"""Kinds of storage: block, shared files, objects."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from inventory.kinds.usage import Amount
from inventory.resource import Resource
from inventory.unknown import UNKNOWN, Maybe


class Volume(Resource):
    """A block device of a cloud, or a persistent volume of a cluster."""

    KIND: ClassVar[str] = "volume"
    TITLE: ClassVar[str] = "云硬盘"

    status: Maybe[str] = UNKNOWN  # lower-case native state: available, in-use, error …
    size_gib: Maybe[int] = UNKNOWN
    volume_type: Maybe[str | None] = UNKNOWN
    encrypted: Maybe[bool] = UNKNOWN
    bootable: Maybe[bool] = UNKNOWN
    attached: Maybe[bool] = UNKNOWN
    zone: Maybe[str | None] = UNKNOWN
    metadata: Maybe[dict[str, str]] = UNKNOWN
    created_at: Maybe[datetime] = UNKNOWN
    namespace: Maybe[str | None] = UNKNOWN  # of the claim, where a cluster holds the volume
    backend: Maybe[str | None] = UNKNOWN  # host@backend#pool, or the driver
    multiattach: Maybe[bool] = UNKNOWN
    encryption_key_id: Maybe[str | None] = UNKNOWN  # reference, not the key
    replicated: Maybe[bool] = UNKNOWN
    image: Maybe[str | None] = UNKNOWN  # native id of the image it was made from, which may be gone
    image_hardened: Maybe[bool | None] = UNKNOWN  # of that image; None = nobody says, or no image
    reclaim_policy: Maybe[str | None] = UNKNOWN  # what happens to the data when it is given back
    last_backup_at: Maybe[datetime | None] = UNKNOWN  # newest available backup; None = none, if all were seen
    updated_at: Maybe[datetime | None] = UNKNOWN


class VolumeType(Resource):
    """A class of volumes (cinder volume type, Kubernetes StorageClass). An encrypting class is no proof
    that a volume is encrypted: judge the volume."""

    KIND: ClassVar[str] = "volume_type"
    TITLE: ClassVar[str] = "存储类型"

    public: Maybe[bool] = UNKNOWN
    default: Maybe[bool] = UNKNOWN
    encrypted: Maybe[bool] = UNKNOWN
    cipher: Maybe[str | None] = UNKNOWN  # aes-xts-plain64, sm4-xts …; None = not encrypted
    key_bits: Maybe[int | None] = UNKNOWN
    encryption_location: Maybe[str | None] = UNKNOWN  # front-end, back-end
    driver: Maybe[str | None] = UNKNOWN  # back-end name or provisioner
    reclaim_policy: Maybe[str | None] = UNKNOWN
    extra_specs: Maybe[dict[str, str]] = UNKNOWN
    qos: Maybe[str | None] = UNKNOWN  # name of the QoS specification


class VolumeSnapshot(Resource):
    KIND: ClassVar[str] = "volume_snapshot"
    TITLE: ClassVar[str] = "云硬盘快照"

    status: Maybe[str] = UNKNOWN
    size_gib: Maybe[int] = UNKNOWN
    volume: Maybe[str] = UNKNOWN  # native id
    created_at: Maybe[datetime] = UNKNOWN


class VolumeBackup(Resource):
    KIND: ClassVar[str] = "volume_backup"
    TITLE: ClassVar[str] = "云硬盘备份"

    status: Maybe[str] = UNKNOWN
    size_gib: Maybe[int] = UNKNOWN
    volume: Maybe[str | None] = UNKNOWN  # native id
    incremental: Maybe[bool] = UNKNOWN
    encrypted: Maybe[bool] = UNKNOWN
    zone: Maybe[str | None] = UNKNOWN
    created_at: Maybe[datetime] = UNKNOWN


class VolumeClaim(Resource):
    """What a workload asks of storage (Kubernetes PersistentVolumeClaim)."""

    KIND: ClassVar[str] = "volume_claim"
    TITLE: ClassVar[str] = "存储卷声明"

    namespace: Maybe[str] = UNKNOWN
    status: Maybe[str] = UNKNOWN  # bound, pending, lost
    size_gib: Maybe[float] = UNKNOWN
    volume_type: Maybe[str | None] = UNKNOWN
    access_modes: Maybe[list[str]] = UNKNOWN
    used: Maybe[bool] = UNKNOWN  # some workload mounts it; UNKNOWN unless all were seen


class StoragePool(Resource):
    """Where volumes lie. Its amount counts ``disk_gib``."""

    KIND: ClassVar[str] = "storage_pool"
    TITLE: ClassVar[str] = "存储池"
    VOLATILE: ClassVar[frozenset[str]] = frozenset({"amounts"})

    backend: Maybe[str | None] = UNKNOWN
    protocol: Maybe[str | None] = UNKNOWN  # iSCSI, ceph, nfs …
    vendor: Maybe[str | None] = UNKNOWN
    thin: Maybe[bool] = UNKNOWN
    amounts: Maybe[list[Amount]] = UNKNOWN


class Share(Resource):
    """A shared file system."""

    KIND: ClassVar[str] = "share"
    TITLE: ClassVar[str] = "共享文件系统"

    status: Maybe[str] = UNKNOWN
    size_gib: Maybe[int] = UNKNOWN
    protocol: Maybe[str] = UNKNOWN  # NFS, CIFS …
    public: Maybe[bool] = UNKNOWN
    share_type: Maybe[str | None] = UNKNOWN
    access: Maybe[list[str]] = UNKNOWN  # "ip 0.0.0.0/0 rw" …, sorted
    created_at: Maybe[datetime] = UNKNOWN


class ObjectContainer(Resource):
    """A container of objects (Swift container, bucket)."""

    KIND: ClassVar[str] = "object_container"
    TITLE: ClassVar[str] = "对象存储桶"
    VOLATILE: ClassVar[frozenset[str]] = frozenset({"objects", "size_bytes"})

    read_acl: Maybe[list[str]] = UNKNOWN
    write_acl: Maybe[list[str]] = UNKNOWN
    public_read: Maybe[bool] = UNKNOWN
    versioned: Maybe[bool] = UNKNOWN
    storage_policy: Maybe[str | None] = UNKNOWN
    objects: Maybe[int] = UNKNOWN
    size_bytes: Maybe[int] = UNKNOWN


FAMILY: tuple[type[Resource], ...] = (
    Volume, VolumeType, VolumeSnapshot, VolumeBackup, VolumeClaim, StoragePool, Share, ObjectContainer,
)  # fmt: skip
