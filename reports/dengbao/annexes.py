"""Annexes A to K: assets, item records, the readings behind each problem, and what was not seen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, Literal

import msgspec

from inventory.coverage import Status
from inventory.kinds import KINDS
from inventory.snapshot import Change
from policies.assessment import Assessment, Asset, ControlVerdict, PolicyException
from policies.exceptions import excepted
from policies.verdict import SEVERITY_TITLE, Finding, Verdict
from reports.dengbao.body import in_order
from reports.dengbao.people import accepted_note, people
from reports.dengbao.problems import Problem, asset_of_findings, evidence_text
from reports.dengbao.wording import (
    ANNEX_ASSETS,
    ANNEX_FINDINGS,
    ANNEX_RECORD,
    ANNEX_SUMMARY,
    COVERAGE,
    GLOBAL,
    HUMAN,
    STATUS_TONE,
    TECHNOLOGY_ORIGIN,
    UNSEEN,
    VERDICT_COLUMNS,
    by_class,
    cite,
    counts,
    moment,
    origin_cell,
    shorten,
    verdict_cell,
)
from reports.document import Block, Cell, Heading, PageBreak, Paragraph, Table

MOST_ROWS = 500
"""Rows of one asset's problems, and of one change table, that are printed; the rest is counted."""

NO_ASSET = "未归入测评对象的资源"
_ACTION: dict[Literal["added", "changed", "removed"], str] = {
    "added": "新增",
    "changed": "变更",
    "removed": "消失",
}


def annexes(assessment: Assessment, found: list[Problem], changes: Sequence[Change] | None) -> list[Block]:
    """All annexes, in order."""
    return [
        PageBreak(),
        *_assets(assessment),
        Heading("附录 B 上次测评问题整改情况"),
        Paragraph(f"{HUMAN}：对照上次等级测评报告逐项填写。", "unknown"),
        *_summary(assessment),
        *_records(assessment),
        *_findings(assessment, found),
        Heading("附录 E 漏洞扫描结果记录"),
        Paragraph(f"{HUMAN}：本程序不作漏洞扫描。", "unknown"),
        Heading("附录 F 渗透测试结果记录"),
        Paragraph(f"{HUMAN}：本程序不作渗透测试。", "unknown"),
        *_triggers(assessment),
        Heading("附录 H 重大风险隐患整改记录"),
        Paragraph(f"{HUMAN}：填写整改措施、验证结果和不再可被利用的理由。", "unknown"),
        Heading("附录 I 采集覆盖与未见数据"),
        *coverage(assessment, COVERAGE, "表 I-2 因未见数据而不能判定的检查"),
        *_changes(changes),
        *people(assessment),
    ]


def _assets(assessment: Assessment) -> list[Block]:
    rows: list[list[str | Cell]] = [
        [
            a.name,
            a.category,
            a.importance,
            a.address or UNSEEN,
            " ".join(part for part in (a.vendor, a.model) if part) or UNSEEN,
            a.version or UNSEEN,
            Cell(TECHNOLOGY_ORIGIN.get(a.origin, a.origin), "plain" if a.origin else "unknown"),
            str(a.resources),
            _seen(assessment, a.uid),
        ]
        for a in in_order(assessment)
    ]
    return [
        Heading("附录 A 被测对象资产"),
        Table(
            [
                "名称",
                "类别",
                "重要程度",
                "地址",
                "厂商 型号",
                "版本",
                "技术来源",
                "资源数",
                "数据时间",
            ],
            rows,
            [2.2, 1.8, 1, 2, 1.9, 1.7, 1.2, 0.9, 1.8],
            caption=ANNEX_ASSETS,
            empty="没有选出测评对象：检查定级对象的选择条件",
        ),
        Paragraph("技术来源由处理器、操作系统或厂商的技术标识识别，不等于安全可靠测评结果。"),
    ]


def _seen(assessment: Assessment, uid: str) -> str | Cell:
    old = assessment.stale.get(uid)
    return Cell(f"{moment(old)}（本次未能读取）", "unknown") if old else "本次"


def _summary(assessment: Assessment) -> list[Block]:
    names = {a.uid: a.name for a in assessment.assets}
    found: dict[tuple[str, str], list[Verdict]] = {}
    for name, controls in by_class(assessment).items():
        for held in controls:
            for row in held.objects:
                found.setdefault((name, names.get(row.asset, row.asset)), []).append(row.verdict)
            if not held.objects:
                found.setdefault((name, GLOBAL), []).append(held.verdict)
    rows: list[list[str | Cell]] = [
        [class_name, asset, *counts(verdicts)] for (class_name, asset), verdicts in found.items()
    ]
    return [
        Heading("附录 C 单项测评结果汇总"),
        Table(
            ["安全类", "测评对象", *VERDICT_COLUMNS],
            rows,
            [3, 2.6, 1, 1.3, 1.1, 1.1, 1.1],
            caption=ANNEX_SUMMARY,
        ),
    ]


def _records(assessment: Assessment) -> list[Block]:
    names = {a.uid: a.name for a in assessment.assets}
    blocks: list[Block] = [Heading("附录 D 单项测评结果记录")]
    for number, (name, controls) in enumerate(by_class(assessment).items(), start=1):
        rows = [row for held in controls for row in _record(held, names)]
        blocks += [
            Heading(f"D.{number} {name}", 2),
            Table(
                ["控制点", "测评指标（概括）", "测评对象", "结果记录", "符合程度", "来源"],
                rows,
                [1.5, 3, 1.8, 3.2, 1.5, 1.4],
                caption=f"表 D-{number} {ANNEX_RECORD}：{name}",
            ),
        ]
    return blocks


def _record(held: ControlVerdict, names: dict[str, str]) -> list[list[str | Cell]]:
    """One row for the control as a whole, then one for each asset that was looked at."""
    control = held.control
    rows: list[list[str | Cell]] = [
        [
            control.control_point,
            f"{cite(control)} {control.summary}",
            GLOBAL,
            held.reason,
            verdict_cell(held.verdict),
            origin_cell(held.origin),
        ]
    ]
    rows += [
        [
            control.control_point,
            cite(control),
            names.get(row.asset, row.asset),
            row.reason,
            verdict_cell(row.verdict),
            origin_cell("none" if row.verdict is Verdict.UNKNOWN else row.origin),
        ]
        for row in held.objects
    ]
    return rows


def _findings(assessment: Assessment, found: list[Problem]) -> list[Block]:
    owners = asset_of_findings(assessment)
    numbers = {p.rule: p.number for p in found}
    grouped: dict[str, list[Finding]] = {a.uid: [] for a in in_order(assessment)}
    for finding in assessment.findings:
        for uid in [a.uid for a in owners.get(finding.id, [])] or [""]:
            grouped.setdefault(uid, []).append(finding)
    assets = {a.uid: a for a in assessment.assets}
    after = len(by_class(assessment)) + 1
    blocks: list[Block] = [
        Heading(f"D.{after} {ANNEX_FINDINGS}", 2),
        Paragraph(
            "按资产列出每个不符合项背后的读数；采集证据为原始应答（已去除口令密钥）的 SHA-256 前 12 位。"
        ),
    ]
    if not assessment.findings:
        blocks.append(Paragraph("无。"))
    for uid, rows in grouped.items():
        if rows:
            blocks += _asset_findings(assessment, assets.get(uid), rows, numbers)
    return blocks


def _asset_findings(
    assessment: Assessment, asset: Asset | None, findings: list[Finding], numbers: dict[str, str]
) -> list[Block]:
    accepted = excepted(assessment)
    hashes = {(c.source, c.kind): c.evidence for c in assessment.collections if c.evidence}
    rows: list[list[str | Cell]] = [
        [
            numbers[f.rule],
            f"{_kind(f.kind)} {f.name}",
            f"{f.message}\n（{SEVERITY_TITLE[f.severity]}，{f.rule}）{_accepted(accepted.get(f.id))}",
            shorten(evidence_text(f.evidence)),
            f.fix,
            _proof(hashes.get((f.source, f.kind), []), stale=f.stale),
        ]
        for f in findings[:MOST_ROWS]
    ]
    title = f"{asset.name}（{asset.address or '地址未见'}）" if asset else NO_ASSET
    blocks: list[Block] = [
        Table(
            ["编号", "资源", "问题", "读数", "处理办法", "采集证据"],
            rows,
            [1.1, 2, 2.6, 2.9, 2.7, 2.4],
            caption=f"{title}：{len(findings)} 处",
        )
    ]
    if len(findings) > MOST_ROWS:
        rest = len(findings) - MOST_ROWS
        text = f"以上列出前 {MOST_ROWS} 处，另有 {rest} 处未印出，见 zhengguan check --json。"
        blocks.append(Paragraph(text, "note"))
    return blocks


def _accepted(exception: PolicyException | None) -> str:
    return f"\n{accepted_note(exception)}" if exception else ""


def _proof(ids: list[str], *, stale: bool) -> str | Cell:
    text = f"{ids[0][:12]}" + (f" 等 {len(ids)} 份" if len(ids) > 1 else "") if ids else "—"
    return Cell(f"{text}\n旧数据：本次未能读取", "unknown") if stale else text


def _kind(name: str) -> str:
    return KINDS[name].TITLE if name in KINDS else name


def _triggers(assessment: Assessment) -> list[Block]:
    rows: list[list[str | Cell]] = [
        [r.major_trigger, f"{r.case} {r.title}", r.condition]
        for r in assessment.high_risks
        if r.major_trigger
    ]
    return [
        Heading("附录 G 重大风险隐患触发项参照表"),
        Table(["触发项", "高风险指引情形", "条件（概括）"], rows, [1, 4, 5], caption="表 G-1 触发项"),
    ]


def coverage(assessment: Assessment, caption: str, unseen_caption: str) -> list[Block]:
    """What was read and how whole, and what could not be decided for it."""
    incomplete = [c for c in assessment.collections if c.status is not Status.COMPLETE]
    rows: list[list[str | Cell]] = [
        [
            c.source + (f" / {c.scope}" if c.scope else ""),
            _kind(c.kind),
            Cell(c.status.label, STATUS_TONE[c.status]),
            str(c.count),
            c.reason or ("—" if c.status is Status.COMPLETE else "未说明"),
            c.remedy or "—",
            _proof(c.evidence, stale=False),
        ]
        for c in sorted(assessment.collections, key=lambda c: c.status is Status.COMPLETE)
    ]
    missing = Counter((u.rule, u.source, u.missing, u.remedy) for u in assessment.unseen)
    unseen: list[list[str | Cell]] = [
        [rule, source, what or "—", str(count), remedy or "—"]
        for (rule, source, what, remedy), count in missing.items()
    ]
    return [
        Paragraph(
            f"共 {len(assessment.collections)} 项采集，{len(incomplete)} 项不完整。"
            "不完整的采集不能证明没有，只能说没有看到；补上所列权限后重新采集即可判定。",
            "unknown" if incomplete else "plain",
        ),
        Table(
            ["来源 / 范围", "对象", "状态", "条数", "原因", "补救（权限）", "证据"],
            rows,
            [2.2, 1.7, 1.4, 0.9, 2.6, 2.7, 2.3],
            caption=caption,
        ),
        Table(
            ["检查", "来源", "缺少的数据", "处数", "补救（权限）"],
            unseen,
            [2.6, 2, 3, 0.8, 3.4],
            caption=unseen_caption,
        ),
    ]


def _changes(changes: Sequence[Change] | None) -> list[Block]:
    blocks: list[Block] = [Heading("附录 J 与上次快照相比的变化")]
    if changes is None:
        return [*blocks, Paragraph("没有更早的快照可比。")]
    totals = Counter(c.action for c in changes)
    rows: list[list[str | Cell]] = [
        [_ACTION[c.action], _kind(c.kind), c.name or c.uid, shorten(_fields(c))] for c in changes[:MOST_ROWS]
    ]
    blocks += [
        Paragraph("，".join(f"{word} {totals[action]}" for action, word in _ACTION.items()) + "。"),
        Table(["变化", "类别", "名称", "内容"], rows, [1, 2, 3, 6], caption="表 J-1 资产变化"),
    ]
    if len(changes) > MOST_ROWS:
        rest = len(changes) - MOST_ROWS
        blocks.append(Paragraph(f"以上列出前 {MOST_ROWS} 条，另有 {rest} 条未印出。", "note"))
    return blocks


def _fields(change: Change) -> str:
    return "\n".join(f"{name}：{_plain(old)} → {_plain(new)}" for name, (old, new) in change.fields.items())


def _plain(value: Any) -> str:
    if value is None:
        return UNSEEN
    return value if isinstance(value, str) else msgspec.json.encode(value, enc_hook=str).decode()
