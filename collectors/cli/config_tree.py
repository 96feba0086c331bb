"""A configuration as a tree by indentation, every node with the number of its line.

For the dialects that write sections by indentation and close them by ``#`` (VRP, Comware) or ``!`` (IOS and
those like it) in the first column, or by ``$`` (ZXROS). Junos, which writes braces or ``set`` lines, has
``collectors.cli.config_words``. The text is hostile: nothing here recurses, and what is deeper than
``MAX_DEPTH`` hangs flat below the last level.

Lines end at ``\\n`` alone, so that numbers stay those of the masked text.
"""

from __future__ import annotations

import re
from typing import Any

MAX_DEPTH = 24
MAX_LINE = 4_000  # characters
MAX_BLOCK = 500  # lines of a certificate or key
MAX_BLOCKS = 200  # notices, certificates and keys that are looked for
MAX_BANNER = 200  # lines a notice may have before its end is held to be missing

_NONE: tuple[Node, ...] = ()
_SPECIAL = re.compile(
    r"^[ ]*(?:(banner|header)[ ]|(certificate)[ ]|(public-key-code)[ ]begin|(set[ ]private-key)[ ])",
    re.MULTILINE,
)
_BANNER = re.compile(
    r"(?:banner|header)(?: (?:motd|login|incoming|exec|prompt-timeout|slip-ppp|legal|shell|information"
    r"|config-save))*[ ]?(?P<rest>.*)",
    re.DOTALL,
)
_END_OF_BLOCK = {"certificate": ("quit",), "public-key-code": ("public-key-code end",)}


class LineWords(list[str]):
    """Words of a line. Behind the last one is an empty word: a command that breaks off has no value, and
    a reader need not ask for the length first."""

    __slots__ = ()

    def __getitem__(self, place: Any) -> Any:
        try:
            return super().__getitem__(place)
        except IndexError:
            return ""


class Node:
    """One line, and the lines indented below it. ``line`` counts from 1; ``last`` is the line it ends on
    (the notice of a banner has more than one)."""

    __slots__ = ("children", "last", "line", "text")

    def __init__(self, line: int, text: str) -> None:
        self.line = line
        self.last = line
        self.text = text
        self.children: list[Node] | tuple[Node, ...] = _NONE

    @property
    def words(self) -> LineWords:
        return LineWords(self.text.split())

    def __repr__(self) -> str:
        return f"Node({self.line}, {self.text!r}, {len(self.children)} below)"


def lines_of(text: str) -> list[str]:
    """The text's lines as they are counted, with what terminals leave in them taken out. What no
    device writes on one line is cut."""
    if "\0" in text:
        text = text.replace("\0", "")
    lines = (text.expandtabs(8) if "\t" in text else text).split("\n")
    if len(text) > MAX_LINE and max(map(len, lines)) > MAX_LINE:
        lines = [line[:MAX_LINE] for line in lines]
    return lines


def tree(text: str) -> list[Node]:
    """The nodes in the first column, in the order of the text. Never raises for what the text holds."""
    lines = lines_of(text)
    skipped = _bodies(lines, text)
    root = Node(0, "")
    path, indents = [root], [-1]
    number = 0
    for raw in lines:
        number += 1
        stripped = raw.strip()
        if not stripped or number in skipped:
            continue
        first = stripped[0]
        if first in "#!":
            if raw[0] == first:
                path, indents = [root], [-1]
            continue
        if stripped == "$":
            continue
        indent = len(raw) - len(raw.lstrip())
        while indents[-1] >= indent:
            path.pop()
            indents.pop()
        if "  " in stripped:
            stripped = " ".join(stripped.split())
        node = Node(number, stripped)
        parent = path[-1]
        if parent.children is _NONE:
            parent.children = [node]
        else:
            parent.children.append(node)  # type: ignore[union-attr]
        if len(path) < MAX_DEPTH:
            path.append(node)
            indents.append(indent)
    if skipped:
        _extend(root, _spans(skipped))
    return list(root.children)


def _bodies(lines: list[str], text: str) -> set[int]:
    """Numbers of the lines that are no commands: bodies of notices, certificates and keys."""
    skipped: set[int] = set()
    if "banner" not in text and "header" not in text and "certificate" not in text and "key" not in text:
        return skipped
    flat = "\n".join(lines)
    number, counted, found = 1, 0, 0
    for match in _SPECIAL.finditer(flat):
        number += flat.count("\n", counted, match.start())
        counted = match.start()
        found += 1
        if number in skipped or found > MAX_BLOCKS:
            continue
        if match[1]:
            skipped.update(_banner_body(lines, number))
        elif match[2] or match[3]:
            skipped.update(_block_body(lines, number, _END_OF_BLOCK[match[2] or match[3]]))
    return skipped


def _banner_body(lines: list[str], number: int) -> range:
    """Lines of a notice below its first one, its end included; none where it begins and ends on one line, or
    where its end is missing: then nothing is taken for a notice that may be configuration."""
    match = _BANNER.match(lines[number - 1].strip())
    rest = match["rest"].strip() if match else ""
    opened = number
    if not rest and number < len(lines):  # the mark stands on a line of its own
        opened, rest = number + 1, lines[number].strip()
    if not rest or rest[0].isalnum() or (opened > number and rest[0] in "#!"):
        return range(0)
    mark = rest[:2] if rest.startswith("^") and len(rest) > 1 else rest[0]
    if mark in rest[len(mark) :]:
        return range(number + 1, opened + 1)
    for end in range(opened + 1, min(len(lines), opened + MAX_BANNER) + 1):
        if mark in lines[end - 1]:
            return range(number + 1, end + 1)
    return range(0)


def _block_body(lines: list[str], number: int, ends: tuple[str, ...]) -> range:
    for end in range(number + 1, min(len(lines), number + MAX_BLOCK) + 1):
        stripped = lines[end - 1].strip()
        if stripped in ends:
            return range(number + 1, end + 1)
        if stripped.startswith(("!", "interface ")):
            break
    return range(0)


def _spans(numbers: set[int]) -> dict[int, int]:
    """Runs of consecutive numbers: the line above each run → its last line."""
    spans: dict[int, int] = {}
    above = last = 0
    for number in sorted(numbers):
        if number != last + 1 or not spans:
            above = number - 1
        spans[above] = last = number
    return spans


def _extend(root: Node, spans: dict[int, int]) -> None:
    waiting = list(root.children)
    while waiting:
        node = waiting.pop()
        node.last = spans.get(node.line, node.line)
        waiting += node.children
