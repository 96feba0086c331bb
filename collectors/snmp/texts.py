"""Values of single objects as plain Python: the answers are hostile input, and a value of the wrong type
counts as not seen."""

from __future__ import annotations

import functools
import re
from ipaddress import IPv6Address

from collectors.snmp.engines import Oid, Value
from inventory.unknown import UNKNOWN, Maybe

_MOST_CHARACTERS = 1024  # DisplayString has 255 (RFC 2579); some agents send more
_NAME_OCTETS = 64
_CONTROL = re.compile(
    "[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202f\u2060-\u206f\ufeff\ufff9-\ufffd\ud800-\udfff]+"
)
_PERCENT = re.compile(r"([0-9]{1,3}(?:\.[0-9]+)?)\s*%")


def text_of(value: Value) -> str | None:
    """Text of an OCTET STRING: UTF-8, else GB18030, else as far as it goes; control and direction
    characters become a space. None where the value is no OCTET STRING."""
    if not isinstance(value, bytes):
        return None
    return _short(value) if len(value) <= _NAME_OCTETS else _decoded(value)


def _decoded(value: bytes) -> str:
    raw = value.rstrip(b"\x00")[: _MOST_CHARACTERS * 4]
    for encoding in ("utf-8", "gb18030"):
        try:
            text = raw.decode(encoding)
            break
        except UnicodeDecodeError:
            continue
    else:
        text = raw.decode("utf-8", "replace")
    return " ".join(_CONTROL.sub(" ", text).split())[:_MOST_CHARACTERS]


_short = functools.lru_cache(maxsize=1 << 12)(_decoded)  # devices of one model name their ports alike


def number(value: Value) -> Maybe[int]:
    """A number that is not negative."""
    return value if isinstance(value, int) and value >= 0 else UNKNOWN


def first_number(*values: Value) -> Maybe[int]:
    """The first of them that is one."""
    for value in values:
        if isinstance(value, int) and value >= 0:
            return value
    return UNKNOWN


def truth(value: Value) -> Maybe[bool]:
    """A TruthValue (RFC 2579): true(1), false(2)."""
    return value == 1 if value in (1, 2) else UNKNOWN


def percent(value: Value) -> float | None:
    """A share of 0 to 100: a number, or a text that holds one with a percent sign."""
    if isinstance(value, bytes):
        match = _PERCENT.search(text_of(value) or "")
        return percent_of(float(match[1])) if match else None
    return percent_of(value) if isinstance(value, int) else None


def percent_of(share: float) -> float | None:
    """The same, where it is one."""
    return round(float(share), 1) if 0 <= share <= 100 else None


def mac_text(value: Value) -> Maybe[str | None]:
    """A PhysAddress; None where it is empty or all zero."""
    if not isinstance(value, bytes) or len(value) > 20:
        return UNKNOWN
    return value.hex(":") if any(value) else None


def address_text(octets: Oid) -> str | None:
    """IPv4 or IPv6 text of 4, 8, 16 or 20 octets (the longer ones end in a zone). None where it is none
    or the unspecified address."""
    if any(octet > 255 for octet in octets) or not any(octets):
        return None
    raw = bytes(octets)
    if len(raw) in (4, 8):
        return ".".join(map(str, raw[:4]))
    return str(IPv6Address(raw[:16])) if len(raw) in (16, 20) else None
