"""How 密评 takes an algorithm: compliant, sufficient but not domestic, weak, prohibited.

The table is ``algorithms.yaml`` beside this module. A grade is of an observation, evidence for the D and the
A of a unit; it is no verdict of a 密评 and says nothing of keys.
"""

from __future__ import annotations

import re
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Literal

import msgspec

from policies.yaml_text import read_yaml, typed

GradeName = Literal["compliant", "non-domestic", "weak", "prohibited"]
Verified = Literal["guide", "registry", "openssl", "vendor", "memory"]


class Grade(msgspec.Struct, kw_only=True, frozen=True):
    """``a``: the A of a unit is met (√); else ``ra`` is what the method leaves of it. ``bits``: security
    strength where the table tells it; ``verified``: what the row rests on; ``note`` 中文."""

    name: GradeName
    title: str
    a: bool
    ra: Decimal
    verified: Verified
    bits: int | None = None
    note: str = ""


class _Words(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    title: str
    a: bool
    ra: Decimal


class _Row(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    grade: GradeName
    verified: Verified
    name: str = ""
    pattern: str | None = None
    type: str = ""
    hash: str = ""
    below: int | None = None
    bits: int | None = None
    ra: Decimal | None = None
    note: str = ""


class _Table(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    grades: dict[GradeName, _Words]
    protocols: tuple[_Row, ...]
    suites: tuple[_Row, ...]
    keys: tuple[_Row, ...]
    signatures: tuple[_Row, ...]
    ssh: tuple[_Row, ...]
    ike: tuple[_Row, ...]


@cache
def _table() -> _Table:
    return typed(read_yaml(Path(__file__).parent / "algorithms.yaml"), _Table)


def _grade(row: _Row) -> Grade:
    words = _table().grades[row.grade]
    return Grade(
        name=row.grade,
        title=words.title,
        a=words.a,
        ra=words.ra if row.ra is None else row.ra,
        verified=row.verified,
        bits=row.bits,
        note=row.note,
    )


@cache
def of_protocol(version: str) -> Grade | None:
    """A version of TLS, SSL, TLCP, SSH or IKE by its name in the inventory; None where the table has none."""
    return next((_grade(row) for row in _table().protocols if row.name == version), None)


@cache
def of_suite(name: str) -> Grade | None:
    """A cipher suite by its name; None for a bare code point, of which nothing is known."""
    rows = _table().suites
    exact = next((row for row in rows if row.name == name), None)
    if exact is None and not name.startswith("TLS_"):
        return None
    found = exact or next(row for row in rows if row.pattern is not None and re.search(row.pattern, name))
    return _grade(found)


@cache
def of_key(key_type: str, bits: int) -> Grade | None:
    """A public key by type (RSA, DSA, EC, SM2, Ed25519, Ed448, DH) and length; None for another type."""
    rows = [row for row in _table().keys if row.type == key_type]
    return next((_grade(row) for row in rows if row.below is None or bits < row.below), None)


@cache
def of_signature(algorithm: str, hash_: str | None) -> Grade | None:
    """A certificate's signature by algorithm and hash; None where the table has neither."""
    rows = _table().signatures
    by_name = next((row for row in rows if row.name and row.name == algorithm), None)
    by_hash = next((row for row in rows if row.hash and row.hash == hash_), None)
    found = by_name or by_hash
    return None if found is None else _grade(found)


@cache
def of_ssh(name: str) -> Grade | None:
    """A key exchange, host key, cipher or MAC of SSH by its name; None for one that nobody here knows."""
    return _by_pattern(_table().ssh, name)


@cache
def of_ike(name: str) -> Grade | None:
    """A cipher, hash or integrity algorithm of IKE by its name in the inventory; None for a bare number."""
    return _by_pattern(_table().ike, name)


def _by_pattern(rows: tuple[_Row, ...], name: str) -> Grade | None:
    found = next((row for row in rows if row.pattern is not None and re.search(row.pattern, name)), None)
    return None if found is None else _grade(found)
