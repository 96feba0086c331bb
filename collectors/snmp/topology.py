"""What a device says of others: neighbours on its links, routing peers, VLANs, routes, ARP and ND. Pure
functions over the answers.

An empty table tells nothing where nothing else shows that the device keeps it: then the field stays
unknown. A list from a table that broke off stays unknown too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Literal

from collectors.neighbours import edges
from collectors.snmp import tables as t
from collectors.snmp import vendor_tables as v
from collectors.snmp.engines import Oid, Value
from collectors.snmp.reading import Answers
from collectors.snmp.tables import Table
from collectors.snmp.texts import address_text, number, text_of, truth
from inventory.kinds.network import Device, DeviceNeighbour, OspfInterface, RoutingPeer, RoutingProtocol, Vlan
from inventory.unknown import UNKNOWN, Maybe, known

_LLDP_MAC, _LLDP_PORT_MAC, _LLDP_ADDRESS = 4, 3, 5  # LldpChassisIdSubtype, LldpPortIdSubtype
_ESTABLISHED = 6  # bgpPeerState
_OSPF_FULL = (4, 8)  # ospfNbrState twoWay(4) with routers that are not designated, full(8)
_OSPF_DOWN = 1  # ospfIfState
_AUTHENTICATION: dict[Value, Literal["none", "password", "digest"]] = {0: "none", 1: "password", 2: "digest"}
_ENABLED = 1  # ospfAdminStat, ospfv3AdminStatus
_INVALID = 2  # type of an ARP or ND entry: invalid(2)
_MOST_ROUTES = 10_000_000
_RESERVED_VLANS = range(1002, 1006)  # vtpVlanTable lists those of token ring and FDDI always

Clean = Callable[[str], str]


def set_surroundings(device: Device, answers: Answers, clean: Clean, targets: dict[str, str]) -> None:
    """Set neighbours with their edges, peers, VLANs, routes and entries. ``targets``: address or lower
    case name → target of the same source, which an edge can point to."""
    device.neighbours = _neighbours(answers, clean)
    if known(device.neighbours):
        device.relations += edges(device, device.neighbours, targets)
    device.vlans = _vlans(answers, clean)
    device.ospf_interfaces = _ospf_interfaces(answers)
    _set_peers(device, answers)
    _set_routes(device, answers)


def _neighbours(answers: Answers, clean: Clean) -> Maybe[list[DeviceNeighbour]]:
    if not answers.whole(*_asked(answers, t.LLDP_REMOTE, t.LLDP_ADDRESSES, v.CDP)):
        return UNKNOWN
    found = [*_lldp(answers, clean), *_cdp(answers, clean)]
    speaks = t.LLDP_CHASSIS in answers.objects or answers.objects.get(v.CDP_RUNS) == 1
    if not found and not speaks:
        return UNKNOWN
    return sorted(found, key=lambda n: (str(n.local_interface), str(n.chassis_id), str(n.port)))


def _asked(answers: Answers, *tables: Table) -> list[Table]:
    """Those of the tables that this vendor's devices are asked for."""
    return [table for table in tables if table.name in answers.walks]


def _lldp(answers: Answers, clean: Clean) -> Iterator[DeviceNeighbour]:
    """lldpRemTable; its index is time mark, local port, number. The management addresses are the index of
    another table: the same three, then subtype, length, octets."""
    columns = answers.columns(t.LLDP_REMOTE)
    addresses: dict[Oid, list[str]] = {}
    for index in answers.column(t.LLDP_ADDRESSES, 3):
        text = address_text(index[5:]) if len(index) > 5 and index[4] == len(index) - 5 else None
        if text is not None:
            addresses.setdefault(index[:3], []).append(text)
    ports = answers.columns(t.LLDP_LOCAL_PORTS)
    for index, chassis in sorted(columns.get(5, {}).items()):
        if len(index) != 3:
            continue
        kind, port_kind, port, port_text, name = (columns.get(n, {}).get(index) for n in (4, 6, 7, 8, 9))
        yield DeviceNeighbour(
            protocol="lldp",
            local_interface=clean(_lldp_port(ports, index[1])),
            system_name=_text(name, clean),
            chassis_id=_identity(chassis, kind == _LLDP_MAC, clean),
            port=_identity(port, port_kind == _LLDP_PORT_MAC, clean) or _text(port_text, clean),
            addresses=sorted(addresses.get(index, [])),
        )


def _lldp_port(ports: dict[int, dict[Oid, Value]], local: int) -> str:
    """Name of a local port: lldpLocPortId where it is a name, else lldpLocPortDesc, else its number."""
    kind, port, text = (ports.get(n, {}).get((local,)) for n in (2, 3, 4))
    if kind in (1, 5, 7) and isinstance(port, bytes):  # interfaceAlias, interfaceName, local
        name = text_of(port)
        if name and not name.isdecimal():
            return name
    return text_of(text) or str(local)


def _identity(value: Value, is_mac: bool, clean: Clean) -> str | None:
    if not isinstance(value, bytes):
        return None
    if is_mac and len(value) == 6:
        return value.hex(":")
    return clean(text_of(value) or "") or None


def _text(value: Value, clean: Clean) -> str | None:
    text = text_of(value)
    return clean(text) or None if text else None


def _cdp(answers: Answers, clean: Clean) -> Iterator[DeviceNeighbour]:
    """cdpCacheTable; its index is ifIndex and a number, its addresses are octets (type ip(1))."""
    columns = answers.columns(v.CDP)
    names = answers.column(t.IF_X_TABLE, 1) or answers.column(t.IF_TABLE, 2)
    for index, device_id in sorted(columns.get(6, {}).items()):
        kind, address, port, platform = (columns.get(n, {}).get(index) for n in (3, 4, 7, 8))
        at = address_text(tuple(address)) if kind == 1 and isinstance(address, bytes) else None
        name = _text(device_id, clean)
        yield DeviceNeighbour(
            protocol="cdp",
            local_interface=_text(names.get(index[:1]), clean) or str(index[0]),
            system_name=name,
            chassis_id=name,
            port=_text(port, clean),
            platform=_text(platform, clean),
            addresses=[at] if at else [],
        )


def _vlans(answers: Answers, clean: Clean) -> Maybe[list[Vlan]]:
    """dot1qVlanStaticTable, or Cisco's vtpVlanTable (index: management domain, VLAN)."""
    if not answers.whole(*_asked(answers, t.VLANS, v.CISCO_VLANS)):
        return UNKNOWN
    names = {index[0]: value for index, value in answers.column(t.VLANS, 1).items() if len(index) == 1}
    for index, value in answers.column(v.CISCO_VLANS, 4).items():
        if len(index) == 2 and index[1] not in _RESERVED_VLANS:
            names.setdefault(index[1], value)
    vlans = [Vlan(id=n, name=_text(names[n], clean)) for n in sorted(names) if 0 < n < 4095]
    return vlans or UNKNOWN


def _ospf_interfaces(answers: Answers) -> Maybe[list[OspfInterface]]:
    """ospfIfTable; its index is the address, and the ifIndex where it has none."""
    columns = answers.columns(t.OSPF_INTERFACES)
    if not answers.whole(t.OSPF_INTERFACES) or not columns:
        return [] if answers.objects.get(t.OSPF_ADMIN) == 2 else UNKNOWN
    found = []
    for index, state in sorted(columns.get(12, {}).items()):
        if len(index) != 5:
            continue
        found.append(
            OspfInterface(
                address=address_text(index[:4]) or f"ifIndex {index[4]}",
                active=state != _OSPF_DOWN if isinstance(state, int) else UNKNOWN,
                authentication=_AUTHENTICATION.get(columns.get(20, {}).get(index), UNKNOWN),
            )
        )
    return found


def _set_peers(device: Device, answers: Answers) -> None:
    tables = (
        *(t.BGP_PEERS, t.OSPF_NEIGHBOURS, t.OSPFV3_NEIGHBOURS, v.CISCO_BGP, v.JUNIPER_BGP),
        *(v.HUAWEI_BGP, v.H3C_BGP, v.H3C_BGP_IPV6),
    )
    if answers.unread or not answers.whole(*_asked(answers, *tables)):
        return
    peers = {(p.protocol, p.address): p for reader in _PEERS for p in reader(answers)}
    protocols: set[RoutingProtocol] = {p.protocol for p in peers.values() if isinstance(p.protocol, str)}
    local_as = answers.objects.get(t.BGP_LOCAL_AS)
    if isinstance(local_as, int) and local_as > 0:
        protocols.add("bgp")
    if answers.objects.get(t.OSPF_ADMIN) == _ENABLED:
        protocols.add("ospf")
    if answers.objects.get(t.OSPFV3_ADMIN) == _ENABLED:
        protocols.add("ospfv3")
    shown = [oid for oid in (t.BGP_LOCAL_AS, t.OSPF_ADMIN, t.OSPFV3_ADMIN) if oid in answers.objects]
    if not protocols and not shown:
        return
    device.routing_protocols = sorted(protocols)
    device.routing_peers = [peers[key] for key in sorted(peers, key=str)]


def _bgp(answers: Answers) -> Iterator[RoutingPeer]:
    """bgpPeerTable, RFC 4273: IPv4 only, the index is the address."""
    columns = answers.columns(t.BGP_PEERS)
    for index, state in columns.get(2, {}).items():
        address = address_text(index) if len(index) == 4 else None
        if address:
            yield _bgp_peer(address, state, columns.get(3, {}).get(index), columns.get(9, {}).get(index))


def _bgp_cisco(answers: Answers) -> Iterator[RoutingPeer]:
    """cbgpPeer2Table: both families, the index is type, length, octets."""
    columns = answers.columns(v.CISCO_BGP)
    for index, state in columns.get(3, {}).items():
        address = address_text(index[2:]) if len(index) > 2 and index[1] == len(index) - 2 else None
        if address:
            yield _bgp_peer(address, state, columns.get(4, {}).get(index), columns.get(11, {}).get(index))


def _bgp_huawei(answers: Answers) -> Iterator[RoutingPeer]:
    """hwBgpPeerTable: both families; a row for each address family and VPN of a peer, whose address comes
    last in the index, after VPN, AFI, SAFI, type and length."""
    numbers = answers.column(v.HUAWEI_BGP, 2)
    for index, state in answers.column(v.HUAWEI_BGP, 5).items():
        if address := _last_address(index, 5):
            yield _bgp_peer(address, state, None, numbers.get(index))


def _bgp_h3c(answers: Answers) -> Iterator[RoutingPeer]:
    """hh3cBgpPeerAddrFamilyTable names the peers of both families and not their state (the index is
    instance, VPN, AFI, SAFI, type, length, octets); hh3cBgp4v2PeerTable has it for IPv6 (sixteen octets)."""
    for index in answers.column(v.H3C_BGP, 7):
        if address := _last_address(index, 6):
            yield _bgp_peer(address, None, None, None)
    for index, state in answers.column(v.H3C_BGP_IPV6, 3).items():
        octets = index[1:] if len(index) == 17 and index[0] == 16 else index
        address = address_text(octets) if len(octets) == 16 else None
        if address:
            yield _bgp_peer(address, state, None, None)


def _last_address(index: Oid, at: int) -> str | None:
    """The address an index ends with, after its length."""
    return address_text(index[at:]) if len(index) > at and index[at - 1] == len(index) - at else None


def _bgp_juniper(answers: Answers) -> Iterator[RoutingPeer]:
    """jnxBgpM2PeerTable: both families, the address in a column."""
    columns = answers.columns(v.JUNIPER_BGP)
    for index, state in columns.get(2, {}).items():
        raw = columns.get(11, {}).get(index)
        address = address_text(tuple(raw)) if isinstance(raw, bytes) else None
        if address:
            yield _bgp_peer(address, state, columns.get(3, {}).get(index), columns.get(13, {}).get(index))


def _bgp_peer(address: str, state: Value, admin: Value, remote_as: Value) -> RoutingPeer:
    """``admin``: stop(1), start(2) (halted, running in Juniper's)."""
    return RoutingPeer(
        protocol="bgp",
        family="ipv6" if ":" in address else "ipv4",
        address=address,
        remote_as=number(remote_as),
        enabled=admin == 2 if admin in (1, 2) else UNKNOWN,
        established=state == _ESTABLISHED if isinstance(state, int) else UNKNOWN,
    )


def _ospf(answers: Answers) -> Iterator[RoutingPeer]:
    """ospfNbrTable, RFC 4750."""
    routers = answers.column(t.OSPF_NEIGHBOURS, 3)
    for index, state in answers.column(t.OSPF_NEIGHBOURS, 6).items():
        address = address_text(index[:4]) if len(index) == 5 else None
        router = routers.get(index)
        if address and isinstance(state, int):
            yield RoutingPeer(
                protocol="ospf",
                family="ipv4",
                address=address,
                router_id=router if isinstance(router, str) else UNKNOWN,
                established=state in _OSPF_FULL,
            )


def _ospfv3(answers: Answers) -> Iterator[RoutingPeer]:
    """ospfv3NbrTable, RFC 5643: the index is ifIndex, instance, router id."""
    addresses = answers.column(t.OSPFV3_NEIGHBOURS, 5)
    for index, state in answers.column(t.OSPFV3_NEIGHBOURS, 8).items():
        raw = addresses.get(index)
        address = address_text(tuple(raw)) if isinstance(raw, bytes) else None
        if len(index) != 3 or not isinstance(state, int):
            continue
        router = index[2].to_bytes(4, "big") if index[2] <= 0xFFFFFFFF else b""
        yield RoutingPeer(
            protocol="ospfv3",
            family="ipv6",
            address=address or f"ifIndex {index[0]}, {index[2]}",
            router_id=".".join(map(str, router)) or UNKNOWN,
            established=state in _OSPF_FULL,
        )


_PEERS: tuple[Callable[[Answers], Iterator[RoutingPeer]], ...] = (
    # of two that tell of the same peer the later counts: what tells more comes later
    *(_bgp_h3c, _bgp_huawei, _bgp, _bgp_cisco, _bgp_juniper, _ospf, _ospfv3),
)


def _set_routes(device: Device, answers: Answers) -> None:
    forwarding = answers.objects.get(t.IP_FORWARDING)
    device.forwards_ipv4 = truth(forwarding)  # forwarding(1), notForwarding(2)
    device.forwards_ipv6 = truth(
        answers.objects.get(t.IPV6_FORWARDING, answers.objects.get(t.IPV6_FORWARDING_OLD))
    )
    device.routes = _count(answers.objects.get(t.ROUTES))
    device.routes_ipv4 = _count(_first_of(answers, t.ROUTES_IPV4))
    device.routes_ipv6 = _count(answers.objects.get(t.ROUTES_IPV6))
    ipv4, ipv6 = t.DEFAULT_ROUTES
    counted = any(known(n) and n > 0 for n in (device.routes, device.routes_ipv4))
    if t.IP_ROUTE_DEFAULT in answers.objects or any(answers.rows(table) for table in ipv4):
        device.default_route_ipv4 = True
    elif counted and answers.whole(*ipv4):
        device.default_route_ipv4 = False
    if any(answers.rows(table) for table in ipv6):  # none shown is no evidence of none
        device.default_route_ipv6 = True
    device.arp_entries, device.nd_entries = _entries(answers, 4), _entries(answers, 6)


def _first_of(answers: Answers, oids: Sequence[Oid]) -> Value:
    """The first of some instances that the device has."""
    return next((answers.objects[oid] for oid in oids if oid in answers.objects), None)


def _count(value: Value) -> Maybe[int]:
    """A number of routes; some agents have their octets the wrong way round."""
    return value if isinstance(value, int) and 0 <= value <= _MOST_ROUTES else UNKNOWN


def _entries(answers: Answers, version: int) -> Maybe[int]:
    """Rows of the ARP (4) or the neighbour cache (6), of the new and the old table together."""
    old = t.ARP if version == 4 else t.IPV6_NEIGHBOURS
    if not answers.whole(old, t.NEIGHBOURS):
        return UNKNOWN
    found: set[Oid] = set()  # ifIndex and octets
    address_type = 1 if version == 4 else 2  # InetAddressType ipv4(1), ipv6(2)
    for index, kind in answers.column(t.NEIGHBOURS, 6).items():
        if len(index) > 3 and index[1] == address_type and kind != _INVALID:
            found.add((index[0], *index[3:]))
    for index, kind in answers.column(old, old.columns[0][0]).items():
        if version == 6 or kind != _INVALID:
            found.add((index[0], *index[2:]) if len(index) == 18 else index)
    return len(found) if found else UNKNOWN
