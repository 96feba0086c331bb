"""Data files in YAML, read into typed structs; an error names the file and the line."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TypeVar

import msgspec
import yaml

T = TypeVar("T")

_STEP = re.compile(r"\.(\w+)|\[(\d+)\]|\[(\.\.\.)\]")
_Loader: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class DataFileError(ValueError):
    """A data file that cannot be used; the text begins with its place, ``path:line:``."""


def read(path: Path, type_: type[T]) -> T:
    """The file as a ``type_``. Raises DataFileError where it cannot be read, is no YAML, or does not fit."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DataFileError(f"{path}: 读不出来：{error}") from error
    try:
        # the loaders are PyYAML's safe ones: they build plain values and nothing else
        return msgspec.convert(yaml.load(text, Loader=_Loader), type_)  # noqa: S506
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise DataFileError(f"{path}:{line}: 不是合法的 YAML：{error.problem or error.context}") from error
    except yaml.YAMLError as error:
        raise DataFileError(f"{path}: 不是合法的 YAML：{error}") from error
    except msgspec.ValidationError as error:
        message, _, where = str(error).partition(" - at `")
        steps = steps_of(where.rstrip("`"))
        raise DataFileError(f"{path}:{line_of(text, steps)}: {message}") from error


def steps_of(where: str) -> list[str | int]:
    """msgspec's ``$.points[3].at`` as steps into the document; the key of a mapping that it leaves out
    (``[...]``) ends the way."""
    steps: list[str | int] = []
    for key, index, hidden in _STEP.findall(where):
        if hidden:
            break
        steps.append(key or int(index))
    return steps


def line_of(text: str, steps: list[str | int]) -> int:
    """Line (from 1) of the node at the end of the steps, or of the last node on the way that exists."""
    node = yaml.compose(text, Loader=_Loader)
    line = 1
    for step in steps:
        child = _child(node, step)
        if child is None:
            break
        node = child
        line = node.start_mark.line + 1
    return line


def _child(node: yaml.Node | None, step: str | int) -> yaml.Node | None:
    if isinstance(node, yaml.MappingNode):
        return next((value for key, value in node.value if key.value == str(step)), None)
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        child: yaml.Node = node.value[step]
        return child
    return None
