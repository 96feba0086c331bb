"""Annex A, the record of each unit and object; annex B, what was read and what was not; annex C, what people
said."""

from __future__ import annotations

from policies.assessment import Assessment, ControlVerdict, ObjectVerdict
from policies.crypto import LayerScore, ObjectScore, UnitScore
from reports.dengbao.annexes import coverage
from reports.dengbao.people import people
from reports.dengbao.wording import origin_cell
from reports.document import Block, Cell, Heading, PageBreak, Paragraph, Table
from reports.miping.wording import COVERAGE, dak, management, score_of, span, technical, unit_cell

MOST_ROWS = 200
"""Objects of one unit that are printed each in a row of its own; the rest is counted."""

_NAMED = 5  # names told where objects share a row


def annexes(assessment: Assessment) -> list[Block]:
    """All annexes. The official annex B (proof of the assessors' work) has no place in a self-check."""
    score = score_of(assessment)
    held = {c.control.id: c for c in assessment.controls}
    blocks: list[Block] = [
        PageBreak(),
        Heading("附录 A 测评结果记录"),
        Paragraph("√ 符合，× 不符合，/ 因 D 不符合而不再判定，？ 没有查明。没有任何发现的对象合为一行。"),
    ]
    layers = [*technical(score), *management(score)]
    for number, layer in enumerate(layers, start=1):
        table = _objects if layer.technical else _units
        blocks += [Heading(f"A-{number} {layer.title}", 2), table(assessment, number, layer, held)]
    return [
        *blocks,
        Heading("附录 B 采集覆盖与未见数据"),
        *coverage(assessment, COVERAGE, "表 B-2 因未见数据而不能判定的检查"),
        *people(assessment, "C"),
    ]


def _objects(
    assessment: Assessment, number: int, layer: LayerScore, held: dict[str, ControlVerdict]
) -> Table:
    names = {a.uid: a.name for a in assessment.assets}
    rows = [row for unit in layer.units for row in _unit(unit, held[unit.control], names)]
    return Table(
        ["测评单元", "测评对象", "结果记录", "D", "A", "K", "对象得分", "单元得分"],
        rows,
        [1.8, 2.4, 3.6, 0.5, 0.5, 0.5, 2.3, 2.3],
        caption=f"表 A-{number} 测评结果记录：{layer.title}",
    )


def _unit(unit: UnitScore, held: ControlVerdict, names: dict[str, str]) -> list[list[str | Cell]]:
    """A row per object of which something was found, one for all the others, one for each thing nobody
    listed, one per clue."""
    title, whole = f"{unit.code} {unit.title}", span(unit.low, unit.high)
    reasons = {row.asset: row for row in held.objects}
    scored = {o.name: o for o in unit.objects}
    told = [o for o in unit.objects if _something(o, reasons.get(o.name))][:MOST_ROWS]
    alone = {o.name for o in told}
    rest = [o for o in unit.objects if o.name not in alone]
    rows: list[list[str | Cell]] = [
        [title, o.title or o.name, reasons[o.name].reason, *dak(o), span(o.low, o.high), whole] for o in told
    ]
    if rest:
        shown = "、".join(o.title or o.name for o in rest[:_NAMED])
        name = f"{shown}{' 等' if len(rest) > _NAMED else ''}（共 {len(rest)} 个）"
        low, high = min(o.low for o in rest), max(o.high for o in rest)
        rows.append([title, name, "没有查到不符合，也没有查明", "？", "？", "？", span(low, high), whole])
    for missing in unit.uncovered:
        rows.append([title, f"（未清点）{missing}", "待人工清点", "？", "？", "？", "0 ～ 1", whole])
    clues = [row for row in held.objects if row.asset not in scored][:MOST_ROWS]
    for row in clues:
        rows.append([title, names.get(row.asset, row.asset), row.reason, "—", "—", "—", "不计", whole])
    return rows or [[title, "—", held.reason, "/", "/", "/", "—", whole]]


def _something(scored: ObjectScore, row: ObjectVerdict | None) -> bool:
    return (scored.d, scored.a, scored.k) != (None, None, None) or bool(row and row.findings)


def _units(assessment: Assessment, number: int, layer: LayerScore, held: dict[str, ControlVerdict]) -> Table:
    rows: list[list[str | Cell]] = [
        [
            f"{unit.code} {unit.title}",
            "管理体系",
            held[unit.control].reason,
            unit_cell(unit.verdict),
            origin_cell(held[unit.control].origin),
            span(unit.low, unit.high),
        ]
        for unit in layer.units
    ]
    return Table(
        ["测评单元", "测评对象", "结果记录", "符合情况", "来源", "单元得分"],
        rows,
        [3, 1.4, 3, 1.4, 1.2, 1.2],
        caption=f"表 A-{number} 测评结果记录：{layer.title}",
    )
