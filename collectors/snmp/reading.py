"""Reading one device with the walker: what is asked, in which order, and when to stop asking."""

from __future__ import annotations

import msgspec

from collectors.contract import DeadlineError
from collectors.snmp.engines import AgentError, AuthenticationError, NoAnswerError, Oid, Value
from collectors.snmp.tables import (
    DEVICE_TABLES,
    ENTITY_CHASSIS,
    ENTITY_CLASS,
    ENTITY_TEXTS,
    INTERFACE_TABLES,
    SCALARS,
    Table,
)
from collectors.snmp.walker import Walk, Walker
from inventory.coverage import Status

_MOST_CHASSIS = 8  # of a stack; the first one that tells serial or model is taken


class Answers(msgspec.Struct, kw_only=True):
    """What a device answered. ``chassis``: instances of entPhysicalTable of its chassis entries.
    ``walks``: by name of the table; every table of ``tables`` is there."""

    scalars: dict[Oid, Value]
    walks: dict[str, Walk]
    chassis: dict[Oid, Value] = msgspec.field(default_factory=dict)

    def rows(self, table: Table) -> dict[Oid, Value]:
        """The rows of a table, as far as they were read."""
        return self.walks[table.name].rows

    def columns(self, table: Table) -> dict[int, dict[Oid, Value]]:
        """Column → index → value. Columns without a row are absent."""
        at = len(table.entry)
        found: dict[int, dict[Oid, Value]] = {}
        for oid, value in self.rows(table).items():
            found.setdefault(oid[at], {})[oid[at + 1 :]] = value
        return found

    def column(self, table: Table, column: int) -> dict[Oid, Value]:
        """Index → value of one column."""
        return self.columns(table).get(column, {})

    def whole(self, *tables: Table) -> bool:
        """Whether all of these tables were read to their end."""
        return all(self.walks[table.name].status is Status.COMPLETE for table in tables)


def read(walker: Walker, scalars: dict[Oid, Value] | None = None) -> Answers:
    """Read system group (unless it is given), interfaces, addresses, chassis, listeners. Raises what
    ``Walker.get`` raises where the device does not answer at all; later trouble is in the walks."""
    answers = Answers(scalars=walker.get(SCALARS) if scalars is None else scalars, walks={})
    silent = False
    for table in (*INTERFACE_TABLES, *DEVICE_TABLES):
        if silent:
            answers.walks[table.name] = Walk(
                status=Status.FAILED, reason="设备已不再应答，没有再读", silent=True
            )
            continue
        walk = walker.walk(table)
        answers.walks[table.name] = walk
        silent = walk.silent
    if not silent:
        _read_chassis(walker, answers)
    return answers


def _read_chassis(walker: Walker, answers: Answers) -> None:
    indexes = [
        index
        for index, kind in answers.column(ENTITY_CLASS, ENTITY_CLASS.columns[0][0]).items()
        if kind == ENTITY_CHASSIS
    ]
    wanted = [
        (*ENTITY_CLASS.entry, column, *index) for index in indexes[:_MOST_CHASSIS] for column in ENTITY_TEXTS
    ]
    if not wanted:
        return
    try:
        answers.chassis = walker.get(wanted)
    except (NoAnswerError, AgentError, AuthenticationError, DeadlineError) as error:
        walk = answers.walks[ENTITY_CLASS.name]
        walk.status, walk.reason = Status.PARTIAL, str(error)
