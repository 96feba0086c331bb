"""What the policies of firewalls have in common, whoever made them: which zones are outside, which services
carry mail or files.

Names decide only where they are the makers' own or say it in plain words; a zone called 办公区 or a service
called OA-8080 is no more than itself, and what is concluded from it stays UNKNOWN.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

from inventory.unknown import UNKNOWN, Maybe, Unknown

Carries = Literal["mail", "files", "none"]

_OUTSIDE = re.compile(r"(?i)untrust\w*|.*internet.*|outside\w*|external\w*|wan\d*|isp\d*|.*(?:互联网|公网).*")
_INSIDE = re.compile(r"(?i)trust|dmz|management|mgmt|inside|internal|lan\d*|.*内网.*")
_ITSELF = ("local", "junos-host")
"""Zones that stand for the device: what passes there is its own traffic."""

_MAIL = frozenset("smtp smtps smtp-ssl submission pop3 pop3s imap imaps imap4 mail".split())
_NO_FILES = frozenset(
    (
        "icmp icmpv6 icmp6 icmp-all icmp6-all icmp-ping icmp6-ping ping pingv6 dns dns-udp dns-tcp domain "
        "ntp snmp snmptrap snmp-trap syslog radius radius-accounting radacct tacacs tacacs-ds bgp ospf ike "
        "ike-nat esp ah gre bfd vrrp traceroute ssh dhcp dhcp-client dhcp-server"
    ).split()
)
_FILES = frozenset(
    "http https ftp ftp-get ftp-put tftp smb cifs netbios-session microsoft-ds ms-smb nfs web".split()
)
_MANAGEMENT = frozenset("ssh telnet http https snmp netconf rdp vnc".split())
_MANAGEMENT_PORTS = (22, 23, 80, 161, 443, 830, 8443)
_MAIL_PORTS = (25, 110, 143, 465, 587, 993, 995)
_NO_FILE_PORTS = (22, 49, 53, 123, 161, 162, 179, 500, 514, 1812, 1813, 4500)
_NO_FILE_PROTOCOLS = (
    "icmp",
    "icmpv6",
    "icmp6",
    "ospf",
    "esp",
    "ah",
    "gre",
    "1",
    "47",
    "50",
    "51",
    "58",
    "89",
)


def outside(
    sources: Sequence[str], destinations: Sequence[str], known: Mapping[str, bool] | None = None
) -> Maybe[bool]:
    """Whether a network that is not trusted is on a side of a rule; no zone = any of them. What the device
    says or hears itself passes no boundary. ``known``: zones of which the configuration itself tells."""
    for side in (sources, destinations):
        if side and all(zone.lower() in _ITSELF for zone in side):
            return False
    told = [zone_outside(zone, known or {}) for side in (sources, destinations) for zone in side]
    return True if not sources or not destinations else some(told)


def some(told: Iterable[Maybe[bool]]) -> Maybe[bool]:
    """Whether one of some values is true; UNKNOWN where none is and one was not seen."""
    unseen = False
    for value in told:
        if isinstance(value, Unknown):
            unseen = True
        elif value:
            return True
    return UNKNOWN if unseen else False


def zone_outside(zone: str, known: Mapping[str, bool]) -> Maybe[bool]:
    """Whether a zone is of a network that is not trusted; UNKNOWN for a name that says nothing."""
    if zone in known:
        return known[zone]
    if zone.lower() == "any" or _OUTSIDE.fullmatch(zone):
        return True
    return False if _INSIDE.fullmatch(zone) or zone.lower() in _ITSELF else UNKNOWN


def carries(services: Iterable[str], definitions: Mapping[str, Sequence[str]]) -> tuple[bool, Maybe[bool]]:
    """Whether some services may carry files, and whether one is mail; none = any service. A service of a name
    is looked up in ``definitions`` (name → lines that define it); one that is not found there may be any."""
    found = [_carried(service, definitions) for service in services]
    files = not found or any(one != "none" for one in found)
    mail: Maybe[bool] = UNKNOWN if not found or None in found else False
    return files, True if "mail" in found else mail


def opens_management(
    sources: Sequence[str],
    destinations: Sequence[str],
    services: Sequence[str],
    definitions: Mapping[str, Sequence[str]],
    known: Mapping[str, bool],
) -> Maybe[bool]:
    """Whether a rule lets a network that is not trusted reach the device itself by a service to manage it; no
    zone and no service = any."""
    if destinations and not any(zone.lower() in (*_ITSELF, "any") for zone in destinations):
        return False
    from_outside = some(zone_outside(zone, known) for zone in sources) if sources else True
    if from_outside is False:
        return False
    manages = some(_manages(service, definitions) for service in services) if services else True
    if manages is False:
        return False
    return True if from_outside is True and manages is True else UNKNOWN


def _manages(service: str, definitions: Mapping[str, Sequence[str]]) -> Maybe[bool]:
    name = service.lower().removeprefix("junos-").strip('"')
    if name in _MANAGEMENT:
        return True
    if name in _NO_FILES or name in _MAIL or name in _FILES:
        return False
    found: list[Maybe[bool]] = []
    for line in definitions.get(service) or ([service] if " " in service else []):
        words = line.lower().split()
        ports = destination_ports(words)
        if any(word in _NO_FILE_PROTOCOLS for word in words[:4] if word != "0"):
            found.append(False)
        elif ports is None:
            found.append(UNKNOWN)
        else:
            found.append(any(low <= port <= high for low, high in ports for port in _MANAGEMENT_PORTS))
    return some(found) if found else UNKNOWN


def _carried(service: str, definitions: Mapping[str, Sequence[str]]) -> Carries | None:
    name = service.lower().removeprefix("junos-").strip('"')
    if name in _MAIL:
        return "mail"
    if name in _NO_FILES:
        return "none"
    if name in _FILES:
        return "files"
    lines = definitions.get(service) or ([service] if " " in service else [])
    each = [_by_ports(line) for line in lines]
    if not each or None in each:
        return "mail" if "mail" in each else None
    return "mail" if "mail" in each else "files" if "files" in each else "none"


def _by_ports(line: str) -> Carries | None:
    """What a line with a protocol and ports carries: ``tcp destination eq 25``, ``protocol tcp
    destination-port 25 to 30``; None where its ports are not told."""
    words = line.lower().split()
    if any(word in _NO_FILE_PROTOCOLS for word in words[:4] if word != "0"):
        return "none"
    ports = destination_ports(words)
    if ports is None:
        return None
    if any(low <= port <= high for low, high in ports for port in _MAIL_PORTS):
        return "mail"
    quiet = all(low == high and low in _NO_FILE_PORTS for low, high in ports)
    return "none" if quiet else "files"


def destination_ports(words: Sequence[str]) -> list[tuple[int, int]] | None:
    """Ranges of ports behind ``destination``, ``destination-port`` or ``eq`` at the end; None where no such
    words stand there, or they are not numbers."""
    start = next((i + 1 for i, word in enumerate(words) if word in ("destination", "destination-port")), 0)
    rest = [word for word in words[start:] if word not in ("eq", "range")] if start else []
    ports: list[tuple[int, int]] = []
    ranged = start > 0 and "range" in words[start : start + 1]
    for place, word in enumerate(rest):
        if word == "to" and ports and place + 1 < len(rest):
            ranged = True
        elif word.isdecimal() and len(word) < 6:
            number = int(word)
            if ranged and ports:
                ports[-1], ranged = (ports[-1][0], number), False
            else:
                ports.append((number, number))
        elif "-" in word and all(part.isdecimal() for part in word.split("-", 1)):
            low, high = word.split("-", 1)
            ports.append((int(low[:6]), int(high[:6])))
        else:
            return None
    return ports or None


def listed(words: Iterable[str]) -> list[str]:
    """Words of a rule once each, in order, without those that mean any; [] = not limited."""
    found = list(dict.fromkeys(words))
    return [] if any(word.lower() in ("any", "any-ipv4", "any-ipv6") for word in found) else found


def used_by(policies: Any, field: str) -> Maybe[bool]:
    """Whether some enabled rule that permits has a profile bound; UNKNOWN where the rules are not known."""
    if not isinstance(policies, list):
        return UNKNOWN
    return some(getattr(p, field) for p in policies if p.enabled is not False and p.permits is not False)
