"""``zhengguan inventory``: list, show, compare; now or as of a time."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec

from collectors.contract import utc_now
from inventory.kinds import KINDS
from inventory.resource import Resource, plain
from inventory.snapshot import Change, Snapshot
from inventory.store import Store
from inventory.systems import holders_of
from inventory.unknown import UNKNOWN, Unknown
from policies.spelling import suggestion
from zhengguan import console
from zhengguan.config import Config
from zhengguan.errors import Exit, UserError
from zhengguan.loop import configured, latest, opened

_SHOWN = 6  # columns of a list besides name and source
_LONGEST = 48


def run(options: argparse.Namespace) -> int:
    config = configured(options.config)
    store = opened(config)
    verbs: dict[str, Callable[[argparse.Namespace, Config, Store], None]] = {
        "": _count,
        "show": _show,
        "diff": _diff,
        "timeline": _timeline,
        "snapshots": _snapshots,
        "systems": _systems,
        "coverage": _coverage,
        "evidence": _evidence,
    }
    verb = verbs.get(options.what)
    if verb is None:
        if options.what not in KINDS:
            remedy = suggestion(options.what, [*KINDS, *verbs]) or f"种类有：{'、'.join(KINDS)}"
            raise UserError(f"没有 {options.what!r} 这一类资源", remedy=remedy)
        verb = _list
    verb(options, config, store)
    return Exit.FINE


def _at(text: str) -> int | datetime | None:
    if not text:
        return None
    if text.isdecimal():
        return int(text)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise UserError(f"--at 看不懂 {text!r}", remedy="写快照号，或 2026-11-22、2026-11-22T08:00") from None
    if moment.tzinfo is None:
        if len(text) == len("2026-11-22"):  # a day means its end: what that day's last snapshot saw
            moment = moment.replace(hour=23, minute=59, second=59, microsecond=999999)
        moment = moment.astimezone()
    return moment.astimezone(UTC)


def _chosen(
    options: argparse.Namespace, config: Config, snapshot: Snapshot
) -> Callable[[str], list[Resource]]:
    """The resources of a kind that were asked for."""
    members = holders = None
    if options.system:
        members = {r.uid for r in config.system(options.system).members(snapshot)}
    if options.unassigned:
        holders = holders_of(snapshot, config.systems)

    def rows(kind: str) -> list[Resource]:
        return [
            r
            for r in snapshot.of_kind(kind)
            if (not options.source or r.source == options.source)
            and (members is None or r.uid in members)
            and (holders is None or r.uid not in holders)
        ]

    return rows


def _systems(options: argparse.Namespace, config: Config, store: Store) -> None:
    from zhengguan import system_list

    system_list.tell(options, config, latest(store, _at(options.at)))


def _count(options: argparse.Namespace, config: Config, store: Store) -> None:
    snapshot = latest(store, _at(options.at))
    rows = []
    chosen = _chosen(options, config, snapshot)
    for kind in KINDS:
        found = chosen(kind)
        status = sorted({c.status for c in snapshot.collections if c.kind == kind})
        if found or (status and not options.system and not options.unassigned):
            stale = sum(1 for r in found if r.uid in snapshot.stale)
            rows.append((kind, KINDS[kind].TITLE, len(found), stale, "、".join(s.label for s in status)))
    if options.json:
        names = ("kind", "title", "count", "stale", "collections")
        console.write_json([dict(zip(names, row, strict=True)) for row in rows])
        return
    console.table(("种类", "名称", "数量", "陈旧", "采集结果"), rows)
    info = snapshot.info
    console.say(f"快照 {info.id}，{info.taken_at.astimezone():%Y-%m-%d %H:%M:%S} {info.note}")


def _list(options: argparse.Namespace, config: Config, store: Store) -> None:
    snapshot = latest(store, _at(options.at))
    rows = _chosen(options, config, snapshot)(options.what)
    undecided: list[Resource] = []
    if options.where:
        rows, undecided = _where(options.where, options.what, rows)
    if options.json:
        console.write_json([_as_json(r, snapshot) for r in rows])
    else:
        names = _columns(rows)
        console.table(
            ("名称", "来源", *names, "编号"),
            [(_text(r.name), r.source, *[_text(getattr(r, n)) for n in names], r.uid) for r in rows],
        )
        console.say(f"{len(rows)} 个{KINDS[options.what].TITLE}")
        _say_coverage(snapshot, options.what)
    if undecided:
        console.warn(f"另有 {len(undecided)} 个说不准：条件用到的字段没有看见")


def _where(expression: str, kind: str, rows: list[Resource]) -> tuple[list[Resource], list[Resource]]:
    from policies.evaluate import compile_filter
    from policies.expression import ExpressionError

    try:
        found = compile_filter(expression, kind).split(rows, utc_now())
    except ExpressionError as error:
        raise UserError(
            error.message, where=f"--where 第 {error.offset + 1} 个字符", remedy=error.hint
        ) from error
    return found.matched, found.unknown


def _say_coverage(snapshot: Snapshot, kind: str) -> None:
    for c in snapshot.collections:
        if c.kind == kind and c.status.value != "complete":
            where = f"{c.source}（{c.scope}）" if c.scope else c.source
            console.warn(f"{where}: {c.status.label}；{c.reason}")


def _columns(rows: list[Resource]) -> list[str]:
    """The first few fields of the kind that some row knows, scalars first."""
    if not rows:
        return []
    common = set(Resource.__struct_fields__)
    scalar: list[str] = []
    other: list[str] = []
    for name in type(rows[0]).__struct_fields__:
        if name in common:
            continue
        values = [getattr(r, name) for r in rows[:50]]
        seen = [v for v in values if not isinstance(v, Unknown)]
        if seen:
            (scalar if all(isinstance(v, str | int | float | bool | None) for v in seen) else other).append(
                name
            )
    return (scalar + other)[:_SHOWN]


def _text(value: Any) -> str:
    if isinstance(value, Unknown):
        return "未知"
    if isinstance(value, list):
        text = str(len(value))
    elif value is None:
        text = "-"
    elif isinstance(value, bool):
        text = "是" if value else "否"
    else:
        text = str(value)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _as_json(resource: Resource, snapshot: Snapshot) -> dict[str, Any]:
    data = {"uid": resource.uid, "kind": resource.KIND, **plain(resource)}
    if since := snapshot.stale.get(resource.uid):
        data["stale_since"] = since
    return data


def _argument(options: argparse.Namespace) -> str:
    if len(options.arguments) != 1:
        raise UserError(
            f"inventory {options.what} 要一个编号",
            remedy="编号见 zhengguan inventory KIND 和 inventory show UID",
        )
    return str(options.arguments[0])


def _show(options: argparse.Namespace, config: Config, store: Store) -> None:
    snapshot = latest(store, _at(options.at))
    uid = _argument(options)
    resource = snapshot.get(uid)
    if resource is None:
        close = suggestion(uid, [r.uid for r in snapshot if r.uid.startswith(uid.split("/")[0])][:5000])
        raise UserError(f"快照 {snapshot.info.id} 里没有 {uid}", remedy=close)
    referring = store.referring(uid)
    evidence = _behind(resource, snapshot)
    if options.json:
        console.write_json({**_as_json(resource, snapshot), "referred_by": referring, "evidence": evidence})
        return
    console.say(f"{KINDS[resource.KIND].TITLE} {_text(resource.name)}    {uid}")
    for name in type(resource).__struct_fields__:
        value = getattr(resource, name)
        shown = "未知" if isinstance(value, Unknown) else plain(resource).get(name, value)
        console.say(f"  {name}: {shown}")
    if uid in snapshot.stale:
        console.say(f"  陈旧：最后一次看见是 {snapshot.stale[uid].astimezone():%Y-%m-%d %H:%M}")
    for other in referring[:20]:
        console.say(f"  ← {other}")
    for id_ in evidence:
        if found := store.evidence(id_):
            console.say(f"  证据 {id_}  {found.origin}")


def _behind(resource: Resource, snapshot: Snapshot) -> list[str]:
    """Ids of the answers that the resource's collection rests on."""
    return sorted(
        {
            id_
            for c in snapshot.collections
            if (c.source, c.kind) == (resource.source, resource.KIND) and c.scope in ("", resource.scope)
            for id_ in c.evidence
        }
    )


def _evidence(options: argparse.Namespace, config: Config, store: Store) -> None:
    id_ = _argument(options)
    found = store.evidence(id_)
    if found is None:
        raise UserError(f"库里没有证据 {id_}", remedy="编号见 zhengguan inventory show UID")
    text = found.content.decode("utf-8", "replace")
    if options.json:
        facts = {n: getattr(found, n) for n in ("id", "source", "origin", "media_type", "captured_at")}
        console.write_json({**facts, "content": text})
        return
    console.say(f"{found.source}  {found.origin}  {found.captured_at.astimezone():%Y-%m-%d %H:%M:%S}")
    for line in text.splitlines():
        console.say(line)


def _diff(options: argparse.Namespace, config: Config, store: Store) -> None:
    known = [info.id for info in store.snapshots()]
    wanted = [int(a) for a in options.arguments if a.isdecimal()]
    if options.arguments and len(wanted) != 2:
        raise UserError(
            "inventory diff 要两个快照号，或不写（比较最近两次）", remedy="zhengguan inventory snapshots"
        )
    if len(wanted) == 2 and not set(wanted) <= set(known):
        raise UserError("没有这样的快照号", remedy=f"有：{'、'.join(map(str, known))}")
    if not wanted and len(known) < 2:
        raise UserError("还没有两个快照可比", remedy="再运行一次 zhengguan collect")
    before, after = sorted(wanted) if wanted else known[-2:]
    changes = store.diff(before, after)
    if options.source:
        changes = [c for c in changes if c.uid.startswith(f"{options.source}/")]
    if options.json:
        console.write_json([_plain_change(change) for change in changes])
        return
    words = {"added": "新增", "changed": "变化", "removed": "消失"}
    console.table(
        ("", "种类", "名称", "字段：旧 → 新", "编号"),
        [(words[c.action], c.kind, c.name, _fields(c.fields), c.uid) for c in changes],
        title=f"快照 {before} → {after}",
        styles=[{"added": "pass", "changed": "medium", "removed": "fail"}[c.action] for c in changes],
    )
    console.say(f"{len(changes)} 处变化")


def _plain_change(change: Change) -> dict[str, Any]:
    """As JSON: of each changed field "old" and "new"; a side that was not seen is absent."""
    sides = {
        name: {
            side: value for side, value in zip(("old", "new"), values, strict=True) if value is not UNKNOWN
        }
        for name, values in change.fields.items()
    }
    return {**msgspec.structs.asdict(change), "fields": sides}


def _fields(fields: dict[str, tuple[Any, Any]]) -> str:
    return "；".join(_field(name, old, new) for name, (old, new) in sorted(fields.items()))


def _field(name: str, old: Any, new: Any) -> str:
    """One changed field; of a list, what left it and what came."""
    if isinstance(old, list) and isinstance(new, list):
        gone = [f"-{_row(item)}" for item in old if item not in new]
        come = [f"+{_row(item)}" for item in new if item not in old]
        return f"{name}: {' '.join([*gone, *come])}"
    return f"{name}: {_brief(old)} → {_brief(new)}"


def _row(item: Any) -> str:
    if isinstance(item, dict):
        return "{" + ", ".join(f"{k}={v}" for k, v in item.items() if v is not None and k != "id") + "}"
    return _brief(item)


def _brief(value: Any) -> str:
    text = str(value)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _timeline(options: argparse.Namespace, config: Config, store: Store) -> None:
    uid = _argument(options)
    versions = store.timeline(uid)
    if not versions:
        raise UserError(f"从没见过 {uid}", remedy="先用 zhengguan inventory KIND 查 UID")
    if options.json:
        console.write_json(versions)
        return
    previous: dict[str, Any] = {}
    for version in versions:
        now = plain(version.resource)
        until = f"{version.valid_to.astimezone():%Y-%m-%d %H:%M}" if version.valid_to else "现在"
        console.say(f"{version.valid_from.astimezone():%Y-%m-%d %H:%M} — {until}")
        for name in sorted(now.keys() | previous.keys()):
            if not previous or now.get(name) != previous.get(name):
                console.say(f"  {name}: {_brief(now.get(name, '未知'))}")
        previous = now


def _snapshots(options: argparse.Namespace, config: Config, store: Store) -> None:
    found = store.snapshots()
    if options.json:
        console.write_json(found)
        return
    console.table(
        ("快照", "时间", "备注"),
        [(s.id, f"{s.taken_at.astimezone():%Y-%m-%d %H:%M:%S}", s.note) for s in found],
    )


def _coverage(options: argparse.Namespace, config: Config, store: Store) -> None:
    snapshot = latest(store, _at(options.at))
    found = [c for c in snapshot.collections if not options.source or c.source == options.source]
    if options.json:
        console.write_json(found)
        return
    console.table(
        ("来源", "种类", "范围", "结果", "数量", "原因", "怎么办"),
        [(c.source, c.kind, c.scope, c.status.label, c.count, c.reason, c.remedy) for c in found],
        styles=["pass" if c.status.value == "complete" else "unknown" for c in found],
    )
