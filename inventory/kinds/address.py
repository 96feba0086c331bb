"""Addresses, shared by everything that has one."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Literal

from inventory.resource import Nested
from inventory.unknown import UNKNOWN, Maybe

Family = Literal["ipv4", "ipv6"]
AddressScope = Literal["host", "link", "unique_local", "private", "global"]

_UNIQUE_LOCAL = ip_network("fc00::/7")


class Address(Nested):
    """One address of something; ``prefix_length`` where the source tells it."""

    address: Maybe[str] = UNKNOWN
    family: Maybe[Family] = UNKNOWN
    prefix_length: Maybe[int | None] = UNKNOWN
    scope: Maybe[AddressScope] = UNKNOWN
    floating: Maybe[bool] = UNKNOWN


def address_of(text: str, prefix_length: int | None = None) -> Address:
    """Parse one textual address (a zone such as ``%eth0`` is dropped) and classify it.

    Raises ValueError where it is none. Scopes: RFC 4291 and RFC 4193 for v6; for v4, what
    ``ipaddress`` does not call global (RFC 1918, RFC 6598, documentation prefixes) is "private".
    """
    parsed = ip_address(text.split("%", 1)[0])
    family: Family = "ipv4" if parsed.version == 4 else "ipv6"
    return Address(address=str(parsed), family=family, prefix_length=prefix_length, scope=_scope(parsed))


def _scope(parsed: IPv4Address | IPv6Address) -> AddressScope:
    if parsed.is_loopback:
        return "host"
    if parsed.is_link_local:
        return "link"
    if parsed.version == 6 and parsed in _UNIQUE_LOCAL:
        return "unique_local"
    # not is_private: shared addresses (RFC 6598) are neither private nor global to Python
    return "global" if parsed.is_global else "private"
