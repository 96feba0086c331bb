"""YAML files that people write: safe, small, and every error with its line.

No anchors (a file of a kilobyte could stand for gigabytes), no key twice, no custom tags.

An ordinary file goes straight from libyaml's events to its data: every command loads some 400 of them, and
nodes with their places cost three times as much. They are made for a file that is wrong, or out of the
ordinary.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

import msgspec
import yaml

from inventory.decoding import convert
from policies.spelling import suggestion

MAX_BYTES = 256 * 1024
_RESOLVERS: Mapping[str, list[tuple[str, re.Pattern[str]]]] = yaml.CSafeLoader.yaml_implicit_resolvers
_MADE = {f"tag:yaml.org,2002:{name}" for name in ("null", "bool", "int", "float", "timestamp")}
"""Tags of plain scalars that stand for a value by themselves; others (``<<``) do not."""

Place = Sequence[str | int]
T = TypeVar("T")

_WHERE = re.compile(r" - at `\$(?P<path>.*?)`$")
_STEP = re.compile(r"\.([A-Za-z_]\w*)|\[(\d+)\]")
_COMPLAINTS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"Object contains unknown field `(.+)`"), "不认识的键 {0}"),
    (re.compile(r"Object missing required field `(.+)`"), "缺少 {0}"),
    (re.compile(r"Invalid enum value (.+)"), "不能是 {0}"),
    (re.compile(r"Expected `(.+)`, got `(.+)`"), "要 {0}，而写的是 {1}"),
)


class YamlError(Exception):
    """A file is wrong at a place. ``line`` and ``column`` count from 1; 0 = the whole file."""

    def __init__(self, path: Path, message: str, line: int = 0, column: int = 0, hint: str = "") -> None:
        where = f"{path}:{line}:{column}" if line else str(path)
        super().__init__(f"{where}: {message}" + (f"。{hint}" if hint else ""))
        self.path = path
        self.line = line
        self.column = column
        self.message = message
        self.hint = hint


class YamlText(msgspec.Struct, frozen=True):
    """A loaded file: its data, and where each part of it stands."""

    path: Path
    text: str
    data: Any

    def error(self, message: str, place: Place = (), hint: str = "", offset: int | None = None) -> YamlError:
        """An error at a place (keys and indexes from the root); ``offset`` is a character of the scalar
        there, which may be folded over lines."""
        node = self._find(place)
        line, column = node.start_mark.line, node.start_mark.column
        if offset is not None and isinstance(node, yaml.ScalarNode):
            line, column = self._inside(node, offset)
        return YamlError(self.path, message, line + 1, column + 1, hint)

    def error_at_key(self, message: str, place: Place, hint: str = "") -> YamlError:
        """The same at the key itself, whose value may stand lines below it."""
        mapping = self._find(place[:-1])
        keys = [key for key, _ in mapping.value] if isinstance(mapping, yaml.MappingNode) else []
        key = next((key for key in keys if key.value == str(place[-1])), mapping)
        return YamlError(self.path, message, key.start_mark.line + 1, key.start_mark.column + 1, hint)

    def _find(self, place: Place) -> yaml.Node:
        node = _composed(self.text)
        for step in place:
            child: yaml.Node | None = None
            if isinstance(node, yaml.MappingNode):
                child = next((value for key, value in node.value if key.value == str(step)), None)
            elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
                child = node.value[step]
            if child is None:
                break
            node = child
        return node

    def _inside(self, node: yaml.ScalarNode, offset: int) -> tuple[int, int]:
        """Line and column of a character of a scalar. Folding moves white space about and nothing else, so
        the place is found by counting the other characters."""
        lines = self.text.split("\n")
        line, column = node.start_mark.line, node.start_mark.column
        if node.style in ("|", ">"):
            line, column = line + 1, 0
        elif node.style:
            column += 1
        wanted = len(re.sub(r"\s", "", node.value[:offset]))
        while line < len(lines):
            for position in range(column, len(lines[line])):
                if not lines[line][position].isspace():
                    if wanted == 0:
                        return line, position
                    wanted -= 1
            line, column = line + 1, 0
        return node.start_mark.line, node.start_mark.column


def read_yaml(path: Path, until: str = "") -> YamlText:
    """Load one file, or what stands in it before the root's key ``until``, at the end of a line. Raises
    YamlError."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise YamlError(path, f"读不出文件：{error.strerror}", hint="检查路径和权限") from error
    if len(content) > MAX_BYTES:
        raise YamlError(path, f"文件太大（上限 {MAX_BYTES // 1024} KiB）", hint="拆成几个文件")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise YamlError(path, "不是 UTF-8 文字", hint="用 UTF-8 保存") from error
    return parse_yaml(text.partition(f"\n{until}:\n")[0] if until else text, path)


def parse_yaml(text: str, path: Path) -> YamlText:
    """Parse the text of one file; ``path`` is for its errors. Raises YamlError."""
    try:
        return YamlText(path, text, _ordinary(text))
    except (_UnusualError, yaml.YAMLError, ValueError, RecursionError):
        pass  # looked at anew, to tell what is wrong and where
    loader = yaml.CSafeLoader(text)
    try:
        node = loader.get_single_node()
        if node is None:
            raise YamlError(path, "文件是空的")
        _refuse_tricks(node, path)
        data = loader.construct_document(node)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (0, 0)
        problem = error.problem or "格式不对"
        raise YamlError(
            path, f"YAML 语法错误：{problem}", line, column, "检查缩进、引号和冒号后的空格"
        ) from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise YamlError(path, f"YAML 读不懂：{error}", hint="检查有没有控制字符或不存在的日期") from error
    finally:
        loader.dispose()
    return YamlText(path, text, data)


@lru_cache(maxsize=4)
def _composed(text: str) -> yaml.Node:
    """The nodes of a file that was loaded."""
    node = yaml.compose(text, Loader=yaml.CSafeLoader)
    assert node is not None
    return node


class _UnusualError(Exception):
    """Something that files of ours have not: it takes PyYAML's own way, which knows all of YAML."""


def _ordinary(text: str) -> Any:
    """The data of a file without anchors, tags, keys twice and the like. Raises _UnusualError, and what
    PyYAML raises."""
    loader = yaml.CSafeLoader(text)
    try:
        loader.get_event()  # the stream's start
        if type(loader.get_event()) is not yaml.DocumentStartEvent:
            raise _UnusualError
        data = _value(loader, loader.get_event())
        loader.get_event()  # the document's end
        if type(loader.get_event()) is not yaml.StreamEndEvent:
            raise _UnusualError
        return data
    finally:
        loader.dispose()


def _value(loader: yaml.CSafeLoader, event: Any) -> Any:
    """The value that begins with an event, the last one taken from the loader."""
    kind = type(event)
    if kind is yaml.AliasEvent or event.anchor is not None or event.tag is not None:
        raise _UnusualError
    if kind is yaml.ScalarEvent:
        return _scalar(loader, event.value) if event.implicit[0] else event.value
    take = loader.get_event
    if kind is yaml.SequenceStartEvent:
        items = []
        while type(inner := take()) is not yaml.SequenceEndEvent:
            items.append(_value(loader, inner))
        return items
    found: dict[Any, Any] = {}
    keys: set[str] = set()
    while type(key := take()) is not yaml.MappingEndEvent:
        if type(key) is not yaml.ScalarEvent or key.value in keys:
            raise _UnusualError
        keys.add(key.value)
        name = _value(loader, key)
        found[name] = _value(loader, take())
    return found


def _scalar(loader: yaml.CSafeLoader, text: str) -> Any:
    """A plain scalar by the rules of ``yaml.SafeLoader``: mostly text, else what its constructor makes."""
    for tag, pattern in _RESOLVERS.get(text[:1], ()):
        if pattern.match(text):
            if tag not in _MADE:
                raise _UnusualError
            return loader.construct_object(yaml.ScalarNode(tag, text))
    return text


def typed(
    source: YamlText,
    type_: type[T],
    *,
    data: Any = None,
    place: Place = (),
    known: Iterable[str] = (),
    hints: Mapping[str, str] = MappingProxyType({}),
) -> T:
    """The file's data as a struct, or ``data``, which stands at ``place``. Raises YamlError.

    ``known`` are keys that are right at the root of the struct beside its fields, ``hints`` what to do by
    the key that is wrong or missing, or by the first key on the way to it.
    """
    try:
        return convert(source.data if data is None else data, type_)
    except msgspec.ValidationError as error:
        raise _complaint(source, str(error), type_, place, known, hints) from error


def _complaint(
    source: YamlText, text: str, type_: Any, place: Place, known: Iterable[str], hints: Mapping[str, str]
) -> YamlError:
    match = _WHERE.search(text)
    way = match["path"].partition("[...]")[0] if match else ""
    steps: list[str | int] = [name or int(index) for name, index in _STEP.findall(way)]
    bare = text[: match.start()] if match else text
    for pattern, chinese in _COMPLAINTS:
        found = pattern.fullmatch(bare)
        if not found:
            continue
        key = found[1]
        hint = hints.get(key, hints.get(str(steps[0]) if steps else "", ""))
        where = "（在 " + ".".join(str(step) for step in steps) + "）" if steps else ""
        message = chinese.format(*found.groups()) + where
        if "unknown field" in bare:
            fields = [*_fields_at(type_, steps), *(() if steps else known)]
            return source.error_at_key(message, [*place, *steps, key], suggestion(key, fields) or "删掉它")
        return source.error(message, [*place, *steps], hint)
    return source.error(bare, [*place, *steps])


def _fields_at(type_: Any, steps: Sequence[str | int]) -> list[str]:
    """Field names of the struct that lies at the end of a way through ``type_``."""
    if not steps:
        structs = [t for t in (type_, *getattr(type_, "__args__", ())) if hasattr(t, "__struct_fields__")]
        return [name for struct in structs for name in struct.__struct_fields__]
    candidates = [type_, *getattr(type_, "__args__", ())]
    if isinstance(steps[0], int):
        return [name for inner in candidates[1:] for name in _fields_at(inner, steps[1:])]
    structs = [t for t in candidates if hasattr(t, "__struct_fields__")]
    inner = [f.type for t in structs for f in msgspec.structs.fields(t) if f.encode_name == steps[0]]
    return [name for t in inner for name in _fields_at(t, steps[1:])]


def _refuse_tricks(root: yaml.Node, path: Path) -> None:
    """Keys that stand twice (the second would silently win) and anchors."""
    seen: set[int] = set()
    waiting = [root]
    while waiting:
        node = waiting.pop()
        mark = node.start_mark
        if id(node) in seen:
            raise YamlError(path, "不支持 YAML 锚点和引用", mark.line + 1, mark.column + 1, "把内容写出来")
        seen.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            waiting += node.value
        elif isinstance(node, yaml.MappingNode):
            keys: set[str] = set()
            for key, value in node.value:
                waiting.append(value)
                if not isinstance(key, yaml.ScalarNode):
                    continue  # refused when it is to become data
                if key.value in keys:
                    place = key.start_mark
                    message = f"{key.value} 写了两次"
                    raise YamlError(path, message, place.line + 1, place.column + 1, "删掉一个")
                keys.add(key.value)
