"""The value of a field that was not seen.

``None`` and ``[]`` mean "seen, and empty". ``UNKNOWN`` means "not seen", and nothing may be concluded
from it: comparing it, testing its truth, iterating, hashing or calculating with it raises
``UnknownValueError``. Only ``isinstance(value, Unknown)`` (or ``known``) asks whether it is there.

In JSON an unknown field is an absent key, so a resource survives the store and the wire unchanged.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NoReturn, TypeAlias, TypeGuard, TypeVar

T = TypeVar("T")


class UnknownValueError(Exception):
    """A conclusion was asked of a value that nobody saw."""


def _refuse(*_: object, **__: object) -> NoReturn:
    raise UnknownValueError("the value was not seen")


class Unknown:
    """The type of ``UNKNOWN``, its only instance."""

    __slots__ = ()
    _instance: Unknown | None = None

    def __new__(cls) -> Unknown:
        if cls._instance is None:
            cls._instance = super().__new__(cls)
        return cls._instance

    def __repr__(self) -> str:
        return "UNKNOWN"

    def __str__(self) -> str:
        return "未知"

    def __reduce__(self) -> str:
        return "UNKNOWN"

    def __getattr__(self, name: str) -> NoReturn:
        if name.startswith("__"):
            raise AttributeError(name)
        _refuse()


REFUSED: Final = (
    "eq ne lt le gt ge bool hash contains iter len getitem setitem delitem reversed call "
    "add sub mul matmul truediv "
    "floordiv mod divmod pow lshift rshift and or xor radd rsub rmul rmatmul rtruediv rfloordiv rmod "
    "rdivmod rpow rlshift rrshift rand ror rxor neg pos abs invert int float complex index round "
    "trunc floor ceil"
).split()
for _name in REFUSED:
    setattr(Unknown, f"__{_name}__", _refuse)

UNKNOWN: Final = Unknown()

if TYPE_CHECKING:
    Maybe: TypeAlias = T | Unknown
else:

    class Maybe:
        """``Maybe[T]``: a T, or UNKNOWN. To msgspec it is plain T, because unknown is an absent key."""

        def __class_getitem__(cls, item: Any) -> Any:
            return item


def known(value: T | Unknown) -> TypeGuard[T]:
    """Whether the value was seen."""
    return value is not UNKNOWN


def or_none(value: T | Unknown) -> T | None:
    """The value, or None where it was not seen: for display and for sort keys, never for a verdict."""
    return None if isinstance(value, Unknown) else value
