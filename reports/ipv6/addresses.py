"""The chapter about addresses: of which sorts they are, how they were made, and the plan."""

from __future__ import annotations

from collections import Counter

from policies.ipv6.addressing import IDENTIFIER_WORD, NAT64, SORT_WORD
from policies.ipv6.plan import ASSIGNMENT_WORD, in_use, planned
from policies.ipv6.readiness import Obstacle, Readiness
from reports.document import Block, Cell, Heading, Paragraph, Table
from reports.ipv6.cells import count, cut


def addresses(told: Readiness, limit: int) -> list[Block]:
    """The census, the plan, and what does not keep to it."""
    seen = told.census
    total, wide = sum(seen.sorts.values()), sum(seen.identifiers.values())
    translating = (
        f"看到 {len(seen.nat64)} 个对象有 NAT64 的通用前缀 {NAT64}（RFC 6052）：{'、'.join(seen.nat64[:5])}。"
        if seen.nat64
        else f"没有看到 NAT64 的通用前缀 {NAT64}；用自己前缀的 NAT64 和 DNS64 从这些数据看不出来，"
        "不等于没有。"
    )
    unseen = f"{seen.unseen:,} 个对象没有告知地址。" if seen.unseen else ""
    return [
        Heading("9 地址", 1),
        Paragraph(
            f"云主机、接口、集群节点、负载均衡上看到的 {total:,} 个不同的 IPv6 地址。{unseen}{translating}"
        ),
        _shares(
            "表 9-1 地址的种类",
            [(SORT_WORD[k], seen.sorts.get(k, 0), seen.examples.get(k, "")) for k in SORT_WORD],
            total,
        ),
        _shares(
            "表 9-2 接口标识（后 64 位）的来历",
            [
                (IDENTIFIER_WORD[k], seen.identifiers.get(k, 0), seen.examples.get(k, ""))
                for k in IDENTIFIER_WORD
            ],
            wide,
        ),
        _plan(told),
        *_astray(told, limit),
    ]


def _shares(caption: str, rows: list[tuple[str, int, str]], total: int) -> Table:
    return Table(
        ["种类", "个数", "占比", "例子"],
        [
            [word, count(n), Cell(f"{n / total:.1%}", "plain", n / total, "0.0%"), example]
            for word, n, example in rows
            if total and n
        ],
        [4, 1, 1, 3],
        caption=caption,
        empty="没有看到 IPv6 地址",
    )


def _plan(told: Readiness) -> Table:
    by_kind = {kind: told.snapshot.of_kind(kind) for kind in ("subnet", "interface", "node")}
    held = Counter(
        one.prefix
        for network in {used.network for used in in_use(by_kind) if used.network is not None}
        if (one := planned(told.plan, network)) is not None
    )
    return Table(
        ["登记的前缀", "责任单位", "用途", "分配方式", "在用的网段"],
        [
            [
                one.prefix,
                one.owner,
                one.purpose,
                ASSIGNMENT_WORD.get(one.assignment, "没有规定"),
                count(held[one.prefix]),
            ]
            for one in sorted(told.plan, key=lambda p: p.network)
        ],
        [2, 2, 2.4, 1.4, 1],
        caption="表 9-3 登记的地址规划（policies.ipv6.plan）",
        empty="没有登记",
    )


def _astray(told: Readiness, limit: int) -> list[Block]:
    found = [one for one in told.obstacles if one.indicator in ("ADDR-PLAN", "ADDR-ASSIGN")]
    return [
        *cut(len(found), limit),
        Table(
            ["对象", "哪里不一致", "系统", "部门", "来源"],
            [_row(one) for one in found[:limit]],
            [2, 4, 1.8, 1.6, 1.4],
            caption="表 9-4 与规划不一致的",
            empty="没有发现" if told.plan else "没有登记规划，无从比对",
        ),
    ]


def _row(one: Obstacle) -> list[str | Cell]:
    return [one.name, one.detail, "、".join(one.systems) or "－", one.department or "－", one.source]
