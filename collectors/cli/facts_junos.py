"""Junos (Juniper): who may log in, how, and what they must prove. A service that is not written is off, which
is so for every release; lines people log in on are made up of the services, since Junos has none."""

from __future__ import annotations

from typing import Any

from collectors.cli import facts_junos_network, facts_junos_policies, facts_junos_ports
from collectors.cli.config_words import Document, Words
from collectors.cli.facts_defaults import default_of
from collectors.cli.facts_reader import MAX_LINES, in_clear
from inventory.kinds.device_config import (
    Aaa,
    FileServices,
    LocalUser,
    LoginBanner,
    LoginLockout,
    PasswordRules,
    PasswordStorage,
    PrivilegedPassword,
    SpareServices,
    SshService,
    TelnetServer,
    TerminalLine,
    WebService,
)
from inventory.unknown import UNKNOWN, Maybe

_METHODS = {"radius": "radius", "tacplus": "tacacs", "password": "local", "ldap": "ldap"}
_MINIMUMS = ("minimum-upper-cases", "minimum-lower-cases", "minimum-numerics", "minimum-punctuations")


def read(platform: str, text: str, version: str, *, partial: bool) -> dict[str, Any]:
    """Fields of ``DeviceConfig`` out of a Junos configuration, in braces or in ``set`` lines."""
    document = Document(text)
    config = Reader(document, platform, version, partial=partial or not document.closed)
    system = config.system
    fields: dict[str, Any] = {
        "complete": not config.partial,
        "terminals": _terminals(config),
        "telnet": _telnet(config),
        "ssh": _ssh(config),
        "web": _web(config),
        "aaa": _aaa(config),
        "users": _users(config),
        "password_rules": _password_rules(config),
        "lockout": _lockout(config),
        "privileged": _privileged(config),
        "banner": _banner(config),
        "files": _files(config),
        "spare": SpareServices(
            finger=config.off("system", "services", "finger"),
            small_servers=config.absent(False),
            config_from_network=config.off("system", "autoinstallation"),
        ),
        "configuration_backup": config.off("system", "archival", "configuration", "archive-sites"),
        "control_plane_protection": True
        if any(config.lo0_filter(f) for f in ("inet", "inet6"))
        else config.default("control_plane_protection"),
    }
    if name := system.value("host-name"):
        fields["hostname"] = name
    if not version and (told := config.root.value("version")):
        fields["version"] = told
    fields |= facts_junos_network.read(config) | facts_junos_ports.read(config)
    return fields | facts_junos_policies.read(config)


class Reader:
    """A Junos configuration to ask; ``root`` are all its words, ``system`` those of that section."""

    def __init__(self, document: Document, platform: str, version: str, *, partial: bool) -> None:
        self.root = document.root
        self.system = document.root.at("system") or Words()
        self.platform = platform
        self.version = version
        self.partial = partial

    def absent(self, value: Any) -> Any:
        """What absence tells: the value, or UNKNOWN in a text that broke off."""
        return UNKNOWN if self.partial else value

    def off(self, *path: str) -> Maybe[bool]:
        """Whether something is written; what is not written is off."""
        found: Maybe[bool] = True if self.root.has(*path) else self.absent(False)
        return found

    def default(self, fact: str) -> Any:
        return UNKNOWN if self.partial else default_of(self.platform, fact, self.version)

    def lo0_filter(self, family: str) -> str | None:
        """The filter on what is sent to the device itself."""
        for _, unit in self.root.each("interfaces", "lo0", "unit"):
            name = unit.value("family", family, "filter", "input") or unit.value(
                "family", family, "filter", "input-list"
            )
            if name:
                return name
        return None

    def lines(self, *paths: tuple[str, ...]) -> list[int]:
        """Lines of what is written of these."""
        found = {word.line for path in paths if (word := self.root.at(*path)) is not None}
        return sorted(found)[:MAX_LINES]


def _terminals(config: Reader) -> list[TerminalLine]:
    services = config.system.at("services") or Words()
    remote: list[Any] = [name for name in ("ssh", "telnet") if services.has(name)]
    idle = _idle(config)
    four, six = config.lo0_filter("inet"), config.lo0_filter("inet6")
    lines = config.lines(
        ("system", "services", "ssh"), ("system", "services", "telnet"), ("interfaces", "lo0")
    )
    return [
        TerminalLine(
            name="system services", line_type="vty", transports=remote or config.absent([]),
            acl_ipv4=four or config.absent(None), acl_ipv6=six or config.absent(None), authentication="aaa",
            idle_seconds=idle, administrator=False, remote=bool(remote) or config.absent(False),
            lines=lines,
        ),
        TerminalLine(
            name="console", line_type="console", authentication="aaa", idle_seconds=idle, administrator=False,
            remote=False, lines=config.lines(("system", "ports", "console")),
        ),
    ]  # fmt: skip


def _idle(config: Reader) -> Any:
    """The longest time of the classes that accounts are in; a class without one never logs out."""
    login = config.system.at("login") or Words()
    whole = login.number("idle-timeout")
    times = []
    for _, user in login.each("user"):
        name = user.value("class") or ""
        minutes = login.number("class", name, "idle-timeout") or whole
        if minutes is None:
            return config.absent(None)
        times.append(minutes * 60)
    if times:
        return max(times)
    return whole * 60 if whole else config.absent(None)


def _telnet(config: Reader) -> TelnetServer:
    state = config.off("system", "services", "telnet")
    return TelnetServer(ipv4=state, ipv6=state, lines=config.lines(("system", "services", "telnet")))


def _ssh(config: Reader) -> SshService:
    path = ("system", "services", "ssh")
    ssh = config.root.at(*path) or Words()
    versions = ssh.names("protocol-version")
    state = config.off(*path)
    root = ssh.value("root-login")

    def told(name: str) -> Any:
        names = [n.strip('"').lower() for n in ssh.names(name)]
        return names if names else UNKNOWN

    return SshService(
        ipv4=state,
        ipv6=state,
        version1="v1" in versions if versions else config.default("ssh.version1"),
        ciphers=told("ciphers"),
        macs=told("macs"),
        key_exchanges=told("key-exchange"),
        algorithms_configured=bool(ssh.names("ciphers")) or config.absent(False),
        authentication_retries=config.system.number("login", "retry-options", "tries-before-disconnect")
        or config.absent(None),
        root_login=root == "allow" if root else config.default("ssh.root_login"),
        lines=config.lines(path, (*path, "protocol-version"), (*path, "root-login"), (*path, "ciphers")),
    )


def _web(config: Reader) -> WebService:
    path = ("system", "services", "web-management")
    four, six = config.lo0_filter("inet"), config.lo0_filter("inet6")
    return WebService(
        http=config.off(*path, "http"),
        https=config.off(*path, "https"),
        acl_ipv4=four or config.absent(None),
        acl_ipv6=six or config.absent(None),
        lines=config.lines((*path, "http"), (*path, "https")),
    )


def _aaa(config: Reader) -> Aaa:
    order: list[Any] = [_METHODS.get(n, "other") for n in config.system.names("authentication-order")]
    radius, tacacs = config.system.names("radius-server"), config.system.names("tacplus-server")
    events = config.system.names("accounting", "events")
    reported = "interactive-commands" in events and config.system.has("accounting", "destination")
    return Aaa(
        login_methods=order or config.absent(["local"]),
        radius_servers=sorted(radius) or config.absent([]),
        tacacs_servers=sorted(tacacs) or config.absent([]),
        command_accounting=reported or config.absent(False),
        lines=config.lines(("system", "authentication-order"), ("system", "accounting", "events")),
    )


def _storage(secret: str | None) -> Maybe[PasswordStorage]:
    if secret is None:
        return UNKNOWN
    if secret.startswith("$9$"):
        return "reversible"
    return "weak_hash" if secret.startswith("$1$") else "hash" if secret.startswith("$") else UNKNOWN


def _users(config: Reader) -> Any:
    login = config.system.at("login") or Words()
    rows = [_user(config, login, name, user) for name, user in login.each("user")]
    return rows if rows else config.absent([])


def _user(config: Reader, login: Words, name: str, user: Words) -> LocalUser:
    role = user.value("class")
    permissions = login.names("class", role, "permissions") if role else []
    secret = user.value("authentication", "encrypted-password")
    keys = [n for n in user.names("authentication") if n.startswith("ssh-")]
    found = user.at("authentication")
    return LocalUser(
        name=name,
        enabled=True,
        administrator=role in ("super-user", "superuser") or "all" in permissions,
        privilege=role,
        services=["ssh-key"] if keys and not secret else config.default("users.services"),
        password_storage=_storage(secret),
        password_in_clear=in_clear(_storage(secret)),
        lines=sorted({user.line, found.line if found else user.line}),
    )


def _password_rules(config: Reader) -> PasswordRules:
    password = config.system.at("login", "password") or Words()
    classes = sum(1 for name in _MINIMUMS if (password.number(name) or 0) > 0)
    if not classes and password.value("change-type") == "character-sets":
        classes = password.number("minimum-changes") or 1
    return PasswordRules(
        min_length=password.number("minimum-length") or config.default("password_rules.min_length"),
        min_classes=classes or config.default("password_rules.min_classes"),
        max_days=password.number("maximum-lifetime") or config.absent(None),
        history=password.number("minimum-reuse") or config.absent(None),
        lines=sorted({word.line for word in password.below.values()})[:MAX_LINES],
    )


def _lockout(config: Reader) -> LoginLockout:
    path = ("system", "login", "retry-options")
    tries = config.root.at(*path) or Words()
    period = tries.number("lockout-period")
    attempts = tries.number("tries-before-disconnect")
    if period is None:
        return LoginLockout(
            attempts=config.absent(None), minutes=config.absent(None), lines=config.lines(path)
        )
    return LoginLockout(
        attempts=attempts if attempts is not None else config.default("lockout.attempts"), minutes=period,
        lines=config.lines((*path, "lockout-period"), (*path, "tries-before-disconnect")),
    )  # fmt: skip


def _privileged(config: Reader) -> PrivilegedPassword:
    path = ("system", "root-authentication")
    secret = config.root.value(*path, "encrypted-password")
    return PrivilegedPassword(
        password_storage=_storage(secret) if secret else config.absent("none"), lines=config.lines(path)
    )


def _banner(config: Reader) -> LoginBanner:
    paths = (("system", "login", "message"), ("system", "login", "announcement"))
    return LoginBanner(
        configured=any(config.root.has(*p) for p in paths) or config.absent(False), lines=config.lines(*paths)
    )


def _files(config: Reader) -> FileServices:
    ftp = config.off("system", "services", "ftp")
    return FileServices(
        ftp=ftp, ftp_ipv4=ftp, ftp_ipv6=ftp, tftp=config.off("system", "services", "tftp-server"),
        lines=config.lines(("system", "services", "ftp"), ("system", "services", "tftp-server")),
    )  # fmt: skip
