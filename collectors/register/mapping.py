"""Pages of texts → resources, with what is wrong by cell. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import Any, Final

import msgspec

from collectors.register.cells import read_cell, text
from collectors.register.layout import KEY, Sheet
from collectors.register.workbook import Page, sheet_of
from collectors.things import Thing
from inventory.kinds import KINDS
from inventory.kinds.register import Activity, Leaver, Work
from inventory.resource import Resource
from inventory.unknown import UNKNOWN, Maybe, Unknown
from inventory.workbooks import CellError

LONGEST_KEY: Final = 60
_PAST: Final = frozenset({"done_on", "closed_on", "restored_on", "disabled_on", "lag_checked_on"})
"""Days that tell what has happened, and so do not lie ahead."""
_ORDER: Final = (("开始日期", "截止日期"), ("开始日期", "关闭日期"))
_SAYS_NOTHING: Final = frozenset({"yes_no", "number"})
"""Types of which an empty cell leaves the value unknown."""


def resources_of(page: Page, source: str, today: date) -> tuple[list[Resource], list[CellError]]:
    """The rows of a page that can be read, and what is wrong in the others."""
    sheet = sheet_of(page)
    made: list[Resource] = []
    errors: list[CellError] = []
    met: dict[str, int] = {}
    for number, cells in page.rows:
        row = dict(zip(page.headings, cells, strict=True))
        wrong = [CellError(page.cell(number, heading), why) for heading, why in _key_wrong(row, met)]
        met.setdefault(row[KEY], number)
        values, bad = _values(sheet, row, today)
        wrong += [CellError(page.cell(number, heading), why) for heading, why in bad]
        errors += wrong
        if not wrong:
            made.append(_resource(sheet, row, values, source))
    return made, errors


def _key_wrong(row: Mapping[str, str], met: Mapping[str, int]) -> list[tuple[str, str]]:
    key = row[KEY]
    if not key:
        return [(KEY, "没有编号：每行写一个不重复的编号，例如 2026-001")]
    if len(key) > LONGEST_KEY or not key.isprintable():
        return [(KEY, f"编号最长 {LONGEST_KEY} 字，不能换行")]
    return [(KEY, f"编号和第 {met[key]} 行重复")] if key in met else []


def _values(
    sheet: Sheet, row: Mapping[str, str], today: date
) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """Field → value of the columns that are there, and what is wrong by heading."""
    values: dict[str, Any] = {}
    wrong: list[tuple[str, str]] = []
    days: dict[str, date] = {}
    for column in sheet.columns:
        if column.heading not in row:
            continue
        try:
            value = read_cell(column, row[column.heading])
        except ValueError as error:
            wrong.append((column.heading, str(error)))
            continue
        if value is None and column.required:
            wrong.append((column.heading, f"没有写：{column.why}"))
        elif column.field in _PAST and isinstance(value, date) and value > today:
            wrong.append((column.heading, f"{value} 还没有到：已经做完的才写，没有的留空"))
        if isinstance(value, date):
            days[column.heading] = value
        if value is not None or column.type not in _SAYS_NOTHING:
            values[column.field] = value
    wrong += [
        (last, f"早于{first}")
        for first, last in _ORDER
        if first in days and last in days and days[last] < days[first]
    ]
    return values, wrong


def _resource(sheet: Sheet, row: Mapping[str, str], values: dict[str, Any], source: str) -> Resource:
    if "system" in values:
        values["system"] = values["system"] or ""
    values.setdefault("name", "，".join(filter(None, (text(row.get(h, "")) for h in sheet.name_of))))
    if sheet.kind == Activity.KIND:
        interval = values.pop("interval", None)
        if interval and values.get("done_on") and not values.get("due_on"):
            values["due_on"] = values["done_on"] + timedelta(days=interval)
    if sheet.kind == Leaver.KIND:
        values["external"] = values["external"] == "外部"
    return KINDS[sheet.kind](source=source, native_id=text(row[KEY]), **values)


def works_of(activities: Iterable[Resource]) -> list[Work]:
    """The latest of each type that was done for each system; what was done for the whole office was done for
    every one of them."""
    latest: dict[tuple[str, str], Activity] = {}
    for one in activities:
        if not isinstance(one, Activity) or isinstance(one.type, Unknown) or not _day(one.done_on):
            continue
        key = (one.type, "" if isinstance(one.system, Unknown) else one.system)
        if key not in latest or _last(one) > _last(latest[key]):
            latest[key] = one
    for (type_, system), one in list(latest.items()):
        whole = latest.get((type_, ""))
        if whole is not None and system and _last(whole) > _last(one):
            del latest[type_, system]
    return [
        Work(
            type=one.type,
            system=system,
            done_on=_last(one),
            due_on=None if isinstance(one.due_on, Unknown) else one.due_on,
        )
        for (_, system), one in sorted(latest.items(), key=lambda item: item[0])
    ]


def _day(value: Maybe[date | None]) -> date | None:
    return None if isinstance(value, Unknown) else value


def _last(one: Activity) -> date:
    return _day(one.done_on) or date.min


def with_active(leavers: Iterable[Resource], things: Iterable[Thing], today: date) -> None:
    """Set at each leaver what other sources showed of its accounts; unknown where nobody showed any account,
    or one of such a name without showing whether it works."""
    active: dict[str, set[str]] = {}
    unsure: set[str] = set()
    seen = False
    for thing in things:
        for login in thing.logins:
            seen = True
            if login.expires is not None and login.expires < today:
                continue
            if login.active is None:
                unsure.add(login.name)
            elif login.active:
                active.setdefault(login.name, set()).add(thing.uid)
    for one in leavers:
        if isinstance(one, Leaver) and not isinstance(one.accounts, Unknown):
            found = set().union(*(active.get(name, ()) for name in one.accounts))
            told = found or not one.accounts or (seen and unsure.isdisjoint(one.accounts))
            one.seen_active = sorted(found) if told else UNKNOWN


def cleaned(resource: Resource) -> dict[str, Any]:
    """What is kept of a resource as evidence."""
    plain: dict[str, Any] = msgspec.to_builtins(resource)
    return {"kind": resource.KIND, **plain}
