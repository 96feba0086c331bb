"""The restricted expression of a rule: a small part of Python's own syntax, checked before it runs.

Allowed: ``and or not``, comparisons, ``in``, fields of ``it`` and of loop variables, constants, lists of
constants, ``+`` and ``-`` of numbers, the functions of ``policies.functions``, and ``any``, ``all`` and
``count`` over nested rows, at most two deep. Everything else is refused with its place. ``is`` is refused
because it would not notice a value that was not seen.

Fields are checked against the annotations of the kind, so a typing error is found when the rule is loaded.
"""

from __future__ import annotations

import ast
import io
import tokenize
from functools import lru_cache

import msgspec

from policies.functions import CONSTANTS, FUNCTIONS, Function
from policies.narrowing import is_constant, not_none
from policies.shapes import (
    BOOL,
    DATETIME,
    INT,
    NONE,
    STR,
    Shape,
    fields_of,
    of_struct,
    plain,
)
from policies.spelling import suggestion

MAX_CHARACTERS = 4000
MAX_NODES = 500
MAX_DEPTH = 40
MAX_LOOPS = 2
MAX_NAMED = 99  # names in a hint: whoever writes a rule wants to see all fields
QUANTIFIERS = ("any", "all", "count")

_NUMBERS = ("int", "float")
_ORDERED = (frozenset(_NUMBERS), frozenset({"datetime"}), frozenset({"date"}))
_REFUSED: dict[type[ast.AST], str] = {
    ast.Lambda: "不能定义函数",
    ast.ListComp: "推导式只能写在 any、all、count 里",
    ast.SetComp: "推导式只能写在 any、all、count 里",
    ast.DictComp: "推导式只能写在 any、all、count 里",
    ast.GeneratorExp: "推导式只能写在 any、all、count 里",
    ast.JoinedStr: "不能用 f 字符串",
    ast.Subscript: '不能用下标；字典写 get(it.limits, "cores")',
    ast.IfExp: "不能用 if … else；写成 and / or",
    ast.NamedExpr: "不能赋值",
    ast.Await: "不能用 await",
    ast.Starred: "不能用 *",
    ast.Dict: "不能写字典",
}
_OPERATORS = (ast.Eq, ast.NotEq, ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.In, ast.NotIn)


class ExpressionError(Exception):
    """An expression is refused. ``offset`` is the place in its text, in characters; ``message`` and
    ``hint`` are for the writer of the rule (中文)."""

    def __init__(self, message: str, offset: int = 0, hint: str = "") -> None:
        super().__init__(f"{message}。{hint}" if hint else message)
        self.message = message
        self.offset = offset
        self.hint = hint


class Expression(msgspec.Struct, frozen=True, kw_only=True):
    """A checked expression. ``reads`` are the fields it looks at ("ssh.ciphers", "rules[].remote"), in
    the order of the text; ``facts`` the paths that are not None where it is true."""

    text: str
    struct: type[msgspec.Struct]
    body: ast.expr
    reads: tuple[str, ...]
    facts: frozenset[str]


@lru_cache(maxsize=4096)
def parse(text: str, struct: type[msgspec.Struct], facts: frozenset[str] = frozenset()) -> Expression:
    """Check an expression against a kind. ``facts`` are paths already known not to be None (what a rule's
    ``applies`` established). Raises ExpressionError."""
    body = _tree(text)
    checker = _Checker(text, struct, facts)
    checker.condition(body, facts)
    reads = tuple(dict.fromkeys(checker.reads))
    return Expression(text=text, struct=struct, body=body, reads=reads, facts=not_none(body, truth=True))


def _tree(text: str) -> ast.expr:
    if len(text) > MAX_CHARACTERS:
        raise ExpressionError(f"表达式太长（{len(text)} 字符，上限 {MAX_CHARACTERS}）", 0, "拆成几条规则")
    if not text.strip():
        raise ExpressionError("表达式是空的")
    try:
        body = ast.parse(f"({text}\n)", mode="eval").body
    except SyntaxError as error:
        offset = _offset(text, error.lineno or 1, max((error.offset or 1) - 1, 0))
        raise ExpressionError(f"语法错误：{error.msg}", offset) from error
    except (ValueError, MemoryError, RecursionError) as error:
        raise ExpressionError("表达式读不懂：嵌套太深或有非法字符") from error
    if (body.lineno, body.col_offset) == (1, 0):
        raise ExpressionError("括号不配对，或写了逗号")
    if "#" in text and _has_comment(text):
        raise ExpressionError("表达式里不能写注释", text.index("#"), "换行折叠后注释会吞掉后面的条件")
    if sum(1 for _ in ast.walk(body)) > MAX_NODES:
        raise ExpressionError(f"表达式太大（上限 {MAX_NODES} 个节点）", 0, "拆成几条规则")
    return body


def _has_comment(text: str) -> bool:
    tokens = tokenize.generate_tokens(io.StringIO(f"({text}\n)").readline)
    return any(token.type == tokenize.COMMENT for token in tokens)


def _offset(text: str, line: int, column_characters: int) -> int:
    """Place in the text of a place in ``"(" + text + "\\n)"``."""
    lines = text.split("\n")
    before = sum(len(part) + 1 for part in lines[: line - 1])
    return min(max(before + column_characters - (1 if line == 1 else 0), 0), len(text))


class _Checker:
    """One walk over one expression. ``scope`` maps a loop variable to the shape of its row and to where
    its rows come from ("rules[]")."""

    def __init__(self, text: str, struct: type[msgspec.Struct], facts: frozenset[str]) -> None:
        self.text = text
        self.scope: dict[str, tuple[Shape, str]] = {"it": (of_struct(struct), "")}
        self.reads: list[str] = []
        self.depth = 0
        self.facts = facts

    def error(self, node: ast.AST, message: str, hint: str = "") -> ExpressionError:
        line = getattr(node, "lineno", 1)
        column = getattr(node, "col_offset", 1)
        if isinstance(node, ast.Attribute) and node.end_col_offset is not None:
            line, column = node.end_lineno or line, node.end_col_offset - len(node.attr.encode())
        source = f"({self.text}\n)".split("\n")[line - 1]
        characters = len(source.encode()[:column].decode(errors="ignore"))
        return ExpressionError(message, _offset(self.text, line, characters), hint)

    def condition(self, node: ast.expr, facts: frozenset[str]) -> None:
        """Check a node that must be true or false."""
        shape = self.shape(node, facts)
        if not shape.only("bool"):
            raise self.error(node, f"这里要一个条件，而这是{shape}", "写成比较，例如 len(it.rules) > 0")

    def shape(self, node: ast.expr, facts: frozenset[str]) -> Shape:
        """The shape of a node's value. ``facts`` are the paths known not to be None at this place."""
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise self.error(node, f"嵌套太深（上限 {MAX_DEPTH} 层）")
        try:
            shape = self._shape(node, facts)
        finally:
            self.depth -= 1
        if facts and "none" in shape.kinds and shape.kinds != NONE.kinds and ast.unparse(node) in facts:
            return shape.without_none()
        return shape

    def _shape(self, node: ast.expr, facts: frozenset[str]) -> Shape:
        match node:
            case ast.Constant():
                return self._constant(node)
            case ast.Name():
                return self._name(node)
            case ast.Attribute():
                return self._attribute(node, facts)
            case ast.BoolOp():
                for operand in node.values:
                    self.condition(operand, facts)
                    facts = facts | not_none(operand, truth=isinstance(node.op, ast.And))
                return BOOL
            case ast.UnaryOp(op=ast.Not()):
                self.condition(node.operand, facts)
                return BOOL
            case ast.UnaryOp(op=ast.USub()) if isinstance(node.operand, ast.Constant):
                return self._numbers(node, [node.operand], facts)
            case ast.BinOp(op=ast.Add() | ast.Sub()):
                return self._numbers(node, [node.left, node.right], facts)
            case ast.Compare():
                return self._compare(node, facts)
            case ast.Tuple() | ast.List() | ast.Set():
                return self._collection(node, facts)
            case ast.Call():
                return self._call(node, facts)
        name = _REFUSED.get(type(node), f"不能用 {type(node).__name__}")
        raise self.error(node, name, "可用：比较、and/or/not、in、any/all/count 和登记过的函数")

    def _constant(self, node: ast.Constant) -> Shape:
        value = node.value
        if isinstance(value, str) and len(value) > 200:
            raise self.error(node, "文字常量太长（上限 200 字符）")
        if isinstance(value, int) and abs(value) > 10**15:
            raise self.error(node, "数字太大")
        kinds = {str: "str", bool: "bool", int: "int", float: "float", type(None): "none"}
        if type(value) not in kinds:
            raise self.error(node, f"不能用 {type(value).__name__} 常量")
        return plain(kinds[type(value)])

    def _name(self, node: ast.Name) -> Shape:
        if node.id in self.scope:
            return self.scope[node.id][0]
        if node.id == "now":
            return DATETIME
        if node.id in CONSTANTS:
            return Shape(kinds=frozenset({"list"}), item=INT)
        names = [*self.scope, "now", *CONSTANTS]
        raise self.error(node, f"没有名字 {node.id}", _names(node.id, names))

    def _attribute(self, node: ast.Attribute, facts: frozenset[str]) -> Shape:
        if node.attr.startswith("_"):
            raise self.error(node, f"不能读以下划线开头的 {node.attr}")
        path = self._path(node)
        base = self.shape(node.value, facts)
        if base.struct is None:
            raise self.error(node, f"{ast.unparse(node.value)} 是{base}，没有字段 {node.attr}")
        if "none" in base.kinds:
            left = ast.unparse(node.value)
            raise self.error(node, f"{left} 可能是空值", f"先写 {left} != None and …")
        fields = fields_of(base.struct)
        if node.attr not in fields:
            missing = f"{_kind(base.struct)} 没有字段 {node.attr}"
            raise self.error(node, missing, _names(node.attr, list(fields)))
        if self.reads and path.startswith(self.reads[-1] + ".") and isinstance(node.value, ast.Attribute):
            self.reads.pop()
        self.reads.append(path)
        return fields[node.attr]

    def _path(self, node: ast.expr) -> str:
        if isinstance(node, ast.Attribute):
            left = self._path(node.value)
            return f"{left}.{node.attr}" if left else node.attr
        if isinstance(node, ast.Name) and node.id in self.scope:
            return self.scope[node.id][1]
        raise self.error(node, "只能读 it 和循环变量的字段")

    def _numbers(self, node: ast.expr, operands: list[ast.expr], facts: frozenset[str]) -> Shape:
        for operand in operands:
            shape = self.shape(operand, facts)
            if not shape.only(*_NUMBERS):
                raise self.error(operand, f"加减只能用于数字，而这是{shape}")
        return INT

    def _collection(self, node: ast.Tuple | ast.List | ast.Set, facts: frozenset[str]) -> Shape:
        for item in node.elts:
            if not is_constant(item):
                raise self.error(item, "列表里只能写常量")
        if not node.elts:
            return Shape(kinds=frozenset({"list"}), item=None)
        shapes = [self.shape(item, facts) for item in node.elts]
        return Shape(kinds=frozenset({"list"}), item=plain(*(k for s in shapes for k in s.kinds)))

    def _compare(self, node: ast.Compare, facts: frozenset[str]) -> Shape:
        left = node.left
        for operator, right in zip(node.ops, node.comparators, strict=True):
            if isinstance(operator, ast.Is | ast.IsNot):
                raise self.error(node, "不能用 is", "写成 == None 或 != None：is 看不出没有采到的值")
            if not isinstance(operator, _OPERATORS):
                raise self.error(node, "不认识的比较")
            # asking again whether a value is None is idle, not wrong: equality takes the field as declared
            alike = isinstance(operator, ast.Eq | ast.NotEq)
            ordered = not alike and not isinstance(operator, ast.In | ast.NotIn)
            shapes = (
                self.shape(left, facts) if ordered else self._shape(left, facts),
                self._shape(right, facts) if alike else self.shape(right, facts),
            )
            if isinstance(operator, ast.In | ast.NotIn):
                self._member(left, right, *shapes)
            elif alike:
                self._equal(left, right, *shapes)
                self._equal(right, left, shapes[1], shapes[0])
            else:
                self._ordered(node, left, right, *shapes)
            left = right
        return BOOL

    def _equal(self, left: ast.expr, right: ast.expr, shape: Shape, other: Shape) -> None:
        """Whether the value on the right can ever equal what is on the left."""
        numbers = frozenset(_NUMBERS)
        if not (shape.kinds & other.kinds or (shape.kinds & numbers and other.kinds & numbers)):
            hint = "这个字段不会是空值" if other.only("none") else ""
            raise self.error(right, f"{ast.unparse(left)} 是{shape}，不能和{other}比较", hint)
        if isinstance(right, ast.Constant) and isinstance(right.value, str) and shape.words is not None:
            self._word(left, right, right.value, shape.words)

    def _word(self, left: ast.expr, node: ast.expr, word: str, words: frozenset[str]) -> None:
        if word not in words:
            known = sorted(words)
            raise self.error(node, f"{ast.unparse(left)} 不会是 {word!r}", _names(word, known))

    def _member(self, left: ast.expr, right: ast.expr, shape: Shape, whole: Shape) -> None:
        if whole.only("str") and shape.only("str"):
            return
        if "none" in whole.kinds:
            name = ast.unparse(right)
            raise self.error(right, f"{name} 可能是空值", f"先写 {name} != None and …")
        if isinstance(right, ast.Tuple | ast.List | ast.Set):
            if not right.elts:
                raise self.error(right, "空列表里什么也没有")
            for item in right.elts:
                self._equal(left, item, shape, self.shape(item, frozenset()))
            return
        inner = STR if whole.only("dict") else whole.item
        if inner is None or not whole.only("list", "dict"):
            raise self.error(right, f"in 的右边要列表，而这是{whole}")
        self._equal(right, left, inner, shape)

    def _ordered(self, node: ast.expr, left: ast.expr, right: ast.expr, a: Shape, b: Shape) -> None:
        for side, shape in ((left, a), (right, b)):
            if "none" in shape.kinds:
                name = ast.unparse(side)
                raise self.error(side, f"{name} 可能是空值，不能比大小", f"先写 {name} != None and …")
        if not any(a.kinds <= order and b.kinds <= order for order in _ORDERED):
            raise self.error(node, f"{a}和{b}不能比大小")

    def _call(self, node: ast.Call, facts: frozenset[str]) -> Shape:
        if not isinstance(node.func, ast.Name):
            raise self.error(node, "不能调用方法", f"可用的函数：{'、'.join([*QUANTIFIERS, *FUNCTIONS])}")
        name = node.func.id
        if node.keywords:
            raise self.error(node, "参数不写名字")
        if name in QUANTIFIERS:
            return self._quantifier(node, name, facts)
        if name not in FUNCTIONS:
            known = [*QUANTIFIERS, *FUNCTIONS]
            raise self.error(node, f"没有函数 {name}", _names(name, known))
        function = FUNCTIONS[name]
        surplus = len(node.args) - len(function.takes)
        if surplus < 0 or (surplus and not function.rest):
            raise self.error(node, f"{name} 的参数个数不对", f"用法：{function.usage}")
        shapes = [self._argument(node, position, function, facts) for position in range(len(node.args))]
        if isinstance(function.gives, Shape):
            return function.gives
        item = shapes[0].item or STR
        if function.gives == "items":
            return Shape(kinds=frozenset({"list"}), item=item)
        return msgspec.structs.replace(item, kinds=item.kinds | {"none"})

    def _argument(self, call: ast.Call, position: int, function: Function, facts: frozenset[str]) -> Shape:
        node = call.args[position]
        wanted = function.takes[min(position, len(function.takes) - 1)]
        shape = self.shape(node, facts)
        if not shape.kinds <= wanted.kinds:
            hint = f"用法：{function.usage}"
            if "none" in shape.kinds:
                hint = f"先写 {ast.unparse(node)} != None and …"
            raise self.error(node, f"这里要{wanted}，而这是{shape}", hint)
        if min(position, len(function.takes) - 1) in function.constant and not is_constant(node):
            raise self.error(node, "这里只能写常量", f"用法：{function.usage}")
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.count("*") > 8:
            raise self.error(node, "通配符太多（上限 8 个）")
        return shape

    def _quantifier(self, node: ast.Call, name: str, facts: frozenset[str]) -> Shape:
        usage = f"用法：{name}(r.direction == … for r in it.rules)"
        if len(node.args) != 1 or not isinstance(node.args[0], ast.GeneratorExp):
            raise self.error(node, f"{name} 里要写条件和 for", usage)
        generator = node.args[0]
        loop = generator.generators[0]
        if len(generator.generators) != 1 or loop.ifs or loop.is_async:
            raise self.error(node, f"{name} 里只能有一个 for，没有 if", "条件写在 for 之前，用 and 连接")
        if not isinstance(loop.target, ast.Name):
            raise self.error(loop.target, "循环变量只能是一个名字", usage)
        variable = loop.target.id
        taken = {*self.scope, "now", *CONSTANTS, *FUNCTIONS, *QUANTIFIERS}
        if variable in taken or variable.startswith("_"):
            raise self.error(loop.target, f"循环变量不能叫 {variable}", "换一个名字")
        if len(self.scope) > MAX_LOOPS:
            raise self.error(node, f"循环最多嵌套 {MAX_LOOPS} 层")
        rows = self.shape(loop.iter, facts)
        if not rows.only("list") or rows.item is None or is_constant(loop.iter):
            raise self.error(loop.iter, f"for 只能走列表字段，而这是{rows}", usage)
        origin = self._path(loop.iter) if isinstance(loop.iter, ast.Attribute) else ""
        self.scope[variable] = (rows.item, f"{origin}[]" if origin else "")
        self.condition(generator.elt, facts)
        del self.scope[variable]
        return INT if name == "count" else BOOL


def _names(word: str, known: list[str]) -> str:
    return suggestion(word, known, most=MAX_NAMED)


def _kind(struct: type[msgspec.Struct]) -> str:
    return str(getattr(struct, "KIND", "") or struct.__name__)
