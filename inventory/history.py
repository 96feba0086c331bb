"""Reading the store: states, what changed between two, and the life of one resource."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, Engine, Select, bindparam, select

from inventory import tables
from inventory.coverage import Collection
from inventory.database import StoreError, file_of, reported, tuples
from inventory.decoding import decoder, from_json
from inventory.encoding import ABSENT, decode, key, kind_named, microseconds, moment_of
from inventory.evidence import Evidence
from inventory.garbage import without_collector
from inventory.resource import RelationType, Resource
from inventory.snapshot import Change, Snapshot, SnapshotInfo, Version
from inventory.tables import ENDED, OPEN, holds_at
from inventory.unknown import UNKNOWN

_EMPTY = StoreError("库里还没有快照", "先运行 zhengguan collect")


def infos(connection: Connection) -> list[SnapshotInfo]:
    """All snapshots, oldest first."""
    s = tables.snapshot.c
    return [
        SnapshotInfo(id=row.id, taken_at=moment_of(row.taken_at), note=row.note)
        for row in connection.execute(select(s.id, s.taken_at, s.note).order_by(s.id))
    ]


def info_at(connection: Connection, at: int | datetime | None) -> SnapshotInfo:
    """The snapshot with an id, the last one at a time, or the latest. Raises StoreError for none."""
    s = tables.snapshot.c
    statement = select(s.id, s.taken_at, s.note).order_by(s.id.desc()).limit(1)
    if isinstance(at, datetime):
        statement = statement.where(s.taken_at <= microseconds(at))
    elif at is not None:
        statement = statement.where(s.id == at)
    row = connection.execute(statement).first()
    if row is not None:
        return SnapshotInfo(id=row.id, taken_at=moment_of(row.taken_at), note=row.note)
    if at is None or connection.scalar(select(s.id).limit(1)) is None:
        raise StoreError(_EMPTY.reason, _EMPTY.remedy)
    wanted = f"{at:%Y-%m-%d %H:%M} 之前没有快照" if isinstance(at, datetime) else f"没有快照 {at}"
    raise StoreError(wanted, "用 zhengguan inventory snapshots 看有哪些快照")


def load(engine: Engine, connection: Connection, at: int | datetime | None) -> Snapshot:
    """The state at a snapshot; a kind's resources are decoded when first asked for."""
    info = info_at(connection, at)
    latest = info.id == info_at(connection, None).id
    times = {i.id: i.taken_at for i in infos(connection)}
    s, v = tables.stale.c, tables.version.c
    stale = {
        row.uid: times[row.last_seen]
        for row in connection.execute(select(s.uid, s.last_seen).where(holds_at(tables.stale, info.id)))
    }
    collections, fresh = _coverage(connection, info.id)
    kinds = connection.scalars(select(v.kind).where(holds_at(tables.version, info.id)).distinct())
    known = sorted(kind for kind in kinds if kind_named(kind) is not None)
    return Snapshot(info, _Kinds(engine, known, info.id, volatile=latest), collections, stale, fresh)


def _coverage(
    connection: Connection, snapshot_id: int
) -> tuple[list[Collection], dict[tuple[str, str], datetime]]:
    """Latest attempts, and when each (source, kind) was last complete in all its scopes.

    A complete attempt at the whole source (scope "") speaks for every scope, so where there is one it
    alone dates the group; scopes that no longer exist cannot hold it back.
    """
    c = tables.collection.c
    collections: list[Collection] = []
    ends: dict[tuple[str, str], dict[str, int]] = {}
    for row in connection.execute(
        select(c.source, c.kind, c.scope, c.completed_at, c.body).where(
            holds_at(tables.collection, snapshot_id)
        )
    ):
        collections.append(from_json(row.body, Collection))
        if row.completed_at is not None:
            ends.setdefault((row.source, row.kind), {})[row.scope] = row.completed_at
    fresh = {group: moment_of(scopes.get("", min(scopes.values()))) for group, scopes in ends.items()}
    return collections, fresh


class _Kinds(Mapping[str, list[Resource]]):
    """Kind → resources sorted by uid, read on first use. A later run does not change what it reads."""

    def __init__(self, engine: Engine, kinds: list[str], snapshot_id: int, *, volatile: bool) -> None:
        self._engine = engine
        self._rows: dict[str, list[Resource] | None] = dict.fromkeys(kinds)
        self._snapshot_id = snapshot_id
        self._volatile = volatile

    def __getitem__(self, kind: str) -> list[Resource]:
        rows = self._rows[kind]
        if rows is None:
            with reported(file_of(self._engine)), self._engine.connect() as connection:
                rows = self._read(connection, kind)
            self._rows[kind] = rows
        return rows

    def __iter__(self) -> Iterator[str]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)

    def _read(self, connection: Connection, kind: str) -> list[Resource]:
        type_ = kind_named(kind)
        if type_ is None:
            return []
        v = tables.version.c
        overlay = self._overlay(connection, kind) if self._volatile and type_.VOLATILE else {}
        found = connection.execute(
            select(v.uid, v.body).where(v.kind == kind, holds_at(tables.version, self._snapshot_id))
        )
        with without_collector():
            held = sorted(tuple(row) for row in found.all())
            return [decode(type_, body, overlay.get(uid)) for uid, body in held]

    def _overlay(self, connection: Connection, kind: str) -> dict[str, bytes]:
        """Volatile values, without those that a later run has written since this snapshot was opened."""
        w = tables.volatile.c
        found = connection.execute(
            select(w.uid, w.body).where(w.kind == kind, w.snapshot <= self._snapshot_id)
        )
        return {uid: body for uid, body in found if body}


def diff(connection: Connection, a: int, b: int, kind: str | None) -> list[Change]:
    """What changed after snapshot ``a`` until snapshot ``b`` (``a`` = 0: since before the first)."""
    if a > b:
        raise StoreError(f"快照次序反了：{a} 在 {b} 之后", f"写成 {b} {a}")
    for wanted in (a, b):
        if wanted:
            info_at(connection, wanted)
    # Only rows with a boundary in (a, b] are read: the old side ended in it, the new side began in it.
    v = tables.version.c
    columns = select(v.uid, v.hash, v.kind, v.body)
    if kind is not None:
        columns = columns.where(v.kind == kind)
    ended = columns.where(v.valid_from <= a, v.valid_to > a, v.valid_to <= b, ENDED)
    begun = columns.where(v.valid_from > a, v.valid_from <= b, v.valid_to > b)
    old = {uid: rest for uid, *rest in tuples(connection, ended)}
    new = {uid: rest for uid, *rest in tuples(connection, begun)}
    changes = []
    for uid in sorted(old.keys() | new.keys()):
        hash_before, kind_before, before = old.get(uid, _NONE)
        hash_after, kind_after, after = new.get(uid, _NONE)
        if hash_before != hash_after:  # else it changed and changed back
            change = _change(uid, kind_after or kind_before, before, after)
            if change is not None:
                changes.append(change)
    return changes


_NONE = (b"", "", b"{}")
_split = decoder(dict[str, msgspec.Raw]).decode  # most fields are equal, and need no decoding


def _change(uid: str, kind: str, before: bytes, after: bytes) -> Change | None:
    """What differs between two bodies; None where only the form does (an earlier release wrote it)."""
    old, new = _split(before), _split(after)
    present = new or old
    name = from_json(present["name"] if "name" in present else present["native_id"])
    if not old or not new:
        return Change(uid=uid, kind=kind, name=name, action="added" if new else "removed")
    fields = {}
    for field in sorted(old.keys() | new.keys()):
        if old.get(field) == new.get(field):
            continue
        values = _value(old, field), _value(new, field)
        if (field in old) != (field in new) or values[0] != values[1]:
            fields[field] = values
    return Change(uid=uid, kind=kind, name=name, action="changed", fields=fields) if fields else None


def _value(body: dict[str, msgspec.Raw], field: str) -> Any:
    return from_json(body[field]) if field in body else ABSENT.get(field, UNKNOWN)


def timeline(connection: Connection, uid: str) -> list[Version]:
    """Every version of a resource, oldest first; a gap means that it was gone in between."""
    found = connection.execute(_TIMELINE, {"the_uid": key(uid)})
    versions = []
    for row in found:
        type_ = kind_named(row.kind)
        if type_ is not None:
            until = None if row.until is None else moment_of(row.until)
            resource = decode(type_, row.body)
            versions.append(Version(valid_from=moment_of(row.since), valid_to=until, resource=resource))
    return versions


def _timeline() -> Select[Any]:
    v = tables.version.c
    begin, end = tables.snapshot.alias(), tables.snapshot.alias()
    return (
        select(v.kind, v.body, begin.c.taken_at.label("since"), end.c.taken_at.label("until"))
        .join(begin, begin.c.id == v.valid_from)
        .outerjoin(end, end.c.id == v.valid_to)
        .where(v.uid == bindparam("the_uid"))
        .order_by(v.valid_from)
    )


_TIMELINE = _timeline()  # made once: making it takes longer than asking it


def referring(connection: Connection, uid: str, type_: RelationType | None) -> list[str]:
    """Uids of the resources that hold, in the latest snapshot, an edge to ``uid``; sorted."""
    statement = _REFERRING
    if type_ is not None:
        statement = statement.where(tables.relation.c.type == type_)
    return sorted(set(connection.scalars(statement, {"the_target": key(uid)})))


_REFERRING = (
    select(tables.version.c.uid)
    .join(tables.relation, tables.relation.c.version == tables.version.c.id)
    .where(tables.relation.c.target == bindparam("the_target"), tables.version.c.valid_to == OPEN)
)


def evidence(connection: Connection, id_: str) -> Evidence | None:
    """Stored bytes by their digest. Raises StoreError where they no longer match it."""
    e = tables.evidence.c
    row = connection.execute(select(tables.evidence).where(e.id == id_)).first()
    if row is None:
        return None
    try:
        content = zlib.decompress(row.content)
    except zlib.error as error:
        raise StoreError(f"证据 {id_[:12]} 损坏", "从备份恢复库文件") from error
    return Evidence(
        id=row.id,
        source=row.source,
        origin=row.origin,
        media_type=row.media_type,
        captured_at=moment_of(row.captured_at),
        content=content,
    )
