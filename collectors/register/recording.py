"""Recordings: the known columns of each sheet, as texts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from collectors.contract import Run
from collectors.recordings import Header, lines_of, write_whole
from collectors.register.cells import text
from collectors.register.layout import BY_TITLE
from collectors.register.workbook import Page
from inventory.decoding import from_json

FORMAT = "zhengguan-register-recording/1"


def write(path: Path, pages: Sequence[Page], run: Run, note: str) -> None:
    """Write the pages, whole or not at all, without numbers of persons."""
    header = Header(
        format=FORMAT,
        source=run.source.name,
        recorded_at=run.now().isoformat(timespec="seconds"),
        note=note,
    )
    kept = [
        msgspec.structs.replace(page, rows=[(number, list(map(_kept, cells))) for number, cells in page.rows])
        for page in pages
    ]
    content = b"".join(msgspec.json.encode(line) + b"\n" for line in (header, *kept))
    write_whole(path, run.redactor.values(content.decode()).encode())


def _kept(cell: str) -> str:
    try:
        return text(cell)
    except ValueError:  # too long: the row is told to be unreadable all the same
        return cell


def read(path: Path) -> list[Page]:
    """The pages of a recording. Raises SourceError."""
    with lines_of(path, FORMAT) as lines:
        pages = [from_json(line, Page) for line in lines]
        if unknown := next((page.title for page in pages if page.title not in BY_TITLE), ""):
            raise ValueError(unknown)
        return pages
