"""The state after a run, as policies, reports and exporters read it; and what changes between two."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, Literal, TypeVar

import msgspec

from inventory.coverage import Batch, Collection, Status
from inventory.resource import Resource

R = TypeVar("R", bound=Resource)


class SnapshotInfo(msgspec.Struct, kw_only=True, frozen=True):
    """``id`` grows with time; 0 stands for a snapshot that no store holds."""

    id: int
    taken_at: datetime
    note: str = ""


class Change(msgspec.Struct, kw_only=True):
    """One resource between two snapshots. ``fields`` maps a field to its (old, new) plain values; an
    absent side was not seen."""

    uid: str
    kind: str
    name: str
    action: Literal["added", "changed", "removed"]
    fields: dict[str, tuple[Any, Any]] = msgspec.field(default_factory=dict)


class Version(msgspec.Struct, kw_only=True):
    """One version of a resource in its timeline; ``valid_to`` None = still so."""

    valid_from: datetime
    valid_to: datetime | None
    resource: Resource


class Snapshot:
    """Resources by kind, the collections they came from, and which of them are stale.

    ``collections`` holds the latest attempt at every (source, scope, kind) up to this snapshot, so a run
    over one source keeps the coverage of the others. ``stale`` maps a uid to the time of the last snapshot
    that really saw it. ``fresh`` maps (source, kind) to the end of the last complete collection.
    ``resources`` may be a mapping that reads a kind when first asked for it; it then holds no empty kind.
    """

    def __init__(
        self,
        info: SnapshotInfo,
        resources: Mapping[str, list[Resource]],
        collections: Iterable[Collection],
        stale: Mapping[str, datetime] | None = None,
        fresh: Mapping[tuple[str, str], datetime] | None = None,
    ) -> None:
        self.info = info
        self.collections = sorted(collections, key=lambda c: (c.source, c.kind, c.scope))
        self.stale = dict(stale or {})
        self.fresh = dict(fresh or {})
        self._by_kind = (
            {kind: rows for kind, rows in resources.items() if rows}
            if isinstance(resources, dict)
            else resources
        )
        self._by_uid: dict[str, Resource] | None = None

    @classmethod
    def of_batches(cls, batches: Iterable[Batch], taken_at: datetime) -> Snapshot:
        """A snapshot straight from collectors, without a store."""
        by_kind: dict[str, list[Resource]] = {}
        collections: list[Collection] = []
        for batch in batches:
            collections += batch.collections
            for resource in batch.resources:
                by_kind.setdefault(resource.KIND, []).append(resource)
        for rows in by_kind.values():
            rows.sort(key=lambda r: r.uid)
        fresh = {(c.source, c.kind): c.ended_at for c in collections if c.status is Status.COMPLETE}
        return cls(SnapshotInfo(id=0, taken_at=taken_at), by_kind, collections, fresh=fresh)

    def kinds(self) -> list[str]:
        """Kinds with at least one resource, sorted."""
        return sorted(self._by_kind)

    def of(self, kind: type[R]) -> list[R]:
        """All resources of a kind, sorted by uid."""
        rows: list[R] = self._by_kind.get(kind.KIND, [])  # type: ignore[assignment]
        return rows

    def of_kind(self, kind: str) -> list[Resource]:
        """The same by the name of the kind."""
        return self._by_kind.get(kind, [])

    def get(self, uid: str) -> Resource | None:
        """The resource with this uid, if this snapshot holds it."""
        if self._by_uid is None:
            self._by_uid = {r.uid: r for r in self}
        return self._by_uid.get(uid)

    def __iter__(self) -> Iterator[Resource]:
        for kind in self.kinds():
            yield from self._by_kind[kind]

    def __len__(self) -> int:
        return sum(len(rows) for rows in self._by_kind.values())
