"""``zhengguan register``, and the way of a register from the template to findings, as its page shows it."""

from __future__ import annotations

import json
import re
import shlex
from datetime import date
from pathlib import Path

import openpyxl
import pytest
import yaml

from zhengguan.cli import main

TESTS = Path(__file__).parents[1]


def filled(path: Path, name: str = "bad") -> None:
    """Fill a template in as an office does: its own headings, below them the rows of a sheet."""
    sheets = yaml.safe_load((TESTS / "data" / "register" / f"{name}.yaml").read_text(encoding="utf-8"))
    book = openpyxl.load_workbook(path)
    for title, rows in sheets.items():
        headings = [cell.value for cell in book[title][1]]
        for row in rows:
            book[title].append([row.get(heading) for heading in headings])
    book.save(path)


def test_the_commands_of_the_page_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = (TESTS.parent / "docs" / "register.md").read_text(encoding="utf-8")
    (script,) = re.findall(r"^```sh register\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
    (config,) = re.findall(r"^```yaml\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
    (tmp_path / "zhengguan.yaml").write_text(config, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    told = []
    for line in script.splitlines():
        program, *words = shlex.split(line)
        assert program == "zhengguan"
        assert main(words) == 0
        told.append(capsys.readouterr().out)
        if words[1] == "template":
            filled(tmp_path / "台账.xlsx")
    assert "定期工作：10 行" in told[1]
    assert "渗透测试" in told[3]
    assert "backup-plan-not-off-site" in told[4]


def test_lint_names_every_cell_and_ends_as_wrong_usage(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "台账.xlsx"
    assert main(["register", "template", str(path)]) == 0
    filled(path, "good")
    assert main(["register", "lint", str(path)]) == 0
    book = openpyxl.load_workbook(path)
    book["安全产品"]["D3"] = 7
    book["安全产品"]["E3"] = "也许"
    book["离岗离场"]["D2"] = date(2199, 1, 1)
    book.save(path)
    capsys.readouterr()
    assert main(["register", "lint", str(path), "--json"]) == 2
    out, err = capsys.readouterr()
    told = json.loads(out)
    assert told["errors"] == [
        "安全产品!E3：写 是 或 否，而不是 也许",
        "离岗离场!D2：日期要在 2000 年到 2100 年之间，而不是 2199-01-01",
    ]
    assert told["rows"]["接入授权"] == 5
    assert "2 处不对" in err


def test_a_file_that_is_there_is_not_written_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "台账.xlsx"
    path.write_bytes(b"years of work")
    assert main(["register", "template", str(path)]) == 2
    assert path.read_bytes() == b"years of work"
    assert "已经存在" in capsys.readouterr().err
    assert main(["register", "template", str(path), "--force"]) == 0
    assert main(["register", "template", str(tmp_path / "台账.xls")]) == 2
    assert main(["register", "lint", str(tmp_path / "没有.xlsx")]) == 2
