"""What the template, its reader and the documents agree on: sheets, headings, and what a cell may hold."""

from __future__ import annotations

from typing import Final, Literal, get_args

import msgspec

from inventory.kinds.register import AccountType, ActivityType, CertificateType, GrantType

CellType = Literal["text", "day", "yes_no", "number", "interval", "choice", "names"]
"""``interval``: 每月, 半年, 90 天 …; ``names``: several, separated by 、；, or new lines."""

KEY: Final = "编号"
GUIDE_SHEET: Final = "说明"


class Column(msgspec.Struct, frozen=True):
    """A heading and the field behind it. A ``required`` one must be there and filled in every row; another
    may be missing as a whole, and its field then is UNKNOWN. ``why`` tells people what to write (中文)."""

    heading: str
    field: str
    type: CellType
    why: str
    required: bool = False
    choices: tuple[str, ...] = ()


class Sheet(msgspec.Struct, frozen=True):
    """A sheet and the kind that its rows are. ``name_of``: the heading that names a row."""

    title: str
    kind: str
    about: str
    name_of: tuple[str, ...]
    columns: tuple[Column, ...]

    @property
    def required(self) -> tuple[str, ...]:
        return (KEY, *(column.heading for column in self.columns if column.required))


def _choice(heading: str, field: str, choices: tuple[str, ...], why: str, required: bool = False) -> Column:
    return Column(heading, field, "choice", why, required, choices)


SHEETS: Final = (
    Sheet(
        "定期工作",
        "activity",
        "检查、测评、扫描、演练、维护等，做一次记一行；只是计划的，完成日期留空。",
        ("类型", "系统"),
        (
            _choice("类型", "type", get_args(ActivityType), "从列表选", True),
            Column("系统", "system", "text", "针对哪个系统；对全单位的留空"),
            Column("完成日期", "done_on", "day", "哪天做完的，例如 2026-03-15；还没做的留空"),
            Column("周期", "interval", "interval", "多久做一次：每月、每季度、半年、每年、90 天"),
            Column("下次到期", "due_on", "day", "下一次最晚哪天做；留空按完成日期加周期算"),
            _choice("结果", "result", ("通过", "有问题", "未通过"), "从列表选"),
            Column("未整改问题数", "open_problems", "number", "发现了还没改完的问题有几个；都改完了写 0"),
            Column("整改期限", "problems_due", "day", "没改完的最晚哪天改完"),
            Column("报告", "report", "text", "报告或记录的编号、文件名"),
        ),
    ),
    Sheet(
        "备份策略",
        "backup_plan",
        "要定期备份的数据和系统，每样一行。",
        ("备份内容",),
        (
            Column("备份内容", "content", "text", "备份的是什么：业务库、配置、软件、虚拟机", True),
            Column("系统", "system", "text", "属于哪个系统；全单位的留空"),
            _choice("备份方式", "method", ("全量", "增量", "差异", "实时复制", "快照"), "从列表选"),
            Column("频度", "interval_days", "interval", "多久备份一次：实时、每日、每周、30 天"),
            Column("介质", "medium", "text", "存在什么上：磁盘阵列、磁带、对象存储"),
            Column("存放地点", "place", "text", "存在哪里：机房、城市"),
            Column("保存期", "retention_days", "interval", "留多久：180 天、6 个月、3 年、永久"),
            Column("异地", "off_site", "yes_no", "另一个地点有没有一份：是、否"),
            Column("实时", "real_time", "yes_no", "异地那一份是不是实时同步：是、否"),
            Column(
                "异地滞后分钟", "lag_minutes", "number", "核查时异地那一份比本地晚多少分钟，不到一分钟写 0"
            ),
            Column("滞后核查日期", "lag_checked_on", "day", "最近哪天核查过异地那一份晚多少；没有查过的留空"),
            Column("数据在云上", "in_cloud", "yes_no", "数据在云服务商的平台上：是、否"),
            Column("本单位另存", "own_copy", "yes_no", "云上的数据，本单位自己有没有另存一份：是、否"),
            Column("最近恢复测试", "restored_on", "day", "最近哪天试着恢复过；没有试过的留空"),
            _choice("恢复结果", "restore_result", ("成功", "失败"), "从列表选"),
        ),
    ),
    Sheet(
        "安全产品",
        "product",
        "网络安全产品和密码产品，每个型号一行。",
        ("产品",),
        (
            Column("产品", "name", "text", "产品名称", True),
            _choice("类别", "category", ("安全产品", "密码产品"), "从列表选", True),
            Column("型号", "model", "text", "型号和版本"),
            Column("在用", "in_use", "yes_no", "现在还在用：是、否", True),
            _choice("证书类型", "certificate_type", get_args(CertificateType), "从列表选；没有的选 无"),
            Column("证书编号", "certificate_number", "text", "证书上的编号"),
            Column("证书有效至", "valid_until", "day", "证书哪天到期"),
        ),
    ),
    Sheet(
        "接入授权",
        "access_grant",
        "外部人员接入、远程运维、运维工具、对外连接，每批一次记一行。",
        ("类型", "使用者"),
        (
            _choice("类型", "type", get_args(GrantType), "从列表选", True),
            Column(
                "使用者", "holder", "text", "账户名或工号；工具和外联写它的名称。不写姓名、电话、证件号", True
            ),
            Column("对象", "target", "text", "接到哪里、用在哪里", True),
            Column("批准", "approved_by", "text", "谁批的：岗位、部门或审批单编号"),
            Column("开始日期", "starts_on", "day", "从哪天起", True),
            Column("截止日期", "ends_on", "day", "批到哪天"),
            Column("关闭日期", "closed_on", "day", "哪天真正关掉、收回；还开着的留空"),
            Column("数据已清除", "data_cleared", "yes_no", "工具里的敏感数据清了没有：是、否"),
        ),
    ),
    Sheet(
        "离岗离场",
        "leaver",
        "离岗的人员和离场的外部人员，每人一行，不写姓名。",
        (KEY,),
        (
            _choice("人员", "external", ("本单位", "外部"), "从列表选", True),
            Column("账户", "accounts", "names", "名下的全部账户，多个用顿号隔开；没有账户的写 无", True),
            Column("离岗日期", "left_on", "day", "哪天离岗或离场", True),
            Column("停用日期", "disabled_on", "day", "账户哪天停用或删除；还没有的留空"),
        ),
    ),
    Sheet(
        "变更单",
        "change_order",
        "对系统、网络、设备的变更，每单一行。",
        (KEY,),
        (
            Column("变更对象", "objects", "text", "改的是什么：系统、设备、参数", True),
            Column("方案", "plan", "text", "评审过的变更方案的编号或文件名"),
            Column("批准", "approved_by", "text", "谁批的：岗位、部门或审批单编号"),
            Column("开始日期", "starts_on", "day", "计划哪天开始", True),
            Column("截止日期", "ends_on", "day", "计划哪天完成"),
            Column("关闭日期", "closed_on", "day", "哪天做完并确认；没有做完的留空"),
            _choice("结果", "result", ("成功", "回退", "取消"), "从列表选"),
            Column("配置库已更新", "configuration_updated", "yes_no", "配置信息库跟着改了没有：是、否"),
        ),
    ),
    Sheet(
        "账户",
        "account_record",
        "主机、设备、云平台上该有的账户和持有人，每个一行；几处都有的同一个账户写一行。",
        ("账户",),
        (
            Column("账户", "account", "text", "账户名，区分大小写；云平台几个域里同名的写成 域/账户", True),
            Column(
                "所在资产",
                "assets",
                "names",
                "机器、设备、云平台的名称或地址，多个用顿号隔开；处处都有的写 *",
                True,
            ),
            Column(
                "持有人", "holders", "names", "工号或岗位，多个用顿号隔开；服务账户写用途。不写姓名", True
            ),
            _choice("类型", "type", get_args(AccountType), "从列表选", True),
            Column("到期日期", "expires_on", "day", "用到哪天；长期的留空"),
            Column("审批", "approved_by", "text", "谁批的：岗位、部门或审批单编号"),
        ),
    ),
)
"""In the order of the template."""

BY_TITLE: Final = {sheet.title: sheet for sheet in SHEETS}
