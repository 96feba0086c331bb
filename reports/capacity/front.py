"""Page one: how full is it, who has it, what can be reclaimed, and was everything seen."""

from __future__ import annotations

from collections.abc import Iterator

from inventory.usage import Consumer, Estate, Usage, by_department, reclaimable, summed
from inventory.usage.idle import TITLES, Judged
from reports.capacity.cells import (
    AT_LEAST,
    RESOURCES,
    UNTOLD,
    cell_of,
    fullness,
    holder_word,
    key_word,
    number,
    owned,
    percent,
    ratio_text,
    resource_word,
    text_of,
)
from reports.document import Block, Cell, Facts, Heading, Paragraph, Table

STATEMENT = (
    "数值取自最近一次采集。没有看到的不算零：来源没有读全，或有对象没有告知时，合计写作“至少”；"
    "一个都没有告知时写作“未知”。云平台与其上的容器集群分开统计，不相加。"
)
_TOP = 10


def front(estate: Estate) -> list[Block]:
    """The first chapter."""
    return [
        Heading("1 总览", 1),
        Paragraph(STATEMENT, "note"),
        Facts(list(_facts(estate))),
        _full(estate.capacity),
        _who(estate.consumers),
        _waste(estate.idle),
    ]


def totals(rows: list[Usage]) -> list[Usage]:
    """Over all sources, by kind of holder and resource."""
    return summed((r for r in rows if r.dimension == "source"), by=lambda r: (r.holder, r.resource))


def _facts(estate: Estate) -> Iterator[tuple[str, str | Cell]]:
    whole = totals(estate.capacity)
    for row in sorted(whole, key=lambda r: (r.holder != "hypervisor", r.holder)):
        if (row.holder, row.resource) in _HEADLINES:
            share, of_what = fullness(row)
            _, unit, scale = RESOURCES[row.resource]
            label = f"有多满：{_HEADLINES[row.holder, row.resource]}"
            if share.ratio is None:
                yield label, Cell(f"{UNTOLD}（{_why(row)}）", "unknown")
                continue
            text = f"已分配 {text_of(share.part / scale)} / {of_what} {text_of(share.whole / scale)} {unit}"
            tone = percent(share.ratio).tone
            least = (
                ""
                if row.exact("allocated") and row.exact("capacity")
                else f"；{_why(row)}，总量{AT_LEAST}如此"
            )
            yield label, Cell(f"{share.ratio:.1%}（{text}{least}）", tone)
    yield "还能放下", _fits(estate)
    yield "谁占用最多", _most(estate.consumers)
    yield "可回收", _reclaim(estate.idle)
    unread = [c for c in estate.snapshot.collections if c.status.value not in ("complete", "unsupported")]
    stale = len(estate.snapshot.stale)
    yield (
        "看全了吗",
        Cell(f"没有：{len(unread)} 项采集不完整，{stale} 个对象用的是旧数据，见“采集覆盖”", "unknown")
        if unread or stale
        else Cell("是：全部采集完整", "pass"),
    )


_HEADLINES = {
    ("hypervisor", "vcpu"): "云处理器",
    ("hypervisor", "memory_mib"): "云内存",
    ("storage_pool", "disk_gib"): "云存储",
    ("subnet", "floating_ip"): "浮动 IP",
    ("node", "vcpu"): "集群处理器",
    ("node", "memory_mib"): "集群内存",
}


def _why(row: Usage) -> str:
    if not row.complete:
        return "来源没有读全"
    if row.stale:
        return f"{row.stale} 个是旧数据"
    untold = max(row.capacity.unknown, row.allocated.unknown)
    return f"{untold} 个没有告知" if untold else "没有可比的数值"


def _fits(estate: Estate) -> Cell | str:
    places = [f for f in estate.fits if f.dimension == "source"]
    unseen = {r.source for r in estate.capacity if r.holder == "hypervisor"} - {f.source for f in places}
    parts = [f"{source}：未知（没有看到计算节点）" for source in sorted(unseen)]
    if not places:
        return Cell("\n".join(parts) or "没有云", "unknown" if parts else "plain")
    for place in places:
        if place.largest is not None:
            least = "" if place.exact else f"{AT_LEAST} "
            flavor = f"{place.largest.vcpus} 核 {text_of(place.largest.memory_mib / 1024)} GiB"
            parts.append(
                f"{place.source}：最大 {place.largest.name}（{flavor}），{least}{place.largest.count:,} 台"
            )
        elif place.exact and place.flavors:
            parts.append(f"{place.source}：一台也放不下")
        else:
            parts.append(f"{place.source}：未知（节点没有告知可分配量，或没有看到规格）")
    return "\n".join(parts)


def _most(consumers: list[Consumer]) -> Cell | str:
    rows = [c for c in by_department(consumers) if c.kind == "project" and c.memory_mib.told]
    whole = sum(c.memory_mib.value for c in rows)
    rows.sort(key=lambda c: -c.memory_mib.value)
    if not whole:
        return Cell("未知（没有看到云主机）", "unknown")
    parts = [f"{key_word(c.department, '（未标部门）')} {c.memory_mib.value / whole:.0%}" for c in rows[:3]]
    return f"按云主机内存：{'、'.join(parts)}"


def _reclaim(idle: list[Judged]) -> Cell | str:
    found = [row for judged in idle for row in judged.found]
    whole = reclaimable(found)
    undecided = sum(j.undecided for j in idle)
    open_ = undecided or not all(j.complete for j in idle)
    if whole is None:
        return Cell("没有发现，但没有看全", "unknown") if open_ else "没有发现"
    memory = f"{text_of(whole.memory_mib / 1024)} GiB 内存"
    parts = [
        f"{text_of(whole.vcpu)} 核、{memory}、{text_of(whole.disk_gib)} GiB 磁盘",
        f"{len({row.uid for row in found}):,} 个闲置或无主的对象",
    ]
    least = f"{AT_LEAST} " if open_ else ""
    return Cell(f"{least}{'；'.join(parts)}，须由使用部门确认", "note")


def _full(rows: list[Usage]) -> Table:
    found = sorted(
        (r for r in rows if r.dimension == "source"),
        key=lambda r: (r.source, r.holder, list(RESOURCES).index(r.resource)),
    )
    return Table(
        ["来源", "哪里", "资源", "物理总量", "超分比", "可分配", "已分配", "剩余", "占用率"],
        [
            [
                row.source,
                holder_word(row),
                resource_word(row.resource),
                cell_of(row, "capacity"),
                ratio_text(row),
                cell_of(row, "schedulable"),
                cell_of(row, "allocated"),
                cell_of(row, "free"),
                percent(fullness(row)[0].ratio),
            ]
            for row in found
        ],
        [2, 2.4, 2, 1.8, 1.2, 1.8, 1.8, 1.8, 1.6],
        caption="表 1-1 有多满",
        empty="没有看到计算节点、存储池和子网",
    )


def _who(consumers: list[Consumer]) -> Table:
    rows = [c for c in by_department(consumers) if c.kind == "project"]
    rows.sort(key=lambda c: -c.memory_mib.value)
    return Table(
        ["部门", "云主机", "处理器（核）", "内存（GiB）", "云硬盘（GiB）", "浮动 IP"],
        [
            [
                key_word(c.department, "（未标部门）"),
                number(c.servers, exact=c.complete),
                owned(c, "vcpu", "vcpu"),
                owned(c, "memory_mib", "memory_mib"),
                owned(c, "disk_gib", "disk_gib"),
                number(c.floating_ips, exact=c.complete),
            ]
            for c in rows[:_TOP]
        ],
        [3, 1.2, 1.6, 1.6, 1.6, 1.2],
        caption=f"表 1-2 谁占用（前 {_TOP} 个部门，全部见第 3 章）",
        empty="没有看到项目",
    )


def _waste(idle: list[Judged]) -> Table:
    rows: list[list[str | Cell]] = []
    for judged in idle:
        if not judged.asked:
            continue
        whole = reclaimable(judged.found)
        exact = judged.complete and not judged.undecided
        rows.append(
            [
                TITLES[judged.reason],
                number(len(judged.found), exact=exact, tone="note" if judged.found else "plain"),
                number(whole.vcpu if whole else 0, exact=exact),
                number(whole.memory_mib / 1024 if whole else 0, exact=exact),
                number(whole.disk_gib if whole else 0, exact=exact),
                number(judged.undecided, tone="unknown" if judged.undecided else "plain"),
            ]
        )
    return Table(
        ["闲置与无主", "个数", "处理器（核）", "内存（GiB）", "磁盘（GiB）", "判断不了"],
        rows,
        [3, 1.2, 1.6, 1.6, 1.6, 1.2],
        caption="表 1-3 可回收什么（明细见第 5 章）",
        empty="没有采集云或集群",
    )
