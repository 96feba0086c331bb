"""The other way to a device's terminal: OpenSSH's ``ssh``, which still speaks to peers that paramiko has
given up. Only where the source says ``client: openssh``; old algorithms only those that it names.

The password goes over the pseudo-terminal that ``ssh`` asks it on: not in the environment, not in arguments.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import select
import shutil
import signal
import struct
import subprocess
import termios
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from collectors import known_hosts
from collectors.cli.lines import (
    HEIGHT,
    WIDTH,
    IncompatibleError,
    Line,
    LineClosedError,
    Place,
    Secrets,
    wrong_host_key,
    wrong_login,
)
from collectors.cli.options import Options
from collectors.contract import RetryableError, SourceError

_MOST_NOTE_BYTES = 256 * 1024
_IN = "Authenticated to"
_ASKS = re.compile(r"(?i)(?:password|口令|密码)[^\n]*[:：]\s*$")
_SERVER_KEY = re.compile(r"Server host key: (\S+) (SHA256:\S+)")
_OPTIONS = {
    "kex": "KexAlgorithms",
    "host": "HostKeyAlgorithms",
    "public": "PubkeyAcceptedAlgorithms",
    "cipher": "Ciphers",
    "mac": "MACs",
}


class OpenSshLine:
    """See ``Line``: a shell through the ``ssh`` program on a pseudo-terminal; ``notes``: what it writes to
    standard error."""

    def __init__(self, command: Sequence[str]) -> None:
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", HEIGHT, WIDTH, 0, 0))
        settings = termios.tcgetattr(slave)
        settings[3] &= ~(termios.ECHO | termios.ICANON)
        termios.tcsetattr(slave, termios.TCSANOW, settings)
        path = os.environ.get("PATH", os.defpath)
        environment = {"PATH": path, "HOME": "/nonexistent", "TERM": "vt100", "LC_ALL": "C"}
        try:
            self._process = subprocess.Popen(  # noqa: S603 - our own words, addresses checked
                ["setsid", "--ctty", *command],  # noqa: S607 - the administrator's PATH
                stdin=slave,
                stdout=slave,
                stderr=subprocess.PIPE,
                env=environment,
            )
        finally:
            os.close(slave)
        self._notes = bytearray()
        self._reader = threading.Thread(target=self._read_notes, daemon=True)
        self._reader.start()
        self._lock = threading.Lock()
        self._open = True
        self._kept = b""

    def _read_notes(self) -> None:
        stream = self._process.stderr
        assert stream is not None
        for line in stream:
            if len(self._notes) < _MOST_NOTE_BYTES:
                self._notes += line
        stream.close()

    @property
    def notes(self) -> str:
        """What ``ssh`` has written to standard error."""
        return bytes(self._notes).decode("utf-8", "replace")

    @property
    def ended(self) -> bool:
        """Whether ``ssh`` has ended, and all of its notes are here."""
        if self._process.poll() is None:
            return False
        self._reader.join(1.0)
        return True

    def send(self, content: bytes) -> None:
        try:
            while content:
                content = content[os.write(self._master, content) :]
        except OSError as error:
            raise LineClosedError from error

    def put_back(self, content: bytes) -> None:
        """Bytes to be received again."""
        self._kept = content

    def receive(self, timeout: float) -> bytes:
        if self._kept:
            content, self._kept = self._kept, b""
            return content
        try:
            if not select.select([self._master], [], [], timeout)[0]:
                return b""
            content = os.read(self._master, 65536)
        except (OSError, ValueError) as error:
            raise LineClosedError from error
        if not content:
            raise LineClosedError
        return content

    def close(self) -> None:
        with self._lock:
            if not self._open:
                return
            self._open = False
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        self._process.wait()
        self._reader.join(1.0)
        with contextlib.suppress(OSError):
            os.close(self._master)


def command_of(place: Place, login: Secrets, options: Options, timeout: float) -> list[str]:
    """The command line: nothing of the user's own configuration, agent and keys is used."""
    files = [
        str(Path(name).expanduser())
        for name in (options.known_hosts or known_hosts.DEFAULT, known_hosts.SYSTEM)
    ]
    settings = {
        "StrictHostKeyChecking": "no" if options.insecure else "yes",
        "UserKnownHostsFile": "/dev/null" if options.insecure else f'"{files[0]}"',
        "GlobalKnownHostsFile": "/dev/null" if options.insecure else files[1],
        "UpdateHostKeys": "no",
        "HostKeyAlias": known_hosts.host_name(place.host, place.port),
        "CheckHostIP": "no",
        "NumberOfPasswordPrompts": "1",
        "ConnectTimeout": str(max(1, int(timeout))),
        "ServerAliveInterval": "15",
        "IdentityAgent": "none",
        "IdentitiesOnly": "yes",
        "ForwardAgent": "no",
        "PermitLocalCommand": "no",
        "PreferredAuthentications": "publickey" if login.key_file else "password,keyboard-interactive",
    }
    if login.key_file:
        settings["IdentityFile"] = f'"{login.key_file}"'
    for option in _OPTIONS.values():
        names = [name for name in options.legacy if option in _options_of(name)]
        if names:
            settings[option] = "+" + ",".join(names)
    arguments = [word for name, value in settings.items() for word in ("-o", f"{name}={value}")]
    to = ["-l", login.user, "-p", str(place.port), "--", place.address]
    return ["ssh", "-F", "none", "-v", "-tt", "-e", "none", *arguments, *to]


def _options_of(name: str) -> tuple[str, ...]:
    """The options of ``ssh`` that an algorithm belongs to."""
    if name.startswith(("diffie-hellman", "ecdh-", "curve", "gss-", "rsa1024", "sntrup", "mlkem")):
        return (_OPTIONS["kex"],)
    if name.startswith(("ssh-", "rsa-", "ecdsa-", "sk-")):
        return (_OPTIONS["host"], _OPTIONS["public"])
    if name.startswith(("hmac-", "umac-")):
        return (_OPTIONS["mac"],)
    return (_OPTIONS["cipher"],)


def open_openssh(
    place: Place,
    login: Secrets,
    options: Options,
    timeout: float,
    opened: Callable[[Callable[[], None]], None],
) -> Line:
    """Log in by ``ssh``; see ``open_paramiko``."""
    for program in ("ssh", "setsid"):
        if shutil.which(program) is None:
            raise SourceError(
                f"没有 {program} 命令", "安装 openssh-client 和 util-linux，或用 client: paramiko"
            )
    line = OpenSshLine(command_of(place, login, options, timeout))
    opened(line.close)
    try:
        _log_in(line, place, login, options, timeout)
    except BaseException:
        line.close()
        raise
    return line


def _log_in(line: OpenSshLine, place: Place, login: Secrets, options: Options, timeout: float) -> None:
    """Answer the question for the password; return as soon as ``ssh`` says that we are in, and leave what
    the device has said by then to be read."""
    ends, heard = time.monotonic() + timeout, b""
    answered = not login.password
    while time.monotonic() < ends:
        if _IN in line.notes:
            line.put_back(heard)
            return
        try:
            heard += line.receive(0.05)
        except LineClosedError:
            time.sleep(0.02)
        if not answered and _ASKS.search(heard.decode("utf-8", "replace")):
            line.send(login.password.encode() + b"\n")
            answered, heard = True, b""
        if line.ended and _IN not in line.notes:
            raise _why(line.notes, place, login, options)
    raise RetryableError("SSH 登录超时")


def _why(notes: str, place: Place, login: Secrets, options: Options) -> Exception:
    """What the end of ``ssh`` means."""
    if re.search(r"command-line:? line 0: Bad ", notes):
        return SourceError(
            "本机的 ssh 不认识 legacy 里的算法", "看 ssh -Q kex、ssh -Q cipher、ssh -Q HostKeyAlgorithms"
        )
    if "Unable to negotiate" in notes or "no matching" in notes:
        return IncompatibleError()
    judgement: known_hosts.Judgement | None = None
    if "REMOTE HOST IDENTIFICATION HAS CHANGED" in notes:
        judgement = "changed"
    elif "is marked as revoked" in notes or "REVOKED HOST KEY" in notes:
        judgement = "revoked"
    elif "Host key verification failed" in notes or "host key is known for" in notes:
        judgement = "unknown"
    if judgement is not None:
        found = _SERVER_KEY.search(notes)
        shown = f"{found[1]} {found[2]}" if found else ""
        return wrong_host_key(judgement, place, shown, options)
    if "Permission denied" in notes or "Too many authentication failures" in notes:
        return wrong_login(login.user)
    return RetryableError("SSH 连接中断")
