"""A session on a device: log in, find the prompt, send commands of the platform's table, read the answers.

netmiko's driver of the platform knows how its terminals write (line ends, cursor movements, echoes). What may
be sent, and how long and how much is read, is ours: every line that goes out passes ``Wire``, which knows the
platform's table and sends nothing else. Texts are latin-1 in here, a character per byte, until the answer is
whole: devices write UTF-8 and GBK side by side.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from typing import Any

import msgspec

from collectors.cli.lines import Line, LineClosedError, Place, Secrets, open_paramiko
from collectors.cli.openssh import open_openssh
from collectors.cli.options import Options
from collectors.cli.platforms import ASKED_TO_DETECT, AUTO, Platform, detected, platform_of
from collectors.contract import IMPORTING, RetryableError, Run, SourceError, retry
from inventory.coverage import Status

_QUIET_SECONDS = 0.1  # after a prompt: what comes within this was no prompt
_POLL_SECONDS = 0.25
_TAIL = 600  # characters in which a prompt, a question or a pager stands
_MOST_QUESTIONS = 6
_BLANK = " \t\r\x00"  # not what latin-1 makes of other bytes
_ANSWERS = ("", "N", "n", " ")

_PROMPT = re.compile(
    r"(?:^|[\r\n])\s*("
    r"(?:HRP_[MS]|RBM_[PSAB])?[<\[][~*]?[^<>\[\]\r\n]{1,80}[>\]]"  # VRP, Comware
    r"|[\w.@:/~()\x80-\xff+-]{1,80}[>#$%]"  # Cisco and its like, Junos, FRR, a shell
    r"|\[?[\w.-]+@[\w.-]+[: ][^\r\n]{0,60}\]?[#$]"
    r")\s*$",
    re.ASCII,  # a byte of a Chinese name is no white space
)
_MORE = (
    r"(?:-{2,4} ?\(?[Mm][Oo][Rr][Ee][^\r\n]{0,24}?\)?-{2,4}|<-{1,3} ?[Mm]ore ?-{1,3}>"
    r"|-{3}\([Mm]ore[^)\r\n]{0,12}\)-{3})"
)
_PAGER = re.compile(rf"{_MORE}[ \t]*(?:\x1b\[[0-9;?]*[A-Za-z])*$")
_ERASED = re.compile(
    rf"[ \t]*{_MORE}[ \t]*(?:\x1b\[\d*D[ ]*\x1b\[\d*D|\x1b\[[0-9;?]*[A-Za-z]|\x08[\x08 ]*|\r +\r|\r(?!\n))*"
)
_NEW_PASSWORD = re.compile(
    r"(?i)(?:old|current|new|enter)[ \w]{0,12}password\s*:\s*$|must (?:be )?change[^\n]{0,40}:\s*$"
)
_YES_NO = re.compile(r"(?i)\[\s*y(?:es)?\s*/\s*n(?:o)?\s*\]|\(y(?:es)?/n(?:o)?\)|'yes' or 'no'|\by/n\b")
_CONTINUE = re.compile(r"(?i)press (?:any key|y or enter|enter|return)[^\n]*$|hit any key[^\n]*$")
_SECRET = re.compile(r"(?i)password\s*:\s*$")
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

    def __init__(self, line: Line, run_ends: float, most_bytes: int) -> None:
        self._line, self.ends, self._most_bytes = line, run_ends, most_bytes
        self.allowed: frozenset[str] = frozenset()
        self.heard = ""

    def write(self, text: str) -> None:
        """Send one line of the table, or an answer. Raises ForbiddenError, LineClosedError."""
        if text not in self.allowed and text not in _ANSWERS:
            raise ForbiddenError("not a command of the table")
        self._line.send(b" " if text == " " else text.encode("ascii") + b"\n")

    def answer_secret(self, secret: str) -> None:
        """Send a secret that the terminal has asked for, and nowhere else."""
        if not _SECRET.search(self.heard[-_TAIL:]):
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
                self.wire.read(_POLL_SECONDS)
                if _PAGER.search(self.wire.heard[-_TAIL:]):
                    self.wire.write(" ")
                    self.wire.heard += "\r"  # so that the same mark is not answered twice
                elif self.at_prompt() and not self.wire.read(_QUIET_SECONDS):
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
        return "\n".join(line.rstrip(_BLANK) for line in lines)

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


Opener = Callable[[Place, Secrets, Options, float, Callable[[Callable[[], None]], None]], Line]


def open_session(place: Place, logins: list[Secrets], options: Options, run: Run, platform: str) -> Session:
    """Log in, with the first of the logins that works, and find the prompt. Raises SourceError,
    IncompatibleError, CutShortError."""
    opener: Opener = open_openssh if options.client == "openssh" else open_paramiko
    ends = time.monotonic() + run.timeout(options.device_seconds)
    refused: list[SourceError] = []
    for login in logins:
        watch = _Watch(ends)
        try:
            line = retry(
                lambda login=login, watch=watch: opener(  # type: ignore[misc]
                    place, login, options, min(options.connect_seconds, _left(ends)), watch.over
                ),
                run,
                attempts=options.retries + 1,
            )
            session = begin(Wire(line, ends, int(options.output_mib * 2**20)), login, options, platform)
        except SourceError as error:
            watch.end()
            if error.status is not Status.DENIED:
                raise
            refused.append(error)
        except RetryableError as error:
            watch.end()
            raise SourceError(str(error), "检查设备的 SSH 服务、会话数上限和访问控制列表，稍后再试") from None
        except BaseException:
            watch.end()
            raise
        else:
            session.hang_up = watch.end
            return session
    if len(refused) == 1:
        raise refused[0]
    raise SourceError(
        f"{len(refused)} 组登录都不行（{'；'.join(e.reason for e in refused)}）",
        refused[0].remedy,
        Status.DENIED,
    )


def _left(ends: float) -> float:
    return max(0.1, ends - time.monotonic())


class _Watch:
    """Closes what was opened when the device's time is over, whatever a library is waiting for."""

    def __init__(self, ends: float) -> None:
        self._ends, self._timers = ends, list[threading.Timer]()

    def over(self, close: Callable[[], None]) -> None:
        timer = threading.Timer(_left(self._ends) + 1.0, close)
        timer.daemon = True
        timer.start()
        self._timers.append(timer)
        self._close = close

    def end(self) -> None:
        for timer in self._timers:
            timer.cancel()
        if self._timers:
            self._close()


def begin(wire: Wire, login: Secrets, options: Options, name: str) -> Session:
    """Find the prompt on a line that is logged in, and the platform where that is to be found out. Raises
    SourceError, CutShortError."""
    prompt = _greeted(wire, options.connect_seconds)
    platform = None if name == AUTO else platform_of(name)
    session = Session(
        wire=wire,
        platform=platform or platform_of("cisco_ios"),
        driver=_driver((platform or platform_of("cisco_ios")).driver),
        prompt=prompt,
        user=login.user,
        command_seconds=options.command_seconds,
        hang_up=wire.close,
    )
    if platform is None:
        session.platform = _detected(session)
        session.driver = _driver(session.platform.driver)
    wire.allowed = session.platform.allowed
    if session.platform.enables and login.enable and prompt.endswith(">"):
        _enable(session, login)
    for command in session.platform.paging:
        session.ask(command)  # where it is refused, the pager is answered
    return session


def _driver(name: str) -> Any:
    """netmiko's driver, which connects to nothing: it only knows how terminals of this sort write."""
    with IMPORTING:
        import netmiko
        from netmiko.ssh_dispatcher import CLASS_MAPPER
    netmiko.log.disabled = True  # it logs what devices say
    driver = CLASS_MAPPER[name](host="device", device_type=name, auto_connect=False)
    netmiko.log.removeFilter(driver._secrets_filter)
    return driver


def _greeted(wire: Wire, seconds: float) -> str:
    """Answer what a terminal asks before its prompt; the prompt. Raises SourceError, CutShortError."""
    ends, questions, nudged = time.monotonic() + seconds, 0, False
    while time.monotonic() < ends:
        if wire.read(_QUIET_SECONDS):
            continue
        tail = wire.tail()
        reply = _reply_to(tail)
        if reply is not None:
            questions += 1
            if questions > _MOST_QUESTIONS:
                break
            wire.clear()
            wire.write(reply)
        elif found := _PROMPT.search(tail):
            return _confirmed(wire, found[1], ends)
        elif not nudged and time.monotonic() > ends - seconds * 0.6:
            nudged = True
            wire.write("")
    raise SourceError(
        "登录后没有等到提示符", "用同一账号手工登录看看设备问了什么；慢的设备调大 connect_seconds"
    )


def _reply_to(tail: str) -> str | None:
    """What to answer a terminal's question; never yes. Raises SourceError where it insists."""
    last = tail.rstrip().rsplit("\n", 1)[-1]
    if _NEW_PASSWORD.search(last):
        raise SourceError(
            "设备要求先修改口令，不改不让登录", "人工登录改好口令，再更新口令引用的值", Status.DENIED
        )
    if _PAGER.search(tail.rstrip()):
        return " "
    if _CONTINUE.search(last):
        return ""
    return "N" if _YES_NO.search(tail[-200:]) and not _PROMPT.search(tail) else None


def _confirmed(wire: Wire, prompt: str, ends: float) -> str:
    """A prompt is what comes again at an empty line: the last line of a banner does not."""
    for _ in range(4):
        wire.clear()
        wire.write("")
        while time.monotonic() < ends:
            if not wire.read(_QUIET_SECONDS) and (found := _PROMPT.search(wire.tail())):
                if found[1] == prompt:
                    return prompt
                prompt = found[1]
                break
    raise SourceError("提示符每次都不一样，认不出命令在哪里结束", "把设备的提示符改成固定的")


def _detected(session: Session) -> Platform:
    """Ask the device which software it runs. Raises SourceError where that is none of ours."""
    session.wire.allowed = frozenset(ASKED_TO_DETECT)
    asked = ASKED_TO_DETECT if session.prompt[0] in "<[HR" else (*ASKED_TO_DETECT[1:], ASKED_TO_DETECT[0])
    for command in asked:
        found = detected(command, session.ask(command))
        if found is not None:
            return found
    raise SourceError("认不出这是什么设备", "在来源或目标上写明 platform，例如 huawei_vrp、hp_comware")


def _enable(session: Session, login: Secrets) -> None:
    """Go to the privileged level; where the device refuses, go on without."""
    wire = session.wire
    wire.clear()
    wire.write("enable")
    ends = time.monotonic() + session.command_seconds
    sent = False
    while time.monotonic() < ends:
        wire.read(_POLL_SECONDS)
        tail = wire.tail()
        if not sent and _SECRET.search(tail):
            wire.answer_secret(login.enable)
            wire.heard += "\r\n"
            sent = True
        elif sent and _SECRET.search(tail.rsplit("\r\n", 1)[-1]):
            wire.write("")  # asked again: it was wrong; an empty line ends it
            wire.heard += "\r\n"
        elif (found := _PROMPT.search(tail)) and not wire.read(_QUIET_SECONDS):
            session.prompt = found[1]
            session.enabled = found[1].endswith("#")
            session.refused_enable = not session.enabled
            return
    raise CutShortError("进入特权级时没有等到提示符")
