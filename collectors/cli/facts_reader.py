"""What the readers of all dialects share: a configuration to ask, and small words of the trade.

A reader never guesses. ``switch`` tells what the text says; where it says nothing, the value is the maker's
default if ``collectors.cli.facts_defaults`` has a verified one for this software, else UNKNOWN. In a text
that broke off, absence says nothing at all.
"""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import ip_address
from typing import Any, Literal, TypeVar

from collectors.cli.config_tree import Node, lines_of, tree
from collectors.cli.facts_defaults import default_of
from inventory.kinds.device_config import PasswordStorage
from inventory.unknown import UNKNOWN, Maybe, Unknown

T = TypeVar("T")

MAX_LINES = 20  # line numbers that one fact keeps
DEFAULT_COMMUNITIES = frozenset(
    "public private cisco huawei h3c admin administrator snmp community manager monitor "
    "read write default test zte ruijie juniper public@123 private@123 public@huawei".split()
)
DEFAULT_PASSWORDS = frozenset(
    "admin admin123 admin@123 admin@huawei admin@huawei.com admin@h3c password password123 p@ssw0rd "
    "huawei huawei123 huawei@123 h3c h3capadmin h3c123 cisco cisco123 ruijie ruijie123 zte zte123 zxr10 "
    "juniper juniper123 123456 12345678 123456789 1234 888888 000000 root root123 super super123 "
    "changeme_123 default guest test test123 switch router enable zebra".split()
)
"""Makers' and people's defaults as their manuals and public lists have them, in lower case."""


class Config:
    """A configuration to ask. ``partial``: the text is known to be cut off, or misses its end."""

    def __init__(self, platform: str, text: str, version: str = "", *, partial: bool = False) -> None:
        self.platform = platform
        self.version = version
        self.partial = partial
        self.nodes = tree(text)
        self.line_count = len(lines_of(text.rstrip()))
        self.by_word: dict[str, list[Node]] = {}
        for node in self.nodes:
            self.by_word.setdefault(node.text.split(" ", 1)[0].lower(), []).append(node)

    def all(self, prefix: str) -> list[Node]:
        """Nodes of the first column that begin with these words."""
        return [n for n in self.by_word.get(prefix.split(" ", 1)[0], ()) if begins(n.text, prefix)]

    def absent(self, value: T) -> T | Any:
        """What absence tells: the value, or UNKNOWN in a text that broke off."""
        return UNKNOWN if self.partial else value

    def default(self, fact: str) -> Any:
        """The maker's default for a fact that the text does not tell, as far as it is verified."""
        return UNKNOWN if self.partial else default_of(self.platform, fact, self.version)

    def switch(self, on: str, fact: str, off: str = "undo", *, seen: list[int] | None = None) -> Maybe[bool]:
        """Whether something is switched on: by the last line that says so or the opposite, else the default.
        Adds the line to ``seen``."""
        found = [(n.line, True) for n in self.all(on)] + [(n.line, False) for n in self.all(f"{off} {on}")]
        if not found:
            value: Maybe[bool] = self.default(fact)
            return value
        line, state = max(found)
        if seen is not None:
            seen.append(line)
        return state


def begins(text: str, prefix: str) -> bool:
    """Whether a line begins with these whole words; VRP writes some of its own in capitals."""
    if not text.startswith(prefix) and text[: len(prefix)].lower() != prefix:
        return False
    return len(text) == len(prefix) or text[len(prefix)] == " "


def below(node: Node, *prefixes: str) -> list[Node]:
    """Children that begin with one of these whole words, as they are written."""
    return [
        child
        for child in node.children
        if child.text.startswith(prefixes) and any(begins(child.text, prefix) for prefix in prefixes)
    ]


def last(nodes: Iterable[Node]) -> Node | None:
    """The last of some nodes: what is configured twice holds as written last."""
    found = None
    for node in nodes:
        found = node
    return found


def told_by(nodes: Iterable[Node]) -> str | None:
    """What stands behind the first word of the last of some nodes; None where nothing does."""
    node = last(nodes)
    return node.text.split(" ", 1)[1] if node is not None and len(node.words) > 1 else None


def number_in(words: list[str], after: str = "", position: int = -1) -> int | None:
    """The number behind a word, or at a position; None where there is none."""
    if after:
        try:
            position = words.index(after) + 1
        except ValueError:
            return None
    try:
        return int(words[position])
    except (ValueError, IndexError):
        return None


def word_after(words: list[str], *names: str) -> str | None:
    """The word behind one of these words."""
    for name in names:
        if name in words:
            place = words.index(name) + 1
            return words[place] if place < len(words) else None
    return None


def minutes_seconds(words: list[str]) -> Maybe[int | None]:
    """Seconds of "idle-timeout 5 0" or "exec-timeout 10 0"; None = never; UNKNOWN where it is no number."""
    minutes = number_in(words, position=1)
    if minutes is None:
        return UNKNOWN
    seconds = minutes * 60 + (number_in(words, position=2) or 0)
    return seconds or None


def family_of(address: str) -> Literal["ipv4", "ipv6"] | None:
    """The family of an address; None for what is none (a name)."""
    try:
        return "ipv4" if ip_address(address.split("%", 1)[0]).version == 4 else "ipv6"
    except ValueError:
        return None


def numbers(*nodes: Node | None, seen: Iterable[int] = ()) -> list[int]:
    """Line numbers of a fact, sorted, the first ``MAX_LINES``; a notice counts by its first and last line."""
    found = set(seen)
    for node in nodes:
        if node is not None:
            found.add(node.line)
            if node.last != node.line:
                found.add(node.last)
    return sorted(found)[:MAX_LINES]


def span(node: Node) -> list[int]:
    """First and last line of a section."""
    end, here = node.last, node
    while here.children:
        here = here.children[-1]
        end = max(end, here.last)
    return [node.line] if end == node.line else [node.line, end]


def guessable(storage: Maybe[PasswordStorage], password: str, name: str = "") -> Maybe[bool]:
    """Whether a password is empty, the account's name, or a well-known default; UNKNOWN where it does not
    stand in the clear, since none is tried or deciphered."""
    if isinstance(storage, Unknown) or storage not in ("plain", "none"):
        return UNKNOWN
    plain = password.strip().strip('"').lower()
    return not plain or plain == name.lower() or plain in DEFAULT_PASSWORDS


def in_clear(storage: Maybe[PasswordStorage]) -> Maybe[bool]:
    """Whether a password is readable as it stands, or there is none to hide."""
    return UNKNOWN if isinstance(storage, Unknown) else storage in ("plain", "none")


def default_community(name: str) -> bool:
    """Whether a community is one that everybody tries first."""
    return name.strip().strip('"').lower() in DEFAULT_COMMUNITIES


def capped(rows: Iterable[T], most: int = 20_000) -> list[T]:
    """Rows up to a number that no real device has: hostile text must not fill the store."""
    kept: list[T] = []
    for row in rows:
        if len(kept) >= most:
            break
        kept.append(row)
    return kept
