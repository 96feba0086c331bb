"""资源容量与使用情况报告: how full everything is, who has it, what can be reclaimed, what still fits.

The same document for every format; a page to read has its long lists cut, a spreadsheet has them whole.
"""

from __future__ import annotations

from datetime import datetime

from inventory.usage import Estate
from reports.capacity import chapters, owners
from reports.capacity.cells import TITLE
from reports.capacity.front import front
from reports.capacity.peaks import BUSIEST, peaks
from reports.document import BEIJING, Block, Document

__all__ = ["PAGE_ROWS", "capacity"]

PAGE_ROWS = 200
"""Rows of a long list (per reason, of the idle) on a page that people read."""
_ALL = 1_000_000  # rows that a sheet can hold


def capacity(
    estate: Estate, *, created_at: datetime, program: str, marking: str = "内部", whole: bool = False
) -> Document:
    """The report of one snapshot; ages count until the snapshot was taken. ``whole``: lists in full."""
    limit = _ALL if whole else PAGE_ROWS
    taken = estate.snapshot.info.taken_at
    sources = len({c.source for c in estate.snapshot.collections})
    blocks: list[Block] = [
        *front(estate),
        *chapters.capacity(estate),
        *owners.departments(estate),
        *owners.projects(estate, limit),
        *owners.waste(estate, taken, limit),
        *chapters.fitting(estate),
        *chapters.load(estate),
        *peaks(estate, _ALL if whole else BUSIEST),
        *chapters.coverage(estate),
        *chapters.method(),
    ]
    return Document(
        title=TITLE,
        subtitle=f"{sources} 个来源，采集于 {taken.astimezone(BEIJING):%Y-%m-%d %H:%M}",
        marking=marking,
        created_at=created_at,
        program=program,
        blocks=blocks,
    )
