"""``attest`` for 密评: units and objects by D, A and K, on the line, on a terminal, and in a workbook."""

from __future__ import annotations

import json
import os
import re
import shlex
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from inventory.coverage import Batch
from inventory.kinds.network import Device
from inventory.kinds.virtual_network import BalancerListener, LoadBalancer
from inventory.store import open_store
from zhengguan.cli import main

CONFIG = """
store: store.db
systems:
  - name: gate
    title: 边界
    grade: S3A3
    standards: [%s]
    include: [{sources: ["*"]}]
    absent_objects: [terminal, security_device, database, cluster, vm, server]
"""
LB1, LB2 = "cloud1/load_balancer/lb1", "cloud1/load_balancer/lb2"
VERDICT, NOTE, BY, D = 11, 12, 14, 17  # columns of the workbook, from 1


class Office:
    """A folder with a store of a switch and two load balancers (the first plain http), and the program."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self.capsys = capsys
        self.standards("miping")
        plain, good = (BalancerListener(protocol=p, port=80) for p in ("HTTP", "TERMINATED_HTTPS"))
        with open_store(str(folder / "store.db")).writer(datetime.now(UTC)) as writer:
            writer.add(
                Batch(
                    resources=[
                        Device(source="sw1", native_id="sw1", name="sw1", role="switch"),
                        LoadBalancer(source="cloud1", native_id="lb1", name="lb1", listeners=[plain]),
                        LoadBalancer(source="cloud1", native_id="lb2", name="lb2", listeners=[good]),
                    ]
                )
            )

    def standards(self, names: str) -> None:
        (self.folder / "zhengguan.yaml").write_text(CONFIG % names, encoding="utf-8")

    def run(self, *words: str) -> tuple[int, str, str]:
        code = main([words[0], "-c", str(self.folder / "zhengguan.yaml"), *words[1:]])
        captured = self.capsys.readouterr()
        return code, captured.out, captured.err

    def json(self, *words: str) -> Any:
        code, out, err = self.run(*words, "--json")
        assert code == 0, err
        return json.loads(out)

    def answer(self, subject: str, *more: str) -> dict[str, Any]:
        given: dict[str, Any] = self.json("attest", "set", subject, "--note", "查过", "--by", "张三", *more)
        return given

    def unit(self, code: str) -> dict[str, Any]:
        (assessment,) = self.json("check", "--standard", "miping")
        return next(c for c in assessment["controls"] if c.get("code") == code)


@pytest.fixture
def office(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Office:
    return Office(tmp_path, capsys)


FULL = ("--D", "符合", "--A", "符合", "--K", "符合")


def test_a_unit_is_answered_shown_and_taken_back(office: Office) -> None:
    (before,) = office.json("check", "--standard", "miping")
    given = office.answer("NET-03", "--object", LB2, *FULL)
    assert (given["subject"], given["verdict"], given["standard"]) == ("miping/8.2.c", "judged", "miping")
    (after,) = office.json("check", "--standard", "miping")
    assert float(after["score"]["low"]) > float(before["score"]["low"])
    assert after["score"]["high"] == before["score"]["high"]
    _, out, _ = office.run("attest", "show", "NET-03")
    assert "张三：D√ A√ K√" in out
    assert f"负载均衡 lb1（{LB1}）：不符合，D 不符合" in out
    shown = office.run("check", "--standard", "miping")[1]
    assert "人工答复 1 条：采用 1；见 zhengguan attest list" in shown


def test_a_management_unit_is_answered_and_taken_back(office: Office) -> None:
    assert office.answer("POL-01", "--verdict", "部分符合")["verdict"] == "partial"
    assert office.unit("POL-01")["verdict"] == "partial"
    assert office.run("attest", "withdraw", "POL-01", "--by", "李四")[0] == 0
    assert office.unit("POL-01")["verdict"] == "unknown"


def test_a_seen_failure_is_no_pass_whoever_says_so(office: Office) -> None:
    office.answer("8.2.c", "--object", LB1, *FULL)
    office.answer("NET-02", "--verdict", "不适用")
    (assessment,) = office.json("check", "--standard", "miping")
    assert [a["effect"] for a in assessment["answers"]] == ["contradicted", "contradicted"]
    asked = office.json("attest", "list", "--state", "contradicted")
    assert {q["subject"] for q in asked} == {"miping/8.2.c", "miping/8.2.b"}
    shown = office.json("attest", "show", "NET-03")["questions"]
    assert next(q["verdict"] for q in shown if q["object"] == LB1) == "不符合"


def test_an_object_that_only_people_know(office: Office) -> None:
    code, _, err = office.run(
        "attest", "set", "NET-01", "--object", "专线", *FULL, "--note", "x", "--by", "张三"
    )
    assert (code, "加 --add-object" in err) == (2, True)
    office.answer("NET-01", "--object", "专线", *FULL, "--add-object")
    office.answer("NET-01", "--object", "专线", "--D", "不符合")  # still there, and said anew
    shown = office.json("attest", "show", "NET-01")["questions"]
    assert next(q["verdict"] for q in shown if q["object"] == "专线") == "不符合"
    code, _, err = office.run("attest", "set", "NET-01", "--object", "专线", "--verdict", "不适用",
                              "--note", "x", "--by", "张三")  # fmt: skip
    assert (code, "withdraw" in err) == (2, True)


def test_what_makes_up_for_another_is_a_persons_to_say(office: Office) -> None:
    office.answer("NET-03", "--object", LB2, *FULL)
    office.answer("APP-04", "--object", "数据", "--D", "不符合", "--made-up-by", f"NET-03={LB2}")
    (assessment,) = office.json("check", "--standard", "miping")
    unit = next(u for layer in assessment["score"]["layers"] for u in layer["units"] if u["code"] == "APP-04")
    assert (unit["low"], unit["high"]) == ("0.5000", "0.5000")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["NET-99", *FULL], "没有要求项"),
        (["NET-01", "--verdict", "符合"], "只能答 分项判定、不适用"),
        (["NET-01", "--verdict", "不适用", "--D", "符合"], "不写 --D"),
        (["NET-01", "--D", "也许"], "写 符合 或 不符合"),
        (["NET-01", *FULL, "--strength", "-1"], "0–1024"),
        (["NET-01", *FULL, "--made-up-by", "lb2"], "写成 单元=对象"),
        (["NET-01", *FULL, "--made-up-by", "NET-03=lb2"], "没有可作弥补的对象"),
        (["NET-01", *FULL, "--object", LB1, "--add-object"], "清单里已有"),
        (["POL-01", *FULL], "管理单元按整体判定"),
        (["POL-01", "--verdict", "符合", "--object", LB1], "管理单元按整体判定"),
        (["7.2.a", *FULL], "没有这一项"),
        (["HR-NET-01", "--verdict", "已缓解"], "不允许缓解"),
    ],
)
def test_what_cannot_be_recorded_is_told_in_one_line(office: Office, words: list[str], said: str) -> None:
    code, _, err = office.run("attest", "set", *words, "--note", "x", "--by", "张三")
    assert (code, err.count("\n")) == (2, 1)
    assert said in err
    assert open_store(str(office.folder / "store.db")).answers() == []


def test_list_goes_by_the_systems_own_standards(office: Office) -> None:
    assert {q["standard"] for q in office.json("attest", "list")} == {"miping"}
    office.standards("dengbao, miping")
    assert {q["standard"] for q in office.json("attest", "list")} == {"dengbao", "miping"}
    assert {q["standard"] for q in office.json("attest", "list", "--standard", "miping")} == {"miping"}


def test_an_id_is_looked_for_in_each_standard_of_the_system(office: Office) -> None:
    office.standards("dengbao, miping")
    assert office.answer("POL-01", "--verdict", "符合")["standard"] == "miping"
    assert office.answer("8.1.6.1.a", "--verdict", "符合")["standard"] == "dengbao"
    assert len(office.json("attest", "show", "POL-01")["history"]) == 1


def test_the_terminal_asks_for_d_a_and_k(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    master, slave = os.openpty()
    typed = ["张三", "1", "符合", "也许", "不符合", "符合", "128", "查过配置", "", ""]
    os.write(master, "".join(f"{line}\n" for line in typed).encode())
    with os.fdopen(slave, encoding="utf-8") as terminal:
        monkeypatch.setattr("sys.stdin", terminal)
        code, out, err = office.run("attest", "set", "PHY-01")
    os.close(master)
    assert (code, "记录了 1 条答复" in out, "写 符合 或 不符合" in err) == (0, True, True)
    (given,) = office.json("attest", "show", "PHY-01")["history"]
    assert {k: given["crypto"].get(k) for k in ("d", "a", "k", "strength_bits")} == {
        "d": True, "a": False, "k": True, "strength_bits": 128,
    }  # fmt: skip


def fill(path: Path, **rows: dict[int, str]) -> None:
    """Answer rows of a workbook as an office would, found by the unit's code."""
    book = openpyxl.load_workbook(path)
    sheet = book["答复"]
    for code, cells in rows.items():
        number = next(
            n
            for n in range(2, sheet.max_row + 1)
            if str(sheet.cell(n, 3).value).startswith(code.replace("_", "-"))
            and sheet.cell(n, 8).value == "整个系统"
        )
        for column, value in {NOTE: "查过", BY: "王五", **cells}.items():
            sheet.cell(number, column).value = value
    book.save(path)


def test_a_workbook_goes_out_and_comes_back(office: Office) -> None:
    path = office.folder / "密评待答.xlsx"
    assert office.json("attest", "export", str(path))["rows"] > 40
    sheet = openpyxl.load_workbook(path)["答复"]
    heads = [cell.value for cell in sheet[1]]
    assert heads[16:] == ["D", "A", "K", "安全强度（比特）", "密码模块等级", "密钥管理其余要求", "弥补者"]
    free = {str(c.value): [not sheet.cell(n, k).protection.locked for k in range(D, D + 7)]
            for n, c in enumerate(sheet["C"], 1)}  # fmt: skip
    assert free["NET-01 8.2 a)"] == [True] * 7
    assert free["POL-01 8.5 a)"] == [False] * 7
    fill(
        path,
        NET_03={D: "符合", D + 1: "不符合", D + 2: "符合", D + 3: "128"},
        APP_04={D: "不符合", D + 6: "NET-03=负载均衡 lb2"},
        PHY_02={VERDICT: "不适用"},
        POL_01={VERDICT: "符合"},
    )
    recorded = office.json("attest", "import", str(path))["recorded"]
    by_id = {a["subject"]: a for a in recorded}
    assert by_id["miping/8.2.c"]["crypto"]["strength_bits"] == 128
    assert by_id["miping/8.4.d"]["crypto"]["made_up_by"] == [["NET-03", LB2]]
    assert [by_id[f"miping/{x}"]["verdict"] for x in ("8.1.b", "8.5.a")] == ["not_applicable", "pass"]
    again = office.json("attest", "import", str(path))
    assert (again["recorded"], again["unchanged"]) == ([], 4)
    # lb2 D√ A× K√ 0.5, channels the same, lb1 0: 1/3
    assert office.unit("NET-03")["verdict"] == "partial"


def test_a_workbook_with_one_wrong_cell_records_nothing(office: Office) -> None:
    path = office.folder / "a.xlsx"
    office.run("attest", "export", str(path))
    fill(
        path,
        NET_01={D: "也许"},
        NET_02={D: "符合", D + 3: "many"},
        NET_03={D: "符合", D + 6: "NET-01=谁"},
        POL_01={VERDICT: "符合", D: "符合"},
        POL_02={VERDICT: "分项判定"},
        PHY_01={VERDICT: "不适用", D + 4: "1"},
    )
    code, _, err = office.run("attest", "import", str(path))
    assert (code, "一条也没有导入" in err) == (2, True)
    for cell, said in (("Q", "写 符合 或 不符合"), ("T", "0–1024"), ("W", "NET-01=谁"), ("Q", "不写这一格"),
                       ("K", "可答"), ("U", "不写这一格")):  # fmt: skip
        assert any(line.startswith(f"  答复!{cell}") and said in line for line in err.splitlines()), (
            cell,
            said,
        )
    assert open_store(str(office.folder / "store.db")).answers() == []
    other = office.run("attest", "import", str(path), "--standard", "dengbao")
    assert "工作簿是标准 miping 的，不是 dengbao" in other[2]


def test_the_report_tells_who_said_what(office: Office) -> None:
    office.answer("NET-03", "--object", LB2, *FULL)
    office.answer("HR-NET-03", "--verdict", "已缓解")
    code, out, _ = office.run("report", "miping", "--format", "html", "--out", str(office.folder / "out"))
    assert (code, "已写出" in out) == (0, True)
    (page,) = (office.folder / "out").glob("*.html")
    text = page.read_text(encoding="utf-8")
    for said in (
        "附录 C 人工答复、证据与例外",
        "NET-03 8.2 c)",
        "D√ A√ K√",
        "命中，已由人确认缓解",
        "由人确认缓解 1 个",
    ):
        assert said in text


def test_the_commands_of_the_page_work(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    page = (Path(__file__).parents[2] / "docs" / "answers.md").read_text(encoding="utf-8")
    (script,) = re.findall(r"^```sh miping\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
    config = office.folder / "zhengguan.yaml"
    config.write_text(config.read_text(encoding="utf-8").replace("name: gate", "name: web"), encoding="utf-8")
    monkeypatch.chdir(office.folder)
    for line in script.splitlines():
        program, command, *words = shlex.split(line)
        code, out, err = office.run(command, *words)
        assert (program, code, err) == ("zhengguan", 0, ""), line
    assert "人工答复 5 条：采用 4，与机器所见不符 1" in out
