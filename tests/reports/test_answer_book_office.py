"""LibreOffice, as offices use it, opens the answer book and saves it; what comes back is read."""

from __future__ import annotations

import io
import shutil
import subprocess
from datetime import UTC, date, datetime
from pathlib import Path

import openpyxl
import pytest

from policies.assessment import Assessment
from policies.questions import questions
from policies.standards import load_standard
from reports.answer_book import Defaults, open_book, read_book, write_book
from reports.answer_book.layout import BY, DATE, NOTE, SHEET, VERDICT

pytestmark = pytest.mark.lab
NOW = datetime(2026, 11, 22, 2, tzinfo=UTC)


def test_what_libreoffice_saved_is_read(assessment: Assessment, tmp_path: Path) -> None:
    if shutil.which("soffice") is None:
        pytest.fail("soffice is not here: apt-get install libreoffice-calc-nogui")
    dengbao = load_standard("dengbao")
    asked = questions(assessment, dengbao)
    book = openpyxl.load_workbook(io.BytesIO(write_book(assessment, asked, NOW)))
    for column, value in ((VERDICT, "符合"), (NOTE, "现场看过"), (BY, "王五"), (DATE, date(2026, 11, 20))):
        book[SHEET].cell(2, column + 1).value = value
    book.save(tmp_path / "filled.xlsx")
    subprocess.run(
        ["soffice", "--headless", f"-env:UserInstallation=file://{tmp_path}/profile", "--convert-to", "xlsx",
         "--outdir", str(tmp_path / "saved"), str(tmp_path / "filled.xlsx")],
        check=True, capture_output=True, timeout=180,
    )  # fmt: skip
    saved = open_book((tmp_path / "saved" / "filled.xlsx").read_bytes())

    def none(name: str) -> None:
        raise ValueError(name)

    (answer,) = read_book(saved, asked, dengbao, NOW, Defaults(by="", days=365), none).answers  # type: ignore[arg-type]
    assert (answer.subject, answer.verdict, answer.note, answer.by) == (
        "dengbao/8.1.1.1.a",
        "pass",
        "现场看过",
        "王五",
    )
    assert answer.answered_at.date() == date(2026, 11, 20)
