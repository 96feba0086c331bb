"""Junos: interfaces and the access layer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from collectors.cli.config_words import Words
from collectors.cli.facts_access_lists import unread
from inventory.kinds.device_config import ConfigInterface, LanProtection
from inventory.unknown import UNKNOWN

if TYPE_CHECKING:
    from collectors.cli.facts_junos import Reader

_LOGICAL = (
    "lo",
    "ae",
    "irb",
    "vlan",
    "st",
    "gr-",
    "ip-",
    "lt-",
    "reth",
    "fab",
    "jsrv",
    "vme",
    "me",
    "em",
    "vtep",
)
_NOT = ("apply-groups", "traceoptions", "interface-range", "interface-set")


def read(config: Reader) -> dict[str, Any]:
    """Fields of ``DeviceConfig``."""
    rows = [
        row for name, word in config.root.each("interfaces") if name not in _NOT
        for row in _interfaces(config, name, word)
    ]  # fmt: skip
    return {
        "interfaces": rows if rows else config.absent([]),
        "access_lists": unread(UNKNOWN, config.absent([]), rows),
        "lan": _lan(config),
    }


def _interfaces(config: Reader, name: str, word: Words) -> list[ConfigInterface]:
    """A port, and each of its units that routes."""
    port = not name.startswith(_LOGICAL)
    units = word.each("unit")
    off = word.has("disable")
    switched = [unit for _, unit in units if unit.has("family", "ethernet-switching")]
    bundled = any(options.has("802.3ad") for _, options in word.each() if options.below)
    rows = [
        ConfigInterface(
            name=name, physical=port, shutdown=off,
            used=bool(units) or bundled or word.has("description") or config.absent(False),
            mode="routed" if not switched and any(u.has("family") for _, u in units) else _mode(switched),
            ipv4=False, ipv6=False, acl_in_ipv4=None, acl_in_ipv6=None, urpf_ipv4=False, urpf_ipv6=False,
            storm_control=_storm(config, name, switched) if port else UNKNOWN,
            access_control=_access(config, name) if port else UNKNOWN,
            ra_guard=_guarded(config, name) if port else UNKNOWN, lines=[word.line],
        )
    ]  # fmt: skip
    for number, unit in units:
        four, six = unit.at("family", "inet"), unit.at("family", "inet6")
        if four is None and six is None:
            continue
        rows.append(
            ConfigInterface(
                name=f"{name}.{number}", physical=False, shutdown=off or unit.has("disable"), mode="routed",
                ipv4=four is not None and (four.has("address") or four.has("dhcp")),
                ipv6=six is not None and six.has("address"),
                acl_in_ipv4=_filter(config, four), acl_in_ipv6=_filter(config, six),
                urpf_ipv4=four is not None and four.has("rpf-check"),
                urpf_ipv6=six is not None and six.has("rpf-check"),
                redirects_ipv4=False if _no_redirects(config, four, "no-redirects") else UNKNOWN,
                redirects_ipv6=False if _no_redirects(config, six, "no-redirects-ipv6") else UNKNOWN,
                lines=[unit.line],
            )
        )  # fmt: skip
    return rows


def _filter(config: Reader, family: Words | None) -> Any:
    found = family.value("filter", "input") or family.value("filter", "input-list") if family else None
    return found or config.absent(None)


def _no_redirects(config: Reader, family: Words | None, whole: str) -> bool:
    return (family is not None and family.has("no-redirects")) or config.system.has(whole)


def _mode(units: list[Words]) -> Any:
    for unit in units:
        for word in ("interface-mode", "port-mode"):
            mode = unit.value("family", "ethernet-switching", word)
            if mode:
                return mode if mode in ("access", "trunk") else "other"
        return "access"
    return UNKNOWN


def _storm(config: Reader, name: str, units: list[Words]) -> Any:
    if any(unit.has("family", "ethernet-switching", "storm-control") for unit in units):
        return True
    old = config.root.at("ethernet-switching-options", "storm-control", "interface")
    if old is not None and any(n in old.below for n in ("all", name, f"{name}.0")):
        return True
    return config.absent(False)


def _access(config: Reader, name: str) -> Any:
    names = (name, f"{name}.0", "all")
    for path in (
        ("protocols", "dot1x", "authenticator", "interface"), ("switch-options", "interface"),
        ("ethernet-switching-options", "secure-access-port", "interface"),
    ):  # fmt: skip
        here = config.root.at(*path)
        if here is not None and any(n in here.below for n in names):
            return True
    return config.absent(False)


def _guarded(config: Reader, name: str) -> Any:
    here = config.root.at("forwarding-options", "access-security", "router-advertisement-guard", "interface")
    return (here is not None and any(n in here.below for n in (name, f"{name}.0"))) or config.absent(False)


def _lan(config: Reader) -> LanProtection:
    security = [word.at("forwarding-options", "dhcp-security") for _, word in config.root.each("vlans")]
    found = [word for word in security if word is not None]
    old = [word for _, word in config.root.each("ethernet-switching-options", "secure-access-port", "vlan")]

    def either(*names: str) -> Any:
        return any(word.has(name) for word in (*found, *old) for name in names) or config.absent(False)

    guard = config.root.has("forwarding-options", "access-security", "router-advertisement-guard")
    return LanProtection(
        dhcp_snooping_ipv4=bool(found) or either("examine-dhcp"),
        dhcp_snooping_ipv6=either("dhcpv6-options", "examine-dhcpv6", "light-weight-dhcpv6-relay"),
        neighbour_inspection_ipv4=either("arp-inspection"),
        neighbour_inspection_ipv6=either("neighbor-discovery-inspection", "ipv6-source-guard"),
        ra_guard=guard or config.absent(False),
        dot1x=config.off("protocols", "dot1x", "authenticator"),
        lines=sorted({word.line for word in (*found, *old)})[:20],
    )
