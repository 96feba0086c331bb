"""The empty register: a sheet for each kind of record, lists to choose from, and a page of explanations."""

from __future__ import annotations

import io
from datetime import datetime
from typing import Any, Final

from collectors.register.layout import GUIDE_SHEET, KEY, SHEETS, Column, Sheet

ROWS: Final = 500  # to which lists and formats reach; more may be filled in
_GUIDE: Final = (
    "台账：单位自己记录、机器看不见的事。填好后在配置里登记为 register 来源，由 zhengguan collect 读入。",
    "只记用得着的表，没有这类记录的表可以整张删去；留着表头而没有行，表示确实一样也没有。",
    "第一行是列名，不能改；列的次序可以换，可以另加自己的列，另加的列不读。深色列名的列每行必填。",
    "编号：每行一个，表内不重复，以后不改，例如 2026-001。问题按编号跟踪。",
    "日期写成 2026-11-22。是和否、类型从列表选。周期和期限写 每月、半年、每年，或 90 天、6 个月、3 年。",
    "不写姓名、电话、证件号：人一律写账户名或工号，批准人写岗位、部门或审批单编号。",
    "不要写公式、合并单元格、加宏或链接；一行有错，整张表就按没有读全处理，错在哪一格会写明。",
    "填好后先用 zhengguan register lint 台账.xlsx 检查。",
)
_WIDTHS: Final = {"text": 24, "names": 30, "choice": 18, "interval": 12}


def template() -> bytes:
    """The workbook's bytes."""
    import xlsxwriter

    out = io.BytesIO()
    book = xlsxwriter.Workbook(
        out, {"in_memory": True, "default_format_properties": {"font_name": "宋体", "font_size": 10}}
    )
    book.set_properties({"title": "台账", "created": datetime(2026, 1, 1)})  # noqa: DTZ001 - the same bytes
    wrapped = book.add_format({"text_wrap": True, "valign": "top"})
    bold = book.add_format({"bold": True})
    _guide(book.add_worksheet(GUIDE_SHEET), wrapped, bold)
    formats = {
        "must": book.add_format({"bold": True, "bg_color": "#A9C4E4", "border": 1}),
        "may": book.add_format({"bold": True, "bg_color": "#E4ECF4", "border": 1}),
        "day": book.add_format({"num_format": "yyyy-mm-dd"}),
        "text": book.add_format({"num_format": "@"}),
    }
    for sheet in SHEETS:
        _sheet(book.add_worksheet(sheet.title), sheet, formats)
    book.close()
    return out.getvalue()


def _guide(page: Any, wrapped: Any, bold: Any) -> None:
    page.set_column(0, 0, 16)
    page.set_column(1, 1, 18)
    page.set_column(2, 2, 80)
    line = 0
    for text in _GUIDE:
        page.write_string(line, 2, text, wrapped)
        line += 1
    for sheet in SHEETS:
        line += 1
        page.write_string(line, 0, sheet.title, bold)
        page.write_string(line, 2, sheet.about, wrapped)
        for column in sheet.columns:
            line += 1
            page.write_string(line, 1, column.heading)
            page.write_string(line, 2, _told(column), wrapped)
        line += 1


def _told(column: Column) -> str:
    must = "必填。" if column.required else ""
    among = f"（{'、'.join(column.choices)}）" if column.choices else ""
    return f"{must}{column.why}{among}"


def _sheet(page: Any, sheet: Sheet, formats: dict[str, Any]) -> None:
    page.freeze_panes(1, 1)
    page.write_string(0, 0, KEY, formats["must"])
    page.set_column(0, 0, 12, formats["text"])
    for place, column in enumerate(sheet.columns, 1):
        page.write_string(0, place, column.heading, formats["must" if column.required else "may"])
        shape = formats["day" if column.type == "day" else "text"]
        page.set_column(place, place, _WIDTHS.get(column.type, 12), shape)
        if rule := _rule(column):
            told = {"input_title": column.heading, "input_message": column.why[:255]}
            page.data_validation(1, place, ROWS, place, {**rule, **told})


def _rule(column: Column) -> dict[str, Any]:
    """What the cells of a column are held to."""
    match column.type:
        case "choice":
            return {"validate": "list", "source": list(column.choices), "error_message": "从列表选"}
        case "yes_no":
            return {"validate": "list", "source": ["是", "否"], "error_message": "写 是 或 否"}
        case "day":
            return {
                "validate": "date",
                "criteria": "between",
                "minimum": datetime(2000, 1, 1),  # noqa: DTZ001 - a day of the sheet's calendar
                "maximum": datetime(2100, 1, 1),  # noqa: DTZ001
                "error_message": "写成 2026-11-22",
            }
    return {"validate": "any"}
