"""Writing the answer book: one row a question; only the cells of the answer can be written to."""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

import xlsxwriter
from xlsxwriter.worksheet import Worksheet

from policies.answers import LONGEST_NAME, LONGEST_NOTE, MOST_BITS, MOST_MODULE, WORD, word_of
from policies.assessment import Assessment
from policies.questions import STATE_WORD, Question
from reports.answer_book.layout import (
    BASE,
    BY,
    CRYPTO,
    DATE,
    FILES,
    FORMAT,
    GUIDE_SHEET,
    HELPERS,
    KEY,
    MANAGED,
    META,
    META_SHEET,
    MODULE,
    NOTE,
    SHEET,
    STRENGTH,
    UNTIL,
    VERDICT,
    Row,
    columns_of,
)
from reports.document import BEIJING
from reports.visible import visible

_WIDTHS: Final = (10, 8, 14, 16, 20, 44, 11, 22, 34, 24, 12, 44, 26, 12, 13, 13)
_CRYPTO_WIDTHS: Final = (9, 9, 9, 12, 10, 12, 30)
_CRYPTO_GUIDE: Final = (
    "密评的技术单元逐项判定 D（密码使用有效性）、A（算法和技术合规性）、K（密钥管理安全）：从列表选，"
    "不知道的留空；整个单元不适用的，在“答复”选不适用并说明理由。写在“整个系统”一行的，对没有单独答复的对象和未清点的都算。",
    "A 不符合的写最弱算法的安全强度；K 不符合的写密码模块等级和密钥管理其余要求：它们决定 Ra、Rk。",
    "弥补者：写成 单元=对象，例如 NET-03=对象名称或 UID，多个用分号隔开；说明里写理由。",
    "清单里没有的对象不能在这里加：zhengguan attest set NET-01 --object 名称 --add-object。",
)
_LONGEST: Final = 2000  # characters of what the program tells in one cell
_GUIDE: Final = (
    "这本工作簿列出程序看不见、要由人答复的要求项和高风险情形。填好后原样发回，"
    "由 zhengguan attest import 导入。",
    "只填浅黄色的列：答复、说明、证据文件、答复人、答复日期、有效至；其余各列锁定。不答的行留空。",
    "答复：从下拉列表选。要求项答 符合、部分符合、不符合、不适用；高风险情形答 不存在、存在、已缓解。",
    "说明：写事实、依据或理由。不适用、部分符合、不符合、存在、已缓解必须写；其余没有证据文件时也要写。",
    "证据文件：只写文件名，多个用分号隔开；文件放在一个文件夹里随工作簿发回。",
    "答复日期、有效至：写成 2026-11-22；留空为导入当天和一年后。有效期最长三年，到期后恢复为未核查。",
    "不要插入或删除行列、合并单元格、写公式、加宏或链接，也不要另存为别的格式：这样的工作簿整本不导入。",
    "导入时有一格不对，就一条也不导入，并逐格列出原因；改好后再导入即可。导出后别人已答复的行不会被覆盖。",
    "由谁负责：系统在云上时，这一项由云服务商、云服务客户还是双方负责；云服务商的凭平台的测评报告答复。",
    "程序已发现的不符合，不会因为答复“符合”而改变。",
)


def write_book(assessment: Assessment, questions: Sequence[Question], now: datetime) -> bytes:
    """The workbook's bytes. The sheets are locked without a password: it keeps hands off, not attackers, and
    reading trusts nothing of it."""
    out = io.BytesIO()
    book = xlsxwriter.Workbook(
        out,
        {
            "in_memory": True,
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "strings_to_numbers": False,
            "default_format_properties": {"font_name": "宋体", "font_size": 10},
        },
    )
    book.set_properties({"title": f"人工答复：{assessment.system.title}", "created": _naive(now)})
    guide = book.add_worksheet(GUIDE_SHEET)
    sheet = book.add_worksheet(SHEET)
    meta = book.add_worksheet(META_SHEET)
    meta.very_hidden()
    wrapped = book.add_format({"text_wrap": True, "valign": "top"})
    head = book.add_format({"bold": True, "bg_color": "#E4ECF4", "border": 1, "text_wrap": True})
    open_ = {"locked": False, "bg_color": "#FFF9E0", "border": 1, "text_wrap": True, "valign": "top"}
    formats = {
        "told": book.add_format({"text_wrap": True, "valign": "top", "border": 1}),
        "text": book.add_format({**open_, "num_format": "@"}),
        "date": book.add_format({**open_, "num_format": "yyyy-mm-dd"}),
    }
    title = f"{assessment.system.title}：人工答复（{assessment.standard_title}）"
    columns = columns_of(assessment.standard)
    crypto = columns[len(_WIDTHS) :]
    for line, text in enumerate((title, *_GUIDE, *(_CRYPTO_GUIDE if crypto else ()))):
        guide.write_string(line, 0, visible(text), wrapped)
    guide.set_column(0, 0, 110)
    told = (FORMAT, assessment.system.name, assessment.standard, now.isoformat(), assessment.program)
    for line, (name, value) in enumerate(zip(META, told, strict=True)):
        meta.write_string(line, 0, name)
        meta.write_string(line, 1, value)
    widths = (*_WIDTHS, *(_CRYPTO_WIDTHS if crypto else ()))
    for column, (name, width) in enumerate(zip(columns, widths, strict=True)):
        sheet.set_column(column, column, width, None, {"hidden": column in (KEY, BASE)})
        sheet.write_string(0, column, name, head)
    for line, question in enumerate(questions, 1):
        _row(sheet, line, Row.of(question), formats)
        if crypto:
            _judged(sheet, line, question, formats)
    _settle(sheet, len(questions), len(columns))
    for one in (guide, sheet, meta):
        one.protect("", {"format_rows": True, "autofilter": True})
    sheet.activate()
    book.close()
    return out.getvalue()


def _row(sheet: Worksheet, line: int, row: Row, formats: dict[str, Any]) -> None:
    q = row.question
    existing = ""
    if q.use:
        given = q.use.answer
        existing = f"{word_of(given)}（{given.by}，有效至 {given.valid_until}，{STATE_WORD[q.state]}）"
    told = [
        row.key,
        str(row.base),
        q.cite,
        q.class_name,
        q.title,
        f"{q.text}\n{q.look}",
        q.whom,
        q.object_name or "整个系统",
        q.seen,
        existing,
    ]
    for column, text in enumerate(told):
        sheet.write_string(line, column, visible(text)[:_LONGEST], formats["told"])
    for column in (VERDICT, NOTE, FILES, BY):
        sheet.write_blank(line, column, None, formats["text"])
    for column in (DATE, UNTIL):
        sheet.write_blank(line, column, None, formats["date"])
    words = [WORD[given] for given in q.allowed]
    sheet.data_validation(
        line,
        VERDICT,
        line,
        VERDICT,
        {
            "validate": "list",
            "source": words,
            "error_title": "请从列表选",
            "error_message": f"可答：{'、'.join(words)}",
        },
    )


def _judged(sheet: Worksheet, line: int, question: Question, formats: dict[str, Any]) -> None:
    """D, A and K of a technical unit; locked in every other row."""
    if "judged" not in question.allowed:
        for column in CRYPTO:
            sheet.write_blank(line, column, None, formats["told"])
        return
    for column in CRYPTO:
        sheet.write_blank(line, column, None, formats["text"])
    for column in (*CRYPTO[:3], MANAGED):
        rule: dict[str, Any] = {"validate": "list", "source": ["符合", "不符合"]}
        sheet.data_validation(line, column, line, column, rule)
    for column, most in ((STRENGTH, MOST_BITS), (MODULE, MOST_MODULE)):
        rule = {"validate": "integer", "criteria": "between", "minimum": 0, "maximum": most}
        sheet.data_validation(line, column, line, column, {**rule, "error_message": f"写 0–{most} 的整数"})
    rule = {"validate": "length", "criteria": "<=", "value": LONGEST_NOTE}
    sheet.data_validation(line, HELPERS, line, HELPERS, rule)


def _settle(sheet: Worksheet, rows: int, columns: int) -> None:
    sheet.freeze_panes(1, 5)
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(0)
    if not rows:
        return
    sheet.autofilter(0, 0, rows, columns - 1)
    for column, most in ((NOTE, LONGEST_NOTE), (BY, LONGEST_NAME)):
        rule = {"validate": "length", "criteria": "<=", "value": most, "error_message": f"最长 {most} 字"}
        sheet.data_validation(1, column, rows, column, rule)
    for column in (DATE, UNTIL):
        rule = {
            "validate": "date",
            "criteria": ">=",
            "value": datetime(2000, 1, 1),  # noqa: DTZ001 - a day of the sheet's calendar
            "error_message": "写成 2026-11-22",
        }
        sheet.data_validation(1, column, rows, column, rule)


def _naive(moment: datetime) -> datetime:
    """Office documents have no zones; theirs is the reader's."""
    return moment.astimezone(UTC).astimezone(BEIJING).replace(tzinfo=None)
