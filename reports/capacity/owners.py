"""The chapters about people: which department and project has what, and what they could give back."""

from __future__ import annotations

from datetime import datetime

from inventory.usage import Consumer, Estate, by_department
from inventory.usage.idle import LOW_CPU, LOW_MEMORY, TITLES, Idle
from reports.capacity.cells import UNTOLD, age_days, day, key_word, number, owned, percent
from reports.document import Block, Cell, Heading, Paragraph, Table

_CONSUMER_COLUMNS = [
    "云主机",
    "处理器（核）",
    "内存（GiB）",
    "本地盘（GiB）",
    "云硬盘或存储卷（GiB）",
    "浮动 IP",
    "容器组",
]


def _consumer_cells(c: Consumer) -> list[str | Cell]:
    cloud = c.kind == "project"
    return [
        number(c.servers, exact=c.complete) if cloud else "",
        owned(c, "vcpu", "vcpu"),
        owned(c, "memory_mib", "memory_mib"),
        owned(c, "local_gib", "disk_gib") if cloud else "",
        owned(c, "disk_gib", "disk_gib"),
        number(c.floating_ips, exact=c.complete) if cloud else "",
        "" if cloud else owned(c, "pods", "pod"),
    ]


def departments(estate: Estate) -> list[Block]:
    """Who has it, by department."""
    rows = sorted(
        by_department(estate.consumers),
        key=lambda c: (c.kind != "project", -c.memory_mib.value, c.department),
    )
    return [
        Heading("3 各部门占用", 1),
        Paragraph("云主机按规格计，容器按申请量（requests）计。部门取自资源、项目或来源的 department 标签。"),
        Table(
            ["部门", "在哪里", *_CONSUMER_COLUMNS],
            [
                [
                    key_word(c.department, "（未标部门）"),
                    "云" if c.kind == "project" else "容器集群",
                    *_consumer_cells(c),
                ]
                for c in rows
            ],
            [2.4, 1.2, 1, 1.3, 1.3, 1.3, 1.6, 1, 1],
            empty="没有看到项目和命名空间",
        ),
    ]


def projects(estate: Estate, limit: int) -> list[Block]:
    """Who has it, by project and namespace, beside what was approved."""
    found = sorted(estate.consumers, key=lambda c: (-c.memory_mib.value, -c.disk_gib.value, c.source, c.uid))
    rows: list[list[str | Cell]] = []
    for c in found[:limit]:
        rows.append(
            [
                c.name or "（不属于任何项目）",
                key_word(c.department, "（未标部门）"),
                c.source,
                *_consumer_cells(c),
                *(_quota(c, resource) for resource in ("vcpu", "memory_mib")),
            ]
        )
    return [
        Heading("4 各项目与命名空间占用", 1),
        *_cut(len(found), limit),
        Table(
            ["项目或命名空间", "部门", "来源", *_CONSUMER_COLUMNS, "处理器占配额", "内存占配额"],
            rows,
            [2.4, 2, 1.6, 1, 1.2, 1.2, 1.2, 1.5, 0.9, 0.9, 1.2, 1.2],
            empty="没有看到项目和命名空间",
        ),
    ]


def _quota(c: Consumer, resource: str) -> str | Cell:
    limit = c.quota.get(resource)
    figure = c.vcpu if resource == "vcpu" else c.memory_mib
    if limit is None:
        return "不限或未见"
    if not limit:
        return "0"
    return percent(figure.value / limit if figure.told and not figure.unknown else None)


def _cut(count: int, limit: int) -> list[Block]:
    if count <= limit:
        return []
    return [Paragraph(f"共 {count:,} 行，这里列出前 {limit:,} 行，全部见 XLSX。", "note")]


_WASTE_COLUMNS = [
    *("原因", "名称", "项目或命名空间", "部门", "来源", "最近变更", "距今（天）"),
    *("处理器（核）", "内存（GiB）", "磁盘（GiB）", "说明"),
]


def waste(estate: Estate, now: datetime, limit: int) -> list[Block]:
    """Everything that could be given back, each with its owner and age."""
    rows: list[list[str | Cell]] = []
    count = 0
    for judged in estate.idle:
        count += len(judged.found)
        rows += [_waste_row(one, now) for one in judged.found[: max(0, limit)]]
    return [
        Heading("5 闲置与无主", 1),
        Paragraph(
            "是线索，不是结论：请使用部门确认后再回收。平台不记录从何时起闲置，“最近变更”是它最后一次变动的日期，"
            "没有的以创建日期代替。"
            f"低负载指 95% 的时间处理器低于 {LOW_CPU:.0%}，且内存（有测量的）低于 {LOW_MEMORY:.0%}。"
        ),
        *_cut(count, len(rows)),
        Table(
            _WASTE_COLUMNS,
            rows,
            [2, 2.6, 2, 2, 1.6, 1.5, 1, 1, 1.1, 1.1, 2.4],
            empty="没有发现；判断不了的见第 1 章",
        ),
    ]  # fmt: skip


def _waste_row(one: Idle, now: datetime) -> list[str | Cell]:
    since = day(one.since) + ("（创建）" if one.since_created else "")
    return [
        TITLES[one.reason],
        one.name,
        one.home,
        key_word(one.department, "（未标部门）"),
        one.source,
        since or Cell(UNTOLD, "unknown"),
        age_days(one.since, now),
        number(one.vcpu),
        number(one.memory_mib / 1024),
        number(one.disk_gib),
        "；".join(filter(None, [one.detail, "旧数据" if one.stale else ""])),
    ]
