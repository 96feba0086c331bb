"""Chapters 4 and 5: unit by unit, then the whole with its points."""

from __future__ import annotations

from collections.abc import Mapping

from policies.assessment import Assessment, ControlVerdict
from policies.crypto import LayerScore, UnitScore
from policies.scoring.points import Points, points
from policies.verdict import Verdict
from reports.dengbao.wording import count_cell, percent
from reports.document import Block, Bullets, Cell, Heading, Paragraph, Table
from reports.miping.wording import (
    CORRECTIONS,
    LAYERS,
    UNITS,
    management,
    required,
    score_of,
    shown,
    span,
    standard_of,
    technical,
    total,
    unit_cell,
    units,
)

_CLUES = 8  # clues told per unit; all of them stand in annex A


def results(assessment: Assessment) -> list[Block]:
    """Chapter 4."""
    score = score_of(assessment)
    held = {c.control.id: c for c in assessment.controls}
    blocks: list[Block] = [Heading("4 单元测评"), Heading("4.1 技术要求", 2)]
    for number, layer in enumerate(technical(score), start=1):
        blocks += [Heading(f"4.1.{number} {layer.title}", 3), *_technical(assessment, layer, held)]
    blocks.append(Heading("4.2 安全管理", 2))
    for number, layer in enumerate(management(score), start=1):
        blocks += [Heading(f"4.2.{number} {layer.title}", 3), _management(assessment, layer, held)]
    return blocks


def _technical(assessment: Assessment, layer: LayerScore, held: Mapping[str, ControlVerdict]) -> list[Block]:
    crypto = standard_of(assessment).crypto
    rows: list[list[str | Cell]] = [
        [
            u.code,
            f"{u.title}（{held[u.control].control.cite}）",
            required(crypto[u.control]),
            str(len(u.objects)),
            *(
                count_cell(sum(1 for o in u.objects if getattr(o, j) is False), "fail")
                for j in ("d", "a", "k")
            ),
            unit_cell(u.verdict),
            span(u.low, u.high),
        ]
        for u in layer.units
    ]
    analysis = [line for u in layer.units for line in _analysis(u, held[u.control])]
    return [
        Table(
            ["单元", "名称（条款）", "要求", "对象", "D ×", "A ×", "K ×", "符合程度", "单元得分"],
            rows,
            [1.3, 3, 1.3, 0.8, 1, 1, 1, 1.5, 2.6],
            caption=f"结果汇总：{layer.title}",
        ),
        Bullets(analysis)
        if analysis
        else Paragraph("自动核查没有发现不符合，也没有线索；D、A、K 待人工核查。"),
    ]


def _analysis(unit: UnitScore, held: ControlVerdict) -> list[str]:
    """What was seen to fail, then the clues, each cause once."""
    failed: dict[str, int] = {}
    clues: dict[str, int] = {}
    scored = {o.name: o for o in unit.objects}
    for row in held.objects:
        mine = scored.get(row.asset)
        denied = mine is not None and False in (mine.d, mine.a, mine.k)
        if denied or row.findings:
            where = failed if denied else clues
            where[row.reason] = where.get(row.reason, 0) + 1
    told = [f"{unit.code} {unit.title}：{n} 个对象，{reason}" for reason, n in failed.items()]
    told += [f"{unit.code} {unit.title}：{n} 处，{reason}" for reason, n in list(clues.items())[:_CLUES]]
    return told


def _management(assessment: Assessment, layer: LayerScore, held: Mapping[str, ControlVerdict]) -> Table:
    rows: list[list[str | Cell]] = [
        [
            u.code,
            f"{u.title}（{held[u.control].control.cite}）",
            required(standard_of(assessment).crypto[u.control]),
            unit_cell(u.verdict),
            span(u.low, u.high),
            held[u.control].reason,
        ]
        for u in layer.units
    ]
    return Table(
        ["单元", "名称（条款）", "要求", "符合程度", "单元得分", "说明"],
        rows,
        [1.3, 3.4, 1.3, 1.5, 1.2, 2],
        caption=f"结果汇总：{layer.title}",
    )


def whole(assessment: Assessment) -> list[Block]:
    """Chapter 5."""
    score = score_of(assessment)
    crypto = standard_of(assessment).crypto
    worth = points(score)
    layers: list[list[str | Cell]] = [
        [
            x.title,
            str(x.weight),
            span(x.low, x.high),
            str(sum(1 for u in x.units if u.low is not None)),
            str(sum(1 for u in x.units if u.low is not None and u.decided)),
        ]
        for x in score.layers
    ]
    rows: list[list[str | Cell]] = [
        [
            u.code,
            u.title,
            required(crypto[u.control]),
            str(u.weight),
            unit_cell(u.verdict),
            span(u.low, u.high),
            *_points(u, worth),
        ]
        for u in units(score)
    ]
    return [
        Heading("5 整体测评"),
        Heading("5.1 测评结果修正", 2),
        *_corrections(assessment),
        Heading("5.2 整体测评结果和量化评估", 2),
        Paragraph(
            f"{total(score)}（{score.edition} 版规则），单元查明率 {percent(score.coverage)}。"
            "下限把没有查明的都算不符合，上限都算符合；对象、单元、层面和总分逐级四舍五入。"
        ),
        Table(["层面", "权重", "层面得分", "适用单元", "已查明"], layers, [3, 1, 2, 1, 1], caption=LAYERS),
        Table(
            ["单元", "名称", "要求", "权重", "符合程度", "单元得分", "所占分值", "已得分值", "已失分值"],
            rows,
            [1.4, 2.8, 1.3, 0.8, 1.6, 2.6, 1.1, 1.1, 1.3],
            caption=UNITS,
        ),
        Paragraph("所占分值按权重折算到 100 分，合计与总分只差各级四舍五入；规则本身没有这几栏。"),
    ]


def _points(unit: UnitScore, worth: Mapping[str, Points]) -> list[str | Cell]:
    held = worth.get(unit.code)
    if held is None:
        return ["—", "—", "—"]
    lost = held.share - held.high
    return [shown(held.share), shown(held.low), Cell(shown(lost), "fail") if lost else "0"]


def _corrections(assessment: Assessment) -> list[Block]:
    found: list[list[str | Cell]] = [
        [
            f"{u.code} {o.title or o.name}",
            "、".join(f"{code} {name}" for code, name in o.made_up_by),
            span(*o.before),
            span(o.low, o.high),
        ]
        for u in units(score_of(assessment))
        for o in u.objects
        if o.made_up_by
    ]
    if not found:
        return [Paragraph("没有修正：哪个对象能弥补哪个对象须由人判断，程序不自行修正。", "unknown")]
    return [Table(["被弥补的对象", "弥补的对象", "修正前", "修正后"], found, caption=CORRECTIONS)]


def open_units(assessment: Assessment) -> list[UnitScore]:
    """Units of which something is not known, those worth most first."""
    score = score_of(assessment)
    worth = points(score)
    found = [u for u in units(score) if u.verdict is not Verdict.NOT_APPLICABLE and not u.decided]
    return sorted(found, key=lambda u: -(worth[u.code].high - worth[u.code].low) if u.code in worth else 0)
