"""Numbers as cells: in the unit people use, and never more certain than they are."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from inventory.kinds import KINDS
from inventory.usage import NOT_SEEN, Consumer, Figure, Share, Usage
from reports.document import BEIJING, Cell, Tone

TITLE: Final = "资源容量与使用情况报告"
AT_LEAST: Final = "至少"
UNTOLD: Final = "未知"
FULL, NEARLY_FULL = 0.9, 0.8
"""Shares of what may be promised from which a row is called full, or nearly."""

RESOURCES: Final[dict[str, tuple[str, str, float]]] = {
    # resource → (中文, unit, how many of the model's unit make one of it)
    "vcpu": ("处理器", "核", 1.0),
    "memory_mib": ("内存", "GiB", 1024.0),
    "disk_gib": ("存储", "GiB", 1.0),
    "address": ("内网地址", "个", 1.0),
    "floating_ip": ("浮动 IP", "个", 1.0),
    "pod": ("容器组", "个", 1.0),
    "gpu": ("加速卡", "块", 1.0),
}
LAYERS: Final = {
    "hypervisor": "云平台计算节点",
    "storage_pool": "云平台存储池",
    "subnet": "云平台网络",
    "node": "容器集群节点",
}
DIMENSIONS: Final = {
    "source": "来源",
    "zone": "可用域",
    "aggregate": "主机聚合",
    "architecture": "处理器架构",
    "department": "部门",
}


def resource_word(resource: str) -> str:
    """处理器（核）…"""
    word, unit, _ = RESOURCES[resource]
    return f"{word}（{unit}）"


def holder_word(row: Usage) -> str:
    """What has it; local disks are told apart from storage pools."""
    return LAYERS.get(row.holder) or KINDS[row.holder].TITLE


def key_word(key: str, nothing: str = "（无）") -> str:
    """A place's name; what did not tell and what has none are said."""
    return "（未告知）" if key == NOT_SEEN else key or nothing


def text_of(value: float) -> str:
    """With thousands; one decimal where it is no whole number."""
    rounded = round(value, 1)
    return f"{rounded:,.0f}" if rounded == int(rounded) else f"{rounded:,.1f}"


def number(value: float | None, *, exact: bool = True, tone: Tone = "plain") -> Cell:
    """A number; "至少 n" where it is a lower bound, 未知 where nobody told."""
    if value is None:
        return Cell(UNTOLD, "unknown")
    form = "#,##0" if round(value, 1) == int(round(value, 1)) else "#,##0.0"
    rounded = round(value, 1)
    if exact:
        return Cell(text_of(value), tone, rounded, form)
    return Cell(f"{AT_LEAST} {text_of(value)}", tone, rounded, f'"{AT_LEAST} "{form}')


def of(figure: Figure, resource: str, *, exact: bool) -> Cell:
    """A sum in the resource's unit."""
    scale = RESOURCES[resource][2]
    return number(None if figure.seen is None else figure.seen / scale, exact=exact)


def cell_of(row: Usage, name: str) -> Cell:
    """One figure of a row of capacity."""
    return of(getattr(row, name), row.resource, exact=row.exact(name))


def percent(ratio: float | None, *, judged: bool = True) -> Cell:
    """A share; ``judged`` ones are marked where they are high."""
    if ratio is None:
        return Cell(UNTOLD, "unknown")
    tone: Tone = "plain"
    if judged:
        tone = "fail" if ratio >= FULL else "partial" if ratio >= NEARLY_FULL else "pass"
    return Cell(f"{ratio:.1%}", tone, round(ratio, 4), "0.0%")


def fullness(row: Usage) -> tuple[Share, str]:
    """How full a row is: what is promised of what may be; where no overcommit ratio was told, of what is
    physically there; and the word for which of them it is."""
    if row.promised.told:
        return row.promised, "可分配量"
    return row.physical, "物理量"


def ratio_text(row: Usage) -> str | Cell:
    """The overcommit, as a range where holders differ."""
    if row.ratio_low is None or row.ratio_high is None:
        return Cell(UNTOLD, "unknown")
    if row.ratio_low == row.ratio_high:
        return Cell(f"{row.ratio_low:g}", "plain", row.ratio_low, "General")
    return f"{row.ratio_low:g}～{row.ratio_high:g}"


def day(moment: datetime | None) -> str:
    """A date in Beijing time."""
    return "" if moment is None else f"{moment.astimezone(BEIJING):%Y-%m-%d}"


def age_days(moment: datetime | None, now: datetime) -> Cell:
    """Whole days until now."""
    if moment is None:
        return Cell(UNTOLD, "unknown")
    days = max(0, (now - moment).days)
    return Cell(f"{days:,}", "plain", float(days), "#,##0")


def owned(one: Consumer, name: str, resource: str) -> Cell:
    """What a consumer has of a resource; nothing at all is a dash."""
    figure: Figure = getattr(one, name)
    if not figure.told and not figure.unknown:
        return number(0) if one.complete else Cell(UNTOLD, "unknown")
    return of(figure, resource, exact=one.complete and not figure.unknown)
