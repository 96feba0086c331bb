"""Reading a Linux machine: files, directories, links, and a fixed list of commands. Nothing is written.

The parsers see a ``Reader`` and nothing else, so the same facts can come from this machine, from a
recording, or from one script run over SSH (``collectors.linux``). A refusal is a value: "not there" is
evidence of absence, "denied" and "unreadable" are evidence of nothing.
"""

from __future__ import annotations

import enum
import os
import signal
import stat
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

import msgspec

MAX_FILE_BYTES = 4 << 20  # a larger configuration file is not read: unreadable, never cut short
MAX_PROC_BYTES = 64 << 20  # /proc/net/tcp holds 150 bytes a connection
MAX_OUTPUT_BYTES = 16 << 20
COMMAND_SECONDS = 60.0

CERTIFICATE_BLOCKS = "/^-----BEGIN.CERTIFICATE-----/,/^-----END.CERTIFICATE-----/{/PRIVATE.KEY/q;p;}"
"""What ``sed -n`` prints of a file: its certificates. A block that does not end stops at a key."""
CERTIFICATE_LINES = r"^[[:space:]]*(ssl_certificate|SSLCertificateFile|smtpd_tls_cert_file|bind)[[:space:]=]"
CONFIGURATIONS = ("/etc/nginx", "/etc/apache2", "/etc/httpd", "/etc/haproxy", "/etc/postfix")
"""Where ``grep`` looks for the lines that name a certificate."""

COMMANDS: frozenset[tuple[str, ...]] = frozenset(
    tuple(line.split())
    for line in """
    uname -m
    lscpu
    systemd-detect-virt
    sshd -T
    ip -j addr
    ip -o addr
    ip -j route
    ip -6 -j route
    systemctl list-units --type=service --state=running --no-legend --no-pager --plain
    timedatectl show
    chronyc -n tracking
    ntpq -pn
    auditctl -s
    auditctl -l
    nft -j list ruleset
    iptables-save
    ip6tables-save
    apt -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= list --upgradable
    dnf -C -q check-update
    dnf -C -q updateinfo list --updates --security
    yum -C -q check-update
    dpkg-query -W -f=${db:Status-Abbrev}|${binary:Package}|${Version}\\n
    rpm -qa --qf %{NAME}|%{EPOCH}:%{VERSION}-%{RELEASE}|%{ARCH}\\n
    systemctl show *.service --property=Id,NeedDaemonReload --no-pager
    stat -c %a:%U:%G:%n /etc/passwd /etc/shadow /etc/group /etc/gshadow /etc/sudoers /etc/crontab \
        /etc/ssh/sshd_config /var/log/audit /var/log/messages /var/log/syslog /var/log/secure \
        /var/log/auth.log
    """.strip().splitlines()
)
"""Every command a reader may run, whole: all of them only read."""
_PATH = "/usr/sbin:/usr/bin:/sbin:/bin"


class Refusal(enum.StrEnum):
    """Why something was not read."""

    NOT_FOUND = "not_found"  # it does not exist: seen
    DENIED = "denied"  # it may exist: not seen
    UNREADABLE = "unreadable"  # too large, timed out, not a plain file, not recorded: not seen


class Output(msgspec.Struct, frozen=True):
    """What a command said."""

    status: int
    stdout: bytes


class Reader(Protocol):
    """A machine to read. ``user_id`` is the one it is read as; 0 is root. ``elevated``: commands (words
    joined by blanks) that root ran although that user is not root."""

    user_id: int
    elevated: frozenset[str]

    def read_file(self, path: str) -> bytes | Refusal:
        """The whole file, at most MAX_FILE_BYTES (under /proc, MAX_PROC_BYTES)."""
        ...

    def list_dir(self, path: str) -> list[str] | Refusal:
        """Names in a directory, sorted."""
        ...

    def read_link(self, path: str) -> str | Refusal:
        """Target of a symbolic link."""
        ...

    def modified(self, path: str) -> float | Refusal:
        """Time of last modification, seconds since the epoch; also tells whether the path exists."""
        ...

    def run(self, argv: tuple[str, ...]) -> Output | Refusal:
        """Run a command of the allow-list. Raises ValueError for any other."""
        ...


def allowed(argv: tuple[str, ...]) -> bool:
    """Whether a command is on the list; ``sshd -T`` may also name its configuration file, and the two that
    look for certificates a place and a file."""
    if argv in COMMANDS:
        return True
    if argv[:3] == ("grep", "-RHsE", CERTIFICATE_LINES):
        return len(argv) == 4 and argv[3] in CONFIGURATIONS
    if argv[:3] == ("sed", "-n", CERTIFICATE_BLOCKS):
        return len(argv) == 4 and argv[3].startswith("/") and argv[3].isprintable()
    return len(argv) == 4 and argv[:3] == ("sshd", "-T", "-f") and argv[3].startswith("/")


class LocalReader:
    """This machine. ``timeout`` gives the seconds a command may take (bound to the run's deadline)."""

    def __init__(self, timeout: Callable[[float], float] = lambda at_most: at_most) -> None:
        self.user_id = os.geteuid()
        self.elevated: frozenset[str] = frozenset()
        self._timeout = timeout

    def read_file(self, path: str) -> bytes | Refusal:
        limit = MAX_PROC_BYTES if path.startswith("/proc/") else MAX_FILE_BYTES
        flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY
        try:
            descriptor = os.open(path, flags)
            with os.fdopen(descriptor, "rb"):
                if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                    return Refusal.UNREADABLE
                data = b"".join(_chunks(descriptor, limit))
        except (OSError, ValueError) as error:
            return _refusal(error)
        return data if len(data) <= limit else Refusal.UNREADABLE

    def list_dir(self, path: str) -> list[str] | Refusal:
        try:
            return sorted(os.listdir(path))  # noqa: PTH208 - /proc with many entries: names only
        except (OSError, ValueError) as error:
            return _refusal(error)

    def read_link(self, path: str) -> str | Refusal:
        try:
            return os.readlink(path)  # noqa: PTH115 - called for every descriptor of every process
        except (OSError, ValueError) as error:
            return _refusal(error)

    def modified(self, path: str) -> float | Refusal:
        try:
            return Path(path).stat().st_mtime
        except (OSError, ValueError) as error:
            return _refusal(error)

    def run(self, argv: tuple[str, ...]) -> Output | Refusal:
        if not allowed(argv):
            raise ValueError(f"not an allowed command: {' '.join(argv)}")
        program = next((p for d in _PATH.split(":") if (p := Path(d) / argv[0]).exists()), None)
        if program is None:
            return Refusal.NOT_FOUND
        timeout = self._timeout(COMMAND_SECONDS)
        try:
            process = subprocess.Popen(  # noqa: S603 - from the allow-list, found in a fixed path
                [str(program), *argv[1:]],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={"PATH": _PATH, "LC_ALL": "C", "LANG": "C"},
                cwd="/",
                start_new_session=True,
            )
        except OSError as error:
            return _refusal(error)
        with process:
            try:
                stdout, _ = process.communicate(timeout=timeout)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                return Refusal.UNREADABLE
        return Output(process.returncode, stdout[:MAX_OUTPUT_BYTES])


def _chunks(descriptor: int, limit: int) -> Iterator[bytes]:
    """The file in pieces, ending just past ``limit``; /proc/sys refuses to be read in one large one."""
    total = 0
    while total <= limit and (piece := os.read(descriptor, 1 << 16)):
        total += len(piece)
        yield piece


def _refusal(error: OSError | ValueError) -> Refusal:
    if isinstance(error, FileNotFoundError | NotADirectoryError | ProcessLookupError):
        return Refusal.NOT_FOUND
    return Refusal.DENIED if isinstance(error, PermissionError) else Refusal.UNREADABLE
