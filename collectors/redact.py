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
    r"(pass(word|wd|phrase)?|secret|token|community|private[_-]?key|priv[_-]?key|auth[_-]?key|api[_-]?key"
    r"|admin[_-]?pass|credential[_-]?blob|blob|user[_-]?data|cipher[_-]?text|x-auth-token|x-subject-token"
    r"|authorization|cookie|set-cookie)$",
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
_ASSIGNED = ("pass", "secret", "community", "key")  # one of them is in every match of _ASSIGNMENT
_ASSIGNMENT = re.compile(
    r"(?im)\b((?:[\w-]*(?:password|passwd|passphrase|secret|community|auth[_-]?key|priv[_-]?key|api[_-]?key))"
    r"\s*[:=]\s*)([^\s,;\"'][^\s,;]*)"
)
_SHORTEST = 4  # shorter values would mask half of every text


class Redactor:
    """Knows the secrets of one run. Cleaning is idempotent."""

    def __init__(self) -> None:
        self._values: list[str] = []

    def learn(self, value: str) -> None:
        """Mask this value from now on."""
        if len(value) >= _SHORTEST and value not in self._values:
            self._values.append(value)
            self._values.sort(key=len, reverse=True)

    def text(self, text: str) -> str:
        """Mask secrets in free text."""
        for value in self._values:
            text = text.replace(value, MASK)
        for mark, shape in _SHAPES:
            if mark in text:
                text = shape.sub(MASK, text)
        if ":" in text or "=" in text:
            folded = text.casefold()
            if any(word in folded for word in _ASSIGNED):
                text = _ASSIGNMENT.sub(rf"\g<1>{MASK}", text)
        return text

    def clean(self, content: bytes, media_type: str) -> bytes:
        """Mask secrets in an answer. JSON is cleaned by field name as well; JSON that does not parse, and
        every other media type, as text (bytes that are not UTF-8 are replaced)."""
        if media_type.endswith("json"):
            try:
                return json.dumps(
                    self.data(json.loads(content)), ensure_ascii=False, separators=(",", ":")
                ).encode()
            except (ValueError, RecursionError):
                pass
        return self.text(content.decode("utf-8", "replace")).encode()

    def data(self, data: Any) -> Any:
        """Mask secrets in decoded JSON."""
        if isinstance(data, dict):
            return {
                key: MASK
                if isinstance(value, str) and value and _names_secret(str(key))
                else self.data(value)
                for key, value in data.items()
            }
        if isinstance(data, list):
            return [self.data(item) for item in data]
        return self.text(data) if isinstance(data, str) else data


@lru_cache(maxsize=4096)
def _names_secret(name: str) -> bool:
    return bool(_NAME.search(name)) and not _HARMLESS_NAME.search(name)
