"""How far a device was read, told as collections, with the rows it answered as evidence."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator, Sequence
from datetime import datetime

from collectors.contract import Run
from collectors.redact import MASK, Redactor
from collectors.snmp import tables as t
from collectors.snmp.engines import Oid, Value, dotted_of
from collectors.snmp.reading import Answers
from collectors.snmp.tables import Table
from inventory.coverage import Batch, Collection, Status
from inventory.evidence import Evidence
from inventory.kinds.network import Device, Interface
from inventory.resource import Resource

_USUAL_OCTETS = 64
_as_json = json.JSONEncoder(ensure_ascii=False).encode

VIEW_REMEDY = "在设备的 SNMP 只读视图里放开 1.3.6.1.2.1（mib-2）"
_ISO = (1,)
_ALWAYS = (t.IF_TABLE, *t.ADDRESS_TABLES)  # that these are empty is worth a page
_PARTIAL_REMEDY = "稍后重试；多次如此则调大 timeout_seconds、retries、device_seconds，或升级设备软件"


def batch(
    run: Run,
    target: str,
    started: datetime,
    *,
    answers: Answers,
    device: Device,
    interfaces: list[Interface],
) -> Batch:
    """All of a device that answered."""
    short = [w for w in t.COUNTED_TABLES if answers.walks[w.name].status is not Status.COMPLETE]
    notes = [f"# {w.name}: {answers.walks[w.name].status.value}, not counted" for w in short]
    of_device = [_evidence(run, target, "system", t.SYSTEM, answers.scalars, *notes)]
    of_device += _table_evidence(run, target, answers, (*t.DEVICE_TABLES, *answers.asked.tables))
    volatile = {*t.VOLATILE_OBJECTS, *answers.asked.volatile}
    objects = {oid: value for oid, value in answers.objects.items() if oid not in volatile}
    if objects:
        of_device.append(_evidence(run, target, "objects", _ISO, objects))
    states = {(*entity.entry, entity.state) for entity in answers.asked.entities}
    parts = {
        oid: value
        for oid, value in answers.parts.items()
        if oid[: len(t.ENTITY_CLASS.entry)] == t.ENTITY_CLASS.entry or _column_of(oid, states)
    }
    if answers.chassis or parts:
        entry = t.ENTITY_CLASS.entry
        of_device.append(_evidence(run, target, "entPhysicalTable", entry, answers.chassis | parts))
    of_interfaces = _table_evidence(run, target, answers, t.INTERFACE_TABLES)
    resources: list[Resource] = [device, *interfaces]
    return Batch(
        resources=resources,
        collections=[
            _device_collection(run, target, started, answers, evidence=of_device),
            _interface_collection(
                run, target, started, answers, count=len(interfaces), evidence=of_interfaces
            ),
        ],
        evidence=[*of_device, *of_interfaces],
    )


def _column_of(oid: Oid, columns: set[Oid]) -> bool:
    return any(oid[: len(column)] == column for column in columns)


def _device_collection(
    run: Run, target: str, started: datetime, answers: Answers, *, evidence: list[Evidence]
) -> Collection:
    status, remedy = Status.COMPLETE, ""
    reasons = _reasons(answers, (*t.DEVICE_TABLES, *answers.asked.tables))
    reason = "；".join(filter(None, (reasons, answers.unread and f"单个对象：{answers.unread}")))
    if t.SYS_DESCR not in answers.scalars and t.SYS_OBJECT_ID not in answers.scalars:
        status, reason, remedy = Status.PARTIAL, "系统组（1.3.6.1.2.1.1）看不到", VIEW_REMEDY
    elif reason:
        status, remedy = Status.PARTIAL, _PARTIAL_REMEDY
    return run.collection(
        Device.KIND,
        status,
        started,
        scope=target,
        count=1,
        reason=reason,
        remedy=remedy,
        evidence=[e.id for e in evidence],
    )


def _interface_collection(
    run: Run, target: str, started: datetime, answers: Answers, *, count: int, evidence: list[Evidence]
) -> Collection:
    reason, remedy = _reasons(answers, t.INTERFACE_TABLES), _PARTIAL_REMEDY
    denied = any(answers.walks[table.name].status is Status.DENIED for table in t.INTERFACE_TABLES)
    if reason:
        status = Status.PARTIAL if count else Status.DENIED if denied else Status.FAILED
        remedy = VIEW_REMEDY if denied else remedy
    elif not answers.rows(t.IF_TABLE):
        status, remedy = Status.UNSUPPORTED, VIEW_REMEDY
        reason = "设备没有给出 ifTable：没有实现，或 SNMP 视图没有放开"
    else:
        status, remedy = Status.COMPLETE, ""
    return run.collection(
        Interface.KIND,
        status,
        started,
        scope=target,
        count=count,
        reason=reason,
        remedy=remedy,
        evidence=[e.id for e in evidence],
    )


def _reasons(answers: Answers, wanted: Sequence[Table]) -> str:
    """Why tables are not complete: each reason once, with the tables it holds for."""
    by_reason: dict[str, list[str]] = {}
    for table in wanted:
        walk = answers.walks[table.name]
        if walk.status is not Status.COMPLETE:
            by_reason.setdefault(walk.reason, []).append(table.name)
    return "；".join(f"{'、'.join(names)}：{reason}" for reason, names in by_reason.items())


def _table_evidence(run: Run, target: str, answers: Answers, wanted: Sequence[Table]) -> list[Evidence]:
    found = []
    for table in wanted:
        walk = answers.walks[table.name]
        if not table.evidence or (not walk.rows and walk.status is Status.COMPLETE and table not in _ALWAYS):
            continue
        note = f"# {walk.status.value} {walk.reason}".rstrip()
        lines = [note, *_table_lines(table, answers, run.redactor)]
        found.append(_kept(run, target, table.name, dotted_of(table.entry), lines))
    return found


def _table_lines(table: Table, answers: Answers, redactor: Redactor) -> Iterator[str]:
    """The rows of a table in the order they came. An index stands in every column, and is spelt once."""
    prefix = dotted_of(table.entry)
    spelt: dict[Oid, str] = {}
    for column, by_index in answers.columns(table).items():
        if column in table.volatile:
            continue
        head = f"{prefix}.{column}"
        for index, value in by_index.items():
            at = spelt.get(index)
            if at is None:
                at = spelt[index] = f".{dotted_of(index)}" if index else ""
            yield f"{head}{at} = {value if type(value) is int else _shown(value, redactor)}"


def _evidence(run: Run, target: str, name: str, entry: Oid, rows: dict[Oid, Value], *notes: str) -> Evidence:
    """Rows as text, one a line. The time of day is not in it, nor sysUpTime and counters, so unchanged
    answers are the same evidence; the text of sysContact is personal and not kept."""
    prefix, size = dotted_of(entry), len(entry)
    lines = [*notes]
    for oid, value in rows.items():
        if oid == t.SYS_UPTIME:
            continue
        shown = "(not kept)" if oid == t.SYS_CONTACT and value else _shown(value, run.redactor)
        within = oid[:size] == entry  # most are; then only the rest has to be spelt
        lines.append(
            f"{prefix}.{dotted_of(oid[size:])} = {shown}" if within else f"{dotted_of(oid)} = {shown}"
        )
    return _kept(run, target, name, prefix, lines)


def _kept(run: Run, target: str, name: str, prefix: str, lines: Sequence[str]) -> Evidence:
    title = f"{target} {name} {prefix}"
    return run.evidence("\n".join((f"# {title}", *lines)).encode(), origin=title, media_type="text/plain")


def _shown(value: Value, redactor: Redactor) -> str:
    """Printable UTF-8 as a JSON string, other octets in hexadecimal, other values as they are."""
    if not isinstance(value, bytes):
        return "NULL" if value is None else str(value)
    text = _usual_text(value) if len(value) <= _USUAL_OCTETS and value.isascii() else _text(value)
    if text is not None:
        return text
    octets = value.decode("latin1")  # in hexadecimal the redactor would not know a secret again
    return value.hex(" ") if redactor.text(octets) == octets else MASK


def _text(value: bytes) -> str | None:
    """Printable UTF-8 as a JSON string; None where it is not."""
    try:
        text = value.rstrip(b"\x00").decode()
    except UnicodeDecodeError:
        return None
    return _as_json(text) if text.isprintable() or "".join(text.split()).isprintable() else None


_usual_text = functools.lru_cache(maxsize=1 << 12)(_text)  # devices of one model name their ports alike
