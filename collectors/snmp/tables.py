"""What is read of a device: objects by name and OID, a table as ranges of its columns.

Sources: SNMPv2-MIB (RFC 3418), IF-MIB (RFC 2863), IP-MIB (RFC 4293), IPV6-MIB (RFC 2465), ENTITY-MIB (RFC
6933), TCP-MIB (RFC 4022), LLDP-MIB (IEEE 802.1AB-2005), Q-BRIDGE-MIB (RFC 4363), IP-FORWARD-MIB (RFC 4292),
BGP4-MIB (RFC 4273), OSPF-MIB (RFC 4750), OSPFV3-MIB (RFC 5643), VRRP-MIB (RFC 2787), VRRPV3-MIB (RFC 6527),
HOST-RESOURCES-MIB (RFC 2790), ENTITY-SENSOR-MIB (RFC 3433), UPS-MIB (RFC 1628), NTPv4-MIB (RFC 5907),
UCD-SNMP-MIB. Columns next to each other are walked in one go; the rest is not asked for, and never a column
that holds a key (ospfIfAuthKey).
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
    that it is the same bytes while nothing but counters has changed; a table with ``evidence`` False, of
    which only the number of rows counts, stays out as a whole."""

    name: str
    entry: Oid
    columns: tuple[tuple[int, int], ...]
    volatile: frozenset[int] = frozenset()
    evidence: bool = True

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

ENTITY_CLASS = Table(name="entPhysicalClass", entry=oid_of("1.3.6.1.2.1.47.1.1.1.1"), columns=((5, 5),))
ENTITY_CHASSIS, ENTITY_POWER, ENTITY_FAN, ENTITY_MODULE = 3, 6, 7, 9  # entPhysicalClass
ENTITY_NAME, ENTITY_SOFTWARE, ENTITY_SERIAL, ENTITY_MODEL = 7, 10, 11, 13
ENTITY_TEXTS = (2, ENTITY_NAME, ENTITY_SOFTWARE, ENTITY_SERIAL, ENTITY_MODEL)

TCP_LISTENERS = Table(name="tcpListenerTable", entry=oid_of("1.3.6.1.2.1.6.20.1"), columns=((4, 4),))
TELNET_PORT = 23
TCP_TELNET = Table(  # tcpConnState of 0.0.0.0 port 23 only: the whole table can be very long
    name="tcpConnTable", entry=oid_of("1.3.6.1.2.1.6.13.1.1.0.0.0.0"), columns=((TELNET_PORT, TELNET_PORT),)
)
TCP_LISTEN = 2  # tcpConnState listen(2)

IPV6_INTERFACES = Table(
    name="ipv6InterfaceTable", entry=oid_of("1.3.6.1.2.1.4.30.1"), columns=((5, 5), (8, 8))
)
IPV6_IF_TABLE = Table(name="ipv6IfTable", entry=oid_of("1.3.6.1.2.1.55.1.5.1"), columns=((9, 9),))
ROUTER_ADVERTS = Table(
    name="ipv6RouterAdvertTable", entry=oid_of("1.3.6.1.2.1.4.39.1"), columns=((2, 2), (5, 6))
)
PORT_INTERFACE = Table(name="dot1dBasePortTable", entry=oid_of("1.3.6.1.2.1.17.1.4.1"), columns=((2, 2),))
PORT_VLAN = Table(name="dot1qPortVlanTable", entry=oid_of("1.3.6.1.2.1.17.7.1.4.5.1"), columns=((1, 1),))
INTERFACE_TABLES = (
    IF_TABLE,
    IF_X_TABLE,
    *ADDRESS_TABLES,
    IPV6_INTERFACES,
    IPV6_IF_TABLE,
    ROUTER_ADVERTS,
    PORT_INTERFACE,
    PORT_VLAN,
)

ARP = Table(name="ipNetToMediaTable", entry=oid_of("1.3.6.1.2.1.4.22.1"), columns=((4, 4),), evidence=False)
NEIGHBOURS = Table(
    name="ipNetToPhysicalTable", entry=oid_of("1.3.6.1.2.1.4.35.1"), columns=((6, 6),), evidence=False
)
IPV6_NEIGHBOURS = Table(
    name="ipv6NetToMediaTable", entry=oid_of("1.3.6.1.2.1.55.1.12.1"), columns=((3, 3),), evidence=False
)
_ANY_IPV4, _ANY_IPV6 = (0, 0, 0, 0), (0,) * 16
DEFAULT_ROUTES = (  # ranges that hold the routes to 0.0.0.0/0 and ::/0 and no others; IPv4, then IPv6
    (
        Table(
            name="inetCidrRouteTable 0.0.0.0/0",
            entry=(*oid_of("1.3.6.1.2.1.4.24.7.1.7"), 1, 4, *_ANY_IPV4),
            columns=((0, 0),),
        ),
        Table(
            name="ipCidrRouteTable 0.0.0.0/0",
            entry=(*oid_of("1.3.6.1.2.1.4.24.4.1.5"), *_ANY_IPV4, *_ANY_IPV4[1:]),
            columns=((0, 0),),
        ),
    ),
    (
        Table(
            name="inetCidrRouteTable ::/0",
            entry=(*oid_of("1.3.6.1.2.1.4.24.7.1.7"), 2, 16, *_ANY_IPV6),
            columns=((0, 0),),
        ),
        Table(
            name="ipv6RouteTable ::/0",
            entry=(*oid_of("1.3.6.1.2.1.55.1.11.1.4"), *_ANY_IPV6),
            columns=((0, 0),),
        ),
    ),
)
LLDP_LOCAL_PORTS = Table(
    name="lldpLocPortTable", entry=oid_of("1.0.8802.1.1.2.1.3.7.1"), columns=((2, 4),), evidence=False
)
LLDP_REMOTE = Table(name="lldpRemTable", entry=oid_of("1.0.8802.1.1.2.1.4.1.1"), columns=((4, 9),))
LLDP_ADDRESSES = Table(name="lldpRemManAddrTable", entry=oid_of("1.0.8802.1.1.2.1.4.2.1"), columns=((3, 3),))
VLANS = Table(name="dot1qVlanStaticTable", entry=oid_of("1.3.6.1.2.1.17.7.1.4.3.1"), columns=((1, 1),))
BGP_PEERS = Table(name="bgpPeerTable", entry=oid_of("1.3.6.1.2.1.15.3.1"), columns=((2, 3), (9, 9)))
OSPF_INTERFACES = Table(name="ospfIfTable", entry=oid_of("1.3.6.1.2.1.14.7.1"), columns=((12, 12), (20, 20)))
OSPF_NEIGHBOURS = Table(name="ospfNbrTable", entry=oid_of("1.3.6.1.2.1.14.10.1"), columns=((3, 3), (6, 6)))
OSPFV3_NEIGHBOURS = Table(
    name="ospfv3NbrTable", entry=oid_of("1.3.6.1.2.1.191.1.9.1"), columns=((5, 5), (8, 8))
)
VRRP = Table(  # state, admin state, master's address; RFC 2787
    name="vrrpOperTable", entry=oid_of("1.3.6.1.2.1.68.1.3.1"), columns=((3, 4), (7, 7))
)
VRRPV3 = Table(  # master's address, status; RFC 6527
    name="vrrpv3OperationsTable", entry=oid_of("1.3.6.1.2.1.207.1.1.1.1"), columns=((3, 3), (6, 6))
)
SENSORS = Table(
    name="entPhySensorTable", entry=oid_of("1.3.6.1.2.1.99.1.1.1"), columns=((1, 5),), evidence=False
)
PROCESSORS = Table(
    name="hrProcessorTable", entry=oid_of("1.3.6.1.2.1.25.3.3.1"), columns=((2, 2),), evidence=False
)
UPS_OUTPUT = Table(
    name="upsOutputTable", entry=oid_of("1.3.6.1.2.1.33.1.4.4.1"), columns=((5, 5),), evidence=False
)
DEVICE_TABLES = (
    ENTITY_CLASS,
    TCP_LISTENERS,
    TCP_TELNET,
    *DEFAULT_ROUTES[0],
    *DEFAULT_ROUTES[1],
    LLDP_LOCAL_PORTS,
    LLDP_REMOTE,
    LLDP_ADDRESSES,
    VLANS,
    BGP_PEERS,
    OSPF_INTERFACES,
    OSPF_NEIGHBOURS,
    OSPFV3_NEIGHBOURS,
    VRRP,
    VRRPV3,
    SENSORS,
    PROCESSORS,
    UPS_OUTPUT,
)
COUNTED_TABLES = (ARP, NEIGHBOURS, IPV6_NEIGHBOURS)  # can be very long: read last, and none has to end

# single instances, besides the system group
IP_FORWARDING = oid_of("1.3.6.1.2.1.4.1.0")
IPV6_FORWARDING = oid_of("1.3.6.1.2.1.4.25.0")
IPV6_FORWARDING_OLD = oid_of("1.3.6.1.2.1.55.1.1.0")
ROUTES_IPV4 = (
    oid_of("1.3.6.1.2.1.4.24.3.0"),
    oid_of("1.3.6.1.2.1.4.24.1.0"),
)  # ipCidrRoute…, ipForwardNumber
IP_ROUTE_DEFAULT = oid_of("1.3.6.1.2.1.4.21.1.7.0.0.0.0")  # next hop of the old ipRouteTable (RFC 1213)
ROUTES_IPV6 = oid_of("1.3.6.1.2.1.55.1.9.0")
ROUTES = oid_of("1.3.6.1.2.1.4.24.6.0")  # inetCidrRouteNumber, both families
LLDP_CHASSIS = oid_of("1.0.8802.1.1.2.1.3.2.0")
BGP_LOCAL_AS = oid_of("1.3.6.1.2.1.15.2.0")
OSPF_ADMIN = oid_of("1.3.6.1.2.1.14.1.2.0")
OSPFV3_ADMIN = oid_of("1.3.6.1.2.1.191.1.1.2.0")
NTP_MODE = oid_of("1.3.6.1.2.1.197.1.2.1.0")
UPS_MANUFACTURER = oid_of("1.3.6.1.2.1.33.1.1.1.0")
UPS_MODEL = oid_of("1.3.6.1.2.1.33.1.1.2.0")
UPS_SOFTWARE = oid_of("1.3.6.1.2.1.33.1.1.3.0")
UPS_BATTERY_STATUS = oid_of("1.3.6.1.2.1.33.1.2.1.0")
UPS_MINUTES = oid_of("1.3.6.1.2.1.33.1.2.3.0")
UPS_CHARGE = oid_of("1.3.6.1.2.1.33.1.2.4.0")
UPS_SOURCE = oid_of("1.3.6.1.2.1.33.1.4.1.0")
UCD_MEMORY = tuple(
    oid_of(f"1.3.6.1.4.1.2021.4.{n}.0") for n in (5, 6, 14, 15)
)  # total, free, buffers, cached
OBJECTS = (
    *(IP_FORWARDING, IPV6_FORWARDING, IPV6_FORWARDING_OLD, *ROUTES_IPV4, ROUTES_IPV6, ROUTES),
    *(IP_ROUTE_DEFAULT, LLDP_CHASSIS, BGP_LOCAL_AS, OSPF_ADMIN, OSPFV3_ADMIN, NTP_MODE),
    *(UPS_MANUFACTURER, UPS_MODEL, UPS_SOFTWARE, UPS_BATTERY_STATUS, UPS_MINUTES, UPS_CHARGE, UPS_SOURCE),
    *UCD_MEMORY,
)
VOLATILE_OBJECTS = frozenset((*ROUTES_IPV4, ROUTES_IPV6, ROUTES, UPS_MINUTES, UPS_CHARGE, *UCD_MEMORY))
