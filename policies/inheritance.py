"""Inheritance (继承): what a tenant takes over from its cloud platform's own valid report. Pure.

Of the items that the tenant names as the platform's, and of those alone:

- what is still open takes the verdict of the platform's report;
- what was seen of the tenant itself stands: a failure is never hidden, and where a rule looks and could not
  see, the item stays open, because what it did not see might be a failure;
- what the report says is not met is not met here either.

Where the responsibilities (``policies.responsibilities``) give an item to both, the platform's word closes no
more than the platform's half: what its report says is not met is not met here, and the rest stays the
tenant's. An item that they give to the customer alone is not taken over.

A report that has expired, or of a platform graded lower than the tenant, gives nothing, and it is told why.
An S or A item is not taken from a platform that was assessed at a lower level for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Final, Literal

import msgspec

from inventory.systems import OF_PROVIDER, Grade, PlatformReport, System
from policies.assessment import ControlVerdict, Inheritance, Who
from policies.assets import OBJECT_TITLE
from policies.bounds import UNSEEN, bounds_of, told, verdict_of
from policies.responsibilities import names
from policies.verdict import Bounds, Verdict

_BY_RANK: Final = (Verdict.FAIL, Verdict.PARTIAL, Verdict.PASS)
_RANK: Final = {verdict: rank for rank, verdict in enumerate(_BY_RANK)}
_TYPES: Final = frozenset(OBJECT_TITLE.values())
FROM: Final = "dengbao"
"""The standard that reports of platforms are about."""


def with_inherited(
    controls: Sequence[ControlVerdict],
    system: System,
    standards: Sequence[str],
    today: date,
    warn_days: int,
) -> tuple[list[ControlVerdict], Inheritance | None]:
    """The controls, those that are inherited replaced, and what became of the platform's report; None where
    the system has none, or the standards (one, and those it starts from) are not 等保."""
    report = system.platform
    if report is None or FROM not in standards:
        return list(controls), None
    state, why = _state(report, system.graded, today)
    words = {c.control.id: word for c in controls if (word := _said(c, report)) is not None}
    own = tuple(c.control.id for c in controls if c.control.id in words and _who(c) == "customer")
    said = {id_: word for id_, word in words.items() if id_ not in own}
    weaker = {
        c.control.id
        for c in controls
        if c.control.id in said and _level(report, c.control.sag) < _level(system, c.control.sag)
    }
    taken: list[str] = []
    kept: list[str] = []
    made: list[ControlVerdict] = []
    for control in controls:
        id_ = control.control.id
        if state != "in_force" or id_ not in said or id_ in weaker:
            made.append(control)
            continue
        new = _inherited(control, said[id_], report)
        (taken if new.origin == "inherited" else kept).append(id_)
        made.append(new)
    left = (report.valid_until - today).days
    return made, Inheritance(
        report=report,
        state=state,
        why=why,
        days_left=left,
        expiring=0 <= left <= warn_days,
        taken=tuple(taken),
        kept=tuple(kept),
        weaker=tuple(c.control.id for c in controls if c.control.id in weaker),
        unmatched=_unmatched(controls, report),
        own=own,
    )


def _state(
    report: PlatformReport, grade: Grade, today: date
) -> tuple[Literal["in_force", "expired", "lower_grade"], str]:
    if report.valid_until < today:
        days = (today - report.valid_until).days
        return "expired", f"平台测评报告有效期至 {report.valid_until}，已过 {days} 天，不再继承"
    if report.graded.g < grade.g:
        return "lower_grade", f"平台定级 {report.graded} 低于本系统 {grade}，不能继承"
    return "in_force", ""


def _level(of: PlatformReport | System, sag: str) -> int:
    return {"S": of.graded.s, "A": of.graded.a, "G": of.graded.g}[sag]


def _who(control: ControlVerdict) -> Who | None:
    return control.duty.who if control.duty else None


def _said(control: ControlVerdict, report: PlatformReport) -> Verdict | None:
    """What the report says of a control; None where it is not the platform's."""
    id_ = control.control.id
    if not id_.startswith(f"{FROM}/"):
        return None
    for words, verdict in (
        (report.failed, Verdict.FAIL),
        (report.partial, Verdict.PARTIAL),
        (report.items, Verdict.PASS),
    ):
        if any(names(word, id_, FROM) for word in words):
            return verdict
    return Verdict.PASS if OF_PROVIDER in report.items and _who(control) == "provider" else None


def _unmatched(controls: Sequence[ControlVerdict], report: PlatformReport) -> tuple[str, ...]:
    ids = [c.control.id for c in controls]
    words = dict.fromkeys(report.named())
    return tuple(word for word in words if not any(names(word, id_, FROM) for id_ in ids))


def _inherited(control: ControlVerdict, said: Verdict, report: PlatformReport) -> ControlVerdict:
    """A control with the platform's verdict in it; itself where the tenant's own stands."""
    if control.verdict is Verdict.NOT_APPLICABLE:
        return control
    own = bounds_of(control)
    open_ = control.verdict is Verdict.UNKNOWN and _who(control) != "both" and not _blind(control)
    limits = (said, said) if open_ else (Verdict.FAIL, said)
    bounds = within(own, limits)
    if limits == UNSEEN:
        return control
    if bounds == own:
        return msgspec.structs.replace(control, inherited=limits)
    verdict = verdict_of(bounds)
    text = f"继承云平台测评结论：{said.label}（{report.told}）"
    return msgspec.structs.replace(
        control,
        verdict=verdict,
        origin="inherited",
        bounds=told(bounds),
        reason=text if open_ else f"{text}；本系统：{control.reason}",
        inherited=limits,
    )


def _blind(control: ControlVerdict) -> bool:
    """Whether a rule that looks at the tenant's own could not see all of it."""
    unseen = any(v is Verdict.UNKNOWN for o in control.objects for v in o.checks.values())
    return unseen or any(what not in _TYPES for what in control.uncovered)


def within(own: Bounds, limits: Bounds) -> Bounds:
    """Bounds held between what a platform's report lets them be: of a part of a control as of the whole, so
    that a score by parts is as sound as one by items."""
    floor, cap = (_RANK[v] for v in limits)
    low, high = (_BY_RANK[min(max(_RANK[v], floor), cap)] for v in own)
    return low, high


def inheritance_line(found: Inheritance) -> str:
    """What became of a platform's report, in one line (中文)."""
    if found.state != "in_force":
        return f"{found.report.told}：{found.why}"
    parts = [f"继承 {len(found.taken)} 项"]
    parts += [f"{len(found.kept)} 项以本系统所见为准"] if found.kept else []
    parts += [f"{len(found.weaker)} 项平台的 S 或 A 级别较低，不继承"] if found.weaker else []
    parts += [f"{len(found.own)} 项按责任划分由云服务客户负责，不继承"] if found.own else []
    parts += [f"{'、'.join(found.unmatched)} 不对应任何要求项"] if found.unmatched else []
    parts += [f"还有 {found.days_left} 天到期"] if found.expiring else []
    return f"{found.report.told}：{'，'.join(parts)}"
