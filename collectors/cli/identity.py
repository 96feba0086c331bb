"""Which device it is, by what it says of its version: pure functions over masked text.

Only forms seen in real answers, or documented by the maker, are here; what no pattern matches stays unknown.
"""

from __future__ import annotations

import re
from typing import Any

from collectors.cli.displays import rows
from collectors.cli.platforms import Platform

_FACTS: dict[str, tuple[str, ...]] = {
    "huawei_vrp": (
        r"(?im)^(?:HUAWEI|Quidway) (?P<model>[A-Z][\w-]*\d[\w+-]*)\b.*uptime is",
        r"VRP \(R\) software, Version [\d.]+ \((?P<model>[\w-]+) (?P<version>V\d{3}R\d{3}C\w+)",
        r"\b(?P<version>V\d{3}R\d{3}C\w+)",
        r"VRP \(R\) software, Version (?P<version>[\d.]+)",
    ),
    "hp_comware": (
        r"Comware (?:Platform )?Software, Version (?P<version>[\d.]+, \w+ \w+)",
        r"(?m)^(?:H3C|HPE?) (?P<model>[A-Z]\S+)(?: \S+){0,3} uptime is",
    ),
    "ruijie_os": (
        r"System software version\s*:\s*(?P<version>.*\S)",
        r"System description\s*:.*\((?P<model>[\w-]+)\)",
        r"(?i)System serial number\s*:\s*(?P<serial>\w+)",
    ),
    "zte_zxros": (
        r"(?P<model>ZXR10 [\w-]+)",
        r"(?i)Version\s*:?\s*(?P<version>V[\w.]+)",
    ),
    "maipu": (
        r"(?i)software version\s*:?\s*(?P<version>\S+)",
        r"(?im)^(?P<model>[A-Z]+\d[\w-]*) (?:device|system)",
        r"(?i)serial number\s*:?\s*(?P<serial>\w+)",
    ),
    "hillstone_stoneos": (
        r"StoneOS software, Version (?P<version>\S+)",
        r"(?i)Product name:?\s*(?P<model>\S+)",
        r"(?i)S/N:?\s*(?P<serial>\w+)",
    ),
    "juniper_junos": (
        r"(?m)^Model: (?P<model>\S+)",
        r"(?m)^Junos: (?P<version>\S+)",
        r"(?m)^JUNOS .*\[(?P<version>[\w.-]+)\]",
        r"(?m)^Chassis\s+(?P<serial>[A-Z]{2}\w+)\s",
    ),
    "cisco_ios": (r"Version (?P<version>[^\s,]+)", r"(?m)^[Cc]isco (?P<model>\S+) .*(?:processor|memory)"),
    "cisco_nxos": (r"(?:NXOS|system):\s+version (?P<version>\S+)",),
    "frr": (r"FRRouting (?P<version>\S+)",),
}
_KEYS = {
    "model": ("model", "hardware", "platform"),
    "version": ("product_version", "version", "os", "junos_version"),
    "serial": ("serial", "device_serial_number", "serial_number"),
}
_SERIAL = (
    r"(?im)^\s*DEVICE[_ ]SERIAL[_ ]NUMBER\s*:\s*(?P<serial>\S+)",
    r"(?im)^\s*(?:Equipment |Manufacture )?(?:serial number|BarCode|SN)\s*[:=]\s*(?P<serial>\S+)",
    r"(?m)^\s*\d+\s+-+\s+(?P<serial>[0-9A-Z]{12,24})\s",
    r"(?m)^Chassis\s+(?P<serial>[A-Z]{2}\w+)\s",
)
_UPTIME = re.compile(r"(?i)uptime\s*(?:is|:)\s*(.{3,120})")
_UNITS = {"year": 31_536_000, "week": 604_800, "day": 86_400, "hour": 3600, "minute": 60, "second": 1}


def facts_of(platform: Platform, version: str, serial: str) -> dict[str, str]:
    """``model``, ``version``, ``serial`` as far as the outputs tell them: by our patterns, then by the
    template, whose model and version are a whole phrase on some platforms."""
    name = {"huawei_vrpv8": "huawei_vrp", "frr_linux": "frr"}.get(platform.name, platform.name)
    found: dict[str, str] = {}
    patterns = [(pattern, version) for pattern in _FACTS.get(name, ())]
    patterns += [(pattern, serial) for pattern in _SERIAL]
    for pattern, text in patterns:
        match = re.search(pattern, text)
        for field, value in (match.groupdict() if match else {}).items():
            if value and value.strip():
                found.setdefault(field, value.strip())
    command = platform.command("version")
    table = rows(name, command.template, version) if command and command.template and version else None
    for field, keys in _KEYS.items():
        if value := _first(table[0], keys) if table else "":
            found.setdefault(field, value)
    return found


def _first(row: dict[str, Any], keys: tuple[str, ...]) -> str:
    for key in keys:
        value = row.get(key)
        text = value[0] if isinstance(value, list) and value else value
        if isinstance(text, str) and text.strip():
            return text.strip()
    return ""


def uptime_of(text: str) -> int | None:
    """Seconds since the start, of "3 weeks, 2 days, 1 hour, 5 minutes" and "0:03:18:36"."""
    match = _UPTIME.search(text)
    if match is None:
        return None
    told = match[1]
    if clock := re.match(r"(\d+):(\d{1,2}):(\d{1,2}):(\d{1,2})", told):
        days, hours, minutes, seconds = (int(one) for one in clock.groups())
        return ((days * 24 + hours) * 60 + minutes) * 60 + seconds
    parts = re.findall(r"(\d{1,6})\s*(year|week|day|hour|minute|second)s?", told.lower())
    return sum(int(count) * _UNITS[unit] for count, unit in parts) if parts else None
