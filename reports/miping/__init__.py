"""商用密码应用安全性自查报告: an assessment of 密评 as a document, in the chapter order of the 2023 template.

Same chapters and records as an assessor's report, so that data can be taken over; but it is a self-check and
says so: its own title, scores as ranges, what nobody could see in a chapter of its own, and no annex on the
assessors' work.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from policies.assessment import Assessment
from policies.outcome import Rule
from reports.dengbao.problems import problems
from reports.document import Document
from reports.mask import masked
from reports.miping.annexes import annexes
from reports.miping.body import described, overview, scope
from reports.miping.conclusions import conclusion, risks
from reports.miping.front import front
from reports.miping.results import results, whole
from reports.miping.wording import TITLE

__all__ = ["miping"]


def miping(
    assessment: Assessment,
    *,
    created_at: datetime,
    rules: Iterable[Rule] = (),
    marking: str = "内部",
    mask_addresses: bool = False,
) -> Document:
    """The 密评 self-check of one system; parameters as of ``reports.dengbao.dengbao``. Raises TypeError for
    an assessment against another standard."""
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
            *scope(assessment),
            *results(assessment),
            *whole(assessment),
            *risks(assessment, found),
            *conclusion(assessment),
            *annexes(assessment),
        ],
    )
    return masked(document) if mask_addresses else document
