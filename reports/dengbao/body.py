"""Chapters 1 to 4: what was looked at and what was found, item by item."""

from __future__ import annotations

from inventory.coverage import Status
from policies.assessment import CATEGORIES, TRUST_WORD, Assessment, Asset, ControlVerdict, Duty
from policies.exceptions import excepted
from policies.inheritance import inheritance_line
from policies.responsibilities import WHO_WORD, duty_text, split_line
from policies.verdict import Verdict
from reports.dengbao.problems import Problem
from reports.dengbao.wording import (
    ASSETS_BY_CATEGORY,
    DUTY_ORIGIN,
    GRADE_WORD,
    HUMAN,
    PROBLEMS,
    RISK_TONE,
    UNSEEN,
    VERDICT_COLUMNS,
    by_class,
    cite,
    counts,
    moment,
    origin_cell,
    verdict_cell,
)
from reports.document import Block, Bullets, Cell, Facts, Heading, Paragraph, Table

_PEOPLE = frozenset(("物理机房", "安全相关人员", "安全管理文档"))  # no machine sees them


def overview(assessment: Assessment) -> list[Block]:
    """Chapter 1."""
    read = {c.source for c in assessment.collections if c.status in (Status.COMPLETE, Status.PARTIAL)}
    tried = {c.source for c in assessment.collections}
    return [
        Heading("1 自查项目概述"),
        Heading("1.1 自查目的", 2),
        Paragraph("掌握定级对象技术要求的落实情况，列出问题及其证据和处理办法，为整改和等级测评做准备。"),
        Heading("1.2 自查依据", 2),
        Bullets(
            [
                f"{assessment.standard_title}（要求项以本程序的概括文字列出，原文以标准为准）",
                f"评分与判定方法：{assessment.score.edition} 版等级测评报告模板所用方法，参数见第 7 章",
                "高风险判定：网络安全等级保护测评高风险判定实施指引（试行）",
            ]
        ),
        Heading("1.3 自查过程", 2),
        Facts(
            [
                ("采集时间", f"{moment(assessment.taken_at)}（北京时间）"),
                (
                    "数据快照",
                    f"第 {assessment.snapshot} 号" if assessment.snapshot else "未入库的一次性快照",
                ),
                ("采集来源", f"{len(tried)} 个，其中 {len(read)} 个读到数据；逐项见附录 I"),
                ("采集方式", "只读：云平台 API、SNMP、主机命令；不作渗透，不改动被测对象"),
                ("程序", assessment.program),
            ]
        ),
        Heading("1.4 报告分发范围", 2),
        Paragraph(f"{HUMAN}确定。报告载有地址与弱点，按封面标识管理。", "unknown"),
    ]


def described(assessment: Assessment) -> list[Block]:
    """Chapter 2."""
    system = assessment.system
    grade = system.graded
    cloud = {"platform": "云平台", "tenant": "云租户系统", "none": "不涉及云计算扩展要求"}[system.cloud]
    return [
        Heading("2 被测对象描述"),
        Heading("2.1 被测对象概述", 2),
        Facts(
            [
                ("名称", system.title),
                ("定级结果", f"{GRADE_WORD[grade.g]}，S{grade.s}A{grade.a}G{grade.g}"),
                ("重要程度", system.importance),
                ("云计算形态", cloud),
                ("云平台测评报告", _platform(assessment)),
                ("业务连续性要求", "高" if system.high_availability else "一般"),
                ("业务和采用的技术", system.description or Cell(HUMAN, "unknown")),
                ("网络结构", Cell(f"{HUMAN}（附网络拓扑图）", "unknown")),
            ]
        ),
        Heading("2.2 测评指标", 2),
        *_indicators(assessment),
        Heading("2.3 测评对象", 2),
        Paragraph(
            "测评对象由定级对象的选择条件从资产库中选出，全部纳入，不抽样；未采集到的资产不在其中，须人工补充。"
        ),
        _categories(assessment),
        *_assets(assessment),
        *_split(assessment),
    ]


def _split(assessment: Assessment) -> list[Block]:
    """Who answers for what, where the system runs on a cloud: a row for each share of a control point."""
    if assessment.split is None:
        return []
    points: dict[tuple[str, str, Duty], list[ControlVerdict]] = {}
    for c in assessment.controls:
        if c.duty and c.verdict is not Verdict.NOT_APPLICABLE:
            points.setdefault((c.control.class_name, c.control.control_point, c.duty), []).append(c)
    rows: list[list[str | Cell]] = [
        [
            class_name,
            point,
            WHO_WORD[duty.who],
            duty_text(duty).partition("负责")[2].strip("（）") or "—",
            DUTY_ORIGIN[duty.origin] if duty.origin != "default" else TRUST_WORD[duty.verified],
            str(len(held)),
            str(sum(1 for c in held if c.origin == "inherited")),
            _open(sum(1 for c in held if c.verdict is Verdict.UNKNOWN)),
        ]
        for (class_name, point, duty), held in points.items()
    ]
    return [
        Heading("2.4 云服务商与云服务客户的责任划分", 2),
        Paragraph(f"{split_line(assessment.split, assessment.controls)}。"),
        Paragraph("缺省的划分是本程序的，不是规定；以云服务合同和责任清单为准，在配置里改。", "note"),
        Table(
            ["安全类", "控制点", "由谁负责", "各自的部分", "依据", "要求项", "取自平台报告", "未核查"],
            rows,
            [2, 1.8, 1.3, 3.4, 1.6, 0.9, 1.1, 0.9],
            caption="表 2-5 责任划分",
        ),
    ]


def _open(count: int) -> str | Cell:
    return Cell(str(count), "unknown") if count else "0"


def _platform(assessment: Assessment) -> str | Cell:
    found = assessment.inheritance
    if found is None:
        return assessment.system.platform_report or "未登记"
    return Cell(inheritance_line(found), "note" if found.state == "in_force" else "fail")


def _indicators(assessment: Assessment) -> list[Block]:
    rows: list[list[str | Cell]] = []
    for name, controls in by_class(assessment).items():
        excluded = sum(1 for c in controls if c.verdict is Verdict.NOT_APPLICABLE)
        points = len({c.control.control_point for c in controls})
        rows.append([name, str(points), str(len(controls)), str(len(controls) - excluded), str(excluded)])
    excluded_rows: list[list[str | Cell]] = [
        [cite(c.control), c.control.summary, c.reason, origin_cell(c.origin)]
        for c in assessment.controls
        if c.verdict is Verdict.NOT_APPLICABLE
    ]
    return [
        Table(
            ["安全类", "控制点", "要求项", "适用", "不适用"],
            rows,
            [4, 1, 1, 1, 1],
            caption="表 2-1 安全通用要求与扩展要求指标",
        ),
        Paragraph(f"其他安全要求指标：{HUMAN}。"),
        Table(
            ["条款", "要求（概括）", "不适用的理由", "来源"],
            excluded_rows,
            [1.6, 3, 3, 1.2],
            caption="表 2-2 不适用的要求项",
        ),
    ]


def _categories(assessment: Assessment) -> Table:
    held = {name: [a for a in assessment.assets if a.category == name] for name in CATEGORIES}
    rows: list[list[str | Cell]] = []
    for name, assets in held.items():
        weights = [sum(1 for a in assets if a.importance == w) for w in ("关键", "重要", "一般")]
        if assets:
            note: str | Cell = "自动采集"
        elif name in _PEOPLE:
            note = Cell(f"{HUMAN}登记", "unknown")
        else:
            note = Cell(f"未采集到，{HUMAN}核对", "unknown")
        rows.append([name, str(len(assets)), *map(str, weights), note])
    return Table(
        ["资产类别", "数量", "关键", "重要", "一般", "说明"],
        rows,
        [3, 1, 1, 1, 1, 3],
        caption="表 2-3 测评对象分类统计",
    )


def _assets(assessment: Assessment) -> list[Block]:
    rows: list[list[str | Cell]] = [
        [a.category, a.name, a.importance, a.address or UNSEEN, _make(a), str(a.resources)]
        for a in in_order(assessment)
    ]
    return [
        Table(
            ["资产类别", "名称", "重要程度", "地址", "厂商 / 型号 / 版本", "所含资源"],
            rows,
            [2, 3, 1.2, 2, 3, 1],
            caption=ASSETS_BY_CATEGORY,
            empty="没有选出测评对象：检查定级对象的选择条件",
        )
    ]


def in_order(assessment: Assessment) -> list[Asset]:
    """Assets by category in the report's order, then as they stand."""
    return sorted(assessment.assets, key=lambda a: CATEGORIES.index(a.category))


def _make(asset: Asset) -> str:
    return " / ".join(part for part in (asset.vendor, asset.model, asset.version) if part) or UNSEEN


def results(assessment: Assessment, found: list[Problem]) -> list[Block]:
    """Chapter 3."""
    blocks: list[Block] = [Heading("3 单项测评结果分析")]
    classes = by_class(assessment)
    for number, (name, controls) in enumerate(classes.items(), start=1):
        blocks += _class(f"3.{number} {name}", controls)
    after = len(classes) + 1
    return [
        *blocks,
        Heading(f"3.{after} 验证测试", 2),
        Paragraph(f"漏洞扫描、渗透测试：{HUMAN}。本程序不作扫描和渗透，结果填入附录 E、F。", "unknown"),
        Heading(f"3.{after + 1} 小结", 2),
        _points(classes),
        Table(
            ["编号", "安全问题", "涉及资产", "处数", "条款", "风险（建议）", "来源"],
            [_problem_row(assessment, p) for p in found],
            [1.1, 3.5, 2.8, 0.9, 1.8, 1.4, 1],
            caption=PROBLEMS,
        ),
    ]


def _problem_row(assessment: Assessment, p: Problem) -> list[str | Cell]:
    cites = {c.control.id: c.control.cite for c in assessment.controls}
    clauses = "\n".join(cites.get(c, c) for c in p.controls)
    risk = Cell(p.risk, RISK_TONE[p.risk])
    accepted = excepted(assessment)
    covered = sum(1 for f in p.findings if f.id in accepted)
    count = f"{len(p.findings)}（例外 {covered}）" if covered else str(len(p.findings))
    return [p.number, p.title, p.asset_names(), count, clauses, risk, "自动"]


def _class(title: str, controls: list[ControlVerdict]) -> list[Block]:
    met = [c for c in controls if c.verdict is Verdict.PASS]
    unmet = [c for c in controls if c.verdict in (Verdict.FAIL, Verdict.PARTIAL)]
    unseen = [c for c in controls if c.verdict is Verdict.UNKNOWN]
    blocks: list[Block] = [Heading(title, 2)]
    if met:
        blocks += [
            Paragraph("已有安全控制措施："),
            Bullets(
                [
                    f"{c.control.control_point}：{c.control.summary}（{origin_cell(c.origin).text}）"
                    for c in met
                ]
            ),
        ]
    else:
        blocks.append(Paragraph("已有安全控制措施：没有核查为符合的要求项。"))
    if unmet:
        rows: list[list[str | Cell]] = [
            [
                cite(c.control),
                f"{c.control.control_point}：{c.control.summary}",
                c.reason,
                verdict_cell(c.verdict),
                origin_cell(c.origin),
            ]
            for c in unmet
        ]
        blocks.append(
            Table(
                ["条款", "要求（概括）", "结果", "符合程度", "来源"],
                rows,
                [1.6, 3, 3, 1.4, 1.2],
                caption="主要安全问题",
            )
        )
    elif len(unseen) == len(controls):
        blocks.append(Paragraph("主要安全问题：本类尚未核查，不能下结论。"))
    else:
        blocks.append(Paragraph("主要安全问题：已核查的要求项中没有发现。"))
    if unseen:
        text = f"未核查 {len(unseen)} 项，不能推断符合与否，逐项见附录 D。"
        blocks.append(Paragraph(text, "unknown"))
    return blocks


def _points(classes: dict[str, list[ControlVerdict]]) -> Table:
    rows: list[list[str | Cell]] = []
    for name, controls in classes.items():
        points: dict[str, list[Verdict]] = {}
        for c in controls:
            points.setdefault(c.control.control_point, []).append(c.verdict)
        rows += [[name, point, *counts(verdicts)] for point, verdicts in points.items()]
    return Table(
        ["安全类", "控制点", *VERDICT_COLUMNS],
        rows,
        [3, 2.6, 1, 1.3, 1.1, 1.1, 1.1],
        caption="表 3-2 控制点符合情况汇总表（要求项数）",
    )


def overall() -> list[Block]:
    """Chapter 4: a person's."""
    return [
        Heading("4 整体测评"),
        Paragraph(
            f"{HUMAN}。安全控制点间、区域间的相互弥补须由人判断，程序不据此调整任何单项结果。", "unknown"
        ),
    ]
