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


def answer(expression: Expression, resource: msgspec.Struct, now: datetime) -> Answer:
    """Evaluate on one resource. Never raises for what the resource holds."""
    walk = _Walk(resource, now)
    value = walk.condition(expression.body)
    if isinstance(value, Unknown):
        return Answer(None, tuple(dict.fromkeys(walk.missing)), tuple(dict.fromkeys(walk.errors)))
    return Answer(value)


def row_answer(generator: ast.GeneratorExp, row: Any, resource: msgspec.Struct, now: datetime) -> bool:
    """Whether the condition of ``any(condition for row in …)`` is definitely true of one row."""
    walk = _Walk(resource, now)
    walk.scope[ast.unparse(generator.generators[0].target)] = row
    return walk.condition(generator.elt) is True


class _Walk:
    """One evaluation: the variables in scope, and what was found missing on the way."""

    def __init__(self, resource: msgspec.Struct, now: datetime) -> None:
        self.scope: dict[str, Any] = {"it": resource, "now": now, **CONSTANTS}
        self.origin: dict[str, str] = {"it": ""}
        self.now = now
        self.missing: list[str] = []
        self.errors: list[str] = []

    def condition(self, node: ast.expr) -> bool | Unknown:
        """A truth value; what cannot be evaluated on this resource is unknown, with the error kept."""
        try:
            value = self.value(node)
            return value if isinstance(value, Unknown) else bool(value)
        except Exception as error:  # noqa: BLE001 - hostile data must become unknown, whatever it breaks
            self.errors.append(f"{type(error).__name__}: {error}")
            return UNKNOWN

    def value(self, node: ast.expr) -> Any:
        match node:
            case ast.Constant():
                return node.value
            case ast.Name():
                return self.scope[node.id]
            case ast.Attribute():
                return self._attribute(node)
            case ast.BoolOp():
                decisive = isinstance(node.op, ast.Or)
                return _combine((self.condition(operand) for operand in node.values), decisive)
            case ast.UnaryOp(op=ast.Not()):
                inner = self.condition(node.operand)
                return inner if isinstance(inner, Unknown) else not inner
            case ast.UnaryOp():
                inner = self.value(node.operand)
                return inner if isinstance(inner, Unknown) else -inner
            case ast.BinOp():
                return self._sum(node)
            case ast.Compare():
                return _combine(self._pairs(node), decisive=False)
            case ast.Tuple() | ast.List() | ast.Set():
                return [self.value(item) for item in node.elts]
            case ast.Call():
                return self._call(node)
        raise AssertionError(f"not in the whitelist: {type(node).__name__}")

    def _attribute(self, node: ast.Attribute) -> Any:
        base = self.value(node.value)
        if isinstance(base, Unknown):
            return base
        value = getattr(base, node.attr)
        if isinstance(value, Unknown):
            self.missing.append(self._path(node))
        return value

    def _path(self, node: ast.expr) -> str:
        if isinstance(node, ast.Attribute):
            left = self._path(node.value)
            return f"{left}.{node.attr}" if left else node.attr
        return self.origin.get(node.id, "") if isinstance(node, ast.Name) else ""

    def _sum(self, node: ast.BinOp) -> Any:
        left, right = self.value(node.left), self.value(node.right)
        if isinstance(left, Unknown) or isinstance(right, Unknown):
            return UNKNOWN
        return left + right if isinstance(node.op, ast.Add) else left - right

    def _pairs(self, node: ast.Compare) -> Iterator[bool | Unknown]:
        left = self.value(node.left)
        for comparison, right_node in zip(node.ops, node.comparators, strict=True):
            right = self.value(right_node)
            if isinstance(left, Unknown) or isinstance(right, Unknown):
                yield UNKNOWN
            else:
                yield _COMPARISONS[type(comparison)](left, right)
            left = right

    def _call(self, node: ast.Call) -> Any:
        name = ast.unparse(node.func)
        first = node.args[0]
        if name in QUANTIFIERS and isinstance(first, ast.GeneratorExp):
            return self._quantifier(name, first)
        function = FUNCTIONS[name]
        arguments = [self.value(argument) for argument in node.args]
        if any(isinstance(argument, Unknown) for argument in arguments):
            return UNKNOWN
        return function.call(*arguments, self.now) if function.clock else function.call(*arguments)

    def _quantifier(self, name: str, generator: ast.GeneratorExp) -> Any:
        loop = generator.generators[0]
        rows = self.value(loop.iter)
        if isinstance(rows, Unknown):
            return rows
        variable = ast.unparse(loop.target)
        self.origin[variable] = f"{self._path(loop.iter)}[]"
        verdicts = (self._row(variable, row, generator.elt) for row in rows)
        if name == "count":
            counted = list(verdicts)
            unknown = any(isinstance(verdict, Unknown) for verdict in counted)
            return UNKNOWN if unknown else sum(1 for verdict in counted if verdict)
        return _combine(verdicts, decisive=name == "any")

    def _row(self, variable: str, row: Any, condition: ast.expr) -> bool | Unknown:
        self.scope[variable] = row
        return self.condition(condition)


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
