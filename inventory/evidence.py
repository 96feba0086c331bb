"""Evidence: the redacted bytes a value came from, addressed by their content."""

from __future__ import annotations

import hashlib
from datetime import datetime

import msgspec


class Evidence(msgspec.Struct, kw_only=True, frozen=True):
    """``id`` is the SHA-256 of ``content``. ``origin`` tells what was asked ("GET /servers/detail",
    "ifTable 1.3.6.1.2.1.2.2", "sshd -T"); it holds no secret either."""

    id: str
    source: str
    origin: str
    media_type: str
    captured_at: datetime
    content: bytes

    @classmethod
    def of(
        cls, content: bytes, *, source: str, origin: str, media_type: str, captured_at: datetime
    ) -> Evidence:
        """Address already redacted bytes. Collectors go through ``collectors.redact`` to get here."""
        digest = hashlib.sha256(content).hexdigest()
        return cls(
            id=digest,
            source=source,
            origin=origin,
            media_type=media_type,
            captured_at=captured_at,
            content=content,
        )
