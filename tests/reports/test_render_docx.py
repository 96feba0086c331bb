"""The DOCX report, opened again by python-docx."""

from __future__ import annotations

import io
import time

import docx
import pytest
from docx.document import Document as WordDocument
from docx.oxml.ns import qn

from policies.assessment import Assessment
from reports.dengbao import dengbao
from reports.document import Cell, Document, Heading, Table
from reports.render_docx import render_docx


@pytest.fixture
def word(assessment: Assessment) -> WordDocument:
    return docx.Document(io.BytesIO(render_docx(dengbao(assessment, created_at=assessment.taken_at))))


def test_headings_navigate(word: WordDocument) -> None:
    chapters = [p.text for p in word.paragraphs if p.style is not None and p.style.name == "Heading 1"]
    assert chapters[:4] == ["自查概要", "目录", "1 自查项目概述", "2 被测对象描述"]
    assert chapters[-1] == "附录 K 人工答复、证据与例外"


def test_rows_stay_whole_and_headers_repeat(word: WordDocument) -> None:
    for table in word.tables:
        for row in table.rows:
            assert row._tr.trPr is not None
            assert row._tr.trPr.find(qn("w:cantSplit")) is not None
    headed = [t for t in word.tables if t.rows[0]._tr.trPr.find(qn("w:tblHeader")) is not None]  # type: ignore[union-attr]
    assert len(headed) >= 20
    widths = {sum(int(c.get(qn("w:w"))) for c in t._tbl.tblGrid) for t in word.tables}
    assert max(widths) - min(widths) < 12  # all as wide as the text, but for rounding


def test_fonts_marking_and_page_numbers(word: WordDocument) -> None:
    def east_asian(name: str) -> str | None:
        found: str | None = word.styles[name].element.rPr.rFonts.get(qn("w:eastAsia"))
        return found

    assert east_asian("Normal") == east_asian("ZgCell") == "仿宋"
    assert east_asian("Heading 1") == east_asian("Title") == "黑体"
    section = word.sections[0]
    assert (round(section.page_width.mm), round(section.page_height.mm)) == (210, 297)  # type: ignore[union-attr]
    assert section.header.paragraphs[0].text == "内部\t网络安全等级保护自查报告（技术项自动核查）"
    footer = section.footer.paragraphs[0]._p.xml
    assert " PAGE " in footer
    assert " NUMPAGES " in footer
    assert section.footer.paragraphs[0].text == "第 1 页 / 共 1 页"


def test_a_table_of_contents_that_word_fills(word: WordDocument) -> None:
    body = word.element.body.xml
    assert ' TOC \\o "1-2" \\h \\z \\u ' in body
    assert body.count('w:fldCharType="begin"') == body.count('w:fldCharType="end"') == 1
    targets = {b.get(qn("w:name")) for b in word.element.body.iter(qn("w:bookmarkStart"))}
    links = [h.get(qn("w:anchor")) for h in word.element.body.iter(qn("w:hyperlink"))]
    assert len(links) > 25
    assert set(links) <= targets


def test_properties(word: WordDocument, assessment: Assessment) -> None:
    held = word.core_properties
    assert held.title == "网络安全等级保护自查报告（技术项自动核查） · 省政务服务平台"
    assert (held.author, held.category, held.language) == ("zhengguan 0.1.0", "内部", "zh-CN")
    assert held.created == assessment.taken_at


def test_the_same_document_gives_the_same_bytes(assessment: Assessment) -> None:
    document = dengbao(assessment, created_at=assessment.taken_at)
    assert render_docx(document) == render_docx(document)


def test_two_thousand_rows_are_cheap() -> None:
    rows: list[list[str | Cell]] = [
        [f"T{i:04}", Cell("不符合", "fail"), "安全组开放 22 端口" * 4, "cloud", "放行堡垒机", "自动"]
        for i in range(2000)
    ]
    from datetime import UTC, datetime

    document = Document(
        title="t",
        subtitle="s",
        marking="内部",
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
        program="p",
        blocks=[Heading("1"), Table(list("abcdef"), rows)],
    )
    began = time.process_time()
    content = render_docx(document)
    assert time.process_time() - began < 1.5
    table = docx.Document(io.BytesIO(content)).tables[0]
    assert len(table._tbl.tr_lst) == 2001
    assert [c.text for c in table.rows[2000].cells][:2] == ["T1999", "✗ 不符合"]
