"""Where requests may go, and whether this machine has a way there."""

from __future__ import annotations

import socket
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

_NAT64 = ip_network("64:ff9b::/96")


def public(address: str) -> bool:
    """Whether an address is one of the public internet; one that carries an IPv4 address (mapped, 6to4,
    NAT64) is judged by that."""
    parsed = ip_address(address.split("%", 1)[0])
    inner = _inner(parsed) if isinstance(parsed, IPv6Address) else None
    return (inner or parsed).is_global and not parsed.is_multicast


def _inner(address: IPv6Address) -> IPv4Address | None:
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour


def routed(address: str) -> bool:
    """Whether this machine has a route to an address and an address of its own to send from: connecting a
    datagram socket asks the routing table and sends nothing. A link-local source reaches no other network."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as asked:
            asked.connect((address, 9))
            source = ip_address(asked.getsockname()[0].split("%", 1)[0])
    except OSError:
        return False
    return not source.is_link_local or ip_address(address.split("%", 1)[0]).is_link_local
