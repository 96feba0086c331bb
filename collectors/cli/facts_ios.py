"""IOS (Cisco) and RGOS (Ruijie), which writes nearly the same: who may log in, and what they must prove."""

from __future__ import annotations

from typing import Any, Literal

from collectors.cli import facts_access_lists, facts_ios_network, facts_ios_ports, facts_ios_routing
from collectors.cli.config_tree import Node
from collectors.cli.facts_ios_accounts import lockout, password_of, password_rules, privileged, users
from collectors.cli.facts_reader import (
    Config,
    begins,
    below,
    last,
    minutes_seconds,
    number_in,
    numbers,
    told_by,
)
from inventory.kinds.device_config import (
    Aaa,
    FileServices,
    LoginBanner,
    SpareServices,
    SshService,
    TelnetServer,
    TerminalLine,
    WebService,
)
from inventory.unknown import UNKNOWN, Maybe, Unknown

_KINDS: dict[str, Literal["vty", "console", "aux"]] = {
    "vty": "vty",
    "con": "console",
    "console": "console",
    "aux": "aux",
}
_METHODS = {
    "radius": "radius", "tacacs+": "tacacs", "local": "local", "local-case": "local", "line": "password",
    "enable": "password", "none": "none", "ldap": "ldap",
}  # fmt: skip
_ALGORITHMS = {
    "ciphers": ("ip ssh server algorithm encryption", "ip ssh cipher-mode"),
    "macs": ("ip ssh server algorithm mac", "ip ssh hmac-algorithm"),
    "key_exchanges": ("ip ssh server algorithm kex", "ip ssh key-exchange"),
}
"""Field → command of IOS, of RGOS."""


_OWN_FIREWALL = ("zone-pair security", "ip inspect", "ipv6 inspect", "ip ips")
"""A firewall of IOS's own, whose policies are not read."""


def read(platform: str, text: str, version: str, *, partial: bool) -> dict[str, Any]:
    """Fields of ``DeviceConfig`` out of a configuration of IOS or RGOS."""
    complete = not partial and text.rstrip().splitlines()[-1].strip() == "end"
    config = Config(platform, text, version, partial=not complete)
    terminals = _terminals(config)
    name = last(config.all("hostname"))
    own: Any = UNKNOWN if any(map(config.all, _OWN_FIREWALL)) else []
    fields: dict[str, Any] = {
        "complete": complete,
        "terminals": terminals,
        "telnet": telnet(config, terminals),
        "ssh": _ssh(config, terminals),
        "web": _web(config),
        "aaa": _aaa(config),
        "users": users(config),
        "password_rules": password_rules(config),
        "lockout": lockout(config),
        "privileged": privileged(config),
        "banner": banner(config),
        "files": _files(config),
        "spare": _spare(config),
        "configuration_backup": _backup(config),
        "control_plane_protection": _control_plane(config),
        "boot_verified": bool(config.all("secure boot-image")) or config.default("boot_verified"),
        "policies": config.absent(own),
        "signatures": config.absent(own),
        "routing": facts_ios_routing.sessions(config),
    }
    if name is not None and len(name.words) > 1:
        fields["hostname"] = name.words[1]
    if not version and (software := told_by(config.all("version"))):
        fields["version"] = software
    ports = facts_ios_ports.read(config)
    rows = ports["interfaces"] if isinstance(ports["interfaces"], list) else []
    fields |= facts_access_lists.read(config, rows) if rows else {"access_lists": config.absent([])}
    return fields | facts_ios_network.read(config) | ports


def _terminals(config: Config) -> Maybe[list[TerminalLine]]:
    rows = [_terminal(config, node) for node in config.all("line") if len(node.words) > 2]
    return rows or UNKNOWN


def _terminal(config: Config, node: Node) -> TerminalLine:
    words = node.words
    idle, level = last(below(node, "exec-timeout")), last(below(node, "privilege level"))
    inbound, password = last(below(node, "transport input")), last(below(node, "password", "secret"))
    login = last(below(node, "login", "no login"))
    four, six = last(below(node, "access-class", "ip access-class")), last(below(node, "ipv6 access-class"))
    kind: Any = _KINDS.get(words[1], "other")
    transports = _transports(config, inbound) if kind == "vty" else UNKNOWN
    return TerminalLine(
        name=" ".join(words[1:]),
        line_type=kind,
        transports=transports,
        acl_ipv4=_inbound(four) or config.absent(None),
        acl_ipv6=_inbound(six) or config.absent(None),
        authentication=_authentication(config, login, kind),
        password_storage=password_of(password.words)[0] if password else UNKNOWN,
        idle_seconds=minutes_seconds(idle.words) if idle else config.default("terminals.idle_seconds"),
        administrator=(number_in(level.words) or 0) >= 15 if level else config.absent(False),
        remote=_remote(config, transports, kind),
        lines=numbers(node, idle, level, inbound, password, login, four, six),
    )


def _remote(config: Config, transports: Maybe[list[str]], kind: str) -> Maybe[bool]:
    if kind != "vty":
        return False
    if isinstance(transports, Unknown):  # RGOS lets in what it serves; what IOS does depends on its release
        return True if config.platform == "ruijie_os" else UNKNOWN
    return bool(transports)


def _inbound(node: Node | None) -> str | None:
    if node is None or "in" not in node.words:
        return None
    name: str = node.words[node.words.index("in") - 1]
    return name


def _transports(config: Config, node: Node | None) -> Any:
    if node is None:
        return config.default("terminals.transports")
    words = set(node.words[2:])
    if "all" in words:
        return ["other", "ssh", "telnet"]
    if "none" in words:
        return []
    return sorted({w if w in ("ssh", "telnet") else "other" for w in words})


def _authentication(config: Config, login: Node | None, kind: str) -> Any:
    if config.all("aaa new-model"):
        name = login.words[-1] if login and begins(login.text, "login authentication") else "default"
        methods = last(config.all(f"aaa authentication login {name}"))
        return "none" if methods is not None and methods.words[4:] == ["none"] else "aaa"
    if login is None:
        return config.default(f"terminals.authentication.{kind}")
    if begins(login.text, "no login"):
        return "none"
    if begins(login.text, "login authentication"):
        return "aaa"
    return "local" if "local" in login.words else "password"


def telnet(config: Config, terminals: Maybe[list[TerminalLine]]) -> TelnetServer:
    """Whether some line takes telnet, and RGOS's switch of the service."""
    off, on = config.all("no enable service telnet-server"), config.all("enable service telnet-server")
    rows = [] if isinstance(terminals, Unknown) else [r for r in terminals if r.line_type == "vty"]
    takes = [r for r in rows if not isinstance(r.transports, Unknown) and "telnet" in r.transports]
    refuse = bool(rows) and all(
        not isinstance(r.transports, Unknown) and "telnet" not in r.transports for r in rows
    )
    state: Maybe[bool] = UNKNOWN
    if (off and not on) or (refuse and not config.partial):
        state = False
    elif (takes and (on or config.platform != "ruijie_os")) or (on and not refuse):
        state = True
    seen = [line for r in (takes or rows) if not isinstance(r.lines, Unknown) for line in r.lines]
    return TelnetServer(ipv4=state, ipv6=state, lines=numbers(*off, *on, seen=seen))


def _ssh(config: Config, terminals: Maybe[list[TerminalLine]]) -> SshService:
    seen: list[int] = []
    version, retries = last(config.all("ip ssh version")), last(config.all("ip ssh authentication-retries"))
    rows = [] if isinstance(terminals, Unknown) else terminals
    takes = any(not isinstance(r.transports, Unknown) and "ssh" in r.transports for r in rows)
    state: Maybe[bool] = True if takes or config.all("enable service ssh-server") else UNKNOWN
    if config.all("no enable service ssh-server"):
        state = False
    fields: dict[str, Any] = {}
    for field, commands in _ALGORITHMS.items():
        node = last(n for command in commands for n in config.all(command))
        start = 5 if node and node.words[2] == "server" else 3
        fields[field] = [w.lower() for w in node.words[start:]] if node else UNKNOWN
        seen += [node.line] if node else []
    old = None if version is None else version.words[-1] != "2"
    return SshService(
        ipv4=state,
        ipv6=state,
        version1=config.default("ssh.version1") if old is None else old,
        algorithms_configured=not isinstance(fields["ciphers"], Unknown) or config.absent(False),
        authentication_retries=number_in(retries.words) if retries else config.absent(None),
        lines=numbers(version, retries, *config.all("enable service ssh-server"), seen=seen),
        **fields,
    )


def _web(config: Config) -> WebService:
    seen: list[int] = []
    four = last(n for n in config.all("ip http access-class") if "ipv6" not in n.words)
    six = last(config.all("ip http access-class ipv6"))
    if config.platform == "ruijie_os":
        on, off = config.all("enable service web-server"), config.all("no enable service web-server")
        named = {n.words[-1] for n in on}
        told = (*on, *off)
        whole: Any = bool(named & {"all", "web-server"}) or (False if off else config.default("web.http"))
        http = True if "http" in named else False if named == {"https"} else whole
        https = True if "https" in named else False if named == {"http"} else whole
        return WebService(http=http, https=https, acl_ipv4=config.absent(None), lines=numbers(*told))
    return WebService(
        http=config.switch("ip http server", "web.http", "no", seen=seen),
        https=config.switch("ip http secure-server", "web.https", "no", seen=seen),
        acl_ipv4=four.words[-1] if four else config.absent(None),
        acl_ipv6=six.words[-1] if six else config.absent(None),
        lines=numbers(four, six, seen=seen),
    )


def _aaa(config: Config) -> Aaa:
    logins = config.all("aaa authentication login")
    words = [w for n in logins for w in n.words[4:]]
    methods: list[Any] = []
    for word in words:
        found = _METHODS.get(word)
        methods += [found] if found else [] if word == "group" else ["other"]
    if not config.all("aaa new-model") and not logins:
        methods = []
    commands = [n for n in config.all("aaa accounting commands") if "none" not in n.words]
    radius, tacacs = _servers(config, "radius"), _servers(config, "tacacs")
    return Aaa(
        login_methods=list(dict.fromkeys(methods)) if methods else config.default("aaa.login_methods"),
        radius_servers=radius,
        tacacs_servers=tacacs,
        command_accounting=bool(commands) or config.absent(False),
        lines=numbers(*config.all("aaa new-model"), *logins, *commands),
    )


def _servers(config: Config, kind: str) -> Any:
    old = [n.words[2] for n in config.all(f"{kind}-server host") if len(n.words) > 2]
    named = [
        a.words[2] for n in config.all(f"{kind} server") for a in below(n, "address") if len(a.words) > 2
    ]
    groups = []
    for node in config.all(f"aaa group server {'tacacs+' if kind == 'tacacs' else kind}"):
        for line in below(node, "server", "server-private"):
            if line.words[1:2] != ["name"] and len(line.words) > 1:
                groups.append(line.words[1])
    found = sorted(dict.fromkeys([*old, *named, *groups]))
    return found if found else config.absent([])


def banner(config: Config) -> LoginBanner:
    """A notice of any sort."""
    nodes = config.all("banner")
    return LoginBanner(configured=bool(nodes) or config.absent(False), lines=numbers(*nodes))


def _files(config: Config) -> FileServices:
    ftp = [n for n in config.all("ftp-server") if n.words[-1] != "disable"]
    tftp = [n for n in config.all("tftp-server") if n.words[-1] != "disable"]
    state = bool(ftp) or config.absent(False)
    return FileServices(
        ftp=state, ftp_ipv4=state, ftp_ipv6=state, tftp=bool(tftp) or config.absent(False),
        lines=numbers(*ftp, *tftp),
    )  # fmt: skip


def _spare(config: Config) -> SpareServices:
    seen: list[int] = []

    def state(on: str, fact: str) -> Maybe[bool]:
        return config.switch(on, f"spare.{fact}", "no", seen=seen)

    small = [*config.all("service tcp-small-servers"), *config.all("service udp-small-servers")]
    loads = config.all("service config")
    stack = config.switch("vstack", "spare.vstack", "no", seen=seen)
    return SpareServices(
        small_servers=True if small else config.default("spare.small_servers"),
        finger=True if config.all("service finger") else state("ip finger", "finger"),
        bootp_server=state("ip bootp server", "bootp_server"),
        config_from_network=True if loads else stack,
        source_routing_ipv4=state("ip source-route", "source_routing_ipv4"),
        source_routing_ipv6=state("ipv6 source-route", "source_routing_ipv6"),
        lines=numbers(*small, *loads, seen=seen),
    )


def _backup(config: Config) -> Maybe[bool]:
    if any(below(n, "path") for n in config.all("archive")):
        return True
    absent: Maybe[bool] = UNKNOWN if config.platform == "ruijie_os" else config.absent(False)
    return absent


def _control_plane(config: Config) -> Any:
    planes = [n for n in config.all("control-plane") if below(n, "service-policy input")]
    guards = [n for n in config.all("cpu-protect") if len(n.words) > 1]
    return bool(planes or guards) or config.default("control_plane_protection")
