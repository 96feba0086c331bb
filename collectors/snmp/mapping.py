"""From SNMP answers to resources: pure functions.

The answers are hostile input: texts are decoded, stripped of control characters and cut; values of the
wrong type count as not seen; an index that does not parse is left out.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator
from ipaddress import IPv4Address, IPv6Address, ip_network
from typing import Any, Literal

import msgspec

from collectors.snmp import tables as t
from collectors.snmp.engines import Oid, Value, Version, oid_of
from collectors.snmp.reading import Answers
from collectors.snmp.vendors import facts_of, role_of, software_of, vendor_of
from inventory.kinds.address import Address, address_of
from inventory.kinds.network import Device, Interface
from inventory.resource import Relation, uid_of
from inventory.unknown import UNKNOWN, Maybe, known

_MOST_CHARACTERS = 1024  # DisplayString has 255 (RFC 2579); some agents send more
_CONTROL = re.compile(
    "[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202f\u2060-\u206f\ufeff\ufff9-\ufffd\ud800-\udfff]+"
)
_PREFIX_POINTER = oid_of("1.3.6.1.2.1.4.32.1.5")  # ipAddressPrefixOrigin, its last sub-identifier the length
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


def text_of(value: Value) -> str | None:
    """Text of an OCTET STRING: UTF-8, else GB18030, else as far as it goes; control and direction
    characters become a space. None where the value is no OCTET STRING."""
    if not isinstance(value, bytes):
        return None
    raw = value.rstrip(b"\x00")[: _MOST_CHARACTERS * 4]
    for encoding in ("utf-8", "gb18030"):
        try:
            text = raw.decode(encoding)
            break
        except UnicodeDecodeError:
            continue
    else:
        text = raw.decode("utf-8", "replace")
    return " ".join(_CONTROL.sub(" ", text).split())[:_MOST_CHARACTERS]


def device_of(
    source: str,
    target: str,
    labels: dict[str, str],
    access: Access,
    answers: Answers,
    *,
    clean: Callable[[str], str] = str,
) -> Device:
    """The device of a target. ``clean`` masks secrets in texts."""
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
        ipv6_visible=_ipv6_visible(answers),
    )
    _identify(device, answers, clean)
    return device


def _identify(device: Device, answers: Answers, clean: Callable[[str], str]) -> None:
    """Set vendor, model, software, version, serial, role."""
    object_id = answers.scalars.get(t.SYS_OBJECT_ID)
    if isinstance(object_id, str):
        device.sys_object_id = object_id
    elif not known(device.description):
        return
    object_id = object_id if isinstance(object_id, str) else ""
    description = device.description if known(device.description) else ""
    vendor, origin = vendor_of(object_id, description)
    if object_id or vendor:
        device.vendor, device.vendor_origin = vendor, origin
    chassis = {column: clean(value) for column, value in _chassis(answers).items()}
    if t.ENTITY_SERIAL in chassis:
        device.serial = chassis[t.ENTITY_SERIAL] or None
    if not vendor:
        return
    revision = chassis.get(t.ENTITY_SOFTWARE, "")
    text = f"{description} {revision}".strip()
    facts = facts_of(vendor, text)
    model = facts.get("model") or chassis.get(t.ENTITY_MODEL, "").removeprefix(f"{vendor} ")
    version = facts.get("version") or revision
    if model:
        device.model = model
    if version:
        device.version = version
    if "serial" in facts:
        device.serial = facts["serial"]
    software = software_of(vendor, text)
    if software:
        device.software = software
    role = role_of(vendor, object_id, f"{model} {description}")
    if role:
        device.role = role


def _chassis(answers: Answers) -> dict[int, str]:
    """Texts of the chassis by column: the first one with a serial number, else the first one."""
    size = len(t.ENTITY_CLASS.entry)
    by_index: dict[Oid, dict[int, str]] = {}
    for oid, value in sorted(answers.chassis.items(), key=lambda item: item[0][size + 1 :]):
        text = text_of(value)
        if text is not None:
            by_index.setdefault(oid[size + 1 :], {})[oid[size]] = text
    found = list(by_index.values())
    return next((one for one in found if one.get(t.ENTITY_SERIAL)), found[0] if found else {})


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
    shown = any(a.family == "ipv6" and a.scope != "host" for _, a in _addresses(answers))
    return True if shown else UNKNOWN


def interfaces_of(
    source: str,
    target: str,
    labels: dict[str, str],
    answers: Answers,
    *,
    clean: Callable[[str], str] = str,
) -> list[Interface]:
    """All interfaces of a target, in the order of ifIndex."""
    columns: dict[tuple[str, int], dict[Oid, Value]] = {}
    for table in (t.IF_TABLE, t.IF_X_TABLE):
        read = answers.columns(table)
        for first, last in table.columns:
            for column in range(first, last + 1):
                columns[table.name, column] = read.get(column, {})
    indexes = sorted({index[0] for column in columns.values() for index in column if len(index) == 1})
    addresses: dict[int, list[Address]] = {}
    for index, address in _addresses(answers):
        addresses.setdefault(index, []).append(address)
    # an interface without a row has no address only where the tables were whole and showed any at all
    none: Maybe[list[Address]] = [] if addresses and answers.whole(*t.ADDRESS_TABLES) else UNKNOWN
    part_of = [Relation("part_of", uid_of(source, Device.KIND, target))]
    found = []
    for index in indexes:
        interface = _interface({key: column.get((index,)) for key, column in columns.items()}, clean)
        interface.source, interface.scope, interface.labels = source, target, dict(labels)
        interface.native_id, interface.index = f"{target}/{index}", index
        interface.relations = list(part_of)
        interface.addresses = addresses.get(index, none)
        if not known(interface.name):
            interface.name = f"ifIndex {index}"
        found.append(interface)
    return found


def _interface(row: dict[tuple[str, int], Value], clean: Callable[[str], str]) -> Interface:
    """One row of ifTable and ifXTable (RFC 2863)."""

    def text(table: str, column: int) -> Maybe[str | None]:
        found = text_of(row[table, column])
        return UNKNOWN if found is None else (clean(found) or None)

    description, name = text("ifTable", 2), text("ifXTable", 1)
    kind = _number(row["ifTable", 3])
    admin, oper = row["ifTable", 7], row["ifTable", 8]
    interface = Interface(
        source="",
        native_id="",
        description=description,
        alias=text("ifXTable", 18),
        interface_type=kind,
        loopback=kind == _LOOPBACK if known(kind) else UNKNOWN,
        mtu=_number(row["ifTable", 4]),
        speed_bps=_speed(row["ifXTable", 15], row["ifTable", 5]),
        mac=_mac(row["ifTable", 6]),
        admin_up=admin == 1 if admin in (1, 2, 3) else UNKNOWN,
        oper_up=oper == 1 if oper in (1, 2, 3, 5, 6, 7) else UNKNOWN,  # unknown(4) says what it says
        in_octets=_first(row["ifXTable", 6], row["ifTable", 10]),
        out_octets=_first(row["ifXTable", 10], row["ifTable", 16]),
        in_errors=_number(row["ifTable", 14]),
        out_errors=_number(row["ifTable", 20]),
    )
    for candidate in (name, description):
        if known(candidate) and candidate is not None:
            interface.name = candidate
            break
    return interface


def _number(value: Value) -> Any:
    return value if isinstance(value, int) and value >= 0 else UNKNOWN


def _first(*values: Value) -> Any:
    return next((v for v in values if isinstance(v, int) and v >= 0), UNKNOWN)


def _speed(high: Value, low: Value) -> Maybe[int | None]:
    """bit/s; None where the interface has no such thing (0)."""
    if isinstance(high, int) and high > 0:
        return high * 1_000_000
    if not isinstance(low, int) or low < 0 or low >= _SPEED_OVERFLOW:
        return UNKNOWN
    return low or None


def _mac(value: Value) -> Maybe[str | None]:
    if not isinstance(value, bytes) or len(value) > 20:
        return UNKNOWN
    return value.hex(":") if any(value) else None


def _addresses(answers: Answers) -> list[tuple[int, Address]]:
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


def _of_ip_address_table(answers: Answers) -> Iterator[tuple[int, str, int | None]]:
    """ipAddressTable, RFC 4293: the index is type, length, octets; broadcast(3) is no address of ours."""
    kinds = answers.column(t.IP_ADDRESS_TABLE, 4)
    prefixes = answers.column(t.IP_ADDRESS_TABLE, 5)
    for index, interface in answers.column(t.IP_ADDRESS_TABLE, 3).items():
        text = _address_text(index[2:]) if len(index) > 2 and index[1] == len(index) - 2 else None
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
        text = _address_text(octets) if len(octets) == 16 else None
        if text is not None:
            yield index[0], text, _length(length, 128)


def _of_ip_addr_table(answers: Answers) -> Iterator[tuple[int, str, int | None]]:
    """ipAddrTable, RFC 4293: IPv4 only, the index is the address, the mask has a column."""
    masks = answers.column(t.IP_ADDR_TABLE, 3)
    for index, interface in answers.column(t.IP_ADDR_TABLE, 2).items():
        text = _address_text(index) if len(index) == 4 else None
        if text is None or not isinstance(interface, int):
            continue
        mask, length = masks.get(index), None
        if isinstance(mask, str):
            with contextlib.suppress(ValueError):
                length = ip_network(f"0.0.0.0/{mask}").prefixlen
        yield interface, text, length


def _address_text(octets: Oid) -> str | None:
    """IPv4 or IPv6 text of 4, 8, 16 or 20 octets (the longer ones end in a zone). None where it is none
    or the unspecified address."""
    if any(octet > 255 for octet in octets) or not any(octets):
        return None
    raw = bytes(octets)
    if len(raw) in (4, 8):
        return str(IPv4Address(raw[:4]))
    return str(IPv6Address(raw[:16])) if len(raw) in (16, 20) else None


def _length(value: Value, most: int) -> int | None:
    return value if isinstance(value, int) and 0 <= value <= most else None
