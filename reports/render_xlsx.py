"""A document as XLSX, for WPS and Excel: one sheet a chapter, numbers as numbers, the header row frozen and
filtered where a sheet is one table, A4 landscape with the handling mark and page numbers.

Text is only ever written as strings: nothing of it becomes a formula, a link or a number. What begins like
a formula is marked as quoted too (``quotePrefix``, ECMA-376 Part 1 §18.8.45), so that it stays text when
somebody edits the cell; and it is shown as it is, since a character put before it would be one more lie.
"""

from __future__ import annotations

import io
import math
import re
import unicodedata
from datetime import UTC
from functools import lru_cache
from typing import Any, Final

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.workbook import Workbook
from xlsxwriter.worksheet import Worksheet

from reports.document import (
    TONE_MARK,
    Block,
    Bullets,
    Cell,
    Contents,
    Document,
    Facts,
    Heading,
    PageBreak,
    Paragraph,
    Table,
    Tone,
)
from reports.visible import visible

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
_LONGEST_CELL: Final = 32_767  # characters that a cell may hold
_SHEET_ILLEGAL: Final = re.compile(r"[\[\]:*?/\\']")
_COLOUR: Final[dict[Tone, str]] = {
    "pass": "#14602E",
    "partial": "#8A4B00",
    "fail": "#A61B1B",
    "unknown": "#4B5563",
    "na": "#6B7280",
    "note": "#1F4E79",
}
_FILL: Final[dict[Tone, str]] = {"fail": "#FBE9E9", "partial": "#FDF3E3", "unknown": "#F1F2F4"}
_WIDEST, _NARROWEST, _TEXT_COLUMNS = 42.0, 8.0, 8
_HIGHEST: Final = 200.0  # points
_FONT: Final = "宋体"
_HEAD_FONT: Final = "黑体"
_WIDE: Final = ("W", "F")


def render_xlsx(document: Document) -> bytes:
    """The file's bytes. The same document gives the same bytes."""
    out = io.BytesIO()
    book = xlsxwriter.Workbook(
        out,
        {
            "in_memory": True,
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "strings_to_numbers": False,
            "nan_inf_to_errors": True,
            "default_format_properties": {"font_name": _FONT, "font_size": 10},
        },
    )
    _properties(book, document)
    styles = _Styles(book)
    names: set[str] = set()
    for number, (title, blocks) in enumerate(_chapters(document)):
        sheet = book.add_worksheet(_sheet_name(title, names))
        _page(sheet, document)
        _Page(sheet, styles, blocks).write(document if number == 0 else None, title)
    book.close()
    return out.getvalue()


def _chapters(document: Document) -> list[tuple[str, list[Block]]]:
    """Blocks by heading of the first level; what stands before the first one goes with it."""
    chapters: list[tuple[str, list[Block]]] = []
    before: list[Block] = []
    for block in document.blocks:
        if isinstance(block, Heading) and block.level == 1:
            chapters.append((block.text, before))
            before = []
        elif chapters:
            chapters[-1][1].append(block)
        else:
            before.append(block)
    shown = [c for c in chapters if any(not isinstance(b, (Contents, PageBreak)) for b in c[1])]
    return shown or [(document.title, before)]


def _sheet_name(title: str, taken: set[str]) -> str:
    """At most 31 characters, none that Excel refuses, each name once (without regard to case)."""
    base = _SHEET_ILLEGAL.sub(" ", visible(title)).replace("\n", " ").strip()[:31] or "表"
    name, number = base, 2
    while name.lower() in taken or name.lower() == "history":
        suffix = f" {number}"
        name, number = base[: 31 - len(suffix)] + suffix, number + 1
    taken.add(name.lower())
    return name


def _properties(book: Workbook, document: Document) -> None:
    book.set_properties(
        {
            "title": visible(f"{document.title} · {document.subtitle}")[:255],
            "subject": visible(document.subtitle)[:255],
            "author": visible(document.program)[:255],
            "category": visible(document.marking)[:255],
            "created": document.created_at.astimezone(UTC).replace(tzinfo=None),
        }
    )


def _page(sheet: Worksheet, document: Document) -> None:
    sheet.set_landscape()
    sheet.set_paper(9)  # A4
    sheet.fit_to_pages(1, 0)
    sheet.set_margins(left=0.5, right=0.5, top=0.75, bottom=0.75)
    sheet.hide_gridlines(2)
    sheet.set_header(f"&L{_edge(document.title)}&R{_edge(document.marking)}")
    sheet.set_footer("&C第 &P 页 / 共 &N 页")


def _edge(text: str) -> str:
    """Text in a header, where "&" begins a command; the whole may have 255 characters."""
    return visible(text)[:100].replace("&", "&&")


_LINED: Final[dict[str, Any]] = {"border": 1, "border_color": "#9AA5B1", "text_wrap": True}
_WRAPPED: Final[dict[str, Any]] = {"text_wrap": True, "valign": "top"}
_NAMED: Final[dict[str, dict[str, Any]]] = {
    "title": {"font_name": _HEAD_FONT, "font_size": 18, "font_color": "#1F4E79"},
    "chapter": {"font_name": _HEAD_FONT, "font_size": 14, "font_color": "#1F4E79"},
    "section": {"font_name": _HEAD_FONT, "font_size": 12},
    "made": {"font_color": "#4A5663"},
    "marking": {"font_name": _HEAD_FONT, "font_color": "#A61B1B", "bold": True},
    "text": _WRAPPED,
    "note": _WRAPPED | {"bg_color": "#F3F7FB", "left": 5, "left_color": "#1F4E79"},
    "head": _LINED
    | {"font_name": _HEAD_FONT, "bold": True, "bg_color": "#E4ECF4", "align": "center", "valign": "vcenter"},
    "label": _LINED | {"bg_color": "#F1F5F9", "valign": "top"},
}


class _Styles:
    """Formats by what they stand for, each made once: a workbook may hold some thousands only."""

    def __init__(self, book: Workbook) -> None:
        self._book = book
        self._made: dict[tuple[Any, ...], Format] = {}
        self._cells: dict[tuple[Tone, str, bool], Format] = {}

    def cell(self, tone: Tone, *, number_format: str = "", quoted: bool = False) -> Format:
        key = (tone, number_format, quoted)
        held = self._cells.get(key)
        if held is None:
            held = self._cells[key] = self._of(self._properties(*key))
        return held

    def _properties(self, tone: Tone, number_format: str, quoted: bool) -> dict[str, Any]:
        properties: dict[str, Any] = {"border": 1, "border_color": "#9AA5B1", "valign": "top"}
        if number_format:
            properties |= {"num_format": number_format, "align": "right"}
        else:
            properties |= {"text_wrap": True, "num_format": "@", "quote_prefix": quoted}
        if tone in _COLOUR:
            properties["font_color"] = _COLOUR[tone]
        if tone in _FILL:
            properties["bg_color"] = _FILL[tone]
        if tone in ("fail", "note"):
            properties["bold"] = True
        return properties

    def named(self, name: str) -> Format:
        return self._of(_NAMED[name])

    def _of(self, properties: dict[str, Any]) -> Format:
        key = tuple(sorted(properties.items()))
        held = self._made.get(key)
        if held is None:
            base = {"font_name": _FONT, "font_size": 10}
            held = self._made[key] = self._book.add_format(base | properties)
        return held


class _Page:
    """One sheet, written from the top."""

    def __init__(self, sheet: Worksheet, styles: _Styles, blocks: list[Block]) -> None:
        self.sheet = sheet
        self.styles = styles
        self.blocks = blocks
        self.row = 0
        tables = [b for b in blocks if isinstance(b, Table)]
        self.alone = len(tables) == 1 and isinstance(blocks[-1], Table)
        self.widths = _widths(tables, facts=any(isinstance(b, Facts) for b in blocks))

    def write(self, document: Document | None, title: str) -> None:
        """The sheet's own title, under the document's on the first one; then the blocks."""
        for column, width in enumerate(self.widths):
            self.sheet.set_column(column, column, width)
        if document is not None:
            self._line(document.marking, "marking")
            self._line(document.title, "title", height=28)
            self._line(document.subtitle, "chapter", height=22)
            self._line(f"编制时间 {document.made_at}　程序 {document.program}", "made")
        self._line(title, "chapter", height=22)
        for block in self.blocks:
            self._block(block)

    def _block(self, block: Block) -> None:
        match block:
            case Heading():
                self.row += 1
                self._line(block.text, "section", height=18)
            case Paragraph():
                self._wrapped(block.text, "note" if block.tone in ("note", "unknown", "fail") else "text")
            case Bullets():
                for item in block.items:
                    self._wrapped(f"•　{item}", "text")
            case Facts():
                self._facts(block)
            case Table():
                self._table(block)
            case PageBreak() | Contents():
                pass

    def _line(self, text: str, style: str, height: float | None = None) -> None:
        if height:
            self.sheet.set_row(self.row, height)
        self._text(self.row, 0, text, self.styles.named(style))
        self.row += 1

    def _wrapped(self, text: str, style: str) -> None:
        """A paragraph over the columns, as high as its lines: merged cells do not grow by themselves."""
        last = min(len(self.widths), _TEXT_COLUMNS) - 1
        room = sum(self.widths[: last + 1])
        self.sheet.set_row(self.row, 14 * _lines(text, room) + 2)
        form = self.styles.named(style)
        if last > 0:
            self.sheet.merge_range(self.row, 0, self.row, last, "", form)
        self._text(self.row, 0, text, form)
        self.row += 1

    def _facts(self, block: Facts) -> None:
        last = max(1, min(len(self.widths), _TEXT_COLUMNS) - 1)
        room = sum(self.widths[1 : last + 1])
        for label, value in block.rows:
            self._text(self.row, 0, label, self.styles.named("label"))
            form = self.styles.cell("plain" if isinstance(value, str) else value.tone)
            text = value if isinstance(value, str) else _marked(value)
            if last > 1:
                self.sheet.merge_range(self.row, 1, self.row, last, "", form)
            self._text(self.row, 1, text, form)
            self.sheet.set_row(self.row, 14 * _lines(text, room) + 2)
            self.row += 1
        self.row += 1

    def _table(self, block: Table) -> None:
        if block.caption:
            self._line(block.caption, "section", height=18)
        head = self.row
        for column, name in enumerate(block.columns):
            self._text(head, column, name, self.styles.named("head"))
        self.sheet.set_row(
            head, 14 * max(_lines(n, w) for n, w in zip(block.columns, self.widths, strict=False)) + 6
        )
        rows = block.rows or [[block.empty, *[""] * (len(block.columns) - 1)]]
        for offset, row in enumerate(rows, head + 1):
            lines = 1
            for column, value in enumerate(row):
                self._cell(offset, column, value)
                lines = max(lines, self._needed(column, value))
            if lines > 1:  # rows do not grow by themselves everywhere
                self.sheet.set_row(offset, min(_HIGHEST, 13.5 * lines + 2))
        self.row = head + len(rows) + 2
        self._bars(block, head)
        if self.alone:
            self.sheet.freeze_panes(head + 1, 0)
            self.sheet.repeat_rows(head)
            self.sheet.autofilter(head, 0, head + len(rows), len(block.columns) - 1)

    def _needed(self, column: int, value: str | Cell) -> int:
        """Lines that a value takes in its column; most are plainly shorter than it is wide."""
        if isinstance(value, Cell) and value.number is not None:
            return 1
        text = value if isinstance(value, str) else value.text
        width = self.widths[column] if column < len(self.widths) else _NARROWEST
        if 2 * len(text) + 3 <= width and "\n" not in text:
            return 1
        return _lines(visible(text), width - 1)

    def _bars(self, block: Table, head: int) -> None:
        """Shares get a bar, so that a column of them is read at a glance."""
        for column in range(len(block.columns)):
            cells = [row[column] for row in block.rows if column < len(row)]
            if any(isinstance(c, Cell) and c.number is not None and "%" in c.number_format for c in cells):
                self.sheet.conditional_format(
                    head + 1,
                    column,
                    head + len(block.rows),
                    column,
                    {
                        "type": "data_bar",
                        "bar_color": "#9DC3E6",
                        "bar_solid": True,
                        "min_type": "num",
                        "max_type": "num",
                        "min_value": 0,
                        "max_value": 1,
                    },
                )

    def _cell(self, row: int, column: int, value: str | Cell) -> None:
        if isinstance(value, Cell) and value.number is not None and math.isfinite(value.number):
            form = self.styles.cell(value.tone, number_format=value.number_format)
            self.sheet.write_number(row, column, value.number, form)
            return
        text, tone = (value, "plain") if isinstance(value, str) else (_marked(value), value.tone)
        self._text(row, column, text, self.styles.cell(tone, quoted=text.startswith(_FORMULA)))  # type: ignore[arg-type]

    def _text(self, row: int, column: int, text: str, form: Format) -> None:
        shown = visible(text)
        if len(shown) > _LONGEST_CELL:
            shown = shown[: _LONGEST_CELL - 1] + "…"
        self.sheet.write_string(row, column, shown, form)


def _marked(value: Cell) -> str:
    return f"{TONE_MARK[value.tone]} {value.text}" if value.tone in TONE_MARK else value.text


def _columns_of(text: str) -> int:
    """Columns of the longest line: a Chinese character takes two."""
    return max(
        (
            sum(2 if unicodedata.east_asian_width(c) in _WIDE else 1 for c in line)
            for line in text.split("\n")
        ),
        default=0,
    )


@lru_cache(maxsize=8192)  # departments, sources and reasons come again and again
def _lines(text: str, room: float) -> int:
    """Lines that a text takes in a width of so many columns."""
    width = max(room, 1.0)
    return sum(max(1, math.ceil(_columns_of(line) * 1.05 / width)) for line in text.split("\n"))


def _widths(tables: list[Table], *, facts: bool) -> list[float]:
    """Widths that hold what stands in the columns, within bounds; the first few hundred rows tell."""
    count = max([len(t.columns) for t in tables] + [2 if facts else 1])
    widths = [_NARROWEST] * count
    for table in tables:
        for column, name in enumerate(table.columns):
            texts = [row[column] for row in table.rows[:300] if column < len(row)]
            needed = [_columns_of(t.text if isinstance(t, Cell) else t) for t in texts]
            wanted = max([_columns_of(name) + 2, *(n + 3 for n in needed)])
            widths[column] = max(widths[column], min(_WIDEST, float(wanted)))
    if facts:
        widths[0] = max(widths[0], 18.0)
    if len(widths) < _TEXT_COLUMNS:
        short = 90.0 - sum(widths)  # room for paragraphs
        if short > 0:
            widths[-1] = min(90.0, widths[-1] + short) if not tables else widths[-1]
    return widths
