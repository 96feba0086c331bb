"""What names in the DNS lead to, and how far apart the servers of their zones are."""

from __future__ import annotations

from datetime import datetime
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Final

from inventory.kinds.web import Domain
from policies.predicates.contract import Predicate, seen

_GLOBAL_UNICAST: Final = ip_network("2000::/3")  # RFC 4291 §2.4, as far as IANA hands it out
_NOT_FOR_USE: Final = tuple(
    ip_network(prefix)
    for prefix in (
        "2001::/23",  # protocol assignments (RFC 2928): Teredo (RFC 4380), benchmarks, ORCHID
        "2001:db8::/32", "3fff::/20",  # documentation (RFC 3849, RFC 9637)
        "2002::/16",  # 6to4 (RFC 3056), withdrawn by RFC 7526
    )
)  # fmt: skip
_TOLERATED, _FAILED = 0.1, 0.3  # shares by which IPv6 may be slower: values of this program
_FLOOR_MS = 20.0  # below it on both sides, nobody feels a difference


def _usable(address: str) -> bool:
    """Whether an IPv6 address is global unicast of today's internet."""
    parsed = ip_address(address)
    if not isinstance(parsed, IPv6Address) or parsed not in _GLOBAL_UNICAST:
        return False
    return not any(parsed in prefix for prefix in _NOT_FOR_USE)


def _sixes(domain: Domain) -> list[str]:
    rows = seen(domain.addresses)
    return [seen(row.address) for row in rows if seen(row.family) == "ipv6"]


def no_global_ipv6(domain: Domain, now: datetime) -> bool:
    """Whether none of its addresses is an IPv6 address that the internet reaches."""
    return not any(_usable(address) for address in _sixes(domain))


def odd_ipv6(domain: Domain, now: datetime) -> bool:
    """Whether one of its IPv6 addresses is such that the internet does not reach it."""
    return not all(_usable(address) for address in _sixes(domain))


def lookup_worse_ipv6(domain: Domain, now: datetime) -> bool:
    """Whether AAAA takes longer than A by more than is tolerated, and less than fails."""
    return _TOLERATED < _degradation(domain) <= _FAILED


def lookup_much_worse_ipv6(domain: Domain, now: datetime) -> bool:
    """Whether AAAA takes so much longer than A that it fails."""
    return _degradation(domain) > _FAILED


def _degradation(domain: Domain) -> float:
    """By which share of A's time AAAA is slower; 0 where both are quick."""
    four, six = seen(domain.lookup_ipv4_ms), seen(domain.lookup_ipv6_ms)
    if max(four, six) <= _FLOOR_MS:
        return 0.0
    return (six - four) / four if four else 0.0


def servers_in_one_prefix(domain: Domain, now: datetime) -> bool:
    """Whether all servers of its zone, two or more, stand in one /24 of IPv4 and one /48 of IPv6."""
    zone = seen(domain.zone)
    for delegation in seen(domain.delegations):
        servers = seen(delegation.servers)
        if seen(delegation.zone) == zone and len(servers) > 1:
            held = [seen(row.address) for server in servers for row in seen(server.addresses)]
            prefixes = {ip_network(f"{a}/{48 if ':' in a else 24}", strict=False) for a in held}
            families = [prefix.version for prefix in prefixes]
            return bool(prefixes) and len(families) == len(set(families))
    return False


_ADDRESSES = ("addresses", "addresses[].address", "addresses[].family")
_TIMES = ("lookup_ipv4_ms", "lookup_ipv6_ms")
_SERVERS = (
    "zone", "delegations", "delegations[].zone", "delegations[].servers", "delegations[].servers[].addresses",
)  # fmt: skip
PREDICATES = tuple(
    Predicate(name=call.__name__, kinds=(Domain,), reads=reads, call=call, purpose=purpose)
    for call, reads, purpose in (
        (no_global_ipv6, _ADDRESSES, "没有全球单播的 IPv6 地址"),
        (odd_ipv6, _ADDRESSES, "有互联网到不了的 IPv6 地址"),
        (lookup_worse_ipv6, _TIMES, "AAAA 解析比 A 慢 10% 至 30%"),
        (lookup_much_worse_ipv6, _TIMES, "AAAA 解析比 A 慢 30% 以上"),
        (servers_in_one_prefix, _SERVERS, "域名服务器都在一个网段"),
    )
)
