"""IOS and those like it (Ruijie, ZXROS, FRR): interfaces, and the access layer."""

from __future__ import annotations

from typing import Any

from collectors.cli.config_tree import Node
from collectors.cli.facts_interfaces import concluded, physical
from collectors.cli.facts_reader import Config, below, numbers, span
from inventory.kinds.device_config import ConfigInterface, LanProtection
from inventory.unknown import UNKNOWN

_OFF = ("no shutdown",)


def read(config: Config) -> dict[str, Any]:
    """Fields of ``DeviceConfig``. The sections of one interface may stand apart (ZXROS): they are joined."""
    joined: dict[str, list[Node]] = {}
    for node in config.all("interface"):
        if len(node.words) > 1 and node.words[1] != "range":
            joined.setdefault("".join(node.words[1:]), []).append(node)
    rows = [interface(config, name, nodes) for name, nodes in joined.items()]
    return {"interfaces": rows if rows else config.absent([]), "lan": lan(config, rows)}


def interface(config: Config, name: str, nodes: list[Node]) -> ConfigInterface:
    """One interface, in one pass over its lines."""
    port = physical(name)
    false, none = config.absent(False), config.absent(None)
    row = ConfigInterface(
        name=name, physical=port, ipv4=false, ipv6=false, acl_in_ipv4=none, acl_in_ipv6=none,
        shutdown=config.default("interfaces.shutdown"), urpf_ipv4=false, urpf_ipv6=false,
        storm_control=false if port else UNKNOWN, access_control=false if port else UNKNOWN,
        ra_guard=false if port else UNKNOWN, dhcpv6_guard=false if port else UNKNOWN,
        redirects_ipv4=config.default("interfaces.redirects_ipv4"),
        redirects_ipv6=config.default("interfaces.redirects_ipv6"),
        proxy_arp=config.default("interfaces.proxy_arp"), discovery=config.default("interfaces.discovery"),
        lines=sorted({n for node in nodes for n in span(node)}),
    )  # fmt: skip
    used = False
    for node in nodes:
        for child in node.children:
            used |= _line(row, child.text, child.words)
    return concluded(row, used, config)


def _line(row: ConfigInterface, text: str, words: list[str]) -> bool:
    """Take one line of an interface; whether it shows that the interface is used."""
    first = words[0]
    match first:
        case "shutdown":
            row.shutdown = True
        case "no":
            _no(row, text)
        case "ip":
            return _ip(row, words)
        case "ipv6":
            return _ipv6(row, words)
        case "ipv4-access-group" | "ipv6-access-group":
            if "ingress" in words and len(words) > 2:
                _set_acl(row, words[2], six=first.startswith("ipv6"))
        case "description" | "channel-group" | "port-group" | "smartgroup":
            return True
        case "switchport":
            return _switchport(row, words)
        case "storm-control":
            row.storm_control = True
        case "dot1x" | "mab" | "authentication" | "access-session":
            row.access_control = True
        case "cdp" | "lldp":
            row.discovery = True
    return False


def _no(row: ConfigInterface, text: str) -> None:
    if text in _OFF:
        row.shutdown = False
    elif text == "no switchport":
        row.mode = "routed"
    elif text.startswith("no ip redirects"):
        row.redirects_ipv4 = False
    elif text.startswith("no ipv6 redirects"):
        row.redirects_ipv6 = False
    elif text.startswith("no ip proxy-arp"):
        row.proxy_arp = False
    elif text.startswith(("no cdp enable", "no lldp transmit")):
        row.discovery = False


def _set_acl(row: ConfigInterface, name: str, *, six: bool) -> None:
    if six:
        row.acl_in_ipv6 = name
    else:
        row.acl_in_ipv4 = name


def _ip(row: ConfigInterface, words: list[str]) -> bool:
    match words[1:]:
        case ["address", *_]:
            row.ipv4 = True
            return True
        case ["access-group", name, *rest] if "in" in rest:
            row.acl_in_ipv4 = name
        case ["verify", "unicast", *_] | ["verify", "urpf", *_] | ["urpf", *_]:
            row.urpf_ipv4 = True
        case ["proxy-arp", *_]:
            row.proxy_arp = True
        case ["redirects", *_]:
            row.redirects_ipv4 = True
    return False


def _ipv6(row: ConfigInterface, words: list[str]) -> bool:
    match words[1:]:
        case ["address", *_]:
            row.ipv6 = True
            return True
        case ["enable"]:
            row.ipv6 = True
        case ["traffic-filter", name, *rest] | ["access-group", name, *rest] if "in" in rest:
            row.acl_in_ipv6 = name
        case ["verify", *_] | ["urpf", *_]:
            row.urpf_ipv6 = True
        case ["nd", "raguard", *_] | ["nd", "ra-guard", *_]:
            row.ra_guard = True
        case ["dhcp", "guard", *_]:
            row.dhcpv6_guard = True
        case ["redirects", *_]:
            row.redirects_ipv6 = True
    return False


def _switchport(row: ConfigInterface, words: list[str]) -> bool:
    match words[1:]:
        case ["mode", mode, *_]:
            row.mode = mode if mode in ("access", "trunk") else "other"  # type: ignore[assignment]
            return mode == "trunk"
        case ["port-security", *_]:
            row.access_control = True
        case ["access", "vlan", *_]:
            row.mode = "access" if row.mode is UNKNOWN else row.mode
            return True
        case ["trunk", *_] | ["vlan", *_]:
            return True
    return False


def lan(config: Config, interfaces: list[ConfigInterface]) -> LanProtection:
    """What protects the access layer, for the device, some VLAN or some port."""
    sections = [*config.all("vlan configuration"), *config.all("interface"), *config.all("vlan")]
    four = config.all("ip dhcp snooping")
    six = [
        *config.all("ipv6 dhcp guard"),
        *config.all("ipv6 dhcp snooping"),
        *_in(sections, "ipv6 dhcp guard"),
    ]
    arp = [*config.all("ip arp inspection"), *_in(sections, "arp-check", "anti-arp-spoofing")]
    nd = [
        *config.all("ipv6 snooping"), *config.all("ipv6 nd snooping"), *config.all("ipv6 nd inspection"),
        *_in(sections, "ipv6 snooping", "ipv6 nd inspection", "ipv6 source-guard", "ipv6 nd snooping"),
    ]  # fmt: skip
    guard = [
        *config.all("ipv6 nd raguard policy"),
        *_in(sections, "ipv6 nd raguard", "ipv6 nd ra-guard"),
    ]
    dot1x = [*config.all("dot1x system-auth-control"), *config.all("dot1x enable")]
    # RGOS may write these two in words that we do not know
    unsaid = UNKNOWN if config.platform == "ruijie_os" else config.absent(False)
    return LanProtection(
        dhcp_snooping_ipv4=bool(four) or config.absent(False),
        dhcp_snooping_ipv6=bool(six) or config.absent(False),
        neighbour_inspection_ipv4=bool(arp) or config.absent(False),
        neighbour_inspection_ipv6=bool(nd) or unsaid,
        ra_guard=bool(guard) or unsaid,
        dot1x=bool(dot1x) or any(i.access_control is True for i in interfaces) or config.absent(False),
        lines=numbers(*four, *six, *arp, *nd, *guard, *dot1x),
    )


def _in(sections: list[Node], *prefixes: str) -> list[Node]:
    return [child for section in sections for child in below(section, *prefixes)]
