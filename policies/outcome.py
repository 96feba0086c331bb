"""A rule, and what came of running it: the contract between the engine and the assessment."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Literal

import msgspec

from inventory.resource import Resource
from policies.verdict import Effort, Finding, Severity, Unseen, Verdict


class ControlLinks(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Controls a rule speaks to. Failing it fails the control for that object either way. Passing
    ``decides`` answers the control for that object together with every other rule that decides it;
    passing ``supports`` is evidence only, and the rest stays a person's to answer."""

    decides: list[str] = msgspec.field(default_factory=list)
    supports: list[str] = msgspec.field(default_factory=list)

    def all(self) -> list[str]:
        return [*self.decides, *self.supports]


class Examples(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The rule's own tests: field values of its kind, by expected verdict."""

    bad: list[dict[str, Any]]
    good: list[dict[str, Any]]
    unknown: list[dict[str, Any]]
    not_applicable: list[dict[str, Any]] = msgspec.field(default_factory=list)


class Denies(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Units of 密评 by what a failure denies of them: D 使用有效性, A 算法和技术合规性."""

    D: list[str] = msgspec.field(default_factory=list)
    A: list[str] = msgspec.field(default_factory=list)

    def items(self) -> tuple[tuple[Literal["D", "A"], list[str]], ...]:
        return ("D", self.D), ("A", self.A)


class Rule(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One machine check on one kind. ``id`` is the file's name. ``applies`` and ``violates`` are
    expressions over ``it`` (the resource) and ``now``; ``predicate`` names a Python predicate instead of
    ``violates``. ``evidence`` lists the fields a finding freezes; ``high_risk`` the cases (of any standard's
    guideline) that a failure meets; ``why`` and ``fix`` are for the reader (中文).

    密评 alone: ``denies`` tells of which units in ``supports`` a failure shows that D (使用有效性) or A
    (算法和技术合规性) is not met; to the others it is a clue. No rule shows that D, A or K is met.
    ``effort`` of the fix on one resource, where it is not that of the kind (``policies.priorities``)."""

    id: str = ""
    title: str
    title_en: str
    kind: str
    severity: Severity
    applies: str = "True"
    violates: str = ""
    predicate: str = ""
    evidence: list[str]
    message: str
    why: str
    fix: str
    controls: ControlLinks
    high_risk: list[str] = msgspec.field(default_factory=list)
    denies: Denies = msgspec.field(default_factory=Denies)
    effort: Effort | Literal[""] = ""
    examples: Examples
    path: str = ""


class Outcome(msgspec.Struct, kw_only=True):
    """One rule over the resources of its kind. The lists hold indexes into ``resources``; what is in none
    of them passed. ``stale`` uids that would have passed are in ``unknown``. ``gaps`` are sources whose
    collection of this kind is not complete: resources may exist there that nobody saw."""

    rule: Rule
    resources: Sequence[Resource]
    failed: list[int]
    unknown: list[int]
    excluded: list[int]
    findings: list[Finding]
    unseen: list[Unseen]
    gaps: list[Unseen]

    def verdicts(self) -> Iterator[tuple[Resource, Verdict]]:
        """Each resource with its verdict, in order."""
        special = dict.fromkeys(self.failed, Verdict.FAIL)
        special.update(dict.fromkeys(self.unknown, Verdict.UNKNOWN))
        special.update(dict.fromkeys(self.excluded, Verdict.NOT_APPLICABLE))
        for index, resource in enumerate(self.resources):
            yield resource, special.get(index, Verdict.PASS)
