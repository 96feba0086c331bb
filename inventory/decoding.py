"""JSON and plain values into types, safe in threads. The one door to msgspec's decoders.

msgspec keeps what it knows of a type on the type, and shows it to other threads before it is whole: two
threads that decode into a nested struct for the first time crash the interpreter (msgspec 0.22, GIL or not).
Here types are made known under a lock, once; what comes after takes none.
"""

from __future__ import annotations

import threading
from typing import Any, TypeVar, overload

import msgspec
from msgspec.json import Decoder

__all__ = ["Decoder", "convert", "decoder", "from_json"]

T = TypeVar("T")
_MAKING = threading.Lock()
_KNOWN: dict[Any, Decoder[Any]] = {}


@overload
def from_json(data: bytes | str | msgspec.Raw) -> Any: ...
@overload
def from_json(data: bytes | str | msgspec.Raw, type_: type[T]) -> T: ...
def from_json(data: bytes | str | msgspec.Raw, type_: Any = Any) -> Any:
    """JSON as ``type_``; without one as what JSON says. msgspec.DecodeError, msgspec.ValidationError."""
    return decoder(type_).decode(data)


def convert(value: Any, type_: type[T]) -> T:
    """A value of dicts, lists and scalars as ``type_``. msgspec.ValidationError names the place."""
    decoder(type_)
    return msgspec.convert(value, type_)


def decoder(type_: type[T]) -> Decoder[T]:
    """The JSON decoder of a type, made at the first call. TypeError where msgspec cannot decode the type."""
    known = _KNOWN.get(type_)
    if known is None:
        with _MAKING:
            known = _KNOWN[type_] = Decoder(type_)
    return known
