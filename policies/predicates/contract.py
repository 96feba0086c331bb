"""What a predicate is."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar

import msgspec

from inventory.resource import Resource
from inventory.unknown import Unknown, UnknownValueError

T = TypeVar("T")


class UndecidedError(Exception):
    """A predicate has seen what it reads and still cannot tell; the text says why (中文)."""


class Predicate(msgspec.Struct, frozen=True, kw_only=True):
    """``kinds`` it may judge; ``reads`` the fields it looks at, to name them where they were not seen."""

    name: str
    kinds: tuple[type[Resource], ...]
    reads: tuple[str, ...]
    call: Callable[[Any, datetime], bool]
    purpose: str


def seen(value: T | Unknown) -> T:
    """The value; raises UnknownValueError where it was not seen."""
    if isinstance(value, Unknown):
        raise UnknownValueError("the value was not seen")
    return value
