"""The chapters about what to do, for whom, and what was not seen."""

from __future__ import annotations

from inventory.kinds import KINDS
from policies.ipv6.readiness import Group, Obstacle, Readiness, missing_to_target
from policies.measures import MEASURES
from policies.verdict import Verdict
from reports.document import BEIJING, Block, Cell, Heading, Paragraph, Table, Tone
from reports.ipv6.cells import count, cut, ends, open_, percent, short, span, target, verdict
from reports.ipv6.front import asked, ordered, verdicts

_STATUS_TONE: dict[str, Tone] = {
    "complete": "pass",
    "partial": "partial",
    "denied": "unknown",
    "unsupported": "na",
    "failed": "fail",
}
_PER_INDICATOR = 20  # rows of one indicator among the obstacles on a page


def steps(told: Readiness) -> list[Block]:
    """What to do, in order."""
    return [
        Heading("2 要做的事", 1),
        Paragraph(
            "先排确定未达标的，其中先安全对等，再是关掉 IPv4 就会断的，再按不满足的个数排。"
            "“还差”是最低值达到目标还要改好（或看清）"
            "的个数。逐个对象见第 10 章。"
        ),
        Table(
            [
                "序",
                "做什么",
                "涉及的指标",
                "占比",
                "目标",
                "结论",
                "不满足",
                "不明",
                "还差",
                "关掉 IPv4 会断",
            ],
            [
                [
                    count(index),
                    step.advice,
                    step.value.title,
                    span(step.value),
                    target(step.value),
                    verdict(step.value),
                    short(step.value.short),
                    open_(step.value.open),
                    count(step.missing),
                    "是" if step.single_stack else "",
                ]
                for index, step in enumerate(told.steps, 1)
            ],
            [0.6, 3.6, 2.8, 1.6, 1.4, 1.6, 1, 1, 0.9, 1],
            empty="没有未达标的",
        ),
    ]


def systems(told: Readiness, limit: int) -> list[Block]:
    """By system, against the targets."""
    rows = [group for group in told.groups if group.of == "system"]
    return [
        Heading("3 各系统", 1),
        Paragraph(
            "“会断”是现在关掉 IPv4 时各指标里不满足的个数，“或断”是没有看清的。一个资源可以属于几个系统。"
        ),
        _summary("系统", rows, "表 3-1 各系统达标情况"),
        *_detail(told, "系统", rows, "表 3-2 各系统各项占比", limit),
    ]


def departments(told: Readiness, limit: int) -> list[Block]:
    """By department and administrative level."""
    own = [group for group in told.groups if group.of == "department"]
    levels = [group for group in told.groups if group.of == "level"]
    return [
        Heading("4 各部门与层级", 1),
        Paragraph(
            "部门的数取自它的系统（systems 的 department）的资源，"
            "加上带它的 department 标签的资源，一个资源可能算给两个部门；"
            "层级取自 level 标签（省、市、县）。"
        ),
        _summary("部门", own, "表 4-1 各部门达标情况"),
        _summary("层级", levels, "表 4-2 各层级达标情况"),
        *_detail(told, "部门或层级", [*own, *levels], "表 4-3 各部门、各层级各项占比", limit),
    ]


def _summary(word: str, groups: list[Group], caption: str) -> Table:
    rows: list[list[str | Cell]] = []
    for group in groups:
        found = verdicts(group.values)
        failed = found[Verdict.FAIL]
        rows.append(
            [
                group.title,
                count(group.resources),
                count(found[Verdict.PASS]),
                short(failed),
                open_(found[Verdict.UNKNOWN]),
                short(group.breaking),
                open_(group.may_break),
                "；".join(v.title for v in group.values if v.verdict is Verdict.FAIL and v.low is not None)
                or "－",
            ]
        )
    return Table(
        [word, "资源", "达标", "未达标", "判断不了", "会断", "或断", "未达标的指标"],
        rows,
        [2, 0.9, 0.8, 0.9, 1, 0.8, 0.8, 5],
        caption=caption,
        empty=f"没有{word}",
    )


def _detail(told: Readiness, word: str, groups: list[Group], caption: str, limit: int) -> list[Block]:
    rows: list[list[str | Cell]] = [
        [
            group.title,
            value.title,
            *ends(value),
            target(value),
            verdict(value),
            count(value.met),
            short(value.short) if value.better == "more" else count(value.short),
            open_(value.open),
            count(missing_to_target(value)),
        ]
        for group in groups
        for value in asked(told, group.values)
    ]
    return [
        *cut(len(rows), limit),
        Table(
            [word, "指标", "最低", "最高", "目标", "结论", "是", "不是", "不明", "还差"],
            rows[:limit],
            [2, 3.2, 1.05, 1.1, 1.6, 1.7, 0.8, 1, 1, 0.8],
            caption=caption,
            empty="没有可以计算的指标",
        ),
    ]


def indicators(told: Readiness) -> list[Block]:
    """Every indicator over the whole, with its reason."""
    return [
        Heading("5 各项指标", 1),
        Paragraph("全部指标，包括没有可计算的对象和还算不出来的；“依据”写明看到了几个、为什么是区间。"),
        Table(
            ["分组", "编号", "指标", "最低", "最高", "目标", "结论", "依据"],
            [
                [
                    told.indicators[value.id].group,
                    value.id,
                    value.title,
                    *ends(value),
                    target(value),
                    verdict(value),
                    value.reason,
                ]
                for value in ordered(told, told.whole.values)
            ],
            [1.3, 1.6, 2.4, 1.1, 1.1, 1.4, 1.5, 4.6],
        ),
    ]


def single_stack(told: Readiness) -> list[Block]:
    """What would break if IPv4 were switched off."""
    rows = [v for v in asked(told, told.whole.values) if told.indicators[v.id].single_stack]
    return [
        Heading("6 单栈就绪", 1),
        Paragraph(
            "假定现在关掉 IPv4：不满足这些指标的东西不能再用，或用不到时间、日志、解析等依赖。"
            "没有可计算的指标见第 12 章。"
        ),
        Table(
            ["分组", "指标", "能用的占比，最低", "最高", "会断", "或断", "怎么改"],
            [
                [
                    told.indicators[value.id].group,
                    value.title,
                    *ends(value),
                    short(value.short),
                    open_(value.open),
                    told.indicators[value.id].advice,
                ]
                for value in rows
            ],
            [1.2, 3.2, 1.2, 1.1, 0.9, 0.9, 4],
            empty="没有可以计算的指标",
        ),
    ]


def parity(told: Readiness, limit: int) -> list[Block]:
    """Controls of IPv4 without a twin."""
    open_count = f"另有 {told.open_gaps:,} 处没有看清。" if told.open_gaps else ""
    return [
        Heading("8 安全对等", 1),
        Paragraph(
            "IPv4 上有、IPv6 上没有对应的访问控制：换一个地址族就绕过去了。"
            "安全组和网络策略本来就是没写的不放行，"
            f"只有写得比 IPv4 宽才算；没有 IPv6 的接口不算。{open_count}"
        ),
        *cut(len(told.gaps), limit),
        Table(
            ["对象", "种类", "在哪里", "IPv4 上的控制", "系统", "部门", "来源", "重要性"],
            [_named(one, one.detail) for one in told.gaps[:limit]],
            [2.2, 1.3, 1.6, 3, 2, 1.8, 1.4, 1],
            empty="没有发现" + ("；没看清的见第 12 章" if told.open_gaps else ""),
        ),
    ]


def _named(one: Obstacle, detail: str) -> list[str | Cell]:
    return [
        one.name,
        KINDS[one.kind].TITLE if one.kind in KINDS else one.kind,
        one.home or "－",
        detail,
        "、".join(one.systems) or "－",
        one.department or "－",
        one.source,
        one.weight or "－",
    ]


def obstacles(told: Readiness, limit: int) -> list[Block]:
    """Every resource that stands in the way."""
    shown: list[Obstacle] = []
    for step in told.steps:
        own = [one for one in told.obstacles if one.indicator == step.value.id]
        shown += own if limit > len(told.obstacles) else own[:_PER_INDICATOR]
    rows: list[list[str | Cell]] = []
    for one in shown[:limit]:
        indicator = told.indicators[one.indicator]
        rows.append([indicator.title, *_named(one, one.detail or indicator.advice)])
    return [
        Heading("10 障碍清单", 1),
        Paragraph("按第 2 章的次序，每个指标里先列关键系统的。没有看清的不在这里，见第 12 章。"),
        *_partly(len(told.obstacles), len(rows)),
        Table(
            ["指标", "对象", "种类", "在哪里", "哪里不满足（或怎么改）", "系统", "部门", "来源", "重要性"],
            rows,
            [2.2, 2, 1.2, 1.4, 2.6, 1.7, 1.6, 1.3, 1],
            empty="没有",
        ),
    ]


def _partly(found: int, shown: int) -> list[Block]:
    if shown >= found:
        return []
    text = f"共 {found:,} 行，这里每个指标最多列 {_PER_INDICATOR} 行，共 {shown:,} 行，全部见 XLSX。"
    return [Paragraph(text, "note")]


def trend(told: Readiness) -> list[Block]:
    """The shares at earlier snapshots."""
    columns = [f"{point.taken_at.astimezone(BEIJING):%Y-%m-%d}" for point in told.trend]
    rows: list[list[str | Cell]] = []
    for value in asked(told, told.whole.values):
        row: list[str | Cell] = [value.title]
        for point in told.trend:
            low, high = point.shares.get(value.id, (None, None))
            row.append(percent(low) if low == high else f"{low:.1%}～{high:.1%}")
        row.append(percent(value.low) if value.low == value.high else span(value))
        rows.append(row)
    return [
        Heading("11 变化", 1),
        Paragraph("按同样的口径算以前的快照（最近几次里每天最后一次）；快照里没有的对象种类写作“－”。"),
        Table(
            ["指标", *columns, "本次"],
            rows if told.trend else [],
            [3.4, *[1.4] * (len(columns) + 1)],
            empty="还没有更早的快照",
        ),
    ]


def unseen(told: Readiness) -> list[Block]:
    """What was not read, and which indicators could not be told for it."""
    kinds = {one.kind for one in told.indicators.values() if one.kind}
    kinds |= {kind for one in told.indicators.values() if one.measure for kind in MEASURES[one.measure].kinds}
    rows: list[list[str | Cell]] = [
        [
            c.source,
            KINDS[c.kind].TITLE if c.kind in KINDS else c.kind,
            c.scope,
            Cell(c.status.label, _STATUS_TONE[c.status.value]),
            count(c.count),
            c.reason,
            c.remedy,
        ]
        for c in told.snapshot.collections
        if c.kind in kinds and c.status.value not in ("complete", "unsupported")
    ]
    none = [value for value in told.whole.values if value.low is None]
    return [
        Heading("12 没有看到的", 1),
        Paragraph("没有读全的来源可能还有没看到的对象，涉及的指标一律是 0%～100%。"),
        Table(
            ["来源", "种类", "范围", "结果", "看到", "原因", "怎么办"],
            rows,
            [1.6, 1.6, 1.4, 1.2, 1, 3.4, 3.4],
            caption="表 12-1 没有读全的",
            empty="指标涉及的采集全部完整",
        ),
        Table(
            ["指标", "原因"],
            [[value.title, value.reason] for value in none],
            [3, 5],
            caption="表 12-2 算不出来的指标",
            empty="没有",
        ),
    ]
