"""Addresses that a device has heard of on its links, out of its ARP table and its neighbour cache. Pure.

ipNetToPhysicalTable (RFC 4293), ipNetToMediaTable (RFC 1213) and ipv6NetToMediaTable (RFC 2465): the address
is in the index. ``collect`` only counts these rows; they come and go by the minute and are no inventory.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from ipaddress import IPv4Address, IPv6Address

from collectors.snmp.engines import Oid, Value
from collectors.snmp.tables import ARP, IPV6_NEIGHBOURS, NEIGHBOURS, Table

HEARD = (NEIGHBOURS, ARP, IPV6_NEIGHBOURS)
_INVALID = 2  # of both type columns: the entry holds no more
_SIZES = {1: 4, 2: 16, 3: 4, 4: 16}  # InetAddressType → octets of the address; (3) and (4) have a zone behind


def heard_in(table: Table, rows: Mapping[Oid, Value]) -> Iterator[str]:
    """Addresses in rows of one of the tables; rows that are none, or hold no more, are passed over."""
    size = len(table.entry) + 1
    for oid, kind in rows.items():
        octets = _octets(table, oid[size:])
        if octets and not (kind == _INVALID and table is not IPV6_NEIGHBOURS):
            yield str(IPv4Address(octets) if len(octets) == 4 else IPv6Address(octets))


def _octets(table: Table, index: Oid) -> bytes:
    """The address in an index behind the ifIndex; empty where it is not one."""
    numbers = index[1:]
    if table is NEIGHBOURS:
        size = _SIZES.get(numbers[0], 0) if len(numbers) > 2 else 0
        numbers = numbers[2 : 2 + size] if size else ()
        wanted = size
    else:
        wanted = 4 if table is ARP else 16
        numbers = numbers[-wanted:] if len(numbers) in (wanted, wanted + 1) else ()
    fits = wanted > 0 and len(numbers) == wanted and all(0 <= n <= 255 for n in numbers)
    return bytes(numbers) if fits else b""
