"""Recordings: what each site was asked and told. First line the header, then one line per site."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from collectors.contract import Run
from collectors.recordings import Header, lines_of, write_whole
from inventory.decoding import from_json

if TYPE_CHECKING:
    from collectors.website import Options

FORMAT = "zhengguan-website-recording/1"
_ASKED_WITH = (
    "sites",
    "pages",
    "links",
    "external_hosts",
    "site_mib",
    "tries",
    "ports",
    "robots",
    "external",
    "tls",
    "private",
)


class Line(msgspec.Struct, kw_only=True):
    """One site: question → answers, in order."""

    site: str
    told: dict[str, list[Any]]


def write(path: Path, options: Options, told: dict[str, dict[str, list[Any]]], run: Run, note: str) -> None:
    """Write a recording. Raises OSError."""
    held = {name: msgspec.to_builtins(getattr(options, name)) for name in _ASKED_WITH}
    header = Header(
        format=FORMAT,
        source=run.source.name,
        recorded_at=run.now().isoformat(timespec="seconds"),
        note=note,
        options=held | {"sites": options.asked_for(), "private_hosts": sorted(options.named_hosts())},
    )
    lines: list[Any] = [header, *(Line(site=site, told=told[site]) for site in sorted(told))]
    content = b"".join(msgspec.json.encode(line) + b"\n" for line in lines)
    write_whole(path, run.redactor.values(content.decode()).encode())


def read(path: Path) -> dict[str, dict[str, list[Any]]]:
    """Site → what was told. Raises SourceError."""
    with lines_of(path, FORMAT) as lines:
        decoded = [from_json(line, Line) for line in lines]
        return {line.site: line.told for line in decoded}
