"""Page one: where are we against the year's targets, what breaks without IPv4, and was everything seen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from inventory.snapshot import Snapshot
from policies.assessment import IndicatorValue
from policies.ipv6.readiness import Readiness
from policies.verdict import Verdict
from reports.document import Block, Cell, Facts, Heading, Paragraph, Table, Tone
from reports.ipv6.cells import count, ends, open_, short, target, verdict

STATEMENT = (
    "这是自查，不是测评。每项占比写成区间：没有看到的，最低按不满足算，最高按满足算；"
    "来源没有读全的，区间是 0%～100%。"
    "整个区间达到目标才算达标，整个区间够不着才算未达标，其余判断不了。目标和分值哪些核实过、哪些是产品缺省，见最后一章。"
)
_TOP = 8
_GROUPS = ("网站与域名", "网络", "云与集群", "主机", "地址", "安全对等")


def front(told: Readiness) -> list[Block]:
    """The first chapter."""
    return [
        Heading("1 总览", 1),
        Paragraph(STATEMENT, "note"),
        Facts(list(_facts(told))),
        _headline(told),
        _first(told),
    ]


def asked(told: Readiness, values: Sequence[IndicatorValue]) -> list[IndicatorValue]:
    """Those that something could be counted for, or was hidden from, group by group."""
    return ordered(told, [value for value in values if value.kind and value.low is not None])


def ordered(told: Readiness, values: Sequence[IndicatorValue]) -> list[IndicatorValue]:
    """Group by group; those of a user's own groups last."""
    place = {group: index for index, group in enumerate(_GROUPS)}
    return sorted(values, key=lambda value: place.get(told.indicators[value.id].group, len(place)))


def verdicts(values: Sequence[IndicatorValue]) -> Counter[Verdict]:
    """How many have a target and something to count, by verdict."""
    return Counter(v.verdict for v in values if v.kind and v.low is not None and v.target is not None)


def unread(snapshot: Snapshot) -> int:
    """Collections that did not see everything."""
    return sum(1 for c in snapshot.collections if c.status.value not in ("complete", "unsupported"))


def _facts(told: Readiness) -> Iterator[tuple[str, str | Cell]]:
    whole = told.whole
    sources = len({c.source for c in told.snapshot.collections})
    systems = sum(1 for group in told.groups if group.of == "system")
    yield "范围", f"{sources} 个来源，{whole.resources:,} 个资源，{systems} 个系统"
    found = verdicts(whole.values)
    text = (
        f"{found[Verdict.PASS]} 项达标，{found[Verdict.FAIL]} 项未达标，{found[Verdict.UNKNOWN]} 项判断不了"
    )
    tone: Tone = "fail" if found[Verdict.FAIL] else "unknown" if found[Verdict.UNKNOWN] else "pass"
    nothing = Cell("没有可以计算的指标", "unknown")
    yield f"对照 {told.year} 年目标", Cell(text, tone) if found else nothing
    if whole.breaking or whole.may_break:
        text = f"至少 {whole.breaking:,} 个会断，另有 {whole.may_break:,} 个不明（各指标分别计数，见第 6 章）"
        yield "现在关掉 IPv4", Cell(text, "fail" if whole.breaking else "unknown")
    yield "网站", _sites(told)
    text = f"{len(told.gaps):,} 处 IPv4 控制在 IPv6 上没有对应" + (
        f"，{told.open_gaps:,} 处不明" if told.open_gaps else ""
    )
    yield "安全对等", Cell(text, "fail" if told.gaps else "unknown" if told.open_gaps else "pass")
    yield (
        "地址规划",
        f"登记了 {len(told.plan)} 个前缀" if told.plan else Cell("没有登记（policies.ipv6.plan）", "unknown"),
    )
    missing, stale = unread(told.snapshot), len(told.snapshot.stale)
    yield (
        "看全了吗",
        Cell(f"没有：{missing} 项采集不完整，{stale:,} 个对象用的是旧数据，见第 12 章", "unknown")
        if missing or stale
        else Cell("是：全部采集完整", "pass"),
    )


def _sites(told: Readiness) -> str | Cell:
    if not told.sites:
        return Cell("没有看到网站：没有采集，或没有登记", "unknown")
    levels = Counter(site.level_low if site.level_low == site.level_high else "区间" for site in told.sites)
    words = [f"{level} {levels[level]}" for level in ("优", "良", "中", "差", "不支持") if levels[level]]
    words += [f"没看全 {levels['区间']}"] if levels["区间"] else []
    return f"{len(told.sites)} 个：" + "、".join(words)


def _headline(told: Readiness) -> Table:
    return Table(
        ["分组", "指标", "最低", "最高", "目标", "结论", "是", "不是", "不明"],
        [
            [
                told.indicators[value.id].group,
                value.title,
                *ends(value),
                target(value),
                verdict(value),
                count(value.met),
                short(value.short) if value.better == "more" else count(value.short),
                open_(value.open),
            ]
            for value in asked(told, told.whole.values)
        ],
        [1.3, 3.3, 1, 1.05, 1.7, 1.7, 0.8, 0.95, 1],
        caption=f"表 1-1 各项占比，对照 {told.year} 年目标",
        empty="没有可以计算的指标：还没有采集云、集群、设备、主机或网站",
    )


def _first(told: Readiness) -> Table:
    return Table(
        ["先做什么", "涉及的指标", "不满足", "还差几个达标"],
        [
            [step.advice, step.value.title, short(step.value.short), count(step.missing)]
            for step in told.steps[:_TOP]
        ],
        [4, 3.4, 1, 1.2],
        caption=f"表 1-2 先做什么（前 {_TOP} 项，全部见第 2 章）",
        empty="没有未达标的",
    )
