"""Kinds of computing in a cloud: what runs, on what, from which image."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar, Literal

from inventory.kinds.address import Address
from inventory.kinds.usage import Amount
from inventory.origin import Origin
from inventory.resource import Resource
from inventory.unknown import UNKNOWN, Maybe


class Flavor(Resource):
    KIND: ClassVar[str] = "flavor"
    TITLE: ClassVar[str] = "规格"

    vcpus: Maybe[int] = UNKNOWN
    memory_mib: Maybe[int] = UNKNOWN
    disk_gib: Maybe[int] = UNKNOWN
    public: Maybe[bool] = UNKNOWN
    extra_specs: Maybe[dict[str, str]] = UNKNOWN


class Hypervisor(Resource):
    """A compute node. Capacity is physical, before overcommit."""

    KIND: ClassVar[str] = "hypervisor"
    TITLE: ClassVar[str] = "计算节点"
    VOLATILE: ClassVar[frozenset[str]] = frozenset(
        {"vcpus_used", "memory_used_mib", "disk_used_gib", "servers", "amounts", "orphaned_allocations"}
    )

    state: Maybe[Literal["up", "down"]] = UNKNOWN
    enabled: Maybe[bool] = UNKNOWN
    zone: Maybe[str | None] = UNKNOWN
    hypervisor_type: Maybe[str] = UNKNOWN
    cpu_architecture: Maybe[str] = UNKNOWN  # uname -m words: x86_64, aarch64, loongarch64 …
    cpu_vendor: Maybe[str] = UNKNOWN
    cpu_model: Maybe[str] = UNKNOWN
    cpu_origin: Maybe[Origin] = UNKNOWN
    vcpus: Maybe[int] = UNKNOWN
    memory_mib: Maybe[int] = UNKNOWN
    disk_gib: Maybe[int] = UNKNOWN
    vcpus_used: Maybe[int] = UNKNOWN
    memory_used_mib: Maybe[int] = UNKNOWN
    disk_used_gib: Maybe[int] = UNKNOWN
    servers: Maybe[int] = UNKNOWN
    version: Maybe[str | None] = UNKNOWN  # of the hypervisor's software
    host: Maybe[str | None] = UNKNOWN  # name of the machine its compute service runs on
    aggregates: Maybe[list[str]] = UNKNOWN  # names of the host aggregates it is in, sorted
    traits: Maybe[list[str]] = UNKNOWN  # of its resource provider (CUSTOM_…, HW_CPU_…), sorted
    amounts: Maybe[list[Amount]] = UNKNOWN  # as the scheduler counts
    orphaned_allocations: Maybe[int] = UNKNOWN  # promised to no server that there is
    levels: Maybe[list[int]] = UNKNOWN  # 等保 levels declared by the projects whose servers it runs, sorted


class Aggregate(Resource):
    """A group of compute nodes, made for scheduling."""

    KIND: ClassVar[str] = "aggregate"
    TITLE: ClassVar[str] = "主机聚合"

    zone: Maybe[str | None] = UNKNOWN
    hosts: Maybe[list[str]] = UNKNOWN  # machine names, sorted
    metadata: Maybe[dict[str, str]] = UNKNOWN


class Server(Resource):
    """A virtual machine or bare-metal instance of a cloud."""

    KIND: ClassVar[str] = "server"
    TITLE: ClassVar[str] = "云主机"

    status: Maybe[str] = UNKNOWN  # upper-case native state: ACTIVE, SHUTOFF, PAUSED, ERROR …
    power_state: Maybe[Literal["running", "paused", "shutdown", "crashed", "suspended", "none"]] = UNKNOWN
    locked: Maybe[bool] = UNKNOWN
    zone: Maybe[str | None] = UNKNOWN
    hypervisor: Maybe[str | None] = UNKNOWN  # host name of its compute node
    flavor: Maybe[str | None] = UNKNOWN
    vcpus: Maybe[int] = UNKNOWN
    memory_mib: Maybe[int] = UNKNOWN
    disk_gib: Maybe[int] = UNKNOWN
    image: Maybe[str | None] = UNKNOWN  # native id; None = boots from volume
    key_name: Maybe[str | None] = UNKNOWN
    config_drive: Maybe[bool] = UNKNOWN
    metadata: Maybe[dict[str, str]] = UNKNOWN
    addresses: Maybe[list[Address]] = UNKNOWN
    security_groups: Maybe[list[str]] = UNKNOWN  # names, as the compute API tells them
    created_at: Maybe[datetime] = UNKNOWN
    host: Maybe[str | None] = UNKNOWN  # machine of its compute service
    description: Maybe[str | None] = UNKNOWN
    task_state: Maybe[str | None] = UNKNOWN  # what is being done to it; None = nothing
    launched_at: Maybe[datetime | None] = UNKNOWN
    updated_at: Maybe[datetime | None] = UNKNOWN
    owner: Maybe[str | None] = UNKNOWN  # native id of the user who made it
    tags: Maybe[list[str]] = UNKNOWN
    trusted_image_certificates: Maybe[list[str] | None] = UNKNOWN
    server_group: Maybe[str | None] = UNKNOWN  # native id
    image_architecture: Maybe[str | None] = UNKNOWN  # as its image declares


class ServerGroup(Resource):
    KIND: ClassVar[str] = "server_group"
    TITLE: ClassVar[str] = "云主机组"

    policy: Maybe[str] = UNKNOWN  # affinity, anti-affinity, soft-…
    members: Maybe[list[str]] = UNKNOWN  # native ids of servers, sorted


class KeyPair(Resource):
    """A public key that servers are made with; native id = user/name."""

    KIND: ClassVar[str] = "key_pair"
    TITLE: ClassVar[str] = "密钥对"

    key_type: Maybe[str] = UNKNOWN  # ssh, x509
    algorithm: Maybe[str | None] = UNKNOWN  # ssh-rsa, ssh-ed25519 …, from the public key
    bits: Maybe[int | None] = UNKNOWN
    fingerprint: Maybe[str] = UNKNOWN
    created_at: Maybe[datetime | None] = UNKNOWN


class Image(Resource):
    KIND: ClassVar[str] = "image"
    TITLE: ClassVar[str] = "镜像"

    status: Maybe[str] = UNKNOWN
    visibility: Maybe[Literal["public", "private", "shared", "community"]] = UNKNOWN
    protected: Maybe[bool] = UNKNOWN
    os_distro: Maybe[str | None] = UNKNOWN  # as the image's owner declared it
    os_version: Maybe[str | None] = UNKNOWN
    os_origin: Maybe[Origin] = UNKNOWN
    architecture: Maybe[str | None] = UNKNOWN
    hash_algorithm: Maybe[str | None] = UNKNOWN  # of the multihash; None = no hash
    signed: Maybe[bool] = UNKNOWN  # carries signature properties
    size_bytes: Maybe[int | None] = UNKNOWN
    created_at: Maybe[datetime] = UNKNOWN
    updated_at: Maybe[datetime] = UNKNOWN
    hidden: Maybe[bool] = UNKNOWN
    os_type: Maybe[str | None] = UNKNOWN  # linux, windows
    disk_format: Maybe[str | None] = UNKNOWN
    min_disk_gib: Maybe[int] = UNKNOWN
    signature_algorithm: Maybe[str | None] = UNKNOWN  # img_signature_hash_method; None = unsigned
    encrypted: Maybe[bool] = UNKNOWN  # carries an encryption key or a LUKS format
    properties: Maybe[dict[str, str]] = UNKNOWN  # hw_…, os_… as declared
    members: Maybe[list[str]] = UNKNOWN  # projects a shared image is shared with
    hardened: Maybe[bool | None] = (
        UNKNOWN  # as a property or tag of the office's choice says; None = nobody says
    )


class InstanceAction(Resource):
    """One command given to a server, as the compute service recorded it: create, reboot, stop, delete …;
    native id = server/request/action. ``standing`` is what the one who gave it is today."""

    KIND: ClassVar[str] = "instance_action"
    TITLE: ClassVar[str] = "云主机操作"

    server: Maybe[str] = UNKNOWN  # native id; the server may be gone
    server_name: Maybe[str] = UNKNOWN
    action: Maybe[str] = UNKNOWN  # the cloud's word
    started_at: Maybe[datetime | None] = UNKNOWN
    user_id: Maybe[str | None] = UNKNOWN  # native id; None = not recorded, or the platform itself
    user_name: Maybe[str | None] = UNKNOWN  # None = no such user
    project_id: Maybe[str | None] = UNKNOWN  # that the user acted for; in_project is the server's own
    request_id: Maybe[str | None] = UNKNOWN
    failed: Maybe[bool] = UNKNOWN
    standing: Maybe[Literal["member", "administrator", "outsider", "disabled", "gone"] | None] = UNKNOWN
    # of the server's project or not; None = no user is recorded


class ActionTrail(Resource):
    """What was recorded of one server that changed lately: native id = the server's."""

    KIND: ClassVar[str] = "action_trail"
    TITLE: ClassVar[str] = "云主机操作记录"

    created: Maybe[bool] = UNKNOWN  # within the time that the actions were asked for
    deleted: Maybe[bool] = UNKNOWN
    actions: Maybe[list[str]] = UNKNOWN  # recorded within that time, sorted, each once


FAMILY: tuple[type[Resource], ...] = (
    Flavor, Hypervisor, Aggregate, Server, ServerGroup, KeyPair, Image, InstanceAction, ActionTrail,
)  # fmt: skip
