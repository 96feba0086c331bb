"""Recordings: for each target the questions that were asked, with the bytes that came back."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from collectors.contract import Run
from collectors.recordings import Header, lines_of, write_whole
from inventory.decoding import from_json

if TYPE_CHECKING:
    from collectors.tls import Options

FORMAT = "zhengguan-tls-recording/1"
_ASKED_WITH = ("targets", "families", "http")


class Line(msgspec.Struct, kw_only=True):
    """One target: its scope, and key of a question → answers in their order (``collectors.tls.peer``)."""

    scope: str
    told: dict[str, list[Any]]


def write(
    path: Path, options: Options, told: Mapping[str, dict[str, list[Any]]], run: Run, note: str
) -> None:
    """Write what was told, whole or not at all."""
    header = Header(
        format=FORMAT,
        source=run.source.name,
        recorded_at=run.now().isoformat(timespec="seconds"),
        note=note,
        options={name: msgspec.to_builtins(getattr(options, name)) for name in _ASKED_WITH},
    )
    lines: list[Any] = [header, *(Line(scope=scope, told=told[scope]) for scope in sorted(told))]
    content = b"".join(msgspec.json.encode(line) + b"\n" for line in lines)
    write_whole(path, run.redactor.values(content.decode()).encode())


def read(path: Path) -> dict[str, dict[str, list[Any]]]:
    """Scope → what was told. Raises SourceError."""
    with lines_of(path, FORMAT) as lines:
        decoded = [from_json(line, Line) for line in lines]
        return {line.scope: line.told for line in decoded}
