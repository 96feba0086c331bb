"""``zhengguan except``: accepted deviations, and whether each still fits."""

from __future__ import annotations

import argparse

from policies.assessment import ExceptionUse
from policies.exceptions import (
    STATE_WORD,
    ExceptionsError,
    exceptions_line,
    load_exceptions,
    over_all,
)
from policies.spelling import suggestion
from zhengguan import console
from zhengguan.errors import Exit, UserError
from zhengguan.loop import answers_of, assess_all, configured, latest, opened, systems_of

TEMPLATE = """\
# 例外：接受了的偏离。在 zhengguan.yaml 的 policies.exceptions 里写上本文件。
# 例外不改变结论和评分，只把问题标为已接受；--fail-on 不计它。过期后照常计。
exceptions:
  - id: old-switch-telnet
    rule: device-telnet            # 哪条规则的问题；或写 control: dengbao/8.1.4.1.c，或两个都写
    scope: [{sources: [core-switch], names: [sw-old-*]}]   # 哪些资源，各项取并集
    # systems: [gate]              # 只对这些系统；不写为全部
    reason: 老型号不支持 SSH，已限定管理网段访问
    owner: 张三                     # 负责到期前整改
    approver: 李四                  # 批准人，不能是同一人
    expires: 2027-03-31
"""


def run(options: argparse.Namespace) -> int:
    actions = {"list": _list, "show": _show, "lint": _lint, "template": _template}
    return actions[options.action](options)


def _template(options: argparse.Namespace) -> int:
    print(TEMPLATE, end="")
    return Exit.FINE


def _lint(options: argparse.Namespace) -> int:
    config = configured(options.config)
    try:
        found = load_exceptions(config.exception_files())
    except ExceptionsError as error:
        if options.json:
            console.write_json([str(one) for one in error.errors])
        else:
            for one in error.errors:
                console.say(str(one))
        return Exit.USAGE
    if options.json:
        console.write_json([])
    else:
        console.say(f"{len(found)} 个例外，写法都对")
    return Exit.FINE


def _uses(options: argparse.Namespace) -> list[ExceptionUse]:
    config = configured(options.config)
    store = opened(config)
    systems = systems_of(config, options.system)
    return over_all(assess_all(config, latest(store), systems=systems, answers=answers_of(store)))


def _list(options: argparse.Namespace) -> int:
    uses = _uses(options)
    if options.json:
        console.write_json(uses)
        return Exit.FINE
    console.table(
        ("状态", "例外", "规则", "要求项", "问题", "负责人", "批准人", "到期", "说明"),
        [
            (
                STATE_WORD[use.state] + ("，即将到期" if use.expiring and use.state == "matched" else ""),
                use.exception.id,
                use.exception.rule,
                use.exception.control,
                len(use.findings),
                use.exception.owner,
                use.exception.approver,
                use.exception.expires,
                use.why or use.exception.reason,
            )
            for use in uses
        ],
        styles=[{"matched": "", "unused": "partial"}.get(use.state, "fail") for use in uses],
    )
    console.say(exceptions_line(uses) or "没有例外；zhengguan except template 给出写法")
    return Exit.FINE


def _show(options: argparse.Namespace) -> int:
    by_id = {use.exception.id: use for use in _uses(options)}
    if options.id not in by_id:
        raise UserError(
            f"没有例外 {options.id!r}", remedy=suggestion(options.id, list(by_id)) or "zhengguan except list"
        )
    use = by_id[options.id]
    one = use.exception
    if options.json:
        console.write_json(use)
        return Exit.FINE
    console.say(f"{one.id}    {STATE_WORD[use.state]}" + (f"：{use.why}" if use.why else ""))
    for name, text in (
        ("规则", one.rule),
        ("要求项", one.control),
        ("系统", "、".join(one.systems) or "全部"),
        ("理由", one.reason),
        ("负责人", one.owner),
        ("批准人", one.approver),
        ("到期", f"{one.expires}（余 {use.days_left} 天）"),
        ("匹配的问题", "、".join(use.findings[:20]) or "无"),
    ):
        if text:
            console.say(f"  {name}：{text}")
    return Exit.FINE
