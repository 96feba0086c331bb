"""VRP and Comware: interfaces and the access layer."""

from __future__ import annotations

from typing import Any

from collectors.cli import facts_access_lists
from collectors.cli.config_tree import Node
from collectors.cli.facts_interfaces import concluded, physical
from collectors.cli.facts_reader import Config, below, numbers, span
from inventory.kinds.device_config import ConfigInterface, LanProtection
from inventory.unknown import UNKNOWN

_ACCESS_CONTROL = (
    "dot1x", "mac-authen", "mac-authentication", "port-security", "authentication-profile", "authentication",
    "web-auth", "portal",
)  # fmt: skip
_STORM = ("storm-control", "storm-constrain", "broadcast-suppression")
_MODES = {"access": "access", "trunk": "trunk", "hybrid": "other", "dot1q-tunnel": "other"}
_GUARDS = ("nd raguard", "ipv6 nd raguard")


def read(config: Config) -> dict[str, Any]:
    """Fields of ``DeviceConfig``."""
    nodes = config.all("interface")
    interfaces = [interface(config, node) for node in nodes if len(node.words) > 1]
    return {
        "interfaces": interfaces if interfaces else config.absent([]),
        "lan": lan(config, interfaces),
        **facts_access_lists.read(config, interfaces),
        "control_plane_protection": _control_plane(config),
        "configuration_backup": _backup(config),
    }


def interface(config: Config, node: Node) -> ConfigInterface:
    """One interface, in one pass over its lines."""
    name = "".join(node.words[1:])
    is_port = physical(name)
    absent_false, absent_none = config.absent(False), config.absent(None)
    row = ConfigInterface(
        name=name, physical=is_port, shutdown=absent_false, ipv4=absent_false, ipv6=absent_false,
        acl_in_ipv4=absent_none, acl_in_ipv6=absent_none, urpf_ipv4=absent_false, urpf_ipv6=absent_false,
        storm_control=absent_false if is_port else UNKNOWN,
        access_control=absent_false if is_port else UNKNOWN,
        ra_guard=absent_false if is_port else UNKNOWN,
        redirects_ipv4=config.default("interfaces.redirects_ipv4"),
        redirects_ipv6=config.default("interfaces.redirects_ipv6"),
        proxy_arp=config.default("interfaces.proxy_arp"),
        lines=span(node),
    )  # fmt: skip
    used = False
    for child in node.children:
        used |= _line(row, child.text, child.words)
    return concluded(row, used, config)


def _line(row: ConfigInterface, text: str, words: list[str]) -> bool:
    """Take one line of an interface; whether it shows that the interface is used."""
    first = words[0]
    match first:
        case "shutdown":
            row.shutdown = True
        case "ip" | "ipv6":
            return _address(row, words)
        case "description" | "eth-trunk":
            return True
        case "port":
            return _port(row, words)
        case "traffic-filter" | "packet-filter":
            _filter(row, words)
        case "urpf":
            row.urpf_ipv4 = True
        case "arp-proxy" | "proxy-arp":
            row.proxy_arp = True
        case "nd":
            if words[1:2] == ["raguard"]:
                row.ra_guard = True
        case "undo":
            _undo(row, text)
        case _:
            if first in _STORM:
                row.storm_control = True
            elif first in _ACCESS_CONTROL:
                row.access_control = True
    return False


def _undo(row: ConfigInterface, text: str) -> None:
    if text == "undo shutdown":
        row.shutdown = False
    elif text == "undo portswitch":
        row.mode = "routed"
    elif text.startswith("undo lldp enable"):
        row.discovery = False
    elif text.startswith(("undo icmp redirect send", "undo ip redirects")):
        row.redirects_ipv4 = False
    elif text.startswith(("undo ipv6 icmp redirect", "undo ipv6 redirects", "undo ipv6 nd redirect")):
        row.redirects_ipv6 = False


def _address(row: ConfigInterface, words: list[str]) -> bool:
    six = words[0] == "ipv6"
    second = words[1] if len(words) > 1 else ""
    if second == "address":
        row.ipv6, row.ipv4 = (True, row.ipv4) if six else (row.ipv6, True)
        return True
    if second == "urpf":
        row.urpf_ipv6, row.urpf_ipv4 = (True, row.urpf_ipv4) if six else (row.urpf_ipv6, True)
    elif words[1:3] == ["nd", "raguard"]:
        row.ra_guard = True
    elif six and second == "enable":
        row.ipv6 = True
    return False


def _port(row: ConfigInterface, words: list[str]) -> bool:
    if words[1:2] == ["link-type"] and len(words) > 2:
        row.mode = _MODES.get(words[2], "other")  # type: ignore[assignment]
        return words[2] == "trunk"
    if words[1:3] == ["link-mode", "route"]:
        row.mode = "routed"
        return False
    if words[1:3] in (["default", "vlan"], ["access", "vlan"]):
        row.mode = "access" if row.mode is UNKNOWN else row.mode
        return True
    return words[1:2] in (["trunk"], ["hybrid"], ["link-aggregation"])


def _filter(row: ConfigInterface, words: list[str]) -> None:
    if "inbound" not in words:
        return
    six = "ipv6" in words
    rest = [w for w in words[1:] if w not in ("inbound", "acl", "ipv6", "name", "rule")]
    name = rest[0] if rest else "?"
    if six:
        row.acl_in_ipv6 = name
    else:
        row.acl_in_ipv4 = name


def lan(config: Config, interfaces: list[ConfigInterface]) -> LanProtection:
    """What protects the access layer, for the device, some VLAN or some port."""
    snooping = config.all("dhcp snooping enable")
    six = [*config.all("ipv6 dhcp snooping enable"), *config.all("dhcpv6 snooping enable")]
    if config.platform == "huawei_vrp":  # one command for both families unless it names one
        six += [n for n in snooping if n.words[-1] != "ipv4"]
        snooping = [n for n in snooping if n.words[-1] != "ipv6"]
    sections = [*config.all("vlan"), *config.all("interface")]
    arp = [*_in(sections, "arp anti-attack check user-bind enable", "arp detection enable")]
    nd = [
        *config.all("nd snooping enable"), *config.all("savi enable"), *config.all("ipv6 savi strict"),
        *_in(sections, "nd anti-attack check user-bind enable", "ipv6 nd detection enable",
             "nd snooping enable", "ipv6 nd snooping enable"),
    ]  # fmt: skip
    guard = _in(sections, *_GUARDS)
    dot1x = [*config.all("dot1x enable"), *config.all("dot1x")]
    return LanProtection(
        dhcp_snooping_ipv4=bool(snooping) or config.absent(False),
        dhcp_snooping_ipv6=bool(six) or config.absent(False),
        neighbour_inspection_ipv4=bool(arp) or config.absent(False),
        neighbour_inspection_ipv6=bool(nd) or config.absent(False),
        ra_guard=bool(guard) or config.absent(False),
        dot1x=bool(dot1x) or any(i.access_control is True for i in interfaces) or config.absent(False),
        lines=numbers(*snooping, *six, *arp, *nd, *guard, *dot1x),
    )


def _in(sections: list[Node], *prefixes: str) -> list[Node]:
    return [child for section in sections for child in below(section, *prefixes)]


def _control_plane(config: Config) -> Any:
    sections = [*config.all("control-plane"), *config.all("slot")]
    if config.all("cpu-defend-policy") or any(
        below(s, "cpu-defend-policy", "qos apply policy", "packet-filter") for s in sections
    ):
        return True
    return config.default("control_plane_protection")


def _backup(config: Config) -> Any:
    saved = [n for n in config.all("set save-configuration") if "backup-to-server" in n.text]
    return bool(saved or config.all("archive configuration")) or config.absent(False)
