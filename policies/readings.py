"""Readings: what each rule found on each asset.

A reading is a set of bits, because a verdict over many resources depends only on which answers occur. The
cost is one step per resource of a kind, once for all rules on it, and one per answer that is not a pass.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Final

import msgspec

from inventory.kinds import KINDS
from inventory.resource import Resource
from inventory.selectors import Selector
from inventory.systems import System
from policies.assets import Estate
from policies.outcome import Outcome
from policies.verdict import Unseen

PASS: Final = 1
FAIL: Final = 2
BLIND: Final = 4  # something was not seen
NONE_APPLIES: Final = 8  # a resource the rule does not apply to
_ANSWERED: Final = PASS | FAIL | BLIND
_MENDED: Final = bytes(mask & ~FAIL | PASS if mask & FAIL else mask for mask in range(256))


class Readings(msgspec.Struct, kw_only=True, frozen=True):
    """For each outcome, by its index: the bits of every asset, in the order of the estate (0 = the rule
    met nothing of it); asset → ids of findings; asset → what was missing there (中文); and the sources
    that may hold whole assets which nobody saw."""

    masks: list[bytearray]
    findings: list[dict[str, list[str]]]
    missing: list[dict[str, str]]
    lost: list[tuple[str, ...]]


def readings_of(outcomes: Sequence[Outcome], estate: Estate, gaps: Sequence[Sequence[Unseen]]) -> Readings:
    """Readings of all outcomes; ``gaps`` are those of each outcome that concern the system."""
    readings = Readings(masks=[], findings=[], missing=[], lost=[])
    position = {asset.uid: i for i, asset in enumerate(estate.assets)}
    at = {uid: position[owner] for uid, owner in estate.owner.items()}
    holdings: dict[int, _Holding] = {}
    for outcome, open_ in zip(outcomes, gaps, strict=True):
        key = id(outcome.resources)
        if key not in holdings:
            holdings[key] = _holding(outcome.resources, at, len(position))
        masks = _masks(outcome, holdings[key])
        missing: dict[str, str] = {}
        for unseen in outcome.unseen:
            if asset := estate.owner.get(unseen.uid):
                missing.setdefault(asset, _text(unseen))
        lost = []
        for gap in open_:
            held = estate.holders(gap.source, gap.kind)
            for asset in held:
                # a finding stands; a pass beside rows that nobody saw does not
                masks[position[asset]] = masks[position[asset]] & ~NONE_APPLIES | BLIND
                missing.setdefault(asset, _text(gap))
            if not held:
                lost.append(f"{gap.source} 的{_title(gap.kind)}")
        readings.masks.append(masks)
        readings.findings.append(_findings(outcome, estate))
        readings.missing.append(missing)
        readings.lost.append(tuple(lost))
    return readings


def mended(readings: Readings, fixed: Collection[int]) -> Readings:
    """The same readings, had these outcomes found nothing wrong."""
    masks, findings = list(readings.masks), list(readings.findings)
    for index in fixed:
        masks[index] = bytearray(readings.masks[index].translate(_MENDED))
        findings[index] = {}
    return msgspec.structs.replace(readings, masks=masks, findings=findings)


def relevant_gaps(system: System, outcomes: Sequence[Outcome], estate: Estate) -> list[list[Unseen]]:
    """For each outcome, the gaps that may hide resources of this system."""
    may = _relevance(system, estate)
    return [[gap for gap in outcome.gaps if may(gap)] for outcome in outcomes]


def relevant(system: System, gaps: Sequence[Unseen], estate: Estate) -> list[Unseen]:
    """Of some gaps, those that may hide resources of this system."""
    return list(filter(_relevance(system, estate), gaps))


def _relevance(system: System, estate: Estate) -> Callable[[Unseen], bool]:
    sources = {uid.split("/", 1)[0] for uid in estate.owner}

    def may(gap: Unseen) -> bool:
        taken = any(_may_take(selector, gap, sources) for selector in system.include)
        return taken and not any(_leaves_out(selector, gap) for selector in system.exclude)

    return may


def _leaves_out(selector: Selector, gap: Unseen) -> bool:
    """Whether an excluding selector takes all that a gap hides, whatever it is."""
    if any((selector.names, selector.labels, selector.projects, selector.namespaces, selector.addresses)):
        return False
    return (not selector.kinds or gap.kind in selector.kinds) and (
        not selector.sources or any(fnmatchcase(gap.source, pattern) for pattern in selector.sources)
    )


def _may_take(selector: Selector, gap: Unseen, sources: set[str]) -> bool:
    """Whether a selector could take what a gap hides. One by projects or namespaces takes nothing outside
    clouds that hold them; names, labels and addresses of what nobody saw might match."""
    if selector.kinds and gap.kind not in selector.kinds:
        return False
    if selector.sources:
        return any(fnmatchcase(gap.source, pattern) for pattern in selector.sources)
    return gap.source in sources or not (selector.projects or selector.namespaces)


class _Holding(msgspec.Struct, frozen=True):
    """The resources of one kind: the position of each one's asset (−1 = no member of the system), how many
    each asset has, and the bits of a rule that all of them pass."""

    owners: list[int]
    counts: dict[int, int]
    passed: bytes


def _holding(resources: Sequence[Resource], at: Mapping[str, int], assets: int) -> _Holding:
    owners = [at.get(r.uid, -1) for r in resources]
    counts = dict(Counter(owners))
    counts.pop(-1, None)
    passed = bytearray(assets)
    for place in counts:
        passed[place] = PASS
    return _Holding(owners, counts, bytes(passed))


def _masks(outcome: Outcome, holding: _Holding) -> bytearray:
    masks = bytearray(holding.passed)
    left: dict[int, int] = {}
    for bit, indexes in ((FAIL, outcome.failed), (BLIND, outcome.unknown), (NONE_APPLIES, outcome.excluded)):
        for index in indexes:
            owner = holding.owners[index]
            if owner >= 0:
                left[owner] = left.get(owner, holding.counts[owner]) - 1
                masks[owner] |= bit
    for owner, passing in left.items():
        if not passing:
            masks[owner] &= ~PASS
        if masks[owner] & _ANSWERED:
            masks[owner] &= ~NONE_APPLIES
    return masks


def _findings(outcome: Outcome, estate: Estate) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for finding in outcome.findings:
        if owner := estate.owner.get(finding.uid):
            found.setdefault(owner, []).append(finding.id)
    return found


def _text(unseen: Unseen) -> str:
    text = f"没有看到：{unseen.missing or _title(unseen.kind)}"
    return f"{text}（{unseen.remedy}）" if unseen.remedy else text


def _title(kind: str) -> str:
    return KINDS[kind].TITLE if kind in KINDS else kind
