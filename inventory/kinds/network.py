"""Kinds of network equipment, and the interfaces and routes that hosts and devices share."""

from __future__ import annotations

from typing import ClassVar, Literal

from inventory.kinds.address import Address, Family
from inventory.origin import Origin
from inventory.resource import Nested, Resource
from inventory.unknown import UNKNOWN, Maybe

RoutingProtocol = Literal["bgp", "ospf", "ospfv3"]


class DevicePart(Nested):
    """A power supply or a fan that is plugged in."""

    name: Maybe[str] = UNKNOWN
    working: Maybe[bool] = UNKNOWN


class DeviceNeighbour(Nested):
    """What a neighbour tells of itself on a link (IEEE 802.1AB, Cisco's CDP)."""

    protocol: Maybe[Literal["lldp", "cdp"]] = UNKNOWN
    local_interface: Maybe[str] = UNKNOWN
    system_name: Maybe[str | None] = UNKNOWN
    chassis_id: Maybe[str | None] = UNKNOWN  # a MAC address mostly; of CDP the device id
    port: Maybe[str | None] = UNKNOWN
    platform: Maybe[str | None] = UNKNOWN
    addresses: Maybe[list[str]] = UNKNOWN  # management addresses


class RoutingPeer(Nested):
    """A neighbour of a routing protocol."""

    protocol: Maybe[RoutingProtocol] = UNKNOWN
    family: Maybe[Family] = UNKNOWN  # of the session
    address: Maybe[str] = UNKNOWN
    router_id: Maybe[str | None] = UNKNOWN
    remote_as: Maybe[int | None] = UNKNOWN
    enabled: Maybe[bool] = UNKNOWN  # not shut down by the operator
    established: Maybe[bool] = UNKNOWN  # BGP established, OSPF full or two-way


class OspfInterface(Nested):
    """An interface that speaks OSPF version 2."""

    address: Maybe[str] = UNKNOWN
    active: Maybe[bool] = UNKNOWN
    authentication: Maybe[Literal["none", "password", "digest"]] = UNKNOWN  # RFC 2328 appendix D


class Vlan(Nested):
    """A VLAN that is configured."""

    id: Maybe[int] = UNKNOWN
    name: Maybe[str | None] = UNKNOWN


class StandbyPeer(Nested):
    """What takes over when the device fails. ``name``: of the group, where there are several. ``working``: a
    peer was seen that can take over; ``peer``: its address or role; None = there is none."""

    kind: Maybe[Literal["vrrp", "hsrp", "hrp", "irf", "stack", "chassis_cluster"]] = UNKNOWN
    name: Maybe[str] = UNKNOWN
    working: Maybe[bool] = UNKNOWN
    peer: Maybe[str | None] = UNKNOWN


class LinkGroup(Nested):
    """Lines that carry traffic together. ``lines``: those configured, or seen to one neighbour; ``working``:
    how many of them are up."""

    name: Maybe[str] = UNKNOWN
    lines: Maybe[int] = UNKNOWN
    working: Maybe[int] = UNKNOWN


class Device(Resource):
    """A piece of network or security equipment, seen from the outside. One per source."""

    KIND: ClassVar[str] = "device"
    TITLE: ClassVar[str] = "网络与安全设备"
    VOLATILE: ClassVar[frozenset[str]] = frozenset(
        (
            "uptime_seconds cpu_percent memory_percent temperature_celsius ups_charge_percent "
            "ups_load_percent ups_runtime_minutes arp_entries nd_entries routes_ipv4 routes_ipv6 routes"
        ).split()
    )

    management_address: Maybe[str] = UNKNOWN
    role: Maybe[
        Literal["switch", "router", "firewall", "security", "load_balancer", "ups", "server", "other"]
    ] = UNKNOWN
    vendor: Maybe[str | None] = UNKNOWN  # None = sysObjectID seen, enterprise not in our table
    vendor_origin: Maybe[Origin] = UNKNOWN
    model: Maybe[str | None] = UNKNOWN
    software: Maybe[str | None] = UNKNOWN  # VRP, Comware, IOS …
    version: Maybe[str | None] = UNKNOWN
    serial: Maybe[str | None] = UNKNOWN
    sys_object_id: Maybe[str] = UNKNOWN
    description: Maybe[str] = UNKNOWN  # sysDescr, decoded
    location: Maybe[str] = UNKNOWN
    contact_set: Maybe[bool] = UNKNOWN  # sysContact is not empty (its text is personal and not kept)
    uptime_seconds: Maybe[int] = UNKNOWN
    snmp_version: Maybe[Literal["v1", "v2c", "v3"]] = UNKNOWN  # the one it answered us with
    snmp_security: Maybe[Literal["community", "noAuthNoPriv", "authNoPriv", "authPriv"]] = UNKNOWN
    snmp_default_community: Maybe[bool] = UNKNOWN  # answered to a community from the list of defaults
    snmp_authentication: Maybe[str | None] = UNKNOWN  # SHA256 …; None = none
    snmp_privacy: Maybe[str | None] = UNKNOWN  # AES128 …; None = none
    telnet_enabled: Maybe[bool] = UNKNOWN
    ssh_version1: Maybe[bool] = UNKNOWN  # its SSH server offers version 1, too or alone (RFC 4253 §5.1)
    ssh_modern: Maybe[bool] = UNKNOWN  # a session can be had without the algorithms below
    ssh_legacy_algorithms: Maybe[list[str]] = UNKNOWN  # offered: SHA-1, MD5, CBC, DSA …
    ssh_host_key_verified: Maybe[bool | None] = UNKNOWN  # by us, who read it; None = not read over SSH
    cpu_percent: Maybe[float] = UNKNOWN  # of the busiest processor or board
    memory_percent: Maybe[float] = UNKNOWN  # of the fullest
    temperature_celsius: Maybe[float] = UNKNOWN  # of the hottest sensor
    temperature_ok: Maybe[bool] = UNKNOWN  # the device's own judgement
    power_supplies: Maybe[list[DevicePart]] = UNKNOWN  # never empty: UNKNOWN where none is shown
    fans: Maybe[list[DevicePart]] = UNKNOWN  # likewise
    ups_battery_ok: Maybe[bool] = UNKNOWN
    ups_on_battery: Maybe[bool] = UNKNOWN
    ups_charge_percent: Maybe[int] = UNKNOWN
    ups_load_percent: Maybe[int] = UNKNOWN  # of the most loaded phase
    ups_runtime_minutes: Maybe[int] = UNKNOWN  # on battery, as the UPS estimates
    neighbours: Maybe[list[DeviceNeighbour]] = UNKNOWN
    standbys: Maybe[list[StandbyPeer]] = UNKNOWN  # [] only where the whole configuration shows none
    link_groups: Maybe[list[LinkGroup]] = UNKNOWN  # likewise
    vlans: Maybe[list[Vlan]] = UNKNOWN  # never empty, likewise
    routing_peers: Maybe[list[RoutingPeer]] = UNKNOWN  # of the protocols that were shown
    routing_protocols: Maybe[list[RoutingProtocol]] = UNKNOWN  # those seen to run
    ospf_interfaces: Maybe[list[OspfInterface]] = UNKNOWN
    forwards_ipv4: Maybe[bool] = UNKNOWN
    forwards_ipv6: Maybe[bool] = UNKNOWN
    default_route_ipv4: Maybe[bool] = UNKNOWN
    default_route_ipv6: Maybe[bool] = UNKNOWN
    routes: Maybe[int] = UNKNOWN  # of both families, where the device counts them together
    routes_ipv4: Maybe[int] = UNKNOWN
    routes_ipv6: Maybe[int] = UNKNOWN
    arp_entries: Maybe[int] = UNKNOWN
    nd_entries: Maybe[int] = UNKNOWN
    time_synchronized: Maybe[bool] = UNKNOWN
    log_servers: Maybe[list[str]] = UNKNOWN  # addresses that system messages are sent to
    ipv6_visible: Maybe[bool] = UNKNOWN  # some table shows an IPv6 address; UNKNOWN where no table does


class Interface(Resource):
    """A network interface of a device or host; native id = owner id/ifIndex."""

    KIND: ClassVar[str] = "interface"
    TITLE: ClassVar[str] = "网络接口"
    VOLATILE: ClassVar[frozenset[str]] = frozenset({"in_octets", "out_octets", "in_errors", "out_errors"})

    index: Maybe[int] = UNKNOWN
    description: Maybe[str | None] = UNKNOWN  # ifDescr
    alias: Maybe[str | None] = UNKNOWN  # ifAlias: what the operator wrote
    interface_type: Maybe[int] = UNKNOWN  # IANAifType number
    mac: Maybe[str | None] = UNKNOWN
    mtu: Maybe[int | None] = UNKNOWN
    speed_bps: Maybe[int | None] = UNKNOWN
    admin_up: Maybe[bool] = UNKNOWN
    oper_up: Maybe[bool] = UNKNOWN
    loopback: Maybe[bool] = UNKNOWN
    addresses: Maybe[list[Address]] = UNKNOWN
    ipv6_enabled: Maybe[bool] = UNKNOWN
    advertises_router: Maybe[bool] = UNKNOWN  # sends IPv6 router advertisements (RFC 4861)
    advertises_managed: Maybe[bool] = UNKNOWN  # … with the managed flag: addresses by DHCPv6
    native_vlan: Maybe[int] = UNKNOWN  # PVID: where untagged frames go
    in_octets: Maybe[int] = UNKNOWN
    out_octets: Maybe[int] = UNKNOWN
    in_errors: Maybe[int] = UNKNOWN
    out_errors: Maybe[int] = UNKNOWN


class Route(Resource):
    """A route of a host; native id = owner id/family/destination/gateway/interface/metric."""

    KIND: ClassVar[str] = "route"
    TITLE: ClassVar[str] = "路由"

    family: Maybe[Family] = UNKNOWN
    destination: Maybe[str] = UNKNOWN  # prefix; 0.0.0.0/0 or ::/0 = default
    gateway: Maybe[str | None] = UNKNOWN
    interface: Maybe[str | None] = UNKNOWN
    protocol: Maybe[str | None] = UNKNOWN


FAMILY: tuple[type[Resource], ...] = (Device, Interface, Route)
