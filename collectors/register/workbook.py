"""The file: a workbook, or a folder of CSV files, into pages of texts. What is in it may come from anybody.

Only columns with a known heading leave this module, so that what else an office keeps beside (names,
telephones) is never stored, recorded or shown.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

import msgspec

from collectors.contract import IMPORTING, SourceError
from collectors.register.cells import PERSONAL
from collectors.register.layout import BY_TITLE, KEY, SHEETS, Sheet
from inventory.coverage import Status
from inventory.workbooks import BROKEN, MOST_BYTES, MOST_ROWS, CellError, text_of_cell, vetted

MOST_COLUMNS: Final = 60
_BARE: Final = "用 zhengguan register template 生成空白台账，把内容填进去"


class Page(msgspec.Struct, kw_only=True):
    """One sheet. ``rows``: number in the sheet → the cells of the known ``headings``, in their order;
    ``places`` are the columns those stand in, from 0. ``wrong`` speaks against reading it at all (中文)."""

    title: str
    headings: list[str] = msgspec.field(default_factory=list)
    places: list[int] = msgspec.field(default_factory=list)
    rows: list[tuple[int, list[str]]] = msgspec.field(default_factory=list)
    wrong: list[str] = msgspec.field(default_factory=list)
    passed_over: list[str] = msgspec.field(default_factory=list)

    def cell(self, row: int, heading: str) -> str:
        """As a person finds it: 定期工作!C7."""
        return f"{self.title}!{_letters(self.places[self.headings.index(heading)])}{row}"


def _letters(column: int) -> str:
    first, last = divmod(column, 26)
    return f"{chr(64 + first) if first else ''}{chr(65 + last)}"


def read_pages(path: Path, remaining: Callable[[], float]) -> list[Page]:
    """The known sheets of a workbook or a folder, in the order of the template. ``remaining`` is asked
    between sheets whether there is time. Raises SourceError where nothing of it can be read."""
    try:
        pages = _folder(path, remaining) if path.is_dir() else _workbook(path, remaining)
    except PermissionError as error:
        raise SourceError(f"没有权限读 {path}", "给运行采集的账户读权限", Status.DENIED) from error
    except FileNotFoundError as error:
        raise SourceError(f"没有 {path}", "检查 path 里的路径") from error
    except OSError as error:
        raise SourceError(f"{path} 读不出：{error.__class__.__name__}", "检查路径和权限") from error
    if not pages:
        titles = "、".join(sheet.title for sheet in SHEETS)
        raise SourceError(f"{path.name} 里没有一张认识的工作表（{titles}）", _BARE)
    return pages


def _content(path: Path) -> bytes:
    if not path.is_file():
        if path.exists():
            raise SourceError(f"{path} 不是文件", "写一个 .xlsx 文件，或放 CSV 的目录")
        raise FileNotFoundError
    with path.open("rb") as file:
        content = file.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise SourceError(f"{path.name} 超过 {MOST_BYTES // 1024 // 1024} MiB", "把往年的行移到别的文件归档")
    return content


def _workbook(path: Path, remaining: Callable[[], float]) -> list[Page]:
    content = _content(path)
    by_title: dict[str, list[CellError]] = {}
    for error in vetted(content):
        by_title.setdefault(error.cell.partition("!")[0], []).append(error)
    if whole := by_title.pop("", []):
        raise SourceError("；".join(map(str, whole[:5])), "另存为不带宏、链接和密码的 .xlsx")
    with IMPORTING:
        from openpyxl import load_workbook  # an extra, and a third of a second

    pages = []
    try:
        book = load_workbook(io.BytesIO(content), read_only=True, data_only=False, keep_links=False)
        for sheet in SHEETS:
            remaining()
            if sheet.title not in book.sheetnames:
                continue
            if wrong := by_title.get(sheet.title):
                pages.append(Page(title=sheet.title, wrong=list(map(str, wrong))))
                continue
            # limits of ours: what a sheet says of its own size is not to be relied on
            lines = book[sheet.title].iter_rows(1, MOST_ROWS + 2, 1, MOST_COLUMNS, values_only=True)
            pages.append(_page(sheet, lines))
    except BROKEN as error:
        raise SourceError(f"{path.name} 读不出（{type(error).__name__}）", _BARE) from error
    return pages


def _folder(path: Path, remaining: Callable[[], float]) -> list[Page]:
    pages = []
    for sheet in SHEETS:
        remaining()
        file = path / f"{sheet.title}.csv"
        if file.exists():
            pages.append(_csv(sheet, _content(file)))
    return pages


def _csv(sheet: Sheet, content: bytes) -> Page:
    """UTF-8, or what Excel writes on a Chinese Windows (GB 18030)."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        try:
            text = content.decode("gb18030")
        except UnicodeDecodeError:
            return Page(title=sheet.title, wrong=[f"{sheet.title}.csv：既不是 UTF-8 也不是 GB18030 编码"])
    try:
        return _page(sheet, csv.reader(io.StringIO(text, newline=""), strict=True))
    except csv.Error as error:
        return Page(title=sheet.title, wrong=[f"{sheet.title}.csv：不是完好的 CSV（{error}）"])


def _page(sheet: Sheet, lines: Iterable[Sequence[Any]]) -> Page:
    numbered = enumerate(lines, 1)
    _, head = next(numbered, (1, ()))
    page = _headed(sheet, [_text(value) for value in head])
    if not page.wrong:
        page.rows = list(_rows(page, numbered))
    return page


def _headed(sheet: Sheet, head: list[str]) -> Page:
    page = Page(title=sheet.title)
    known = {KEY, *(column.heading for column in sheet.columns)}
    for place, heading in enumerate(head[:MOST_COLUMNS]):
        if heading in page.headings:
            page.wrong.append(f"{sheet.title}!{_letters(place)}1：列 {heading} 出现两次")
        elif heading in known:
            page.headings.append(heading)
            page.places.append(place)
        elif heading:
            # a heading of ours is no secret; one that is not may be anything
            page.passed_over.append("个人信息" if PERSONAL.search(heading) else heading[:20])
    missing = [heading for heading in sheet.required if heading not in page.headings]
    if missing:
        page.wrong.append(f"{sheet.title}!A1：第一行要有列 {'、'.join(missing)}")
    return page


def _rows(page: Page, lines: Iterator[tuple[int, Sequence[Any]]]) -> Iterator[tuple[int, list[str]]]:
    """Rows with something in a known column."""
    for number, line in lines:
        if number > MOST_ROWS + 1:
            page.wrong.append(f"{page.title}：超过 {MOST_ROWS} 行")
            return
        cells = [_text(line[place]) if place < len(line) else "" for place in page.places]
        if any(cells):
            yield number, cells


def _text(value: Any) -> str:
    """A cell as text: a day without the midnight that Excel keeps with it."""
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, datetime):
        return value.date().isoformat()
    if isinstance(value, date):
        return value.isoformat()
    return text_of_cell(value)


def sheet_of(page: Page) -> Sheet:
    """The sheet that a page is."""
    return BY_TITLE[page.title]
