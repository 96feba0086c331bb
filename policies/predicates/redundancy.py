"""Redundancy of devices and lines: a standby that does not work fails however important the device is; that
there is none fails a key device, and is left open where nobody said whether it is one."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from inventory.kinds.network import Device
from inventory.unknown import known, or_none
from policies.predicates.contract import Predicate, UndecidedError, seen

_KEY = "关键"
_WHOLE = ("hrp", "irf", "stack", "chassis_cluster")
"""Kinds of standby that take over all that a device does."""


def without_standby(device: Device, now: datetime) -> bool:
    """Whether nobody could take over from a device. Where another device of the same stack or pair works, the
    groups of gateways do not matter; else each of them has to."""
    standbys = seen(device.standbys)
    if any(one.working is True and known(one.kind) and one.kind in _WHOLE for one in standbys):
        return False
    rescued = any(one.working is not False and or_none(one.kind) in (None, *_WHOLE) for one in standbys)
    if any(one.working is False for one in standbys) and not rescued:
        return True
    if standbys and all(one.working is True for one in standbys):
        return False
    if standbys:
        raise UndecidedError("看到它参与主备，看不到另一台在不在：VRRP 的主设备不知道备设备")
    if device.labels.get("importance") == _KEY:
        return True
    raise UndecidedError("整份配置里没有双机热备或堆叠；设备是不是关键的没有标明（标签 importance 写 关键）")


def single_line(device: Device, now: datetime) -> bool:
    """Whether a group of lines has lost all but one. That no group is there shows nothing of other lines."""
    several = [one for one in seen(device.link_groups) if seen(one.lines) > 1]
    if any(known(one.working) and seen(one.working) < 2 for one in several):
        return True
    if several:
        return any(seen(one.working) < 2 for one in several)
    neighbours = seen(device.neighbours)
    lines = Counter(
        n.chassis_id
        for n in {(str(n.local_interface), str(n.chassis_id)): n for n in neighbours}.values()
        if known(n.chassis_id) and n.chassis_id and known(n.local_interface) and n.local_interface
    )
    if any(count > 1 for count in lines.values()):
        return False
    raise UndecidedError("没有看到聚合的链路，也没有到同一台邻居的第二条链路；别的线路看不到")


PREDICATES = (
    Predicate(
        name="without_standby",
        kinds=(Device,),
        reads=("standbys",),
        call=without_standby,
        purpose="主备不起作用，或关键设备的整份配置里没有主备；只看到自己是主的不算",
    ),
    Predicate(
        name="single_line",
        kinds=(Device,),
        reads=("link_groups", "neighbours"),
        call=single_line,
        purpose="聚合的链路只剩一条通；看到没有聚合的，看到同一台邻居有没有第二条",
    ),
)
