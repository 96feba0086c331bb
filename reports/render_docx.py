"""A document as DOCX, for Word and WPS: 仿宋 and 黑体, headings for navigation, a table of contents with page
numbers, header rows that repeat, rows that stay whole, the handling mark and 第 X 页/共 Y 页 on every page.

python-docx makes the package, its styles, header and footer. The body is written as WordprocessingML
(ECMA-376 Part 1 §17): element by element it would cost seconds on long tables. Every text goes
through ``visible`` and XML escaping, and stands in ``w:t``, where nothing is a field or a formula.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from datetime import UTC
from typing import Any, Final
from xml.sax.saxutils import escape

import docx
from docx.document import Document as WordDocument
from docx.enum.style import WD_STYLE_TYPE
from docx.enum.text import WD_ALIGN_PARAGRAPH, WD_TAB_ALIGNMENT, WD_TAB_LEADER
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls, qn
from docx.shared import Mm, Pt, RGBColor

from reports.document import TONE_MARK, Block, Cell, Contents, Document, Facts, Heading, Table, Tone
from reports.document import Bullets as BulletsBlock
from reports.document import PageBreak as PageBreakBlock
from reports.document import Paragraph as ParagraphBlock
from reports.visible import visible

BODY_FONT: Final = "仿宋"
HEAD_FONT: Final = "黑体"
LATIN_FONT: Final = "Times New Roman"
_LEFT_MM, _RIGHT_MM, _TOP_MM, _BOTTOM_MM = 24, 20, 25, 22
_WIDTH = round((210 - _LEFT_MM - _RIGHT_MM) / 25.4 * 1440)  # text width, twentieths of a point
_BODY_MARK: Final = "zhengguan-body"
_BODY_PARAGRAPH: Final = re.compile(rb"<w:p>(?:(?!<w:p>).)*zhengguan-body.*?</w:p>", re.DOTALL)
_COLOUR: Final[dict[Tone, str]] = {
    "pass": "14602E",
    "partial": "8A4B00",
    "fail": "A61B1B",
    "unknown": "4B5563",
    "na": "6B7280",
}
_BOLD: Final = frozenset({"fail", "note"})
_BORDERS: Final = "".join(
    f'<w:{side} w:val="single" w:sz="4" w:space="0" w:color="7F8B97"/>'
    for side in ("top", "left", "bottom", "right", "insideH", "insideV")
)
_MARGINS: Final = (
    '<w:tblCellMar><w:top w:w="28" w:type="dxa"/><w:left w:w="70" w:type="dxa"/>'
    '<w:bottom w:w="28" w:type="dxa"/><w:right w:w="70" w:type="dxa"/></w:tblCellMar>'
)


def render_docx(document: Document) -> bytes:
    """The file's bytes."""
    word = docx.Document()
    _styles(word)
    _page(word, document)
    _properties(word, document)
    word.add_paragraph(_BODY_MARK)
    skeleton = io.BytesIO()
    word.save(skeleton)
    body = "".join([*_title(document), *_blocks(document.blocks)])
    return _with_body(skeleton.getvalue(), body.encode())


def _with_body(skeleton: bytes, body: bytes) -> bytes:
    """The package with ``body`` in place of its one paragraph; entry times are the format's earliest, so
    that the same document gives the same bytes."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(skeleton)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            content = old.read(name)
            if name == "word/document.xml":
                content, replaced = _BODY_PARAGRAPH.subn(lambda _: body, content)
                if replaced != 1:
                    raise AssertionError("the body's place was not found in the skeleton")
            new.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED, compresslevel=6)
    return out.getvalue()


def _title(document: Document) -> Iterator[str]:
    yield _paragraph(document.marking, "ZgMarking")
    yield _paragraph(document.title, "Title")
    yield _paragraph(document.subtitle, "Subtitle")
    yield _paragraph(f"编制时间 {document.made_at}　程序 {document.program}", "ZgMade")


def _blocks(blocks: list[Block]) -> Iterator[str]:
    for index, block in enumerate(blocks):
        match block:
            case Heading():
                yield _heading(index, block)
            case ParagraphBlock():
                yield _paragraph(block.text, "ZgNote" if block.tone in ("note", "unknown") else "ZgBody")
            case BulletsBlock():
                yield from (_paragraph(f"•　{item}", "ZgBullet") for item in block.items)
            case Facts():
                rows: list[list[str | Cell]] = [[label, value] for label, value in block.rows]
                yield _table([], rows, [22.0, 78.0])
            case Table():
                if block.caption:
                    yield _paragraph(block.caption, "ZgCaption")
                rows = block.rows or [[block.empty, *[""] * (len(block.columns) - 1)]]
                yield _table(block.columns, rows, block.widths or [1.0] * len(block.columns))
            case PageBreakBlock():
                yield '<w:p><w:pPr><w:pStyle w:val="ZgBody"/></w:pPr><w:r><w:br w:type="page"/></w:r></w:p>'
            case Contents():
                yield from _contents(blocks, index, block.depth)


def _run(text: str) -> str:
    """Text inside a run: lines and tabs become breaks and tabs, all else is characters."""
    shown = escape(visible(text))
    if "\n" in shown:
        shown = shown.replace("\n", '</w:t><w:br/><w:t xml:space="preserve">')
    if "\t" in shown:
        shown = shown.replace("\t", '</w:t><w:tab/><w:t xml:space="preserve">')
    return f'<w:t xml:space="preserve">{shown}</w:t>'


def _paragraph(text: str, style: str) -> str:
    return f'<w:p><w:pPr><w:pStyle w:val="{style}"/></w:pPr><w:r>{_run(text)}</w:r></w:p>'


def _heading(index: int, block: Heading) -> str:
    level = min(block.level, 3)
    return (
        f'<w:p><w:pPr><w:pStyle w:val="Heading{level}"/></w:pPr>'
        f'<w:bookmarkStart w:id="{index}" w:name="_Toc{index:08}"/><w:r>{_run(block.text)}</w:r>'
        f'<w:bookmarkEnd w:id="{index}"/></w:p>'
    )


def _table(columns: list[str], rows: list[list[str | Cell]], relative: list[float]) -> str:
    widths = [round(_WIDTH * width / sum(relative)) for width in relative]
    grid = "".join([f'<w:gridCol w:w="{width}"/>' for width in widths])
    parts = [
        f'<w:tbl><w:tblPr><w:tblW w:w="{sum(widths)}" w:type="dxa"/><w:tblBorders>{_BORDERS}</w:tblBorders>'
        f'<w:tblLayout w:type="fixed"/>{_MARGINS}</w:tblPr><w:tblGrid>{grid}</w:tblGrid>'
    ]
    openings = [f'<w:tc><w:tcPr><w:tcW w:w="{width}" w:type="dxa"/>' for width in widths]
    if columns:
        parts.append("<w:tr><w:trPr><w:cantSplit/><w:tblHeader/></w:trPr>")
        shade = '<w:shd w:val="clear" w:color="auto" w:fill="E4ECF4"/><w:vAlign w:val="center"/></w:tcPr>'
        parts += [
            f"{opening}{shade}{_paragraph(text, 'ZgHeadCell')}</w:tc>"
            for opening, text in zip(openings, columns, strict=True)
        ]
        parts.append("</w:tr>")
    label = "" if columns else '<w:shd w:val="clear" w:color="auto" w:fill="F1F5F9"/>'
    openings = [
        f'{opening}{"" if i else label}</w:tcPr><w:p><w:pPr><w:pStyle w:val="ZgCell"/></w:pPr>'
        for i, opening in enumerate(openings)
    ]
    for row in rows:
        parts.append("<w:tr><w:trPr><w:cantSplit/></w:trPr>")
        parts += [
            f"{opening}{_cell(value)}</w:p></w:tc>" for opening, value in zip(openings, row, strict=True)
        ]
        parts.append("</w:tr>")
    parts.append('</w:tbl><w:p><w:pPr><w:pStyle w:val="ZgGap"/></w:pPr></w:p>')
    return "".join(parts)


def _cell(value: str | Cell) -> str:
    if isinstance(value, str):
        return f"<w:r>{_run(value)}</w:r>" if value else ""
    bold = "<w:b/>" if value.tone in _BOLD else ""
    colour = f'<w:color w:val="{_COLOUR[value.tone]}"/>' if value.tone in _COLOUR else ""
    mark = f"{TONE_MARK[value.tone]} " if value.tone in TONE_MARK else ""
    return f"<w:r><w:rPr>{bold}{colour}</w:rPr>{_run(mark + value.text)}</w:r>"


_FIELD: Final = (
    '<w:r><w:fldChar w:fldCharType="begin"{dirty}/></w:r><w:r><w:instrText xml:space="preserve">{code}'
    '</w:instrText></w:r><w:r><w:fldChar w:fldCharType="separate"/></w:r>'
)
_FIELD_END: Final = '<w:r><w:fldChar w:fldCharType="end"/></w:r>'


def _contents(blocks: list[Block], place: int, depth: int) -> Iterator[str]:
    """A TOC field (§17.16.5.68), its entries written out as links. Only an application that lays pages out
    knows their numbers: the field is marked dirty, and Word fills them in when it opens the file."""
    entries = [
        (i, b) for i, b in enumerate(blocks) if i > place and isinstance(b, Heading) and b.level <= depth
    ]
    opening = _FIELD.format(dirty=' w:dirty="true"', code=f' TOC \\o "1-{depth}" \\h \\z \\u ')
    for number, (index, heading) in enumerate(entries):
        anchor = f"_Toc{index:08}"
        yield (
            f'<w:p><w:pPr><w:pStyle w:val="TOC{heading.level}"/></w:pPr>{"" if number else opening}'
            f'<w:hyperlink w:anchor="{anchor}" w:history="1"><w:r>{_run(heading.text)}</w:r>'
            f"</w:hyperlink>{_FIELD_END if number == len(entries) - 1 else ''}</w:p>"
        )


def _page(word: WordDocument, document: Document) -> None:
    section = word.sections[0]
    section.page_width, section.page_height = Mm(210), Mm(297)
    section.left_margin, section.right_margin = Mm(_LEFT_MM), Mm(_RIGHT_MM)
    section.top_margin, section.bottom_margin = Mm(_TOP_MM), Mm(_BOTTOM_MM)
    section.header_distance, section.footer_distance = Mm(13), Mm(12)
    for part, text in (
        (section.header, f"{_run(document.marking)}<w:tab/>{_run(document.title)}"),
        (section.footer, None),
    ):
        paragraph = part.paragraphs[0]
        paragraph.style = word.styles["ZgEdge"]
        inner = f"<w:r>{text}</w:r>" if text else _page_numbers()
        for run in list(parse_xml(f"<w:p {nsdecls('w')}>{inner}</w:p>")):
            paragraph._p.append(run)
        if text is None:
            paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER


def _page_numbers() -> str:
    def number(code: str) -> str:
        return _FIELD.format(dirty="", code=f" {code} ") + "<w:r><w:t>1</w:t></w:r>" + _FIELD_END

    def words(text: str) -> str:
        return f"<w:r>{_run(text)}</w:r>"

    return f"{words('第 ')}{number('PAGE')}{words(' 页 / 共 ')}{number('NUMPAGES')}{words(' 页')}"


def _properties(word: WordDocument, document: Document) -> None:
    held = word.core_properties
    made = document.created_at.astimezone(UTC).replace(tzinfo=None)
    held.title = visible(f"{document.title} · {document.subtitle}")[:255]
    held.subject = visible(document.subtitle)[:255]
    held.author = held.last_modified_by = visible(document.program)[:255]
    held.category = visible(document.marking)[:255]
    held.comments = ""
    held.keywords = "等级保护 自查"
    held.language = "zh-CN"
    held.created = held.modified = made
    held.revision = 1


def _styles(word: WordDocument) -> None:
    styles = word.styles
    _face(styles["Normal"], BODY_FONT, 12)
    for name, size, before, after in (("Title", 20, 0, 4), ("Subtitle", 15, 0, 2)):
        _face(styles[name], HEAD_FONT, size, before=before, after=after)
        styles[name].paragraph_format.alignment = WD_ALIGN_PARAGRAPH.CENTER
        for border in styles[name].element.findall(".//" + qn("w:pBdr")):
            border.getparent().remove(border)
    for level, size, before, after in ((1, 16, 18, 6), (2, 13, 10, 4), (3, 12, 8, 3)):
        style = styles[f"Heading {level}"]
        _face(style, HEAD_FONT, size, before=before, after=after, colour="1F4E79" if level == 1 else "1C2430")
        style.paragraph_format.keep_with_next = True
    _new(word, "ZgBody", BODY_FONT, 12, after=3, line=1.3)
    note = _new(word, "ZgNote", BODY_FONT, 11, before=2, after=4, line=1.25)
    note.element.get_or_add_pPr().append(
        parse_xml(
            f'<w:pBdr {nsdecls("w")}><w:left w:val="single" w:sz="18" w:space="6" w:color="1F4E79"/></w:pBdr>'
        )
    )
    _new(word, "ZgBullet", BODY_FONT, 12, after=2, line=1.25).paragraph_format.left_indent = Pt(12)
    _new(word, "ZgCaption", HEAD_FONT, 10.5, before=6, after=3).paragraph_format.keep_with_next = True
    _new(word, "ZgCell", BODY_FONT, 9.5)
    _new(word, "ZgHeadCell", HEAD_FONT, 9.5).paragraph_format.alignment = WD_ALIGN_PARAGRAPH.CENTER
    _new(word, "ZgGap", BODY_FONT, 6)
    _new(word, "ZgMade", BODY_FONT, 10, after=8).paragraph_format.alignment = WD_ALIGN_PARAGRAPH.CENTER
    marking = _new(word, "ZgMarking", HEAD_FONT, 14, colour="A61B1B")
    marking.paragraph_format.alignment = WD_ALIGN_PARAGRAPH.RIGHT
    edge = _new(word, "ZgEdge", BODY_FONT, 9)
    edge.paragraph_format.tab_stops.add_tab_stop(Mm(210 - _LEFT_MM - _RIGHT_MM), WD_TAB_ALIGNMENT.RIGHT)
    for level, font, indent in ((1, HEAD_FONT, 0), (2, BODY_FONT, 18), (3, BODY_FONT, 36)):
        style = _new(word, f"toc {level}", font, 11, after=1)
        style.element.set(qn("w:styleId"), f"TOC{level}")
        style.paragraph_format.left_indent = Pt(indent)
        style.paragraph_format.tab_stops.add_tab_stop(
            Mm(210 - _LEFT_MM - _RIGHT_MM), WD_TAB_ALIGNMENT.RIGHT, WD_TAB_LEADER.DOTS
        )


def _new(word: WordDocument, name: str, font: str, size: float, **more: Any) -> Any:
    style = word.styles.add_style(name, WD_STYLE_TYPE.PARAGRAPH)
    style.base_style = word.styles["Normal"]
    _face(style, font, size, **more)
    return style


def _face(
    style: Any,
    font: str,
    size: float,
    *,
    before: float = 0,
    after: float = 0,
    line: float = 1.0,
    colour: str = "",
) -> None:
    """Fonts by name, nothing embedded; the template's theme fonts would win over names, so they go."""
    style.font.name = LATIN_FONT
    style.font.size = Pt(size)
    style.font.bold = style.font.italic = False
    style.font.color.rgb = RGBColor.from_string(colour or "1C2430")
    fonts = style.element.get_or_add_rPr().get_or_add_rFonts()
    for theme in ("asciiTheme", "hAnsiTheme", "eastAsiaTheme", "cstheme"):
        fonts.attrib.pop(qn(f"w:{theme}"), None)
    fonts.set(qn("w:eastAsia"), font)
    style.paragraph_format.space_before = Pt(before)
    style.paragraph_format.space_after = Pt(after)
    style.paragraph_format.line_spacing = line
