"""Changes that were seen, held against the orders of the register (变更单). Pure, linear in both.

An order is for a change when it names the machine, was approved and not cancelled, and its days meet the time
in which the change was made. A name counts whole: ``web-1`` is not in ``web-10``. What the machine called
itself before the change counts, so that none renames itself into an order; a name of several counts for none.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from ipaddress import ip_address
from typing import Final, NamedTuple

from collectors.changes import Change, Past
from collectors.register.accounts import Held
from inventory.kinds.compute import InstanceAction
from inventory.kinds.register import ChangeOrder
from inventory.kinds.review import ActionReview, ChangeReview, ReviewedChange
from inventory.resource import Relation
from inventory.unknown import UNKNOWN, Maybe, Unknown, or_none

KEPT_DAYS: Final = 90
"""For how long a change stays to be answered for."""
_UNSEEN_DAYS: Final = 35
"""A machine that was not read for so long may have changed unseen."""
_MOST: Final = 50  # changes of one machine
_SHORTEST, _LONGEST = 3, 60  # characters of a name that a machine gave itself
_WORD: Final = re.compile(r"[a-z0-9_.:\-]+")
_NUMERIC: Final = re.compile(r"[0-9a-f]*[.:][0-9a-f.:]*")
_CANCELLED: Final = "取消"


def reviews(source: str, past: Past, orders: Held, now: datetime) -> list[ChangeReview]:
    """A review of each machine whose configuration is read."""
    fresh: dict[str, list[Change]] = defaultdict(list)
    for change in past.changes:
        fresh[change.uid].append(change)
    index = Orders(orders, [*((one.uid, one.names) for one in past.watched), *_kept_names(past)])
    made = []
    for machine in past.watched:
        before = past.told.get(machine.uid)
        kept = or_none(before.changes) or [] if before else []
        known = [
            one for one in kept if (day := or_none(one.until)) and now - day <= timedelta(days=KEPT_DAYS)
        ]
        known += [
            ReviewedChange(what=list(one.what), names=list(one.names), since=one.since, until=one.until)
            for one in fresh[machine.uid]
        ]
        told = [index.judged(one) for one in known]
        if len(told) > _MOST:  # those without an order first
            told = sorted(told, key=lambda one: one.matched is True)[:_MOST]
        since = or_none(before.observed_since) if before else None
        since = since or machine.since
        lost = not machine.whole or now - machine.seen_at > timedelta(days=_UNSEEN_DAYS)
        made.append(
            ChangeReview(
                source=source,
                native_id=machine.uid,
                name=machine.names[-1][:_LONGEST],
                relations=[Relation("part_of", machine.uid), Relation("reviews", machine.uid)],
                changes=told,
                changed=True if told else (UNKNOWN if lost or since is None else False),
                observed_since=UNKNOWN if lost or since is None else since,
            )
        )
    return made


def action_reviews(source: str, past: Past, orders: Held) -> list[ActionReview]:
    """A review of each time that a server was created or put to work again. The name of a server is its
    owner's to choose: one that several bear counts for none."""
    named = {one.server: (one.server, _shown(one)) for one, _ in past.started if isinstance(one.server, str)}
    index = Orders(orders, named.items())
    made = []
    for one, cloud in past.started:
        at = or_none(one.started_at)
        names = named.get(one.server, ()) if isinstance(one.server, str) else ()
        order, matched = index.told(names, at, at)
        made.append(
            ActionReview(
                source=source,
                native_id=one.uid,
                name=one.name,
                relations=[Relation("part_of", cloud), Relation("reviews", one.uid)],
                server=one.server,
                server_name=one.server_name,
                action=one.action,
                started_at=one.started_at,
                user_name=one.user_name,
                order=order,
                matched=matched,
            )
        )
    return made


def _shown(action: InstanceAction) -> str:
    """The server's name as an order may write it; its id where it has none."""
    return str(or_none(action.server_name) or action.server)[:_LONGEST]


def _kept_names(past: Past) -> Iterable[tuple[str, Sequence[str]]]:
    for change in past.changes:
        yield change.uid, change.names
    for uid, one in past.told.items():
        for kept in or_none(one.changes) or []:
            yield uid, or_none(kept.names) or []


class _Order(NamedTuple):
    id: str
    first: date | None
    last: date | None  # None = not ended
    sure: bool  # it was approved, and its days are known


class Orders:
    """Orders by what they name. ``named``: (uid, names) of all that may be looked for."""

    def __init__(self, orders: Held, named: Iterable[tuple[str, Sequence[str]]]) -> None:
        self._whole = orders.whole
        self._ids: dict[str, set[str]] = defaultdict(set)  # what the configuration calls → uids
        self._bearers: dict[str, set[str]] = defaultdict(set)  # what anything is called → uids
        for uid, names in named:
            for place, name in enumerate(map(_plain, names)):
                self._bearers[name].add(uid)
                if not place:
                    self._ids[name].add(uid)
        phrases = {n for n in self._bearers if not _WORD.fullmatch(n) and _SHORTEST <= len(n) <= _LONGEST}
        lengths = sorted({len(phrase) for phrase in phrases})
        self._by_name: dict[str, dict[str, _Order]] = defaultdict(dict)
        for row in orders.rows:
            if (
                isinstance(row, ChangeOrder)
                and isinstance(row.objects, str)
                and or_none(row.result) != _CANCELLED
            ):
                if (order := _order(row)) is None:
                    continue
                text = row.objects.lower()
                words = {_plain(word.strip(".:-_")) for word in _WORD.findall(text)} | set(
                    _WORD.findall(text)
                )
                words |= {text[i : i + n] for n in lengths for i in range(len(text) - n + 1)} & phrases
                for word in words:
                    self._by_name[word][order.id] = order

    def judged(self, change: ReviewedChange) -> ReviewedChange:
        """The change with the order that it was made by."""
        order, matched = self.told(or_none(change.names) or [], or_none(change.since), or_none(change.until))
        return ReviewedChange(
            what=change.what,
            names=change.names,
            since=change.since,
            until=change.until,
            order=order,
            matched=matched,
        )

    def told(
        self, names: Sequence[str], since: datetime | None, until: datetime | None
    ) -> tuple[Maybe[str | None], Maybe[bool]]:
        """The order for what was done to a machine of these names in that time, and whether there is one;
        unknown where the sheet was not read whole, an order says too little, or means one of several."""
        from inventory.daily import day_of  # pulls in the store's library

        if since is None or until is None:
            return UNKNOWN, UNKNOWN
        first, last = day_of(since), day_of(until)
        doubt = not self._whole
        for place, name in enumerate(dict.fromkeys(map(_plain, names))):
            if place and len(name) < _SHORTEST:
                continue
            for order in self._by_name.get(name, {}).values():
                if (order.first and order.first > last) or (order.last and order.last < first):
                    continue
                bearers = self._bearers[name] if place else self._ids[name]
                if order.sure and len(bearers) < 2:
                    return order.id, True
                doubt = True
        return (UNKNOWN, UNKNOWN) if doubt else (None, False)


def _order(row: ChangeOrder) -> _Order | None:
    """An order with its days; None for one that was surely not approved."""
    if row.approved_by is None:
        return None
    ends = [day for day in (row.closed_on, row.ends_on) if day is not None and not isinstance(day, Unknown)]
    told = not isinstance(row.closed_on, Unknown) or bool(ends)
    sure = told and not isinstance(row.approved_by, Unknown) and not isinstance(row.starts_on, Unknown)
    return _Order(row.native_id, or_none(row.starts_on), ends[0] if ends else None, sure)


def _plain(name: str) -> str:
    """A name as it is compared: lower case, an address in its one form."""
    text = name.strip().lower()
    if not _NUMERIC.fullmatch(text):
        return text
    try:
        return str(ip_address(text))
    except ValueError:
        return text
