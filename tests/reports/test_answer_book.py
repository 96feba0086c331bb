"""The answer book: what an office gets, what comes back, and what is refused, by cell."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import msgspec
import openpyxl
import pytest
import xlsxwriter
from openpyxl.worksheet.worksheet import Worksheet

from inventory.answers import Answer, AnswerFile
from inventory.workbooks import MOST_BYTES
from policies.assessment import Assessment
from policies.questions import Question, questions
from policies.standards import load_standard
from reports.answer_book import (
    BookError,
    CellError,
    Defaults,
    Returned,
    open_book,
    read_book,
    write_book,
)
from reports.answer_book.layout import (
    BASE,
    BY,
    COLUMNS,
    DATE,
    FILES,
    KEY,
    META_SHEET,
    NOTE,
    SHEET,
    UNTIL,
    VERDICT,
)

DENGBAO = load_standard("dengbao")
NOW = datetime(2026, 11, 22, 2, tzinfo=UTC)
TODAY = date(2026, 11, 22)
PAPER = AnswerFile(digest="b2" * 32, name="纪要.pdf", size_bytes=9)


@pytest.fixture
def asked(assessment: Assessment) -> list[Question]:
    return questions(assessment, DENGBAO)


@pytest.fixture
def content(assessment: Assessment, asked: list[Question]) -> bytes:
    return write_book(assessment, asked, NOW)


def attach(name: str) -> AnswerFile:
    if name != PAPER.name:
        raise ValueError(f"没有文件 {name}")
    return PAPER


def returned(content: bytes, asked: list[Question], by: str = "") -> Returned:
    return read_book(open_book(content), asked, DENGBAO, NOW, Defaults(by=by, days=365), attach)


def errors(content: bytes, asked: list[Question]) -> list[CellError]:
    with pytest.raises(BookError) as caught:
        returned(content, asked)
    return caught.value.errors


def edited(content: bytes, change: Callable[[Any], None]) -> bytes:
    """The book as an office sends it back."""
    book = openpyxl.load_workbook(io.BytesIO(content))
    change(book)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def filled(content: bytes, *rows: tuple[int, dict[int, Any]]) -> bytes:
    def change(book: Any) -> None:
        for number, cells in rows:
            for column, value in cells.items():
                book[SHEET].cell(number, column + 1).value = value

    return edited(content, change)


def repacked(content: bytes, change: Callable[[str, bytes], bytes | None], **more: bytes) -> bytes:
    """The archive with parts changed or added."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for info in old.infolist():
            part = change(info.filename, old.read(info))
            if part is not None:
                new.writestr(info.filename, part)
        for name, part in more.items():
            new.writestr(name, part)
    return out.getvalue()


GOOD = {VERDICT: "符合", NOTE: "现场看过", BY: "王五"}


def test_what_an_office_gets(content: bytes, asked: list[Question], hostile: str) -> None:
    book = openpyxl.load_workbook(io.BytesIO(content))
    assert book.sheetnames == ["说明", SHEET, META_SHEET]
    assert book[META_SHEET].sheet_state == "veryHidden"
    sheet = book[SHEET]
    assert [c.value for c in sheet[1]] == list(COLUMNS)
    # open: one manual control, one high risk triggered, one undetermined; answered: two more controls
    assert [sheet.cell(n, 3).value for n in range(2, sheet.max_row + 1)] == [q.cite for q in asked]
    assert [q.subject for q in asked] == [
        "dengbao/8.1.1.1.a",
        "dengbao/8.1.4.1.c",
        "dengbao/8.1.7.1.a",
        "6.3.2.1",
        "6.1.1.1",
    ]
    assert sheet.protection.sheet
    assert {c.column - 1 for c in sheet[2] if not c.protection.locked} == {
        VERDICT,
        NOTE,
        FILES,
        BY,
        DATE,
        UNTIL,
    }
    assert {c for c in "ABC" if sheet.column_dimensions[c].hidden} == {"A", "B"}
    lists = {str(v.sqref): v.formula1 for v in sheet.data_validations.dataValidation if v.type == "list"}
    assert lists["K2"] == '"符合,部分符合,不符合,不适用"'
    assert lists["K5"] == '"不存在,存在,已缓解"'
    assert all(c.data_type != "f" for row in sheet.iter_rows() for c in row)
    assert hostile not in str([c.value for row in sheet.iter_rows() for c in row])


def test_an_untouched_book_says_nothing(content: bytes, asked: list[Question]) -> None:
    assert returned(content, asked) == Returned([], 0)


def test_what_is_filled_in_comes_back(content: bytes, asked: list[Question]) -> None:
    back = filled(
        content,
        (
            2,
            {
                VERDICT: "符合",
                FILES: "纪要.pdf；",
                BY: "王五",
                DATE: date(2026, 11, 1),
                UNTIL: "2027年6月1日",
            },
        ),
        (5, {VERDICT: "已缓解", NOTE: "前置防火墙", BY: 12, UNTIL: date(2027, 1, 1)}),
        (6, {VERDICT: "不存在", NOTE: "有门禁"}),
    )
    found = returned(back, asked, by="赵六")
    assert found.unchanged == 0
    first, second, third = found.answers
    assert (first.system, first.subject, first.verdict, first.by) == (
        "portal",
        "dengbao/8.1.1.1.a",
        "pass",
        "王五",
    )
    assert (first.answered_at.isoformat(), first.valid_until) == (
        "2026-11-01T00:00:00+08:00",
        date(2027, 6, 1),
    )
    assert first.files == (PAPER,)
    assert (second.about, second.subject, second.verdict, second.by) == ("case", "6.3.2.1", "mitigated", "12")
    assert (third.by, third.answered_at, third.valid_until) == ("赵六", NOW, date(2027, 11, 22))


def test_a_book_may_come_in_twice(content: bytes, assessment: Assessment, asked: list[Question]) -> None:
    back = filled(content, (2, GOOD), (6, {VERDICT: "不存在", NOTE: "有门禁", BY: "王五"}))
    first = returned(back, asked).answers
    # the second time these answers are recorded, and the book's rows do not stand on them
    uses = {u.answer.key[2:]: u for u in assessment.answers}
    made = []
    for number, answer in enumerate(first, 10):
        use = next(iter(uses.values()))
        made.append(msgspec.structs.replace(use, answer=msgspec.structs.replace(answer, id=number)))
    assessment.answers = [u for u in assessment.answers if u.answer.subject != "dengbao/8.1.1.1.a"] + made
    again = questions(assessment, DENGBAO)
    assert returned(back, again) == Returned([], 2)
    other = msgspec.structs.replace(made[0], answer=msgspec.structs.replace(made[0].answer, verdict="fail"))
    assessment.answers = [other, *made[1:]]
    (wrong,) = errors(back, questions(assessment, DENGBAO, every={q.subject for q in asked}))
    assert (wrong.cell, "#10 王五 答 不符合" in wrong.why) == (f"{SHEET}!K2", True)


def test_every_error_is_told_by_its_cell(content: bytes, asked: list[Question]) -> None:
    back = filled(
        content,
        (2, {VERDICT: "基本符合", BY: "王五"}),
        (3, {NOTE: "忘了选"}),
        (
            4,
            {
                VERDICT: "不适用",
                BY: "王五",
                DATE: "2026-13-41",
                UNTIL: "明年",
                FILES: "../etc/passwd;没有.pdf",
            },
        ),
        (5, {VERDICT: "符合", NOTE: "x", BY: "王五"}),
        (6, {VERDICT: "不存在", NOTE: "x" * 4001, DATE: date(2027, 1, 1), UNTIL: date(2020, 1, 1)}),
    )
    told = {e.cell.partition("!")[2]: e.why for e in errors(back, asked)}
    assert set(told) == {"K2", "K3", "L4", "M4", "O4", "P4", "K5", "L6", "N6", "O6", "P6"}
    assert "可答 符合、部分符合、不符合、不适用" in told["K2"]
    assert "理由" in told["L4"]
    assert told["N6"] == "缺少答复人"
    assert told["M4"] == "没有文件 没有.pdf"


@pytest.mark.parametrize(
    ("change", "cell", "said"),
    [
        (lambda s: s.delete_cols(NOTE + 1), "L1", "应是列 说明"),
        (lambda s: s.insert_cols(4), "D1", "应是列 安全类"),
        (lambda s: setattr(s["K1"], "value", "verdict"), "K1", "应是列 答复"),
        (lambda s: setattr(s["A2"], "value", "dengbao/8.1.1.2.b#"), "A2", "不认识"),
        (lambda s: setattr(s["A2"], "value", None), "A2", "不认识"),
        (lambda s: setattr(s["A2"], "value", s["A3"].value), "A2", "不认识|条款"),
        (lambda s: setattr(s["C2"], "value", "8.1.1.1 b)"), "C2", "打乱"),
        (
            lambda s: [setattr(s.cell(9, c + 1), "value", s.cell(2, c + 1).value) for c in range(15)],
            "A9",
            "重复",
        ),
        (lambda s: setattr(s["B2"], "value", "1"), "K2", "重新导出"),
    ],
)
def test_a_changed_structure_is_told(
    content: bytes, asked: list[Question], change: Callable[[Worksheet], Any], cell: str, said: str
) -> None:
    back = edited(filled(content, (2, GOOD)), lambda book: change(book[SHEET]))
    found = [e for e in errors(back, asked) if e.cell.endswith((f"!{cell}", "!C2"))]
    assert any(any(word in e.why for word in said.split("|")) for e in found)


def test_formulas_and_merged_cells_are_told_by_place(content: bytes, asked: list[Question]) -> None:
    def change(book: Any) -> None:
        book[SHEET]["L2"] = '=HYPERLINK("http://example.com","x")'
        book[SHEET].merge_cells("K3:L4")
        book["说明"]["A20"] = "=1+1"

    told = {e.cell for e in errors(edited(content, change), asked)}
    assert told == {f"{SHEET}!L2", f"{SHEET}!K3:L4", "说明!A20"}


def as_is(name: str, part: bytes) -> bytes:
    return part


def types_of_macros(name: str, part: bytes) -> bytes:
    if name != "[Content_Types].xml":
        return part
    return part.replace(
        b"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml",
        b"application/vnd.ms-excel.sheet.macroEnabled.main+xml",
    )


def with_entities(name: str, part: bytes) -> bytes:
    if not name.endswith("sheet2.xml"):
        return part
    laughs = b'<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    return laughs + part


def with_entities_in_the_book(name: str, part: bytes) -> bytes:
    return b'<!DOCTYPE x [<!ENTITY a "ha">]>' + part if name == "xl/workbook.xml" else part


def in_another_encoding(name: str, part: bytes) -> bytes:
    if not name.endswith("sheet2.xml"):
        return part
    return b'<?xml version="1.0" encoding="cp037"?>' + part.partition(b"?>")[2].decode().encode("cp037")


def linked(name: str, part: bytes) -> bytes:
    if name != "xl/_rels/workbook.xml.rels":
        return part
    link = (
        b'<Relationship Id="rId99" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/'
        b'externalLinkPath" Target="file:///etc/passwd" TargetMode="External"/>'
    )
    return part.replace(b"</Relationships>", link + b"</Relationships>")


@pytest.mark.parametrize(
    ("change", "more", "said"),
    [
        (as_is, {"xl/vbaProject.bin": b"x"}, "宏"),
        (as_is, {"xl/externalLinks/externalLink1.xml": b"<x/>"}, "外部链接"),
        (as_is, {"xl/embeddings/oleObject1.bin": b"x"}, "嵌入"),
        (as_is, {"xl/connections.xml": b"<x/>"}, "数据连接"),
        (types_of_macros, {}, "启用宏"),
        (linked, {}, "外部链接"),
        (with_entities, {}, "文档类型"),
        (in_another_encoding, {}, "UTF-8"),
        (as_is, {"xl/media/bomb.png": b" " * 70_000_000}, "解开后超过"),
        (with_entities_in_the_book, {}, "document type"),
        (as_is, {f"xl/media/{n}": b"" for n in range(201)}, "部件"),
        (lambda name, part: part[: len(part) // 2], {}, "XML"),
        (lambda name, part: None if "sheet2" in name else part, {}, "读不出|没有工作表"),
        (lambda name, part: None if name == "xl/workbook.xml" else part, {}, "不是 xlsx"),
    ],
)
def test_what_is_no_plain_book_is_refused_whole(
    content: bytes, asked: list[Question], change: Any, more: dict[str, bytes], said: str
) -> None:
    found = errors(repacked(filled(content, (2, GOOD)), change, **more), asked)
    assert any(word in e.why for e in found for word in said.split("|")), found


def test_what_is_no_book_at_all_is_refused(content: bytes, asked: list[Question]) -> None:
    ole = bytes.fromhex("d0cf11e0a1b11ae1") + b"\0" * 500
    foreign = io.BytesIO()
    with xlsxwriter.Workbook(foreign) as book:
        book.add_worksheet("Sheet1")
    for hostile, said in (
        (b"", "不是完好的"),
        (b"PK\x03\x04 nonsense", "不是完好的"),
        (content[: len(content) // 2], "不是完好的"),
        (ole, "旧格式"),
        (foreign.getvalue(), "没有工作表"),
        (b"x" * (MOST_BYTES + 1), "超过 10 MiB"),
    ):
        assert any(said in e.why for e in errors(hostile, asked))


def test_a_part_that_lies_about_its_size_is_not_unpacked(content: bytes, asked: list[Question]) -> None:
    bomb = repacked(content, as_is, **{"xl/bomb.xml": b" " * 80_000_000})
    at = bomb.rindex(b"PK\x01\x02")  # the directory's last entry: its unpacked size becomes one byte
    lying = bomb[: at + 24] + (1).to_bytes(4, "little") + bomb[at + 28 :]
    assert errors(lying, asked)


def test_a_far_away_cell_is_told_and_costs_nothing(content: bytes, asked: list[Question]) -> None:
    back = filled(content, (2, GOOD), (1_048_576, {0: "x"}))
    assert [e.cell for e in errors(back, asked)] == [f"{SHEET}!A1048576"]


def test_not_all_columns_of_a_row_need_be_there(content: bytes, asked: list[Question]) -> None:
    def cut(name: str, part: bytes) -> bytes:
        return re.sub(rb'<dimension ref="A1:P6" ?/>', b'<dimension ref="A1:B1"/>', part)

    filled_in = filled(content, (2, GOOD))
    shorter = repacked(filled_in, cut)
    assert b'"A1:B1"' in zipfile.ZipFile(io.BytesIO(shorter)).read("xl/worksheets/sheet2.xml")
    assert len(returned(shorter, asked).answers) == 1


def test_the_hidden_base_is_what_was_answered_at_export(content: bytes, assessment: Assessment) -> None:
    sheet = openpyxl.load_workbook(io.BytesIO(content))[SHEET]
    held = {str(row[KEY].value).partition("#")[0]: row[BASE].value for row in sheet.iter_rows(min_row=2)}
    given: list[Answer] = [use.answer for use in assessment.answers]
    assert {a.subject: str(a.id) for a in given}.items() <= held.items()
    assert held["6.1.1.1"] == "0"


def test_nothing_is_written_where_the_book_lies(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.xlsx"
    path.write_bytes(content)
    open_book(path.read_bytes())
    assert [p.name for p in tmp_path.iterdir()] == ["a.xlsx"]
