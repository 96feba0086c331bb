"""The spreadsheet, opened again by openpyxl."""

from __future__ import annotations

import io
import re
import zipfile
from datetime import UTC, datetime

import openpyxl
import pytest
from openpyxl.workbook import Workbook

from reports.document import Block, Bullets, Cell, Document, Facts, Heading, Paragraph, Table
from reports.render_xlsx import render_xlsx

# what openpyxl says about the bars that only newer formats have
pytestmark = pytest.mark.filterwarnings("ignore:.*xtension is not supported:UserWarning")


def document(*blocks: Block) -> Document:
    return Document(
        title="报告",
        subtitle="副题",
        marking="内部",
        created_at=datetime(2026, 11, 22, tzinfo=UTC),
        program="zhengguan 0",
        blocks=list(blocks),
    )


def opened(*blocks: Block) -> Workbook:
    return openpyxl.load_workbook(io.BytesIO(render_xlsx(document(*blocks))))


FORMULAS = [
    "=1+1", "+1", "-1", "@SUM(A1)", "=HYPERLINK(\"http://x\")", "=cmd|'/c calc'!A0", "\t=1", "{=1}",
    "http://example.org", "mailto:a@b", "1234", "1e5", "TRUE", "#N/A", "2026-01-01",
]  # fmt: skip


@pytest.mark.parametrize("text", FORMULAS)
def test_text_stays_text_and_is_shown_as_it_is(text: str) -> None:
    content = render_xlsx(
        document(Heading(text), Facts([(text, text)]), Table([text], [[text], [Cell(text, "note")]]))
    )
    sheet = openpyxl.load_workbook(io.BytesIO(content)).worksheets[0]
    found = [cell for row in sheet.iter_rows() for cell in row if cell.value == text]
    assert len(found) == 6
    assert {cell.data_type for cell in found} == {"s"}
    assert all(cell.hyperlink is None for cell in found)
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        sheets = [package.read(n) for n in package.namelist() if n.startswith("xl/worksheets/")]
    assert not any(re.search(rb"<f[ >]|<hyperlink", sheet) for sheet in sheets)


def test_what_begins_like_a_formula_is_quoted_for_editors() -> None:
    sheet = opened(Heading("x"), Table(["a", "b"], [["=1+1", "harmless"]])).worksheets[0]
    quoted = {
        c.value: c.quotePrefix for row in sheet.iter_rows() for c in row if c.value in ("=1+1", "harmless")
    }
    assert quoted["=1+1"]
    assert not quoted["harmless"]


def test_numbers_are_numbers_with_the_format_that_shows_them() -> None:
    rows: list[list[str | Cell]] = [
        [Cell("1,234", number=1234.0, number_format="#,##0")],
        [Cell("至少 5", number=5.0, number_format='"至少 "#,##0')],
        [Cell("87.5%", "partial", 0.875, "0.0%")],
        [Cell("未知", "unknown")],
        [Cell("inf", number=float("inf"))],
    ]
    sheet = opened(Heading("x"), Table(["n"], rows)).worksheets[0]
    head = next(c.row for c in sheet["A"] if c.value == "n")
    cells = [sheet.cell(head + i, 1) for i in range(1, 6)]
    assert [(c.value, c.number_format) for c in cells[:3]] == [
        (1234, "#,##0"),
        (5, '"至少 "#,##0'),
        (0.875, "0.0%"),
    ]
    assert [c.value for c in cells[3:]] == ["？ 未知", "inf"]
    assert len(sheet.conditional_formatting) == 1  # the bar of the shares


def test_a_sheet_a_chapter_with_a_frozen_filtered_header() -> None:
    book = opened(
        Heading("1 总览"),
        Paragraph("说明", "note"),
        Facts([("甲", "乙")]),
        Table(["a"], [["1"]]),
        Table(["b"], [["2"]]),
        Heading("2 明细"),
        Bullets(["点"]),
        Table(["名称", "数"], [["x", "y"], ["z", "w"]]),
        Heading("3 空"),
    )
    assert book.sheetnames == ["1 总览", "2 明细"]
    first, second = book.worksheets
    assert first.freeze_panes is None
    head = next(c.row for c in second["A"] if c.value == "名称")
    assert second.freeze_panes == f"A{head + 1}"
    assert second.auto_filter.ref == f"A{head}:B{head + 2}"
    assert second.print_title_rows == f"${head}:${head}"
    assert second.page_setup.orientation == "landscape"
    assert second.oddHeader.right.text == "内部"
    assert "第" in (second.oddFooter.center.text or "")
    assert second.column_dimensions["A"].width > 4


def test_sheet_names_are_legal_and_each_once() -> None:
    names = ["a" * 40, "A" * 40, "b/c:d*e?[f]\\g'", "History", "\x07", ""]
    blocks: list[Block] = []
    for name in names:
        blocks += [Heading(name), Paragraph("x")]
    found = opened(*blocks).sheetnames
    assert len({n.lower() for n in found}) == len(names)
    assert all(0 < len(n) <= 31 and not re.search(r"[\[\]:*?/\\']", n) for n in found)


def test_an_empty_table_says_so_and_a_document_without_chapters_is_one_sheet() -> None:
    sheet = opened(Table(["a", "b"], [], empty="没有")).worksheets[0]
    assert any(c.value == "没有" for row in sheet.iter_rows() for c in row)


def test_properties_and_the_same_bytes_again() -> None:
    held = opened(Heading("x"), Paragraph("y")).properties
    assert (held.title, held.creator, held.category) == ("报告 · 副题", "zhengguan 0", "内部")
    again = [render_xlsx(document(Heading("x"), Paragraph("y"))) for _ in range(2)]
    assert again[0] == again[1]


def test_a_cell_longer_than_a_cell_may_be_is_cut() -> None:
    sheet = opened(Heading("x"), Table(["a"], [["长" * 40_000]])).worksheets[0]
    longest = max(len(str(c.value)) for row in sheet.iter_rows() for c in row if c.value)
    assert longest == 32_767
