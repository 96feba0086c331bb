"""Kinds of networking inside a cloud."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar, Literal

from inventory.kinds.address import Address, Family
from inventory.kinds.usage import Amount
from inventory.resource import Nested, Resource
from inventory.unknown import UNKNOWN, Maybe


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
    physical_network: Maybe[str | None] = UNKNOWN
    qos_policy: Maybe[str | None] = UNKNOWN
    shared_with: Maybe[list[str]] = UNKNOWN  # native ids of projects by RBAC, "*" = all; sorted
    dns_domain: Maybe[str | None] = UNKNOWN
    levels: Maybe[list[int]] = UNKNOWN  # 等保 levels declared by the projects that may use it, sorted


class Subnet(Resource):
    KIND: ClassVar[str] = "subnet"
    TITLE: ClassVar[str] = "子网"
    VOLATILE: ClassVar[frozenset[str]] = frozenset({"amounts"})

    family: Maybe[Family] = UNKNOWN
    cidr: Maybe[str] = UNKNOWN
    gateway: Maybe[str | None] = UNKNOWN
    dhcp: Maybe[bool] = UNKNOWN
    ra_mode: Maybe[str | None] = UNKNOWN
    address_mode: Maybe[str | None] = UNKNOWN
    dns_servers: Maybe[list[str]] = UNKNOWN
    allocation_pools: Maybe[list[str]] = UNKNOWN  # "first-last", sorted
    host_routes: Maybe[list[str]] = UNKNOWN  # "destination via next hop", sorted
    amounts: Maybe[list[Amount]] = UNKNOWN  # of addresses
    platform_addresses: Maybe[list[str]] = UNKNOWN  # that the platform is managed at, and lie in it; sorted
    # ([] too for an overlay, whose addresses mean nothing outside)


class Port(Resource):
    KIND: ClassVar[str] = "port"
    TITLE: ClassVar[str] = "虚拟网卡"

    status: Maybe[str] = UNKNOWN
    mac: Maybe[str] = UNKNOWN
    device_owner: Maybe[str] = UNKNOWN  # compute:az-a, network:router_interface … "" = unused
    port_security_enabled: Maybe[bool] = UNKNOWN
    addresses: Maybe[list[Address]] = UNKNOWN
    allowed_address_pairs: Maybe[list[str]] = UNKNOWN  # prefixes the port may also send from
    security_groups: Maybe[list[str]] = UNKNOWN  # native ids, sorted
    host: Maybe[str | None] = UNKNOWN
    vnic_type: Maybe[str | None] = UNKNOWN
    admin_up: Maybe[bool] = UNKNOWN
    qos_policy: Maybe[str | None] = UNKNOWN
    trunk: Maybe[str | None] = UNKNOWN  # native id of the trunk it carries; None = none


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
    stateful: Maybe[bool] = UNKNOWN
    shared_with: Maybe[list[str]] = UNKNOWN  # native ids of projects by RBAC, "*" = all; sorted


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
    admin_up: Maybe[bool] = UNKNOWN
    distributed: Maybe[bool | None] = UNKNOWN
    source_nat: Maybe[bool | None] = UNKNOWN  # None = no external gateway
    external_addresses: Maybe[list[Address]] = UNKNOWN
    routes: Maybe[list[str]] = UNKNOWN  # "destination via next hop", sorted


class Trunk(Resource):
    KIND: ClassVar[str] = "trunk"
    TITLE: ClassVar[str] = "虚拟干道"

    status: Maybe[str] = UNKNOWN
    admin_up: Maybe[bool] = UNKNOWN
    port: Maybe[str] = UNKNOWN  # native id of the parent port
    subports: Maybe[list[str]] = UNKNOWN  # "vlan 12 port-id", sorted


class QosPolicy(Resource):
    KIND: ClassVar[str] = "qos_policy"
    TITLE: ClassVar[str] = "网络服务质量策略"

    shared: Maybe[bool] = UNKNOWN
    default: Maybe[bool] = UNKNOWN
    rules: Maybe[list[str]] = UNKNOWN  # "bandwidth_limit egress 10000 kbit/s", sorted


class BalancerListener(Nested):
    id: Maybe[str] = UNKNOWN
    protocol: Maybe[str] = UNKNOWN  # TCP, HTTP, TERMINATED_HTTPS …
    port: Maybe[int] = UNKNOWN
    tls_versions: Maybe[list[str]] = UNKNOWN
    tls_ciphers: Maybe[str | None] = UNKNOWN
    allowed_prefixes: Maybe[list[str] | None] = UNKNOWN  # None = anybody
    insert_headers: Maybe[list[str]] = UNKNOWN
    client_authentication: Maybe[str | None] = UNKNOWN  # NONE, OPTIONAL, MANDATORY
    certificates: Maybe[list[str]] = UNKNOWN  # native ids in the key manager, sorted; never the key


class LoadBalancer(Resource):
    KIND: ClassVar[str] = "load_balancer"
    TITLE: ClassVar[str] = "负载均衡"

    status: Maybe[str] = UNKNOWN  # operating status
    provisioning_status: Maybe[str] = UNKNOWN
    provider: Maybe[str | None] = UNKNOWN
    addresses: Maybe[list[Address]] = UNKNOWN  # of the virtual IP, additional ones included
    listeners: Maybe[list[BalancerListener]] = UNKNOWN
    pools: Maybe[int] = UNKNOWN
    created_at: Maybe[datetime | None] = UNKNOWN


class DnsZone(Resource):
    """A zone that the cloud's name service holds."""

    KIND: ClassVar[str] = "dns_zone"
    TITLE: ClassVar[str] = "DNS 区域"

    status: Maybe[str] = UNKNOWN
    email: Maybe[str | None] = UNKNOWN
    ttl: Maybe[int | None] = UNKNOWN
    zone_type: Maybe[str | None] = UNKNOWN  # PRIMARY, SECONDARY
    record_types: Maybe[dict[str, int]] = UNKNOWN  # type → number of record sets


FAMILY: tuple[type[Resource], ...] = (
    Network, Subnet, Port, SecurityGroup, FloatingIp, Router, Trunk, QosPolicy, LoadBalancer, DnsZone,
)  # fmt: skip
