"""A Junos configuration as a tree of words, whether it was shown in braces or as ``set`` lines.

``system { services { ssh; } }`` and ``set system services ssh`` are the same tree. What is ``inactive:`` (in
``set`` form: ``deactivate …``) is left out, since the device leaves it out. Nothing here recurses.
"""

from __future__ import annotations

import re

from collectors.cli.config_tree import lines_of

MAX_DEPTH = 40
_WORD = re.compile(r'"(?:[^"\\]|\\.)*"|\[|\]|[^\s"\[\]]+')
_COMMENT = re.compile(r"/\*.*?\*/|##.*$")


class Words:
    """A word of the configuration, what may follow it, and the first line it was seen on."""

    __slots__ = ("below", "line")

    def __init__(self, line: int = 0) -> None:
        self.below: dict[str, Words] = {}
        self.line = line

    def at(self, *path: str) -> Words | None:
        """What stands below these words; None where they were not written."""
        here: Words | None = self
        for word in path:
            here = here.below.get(word) if here is not None else None
        return here

    def has(self, *path: str) -> bool:
        return self.at(*path) is not None

    def names(self, *path: str) -> list[str]:
        """The words that follow these, in the order of the text."""
        here = self.at(*path)
        return [] if here is None else list(here.below)

    def value(self, *path: str) -> str | None:
        """The last word that follows these, without its quotation marks."""
        names = self.names(*path)
        return names[-1].strip('"') if names else None

    def number(self, *path: str) -> int | None:
        """The number that follows these words."""
        value = self.value(*path)
        return int(value) if value is not None and value.isdecimal() and len(value) < 10 else None

    def each(self, *path: str) -> list[tuple[str, Words]]:
        """The words that follow these, each with what stands below it."""
        here = self.at(*path)
        return [] if here is None else [(name.strip('"'), word) for name, word in here.below.items()]


class Document:
    """A configuration: its ``root``, whether its braces close, and how many lines it has."""

    def __init__(self, text: str) -> None:
        lines = lines_of(text)
        self.root = Words()
        self.line_count = len(lines_of(text.rstrip()))
        self.closed = True
        self._off: list[list[str]] = []
        if any(line.lstrip().startswith("set ") for line in lines[:200]):
            self._read_set(lines)
        else:
            self._read_braces(lines)
        for path in self._off:
            self._drop(path)

    def _read_set(self, lines: list[str]) -> None:
        for number, raw in enumerate(lines, 1):
            words = _WORD.findall(raw)
            if words[:1] == ["set"]:
                self._add(words[1:], number)
            elif words[:1] == ["deactivate"]:
                self._off.append(words[1:])

    def _read_braces(self, lines: list[str]) -> None:
        prefix: list[str] = []
        sizes: list[int] = []  # words of the prefix before each open brace
        held: list[str] = []
        for number, raw in enumerate(lines, 1):
            text = _COMMENT.sub("", raw).strip() if "#" in raw or "/*" in raw else raw.strip()
            if not text or text[0] == "#":
                continue
            if text == "}":
                held = []
                if sizes:
                    del prefix[sizes.pop() :]
                continue
            end = text[-1]
            words = held + _WORD.findall(text[:-1] if end in "{;" else text)
            while words and words[0] in ("protect:", "replace:"):
                words.pop(0)
            if words[:1] == ["inactive:"]:
                words.pop(0)
                self._off.append(prefix + words)
            if end == "{":
                held = []
                sizes.append(len(prefix))
                prefix += words if len(prefix) < MAX_DEPTH else []
                self._add(prefix, number)
            elif end == ";":
                held = []
                self._add(prefix + words, number)
            else:
                held = words[:100]
        self.closed = not sizes and not held

    def _add(self, words: list[str], number: int) -> None:
        here, depth = self.root, 0
        tails: list[str] = []
        inside = False
        for word in words:
            if word == "[":
                inside = True
            elif word == "]":
                inside = False
            elif inside:
                tails.append(word)
            elif depth < MAX_DEPTH:
                found = here.below.get(word)
                if found is None:
                    found = here.below[word] = Words(number)
                here, depth = found, depth + 1
        for word in tails:
            here.below.setdefault(word, Words(number))

    def _drop(self, path: list[str]) -> None:
        words = [word for word in path if word not in ("[", "]")]
        if not words:
            return
        above = self.root.at(*words[:-1])
        if above is not None:
            above.below.pop(words[-1], None)
