"""Exceptions (例外): deviations that somebody accepted, for a reason and for a time.

A file of them is reviewed and versioned like a file of rules. An exception changes no verdict and no score:
an accepted risk is a failed requirement all the same, and is shown as accepted. A rule that is wrong for a
resource is mended in the rule (``applies``), not excepted. Whether each one still fits is told at every run.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path

import msgspec

from inventory.selectors import select
from inventory.snapshot import Snapshot
from policies.answers import WARN_DAYS
from policies.assessment import Assessment, ExceptionState, ExceptionUse, PolicyException
from policies.standards import Standard, StandardError, available, load_standard
from policies.yaml_text import YamlError, YamlText, read_yaml, typed

STATE_WORD: Mapping[ExceptionState, str] = {
    "matched": "匹配",
    "unused": "未用到",
    "expired": "已过期",
    "unknown": "指向不存在",
}
_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_TEXTS = ("reason", "owner", "approver")
_HINTS = {
    "scope": "写选择条件，例如 scope: [{sources: [core-switch], names: [sw-old-*]}]",
    "reason": "为什么接受这个偏离",
    "owner": "谁负责到期前整改",
    "approver": "谁批准的",
    "expires": "到哪一天，例如 2027-03-31",
}


class _File(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    exceptions: list[PolicyException]


class ExceptionsError(Exception):
    """Exceptions are refused; ``errors`` holds one for each thing that is wrong, in file order."""

    def __init__(self, errors: list[YamlError]) -> None:
        super().__init__("\n".join(map(str, errors)))
        self.errors = errors


def load_exceptions(paths: Iterable[Path]) -> list[PolicyException]:
    """All exceptions of some files, in order. Raises ExceptionsError with all that is wrong."""
    found: dict[str, PolicyException] = {}
    errors: list[YamlError] = []
    for path in paths:
        try:
            source = read_yaml(path)
            file = typed(source, _File, hints=_HINTS)
        except YamlError as error:
            errors.append(error)
            continue
        for index, one in enumerate(file.exceptions):
            errors += _wrong(one, source, index, found)
            found.setdefault(one.id, one)
    if errors:
        raise ExceptionsError(errors)
    return list(found.values())


def _wrong(
    one: PolicyException, source: YamlText, index: int, before: Collection[str]
) -> Iterable[YamlError]:
    at = ("exceptions", index)
    if not _ID.fullmatch(one.id):
        yield source.error(f"编号 {one.id} 只用小写字母、数字和 -", (*at, "id"))
    if one.id in before:
        yield source.error(f"有两个例外叫 {one.id}", (*at, "id"), "换一个编号")
    if not (one.rule or one.control):
        yield source.error(f"例外 {one.id} 没有写 rule 或 control", at, "写它放过哪条规则或哪个要求项")
    if not one.scope:
        yield source.error(f"例外 {one.id} 的 scope 是空的", (*at, "scope"), _HINTS["scope"])
    for name in _TEXTS:
        if not getattr(one, name).strip():
            yield source.error(f"{name} 是空的", (*at, name), _HINTS[name])
    if one.owner.strip() and one.owner.strip() == one.approver.strip():
        yield source.error("owner 和 approver 是同一个人", (*at, "approver"), "由另一个人批准")


def with_exceptions(
    assessments: Sequence[Assessment],
    exceptions: Sequence[PolicyException],
    snapshot: Snapshot,
    *,
    rules: Collection[str],
    systems: Collection[str],
    today: date,
    warn_days: int = WARN_DAYS,
    folders: Sequence[Path] = (),
) -> list[Assessment]:
    """The assessments, each with the exceptions that concern it and the findings they match. ``rules`` and
    ``systems`` are the ids and names that exist, ``folders`` those of users' own standards."""
    if not exceptions:
        return list(assessments)
    taken = {one.id: _controls(one, folders) for one in exceptions}
    made = []
    for assessment in assessments:
        uses = [
            _use(one, assessment, snapshot, taken[one.id], rules, systems, today, warn_days)
            for one in exceptions
            if not one.systems or assessment.system.name in one.systems or set(one.systems) - set(systems)
        ]
        made.append(msgspec.structs.replace(assessment, exceptions=uses))
    return made


def _use(
    one: PolicyException,
    assessment: Assessment,
    snapshot: Snapshot,
    controls: frozenset[str] | None,
    rules: Collection[str],
    systems: Collection[str],
    today: date,
    warn_days: int,
) -> ExceptionUse:
    left = (one.expires - today).days
    why = _lost(one, controls, rules, systems)
    if why:
        return ExceptionUse(exception=one, state="unknown", why=why, days_left=left)
    ids = _matched(one, assessment, snapshot, controls or frozenset())
    if left < 0:
        return ExceptionUse(
            exception=one, state="expired", findings=ids, why=f"已过期 {-left} 天，问题照常计", days_left=left
        )
    return ExceptionUse(
        exception=one,
        state="matched" if ids else "unused",
        findings=ids,
        why="" if ids else "这次没有匹配到问题：已经整改，或范围写得不对",
        days_left=left,
        expiring=left <= warn_days,
    )


def _lost(
    one: PolicyException,
    controls: frozenset[str] | None,
    rules: Collection[str],
    systems: Collection[str],
) -> str:
    if one.rule and one.rule not in rules:
        return f"没有规则 {one.rule}"
    if controls is None:
        return f"没有要求项 {one.control}"
    gone = [name for name in one.systems if name not in systems]
    return f"没有系统 {gone[0]}" if gone else ""


def _controls(one: PolicyException, folders: Sequence[Path]) -> frozenset[str] | None:
    """The requirement at every level that has it, as rules name it; None where there is no such."""
    if not one.control:
        return frozenset()
    name = one.control.partition("/")[0]
    if name not in available(folders):
        return None
    try:
        standard: Standard = load_standard(name, folders)
        return frozenset((one.control, *standard.counterparts(one.control)))
    except StandardError:
        return None


def _matched(
    one: PolicyException, assessment: Assessment, snapshot: Snapshot, controls: frozenset[str]
) -> tuple[str, ...]:
    found = [
        f
        for f in assessment.findings
        if (not one.rule or f.rule == one.rule) and (not controls or not controls.isdisjoint(f.controls))
    ]
    resources = {f.uid: r for f in found if (r := snapshot.get(f.uid))}
    inside = {r.uid for r in select(snapshot, one.scope, among=list(resources.values()))}
    return tuple(f.id for f in found if f.uid in inside)


def excepted(assessment: Assessment) -> dict[str, PolicyException]:
    """Finding id → the exception in force that matches it (of several the first)."""
    found: dict[str, PolicyException] = {}
    for use in assessment.exceptions:
        if use.state == "matched":
            for id_ in use.findings:
                found.setdefault(id_, use.exception)
    return found


def over_all(assessments: Iterable[Assessment]) -> list[ExceptionUse]:
    """What became of each exception over several assessments: matched where it matched anywhere."""
    found: dict[str, ExceptionUse] = {}
    for assessment in assessments:
        for use in assessment.exceptions:
            held = found.get(use.exception.id)
            if held is None:
                found[use.exception.id] = use
                continue
            ids = tuple(dict.fromkeys((*held.findings, *use.findings)))
            better = use if use.state == "matched" else held
            found[use.exception.id] = msgspec.structs.replace(better, findings=ids)
    return list(found.values())


def exceptions_line(uses: Sequence[ExceptionUse]) -> str:
    """How many exceptions matched, and which want attention, by id; "" where there are none."""
    if not uses:
        return ""
    counts = Counter(use.state for use in uses)
    parts = [f"匹配 {counts['matched']}"]
    for state, word in STATE_WORD.items():
        ids = [use.exception.id for use in uses if use.state == state]
        if ids and state != "matched":
            parts.append(f"{word} {len(ids)}（{'、'.join(ids[:5])}{' …' if len(ids) > 5 else ''}）")
    soon = [use.exception.id for use in uses if use.state == "matched" and use.expiring]
    parts += [f"即将到期 {len(soon)}（{'、'.join(soon[:5])}）"] if soon else []
    return f"例外 {len(uses)}：{'，'.join(parts)}"
