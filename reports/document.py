"""The document model: what every report is made of, whatever it is rendered to.

Content is plain text; renderers escape it for their format. Nothing here knows HTML or DOCX.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Final, Literal, TypeAlias

import msgspec

BEIJING: Final = timezone(timedelta(hours=8))
Tone = Literal["plain", "pass", "partial", "fail", "unknown", "na", "note"]
TONE_MARK: dict[Tone, str] = {"pass": "✓", "partial": "◐", "fail": "✗", "unknown": "？", "na": "－"}
"""A sign that renderers set before a cell of this tone."""


class Cell(msgspec.Struct, frozen=True):
    """A table cell with a tone: renderers colour it, and never by colour alone (the text says it too).

    A cell that is a number carries it as ``number`` beside its text, with the spreadsheet format that shows
    the text (``number_format``): spreadsheets reckon with it, the others align it.
    """

    text: str
    tone: Tone = "plain"
    number: float | None = None
    number_format: str = "General"


class Heading(msgspec.Struct, frozen=True, tag="heading"):
    """``level`` 1 = chapter. Numbers are part of the text, since annexes and chapters count apart."""

    text: str
    level: int = 1


class Paragraph(msgspec.Struct, frozen=True, tag="paragraph"):
    text: str
    tone: Tone = "plain"


class Bullets(msgspec.Struct, frozen=True, tag="bullets"):
    items: list[str]


class Table(msgspec.Struct, frozen=True, tag="table"):
    """``widths`` are relative; a row is a list of strings or cells, as long as ``columns``. ``caption``
    stands above. ``empty`` is shown in place of a table without rows."""

    columns: list[str]
    rows: list[list[str | Cell]]
    widths: list[float] = msgspec.field(default_factory=list)
    caption: str = ""
    empty: str = "无"


class Facts(msgspec.Struct, frozen=True, tag="facts"):
    """A two-column form: (label, value)."""

    rows: list[tuple[str, str | Cell]]


class PageBreak(msgspec.Struct, frozen=True, tag="page_break"):
    pass


class Contents(msgspec.Struct, frozen=True, tag="contents"):
    """Where the table of contents stands: headings up to ``depth``, with page numbers on paper."""

    depth: int = 2


Block: TypeAlias = Heading | Paragraph | Bullets | Table | Facts | PageBreak | Contents


class Document(msgspec.Struct, kw_only=True):
    """``marking`` is the handling mark on every page (内部/敏感); ``subtitle`` names the system."""

    title: str
    subtitle: str
    marking: str
    created_at: datetime
    program: str
    blocks: list[Block] = msgspec.field(default_factory=list)

    @property
    def made_at(self) -> str:
        """``created_at`` as offices write it: Beijing time, to the minute."""
        return f"{self.created_at.astimezone(BEIJING):%Y-%m-%d %H:%M}（北京时间）"
