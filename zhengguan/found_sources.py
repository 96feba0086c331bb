"""What was discovered, as sources to paste into a configuration. References to secrets, never secrets."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from collectors.contract import Source
from collectors.discovery import Found, Settings
from collectors.snmp.options import Login

_LINUX = ("debian", "ubuntu", "raspbian", "openssh")
_LOGIN = "version community_ref user authentication authentication_ref privacy privacy_ref".split()
_PLAIN = re.compile(r"(?:env|file):[A-Za-z0-9_./-]+|v1|v2c|v3|(?:SHA|AES|MD|3?DES)[0-9A-Z]*")
_COMMENT = 60  # characters of what a device calls itself


def fragment(found: Sequence[Found], sources: Sequence[Source], settings: Settings) -> str:
    """YAML of new sources: of SNMP one for each login that was taken, then hosts that show OpenSSH alone.
    "" where nothing is new."""
    parts = []
    by_login: dict[tuple[str, int], list[Found]] = {}
    for one in found:
        if one.snmp:
            by_login.setdefault((one.snmp.source, one.snmp.position), []).append(one)
    for (name, position), devices in by_login.items():
        login = next(s for s in sources if s.name == name).options.logins[position]
        suffix = f"-{position + 1}" if position else ""
        parts.append(_snmp(f"{name}-found{suffix}", devices, login, settings))
    hosts = [one for one in found if not one.snmp and not one.refused and _like_linux(one.ssh)]
    if hosts:
        parts.append(_linux(hosts, settings))
    return "".join(parts)


def _like_linux(banner: str) -> bool:
    return any(word in banner.lower() for word in _LINUX)


def _snmp(name: str, devices: Sequence[Found], login: Login, settings: Settings) -> str:
    keys = [
        f"    {key}: {_scalar(value)}" for key in _LOGIN if (value := getattr(login, key)) not in ("", "none")
    ]
    rows = []
    for one in devices:
        called = [one.snmp.vendor, one.snmp.model, one.snmp.name] if one.snmp else []
        target = _scalar(_target(one.address, settings.snmp_port, 161))
        rows.append(f"      - {target}{_comment(' '.join(filter(None, called)))}")
    return "\n".join([f"  - name: {name}", "    type: snmp", "    targets:", *rows, *keys]) + "\n"


def _linux(hosts: Sequence[Found], settings: Settings) -> str:
    rows = [
        f"      - {_scalar(_target(one.address, settings.ssh_port, 22))}{_comment(one.ssh)}" for one in hosts
    ]
    login = [
        "    user: zhengguan                # 改成自己的账户",
        "    key_file: id_ed25519           # 或 password_ref、agent: true",
    ]
    return "\n".join(["  - name: hosts-found", "    type: linux", "    targets:", *rows, *login]) + "\n"


def _target(address: str, port: int, usual: int) -> str:
    if port == usual:
        return address
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def _scalar(text: str) -> str:
    """A word of ours as it stands; anything else as JSON, which YAML reads."""
    return text if _PLAIN.fullmatch(text) else json.dumps(text, ensure_ascii=False)


def _comment(text: str) -> str:
    """What a device calls itself, on the same line: it can end neither the line nor the comment."""
    words = " ".join("".join(c if c.isprintable() else " " for c in text).split())[:_COMMENT]
    return f"  # {words}" if words else ""
