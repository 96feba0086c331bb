"""Pieces of Markdown."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from policies.outcome import Rule
from policies.standards import Standard

MARK: Final = "<!-- 由 zhengguan rules docs 生成，不要手改 -->"
_SPECIAL: Final = re.compile(r"([\\`*_<>\[\]|#])")
_STEP: Final = re.compile(r"(?<=[；。])")
_NAMED: Final = re.compile(r"([^：；。`]{1,16})：(.+)", re.DOTALL)


def plain(text: str) -> str:
    """Text that says what it says, whatever signs are in it, on one line."""
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))


def code(text: str) -> str:
    """Text as code on one line, fit for a table."""
    inner = " ".join(text.split()).replace("|", "\\|")
    fence = "``" if "`" in inner else "`"
    return f"{fence}{inner}{fence}"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """A table, and an empty line after it; nothing without rows."""
    if not rows:
        return []
    lines = [head, ["---"] * len(head), *rows]
    return [*("| " + " | ".join(line) + " |" for line in lines), ""]


def page(title: str, *parts: str) -> str:
    """A page, its lines in order; one empty line at most between them."""
    text = "\n".join([MARK, f"# {plain(title)}", "", *parts])
    return re.sub(r"\n{3,}", "\n\n", text).rstrip() + "\n"


def steps(fix: str) -> list[str]:
    """What to do; where it names vendors or products (华为：…), a line for each."""
    parts = [part.strip() for part in _STEP.split(fix) if part.strip()]
    named = [_NAMED.fullmatch(part.rstrip("；。")) for part in parts]
    if not any(named):
        return [plain(fix)]
    return [
        f"- **{plain(match[1])}**：{plain(match[2])}" if match else f"- {plain(part.rstrip('；。'))}"
        for part, match in zip(parts, named, strict=True)
    ]


def key_of(standard: Standard, control: str) -> str:
    """The name that a requirement's page has: of 密评 its code, else its id at level 3, or at the highest."""
    same = [standard.get(id_) for id_ in standard.counterparts(control)]
    chosen = next((c for c in same if c.level == 3), same[-1])
    return chosen.code or chosen.id.partition("/")[2]


def rule_path(rule: Rule) -> str:
    """A rule's page, under the folder of the rules; rules lie as their files do."""
    folder = rule.path.replace("\\", "/").rpartition("/")[0].rpartition("/")[2]
    return f"{folder or 'own'}/{rule.id}.md"
