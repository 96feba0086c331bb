"""网络安全等级保护自查报告: an assessment as a document, in the chapter order of the 2025 report.

Same chapters, tables and annexes as an assessor's report, so that data can be taken over; but it is a
self-check and says so: its own title, every verdict with its origin, unknowns in a column of their own,
ranges with coverage, chapter 4 left to people, chapter 7 as 自查初判.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from inventory.snapshot import Change
from policies.assessment import Assessment
from policies.outcome import Rule
from reports.dengbao.annexes import annexes
from reports.dengbao.body import described, overall, overview, results
from reports.dengbao.checks import check_consistency
from reports.dengbao.conclusions import conclusion, fixes, rates, risks
from reports.dengbao.front import front
from reports.dengbao.problems import problems
from reports.dengbao.wording import TITLE
from reports.document import Document
from reports.mask import masked

__all__ = ["check_consistency", "dengbao"]


def dengbao(
    assessment: Assessment,
    *,
    created_at: datetime,
    rules: Iterable[Rule] = (),
    marking: str = "内部",
    changes: Sequence[Change] | None = None,
    mask_addresses: bool = False,
) -> Document:
    """The self-check report of one system. ``rules`` give problems their titles and reasons (without them,
    a problem is called after its first finding). ``changes`` since the last snapshot; None = there is none
    to compare with. ``mask_addresses`` leaves the network part of addresses only."""
    found = problems(assessment, rules)
    document = Document(
        title=TITLE,
        subtitle=assessment.system.title,
        marking=marking,
        created_at=created_at,
        program=assessment.program,
        blocks=[
            *front(assessment, found),
            *overview(assessment),
            *described(assessment),
            *results(assessment, found),
            *overall(),
            *risks(assessment, found),
            *rates(assessment),
            *conclusion(assessment),
            *fixes(assessment, found),
            *annexes(assessment, found, changes),
        ],
    )
    if not mask_addresses:
        return document
    cites = {c.control.cite.partition(" ")[0] for c in assessment.controls}
    return masked(document, cites | {risk.case for risk in assessment.high_risks})
