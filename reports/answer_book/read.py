"""Reading a returned answer book: every answer in it, or every error in it by cell."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import date, datetime, time
from types import MappingProxyType
from typing import Any, TypeAlias, TypeVar

import msgspec

from inventory.answers import Answer, AnswerFile, CryptoJudgement, Given
from inventory.daily import day_of
from inventory.workbooks import (
    BROKEN,
    MOST_BYTES,
    MOST_ROWS,
    CellError,
    day_of_cell,
    text_of_cell,
    vetted,
)
from policies.answers import (
    MOST_BITS,
    MOST_MODULE,
    WORD,
    met_named,
    number_named,
    until,
    verdict_named,
    word_of,
    wrong_with,
)
from policies.questions import Question
from policies.standards import Standard
from reports.answer_book.layout import (
    BASE,
    BY,
    CITE,
    CRYPTO,
    DATE,
    FIELD_COLUMN,
    FILES,
    FORMAT,
    HELPERS,
    KEY,
    MANAGED,
    META,
    META_SHEET,
    MODULE,
    NOTE,
    SHEET,
    STRENGTH,
    UNTIL,
    VERDICT,
    Row,
    cell_name,
    columns_of,
)
from reports.document import BEIJING

T = TypeVar("T")
Attach: TypeAlias = Callable[[str], AnswerFile]
"""Finds an evidence file by its name. Raises ValueError with the reason (中文)."""

_Line: TypeAlias = Sequence[Any]


class BookError(Exception):
    """A workbook that is not imported, with all that is wrong with it."""

    def __init__(self, errors: Sequence[CellError]) -> None:
        super().__init__("\n".join(map(str, errors)))
        self.errors = list(errors)


class Returned(msgspec.Struct, frozen=True):
    """What a workbook says: new answers in its order, and how many rows say what is recorded already."""

    answers: list[Answer]
    unchanged: int


class Defaults(msgspec.Struct, kw_only=True, frozen=True):
    """What an empty cell means: who answers ("" = it must be written), and for how many days."""

    by: str = ""
    days: int


class Book(msgspec.Struct, frozen=True):
    """The values of a vetted workbook: of its hidden sheet, and of each row by number from 2 on."""

    meta: dict[str, str]
    rows: list[tuple[int, _Line]]

    def subjects(self) -> set[str]:
        """Ids of the controls and cases that it asks about."""
        return {text_of_cell(line[KEY]).partition("#")[0] for _, line in self.rows}


def open_book(content: bytes) -> Book:
    """The values of a workbook. Raises BookError: too large, not a plain xlsx, not written by us."""
    if len(content) > MOST_BYTES:
        raise BookError([CellError("", f"工作簿超过 {MOST_BYTES // 1024 // 1024} MiB")])
    if errors := vetted(content):
        raise BookError(errors)
    from openpyxl import load_workbook  # noqa: PLC0415 - an extra, and a third of a second

    try:
        book = load_workbook(io.BytesIO(content), read_only=True, data_only=False, keep_links=False)
        missing = [name for name in (SHEET, META_SHEET) if name not in book.sheetnames]
        if missing:
            raise BookError([CellError("", f"没有工作表 {name}：不是本程序导出的工作簿") for name in missing])
        meta = {
            str(name): str(value)
            for name, value in book[META_SHEET].iter_rows(
                min_row=1, max_row=len(META), max_col=2, values_only=True
            )
        }
        # limits of ours: what a sheet says of its own size is not to be relied on
        lines = list(_lines(book[SHEET].iter_rows(1, MOST_ROWS + 2, 1, 30, values_only=True)))
    except BROKEN as error:
        raise BookError([CellError("", f"工作簿读不出（{type(error).__name__}: {error}）")]) from error
    return Book(meta, _headed(meta, lines))


def _lines(rows: Iterator[_Line]) -> Iterator[tuple[int, _Line]]:
    for number, line in enumerate(rows, 1):
        if number == 1 or any(value not in (None, "") for value in line):
            yield number, line


def _headed(meta: Mapping[str, str], lines: Sequence[tuple[int, _Line]]) -> list[tuple[int, _Line]]:
    """The rows below the header, which must be ours."""
    errors = []
    if meta.get("format") != FORMAT:
        errors.append(CellError("", f"工作簿的格式是 {meta.get('format')}，本程序用 {FORMAT}：重新导出"))
    header = [text_of_cell(value) for value in lines[0][1]] if lines else []
    columns = columns_of(meta.get("standard", ""))
    for column, name in enumerate(columns):
        found = header[column] if column < len(header) else ""
        if found != name:
            where = cell_name(1, column)
            errors.append(CellError(where, f"应是列 {name}，而是 {found or '空的'}：列不能删除、插入或改名"))
    extra = [name for name in header[len(columns) :] if name]
    errors += [CellError(cell_name(1, len(columns)), f"多了一列 {name}") for name in extra[:1]]
    if lines and lines[-1][0] > MOST_ROWS + 1:
        errors.append(CellError("", f"超过 {MOST_ROWS} 行"))
    if errors:
        raise BookError(errors)
    return [(number, line) for number, line in lines if number > 1]


def read_book(
    book: Book,
    questions: Sequence[Question],
    standard: Standard,
    now: datetime,
    defaults: Defaults,
    attach: Attach,
    helpers: Mapping[tuple[str, str], Collection[str]] = MappingProxyType({}),
) -> Returned:
    """The answers of a workbook to the questions of its system. ``helpers`` tells which objects a unit's code
    and a name may mean, where one makes up for another. Raises BookError with every error in it."""
    rows = {row.key: row for row in map(Row.of, questions)}
    reader = _Reader(rows, book.meta["system"], standard, now, defaults, attach, helpers)
    columns = columns_of(standard.name)
    for number, line in book.rows:
        reader.row(number, list(line) + [None] * (len(columns) - len(line)))
    if reader.errors:
        raise BookError(reader.errors)
    return Returned(reader.answers, reader.unchanged)


class _Reader:
    def __init__(
        self,
        rows: Mapping[str, Row],
        system: str,
        standard: Standard,
        now: datetime,
        defaults: Defaults,
        attach: Attach,
        helpers: Mapping[tuple[str, str], Collection[str]],
    ) -> None:
        self.helpers = helpers
        self.crypto = CRYPTO if len(columns_of(standard.name)) > CRYPTO[0] else ()
        self.rows = rows
        self.system = system
        self.standard = standard
        self.now = now
        self.defaults = defaults
        self.attach = attach
        self.answers: list[Answer] = []
        self.errors: list[CellError] = []
        self.unchanged = 0
        self._met: dict[str, int] = {}

    def row(self, number: int, line: list[Any]) -> None:
        """One row: an answer, nothing, or errors."""
        before = len(self.errors)
        written = [c for c in (VERDICT, NOTE, FILES, BY, DATE, UNTIL, *self.crypto) if text_of_cell(line[c])]
        if not written or (row := self._known(number, line)) is None:
            return
        judged = "judged" in row.question.allowed and any(c in written for c in CRYPTO[:3])
        if VERDICT not in written and not judged:
            self._wrong(number, VERDICT, "没有选答复，而这一行写了别的")
            return
        answer = self._answer(number, line, row.question)
        if len(self.errors) > before or answer is None:
            return
        current = row.question.use.answer if row.question.use else None
        if current is not None and _same(current, answer, until_too=UNTIL in written):
            self.unchanged += 1
        elif str(row.base) != text_of_cell(line[BASE]):
            told = f"#{current.id} {current.by} 答 {word_of(current)}" if current else "已被撤回"
            self._wrong(number, VERDICT, f"导出之后有了新的答复（{told}）：重新导出再填")
        else:
            self.answers.append(answer)

    def _known(self, number: int, line: list[Any]) -> Row | None:
        key = text_of_cell(line[KEY])
        row = self.rows.get(key)
        if row is None:
            self._wrong(number, KEY, "隐藏的编号不认识：这一行是插入的、改过的，或这个系统已不用答它")
        elif key in self._met:
            self._wrong(number, KEY, f"和第 {self._met[key]} 行重复")
            row = None
        elif text_of_cell(line[CITE]) != row.question.cite:
            self._wrong(number, CITE, f"条款应是 {row.question.cite}：行被打乱了")
            row = None
        self._met.setdefault(key, number)
        return row

    def _answer(self, number: int, line: list[Any], question: Question) -> Answer | None:
        word = text_of_cell(line[VERDICT])
        given = verdict_named(word or WORD["judged"])
        if given is None or given not in question.allowed:
            words = "、".join(WORD[g] for g in question.allowed)
            self._wrong(number, VERDICT, f"可答 {words}，而不是 {word[:40]}")
            return None
        judged = self._judged(number, line, question, given)
        today = day_of(self.now)
        answered = self._day(number, DATE, line) or today
        last = self._day(number, UNTIL, line) or until(answered, self.defaults.days)
        answer = Answer(
            system=self.system,
            standard=self.standard.name,
            about=question.about,
            subject=question.subject,
            object=question.object,
            verdict=given,
            note=text_of_cell(line[NOTE]),
            files=self._files(number, text_of_cell(line[FILES])),
            by=text_of_cell(line[BY]) or self.defaults.by,
            answered_at=self.now if answered == today else datetime.combine(answered, time(), BEIJING),
            valid_until=last,
            crypto=judged,
        )
        for wrong in wrong_with(answer, self.standard, today):
            self._wrong(number, FIELD_COLUMN[wrong.field], wrong.why)
        return answer

    def _judged(self, number: int, line: list[Any], q: Question, given: Given) -> CryptoJudgement | None:
        """D, A and K and what goes with them; errors where they are written and not asked for."""
        if given != "judged":
            for column in (c for c in self.crypto if text_of_cell(line[c])):
                self._wrong(number, column, f"答 {WORD[given]} 时不写这一格")
            return None
        d, a, k, managed = (self._read(number, c, line, met_named) for c in (*CRYPTO[:3], MANAGED))
        before = q.use.answer.crypto if q.use else None
        return CryptoJudgement(
            d=d,
            a=a,
            k=k,
            strength_bits=self._read(number, STRENGTH, line, lambda w: number_named(w, MOST_BITS)),
            module_level=self._read(number, MODULE, line, lambda w: number_named(w, MOST_MODULE)),
            keys_managed=managed,
            made_up_by=self._helpers(number, text_of_cell(line[HELPERS])),
            added=before is not None and before.added,
        )

    def _read(self, number: int, column: int, line: list[Any], read: Callable[[str], T]) -> T | None:
        try:
            return read(text_of_cell(line[column]))
        except ValueError as error:
            self._wrong(number, column, str(error))
            return None

    def _helpers(self, number: int, text: str) -> tuple[tuple[str, str], ...]:
        found: list[tuple[str, str]] = []
        for part in re.split(r"[;；\n]", text):
            if not part.strip():
                continue
            code, _, name = (word.strip() for word in part.partition("="))
            meant = self.helpers.get((code, name), ())
            if len(meant) == 1:
                found += [(code, uid) for uid in meant]
            else:
                why = f"{code} 里有 {len(meant)} 个对象叫 {name}：写 UID" if meant else "写成 单元=对象，没有"
                self._wrong(number, HELPERS, f"{why} {part.strip()[:80]}" if not meant else why)
        return tuple(found)

    def _day(self, number: int, column: int, line: list[Any]) -> date | None:
        try:
            return day_of_cell(line[column])
        except ValueError as error:
            self._wrong(number, column, str(error))
            return None

    def _files(self, number: int, text: str) -> tuple[AnswerFile, ...]:
        found: dict[str, AnswerFile] = {}
        for name in re.split(r"[;；\n]", text):
            if not name.strip():
                continue
            try:
                file = self.attach(name.strip())
            except ValueError as error:
                self._wrong(number, FILES, str(error))
            else:
                found[file.digest] = file
        return tuple(found.values())

    def _wrong(self, number: int, column: int, why: str) -> None:
        self.errors.append(CellError(cell_name(number, column), why))


def _same(one: Answer, other: Answer, *, until_too: bool) -> bool:
    """Whether two answers say the same, whenever they were given: a book may come in twice."""
    names = ("key", "verdict", "note", "files", "by", "crypto", *(["valid_until"] if until_too else []))
    return all(getattr(one, name) == getattr(other, name) for name in names)
