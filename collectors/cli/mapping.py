"""From one device's reading to resources: pure functions over masked text, which is hostile input."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TypeVar

import msgspec

from collectors.cli import standby
from collectors.cli.displays import (
    Seen,
    configured_addresses,
    interfaces,
    ipv4_entries,
    ipv6_entries,
    routes,
    rows,
)
from collectors.cli.identity import facts_of, uptime_of
from collectors.cli.platforms import PLATFORMS, Platform
from collectors.cli.reading import Reading
from collectors.neighbours import edges
from collectors.snmp.vendors import role_of
from collectors.ssh.kexinit import Offer
from inventory.coverage import Status
from inventory.kinds.address import Address, address_of
from inventory.kinds.device_config import DeviceConfig
from inventory.kinds.network import Device, DeviceNeighbour, Interface
from inventory.origin import VENDORS
from inventory.resource import Relation, uid_of
from inventory.unknown import UNKNOWN, Maybe, known

_MOST_CHARACTERS = 1024
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202f\u2060-\u206f\ufeff\ufff9-\ufffd]+")
_CLOCK = re.compile(r"(?i)clock\s+(?:status|is)\s*:?\s*(un|not )?synchroni[sz]ed")
_LOOPBACK = re.compile(r"(?i)(?:in)?loopback?\d+|lo\d*(?:\.\d+)?")

T = TypeVar("T")
Clean = Callable[[str], str]


def plain_text(text: str, clean: Clean) -> str:
    """One line of a device's text: control and direction characters become a space, and it is cut."""
    return clean(" ".join(_CONTROL.sub(" ", text).split())[:_MOST_CHARACTERS])


def device_of(
    source: str, labels: Mapping[str, str], reading: Reading, targets: Mapping[str, str], clean: Clean
) -> Device:
    """The device of a reading. ``targets``: host → target of the same source, for edges."""
    device = Device(
        source=source,
        native_id=reading.target,
        scope=reading.target,
        labels=dict(labels),
        name=reading.target,
        management_address=reading.address or UNKNOWN,
    )
    _set_ssh(device, reading.offer, reading)
    platform = PLATFORMS.get(reading.platform)
    if platform is None:
        return device
    name = reading.config.hostname if reading.config is not None else UNKNOWN
    device.name = plain_text(name if known(name) and name else _bare(reading.prompt), clean) or reading.target
    _identify(device, platform, reading, clean)
    clock = _CLOCK.search(reading.text("time"))
    if clock:
        device.time_synchronized = clock[1] is None
    if entries := ipv4_entries(reading.text("arp")):
        device.arp_entries = len(entries)
    if entries := ipv6_entries(reading.text("nd")):
        device.nd_entries = len(entries)
    device.routes_ipv4 = _maybe(routes(reading.text("routes_ipv4"), ipv6=False))
    of_ipv6 = reading.text("routes_ipv6" if platform.command("routes_ipv6") else "routes_ipv4")
    device.routes_ipv6 = _maybe(routes(of_ipv6, ipv6=True))
    if reading.config is not None:
        device.telnet_enabled = _telnet(reading.config)
    device.neighbours = _neighbours(platform, reading, clean)
    if known(device.neighbours):
        device.relations += edges(device, device.neighbours, targets)
    device.standbys = standby.standbys(platform, reading, clean)
    device.link_groups = standby.link_groups(platform, reading, clean)
    return device


def _set_ssh(device: Device, offer: Offer | None, reading: Reading) -> None:
    if reading.host_key_verified is not None:
        device.ssh_host_key_verified = reading.host_key_verified
    if offer is None:
        return
    device.ssh_version1 = offer.version1
    if offer.key_exchanges:
        device.ssh_legacy_algorithms, device.ssh_modern = offer.legacy, offer.modern


def _bare(prompt: str) -> str:
    """The name in a prompt: ``<HUAWEI>``, ``[~H3C]``, ``Switch#``, ``admin@mx>``, ``root@frr:~#``."""
    name = re.sub(r"^(?:HRP_[MS]|RBM_[PSAB])", "", prompt).strip("<>[]~*#$% ")
    name = name.rpartition("@")[2].partition(":")[0]
    return re.sub(r"\(.*\)$", "", name)


def _identify(device: Device, platform: Platform, reading: Reading, clean: Clean) -> None:
    device.software = platform.software
    if platform.vendor in {vendor for vendor, _ in VENDORS.values()}:
        device.vendor = platform.vendor
        device.vendor_origin = next(o for vendor, o in VENDORS.values() if vendor == platform.vendor)
    version = reading.text("version")
    facts = facts_of(platform, version, reading.text("serial"))
    for field in ("model", "version", "serial"):
        if value := facts.get(field):
            setattr(device, field, plain_text(value, clean))
    uptime = uptime_of(version)
    if uptime is not None:
        device.uptime_seconds = uptime
    role = "router" if platform.software == "FRR" else role_of(platform.vendor, "", facts.get("model", ""))
    if role:
        device.role = role


def _telnet(config: DeviceConfig) -> Maybe[bool]:
    telnet = config.telnet
    if not known(telnet):
        return UNKNOWN
    if telnet.ipv4 is True or telnet.ipv6 is True:
        return True
    return False if telnet.ipv4 is False and telnet.ipv6 is False else UNKNOWN


_COLUMNS = {
    "local_interface": ("local_interface", "local_intf"),
    "system_name": ("neighbor_name", "system_name", "neighbor"),
    "chassis_id": ("chassis_id",),
    "port": ("neighbor_interface", "neighbor_port_id", "port_id", "port_info"),
    "platform": ("neighbor_description", "platform", "system_description"),
    "address": ("mgmt_address", "management_ip", "mgmt_ip"),
}


def _neighbours(platform: Platform, reading: Reading, clean: Clean) -> Maybe[list[DeviceNeighbour]]:
    command, text = platform.command("neighbours"), reading.text("neighbours")
    if command is None or not text:
        return UNKNOWN
    table = rows(platform.name.replace("vrpv8", "vrp"), command.template, text)
    if not table:
        return UNKNOWN  # no row, or wording that the template does not know: nobody can tell which
    found = []
    for row in table:

        def cell(field: str, row: dict[str, object] = row) -> str | None:
            value = next((row[key] for key in _COLUMNS[field] if row.get(key)), None)
            shown = " ".join(map(str, value)) if isinstance(value, list) else value
            return plain_text(str(shown), clean) or None if shown else None

        found.append(
            DeviceNeighbour(
                protocol="lldp",
                local_interface=cell("local_interface") or "",
                system_name=cell("system_name"),
                chassis_id=cell("chassis_id"),
                port=cell("port"),
                platform=cell("platform"),
                addresses=[a for a in (cell("address"),) if a and _is_address(a)],
            )
        )
    return sorted(found, key=lambda n: (str(n.local_interface), str(n.chassis_id), str(n.port)))


def interfaces_of(source: str, labels: Mapping[str, str], reading: Reading, clean: Clean) -> list[Interface]:
    """All interfaces that were displayed; native id = target/name. That one has no address is known where
    the whole configuration was seen."""
    shown = reading.answer("interfaces")
    if shown is None or not shown.text or shown.status not in (Status.COMPLETE, Status.PARTIAL):
        return []
    configuration = reading.text("configuration")
    configured = configured_addresses(configuration)
    of_ipv6 = {one.name: one for one in interfaces(reading.text("ipv6"))}
    none: Maybe[list[Address]] = [] if configuration and shown.status is Status.COMPLETE else UNKNOWN
    part_of = [Relation("part_of", uid_of(source, Device.KIND, reading.target))]
    found = []
    for seen in interfaces(shown.text):
        too = of_ipv6.get(seen.name)
        texts = [*seen.addresses, *(too.addresses if too else []), *configured.get(seen.name, [])]
        interface = _interface(seen, too, clean)
        interface.source, interface.scope, interface.labels = source, reading.target, dict(labels)
        interface.native_id = f"{reading.target}/{plain_text(seen.name, clean)}"
        interface.relations = list(part_of)
        interface.addresses = _addresses(texts) or none
        found.append(interface)
    return found


def _interface(seen: Seen, of_ipv6: Seen | None, clean: Clean) -> Interface:
    ipv6 = of_ipv6.ipv6 if of_ipv6 else seen.ipv6
    return Interface(
        source="",
        native_id="",
        name=plain_text(seen.name, clean),
        description=plain_text(seen.name, clean),
        alias=plain_text(seen.description, clean) or None if seen.description else None,
        mac=_maybe(seen.mac),
        mtu=_maybe(seen.mtu),
        speed_bps=_maybe(seen.speed_bps),
        admin_up=_maybe(seen.admin_up),
        oper_up=_maybe(seen.oper_up),
        loopback=bool(_LOOPBACK.fullmatch(seen.name)),
        ipv6_enabled=_maybe(ipv6),
        advertises_router=_maybe(of_ipv6.advertises if of_ipv6 else None),
    )


def _maybe(value: T | None) -> Maybe[T]:
    return UNKNOWN if value is None else value


def _addresses(texts: list[str]) -> list[Address]:
    """Each address once, the one with a length where two are told."""
    found: dict[str, Address] = {}
    for text in texts:
        bare, _, length = text.partition("/")
        try:
            address = address_of(bare, int(length) if length else None)
        except ValueError:
            continue
        key = str(address.address)
        if key not in found or found[key].prefix_length is None:
            found[key] = address
    return [found[key] for key in sorted(found)]


def _is_address(text: str) -> bool:
    try:
        address_of(text)
    except ValueError:
        return False
    return True


def config_of(source: str, labels: Mapping[str, str], reading: Reading, clean: Clean) -> DeviceConfig | None:
    """The device's configuration, put in its place; None where none was read."""
    if reading.config is None:
        return None
    name = reading.config.hostname if known(reading.config.hostname) else reading.target
    return msgspec.structs.replace(
        reading.config,
        source=source,
        native_id=reading.target,
        scope=reading.target,
        name=plain_text(name, clean) or reading.target,
        labels=dict(labels),
        relations=[Relation("part_of", uid_of(source, Device.KIND, reading.target))],
    )
