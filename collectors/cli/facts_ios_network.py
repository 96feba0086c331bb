"""IOS and those like it (Ruijie, ZXROS): SNMP, logs, time."""

from __future__ import annotations

from typing import Any

from collectors.cli.config_tree import Node
from collectors.cli.facts_reader import Config, below, default_community, family_of, last, numbers
from collectors.cli.facts_vrp_network import LEVELS
from inventory.kinds.device_config import (
    DeviceLogging,
    LogServer,
    NtpClient,
    NtpServer,
    SnmpAgent,
    SnmpCommunity,
    SnmpUser,
)
from inventory.unknown import UNKNOWN, Maybe

_LEVELS: dict[str, Any] = {"priv": "authPriv", "auth": "authNoPriv", "noauth": "noAuthNoPriv"}
_ALGORITHMS = {"md5": "MD5", "sha": "SHA", "sha-2": "SHA256", "sha256": "SHA256", "sm3": "SM3", "des": "DES",
               "des56": "DES", "3des": "3DES", "aes": "AES128", "aes128": "AES128", "sm4": "SM4"}  # fmt: skip


def read(config: Config) -> dict[str, Any]:
    """Fields of ``DeviceConfig``."""
    return {"snmp": snmp(config), "logging": logging(config), "ntp": ntp(config)}


def snmp(config: Config) -> SnmpAgent:
    """The agent, its communities, its users. IOS keeps users out of the text; the groups speak for them."""
    nodes = config.all("snmp-server")
    communities = [_community(config, n) for n in config.all("snmp-server community") if len(n.words) > 2]
    groups = [n for n in config.all("snmp-server group") if n.words[3:4] == ["v3"]]
    users = [n for n in config.all("snmp-server user") if "v3" in n.words]
    served = {n.words[3] for n in users}
    by_name = {n.words[2]: n for n in groups}
    rows = [_group(config, n) for n in groups if n.words[2] not in served]
    rows += [_user(config, n, by_name) for n in users]
    hosts = config.all("snmp-server host")
    off = config.all("no enable service snmp-agent")
    seen: list[int] = []
    return SnmpAgent(
        enabled=False if off else bool(communities or groups or users) or config.absent(False),
        version1=_version(config, "v1", bool(communities), seen),
        version2c=_version(config, "v2c", bool(communities), seen),
        version3=_version(config, "v3", bool(groups or users), seen),
        communities=communities if communities else config.absent([]),
        users=rows if rows else config.absent([]),
        plaintext_traps=any(_plain_trap(n) for n in hosts) if hosts else config.absent(False),
        lines=numbers(*off, *nodes[:1], seen=seen),
    )


def _version(config: Config, version: str, used: bool, seen: list[int]) -> Maybe[bool]:
    """RGOS and ZXROS switch versions on and off; IOS answers the versions that somebody may use."""
    for command in (f"snmp-server enable version {version}", f"snmp-server version {version} enable"):
        for state, nodes in ((False, config.all(f"no {command}")), (True, config.all(command))):
            if nodes:
                seen += [n.line for n in nodes]
                return state
    return used or config.absent(False)


def _plain_trap(node: Node) -> bool:
    words = node.words
    return "version" not in words or "3" not in words[words.index("version") + 1 : words.index("version") + 2]


def _community(config: Config, node: Node) -> SnmpCommunity:
    words = node.words[2:]
    storage: Any = "plain"
    if words[0] in ("0", "7", "encrypted") and len(words) > 1:
        storage = "plain" if words[0] == "0" else "reversible"
        words = words[1:]
    lower = [w.lower() for w in words[1:]]
    place = lower.index("view") if "view" in lower else -2
    rest = [w for n, w in enumerate(words[1:]) if n not in (place, place + 1)]
    six = rest[rest.index("ipv6") + 1] if "ipv6" in rest[:-1] else None
    others = [w for w in rest if w.lower() not in ("ro", "rw", "ipv6") and w != six]
    return SnmpCommunity(
        default_name=default_community(words[0]) if storage == "plain" else UNKNOWN,
        password_storage=storage,
        writable="rw" in lower,
        acl_ipv4=others[-1] if others else config.absent(None),
        acl_ipv6=six or config.absent(None),
        lines=numbers(node),
    )


def _access(words: list[str], *, six: bool) -> str | None:
    if "access" not in words[:-1]:
        return None
    rest = words[words.index("access") + 1 :]
    if six:
        return rest[rest.index("ipv6") + 1] if "ipv6" in rest[:-1] else None
    rest = rest[2:] if rest[0] == "ipv6" else rest
    return rest[0] if rest else None


def _group(config: Config, node: Node) -> SnmpUser:
    words = node.words
    return SnmpUser(
        name=words[2],
        level=next((_LEVELS[w] for w in words[4:5] if w in _LEVELS), UNKNOWN),
        acl_ipv4=_access(words, six=False) or config.absent(None),
        acl_ipv6=_access(words, six=True) or config.absent(None),
        lines=numbers(node),
    )


def _user(config: Config, node: Node, groups: dict[str, Node]) -> SnmpUser:
    words = node.words
    low = [w.lower() for w in words]
    auth = low[low.index("auth") + 1] if "auth" in low[:-1] else None
    priv = _privacy(low)
    group = groups.get(words[3])
    level: Any = "authPriv" if priv is not None else "authNoPriv" if auth else UNKNOWN
    if group is not None:
        level = next((_LEVELS[w] for w in group.words[4:5] if w in _LEVELS), level)
    return SnmpUser(
        name=words[2],
        level=level,
        authentication=_ALGORITHMS.get(auth, UNKNOWN) if auth else UNKNOWN,
        privacy=priv if priv is not None else UNKNOWN,
        acl_ipv4=_access(words, six=False)
        or (_access(group.words, six=False) if group else None)
        or config.absent(None),
        acl_ipv6=_access(words, six=True)
        or (_access(group.words, six=True) if group else None)
        or config.absent(None),
        lines=numbers(node, group),
    )


def _privacy(words: list[str]) -> Any:
    if "priv" not in words[:-1]:
        return None
    place = words.index("priv") + 1
    name = words[place]
    if name == "aes" and words[place + 1 : place + 2] in (["128"], ["192"], ["256"]):
        return f"AES{words[place + 1]}"
    return _ALGORITHMS.get(name, UNKNOWN)


def logging(config: Config) -> DeviceLogging:
    """System messages and where they are sent."""
    kinds = (["host"], ["server"], ["syslog-server"])
    hosts = [
        n for n in config.all("logging")
        if n.words[1:2] in kinds or (len(n.words) > 1 and family_of(n.words[1]))
    ]  # fmt: skip
    off = config.all("no logging on")
    source = last([*config.all("logging source-interface"), *config.all("logging source")])
    trap = last(config.all("logging trap"))
    stamps, bare = config.all("service timestamps log"), config.all("no service timestamps log")
    level: Any = LEVELS.get(trap.words[-1]) if trap else None
    if level is None and trap and trap.words[-1].isdigit():
        level = int(trap.words[-1])
    commands = [
        n for a in config.all("archive") for n in below(a, "log config") if below(n, "logging enable")
    ] + config.all("logging userinfo command-log")
    servers = [_log_server(n) for n in hosts]
    return DeviceLogging(
        enabled=False if off else config.default("logging.enabled"),
        servers=servers if servers else config.absent([]),
        level=level if level is not None else config.default("logging.level"),
        source=" ".join(w for w in source.words[2:] if w != "interface") if source else config.absent(None),
        timestamps=True if stamps else False if bare else config.default("logging.timestamps"),
        commands=bool(commands) or config.absent(False),
        lines=numbers(*off, source, trap, *stamps, *bare, *commands),
    )


def _log_server(node: Node) -> LogServer:
    words = node.words[1:]
    skip = {"host", "server", "syslog-server", "ipv6", "vrf", "mng"}
    address = next((w for w in words if family_of(w)), next((w for w in words if w not in skip), ""))
    return LogServer(
        address=address, family=family_of(address), encrypted="tls" in words, lines=numbers(node)
    )


def ntp(config: Config) -> NtpClient:
    """Time sources, and whether what they say is checked."""
    checks = [*config.all("ntp authenticate"), *config.all("ntp authentication enable")]
    nodes = [*config.all("ntp server"), *config.all("ntp peer"), *config.all("sntp server")]
    rows = [_ntp_server(n, checked=bool(checks)) for n in nodes]
    return NtpClient(
        servers=rows if rows else config.absent([]),
        authentication=bool(checks) or config.absent(False),
        lines=numbers(*checks),
    )


def _ntp_server(node: Node, *, checked: bool) -> NtpServer:
    words = node.words
    address = next((w for w in words[2:] if family_of(w)), words[2] if len(words) > 2 else "")
    keyed = bool({"key", "authentication-keyid"} & set(words[3:]))
    return NtpServer(
        address=address, family=family_of(address), authenticated=checked and keyed, lines=numbers(node)
    )
