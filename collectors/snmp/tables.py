"""What is read of a device: objects by name and OID, a table as ranges of its columns.

Sources: SNMPv2-MIB (RFC 3418), IF-MIB (RFC 2863), IP-MIB (RFC 4293), IPV6-MIB (RFC 2465), ENTITY-MIB
(RFC 6933), TCP-MIB (RFC 4022). Columns next to each other are walked in one go; the rest is not asked for.
"""

from __future__ import annotations

import msgspec

from collectors.snmp.engines import Oid, oid_of

SYSTEM = oid_of("1.3.6.1.2.1.1")
SYS_DESCR = (*SYSTEM, 1, 0)
SYS_OBJECT_ID = (*SYSTEM, 2, 0)
SYS_UPTIME = (*SYSTEM, 3, 0)
SYS_CONTACT = (*SYSTEM, 4, 0)
SYS_NAME = (*SYSTEM, 5, 0)
SYS_LOCATION = (*SYSTEM, 6, 0)
SYS_SERVICES = (*SYSTEM, 7, 0)
SCALARS = (SYS_DESCR, SYS_OBJECT_ID, SYS_UPTIME, SYS_CONTACT, SYS_NAME, SYS_LOCATION, SYS_SERVICES)


class Table(msgspec.Struct, kw_only=True, frozen=True):
    """``columns``: first and last column of each range. ``volatile`` columns stay out of the evidence, so
    that it is the same bytes while nothing but counters has changed."""

    name: str
    entry: Oid
    columns: tuple[tuple[int, int], ...]
    volatile: frozenset[int] = frozenset()

    def ranges(self) -> list[tuple[Oid, Oid]]:
        """(from, to) of each range: instances are greater than ``from`` and less than ``to``."""
        return [((*self.entry, first), (*self.entry, last + 1)) for first, last in self.columns]


IF_TABLE = Table(
    name="ifTable",
    entry=oid_of("1.3.6.1.2.1.2.2.1"),
    columns=((1, 8), (10, 10), (14, 14), (16, 16), (20, 20)),
    volatile=frozenset((10, 14, 16, 20)),
)
IF_X_TABLE = Table(
    name="ifXTable",
    entry=oid_of("1.3.6.1.2.1.31.1.1.1"),
    columns=((1, 1), (6, 6), (10, 10), (15, 15), (18, 18)),
    volatile=frozenset((6, 10)),
)
IP_ADDRESS_TABLE = Table(name="ipAddressTable", entry=oid_of("1.3.6.1.2.1.4.34.1"), columns=((3, 5),))
IPV6_ADDR_TABLE = Table(name="ipv6AddrTable", entry=oid_of("1.3.6.1.2.1.55.1.8.1"), columns=((2, 2),))
IP_ADDR_TABLE = Table(name="ipAddrTable", entry=oid_of("1.3.6.1.2.1.4.20.1"), columns=((2, 3),))
ADDRESS_TABLES = (IP_ADDRESS_TABLE, IPV6_ADDR_TABLE, IP_ADDR_TABLE)
INTERFACE_TABLES = (IF_TABLE, IF_X_TABLE, *ADDRESS_TABLES)

ENTITY_CLASS = Table(name="entPhysicalClass", entry=oid_of("1.3.6.1.2.1.47.1.1.1.1"), columns=((5, 5),))
ENTITY_CHASSIS = 3  # entPhysicalClass chassis(3)
ENTITY_NAME, ENTITY_SOFTWARE, ENTITY_SERIAL, ENTITY_MODEL = 7, 10, 11, 13
ENTITY_TEXTS = (2, ENTITY_NAME, ENTITY_SOFTWARE, ENTITY_SERIAL, ENTITY_MODEL)

TCP_LISTENERS = Table(name="tcpListenerTable", entry=oid_of("1.3.6.1.2.1.6.20.1"), columns=((4, 4),))
TELNET_PORT = 23
TCP_TELNET = Table(  # tcpConnState of 0.0.0.0 port 23 only: the whole table can be very long
    name="tcpConnTable", entry=oid_of("1.3.6.1.2.1.6.13.1.1.0.0.0.0"), columns=((TELNET_PORT, TELNET_PORT),)
)
TCP_LISTEN = 2  # tcpConnState listen(2)

DEVICE_TABLES = (ENTITY_CLASS, TCP_LISTENERS, TCP_TELNET)
