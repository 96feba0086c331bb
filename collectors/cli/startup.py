"""Whether the running configuration is the saved one: both texts, line by line, in memory. Pure.

Lines that a device writes by itself, or differently in the two places, are left out. Where only secrets
differ nothing is told: a device may encrypt them anew each time it saves.
"""

from __future__ import annotations

import re
from collections import Counter

from collectors.cli.masking import masked
from collectors.cli.platforms import Platform
from inventory.unknown import UNKNOWN, Maybe

_OWN = re.compile(
    r"(?i)\s*(?:[!#].*|building configuration.*|(?:current|startup)[ -]configuration *:.*|using \d+ .*bytes.*"
    r"|ntp clock-period .*|certificate .*|(?:[0-9a-f]{8} )+[0-9a-f]{2,8} *|quit)?"
)
"""Comments, head lines of IOS and its like, what IOS counts itself, certificates that it keeps in files."""
_MOST_LINES = 200
SAVED_BY_COMMIT = frozenset({"juniper_junos"})
"""Platforms whose running configuration is the one that was committed to storage: there is no other."""


def compared(platform: Platform, running: str, saved: str) -> tuple[Maybe[bool], str]:
    """Whether a whole running configuration is the saved one, and the lines in which they differ, masked
    ("+": running alone, "-": saved alone). UNKNOWN where the saved one did not come to its end."""
    last = next((line.strip() for line in reversed(saved.splitlines()) if line.strip()), "")
    if not platform.ending or not re.fullmatch(platform.ending, last):
        return UNKNOWN, ""
    now, then = _lines(running), _lines(saved)
    if now == then:
        return True, ""
    shown_now, shown_then = _lines(masked(running)), _lines(masked(saved))
    added, gone = Counter(shown_now) - Counter(shown_then), Counter(shown_then) - Counter(shown_now)
    rows = [*(f"- {line}" for line in gone.elements()), *(f"+ {line}" for line in added.elements())]
    return (False if rows else UNKNOWN), "\n".join(rows[:_MOST_LINES])


def _lines(text: str) -> list[str]:
    return [line.rstrip() for line in text.splitlines() if not _OWN.fullmatch(line.rstrip())]
