"""The chapter about peaks: the busiest links and devices, as a monitoring system has seen them."""

from __future__ import annotations

from inventory.kinds.load import LinkLoad, Load
from inventory.unknown import Maybe, Unknown, or_none
from inventory.usage import Estate
from reports.capacity.cells import UNTOLD, number, percent
from reports.document import Block, Cell, Heading, Paragraph, Table

BUSIEST = 20
"""Rows of each list on a page that people read."""


def peaks(estate: Estate, limit: int) -> list[Block]:
    """The busiest first; those of which no peak is known are counted and not listed. Nothing where no
    monitoring system told any."""
    links = [link for link in estate.snapshot.of(LinkLoad) if _highest(link) is not None]
    loads = [load for load in estate.snapshot.of(Load) if _fullest(load) is not None]
    untold = len(estate.snapshot.of(LinkLoad)) - len(links)
    if not links and not loads:
        return []
    links.sort(key=lambda link: (-(_highest(link) or 0), link.uid))
    loads.sort(key=lambda load: (-(_fullest(load) or 0), load.uid))
    return [
        Heading("8.1 最忙的链路", 2),
        Paragraph(
            "时间窗里 5 分钟（或设定的步长）平均速率的最高值，除以接口的速率；租用带宽低于接口速率的专线，"
            f"实际占用更高。另有 {untold} 段链路没有序列或不知道速率。"
        ),
        Table(
            [
                "链路",
                "入向最高",
                "出向最高",
                "入向超过门限的时间",
                "出向超过门限的时间",
                "时间窗（天）",
                "有采样的时间",
            ],
            [_link(link) for link in links[:limit]],
            [3, 1.2, 1.2, 1.5, 1.5, 1, 1.2],
            empty="没有测到链路",
        ),
        Heading("8.2 最忙的设备", 2),
        Table(
            [
                "设备",
                "处理器最高",
                "处理器超过门限的时间",
                "内存最高",
                "内存超过门限的时间",
                "时间窗（天）",
                "有采样的时间",
            ],
            [_device(load) for load in loads[:limit]],
            [3, 1.2, 1.5, 1.2, 1.5, 1, 1.2],
            empty="没有测到设备的处理器和内存",
        ),
    ]


def _highest(link: LinkLoad) -> float | None:
    return max(
        (peak for p in (link.peak_in_percent, link.peak_out_percent) if (peak := or_none(p)) is not None),
        default=None,
    )


def _fullest(load: Load) -> float | None:
    told = (load.peak_cpu_percent, load.peak_memory_percent)
    return max((peak for p in told if (peak := or_none(p)) is not None), default=None)


def _link(link: LinkLoad) -> list[str | Cell]:
    return [
        _name(link.name, link.native_id),
        _peak(link.peak_in_percent),
        _peak(link.peak_out_percent),
        _share(link.in_over_ratio),
        _share(link.out_over_ratio),
        number(or_none(link.window_days)),
        _share(link.observed_ratio),
    ]


def _device(load: Load) -> list[str | Cell]:
    observed = [
        r for r in (load.cpu_observed_ratio, load.memory_observed_ratio) if not isinstance(r, Unknown)
    ]
    return [
        _name(load.name, load.native_id),
        _peak(load.peak_cpu_percent),
        _share(load.cpu_over_ratio),
        _peak(load.peak_memory_percent),
        _share(load.memory_over_ratio),
        number(or_none(load.window_days)),
        percent(min(observed, default=None), judged=False),
    ]


def _name(name: Maybe[str], native_id: str) -> str:
    return native_id if isinstance(name, Unknown) else name


def _peak(value: Maybe[float]) -> Cell:
    return Cell(UNTOLD, "unknown") if isinstance(value, Unknown) else percent(value / 100)


def _share(value: Maybe[float]) -> Cell:
    return percent(or_none(value), judged=False)
