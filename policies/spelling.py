"""A hint for a word that somebody mistyped."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def suggestion(word: str, candidates: Iterable[str], *, most: int = 24) -> str:
    """A hint naming the closest right word, or all where none is close and there are at most ``most``;
    else ""."""
    words = list(candidates)
    close = get_close_matches(word, words, n=1)
    if close:
        return f"是不是 {close[0]}？"
    return f"可用的有：{'、'.join(words)}" if 0 < len(words) <= most else ""
