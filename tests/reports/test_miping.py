"""The 密评 self-check: what it says, what it must never say, and that it agrees with itself."""

from __future__ import annotations

import io
from datetime import date
from decimal import Decimal
from importlib import import_module

import docx
import msgspec
import pytest

from policies.assessment import Assessment, ExceptionUse, PolicyException, Priority
from policies.crypto import CryptoScore
from policies.outcome import Rule
from policies.scoring.method import rounded
from policies.scoring.points import points
from policies.verdict import Verdict
from reports.document import Cell, Document, Facts, Heading, Paragraph, Table
from reports.miping import miping
from reports.miping.wording import FIRST, HIGH_RISKS, LAYERS, PARAMETERS, PROBLEMS, RESULT, UNITS, UNKNOWNS
from reports.render_docx import render_docx
from reports.render_html import render_html
from reports.visible import visible


@pytest.fixture
def score(crypto_assessment: Assessment) -> CryptoScore:
    assert isinstance(crypto_assessment.score, CryptoScore)
    return crypto_assessment.score


@pytest.fixture
def document(crypto_assessment: Assessment, crypto_rules: list[Rule]) -> Document:
    return miping(crypto_assessment, created_at=crypto_assessment.taken_at, rules=crypto_rules)


def text(cell: str | Cell) -> str:
    return cell if isinstance(cell, str) else cell.text


def table(document: Document, caption: str) -> list[list[str]]:
    found = next(b for b in document.blocks if isinstance(b, Table) and b.caption == caption)
    return [[text(c) for c in row] for row in found.rows]


def fact(document: Document, label: str) -> str:
    rows = [row for b in document.blocks if isinstance(b, Facts) for row in b.rows]
    return text(next(value for name, value in rows if name.startswith(label)))


def test_chapters_stand_in_the_order_of_the_template(document: Document) -> None:
    chapters = [b.text for b in document.blocks if isinstance(b, Heading) and b.level == 1]
    assert chapters == [
        "自查概要", "总体评价", "安全问题及改进建议", "目录", "1 自查项目概述", "2 被测系统情况",
        "3 自查范围与方法", "4 单元测评", "5 整体测评", "6 风险分析", "7 自查初判",
        "附录 A 测评结果记录", "附录 B 采集覆盖与未见数据", "附录 C 人工答复、证据与例外",
    ]  # fmt: skip
    captions = [b.caption for b in document.blocks if isinstance(b, Table) and b.caption.startswith("表")]
    assert len(set(captions)) == len(captions)


def test_it_is_a_self_check_and_no_conclusion(document: Document) -> None:
    assert document.title == "商用密码应用安全性自查报告（技术项自动核查）"
    said = [b.text for b in document.blocks if isinstance(b, Paragraph)]
    assert "不是商用密码应用安全性评估（密评）结论" in said[0]
    assert "本章是自查初判，不是商用密码应用安全性评估结论。" in said
    assert "测评报告" not in document.title


def test_the_range_is_the_same_wherever_it_stands(document: Document, score: CryptoScore) -> None:
    told = f"{score.low}分 ～ {score.high}分"
    assert fact(document, "得分区间（2023 版规则）").startswith(told)
    assert dict(table(document, RESULT))["得分区间"] == told
    assert any(
        b.text.startswith(f"{told}（2023 版规则）") for b in document.blocks if isinstance(b, Paragraph)
    )
    assert {row[0]: row[2] for row in table(document, LAYERS)} == {
        x.title: f"{x.low} ～ {x.high}" if x.low != x.high else str(x.low) for x in score.layers
    }


def test_every_unit_is_counted_once_everywhere(document: Document, score: CryptoScore) -> None:
    codes = [u.code for layer in score.layers for u in layer.units]
    assert [row[0] for row in table(document, UNITS)] == codes
    recorded = [
        row[0].partition(" ")[0]
        for b in document.blocks
        if isinstance(b, Table) and b.caption.startswith("表 A-")
        for row in [[text(c) for c in r] for r in b.rows]
    ]
    assert list(dict.fromkeys(recorded)) == codes
    worth = points(score)
    assert {row[0]: row[6] for row in table(document, UNITS) if row[6] != "—"} == {
        code: str(rounded(p.share, 2)) for code, p in worth.items()
    }
    told = fact(document, "测评单元")
    assert told == "共 41 个：符合 1，部分符合 1，不符合 4，不适用 2，未查明 33"


def test_d_a_k_of_each_object_are_recorded(document: Document, hostile: str) -> None:
    rows = {(row[0][:6], row[1]): row for row in table(document, "表 A-2 测评结果记录：网络和通信安全")}
    assert rows["NET-01", f"负载均衡 {hostile}"][3:7] == ["×", "/", "/", "0.0000"]
    assert rows["NET-03", "负载均衡 lb-two"][3:7] == ["√", "√", "√", "1.0000"]
    devices = {(row[0][:6], row[1]): row for row in table(document, "表 A-3 测评结果记录：设备和计算安全")}
    assert devices["DEV-02", "core-sw-01"][3:6] == ["×", "/", "/"]
    assert devices["DEV-02", "jump-01"][3:7] == ["？", "×", "？", "0.0000 ～ 0.5000"]
    assert devices["DEV-02", "jump-01"][2].startswith("A 不符合：SSH 不得用已被攻破的加密算法")
    data = table(document, "表 A-4 测评结果记录：应用和数据安全")
    assert ["（未清点）数据", "待人工清点", "？", "？", "？", "0 ～ 1", "0 ～ 1"] in [row[1:] for row in data]
    clue = next(row for row in data if row[0].startswith("APP-05") and row[1] == "city-cloud（租户侧）")
    assert clue[2:7] == ["线索：云硬盘应当加密；不能据此判定本单元", "—", "—", "—", "不计"]


def test_what_made_up_for_what_is_told(document: Document) -> None:
    ((weak, strong, before, after),) = table(document, "表 5-1 测评结果修正")
    assert (weak, before, after) == ("APP-04 数据", "0.0000", "0.5000")
    assert strong == "NET-03 city-cloud/load_balancer/lb2"


def test_unknowns_come_with_a_way_to_learn_them(document: Document, score: CryptoScore) -> None:
    rows = {row[0]: row for row in table(document, UNKNOWNS)}
    opened = {u.code for x in score.layers for u in x.units if u.low is not None and not u.decided}
    assert set(rows) == opened
    assert "APP-04" not in rows
    assert rows["DEV-02"][2].endswith("未清点：容器集群、core-sw-01 的网络与安全设备")
    assert rows["DEV-02"][5] == "查密码产品认证证书（编号、有效期、模块等级）"
    assert rows["POL-02"][2:4] == ["整个单元", "查制度、记录，访谈有关人员"]
    gains = [float(row[6].removesuffix(" 分")) for row in table(document, UNKNOWNS)]
    assert gains == sorted(gains, reverse=True)


def test_problems_and_high_risks_name_each_other(document: Document) -> None:
    problems = {row[0]: row for row in table(document, PROBLEMS)}
    cases = {row[0]: row for row in table(document, HIGH_RISKS)}
    telnet = next(row for row in problems.values() if "Telnet" in row[1])
    assert telnet[3].split("\n") == ["DEV-01", "DEV-02"]
    assert "HR-DEV-02" in telnet[4]
    assert cases["HR-DEV-02"][2].startswith("命中")
    assert cases["HR-DEV-02"][5] == telnet[0]
    assert cases["HR-MGT-01"][6].startswith("本级是否属于高风险未核实，只作提示")
    assert len(cases) == 22  # HR-NET-05 is of level 4 alone
    assert fact(document, "高风险情形").startswith("命中 1 个")


def test_every_parameter_stands_with_what_is_not_verified(document: Document, score: CryptoScore) -> None:
    rows = {row[0]: row for row in table(document, PARAMETERS)}
    assert {name: row[1] for name, row in rows.items()} == score.parameters
    assert "凭记忆" in rows["threshold"][2]


def test_many_objects_share_a_row(
    crypto_assessment: Assessment, crypto_rules: list[Rule], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_module("reports.miping.annexes"), "MOST_ROWS", 1)
    document = miping(crypto_assessment, created_at=crypto_assessment.taken_at, rules=crypto_rules)
    rows = [r for r in table(document, "表 A-3 测评结果记录：设备和计算安全") if r[0].startswith("DEV-02")]
    assert sum("共 2 个" in row[1] for row in rows) == 1


def test_another_standard_is_refused(assessment: Assessment) -> None:
    with pytest.raises(TypeError, match="dengbao"):
        miping(assessment, created_at=assessment.taken_at)


def test_no_total_is_said_so(crypto_assessment: Assessment, score: CryptoScore) -> None:
    bare = msgspec.structs.replace(score, low=None, high=None)
    document = miping(
        msgspec.structs.replace(crypto_assessment, score=bare), created_at=crypto_assessment.taken_at
    )
    assert "没有总分" in fact(document, "得分区间")
    assert {row[6] for row in table(document, UNITS)} == {"—"}
    assert Verdict.UNKNOWN.label not in fact(document, "得分区间")


def test_addresses_can_be_masked(crypto_assessment: Assessment) -> None:
    assets = [msgspec.structs.replace(a, address="10.1.2.3") for a in crypto_assessment.assets]
    told = msgspec.structs.replace(crypto_assessment, assets=assets)
    plain = render_html(miping(told, created_at=told.taken_at))
    masked = render_html(miping(told, created_at=told.taken_at, mask_addresses=True))
    assert ("10.1.2.3" in plain, "10.1.2.3" in masked, "10.1.x.x" in masked) == (True, False, True)


def test_both_formats_show_hostile_names_as_text(document: Document, hostile: str) -> None:
    html = render_html(document)
    assert "<script>alert" not in html
    word = docx.Document(io.BytesIO(render_docx(document)))
    cells = {cell.text for t in word.tables for row in t.rows for cell in row.cells}
    assert f"负载均衡 {visible(hostile)}" in cells


def test_what_to_fix_first_and_what_was_accepted(
    crypto_assessment: Assessment, crypto_rules: list[Rule]
) -> None:
    finding = next(f for f in crypto_assessment.findings if f.rule == "device-telnet")
    exception = PolicyException(
        id="old-switch", rule="device-telnet", scope=[], reason="老型号", owner="张三", approver="李四",
        expires=date(2027, 1, 1),
    )  # fmt: skip
    first = Priority(
        rule="device-telnet", title="设备不得开 Telnet", fix="改用 SSH", severity="critical", effort="low",
        findings=1, controls=("miping/8.3.b",), cases=("HR-DEV-02",), gain_low=Decimal(0),
        gain_high=Decimal("1.25"),
    )  # fmt: skip
    changed = msgspec.structs.replace(
        crypto_assessment,
        priorities=[first],
        exceptions=[ExceptionUse(exception=exception, state="matched", findings=(finding.id,))],
    )
    document = miping(changed, created_at=changed.taken_at, rules=crypto_rules)
    (row,) = table(document, FIRST)
    assert row[0] == "1"
    assert row[2:] == ["设备不得开 Telnet", "HR-DEV-02", "严重", "1", "上限 +1.25分", "小"]
    problem = next(r for r in table(document, PROBLEMS) if r[0] == row[1])
    assert problem[1].endswith("已接受：例外 old-switch，至 2027-01-01（1 处）")
    (accepted,) = table(document, "表 C-2 例外")
    assert accepted[0] == "old-switch"
