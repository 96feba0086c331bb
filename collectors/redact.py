"""Masking of secrets before anything is stored, logged or shown.

Three nets, one over the other: values that this run resolved as secrets, fields whose name says that
they hold one, and shapes that are secrets wherever they stand (private keys, crypt hashes, tokens).
"""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import Any

MASK = "******"

_NAME = re.compile(
    r"(pass(word|wd|phrase)?|secret|token|community([_-]?(name|string))?|private[_-]?key|priv[_-]?key|auth[_-]?key|api[_-]?key|access[_-]?key"
    r"|admin[_-]?pass|credential[_-]?blob|blob|user[_-]?data|cipher[_-]?text|x-auth-token|x-subject-token"
    r"|authorization|cookie|set-cookie)s?$",
    re.IGNORECASE,
)
_HARMLESS_NAME = re.compile(
    r"(_ref|_expires_at|_enabled|_algorithm|_type|_uuid|_days|_policy)$", re.IGNORECASE
)
# each shape with text that it cannot do without: looking for that first costs a tenth of the expression
_SHAPES = (
    (
        "-----BEGIN ",
        re.compile(
            r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----.*?(-----END [A-Z0-9 ]*PRIVATE KEY-----|\Z)", re.DOTALL
        ),
    ),
    ("$", re.compile(r"\$(?:1|2[abxy]?|5|6|7|y|gy|sm3|argon2\w*|pbkdf2\w*)\$[^\s:\"',]{8,}")),
    ("gAAAAA", re.compile(r"\bgAAAAA[\w-]{40,}={0,2}")),  # Fernet: Keystone tokens and receipts
    ("eyJ", re.compile(r"\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]{8,}")),  # JWT
    ("@", re.compile(r"(?<=://)[^/\s:@]+:[^/\s@]+(?=@)")),  # user:password in a URL
)
# Assignments in text, and in JSON that is cut off or no JSON. What stands before the word does not matter,
# and no unbounded repetition comes before it: device text must not make a match quadratic.
_WORD = (
    r"(?:password|(?<!no)passwd|passphrase|secret|token|community|authorization|cookie|(?:auth|priv|private|api|access)"
    r"[_-]?key|admin[_-]?pass)s?[\"']?\s{0,8}[:=]\s{0,8}"
)
_ASSIGNED = (
    "pass",
    "secret",
    "token",
    "community",
    "authorization",
    "cookie",
    "key",
)  # one is in every match
_HEADER = re.compile(r"(?i)((?:authorization|cookie)[ \t]{0,8}[:=][ \t]{0,8})[^\s\"'].*")
_QUOTED = re.compile(rf"(?is)({_WORD})([\"'])(?:(?!\2)[^\\]|\\.)+")
_ASSIGNMENT = re.compile(rf"(?i)({_WORD})[^\s,;\"'\[{{][^\s,;}}]*")
_SHORTEST = 4  # shorter values would mask half of every text


class Redactor:
    """Knows the secrets of one run. Cleaning is idempotent."""

    def __init__(self) -> None:
        self._values: list[str] = []

    def learn(self, value: str) -> None:
        """Mask this value from now on (shorter than four characters: only where its name betrays it)."""
        if len(value) >= _SHORTEST and value.strip("*") and value not in self._values:
            self._values.append(value)
            self._values.sort(key=len, reverse=True)

    def values(self, text: str) -> str:
        """Mask the values that were learned, and what is a secret by its shape: for text made of fields
        whose names are our own and hold none, such as an encoded resource."""
        for value in self._values:
            text = text.replace(value, MASK)
        for mark, shape in _SHAPES:
            if mark in text:
                text = shape.sub(MASK, text)
        return text

    def text(self, text: str) -> str:
        """Mask secrets in free text."""
        text = self.values(text)
        if ":" in text or "=" in text:
            folded = text.casefold()
            if any(word in folded for word in _ASSIGNED):
                text = _HEADER.sub(rf"\g<1>{MASK}", text)
                text = _QUOTED.sub(rf"\g<1>\g<2>{MASK}", text)
                text = _ASSIGNMENT.sub(rf"\g<1>{MASK}", text)
        return text

    def clean(self, content: bytes, media_type: str) -> bytes:
        """Mask secrets in an answer. JSON is cleaned by field name as well; JSON that does not parse, and
        every other media type, as text (bytes that are not UTF-8 are replaced)."""
        if media_type.partition(";")[0].strip().endswith("json"):
            try:
                data = self.data(json.loads(content))
                # A lone surrogate has no UTF-8 and stays an escape.
                compact = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
                if not compact.isascii() and _has_surrogate(compact):
                    compact = json.dumps(data, separators=(",", ":"))
                return compact.encode()
            except (ValueError, RecursionError):
                pass
        return self.text(content.decode("utf-8", "replace")).encode()

    def data(self, data: Any) -> Any:
        """Mask secrets in decoded JSON."""
        if isinstance(data, dict):
            return {
                self.text(key): _masked(self, value) if _names_secret(key) else self.data(value)
                for key, value in ((str(key), value) for key, value in data.items())
            }
        if isinstance(data, list):
            return [self.data(item) for item in data]
        return self.text(data) if isinstance(data, str) else data


def _masked(redactor: Redactor, value: Any) -> Any:
    """What stands under a name that betrays a secret. Small numbers are counts, not secrets."""
    if isinstance(value, str):
        return MASK if value else value
    if isinstance(value, list):
        return [_masked(redactor, item) for item in value]
    if (
        isinstance(value, (int, float))
        and not isinstance(value, bool)
        and abs(value) >= 10 ** (_SHORTEST - 1)
    ):
        return MASK
    return redactor.data(value)


def _has_surrogate(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


@lru_cache(maxsize=4096)
def _names_secret(name: str) -> bool:
    return bool(_NAME.search(name)) and not _HARMLESS_NAME.search(name)
