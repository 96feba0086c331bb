"""What a person sees: tables, progress, one-line errors; JSON where it was asked for."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import msgspec

from collectors.contract import Progress

log = logging.getLogger("zhengguan")

_WIDE = 240  # columns where the output is no terminal: nothing is cut in a pipe or a file
_LOG_EVERY_SECONDS = 5.0

STYLES = {
    "pass": "green",
    "fail": "bold red",
    "partial": "yellow",
    "unknown": "magenta",
    "critical": "bold red",
    "high": "red",
    "medium": "yellow",
    "low": "cyan",
    "info": "dim",
}


def say(text: str = "") -> None:
    """A line of the command's result. Device text in it cannot steer the terminal."""
    print(printable(text))


def warn(text: str) -> None:
    """A line beside the result, on standard error."""
    print(printable(text), file=sys.stderr)


def as_json(data: Any) -> bytes:
    """JSON: UTF-8, two spaces, in the order given, a line feed at the end."""
    return msgspec.json.format(msgspec.json.encode(data), indent=2) + b"\n"


def write_json(data: Any) -> None:
    """The command's result as JSON (``as_json``)."""
    print(as_json(data).decode(), end="")


def table(
    columns: Sequence[str], rows: Iterable[Sequence[object]], *, title: str = "", styles: Sequence[str] = ()
) -> None:
    """A table. Cells are plain text (never markup); ``styles`` names one style per row ("" = none)."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(width=None if sys.stdout.isatty() else _WIDE, highlight=False)
    grid = Table(title=title or None, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for column in columns:
        grid.add_column(column, overflow="fold")
    for index, row in enumerate(rows):
        style = STYLES.get(styles[index], "") if index < len(styles) else ""
        grid.add_row(*[Text(_line(cell)) for cell in row], style=style)
    console.print(grid)


def _line(cell: object) -> str:
    return "" if cell is None else printable(str(cell))


def printable(text: str) -> str:
    """One line of text whose control characters cannot steer the terminal."""
    return "".join(c if c.isprintable() else " " for c in text)


@contextmanager
def progress() -> Iterator[Callable[[Progress], None]]:
    """Progress of several sources: bars on a terminal, log lines elsewhere."""
    if not sys.stderr.isatty():
        yield _log_lines()
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, SpinnerColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bars

    bars = Bars(
        SpinnerColumn(),
        TextColumn("{task.fields[source]}", markup=False),
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
    )
    tasks: dict[str, Any] = {}

    def show(step: Progress) -> None:
        if step.source not in tasks:
            tasks[step.source] = bars.add_task(step.what, source=step.source, total=None)
        bars.update(
            tasks[step.source], description=_line(step.what), completed=step.done, total=step.total or None
        )

    with bars:
        yield show


def _log_lines() -> Callable[[Progress], None]:
    last: dict[str, float] = {}

    def show(step: Progress) -> None:
        now = time.monotonic()
        if now - last.get(step.source, float("-inf")) >= _LOG_EVERY_SECONDS:
            last[step.source] = now
            of = f" {step.done}/{step.total}" if step.total else ""
            log.info("%s: %s%s", step.source, _line(step.what), of)

    return show
