"""IPv6 就绪情况报告: the indicators against the year's targets, by system and department, and what stands
in the way.

The same document for every format; a page to read has its long lists cut, a spreadsheet has them whole.
"""

from __future__ import annotations

from datetime import datetime

from policies.ipv6.readiness import Readiness
from reports.document import BEIJING, Block, Document
from reports.ipv6 import addresses, chapters, method, sites
from reports.ipv6.cells import TITLE
from reports.ipv6.front import front

__all__ = ["PAGE_ROWS", "ipv6"]

PAGE_ROWS = 200
"""Rows of a long list on a page that people read."""
_ALL = 1_000_000  # rows that a sheet can hold


def ipv6(
    told: Readiness, *, created_at: datetime, program: str, marking: str = "内部", whole: bool = False
) -> Document:
    """The report of one snapshot. ``whole``: lists in full."""
    limit = _ALL if whole else PAGE_ROWS
    taken = told.snapshot.info.taken_at
    blocks: list[Block] = [
        *front(told),
        *chapters.steps(told),
        *chapters.systems(told, limit),
        *chapters.departments(told, limit),
        *chapters.indicators(told),
        *chapters.single_stack(told),
        *sites.sites(told, limit),
        *chapters.parity(told, limit),
        *addresses.addresses(told, limit),
        *chapters.obstacles(told, limit),
        *chapters.trend(told),
        *chapters.unseen(told),
        *method.method(told),
    ]
    return Document(
        title=TITLE,
        subtitle=f"{told.title or '全部来源'}，对照 {told.year} 年目标，"
        f"采集于 {taken.astimezone(BEIJING):%Y-%m-%d %H:%M}",
        marking=marking,
        created_at=created_at,
        program=program,
        blocks=blocks,
    )
