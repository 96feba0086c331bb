"""Logging in to a device: open a line, find the prompt, tell the platform, ask for the privileged level.

What a terminal asks before its prompt is answered, never with yes.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from typing import Any

from collectors.cli.lines import Line, Place, Secrets, open_paramiko
from collectors.cli.openssh import open_openssh
from collectors.cli.options import Options
from collectors.cli.platforms import ASKED_TO_DETECT, AUTO, Platform, detected, platform_of
from collectors.cli.sessions import PAGER, POLL_SECONDS, QUIET_SECONDS, SECRET, CutShortError, Session, Wire
from collectors.contract import IMPORTING, RetryableError, Run, SourceError, retry
from inventory.coverage import Status

_MOST_QUESTIONS = 6

_PROMPT = re.compile(
    r"(?:^|[\r\n])\s*("
    r"(?:HRP_[MS]|RBM_[PSAB])?[<\[][~*]?[^<>\[\]\r\n]{1,80}[>\]]"  # VRP, Comware
    r"|[\w.@:/~()\x80-\xff+-]{1,80}[>#$%]"  # Cisco and its like, Junos, FRR, a shell
    r"|\[?[\w.-]+@[\w.-]+[: ][^\r\n]{0,60}\]?[#$]"
    r")\s*$",
    re.ASCII,  # a byte of a Chinese name is no white space
)
_NEW_PASSWORD = re.compile(
    r"(?i)(?:old|current|new|enter)[ \w]{0,12}password\s*:\s*$|must (?:be )?change[^\n]{0,40}:\s*$"
)
_YES_NO = re.compile(r"(?i)\[\s*y(?:es)?\s*/\s*n(?:o)?\s*\]|\(y(?:es)?/n(?:o)?\)|'yes' or 'no'|\by/n\b")
_CONTINUE = re.compile(r"(?i)press (?:any key|y or enter|enter|return)[^\n]*$|hit any key[^\n]*$")

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
        if wire.read(QUIET_SECONDS):
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
    if PAGER.search(tail.rstrip()):
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
            if not wire.read(QUIET_SECONDS) and (found := _PROMPT.search(wire.tail())):
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
        wire.read(POLL_SECONDS)
        tail = wire.tail()
        if not sent and SECRET.search(tail):
            wire.answer_secret(login.enable)
            wire.heard += "\r\n"
            sent = True
        elif sent and SECRET.search(tail.rsplit("\r\n", 1)[-1]):
            wire.write("")  # asked again: it was wrong; an empty line ends it
            wire.heard += "\r\n"
        elif (found := _PROMPT.search(tail)) and not wire.read(QUIET_SECONDS):
            session.prompt = found[1]
            session.enabled = found[1].endswith("#")
            session.refused_enable = not session.enabled
            return
    raise CutShortError("进入特权级时没有等到提示符")
