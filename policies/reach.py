"""Reach: how far the rules go into one level of a standard, and what that leaves to people. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec

from inventory.kinds import KINDS
from inventory.systems import Grade
from policies.assessment import Control, Trust
from policies.assets import OBJECT_TITLE
from policies.decisions import AssetKind, Decision
from policies.outcome import Rule
from policies.standards import Standard

Word = Literal["automatic", "partly", "manual", "missing"]
WORDS: dict[Word, str] = {"automatic": "自动", "partly": "部分", "manual": "人工", "missing": "尚无"}
"""``automatic``: data can decide it, and rules do for each type of object that collectors see; ``partly``:
rules see a part; ``manual``: an interview, a document or a visit, or what no source of data shows (each item
says why); ``missing``: data could show a part, and no rule looks yet, so that people answer it all."""

SEEN_AS: dict[str, tuple[AssetKind, ...]] = {
    "server": ("host",),
    "vm": ("server",),
    "network_device": ("device",),
    "security_device": ("device",),
    "cluster": ("cluster",),
    "cloud_platform": ("cloud",),
    "virtual_network": ("cloud",),
    "image": ("cloud",),
    "management_system": ("monitoring_system", "log_platform"),
    "application": ("source",),
    "data": ("backup_plan",),
}
"""Types of objects that collectors see → the kinds of asset as which they judge them: of several, a decision
names those that it is about. A server is judged where somebody logs in; from its cloud's or cluster's side
its inside cannot be seen. An application is seen at its encrypted endpoints alone, a management system where
it monitors or keeps logs, data by what the register says of their backup: these count where that decides."""
_IN_PART: frozenset[AssetKind] = frozenset({"source", "monitoring_system", "log_platform", "backup_plan"})

_UNSEEN = "没有采集"
NOT_READ: dict[str, str] = {
    "site": "机房的门禁、消防和环境监控没有接入的来源",
    "organization": "制度、审批和记录在单位的文档里",
    "management_system": "监控系统和日志平台之外的运维和安全管理平台没有接入的来源",
    "database": "没有登录数据库的来源",
    "middleware": "没有登录中间件的来源",
    "application": "没有登录业务应用的来源",
    "terminal": "没有登录终端的来源",
    "data": "数据的内容和去向不采集",
    "network": "整张网的规划和拓扑不采集，只有单台设备的",
}
"""Why a type of object is not seen, where no decision says more."""
_CONFIGURATION = "device_config"
_NO_CONFIGURATION = "设备的配置没有采集"


class ItemReach(msgspec.Struct, kw_only=True, frozen=True):
    """One requirement. ``decided``: types of objects that rules decide; ``open``: types that collectors see
    and rules do not decide; ``unseen``: type → why no collector decides it; ``left``: what a person looks
    at, in plain words (中文). ``why``: why an item that data should decide or show is not decided, for good
    ("由人：") or not yet ("还没有："), "" elsewhere. ``indicator``: the share that decides it;
    ``verified`` and ``needs`` as in ``Control``."""

    id: str
    class_name: str
    control_point: str
    summary: str
    automation: str
    reach: Word
    rules: tuple[str, ...]
    decided: tuple[str, ...]
    open: tuple[str, ...]
    unseen: dict[str, str]
    left: str
    why: str = ""
    indicator: str = ""
    verified: Trust = ""
    needs: str = ""


class ClassReach(msgspec.Struct, kw_only=True):
    """A chapter of the standard: items by reach."""

    part: str
    class_name: str
    automatic: int = 0
    partly: int = 0
    manual: int = 0
    missing: int = 0


class Reach(msgspec.Struct, kw_only=True):
    """One level of a standard. ``automatic_for_some``: of the automatic items, those with a type of object
    that collectors see and whose deciding facts they do not see (each item says why). ``manual_for_data``: of
    the manual ones, those that the standard lets data show in part, and no source of ours does."""

    standard: str
    level: int
    automatic: int = 0
    partly: int = 0
    manual: int = 0
    missing: int = 0
    automatic_for_some: int = 0
    manual_for_data: int = 0
    classes: list[ClassReach] = msgspec.field(default_factory=list)
    items: list[ItemReach] = msgspec.field(default_factory=list)


def reach(standard: Standard, rules: Sequence[Rule], level: int) -> Reach:
    """How far ``rules`` reach into everything that one level asks for, its cloud part among it."""
    speaking = _speaking(standard, rules)
    found = Reach(standard=standard.name, level=level)
    classes: dict[tuple[str, str], ClassReach] = {}
    shares = {one.item: one.id for one in standard.indicators.values() if one.item and one.kind}
    for control in standard.chosen(Grade(level, level), cloud=True):
        item = _item(control, standard.decisions.get(control.id), speaking.get(control.id, {}))
        if control.id in shares:
            item = _by_share(item, control, shares[control.id])
        place = (control.part, control.class_name)
        chapter = classes.setdefault(place, ClassReach(part=control.part, class_name=control.class_name))
        for counted in (found, chapter):
            setattr(counted, item.reach, getattr(counted, item.reach) + 1)
        some = any(why != _UNSEEN and why not in NOT_READ.values() for why in item.unseen.values())
        found.manual_for_data += item.reach == "manual" and control.automation != "manual"
        found.automatic_for_some += item.reach == "automatic" and some
        found.items.append(item)
    found.classes = list(classes.values())
    return found


def _by_share(item: ItemReach, control: Control, indicator: str) -> ItemReach:
    """An item that a share decides, wholly or (where data alone cannot decide it) in part."""
    auto = control.automation == "technical-auto"
    return msgspec.structs.replace(
        item,
        reach="automatic" if auto else "partly",
        decided=control.objects if auto else (),
        open=(),
        left="" if auto else f"占比之外的部分由人核查：{control.summary}",
        indicator=indicator,
    )


def _speaking(standard: Standard, rules: Sequence[Rule]) -> dict[str, dict[str, bool]]:
    """Control → the rules that speak to it at its level or at another one → whether they decide it."""
    found: dict[str, dict[str, bool]] = {}
    for rule in rules:
        for id_ in rule.controls.all():
            for same in standard.counterparts(id_) if id_ in standard else ():
                told = found.setdefault(same, {})
                told[rule.id] = told.get(rule.id, False) or id_ in rule.controls.decides
    return found


def _item(control: Control, decision: Decision | None, rows: dict[str, bool]) -> ItemReach:
    by = decision.by if decision else {}
    reasons = decision.unseen if decision else {}
    decided, open_, unseen = [], [], {}
    for type_ in control.objects:
        kinds = SEEN_AS.get(type_, ())
        kind = next((k for k in kinds if k in by or k in reasons), next(iter(kinds), None))
        if kind is None or (kind in _IN_PART and kind not in by):
            unseen[type_] = NOT_READ.get(type_, _UNSEEN)
        elif control.automation == "technical-auto" and all(r in rows for r in by.get(kind, ("",))):
            decided.append(type_)
        elif kind in reasons:
            unseen[type_] = reasons[kind]
        elif kind == "device" and kind not in by and _CONFIGURATION not in KINDS:
            unseen[type_] = _NO_CONFIGURATION
        else:
            open_.append(type_)
    alone = control.automation == "technical-auto" and any(rows.values())
    word: Word = "missing"
    if (decided and not open_) or (alone and not by):
        word = "automatic"
    elif rows:
        word = "partly"
    elif control.automation == "manual" or (decision and decision.because):
        word = "manual"
    return ItemReach(
        id=control.id,
        class_name=control.class_name,
        control_point=control.control_point,
        summary=control.summary,
        automation=control.automation,
        reach=word,
        rules=tuple(sorted(rows)),
        decided=tuple(decided),
        open=tuple(open_),
        unseen=unseen,
        why=_reason(control, decision, word, unseen, open_),
        left=_left(control, decision, word, [*open_, *unseen]),
        verified=control.verified,
        needs=control.needs,
    )


def _reason(
    control: Control, decision: Decision | None, word: Word, unseen: Mapping[str, str], open_: Sequence[str]
) -> str:
    """Why an item that data should show is not decided by them: for good, or not yet (中文)."""
    if control.automation == "manual" or word == "automatic":
        return ""
    if decision and decision.because:
        return f"由人：{decision.because}"
    if decision and decision.yet:
        return f"还没有：{decision.yet}"
    if control.automation != "technical-auto":
        return "" if word == "partly" else "还没有：规则"
    reasons: dict[str, list[str]] = {}
    for type_, why in unseen.items():
        if why not in NOT_READ.values():
            reasons.setdefault(why, []).append(OBJECT_TITLE.get(type_, type_))
    for type_ in open_:
        reasons.setdefault("还没有规则", []).append(OBJECT_TITLE.get(type_, type_))
    return "；".join(f"{'、'.join(types)}：{why}" for why, types in reasons.items())


def _left(control: Control, decision: Decision | None, word: Word, types: Sequence[str]) -> str:
    """What is left to a person (中文)."""
    told = [decision.left] if decision and decision.left else []
    if word in ("manual", "missing"):
        return "".join(told) or f"全部由人核查：{control.summary}"
    if control.automation != "technical-auto":  # of every object a part
        return "".join(told) or f"规则之外的部分由人核查：{control.summary}"
    titles = "、".join(OBJECT_TITLE.get(t, t) for t in types)
    return "；".join([*told, f"{titles}由人核查"] if titles else told)
