"""Addresses of interfaces from the three tables that may hold them: ipAddressTable and ipAddrTable (RFC
4293), ipv6AddrTable (RFC 2465). Old devices answer the last two, new ones the first, some of each."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from ipaddress import ip_network

from collectors.snmp import tables as t
from collectors.snmp.engines import Value, oid_of
from collectors.snmp.reading import Answers
from collectors.snmp.texts import address_text
from inventory.kinds.address import Address, address_of

_PREFIX_POINTER = oid_of("1.3.6.1.2.1.4.32.1.5")  # ipAddressPrefixOrigin, its last sub-identifier the length


def addresses_of(answers: Answers) -> list[tuple[int, Address]]:
    """(ifIndex, address) from all three tables; where two show the same one, the one with a prefix."""
    found: dict[tuple[int, str], tuple[int, Address]] = {}
    for reader in (_of_ip_address_table, _of_ipv6_table, _of_ip_addr_table):
        for index, text, length in reader(answers):
            try:
                address = address_of(text, length)
            except ValueError:
                continue
            key = (index, text)
            if key not in found or found[key][1].prefix_length is None:
                found[key] = (index, address)
    return [found[key] for key in sorted(found)]


def ipv6_shown(answers: Answers) -> bool:
    """Whether a table shows an IPv6 address other than that of the host itself."""
    for reader in (_of_ip_address_table, _of_ipv6_table):
        for _, text, _ in reader(answers):
            if ":" in text and address_of(text).scope != "host":
                return True
    return False


def _of_ip_address_table(answers: Answers) -> Iterator[tuple[int, str, int | None]]:
    """ipAddressTable, RFC 4293: the index is type, length, octets; broadcast(3) is no address of ours."""
    kinds = answers.column(t.IP_ADDRESS_TABLE, 4)
    prefixes = answers.column(t.IP_ADDRESS_TABLE, 5)
    for index, interface in answers.column(t.IP_ADDRESS_TABLE, 3).items():
        text = address_text(index[2:]) if len(index) > 2 and index[1] == len(index) - 2 else None
        if text is None or not isinstance(interface, int) or kinds.get(index) == 3:
            continue
        pointer, length = prefixes.get(index), None
        if isinstance(pointer, str):
            try:
                oid = oid_of(pointer)
            except ValueError:
                oid = ()
            if oid[: len(_PREFIX_POINTER)] == _PREFIX_POINTER:
                length = _length(oid[-1], 128 if ":" in text else 32)
        yield interface, text, length


def _of_ipv6_table(answers: Answers) -> Iterator[tuple[int, str, int | None]]:
    """ipv6AddrTable, RFC 2465: the index is ipv6IfIndex (in practice the ifIndex) and 16 octets, before
    which some agents put their number."""
    for index, length in answers.column(t.IPV6_ADDR_TABLE, 2).items():
        octets = index[2:] if len(index) == 18 and index[1] == 16 else index[1:]
        text = address_text(octets) if len(octets) == 16 else None
        if text is not None:
            yield index[0], text, _length(length, 128)


def _of_ip_addr_table(answers: Answers) -> Iterator[tuple[int, str, int | None]]:
    """ipAddrTable, RFC 4293: IPv4 only, the index is the address, the mask has a column."""
    masks = answers.column(t.IP_ADDR_TABLE, 3)
    for index, interface in answers.column(t.IP_ADDR_TABLE, 2).items():
        text = address_text(index) if len(index) == 4 else None
        if text is None or not isinstance(interface, int):
            continue
        mask = masks.get(index)
        yield interface, text, _mask_length(mask) if isinstance(mask, str) else None


@functools.lru_cache(maxsize=256)
def _mask_length(mask: str) -> int | None:
    try:
        return ip_network(f"0.0.0.0/{mask}").prefixlen
    except ValueError:
        return None


def _length(value: Value, most: int) -> int | None:
    return value if isinstance(value, int) and 0 <= value <= most else None
