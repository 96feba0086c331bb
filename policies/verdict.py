"""Verdicts: the five answers, and what stands behind each."""

from __future__ import annotations

import enum
import hashlib
from typing import Any, Literal, TypeAlias

import msgspec

Severity = Literal["critical", "high", "medium", "low", "info"]
Effort = Literal["low", "medium", "high"]
"""What a fix takes on one resource: a setting; a change that others must agree to or that interrupts; new
equipment, a migration, a project."""
SEVERITIES: tuple[Severity, ...] = ("critical", "high", "medium", "low", "info")
SEVERITY_TITLE: dict[str, str] = {
    "critical": "严重",
    "high": "高",
    "medium": "中",
    "low": "低",
    "info": "提示",
}


class Verdict(enum.StrEnum):
    """符合 / 部分符合 / 不符合 / 不适用 / 未知. Unknown is never pass."""

    PASS = "pass"  # noqa: S105 - a verdict
    PARTIAL = "partial"
    FAIL = "fail"
    NOT_APPLICABLE = "not_applicable"
    UNKNOWN = "unknown"

    @property
    def label(self) -> str:
        return {
            "pass": "符合",
            "partial": "部分符合",
            "fail": "不符合",
            "not_applicable": "不适用",
            "unknown": "未知",
        }[self.value]


Bounds: TypeAlias = tuple[Verdict, Verdict]
"""What a verdict may still turn out to be: the worst and the best of fail, partial, pass."""


class Finding(msgspec.Struct, kw_only=True, frozen=True, gc=False):
    """A failed rule on a resource. ``evidence`` holds the field values the rule names, as they were;
    ``stale`` says that they are from an earlier run. ``id`` is the same at each run, whatever is
    given for it."""

    rule: str
    severity: Severity
    uid: str
    kind: str
    source: str
    name: str
    message: str
    fix: str
    controls: tuple[str, ...]
    evidence: dict[str, Any]
    stale: bool = False
    id: str = ""

    def __post_init__(self) -> None:
        msgspec.structs.force_setattr(self, "id", finding_id(self.rule, self.uid))


class Unseen(msgspec.Struct, kw_only=True, frozen=True, gc=False):
    """A rule that could not be decided: on one resource (``uid``), or on a whole kind of a source
    (``uid`` empty). ``missing`` names what was not seen, ``remedy`` what would show it."""

    rule: str
    kind: str
    source: str
    uid: str = ""
    name: str = ""
    missing: str = ""
    remedy: str = ""


def finding_id(rule: str, uid: str) -> str:
    """Stable id of a finding: 16 hex digits of SHA-256 over rule and uid."""
    return hashlib.sha256(f"{rule}\0{uid}".encode(errors="surrogatepass")).hexdigest()[:16]
