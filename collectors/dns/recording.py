"""Recordings: each question to each server, with the bytes that came back."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from collectors.contract import Run, SourceError
from collectors.dns.messages import Problem
from collectors.dns.peer import Kept, Told
from collectors.recordings import Header, header_of, lines_of, write_whole
from inventory.decoding import convert, from_json

if TYPE_CHECKING:
    from collectors.dns import Options

FORMAT = "zhengguan-dns-recording/1"
_ASKED_WITH = (
    "names resolvers families authoritative mail smtp root_servers trust_anchors servers lookups".split()
)


class Line(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One question with its answers in their order, or one mail server that was asked to greet."""

    question: str = ""
    answers: list[Kept] = msgspec.field(default_factory=list)
    mail_server: str = ""
    greets: tuple[bool, Problem | None] = (False, None)


def write(path: Path, options: Options, told: Told, run: Run, note: str, asked: dict[str, Any]) -> None:
    """Write what was told, whole or not at all. ``asked``: names and resolvers as they were found out."""
    kept = {name: msgspec.to_builtins(getattr(options, name)) for name in _ASKED_WITH} | asked
    header = Header(
        format=FORMAT,
        source=run.source.name,
        recorded_at=datetime.fromtimestamp(told.now, UTC).isoformat(),
        note=note,
        options=kept,
    )
    lines: list[Any] = [header]
    lines += [Line(question=key, answers=told.answers[key]) for key in sorted(told.answers)]
    lines += [Line(mail_server=key, greets=told.greetings[key]) for key in sorted(told.greetings)]
    content = b"".join(msgspec.json.encode(line) + b"\n" for line in lines)
    write_whole(path, run.redactor.values(content.decode()).encode())


def asked_with(options: Options) -> Options:
    """Options of a replay: those that the recording was asked with, under what they say themselves. Raises
    SourceError."""
    if not options.recording:
        return options
    header = header_of(Path(options.recording))
    try:
        return convert({**header.options, **msgspec.to_builtins(options)}, type(options))
    except msgspec.ValidationError as error:
        raise SourceError(f"录制文件的文件头不对：{error}", "重新录制") from error


def read(path: Path) -> Told:
    """What was told. Raises SourceError."""
    header = header_of(path)
    told = Told()
    with lines_of(path, FORMAT) as lines:
        told.now = datetime.fromisoformat(header.recorded_at).timestamp()
        for line in (from_json(line, Line) for line in lines):
            if line.question:
                told.answers[line.question] = line.answers
            else:
                told.greetings[line.mail_server] = line.greets
    return told
