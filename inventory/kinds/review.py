"""Kinds of what comes of holding an office's records against what other sources have seen.

A review is part of the machine that it tells of, and belongs to a system where what it reviews does.
"""

from __future__ import annotations

from datetime import date
from typing import ClassVar, Literal

from inventory.kinds.register import AccountType
from inventory.resource import Resource
from inventory.unknown import UNKNOWN, Maybe


class AccountReview(Resource):
    """An account that another source showed to be able to log in, or that may be, held against the register;
    native id = uid of the account, or of what lists it with the account's name.

    What the register says of it is UNKNOWN where that was not read whole, or where it cannot be told which of
    two machines or accounts of one name is meant."""

    KIND: ClassVar[str] = "account_review"
    TITLE: ClassVar[str] = "账户核对"

    account: Maybe[str] = UNKNOWN
    machine: Maybe[str] = UNKNOWN  # as it is called
    machine_kind: Maybe[Literal["host", "device", "cloud"]] = UNKNOWN
    can_log_in: Maybe[bool] = UNKNOWN
    registered: Maybe[bool] = UNKNOWN
    type: Maybe[AccountType | None] = UNKNOWN  # None = not registered, as of the next two
    holders: Maybe[int | None] = UNKNOWN  # persons or posts it is registered for; None too of a service
    ends_on: Maybe[date | None] = UNKNOWN  # None too = no end was set
    left: Maybe[bool] = UNKNOWN  # somebody who held it, or is registered for it, has left


FAMILY: tuple[type[Resource], ...] = (AccountReview,)
