"""Kinds of an operating system: the host, its accounts, what it listens on."""

from __future__ import annotations

from datetime import date
from typing import ClassVar, Literal

from inventory.kinds.address import Family
from inventory.origin import Origin
from inventory.resource import Nested, Resource
from inventory.unknown import UNKNOWN, Maybe


class SshServer(Nested):
    """Effective configuration of sshd (``sshd -T``); words as sshd_config(5) has them."""

    installed: Maybe[bool] = UNKNOWN
    running: Maybe[bool] = UNKNOWN
    ports: Maybe[list[int]] = UNKNOWN
    permit_root_login: Maybe[str] = UNKNOWN  # yes, no, prohibit-password, forced-commands-only
    password_authentication: Maybe[bool] = UNKNOWN
    empty_passwords: Maybe[bool] = UNKNOWN
    max_auth_tries: Maybe[int] = UNKNOWN
    idle_timeout_seconds: Maybe[int | None] = UNKNOWN  # ClientAliveInterval × CountMax; None = never
    allow_users: Maybe[list[str]] = UNKNOWN  # AllowUsers and AllowGroups together
    ciphers: Maybe[list[str]] = UNKNOWN
    macs: Maybe[list[str]] = UNKNOWN
    key_exchanges: Maybe[list[str]] = UNKNOWN
    x11_forwarding: Maybe[bool] = UNKNOWN
    authentication_methods: Maybe[list[str]] = (
        UNKNOWN  # ["any"] or lists such as "publickey,keyboard-interactive"
    )
    any_source: Maybe[bool] = UNKNOWN  # any address may reach it, as sshd and the packet filter tell


class PasswordPolicy(Nested):
    """login.defs, pam_pwquality / pam_cracklib, pam_pwhistory. None = not configured."""

    max_days: Maybe[int | None] = UNKNOWN
    min_days: Maybe[int | None] = UNKNOWN
    warn_days: Maybe[int | None] = UNKNOWN
    min_length: Maybe[int | None] = UNKNOWN
    min_classes: Maybe[int | None] = UNKNOWN  # character classes enforced, 0–4
    history: Maybe[int | None] = UNKNOWN
    hash_algorithm: Maybe[str | None] = UNKNOWN  # ENCRYPT_METHOD: YESCRYPT, SHA512, SM3, MD5 …


class Lockout(Nested):
    """pam_faillock or pam_tally2. ``attempts`` None = no lock-out; ``unlock_seconds`` None with attempts
    set = locked until an administrator unlocks."""

    attempts: Maybe[int | None] = UNKNOWN
    unlock_seconds: Maybe[int | None] = UNKNOWN
    covers_root: Maybe[bool] = UNKNOWN


class TimeSync(Nested):
    running: Maybe[bool] = UNKNOWN
    service: Maybe[str | None] = UNKNOWN  # chronyd, systemd-timesyncd, ntpd …
    servers: Maybe[list[str]] = UNKNOWN
    synchronized: Maybe[bool] = UNKNOWN


AuditSubject = Literal[
    "identity", "privilege", "logins", "time", "permissions", "deletion", "modules", "mounts"
]


class Audit(Nested):
    """Kernel audit. ``immutable``: rules locked until reboot (-e 2). ``covers``: what the rules record:
    changes of accounts, gaining of privileges, log-ins, clock, permissions, deletion, kernel modules,
    mounts."""

    running: Maybe[bool] = UNKNOWN
    rules: Maybe[int] = UNKNOWN  # number of rules loaded or configured
    immutable: Maybe[bool] = UNKNOWN
    covers: Maybe[list[AuditSubject]] = UNKNOWN


class Logging(Nested):
    running: Maybe[bool] = UNKNOWN
    service: Maybe[str | None] = UNKNOWN  # rsyslogd, syslog-ng, systemd-journald
    remote: Maybe[list[str]] = UNKNOWN  # collectors logs are sent to
    persistent: Maybe[bool] = UNKNOWN
    retention_days: Maybe[int | None] = UNKNOWN  # logrotate / journald; None = no bound configured


class Updates(Nested):
    """Package updates, from data already on the machine: nothing is fetched."""

    manager: Maybe[str] = UNKNOWN  # apt, dnf, yum
    pending: Maybe[int] = UNKNOWN
    pending_security: Maybe[int] = UNKNOWN
    index_age_days: Maybe[int] = UNKNOWN  # age of the local package index the numbers rest on


class Software(Nested):
    """Installed packages, as the package manager lists them; the list is evidence. ``digest``: SHA-256 of it,
    so that a change shows. ``unclear``: packages half installed, or there in two versions at once."""

    manager: Maybe[Literal["dpkg", "rpm"]] = UNKNOWN
    packages: Maybe[int] = UNKNOWN
    digest: Maybe[str] = UNKNOWN
    unclear: Maybe[list[str]] = UNKNOWN


class TrustedBoot(Nested):
    """``secure_boot`` None = no UEFI; ``chip``: a TPM or TCM is there; ``measured``: the kernel (IMA)
    measures what is run."""

    secure_boot: Maybe[bool | None] = UNKNOWN
    chip: Maybe[bool] = UNKNOWN
    measured: Maybe[bool] = UNKNOWN


class FileMode(Nested):
    """Permissions of a sensitive file; ``mode`` octal, three digits or four."""

    path: Maybe[str] = UNKNOWN
    mode: Maybe[str] = UNKNOWN
    owner: Maybe[str] = UNKNOWN
    group: Maybe[str] = UNKNOWN


class Host(Resource):
    """A Linux machine seen from the inside: one of a source of type ``local``, one for each target of one of
    type ``linux``."""

    KIND: ClassVar[str] = "host"
    TITLE: ClassVar[str] = "主机"
    VOLATILE: ClassVar[frozenset[str]] = frozenset(
        {"uptime_seconds", "memory_available_mib", "malware_signatures_age_days"}
    )

    os_id: Maybe[str] = UNKNOWN  # os-release ID, lower case
    os_name: Maybe[str] = UNKNOWN  # PRETTY_NAME
    os_version: Maybe[str | None] = UNKNOWN
    os_origin: Maybe[Origin] = UNKNOWN
    kernel: Maybe[str] = UNKNOWN
    cpu_architecture: Maybe[str] = UNKNOWN
    cpu_vendor: Maybe[str] = UNKNOWN
    cpu_model: Maybe[str] = UNKNOWN
    cpu_origin: Maybe[Origin] = UNKNOWN
    cpus: Maybe[int] = UNKNOWN
    memory_mib: Maybe[int] = UNKNOWN
    memory_available_mib: Maybe[int] = UNKNOWN
    virtualization: Maybe[str | None] = UNKNOWN  # kvm, container …; None = bare metal
    uptime_seconds: Maybe[int] = UNKNOWN
    ssh: Maybe[SshServer] = UNKNOWN
    password_policy: Maybe[PasswordPolicy] = UNKNOWN
    lockout: Maybe[Lockout] = UNKNOWN
    session_timeout_seconds: Maybe[int | None] = UNKNOWN  # shell TMOUT; None = none set
    umask: Maybe[str | None] = UNKNOWN  # octal, as login.defs or profile set it
    time_sync: Maybe[TimeSync] = UNKNOWN
    audit: Maybe[Audit] = UNKNOWN
    logging: Maybe[Logging] = UNKNOWN
    updates: Maybe[Updates] = UNKNOWN
    software: Maybe[Software] = UNKNOWN
    outdated_units: Maybe[list[str] | None] = UNKNOWN  # services with settings not loaded; None = no systemd
    mandatory_access_control: Maybe[str | None] = UNKNOWN  # selinux:enforcing, apparmor, None
    malware_protection: Maybe[list[str]] = UNKNOWN  # names of known agents running
    firewall: Maybe[str | None] = UNKNOWN  # nftables, iptables, firewalld, ufw with rules; None = no rules
    firewall_families: Maybe[list[Family]] = UNKNOWN  # whose incoming traffic it filters, sorted
    ipv6_enabled: Maybe[bool] = UNKNOWN
    trusted_boot: Maybe[TrustedBoot] = UNKNOWN
    file_modes: Maybe[list[FileMode]] = UNKNOWN  # of those sensitive files that there are
    malware_signatures_age_days: Maybe[int | None] = UNKNOWN  # None = no agent runs
    malware_blocking: Maybe[bool | None] = UNKNOWN  # files are checked as they are opened; None = no agent
    intrusion_detection: Maybe[list[str]] = UNKNOWN  # names of known agents running
    alert_channels: Maybe[list[str]] = UNKNOWN  # "agent → where it reports to"; [] = nowhere
    file_integrity: Maybe[list[str]] = UNKNOWN  # what keeps a record of files to find changed ones
    core_dumps_exposed: Maybe[bool] = UNKNOWN  # of programs that change their user, to any reader
    history_size: Maybe[int | None] = UNKNOWN  # commands a shell keeps (HISTSIZE); None = none set
    graphical: Maybe[bool] = UNKNOWN  # a desktop runs
    development_tools: Maybe[list[str]] = UNKNOWN  # compilers, debuggers, sniffers installed
    host_key_verified: Maybe[bool | None] = UNKNOWN  # of the SSH session that read it; None = read without


class Account(Resource):
    """A local account of a host; native id = host id/name. No hash ever enters it."""

    KIND: ClassVar[str] = "account"
    TITLE: ClassVar[str] = "主机账户"

    user_id: Maybe[int] = UNKNOWN
    shell: Maybe[str] = UNKNOWN
    login_allowed: Maybe[bool] = UNKNOWN  # the shell is a login shell
    password: Maybe[Literal["set", "empty", "locked", "none"]] = UNKNOWN
    password_algorithm: Maybe[str | None] = UNKNOWN  # yescrypt, sha512, sm3, md5, des …
    password_changed: Maybe[date | None] = UNKNOWN
    password_max_days: Maybe[int | None] = UNKNOWN
    expires: Maybe[date | None] = UNKNOWN
    superuser: Maybe[bool] = UNKNOWN  # uid 0
    id_shared: Maybe[bool] = UNKNOWN  # another account of this machine has the same uid
    sudo: Maybe[bool] = UNKNOWN  # may use sudo, by group or by rule


class Listener(Resource):
    """A listening socket; native id = host id/protocol/address/port."""

    KIND: ClassVar[str] = "listener"
    TITLE: ClassVar[str] = "监听端口"

    protocol: Maybe[Literal["tcp", "udp"]] = UNKNOWN
    family: Maybe[Family] = UNKNOWN
    address: Maybe[str] = UNKNOWN
    port: Maybe[int] = UNKNOWN
    loopback: Maybe[bool] = UNKNOWN
    program: Maybe[str | None] = UNKNOWN  # None = owner cannot be told even by root (kernel)


FAMILY: tuple[type[Resource], ...] = (Host, Account, Listener)
