"""Access lists that filter what interfaces receive: VRP and Comware (``acl …`` / ``rule …``), IOS and RGOS
(``ip access-list``, ``ipv6 access-list``, ``access-list NUMBER``). Lists for other uses (who may log in, what
a route map takes) are left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from ipaddress import IPv4Address, ip_network
from typing import Any, Literal

from collectors.cli.config_tree import Node
from collectors.cli.facts_reader import Config, numbers, span
from inventory.kinds.device_config import AccessEntry, AccessList, ConfigInterface
from inventory.unknown import UNKNOWN, Maybe, Unknown

_Family = Literal["ipv4", "ipv6"]
_MOST = 500  # entries of a list that are kept; of a longer one none is
_PROTOCOLS = {"ip": None, "ipv6": None, "ipv4": None, "1": "icmp", "6": "tcp", "17": "udp", "47": "gre",
              "50": "esp", "51": "ahp", "58": "icmpv6", "89": "ospf"}  # fmt: skip
_PORTS = {
    "ftp-data": 20, "ftp": 21, "ssh": 22, "telnet": 23, "smtp": 25, "time": 37, "tacacs": 49, "tacacs-ds": 65,
    "domain": 53, "dns": 53, "bootps": 67, "bootpc": 68, "tftp": 69, "gopher": 70, "finger": 79, "www": 80,
    "http": 80, "pop2": 109, "pop3": 110, "sunrpc": 111, "nntp": 119, "ntp": 123, "netbios-ns": 137,
    "netbios-dgm": 138, "netbios-ssn": 139, "snmp": 161, "snmptrap": 162, "bgp": 179, "isakmp": 500,
    "login": 513, "syslog": 514, "rip": 520, "https": 443,
}  # fmt: skip
_QUIET = frozenset("log log-input logging counting description remark".split())  # narrow nothing
_OPERATORS = ("eq", "gt", "lt", "neq", "range")


def read(config: Config, interfaces: Sequence[ConfigInterface]) -> dict[str, Any]:
    """Field ``access_lists`` of ``DeviceConfig``. A list that is bound and nowhere written has no entries
    that anybody could see: UNKNOWN."""
    bound = bound_names(interfaces)
    if isinstance(bound, Unknown):
        return {}
    written = _ios(config) if config.platform in ("cisco_ios", "ruijie_os") else _vrp(config)
    rows = []
    for family, name in bound:
        nodes, entry = written.get((family, name), ([], _vrp_entry))
        rows.append(_list(config, family, name, nodes, entry))
    return {"access_lists": rows if rows else config.absent([])}


def unread(default: Maybe[bool], none: Any, interfaces: Any) -> Any:
    """The same of a platform whose lists are not read: those that are bound, without their entries; ``none``
    where nothing is bound. What filters traffic to the device itself (lo0) is none of them."""
    if not isinstance(interfaces, list):
        return UNKNOWN
    bound = bound_names([i for i in interfaces if not str(i.name).startswith("lo")])
    if isinstance(bound, Unknown):
        return UNKNOWN
    return [AccessList(name=n, family=f, default_permits=default) for f, n in bound] or none


def bound_names(interfaces: Sequence[ConfigInterface]) -> Maybe[list[tuple[_Family, str]]]:
    """Family and name of every list bound inbound, once; UNKNOWN where some interface does not tell."""
    found: dict[tuple[_Family, str], None] = {}
    pairs: tuple[tuple[_Family, str], ...] = (("ipv4", "acl_in_ipv4"), ("ipv6", "acl_in_ipv6"))
    for interface in interfaces:
        for family, field in pairs:
            name = getattr(interface, field)
            if isinstance(name, Unknown):
                return UNKNOWN
            if name is not None:
                found[family, name] = None
    return list(found)


_Entry = Callable[[Node, _Family], AccessEntry | None]


def _list(config: Config, family: _Family, name: str, nodes: list[Node], entry: _Entry) -> AccessList:
    auto = any("auto" in node.words for node in nodes)
    default = config.default("access_lists.default_permits")
    if any(node.words[-1] == "deny" for node in config.all("packet-filter default")):
        default = False
    lines = nodes if nodes and not nodes[0].children else [c for node in nodes for c in node.children]
    entries = [row for line in lines if (row := entry(line, family)) is not None]
    known = bool(nodes) and not auto and len(entries) <= _MOST and not config.partial
    return AccessList(
        name=name,
        family=family,
        default_permits=default,
        entries=entries if known else UNKNOWN,
        lines=span(nodes[0]) if nodes else [],
    )


def _vrp(config: Config) -> dict[tuple[_Family, str], tuple[list[Node], _Entry]]:
    found: dict[tuple[_Family, str], tuple[list[Node], _Entry]] = {}
    for node in config.all("acl"):
        words = [word for word in node.words[1:] if word not in ("number", "basic", "advanced", "advance")]
        family: _Family = "ipv6" if "ipv6" in words else "ipv4"
        words = [word for word in words if word != "ipv6"]
        names = [words[1]] if words[:1] == ["name"] and len(words) > 1 else words[:1]
        if "name" in words[1:-1]:
            names.append(words[words.index("name", 1) + 1])
        for name in names:
            found[family, name] = ([node], _vrp_entry)
    return found


def _vrp_entry(node: Node, family: _Family) -> AccessEntry | None:
    words = node.words
    rest = list(words[2:] if words[1].isdecimal() else words[1:])
    if words[0] != "rule" or rest[:1] not in (["permit"], ["deny"]):
        return None
    row = AccessEntry(permits=rest[0] == "permit", lines=numbers(node))
    _anything(row)
    place = 1
    if place < len(rest) and (rest[place] in _PROTOCOLS or rest[place].isalpha()) and rest[place] not in (
        "source", "destination", "logging", "counting", "fragment", "vpn-instance", "description",
    ):  # fmt: skip
        row.protocol, place = _protocol(rest[place]), place + 1
    while place < len(rest):
        word = rest[place]
        if word in ("source", "destination"):
            value, taken = _address(rest[place + 1 :], family)
            setattr(row, word, value)
        elif word in ("source-port", "destination-port"):
            taken = _ports(row, word.removesuffix("-port"), rest[place + 1 :])
        elif word == "description":
            break
        else:
            row.narrowed = row.narrowed or word not in _QUIET
            taken = 0
        place += 1 + taken
    return row


def _ios(config: Config) -> dict[tuple[_Family, str], tuple[list[Node], _Entry]]:
    found: dict[tuple[_Family, str], tuple[list[Node], _Entry]] = {}
    for node in config.all("ip access-list"):
        standard = node.words[2] == "standard"
        found["ipv4", node.words[3]] = ([node], _standard if standard else _extended)
    for node in config.all("ipv6 access-list"):
        found["ipv6", node.words[2]] = ([node], _extended)
    numbered: dict[str, list[Node]] = {}
    for node in config.all("access-list"):
        numbered.setdefault(node.words[1], []).append(node)
    for name, nodes in numbered.items():
        standard = name.isdecimal() and (int(name[:5]) < 100 or 1300 <= int(name[:5]) < 2000)
        found["ipv4", name] = (nodes, _standard if standard else _extended)
    return found


def _ios_action(node: Node) -> tuple[AccessEntry, list[str]] | None:
    words = list(node.words)
    if words[:1] == ["access-list"]:
        words = words[2:]
    if words[:1] == ["sequence"] or (words and words[0].isdecimal()):
        words = words[2 if words[0] == "sequence" else 1 :]
    if words[:1] not in (["permit"], ["deny"]):
        return None
    row = AccessEntry(permits=words[0] == "permit", lines=numbers(node))
    _anything(row)
    return row, words[1:]


def _standard(node: Node, family: _Family) -> AccessEntry | None:
    found = _ios_action(node)
    if found is None:
        return None
    row, words = found
    row.source, taken = _address(words, family)
    row.narrowed = any(word not in _QUIET for word in words[taken:])
    return row


def _extended(node: Node, family: _Family) -> AccessEntry | None:
    found = _ios_action(node)
    if found is None:
        return None
    row, words = found
    if not words or words[0] in ("object-group", "evaluate"):
        row.protocol = row.source = row.destination = UNKNOWN
        return row
    row.protocol, place = _protocol(words[0]), 1
    for side in ("source", "destination"):
        value, taken = _address(words[place:], family)
        setattr(row, side, value)
        place += taken
        if words[place : place + 1] and words[place] in _OPERATORS:
            place += _ports(row, side, words[place:])
    row.narrowed = any(word not in _QUIET for word in words[place:])
    return row


def _anything(row: AccessEntry) -> None:
    row.protocol = row.source = row.destination = None
    row.source_port_min = row.source_port_max = row.destination_port_min = row.destination_port_max = None
    row.narrowed = False


def _protocol(word: str) -> Maybe[str | None]:
    word = word.lower()
    return _PROTOCOLS.get(word, word)


def _address(words: Sequence[str], family: _Family) -> tuple[Maybe[str | None], int]:
    """An address and how many words it takes; None = any, UNKNOWN = a group, or no prefix."""
    first, second = (*words[:2], "", "")[:2]
    if first == "any":
        return None, 1
    if first in ("object-group", "address-set", "ip-group", "addrgroup"):
        return UNKNOWN, 2
    if first == "host":
        return _prefix(second), 2
    if "/" in first:
        return _prefix(first), 1
    if family == "ipv6":
        return (_prefix(f"{first}/{second}"), 2) if second.isdecimal() else (_prefix(first), 1)
    if second == "0":
        return _prefix(first), 2
    if second.count(".") == 3:
        return _prefix(f"{first}/{_length(second)}"), 2
    return _prefix(first), 1


def _prefix(text: str) -> Maybe[str | None]:
    try:
        network = ip_network(text, strict=False)
    except ValueError:
        return UNKNOWN
    return None if network.prefixlen == 0 else str(network)


def _length(wildcard: str) -> str:
    """The length of a prefix by its wildcard; "?" where the ones are not together at its end."""
    try:
        bits = int(IPv4Address(wildcard))
    except ValueError:
        return "?"
    return str(32 - bits.bit_length()) if bits & (bits + 1) == 0 else "?"


def _ports(row: AccessEntry, side: str, words: Sequence[str]) -> int:
    """Put the ports behind an operator into a row; how many words they take."""
    operator = words[0] if words else ""
    taken = 3 if operator == "range" else 2
    values = [_port(word) for word in words[1:taken]]
    low: Maybe[int | None] = UNKNOWN
    high: Maybe[int | None] = UNKNOWN
    match operator, values:
        case "eq", [int(port)]:
            low = high = port
        case "range", [int(first), int(last)]:
            low, high = first, last
        case "gt", [int(port)]:
            low, high = port + 1, None
        case "lt", [int(port)]:
            low, high = None, port - 1
        case _:
            pass
    more = 0
    if operator in ("eq", "neq"):  # IOS takes several
        more = _several(words[2:])
        if more:
            low = high = UNKNOWN
    setattr(row, f"{side}_port_min", low)
    setattr(row, f"{side}_port_max", high)
    return taken + more


def _several(words: Iterable[str]) -> int:
    count = 0
    for word in words:
        if _port(word) is None:
            break
        count += 1
    return count


def _port(word: str) -> int | None:
    return int(word) if word.isdecimal() and len(word) < 6 else _PORTS.get(word.lower())
