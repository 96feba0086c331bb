"""A session on a device that has let us in: send commands of the platform's table, read the answers.

netmiko's driver of the platform knows how its terminals write (line ends, cursor movements, echoes). What may
be sent, and how long and how much is read, is ours: every line that goes out passes ``Wire``, which knows the
platform's table and sends nothing else. Texts are latin-1 in here, a character per byte, until the answer is
whole: devices write UTF-8 and GBK side by side.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any

import msgspec

from collectors.cli.lines import Line, LineClosedError
from collectors.cli.platforms import Platform

QUIET_SECONDS = 0.1  # after a prompt: what comes within this was no prompt
POLL_SECONDS = 0.25
_TAIL = 600  # characters in which a prompt, a question or a pager stands
_BLANK = " \t\r\x00"  # not what latin-1 makes of other bytes
_ANSWERS = ("", "N", "n", " ")

_MORE = (
    r"(?:-{2,4} ?\(?[Mm][Oo][Rr][Ee][^\r\n]{0,24}?\)?-{2,4}|<-{1,3} ?[Mm]ore ?-{1,3}>"
    r"|-{3}\([Mm]ore[^)\r\n]{0,12}\)-{3})"
)
PAGER = re.compile(rf"{_MORE}[ \t]*(?:\x1b\[[0-9;?]*[A-Za-z])*$")
_ERASED = re.compile(
    rf"[ \t]*{_MORE}[ \t]*(?:\x1b\[\d*D[ ]*\x1b\[\d*D|\x1b\[[0-9;?]*[A-Za-z]|\x08[\x08 ]*|\r +\r|\r(?!\n))*"
)
SECRET = re.compile(r"(?i)password\s*:\s*$")
# FRR's shell says so before its answer, on the same line, where an account has no password (containers)
_VTYSH_PAM = re.compile(r"\A\s*vtysh_pam: [^\n()]{1,200}\(\d+\)\n?")
_ESCAPES = re.compile(r"\x1b(?:\[[0-9;?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[()][0-9A-Za-z]|[=>78])")


class ForbiddenError(AssertionError):
    """Something that is no command of the platform's table was about to be sent: a defect of ours."""


class CutShortError(Exception):
    """An answer that did not come to its end. ``reason`` (中文); ``partial``: what came of it. ``lost``: the
    session is of no more use."""

    def __init__(self, reason: str, partial: str = "", *, lost: bool = True) -> None:
        super().__init__(reason)
        self.reason, self.partial, self.lost = reason, partial, lost


class Wire:
    """A line with a gate: lines of ``allowed`` may go out, answers to questions of the terminal, and
    nothing else. Ends at ``ends`` (monotonic), or after ``most_bytes`` since the last command."""

    def __init__(self, line: Line, ends: float, most_bytes: int) -> None:
        self._line, self.ends, self._most_bytes = line, ends, most_bytes
        self.allowed: frozenset[str] = frozenset()
        self.heard = ""

    def write(self, text: str) -> None:
        """Send one line of the table, or an answer. Raises ForbiddenError, LineClosedError."""
        if text not in self.allowed and text not in _ANSWERS:
            raise ForbiddenError("not a command of the table")
        self._line.send(b" " if text == " " else text.encode("ascii") + b"\n")

    def answer_secret(self, secret: str) -> None:
        """Send a secret that the terminal has asked for, and nowhere else."""
        if not SECRET.search(self.heard[-_TAIL:]):
            raise ForbiddenError("nobody asked for a secret")
        self._line.send(secret.encode() + b"\n")

    def read(self, timeout: float) -> bool:
        """Take in what comes within ``timeout`` seconds; whether something came. Raises CutShortError."""
        left = self.ends - time.monotonic()
        if left <= 0:
            raise CutShortError("超过这台设备的时限", self.heard)
        try:
            content = self._line.receive(min(timeout, left))
        except LineClosedError:
            why = "超过这台设备的时限" if time.monotonic() >= self.ends else "设备中断了会话"
            raise CutShortError(why, self.heard) from None
        self.heard += content.decode("latin-1")
        if len(self.heard) > self._most_bytes:
            raise CutShortError(f"输出超过 {self._most_bytes / 2**20:g} MiB，没有再读", self.heard)
        return bool(content)

    def clear(self) -> None:
        """Forget what was heard."""
        self.heard = ""

    def tail(self) -> str:
        """The end of what was heard, without cursor movements."""
        return _ESCAPES.sub("", self.heard[-_TAIL:])

    def close(self) -> None:
        """Hang up."""
        self._line.close()


class Session(msgspec.Struct, kw_only=True):
    """A device that has let us in, at its prompt. ``driver``: netmiko's."""

    wire: Wire
    platform: Platform
    driver: Any
    prompt: str
    user: str
    command_seconds: float
    hang_up: Callable[[], None]
    enabled: bool = False
    refused_enable: bool = False

    def ask(self, command: str) -> str:
        """The answer to a command, as latin-1, without echo and prompt. Raises CutShortError; where that
        is not ``lost``, the session is at its prompt again."""
        self.wire.clear()
        self.wire.write(command)
        self._await_prompt(command)
        return self._cleaned(self.wire.heard, command)

    def _await_prompt(self, command: str) -> None:
        ends = time.monotonic() + self.command_seconds
        while True:
            try:
                self.wire.read(POLL_SECONDS)
                if PAGER.search(self.wire.heard[-_TAIL:]):
                    self.wire.write(" ")
                    self.wire.heard += "\r"  # so that the same mark is not answered twice
                elif self.at_prompt() and not self.wire.read(QUIET_SECONDS):
                    return
            except CutShortError as error:
                error.partial = self._cleaned(error.partial, command)
                raise
            except LineClosedError:
                raise CutShortError("设备中断了会话", self._cleaned(self.wire.heard, command)) from None
            if time.monotonic() > ends:
                partial = self._cleaned(self.wire.heard, command)
                raise CutShortError(f"{self.command_seconds:g} 秒内没有答完", partial)

    def at_prompt(self) -> bool:
        """Whether the last thing heard is the prompt on a line of its own."""
        tail = self.wire.tail().rstrip(_BLANK + "\n")
        return tail.endswith(self.prompt) and tail[: -len(self.prompt)][-1:] in ("", "\n", "\r", "\x00")

    def _cleaned(self, heard: str, command: str) -> str:
        text = _ERASED.sub("", heard)
        text = self.driver.strip_ansi_escape_codes(text)
        text = _ESCAPES.sub("", self.driver.normalize_linefeeds(text)).replace("\x00", "").replace("\x07", "")
        text = re.sub(r"[^\x08\n]\x08", "", text).replace("\x08", "")
        first, newline, rest = text.lstrip("\n").partition("\n")
        if newline and command in first:
            text = rest
        lines = text.split("\n")
        while lines and not lines[-1].strip(_BLANK):
            lines.pop()
        if lines and lines[-1].strip(_BLANK) == self.prompt:
            lines.pop()
        return _VTYSH_PAM.sub("", "\n".join(line.rstrip(_BLANK) for line in lines))

    def close(self) -> None:
        """Leave politely, then hang up."""
        try:
            self.wire.write(self.platform.leave)
        except LineClosedError:
            pass
        finally:
            self.hang_up()


def decoded(text: str) -> str:
    """Latin-1 text as what it was written in: UTF-8, else GB18030 line by line, else as far as it goes."""
    raw = text.encode("latin-1")
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return "\n".join(_decoded_line(line) for line in raw.split(b"\n"))


def _decoded_line(line: bytes) -> str:
    for encoding in ("utf-8", "gb18030"):
        try:
            return line.decode(encoding)
        except UnicodeDecodeError:
            continue
    return line.decode("utf-8", "replace")
