"""A value a day of what there is and who has it, kept so that trends can be told later.

Written at the end of each run, in its transaction: the last run of a day wins. A kind of which a run saw
nothing new leaves the day as it is, so a gap is a gap and never a zero.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Set
from datetime import date, datetime, timedelta, timezone
from functools import cache
from typing import Any, Final

import msgspec
from sqlalchemy import ColumnElement, Connection, bindparam, delete, func, inspect, select

from inventory.coverage import Collection, Status
from inventory.database import insert_many, tuples
from inventory.decoding import Decoder, decoder, from_json
from inventory.encoding import decode, text
from inventory.kinds import KINDS
from inventory.resource import Resource
from inventory.snapshot import Snapshot, SnapshotInfo
from inventory.tables import OPEN, STILL_OPEN, collection, usage_day, version, volatile
from inventory.unknown import UNKNOWN
from inventory.usage import Consumer, Counted, Coverage, Figure, capacity, consumers

_OFFICE: Final = timezone(timedelta(hours=8))  # a day is a day of those who read it
_HOLDERS: Final = ("hypervisor", "storage_pool", "subnet", "node")
_RESTS_ON: Final = {
    ("project", "vcpu"): "server",
    ("project", "memory_mib"): "server",
    ("project", "disk_gib"): "volume",
    ("project", "floating_ip"): "floating_ip",
    ("namespace", "vcpu"): "workload",
    ("namespace", "memory_mib"): "workload",
    ("namespace", "pod"): "workload",
    ("namespace", "disk_gib"): "volume_claim",
}
"""Of owners: the kind that tells how much of a resource they have. Holders tell it themselves."""
_READ: Final = (
    *_HOLDERS, "cloud", "cluster", "project", "namespace", "server", "volume", "floating_ip", "workload",
    "volume_claim",
)  # fmt: skip


class UsageDay(msgspec.Struct, kw_only=True, frozen=True):
    """One value of one day. ``holder`` is the kind that has it (hypervisor, node …) or, for who has what, the
    kind of the owner (project, namespace) with ``allocated`` alone. ``key`` "" is the whole source.

    None = nobody told. ``unknown`` counts things that told no capacity (of owners: no allocation);
    ``complete`` False: there may be more than was seen. Units are the resource's (``AmountOf``).
    """

    day: date
    source: str
    holder: str
    dimension: str
    key: str
    resource: str
    capacity: float | None
    schedulable: float | None
    allocated: float | None
    used: float | None
    holders: int
    unknown: int
    complete: bool


def day_of(moment: datetime) -> date:
    """The day a run belongs to, in Beijing time."""
    return moment.astimezone(_OFFICE).date()


class Day:
    """The values of the day that one run leaves. Of the kinds that are many it counts what is as before
    while it goes by, so that at the end the few others alone are read back."""

    def __init__(self) -> None:
        self._counted = Counted(_FIELDS)

    def take(self, unchanged: list[Resource]) -> None:
        """Resources that the run shows just as the store has them."""
        self._counted.take(unchanged)

    def record(self, connection: Connection, info: SnapshotInfo, repeated: Set[tuple[str, str]]) -> None:
        """Write the values of the day from what the run ``info`` has just written; ``repeated``: source and
        kind of what came twice. An older store gets the table now; it stays readable to the release that
        made it."""
        usage_day.create(connection, checkfirst=True)
        attempted = _attempted(connection, info.id)
        sources = {source for source, kinds in attempted.items() if kinds & {*_HOLDERS, *_RESTS_ON.values()}}
        if not sources:
            return
        rows = {name: _read(connection, name, sources) for name in _READ if name not in _FIELDS}
        for name in _FIELDS:
            rows[name] = self._rest(connection, name, info.id, sources, repeated)
        latest = select(collection.c.body).where(
            collection.c.valid_to == OPEN, collection.c.source.in_(sources)
        )
        attempts = [from_json(body, Collection) for body in connection.scalars(latest)]
        values = _rows(Snapshot(info, rows, attempts), self._counted, day_of(info.taken_at))
        _store(connection, [row for row in values if _told(row, attempted)])

    def _rest(
        self,
        connection: Connection,
        name: str,
        snapshot_id: int,
        sources: Set[str],
        repeated: Set[tuple[str, str]],
    ) -> list[Resource]:
        """What holds of a kind and was not counted: what this run wrote, and all of a source of which that
        is not the whole."""
        v = version.c
        rows = _slim_rows(connection, name, v.kind == name, v.valid_to == OPEN, v.valid_from == snapshot_id)
        held = select(v.source, func.count()).where(v.source.in_(sources), v.kind == name, STILL_OPEN)
        counted = self._counted.rows(name) + Counter(row.source for row in rows)
        again = {
            s
            for s, n in tuples(connection, held.group_by(v.source))
            if counted[s] != n or (s, name) in repeated
        }
        if not again:
            return rows
        self._counted.forget(name, again)
        kept = [row for row in rows if row.source not in again]
        return kept + _slim_rows(connection, name, v.kind == name, v.valid_to == OPEN, v.source.in_(again))


def _store(connection: Connection, rows: list[UsageDay]) -> None:
    """In place of what the day had of the same holders and resources."""
    if not rows:
        return
    d = usage_day.c
    before = delete(usage_day).where(
        d.day == rows[0].day.isoformat(),
        *(column == bindparam(f"the_{column.name}") for column in (d.source, d.holder, d.resource)),
    )
    groups = sorted({(row.source, row.holder, row.resource) for row in rows})
    connection.execute(before, [{"the_source": s, "the_holder": h, "the_resource": r} for s, h, r in groups])
    insert_many(
        connection,
        usage_day,
        [(row.day.isoformat(), *msgspec.structs.astuple(row)[1:-1], int(row.complete)) for row in rows],
    )


def usage_days(
    connection: Connection,
    *,
    since: date | None = None,
    source: str | None = None,
    holder: str | None = None,
    dimension: str | None = None,
    resource: str | None = None,
) -> list[UsageDay]:
    """Values kept, oldest day first; empty for a store that has kept none yet."""
    if not inspect(connection).has_table(usage_day.name):
        return []
    d = usage_day.c
    found = select(usage_day).order_by(d.day, d.source, d.holder, d.dimension, d.key, d.resource)
    wanted = {d.source: source, d.holder: holder, d.dimension: dimension, d.resource: resource}
    for column, value in wanted.items():
        if value is not None:
            found = found.where(column == value)
    if since is not None:
        found = found.where(d.day >= since.isoformat())
    return [
        UsageDay(**{**row._mapping, "day": date.fromisoformat(row.day), "complete": bool(row.complete)})
        for row in connection.execute(found)
    ]


def _attempted(connection: Connection, snapshot_id: int) -> dict[str, set[str]]:
    """Source → kinds of which this run saw at least something anew, or that there is none."""
    c = collection.c
    found: dict[str, set[str]] = {}
    for body in connection.scalars(select(c.body).where(c.valid_from == snapshot_id)):
        attempt = from_json(body, Collection)
        if attempt.status in (Status.COMPLETE, Status.PARTIAL):
            found.setdefault(attempt.source, set()).add(attempt.kind)
    return found


def _told(row: UsageDay, attempted: dict[str, set[str]]) -> bool:
    """Whether the run that is ending saw what the row rests on."""
    return _RESTS_ON.get((row.holder, row.resource), row.holder) in attempted.get(row.source, set())


def _read(connection: Connection, name: str, sources: Set[str]) -> list[Resource]:
    """What holds of a kind in these sources, read inside the run's own transaction."""
    v, w = version.c, volatile.c
    kind = KINDS[name]
    overlay: dict[str, bytes] = {}
    if kind.VOLATILE:
        overlay = dict(tuples(connection, select(w.uid, w.body).where(w.kind == name)))
    held = select(v.uid, v.body).where(v.kind == name, v.valid_to == OPEN, v.source.in_(sources))
    return [decode(kind, body, overlay.get(uid)) for uid, body in tuples(connection, held)]


def _slim_rows(connection: Connection, name: str, *held: ColumnElement[bool]) -> list[Resource]:
    kind, slim = KINDS[name], _slim(name)
    found = []
    for (body,) in tuples(connection, select(version.c.body).where(*held)):
        try:
            found.append(slim.decode(body))
        except msgspec.ValidationError:  # stored by another release
            found.append(decode(kind, body))
    return found


_FIELDS: Final = {
    "server": ("vcpus", "memory_mib", "disk_gib"),
    "volume": ("size_gib",),
    "floating_ip": (),
}
"""What is read of the kinds that are many: decoding the rest would cost three times as much."""


@cache
def _slim(name: str) -> Decoder[Any]:
    fields = {f.name: f for f in msgspec.structs.fields(KINDS[name])}
    wanted = [(field, fields[field].type, UNKNOWN) for field in _FIELDS[name]]
    made = msgspec.defstruct(
        f"Slim{name}", wanted, bases=(Resource,), kw_only=True, gc=False, namespace={"KIND": name}
    )
    return decoder(made)


def _rows(snapshot: Snapshot, counted: Counted, day: date) -> Iterator[UsageDay]:
    for row in capacity(snapshot):
        if row.holders:
            yield UsageDay(
                day=day,
                source=row.source,
                holder=row.holder,
                dimension=row.dimension,
                key=text(row.key),
                resource=row.resource,
                capacity=row.capacity.seen,
                schedulable=row.schedulable.seen,
                allocated=row.allocated.seen,
                used=row.used.seen,
                holders=row.holders,
                unknown=row.capacity.unknown,
                complete=row.complete,
            )
    yield from _owned(consumers(snapshot, counted=counted), day, Coverage(snapshot))


def _owned(found: Iterable[Consumer], day: date, coverage: Coverage) -> Iterator[UsageDay]:
    """By project or namespace, and by department within each source."""
    departments: dict[tuple[str, str, str], Consumer] = {}
    for one in found:
        yield from _consumed(one, day, one.kind, one.uid.split("/", 2)[-1], coverage)
        place = (one.source, one.kind, one.department)
        held = departments.get(place)
        if held is None:
            held = departments[place] = Consumer(
                source=one.source, kind=one.kind, uid="", name="", department=one.department
            )
        held.merge(one)
    for one in departments.values():
        yield from _consumed(one, day, "department", one.department, coverage)


def _consumed(one: Consumer, day: date, dimension: str, key: str, coverage: Coverage) -> Iterator[UsageDay]:
    figures: tuple[tuple[str, Figure], ...] = (
        ("vcpu", one.vcpu),
        ("memory_mib", one.memory_mib),
        ("disk_gib", one.disk_gib),
        ("floating_ip", Figure(one.floating_ips, one.floating_ips)),
        ("pod", one.pods),
    )
    for resource, figure in figures:
        if (figure.told or figure.unknown) and (one.kind, resource) in _RESTS_ON:
            yield UsageDay(
                day=day,
                source=one.source,
                holder=one.kind,
                dimension=dimension,
                key=text(key),
                resource=resource,
                capacity=None,
                schedulable=None,
                allocated=figure.seen,
                used=None,
                holders=figure.told + figure.unknown,
                unknown=figure.unknown,
                complete=coverage.complete(one.source, _RESTS_ON[one.kind, resource]),
            )
