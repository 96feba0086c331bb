"""Quantities as Kubernetes writes them: "250m", "512Mi", "1e3" (apimachinery, resource.Quantity)."""

from __future__ import annotations

import re
from functools import lru_cache

_SHAPE = re.compile(
    r"([+-]?\d{1,30}(?:\.\d{0,30})?|[+-]?\.\d{1,30})(?:([eE][+-]?\d{1,3})|([numkMGTPE]|[KMGTPE]i)?)", re.ASCII
)
_SCALE = {
    "n": 1e-9, "u": 1e-6, "m": 1e-3, "": 1.0, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15, "E": 1e18,
    "Ki": 2.0**10, "Mi": 2.0**20, "Gi": 2.0**30, "Ti": 2.0**40, "Pi": 2.0**50, "Ei": 2.0**60,
}  # fmt: skip


@lru_cache(maxsize=4096)
def quantity(text: str | float) -> float:
    """The number in its base unit: processors, bytes, pieces. Raises ValueError where it is none."""
    if isinstance(text, (int, float)):
        return float(text)
    found = _SHAPE.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"{text[:40]!r} 不是数量")
    number, exponent, suffix = found.groups()
    return float(number + exponent) if exponent else float(number) * _SCALE[suffix or ""]


def mebibytes(text: str | float) -> float:
    """Bytes as MiB."""
    return quantity(text) / 2**20


def gibibytes(text: str | float) -> float:
    """Bytes as GiB."""
    return quantity(text) / 2**30
