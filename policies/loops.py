"""Generated loops: all rules of one kind in one pass over its resources.

Each rule becomes plain Python source inside one ``for``: nested rows are gone over by inner loops, a value
that was not seen raises and is caught for that rule alone. The source is written from checked expressions
only, so nothing of a rule's text reaches it that is not in the whitelist.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import lru_cache
from types import CodeType
from typing import Any

import msgspec

from policies.expression import QUANTIFIERS, Expression, parse
from policies.functions import CONSTANTS, FUNCTIONS, is_wide
from policies.predicates import PREDICATES
from policies.predicates.contract import Predicate

_SHARED_FROM = 3  # a field read at this many places of a loop is loaded once per resource
_SYMBOLS: dict[type[ast.AST], str] = {
    ast.Eq: "==", ast.NotEq: "!=", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.In: "in",
    ast.NotIn: "not in", ast.Add: "+", ast.Sub: "-", ast.And: " and ", ast.Or: " or ",
}  # fmt: skip


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """What a rule runs: ``applies`` (None = always), and either ``violates`` or ``predicate``."""

    applies: Expression | None
    violates: Expression | None
    predicate: Predicate | None

    @property
    def reads(self) -> tuple[str, ...]:
        """The fields the check looks at."""
        applies = self.applies.reads if self.applies else ()
        return applies + (self.violates.reads if self.violates else self.predicate_reads)

    @property
    def predicate_reads(self) -> tuple[str, ...]:
        return self.predicate.reads if self.predicate else ()


Code = tuple[CodeType, tuple[Check, ...]]


@lru_cache(maxsize=4096)
def check_of(struct: type[msgspec.Struct], applies: str, violates: str, predicate: str) -> Check:
    """Parse and check a rule's expressions, once. Raises ExpressionError; KeyError for no such predicate."""
    condition = None if applies.strip() == "True" else parse(applies, struct)
    facts = condition.facts if condition else frozenset[str]()
    if predicate:
        return Check(applies=condition, violates=None, predicate=PREDICATES[predicate])
    return Check(applies=condition, violates=parse(violates, struct, facts), predicate=None)


class Hits(msgspec.Struct):
    """Indexes of the resources that one rule caught: ``undecided`` raised and go the slow way."""

    failed: list[int]
    undecided: list[int]
    excluded: list[int]


@lru_cache(maxsize=256)
def fuse(keys: tuple[tuple[type[msgspec.Struct], str, str, str], ...]) -> Code:
    """The code of one loop over all these checks of one kind; keys are the arguments of ``check_of``."""
    checks = tuple(check_of(*key) for key in keys)
    writer = _Writer(_shared(checks))
    writer.line("def loop(rows, now):")
    writer.indent += 1
    writer.line("for i, it in enumerate(rows):")
    writer.indent += 1
    for name in sorted(writer.shared):
        writer.line(f"s_{name} = it.{name}")
    for number, check in enumerate(checks):
        writer.rule(number, check)
    if not checks:
        writer.line("pass")
    return compile(writer.source(), "<rules>", "exec"), checks


def run(code: Code, rows: Sequence[msgspec.Struct], now: datetime) -> list[Hits]:
    """Run a fused loop. Returns what each check caught, in the order of the checks."""
    compiled, checks = code
    hits = [Hits([], [], []) for _ in checks]
    namespace = _namespace()
    for number, (check, hit) in enumerate(zip(checks, hits, strict=True)):
        namespace[f"failed{number}"] = hit.failed.append
        namespace[f"undecided{number}"] = hit.undecided.append
        namespace[f"excluded{number}"] = hit.excluded.append
        if check.predicate:
            namespace[f"predicate{number}"] = check.predicate.call
    exec(compiled, namespace)  # noqa: S102 - source written by this module from whitelisted trees
    loop: Callable[[Sequence[msgspec.Struct], datetime], None] = namespace["loop"]
    loop(rows, now)
    return hits


RowFilter = Callable[[Sequence[Any], msgspec.Struct, datetime], list[Any]]


def row_filter(generator: ast.GeneratorExp) -> RowFilter:
    """A function (rows, it, now) that gives the rows for which the condition of
    ``any(condition for row in …)`` holds. Raises as the loop would."""
    writer = _Writer(frozenset())
    row = f"v_{ast.unparse(generator.generators[0].target)}"
    writer.line("def pick(rows, it, now):")
    writer.indent += 1
    writer.line("picked = []")
    writer.line(f"for {row} in rows:")
    writer.indent += 1
    writer.line(f"if {writer.value(generator.elt)}: picked.append({row})")
    writer.indent -= 1
    writer.line("return picked")
    namespace = _namespace()
    exec(compile(writer.source(), "<rows>", "exec"), namespace)  # noqa: S102 - as in ``run``
    pick: RowFilter = namespace["pick"]
    return pick


def _namespace() -> dict[str, Any]:
    functions = {name: function.call for name, function in FUNCTIONS.items()}
    return functions | CONSTANTS | {"is_wide": is_wide}


def _shared(checks: Sequence[Check]) -> frozenset[str]:
    places = Counter(
        node.attr
        for check in checks
        for expression in (check.applies, check.violates)
        if expression
        for node in ast.walk(expression.body)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "it"
    )
    return frozenset(name for name, count in places.items() if count >= _SHARED_FROM)


class _Writer:
    """Python source under construction. ``value`` writes the statements an expression needs and returns
    the source of its value."""

    def __init__(self, shared: frozenset[str]) -> None:
        self.lines: list[str] = []
        self.indent = 0
        self.shared = shared
        self.temporaries = 0

    def line(self, text: str) -> None:
        self.lines.append("    " * self.indent + text)

    def source(self) -> str:
        return "\n".join(self.lines) + "\n"

    def temporary(self) -> str:
        self.temporaries += 1
        return f"t{self.temporaries}"

    def rule(self, number: int, check: Check) -> None:
        """One check: its own try, so that an unseen value costs only this rule its answer."""
        self.line("try:")
        self.indent += 1
        depth = self.indent
        if check.applies:
            self.line(f"if {self.value(check.applies.body)}:")
            self.indent += 1
        if check.violates:
            self.line(f"if {self.value(check.violates.body)}: failed{number}(i)")
        else:
            self.line(f"if predicate{number}(it, now): failed{number}(i)")
        self.indent = depth
        if check.applies:
            self.line(f"else: excluded{number}(i)")
        self.indent -= 1
        self.line(f"except Exception: undecided{number}(i)")

    def value(self, node: ast.expr) -> str:
        match node:
            case ast.Constant():
                return repr(node.value)
            case ast.Name():
                return node.id if node.id in {"it", "now", *CONSTANTS} else f"v_{node.id}"
            case ast.Attribute(value=ast.Name(id="it")) if node.attr in self.shared:
                return f"s_{node.attr}"
            case ast.Attribute():
                return f"{self.value(node.value)}.{node.attr}"
            case ast.BoolOp():
                return self._logic(node)
            case ast.UnaryOp():
                sign = "not " if isinstance(node.op, ast.Not) else "-"
                return f"({sign}{self.value(node.operand)})"
            case ast.BinOp():
                return f"({self.value(node.left)} {_SYMBOLS[type(node.op)]} {self.value(node.right)})"
            case ast.Compare():
                parts = [self.value(node.left)]
                for operator, right in zip(node.ops, node.comparators, strict=True):
                    parts += [_SYMBOLS[type(operator)], self.value(right)]
                return f"({' '.join(parts)})"
            case ast.Tuple() | ast.List() | ast.Set():
                # a list, because fields hold lists and a list never equals a tuple
                return f"[{', '.join(self.value(item) for item in node.elts)}]"
            case ast.Call():
                return self._call(node)
        raise AssertionError(f"not in the whitelist: {type(node).__name__}")

    def _logic(self, node: ast.BoolOp) -> str:
        symbol = _SYMBOLS[type(node.op)]
        if not any(_loops(operand) for operand in node.values):
            return f"({symbol.join(self.value(operand) for operand in node.values)})"
        # what comes before a loop decides whether the loop runs at all
        result = self.temporary()
        guard = f"if {result}:" if isinstance(node.op, ast.And) else f"if not {result}:"
        for position, operands in enumerate(_runs(node.values)):
            if position:
                self.line(guard)
                self.indent += 1
            self.line(f"{result} = {symbol.join([self.value(operand) for operand in operands])}")
            self.indent -= 1 if position else 0
        return result

    def _call(self, node: ast.Call) -> str:
        name = ast.unparse(node.func)
        first = node.args[0]
        if name in QUANTIFIERS and isinstance(first, ast.GeneratorExp):
            return self._quantifier(name, first)
        function = FUNCTIONS[name]
        arguments = [self.value(argument) for argument in node.args]
        single = all(isinstance(node.args[i], ast.Constant) for i in function.constant)
        if function.inline and single:
            return function.inline.format(*arguments)
        return f"{name}({', '.join([*arguments, 'now'] if function.clock else arguments)})"

    def _quantifier(self, name: str, generator: ast.GeneratorExp) -> str:
        loop = generator.generators[0]
        rows = self.value(loop.iter)
        result = self.temporary()
        start, step = {"any": ("False", "True"), "all": ("True", "False"), "count": ("0", "")}[name]
        self.line(f"{result} = {start}")
        self.line(f"for v_{ast.unparse(loop.target)} in {rows}:")
        self.indent += 1
        condition = self.value(generator.elt)
        self.line(f"if {'not ' if name == 'all' else ''}{condition}:")
        self.indent += 1
        if name == "count":
            self.line(f"{result} += 1")
        else:
            self.line(f"{result} = {step}")
            self.line("break")
        self.indent -= 2
        return result


def _loops(node: ast.expr) -> bool:
    return any(isinstance(inner, ast.GeneratorExp) for inner in ast.walk(node))


def _runs(operands: list[ast.expr]) -> list[list[ast.expr]]:
    """Operands in order, each one with a loop inside on its own, the plain ones between together."""
    runs: list[list[ast.expr]] = []
    for operand in operands:
        if runs and not _loops(operand) and not _loops(runs[-1][-1]):
            runs[-1].append(operand)
        else:
            runs.append([operand])
    return runs
