"""Kinds of network equipment, and the interfaces and routes that hosts and devices share."""

from __future__ import annotations

from typing import ClassVar, Literal

from inventory.kinds.address import Address, Family
from inventory.origin import Origin
from inventory.resource import Resource
from inventory.unknown import UNKNOWN, Maybe


class Device(Resource):
    """A piece of network or security equipment, seen from the outside. One per source."""

    KIND: ClassVar[str] = "device"
    TITLE: ClassVar[str] = "网络与安全设备"
    VOLATILE: ClassVar[frozenset[str]] = frozenset({"uptime_seconds"})

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
