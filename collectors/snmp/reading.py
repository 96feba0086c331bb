"""Reading one device with the walker: what is asked, in which order, and when to stop asking."""

from __future__ import annotations

import functools
from collections.abc import Sequence

import msgspec

from collectors.contract import DeadlineError
from collectors.snmp.engines import AgentError, AuthenticationError, NoAnswerError, Oid, Value
from collectors.snmp.tables import (
    COUNTED_TABLES,
    DEVICE_TABLES,
    ENTITY_CHASSIS,
    ENTITY_CLASS,
    ENTITY_FAN,
    ENTITY_MODULE,
    ENTITY_NAME,
    ENTITY_POWER,
    ENTITY_TEXTS,
    INTERFACE_TABLES,
    OBJECTS,
    SCALARS,
    SYS_DESCR,
    SYS_OBJECT_ID,
    Table,
)
from collectors.snmp.texts import text_of
from collectors.snmp.vendor_tables import NO_VENDOR, VENDORS, Vendor
from collectors.snmp.vendors import vendor_of
from collectors.snmp.walker import Walk, Walker
from inventory.coverage import Status

_MOST_CHASSIS = 8  # of a stack; the first one that tells serial or model is taken
_MOST_PARTS = 128  # power supplies, fans and boards; a big chassis has some dozens
_NOT_ASKED = "设备已不再应答，没有再读"
_AT_ONCE = 20  # instances in one request: what fits into one packet on the way back


class Answers(msgspec.Struct, kw_only=True):
    """What a device answered. ``objects``: single instances outside the system group. ``chassis``,
    ``parts``: instances by entPhysicalIndex, of entPhysicalTable and of the vendor's own tables.
    ``walks``: by name of the table; every table of ``tables`` is there, and those of the vendor.
    ``unread`` (中文): why objects or parts could not be read to the end, "" where they were.
    ``by_column``: what ``columns`` has answered, once the walk is over."""

    scalars: dict[Oid, Value]
    walks: dict[str, Walk]
    objects: dict[Oid, Value] = msgspec.field(default_factory=dict)
    chassis: dict[Oid, Value] = msgspec.field(default_factory=dict)
    parts: dict[Oid, Value] = msgspec.field(default_factory=dict)
    unread: str = ""
    by_column: dict[str, dict[int, dict[Oid, Value]]] = msgspec.field(default_factory=dict)

    @property
    def silent(self) -> bool:
        """Whether the device stopped answering."""
        return any(walk.silent for walk in self.walks.values())

    @property
    def vendor(self) -> str | None:
        """The vendor that the system group names."""
        return _vendor(self.scalars.get(SYS_OBJECT_ID), self.scalars.get(SYS_DESCR))

    @property
    def asked(self) -> Vendor:
        """What is asked of this vendor's devices."""
        return VENDORS.get(self.vendor or "", NO_VENDOR)

    def rows(self, table: Table) -> dict[Oid, Value]:
        """The rows of a table, as far as they were read."""
        walk = self.walks.get(table.name)
        return walk.rows if walk else {}

    def columns(self, table: Table) -> dict[int, dict[Oid, Value]]:
        """Column → index → value. Columns without a row are absent."""
        if table.name in self.by_column:
            return self.by_column[table.name]
        at = len(table.entry)
        found: dict[int, dict[Oid, Value]] = {}
        last, column = -1, {}  # the rows of a column come one after the other
        for oid, value in self.rows(table).items():
            if oid[at] != last:
                last = oid[at]
                column = found.setdefault(last, {})
            column[oid[at + 1 :]] = value
        if found:
            self.by_column[table.name] = found
        return found

    def column(self, table: Table, column: int) -> dict[Oid, Value]:
        """Index → value of one column."""
        return self.columns(table).get(column, {})

    def whole(self, *tables: Table) -> bool:
        """Whether all of these tables were read to their end."""
        walks = [self.walks.get(table.name) for table in tables]
        return all(walk is not None and walk.status is Status.COMPLETE for walk in walks)


@functools.lru_cache(maxsize=256)
def _vendor(object_id: Value, description: Value) -> str | None:
    return vendor_of(object_id if isinstance(object_id, str) else "", text_of(description) or "")[0]


async def read(walker: Walker, scalars: dict[Oid, Value] | None = None) -> Answers:
    """Read system group (unless it is given), then what the device's tables hold. Raises what
    ``Walker.get`` raises where the device does not answer at all; later trouble is in the walks."""
    answers = Answers(scalars=await walker.get(SCALARS) if scalars is None else scalars, walks={})
    await _walk(walker, answers, (*INTERFACE_TABLES, *DEVICE_TABLES, *answers.asked.tables))
    if answers.silent:
        answers.unread = _NOT_ASKED
    else:
        await _read_objects(walker, answers)
    await _walk(walker, answers, COUNTED_TABLES)
    return answers


async def _walk(walker: Walker, answers: Answers, tables: Sequence[Table]) -> None:
    silent = answers.silent
    for table in tables:
        if silent:
            answers.walks[table.name] = Walk(status=Status.FAILED, reason=_NOT_ASKED, silent=True)
            continue
        walk = await walker.walk(table)
        answers.walks[table.name] = walk
        silent = walk.silent


async def _read_objects(walker: Walker, answers: Answers) -> None:
    try:
        answers.objects = await _get(walker, answers, (*OBJECTS, *answers.asked.asked))
        answers.chassis = await _get(walker, answers, _wanted_of_chassis(answers))
        answers.parts = await _get(walker, answers, _wanted_of_parts(answers))
    except (NoAnswerError, AgentError, AuthenticationError, DeadlineError) as error:
        answers.unread = error.reason if isinstance(error, DeadlineError) else str(error)


async def _get(walker: Walker, answers: Answers, wanted: Sequence[Oid]) -> dict[Oid, Value]:
    """Instances, as many at once as fit. Each request also asks for one that is known to be there: an
    answer without it would be an error that the library hides."""
    found: dict[Oid, Value] = {}
    there = tuple(answers.scalars)[:1]
    for at in range(0, len(wanted), _AT_ONCE):
        chunk = wanted[at : at + _AT_ONCE]
        values = await walker.get((*there, *chunk))
        found |= {oid: values[oid] for oid in chunk if oid in values}
    return found


def _indexes(answers: Answers, *classes: int) -> list[Oid]:
    rows = answers.column(ENTITY_CLASS, ENTITY_CLASS.columns[0][0])
    return [index for index, kind in rows.items() if kind in classes]


def _wanted_of_chassis(answers: Answers) -> list[Oid]:
    indexes = _indexes(answers, ENTITY_CHASSIS)[:_MOST_CHASSIS]
    return [(*ENTITY_CLASS.entry, column, *index) for index in indexes for column in ENTITY_TEXTS]


def _wanted_of_parts(answers: Answers) -> list[Oid]:
    """Names of power supplies and fans, and what the vendor's tables tell of them and of boards."""
    entities = answers.asked.entities
    classes = {ENTITY_POWER, ENTITY_FAN}
    if any(entity.cpu for entity in entities):
        classes |= {ENTITY_CHASSIS, ENTITY_MODULE}
    wanted: list[Oid] = []
    for index in _indexes(answers, *classes)[:_MOST_PARTS]:
        wanted.append((*ENTITY_CLASS.entry, ENTITY_NAME, *index))
        for entity in entities:
            columns = (entity.state, entity.cpu, entity.memory, entity.temperature)
            wanted += [(*entity.entry, column, *index) for column in columns if column]
    return wanted
