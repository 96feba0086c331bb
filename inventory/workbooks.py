"""Looking an office's workbook over before anything reads it: it may come from anybody.

Refused as a whole: what is no plain xlsx (macros, old or encrypted files), what unpacks to more than a book
of this size can be, what reaches outside (external links, embedded objects, connections), XML with a
document type (entities), formulas and merged cells. Nothing is evaluated or fetched.
"""

from __future__ import annotations

import io
import posixpath
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any, Final
from xml.etree import ElementTree as Xml

import msgspec

MOST_ROWS: Final = 5000
MOST_BYTES: Final = 10 * 1024 * 1024
MOST_UNPACKED: Final = 64 * 1024 * 1024
_MOST_PARTS: Final = 200
_MOST_CELLS: Final = 400_000
_OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_REACHING: Final = (
    ("vbaproject", "含有宏"),
    ("macrosheets/", "含有宏"),
    ("externallinks/", "含有外部链接"),
    ("embeddings/", "含有嵌入的对象"),
    ("activex/", "含有控件"),
    ("ctrlprops/", "含有控件"),
    ("connections.xml", "含有数据连接"),
    ("querytables/", "含有数据连接"),
    ("customui/", "含有自定义界面"),
)
_ENCODING: Final = re.compile(rb"""\s*(?:\xef\xbb\xbf)?<\?xml[^>]*?encoding\s*=\s*["']([^"']*)""")
_ROW: Final = re.compile(r"\D")
_DAY: Final = re.compile(r"(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*日?")
_DOCTYPE: Final = re.compile(rb"<!\s*(DOCTYPE|ENTITY)", re.IGNORECASE)
BROKEN: Final = (
    ValueError, KeyError, TypeError, IndexError, AttributeError, OSError, OverflowError, EOFError,
    zipfile.BadZipFile, zlib.error, struct.error, SyntaxError,
)  # fmt: skip
"""What a reader of somebody else's workbook may raise on one that was made to break it. XML that is none is a
SyntaxError of the standard library, and another one of lxml, which the reader uses where it is there."""


class CellError(msgspec.Struct, frozen=True):
    """What is wrong in one cell, or ("") in the book as a whole (中文)."""

    cell: str
    why: str

    def __str__(self) -> str:
        return f"{self.cell}：{self.why}" if self.cell else self.why


def vetted(content: bytes) -> list[CellError]:
    """What speaks against reading a workbook; empty where nothing does."""
    if content.startswith(_OLE):
        return [CellError("", "这是旧格式（.xls）或加了密码的文件：用 .xlsx 原样发回")]
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as book:
            if wrong := _parts(book):
                return wrong
            return _contents(book)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError, UnicodeDecodeError) as error:
        return [CellError("", f"不是完好的 xlsx 文件（{error}）")]
    except Xml.ParseError as error:
        return [CellError("", f"工作簿里的 XML 是坏的（{error}）")]


def _parts(book: zipfile.ZipFile) -> list[CellError]:
    """By the list of parts alone, before anything is unpacked."""
    infos = book.infolist()
    names = [info.filename.replace("\\", "/").lower() for info in infos]
    if len(infos) > _MOST_PARTS:
        return [CellError("", f"工作簿有 {len(infos)} 个部件，上限 {_MOST_PARTS}")]
    if sum(info.file_size for info in infos) > MOST_UNPACKED:
        return [CellError("", f"工作簿解开后超过 {MOST_UNPACKED // 1024 // 1024} MiB")]
    if len(set(names)) != len(names):
        return [CellError("", "工作簿里有重名的部件")]
    if any(info.flag_bits & 1 for info in infos):
        return [CellError("", "工作簿加了密码")]
    if "xl/workbook.xml" not in names or "[content_types].xml" not in names:
        return [CellError("", "不是 xlsx 工作簿")]
    whys = [why for mark, why in _REACHING if any(mark in name for name in names)]
    return [CellError("", f"工作簿{why}，不能导入") for why in dict.fromkeys(whys)]


def _contents(book: zipfile.ZipFile) -> list[CellError]:
    wrong: list[CellError] = []
    titles = _titles(book)
    for info in book.infolist():
        if not info.filename.lower().endswith((".xml", ".rels")):
            continue
        text = book.read(info)  # never more than the size it told, and those were added up
        if _tricky(text):
            return [CellError("", f"{info.filename} 里有文档类型声明，或不是 UTF-8")]
        if info.filename.lower().endswith(".rels") and b'"External"' in text:
            wrong.append(CellError("", "工作簿含有外部链接，不能导入"))
        if b"macroEnabled" in text and info.filename == "[Content_Types].xml":
            wrong.append(CellError("", "工作簿是启用宏的格式，不能导入"))
        if info.filename in titles:
            wrong += _cells(text, titles[info.filename])
    return list(dict.fromkeys(wrong))


def _titles(book: zipfile.ZipFile) -> dict[str, str]:
    """Part of each sheet → the sheet's name; a sheet that cannot be placed keeps its part's name."""
    titles = {
        info.filename: info.filename
        for info in book.infolist()
        if "/worksheets/" in info.filename.lower() and info.filename.lower().endswith(".xml")
    }
    try:
        workbook = Xml.fromstring(_plain(book, "xl/workbook.xml"))  # noqa: S314 - no entities: _tricky
        relations = Xml.fromstring(_plain(book, "xl/_rels/workbook.xml.rels"))  # noqa: S314
    except KeyError:
        return titles
    targets = {r.get("Id"): posixpath.join("xl", r.get("Target", "")) for r in relations}
    for element in workbook.iter():
        if _local(element.tag) != "sheet":
            continue
        id_ = next((value for name, value in element.attrib.items() if _local(name) == "id"), None)
        part = posixpath.normpath(targets.get(id_, "")).removeprefix("/")
        if part in titles:
            titles[part] = element.get("name", part)
    return titles


def _plain(book: zipfile.ZipFile, name: str) -> bytes:
    text = book.read(name)
    if _tricky(text):
        raise Xml.ParseError("document type")
    return text


def _tricky(text: bytes) -> bool:
    """Whether XML could hold entities, or hide them in another encoding than the one searched here."""
    declared = _ENCODING.match(text)
    other = declared is not None and declared[1].lower() not in (b"utf-8", b"us-ascii", b"ascii")
    return other or b"\0" in text[:4] or _DOCTYPE.search(text) is not None


def _cells(text: bytes, title: str) -> Iterator[CellError]:
    """Formulas and merged cells of a sheet, by place."""
    place = ""
    count = 0
    for event, element in Xml.iterparse(io.BytesIO(text), events=("start", "end")):  # noqa: S314
        name = _local(element.tag)
        if event == "start":
            if name == "c":
                place = element.get("r", "?")[:20]
                count += 1
            if count > _MOST_CELLS:
                yield CellError(title, f"单元格超过 {_MOST_CELLS} 个")
                return
            continue
        if name in ("v", "is") and int(_ROW.sub("", place) or 0) > MOST_ROWS + 1:
            yield CellError(f"{title}!{place}", f"在第 {MOST_ROWS + 1} 行以下，一本最多 {MOST_ROWS} 行")
            return
        if name == "f":
            yield CellError(f"{title}!{place}", "是公式：请写成文字或日期")
        elif name == "mergeCell":
            yield CellError(f"{title}!{element.get('ref', '?')}", "是合并的单元格：请取消合并")
        elif name == "row":
            element.clear()


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]


def text_of_cell(value: Any) -> str:
    """A cell as text; numbers and times as they are written, nothing for an empty one."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()


def day_of_cell(value: Any) -> date | None:
    """A cell as a day, however people write one; None for an empty one. Raises ValueError (中文)."""
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    text = text_of_cell(value)
    if not text:
        return None
    match = _DAY.fullmatch(text)
    try:
        if match:
            return date(*map(int, match.groups()))
    except ValueError:  # the 31st of April
        pass
    raise ValueError(f"日期写成 2026-11-22，而不是 {text[:40]}")
