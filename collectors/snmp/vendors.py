"""What a vendor's sysDescr, sysObjectID and ENTITY-MIB tell: model, software, version, serial, role.

Only forms seen in real answers are here. What no pattern matches stays UNKNOWN.
"""

from __future__ import annotations

import re
from typing import Literal

from inventory.origin import AGENT_ENTERPRISES, VENDORS, Origin, vendor_origin

Role = Literal["switch", "router", "firewall", "security", "load_balancer", "ups", "server", "other"]

_ENTERPRISE = re.compile(r"\.?1\.3\.6\.1\.4\.1\.(\d+)(?:\.|$)")

_NAMED_IN_TEXT = (
    *(("netentsec", "NetentSec"), ("h3c", "H3C"), ("huawei", "Huawei"), ("ruijie", "Ruijie")),
    *(("nsfocus", "NSFOCUS"), ("topsec", "Topsec"), ("dptech", "DPtech"), ("hillstone", "Hillstone")),
    *(("sangfor", "Sangfor"), ("venustech", "Venustech"), ("maipu", "Maipu"), ("zxr10", "ZTE")),
)
"""Names that tell the vendor where the sysObjectID is that of somebody's agent software."""

_SOFTWARE = {
    "Huawei": ("VRP", r"VRP \(R\) software"),
    "H3C": ("Comware", r"Comware|H3C (?:Switch )?\S+ Software Version"),
    "Ruijie": ("RGOS", r"\bRGOS\b"),
    "Cisco": ("IOS", r"Cisco IOS Software|Cisco Internetwork Operating System Software"),
    "Juniper": ("Junos", r"\bJUNOS\b"),
    "DPtech": ("ConPlat", r"(?i)DPtech ConPlat"),
    "Venustech": ("VSOS", r"\bVSOS\b"),
    "APC": ("AOS", r"apc_hw\d+_aos_"),
}
_NX_OS = re.compile(r"Cisco NX-OS")

# first match of a vendor wins; groups: model, version, serial
_PATTERNS: dict[str, tuple[str, ...]] = {
    "Huawei": (
        r"^(?P<model>(?:S|CE|AR|NE|ME|USG|AC)\d[\w-]*)",
        r"\b(?P<version>V\d{3}R\d{3}C\w+)",
    ),
    "H3C": (
        r"Software Version (?P<version>[\d.]+, (?:Release|ESS|Feature|Test|Demo) \w+)",
        r"^H3C Switch (?P<model>\S+) Software",
        r"Platform Software (?:H3C )?(?P<model>[A-Z]\S*[A-Z0-9])\. Product Version (?P<version>Release \w+)",
    ),
    "Ruijie": (
        r"\bRGOS (?P<version>\S+ Release\(\w+\))",
        r"\((?P<model>[A-Z]\w*[\w/.+-]*)\) By Ruijie",
    ),
    "ZTE": (r"(?P<model>ZXR10 [\w-]+), Version: (?P<version>[\w.]+)",),
    "Cisco": (r"Cisco (?:IOS|NX-OS).*?, Version (?P<version>[^\s,]+)",),
    "Juniper": (r"Inc\. (?P<model>\S+) internet router, kernel JUNOS (?P<version>\w[\w.-]*\w)",),
    "Maipu": (r"^(?P<model>\S+) Device, Compiled", r"SoftWare Version \S*?_(?P<version>[\d.]+)"),
    "Digital China": (
        r"^(?P<model>\S+) Device, Compiled",
        r"SoftWare Version (?P<version>\S+)",
        r"Device serial number (?P<serial>\w+)",
    ),
    "DPtech": (r"software, Version (?P<version>\w+)", r"(?P<model>\w[\w-]*) Product Version"),
    "Topsec": (r"Topsec\s+(?P<model>\S+) Software Version (?P<version>\S+)",),
    "Venustech": (r"VSOS-(?P<version>V\w+)",),
    "Sangfor": (r"^Linux (?P<model>AD-[\w-]+) ",),
    "Infosec": (r"INFOSEC (?P<model>NSAE \d+).*Software: NSAE Rel\.NSAE\.(?P<version>[\d.]+)",),
    "NetentSec": (r"Netentsec (?P<model>NGFW)",),
    "APC": (r"PF:(?P<version>v[\d.]+).*MN:(?P<model>\S+).*SN:\s*(?P<serial>\w+)",),
}

_ROLES: tuple[tuple[str, str, Role], ...] = (
    # vendor, pattern over model and description, role: the first match counts
    ("Huawei", r"\b(?:USG|Eudemon)\d", "firewall"),
    ("Huawei", r"\b(?:AR|NE|ME)\d", "router"),
    ("Huawei", r"\b(?:S|CE)\d{4}", "switch"),
    ("H3C", r"SecPath|\bF\d{3,4}\b", "firewall"),
    ("H3C", r"\b(?:SR|MSR|CR)\d", "router"),
    ("H3C", r"\bSwitch\b|\bS\d{4}", "switch"),
    ("Ruijie", r"Switch|\bS\d{4}", "switch"),
    ("Ruijie", r"\bRSR\d", "router"),
    ("ZTE", r"Ethernet Switch", "switch"),
    ("Cisco", r"\b(?:C\d{4}|n[579]000|N[579]K|WS-C\d{4})", "switch"),
    ("Juniper", r"\b(?:ex|qfx)\d", "switch"),
    ("Juniper", r"\bsrx\d", "firewall"),
    ("Juniper", r"internet router", "router"),
    ("Maipu", r"\bSM\d{4}", "switch"),
    ("Digital China", r"\b(?:DCRS|DCS|CS)-?\d", "switch"),
    ("Topsec", r"NGFW", "firewall"),
    ("Hillstone", r"", "firewall"),
    ("Fortinet", r"", "firewall"),
    ("Palo Alto", r"", "firewall"),
    ("NetentSec", r"NGFW", "firewall"),
    ("NSFOCUS", r"", "security"),
    ("Sangfor", r"\bAD-", "load_balancer"),
    ("Infosec", r"NSAE", "security"),  # TLS gateway
    ("Leadsec", r"(?i)\bfirewall\b", "firewall"),
    ("Venustech", r"(?i)\bfirewall\b", "firewall"),
)
_APC_UPS = re.compile(r"1\.3\.6\.1\.4\.1\.318\.1\.3\.2\.")  # smartUPS; others are PDUs, sensors …


def vendor_of(sys_object_id: str, description: str) -> tuple[str | None, Origin]:
    """Vendor and its origin, by the enterprise of sysObjectID; where that is nobody's, or names only the
    agent's software, by a name in the description. None where neither tells."""
    match = _ENTERPRISE.match(sys_object_id)
    enterprise = int(match[1]) if match else 0
    if enterprise in VENDORS and enterprise not in AGENT_ENTERPRISES:
        return vendor_origin(enterprise)
    text = description.lower()
    for word, name in _NAMED_IN_TEXT:
        if word in text:
            return name, next(origin for vendor, origin in VENDORS.values() if vendor == name)
    return None, "unidentified"


def software_of(vendor: str, text: str) -> str | None:
    """The vendor's operating system where the text (description, then software revision) names it."""
    if vendor == "Cisco" and _NX_OS.search(text):
        return "NX-OS"
    name, pattern = _SOFTWARE.get(vendor, ("", ""))
    return name if name and re.search(pattern, text) else None


def facts_of(vendor: str, text: str) -> dict[str, str]:
    """``model``, ``version``, ``serial`` as far as the vendor's patterns find them in a text."""
    found: dict[str, str] = {}
    for pattern in _PATTERNS.get(vendor, ()):
        match = re.search(pattern, text)
        for key, value in (match.groupdict() if match else {}).items():
            if value:
                found.setdefault(key, value)
    return found


def role_of(vendor: str, sys_object_id: str, text: str) -> Role | None:
    """What the device is for, by the vendor's naming; None where that is not clear."""
    if vendor == "APC":
        return "ups" if _APC_UPS.match(sys_object_id) else "other"
    for name, pattern, role in _ROLES:
        if name == vendor and re.search(pattern, text):
            return role
    return None
