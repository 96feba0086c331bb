"""Junos: SNMP, logs, time, and with whom routing protocols talk."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from collectors.cli.config_words import Words
from collectors.cli.facts_reader import default_community, family_of
from collectors.cli.facts_vrp_network import LEVELS
from inventory.kinds.device_config import (
    DeviceLogging,
    LogServer,
    NtpClient,
    NtpServer,
    RoutingSession,
    SnmpAgent,
    SnmpCommunity,
    SnmpUser,
)
from inventory.unknown import UNKNOWN

if TYPE_CHECKING:
    from collectors.cli.facts_junos import Reader

_LEVELS = {"privacy": "authPriv", "authentication": "authNoPriv", "none": "noAuthNoPriv"}
_ALGORITHMS = {
    "authentication-md5": "MD5", "authentication-sha": "SHA", "authentication-sha224": "SHA224",
    "authentication-sha256": "SHA256", "authentication-sha384": "SHA384", "authentication-sha512": "SHA512",
    "privacy-des": "DES", "privacy-3des": "3DES", "privacy-aes128": "AES128", "privacy-aes192": "AES192",
    "privacy-aes256": "AES256",
}  # fmt: skip
_COMMANDS = ("interactive-commands", "change-log")
_KEYED = ("md5", "hmac-sha1", "hmac-sha-1", "hmac-sha2-256", "hmac-sha-256")


def read(config: Reader) -> dict[str, Any]:
    """Fields of ``DeviceConfig``."""
    rows = [row for root in _instances(config) for row in _sessions(config, root)]
    return {
        "snmp": _snmp(config),
        "logging": _logging(config),
        "ntp": _ntp(config),
        "routing": rows if rows else config.absent([]),
    }


def _snmp(config: Reader) -> SnmpAgent:
    snmp = config.root.at("snmp")
    if snmp is None:
        none = config.absent(False)
        return SnmpAgent(
            enabled=none, version1=none, version2c=none, version3=none, communities=config.absent([]),
            users=config.absent([]), plaintext_traps=none,
        )  # fmt: skip
    communities = [_community(config, name, word) for name, word in snmp.each("community")]
    users = [
        _user(config, snmp, name, word)
        for engine in ("local-engine", "remote-engine")
        for name, word in snmp.each("v3", "usm", engine, "user")
    ]
    used = bool(communities) or config.absent(False)
    return SnmpAgent(
        enabled=True,
        version1=used,
        version2c=used,
        version3=bool(users) or config.absent(False),
        communities=communities if communities else config.absent([]),
        users=users if users else config.absent([]),
        plaintext_traps=bool(snmp.names("trap-group")) or config.absent(False),
        lines=config.lines(("snmp",)),
    )


def _community(config: Reader, name: str, word: Words) -> SnmpCommunity:
    clients = [n for n in word.names("clients") if "restrict" not in word.names("clients", n)]
    listed = word.value("client-list-name")
    four = [c for c in clients if (c.split("/")[0]).count(".") == 3 and not c.endswith("/0")]
    six = [c for c in clients if ":" in c and not c.endswith("/0")]
    everybody = any(c.endswith("/0") for c in clients)
    limited = bool(listed or clients) and not everybody  # a list shuts out whoever it does not name
    return SnmpCommunity(
        default_name=default_community(name),
        password_storage="plain",  # noqa: S106 - how it stands, not what it is
        writable=word.value("authorization") == "read-write",
        acl_ipv4=listed or ("、".join(four[:5]) or "clients" if limited else config.absent(None)),
        acl_ipv6=listed or ("、".join(six[:5]) or "clients" if limited else config.absent(None)),
        lines=[word.line],
    )


def _user(config: Reader, snmp: Words, name: str, word: Words) -> SnmpUser:
    parts = [_ALGORITHMS[n] for n in word.below if n in _ALGORITHMS and n.startswith("authentication")]
    private = [_ALGORITHMS[n] for n in word.below if n in _ALGORITHMS and n.startswith("privacy")]
    group = snmp.value(
        "v3", "vacm", "security-to-group", "security-model", "usm", "security-name", name, "group"
    )
    levels: list[Any] = []
    for _, prefix in snmp.each("v3", "vacm", "access", "group", group or ""):
        for _, model in prefix.each("security-model"):
            levels += [_LEVELS[n] for n in model.names("security-level") if n in _LEVELS]
    level: Any = min(levels, key=list(_LEVELS.values())[::-1].index) if levels else UNKNOWN
    if not levels and not config.partial:
        level = "authPriv" if private else "authNoPriv" if parts else "noAuthNoPriv"
    return SnmpUser(
        name=name,
        level=level,
        authentication=parts[0] if parts else config.absent(None),
        privacy=private[0] if private else config.absent(None),
        acl_ipv4=config.lo0_filter("inet") or config.absent(None),
        acl_ipv6=config.lo0_filter("inet6") or config.absent(None),
        lines=[word.line],
    )


def _logging(config: Reader) -> DeviceLogging:
    syslog = config.system.at("syslog") or Words()
    servers, levels = [], []
    for name, word in syslog.each("host"):
        servers.append(
            LogServer(
                address=name, family=family_of(name), encrypted=word.has("tlsdetails"), lines=[word.line]
            )
        )
        levels += [
            LEVELS[level]
            for facility in word.below
            if facility not in _COMMANDS
            for level in word.names(facility)
            if level in LEVELS
        ]
    files = syslog.each("file")
    commands = any("interactive-commands" in word.below for _, word in (*syslog.each("host"), *files))
    source = syslog.value("source-address")
    return DeviceLogging(
        enabled=bool(syslog.below) or config.absent(False),
        servers=servers if servers else config.absent([]),
        level=max(levels) if levels else UNKNOWN,
        source=source or config.absent(None),
        timestamps=True,
        commands=commands or config.absent(False),
        lines=config.lines(("system", "syslog")),
    )


def _ntp(config: Reader) -> NtpClient:
    ntp = config.system.at("ntp") or Words()
    checked = bool(ntp.names("authentication-key")) and bool(ntp.names("trusted-key"))
    servers = [
        NtpServer(
            address=name, family=family_of(name), authenticated=checked and word.has("key"), lines=[word.line]
        )
        for name, word in (*ntp.each("server"), *ntp.each("peer"))
    ]
    return NtpClient(
        servers=servers if servers else config.absent([]),
        authentication=checked or config.absent(False),
        lines=config.lines(("system", "ntp", "authentication-key"), ("system", "ntp", "trusted-key")),
    )


def _instances(config: Reader) -> list[Words]:
    return [config.root, *(word for _, word in config.root.each("routing-instances"))]


def _sessions(config: Reader, root: Words) -> Iterator[RoutingSession]:
    none = config.absent("none")
    for _, area in root.each("protocols", "ospf", "area"):
        for name, word in area.each("interface"):
            if word.has("passive") or word.has("disable") or name.startswith("lo0"):
                continue
            kinds = word.names("authentication")
            found: Any = "digest" if {"md5", "keychain"} & set(kinds) or word.has("ipsec-sa") else none
            found = "password" if "simple-password" in kinds else found
            yield RoutingSession(
                protocol="ospf", family="ipv4", name=name, authentication=found, lines=[word.line]
            )
    for _, area in root.each("protocols", "ospf3", "area"):
        for name, word in area.each("interface"):
            if word.has("passive") or word.has("disable") or name.startswith("lo0"):
                continue
            keyed = word.has("ipsec-sa") or word.has("authentication")
            yield RoutingSession(
                protocol="ospfv3", family="ipv6", name=name, authentication="digest" if keyed else none,
                lines=[word.line],
            )  # fmt: skip
    yield from _bgp(root, none)
    for name, word in root.each("protocols", "isis", "interface"):
        if word.has("passive") or word.has("disable") or name.startswith("lo0"):
            continue
        kinds = [k for _, level in word.each("level") for k in level.names("hello-authentication-type")]
        kinds += word.names("hello-authentication-type")
        strong = any(k in _KEYED for k in kinds) or word.has("hello-authentication-key-chain")
        yield RoutingSession(
            protocol="isis", family="ipv4", name=name,
            authentication="digest" if strong else "password" if kinds else none, lines=[word.line],
        )  # fmt: skip
    kind = root.value("protocols", "rip", "authentication-type")
    for _, group in root.each("protocols", "rip", "group"):
        for name, word in group.each("neighbor"):
            mine = word.value("authentication-type") or group.value("authentication-type") or kind
            yield RoutingSession(
                protocol="rip", family="ipv4", name=name,
                authentication="digest" if mine == "md5" else "password" if mine == "simple" else none,
                lines=[word.line],
            )  # fmt: skip


def _bgp(root: Words, none: Any) -> Iterator[RoutingSession]:
    bgp = root.at("protocols", "bgp")
    if bgp is None:
        return
    for _, group in bgp.each("group"):
        for name, word in group.each("neighbor"):
            family = family_of(name)
            if family is None:
                continue
            keyed = any(
                level.has(key)
                for level in (word, group, bgp)
                for key in ("authentication-key", "authentication-key-chain", "ipsec-sa")
            )
            yield RoutingSession(
                protocol="bgp", family=family, name=name, authentication="digest" if keyed else none,
                lines=[word.line],
            )  # fmt: skip
