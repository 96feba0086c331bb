"""Recordings: for each path the certificates that were found, and what was not read."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Mapping
from pathlib import Path

import msgspec

from collectors.certificates.files import Found, Told
from collectors.contract import Run
from collectors.recordings import Header, lines_of, write_whole
from inventory.decoding import from_json

FORMAT = "zhengguan-certificates-recording/1"


class _Line(msgspec.Struct, kw_only=True):
    """``files``: (path, certificates in Base64)."""

    path: str
    files: list[tuple[str, list[str]]]
    gaps: list[tuple[str, str]]
    shut: bool


def write(path: Path, told: Mapping[str, Told], run: Run, note: str) -> None:
    """Write what was told, whole or not at all."""
    header = Header(
        format=FORMAT,
        source=run.source.name,
        recorded_at=run.now().isoformat(timespec="seconds"),
        note=note,
    )
    lines = [
        _Line(
            path=name,
            files=[(f.path, [b64encode(der).decode() for der in f.certificates]) for f in one.files],
            gaps=one.gaps,
            shut=one.shut,
        )
        for name, one in told.items()
    ]
    content = b"".join(msgspec.json.encode(line) + b"\n" for line in (header, *lines))
    write_whole(path, run.redactor.values(content.decode()).encode())


def read(path: Path) -> dict[str, Told]:
    """Path → what was told. Raises SourceError."""
    with lines_of(path, FORMAT) as lines:
        decoded = [from_json(line, _Line) for line in lines]
        return {
            one.path: Told(
                files=[
                    Found(path=name, certificates=[b64decode(der, validate=True) for der in ders])
                    for name, ders in one.files
                ],
                gaps=one.gaps,
                shut=one.shut,
            )
            for one in decoded
        }
