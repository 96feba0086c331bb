"""Three-valued evaluation of an expression on one resource: the slow path, and the meaning of a rule.

Where a value was not seen, ``and``, ``or``, ``not``, ``any`` and ``all`` follow Kleene's strong logic: the
answer is definite when no value of what is missing could change it. The generated loops of
``policies.loops`` stop at the first unseen value; this evaluator then decides, and names what was missing.
On a resource that was seen in full, both give the same.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from functools import lru_cache
from typing import Any

import msgspec

from inventory.unknown import UNKNOWN, Unknown
from policies.expression import QUANTIFIERS, Expression
from policies.functions import CONSTANTS, FUNCTIONS

_COMPARISONS: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.In: lambda item, whole: item in whole,
    ast.NotIn: lambda item, whole: item not in whole,
}


class Answer(msgspec.Struct, frozen=True):
    """``truth`` None = cannot be told; then ``missing`` are the unseen fields that were asked for and
    ``errors`` what else stood in the way (a hostile value)."""

    truth: bool | None
    missing: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()


class _State:
    """One evaluation: the variables in scope, and what was found missing on the way."""

    __slots__ = ("errors", "missing", "now", "scope")

    def __init__(self, resource: msgspec.Struct, now: datetime) -> None:
        self.scope: dict[str, Any] = {"it": resource, "now": now}
        self.now = now
        self.missing: list[str] = []
        self.errors: list[str] = []


_Step = Callable[[_State], Any]
"""A node of the expression, ready to run: gives its value, or UNKNOWN."""

_Origins = dict[str, str]
"""Loop variable → where its rows come from ("rules[]")."""


def told(error: Exception) -> str:
    """An error of evaluation as a reason for the reader."""
    return f"取值异常：{type(error).__name__}: {error}"


def answer(expression: Expression, resource: msgspec.Struct, now: datetime) -> Answer:
    """Evaluate on one resource. Never raises for what the resource holds."""
    state = _State(resource, now)
    value = _compiled(expression.body)(state)
    if isinstance(value, Unknown):
        return Answer(None, tuple(dict.fromkeys(state.missing)), tuple(dict.fromkeys(state.errors)))
    return Answer(value)


def row_answer(generator: ast.GeneratorExp, row: Any, resource: msgspec.Struct, now: datetime) -> bool:
    """Whether the condition of ``any(condition for row in …)`` is definitely true of one row."""
    state = _State(resource, now)
    state.scope[_identifier(generator.generators[0].target)] = row
    return _compiled(generator.elt)(state) is True


@lru_cache(maxsize=4096)
def _compiled(body: ast.expr) -> _Step:
    return _condition(body, {"it": ""})


def _condition(node: ast.expr, origins: _Origins) -> _Step:
    """A truth value; what cannot be evaluated on this resource is unknown, with the error kept."""
    step = _step(node, origins)

    def run(state: _State) -> bool | Unknown:
        try:
            value = step(state)
            return value if isinstance(value, Unknown) else bool(value)
        except Exception as error:  # noqa: BLE001 - hostile data must become unknown, whatever it breaks
            state.errors.append(told(error))
            return UNKNOWN

    return run


def _step(node: ast.expr, origins: _Origins) -> _Step:
    match node:
        case ast.Constant(value=value):
            return lambda _: value
        case ast.Name(id=name):
            constant = CONSTANTS.get(name)
            return (lambda state: state.scope[name]) if constant is None else lambda _: constant
        case ast.Attribute():
            return _attribute(node, origins)
        case ast.BoolOp():
            operands = [_condition(operand, origins) for operand in node.values]
            decisive = isinstance(node.op, ast.Or)
            return lambda state: _combine((operand(state) for operand in operands), decisive)
        case ast.UnaryOp():
            return _unary(node, origins)
        case ast.BinOp():
            sign = operator.add if isinstance(node.op, ast.Add) else operator.sub
            return _applied(sign, [_step(node.left, origins), _step(node.right, origins)])
        case ast.Compare():
            return _compare(node, origins)
        case ast.Tuple() | ast.List() | ast.Set():
            items = [_step(item, origins) for item in node.elts]
            return lambda state: [item(state) for item in items]
        case ast.Call():
            return _call(node, origins)
    raise AssertionError(f"not in the whitelist: {type(node).__name__}")


def _attribute(node: ast.Attribute, origins: _Origins) -> _Step:
    base, name, path = _step(node.value, origins), node.attr, _path(node, origins)

    def run(state: _State) -> Any:
        holder = base(state)
        if isinstance(holder, Unknown):
            return holder
        value = getattr(holder, name)
        if isinstance(value, Unknown):
            state.missing.append(path)
        return value

    return run


def _path(node: ast.expr, origins: _Origins) -> str:
    if isinstance(node, ast.Attribute):
        left = _path(node.value, origins)
        return f"{left}.{node.attr}" if left else node.attr
    return origins.get(node.id, "") if isinstance(node, ast.Name) else ""


def _unary(node: ast.UnaryOp, origins: _Origins) -> _Step:
    if isinstance(node.op, ast.Not):
        return _applied(operator.not_, [_condition(node.operand, origins)])
    return _applied(operator.neg, [_step(node.operand, origins)])


def _applied(call: Callable[..., Any], arguments: list[_Step], *, clock: bool = False) -> _Step:
    """A call that is unknown where one of its arguments is."""

    def run(state: _State) -> Any:
        values = [argument(state) for argument in arguments]
        if any(isinstance(value, Unknown) for value in values):
            return UNKNOWN
        return call(*values, state.now) if clock else call(*values)

    return run


def _compare(node: ast.Compare, origins: _Origins) -> _Step:
    sides = [_step(side, origins) for side in (node.left, *node.comparators)]
    pairs = [
        _applied(_COMPARISONS[type(comparison)], [left, right])
        for comparison, left, right in zip(node.ops, sides, sides[1:], strict=False)
    ]
    if len(pairs) == 1:
        return pairs[0]
    return lambda state: _combine((pair(state) for pair in pairs), decisive=False)


def _call(node: ast.Call, origins: _Origins) -> _Step:
    name = _identifier(node.func)
    first = node.args[0]
    if name in QUANTIFIERS and isinstance(first, ast.GeneratorExp):
        return _quantifier(name, first, origins)
    function = FUNCTIONS[name]
    arguments = [_step(argument, origins) for argument in node.args]
    return _applied(function.call, arguments, clock=function.clock)


def _quantifier(name: str, generator: ast.GeneratorExp, origins: _Origins) -> _Step:
    loop = generator.generators[0]
    variable = _identifier(loop.target)
    rows_of = _step(loop.iter, origins)
    condition = _condition(generator.elt, {**origins, variable: f"{_path(loop.iter, origins)}[]"})

    def each(state: _State, rows: Iterable[Any]) -> Iterator[bool | Unknown]:
        for row in rows:
            state.scope[variable] = row
            yield condition(state)

    def run(state: _State) -> Any:
        rows = rows_of(state)
        if isinstance(rows, Unknown):
            return rows
        if name != "count":
            return _combine(each(state, rows), decisive=name == "any")
        counted = list(each(state, rows))
        unknown = any(isinstance(verdict, Unknown) for verdict in counted)
        return UNKNOWN if unknown else sum(map(bool, counted))

    return run


def _identifier(node: ast.expr) -> str:
    assert isinstance(node, ast.Name)  # the checker lets nothing else stand there
    return node.id


def _combine(verdicts: Iterable[bool | Unknown], decisive: bool) -> bool | Unknown:
    """Kleene's or (``decisive`` True) and and: one decisive part settles it, else an unknown part leaves
    it open."""
    result: bool | Unknown = not decisive
    for verdict in verdicts:
        if isinstance(verdict, Unknown):
            result = verdict
        elif verdict is decisive:
            return decisive
    return result
