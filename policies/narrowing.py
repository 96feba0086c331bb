"""What a condition establishes about None: after ``x != None and``, x may be compared by size."""

from __future__ import annotations

import ast

from policies.functions import CONSTANTS


def is_constant(node: ast.expr) -> bool:
    """Whether a node is written out in the rule: a constant, a list of them, or a named one."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return is_constant(node.operand)
    if isinstance(node, ast.Tuple | ast.List | ast.Set):
        return all(is_constant(item) for item in node.elts)
    return isinstance(node, ast.Constant) or (isinstance(node, ast.Name) and node.id in CONSTANTS)


def not_none(node: ast.expr, *, truth: bool) -> frozenset[str]:
    """Paths that cannot be None where the node is true (or false)."""
    match node:
        case ast.BoolOp():
            if isinstance(node.op, ast.And) is truth:
                return frozenset().union(*(not_none(operand, truth=truth) for operand in node.values))
        case ast.UnaryOp(op=ast.Not()):
            return not_none(node.operand, truth=not truth)
        case ast.Compare(ops=[operator], comparators=[right]):
            left = node.left
            none = isinstance(right, ast.Constant) and right.value is None
            if isinstance(operator, ast.Eq | ast.NotEq) and is_constant(right):
                excluded = none is (isinstance(operator, ast.NotEq) is truth)
                return frozenset({ast.unparse(left)}) if excluded else frozenset()
            if isinstance(operator, ast.In | ast.NotIn) and isinstance(right, ast.Tuple | ast.List | ast.Set):
                holds_none = any(isinstance(i, ast.Constant) and i.value is None for i in right.elts)
                if holds_none is (isinstance(operator, ast.NotIn) is truth):
                    return frozenset({ast.unparse(left)})
    return frozenset()
