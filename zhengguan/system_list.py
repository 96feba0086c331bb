"""``inventory systems``: what each system (定级对象) is made of, what it shares, and what belongs to none."""

from __future__ import annotations

import argparse
from collections import Counter
from typing import Any, Final

from inventory.kinds import KINDS
from inventory.snapshot import Snapshot
from inventory.systems import System, holders_of, unassigned
from policies.assessment import CATEGORIES
from policies.assets import estate_of
from zhengguan import console
from zhengguan.config import Config
from zhengguan.loop import systems_of

_CLOUD: Final = {"platform": "云平台", "tenant": "云租户", "none": "否"}
_WEIGHTS: Final = ("关键", "重要", "一般")


def tell(options: argparse.Namespace, config: Config, snapshot: Snapshot) -> None:
    """One system, or all of them and what is left over."""
    chosen = systems_of(config, options.system)
    holders = holders_of(snapshot, config.systems)
    told = [_system(system, snapshot, holders) for system in chosen]
    left = unassigned(snapshot, holders)
    kinds = Counter(resource.KIND for resource in left)
    if options.json:
        console.write_json({"systems": told, "unassigned": dict(sorted(kinds.items()))})
        return
    for one in told:
        _show(one)
    words = "，".join(f"{KINDS[kind].TITLE} {n}" for kind, n in kinds.most_common(8))
    more = " 等" if len(kinds) > 8 else ""
    console.say(
        f"不属于任何系统的资源 {len(left)} 个：{words}{more}；逐个列出：zhengguan inventory 种类 --unassigned"
        if left
        else "每个资源都属于某个系统。"
    )


def _system(system: System, snapshot: Snapshot, holders: dict[str, tuple[str, ...]]) -> dict[str, Any]:
    members = system.members(snapshot)
    assets = estate_of(system, members, snapshot).assets
    weights = Counter((asset.category, asset.importance) for asset in assets)
    shared = Counter(other for r in members for other in holders[r.uid] if other != system.name)
    return {
        "name": system.name,
        "title": system.title,
        "grade": str(system.graded),
        "standards": system.standards,
        "cloud": system.cloud,
        "platform_report": system.platform_report,
        "resources": len(members),
        "assets": {c: {w: weights[c, w] for w in _WEIGHTS} for c in CATEGORIES},
        "shared_with": dict(sorted(shared.items())),
    }


def _show(one: dict[str, Any]) -> None:
    cloud = _CLOUD[one["cloud"]]
    report = f"，平台测评报告 {one['platform_report']}" if one["platform_report"] else ""
    console.say(
        f"{one['title']}（{one['name']}，{one['grade']}）  资源 {one['resources']}，云：{cloud}{report}"
    )
    for other, count in one["shared_with"].items():
        console.say(f"  其中 {count} 个资源也属于 {other}")
    console.table(
        ("资产类别", "测评对象", *_WEIGHTS),
        [
            (category, sum(of.values()), *(of[w] for w in _WEIGHTS))
            if any(of.values())
            else (category, "没有采集到，由人登记", *("" for _ in _WEIGHTS))
            for category, of in one["assets"].items()
        ],
    )
    console.say()
