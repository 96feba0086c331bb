"""A rule's own tests: its examples, run as they would be in a scan; and what a reader would remark."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import msgspec

from inventory.coverage import Batch
from inventory.decoding import convert
from inventory.kinds import KINDS
from inventory.resource import Resource
from inventory.snapshot import Snapshot
from policies.evaluate import evaluate, key_of
from policies.loops import check_of
from policies.outcome import Rule
from policies.shapes import fields_of
from policies.verdict import Verdict

EXAMPLE_NOW = datetime(2026, 1, 1, tzinfo=UTC)
"""The time at which examples are judged, so that their dates stay what they are."""

_EXPECTED = {
    "bad": Verdict.FAIL,
    "good": Verdict.PASS,
    "unknown": Verdict.UNKNOWN,
    "not_applicable": Verdict.NOT_APPLICABLE,
}


class ExampleResult(msgspec.Struct, frozen=True, kw_only=True):
    """One example: ``place`` is "bad[0]"; ``problem`` (中文) is "" where it came out as expected."""

    place: str
    expected: Verdict
    problem: str = ""


def test_rule(rule: Rule) -> list[ExampleResult]:
    """Run all examples of a rule."""
    results = []
    for word, expected in _EXPECTED.items():
        for index, values in enumerate(getattr(rule.examples, word)):
            problem = _problem(rule, values, expected)
            results.append(ExampleResult(place=f"{word}[{index}]", expected=expected, problem=problem))
    return results


def _problem(rule: Rule, values: dict[str, Any], expected: Verdict) -> str:
    try:
        resource = example_resource(rule.kind, values)
    except ValueError as error:
        return str(error)
    snapshot = Snapshot.of_batches([Batch(resources=[resource])], EXAMPLE_NOW)
    [outcome] = evaluate([rule], snapshot, now=EXAMPLE_NOW)
    [(_, verdict)] = outcome.verdicts()
    if verdict is expected:
        return ""
    missing = f"（缺少 {outcome.unseen[0].missing}）" if outcome.unseen else ""
    return f"应为{expected.label}，得到{verdict.label}{missing}"


def example_resource(kind: str, values: dict[str, Any]) -> Resource:
    """A resource from an example's values; what is left out was not seen. Raises ValueError (中文)."""
    unknown = next(_unknown_keys(values, KINDS[kind]), "")
    if unknown:
        raise ValueError(f"{kind} 没有字段 {unknown}")
    try:
        return convert({"source": "example", "native_id": "1", **values}, KINDS[kind])
    except msgspec.ValidationError as error:
        raise ValueError(f"例子的取值不对：{error}") from error


def _unknown_keys(value: Any, struct: type[msgspec.Struct], prefix: str = "") -> Iterator[str]:
    shapes = fields_of(struct)
    for key, inner in value.items():
        if key not in shapes or key == "uid":
            yield f"{prefix}{key}"
            continue
        shape = shapes[key]
        if shape.struct and isinstance(inner, dict):
            yield from _unknown_keys(inner, shape.struct, f"{prefix}{key}.")
        row = shape.item.struct if shape.item else None
        if row and isinstance(inner, list):
            for item in (item for item in inner if isinstance(item, dict)):
                yield from _unknown_keys(item, row, f"{prefix}{key}[].")


def lint(rule: Rule) -> list[str]:
    """Remarks (中文) that do not keep a rule from loading."""
    remarks = []
    if len(rule.title) > 40:
        remarks.append(f"title 有 {len(rule.title)} 字，超过 40 字")
    if not rule.evidence:
        remarks.append("evidence 是空的：不符合项没有取证字段")
    if "{it." not in rule.message:
        remarks.append("message 里没有 {it.字段}：看不出是哪个对象")
    if not rule.controls.all() and rule.severity != "info":
        remarks.append("controls 是空的：不归入任何条款")
    check = check_of(*key_of(rule))
    reads = {path.split(".")[0].removesuffix("[]") for path in check.reads}
    unread = [path for path in rule.evidence if path.split(".")[0] not in reads | {"name"}]
    if unread and len(unread) == len(rule.evidence):
        remarks.append("evidence 里没有判断所用的字段")
    if rule.applies.strip() != "True" and not rule.examples.not_applicable:
        remarks.append("写了 applies，但没有 not_applicable 例子")
    decisive = check.violates.reads if check.violates else check.predicate_reads
    if len(decisive) > 1 and len(rule.examples.bad) + len(rule.examples.good) < 3:
        remarks.append("例子太少：判断用到几个字段，边界情形也要有")
    return remarks
