"""VRP (Huawei): who may log in, how, and what they must prove. Commands as the public command references of
S-series switches, AR and NE routers write them; VRP 5 and VRP 8 where they differ."""

from __future__ import annotations

from typing import Any, Literal

from collectors.cli import facts_vrp_network
from collectors.cli.config_tree import Node
from collectors.cli.facts_reader import (
    Config,
    begins,
    below,
    guessable,
    in_clear,
    last,
    minutes_seconds,
    number_in,
    numbers,
    told_by,
    word_after,
)
from inventory.kinds.device_config import (
    Aaa,
    FileServices,
    LocalUser,
    LoginBanner,
    LoginLockout,
    PasswordRules,
    PasswordStorage,
    PrivilegedPassword,
    SshService,
    TelnetServer,
    TerminalLine,
    WebService,
)
from inventory.unknown import UNKNOWN, Maybe, Unknown

_WEAK_HASHES = ("$0$",)
_METHODS: dict[str, str] = {
    "local": "local", "radius": "radius", "hwtacacs": "tacacs", "none": "none", "ldap": "ldap",
}  # fmt: skip


def read(platform: str, text: str, version: str, *, partial: bool) -> dict[str, Any]:
    """Fields of ``DeviceConfig`` out of a VRP configuration."""
    complete = not partial and text.rstrip().endswith("return")
    config = Config(platform, text, version, partial=not complete)
    terminals = _terminals(config)
    fields: dict[str, Any] = {
        "complete": complete,
        "terminals": terminals,
        "telnet": _telnet(config, terminals),
        "ssh": _ssh(config),
        "web": _web(config),
        "aaa": _aaa(config),
        "users": _users(config),
        "password_rules": _password_rules(config),
        "lockout": _lockout(config),
        "privileged": _privileged(config),
        "banner": _banner(config),
        "files": _files(config),
    }
    if name := told_by(config.all("sysname")):
        fields["hostname"] = name
    return fields | facts_vrp_network.read(config)


def _terminals(config: Config) -> Maybe[list[TerminalLine]]:
    rows = [_terminal(config, node) for node in config.all("user-interface") if len(node.words) >= 3]
    rows = [row for row in rows if row.name != "maximum-vty"]
    return rows or UNKNOWN


def _terminal(config: Config, node: Node) -> TerminalLine:
    words = node.words
    mode = last(below(node, "authentication-mode"))
    idle = last(below(node, "idle-timeout"))
    inbound = last(below(node, "protocol inbound"))
    level = last(below(node, "user privilege level"))
    own = last(below(node, "set authentication password"))
    kinds: dict[str, Literal["vty", "console", "aux"]] = {
        "vty": "vty",
        "con": "console",
        "console": "console",
    }
    return TerminalLine(
        name=" ".join(words[1:]),
        line_type=kinds.get(words[1], "aux" if words[1] in ("aux", "tty") else "other"),
        transports=_transports(config, inbound, words[1]),
        acl_ipv4=_acl(config, node, ipv6=False),
        acl_ipv6=_acl(config, node, ipv6=True),
        authentication=_mode(config, mode),
        password_storage=_storage(own.words[3:], own.words[-1]) if own and len(own.words) > 3 else UNKNOWN,
        idle_seconds=minutes_seconds(idle.words) if idle else config.default("terminals.idle_seconds"),
        administrator=(number_in(level.words) or 0) >= 3 if level else config.absent(False),
        remote=words[1] == "vty",
        lines=numbers(node, mode, idle, inbound, level, own),
    )


def _transports(config: Config, node: Node | None, line: str) -> Any:
    if line != "vty":
        return UNKNOWN
    if node is None:
        return config.default("terminals.transports")
    return {"ssh": ["ssh"], "telnet": ["telnet"], "all": ["ssh", "telnet"]}.get(node.words[-1], UNKNOWN)


def _acl(config: Config, node: Node, *, ipv6: bool) -> Any:
    for child in below(node, "acl"):
        words = child.words
        if words[-1] != "inbound" or len(words) < 3:
            continue
        if (words[1] == "ipv6") is ipv6:
            return words[2] if ipv6 else words[1]
    return config.absent(None)


def _mode(config: Config, node: Node | None) -> Any:
    if node is None:
        return config.default("terminals.authentication")
    word = node.words[1] if len(node.words) > 1 else ""
    return {"aaa": "aaa", "password": "password", "none": "none", "scheme": "aaa"}.get(word, UNKNOWN)


def _storage(words: list[str], secret: str) -> Maybe[PasswordStorage]:
    """How a password stands, by the word before it and by the mark it begins with."""
    if "irreversible-cipher" in words:
        return "hash"
    if "simple" in words:
        return "plain"
    if "cipher" in words:
        if secret.startswith(("$1a$", "$1c$", "$1d$", "$h$6$", "$2")):
            return "hash"
        return "weak_hash" if secret.startswith(_WEAK_HASHES) else "reversible"
    return UNKNOWN


def _telnet(config: Config, terminals: Maybe[list[TerminalLine]]) -> TelnetServer:
    seen: list[int] = []
    ipv4 = config.switch("telnet server enable", "telnet.ipv4", seen=seen)
    ipv6 = config.switch("telnet ipv6 server enable", "telnet.ipv6", seen=seen)
    for node in config.all("telnet server disable"):
        ipv4, seen = False, [*seen, node.line]
    for node in config.all("telnet ipv6 server disable"):
        ipv6, seen = False, [*seen, node.line]
    if only_ssh(config, terminals):  # the service may listen, but no line lets anybody in by it
        ipv4, ipv6 = False, False
        assert not isinstance(terminals, Unknown)
        seen += [n for row in terminals if row.line_type == "vty" for n in row.lines]  # type: ignore[union-attr]
    return TelnetServer(ipv4=ipv4, ipv6=ipv6, lines=numbers(seen=seen))


def only_ssh(config: Config, terminals: Maybe[list[TerminalLine]]) -> bool:
    """Whether every line that people reach over the network takes SSH and nothing else."""
    if config.partial or isinstance(terminals, Unknown):
        return False
    rows = [row for row in terminals if row.line_type == "vty"]
    return bool(rows) and all(
        not isinstance(row.transports, Unknown) and "telnet" not in row.transports for row in rows
    )


def _ssh(config: Config) -> SshService:
    seen: list[int] = []
    both = config.switch("stelnet server enable", "ssh.ipv4", seen=seen)
    ipv4 = config.switch("stelnet ipv4 server enable", "ssh.ipv4", seen=seen)
    ipv6 = config.switch("stelnet ipv6 server enable", "ssh.ipv6", seen=seen)
    retries = last(config.all("ssh server authentication-retries"))
    fields: dict[str, Any] = {}
    for field, command in (("ciphers", "cipher"), ("macs", "hmac"), ("key_exchanges", "key-exchange")):
        node = last(config.all(f"ssh server {command}"))
        fields[field] = [w.lower() for w in node.words[3:]] if node else UNKNOWN
        seen += [node.line] if node else []
    return SshService(
        ipv4=both if both is True else ipv4,
        ipv6=both if both is True else ipv6,
        version1=config.switch("ssh server compatible-ssh1x enable", "ssh.version1", seen=seen),
        algorithms_configured=not isinstance(fields["ciphers"], Unknown) or config.absent(False),
        authentication_retries=number_in(retries.words) if retries else config.absent(None),
        lines=numbers(retries, seen=seen),
        **fields,
    )


def _web(config: Config) -> WebService:
    seen: list[int] = []
    acl = last(config.all("http acl"))
    return WebService(
        http=config.switch("http server enable", "web.http", seen=seen),
        https=config.switch("http secure-server enable", "web.https", seen=seen),
        acl_ipv4=acl.words[2] if acl and len(acl.words) > 2 else config.absent(None),
        lines=numbers(acl, seen=seen),
    )


def _aaa(config: Config) -> Aaa:
    radius = [
        n for t in config.all("radius-server template") for n in below(t, "radius-server authentication")
    ]
    tacacs = [
        n for t in config.all("hwtacacs-server template") for n in below(t, "hwtacacs-server authentication")
    ]
    schemes = [s for a in config.all("aaa") for s in below(a, "authentication-scheme")]
    recording = [r for a in config.all("aaa") for r in below(a, "cmd recording-scheme", "recording-scheme")]
    modes = [m for s in schemes for m in below(s, "authentication-mode")]
    methods: list[Any] = [
        m for node in modes for m in (_METHODS.get(word, "other") for word in node.words[1:])
    ]
    return Aaa(
        login_methods=list(dict.fromkeys(methods)) if methods else config.default("aaa.login_methods"),
        radius_servers=_servers(config, radius),
        tacacs_servers=_servers(config, tacacs),
        command_accounting=bool(recording) or config.absent(False),
        lines=numbers(*radius, *tacacs, *modes),
    )


def _servers(config: Config, nodes: list[Node]) -> Any:
    found = [n.words[2] for n in nodes if len(n.words) > 2]
    return sorted(dict.fromkeys(found)) if found else config.absent([])


def _users(config: Config) -> Any:
    rows: dict[str, list[Node]] = {}
    for aaa in config.all("aaa"):
        for node in below(aaa, "local-user"):
            words = node.words
            if len(words) > 2 and words[1] not in ("policy", "authentication"):
                rows.setdefault(words[1], []).append(node)
    users = [_user(config, name, nodes) for name, nodes in rows.items()]
    return users if users else config.absent([])


def _user(config: Config, name: str, nodes: list[Node]) -> LocalUser:
    told: dict[str, list[str]] = {}
    for node in nodes:
        words = node.words
        told[words[2]] = words[3:]
    level = number_in(told.get("privilege", told.get("level", [])))
    password = told.get("password", [])
    secret = password[-1] if password else ""
    storage: Any = _storage(password, secret) if password else config.absent("none")
    return LocalUser(
        name=name,
        enabled=told.get("state", ["active"])[-1] != "block",
        administrator=level >= 3 if level is not None else config.default("users.administrator"),
        privilege=None if level is None else str(level),
        services=sorted(told["service-type"]) if "service-type" in told else config.default("users.services"),
        password_storage=storage,
        password_in_clear=in_clear(storage),
        password_guessable=guessable(storage, secret, name),
        lines=numbers(*nodes),
    )


def _password_rules(config: Config) -> PasswordRules:
    policies = [
        p for a in config.all("aaa") for p in below(a, "local-aaa-user password policy administrator")
    ]
    expire = last([
        *(n for a in config.all("aaa") for n in below(a, "user-password expire")),  # VRP 8
        *(n for p in policies for n in below(p, "password expire")),
    ])  # fmt: skip
    history = last(n for p in policies for n in below(p, "password history record number"))
    length = last([
        *config.all("set password min-length"),
        *(n for a in config.all("aaa") for n in below(a, "user-password min-len")),
    ])  # fmt: skip
    free = last(n for a in config.all("aaa") for n in below(a, "undo user-password complexity-check"))
    return PasswordRules(
        min_length=number_in(length.words) if length else config.default("password_rules.min_length"),
        min_classes=None if free else config.default("password_rules.min_classes"),
        max_days=_days(config, expire, bool(policies)),
        history=_count(config, history, bool(policies)),
        lines=numbers(*policies, expire, history, length, free),
    )


def _days(config: Config, node: Node | None, policy: bool) -> Any:
    if node is None:
        return config.default("password_rules.max_days") if policy else config.absent(None)
    return number_in(node.words, after="expire") or None  # 0 = never


def _count(config: Config, node: Node | None, policy: bool) -> Any:
    if node is None:
        return config.default("password_rules.history") if policy else config.absent(None)
    return number_in(node.words) or None


def _lockout(config: Config) -> LoginLockout:
    found = last(
        n for a in config.all("aaa")
        for n in below(
            a, "local-aaa-user wrong-password", "local-user authentication lock times",
            "administrator remote authen-fail", "user-block failed-times",
        )
    )  # fmt: skip
    off = last(n for a in config.all("aaa") for n in below(a, "undo local-aaa-user wrong-password"))
    if found is None:
        attempts: Any = None if off else config.default("lockout.attempts")
        minutes: Any = config.default("lockout.minutes")
        return LoginLockout(attempts=attempts, minutes=minutes, lines=numbers(off))
    words = found.words
    if begins(found.text, "local-user authentication lock times"):
        attempts, minutes = number_in(words, position=4), number_in(words, position=5)
    else:
        attempts = number_in(words, after="retry-time") or number_in(words, after="failed-times")
        minutes = number_in(words, after="block-time")
    return LoginLockout(
        attempts=UNKNOWN if attempts is None else attempts,
        minutes=UNKNOWN if minutes is None else minutes,
        lines=numbers(found),
    )


def _privileged(config: Config) -> PrivilegedPassword:
    node = last(config.all("super password"))
    if node is None:
        return PrivilegedPassword(password_storage=config.absent("none"))
    storage = _storage(node.words[2:], node.words[-1])
    return PrivilegedPassword(
        password_storage=storage,
        password_guessable=guessable(storage, node.words[-1]),
        lines=numbers(node),
    )


def _banner(config: Config) -> LoginBanner:
    nodes = [
        n
        for n in config.all("header")
        if word_after(n.words, "header") in ("login", "shell", "legal", "motd")
    ]
    return LoginBanner(configured=bool(nodes) or config.absent(False), lines=numbers(*nodes))


def _files(config: Config) -> FileServices:
    seen: list[int] = []
    ftp4 = config.switch("ftp server enable", "files.ftp_ipv4", seen=seen)
    ftp6 = config.switch("ftp ipv6 server enable", "files.ftp_ipv6", seen=seen)
    tftp = config.switch("tftp server enable", "files.tftp", seen=seen)
    return FileServices(
        ftp=either(ftp4, ftp6), ftp_ipv4=ftp4, ftp_ipv6=ftp6, tftp=tftp, lines=numbers(seen=seen)
    )


def either(one: Maybe[bool], other: Maybe[bool]) -> Maybe[bool]:
    """Whether one of two holds: true as soon as one surely does."""
    if one is True or other is True:
        return True
    return UNKNOWN if isinstance(one, Unknown) or isinstance(other, Unknown) else False
