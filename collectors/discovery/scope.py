"""Where discovery may go: prefixes, less exclusions. Everything that is sent passes ``Scope.check``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

import msgspec

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
DEFAULT_MOST = 1 << 15  # a /17; a /16 wants to be asked for


class Scope(msgspec.Struct, frozen=True):
    """``prefixes`` that the user gave, and ``excluded`` parts of them."""

    prefixes: tuple[Network, ...]
    excluded: tuple[Network, ...] = ()

    def holds(self, address: Address) -> bool:
        """Whether an address may be touched."""
        return any(address in prefix for prefix in self.prefixes) and not any(
            address in prefix for prefix in self.excluded
        )

    def check(self, address: Address) -> None:
        """Raises ValueError for an address that may not be touched."""
        if not self.holds(address):
            raise ValueError(f"{address} 不在给定的前缀里")


def scope_of(prefixes: Sequence[str], excluded: Sequence[str] = ()) -> Scope:
    """The scope as people write it: prefixes and single addresses. Raises ValueError (中文)."""
    if not prefixes:
        raise ValueError("要写至少一个前缀，例如 10.1.0.0/24")
    return Scope(tuple(_network(text) for text in prefixes), tuple(_network(text) for text in excluded))


def _network(text: str) -> Network:
    try:
        return ip_network(text.strip(), strict=False)
    except ValueError:
        raise ValueError(f"{text[:80]!r} 不是前缀或地址，写成 10.1.0.0/24 或 2001:db8::/32") from None


def swept(scope: Scope, most: int) -> list[Address]:
    """Addresses that a sweep asks: those of the IPv4 prefixes without network and broadcast address, and
    single IPv6 addresses; each once, none excluded. Raises ValueError (中文) where there are more than
    ``most``, before they are counted out."""
    size = sum(prefix.num_addresses for prefix in scope.prefixes if _is_swept(prefix))
    if size > most:
        raise ValueError(f"要探测 {size} 个地址，超过上限 {most}")
    found: dict[Address, None] = {}
    for prefix in scope.prefixes:
        if _is_swept(prefix):
            found.update((address, None) for address in _hosts(prefix) if scope.holds(address))
    return list(found)


def not_swept(scope: Scope) -> list[str]:
    """IPv6 prefixes of the scope: only neighbours in them are asked."""
    return [str(prefix) for prefix in scope.prefixes if not _is_swept(prefix)]


def _is_swept(prefix: Network) -> bool:
    return prefix.version == 4 or prefix.num_addresses == 1


def _hosts(prefix: Network) -> Iterator[Address]:
    return iter(prefix.hosts()) if prefix.num_addresses > 2 else iter(prefix)


def seeds(scope: Scope, told: Iterable[tuple[str, str]]) -> tuple[dict[Address, str], dict[Address, str]]:
    """Neighbours (address, who told of it) inside the scope, and those outside, which are not touched.
    Link-local, multicast and unspecified ones, and what is no address, are left out."""
    inside: dict[Address, str] = {}
    outside: dict[Address, str] = {}
    for text, teller in told:
        try:
            address = ip_address(text)
        except ValueError:
            continue
        if address.is_link_local or address.is_multicast or address.is_unspecified:
            continue
        (inside if scope.holds(address) else outside).setdefault(address, teller)
    return inside, outside
