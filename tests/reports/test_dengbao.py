"""The self-check report: what it says (to the letter), what it must never say, and that it agrees with
itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from inventory.snapshot import Change
from policies.assessment import Assessment
from policies.responsibilities import with_duties
from policies.rules import load_rules
from policies.standards import load_standard
from policies.verdict import Verdict
from reports.dengbao import check_consistency, dengbao
from reports.dengbao.annexes import MOST_ROWS
from reports.dengbao.wording import CONCLUSION, COVERAGE, FIXES, HIGH_RISKS, RATES, RISKS
from reports.document import Bullets, Cell, Document, Facts, Heading, Paragraph, Table
from reports.visible import visible

GOLDEN = Path(__file__).parent / "golden" / "dengbao.txt"


def text(cell: str | Cell) -> str:
    return cell if isinstance(cell, str) else f"[{cell.tone}] {cell.text}"


def as_text(document: Document) -> str:
    """The document as lines: what a reviewer can compare."""
    lines = [document.title, document.subtitle, f"{document.marking} · {document.made_at}"]
    for block in document.blocks:
        match block:
            case Heading():
                lines += ["", f"{'#' * block.level} {block.text}"]
            case Paragraph():
                lines.append(f"({block.tone}) {block.text}")
            case Bullets():
                lines += [f"- {item}" for item in block.items]
            case Facts():
                lines += [f"{label}: {text(value)}" for label, value in block.rows]
            case Table():
                lines += [f"<{block.caption}>", " | ".join(block.columns)]
                rows = [" | ".join(text(c) for c in row) for row in block.rows] or [block.empty]
                lines += [row.replace("\n", " ⏎ ") for row in rows]
            case _:
                lines.append(f"-- {type(block).__name__}")
    return visible("\n".join(lines)) + "\n"


@pytest.fixture
def document(assessment: Assessment) -> Document:
    return dengbao(assessment, created_at=assessment.taken_at)


def table(document: Document, caption: str) -> list[list[str]]:
    found = next(b for b in document.blocks if isinstance(b, Table) and b.caption == caption)
    return [[c if isinstance(c, str) else c.text for c in row] for row in found.rows]


def fact(document: Document, label: str) -> str:
    rows = [row for b in document.blocks if isinstance(b, Facts) for row in b.rows]
    value = next(value for name, value in rows if name == label)
    return value if isinstance(value, str) else value.text


def test_to_the_letter(document: Document, tmp_path: Path) -> None:
    found = as_text(document)
    (tmp_path / "dengbao.txt").write_text(found, encoding="utf-8", errors="backslashreplace")
    expected = GOLDEN.read_text(encoding="utf-8")
    assert found == expected, f"if the change is meant, copy {tmp_path / 'dengbao.txt'} to {GOLDEN}"


def test_who_answers_for_what_on_a_cloud(assessment: Assessment, document: Document) -> None:
    assert "责任划分" not in as_text(document)
    standard = load_standard("dengbao")
    tenant = msgspec.structs.replace(assessment.system, cloud="tenant", service_model="paas")
    controls, split = with_duties(assessment.controls, tenant, standard.responsibilities, ["dengbao"])
    told = msgspec.structs.replace(assessment, system=tenant, controls=controls, split=split)
    found = dengbao(told, created_at=told.taken_at)
    rows = table(found, "表 2-5 责任划分")
    counted = [c for c in controls if c.verdict is not Verdict.NOT_APPLICABLE]
    assert sum(int(row[5]) for row in rows) == len(counted)
    assert sum(int(row[7]) for row in rows) == sum(1 for c in counted if c.verdict is Verdict.UNKNOWN)
    whose = {"provider": "云服务商", "customer": "云服务客户", "both": "双方"}
    assert {(c.control.control_point, whose[c.duty.who]) for c in counted if c.duty} == {
        (row[1], row[2]) for row in rows
    }
    assert check_consistency(found, told) == []


def test_it_is_a_self_check_and_says_so(document: Document) -> None:
    assert document.title == "网络安全等级保护自查报告（技术项自动核查）"
    whole = as_text(document)
    front = whole.split("-- PageBreak")[0]
    assert "也不能替代等级测评" in front
    assert "声明" not in whole
    assert "编制人" not in whole
    chapters = [b.text for b in document.blocks if isinstance(b, Heading) and b.level == 1]
    assert chapters[8:10] == ["7 自查初判", "8 安全问题整改建议"]
    conclusion = next(
        i for i, b in enumerate(document.blocks) if isinstance(b, Heading) and b.text == "7 自查初判"
    )
    assert document.blocks[conclusion + 1] == Paragraph("本章是自查初判，不是等级测评结论。", "note")


def test_unknown_has_its_own_column_and_every_verdict_an_origin(document: Document) -> None:
    rates = next(b for b in document.blocks if isinstance(b, Table) and b.caption == RATES)
    assert rates.columns[2:7] == ["符合", "部分符合", "不符合", "不适用", "未核查"]
    records = [b for b in document.blocks if isinstance(b, Table) and "单项结果记录" in b.caption]
    origins = {c if isinstance(c, str) else c.text for t in records for row in t.rows for c in row[-1:]}
    assert origins == {"自动", "人工确认", "未核查"}
    first = table(document, "表 D-1 单项结果记录：安全物理环境")[0]
    assert first[4:] == ["未核查", "未核查"]


def test_unit_codes_only_where_verified(document: Document) -> None:
    whole = as_text(document)
    assert "L3-ABS1-05" in whole
    assert "L3-CES1-01" not in whole


def test_ranges_and_a_single_number_only_at_full_coverage(assessment: Assessment) -> None:
    def said(**more: object) -> str:
        score = msgspec.structs.replace(assessment.score, **more)
        changed = msgspec.structs.replace(assessment, score=score)
        return dict(table(dengbao(changed, created_at=assessment.taken_at), CONCLUSION))["符合率"]

    assert said() == "28.57% ～ 42.86%"
    assert said(high=Decimal("28.57")) == "28.57% ～ 28.57%"
    assert said(high=Decimal("28.57"), coverage=Decimal(1)) == "28.57%"


def test_bounds_in_different_rows_are_told(assessment: Assessment) -> None:
    changed = msgspec.structs.replace(
        assessment, score=msgspec.structs.replace(assessment.score, conclusion_high="基本符合")
    )
    said = fact(dengbao(changed, created_at=assessment.taken_at), "自查初判")
    assert said == "不符合（未核查项均不符合时） ～ 基本符合（未核查项均符合时），须补充核查后判定"


def test_every_finding_shows_the_reading_behind_it(document: Document) -> None:
    row = table(document, "jump-01（10.1.2.3）：1 处")[0]
    assert row == [
        "T002",
        "主机 jump-01",
        "允许 root 直接 ssh 登录\n（高，host-ssh-root-login）",
        "ssh.permit_root_login = yes",
        "在 sshd_config 中设 PermitRootLogin no 并重载 sshd",
        "eeeeeeeeeeee",
    ]
    stale = table(document, "core-sw-01（2001:db8::1）：1 处")[0]
    assert stale[-1] == "eeeeeeeeeeee\n旧数据：本次未能读取"


def test_what_was_not_seen_comes_first_with_its_remedy(document: Document) -> None:
    rows = table(document, COVERAGE)
    assert [row[2] for row in rows] == ["无权限", "失败", "部分", "完整", "完整", "完整", "完整"]
    assert rows[0][4:6] == ["凭据不能列出账户", "授予 system 范围的 reader 角色"]
    assert rows[2][4:6] == ["第 2 页中断", "—"]


def test_expired_and_missing_filing_are_told(assessment: Assessment) -> None:
    def filing(**more: object) -> tuple[str, str]:
        system = msgspec.structs.replace(assessment.system, **more)
        changed = msgspec.structs.replace(assessment, system=system)
        made = dengbao(changed, created_at=assessment.taken_at)
        return fact(made, "备案证明编号"), fact(made, "上次等级测评")

    assert filing()[0] == "51000099001-22001（有效期至 2027-03-01，余 99 天）"
    expired = filing(filing_expires=date(2026, 11, 21), last_assessment=date(2025, 11, 21))
    assert expired[0].endswith("已过期 1 天）")
    assert expired[1] == "2025-11-21，下次应不晚于 2026-11-21（已逾期）"
    assert "未登记" in filing(filing_number="")[0]
    assert filing(grade="S2A2", last_assessment=date(2020, 1, 1))[1] == "2020-01-01"
    leap = filing(last_assessment=date(2024, 2, 29))[1]
    assert leap == "2024-02-29，下次应不晚于 2025-03-01（已逾期）"


def test_changes_since_the_last_snapshot(assessment: Assessment) -> None:
    changes = [
        Change(uid="a/server/1", kind="server", name="x", action="changed", fields={"locked": (True, None)}),
        *(Change(uid=f"a/port/{i}", kind="port", name="", action="removed") for i in range(MOST_ROWS)),
    ]
    made = dengbao(assessment, created_at=assessment.taken_at, changes=changes)
    rows = table(made, "表 J-1 资产变化")
    assert rows[0] == ["变更", "云主机", "x", "locked：true → 未见"]
    assert len(rows) == MOST_ROWS
    whole = as_text(made)
    assert f"新增 0，变更 1，消失 {MOST_ROWS}。" in whole
    assert "另有 1 条未印出" in whole


def test_long_lists_are_cut_aloud(assessment: Assessment) -> None:
    jump = next(f for f in assessment.findings if f.rule == "host-ssh-root-login")
    many = [msgspec.structs.replace(jump, uid=f"{jump.uid}{i}") for i in range(MOST_ROWS + 7)]
    changed = msgspec.structs.replace(assessment, findings=many)
    made = dengbao(changed, created_at=assessment.taken_at)
    assert "另有 7 处未印出" in as_text(made)
    assert table(made, RISKS)[0][1] == f"允许 root 直接 ssh 登录（同类共 {MOST_ROWS + 7} 处）"


def test_rules_lend_their_titles_and_reasons(assessment: Assessment) -> None:
    rules = load_rules([])
    rule = next(r for r in rules if r.kind == "host" and r.severity == "high")
    jump = next(f for f in assessment.findings if f.rule == "host-ssh-root-login")

    def risks(count: int) -> list[str]:
        found = [msgspec.structs.replace(jump, rule=rule.id, uid=f"{jump.uid}{i}") for i in range(count)]
        changed = msgspec.structs.replace(assessment, findings=found)
        return table(dengbao(changed, created_at=assessment.taken_at, rules=rules), RISKS)[0]

    assert risks(1)[1] == jump.message
    assert risks(3)[1] == f"不满足“{rule.title}”（3 处）"
    assert risks(3)[4] == rule.why


def test_an_assessment_of_nothing_claims_nothing(assessment: Assessment) -> None:
    score = msgspec.structs.replace(assessment.score, low=Decimal(0), high=Decimal(100), coverage=Decimal(0))
    empty = msgspec.structs.replace(
        assessment,
        score=score,
        controls=[
            msgspec.structs.replace(c, verdict=Verdict.UNKNOWN, origin="none", objects=[])
            for c in assessment.controls
        ],
        high_risks=[],
        assets=[],
        findings=[],
        unseen=[],
        collections=[],
        stale={},
    )
    made = dengbao(empty, created_at=assessment.taken_at)
    assert check_consistency(made, empty) == []
    assert fact(made, "要求项") == "共 8 项：符合 0，部分符合 0，不符合 0，不适用 0，未核查 8"
    assert table(made, RATES)[-1] == ["合计", "8", "0", "0", "0", "0", "8", "0.0% ～ 100.0%", "0.0%"]


def test_the_report_agrees_with_itself(document: Document, assessment: Assessment) -> None:
    assert check_consistency(document, assessment) == []


@dataclass
class Flaw:
    """A way to spoil the document, and the check that must notice."""

    caption: str
    spoil: Callable[[Table], Table]
    noticed: str


def without_last(held: Table) -> Table:
    return msgspec.structs.replace(held, rows=held.rows[:-1])


def with_cell(row: int, column: int, value: str) -> Callable[[Table], Table]:
    def spoil(held: Table) -> Table:
        rows = [list(r) for r in held.rows]
        rows[row][column] = value
        return msgspec.structs.replace(held, rows=rows)

    return spoil


@pytest.mark.parametrize(
    "flaw",
    [
        Flaw(RISKS, without_last, "表 5-1"),
        Flaw(FIXES, without_last, "表 8-1"),
        Flaw(RISKS, with_cell(0, 5, "低"), "问题数"),
        Flaw(RATES, with_cell(-1, 2, "99"), "合计"),
        Flaw("表 A-1 被测对象资产", without_last, "附录 A 的资产不一致"),
        Flaw("表 2-4 测评对象一览", with_cell(0, 2, "一般"), "附录 A 的资产不一致"),
        Flaw("表 D-2 单项结果记录：安全区域边界", with_cell(1, 2, "ghost"), "不在附录 A：ghost"),
        Flaw("表 D-2 单项结果记录：安全区域边界", with_cell(0, 4, "符合"), "附录 D 的符合程度"),
        Flaw(CONCLUSION, with_cell(1, 1, "95%"), "符合率不一致"),
        Flaw(CONCLUSION, lambda t: msgspec.structs.replace(t, widths=[1]), "列数"),
    ],
    ids=lambda flaw: flaw.noticed,
)
def test_a_spoilt_report_is_noticed(document: Document, assessment: Assessment, flaw: Flaw) -> None:
    spoilt = msgspec.structs.replace(
        document,
        blocks=[
            flaw.spoil(b) if isinstance(b, Table) and b.caption == flaw.caption else b
            for b in document.blocks
        ],
    )
    assert any(flaw.noticed in wrong for wrong in check_consistency(spoilt, assessment))


def test_words_that_must_not_stand_are_noticed(document: Document, assessment: Assessment) -> None:
    replace = msgspec.structs.replace
    assert check_consistency(replace(document, title="网络安全等级测评报告"), assessment)
    assert check_consistency(replace(document, subtitle="别的系统"), assessment)
    blank = replace(document, blocks=[*document.blocks, Paragraph("分发范围：XXX")])
    assert check_consistency(blank, assessment) == ["残留占位文字：分发范围：XXX"]


def test_a_confirmed_mitigation_stands_in_the_high_risk_chapter(assessment: Assessment) -> None:
    said = "人工答复已缓解（李四，2026-11-01，有效至 2027-11-01）：前置防火墙限制来源"
    first, second = assessment.high_risks
    for state, shown, front in (
        (
            "mitigated",
            "命中，缓解措施已由人工确认",
            "命中高风险情形 0 个；无法判定 1 个；已由人工确认缓解 1 个",
        ),
        ("triggered", "命中，缓解措施未经确认", "命中高风险情形 1 个；无法判定 1 个"),
    ):
        risk = msgspec.structs.replace(first, state=state, confirmed=said)
        assessment.high_risks = [risk, second]
        document = dengbao(assessment, created_at=assessment.taken_at)
        (row,) = [r for r in table(document, HIGH_RISKS) if r[0] == "6.3.2.1"]
        assert row[2] == shown
        assert row[4] == f"有其他边界设备控制，可酌情降\n{said}"
        assert fact(document, "重大风险隐患").endswith(front)
        assert check_consistency(document, assessment) == []
