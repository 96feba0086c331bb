"""Ways from outside to a device's own management: public addresses of its interfaces, services that an
interface towards an untrusted zone answers, logins of people over a VPN. For VRP, Comware, IOS and RGOS.
"""

from __future__ import annotations

import re
from ipaddress import ip_interface
from typing import Any

from collectors.cli.config_tree import Node, lines_of, tree
from collectors.cli.displays import configured_addresses
from collectors.cli.facts_firewall import zone_outside
from collectors.cli.facts_reader import MAX_LINES, below
from inventory.kinds.device_config import OutsideAccess
from inventory.unknown import UNKNOWN, Maybe

DIALECTS = frozenset(("huawei_vrp", "hp_comware", "cisco_ios", "ruijie_os"))
_LEASED = re.compile(r"(?i)\s+(?:ip|ipv6) address (?:dhcp|negotiated|ppp|auto|cellular)")
_VPN = re.compile(
    r"(?i)\s*(?:v-gateway|sslvpn|webvpn|l2tp enable|l2tp-group|vpdn enable|vpdn-group|pptp|easyvpn"
    r"|crypto vpn (?:anyconnect|ssl)|crypto isakmp client configuration|crypto ikev2 authorization policy"
    r"|ike (?:dpd-)?user|service-scheme|ip (?:local )?pool \S+vpn)\b"
)
"""Lines that let people in over SSL, L2TP or IPsec. One that means something else leaves it unknown."""


def read(configuration: str, complete: bool) -> dict[str, Any]:
    """The field ``outside`` of ``DeviceConfig``."""
    lines = lines_of(configuration)
    vpn = [number for number, line in enumerate(lines, start=1) if _VPN.match(line)]
    services, seen = _zone_services(tree(configuration), complete)
    return {
        "outside": OutsideAccess(
            global_address=_public(configuration, lines, complete),
            people=True if vpn else (False if complete else UNKNOWN),
            interface_services=services,
            lines=sorted({*vpn, *seen})[:MAX_LINES],
        )
    }


def _public(configuration: str, lines: list[str], complete: bool) -> Maybe[bool]:
    found = configured_addresses("\n".join(lines)).values()
    if any(ip_interface(text).ip.is_global for texts in found for text in texts):
        return True
    return UNKNOWN if not complete or any(_LEASED.match(line) for line in lines) else False


def _zone_services(nodes: list[Node], complete: bool) -> tuple[Maybe[bool], list[int]]:
    """Whether an interface of a zone that is not trusted answers management services (``service-manage``)."""
    zones = {
        words[2]: node.words[-1]
        for node in nodes
        if node.text.startswith(("firewall zone ", "security-zone name "))
        for words in (child.words for child in below(node, "add interface", "import interface"))
    }
    found: list[int] = []
    unsure = False
    for node in nodes:
        if not node.text.startswith("interface "):
            continue
        permits = [one for one in below(node, "service-manage") if one.words[-1] == "permit"]
        permits = [one for one in permits if one.words[1] != "ping"]
        if permits:
            zone = zones.get(node.text.split(" ", 1)[1].replace(" ", ""), "")
            state = zone_outside(zone, {}) if zone else UNKNOWN
            found += [one.line for one in permits] if state is True else []
            unsure |= state is UNKNOWN
    if found:
        return True, found
    return (False if complete and not unsure else UNKNOWN), found
