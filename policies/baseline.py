"""Baselines: a standard of one's own that starts from another one. Pure.

What it keeps keeps its id, so that rules speak to it as they do to the base. It may drop items, with a
reason, and ask more of others; it cannot ask less of any.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import msgspec

from policies.assessment import Automation, Control
from policies.catalogue import Extends, Tighten
from policies.spelling import suggestion
from policies.yaml_text import YamlText

_BY_PEOPLE: dict[Automation, int] = {"technical-auto": 0, "technical-evidence": 1, "manual": 2}
"""The larger, the more is left to a person."""


class Base(NamedTuple):
    """What a baseline starts from."""

    name: str
    controls: Mapping[str, Control]
    same: Mapping[str, tuple[str, ...]]


class Kept(NamedTuple):
    """What a baseline keeps of its base; the baseline's own ids are among the keys of ``same``."""

    controls: dict[str, Control]
    same: dict[str, tuple[str, ...]]


def changed(text: YamlText, name: str, extends: Extends, base: Base) -> Kept:
    """The base as a baseline of this name has it. Raises YamlError with the place."""
    controls = dict(base.controls)
    named: dict[str, tuple[str, int]] = {}

    def taken(part: str, index: int, item: str) -> Control:
        """The control an entry speaks of, each at most once."""
        place = ("extends", part, index, "item")
        id_ = item if item in base.controls else f"{base.name}/{item}"
        control = base.controls.get(id_)
        if control is None:
            ids = [id_.partition("/")[2] for id_ in base.controls]
            raise text.error(f"{base.name} 中没有要求项 {item}", place, suggestion(item, ids))
        if id_ in named:
            other = text.error("", ("extends", *named[id_], "item"))
            message = f"{item} 写了两次；另一处在 {text.path.name}:{other.line}:{other.column}"
            raise text.error(message, place, "留一处")
        named[id_] = (part, index)
        reason = getattr(extends, part)[index].reason
        if not reason.strip():
            raise text.error("reason 是空的", ("extends", part, index, "reason"), "写明原因，报告里会列出")
        return control

    for index, drop in enumerate(extends.drops):
        del controls[taken("drops", index, drop.item).id]
    for index, more in enumerate(extends.tightens):
        control = taken("tightens", index, more.item)
        asked = sorted({n for i in base.same[control.id] for n in _levels(base.controls[i])})
        if wrong := _looser(control, more, asked):
            raise text.error(wrong, ("extends", "tightens", index))
        controls[control.id] = _tightened(control, more, asked)
    same = {id_: tuple(i for i in base.same[id_] if i in controls) for id_ in controls}
    own = {f"{name}/{id_.partition('/')[2]}": same[id_] for id_ in controls}
    return Kept(controls, same | own)


def _levels(control: Control) -> tuple[int, ...]:
    return control.levels if control.level == 0 else (control.level, *control.levels)


def _looser(control: Control, more: Tighten, asked: list[int]) -> str:
    """Why an entry asks for nothing more (中文), "" where it does. ``asked``: the levels that ask for it."""
    if not (more.from_level or more.summary or more.automation):
        return f"{more.item} 没有写从严在哪里：写 from_level、summary 或 automation"
    if more.from_level and asked[0] <= more.from_level:
        return f"{more.item} 从第 {asked[0]} 级起本来就要求：from_level 要更低"
    if more.automation and _BY_PEOPLE[more.automation] <= _BY_PEOPLE[control.automation]:
        return f"{more.item} 的 automation 本来是 {control.automation}：只能改得更多由人确认"
    return ""


def _tightened(control: Control, more: Tighten, asked: list[int]) -> Control:
    levels = control.levels
    if more.from_level:
        levels = tuple(sorted({*levels, *range(more.from_level, asked[0])}))
    return msgspec.structs.replace(
        control,
        levels=levels,
        summary=more.summary or control.summary,
        automation=more.automation or control.automation,
        changed=more.reason,
    )
