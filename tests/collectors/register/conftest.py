"""Registers made for the tests: the sheets of tests/data/register as workbooks and folders."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import yaml

from collectors.changes import NOTHING
from collectors.contract import Run, Source
from collectors.register import Options, collect
from inventory.coverage import Batch

DATA = Path(__file__).parents[2] / "data" / "register"
Sheets = dict[str, list[dict[str, Any]]]


@pytest.fixture
def sheets() -> Sheets:
    """Those of the register that is in order."""
    found: Sheets = yaml.safe_load((DATA / "good.yaml").read_text(encoding="utf-8"))
    return found


@pytest.fixture
def workbook(tmp_path: Path) -> Callable[[Sheets], Path]:
    """Writes sheets as a workbook and gives its path."""

    def write(sheets: Sheets) -> Path:
        book = openpyxl.Workbook()
        book.remove(book.active)
        for title, rows in sheets.items():
            sheet = book.create_sheet(title)
            headings = list(dict.fromkeys(heading for row in rows for heading in row))
            sheet.append(headings)
            for row in rows:
                sheet.append([row.get(heading) for heading in headings])
        path = tmp_path / "台账.xlsx"
        book.save(path)
        return path

    return write


@pytest.fixture
def read() -> Callable[..., Batch]:
    """Collects a path as of 22 November 2026 and gives the one batch."""

    def one(path: Path, **given: Any) -> Batch:
        given.setdefault("past", lambda _: NOTHING)
        source = Source(name="taizhang", type="register", options=Options(path=str(path)))
        run = Run(source, now=lambda: datetime(2026, 11, 22, 4, tzinfo=UTC), **given)
        (batch,) = collect(source, run)
        return batch

    return one
