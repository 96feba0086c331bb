"""The checks that assessors run over a report, run over ours: it must agree with itself."""

from __future__ import annotations

import re
from collections import Counter

from policies.assessment import Assessment
from reports.dengbao.wording import (
    ANNEX_ASSETS,
    ANNEX_FINDINGS,
    ANNEX_RECORD,
    ASSETS_BY_CATEGORY,
    CONCLUSION,
    FIXES,
    GLOBAL,
    PROBLEMS,
    RATES,
    RISKS,
    VERDICT_COLUMNS,
    score_text,
)
from reports.document import Bullets, Cell, Document, Facts, Heading, Paragraph, Table

_PLACEHOLDER = re.compile(r"XXX|TODO|TBD|待填|\bNone\b|UNKNOWN")


def check_consistency(document: Document, assessment: Assessment) -> list[str]:
    """What is wrong with the document (中文, one line each); empty = nothing was found."""
    tables = [b for b in document.blocks if isinstance(b, Table)]
    return [
        *_title(document, assessment),
        *_placeholders(document, assessment),
        *_shapes(tables),
        *_objects(tables),
        *_problems(document, tables),
        *_rates(document, tables, assessment),
    ]


def _title(document: Document, assessment: Assessment) -> list[str]:
    wrong = []
    if "自查报告" not in document.title or "测评报告" in document.title:
        wrong.append("标题应为自查报告，不得称测评报告")
    if document.subtitle != assessment.system.title:
        wrong.append("封面的系统名与评估对象不同")
    if not any(isinstance(b, Paragraph) and "不能替代等级测评" in b.text for b in document.blocks):
        wrong.append("缺少“不能替代等级测评”的说明")
    return wrong


def _placeholders(document: Document, assessment: Assessment) -> list[str]:
    """Text of our own that was left unwritten. What devices and users wrote may say anything."""
    foreign = {f.name for f in assessment.findings} | {a.name for a in assessment.assets}
    wrong = []
    for block in document.blocks:
        texts: list[str] = []
        if isinstance(block, Heading | Paragraph):
            texts = [block.text]
        elif isinstance(block, Bullets):
            texts = block.items
        elif isinstance(block, Facts):
            texts = [_text(v) for _, v in block.rows]
        wrong += [
            f"残留占位文字：{text[:60]}"
            for text in texts
            if _PLACEHOLDER.search(text) and not any(name and name in text for name in foreign)
        ]
    return wrong


def _shapes(tables: list[Table]) -> list[str]:
    return [
        f"{table.caption}：有一行的列数不对"
        for table in tables
        if any(len(row) != len(table.columns) for row in table.rows)
        or (table.widths and len(table.widths) != len(table.columns))
    ]


def _objects(tables: list[Table]) -> list[str]:
    """Assets in chapter 2, annex A and annex D are the same, with the same importance."""
    listed = Counter(
        zip(_column(tables, ASSETS_BY_CATEGORY, 1), _column(tables, ASSETS_BY_CATEGORY, 2), strict=True)
    )
    annexed = Counter(zip(_column(tables, ANNEX_ASSETS, 0), _column(tables, ANNEX_ASSETS, 2), strict=True))
    wrong = []
    if listed != annexed:
        differing = "、".join(sorted({name for name, _ in (listed - annexed) + (annexed - listed)}))
        wrong.append(f"第 2 章与附录 A 的资产不一致：{differing}")
    names = {name for name, _ in annexed}
    recorded = {_text(row[2]) for t in tables if ANNEX_RECORD in t.caption for row in t.rows if row} - {
        GLOBAL
    }
    wrong += [f"附录 D 的对象不在附录 A：{name}" for name in sorted(recorded - names)]
    return wrong


def _problems(document: Document, tables: list[Table]) -> list[str]:
    """Chapters 3, 5 and 8 and annex D name the same problems; the front page counts them right."""
    numbers = {caption: _column(tables, caption, 0) for caption in (PROBLEMS, RISKS, FIXES)}
    wrong = [
        f"{caption} 的问题与 {PROBLEMS} 不一致"
        for caption, held in numbers.items()
        if held != numbers[PROBLEMS]
    ]
    if len(set(numbers[PROBLEMS])) != len(numbers[PROBLEMS]):
        wrong.append("问题编号重复")
    shown = {
        _text(row[0]) for t in tables if t.columns[0] == "编号" and "读数" in t.columns for row in t.rows
    }
    if shown != set(numbers[PROBLEMS]) and not any(
        isinstance(b, Paragraph) and "处未印出" in b.text for b in document.blocks
    ):
        wrong.append(f"附录 D 的{ANNEX_FINDINGS}与第 3 章的问题不一致")
    graded = Counter(_column(tables, RISKS, 5))
    counted = [_fact(document, "安全问题")]
    counted += [b.text for b in document.blocks if isinstance(b, Paragraph) and b.text.startswith("共 ")]
    expected = f"共 {sum(graded.values())} 个：" + "，".join(f"{r} {graded[r]} 个" for r in "高中低")
    if counted[0] != expected or not any(text.startswith(expected) for text in counted[1:]):
        wrong.append(f"概要或第 5 章的问题数与表 5-1 不一致（应为：{expected}）")
    return wrong


def _rates(document: Document, tables: list[Table], assessment: Assessment) -> list[str]:
    """Counts on the front page = chapter 6 = annex D; the score of chapters 6 and 7 is the same."""
    wrong = []
    rows = [t.rows for t in tables if t.caption == RATES]
    total = [_text(cell) for cell in rows[0][-1]] if rows and rows[0] else []
    sums = [str(sum(int(_text(row[i])) for row in rows[0][:-1])) for i in range(1, 7)] if total else []
    if total[1:7] != sums:
        wrong.append("第 6 章合计与各类之和不符")
    said = f"共 {len(assessment.controls)} 项：" + "，".join(
        f"{word} {count}" for word, count in zip(VERDICT_COLUMNS, total[2:7], strict=False)
    )
    if _fact(document, "要求项") != said:
        wrong.append("概要的要求项数与第 6 章不一致")
    whole = Counter(
        _text(row[4])
        for t in tables
        if ANNEX_RECORD in t.caption
        for row in t.rows
        if _text(row[2]) == GLOBAL
    )
    if [str(whole[word]) for word in VERDICT_COLUMNS] != total[2:7]:
        wrong.append("附录 D 的符合程度与第 6 章不一致")
    concluded = dict(zip(_column(tables, CONCLUSION, 0), _column(tables, CONCLUSION, 1), strict=True))
    chapter6 = [b.text for b in document.blocks if isinstance(b, Paragraph) and "版方法），" in b.text]
    if score_text(assessment) not in concluded.values() or not any(
        text.startswith(score_text(assessment)) for text in chapter6
    ):
        wrong.append("第 6 章与第 7 章的符合率不一致")
    return wrong


def _column(tables: list[Table], caption: str, index: int) -> list[str]:
    return [_text(row[index]) for table in tables if table.caption == caption for row in table.rows]


def _fact(document: Document, label: str) -> str:
    for block in document.blocks:
        if isinstance(block, Facts):
            for name, value in block.rows:
                if name == label:
                    return _text(value)
    return ""


def _text(cell: str | Cell) -> str:
    return cell if isinstance(cell, str) else cell.text
