"""The table of platforms: which commands are sent, and nothing besides.

Names are netmiko's device types, but for FRR, which has none. Only commands of this table ever leave the
program (``sessions.Wire`` holds to that), and all of them only show. Paging is switched off for the session
alone, where the platform can do that without touching its configuration.
"""

from __future__ import annotations

import re
from typing import Literal

import msgspec

Purpose = Literal[
    "version",  # vendor, model, software, version, serial number
    "serial",  # serial number, where version does not tell
    "privilege",  # what we may see
    "configuration",
    "interfaces",
    "ipv4",  # addresses that interfaces does not show
    "ipv6",
    "neighbours",  # LLDP
    "arp",
    "nd",
    "time",
    "routes_ipv4",  # how many there are; Junos tells both families at once
    "routes_ipv6",
    "signatures_antivirus",  # which library is loaded, and of when; of firewalls alone
    "signatures_ips",
    "signatures_update",  # whether the device fetches new ones
    "standby",  # who would take over, where the configuration says that somebody should
    "saved",  # the configuration that it would start with
]
_FAMILY = Literal["vrp", "comware", "cisco", "junos", "shell"]


class Command(msgspec.Struct, frozen=True):
    """One command. ``template``: the name of the table of ntc-templates that reads its output, "" = ours.
    ``where``: sent only where the configuration, which is asked for before, has this (a pattern)."""

    purpose: Purpose
    text: str
    template: str = ""
    where: str = ""


class Platform(msgspec.Struct, frozen=True, kw_only=True):
    """How to talk to one kind of software. ``driver``: netmiko's device type. ``ending``: what the last line
    of a whole configuration is (a pattern), "" = it has no such line. ``full_level``: the answer to
    ``privilege`` that shows all of the configuration."""

    name: str
    title: str
    driver: str
    family: _FAMILY
    vendor: str
    software: str
    commands: tuple[Command, ...]
    paging: tuple[str, ...] = ()
    leave: str = "quit"
    enables: bool = False
    ending: str = ""
    full_level: str = ""

    @property
    def allowed(self) -> frozenset[str]:
        """All that may be sent as a line."""
        enable = ("enable",) if self.enables else ()
        return frozenset((*(c.text for c in self.commands), *self.paging, self.leave, *enable))

    def command(self, purpose: Purpose) -> Command | None:
        """The command for a purpose."""
        return next((c for c in self.commands if c.purpose == purpose), None)


_INSPECTS = r"(?m)^security-policy"
_SRX_INSPECTS = r"(?m)application-services|^\s*utm \{|^\s*idp \{|^set security (?:utm|idp) "
_VRP = (
    Command("version", "display version", "display version"),
    Command("serial", "display device manufacture-info"),
    Command("configuration", "display current-configuration"),
    Command("interfaces", "display interface"),
    Command("ipv6", "display ipv6 interface"),
    Command("neighbours", "display lldp neighbor", "display lldp neighbor"),
    Command("arp", "display arp all", "display arp all"),
    Command("nd", "display ipv6 neighbors", "display ipv6 neighbors"),
    Command("time", "display ntp-service status"),
    Command("routes_ipv4", "display ip routing-table statistics"),
    Command("routes_ipv6", "display ipv6 routing-table statistics"),
    Command("signatures_antivirus", "display version av-sdb", where=_INSPECTS),
    Command("signatures_ips", "display version ips-sdb", where=_INSPECTS),
    Command("signatures_update", "display update configuration", where=_INSPECTS),
    Command("standby", "display hrp state", where=r"(?m)^\s*hrp enable\b"),
    Command("saved", "display saved-configuration"),
)
_COMWARE = (
    Command("version", "display version"),
    Command("serial", "display device manuinfo", "display device manuinfo"),
    Command("configuration", "display current-configuration"),
    Command("interfaces", "display interface"),
    Command("ipv4", "display ip interface"),
    Command("ipv6", "display ipv6 interface"),
    Command(
        "neighbours",
        "display lldp neighbor-information verbose",
        "display lldp neighbor-information verbose",
    ),
    Command("arp", "display arp", "display arp"),
    Command("nd", "display ipv6 neighbors all"),
    Command("time", "display ntp-service status"),
    Command("routes_ipv4", "display ip routing-table statistics"),
    Command("routes_ipv6", "display ipv6 routing-table statistics"),
    Command("signatures_antivirus", "display anti-virus signature information", where=_INSPECTS),
    Command("signatures_ips", "display ips signature information", where=_INSPECTS),
    Command("standby", "display irf", where=r"(?m)^\s*irf-port \d"),
    Command("saved", "display saved-configuration"),
)
_CISCO = (
    Command("version", "show version", "show version"),
    Command("privilege", "show privilege"),
    Command("configuration", "show running-config"),
    Command("interfaces", "show interfaces"),
    Command("ipv6", "show ipv6 interface"),
    Command("neighbours", "show lldp neighbors detail", "show lldp neighbors detail"),
    Command("arp", "show ip arp", "show ip arp"),
    Command("nd", "show ipv6 neighbors", "show ipv6 neighbors"),
    Command("time", "show ntp status"),
    Command("routes_ipv4", "show ip route summary"),
    Command("routes_ipv6", "show ipv6 route summary"),
    Command("standby", "show standby brief", "show standby brief", where=r"(?m)^ standby \d"),
    Command("saved", "show startup-config"),
)
_RUIJIE = (
    Command("version", "show version"),
    Command("privilege", "show privilege"),
    Command("configuration", "show running-config"),
    Command("interfaces", "show interfaces"),
    Command("ipv6", "show ipv6 interface"),
    Command("arp", "show arp"),
    Command("time", "show ntp status"),
    Command("saved", "show startup-config"),
)
_ZTE = (
    Command("version", "show version", "show version"),
    Command("configuration", "show running-config"),
    Command("interfaces", "show interface"),
    Command("ipv6", "show ipv6 interface"),
    Command("arp", "show arp", "show arp"),
    Command("time", "show ntp status"),
)
_NXOS = (
    Command("version", "show version", "show version"),
    Command("configuration", "show running-config"),
    Command("interfaces", "show interface"),
    Command("ipv6", "show ipv6 interface"),
    Command("neighbours", "show lldp neighbors detail", "show lldp neighbors detail"),
    Command("arp", "show ip arp", "show ip arp"),
    Command("routes_ipv4", "show ip route summary"),
    Command("routes_ipv6", "show ipv6 route summary"),
)
_JUNOS = (
    Command("version", "show version", "show version"),
    Command("serial", "show chassis hardware"),
    Command("configuration", "show configuration"),
    Command("interfaces", "show interfaces"),
    Command("neighbours", "show lldp neighbors", "show lldp neighbors"),
    Command("arp", "show arp no-resolve", "show arp no-resolve"),
    Command("routes_ipv4", "show route summary"),
    Command("signatures_antivirus", "show security utm anti-virus status", where=_SRX_INSPECTS),
    Command("signatures_ips", "show security idp security-package-version", where=_SRX_INSPECTS),
    Command(
        "standby",
        "show chassis cluster status",
        "show chassis cluster status",
        where=r"(?m)^chassis \{\n\s*cluster \{|^set chassis cluster ",
    ),
)
_FRR = (
    Command("version", "show version"),
    Command("configuration", "show running-config"),
    Command("interfaces", "show interface"),
    Command("routes_ipv4", "show ip route summary"),
    Command("routes_ipv6", "show ipv6 route summary"),
)


def _by_shell(command: Command) -> Command:
    """The same command to a router whose accounts have a shell of the system."""
    return Command(command.purpose, f"vtysh -c '{command.text}'", command.template)


def _cisco_like(name: str, title: str, vendor: str, software: str, commands: tuple[Command, ...]) -> Platform:
    return Platform(
        name=name,
        title=title,
        driver=name,
        family="cisco",
        vendor=vendor,
        software=software,
        commands=commands,
        paging=("terminal length 0",),
        leave="exit",
        enables=True,
        ending=r"end",
        full_level="15" if any(c.purpose == "privilege" for c in commands) else "",
    )


_HILLSTONE = (
    Command("version", "show version"),
    Command("configuration", "show configuration"),
    Command("interfaces", "show interface"),
)
_HUAWEI = Platform(
    name="huawei_vrp",
    title="华为 VRP",
    driver="huawei_vrp",
    family="vrp",
    vendor="Huawei",
    software="VRP",
    commands=_VRP,
    paging=("screen-length 0 temporary",),
    ending=r"return",
)
_FRR_OWN = Platform(
    name="frr",
    title="FRR（登录即 vtysh）",
    driver="cisco_ios",
    family="cisco",
    vendor="FRRouting",
    software="FRR",
    commands=_FRR,
    paging=("terminal length 0",),
    leave="exit",
    ending=r"end",
)

_TABLE = (
    _HUAWEI,
    msgspec.structs.replace(_HUAWEI, name="huawei_vrpv8", title="华为 VRP8", driver="huawei_vrpv8"),
    Platform(
        name="hp_comware",
        title="新华三 Comware",
        driver="hp_comware",
        family="comware",
        vendor="H3C",
        software="Comware",
        commands=_COMWARE,
        paging=("screen-length disable",),
        ending=r"return",
    ),
    _cisco_like("cisco_ios", "思科 IOS、IOS XE", "Cisco", "IOS", _CISCO),
    msgspec.structs.replace(
        _cisco_like("cisco_nxos", "思科 NX-OS", "Cisco", "NX-OS", _NXOS), enables=False, ending=""
    ),
    _cisco_like("ruijie_os", "锐捷 RGOS", "Ruijie", "RGOS", _RUIJIE),
    _cisco_like("zte_zxros", "中兴 ZXR10", "ZTE", "ZXROS", _ZTE),
    _cisco_like("maipu", "迈普", "Maipu", "MyPower", _RUIJIE),
    msgspec.structs.replace(
        _cisco_like("hillstone_stoneos", "山石 StoneOS", "Hillstone", "StoneOS", _HILLSTONE),
        enables=False,
        ending="",
    ),
    Platform(
        name="juniper_junos",
        title="瞻博 Junos",
        driver="juniper_junos",
        family="junos",
        vendor="Juniper",
        software="Junos",
        commands=_JUNOS,
        paging=("set cli screen-length 0", "set cli screen-width 0"),
        leave="exit",
    ),
    _FRR_OWN,
    msgspec.structs.replace(
        _FRR_OWN,
        name="frr_linux",
        title="FRR（登录是 Linux shell，经 vtysh）",
        driver="linux",
        family="shell",
        commands=tuple(_by_shell(c) for c in _FRR),
        paging=(),
    ),
)
PLATFORMS: dict[str, Platform] = {platform.name: platform for platform in _TABLE}
ALIASES = {
    "huawei": "huawei_vrp",
    "h3c_comware": "hp_comware",
    "h3c": "hp_comware",
    "cisco_xe": "cisco_ios",
}
AUTO = "auto"
"""Find out by the prompt and by what the device says of its version."""

ASKED_TO_DETECT = ("display version", "show version", "vtysh -c 'show version'")
_SAYS = (
    ("hp_comware", r"Comware|H3C|Hangzhou|New H3C"),
    ("huawei_vrp", r"Huawei|HUAWEI|VRP \(R\)"),
    ("frr", r"FRRouting|Quagga"),
    ("cisco_nxos", r"NX-OS|Nexus Operating System"),
    ("cisco_ios", r"Cisco IOS|IOS-XE|Cisco Internetwork"),
    ("ruijie_os", r"Ruijie|RGOS"),
    ("zte_zxros", r"ZXR10|ZTE|ROSNG|ZXROS"),
    ("juniper_junos", r"(?i)\bjunos\b"),
    ("hillstone_stoneos", r"StoneOS|Hillstone"),
    ("maipu", r"(?i)\bmaipu\b|MyPower"),
)


def platform_of(name: str) -> Platform:
    """The platform of a name or of another name for it. Raises KeyError."""
    return PLATFORMS[ALIASES.get(name, name)]


def detected(command: str, answer: str) -> Platform | None:
    """The platform that an answer to one of ``ASKED_TO_DETECT`` speaks of."""
    for name, pattern in _SAYS:
        if re.search(pattern, answer):
            return PLATFORMS["frr_linux" if name == "frr" and command.startswith("vtysh") else name]
    return None


Refusal = Literal["unsupported", "denied"]
_MOST_LINES_OF_REFUSAL = 8
_DENIED = re.compile(
    r"(?i)permission denied|do(?:es)? not have (?:the )?(?:permission|sufficient)|no permission"
    r"|not authorized|authorization failed|access denied|insufficient privilege|privilege level|not allowed"
    r"|no right|doesn't have sufficient"
)
_UNSUPPORTED = re.compile(
    r"(?i)^\s*(?:error\s*:|%|\^|syntax error|unknown command|unrecognized|invalid (?:input|command)|info\s*:"
    r"|incomplete command|wrong parameter|ambiguous|too many parameters|.{0,40}command not found)"
)


def refusal_of(answer: str) -> Refusal | None:
    """Whether a device refused a command, and how; None for an answer. Only short answers are refusals: in
    a long one such words are somebody's text."""
    lines = [line for line in answer.splitlines() if line.strip()]
    if not lines or len(lines) > _MOST_LINES_OF_REFUSAL:
        return None
    marked = [line for line in lines if _UNSUPPORTED.search(line)]
    if any(_DENIED.search(line) for line in (marked or (lines if len(lines) <= 2 else []))):
        return "denied"
    return "unsupported" if marked and len(lines) - len(marked) <= 2 else None
