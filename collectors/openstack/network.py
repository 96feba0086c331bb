"""Networking API v2.0 answers → networks, subnets, ports, security groups, floating IPs, routers.

Fields of the typed rows that are named as in the kind go there as they are (``Place.make``).
"""

from __future__ import annotations

from ipaddress import ip_network
from typing import Any, Literal

import msgspec
from msgspec import UNSET, UnsetType

from collectors.openstack import doubt
from collectors.openstack.listing import PAGE, Ask, Mapped, Place, mapped, row_ids, rows, seen
from collectors.openstack.row import Row, View
from inventory.kinds.address import Address, Family, address_of
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


class _Subnet(_Owned):
    network_id: str | None = None
    ip_version: int | UnsetType = UNSET
    cidr: str | UnsetType = UNSET
    gateway: str | UnsetType | None = msgspec.field(name="gateway_ip", default=UNSET)
    dhcp: bool | UnsetType = msgspec.field(name="enable_dhcp", default=UNSET)
    ra_mode: str | UnsetType | None = msgspec.field(name="ipv6_ra_mode", default=UNSET)
    address_mode: str | UnsetType | None = msgspec.field(name="ipv6_address_mode", default=UNSET)
    dns_nameservers: list[str] | UnsetType = UNSET


class _FixedIp(msgspec.Struct):
    ip_address: str
    subnet_id: str | None = None


class _Pair(msgspec.Struct):
    ip_address: str


class _Device(msgspec.Struct):
    device_id: str = ""


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


class _FloatingIp(_Owned):
    address: str | UnsetType = msgspec.field(name="floating_ip_address", default=UNSET)
    fixed_address: str | UnsetType | None = msgspec.field(name="fixed_ip_address", default=UNSET)
    port_id: str | UnsetType | None = UNSET
    status: str | UnsetType = UNSET


class _Router(_Owned):
    status: str | UnsetType = UNSET
    external_gateway_info: dict[str, Any] | UnsetType | None = UNSET
    highly_available: bool | UnsetType = msgspec.field(name="ha", default=UNSET)  # to administrators only


def networks(pages: list[bytes], place: Place) -> Mapped:
    """Networks."""

    def make(row: _Network) -> Network:
        return place.make(Network, row, relations=place.relations(("in_project", "project", row.project_id)))

    return mapped(pages, "networks", _Network, make, place.clean)


def subnets(pages: list[bytes], place: Place) -> Mapped:
    """Subnets."""

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
        )

    return mapped(pages, "subnets", _Subnet, make, place.clean)


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


def ports(pages: list[bytes], lengths: dict[str, int], place: Place) -> Mapped:
    """Ports, with the prefix lengths of their subnets where those were seen."""

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
        )

    return mapped(pages, "ports", _Port, make, place.clean)


def _addresses(fixed: list[_FixedIp] | UnsetType, lengths: dict[str, int]) -> Maybe[list[Address]]:
    if isinstance(fixed, UnsetType):
        return UNKNOWN
    result = [address_of(ip.ip_address, lengths.get(ip.subnet_id or "")) for ip in fixed]
    return sorted(result, key=lambda a: (str(a.family), str(a.address)))


def groups_in_use(pages: list[bytes]) -> set[str]:
    """Ids of the security groups that some port carries."""
    return {
        group
        for row in rows(pages, "ports", _Port)[0]
        if not isinstance(row.security_groups, UnsetType)
        for group in row.security_groups
    }


def security_groups(pages: list[bytes], in_use: set[str] | None, place: Place) -> Mapped:
    """Security groups with their rules; ``in_use`` None unless all ports were seen."""

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
                ("in_project", "project", row.project_id), ("attached_to", "port", port)
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
        )

    return mapped(pages, "routers", _Router, make, place.clean)


def _learn_subnets(page: bytes, _: str, view: View) -> None:
    view.known.prefix_lengths |= prefix_lengths([page])


def _learn_ports(page: bytes, _: str, view: View) -> None:
    view.known.ports_listed += len(row_ids([page], "ports"))
    view.known.groups_in_use |= groups_in_use([page])
    view.known.devices_with_ports.update(row.device_id for row in rows([page], "ports", _Device)[0])


def _groups_in_use(view: View) -> set[str] | None:
    """None unless all ports were seen."""
    proof = view.proofs.get("network")
    if proof is None or not view.whole("port", "port", "network"):
        return None
    return view.known.groups_in_use if doubt.ports(proof, view.known).everything else None


def _ask(path: str, key: str) -> Ask:
    return Ask(service="network", path=path, key=key, params={"limit": PAGE})


ROWS: tuple[Row, ...] = (
    Row(
        name="network",
        kind="network",
        ask=_ask("/networks", "networks"),
        sight="network",
        map=lambda page, _, view: networks([page], view.place),
    ),
    Row(
        name="subnet",
        kind="subnet",
        ask=_ask("/subnets", "subnets"),
        sight="network",
        learn=_learn_subnets,
        map=lambda page, _, view: subnets([page], view.place),
    ),
    Row(
        name="port",
        kind="port",
        ask=_ask("/ports", "ports"),
        sight="network",
        learn=_learn_ports,
        map=lambda page, _, view: ports([page], view.known.prefix_lengths, view.place),
    ),
    Row(
        name="floating_ip",
        kind="floating_ip",
        ask=_ask("/floatingips", "floatingips"),
        sight="network",
        map=lambda page, _, view: floating_ips([page], view.place),
    ),
    Row(
        name="router",
        kind="router",
        ask=_ask("/routers", "routers"),
        sight="network",
        map=lambda page, _, view: routers([page], view.place),
    ),
    Row(
        name="security_group",
        kind="security_group",
        ask=_ask("/security-groups", "security_groups"),
        sight="network",
        after=("server",),  # all servers must be known for ports to be held against them
        map=lambda page, _, view: security_groups([page], _groups_in_use(view), view.place),
    ),
)
