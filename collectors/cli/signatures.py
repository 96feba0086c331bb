"""What a firewall displays of its libraries of signatures: which is loaded, when the maker issued it, and
whether new ones are fetched. Pure functions over masked text; wording that is not known tells nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime

import msgspec

from collectors.cli.platforms import Purpose
from inventory.kinds.device_config import DeviceConfig
from inventory.unknown import UNKNOWN, Unknown

_SHOWN_BY: dict[str, Purpose] = {
    "antivirus": "signatures_antivirus",
    "intrusion_prevention": "signatures_ips",
}
PURPOSES: tuple[Purpose, ...] = (*_SHOWN_BY.values(), "signatures_update")

_VRP_CURRENT = re.compile(
    r"(?is)current version\s*:\s*\n(.*?)(?:\n\s*(?:backup|initial|previous) version|\Z)"
)
_VRP_VERSION = re.compile(r"(?im)^\s*signature database version\s*:\s*(\S+)")
_VRP_ISSUED = re.compile(
    r"(?im)^\s*issue time of the update file\s*:\s*(\d\d:\d\d:\d\d)\s+(\d{4}/\d\d/\d\d)\s*$"
)
_VRP_DATED = re.compile(r"(20\d{6})\d{2}")
_COMWARE = re.compile(
    r"(?im)^\s*current\s+(?P<version>\S+)\s+(?P<at>[a-z]{3} [a-z]{3} +\d+ \d\d:\d\d:\d\d \d{4})\b"
)
_IDP = re.compile(
    r"(?im)^\s*attack database version\s*:\s*(?P<version>\d+)\s*\("
    r"[^,)]*,\s*(?P<at>[a-z]{3} [a-z]{3} +\d+ \d\d:\d\d:\d\d \d{4}) UTC\)"
)
_AV = re.compile(r"(?im)^\W*AV signature version:\s*(?P<version>(?P<at>\d\d/\d\d/\d{4} \d\d:\d\d) GMT)")
_LIBRARY_OF_SCHEDULE = re.compile(r"(?im)^\s*(av|ips)-sdb\s*:\s*$")
_SCHEDULED = re.compile(r"(?im)^\s*schedule update\s*:\s*(enabled?|disabled?)\s*$")
_AV_FETCHES = re.compile(r"(?im)^\W*auto update status:\s*(next update|disabled)")
_NAMES = {"av": "antivirus", "ips": "intrusion_prevention"}


def completed(config: DeviceConfig, told: Mapping[Purpose, str]) -> DeviceConfig:
    """The configuration with what was displayed besides. ``told``: purpose → a whole answer, "" = none. What
    the configuration itself says of the schedule holds before what is displayed."""
    if isinstance(config.signatures, Unknown) or not config.signatures:
        return config
    scheduled = schedule(told.get("signatures_update", ""))
    if fetches := _AV_FETCHES.search(told.get("signatures_antivirus", "")):
        scheduled["antivirus"] = fetches[1].lower() == "next update"
    rows = []
    for row in config.signatures:
        library = str(row.library)
        version, released = loaded(told.get(_SHOWN_BY[library], "") if library in _SHOWN_BY else "")
        rows.append(
            msgspec.structs.replace(
                row,
                version=row.version if version is None else version,
                released=row.released if released is None else released,
                automatic=scheduled.get(library, UNKNOWN)
                if isinstance(row.automatic, Unknown)
                else row.automatic,
            )
        )
    return msgspec.structs.replace(config, signatures=rows)


def loaded(text: str) -> tuple[str | None, datetime | None]:
    """Version and time of issue of the library in use; None for what is not told."""
    if current := _VRP_CURRENT.search(text):
        return _vrp(current[1])
    for pattern, form in (
        (_COMWARE, "%a %b %d %H:%M:%S %Y"),
        (_IDP, "%a %b %d %H:%M:%S %Y"),
        (_AV, "%m/%d/%Y %H:%M"),
    ):
        if match := pattern.search(text):
            return match["version"], _moment(" ".join(match["at"].split()), form)
    return None, None


def _vrp(text: str) -> tuple[str | None, datetime | None]:
    """Version and date of VRP; a version is the day of issue and a number of that day, where the line of the
    time itself is missing."""
    version = _VRP_VERSION.search(text)
    issued = _VRP_ISSUED.search(text)
    if issued:
        return version[1] if version else None, _moment(f"{issued[2]} {issued[1]}", "%Y/%m/%d %H:%M:%S")
    if version is None:
        return None, None
    dated = _VRP_DATED.fullmatch(version[1])
    return version[1], _moment(dated[1], "%Y%m%d") if dated else None


def _moment(text: str, form: str) -> datetime | None:
    try:
        return datetime.strptime(text, form).replace(tzinfo=UTC)
    except ValueError:
        return None


def schedule(text: str) -> dict[str, bool]:
    """Library → whether VRP fetches new ones, from ``display update configuration``."""
    found = {}
    sections = list(_LIBRARY_OF_SCHEDULE.finditer(text))
    for place, section in enumerate(sections):
        end = sections[place + 1].start() if place + 1 < len(sections) else len(text)
        if state := _SCHEDULED.search(text, section.end(), end):
            found[_NAMES[section[1].lower()]] = state[1].lower().startswith("enable")
    return found
