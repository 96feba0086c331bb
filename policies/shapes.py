"""Shapes: what a rule's expression may expect of a field, read from the kind's annotations.

A shape is a set of plain kinds ("str", "int", "none" …). ``Maybe`` leaves no trace here: that a value was
not seen is the evaluation's business, not the checker's.
"""

from __future__ import annotations

import types
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec

_PLAIN: dict[type, str] = {
    str: "str", bool: "bool", int: "int", float: "float", Decimal: "float", type(None): "none",
    datetime: "datetime", date: "date",
}  # fmt: skip

WORDS: dict[str, str] = {
    "str": "文字", "bool": "是否", "int": "整数", "float": "小数", "none": "空值", "datetime": "时间",
    "date": "日期", "list": "列表", "dict": "字典", "struct": "结构",
}  # fmt: skip


class Shape(msgspec.Struct, frozen=True, kw_only=True):
    """``words`` are the only strings a Literal field can hold; ``item`` is the element of a list or the
    value of a dict; ``struct`` the type of a nested row."""

    kinds: frozenset[str]
    words: frozenset[str] | None = None
    item: Shape | None = None
    struct: type[msgspec.Struct] | None = None

    def only(self, *kinds: str) -> bool:
        """Whether nothing but these kinds can occur."""
        return self.kinds <= frozenset(kinds)

    def without_none(self) -> Shape:
        return msgspec.structs.replace(self, kinds=self.kinds - {"none"})

    def __str__(self) -> str:
        return "或".join(WORDS[kind] for kind in sorted(self.kinds))


def plain(*kinds: str) -> Shape:
    """The shape of a value that is one of these plain kinds."""
    return Shape(kinds=frozenset(kinds))


BOOL = plain("bool")
INT = plain("int")
STR = plain("str")
NONE = plain("none")
DATETIME = plain("datetime")


@cache
def fields_of(struct: type[msgspec.Struct]) -> dict[str, Shape]:
    """Field name → shape, in declaration order; ``uid`` of a resource counts as a field."""
    hints = get_type_hints(struct)
    shapes = {name: _shape(hints[name]) for name in struct.__struct_fields__}
    if hasattr(struct, "uid"):
        shapes["uid"] = STR
    return shapes


def of_struct(struct: type[msgspec.Struct]) -> Shape:
    """The shape of a value of this type."""
    return Shape(kinds=frozenset({"struct"}), struct=struct)


def _shape(hint: Any) -> Shape:
    origin = get_origin(hint)
    if origin is Literal:
        return Shape(kinds=frozenset({"str"}), words=frozenset(get_args(hint)))
    if origin in (Union, types.UnionType):
        return _union([_shape(part) for part in get_args(hint)])
    if origin is list:
        return Shape(kinds=frozenset({"list"}), item=_shape(get_args(hint)[0]))
    if origin is dict:
        return Shape(kinds=frozenset({"dict"}), item=_shape(get_args(hint)[1]))
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        return of_struct(hint)
    return plain(_PLAIN[hint])


def _union(parts: list[Shape]) -> Shape:
    strings = [p for p in parts if "str" in p.kinds]
    words = strings[0].words if len(strings) == 1 else None
    return Shape(
        kinds=frozenset().union(*(p.kinds for p in parts)),
        words=words,
        item=next((p.item for p in parts if p.item), None),
        struct=next((p.struct for p in parts if p.struct), None),
    )
