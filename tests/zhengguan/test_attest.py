"""``attest`` as an office uses it: answered by flags or on a terminal, shown, taken back, never lost."""

from __future__ import annotations

import json
import os
import re
import shlex
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from inventory.coverage import Batch
from inventory.kinds.network import Device
from inventory.store import open_store
from zhengguan.cli import main

CONFIG = """
store: store.db
systems:
  - name: gate
    title: 边界
    grade: S3A3
    include: [{sources: ["*"]}]
"""
MANUAL = "dengbao/8.1.6.1.a"


class Office:
    """A folder with a store of two switches, and the program in it."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self.capsys = capsys
        (folder / "zhengguan.yaml").write_text(CONFIG, encoding="utf-8")
        store = open_store(str(folder / "store.db"))
        switches = [Device(source=n, native_id=n, name=n, role="switch") for n in ("sw1", "sw2")]
        with store.writer(datetime.now(UTC)) as writer:
            writer.add(Batch(resources=switches))
        store.close()

    def run(self, *words: str) -> tuple[int, str, str]:
        code = main([words[0], "-c", str(self.folder / "zhengguan.yaml"), *words[1:]])
        captured = self.capsys.readouterr()
        return code, captured.out, captured.err

    def json(self, *words: str) -> Any:
        code, out, err = self.run(*words, "--json")
        assert code == 0, err
        return json.loads(out)

    def verdict(self, control: str = MANUAL) -> tuple[str, str]:
        (assessment,) = self.json("check")
        return next((c["verdict"], c["origin"]) for c in assessment["controls"] if c["id"] == control)

    def answer(self, *more: str, subject: str = "8.1.6.1.a", verdict: str = "符合") -> dict[str, Any]:
        given: dict[str, Any] = self.json(
            "attest", "set", subject, "--verdict", verdict, "--note", "查过", "--by", "张三", *more
        )
        return given


@pytest.fixture
def office(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Office:
    return Office(tmp_path, capsys)


def test_an_answer_closes_a_control_and_can_be_taken_back(office: Office) -> None:
    before = office.json("check")[0]["score"]
    given = office.answer()
    assert (given["id"], given["subject"], given["verdict"], given["by"]) == (1, MANUAL, "pass", "张三")
    (checked,) = office.json("check")
    found = next(c for c in checked["controls"] if c["id"] == MANUAL)
    assert (found["verdict"], found["origin"]) == ("pass", "person")
    after = checked["score"]
    assert float(after["low"]) > float(before["low"])
    assert float(after["high"]) == float(before["high"])
    code, out, _ = office.run("attest", "withdraw", "8.1.6.1.a", "--by", "李四", "--note", "制度过期")
    assert (code, "撤回" in out) == (0, True)
    assert office.verdict() == ("unknown", "none")
    history = office.json("attest", "show", MANUAL)["history"]
    assert [(a["id"], a["verdict"], a["by"]) for a in history] == [
        (1, "pass", "张三"),
        (2, "withdrawn", "李四"),
    ]
    assert office.run("attest", "withdraw", MANUAL, "--by", "李四")[0] == 2


def test_a_system_that_is_checked_for_cryptography_only_can_be_answered_for(office: Office) -> None:
    config = office.folder / "zhengguan.yaml"
    config.write_text(CONFIG + "    standards: [miping]\n    miping_level: 3\n", encoding="utf-8")
    code, _, err = office.run("attest", "list")
    assert code == 0, err
    assert office.answer()["verdict"] == "pass"


def test_evidence_is_kept_and_comes_back(office: Office) -> None:
    paper = office.folder / "纪要.pdf"
    paper.write_bytes(b"%PDF-1.7 \x00\xff")
    (file,) = office.answer("--evidence", str(paper), "--evidence", str(paper))["files"]
    paper.unlink()
    _, out, _ = office.run("attest", "show", MANUAL)
    assert "纪要.pdf" in out
    assert file["digest"] in out
    back = office.folder / "back.pdf"
    assert office.run("attest", "file", file["digest"][:12], "-o", str(back))[0] == 0
    assert back.read_bytes() == b"%PDF-1.7 \x00\xff"
    assert office.run("attest", "file", "00")[0] == 2
    os.truncate(office.folder / "store.db", (office.folder / "store.db").stat().st_size)
    big = office.folder / "big"
    big.touch()
    os.truncate(big, 2 * 1024**3)
    code, _, err = office.run(
        "attest", "set", MANUAL, "--verdict", "符合", "--by", "张三", "--evidence", str(big)
    )
    assert (code, "太大" in err) == (2, True)
    assert len(office.json("attest", "show", MANUAL)["history"]) == 1


def test_an_answer_on_one_object(office: Office) -> None:
    control = "dengbao/8.1.3.2.c"
    office.answer("--object", "sw1/device/sw1", subject=control, verdict="不符合")
    shown = {q["object"]: q for q in office.json("attest", "show", control)["questions"]}
    assert shown["sw1/device/sw1"]["verdict"] == "不符合"
    assert shown["sw1/device/sw1"]["state"] == "answered"
    assert shown["sw2/device/sw2"]["state"] == "open"
    assert office.verdict(control) == ("fail", "person")


def test_what_is_open_what_is_answered_and_what_ends_soon(office: Office) -> None:
    asked = office.json("attest", "list")
    assert {q["state"] for q in asked} == {"open"}
    by_id = {q["subject"]: q for q in asked}
    assert by_id[MANUAL]["text"] == "是否做到：有总体方针和安全策略文件？"
    assert by_id["6.1.1.1"]["about"] == "case"
    soon = (datetime.now(UTC) + timedelta(days=10)).date().isoformat()
    office.answer("--until", soon)
    office.answer(subject="8.1.6.2.a")
    assert [q["subject"] for q in office.json("attest", "list", "--state", "expiring")] == [MANUAL]
    assert [q["subject"] for q in office.json("attest", "list", "--state", "answered")] == [
        "dengbao/8.1.6.2.a"
    ]
    assert len(office.json("attest", "list", "--state", "open")) == len(asked) - 2
    _, out, _ = office.run("attest", "list")
    assert "即将到期 1" in out
    assert "张三" in out


def test_a_high_risk_is_confirmed_by_a_person(office: Office) -> None:
    office.answer(subject="6.1.1.1", verdict="已缓解")
    (assessment,) = office.json("check")
    risk = next(h for h in assessment["high_risks"] if h["case"] == "6.1.1.1")
    assert (risk["state"], "张三" in risk["confirmed"]) == ("mitigated", True)
    office.answer(subject="6.1.1.1", verdict="不存在")
    (assessment,) = office.json("check")
    assert "6.1.1.1" not in {h["case"] for h in assessment["high_risks"]}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["8.1.6.1.z", "--verdict", "符合"], "没有要求项"),
        ([MANUAL, "--verdict", "基本符合"], "可答：符合、部分符合、不符合、不适用"),
        ([MANUAL], "缺少 --verdict"),
        (["--verdict", "符合"], "缺少编号"),
        ([MANUAL, "--verdict", "符合"], "说明或证据文件"),
        ([MANUAL, "--verdict", "符合", "--note", "x", "--until", "2020-01-01"], "已过"),
        ([MANUAL, "--verdict", "符合", "--note", "x", "--until", "明年"], "写成 2026-11-22"),
        ([MANUAL, "--verdict", "符合", "--note", "x", "--object", "sw9/device/sw9"], "没有对象"),
        (["7.1.6.1.a", "--verdict", "符合", "--note", "x"], "它的等级用 dengbao/8.1.6.1.a"),
        (["6.1.1.1", "--verdict", "符合", "--note", "x"], "只能答 不存在"),
        ([MANUAL, "--verdict", "符合", "--note", "x", "--system", "gat"], "gate"),
    ],
)
def test_what_cannot_be_recorded_is_told_in_one_line(office: Office, words: list[str], said: str) -> None:
    code, _, err = office.run("attest", "set", *words, "--by", "张三")
    assert (code, err.count("\n")) == (2, 1)
    assert said in err
    assert open_store(str(office.folder / "store.db")).answers() == []


def test_the_terminal_asks_one_by_one_and_keeps_each_answer(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    paper = office.folder / "a.txt"
    paper.write_text("证据", encoding="utf-8")
    subjects = [q["subject"] for q in office.json("attest", "list")][:3]
    master, slave = os.openpty()
    typed = [
        "张三",
        "1", "现场看过\x1b[31m", f"{paper}；", "",  # 符合, with evidence, for a year
        "",  # skipped
        "不适用", "", "", "",  # refused: no reason
        "没有这类设备", "", "2026-13-01", "y",  # a day that is none, and once more
        "没有这类设备", "", "",
        "q",
    ]  # fmt: skip
    os.write(master, "".join(f"{line}\n" for line in typed).encode())
    with os.fdopen(slave, encoding="utf-8") as terminal:
        monkeypatch.setattr("sys.stdin", terminal)
        code, out, err = office.run("attest", "set")
    os.close(master)
    assert code == 0
    assert "[1/" in out
    assert "记录了 2 条答复" in out
    assert "要写说明" in err
    first, skipped, third = (office.json("attest", "show", s)["history"] for s in subjects)
    assert [(a["verdict"], a["by"], len(a["files"])) for a in first] == [("pass", "张三", 1)]
    assert skipped == []
    assert [(a["verdict"], a["note"]) for a in third] == [("not_applicable", "没有这类设备")]
    assert "\x1b" not in office.run("attest", "show", subjects[0])[1]


def fill(path: Path, *rows: tuple[int, str, str, str]) -> None:
    """Answer rows of a workbook as an office would: (row, verdict, note, evidence)."""
    book = openpyxl.load_workbook(path)
    for number, verdict, note, files in rows:
        for column, value in ((11, verdict), (12, note), (13, files), (14, "王五")):
            book["答复"].cell(number, column).value = value
    book.save(path)


def test_a_workbook_goes_out_and_comes_back(office: Office) -> None:
    path = office.folder / "待答.xlsx"
    assert office.json("attest", "export", str(path))["rows"] > 100
    (office.folder / "门禁.jpg").write_bytes(b"\xff\xd8")
    fill(path, (2, "符合", "机房在三层", "门禁.jpg"), (3, "不适用", "没有机房", ""))
    assert office.json("attest", "import", str(path), "--dry-run")["unchanged"] == 0
    assert len(open_store(str(office.folder / "store.db")).answers()) == 0
    recorded = office.json("attest", "import", str(path))["recorded"]
    assert [(a["verdict"], a["by"], len(a["files"])) for a in recorded] == [
        ("pass", "王五", 1),
        ("not_applicable", "王五", 0),
    ]
    again = office.json("attest", "import", str(path))
    assert (again["recorded"], again["unchanged"]) == ([], 2)


def test_a_workbook_with_one_wrong_cell_records_nothing(office: Office) -> None:
    path = office.folder / "a.xlsx"
    office.run("attest", "export", str(path))
    big = office.folder / "big.bin"
    big.touch()
    os.truncate(big, 2 * 1024**3)
    (office.folder / "link").symlink_to("/etc/passwd")
    fill(
        path,
        (2, "符合", "看过", ""),
        (3, "符合", "看过", "big.bin"),
        (4, "符合", "看过", "../a"),
        (5, "符合", "看过", "link"),
        (6, "也许", "看过", ""),
    )
    code, _, err = office.run("attest", "import", str(path))
    assert code == 2
    for cell, said in (("M3", "太大"), ("M4", "不写路径"), ("M5", "读不出"), ("K6", "可答")):
        assert any(f"答复!{cell}：" in line and said in line for line in err.splitlines()), cell
    assert "4 处不对，一条也没有导入" in err
    assert open_store(str(office.folder / "store.db")).answers() == []


def test_what_is_not_our_workbook_is_refused(office: Office) -> None:
    path = office.folder / "a.xlsx"
    office.run("attest", "export", str(path))
    other = path.rename(office.folder / "a.xlsm")
    assert "不是 .xlsx" in office.run("attest", "import", str(other))[2]
    big = office.folder / "b.xlsx"
    big.touch()
    os.truncate(big, 2 * 1024**3)
    assert "太大" in office.run("attest", "import", str(big))[2]
    other.rename(path)
    config = office.folder / "zhengguan.yaml"
    config.write_text(
        config.read_text(encoding="utf-8").replace("name: gate", "name: door"), encoding="utf-8"
    )
    assert "系统 gate 的，配置里没有它" in office.run("attest", "import", str(path))[2]


def test_the_commands_of_the_page_work(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    page = (Path(__file__).parents[2] / "docs" / "answers.md").read_text(encoding="utf-8")
    (script,) = re.findall(r"^```sh answers\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
    config = office.folder / "zhengguan.yaml"
    config.write_text(config.read_text(encoding="utf-8").replace("name: gate", "name: web"), encoding="utf-8")
    (office.folder / "strategy.pdf").write_bytes(b"%PDF")
    monkeypatch.chdir(office.folder)
    told = []
    for line in script.splitlines():
        program, command, *words = shlex.split(line)
        assert program == "zhengguan"
        code, out, err = office.run(command, *words)
        assert (code, err) == (0, "")
        told.append(out)
    assert "已记录 #1" in told[1]
    assert "strategy.pdf" in told[2]
    assert "人工答复 1 条：采用 1；" in told[3]
