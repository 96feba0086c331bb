"""The chapters about machines: capacity by place, what still fits, measured load, and what was not seen."""

from __future__ import annotations

from collections import defaultdict

from inventory.kinds import KINDS
from inventory.kinds.usage import Utilization
from inventory.unknown import Unknown
from inventory.usage import DIMENSIONS, Estate, Fit, summed
from inventory.usage.idle import LOW_CPU
from reports.capacity.cells import (
    AT_LEAST,
    UNTOLD,
    cell_of,
    fullness,
    holder_word,
    key_word,
    number,
    percent,
    ratio_text,
    resource_word,
)
from reports.capacity.cells import DIMENSIONS as DIMENSION_WORDS
from reports.document import Block, Bullets, Cell, Heading, Paragraph, Table, Tone

_RELEVANT = (
    "hypervisor", "aggregate", "flavor", "storage_pool", "subnet", "node", "project", "quota", "server",
    "volume", "volume_snapshot", "floating_ip", "port", "security_group", "namespace", "workload",
    "volume_claim", "utilization", "load", "link_load",
)  # fmt: skip
_STATUS_TONE: dict[str, Tone] = {
    "complete": "pass",
    "partial": "partial",
    "denied": "unknown",
    "unsupported": "na",
    "failed": "fail",
}


def capacity(estate: Estate) -> list[Block]:
    """Every place of every dimension."""
    rows: list[list[str | Cell]] = []
    for dimension in DIMENSIONS:
        found = [r for r in estate.capacity if r.dimension == dimension]
        if dimension == "department":
            found = summed(found, by=lambda r: (r.key, r.holder, r.resource))
        for row in sorted(found, key=lambda r: (r.key, r.source, r.holder, r.resource)):
            whole = dimension == "source"
            rows.append(
                [
                    DIMENSION_WORDS[dimension],
                    row.source
                    if whole
                    else key_word(row.key, "（未标部门）" if dimension == "department" else "（无）"),
                    "（各来源合计）" if dimension == "department" else row.source,
                    holder_word(row),
                    resource_word(row.resource),
                    cell_of(row, "capacity"),
                    cell_of(row, "reserved"),
                    ratio_text(row),
                    cell_of(row, "schedulable"),
                    cell_of(row, "allocated"),
                    cell_of(row, "free"),
                    percent(fullness(row)[0].ratio),
                    cell_of(row, "used"),
                    percent(row.load.ratio, judged=False),
                    number(row.holders, exact=row.complete),
                    number(row.closed),
                    number(row.capacity.unknown, tone="unknown" if row.capacity.unknown else "plain"),
                ]
            )
    return [
        Heading("2 各处容量", 1),
        Paragraph(
            "可分配 =（物理总量 − 预留）× 超分比；剩余不含停用或离线的节点；占用率 = 已分配 / 可分配，"
            "没有告知超分比的按物理总量算。一台主机可以属于多个聚合，聚合各行不能相加。"
        ),
        Table(
            ["维度", "名称", "来源", "哪里", "资源", "物理总量", "预留", "超分比", "可分配", "已分配", "剩余",
             "占用率", "实际使用", "使用率", "个数", "停用离线", "未告知"],
            rows,
            [1.4, 2, 1.8, 2, 1.8, 1.5, 1.2, 1, 1.5, 1.5, 1.5, 1.3, 1.5, 1.2, 0.9, 0.9, 0.9],
            empty="没有看到计算节点、存储池、子网和集群节点",
        ),
    ]  # fmt: skip


def fitting(estate: Estate) -> list[Block]:
    """The largest flavor that still fits, by place; then each flavor by cloud."""
    largest: list[list[str | Cell]] = []
    every: list[list[str | Cell]] = []
    for place in estate.fits:
        where = place.source if place.dimension == "source" else key_word(place.key)
        held = place.largest
        largest.append(
            [
                place.source,
                DIMENSION_WORDS[place.dimension],
                where,
                _largest(place),
                number(held.vcpus) if held else "",
                number(held.memory_mib / 1024) if held else "",
                number(held.count, exact=place.exact) if held else "",
                number(place.hosts),
                number(place.closed),
                number(place.untold, tone="unknown" if place.untold else "plain"),
            ]
        )
        if place.dimension == "source":
            every += [
                [
                    place.source,
                    flavor.name,
                    number(flavor.vcpus),
                    number(flavor.memory_mib / 1024),
                    number(flavor.disk_gib),
                    number(flavor.count, exact=place.exact),
                    number(flavor.pooled, exact=place.exact),
                    percent(1 - flavor.count / flavor.pooled if flavor.pooled else None, judged=False)
                    if flavor.pooled
                    else "",
                ]
                for flavor in place.flavors
            ]
    return [
        Heading("6 还能放下的最大规格", 1),
        Paragraph(
            "逐台主机按剩余的可分配量计算，一台云主机必须整个放在一台主机上。没有考虑主机特征、聚合元数据、亲和组等调度限制，"
            "实际能放下的可能更少。"
        ),
        Table(
            [
                "来源",
                "维度",
                "名称",
                "最大规格",
                "处理器（核）",
                "内存（GiB）",
                "还能放几台",
                "可用主机",
                "停用离线",
                "未告知",
            ],
            largest,
            [1.8, 1.4, 2, 2.2, 1, 1.1, 1.2, 1, 1, 1],
            empty="没有看到计算节点",
        ),
        Heading("7 各规格还能放下的台数", 1),
        Paragraph("“拼在一起”是假设全部余量在一台主机上能放下的台数；两者之差是碎片，可以通过迁移整理出来。"),
        Table(
            [
                "来源",
                "规格",
                "处理器（核）",
                "内存（GiB）",
                "磁盘（GiB）",
                "还能放几台",
                "拼在一起能放",
                "碎片损失",
            ],
            every,
            [1.8, 2.4, 1, 1.2, 1.2, 1.3, 1.3, 1.2],
            empty="没有看到规格",
        ),
    ]


def _largest(place: Fit) -> str | Cell:
    if place.largest is not None:
        return place.largest.name
    if place.exact and place.flavors:
        return Cell("一台也放不下", "fail")
    return Cell(UNTOLD, "unknown")


def load(estate: Estate) -> list[Block]:
    """What monitoring measured, by source and kind."""
    groups: dict[tuple[str, str, str], list[Utilization]] = defaultdict(list)
    for row in estate.snapshot.of(Utilization):
        if isinstance(row.metric, Unknown):
            continue
        for target in row.related("measures"):
            source, kind = target.split("/", 2)[:2]
            groups[source, kind, row.metric].append(row)
    metric = {"cpu": "处理器", "memory": "内存", "disk": "磁盘"}
    rows: list[list[str | Cell]] = []
    for (source, kind, name), found in sorted(groups.items()):
        means = [r.mean for r in found if not isinstance(r.mean, Unknown)]
        p95s = [r.p95 for r in found if not isinstance(r.p95, Unknown)]
        peaks = [r.peak for r in found if not isinstance(r.peak, Unknown)]
        known = len(estate.snapshot.of_kind(kind))
        measured = len({t for r in found for t in r.related("measures")})
        rows.append(
            [
                source,
                KINDS[kind].TITLE if kind in KINDS else kind,
                metric[name],
                number(measured),
                number(max(0, sum(1 for r in estate.snapshot.of_kind(kind) if r.source == source) - measured))
                if known
                else "",
                percent(sum(means) / len(means) if means else None, judged=False),
                percent(sum(p95s) / len(p95s) if p95s else None, judged=False),
                percent(max(peaks) if peaks else None, judged=False),
                number(sum(1 for v in p95s if v < LOW_CPU)),
                number(sum(1 for v in p95s if v >= 0.8)),
            ]
        )
    return [
        Heading("8 实测利用率", 1),
        Paragraph(
            "取自监控系统（prometheus 来源）。各列是每个对象在时间窗内的均值、95 分位、峰值，"
            "再在对象之间取平均或最大。"
        ),
        Table(
            [
                "来源",
                "对象",
                "指标",
                "测到",
                "没测到",
                "平均",
                "95 分位平均",
                "最高峰值",
                "95 分位低于 10%",
                "95 分位达 80%",
            ],
            rows,
            [1.8, 1.8, 1, 1, 1, 1.1, 1.3, 1.2, 1.4, 1.3],
            empty="没有测量：在配置里加一个 prometheus 来源",
        ),
    ]


def coverage(estate: Estate) -> list[Block]:
    """What was not seen, why, and what would show it."""
    rows: list[list[str | Cell]] = [
        [
            c.source,
            KINDS[c.kind].TITLE if c.kind in KINDS else c.kind,
            c.scope,
            Cell(c.status.label, _STATUS_TONE[c.status.value]),
            number(c.count, exact=c.status.value in ("complete", "unsupported")),
            c.reason,
            c.remedy,
        ]
        for c in sorted(
            estate.snapshot.collections,
            key=lambda c: (c.status.value == "complete", c.source, c.kind, c.scope),
        )
        if c.kind in _RELEVANT
    ]
    return [
        Heading("9 采集覆盖", 1),
        Paragraph("没有读全的排在前面。它们涉及的合计一律写作“至少”，涉及的判断写作“判断不了”。"),
        Table(
            ["来源", "种类", "范围", "结果", "看到", "原因", "怎么办"],
            rows,
            [1.6, 1.6, 1.4, 1.2, 1, 3.4, 3.4],
            empty="没有采集过云或集群",
        ),
    ]


def method() -> list[Block]:
    """How the figures come about."""
    return [
        Heading("10 口径说明", 1),
        Bullets(
            [
                "物理总量、预留、超分比、已分配：OpenStack 取自 Placement；取不到时用计算服务的旧字段，"
                "此时没有预留和超分比。",
                "集群节点的已分配是容器组的申请量（requests）之和，预留是节点不可分配的部分。",
                "存储池是精简配置时，已分配可以大于物理总量。",
                "计算节点的磁盘使用共享存储时，各节点会报告同一份空间，相加会偏大；以存储池为准。",
                "IPv6 子网的地址不会用尽，不计入内网地址。",
                f"“{AT_LEAST}”：还有没看到或没有告知的；“{UNTOLD}”：一个都没有告知。两者都不等于零。",
                "各天的数值从现在起每天保存一份（按北京时间，当天最后一次采集为准），供以后做趋势和预测。",
            ]
        ),
    ]
