"""Kinds of a platform as such: its catalogue, its tenants, their limits, the services that make it up."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar, Literal

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
    certificate_verified: Maybe[bool] = UNKNOWN  # when logging in; False over plain HTTP too
    network_features: Maybe[list[str]] = UNKNOWN  # aliases of the network service's extensions, sorted
    customers_filter: Maybe[bool] = UNKNOWN  # some project but the collector's own made a security group


class Project(Resource):
    KIND: ClassVar[str] = "project"
    TITLE: ClassVar[str] = "项目（租户）"

    enabled: Maybe[bool] = UNKNOWN
    description: Maybe[str] = UNKNOWN
    domain: Maybe[str | None] = UNKNOWN  # name where known, else id
    tags: Maybe[list[str]] = UNKNOWN
    level: Maybe[int | None] = UNKNOWN  # 等保 level a tag declares; None = none declared


class Quota(Resource):
    """Limits of one project in one service, native id = project/service; or of one namespace of a cluster,
    native id = namespace/name, with processor limits in thousandths and memory in MiB."""

    KIND: ClassVar[str] = "quota"
    TITLE: ClassVar[str] = "配额"
    VOLATILE: ClassVar[frozenset[str]] = frozenset({"usage"})

    service: Maybe[Literal["compute", "volume", "network", "kubernetes"]] = UNKNOWN
    limits: Maybe[dict[str, int]] = UNKNOWN  # resource → limit, −1 = unlimited
    usage: Maybe[dict[str, int]] = UNKNOWN  # resource → used; volatile


class PlatformService(Resource):
    """One process of the platform on one host: a nova or cinder service, a neutron agent.

    ``alive`` is what the platform's own heartbeat says, ``enabled`` what its operators set.
    """

    KIND: ClassVar[str] = "platform_service"
    TITLE: ClassVar[str] = "平台服务进程"
    VOLATILE: ClassVar[frozenset[str]] = frozenset({"heartbeat_at"})

    service: Maybe[str] = UNKNOWN  # catalogue type: compute, volume, network …
    binary: Maybe[str] = UNKNOWN  # nova-compute, cinder-volume, neutron-dhcp-agent …
    host: Maybe[str] = UNKNOWN
    zone: Maybe[str | None] = UNKNOWN
    enabled: Maybe[bool] = UNKNOWN
    disabled_reason: Maybe[str | None] = UNKNOWN
    alive: Maybe[bool] = UNKNOWN
    tunnel_address: Maybe[str | None] = UNKNOWN  # where customers' overlays end; None = it carries none
    physical_networks: Maybe[list[str]] = UNKNOWN  # customers' traffic leaves to without a tunnel, sorted
    management_address: Maybe[str | None] = UNKNOWN  # of the compute node it runs on; None = on no such node
    heartbeat_at: Maybe[datetime | None] = UNKNOWN


FAMILY: tuple[type[Resource], ...] = (Cloud, Project, Quota, PlatformService)
