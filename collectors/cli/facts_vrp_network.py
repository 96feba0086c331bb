"""VRP and Comware: SNMP, logs, time. Routing and interfaces are in modules of their own."""

from __future__ import annotations

from typing import Any

from collectors.cli import facts_vrp_policies, facts_vrp_ports, facts_vrp_routing
from collectors.cli.config_tree import Node
from collectors.cli.facts_reader import Config, default_community, family_of, last, numbers, word_after
from inventory.kinds.device_config import (
    DeviceLogging,
    LogServer,
    NtpClient,
    NtpServer,
    SnmpAgent,
    SnmpCommunity,
    SnmpUser,
)
from inventory.unknown import UNKNOWN, Maybe, Unknown

LEVELS = {
    word: number
    for number, words in enumerate(
        ("emergencies emergency", "alert alerts", "critical", "error errors", "warning warnings",
         "notification notifications notice", "informational info", "debugging debug")
    )
    for word in words.split()
}  # fmt: skip
"""Severity words of all dialects → number of RFC 5424."""

_ALGORITHMS = {
    "md5": "MD5", "sha": "SHA", "sha2-224": "SHA224", "sha2-256": "SHA256", "sha2-384": "SHA384",
    "sha2-512": "SHA512", "sm3": "SM3", "sha224": "SHA224", "sha256": "SHA256", "sha384": "SHA384",
    "sha512": "SHA512", "des56": "DES", "des": "DES", "3des168": "3DES", "3des": "3DES", "aes128": "AES128",
    "aes192": "AES192", "aes256": "AES256", "sm4": "SM4",
}  # fmt: skip
_LEVELS = {"privacy": "authPriv", "authentication": "authNoPriv"}


def read(config: Config) -> dict[str, Any]:
    """Fields of ``DeviceConfig``."""
    return {
        "snmp": snmp(config),
        "logging": logging(config),
        "ntp": ntp(config),
        "routing": facts_vrp_routing.sessions(config),
        **facts_vrp_ports.read(config),
        **facts_vrp_policies.read(config),
    }


def snmp(config: Config) -> SnmpAgent:
    """The agent, its communities and its users."""
    seen: list[int] = []
    nodes = config.all("snmp-agent")
    off = last(config.all("undo snmp-agent"))
    enabled: Maybe[bool] = bool(nodes) if nodes else (False if off else config.default("snmp.enabled"))
    groups = _groups(nodes)
    communities = [
        _community(config, n) for n in nodes if word_after(n.words, "community") in ("read", "write")
    ]
    traps = [n for n in nodes if " target-host " in n.text]
    versions = _versions(config, nodes, seen)
    return SnmpAgent(
        enabled=enabled,
        **versions,
        communities=communities if communities else config.absent([]),
        users=_users(config, nodes, groups),
        plaintext_traps=any({"v1", "v2c"} & set(n.words) for n in traps) if traps else config.absent(False),
        lines=numbers(off, *nodes[:1], seen=seen),
    )


def _versions(config: Config, nodes: list[Node], seen: list[int]) -> dict[str, Any]:
    told: dict[str, Any] = {
        f"version{v}": config.default(f"snmp.version{v}") if nodes else config.absent(False)
        for v in ("1", "2c", "3")
    }
    first = next((n for n in nodes if " sys-info version " in n.text), None)
    said = [(n, True) for n in nodes] + [(n, False) for n in config.all("undo snmp-agent")]
    for node, state in sorted(said, key=lambda pair: pair[0].line):
        if " sys-info version " not in node.text:
            continue
        seen.append(node.line)
        words = node.text.split(" sys-info version ", 1)[1].split()
        names = ("1", "2c", "3") if "all" in words else tuple(w.removeprefix("v") for w in words)
        if state:  # both makers write the list whole; only version 3 is on without a word
            told |= {f"version{v}": config.absent(False) for v in ("1", "2c") if node is first}
        for name in names:
            if f"version{name}" in told:
                told[f"version{name}"] = state
    return told


def _community(config: Config, node: Node) -> SnmpCommunity:
    words = node.words
    name = words[3] if len(words) > 3 else ""
    storage: Any = "plain"
    if name in ("cipher", "simple"):
        storage = "reversible" if name == "cipher" else "plain"
        name = words[4] if len(words) > 4 else ""
    return SnmpCommunity(
        default_name=default_community(name) if storage == "plain" else UNKNOWN,
        password_storage=storage,
        writable=words[2] == "write",
        acl_ipv4=_acl4(words) or config.absent(None),
        acl_ipv6=_acl6(words) or config.absent(None),
        lines=numbers(node),
    )


def _acl4(words: list[str]) -> str | None:
    for place, word in enumerate(words[:-1]):
        if word == "acl" and words[place + 1] != "ipv6":
            return words[place + 1]
    return None


def _acl6(words: list[str]) -> str | None:
    for place, word in enumerate(words[:-2]):
        if word == "acl" and words[place + 1] == "ipv6":
            return words[place + 2]
    return None


def _groups(nodes: list[Node]) -> dict[str, str]:
    """Name of a group of version 3 → its level."""
    groups: dict[str, str] = {}
    for node in nodes:
        words = node.words
        if words[1:3] == ["group", "v3"] and len(words) > 3:
            groups[words[3]] = next((_LEVELS[w] for w in words[4:] if w in _LEVELS), "noAuthNoPriv")
    return groups


def _users(config: Config, nodes: list[Node], groups: dict[str, str]) -> Any:
    told: dict[str, list[Node]] = {}
    for node in nodes:
        words = node.words
        if words[1:3] == ["usm-user", "v3"] and len(words) > 3:
            told.setdefault(words[3], []).append(node)
    rows = [_user(config, name, lines, groups) for name, lines in told.items()]
    return rows if rows else config.absent([])


def _user(config: Config, name: str, nodes: list[Node], groups: dict[str, str]) -> SnmpUser:
    words = [word for node in nodes for word in node.words[4:]]
    group = word_after(words, "group") or next(
        (n.words[4] for n in nodes if len(n.words) > 4 and n.words[4] in groups), None
    )
    authentication, privacy = word_after(words, "authentication-mode"), word_after(words, "privacy-mode")
    level: Any = groups.get(group or "", UNKNOWN)
    if isinstance(level, Unknown) and not config.partial:
        level = "authPriv" if privacy else "authNoPriv" if authentication else UNKNOWN
    return SnmpUser(
        name=name,
        level=level,
        authentication=_ALGORITHMS.get(authentication or "", UNKNOWN)
        if authentication
        else config.absent(None),
        privacy=_ALGORITHMS.get(privacy or "", UNKNOWN) if privacy else config.absent(None),
        acl_ipv4=_acl4(words) or config.absent(None),
        acl_ipv6=_acl6(words) or config.absent(None),
        lines=numbers(*nodes),
    )


def logging(config: Config) -> DeviceLogging:
    """System messages and where they are sent."""
    off = last(config.all("undo info-center enable"))
    hosts = [n for n in config.all("info-center loghost") if word_after(n.words, "loghost") != "source"]
    source = last(config.all("info-center loghost source"))
    stamps = last(config.all("info-center timestamp"))
    servers = [_log_server(n) for n in hosts]
    level = _level(config)
    without = stamps is not None and stamps.words[-1] == "none"
    return DeviceLogging(
        enabled=False if off else config.default("logging.enabled"),
        servers=servers if servers else config.absent([]),
        level=level,
        source=source.words[-1] if source else config.absent(None),
        timestamps=False if without else True if stamps else config.default("logging.timestamps"),
        lines=numbers(off, source, stamps),
    )


def _log_server(node: Node) -> LogServer:
    words = [w for w in node.words[2:] if w != "ipv6"]
    address = words[0] if words else ""
    return LogServer(
        address=address, family=family_of(address), encrypted="ssl-policy" in words, lines=numbers(node)
    )


def _level(config: Config) -> Any:
    found = [
        LEVELS[word]
        for node in config.all("info-center source")
        if " debug " not in f" {node.text} ".replace(" debug level", "")
        for word in node.words[2:]
        if word in LEVELS and ("loghost" in node.words or "channel" in node.words)
    ]
    return max(found) if found else config.default("logging.level")


def ntp(config: Config) -> NtpClient:
    """Time sources, and whether what they say is checked."""
    names = ("ntp-service", "ntp")
    checked = any(config.all(f"{n} authentication enable") for n in names)
    nodes = [
        n for name in names for n in config.all(name)
        if any(w in ("unicast-server", "unicast-peer") for w in n.words[1:3])
    ]  # fmt: skip
    rows = [_ntp_server(n, checked=checked) for n in nodes]
    return NtpClient(
        servers=rows if rows else config.absent([]),
        authentication=checked or config.absent(False),
        lines=numbers(*(n for name in names for n in config.all(f"{name} authentication enable"))),
    )


def _ntp_server(node: Node, *, checked: bool) -> NtpServer:
    words = [w for w in node.words if w != "ipv6"]
    address = words[2] if len(words) > 2 else ""
    return NtpServer(
        address=address,
        family=family_of(address),
        authenticated=checked and "authentication-keyid" in words,
        lines=numbers(node),
    )
