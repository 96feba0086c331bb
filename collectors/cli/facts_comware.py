"""Comware (H3C, HP): who may log in, how, and what they must prove. Version 7 ("line vty") and 5
("user-interface vty"); SNMP, logs, time, interfaces and routing are read with VRP's."""

from __future__ import annotations

from typing import Any, Literal

from collectors.cli import facts_vrp_network
from collectors.cli.config_tree import LineWords, Node
from collectors.cli.facts_reader import (
    Config,
    below,
    guessable,
    in_clear,
    last,
    minutes_seconds,
    number_in,
    numbers,
    told_by,
)
from collectors.cli.facts_vrp import either, only_ssh
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

_KINDS: dict[str, Literal["vty", "console", "aux"]] = {
    "vty": "vty", "con": "console", "console": "console", "aux": "aux", "tty": "aux", "usb": "aux",
}  # fmt: skip
_METHODS = {"radius-scheme": "radius", "hwtacacs-scheme": "tacacs", "ldap-scheme": "ldap", "local": "local",
            "none": "none"}  # fmt: skip
_ADMINISTRATORS = (
    "network-admin",
    "mdc-admin",
    "level-15",
    "security-audit",
    "context-admin",
    "system-admin",
)


def read(platform: str, text: str, version: str, *, partial: bool) -> dict[str, Any]:
    """Fields of ``DeviceConfig`` out of a Comware configuration."""
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
        "banner": LoginBanner(
            configured=bool(config.all("header")) or config.absent(False),
            lines=numbers(*config.all("header")),
        ),
        "files": _files(config),
    }
    if name := told_by(config.all("sysname")):
        fields["hostname"] = name
    if not version and (software := told_by(config.all("version"))):
        fields["version"] = software
    return fields | facts_vrp_network.read(config)


def _terminals(config: Config) -> Maybe[list[TerminalLine]]:
    classes: dict[str, Node] = {}
    lines: list[Node] = []
    for node in [*config.all("user-interface"), *config.all("line")]:
        words = node.words
        if words[1:2] == ["class"] and len(words) > 2:
            classes[words[2]] = node
        elif len(words) > 2:
            lines.append(node)
    rows = [_terminal(config, node, classes) for node in lines]
    return rows or UNKNOWN


def _terminal(config: Config, node: Node, classes: dict[str, Node]) -> TerminalLine:
    words = node.words
    whole = classes.get({"con": "console"}.get(words[1], words[1]))

    def told(*prefixes: str) -> Node | None:
        own = last(below(node, *prefixes))
        return own if own is not None or whole is None else last(below(whole, *prefixes))

    mode, idle, inbound = told("authentication-mode"), told("idle-timeout"), told("protocol inbound")
    role, own = told("user-role", "user privilege level"), told("set authentication password")
    kind: Any = _KINDS.get(words[1], "other")
    return TerminalLine(
        name=" ".join(words[1:]),
        line_type=kind,
        transports=_transports(config, inbound) if kind == "vty" else UNKNOWN,
        acl_ipv4=_line_acl(config, node, "telnet server acl", "ssh server acl", kind, ipv6=False),
        acl_ipv6=_line_acl(config, node, "telnet server ipv6 acl", "ssh server ipv6 acl", kind, ipv6=True),
        authentication=_mode(config, mode),
        password_storage=_storage(own.words[3]) if own and len(own.words) > 4 else UNKNOWN,
        idle_seconds=minutes_seconds(idle.words) if idle else config.default("terminals.idle_seconds"),
        administrator=role.words[-1] in (*_ADMINISTRATORS, "3") if role else config.absent(False),
        remote=kind == "vty",
        lines=numbers(node, mode, idle, inbound, role, own),
    )


def _transports(config: Config, node: Node | None) -> Any:
    if node is None:
        return config.default("terminals.transports")
    return {"ssh": ["ssh"], "telnet": ["telnet"], "all": ["ssh", "telnet"]}.get(node.words[-1], UNKNOWN)


def _line_acl(config: Config, node: Node, telnet: str, ssh: str, kind: str, *, ipv6: bool) -> Any:
    """The line's own, or that of the services where each that runs has one (Comware 7 filters there)."""
    for child in below(node, "acl"):
        words = child.words
        if "inbound" in words and ("ipv6" in words) is ipv6:
            return words[2] if ipv6 and len(words) > 3 else words[1]
    services = [("telnet server enable", telnet), ("ssh server enable", ssh)]
    running = [acl for enable, acl in services if config.all(enable) and kind == "vty"]
    named = [last(config.all(acl)) for acl in running]
    found = [n for n in named if n is not None]
    if running and len(found) == len(running):
        return "、".join(dict.fromkeys(n.words[-1] for n in found))
    return config.absent(None)


def _mode(config: Config, node: Node | None) -> Any:
    if node is None:
        return config.default("terminals.authentication")
    word = node.words[1] if len(node.words) > 1 else ""
    return {"scheme": "aaa", "password": "password", "none": "none"}.get(word, UNKNOWN)


def _storage(word: str) -> Maybe[PasswordStorage]:
    found: dict[str, PasswordStorage] = {"hash": "hash", "cipher": "reversible", "simple": "plain"}
    return found.get(word, UNKNOWN)


def _telnet(config: Config, terminals: Maybe[list[TerminalLine]]) -> TelnetServer:
    seen: list[int] = []
    listens = config.switch("telnet server enable", "telnet.ipv4", seen=seen)
    if only_ssh(config, terminals):
        listens = False
        seen += [n.line for node in config.all("line") for n in below(node, "protocol inbound")]
    return TelnetServer(ipv4=listens, ipv6=listens, lines=numbers(seen=seen))


def _ssh(config: Config) -> SshService:
    seen: list[int] = []
    listens = config.switch("ssh server enable", "ssh.ipv4", seen=seen)
    retries = last(config.all("ssh server authentication-retries"))
    fields: dict[str, Any] = {}
    for field, command in (("ciphers", "cipher"), ("macs", "mac"), ("key_exchanges", "key-exchange")):
        node = last(config.all(f"ssh2 algorithm {command}"))
        fields[field] = [w.lower() for w in node.words[3:]] if node else UNKNOWN
        seen += [node.line] if node else []
    return SshService(
        ipv4=listens,
        ipv6=listens,
        version1=config.switch("ssh server compatible-ssh1x enable", "ssh.version1", seen=seen),
        algorithms_configured=not isinstance(fields["ciphers"], Unknown) or config.absent(False),
        authentication_retries=number_in(retries.words) if retries else config.absent(None),
        lines=numbers(retries, seen=seen),
        **fields,
    )


def _web(config: Config) -> WebService:
    seen: list[int] = []
    four = last([*config.all("ip http acl"), *config.all("http acl"), *config.all("ip https acl")])
    six = last([*config.all("http ipv6 acl"), *config.all("https ipv6 acl")])
    return WebService(
        http=config.switch("ip http enable", "web.http", seen=seen),
        https=config.switch("ip https enable", "web.https", seen=seen),
        acl_ipv4=four.words[-1] if four else config.absent(None),
        acl_ipv6=six.words[-1] if six else config.absent(None),
        lines=numbers(four, six, seen=seen),
    )


def _aaa(config: Config) -> Aaa:
    domains = config.all("domain")
    modes = [m for d in domains for m in below(d, "authentication login", "authentication default")]
    words = [w for node in modes for w in node.words[2:]]
    methods: list[Any] = [_METHODS[w] for w in words if w in _METHODS]
    radius = [n for s in config.all("radius scheme") for n in below(s, "primary authentication")]
    tacacs = [n for s in config.all("hwtacacs scheme") for n in below(s, "primary authentication")]
    commands = [n for line in config.all("line") for n in below(line, "command accounting")]
    return Aaa(
        login_methods=list(dict.fromkeys(methods)) if methods else config.default("aaa.login_methods"),
        radius_servers=_servers(config, radius),
        tacacs_servers=_servers(config, tacacs),
        command_accounting=bool(commands) or config.absent(False),
        lines=numbers(*modes, *radius, *tacacs, *commands),
    )


def _servers(config: Config, nodes: list[Node]) -> Any:
    found = [next((w for w in n.words[2:] if w not in ("ipv6",)), "") for n in nodes]
    return sorted(dict.fromkeys(found)) if found else config.absent([])


def _users(config: Config) -> Any:
    rows = [
        _user(config, node) for node in config.all("local-user")
        if len(node.words) > 1 and "network" not in node.words[3:]
    ]  # fmt: skip
    return rows if rows else config.absent([])


def _user(config: Config, node: Node) -> LocalUser:
    name = node.words[1]
    password = last(below(node, "password"))
    services = [w for n in below(node, "service-type") for w in n.words[1:]]
    roles = [
        n.words[-1] for n in below(node, "authorization-attribute") if {"user-role", "level"} & set(n.words)
    ]
    words = password.words if password else LineWords()
    storage: Any = (
        _storage(words[1]) if len(words) > 2 else (config.absent("none") if not password else UNKNOWN)
    )
    state = last(below(node, "state"))
    return LocalUser(
        name=name,
        enabled=state is None or state.words[-1] != "block",
        administrator=any(r in _ADMINISTRATORS or r == "3" for r in roles) or config.absent(False),
        privilege="、".join(roles) if roles else config.absent(None),
        services=sorted(services) if services else config.absent([]),
        password_storage=storage,
        password_in_clear=in_clear(storage),
        password_guessable=guessable(storage, words[2], name),
        lines=numbers(node, password, *below(node, "service-type"), *below(node, "authorization-attribute")),
    )


def _password_rules(config: Config) -> PasswordRules:
    if not config.all("password-control enable"):
        off = config.absent(None)
        return PasswordRules(min_length=off, min_classes=off, max_days=off, history=off)
    nodes = {
        "min_length": ("length", -1), "max_days": ("aging", -1), "history": ("history", -1),
    }  # fmt: skip
    seen: list[int] = [n.line for n in config.all("password-control enable")]
    values: dict[str, Any] = {}
    for field, (word, position) in nodes.items():
        off_node = last(config.all(f"undo password-control {word} enable"))
        node = last(n for n in config.all(f"password-control {word}") if n.words[-1] != "enable")
        number = number_in(node.words, position=position) if node else None
        default = config.default(f"password_rules.{field}")
        values[field] = None if off_node else number if node else default
        seen += [n.line for n in (off_node, node) if n]
    composition = last(config.all("password-control composition"))
    off_node = last(config.all("undo password-control composition enable"))
    classes = number_in(composition.words, after="type-number") if composition else None
    values["min_classes"] = (
        None if off_node else classes if classes is not None else config.default("password_rules.min_classes")
    )
    return PasswordRules(lines=numbers(composition, off_node, seen=seen), **values)


def _lockout(config: Config) -> LoginLockout:
    if not config.all("password-control enable"):
        return LoginLockout(attempts=config.absent(None), minutes=config.absent(None))
    node = last(config.all("password-control login-attempt"))
    if node is None:
        return LoginLockout(
            attempts=config.default("lockout.attempts"), minutes=config.default("lockout.minutes"),
            lines=numbers(*config.all("password-control enable")),
        )  # fmt: skip
    attempts = number_in(node.words, position=2)
    if node.words[-1] == "unlock":
        return LoginLockout(attempts=None, minutes=None, lines=numbers(node))
    minutes: Any = number_in(node.words, after="lock-time")
    if minutes is None and node.words[-1] != "lock":
        minutes = config.default("lockout.minutes")
    return LoginLockout(
        attempts=UNKNOWN if attempts is None else attempts, minutes=minutes, lines=numbers(node)
    )


def _privileged(config: Config) -> PrivilegedPassword:
    node = last(config.all("super password"))
    if node is None:
        return PrivilegedPassword(password_storage=config.absent("none"))
    word = next((w for w in node.words[2:] if w in ("hash", "cipher", "simple")), "")
    storage = _storage(word)
    return PrivilegedPassword(
        password_storage=storage,
        password_guessable=guessable(storage, node.words[-1]),
        lines=numbers(node),
    )


def _files(config: Config) -> FileServices:
    seen: list[int] = []
    ftp = config.switch("ftp server enable", "files.ftp", seen=seen)
    return FileServices(
        ftp=either(ftp, ftp), ftp_ipv4=ftp, ftp_ipv6=ftp, tftp=config.absent(False), lines=numbers(seen=seen)
    )
