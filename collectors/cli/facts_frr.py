"""FRR's vtysh (``show running-config``): a routing suite on Linux. How people log in to the machine is not in
this text, but in the facts of ``host``: those fields stay UNKNOWN here."""

from __future__ import annotations

from typing import Any

from collectors.cli import facts_ios_ports, facts_ios_routing
from collectors.cli.facts_ios_accounts import privileged
from collectors.cli.facts_reader import Config, below, last, minutes_seconds, numbers
from collectors.cli.facts_vrp_network import LEVELS
from inventory.kinds.device_config import DeviceLogging, TerminalLine
from inventory.unknown import UNKNOWN, Maybe

_FROM_THE_SYSTEM = ("shutdown", "storm_control", "access_control", "ra_guard", "dhcpv6_guard", "acl_in_ipv4",
                    "acl_in_ipv6", "urpf_ipv4", "urpf_ipv6", "used", "ipv4", "ipv6", "physical")  # fmt: skip


def read(platform: str, text: str, version: str, *, partial: bool) -> dict[str, Any]:
    """Fields of ``DeviceConfig`` out of an FRR configuration."""
    complete = not partial and text.rstrip().rsplit("\n", 1)[-1].strip() == "end"
    config = Config(platform, text, version, partial=not complete)
    name, software = last(config.all("hostname")), last(config.all("frr version"))
    fields: dict[str, Any] = {
        "complete": complete,
        "terminals": _terminals(config),
        "privileged": privileged(config),
        "logging": _logging(config),
        "routing": facts_ios_routing.sessions(config),
        "policies": config.absent([]),
        "signatures": config.absent([]),
        "interfaces": _interfaces(config),
    }
    if name is not None and len(name.words) > 1:
        fields["hostname"] = name.words[1]
    if not version and software is not None:
        fields["version"] = software.words[-1]
    return fields


def _terminals(config: Config) -> Maybe[list[TerminalLine]]:
    """``line vty`` of the daemons: telnet ports, on the loopback unless opened wider (not told here)."""
    rows = []
    password = last(config.all("password"))
    for node in config.all("line vty"):
        idle, acl = last(below(node, "exec-timeout")), last(below(node, "access-class"))
        six = last(below(node, "ipv6 access-class"))
        free = last(below(node, "no login"))
        if password is None and free is None and not config.partial:
            continue  # a daemon without a password lets nobody in
        storage: Any = UNKNOWN if password is None else "hash" if password.words[1:2] == ["8"] else "plain"
        rows.append(
            TerminalLine(
                name="vty",
                line_type="vty",
                remote=True,
                administrator=False,
                acl_ipv4=acl.words[-1] if acl else config.absent(None),
                acl_ipv6=six.words[-1] if six else config.absent(None),
                authentication="none" if free else "password" if password else UNKNOWN,
                password_storage=storage,
                idle_seconds=minutes_seconds(idle.words)
                if idle
                else config.default("terminals.idle_seconds"),
                lines=numbers(node, idle, acl, six, free, password),
            )
        )
    return rows if rows or not config.partial else UNKNOWN


def _logging(config: Config) -> DeviceLogging:
    """Where messages go is for the machine's syslog; what FRR hands over to it is told here."""
    syslog, stamps = last(config.all("log syslog")), last(config.all("log timestamp precision"))
    file, commands = config.all("log file"), config.all("log commands")
    level: Any = UNKNOWN
    if syslog is not None:
        level = LEVELS.get(syslog.words[-1], 7)
    return DeviceLogging(
        enabled=True if syslog or file else config.absent(False),
        level=level,
        timestamps=True if stamps else UNKNOWN,
        commands=bool(commands) or config.absent(False),
        lines=numbers(syslog, stamps, *file, *commands),
    )


def _interfaces(config: Config) -> Any:
    rows = facts_ios_ports.read(config)["interfaces"]
    for row in rows if isinstance(rows, list) else []:
        for field in _FROM_THE_SYSTEM:  # addresses and filters are the kernel's
            setattr(row, field, UNKNOWN)
    return rows
