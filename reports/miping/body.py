"""Chapters 1 to 3: the check, the system, its scope and how it was looked at."""

from __future__ import annotations

from inventory.coverage import Status
from policies.assessment import Assessment
from policies.verdict import Verdict
from reports.dengbao.body import in_order
from reports.dengbao.wording import GRADE_WORD, HUMAN, UNSEEN, moment
from reports.document import Block, Bullets, Cell, Facts, Heading, Paragraph, Table
from reports.miping.wording import required, score_of, standard_of, technical, units

_ASSETS = (
    ("2.4.4 服务器和存储设备", "表 2-3 服务器和存储设备", ("服务器",)),
    ("2.4.5 网络及安全设备", "表 2-4 网络及安全设备", ("网络设备", "安全设备", "其他系统或设备")),
    ("2.4.6 管理平台", "表 2-5 云平台、集群等管理平台", ("系统管理软件/平台",)),
)
_MOST = 500  # rows of one table of assets


def overview(assessment: Assessment) -> list[Block]:
    """Chapter 1."""
    score, standard = score_of(assessment), standard_of(assessment)
    read = {c.source for c in assessment.collections if c.status in (Status.COMPLETE, Status.PARTIAL)}
    tried = {c.source for c in assessment.collections}
    return [
        Heading("1 自查项目概述"),
        Heading("1.1 自查目的", 2),
        Paragraph(
            "掌握系统密码应用的现状，列出问题及其证据和处理办法，为整改和商用密码应用安全性评估做准备。"
        ),
        Heading("1.2 自查依据", 2),
        Bullets(
            [
                f"{assessment.standard_title}（各单元以本程序的概括文字列出，原文以标准为准）",
                "GB/T 43206-2023 信息系统密码应用测评要求（测评单元编号）",
                f"{standard.editions[score.edition].title}，参数见第 7 章",
                standard.cases_title,
            ]
        ),
        Paragraph("D 密码使用有效性；A 密码算法和技术合规性；K 密钥管理安全。"),
        Heading("1.3 自查过程", 2),
        Facts(
            [
                ("采集时间", f"{moment(assessment.taken_at)}（北京时间）"),
                ("数据快照", f"第 {assessment.snapshot} 号" if assessment.snapshot else "未入库的一次性快照"),
                ("采集来源", f"{len(tried)} 个，其中 {len(read)} 个读到数据；逐项见附录 B"),
                ("采集方式", "只读：云平台和集群 API、SNMP、主机命令；不作渗透，不改动被测对象"),
                ("程序", assessment.program),
            ]
        ),
        Heading("1.4 报告分发范围", 2),
        Paragraph(f"{HUMAN}确定。报告载有地址与弱点，按封面标识管理。", "unknown"),
    ]


def described(assessment: Assessment) -> list[Block]:
    """Chapter 2: what machines saw of it; the rest is named for people to fill in."""
    system, score = assessment.system, score_of(assessment)
    blocks: list[Block] = [
        Heading("2 被测系统情况"),
        Heading("2.1 承载的业务", 2),
        Paragraph(system.description or f"{HUMAN}填写。", "plain" if system.description else "unknown"),
        Heading("2.2 网络拓扑", 2),
        Paragraph(f"{HUMAN}：附网络拓扑图，标出跨网络边界的信道。", "unknown"),
        Heading("2.3 密码应用情况", 2),
        Table(
            ["层面", "自动采集看到的", "须由人说明的"],
            [
                [layer.title, _seen(assessment, layer.code), Cell("用到的密码产品、算法和密钥", "unknown")]
                for layer in technical(score)
            ],
            [2, 4, 3],
            caption="表 2-1 密码应用情况",
        ),
        Heading("2.4 系统资产", 2),
        Table(
            ["类别", "登记"],
            [
                [name, Cell(f"{HUMAN}登记", "unknown")]
                for name in (
                    "2.4.1 物理环境",
                    "2.4.2 物理安防设施",
                    "2.4.3 密码产品（名称、厂商、型号、认证证书编号、模块等级、数量、用途）",
                    "2.4.7 数据库、关键业务应用",
                    "2.4.8 重要数据（所属应用、存储位置、机密性和完整性需求）",
                    "2.4.9 管理文档",
                    "2.4.10 人员",
                )
            ],
            [5, 2],
            caption="表 2-2 须由人登记的资产",
        ),
    ]
    for title, caption, categories in _ASSETS:
        blocks += [Heading(title, 3), *_assets(assessment, caption, categories)]
    return [
        *blocks,
        Heading("2.5 密码服务", 2),
        Paragraph(f"{HUMAN}登记服务名称、提供者及其资质。", "unknown"),
        Heading("2.6 安全威胁", 2),
        Paragraph(f"{HUMAN}分析。", "unknown"),
        Heading("2.7 前次测评情况", 2),
        Paragraph(f"{HUMAN}：上次密评的时间、结论和整改情况。", "unknown"),
    ]


def _seen(assessment: Assessment, layer: str) -> str:
    score = score_of(assessment)
    found = next(x for x in score.layers if x.code == layer)
    names = {o.name: o.title or o.name for u in found.units for o in u.objects}
    if not names:
        return "没有自动采集的对象"
    shown = "、".join(list(names.values())[:5])
    return f"{len(names)} 个对象：{shown}{' 等' if len(names) > 5 else ''}"


def _assets(assessment: Assessment, caption: str, categories: tuple[str, ...]) -> list[Block]:
    held = [a for a in in_order(assessment) if a.category in categories]
    rows: list[list[str | Cell]] = [
        [
            a.name,
            a.address or UNSEEN,
            " ".join(part for part in (a.vendor, a.model) if part) or UNSEEN,
            a.version or UNSEEN,
            a.importance,
        ]
        for a in held[:_MOST]
    ]
    table = Table(
        ["名称", "地址", "厂商 型号", "系统或软件版本", "重要程度"],
        rows,
        [2.4, 2, 2.4, 2.2, 1],
        caption=caption,
        empty=f"没有采集到；如有，{HUMAN}登记",
    )
    rest = len(held) - _MOST
    return [table, Paragraph(f"另有 {rest} 个未印出。", "note")] if rest > 0 else [table]


def scope(assessment: Assessment) -> list[Block]:
    """Chapter 3."""
    score, standard = score_of(assessment), standard_of(assessment)
    reasons = {c.control.id: c.reason for c in assessment.controls}
    rows: list[list[str | Cell]] = []
    for layer in score.layers:
        left = sum(1 for u in layer.units if u.verdict is Verdict.NOT_APPLICABLE)
        rows.append([layer.title, str(len(layer.units)), str(len(layer.units) - left), str(left)])
    excluded: list[list[str | Cell]] = [
        [u.code, u.title, required(standard.crypto[u.control]), reasons[u.control]]
        for u in units(score)
        if u.verdict is Verdict.NOT_APPLICABLE
    ]
    return [
        Heading("3 自查范围与方法"),
        Heading("3.1 测评指标", 2),
        Table(
            ["层面", "测评单元", "适用", "不适用"],
            rows,
            [4, 1, 1, 1],
            caption=f"表 3-1 基本指标（{GRADE_WORD[score.level]}）",
        ),
        Table(
            ["单元", "名称", "要求", "不适用的理由"],
            excluded,
            [1, 3, 1.4, 4],
            caption="表 3-2 不适用指标",
            empty="没有；没有查明的不算不适用",
        ),
        Paragraph(f"特殊指标：{HUMAN}，不计入得分。", "unknown"),
        Heading("3.2 方法及工具", 2),
        Bullets(
            [
                "程序读取配置和状态，逐条用检查规则判断；规则只能判定 D 或 A 不符合，其余为线索",
                "访谈、现场核查、文档审查、密码产品证书核验、协议和算法测试：待人工进行",
            ]
        ),
        Heading("3.3 测评对象及确定方法", 2),
        Paragraph(
            "设备和计算安全的对象为选择条件选出的全部资产，不抽样；网络和通信安全的对象为采集到的、终结信道的资源，"
            "是否列全、是否跨网络边界须由人确认。物理环境、应用和数据的对象须由人列出。没有清点的类别各按一个未查明的对象计。"
        ),
    ]
