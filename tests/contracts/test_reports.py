"""Contract of every renderer: whatever a device or a tenant wrote is shown as text, and nothing is lost."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import UTC, datetime
from html.parser import HTMLParser

import docx
import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reports.document import (
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
)
from reports.render_docx import render_docx
from reports.render_html import render_html
from reports.render_xlsx import render_xlsx
from reports.visible import visible


class Page(HTMLParser):
    """Text of the page, and its elements with their attributes."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.text = ""
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.feed(source)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def text_of_html(document: Document) -> str:
    return Page(render_html(document)).text


def text_of_docx(document: Document) -> str:
    word = docx.Document(io.BytesIO(render_docx(document)))
    inside = [p.text for t in word.tables for row in t.rows for cell in row.cells for p in cell.paragraphs]
    edge = [p.text for p in word.sections[0].header.paragraphs]
    return "\n".join([*(p.text for p in word.paragraphs), *inside, *edge])


def text_of_xlsx(document: Document) -> str:
    book = openpyxl.load_workbook(io.BytesIO(render_xlsx(document)))
    cells = [str(c.value) for sheet in book for row in sheet.iter_rows() for c in row if c.value is not None]
    return "\n".join([*cells, *(sheet.oddHeader.right.text or "" for sheet in book)])


READERS: dict[str, Callable[[Document], str]] = {
    "html": text_of_html,
    "docx": text_of_docx,
    "xlsx": text_of_xlsx,
}
READER = pytest.mark.parametrize("read", READERS.values(), ids=READERS.keys())


def document(text: str, blocks: list[Block]) -> Document:
    return Document(
        title=f"题{text}",
        subtitle=f"副{text}",
        marking=f"密{text}",
        created_at=datetime(2026, 11, 22, tzinfo=UTC),
        program=f"程{text}",
        blocks=blocks,
    )


def everywhere(text: str) -> list[Block]:
    return [
        Contents(),
        Heading(f"章{text}"),
        Heading(f"节{text}", 2),
        Heading(f"目{text}", 4),
        Paragraph(f"段{text}"),
        Paragraph(f"注{text}", "unknown"),
        Bullets([f"点{text}"]),
        Facts([(f"名{text}", f"值{text}"), ("b", Cell(f"格{text}", "fail"))]),
        Table([f"列{text}", "b"], [[f"行{text}", Cell(f"色{text}", "pass")]], caption=f"表{text}"),
        Table(["a"], [], empty=f"空{text}"),
        PageBreak(),
    ]


HOSTILE = [
    "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "{{ 7*7 }}{% raw %}{# x #}${7*7}",
    "</w:t></w:r></w:p><w:p/>&amp;]]>",
    "\x00\x07\x1b[31mred\x7f\x85\ufffe\ud800",
    "abc\u202etxt.exe\u2066x\u200b\ufeff",
    "=cmd|'/c calc'!A0\t{ DDEAUTO c:\\\\x }",
    "第一行\n第二行\r\n第三行",
    "𠮷鿏 emoji 😀",
]


@READER
@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_shown_as_text_everywhere(read: Callable[[Document], str], text: str) -> None:
    shown = read(document(text, everywhere(text)))
    for place in "题副密程章节目段注点名值格列行色表空":
        assert f"{place}{visible(text)}" in shown, place


@READER
@settings(max_examples=60)
@given(text=st.text(max_size=40))
def test_any_text_is_shown_in_full(read: Callable[[Document], str], text: str) -> None:
    shown = read(document("", [Paragraph(f"始{text}终"), Table(["a"], [[Cell(f"始{text}末", "note")]])]))
    assert f"始{visible(text)}终" in shown
    assert f"始{visible(text)}末" in shown


@given(text=st.text(max_size=60))
def test_visible_text_is_legal_and_hides_nothing(text: str) -> None:
    shown = visible(text)
    assert all(c in "\t\n" or c.isprintable() or c.isspace() or ord(c) >= 0x80 for c in shown)
    shown.encode()
    assert not any(0x202A <= ord(c) <= 0x202E or 0x2066 <= ord(c) <= 0x2069 for c in shown)
    assert visible(shown) == shown


def test_visible_spells_out_what_acts() -> None:
    assert visible("a\x07b\u202ec\r\nd\re") == "a‹U+0007›b‹U+202E›c\nd‹U+000D›e"


@READER
def test_tones_are_told_without_colour(read: Callable[[Document], str]) -> None:
    cells = [Cell("甲", t) for t in ("pass", "partial", "fail", "unknown", "na", "note", "plain")]
    shown = read(document("", [Table(list("1234567"), [list(cells)])]))
    for mark in ("✓ 甲", "◐ 甲", "✗ 甲", "？ 甲", "－ 甲"):
        assert mark in shown


@READER
def test_rows_of_another_width_are_refused_or_shown(read: Callable[[Document], str]) -> None:
    assert "末格" in read(document("", [Table(["a", "b"], [["x", "末格"]], [1, 2])]))
