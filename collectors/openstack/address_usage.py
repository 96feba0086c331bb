"""How full subnets are: addresses, and floating IPs where the network is external."""

from __future__ import annotations

from collections.abc import Mapping
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


class _External(msgspec.Struct):
    id: str
    external: bool = msgspec.field(name="router:external", default=False)


class _FloatingIp(msgspec.Struct):
    floating_ip_address: str
    floating_network_id: str
    port_id: str | None = None


class Floating(msgspec.Struct):
    """Floating IPs of one external network."""

    addresses: list[str] = msgspec.field(default_factory=list)
    associated: list[str] = msgspec.field(default_factory=list)


def floating(network_pages: list[bytes], pages: list[bytes]) -> dict[str, Floating]:
    """Floating IPs by external network, networks without any included."""
    result = {row.id: Floating() for row in rows(network_pages, "networks", _External)[0] if row.external}
    for row in rows(pages, "floatingips", _FloatingIp)[0]:
        of = result.setdefault(row.floating_network_id, Floating())
        of.addresses.append(row.floating_ip_address)
        if row.port_id:
            of.associated.append(row.floating_ip_address)
    return result


def amounts(pages: list[bytes], pools: Mapping[str, Floating] | None) -> dict[str, list[Amount]]:
    """Subnet id → its amounts. ``pools`` holds the external networks, None unless all networks and
    floating IPs were seen.

    In an external subnet what is used without being a floating IP (gateways of routers, DHCP) counts as
    reserved. Neutron counts an address as used whether its port is up or not.
    """
    result: dict[str, list[Amount]] = {}
    for network in rows(pages, "network_ip_availabilities", _Availability)[0]:
        pool = (pools or {}).get(network.network_id)
        for subnet in network.subnet_ip_availability:
            held = [
                Amount(
                    of="address", total=subnet.total_ips, reserved=0.0, ratio=1.0, allocated=subnet.used_ips
                )
            ]
            if pool is not None and subnet.ip_version == 4:
                held.append(_floating_amount(subnet, pool))
            result[subnet.subnet_id] = held
    return result


def _floating_amount(subnet: _Usage, pool: Floating) -> Amount:
    prefix = ip_network(subnet.cidr, strict=False)
    allocated, associated = (
        float(sum(ip_address(address) in prefix for address in addresses))
        for addresses in (pool.addresses, pool.associated)
    )
    return Amount(
        of="floating_ip",
        total=subnet.total_ips,
        reserved=max(0.0, subnet.used_ips - allocated),
        ratio=1.0,
        allocated=allocated,
        used=associated,
    )
