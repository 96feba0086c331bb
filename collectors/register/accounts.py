"""Accounts that other sources showed, held against the sheet 账户 and those who left. Pure, linear.

What a machine says of itself is no proof: an account is registered where the register names its machine by
the id that the configuration gave it, or by a name that no other machine with accounts bears. ``*`` means
every machine where the register says it, whatever a machine calls itself.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Final, Literal, NamedTuple, cast

from collectors.things import Login, Thing
from inventory.kinds.cloud import Cloud
from inventory.kinds.device_config import DeviceConfig
from inventory.kinds.identity import User
from inventory.kinds.register import AccountRecord, Leaver
from inventory.kinds.review import AccountReview
from inventory.resource import Relation, Resource, uid_of
from inventory.unknown import UNKNOWN, Maybe, or_none

EVERYWHERE: Final = frozenset({"*", "＊", "全部"})
_LONGEST: Final = 200  # characters of a name that a machine gave
_SERVICE: Final = "服务"
_ALL: Final = ("*", "")  # no machine has such an id


class Held(NamedTuple):
    """Rows of a sheet, and whether they are all that there are."""

    rows: Sequence[Resource]
    whole: bool


class _Machine(NamedTuple):
    """``id``: what the configuration calls it, ``names``: what it calls itself; lower case."""

    uid: str
    kind: str
    title: str
    id: str
    names: frozenset[str]


def reviews(
    source: str, things: Iterable[Thing], records: Held, leavers: Held, today: date
) -> list[AccountReview]:
    """A review of each account that can log in, or that may be able to."""
    seen = list(things)
    machines = _Machines(seen)
    holding = [(thing, machine) for thing in seen if (machine := machines.of(thing)) is not None]
    alike = Counter(
        (machine.uid, name) for thing, machine in holding for name in {one.name for one in thing.logins}
    )
    book = _Book(records, {machine.uid: machine for _, machine in holding}.values())
    gone = _Gone(leavers, today)
    found: dict[str, AccountReview] = {}
    for thing, machine in holding:
        for login in thing.logins:
            ended = login.expires is not None and login.expires < today
            if not login.name or login.active is False or ended:
                continue
            one = _review(source, thing, login, machine)
            _told(one, book.find(machine, login, alike[machine.uid, login.name] < 2), records.whole)
            one.left = gone.told(login, book.holders(machine, login))
            if one.native_id not in found or one.can_log_in is True:  # a device may list a name twice
                found[one.native_id] = one
    return list(found.values())


class _Machines:
    """What may have accounts. Of a cloud there is one a source, and it is called as that."""

    def __init__(self, things: Iterable[Thing]) -> None:
        self._by_uid: dict[str, Thing] = {}
        self._clouds: dict[str, str] = {}
        self._made: dict[str, _Machine] = {}
        for thing in things:
            if not thing.logins:
                self._by_uid[thing.uid] = thing
            if thing.kind == Cloud.KIND:
                self._clouds[thing.source] = thing.uid

    def of(self, thing: Thing) -> _Machine | None:
        """The machine that the accounts of a thing belong to; None for a thing without any."""
        if not thing.logins:
            return None
        uid = thing.owner
        if thing.kind == User.KIND:
            uid = self._clouds.get(thing.source) or uid_of(thing.source, Cloud.KIND, thing.source)
        if not uid:
            return None
        if uid not in self._made:
            self._made[uid] = self._machine(uid)
        return self._made[uid]

    def _machine(self, uid: str) -> _Machine:
        source, kind, native = uid.split("/", 2)
        thing = self._by_uid.get(uid)
        id_ = source if kind == Cloud.KIND else native
        names = thing.names if thing else ()
        lower = frozenset(name.strip().lower() for name in names) - {id_.lower()}
        return _Machine(uid, kind, next(iter(names), id_), id_.lower(), lower)


class _Found(NamedTuple):
    """Rows of the register that surely mean an account, and whether others may."""

    rows: list[AccountRecord]
    unsure: bool


class _Book:
    """The sheet by machine and account."""

    def __init__(self, records: Held, machines: Iterable[_Machine]) -> None:
        self._rows: dict[tuple[tuple[str, str], str], list[AccountRecord]] = defaultdict(list)
        for row in records.rows:
            if isinstance(row, AccountRecord) and isinstance(row.account, str):
                for asset in or_none(row.assets) or []:
                    word = _ALL if asset in EVERYWHERE else ("", asset.lower())
                    self._rows[word, row.account].append(row)
        self._ids: Counter[str] = Counter()
        self._names: Counter[str] = Counter()
        for machine in machines:
            self._ids[machine.id] += 1
            self._names.update(machine.names)

    def find(self, machine: _Machine, login: Login, alone: bool) -> _Found:
        """What the register says of an account; ``alone``: no other one of its machine has its name."""
        sure: dict[str, AccountRecord] = {}
        unsure = False
        for word, known in self._words(machine):
            for name, certain in _called(login, alone):
                rows = self._rows.get((word, name), ())
                if known and certain:
                    sure |= {row.native_id: row for row in rows}
                elif rows:
                    unsure = True
        return _Found(list(sure.values()), unsure)

    def holders(self, machine: _Machine, login: Login) -> set[str]:
        """Everybody that an account may be registered for."""
        return {
            holder
            for word, _ in self._words(machine)
            for name, _ in _called(login, alone=True)
            for row in self._rows.get((word, name), ())
            for holder in or_none(row.holders) or []
        }

    def _words(self, machine: _Machine) -> list[tuple[tuple[str, str], bool]]:
        """What the register may call a machine, and whether that can mean no other one."""
        words = [(_ALL, True), (("", machine.id), self._ids[machine.id] < 2)]
        for name in machine.names:
            words.append((("", name), self._names[name] < 2 and not self._ids[name]))
        return words


def _called(login: Login, alone: bool) -> list[tuple[str, bool]]:
    """What the register may call an account, and whether that can mean no other one of its machine."""
    return [(login.name, alone), *([(f"{login.realm}/{login.name}", True)] if login.realm else [])]


class _Gone:
    """Names of accounts, and numbers of staff, of those who have left."""

    def __init__(self, leavers: Held, today: date) -> None:
        self._whole = leavers.whole
        self._names: set[str] = set()
        for row in leavers.rows:
            if isinstance(row, Leaver) and (day := or_none(row.left_on)) is not None and day < today:
                self._names.update(or_none(row.accounts) or [])

    def told(self, login: Login, holders: set[str]) -> Maybe[bool]:
        """Whether somebody of an account has left; unknown where that was not read whole."""
        if login.name in self._names or not self._names.isdisjoint(holders):
            return True
        return False if self._whole else UNKNOWN


def _review(source: str, thing: Thing, login: Login, machine: _Machine) -> AccountReview:
    name = login.name[:_LONGEST]
    id_ = thing.uid
    if thing.kind == DeviceConfig.KIND:
        id_ += "/" + login.name.replace("%", "%25").replace("/", "%2F")
    return AccountReview(
        source=source,
        native_id=id_,
        name=name,
        relations=[Relation("part_of", machine.uid), Relation("reviews", thing.uid)],
        account=name,
        machine=machine.title[:_LONGEST],
        machine_kind=cast("Literal['host', 'device', 'cloud']", machine.kind),
        can_log_in=UNKNOWN if login.active is None else True,
    )


def _told(one: AccountReview, found: _Found, whole: bool) -> None:
    """Set what the register says of an account."""
    rows = found.rows
    if not rows:
        if whole and not found.unsure:
            one.registered, one.type, one.holders, one.ends_on = False, None, None, None
        return
    one.registered = True
    types = [row.type for row in rows]
    persons = {h for row in rows if row.type != _SERVICE for h in or_none(row.holders) or []}
    ends = [or_none(row.expires_on) for row in rows]
    one.type = types[0]
    if len(persons) > 1 or (whole and not found.unsure):  # another row may add holders, or days
        one.holders = None if set(types) == {_SERVICE} else len(persons)
    if whole and not found.unsure and not any(row.expires_on is UNKNOWN for row in rows):
        one.ends_on = None if None in ends else max(day for day in ends if day is not None)
