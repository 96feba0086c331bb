"""The chapter about method: how the figures come about, and what they rest on."""

from __future__ import annotations

from policies.assessment import TRUST_WORD
from policies.ipv6.readiness import Readiness
from policies.ipv6.sites import PARAMETERS
from reports.document import Block, Bullets, Cell, Heading, Table
from reports.ipv6.cells import target


def method(told: Readiness) -> list[Block]:
    """How the figures come about, the targets and the parameters with what they rest on."""
    return [
        Heading("13 口径与依据", 1),
        Bullets(
            [
                "没有官方公布的总分算法，本报告不打总分；网站的分数和等级是产品缺省。",
                "最低：没有看到的按不满足算。最高：没有看到的按满足算。来源没有读全、"
                "资源可能有遗漏的，最低 0%、最高 100%。",
                "目标按年份取：不晚于报告年份的最近一年。本单位的目标写在 policies.targets，优先于缺省。",
                "年度全国目标（用户数、流量占比、门户支持率）是全国口径，不是单个系统的及格线。",
                "可用的 IPv6 地址：链路本地以外的单播地址（全球单播、唯一本地）。",
                "稳定地址（RFC 7217）和临时地址（RFC 8981）从地址本身分不开，本报告不区分。",
                "设备“看不到 IPv6”是它的各张表都没有 IPv6 地址；设备不给这些表的，算不明。",
                "监听 :: 的端口算支持 IPv6，不论它是否也接受 IPv4；DHCP（UDP 67、68）是 IPv4 自己的，不算。",
            ]
        ),
        Table(
            ["指标", "目标", "谁定的", "依据", "说明"],
            [
                [
                    value.title,
                    target(value),
                    "本单位" if value.set_here else "缺省",
                    Cell("本单位设定", "pass")
                    if value.set_here
                    else Cell(
                        TRUST_WORD.get(value.verified, ""), "plain" if value.verified == "read" else "note"
                    ),
                    told.indicators[value.id].note,
                ]
                for value in told.whole.values
            ],
            [3, 1.6, 0.9, 1.8, 4],
            caption="表 13-1 目标及其依据",
        ),
        Table(
            ["参数", "取值", "依据"],
            [[name, value, basis] for name, value, basis in PARAMETERS],
            [1.6, 5, 2.4],
            caption="表 13-2 网站分数的参数",
        ),
    ]
