"""What a device or a tenant wrote, made safe for documents that other programs parse and show."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

import msgspec

_XML_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def line(text: str) -> str:
    """One line of printable text: control characters, line ends and what turns the writing direction
    (U+202E and its kin) become a space, lone surrogates "?"."""
    if text.isprintable():  # nearly all of it, and thirty times as fast
        return text
    shown = "".join(" " if unicodedata.category(c) in ("Cc", "Cf", "Zl", "Zp") else c for c in text)
    return shown.encode(errors="replace").decode()


def xml_text(text: str) -> str:
    """Text with "\ufffd" for every character that XML 1.0 (production 2, Char) forbids, escaped or not."""
    return _XML_FORBIDDEN.sub("\ufffd", text)


def json_bytes(document: Any) -> bytes:
    """Compact JSON in the order given. Device text that is no valid Unicode is written with "?"."""
    try:
        return msgspec.json.encode(document)
    except UnicodeEncodeError:
        return msgspec.json.encode(_valid(msgspec.to_builtins(document, str_keys=True)))


def json_part(document: Any) -> msgspec.Raw:
    """The same as a part of a larger document: a hundred thousand parts are held as bytes, not as dicts."""
    return msgspec.Raw(json_bytes(document))


def _valid(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode(errors="replace").decode()
    if isinstance(value, dict):
        return {_valid(k): _valid(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_valid(v) for v in value]
    return value
