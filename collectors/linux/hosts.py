"""One host, from log-in to batches: the script is run, and its answers are read by ``collectors.host``."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import msgspec

from collectors.contract import Access, DeadlineError, Run, Source, SourceError
from collectors.host import Reach, collect_from
from collectors.host.notebook import decode
from collectors.host.reader import MAX_FILE_BYTES
from collectors.host.recording import RecordedReader, RecordingReader
from collectors.known_hosts import Entry
from collectors.linux import questions
from collectors.linux.answers import Answer, ScriptReader, transcript
from collectors.linux.options import Options
from collectors.linux.questions import Question
from collectors.linux.recording import Recorded
from collectors.linux.session import Login, no_shell, run_script, session
from collectors.linux.sudo import SHOWS, remedies, rule
from inventory.coverage import Batch

_FURTHER_RUNS = 3  # a chain of includes that is longer leaves its end unknown

if TYPE_CHECKING:
    import paramiko


class Read(msgspec.Struct, kw_only=True):
    """What one host told. ``would_help``: commands, with full paths, that root would have to run."""

    batches: list[Batch]
    recorded: Recorded
    user_id: int = 0
    would_help: list[str] = msgspec.field(default_factory=list)


def read_host(
    target: str, source: Source, options: Options, login: Login, entries: Sequence[Entry], run: Run
) -> Read:
    """Log in, run the script, parse. Raises SourceError."""
    bounded = run.within(options.host_seconds)
    try:
        with session(target, options, login, entries, bounded) as transport:
            return _read(transport, target, source, options, bounded)
    except DeadlineError as error:
        run.remaining()
        raise SourceError(
            f"{target} 超过每台主机的时限 {options.host_seconds:g} 秒",
            "检查该主机是否过载、网络是否通畅，或调大 host_seconds",
        ) from error


def _read(transport: paramiko.Transport, target: str, source: Source, options: Options, run: Run) -> Read:
    answers: dict[str, Answer] = {}
    wanted: list[Question] = []
    for _ in range(1 + _FURTHER_RUNS):
        answers |= _ask(transport, wanted, options, run)
        reader = ScriptReader(answers)
        reach = Reach(
            scope=target,
            host_key_verified=not options.insecure,
            remedies=remedies(options.user, reader.root_commands, options.sudo),
        )
        recording = RecordingReader(reader, run)
        batches = list(collect_from(recording, source, run, reach))
        wanted = [q for q in questions.further(reader.missed) if f"{q[0]} {q[1]}" not in answers]
        if not wanted:
            break
    recorded = Recorded(
        target=target,
        host_key_verified=reach.host_key_verified,
        remedies=reach.remedies,
        machine=msgspec.Raw(recording.encoded()),
    )
    return Read(batches=batches, recorded=recorded, user_id=reader.user_id, would_help=reader.root_commands)


def _ask(
    transport: paramiko.Transport, wanted: Sequence[Question], options: Options, run: Run
) -> dict[str, Answer]:
    """Answers of one run of the script. Raises SourceError where it did not come to its end."""
    word = secrets.token_hex(16)
    text = questions.script(word, options.sudo, MAX_FILE_BYTES * 4, wanted)
    printed = run_script(transport, text, lambda output: f"{word}! start".encode() in output, options, run)
    told = transcript(printed.output, word)
    if not told.started:
        said = told.preface + b" " + printed.error
        raise no_shell(printed.cut or "会话结束了", run.redactor.text(decode(said[:2000])))
    if not told.whole:
        raise SourceError(
            f"脚本没有运行完：{printed.cut or '会话中途断开'}",
            "主机可能正在重启，或有别的程序断开了会话：稍后重试；总是如此时检查 sshd 的日志",
        )
    return told.answers


def replay(recorded: Recorded, source: Source, run: Run) -> Read:
    """A recorded host, read and recorded again. Raises SourceError as it was raised then."""
    if failure := recorded.failure:
        raise failure.error
    reach = Reach(
        scope=recorded.target,
        host_key_verified=recorded.host_key_verified,
        remedies=recorded.remedies,
    )
    reader = RecordedReader(bytes(recorded.machine))
    recording = RecordingReader(reader, run)
    batches = list(collect_from(recording, source, run, reach))
    again = msgspec.structs.replace(recorded, machine=msgspec.Raw(recording.encoded()))
    return Read(batches=batches, recorded=again, user_id=reader.user_id)


def access(read: Read, target: str, options: Options) -> Iterator[Access]:
    """Lines of ``doctor`` about a host that was read: who we are there, and each missing rule of sudo."""
    name = next((str(r.name) for batch in read.batches for r in batch.resources if r.KIND == "host"), "")
    who = "root，全部内容可读" if read.user_id == 0 else f"普通用户 {options.user}（uid {read.user_id}）"
    yield Access(subject=target, ok=True, detail=f"{name}，{who}")
    if options.insecure:
        remedy = "核对指纹，写进 known_hosts，去掉 insecure"
        yield Access(subject=f"{target}：主机密钥", ok=False, detail="没有核对", remedy=remedy)
    for command in read.would_help:
        program = command.partition(" ")[0].rpartition("/")[2]
        yield Access(
            subject=f"{target}：{program}",
            ok=False,
            detail=f"{SHOWS[program]}将为未知或不全",
            remedy=f"sudoers 写入：{rule(options.user, [command])}"
            + ("" if options.sudo else "，并写 sudo: true"),
        )
