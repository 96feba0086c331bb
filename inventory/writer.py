"""Writing a run: everything it saw becomes one snapshot, in one transaction.

What a resource's absence means is decided here and nowhere else: a row is closed only where the collection
that covers it is complete; after any other attempt it stays, marked stale since it was last seen.
"""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from operator import attrgetter
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import Connection, Table, bindparam, delete, func, select, update

from inventory import tables
from inventory.coverage import Batch, Collection, Status
from inventory.database import StoreError, execute_many, insert_many, reported, tuples
from inventory.encoding import (
    HASH_BYTES,
    Encoded,
    checked,
    encode,
    fingerprinter,
    key,
    microseconds,
    text,
    to_json,
    volatile_form,
)
from inventory.evidence import Evidence
from inventory.garbage import without_collector
from inventory.kinds import KINDS
from inventory.resource import Resource
from inventory.snapshot import SnapshotInfo
from inventory.tables import OPEN, STILL_OPEN

_FLUSH_ROWS = 10_000
_FLUSH_BYTES = 32 * 1024 * 1024
_CHUNK = 500  # values in one IN (…)

_SEEN = b"+"  # follows the hash of what this run has seen: a set of its own costs a tenth of the run
_PLACE = attrgetter("source", "KIND", "scope")

T = TypeVar("T")
Group = tuple[str, str]  # (source, kind)
Place = tuple[str, str, str]  # (source, kind, scope)


class _Absent(NamedTuple):
    """A version that this run attempted and did not see."""

    uid: str
    group: Group
    scope: str
    valid_from: int


class Writer:
    """Takes the batches of one run. ``info`` is the snapshot that they become when the run ends well.
    ``unchanged`` is handed the resources that are as the store has them, ``repeated`` holds the groups of
    which some resource came twice."""

    def __init__(
        self,
        connection: Connection,
        path: Path | None,
        now: datetime,
        note: str,
        unchanged: Callable[[list[Resource]], None],
    ) -> None:
        microseconds(now)  # refuses a time without a zone before anything is done
        last = connection.scalar(select(func.max(tables.snapshot.c.id))) or 0
        self.info = SnapshotInfo(id=last + 1, taken_at=now, note=text(note))
        self.repeated: set[Group] = set()
        self._unchanged = unchanged
        self._connection = connection
        self._path = path
        self._failed = False
        self._next_version = (connection.scalar(select(func.max(tables.version.c.id))) or 0) + 1
        self._live: dict[str, bytes] = {}  # uid → hash of what holds before this run (_SEEN alone: none)
        self._groups: set[Group] = set()  # those whose rows are in it
        self._fingerprint = fingerprinter()
        self._places: Counter[Place] = Counter()  # rows handed over
        self._written: dict[str, int] = {}  # uid → id of the version this run gives it
        self._discarded: list[int] = []  # versions that a later row of the same run replaced
        self._collections: dict[Place, Collection] = {}
        self._versions: list[tuple[Any, ...]] = []  # rows of the tables, as are the next two
        self._relations: list[tuple[Any, ...]] = []
        self._volatile: dict[str, tuple[Any, ...]] = {}
        self._evidence: dict[str, Evidence] = {}
        self._pending_bytes = 0

    def add(self, batch: Batch) -> None:
        """Take one batch. A uid that comes twice in a run: the last one counts. Raises StoreError where
        the database fails (the run is then lost), ValueError for a kind that is not registered."""
        with self._working():
            for evidence in batch.evidence:
                self._evidence[evidence.id] = evidence
                self._pending_bytes += len(evidence.content)
            for collection in batch.collections:
                place = (text(collection.source), collection.kind, key(collection.scope))
                self._load(place[:2])
                self._collections[place] = collection
            self._take_all(batch.resources)
            rows = len(self._versions) + len(self._volatile)
            if rows > _FLUSH_ROWS or self._pending_bytes > _FLUSH_BYTES:
                self._flush()

    def replaces(self, uid: str) -> bool:
        """Whether this run gives a resource that was there before another version."""
        return key(uid) in self._written and bool(self._held(key(uid)))

    def finish(self) -> None:
        """Settle what was not seen and write the snapshot's own row; the caller commits."""
        with self._working():
            self._flush()
            self._complete_coverage()
            doubtful, gone = self._absent()
            self._close_versions(gone)
            self._mark_stale(doubtful, gone)
            self._forget_volatile(gone)
            self._store_collections()
            self._connection.execute(
                tables.snapshot.insert(),
                {"id": self.info.id, "taken_at": microseconds(self.info.taken_at), "note": self.info.note},
            )

    @contextmanager
    def _working(self) -> Iterator[None]:
        """After an error the database may have rolled back, and more writes would be half a snapshot."""
        if self._failed:
            raise StoreError("这一次写入已经失败，不能继续", "重新采集")
        self._failed = True
        with reported(self._path), without_collector():
            yield
        self._failed = False

    # Resources

    def _load(self, group: Group) -> None:
        """Have what holds of a group in ``_live``."""
        if group in self._groups:
            return
        v = tables.version.c
        of_group = select(v.uid, v.hash).where(v.source == group[0], v.kind == group[1], STILL_OPEN)
        self._live.update(tuples(self._connection, of_group))
        self._groups.add(group)

    def _held(self, uid: str) -> bytes:
        """The hash of what holds before this run; empty where nothing does."""
        held = self._live.get(uid, _SEEN)
        return b"" if held == _SEEN else held[:HASH_BYTES]

    def _take_all(self, resources: list[Resource]) -> None:
        """The many that are as before take the short way: what is done for each of them here is the cost
        of a run."""
        for type_ in {type(resource) for resource in resources}:
            if KINDS.get(type_.KIND) is not type_:
                raise ValueError(f"kind {type_.KIND!r} ({type_.__name__}) is not registered in KINDS")
        live, fingerprint = self._live, self._fingerprint
        as_before = []
        for resource in resources:
            uid = resource.uid
            held = live.get(uid)
            if held is None:
                self._load((text(resource.source), resource.KIND))
                held = live.get(uid)
            if held is None or fingerprint(resource) != held:
                self._take(resource)
            elif not resource.VOLATILE or self._take_volatile(resource, uid):
                as_before.append(resource)
                live[uid] = held + _SEEN
        self._places.update(map(_PLACE, as_before))
        self._unchanged(as_before)

    def _take_volatile(self, resource: Resource, uid: str) -> bool:
        """Whether it was in order, and was not taken the long way instead."""
        try:
            body = volatile_form(resource)
        except (TypeError, ValueError, RecursionError):
            self._take(resource)
            return False
        self._volatile[uid] = (uid, resource.KIND, self.info.id, body or b"")
        return True

    def _take(self, resource: Resource) -> None:
        encoded = encode(resource)
        group = (encoded.source, resource.KIND)
        self._load(group)
        changed = self._held(encoded.uid) != encoded.hash
        if changed:
            encoded = checked(resource, encoded)
            changed = self._held(encoded.uid) != encoded.hash
        uid = encoded.uid
        if len(self._live.get(uid, b"")) in (len(_SEEN), HASH_BYTES + len(_SEEN)):
            self.repeated.add(group)
        self._live[uid] = self._held(uid) + _SEEN
        self._places[encoded.source, resource.KIND, encoded.scope] += 1
        if uid in self._written:
            self._discarded.append(self._written.pop(uid))
        if changed:
            self._write(group, encoded)
        if resource.VOLATILE:
            self._volatile[uid] = (uid, resource.KIND, self.info.id, encoded.volatile or b"")

    def _write(self, group: Group, encoded: Encoded) -> None:
        id_ = self._next_version
        self._next_version += 1
        self._written[encoded.uid] = id_
        self._pending_bytes += len(encoded.body)
        source, kind = group
        self._versions.append(
            (
                id_,
                encoded.uid,
                source,
                kind,
                encoded.scope,
                self.info.id,
                OPEN,
                encoded.hash,
                encoded.body,
            )
        )
        self._relations += [(r.target, r.type, id_) for r in encoded.relations]

    def _flush(self) -> None:
        connection = self._connection
        insert_many(connection, tables.version, self._versions)
        insert_many(connection, tables.relation, self._relations)
        insert_many(connection, tables.volatile, list(self._volatile.values()), replace=("snapshot", "body"))
        self._store_evidence()
        self._versions, self._relations = [], []
        self._volatile, self._evidence = {}, {}
        self._pending_bytes = 0

    def _store_evidence(self) -> None:
        e = tables.evidence.c
        for ids in _chunks(list(self._evidence)):
            held = set(self._connection.scalars(select(e.id).where(e.id.in_(ids))))
            rows = [
                (
                    evidence.id,
                    text(evidence.source),
                    text(evidence.origin),
                    text(evidence.media_type),
                    microseconds(evidence.captured_at),
                    zlib.compress(evidence.content),
                )
                for evidence in (self._evidence[id_] for id_ in ids if id_ not in held)
            ]
            insert_many(self._connection, tables.evidence, rows)

    # What was not seen

    def _complete_coverage(self) -> None:
        """Rows that came without word of how complete they are count as a partial attempt."""
        untold = [(place, count) for place, count in self._places.items() if self._covering(*place) is None]
        for (source, kind, scope), count in untold:
            self._collections[source, kind, scope] = Collection(
                source=source,
                kind=kind,
                scope=scope,
                status=Status.PARTIAL,
                started_at=self.info.taken_at,
                ended_at=self.info.taken_at,
                count=count,
                reason="采集器交了数据，但没有说明是否完整",
                remedy="请报告此缺陷",
            )

    def _covering(self, source: str, kind: str, scope: str) -> Collection | None:
        """The attempt that tells about a scope: its own before that of the whole source."""
        own = self._collections.get((source, kind, scope))
        return own or self._collections.get((source, kind, ""))

    def _absent(self) -> tuple[list[_Absent], list[str]]:
        """Rows attempted and not seen: those that may still be there, and the uids of those gone."""
        doubtful: list[_Absent] = []
        gone: list[str] = []
        for row in self._look_up(sorted(uid for uid, held in self._live.items() if len(held) == HASH_BYTES)):
            covering = self._covering(*row.group, row.scope)
            if covering is None:
                continue
            if covering.status is Status.COMPLETE:
                gone.append(row.uid)
            else:
                doubtful.append(row)
        return doubtful, gone

    def _look_up(self, uids: list[str]) -> Iterator[_Absent]:
        v = tables.version.c
        for some in _chunks(uids):
            # The open one is picked here: asked for it, SQLite would go through all that is open.
            columns = select(v.uid, v.source, v.kind, v.scope, v.valid_from, v.valid_to)
            for row in self._connection.execute(columns.where(v.uid.in_(some))):
                if row.valid_to == OPEN and row.valid_from < self.info.id:
                    yield _Absent(row.uid, (row.source, row.kind), row.scope, row.valid_from)

    def _mark_stale(self, doubtful: list[_Absent], gone: list[str]) -> None:
        s = tables.stale.c
        already = set(self._connection.scalars(select(s.uid).where(s.valid_to == OPEN)))
        seen = {uid for uid in already if len(self._live.get(uid, b"")) > HASH_BYTES}
        self._end(tables.stale, ("uid",), [(uid,) for uid in already & seen.union(gone)])
        attempts = self._attempts_before({row.group[0] for row in doubtful})
        rows = []
        for row in doubtful:
            if row.uid in already:
                continue
            # It was not stale, so each attempt since its version began has shown it, the latest too.
            attempted = (attempts.get((*row.group, scope), 0) for scope in {row.scope, ""})
            rows.append((row.uid, self.info.id, OPEN, max(row.valid_from, *attempted)))
        insert_many(self._connection, tables.stale, rows)

    def _attempts_before(self, sources: set[str]) -> dict[Place, int]:
        """Snapshot of the latest attempt before this run at each place of these sources."""
        c = tables.collection.c
        found: dict[Place, int] = {}
        for source in sources:
            statement = select(c.source, c.kind, c.scope, c.valid_from)
            for row in self._connection.execute(statement.where(c.source == source, c.valid_to == OPEN)):
                found[row.source, row.kind, row.scope] = row.valid_from
        return found

    # The end

    def _close_versions(self, gone: list[str]) -> None:
        v, r = tables.version.c, tables.relation.c
        if self._discarded:
            statement = delete(tables.version).where(v.id == bindparam("the_id"))
            execute_many(self._connection, statement, ["the_id"], [(id_,) for id_ in self._discarded])
            orphaned = delete(tables.relation).where(
                r.version >= min(self._discarded), r.version.not_in(select(v.id))
            )
            self._connection.execute(orphaned)
        replaced = (uid for uid in self._written if self._live[uid] != _SEEN)
        self._end(tables.version, ("uid",), [(uid,) for uid in sorted((*replaced, *gone))])

    def _end(self, table: Table, columns: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
        """The rows with these keys that held before this run hold no longer."""
        c = table.c
        statement = (
            update(table)
            .values(valid_to=bindparam("now"))
            .where(*(c[name] == bindparam(f"the_{name}") for name in columns))
            .where(c.valid_to == bindparam("open"), c.valid_from < bindparam("before"))
        )
        names = ["now", *(f"the_{name}" for name in columns), "open", "before"]
        now = self.info.id
        execute_many(self._connection, statement, names, [(now, *row, OPEN, now) for row in rows])

    def _forget_volatile(self, uids: list[str]) -> None:
        statement = delete(tables.volatile).where(tables.volatile.c.uid == bindparam("the_uid"))
        execute_many(self._connection, statement, ["the_uid"], [(uid,) for uid in uids])

    def _store_collections(self) -> None:
        c = tables.collection.c
        before: dict[Place, int | None] = {}  # end of the last complete attempt
        for source in {source for source, _, _ in self._collections}:
            statement = select(c.source, c.kind, c.scope, c.completed_at)
            for row in self._connection.execute(statement.where(c.source == source, c.valid_to == OPEN)):
                before[row.source, row.kind, row.scope] = row.completed_at
        ended = [place for place in self._collections if place in before]
        self._end(tables.collection, ("source", "kind", "scope"), ended)
        rows = []
        for (source, kind, scope), attempt in self._collections.items():
            completed = before.get((source, kind, scope))
            if attempt.status is Status.COMPLETE:
                completed = microseconds(attempt.ended_at)
            rows.append((source, kind, scope, self.info.id, OPEN, completed, to_json(attempt)))
        insert_many(self._connection, tables.collection, rows)


def _chunks(items: list[T]) -> Iterator[list[T]]:
    for start in range(0, len(items), _CHUNK):
        yield items[start : start + _CHUNK]
