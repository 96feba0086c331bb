"""The chapter about websites: points and level of each, part by part."""

from __future__ import annotations

from policies.ipv6.readiness import Readiness
from policies.ipv6.sites import LEVELS, PART_WORD, POINTS, Level, Part
from reports.document import Block, Cell, Heading, Paragraph, Table, Tone
from reports.ipv6.cells import cut, points

_TONE: dict[Level, Tone] = {"不支持": "fail", "差": "fail", "中": "partial", "良": "pass", "优": "pass"}


def sites(told: Readiness, limit: int) -> list[Block]:
    """Every site, the worst first."""
    words = [f"{PART_WORD[id_]}（{n}）" for id_, n in POINTS.items()]
    return [
        Heading("7 网站", 1),
        Paragraph(
            "分值和等级是产品缺省，不是规定（见第 13 章）。AAAA 或首页可达不符合，等级就是不支持；"
            "没有看到的，最低不得分，最高得满分。"
            "天窗是嵌入的外部资源没有 IPv6，只有 IPv6 的访问者会看到空洞。",
            "note",
        ),
        *cut(len(told.sites), limit),
        Table(
            ["网站", "部门", "等级", "分数", *words],
            [
                [
                    site.url,
                    told.departments.get(site.uid) or "－",
                    _level(site.level_low, site.level_high),
                    points(site.low, site.high),
                    *(_part(part) for part in site.parts),
                ]
                for site in told.sites[:limit]
            ],
            [2.4, 1.5, 1.2, 1.2, *[1.5] * len(words)],
            empty="没有看到网站：没有采集，或没有登记",
        ),
    ]


def _level(low: Level, high: Level) -> Cell:
    if low == high:
        return Cell(low, _TONE[low])
    first, last = sorted((low, high), key=LEVELS.index)
    return Cell(f"{first}～{last}", "unknown")


def _part(part: Part) -> Cell:
    if part.low != part.high:
        return Cell(part.why, "unknown")
    return Cell(part.why, "pass" if part.low == 1 else "fail" if part.low == 0 else "partial")
