"""One row of the table: a list of the cloud, how it is asked for, and what becomes of its answers.

A further kind is a row in a mapping module's ``ROWS`` and a pure function from the bytes of one answer to
resources. ``collectors.openstack.table`` puts the modules' rows together, ``reading`` reads them and
``survey`` tells how complete each kind is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

import msgspec

from collectors.openstack.client import Facts, ServiceError
from collectors.openstack.known import Known
from collectors.openstack.listing import Ask, Mapped, Place
from collectors.openstack.sight import Proof


class View(msgspec.Struct, kw_only=True):
    """What mapping may look at besides the bytes of the answer."""

    place: Place
    facts: Facts
    admin_roles: list[str]
    hardened_marks: tuple[str, ...] = ()  # properties and tags that say an image is hardened
    since: datetime | None = None  # from when on servers' actions are asked for
    known: Known = msgspec.field(default_factory=Known)
    proofs: dict[str, Proof] = msgspec.field(default_factory=dict)  # by the name of the sight
    ended: dict[str, ServiceError | None] = msgspec.field(default_factory=dict)  # rows read, by name
    odd: dict[str, int] = msgspec.field(default_factory=dict)  # rows of a kind that could not be taken

    def came(self, *names: str) -> bool:
        """Whether these rows of the table have been read to their end."""
        return all(name in self.ended and self.ended[name] is None for name in names)

    def whole(self, row: str, kind: str, sight: str) -> bool:
        """Whether everything of a kind was seen, as far as its own list tells."""
        proof = self.proofs.get(sight)
        return proof is not None and proof.everything and self.came(row) and not self.odd.get(kind)


def users_first(view: View) -> list[str]:
    """Ids of all users, those that hold a role first: what is asked user by user may have to stop."""
    holders = view.known.roles.names
    return sorted(view.known.ids.get("user", ()), key=lambda user: (user not in holders, user))


Mapper = Callable[[bytes, str, View], Mapped]
Learner = Callable[[bytes, str, View], None]


class Row(msgspec.Struct, kw_only=True, frozen=True):
    """One list. ``map`` gets the bytes of one answer and the item it was asked for ("" where there is no
    ``each``); ``learn`` gets the same first and keeps in ``View.known`` what other rows need.

    ``each`` asks once for every item it gives: "{}" in the path and in values of the parameters stands for
    the item, and a parameter that is empty then is left out. An item that is gone by then (404) is left
    out; where all are, the list is not supported.
    """

    name: str  # unique in the table
    ask: Ask
    kind: str = ""  # the kind it feeds; several rows may feed one
    sight: str = ""  # the proof (sight.SIGHTS) without which the kind counts as denied; "" = needs none
    map: Mapper | None = None
    learn: Learner | None = None
    each: Callable[[View], Sequence[str]] | None = None
    along: str = ""  # kind whose rows ``each`` follows: what is missing there is missing here
    after: tuple[str, ...] = ()  # rows of other services to wait for, for a third of the time left at most
    instead: Ask | None = None  # where denied, the narrower list to keep the rows of; it stays denied
    most: int = 2000  # items of ``each`` asked for; where there are more, the kind is partial
    beyond: str = "把这样的规模告诉开发者"  # the remedy then (中文)
    remedy: str = ""  # where denied, if it takes something else than an administrator (中文)
    helps: dict[str, str] = {}  # kind → what it lacks (中文) where this row was not read: it is partial then
    adds: dict[str, str] = {}  # the same for fields only: the kind is complete, and says what it lacks
