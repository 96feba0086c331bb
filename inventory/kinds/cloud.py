"""Kinds that a cloud platform holds."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar, Literal

from inventory.kinds.address import Address, Family
from inventory.origin import Origin
from inventory.resource import Nested, Resource
from inventory.unknown import UNKNOWN, Maybe


class Endpoint(Nested):
    """One API address of the platform's catalogue."""

    service: Maybe[str] = UNKNOWN  # catalogue type: compute, network, identity …
    interface: Maybe[str] = UNKNOWN  # public, internal, admin
    region: Maybe[str] = UNKNOWN
    url: Maybe[str] = UNKNOWN
    encrypted: Maybe[bool] = UNKNOWN  # https


class Cloud(Resource):
    """The platform itself, as its catalogue shows it. One per source."""

    KIND: ClassVar[str] = "cloud"
    TITLE: ClassVar[str] = "云平台"

    software: Maybe[str] = UNKNOWN  # "openstack"
    services: Maybe[list[str]] = UNKNOWN  # catalogue types present
    endpoints: Maybe[list[Endpoint]] = UNKNOWN


class Project(Resource):
    KIND: ClassVar[str] = "project"
    TITLE: ClassVar[str] = "项目（租户）"

    enabled: Maybe[bool] = UNKNOWN
    description: Maybe[str] = UNKNOWN
    domain: Maybe[str | None] = UNKNOWN  # name where known, else id
    tags: Maybe[list[str]] = UNKNOWN
    level: Maybe[int | None] = UNKNOWN  # 等保 level a tag declares; None = none declared


class User(Resource):
    """An account of the cloud platform (not of a host: that is ``account``)."""

    KIND: ClassVar[str] = "user"
    TITLE: ClassVar[str] = "云平台账户"

    enabled: Maybe[bool] = UNKNOWN
    domain: Maybe[str | None] = UNKNOWN
    mfa_enabled: Maybe[bool] = UNKNOWN
    mfa_rules: Maybe[list[list[str]]] = UNKNOWN  # each an "all of" list of methods
    password_expires_at: Maybe[datetime | None] = UNKNOWN
    ignores_password_expiry: Maybe[bool] = UNKNOWN
    ignores_lockout: Maybe[bool] = UNKNOWN
    ignores_inactivity: Maybe[bool] = UNKNOWN
    service_account: Maybe[bool] = UNKNOWN  # holds a role in the project of service accounts
    roles: Maybe[list[str]] = UNKNOWN  # names of roles held anywhere, sorted, no duplicates
    administrator: Maybe[bool] = UNKNOWN  # holds role admin anywhere


class ApplicationCredential(Resource):
    KIND: ClassVar[str] = "application_credential"
    TITLE: ClassVar[str] = "应用凭据"

    unrestricted: Maybe[bool] = UNKNOWN
    expires_at: Maybe[datetime | None] = UNKNOWN
    roles: Maybe[list[str]] = UNKNOWN


class Quota(Resource):
    """Limits of one project in one service; native id = project/service."""

    KIND: ClassVar[str] = "quota"
    TITLE: ClassVar[str] = "配额"
    VOLATILE: ClassVar[frozenset[str]] = frozenset({"usage"})

    service: Maybe[Literal["compute", "volume", "network"]] = UNKNOWN
    limits: Maybe[dict[str, int]] = UNKNOWN  # resource → limit, −1 = unlimited
    usage: Maybe[dict[str, int]] = UNKNOWN  # resource → used; volatile


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
        {"vcpus_used", "memory_used_mib", "disk_used_gib", "servers"}
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


class Volume(Resource):
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


class Network(Resource):
    KIND: ClassVar[str] = "network"
    TITLE: ClassVar[str] = "虚拟网络"

    status: Maybe[str] = UNKNOWN
    external: Maybe[bool] = UNKNOWN
    shared: Maybe[bool] = UNKNOWN
    port_security_enabled: Maybe[bool] = UNKNOWN
    mtu: Maybe[int | None] = UNKNOWN
    network_type: Maybe[str | None] = UNKNOWN  # vlan, vxlan, flat …
    segment: Maybe[int | None] = UNKNOWN


class Subnet(Resource):
    KIND: ClassVar[str] = "subnet"
    TITLE: ClassVar[str] = "子网"

    family: Maybe[Family] = UNKNOWN
    cidr: Maybe[str] = UNKNOWN
    gateway: Maybe[str | None] = UNKNOWN
    dhcp: Maybe[bool] = UNKNOWN
    ra_mode: Maybe[str | None] = UNKNOWN
    address_mode: Maybe[str | None] = UNKNOWN
    dns_servers: Maybe[list[str]] = UNKNOWN


class Port(Resource):
    KIND: ClassVar[str] = "port"
    TITLE: ClassVar[str] = "虚拟网卡"

    status: Maybe[str] = UNKNOWN
    mac: Maybe[str] = UNKNOWN
    device_owner: Maybe[str] = UNKNOWN  # compute:az-a, network:router_interface … "" = unused
    port_security_enabled: Maybe[bool] = UNKNOWN
    addresses: Maybe[list[Address]] = UNKNOWN
    allowed_address_pairs: Maybe[list[str]] = UNKNOWN  # prefixes the port may also send from


class SecurityGroupRule(Nested):
    """``protocol`` None = any. ``port_min``/``port_max`` None = all ports. ``remote`` is a prefix;
    None with ``remote_group`` None = any address of the family."""

    direction: Maybe[Literal["ingress", "egress"]] = UNKNOWN
    family: Maybe[Family] = UNKNOWN
    protocol: Maybe[str | None] = UNKNOWN
    port_min: Maybe[int | None] = UNKNOWN
    port_max: Maybe[int | None] = UNKNOWN
    remote: Maybe[str | None] = UNKNOWN
    remote_group: Maybe[str | None] = UNKNOWN
    id: Maybe[str] = UNKNOWN


class SecurityGroup(Resource):
    KIND: ClassVar[str] = "security_group"
    TITLE: ClassVar[str] = "安全组"

    description: Maybe[str] = UNKNOWN
    default: Maybe[bool] = UNKNOWN  # the project's default group
    in_use: Maybe[bool] = UNKNOWN  # some port carries it; UNKNOWN unless all ports were seen
    rules: Maybe[list[SecurityGroupRule]] = UNKNOWN


class FloatingIp(Resource):
    KIND: ClassVar[str] = "floating_ip"
    TITLE: ClassVar[str] = "浮动 IP"

    address: Maybe[str] = UNKNOWN
    fixed_address: Maybe[str | None] = UNKNOWN
    status: Maybe[str] = UNKNOWN
    associated: Maybe[bool] = UNKNOWN


class Router(Resource):
    KIND: ClassVar[str] = "router"
    TITLE: ClassVar[str] = "虚拟路由器"

    status: Maybe[str] = UNKNOWN
    external_gateway: Maybe[bool] = UNKNOWN
    highly_available: Maybe[bool] = UNKNOWN


FAMILY: tuple[type[Resource], ...] = (
    Cloud, Project, User, ApplicationCredential, Quota, Flavor, Hypervisor, Server, Volume, Image,
    Network, Subnet, Port, SecurityGroup, FloatingIp, Router,
)  # fmt: skip
