"""Kinds of what an office itself writes down (台账) and no machine shows.

A row says that somebody wrote it, not that it happened. Days are days of the office's calendar. None of
these kinds holds a person's name, telephone or identity number: whoever is meant stands there by an account
or a staff number.

An empty cell is None where that says something (no end was set, nothing was restored yet), and UNKNOWN where
it does not (whether there is a copy elsewhere, how many problems are open).
"""

from __future__ import annotations

from datetime import date
from typing import ClassVar, Literal

from inventory.resource import Nested, Resource
from inventory.unknown import UNKNOWN, Maybe

ActivityType = Literal[
    "常规检查", "全面检查", "等级测评", "商用密码应用安全性评估", "安全测评", "渗透测试", "漏洞扫描",
    "上线测试", "交付检测", "源代码审查", "开发测试", "应急演练", "应急培训", "恢复演练", "设备维护",
    "日志分析", "防病毒验证", "违规外联检查", "事件处置",
]  # fmt: skip
"""What is done once or again and again: checks, tests, drills, upkeep, and what was made of an incident."""

AccountType = Literal["个人", "服务", "应急"]
GrantType = Literal["外部人员", "远程运维", "运维工具", "外联"]
CertificateType = Literal[
    "商用密码产品认证", "网络安全专用产品安全认证", "网络安全专用产品安全检测", "销售许可证", "其他", "无"
]


class Work(Nested):
    """The latest of one type of activity for one system ("" = the whole office)."""

    type: Maybe[ActivityType] = UNKNOWN
    system: Maybe[str] = UNKNOWN
    done_on: Maybe[date] = UNKNOWN
    due_on: Maybe[date | None] = UNKNOWN  # when the office itself wants it done again; None = not written


class Register(Resource):
    """The workbook as a whole; native id = the name of its source. What is counted over a sheet is UNKNOWN
    where the sheet is missing or was not read whole."""

    KIND: ClassVar[str] = "register"
    TITLE: ClassVar[str] = "台账"

    sheets: Maybe[list[str]] = UNKNOWN  # kinds that it has a sheet for
    works: Maybe[list[Work]] = UNKNOWN  # of what was done; [] = nothing was
    backup_plans: Maybe[int] = UNKNOWN


class Activity(Resource):
    """One check, test, drill or upkeep; native id = its number in the register, as of every kind below."""

    KIND: ClassVar[str] = "activity"
    TITLE: ClassVar[str] = "台账：定期工作"

    type: Maybe[ActivityType] = UNKNOWN
    system: Maybe[str] = UNKNOWN  # "" = the whole office
    done_on: Maybe[date | None] = UNKNOWN  # None = planned only
    due_on: Maybe[date | None] = UNKNOWN  # the next one, as written or by the written interval
    result: Maybe[Literal["通过", "有问题", "未通过"] | None] = UNKNOWN
    open_problems: Maybe[int] = UNKNOWN  # found and not mended yet
    problems_due: Maybe[date | None] = UNKNOWN  # by when the rest is to be mended
    report: Maybe[str | None] = UNKNOWN  # number or file name


class BackupPlan(Resource):
    """How one set of data is backed up, and whether it was ever brought back."""

    KIND: ClassVar[str] = "backup_plan"
    TITLE: ClassVar[str] = "台账：备份策略"

    content: Maybe[str] = UNKNOWN
    system: Maybe[str] = UNKNOWN
    method: Maybe[Literal["全量", "增量", "差异", "实时复制", "快照"] | None] = UNKNOWN
    interval_days: Maybe[int | None] = UNKNOWN  # 0 = continuously; None = not written
    medium: Maybe[str | None] = UNKNOWN
    place: Maybe[str | None] = UNKNOWN
    retention_days: Maybe[int | None] = UNKNOWN
    off_site: Maybe[bool] = UNKNOWN  # a copy lies in another place
    real_time: Maybe[bool] = UNKNOWN  # that copy is kept up to date continuously
    lag_minutes: Maybe[int] = UNKNOWN  # by which that copy was behind when somebody looked
    lag_checked_on: Maybe[date | None] = UNKNOWN  # None = nobody looked
    in_cloud: Maybe[bool] = UNKNOWN  # the data live on a provider's cloud
    own_copy: Maybe[bool] = UNKNOWN  # the customer keeps a copy on its own premises
    restored_on: Maybe[date | None] = UNKNOWN  # last test of bringing it back; None = never
    restore_result: Maybe[Literal["成功", "失败"] | None] = UNKNOWN


class Product(Resource):
    """A security or cryptographic product and its certificate."""

    KIND: ClassVar[str] = "product"
    TITLE: ClassVar[str] = "台账：安全产品"

    category: Maybe[Literal["安全产品", "密码产品"]] = UNKNOWN
    model: Maybe[str | None] = UNKNOWN
    in_use: Maybe[bool] = UNKNOWN
    certificate_type: Maybe[CertificateType | None] = UNKNOWN
    certificate_number: Maybe[str | None] = UNKNOWN
    valid_until: Maybe[date | None] = UNKNOWN


class AccessGrant(Resource):
    """Leave that somebody from outside, a remote session, a tool or a link to elsewhere was given."""

    KIND: ClassVar[str] = "access_grant"
    TITLE: ClassVar[str] = "台账：接入授权"

    type: Maybe[GrantType] = UNKNOWN
    holder: Maybe[str] = UNKNOWN  # account or staff number; of a tool or link what it is called
    target: Maybe[str] = UNKNOWN
    approved_by: Maybe[str | None] = UNKNOWN  # post, department or number of the paper
    starts_on: Maybe[date] = UNKNOWN
    ends_on: Maybe[date | None] = UNKNOWN
    closed_on: Maybe[date | None] = UNKNOWN  # None = still open
    data_cleared: Maybe[bool] = UNKNOWN  # what a tool left behind was removed


class Leaver(Resource):
    """Somebody who left, or an outsider whose work here ended, with the accounts that were held.

    ``seen_active``: uids of what other sources showed to hold an account of such a name that can log in, at
    the moment the register was read; [] = none of what they showed. UNKNOWN where no other source showed any
    accounts, or one of such a name without what its working hangs on."""

    KIND: ClassVar[str] = "leaver"
    TITLE: ClassVar[str] = "台账：离岗离场"

    external: Maybe[bool] = UNKNOWN
    accounts: Maybe[list[str]] = UNKNOWN  # [] = held none
    left_on: Maybe[date] = UNKNOWN
    disabled_on: Maybe[date | None] = UNKNOWN  # None = not written that the accounts were disabled
    seen_active: Maybe[list[str]] = UNKNOWN


class ChangeOrder(Resource):
    """One change to what runs, from its request to its end."""

    KIND: ClassVar[str] = "change_order"
    TITLE: ClassVar[str] = "台账：变更单"

    objects: Maybe[str] = UNKNOWN
    plan: Maybe[str | None] = UNKNOWN  # number or file name of the plan that was reviewed
    approved_by: Maybe[str | None] = UNKNOWN
    starts_on: Maybe[date] = UNKNOWN
    ends_on: Maybe[date | None] = UNKNOWN
    closed_on: Maybe[date | None] = UNKNOWN
    result: Maybe[Literal["成功", "回退", "取消"] | None] = UNKNOWN
    configuration_updated: Maybe[bool] = UNKNOWN  # the record of configurations was brought up to date


class AccountRecord(Resource):
    """An account that there is to be on some assets, and who holds it."""

    KIND: ClassVar[str] = "account_record"
    TITLE: ClassVar[str] = "台账：账户"

    account: Maybe[str] = UNKNOWN  # its name, of a cloud also realm/name
    assets: Maybe[list[str]] = UNKNOWN  # names and addresses; "*" = every one
    holders: Maybe[list[str]] = UNKNOWN  # staff numbers or posts; of a service what it is for
    type: Maybe[AccountType] = UNKNOWN
    expires_on: Maybe[date | None] = UNKNOWN  # None = no end was set
    approved_by: Maybe[str | None] = UNKNOWN


FAMILY: tuple[type[Resource], ...] = (
    Register, Activity, BackupPlan, Product, AccessGrant, Leaver, ChangeOrder, AccountRecord,
)  # fmt: skip
