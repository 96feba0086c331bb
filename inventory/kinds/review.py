"""Kinds of what comes of holding an office's records against what other sources have seen.

A review is part of the machine that it tells of, and belongs to a system where what it reviews does.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import ClassVar, Literal

from inventory.kinds.register import AccountType
from inventory.resource import Nested, Resource
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


class ReviewedChange(Nested):
    """Something that changed of a machine after ``since`` and until ``until``: the looks before and after it,
    or both the moment where that is known. ``names``: what an order may call the machine by, as it was
    before. ``order`` None = none that was approved names the machine in that time; UNKNOWN where the sheet
    was not read whole, or an order may mean another machine."""

    what: Maybe[list[str]] = UNKNOWN  # fields of the kind
    names: Maybe[list[str]] = UNKNOWN
    since: Maybe[datetime] = UNKNOWN
    until: Maybe[datetime] = UNKNOWN
    order: Maybe[str | None] = UNKNOWN  # number in the register
    matched: Maybe[bool] = UNKNOWN


class ChangeReview(Resource):
    """What changed of the configuration of a machine in the last 90 days, held against the change orders;
    native id = uid of the machine. ``changes``: those that were seen, [] = none; whole where
    ``observed_since`` is known, and that is UNKNOWN at the first look, where too little of the configuration
    is seen, and where the machine was not read for 35 days. So is ``changed`` then, where none was seen."""

    KIND: ClassVar[str] = "change_review"
    TITLE: ClassVar[str] = "变更核对"

    changes: Maybe[list[ReviewedChange]] = UNKNOWN
    changed: Maybe[bool] = UNKNOWN
    observed_since: Maybe[datetime] = UNKNOWN


class ActionReview(Resource):
    """A server that was created, rebuilt or started again, held against the change orders; native id = uid of
    the action. ``order`` and ``matched`` as of a change."""

    KIND: ClassVar[str] = "action_review"
    TITLE: ClassVar[str] = "云主机操作核对"

    server: Maybe[str] = UNKNOWN  # native id
    server_name: Maybe[str] = UNKNOWN
    action: Maybe[str] = UNKNOWN  # the cloud's word
    started_at: Maybe[datetime | None] = UNKNOWN
    user_name: Maybe[str | None] = UNKNOWN
    order: Maybe[str | None] = UNKNOWN  # number in the register
    matched: Maybe[bool] = UNKNOWN


FAMILY: tuple[type[Resource], ...] = (AccountReview, ChangeReview, ActionReview)
