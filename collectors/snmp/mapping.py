"""From SNMP answers to resources: pure functions.

The answers are hostile input: texts are decoded, stripped of control characters and cut; values of the
wrong type count as not seen; an index that does not parse is left out.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Literal

import msgspec

from collectors.snmp import tables as t
from collectors.snmp.addresses import addresses_of, ipv6_shown
from collectors.snmp.engines import Oid, Value, Version
from collectors.snmp.health import set_health
from collectors.snmp.identity import identify
from collectors.snmp.reading import Answers
from collectors.snmp.services import set_services
from collectors.snmp.standby import standbys
from collectors.snmp.texts import first_number, mac_text, number, text_of, truth
from collectors.snmp.topology import set_surroundings
from inventory.kinds.address import Address
from inventory.kinds.network import Device, Interface
from inventory.resource import Relation, uid_of
from inventory.unknown import UNKNOWN, Maybe, known

_LOOPBACK = 24  # softwareLoopback, IANAifType
_SPEED_OVERFLOW = 0xFFFFFFFF  # ifSpeed: see ifHighSpeed


class Access(msgspec.Struct, kw_only=True, frozen=True):
    """How we reached the device: facts about its management that no object of it tells."""

    version: Version
    authentication: str | None
    privacy: str | None
    default_community: Maybe[bool] = UNKNOWN
    address: Maybe[str] = UNKNOWN

    @property
    def security(self) -> Literal["community", "noAuthNoPriv", "authNoPriv", "authPriv"]:
        if self.version != "v3":
            return "community"
        if self.authentication is None:
            return "noAuthNoPriv"
        return "authNoPriv" if self.privacy is None else "authPriv"


def device_of(
    source: str,
    target: str,
    labels: dict[str, str],
    access: Access,
    answers: Answers,
    *,
    clean: Callable[[str], str] = str,
    targets: dict[str, str] | None = None,
) -> Device:
    """The device of a target. ``clean`` masks secrets in texts; ``targets``: see ``set_surroundings``."""
    scalars = answers.scalars

    def text(oid: Oid) -> Maybe[str]:
        found = text_of(scalars.get(oid))
        return UNKNOWN if found is None else clean(found)

    name, description = text(t.SYS_NAME), text(t.SYS_DESCR)
    contact = text_of(scalars.get(t.SYS_CONTACT))
    uptime = scalars.get(t.SYS_UPTIME)
    device = Device(
        source=source,
        native_id=target,
        scope=target,
        labels=dict(labels),
        name=name if known(name) and name else target,
        management_address=access.address,
        description=description,
        location=text(t.SYS_LOCATION),
        contact_set=UNKNOWN if contact is None else bool(contact),
        uptime_seconds=uptime // 100 if isinstance(uptime, int) else UNKNOWN,
        snmp_version=access.version,
        snmp_security=access.security,
        snmp_default_community=access.default_community,
        snmp_authentication=access.authentication,
        snmp_privacy=access.privacy,
        telnet_enabled=_telnet(answers),
        ssh_host_key_verified=None,
        ipv6_visible=_ipv6_visible(answers),
    )
    identify(device, answers, clean)
    set_health(device, answers)
    set_services(device, answers)
    device.standbys = standbys(answers)
    set_surroundings(device, answers, clean, targets or {})
    return device


def _telnet(answers: Answers) -> Maybe[bool]:
    """True where a listener on port 23 is shown. Not shown is not evidence: many systems leave their
    management services out of these tables."""
    listeners = answers.rows(t.TCP_LISTENERS)
    if any(oid[-1] == t.TELNET_PORT for oid in listeners):
        return True
    return True if t.TCP_LISTEN in answers.rows(t.TCP_TELNET).values() else UNKNOWN


def _ipv6_visible(answers: Answers) -> Maybe[bool]:
    """True where a table shows an IPv6 address other than ::1; never False (RFC 4293 and RFC 2465 tables
    may both be missing on a device that runs IPv6)."""
    return True if ipv6_shown(answers) else UNKNOWN


def interfaces_of(
    source: str,
    target: str,
    labels: dict[str, str],
    answers: Answers,
    *,
    clean: Callable[[str], str] = str,
) -> list[Interface]:
    """All interfaces of a target, in the order of ifIndex."""
    basic, more = answers.columns(t.IF_TABLE), answers.columns(t.IF_X_TABLE)
    indexes = sorted(i for i in {*itertools.chain(*basic.values(), *more.values())} if len(i) == 1)
    nothing: dict[Oid, Value] = {}
    columns = [basic.get(number, nothing) for number in _BASIC]
    columns += [more.get(number, nothing) for number in _MORE]
    addresses: dict[int, list[Address]] = {}
    for index, address in addresses_of(answers):
        addresses.setdefault(index, []).append(address)
    # an interface without a row has no address only where the tables were whole and showed any at all
    none: Maybe[list[Address]] = [] if addresses and answers.whole(*t.ADDRESS_TABLES) else UNKNOWN
    part_of = [Relation("part_of", uid_of(source, Device.KIND, target))]
    per_interface = _per_interface(answers)
    found = []
    for at in indexes:
        index = at[0]
        interface = _interface(*[column.get(at) for column in columns], clean=clean)
        interface.source, interface.scope, interface.labels = source, target, dict(labels)
        interface.native_id, interface.index = f"{target}/{index}", index
        interface.relations = list(part_of)
        interface.addresses = addresses.get(index, none)
        for field, value in per_interface.get(index, {}).items():
            setattr(interface, field, value)
        if not known(interface.name):
            interface.name = f"ifIndex {index}"
        found.append(interface)
    return found


def _per_interface(answers: Answers) -> dict[int, dict[str, Maybe[bool] | int]]:
    """ifIndex → what other tables than ifTable tell of it: IPv6 (RFC 4293, else RFC 2465), router
    advertisements (RFC 4293), PVID (RFC 4363, by way of the bridge's port numbers)."""
    found: dict[int, dict[str, Maybe[bool] | int]] = {}
    for field, table, column in (
        ("ipv6_enabled", t.IPV6_IF_TABLE, 9),
        ("ipv6_enabled", t.IPV6_INTERFACES, 5),
        ("advertises_router", t.ROUTER_ADVERTS, 2),
        ("advertises_managed", t.ROUTER_ADVERTS, 5),
    ):
        for index, value in answers.column(table, column).items():
            if len(index) == 1:  # up(1) and down(2), true(1) and false(2)
                found.setdefault(index[0], {})[field] = truth(value)
    interfaces = answers.column(t.PORT_INTERFACE, 2)
    for port, vlan in answers.column(t.PORT_VLAN, 1).items():
        interface = interfaces.get(port)
        if isinstance(interface, int) and isinstance(vlan, int) and 0 < vlan < 4095:
            found.setdefault(interface, {})["native_vlan"] = vlan
    return found


_BASIC = (2, 3, 4, 5, 6, 7, 8, 10, 14, 16, 20)  # columns of ifTable and
_MORE = (1, 6, 10, 15, 18)  # of ifXTable (RFC 2863), in the order of the next function's arguments


def _interface(
    descr: Value,
    kind: Value,
    mtu: Value,
    low_speed: Value,
    mac: Value,
    admin: Value,
    oper: Value,
    low_in: Value,
    in_errors: Value,
    low_out: Value,
    out_errors: Value,
    name: Value,
    high_in: Value,
    high_out: Value,
    high_speed: Value,
    alias: Value,
    *,
    clean: Callable[[str], str],
) -> Interface:
    """One row of ifTable and one of ifXTable."""

    def text(value: Value) -> Maybe[str | None]:
        found = text_of(value)
        return UNKNOWN if found is None else (clean(found) or None) if found else None

    description, short = text(descr), text(name)
    interface = Interface(
        source="",
        native_id="",
        description=description,
        alias=text(alias),
        interface_type=number(kind),
        loopback=kind == _LOOPBACK if isinstance(kind, int) and kind >= 0 else UNKNOWN,
        mtu=number(mtu),
        speed_bps=_speed(high_speed, low_speed),
        mac=mac_text(mac),
        admin_up=admin == 1 if admin in (1, 2, 3) else UNKNOWN,
        oper_up=oper == 1 if oper in (1, 2, 3, 5, 6, 7) else UNKNOWN,  # unknown(4) says what it says
        in_octets=first_number(high_in, low_in),
        out_octets=first_number(high_out, low_out),
        in_errors=number(in_errors),
        out_errors=number(out_errors),
    )
    for candidate in (short, description):
        if known(candidate) and candidate is not None:
            interface.name = candidate
            break
    return interface


def _speed(high: Value, low: Value) -> Maybe[int | None]:
    """bit/s; None where the interface has no such thing (0)."""
    if isinstance(high, int) and high > 0:
        return high * 1_000_000
    if not isinstance(low, int) or low < 0 or low >= _SPEED_OVERFLOW:
        return UNKNOWN
    return low or None
