"""What devices display, as rows: pure functions over masked text.

Where ntc-templates has a template for a command it is used; a template that does not know a device's wording
ends with an error, and then nothing is told. Interfaces and addresses have one reader for all dialects,
because theirs differ in few words and their counters would change the evidence in every run.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Network, ip_address, ip_interface
from pathlib import Path
from typing import Any

import msgspec

from collectors.contract import IMPORTING

_MOST_BYTES_FOR_TEMPLATES = 1 << 20  # a template's time grows with the text
_HEADERS = tuple(
    re.compile(pattern)
    for pattern in (
        r"^Physical interface: (?P<name>[^,\s]+), (?P<admin>[^,]+), Physical link is (?P<state>\w+)",
        r"^Interface (?P<name>\S+) is (?P<state>up|down)\b",
        r"^(?P<name>[A-Za-z][\w./:-]*(?: [\d][\w./:]*)?) is "
        r"(?P<state>(?i:administratively down|up|down)[^,\n]*)"
        r"(?:\s*,.*line protocol is (?P<line>\w+))?",
        r"^(?P<name>[A-Za-z][\w./:-]*) current state\s*:\s*(?P<state>.+)",
        r"^(?P<name>[A-Z][A-Za-z-]*[\d][\w./:]*|[A-Z][A-Za-z]+-?[A-Z][A-Za-z]*\d*|NULL0|InLoopBack0)\s*$",
    )
)
_LOGICAL = re.compile(r"^\s+Logical interface (?P<name>\S+)")
_STATE = re.compile(r"^Current state\s*:\s*(.+)")
_ADMIN = re.compile(r"(?i)^\s*admin state is (\w+)")
_DESCRIPTION = re.compile(r"^\s*Description\s*:\s*(.*)")
_MTU = re.compile(r"(?i)(?:\bMTU:? (?:of \S+ is )?|maximum transm\w+ unit(?: is|:)\s*)(\d+)")
_MAC = re.compile(
    r"(?i)(?:hardware address(?: is|:)|, address is|address is|hwaddr:)\s*((?:[0-9a-f]{2}[:-]){5}[0-9a-f]{2}"
    r"|[0-9a-f]{4}[-.][0-9a-f]{4}[-.][0-9a-f]{4})"
)
_IPV4 = re.compile(
    r"(?i)(?:internet(?: protocol)? address(?: is|:)|interface address is:?|secondary address|^\s+inet)\s*"
    r"(\d{1,3}(?:\.\d{1,3}){3}/\d{1,2})"
)
_INET6 = re.compile(r"^\s+inet6 ([0-9A-Fa-f:.]+/\d{1,3})")
_LINK_LOCAL = re.compile(r"(?i)link-local address(?: is|\(es\):|:)?\s*([0-9a-f]*:[0-9a-f:.]+)")
_SUBNET = re.compile(r"(?i)^\s*([0-9a-f]*:[0-9a-f:.]+)(?:\s*\[\w+\])?,? subnet is [0-9a-f:.]+/(\d{1,3})")
_LOCAL = re.compile(r"(?:Destination: ([0-9A-Fa-f:./]+), )?Local: ([0-9A-Fa-f:.]+)")
_SPEED = re.compile(
    r"(?i)\bBW (\d+) ?Kbit|Bandwidth:? (\d+) ?kbps|^\s*Speed\s*:\s*(\d+)\s*,|Speed: (\d+)mbps"
)
_IPV6_ON = re.compile(r"(?i)IPv6 (?:protocol )?(?:is )?(enabled|disabled|stalled|tentative)")
_ADVERTISES = re.compile(r"(?i)ND router advertisements are sent every")


class Seen(msgspec.Struct, kw_only=True):
    """One interface as it is displayed. ``addresses``: "address/length" or an address alone."""

    name: str
    description: str | None = None
    admin_up: bool | None = None
    oper_up: bool | None = None
    mac: str | None = None
    mtu: int | None = None
    speed_bps: int | None = None
    addresses: list[str] = msgspec.field(default_factory=list)
    ipv6: bool | None = None
    advertises: bool | None = None
    lines: list[str] = msgspec.field(default_factory=list)  # that something was read from


def interfaces(text: str) -> list[Seen]:
    """All interfaces of a display of interfaces, or of their IPv6."""
    found: dict[str, Seen] = {}
    current: Seen | None = None
    for line in text.splitlines():
        started = _started(line)
        if started is not None:
            current = found.setdefault(started.name, started)
            current.lines.append(line)
        elif current is not None and (logical := _LOGICAL.match(line)):
            current = found.setdefault(logical["name"], Seen(name=logical["name"]))
            current.lines.append(line)
        elif current is not None and _take(current, line):
            current.lines.append(line)
    return list(found.values())


def _started(line: str) -> Seen | None:
    for header in _HEADERS:
        match = header.match(line)
        if match is None:
            continue
        told = match.groupdict()
        seen = Seen(name=told["name"].replace(" ", ""))
        if told.get("state"):
            _set_state(seen, told["state"])
        if told.get("line"):
            seen.oper_up = told["line"].lower() == "up"
        if told.get("admin"):
            seen.admin_up = told["admin"].strip().lower() == "enabled"
        return seen
    return None


def _set_state(seen: Seen, state: str) -> None:
    lowered = state.lower()
    seen.admin_up = "administratively" not in lowered
    seen.oper_up = lowered.lstrip("* ").startswith("up")


def _take(seen: Seen, line: str) -> bool:
    """Take in what a line tells of an interface; whether it told something."""
    if match := _DESCRIPTION.match(line):
        seen.description = match[1].strip() or None
        return True
    took = False
    if match := _STATE.match(line):
        _set_state(seen, match[1])
        took = True
    if match := _ADMIN.match(line):
        seen.admin_up = match[1].lower() == "up"
        took = True
    if (match := _MTU.search(line)) and seen.mtu is None:
        seen.mtu = int(match[1][:9])
        took = True
    if (match := _MAC.search(line)) and seen.mac is None:
        seen.mac = mac_of(match[1])
        took = True
    if (match := _SPEED.search(line)) and seen.speed_bps is None:
        kilo, kilo_too, mega, mega_too = (int(one[:12]) if one else 0 for one in match.groups())
        seen.speed_bps = (kilo + kilo_too) * 1000 + (mega + mega_too) * 1_000_000
        took = True
    if match := _IPV6_ON.search(line):
        seen.ipv6 = match[1].lower() != "disabled"
        took = True
    if _ADVERTISES.search(line):
        seen.advertises = took = True
    return _take_addresses(seen, line) or took


def _take_addresses(seen: Seen, line: str) -> bool:
    before = len(seen.addresses)
    seen.addresses += [match[1] for match in (_IPV4.search(line), _INET6.match(line)) if match]
    if match := _LINK_LOCAL.search(line):
        seen.addresses.append(match[1])
    if match := _SUBNET.match(line):
        seen.addresses.append(f"{match[1]}/{match[2]}")
    if match := _LOCAL.search(line):
        length = _length_of(match[1] or "", match[2])
        seen.addresses.append(f"{match[2]}/{length}" if length else match[2])
    return len(seen.addresses) > before


def _length_of(destination: str, local: str) -> str:
    """The length of Junos' ``Destination: 10.1.1/24``, where it fits the address."""
    return destination.partition("/")[2] if (":" in destination) == (":" in local) else ""


def configured_addresses(configuration: str) -> dict[str, list[str]]:
    """Interface → addresses that a configuration in lines gives it (VRP, Comware, Cisco and their like)."""
    found: dict[str, list[str]] = {}
    name = ""
    for line in configuration.splitlines():
        if line.startswith("interface "):
            name = line[len("interface ") :].replace(" ", "").strip()
        elif line[:1] not in (" ", "\t"):
            name = ""
        elif name and (address := _configured(line.split())):
            found.setdefault(name, []).append(address)
    return found


def _configured(words: list[str]) -> str | None:
    if words[:2] not in (["ip", "address"], ["ipv6", "address"]) or len(words) < 3:
        return None
    try:
        if words[0] == "ipv6" or "/" in words[2]:
            return str(ip_interface("/".join(words[2:4]) if words[3:4] and words[3].isdigit() else words[2]))
        return str(ip_interface(f"{words[2]}/{words[3]}")) if len(words) > 3 else None
    except ValueError:
        return None


def mac_of(text: str) -> str | None:
    """A MAC address in any of the usual spellings, as aa:bb:cc:dd:ee:ff; None for all zero."""
    digits = re.sub(r"[^0-9a-f]", "", text.lower())
    if len(digits) != 12 or not int(digits, 16):
        return None
    return ":".join(digits[at : at + 2] for at in range(0, 12, 2))


def rows(platform: str, template: str, text: str) -> list[dict[str, Any]] | None:
    """The rows that ntc-templates reads from an output; None where it has no template or the text does not
    fit it."""
    with IMPORTING:
        import ntc_templates
        import textfsm
    name = f"{platform}_{template.replace(' ', '_')}.textfsm"
    path = Path(ntc_templates.__file__).parent / "templates" / name
    if len(text) > _MOST_BYTES_FOR_TEMPLATES or not path.is_file():
        return None
    try:
        table = textfsm.TextFSM(io.StringIO(path.read_text(encoding="utf-8")))
        return [
            {key.lower(): value for key, value in row.items()} for row in table.ParseTextToDicts(text + "\n")
        ]
    except (textfsm.TextFSMError, textfsm.TextFSMTemplateError, KeyError, IndexError):
        return None


def ipv4_entries(text: str) -> set[str]:
    """IPv4 addresses that stand in a line with a MAC address."""
    found = set()
    for line in text.splitlines():
        address = re.search(r"(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?![\d.])", line)
        if address and _ANY_MAC.search(line) and _is_ipv4(address[0]):
            found.add(address[0])
    return found


def ipv6_entries(text: str) -> set[str]:
    """IPv6 addresses that are displayed."""
    return {
        str(address) for word in re.findall(r"[0-9A-Fa-f]*:[0-9A-Fa-f:.]+", text) for address in _ipv6(word)
    }


_ANY_MAC = re.compile(r"(?i)\b(?:[0-9a-f]{4}[-.]){2}[0-9a-f]{4}\b|\b(?:[0-9a-f]{2}[:-]){5}[0-9a-f]{2}\b")


def _is_ipv4(text: str) -> bool:
    try:
        IPv4Address(text)
    except ValueError:
        return False
    return True


def _ipv6(word: str) -> Iterator[Any]:
    if word.count(":") < 2 or _ANY_MAC.fullmatch(word):
        return
    try:
        yield ip_address(word)
    except ValueError:
        return


def prefix_length(mask: str) -> int | None:
    """The length of a dotted mask; None where it is none."""
    try:
        return IPv4Network(f"0.0.0.0/{mask}").prefixlen
    except ValueError:
        return None


_TABLE_OF_JUNOS = re.compile(r"(?m)^inet(6?)\.0: \d+ destinations?, \d+ routes? \((\d+) active")
_ENTRIES = (
    re.compile(r"(?m)^Total number of routes:\s*(\d+)"),  # NX-OS
    re.compile(r"(?m)^IPv6 routing table name is default.*?- (\d+) entries"),
    re.compile(r"(?m)^IPv6 Routing Table Summary - (\d+) entries"),
)
_TOTALS = re.compile(r"(?m)^Totals?[ \t]+(\d+)[ \t]+(\d+)\b")


def routes(text: str, *, ipv6: bool) -> int | None:
    """Routes in use, from a summary of a routing table; None where its wording is another one. A row of
    totals tells networks and subnets (IOS), or all routes and those in use (VRP, Comware, FRR)."""
    tables = {bool(match[1]): int(match[2][:9]) for match in _TABLE_OF_JUNOS.finditer(text)}
    if tables:
        return tables.get(ipv6)
    for pattern in _ENTRIES:
        if match := pattern.search(text):
            return int(match[1][:9])
    totals = _TOTALS.search(text)
    if totals is None:
        return None
    first, second = int(totals[1][:9]), int(totals[2][:9])
    if re.search(r"(?m)^Route Source +Networks +Subnets\b", text):
        return first + second
    return second if re.search(r"(?im)\bactive\b|\bFIB\b", text[: totals.start()]) else None
