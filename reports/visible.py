"""Text as a reader can trust it: nothing in it acts, and nothing in it is hidden.

Names and banners come from devices and tenants. Control characters (illegal in XML 1.0, or acting on a
terminal), bidirectional overrides and invisible marks are written as ‹U+202E›; new lines and tabs stay.
"""

from __future__ import annotations

import re

_ACTING = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff"
    "\ufff9-\ufffb\ufffe\uffff\ud800-\udfff\U000e0000-\U000e007f]"
)


def visible(text: str) -> str:
    """The text with every acting or invisible character spelled out; legal in XML 1.0 and in UTF-8.
    CRLF counts as one new line."""
    if text.isascii() and text.isprintable():
        return text
    return _ACTING.sub(lambda match: f"‹U+{ord(match[0]):04X}›", text.replace("\r\n", "\n"))
