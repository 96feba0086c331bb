"""YAML that remembers its lines, so that every complaint can name one."""

from __future__ import annotations

from typing import Any

import msgspec
import yaml

from zhengguan.errors import UserError

Path = tuple[str | int, ...]


class Marked(msgspec.Struct):
    """Decoded YAML and the line (from 1) of each key and item."""

    data: Any
    name: str
    lines: dict[Path, int]

    def place(self, path: Path) -> str:
        """``file:line`` of the nearest thing that has a line."""
        while path and path not in self.lines:
            path = path[:-1]
        return f"{self.name}:{self.lines.get(path, 1)}"


def load_marked(text: str, name: str) -> Marked:
    """Safe-load one YAML document. Raises UserError at the line where it breaks."""
    try:
        loader = yaml.CSafeLoader(text)
        try:
            node = loader.get_single_node()
            data = None if node is None else loader.construct_document(node)
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise UserError(
            f"YAML 写法有误：{error.problem}", where=f"{name}:{line}", remedy="检查缩进、冒号和引号"
        ) from error
    except (yaml.YAMLError, RecursionError) as error:
        raise UserError(f"YAML 读不出：{error}", where=name) from error
    lines: dict[Path, int] = {}
    if node is not None:
        _mark(node, (), lines, set())
    return Marked(data, name, lines)


def _mark(node: yaml.Node, path: Path, lines: dict[Path, int], seen: set[int]) -> None:
    lines.setdefault(path, node.start_mark.line + 1)
    if id(node) in seen:  # an alias: marked where it was written, and may refer to itself
        return
    seen.add(id(node))
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            inner = (*path, str(key.value))
            lines[inner] = key.start_mark.line + 1
            _mark(value, inner, lines, seen)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            _mark(value, (*path, index), lines, seen)
