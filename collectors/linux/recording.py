"""Recordings of a source of Linux hosts: a line for each target, as ``collectors.host`` reads it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import msgspec

from collectors.contract import Run
from collectors.recordings import Failure, Header, lines_of, write_whole
from inventory.decoding import from_json

FORMAT = "zhengguan-linux-recording/1"


class Recorded(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One target. ``machine``: what ``collectors.host.recording.RecordedReader`` reads."""

    target: str
    host_key_verified: bool | None = None
    remedies: dict[str, str] = {}
    failure: Failure | None = None
    machine: msgspec.Raw = msgspec.Raw(b"null")


def load(path: Path) -> list[Recorded]:
    """All targets of a recording. Raises SourceError."""
    with lines_of(path, FORMAT) as lines:
        return [from_json(line, Recorded) for line in lines]


def write(path: Path, hosts: Iterable[Recorded], run: Run, note: str) -> None:
    """Write the recording, whole or not at all, targets in order. Raises OSError."""
    header = Header(
        format=FORMAT, source=run.source.name, recorded_at=run.now().isoformat(timespec="seconds"), note=note
    )
    lines = [msgspec.json.encode(part) for part in (header, *sorted(hosts, key=lambda h: h.target))]
    write_whole(path, b"\n".join(lines) + b"\n")
