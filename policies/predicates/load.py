"""Load over time: a peak above the threshold is one however short the history, and none is shown to be below
without a whole one."""

from __future__ import annotations

from datetime import datetime

from inventory.kinds.load import LinkLoad, Load
from inventory.unknown import Maybe, Unknown, or_none
from policies.predicates.contract import Predicate, UndecidedError, seen

DEVICE_PERCENT = 80.0  # of processor and memory
LINK_PERCENT = 70.0  # of a link's bandwidth
_WINDOW_DAYS = 28  # business has its peaks by the month
_OBSERVED = 0.9  # share of the window that has to have samples


def processor_busy(load: Load, now: datetime) -> bool:
    """Whether the processor's peak was above its threshold."""
    return _busy(load.peak_cpu_percent, load.cpu_observed_ratio, load.window_days, DEVICE_PERCENT)


def memory_busy(load: Load, now: datetime) -> bool:
    """Whether the memory's peak was above its threshold."""
    return _busy(load.peak_memory_percent, load.memory_observed_ratio, load.window_days, DEVICE_PERCENT)


def link_busy(link: LinkLoad, now: datetime) -> bool:
    """Whether the peak of either direction was above the threshold."""
    directions = (link.peak_in_percent, link.peak_out_percent)
    if any((or_none(peak) or 0.0) > LINK_PERCENT for peak in directions):
        return True
    unseen = any(isinstance(peak, Unknown) for peak in directions)
    if unseen and or_none(link.watched) is False:
        raise UndecidedError("监控系统里没有这条链路的序列")
    if unseen and not isinstance(link.observed_ratio, Unknown):
        raise UndecidedError("这条链路的速率不知道（监控系统和设备都没有给出），流量占多少算不出")
    return any(_busy(peak, link.observed_ratio, link.window_days, LINK_PERCENT) for peak in directions)


def _busy(peak: Maybe[float], observed: Maybe[float], window_days: Maybe[int], threshold: float) -> bool:
    if seen(peak) > threshold:
        return True
    days = seen(window_days)
    if days < _WINDOW_DAYS:
        raise UndecidedError(f"只查了 {days} 天，看不出一个月的高峰：prometheus 来源的 load.days 至少写 28")
    if seen(observed) < _OBSERVED:
        have = days * seen(observed)
        raise UndecidedError(f"{days} 天里只有约 {have:.1f} 天有采样，没有采样的时候可能正是高峰")
    return False


PREDICATES = (
    Predicate(
        name="processor_busy",
        kinds=(Load,),
        reads=("peak_cpu_percent", "cpu_observed_ratio", "window_days"),
        call=processor_busy,
        purpose="处理器的峰值超过 80%；没有超过的，要有一个月的采样才算",
    ),
    Predicate(
        name="memory_busy",
        kinds=(Load,),
        reads=("peak_memory_percent", "memory_observed_ratio", "window_days"),
        call=memory_busy,
        purpose="内存的峰值超过 80%；没有超过的，要有一个月的采样才算",
    ),
    Predicate(
        name="link_busy",
        kinds=(LinkLoad,),
        reads=("peak_in_percent", "peak_out_percent", "observed_ratio", "window_days"),
        call=link_busy,
        purpose="链路某个方向的峰值超过带宽的 70%；没有超过的，要知道速率、有一个月的采样才算",
    ),
)
