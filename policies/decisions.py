"""Decisions: which rules together decide one requirement for one kind of asset.

A requirement mostly asks for several things at once, and each is another rule. The file
``<standard>-decisions.yaml`` lists for a requirement and a kind of asset the rules of which *all* have to
have spoken; it says as well for which kinds of asset no collector sees what the requirement asks for, and
what a person has to look at beside. Rules do not know of it, and it holds no verdict.
"""

from __future__ import annotations

from collections.abc import Collection as Ids
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Literal

import msgspec

from inventory.coverage import Collection, Status
from inventory.snapshot import Snapshot
from policies.outcome import Rule

AssetKind = Literal[
    "host",
    "device",
    "cloud",
    "cluster",
    "server",
    "monitoring_system",
    "log_platform",
    "source",
    "backup_plan",
]
"""Kind of the resource that an asset is; ``source``: endpoints and what else belongs to no machine;
``backup_plan``: a set of data, as the office's register tells of it."""

MANAGING: frozenset[AssetKind] = frozenset({"monitoring_system", "log_platform"})
"""Kinds of asset that are a management system (管理系统). Each serves one purpose: a requirement whose
decision names some of them is asked of these alone, and of what stands beside them in the decision."""

ALWAYS_THERE = frozenset(
    "host account device device_config cloud user project platform_service cluster principal node "
    "control_plane_component namespace endpoint security_group instance_action action_trail "
    "monitoring_system log_platform".split()
)
"""Kinds of which every asset has some: that none was seen shows that nobody saw them (a managed cluster
hides its control plane), never that there are none. A cloud in which nothing was done of late has shown
nothing of how it records what is done."""


class Decision(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """Of one requirement, at every level that asks for it in this form. ``by``: kind of asset → rules that
    decide it there together. ``unseen``: kind of asset → why its collectors cannot decide it (中文).
    ``because``: why no source of data shows even a part, so that it stays a person's; ``yet``: what would
    have to be read first, where it can be had. ``left``: what a person looks at beside the machine (中文)."""

    item: str
    by: dict[AssetKind, tuple[str, ...]] = msgspec.field(default_factory=dict)
    unseen: dict[AssetKind, str] = msgspec.field(default_factory=dict)
    because: str = ""
    yet: str = ""
    left: str = ""

    def asked_of(self, type_: str) -> frozenset[str] | None:
        """Kinds of asset that the requirement is about where they are of a type; None = whatever they are."""
        if type_ != "management_system" or not MANAGING & self.by.keys():
            return None
        return frozenset(self.by.keys() | self.unseen.keys())


class DecisionFile(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    name: str
    title: str
    decisions: tuple[Decision, ...] = ()


def by_control(decisions: Iterable[Decision], same: Mapping[str, tuple[str, ...]]) -> Mapping[str, Decision]:
    """Decisions by the id of every control they are about. Raises ValueError (中文) for an id that the
    standard has not, one that is there twice, a kind that is both decided and unseen, and an item that is a
    person's and is not."""
    found: dict[str, Decision] = {}
    for decision in decisions:
        if decision.item not in same:
            raise ValueError(f"没有要求项 {decision.item}")
        if decision.item in found:
            raise ValueError(f"要求项 {decision.item} 出现两次")
        both = sorted(set(decision.by) & set(decision.unseen))
        if both:
            raise ValueError(f"{decision.item} 的 {both[0]} 同时在 by 和 unseen 里")
        if decision.because and (decision.by or decision.yet):
            raise ValueError(f"{decision.item} 写了 because，就没有 by 和 yet")
        empty = sorted(kind for kind, rules in decision.by.items() if not rules)
        if empty:
            raise ValueError(f"{decision.item} 的 by.{empty[0]} 是空的")
        found.update(dict.fromkeys(same[decision.item], decision))
    return MappingProxyType(found)


class Side(msgspec.Struct, frozen=True):
    """What assets of one kind and source have in common: the kinds that were collected there whole."""

    kind: str
    whole: frozenset[str]


def sides_of(assets: Iterable[str], snapshot: Snapshot) -> list[Side]:
    """The side of each asset (by uid), in order; equal ones are one object. An asset of one scope (a host
    among many of a source) is concerned by the collections of that scope and by those of the whole source,
    any other by all of its source."""
    attempts: dict[str, list[Collection]] = {}
    for collection in snapshot.collections:
        attempts.setdefault(collection.source, []).append(collection)
    made: dict[tuple[str, str, str], Side] = {}
    sides = []
    for uid in assets:
        source, kind, _ = uid.split("/", 2)
        resource = snapshot.get(uid)
        key = (source, kind, resource.scope if resource else "")
        if key not in made:
            made[key] = Side(kind, _whole(attempts.get(source, []), key[2]))
        sides.append(made[key])
    return sides


def _whole(attempts: Iterable[Collection], scope: str) -> frozenset[str]:
    """Kinds of which every collection that concerns a scope ("" = all of the source) was whole."""
    states: dict[str, bool] = {}
    for c in attempts:
        if not scope or c.scope in ("", scope):
            whole = c.status in (Status.COMPLETE, Status.UNSUPPORTED)
            states[c.kind] = states.get(c.kind, True) and whole
    return frozenset(kind for kind, whole in states.items() if whole)


def unheard(needed: Sequence[str], side: Side, rules: Mapping[str, Rule], heard: Ids[str]) -> list[str]:
    """Deciding rules that did not speak to an asset though they had to: those that met no resource there.
    One of a kind that may be absent has nothing to say where the kind was collected whole."""
    return [
        id_
        for id_ in needed
        if id_ not in heard
        and (id_ not in rules or rules[id_].kind in ALWAYS_THERE or rules[id_].kind not in side.whole)
    ]
