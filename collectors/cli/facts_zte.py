"""ZXROS (ZTE): who may log in, how, and what they must prove.

Two generations are read: sections between ``!<…>`` marks with ``system-user`` (6000 series, C600), and the
older one with ``username`` lines (ZXR10 switches, C300). Lines people log in on are made up of
``line telnet``, ``line console`` and the SSH server, since ZXROS numbers none. Defaults are not
known: what is not written is UNKNOWN, except for lists that the text holds whole.
"""

from __future__ import annotations

from typing import Any

from collectors.cli import facts_ios_network, facts_ios_ports, facts_ios_routing
from collectors.cli.config_tree import Node
from collectors.cli.facts_access_lists import unread
from collectors.cli.facts_ios import banner
from collectors.cli.facts_ios_accounts import password_of, privileged
from collectors.cli.facts_ios_accounts import users as old_users
from collectors.cli.facts_reader import Config, below, guessable, in_clear, last, number_in, numbers
from inventory.kinds.device_config import (
    Aaa,
    DeviceLogging,
    FileServices,
    LocalUser,
    LoginLockout,
    LogServer,
    PasswordRules,
    SshService,
    TelnetServer,
    TerminalLine,
)
from inventory.unknown import UNKNOWN, Maybe, Unknown

_METHODS = {
    "local": ["local"], "tacacs": ["tacacs"], "radius": ["radius"], "tacacs-local": ["tacacs", "local"],
    "radius-local": ["radius", "local"], "local-tacacs": ["local", "tacacs"],
    "local-radius": ["local", "radius"], "none": ["none"],
}  # fmt: skip


def read(platform: str, text: str, version: str, *, partial: bool) -> dict[str, Any]:
    """Fields of ``DeviceConfig`` out of a ZXROS configuration."""
    end = text.rstrip().rsplit("\n", 1)[-1].strip()
    complete = not partial and (end in ("end", "$", "!") or end.startswith("!</"))
    config = Config(platform, text, version, partial=not complete)
    name = last(config.all("hostname"))
    telnet = _telnet(config)
    fields: dict[str, Any] = {
        "complete": complete,
        "telnet": TelnetServer(ipv4=telnet, ipv6=telnet, lines=numbers(*config.all("line telnet server"))),
        "ssh": _ssh(config),
        "terminals": _terminals(config, telnet),
        "aaa": _aaa(config),
        "users": _users(config),
        "password_rules": _password_rules(config),
        "lockout": _lockout(config),
        "privileged": privileged(config),
        "banner": banner(config),
        "files": _files(config),
        "policies": config.absent([]),
        "signatures": config.absent([]),
        "routing": facts_ios_routing.sessions(config),
    }
    if name is not None and len(name.words) > 1:
        fields["hostname"] = name.words[1]
    fields |= facts_ios_network.read(config) | facts_ios_ports.read(config)
    fields["logging"] = _logging(config, fields["logging"])
    _unlearn(fields)
    fields["access_lists"] = unread(UNKNOWN, config.absent([]), fields["interfaces"])
    return fields


def _unlearn(fields: dict[str, Any]) -> None:
    """What ZXROS may write in words that we do not know is not absent, but not seen."""
    rows = fields["interfaces"] if isinstance(fields["interfaces"], list) else []
    ports = ("storm_control", "access_control", "ra_guard", "dhcpv6_guard")
    snooping = (
        "dhcp_snooping_ipv6",
        "neighbour_inspection_ipv4",
        "neighbour_inspection_ipv6",
        "ra_guard",
        "dot1x",
    )
    for things, names in ((rows, ports), ([fields["lan"]], snooping)):
        for thing in things:
            for name in names:
                if getattr(thing, name) is not True:
                    setattr(thing, name, UNKNOWN)
    for row in (*_listed(fields["snmp"].communities), *_listed(fields["snmp"].users)):
        row.acl_ipv4 = row.acl_ipv6 = UNKNOWN


def _listed(rows: Any) -> list[Any]:
    return rows if isinstance(rows, list) else []


def _telnet(config: Config) -> Maybe[bool]:
    if (
        config.all("line telnet server disable")
        or config.all("ssh server only")
        or config.all("no telnet server")
    ):
        return False
    if config.all("line telnet server enable") or config.all("telnet server enable"):
        return True
    return UNKNOWN


def _ssh(config: Config) -> SshService:
    version = last(config.all("ssh server version"))
    on = [*config.all("ssh server enable"), *([version] if version else [])]
    state: Maybe[bool] = True if on else UNKNOWN
    if config.all("no ssh server enable") or config.all("ssh server disable"):
        state = False
    return SshService(
        ipv4=state,
        ipv6=state,
        version1=version.words[-1] != "2" if version else UNKNOWN,
        lines=numbers(*on),
    )


def _terminals(config: Config, telnet: Maybe[bool]) -> Maybe[list[TerminalLine]]:
    rows = []
    remote = [*config.all("line telnet"), *config.all("ssh server")]
    if remote:
        ssh = _ssh(config).ipv4
        transports: Any = UNKNOWN
        if not isinstance(telnet, Unknown):
            transports = [n for n, on in (("ssh", ssh is True), ("telnet", telnet)) if on]
        rows.append(
            TerminalLine(
                name="line telnet / ssh server",
                line_type="vty",
                transports=transports,
                acl_ipv4=_acl(config, "ipv4", telnet),
                acl_ipv6=_acl(config, "ipv6", telnet),
                authentication="aaa",
                idle_seconds=_idle(config, "telnet"),
                administrator=False,
                remote=True,
                lines=numbers(*remote),
            )
        )
    console = config.all("line console")
    if console:
        rows.append(
            TerminalLine(
                name="line console", line_type="console", authentication="aaa",
                idle_seconds=_idle(config, "console"), administrator=False, remote=False,
                lines=numbers(*console),
            )
        )  # fmt: skip
    return rows or UNKNOWN


def _idle(config: Config, line: str) -> Any:
    node = last(config.all(f"line {line} idle-timeout"))
    minutes = number_in(node.words) if node else None
    if minutes is None:
        return UNKNOWN
    return minutes * 60 or None


def _acl(config: Config, family: str, telnet: Maybe[bool]) -> Any:
    """The filter of every service that answers; None as soon as one answers anybody."""
    wanted = ["ssh server access-class"] + ([] if telnet is False else ["line telnet access-class"])
    names = []
    for command in wanted:
        node = last(
            n
            for n in config.all(command)
            if family in n.words or (family == "ipv4" and "ipv6" not in n.words)
        )
        if node is None:
            return config.absent(None) if telnet is not UNKNOWN or command.startswith("ssh") else UNKNOWN
        names.append(node.words[-1])
    return "、".join(dict.fromkeys(names))


def _aaa(config: Config) -> Aaa:
    kinds = [
        k for t in config.all("aaa-authentication-template") for k in below(t, "aaa-authentication-type")
    ]
    methods: list[Any] = [m for k in kinds for m in _METHODS.get(k.words[-1], ["other"])]
    commands = [t for t in config.all("aaa-accounting-template") if t.children]
    tacacs = [n.words[2] for n in config.all("tacacs-server host") if len(n.words) > 2]
    radius = [
        s.words[2]
        for g in config.all("radius authentication-group") for s in below(g, "server")
        if len(s.words) > 2
    ]  # fmt: skip
    return Aaa(
        login_methods=list(dict.fromkeys(methods)) if methods else UNKNOWN,
        tacacs_servers=sorted(tacacs) or config.absent([]),
        radius_servers=sorted(radius) or config.absent([]),
        command_accounting=UNKNOWN if commands else config.absent(False),
        lines=numbers(*kinds, *config.all("tacacs-server host")),
    )


def _users(config: Config) -> Any:
    sections = config.all("system-user")
    if not sections:
        return old_users(config)
    templates = [t for s in sections for t in below(s, "authorization-template") if len(t.words) > 1]
    levels = {t.words[1]: number_in(n.words) for t in templates for n in below(t, "local-privilege-level")}
    kinds = {t.words[1]: n.words[1:] for t in templates for n in below(t, "login-type-allowed")}
    rows = [
        _user(config, node, levels, kinds)
        for s in sections
        for node in below(s, "user-name")
        if len(node.words) > 1
    ]
    return rows if rows else config.absent([])


def _user(
    config: Config, node: Node, levels: dict[str, int | None], kinds: dict[str, list[str]]
) -> LocalUser:
    name = node.words[1]
    template = last(below(node, "bind authorization-template"))
    level = levels.get(template.words[-1]) if template else None
    password = last(below(node, "password"))
    storage: Any = config.absent("none")
    secret = ""
    if password:
        storage, secret = password_of(password.words)
    if password and password.words[1:2] == ["encrypted"]:
        storage = UNKNOWN  # the maker does not say how it is made
    services = kinds.get(template.words[-1]) if template else None
    return LocalUser(
        name=name,
        enabled=True,
        administrator=UNKNOWN if level is None else level >= 15,
        privilege=None if level is None else str(level),
        services=sorted(services) if services else UNKNOWN,
        password_storage=storage,
        password_in_clear=False if storage is UNKNOWN and password else in_clear(storage),
        password_guessable=guessable(storage, secret, name),
        lines=numbers(node, password, template),
    )


def _in_users(config: Config, *prefixes: str) -> Node | None:
    sections = config.all("system-user")
    nodes = [n for s in sections for n in below(s, *prefixes)]
    return last(nodes + [n for p in prefixes for n in config.all(p)])


def _password_rules(config: Config) -> PasswordRules:
    length = _in_users(config, "strong-password length")
    age, old_age = _in_users(config, "global-user-aging"), last(config.all("username pwd-expire-day"))
    off = _in_users(config, "strong-password check disable")
    days = number_in(age.words, after="day") if age else number_in(old_age.words) if old_age else None
    shortest = number_in(length.words, after="length") if length and not off else None
    classes = number_in(length.words, after="character-set-num") if length and not off else None
    unsaid = None if off else UNKNOWN
    return PasswordRules(
        min_length=shortest if shortest is not None else unsaid,
        min_classes=classes if classes is not None else unsaid,
        max_days=days if days is not None else UNKNOWN,
        lines=numbers(length, age, old_age, off),
    )


def _lockout(config: Config) -> LoginLockout:
    node = _in_users(config, "user-authen-restriction")
    if node is None:
        return LoginLockout()
    tries, minutes = number_in(node.words, after="fail-time"), number_in(node.words, after="lock-minute")
    return LoginLockout(
        attempts=UNKNOWN if tries is None else tries,
        minutes=UNKNOWN if minutes is None else minutes,
        lines=numbers(node),
    )


def _files(config: Config) -> FileServices:
    off, on = config.all("no ftp-server enable"), config.all("ftp-server enable")
    state: Maybe[bool] = True if on else False if off else UNKNOWN
    return FileServices(ftp=state, ftp_ipv4=state, ftp_ipv6=state, lines=numbers(*off, *on))


def _logging(config: Config, found: DeviceLogging) -> DeviceLogging:
    """``syslog-server host`` beside the words it shares with IOS."""
    nodes = [*config.all("syslog-server host"), *config.all("syslog-server source")]
    hosts = [n for n in nodes if n.words[1] == "host" and len(n.words) > 2]
    source = last(n for n in nodes if n.words[1] == "source")
    severity = last(config.all("syslog severity"))
    level = number_in(severity.words) if severity else None
    if hosts:
        found.servers = [
            LogServer(
                address=next((w for w in n.words[2:] if w[:1].isdigit() or ":" in w), n.words[2]),
                encrypted=False, lines=numbers(n),
            ) for n in hosts
        ]  # fmt: skip
    if source is not None:
        found.source = source.words[-1]
    if level is not None:
        found.level = level
    if config.all("logging cmdlog enable") or any("cmdlog" in n.text for n in config.all("logging file")):
        found.commands = True
    return found
