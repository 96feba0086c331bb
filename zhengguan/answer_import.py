"""Taking back a workbook of answers: read whole, checked whole, recorded in one transaction or not at all."""

from __future__ import annotations

from pathlib import Path

from inventory.answers import Answer, AnswerFile
from policies.assessment import Assessment
from policies.questions import objects_of, questions
from reports.answer_book import Book, BookError, CellError, Defaults, open_book, read_book
from zhengguan.desk import Desk
from zhengguan.errors import UserError
from zhengguan.evidence_files import read_evidence
from zhengguan.loop import STANDARD_TITLE, answers_of

_BOOK_MIB = 10
_EVIDENCE_MIB = 200
"""Evidence of one workbook, all files together."""


def import_book(
    desk: Desk, path: Path, folder: Path, *, by: str, dry: bool, named: str = ""
) -> tuple[list[Answer], int]:
    """The answers recorded (with ``dry``: that would be), and how many rows said nothing new.

    ``folder`` is where evidence lies; the book tells its standard, which must be the one ``named``, if any.
    Raises BookError with every error by cell, UserError for a file that cannot be read.
    """
    if path.suffix.lower() != ".xlsx":
        raise UserError(f"{path} 不是 .xlsx", remedy="宏工作簿、.xls 和 CSV 都不导入；用导出的那一本")
    _, content = read_evidence(path, _BOOK_MIB)
    book = _opened(content)
    known = [system.name for system in desk.config.systems]
    system = book.meta.get("system", "")
    if system not in known:
        raise BookError([CellError("", f"工作簿是系统 {system} 的，配置里没有它（有：{'、'.join(known)}）")])
    standard = book.meta.get("standard", "")
    if standard not in STANDARD_TITLE or (named and standard != named):
        have = named or "、".join(STANDARD_TITLE)
        raise BookError([CellError("", f"工作簿是标准 {standard} 的，不是 {have}")])
    desk.turn_to(standard)
    last = max((a.id for a in answers_of(desk.store)), default=0)
    assessment = desk.before(desk.config.system(system))
    evidence = _Evidence(folder, desk.config.policies.answers.file_mib)
    returned = read_book(
        book,
        questions(assessment, desk.standard, every=book.subjects()),
        desk.standard,
        desk.now,
        Defaults(by=by, days=desk.config.policies.answers.valid_days),
        evidence.attach,
        _helpers(assessment),
    )
    if dry:
        return returned.answers, returned.unchanged
    recorded = desk.record(returned.answers, evidence.contents, unless_after=last)
    return recorded, returned.unchanged


def _helpers(assessment: Assessment) -> dict[tuple[str, str], set[str]]:
    """What a unit's code and a name, or a uid, may mean."""
    found: dict[tuple[str, str], set[str]] = {}
    codes = {c.control.id: c.control.code for c in assessment.controls}
    for control, objects in objects_of(assessment).items():
        for uid, name in objects.items():
            for word in (uid, name):
                found.setdefault((codes[control], word), set()).add(uid)
    return found


def _opened(content: bytes) -> Book:
    try:
        return open_book(content)
    except ModuleNotFoundError as error:
        raise UserError("读工作簿要用 openpyxl", remedy="pip install 'zhengguan[answers]'") from error


class _Evidence:
    """Files of one folder by the names a workbook gives them, each read once."""

    def __init__(self, folder: Path, limit_mib: int) -> None:
        self._folder = folder
        self._limit_mib = limit_mib
        self._found: dict[str, AnswerFile] = {}
        self.contents: dict[str, bytes] = {}

    def attach(self, name: str) -> AnswerFile:
        """The file of this name. Raises ValueError: no plain name, not there, too large."""
        if name not in self._found:
            if name in (".", "..") or any(c in name for c in "/\\\0") or not name.isprintable():
                raise ValueError(f"证据写文件名，不写路径：{name[:80]}")
            try:
                file, content = read_evidence(self._folder / name, self._limit_mib, follow=False)
            except UserError as error:
                raise ValueError(error.what) from error
            if sum(map(len, self.contents.values())) + len(content) > _EVIDENCE_MIB * 1024 * 1024:
                raise ValueError(f"证据合计超过 {_EVIDENCE_MIB} MiB")
            self._found[name] = file
            self.contents[file.digest] = content
        return self._found[name]
