"""How full subnets are: addresses, and floating IPs where the network is external."""

from __future__ import annotations

from collections.abc import Mapping, Set
from ipaddress import ip_address, ip_network

import msgspec

from collectors.openstack.listing import rows
from inventory.kinds.usage import Amount


class _Usage(msgspec.Struct):
    subnet_id: str
    cidr: str
    ip_version: int
    total_ips: float  # of the allocation pools; a /64 has more than 64 bits hold
    used_ips: float


class _Availability(msgspec.Struct):
    network_id: str
    subnet_ip_availability: list[_Usage] = msgspec.field(default_factory=list)


class _FloatingIp(msgspec.Struct):
    floating_ip_address: str
    floating_network_id: str
    port_id: str | None = None


Pool = list[tuple[str, bool]]
"""Floating IPs of one external network: address, and whether a port has it."""


def pools(pages: list[bytes]) -> dict[str, Pool]:
    """Floating IPs by external network."""
    result: dict[str, Pool] = {}
    for row in rows(pages, "floatingips", _FloatingIp)[0]:
        of = result.setdefault(row.floating_network_id, [])
        of.append((row.floating_ip_address, row.port_id is not None))
    return result


def amounts(pages: list[bytes], floating: Mapping[str, Pool], external: Set[str]) -> dict[str, list[Amount]]:
    """Subnet id → its amounts. ``external`` holds the networks that floating IPs come from: empty unless
    all networks and all floating IPs were seen.

    In an external subnet what is used without being a floating IP (gateways of routers, DHCP) counts as
    reserved. Neutron counts an address as used whether its port is up or not.
    """
    result: dict[str, list[Amount]] = {}
    for network in rows(pages, "network_ip_availabilities", _Availability)[0]:
        for subnet in network.subnet_ip_availability:
            held = Amount(
                of="address", total=subnet.total_ips, reserved=0.0, ratio=1.0, allocated=subnet.used_ips
            )
            result[subnet.subnet_id] = [held]
            if network.network_id in external and subnet.ip_version == 4:
                pool = floating.get(network.network_id, [])
                result[subnet.subnet_id].append(_floating_amount(subnet, pool))
    return result


def _floating_amount(subnet: _Usage, pool: Pool) -> Amount:
    prefix = ip_network(subnet.cidr, strict=False)
    inside = [associated for address, associated in pool if ip_address(address) in prefix]
    return Amount(
        of="floating_ip",
        total=subnet.total_ips,
        reserved=max(0.0, subnet.used_ips - len(inside)),
        ratio=1.0,
        allocated=float(len(inside)),
        used=float(sum(inside)),
    )
