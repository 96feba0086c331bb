"""``zhengguan register``: write the empty register (台账), and look a filled one over."""

from __future__ import annotations

import argparse
from pathlib import Path

from collectors.contract import SourceError, utc_now
from collectors.register.mapping import resources_of
from collectors.register.workbook import Page, read_pages
from inventory.daily import day_of
from zhengguan import console
from zhengguan.commands.check import put
from zhengguan.errors import Exit, UserError


def run(options: argparse.Namespace) -> int:
    return _template(options) if options.action == "template" else _lint(options)


def _template(options: argparse.Namespace) -> int:
    from collectors.register.template import template

    if not options.file.lower().endswith(".xlsx"):
        raise UserError("要写出的文件名以 .xlsx 结尾", remedy="例如 zhengguan register template 台账.xlsx")
    if Path(options.file).exists() and not options.force:
        raise UserError(f"{options.file} 已经存在", remedy="换个名字，或加 --force 覆盖")
    put(template(), options.file)
    console.say(f"已写出空白台账 {options.file}。填好后：zhengguan register lint {options.file}")
    return Exit.FINE


def _lint(options: argparse.Namespace) -> int:
    pages = _pages(Path(options.file))
    wrong = {page.title: [*page.wrong, *_errors(page)] for page in pages}
    rows = {page.title: len(page.rows) for page in pages}
    count = sum(map(len, wrong.values()))
    if options.json:
        console.write_json({"rows": rows, "errors": [text for texts in wrong.values() for text in texts]})
    for page in pages if not options.json else ():
        for text in wrong[page.title]:
            console.warn(f"  {text}")
        passed = "、".join(dict.fromkeys(page.passed_over))
        console.say(f"{page.title}：{rows[page.title]} 行" + (f"；没有读的列：{passed}" if passed else ""))
    if count:
        raise UserError(
            f"{count} 处不对", where=options.file, remedy="逐格改好；有错的表采集时按没有读全处理"
        )
    return Exit.FINE


def _pages(path: Path) -> list[Page]:
    try:
        return read_pages(path, lambda: 0.0)
    except SourceError as error:
        raise UserError(error.reason, remedy=error.remedy) from error
    except ImportError as error:
        raise UserError("缺少组件 openpyxl", remedy="安装：pip install 'zhengguan[answers]'") from error


def _errors(page: Page) -> list[str]:
    return [str(error) for error in resources_of(page, "", day_of(utc_now()))[1]] if not page.wrong else []
