"""What a run has seen, and what was seen before it, for the sources that are read last."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from collectors.changes import (
    CONFIGURED,
    Change,
    Past,
    Watched,
    changed,
    changed_fields,
    is_machine,
    machine_of,
    moment_of,
    names_of,
    seen_whole,
    starts,
)
from collectors.contract import Source
from collectors.things import HOLDING, MEASURED, NAMED, Thing, thing_of
from inventory.coverage import Batch, Collection
from inventory.kinds.cloud import Cloud
from inventory.kinds.cluster import Cluster
from inventory.kinds.compute import InstanceAction
from inventory.kinds.network import Device
from inventory.kinds.review import ChangeReview
from inventory.resource import Resource, uid_of
from inventory.snapshot import Snapshot
from inventory.store import Store, StoreError


class Seen:
    """Things of this run, and those of the snapshot before it for sources that it does not read."""

    def __init__(self, store: Store, sources: Sequence[Source], now: Callable[[], datetime]) -> None:
        self._store = store
        self._read_now = {source.name for source in sources}
        self._began = now()
        self._before: Snapshot | None = None
        self._reading = threading.Lock()
        self._things: list[Thing] = []
        self._machines: dict[str, tuple[str, tuple[str, ...], bool]] = {}  # uid → machine, names, seen whole
        self._names: dict[str, tuple[str, ...]] = {}  # of devices
        self._platforms: dict[tuple[str, str], str] = {}
        self._changed: list[Resource] = []
        self._started: list[InstanceAction] = []

    def take(self, batch: Batch, replaces: Callable[[str], bool]) -> None:
        """Remember what a batch has that may be measured or changed; ``replaces`` tells whether the store had
        another version of a uid."""
        self._things += [thing for thing in map(thing_of, batch.resources) if thing is not None]
        _platforms(batch.resources, self._platforms)
        for resource in batch.resources:
            if isinstance(resource, InstanceAction) and starts(resource):
                self._started.append(resource)
            if type(resource) not in CONFIGURED:
                continue
            if isinstance(resource, Device):
                self._names[resource.uid] = names_of(resource)
            if is_machine(resource):
                uid = machine_of(resource, self._platforms)
                self._machines[resource.uid] = (uid, names_of(resource), seen_whole(resource))
            if replaces(resource.uid):
                self._changed.append(resource)

    def things(self) -> list[Thing]:
        """Everything known, each uid once."""
        before = self._snapshot()
        if before is None:
            return self._things
        held = {thing.uid for thing in self._things}
        return self._things + [
            thing
            for kind in (*MEASURED, *NAMED, *HOLDING)
            for thing in map(thing_of, before.of(kind))
            if thing is not None and thing.uid not in held and self._still(thing.source)
        ]

    def _snapshot(self) -> Snapshot | None:
        """The one before this run, read once for all that ask; None = this is the first."""
        with self._reading:
            if self._before is None:
                try:
                    self._before = self._store.snapshot()
                except StoreError:
                    return None
            return self._before

    def _still(self, source: str) -> bool:
        """Of a source read in this run, what it did not show counts only where it showed nothing at all."""
        return source not in self._read_now or not any(t.source == source for t in self._things)

    def past(self, source: Source) -> Past:
        """The machines, and what changed of them since ``source`` told of changes last."""
        before = self._snapshot()
        if before is None:
            now = [
                Watched(uid, names, None, self._began, whole) for uid, names, whole in self._machines.values()
            ]
            return Past(now, [], {}, self._of_clouds(self._started, self._platforms))
        earlier = _Earlier(before)
        platforms = {**earlier.platforms, **self._platforms}
        told = {r.native_id: r for r in before.of(ChangeReview) if r.source == source.name}
        changes = list(earlier.made(self._store, source.name))
        for after in self._changed:
            old = earlier.rows.get(after.uid)
            uid = machine_of(after, platforms)
            if old is not None and uid in earlier.names and (what := changed(old, after)):
                moment = moment_of(after, earlier.seen_at(old), self._began)
                changes.append(Change(uid, earlier.names[uid], *moment, what))
        watched = []
        for own, (uid, names, whole) in self._machines.items():
            row = earlier.rows.get(own)
            since = earlier.seen_at(row) if row is not None else None
            watched.append(Watched(uid, self._names.get(uid, names), since, self._began, whole))
        for row in earlier.rows.values():
            if is_machine(row) and row.uid not in self._machines:  # unread, or gone: then nobody asks
                uid, seen = machine_of(row, platforms), earlier.seen_at(row)
                watched.append(Watched(uid, earlier.names[uid], seen, seen, seen_whole(row)))
        machines = {one.uid: one for one in watched if one.uid}
        held = {one.uid for one in self._started}
        started = self._started + [
            one
            for one in before.of(InstanceAction)
            if one.uid not in held and starts(one) and self._still(one.source)
        ]
        return Past(
            list(machines.values()),
            [c for c in changes if c.uid in machines],
            told,
            self._of_clouds(started, platforms),
        )

    def _of_clouds(
        self, actions: Iterable[InstanceAction], platforms: Mapping[tuple[str, str], str]
    ) -> list[tuple[InstanceAction, str]]:
        """Actions with the uid of the cloud that they were recorded in."""
        return [
            (one, platforms.get((one.source, Cloud.KIND)) or uid_of(one.source, Cloud.KIND, one.source))
            for one in actions
        ]


class _Earlier:
    """The snapshot before this run: what is configuration there, its names, and when it was seen."""

    def __init__(self, before: Snapshot) -> None:
        self._before = before
        self.rows = {row.uid: row for kind in CONFIGURED for row in before.of(kind)}
        self.platforms: dict[tuple[str, str], str] = {}
        _platforms(self.rows.values(), self.platforms)
        self.names: dict[str, tuple[str, ...]] = {}
        for row in self.rows.values():
            if is_machine(row):
                uid = machine_of(row, self.platforms)
                device = self.rows.get(uid)
                self.names[uid] = names_of(device or row)
        self._attempts: dict[tuple[str, str, str], Collection] = {
            (c.source, c.kind, c.scope): c for c in before.collections
        }

    def seen_at(self, row: Resource) -> datetime:
        """When it was last seen, at the latest."""
        if row.uid in self._before.stale:
            return self._before.stale[row.uid]
        places = ((row.source, row.KIND, row.scope), (row.source, row.KIND, ""))
        held = [self._attempts[place].started_at for place in places if place in self._attempts]
        return min([*held, self._before.info.taken_at])

    def made(self, store: Store, source: str) -> Iterator[Change]:
        """What changed between the runs that ``source`` told of changes in, and this one."""
        told = self._before.fresh.get((source, ChangeReview.KIND))
        if told is None:
            return
        infos = [info for info in store.snapshots() if info.taken_at <= told]
        if not infos or infos[-1].id >= self._before.info.id:
            return
        since = infos[-1]
        for kind in CONFIGURED:
            for one in store.diff(since.id, self._before.info.id, kind.KIND):
                row = self.rows.get(one.uid)
                if one.action != "changed" or row is None:
                    continue
                uid = machine_of(row, self.platforms)
                if uid in self.names and (what := changed_fields(kind, one.fields)):
                    moment = moment_of(row, since.taken_at, self._before.info.taken_at)
                    yield Change(uid, self.names[uid], *moment, what)


def _platforms(resources: Iterable[Resource], found: dict[tuple[str, str], str]) -> None:
    for resource in resources:
        if isinstance(resource, (Cloud, Cluster)):
            found[resource.source, resource.KIND] = resource.uid
