"""Collections: what a run attempted to read, and how far it got.

Absence is evidence only where the collection is complete, and complete means that the credential was
shown to see everything. Every other status leaves the earlier rows in place, marked stale.
"""

from __future__ import annotations

import enum
from datetime import datetime

import msgspec

from inventory.evidence import Evidence
from inventory.resource import Resource


class Status(enum.StrEnum):
    """How one attempt at one (source, scope, kind) ended."""

    COMPLETE = "complete"  # everything there is was seen
    PARTIAL = "partial"  # some rows were seen, others may exist
    DENIED = "denied"  # the credential may not see it, or was not shown to see all of it
    UNSUPPORTED = "unsupported"  # the source has no such thing (service not in the catalogue, no MIB)
    FAILED = "failed"  # unreachable, timed out, or answered nonsense

    @property
    def label(self) -> str:
        """中文 word for reports and tables."""
        return {
            "complete": "完整",
            "partial": "部分",
            "denied": "无权限",
            "unsupported": "不支持",
            "failed": "失败",
        }[self.value]


class Collection(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One attempt. ``reason`` (中文) says why it is not complete and ``remedy`` what would make it so
    (for a denial: the permission). ``evidence`` holds ids of the answers it rests on."""

    source: str
    kind: str
    status: Status
    started_at: datetime
    ended_at: datetime
    scope: str = ""
    count: int = 0
    reason: str = ""
    remedy: str = ""
    evidence: list[str] = msgspec.field(default_factory=list)


class Batch(msgspec.Struct, kw_only=True):
    """What a collector hands over at once: resources, how complete they are, and the bytes behind them.
    A collection is reported once, when its last resource has been handed over."""

    resources: list[Resource] = msgspec.field(default_factory=list)
    collections: list[Collection] = msgspec.field(default_factory=list)
    evidence: list[Evidence] = msgspec.field(default_factory=list)
