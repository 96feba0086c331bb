"""Running rules over a snapshot: one generated loop per kind, and what came of it.

Unseen is not passed. A value that was not seen makes the verdict unknown (unless nothing it could be would
change it), an error in evaluation does so too, a stale resource cannot pass, and a source whose collection
of the kind is not complete is a gap: resources may exist there that nobody saw.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from collections.abc import Collection as Members
from datetime import datetime
from typing import Any

import msgspec

from inventory.coverage import Collection, Status
from inventory.garbage import without_collector
from inventory.kinds import KINDS
from inventory.resource import Resource
from inventory.snapshot import Snapshot
from inventory.unknown import Unknown, UnknownValueError
from policies.expression import parse
from policies.freeze import freezer, printable, template
from policies.kleene import Answer, answer, told
from policies.loops import Check, Hits, check_of, fuse, run
from policies.outcome import Outcome, Rule
from policies.predicates.contract import UndecidedError
from policies.verdict import Finding, Unseen, Verdict

_PERMISSION = "检查该来源采集凭据的权限（zhengguan doctor 会列出所缺的），再重新采集"
_RECOLLECT = "重新采集该来源；采集失败的原因见采集情况"
_REPORT = "核对这个对象的取值；若取值正常，请报告此缺陷"
_BY_HAND = "程序判断不了，由人核对后作答"

Key = tuple[type[msgspec.Struct], str, str, str]


def key_of(rule: Rule) -> Key:
    """What identifies a rule's check."""
    return KINDS[rule.kind], rule.applies, rule.violates, rule.predicate


def evaluate(
    rules: Sequence[Rule],
    snapshot: Snapshot,
    *,
    members: Members[Resource] | None = None,
    now: datetime,
    sources: Members[str] | None = None,
) -> list[Outcome]:
    """Run checked rules (``load_rules``) over a snapshot, or over ``members`` of it. One outcome per rule,
    in the order of the rules. Gaps are reported for ``sources``, by default for every source of the
    snapshot. Never raises for what a resource holds."""
    by_kind: dict[str, list[int]] = {}
    for index, rule in enumerate(rules):
        by_kind.setdefault(rule.kind, []).append(index)
    of_kind = snapshot.of_kind if members is None else _by_kind(members)
    outcomes: list[Outcome | None] = [None] * len(rules)
    for kind, indexes in by_kind.items():
        rows = of_kind(kind)
        code = fuse(tuple(key_of(rules[index]) for index in indexes))
        stale = [i for i, row in enumerate(rows) if row.uid in snapshot.stale] if snapshot.stale else []
        view = _View(rows=rows, stale=stale, coverage=_Coverage(snapshot, kind, sources), now=now)
        for index, check, hits in zip(indexes, code[1], run(code, rows, now), strict=True):
            outcomes[index] = _outcome(rules[index], check, hits, view)
    return [outcome for outcome in outcomes if outcome is not None]


def _by_kind(members: Members[Resource]) -> Callable[[str], Sequence[Resource]]:
    found: dict[str, list[Resource]] = {}
    for member in members:
        found.setdefault(member.KIND, []).append(member)
    return lambda kind: found.get(kind, [])


class _View(msgspec.Struct, kw_only=True):
    """The resources of one kind as this evaluation sees them; ``stale`` are indexes."""

    rows: Sequence[Resource]
    stale: list[int]
    coverage: _Coverage
    now: datetime


def _outcome(rule: Rule, check: Check, hits: Hits, view: _View) -> Outcome:
    rows, coverage = view.rows, view.coverage
    unseen: list[Unseen] = []
    unknown: list[int] = []
    for index in hits.undecided:
        row = rows[index]
        decision = decide(check, row, view.now)
        if decision.verdict is Verdict.FAIL:
            hits.failed.append(index)
        elif decision.verdict is Verdict.NOT_APPLICABLE:
            hits.excluded.append(index)
        elif decision.verdict is Verdict.UNKNOWN:
            unknown.append(index)
            unseen.append(_unseen(rule, row, decision.missing, coverage.remedy(row.source, decision)))
    settled = {*hits.failed, *hits.excluded, *unknown} if view.stale else set()
    for index in (i for i in view.stale if i not in settled):
        since = printable(coverage.stale[rows[index].uid])
        unknown.append(index)
        unseen.append(_unseen(rule, rows[index], f"数据陈旧：最近一次看到是 {since}", _RECOLLECT))
    failed = sorted(hits.failed)
    return Outcome(
        rule=rule,
        resources=rows,
        failed=failed,
        unknown=sorted(unknown),
        excluded=sorted(hits.excluded),
        findings=_findings(rule, check, failed, view),
        unseen=unseen,
        gaps=coverage.gaps(rule.id),
    )


class Decision(msgspec.Struct, frozen=True):
    """One check on one resource. ``missing`` says for an unknown what stood in the way; ``remedy`` what to
    do about it, "" where seeing more would do."""

    verdict: Verdict
    missing: str = ""
    remedy: str = ""


def decide(check: Check, resource: Resource, now: datetime) -> Decision:
    """One check on one resource the slow way, with the reason where it cannot be told."""
    if check.applies:
        applies = answer(check.applies, resource, now)
        if applies.truth is False:
            return Decision(Verdict.NOT_APPLICABLE)
        if applies.truth is None:
            return _undecided(applies)
    if not check.violates:
        return _predicate(check, resource, now)
    violated = answer(check.violates, resource, now)
    if violated.truth is None:
        return _undecided(violated)
    return Decision(Verdict.FAIL if violated.truth else Verdict.PASS)


def _undecided(open_answer: Answer) -> Decision:
    if open_answer.missing:
        return Decision(Verdict.UNKNOWN, "、".join(open_answer.missing))
    return Decision(Verdict.UNKNOWN, printable("；".join(open_answer.errors)), _REPORT)


def _predicate(check: Check, resource: Resource, now: datetime) -> Decision:
    assert check.predicate is not None
    try:
        violated = check.predicate.call(resource, now)
    except UnknownValueError:
        return _undecided(Answer(None, _unseen_fields(resource, check.predicate.reads)))
    except UndecidedError as error:
        return Decision(Verdict.UNKNOWN, printable(str(error)), _BY_HAND)
    except Exception as error:  # noqa: BLE001 - hostile data must become unknown, whatever it breaks
        return _undecided(Answer(None, errors=(told(error),)))
    return Decision(Verdict.FAIL if violated else Verdict.PASS)


def _unseen_fields(resource: msgspec.Struct, paths: Iterable[str]) -> tuple[str, ...]:
    missing: dict[str, None] = {}
    for path in paths:
        values: list[Any] = [resource]
        for name in path.split("."):
            rows = name.endswith("[]")
            values = [getattr(value, name.removesuffix("[]")) for value in values]
            if any(isinstance(value, Unknown) for value in values):
                missing[path] = None
                break
            if rows:
                values = [row for value in values for row in value]
    return tuple(missing)


def _unseen(rule: Rule, resource: Resource, missing: str, remedy: str) -> Unseen:
    return Unseen(
        rule=rule.id,
        kind=rule.kind,
        source=resource.source,
        uid=resource.uid,
        name=_name(resource),
        missing=missing,
        remedy=remedy,
    )


def _findings(rule: Rule, check: Check, failed: list[int], view: _View) -> list[Finding]:
    if not failed:
        return []
    stale = frozenset(view.stale)
    rows, now = view.rows, view.now
    message = template(rule.message, KINDS[rule.kind])
    frozen = freezer(rule.evidence, check)
    controls = tuple(rule.controls.all())
    with without_collector():
        return [
            Finding(
                rule=rule.id,
                severity=rule.severity,
                uid=resource.uid,
                kind=rule.kind,
                source=resource.source,
                name=_name(resource),
                message=message.render(resource),
                fix=rule.fix,
                controls=controls,
                evidence=frozen.freeze(resource, now),
                stale=index in stale,
            )
            for index in failed
            for resource in (rows[index],)
        ]


def _name(resource: Resource) -> str:
    name = resource.name
    return resource.native_id if isinstance(name, Unknown) or not name else printable(name)


class _Coverage:
    """How far each source has been read, for one kind."""

    def __init__(self, snapshot: Snapshot, kind: str, sources: Members[str] | None) -> None:
        self.stale = snapshot.stale
        self.kind = kind
        self.attempts: dict[str, list[Collection]] = {}
        for collection in snapshot.collections:
            if collection.kind == kind and (sources is None or collection.source in sources):
                self.attempts.setdefault(collection.source, []).append(collection)

    def gaps(self, rule: str) -> list[Unseen]:
        """Sources where resources may exist that nobody saw. "Unsupported" is no gap: the source has no
        such thing."""
        seen_whole = (Status.COMPLETE, Status.UNSUPPORTED)
        gaps = []
        for source, attempts in self.attempts.items():
            short = [c for c in attempts if c.status not in seen_whole]
            if not short:
                continue
            title = KINDS[self.kind].TITLE
            reasons = dict.fromkeys(f"{c.status.label}（{c.reason or '没有说明原因'}）" for c in short)
            remedies = dict.fromkeys(c.remedy for c in short if c.remedy)
            gaps.append(
                Unseen(
                    rule=rule,
                    kind=self.kind,
                    source=source,
                    missing=f"{title}没有采全：{'；'.join(reasons)}",
                    remedy="；".join(remedies) or _PERMISSION,
                )
            )
        return gaps

    def remedy(self, source: str, decision: Decision) -> str:
        """What would show the missing values of a resource of this source."""
        if decision.remedy:
            return decision.remedy
        remedies = dict.fromkeys(c.remedy for c in self.attempts.get(source, ()) if c.remedy)
        return "；".join(remedies) or _PERMISSION


def gaps_of(snapshot: Snapshot, kind: str, told_as: str) -> list[Unseen]:
    """Sources where resources of a kind may exist that nobody saw; ``told_as`` stands for the rule."""
    return _Coverage(snapshot, kind, None).gaps(told_as)


class Filtered(msgspec.Struct, frozen=True):
    """Rows of a filter: those it takes, and those it cannot be told for."""

    matched: list[Resource]
    unknown: list[Resource]


def compile_filter(text: str, kind: str) -> Filter:
    """A filter for ``inventory KIND --where``. Raises ExpressionError with the place in the text, KeyError
    for no such kind."""
    parse(text, KINDS[kind])
    return Filter((KINDS[kind], "True", text, ""))


class Filter(msgspec.Struct, frozen=True):
    """A checked filter over one kind."""

    key: Key

    def split(self, resources: Sequence[Resource], now: datetime) -> Filtered:
        """The rows it takes; those it cannot be told for are apart, never dropped."""
        check = check_of(*self.key)
        [hits] = run(fuse((self.key,)), resources, now)
        unknown: list[int] = []
        for index in hits.undecided:
            verdict = decide(check, resources[index], now).verdict
            if verdict is Verdict.UNKNOWN:
                unknown.append(index)
            elif verdict is Verdict.FAIL:
                hits.failed.append(index)
        return Filtered([resources[i] for i in sorted(hits.failed)], [resources[i] for i in unknown])
