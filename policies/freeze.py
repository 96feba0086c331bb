"""What a finding keeps: its message, and the field values it rests on, as they were.

Values come from devices and clouds and are hostile: a message is one line of printable text of bounded
length, and a template can name fields and nothing else.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime
from functools import lru_cache
from operator import attrgetter
from typing import Any

import msgspec

from inventory.unknown import UNKNOWN, Unknown, UnknownValueError
from policies.expression import MAX_NAMED, ExpressionError
from policies.kleene import row_answer
from policies.loops import Check, RowFilter, row_filter
from policies.shapes import Shape, fields_of
from policies.spelling import suggestion

MAX_VALUE = 160  # characters of one value in a message
MAX_TEXT = 2000  # characters of one text in evidence
MAX_ROWS = 50  # rows of one list in evidence

_FIELD = re.compile(r"\{it\.([a-z0-9_.]+)\}")
_PLAIN = frozenset((bool, int, float, type(None)))

Getter = Callable[[msgspec.Struct], Any]


def path_shape(struct: type[msgspec.Struct], path: str) -> Shape:
    """The shape at the end of a dotted path ("ssh.ciphers"). Raises ExpressionError for a wrong one."""
    shape: Shape | None = None
    here: type[msgspec.Struct] | None = struct
    for name in path.split("."):
        fields = fields_of(here) if here else {}
        if name not in fields:
            raise ExpressionError(f"没有字段 {path}", hint=suggestion(name, fields, most=MAX_NAMED))
        shape = fields[name]
        here = shape.struct
    assert shape is not None
    return shape


def _getter(path: str) -> Getter:
    get: Getter = attrgetter(path)
    if "." not in path:
        return get

    def read(resource: msgspec.Struct) -> Any:
        try:
            return get(resource)
        except (UnknownValueError, AttributeError):
            return UNKNOWN  # a structure on the way was not seen, or is not there

    return read


class Template(msgspec.Struct, frozen=True):
    """A message: literal pieces and, between them, fields."""

    start: str
    rest: tuple[tuple[Getter, str], ...]  # a field, and what stands behind it

    def render(self, resource: msgspec.Struct) -> str:
        """The message for one resource; what was not seen is printed as 未知."""
        text = self.start
        for getter, piece in self.rest:
            text += printable(getter(resource)) + piece
        return text


@lru_cache(maxsize=4096)
def template(text: str, struct: type[msgspec.Struct]) -> Template:
    """Parse a message. ``{it.field}`` is all it may hold. Raises ExpressionError."""
    parts = _FIELD.split(text)
    for literal in parts[::2]:
        if "{" in literal or "}" in literal:
            raise ExpressionError("message 里只能写 {it.字段}", text.find("{"), "不支持格式说明、下标和函数")
    for path in parts[1::2]:
        path_shape(struct, path)
    getters = [_getter(path) for path in parts[1::2]]
    return Template(parts[0], tuple(zip(getters, parts[2::2], strict=True)))


def printable(value: Any) -> str:
    """A value for a line of text."""
    if isinstance(value, str):
        if len(value) <= MAX_VALUE and value.isprintable():
            return value
        text = value
    elif isinstance(value, Unknown):
        return "未知"
    elif value is None:
        return "空"
    elif isinstance(value, bool):
        return "是" if value else "否"
    elif isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M")
    elif isinstance(value, list):
        text = "、".join(printable(item) for item in value[:10]) + (" 等" if len(value) > 10 else "")
    else:
        text = str(value)
    if not text.isprintable():
        text = "".join(c if c.isprintable() else " " for c in text[: MAX_VALUE * 2])
    return text if len(text) <= MAX_VALUE else text[:MAX_VALUE] + "…"


class Freezer(msgspec.Struct, frozen=True):
    """What a rule freezes of a resource: (path, getter, conditions of ``any`` over the rows there)."""

    fields: tuple[tuple[str, Getter, tuple[tuple[ast.GeneratorExp, RowFilter], ...]], ...]

    def freeze(self, resource: msgspec.Struct, now: datetime) -> dict[str, Any]:
        """The named fields as JSON-able values; one that was not seen is absent. Of a list that the rule
        goes over with ``any``, the rows that made it fail."""
        frozen: dict[str, Any] = {}
        for path, getter, conditions in self.fields:
            value = getter(resource)
            type_ = type(value)
            if type_ in _PLAIN or (type_ is str and len(value) <= MAX_TEXT):
                frozen[path] = value
            elif type_ is list:
                frozen[path] = _rows(_culprits(conditions, value, resource, now) if conditions else value)
            elif type_ is not Unknown:
                frozen[path] = _plain(value)
        return frozen


def freezer(paths: Sequence[str], check: Check) -> Freezer:
    """Prepare the evidence of one rule; paths are checked ones."""
    return Freezer(tuple((path, _getter(path), _conditions(check, path)) for path in paths))


def _conditions(check: Check, path: str) -> tuple[tuple[ast.GeneratorExp, RowFilter], ...]:
    """The conditions of ``any`` over this list, where they stand for the violation and not against it."""
    if check.violates is None:
        return ()
    return tuple((generator, row_filter(generator)) for generator in _over(check.violates.body, f"it.{path}"))


def _culprits(
    conditions: tuple[tuple[ast.GeneratorExp, RowFilter], ...],
    rows: list[Any],
    resource: msgspec.Struct,
    now: datetime,
) -> list[Any]:
    picked: dict[int, Any] = {}
    for generator, fast in conditions:
        try:
            some = fast(rows, resource, now)
        except Exception:  # noqa: BLE001 - the slow way decides what an unseen or hostile value leaves open
            some = [row for row in rows if row_answer(generator, row, resource, now)]
        if len(conditions) == 1:
            return some
        picked |= {id(row): row for row in some}
    return [row for row in rows if id(row) in picked]


def _over(node: ast.expr, rows: str) -> Iterator[ast.GeneratorExp]:
    match node:
        case ast.BoolOp():
            for operand in node.values:
                yield from _over(operand, rows)
        case ast.Call(func=ast.Name(id="any"), args=[ast.GeneratorExp() as generator]):
            if ast.unparse(generator.generators[0].iter) == rows:
                yield generator


def _plain(value: Any) -> Any:
    if type(value) in _PLAIN:
        return value
    if isinstance(value, str):
        return value if len(value) <= MAX_TEXT else value[:MAX_TEXT] + "…"
    if isinstance(value, list):
        return _rows(value)
    if isinstance(value, date):
        return value.isoformat()
    return msgspec.to_builtins(value)


def _rows(rows: list[Any]) -> list[Any]:
    more = len(rows) - MAX_ROWS
    if more > 0:
        return [*_rows(rows[:MAX_ROWS]), f"（另有 {more} 项）"]
    if rows and isinstance(rows[0], msgspec.Struct):
        plain: list[Any] = msgspec.to_builtins(rows)
        return plain
    return [_plain(item) for item in rows]
