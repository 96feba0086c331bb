"""Networking API v2.0 answers → networks, subnets, ports, security groups, floating IPs, routers.

Fields of the typed rows that are named as in the kind go there as they are (``Place.make``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Set
from ipaddress import ip_network
from typing import Literal

import msgspec
from msgspec import UNSET, UnsetType

from collectors.openstack.levels import on_network
from collectors.openstack.listing import Mapped, Place, mapped, rows, seen
from inventory.kinds.address import Address, Family, address_of
from inventory.kinds.usage import Amount
from inventory.kinds.virtual_network import (
    FloatingIp,
    Network,
    Port,
    Router,
    SecurityGroup,
    SecurityGroupRule,
    Subnet,
)
from inventory.unknown import UNKNOWN, Maybe

# neutron keeps a protocol as the user wrote it: a name or a number (IANA protocol numbers)
_PROTOCOLS = {"6": "tcp", "17": "udp", "1": "icmp", "58": "ipv6-icmp", "icmpv6": "ipv6-icmp", "132": "sctp"}
_ANY_PROTOCOL = ("", "any", "0", "-1", "ip")


class _Owned(msgspec.Struct):
    id: str
    name: str | None = None
    project_id: str | None = None


class _Network(_Owned):
    status: str | UnsetType = UNSET
    shared: bool | UnsetType = UNSET
    mtu: int | UnsetType | None = UNSET
    port_security_enabled: bool | UnsetType = UNSET
    external: bool | UnsetType = msgspec.field(name="router:external", default=UNSET)
    network_type: str | UnsetType | None = msgspec.field(name="provider:network_type", default=UNSET)
    segment: int | UnsetType | None = msgspec.field(name="provider:segmentation_id", default=UNSET)
    physical_network: str | UnsetType | None = msgspec.field(name="provider:physical_network", default=UNSET)
    qos_policy: str | UnsetType | None = msgspec.field(name="qos_policy_id", default=UNSET)
    dns_domain: str | UnsetType | None = UNSET


class _Range(msgspec.Struct):
    start: str
    end: str


class _Route(msgspec.Struct):
    destination: str
    nexthop: str


class _Subnet(_Owned):
    network_id: str | None = None
    ip_version: int | UnsetType = UNSET
    cidr: str | UnsetType = UNSET
    gateway: str | UnsetType | None = msgspec.field(name="gateway_ip", default=UNSET)
    dhcp: bool | UnsetType = msgspec.field(name="enable_dhcp", default=UNSET)
    ra_mode: str | UnsetType | None = msgspec.field(name="ipv6_ra_mode", default=UNSET)
    address_mode: str | UnsetType | None = msgspec.field(name="ipv6_address_mode", default=UNSET)
    dns_nameservers: list[str] | UnsetType = UNSET
    pools: list[_Range] | UnsetType = msgspec.field(name="allocation_pools", default=UNSET)
    routes: list[_Route] | UnsetType = msgspec.field(name="host_routes", default=UNSET)


class _FixedIp(msgspec.Struct):
    ip_address: str
    subnet_id: str | None = None


class _Pair(msgspec.Struct):
    ip_address: str


class _Port(_Owned):
    network_id: str | None = None
    status: str | UnsetType = UNSET
    mac: str | UnsetType = msgspec.field(name="mac_address", default=UNSET)
    device_id: str | None = None
    device_owner: str | UnsetType | None = UNSET
    port_security_enabled: bool | UnsetType = UNSET
    fixed_ips: list[_FixedIp] | UnsetType = UNSET
    allowed_address_pairs: list[_Pair] | UnsetType = UNSET
    security_groups: list[str] | UnsetType = UNSET
    admin_up: bool | UnsetType = msgspec.field(name="admin_state_up", default=UNSET)
    qos_policy: str | UnsetType | None = msgspec.field(name="qos_policy_id", default=UNSET)
    bound_to: str | UnsetType | None = msgspec.field(name="binding:host_id", default=UNSET)
    vnic_type: str | UnsetType | None = msgspec.field(name="binding:vnic_type", default=UNSET)


class _Rule(msgspec.Struct):
    id: str
    direction: Literal["ingress", "egress"]
    ethertype: str
    protocol: str | int | None
    port_range_min: int | None
    port_range_max: int | None
    remote_ip_prefix: str | None = None
    normalized_cidr: str | None = None
    remote_group_id: str | None = None
    remote_address_group_id: str | None = None


class _Group(_Owned):
    description: str | None = None
    security_group_rules: list[_Rule] | UnsetType = UNSET
    stateful: bool | UnsetType = UNSET


class _FloatingIp(_Owned):
    floating_network_id: str | None = None
    address: str | UnsetType = msgspec.field(name="floating_ip_address", default=UNSET)
    fixed_address: str | UnsetType | None = msgspec.field(name="fixed_ip_address", default=UNSET)
    port_id: str | UnsetType | None = UNSET
    status: str | UnsetType = UNSET


class _Gateway(msgspec.Struct):
    enable_snat: bool | UnsetType = UNSET
    external_fixed_ips: list[_FixedIp] | UnsetType = UNSET


class _Router(_Owned):
    status: str | UnsetType = UNSET
    admin_up: bool | UnsetType = msgspec.field(name="admin_state_up", default=UNSET)
    external_gateway_info: _Gateway | UnsetType | None = UNSET
    highly_available: bool | UnsetType = msgspec.field(name="ha", default=UNSET)  # to administrators only
    distributed: bool | UnsetType = UNSET  # likewise
    extra_routes: list[_Route] | UnsetType = msgspec.field(name="routes", default=UNSET)


Shares = Mapping[str, Set[str]]
"""Id of a shared thing → ids of the projects it is shared with, "*" = all."""


def networks(
    pages: list[bytes],
    place: Place,
    shares: Shares | None = None,
    levels: Mapping[str, int] | None = None,
) -> Mapped:
    """Networks. ``shares`` is None unless all RBAC policies were seen, ``levels`` (project → 等保 level it
    declares) unless all projects were."""

    def make(row: _Network) -> Network:
        return place.make(
            Network,
            row,
            relations=place.relations(("in_project", "project", row.project_id)),
            dns_domain=UNKNOWN if isinstance(row.dns_domain, UnsetType) else row.dns_domain or None,
            shared_with=UNKNOWN if shares is None else sorted(shares.get(row.id, ())),
            levels=UNKNOWN
            if shares is None or levels is None
            else on_network(levels, row.project_id, shares.get(row.id, ())),
        )

    return mapped(pages, "networks", _Network, make, place.clean)


def external(pages: list[bytes]) -> set[str]:
    """Ids of the external networks."""
    return {row.id for row in rows(pages, "networks", _Network)[0] if row.external is True}


def subnets(
    pages: list[bytes],
    place: Place,
    amounts: Mapping[str, list[Amount]] | None = None,
    within: Callable[[str, str], Maybe[list[str]]] | None = None,
) -> Mapped:
    """Subnets, with how full they are by id where that was seen. ``within`` tells, of a network and a prefix,
    the platform's own addresses in it."""

    def make(row: _Subnet) -> Subnet:
        return place.make(
            Subnet,
            row,
            relations=place.relations(
                ("in_project", "project", row.project_id), ("in_network", "network", row.network_id)
            ),
            family=UNKNOWN if isinstance(row.ip_version, UnsetType) else _family(row.ip_version),
            dns_servers=UNKNOWN
            if isinstance(row.dns_nameservers, UnsetType)
            else sorted(row.dns_nameservers),
            allocation_pools=UNKNOWN
            if isinstance(row.pools, UnsetType)
            else sorted(f"{pool.start}-{pool.end}" for pool in row.pools),
            host_routes=_routes(row.routes),
            amounts=(amounts or {}).get(row.id, UNKNOWN),
            platform_addresses=UNKNOWN
            if within is None or isinstance(row.cidr, UnsetType)
            else within(row.network_id or "", row.cidr),
        )

    return mapped(pages, "subnets", _Subnet, make, place.clean)


def _routes(routes: list[_Route] | UnsetType) -> Maybe[list[str]]:
    if isinstance(routes, UnsetType):
        return UNKNOWN
    return sorted(f"{route.destination} via {route.nexthop}" for route in routes)


def _family(version: int) -> Family:
    if version not in (4, 6):
        raise ValueError(f"ip_version {version}")
    return "ipv4" if version == 4 else "ipv6"


def prefix_lengths(pages: list[bytes]) -> dict[str, int]:
    """Subnet id → prefix length."""
    return {
        row.id: ip_network(row.cidr, strict=False).prefixlen
        for row in rows(pages, "subnets", _Subnet)[0]
        if not isinstance(row.cidr, UnsetType)
    }


def ports(
    pages: list[bytes], lengths: dict[str, int], place: Place, trunks: Mapping[str, str] | None = None
) -> Mapped:
    """Ports, with the prefix lengths of their subnets where those were seen. ``trunks`` leads from a
    parent port to its trunk, and is None unless all trunks were seen."""

    def make(row: _Port) -> Port:
        owner = row.device_owner
        on_server = isinstance(owner, str) and owner.startswith("compute:")
        groups = [] if isinstance(row.security_groups, UnsetType) else row.security_groups
        return place.make(
            Port,
            row,
            relations=place.relations(
                ("in_project", "project", row.project_id),
                ("in_network", "network", row.network_id),
                ("attached_to", "server", row.device_id if on_server else None),
                *(("protected_by", "security_group", g) for g in groups),
            ),
            device_owner=UNKNOWN if isinstance(owner, UnsetType) else owner or "",
            addresses=_addresses(row.fixed_ips, lengths),
            allowed_address_pairs=UNKNOWN
            if isinstance(row.allowed_address_pairs, UnsetType)
            else sorted({pair.ip_address for pair in row.allowed_address_pairs}),
            security_groups=UNKNOWN if isinstance(row.security_groups, UnsetType) else sorted(groups),
            host=UNKNOWN if isinstance(row.bound_to, UnsetType) else row.bound_to or None,
            trunk=UNKNOWN if trunks is None else trunks.get(row.id),
        )

    return mapped(pages, "ports", _Port, make, place.clean)


def _addresses(fixed: list[_FixedIp] | UnsetType, lengths: dict[str, int]) -> Maybe[list[Address]]:
    if isinstance(fixed, UnsetType):
        return UNKNOWN
    result = [address_of(ip.ip_address, lengths.get(ip.subnet_id or "")) for ip in fixed]
    return sorted(result, key=lambda a: (str(a.family), str(a.address)))


def devices(pages: list[bytes]) -> set[str]:
    """Ids of what has a port: servers, routers, DHCP."""
    return {row.device_id for row in rows(pages, "ports", _Port)[0] if row.device_id}


def groups_in_use(pages: list[bytes]) -> set[str]:
    """Ids of the security groups that some port carries."""
    return {
        group
        for row in rows(pages, "ports", _Port)[0]
        if not isinstance(row.security_groups, UnsetType)
        for group in row.security_groups
    }


def security_groups(
    pages: list[bytes], in_use: set[str] | None, place: Place, shares: Shares | None = None
) -> Mapped:
    """Security groups with their rules; ``in_use`` None unless all ports were seen, ``shares`` None unless
    all RBAC policies were."""

    def make(row: _Group) -> SecurityGroup:
        rules = row.security_group_rules
        return place.make(
            SecurityGroup,
            row,
            relations=place.relations(("in_project", "project", row.project_id)),
            description=place.clean(row.description or ""),
            default=row.name == "default",
            in_use=UNKNOWN if in_use is None else row.id in in_use,
            rules=UNKNOWN
            if isinstance(rules, UnsetType)
            else [_rule(rule) for rule in sorted(rules, key=lambda r: r.id)],
            shared_with=UNKNOWN if shares is None else sorted(shares.get(row.id, ())),
        )

    return mapped(pages, "security_groups", _Group, make, place.clean)


def _rule(rule: _Rule) -> SecurityGroupRule:
    group = rule.remote_group_id
    if group is None and rule.remote_address_group_id:
        # neither prefix nor group would read as "anybody"; an address group is a list of prefixes
        group = f"address_group/{rule.remote_address_group_id}"
    protocol = str(rule.protocol).lower() if rule.protocol is not None else ""
    return SecurityGroupRule(
        id=rule.id,
        direction=rule.direction,
        family="ipv6" if rule.ethertype == "IPv6" else "ipv4",
        protocol=None if protocol in _ANY_PROTOCOL else _PROTOCOLS.get(protocol, protocol),
        port_min=rule.port_range_min,
        port_max=rule.port_range_max,
        # 10.0.0.5/0 means everybody, and only the normalized form shows it
        remote=_prefix(rule.normalized_cidr or rule.remote_ip_prefix),
        remote_group=group,
    )


def _prefix(text: str | None) -> str | None:
    return str(ip_network(text, strict=False)) if text else None


def floating_ips(pages: list[bytes], place: Place) -> Mapped:
    """Floating IPs."""

    def make(row: _FloatingIp) -> FloatingIp:
        port = None if isinstance(row.port_id, UnsetType) else row.port_id
        return place.make(
            FloatingIp,
            row,
            name=seen(row.address),
            relations=place.relations(
                ("in_project", "project", row.project_id),
                ("attached_to", "port", port),
                ("in_network", "network", row.floating_network_id),
            ),
            associated=UNKNOWN if isinstance(row.port_id, UnsetType) else port is not None,
        )

    return mapped(pages, "floatingips", _FloatingIp, make, place.clean)


def routers(pages: list[bytes], place: Place) -> Mapped:
    """Routers."""

    def make(row: _Router) -> Router:
        gateway = row.external_gateway_info
        return place.make(
            Router,
            row,
            relations=place.relations(("in_project", "project", row.project_id)),
            external_gateway=UNKNOWN if isinstance(gateway, UnsetType) else gateway is not None,
            source_nat=_source_nat(gateway),
            external_addresses=_outside(gateway),
            routes=_routes(row.extra_routes),
        )

    return mapped(pages, "routers", _Router, make, place.clean)


def _source_nat(gateway: _Gateway | UnsetType | None) -> Maybe[bool | None]:
    if isinstance(gateway, UnsetType):
        return UNKNOWN
    return None if gateway is None else seen(gateway.enable_snat)


def _outside(gateway: _Gateway | UnsetType | None) -> Maybe[list[Address]]:
    if isinstance(gateway, UnsetType):
        return UNKNOWN
    return [] if gateway is None else _addresses(gateway.external_fixed_ips, {})
