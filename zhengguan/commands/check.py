"""``zhengguan check``: judge the latest snapshot; findings, score ranges, coverage."""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import sys
from collections.abc import Container, Iterable, Iterator, Sequence
from decimal import Decimal
from pathlib import Path

import msgspec

from policies.answered import answers_line
from policies.assessment import TRUST_WORD, AnyScore, Assessment, IndicatorValue, Unscored
from policies.crypto import CryptoScore
from policies.exceptions import excepted, exceptions_line
from policies.indicators import target_text
from policies.inheritance import inheritance_line
from policies.outcome import Rule
from policies.priorities import EFFORT_WORD, gain_text
from policies.responsibilities import split_line
from policies.verdict import SEVERITIES, SEVERITY_TITLE, Finding, Verdict
from zhengguan import console
from zhengguan.config import Config
from zhengguan.errors import Exit, UserError
from zhengguan.loop import (
    answers_of,
    assess_all,
    configured,
    latest,
    opened,
    rules_of,
    systems_of,
    title_of,
)

_TOP = 5
MACHINE = ("junit", "sarif", "ocsf")


def run(options: argparse.Namespace) -> int:
    if options.min_coverage is not None and not 0 <= options.min_coverage <= 1:
        raise UserError("--min-coverage 要在 0 和 1 之间", remedy="例如 0.8")
    config = configured(options.config)
    assessments = _assessments(config, options)
    if options.format in MACHINE:
        written = rendered(options.format, assessments, rules_of(config))
        put(written, options.output)
    elif options.format == "json":
        put(console.as_json([as_json(a) for a in assessments]), options.output)
    elif options.output:
        text = io.StringIO()
        with contextlib.redirect_stdout(text):
            tell(assessments, options.limit)
        put(text.getvalue().encode(errors="replace"), options.output)
    else:
        tell(assessments, options.limit)
    return verdict(assessments, options.fail_on, options.min_coverage)


def _assessments(config: Config, options: argparse.Namespace) -> list[Assessment]:
    """Apart, so that the snapshot is gone from memory when what came of it is written."""
    store = opened(config)
    return assess_all(
        config,
        latest(store),
        systems=systems_of(config, options.system),
        standard=options.standard,
        edition=options.edition,
        answers=answers_of(store),
        ranked=options.format not in MACHINE,
        assume=options.assume_fixed,
    )


def tell(assessments: Sequence[Assessment], limit: int) -> None:
    """What a person reads, on standard output."""
    for assessment in assessments:
        show(assessment, limit)


def rendered(form: str, assessments: Sequence[Assessment], rules: Sequence[Rule]) -> Iterator[bytes]:
    """Assessments in one of the formats that other programs read (``MACHINE``)."""
    if form == "junit":
        from exporters.junit import junit

        return iter([junit(assessments)])
    if form == "sarif":
        from exporters.sarif import sarif

        return sarif(assessments, rules)
    from exporters.ocsf import ocsf

    return iter([ocsf(assessments, rules)])


def put(content: bytes | Iterable[bytes], output: str) -> None:
    """Write, piece by piece where it comes in pieces, to standard output, or to a file whole or not at all.
    UserError where it cannot."""
    pieces = (content,) if isinstance(content, bytes) else content
    if output in ("", "-"):
        sys.stdout.flush()
        sys.stdout.buffer.writelines(pieces)
        sys.stdout.buffer.flush()
        return
    path = Path(output)
    try:
        if path.exists() and not path.is_file():  # /dev/stdout, a pipe: nothing to put in place
            with path.open("wb") as file:
                file.writelines(pieces)
        else:
            _replace(path.resolve(), pieces)
    except OSError as error:
        raise UserError(f"写不进 {path}：{error.strerror}", remedy="检查目录、权限和磁盘") from error


def _replace(path: Path, content: Iterable[bytes]) -> None:
    """A reader sees the old file or the new one. Beside the target, so that the rename is atomic."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with beside.open("wb") as file:
            file.writelines(content)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def verdict(assessments: Sequence[Assessment], fail_on: str, min_coverage: float | None) -> Exit:
    """The exit code: findings, those of exceptions left out, come before coverage."""
    if fail_on:
        serious = SEVERITIES[: SEVERITIES.index(fail_on) + 1]
        for assessment in assessments:
            accepted = excepted(assessment)
            if any(f.severity in serious and f.id not in accepted for f in assessment.findings):
                return Exit.FINDINGS
    if min_coverage is not None and any(a.score.coverage < Decimal(str(min_coverage)) for a in assessments):
        return Exit.COVERAGE
    return Exit.FINE


def as_json(assessment: Assessment) -> dict[str, object]:
    """An assessment as data, its findings with their ids, its controls by id."""
    accepted = excepted(assessment)
    return {
        "system": assessment.system.name,
        "title": assessment.system.title,
        "grade": str(assessment.system.graded),
        "standard": assessment.standard,
        "taken_at": assessment.taken_at,
        "snapshot": assessment.snapshot,
        "program": assessment.program,
        "score": _score(assessment.score),
        "verdicts": {v.value: assessment.count(v) for v in Verdict},
        "high_risks": [h for h in assessment.high_risks if h.state != "clear"],
        "findings": [
            {
                "id": f.id,  # first
                **{name: getattr(f, name) for name in f.__struct_fields__},
                "exception": accepted[f.id].id if f.id in accepted else None,
            }
            for f in assessment.findings
        ],
        "unseen": assessment.unseen,
        "priorities": assessment.priorities,
        "assumed": {
            "rules": assessment.assumed.rules,
            "findings": assessment.assumed.findings,
            "score": _score(assessment.assumed.score),
        }
        if assessment.assumed
        else None,
        "answers": assessment.answers,
        "exceptions": assessment.exceptions,
        "indicators": assessment.indicators,
        "inheritance": assessment.inheritance,
        "split": assessment.split,
        "controls": [
            {
                "id": c.control.id,
                **({"code": c.control.code} if c.control.code else {}),
                **({"verified": c.control.verified} if c.control.verified else {}),
                **({"changed": c.control.changed} if c.control.changed else {}),
                "control_point": c.control.control_point,
                "verdict": c.verdict.value,
                "origin": c.origin,
                "reason": c.reason,
                **({"duty": {"who": c.duty.who, "origin": c.duty.origin}} if c.duty else {}),
            }
            for c in assessment.controls
        ],
    }


def _score(score: AnyScore) -> object:
    """A score as data; of 密评, layers and units without their objects, of which there may be very many."""
    plain = msgspec.to_builtins(score, builtin_types=(Decimal,))
    for layer in plain.get("layers", ()):
        for unit in layer["units"]:
            unit["objects"] = len(unit["objects"])
    return plain


def score_line(assessment: Assessment) -> str:
    """One line: the range, what was decided, and the preliminary conclusion for both bounds."""
    return score_text(assessment.score)


def score_text(score: AnyScore) -> str:
    """A score in one line, as ``score_line`` tells it."""
    if isinstance(score, Unscored):
        met = f"{score.met_low:.1%}"
        if score.met_low != score.met_high:
            met = f"{score.met_low:.1%}–{score.met_high:.1%}"
        return f"没有公布的计分方法，不打分；符合的占 {met}（已核查 {score.coverage:.0%}）"
    name = "符合率" if score.unit == "%" else "得分"
    if score.low is None:
        numbers = "没有总分（见说明）"
    elif score.low == score.high:
        numbers = f"{score.low}{score.unit}"
    else:
        numbers = f"{score.low}–{score.high}{score.unit}"
    conclusion = (
        score.conclusion_low
        if score.conclusion_low == score.conclusion_high
        else f"{score.conclusion_low} ～ {score.conclusion_high}"
    )
    return f"{name} {numbers}（已核查 {score.coverage:.0%}），自查初判：{conclusion}"


def show(assessment: Assessment, limit: int) -> None:
    """A person's view: the range first, then what to fix, then what was not seen."""
    system = assessment.system
    title, score = title_of(assessment), assessment.score
    grade = f"密评第 {score.level} 级" if isinstance(score, CryptoScore) else str(system.graded)
    edition = f" {score.edition} 版" if score.edition else ""
    console.say(f"{system.title}（{system.name}，{grade}）  {title}{edition}")
    console.say(f"  {score_line(assessment)}")
    if assessment.assumed:
        told = assessment.assumed
        console.say(
            f"  假设（不是现状）修好 {'、'.join(told.rules)} 的 {told.findings} 处：{score_text(told.score)}"
        )
    if isinstance(score, CryptoScore):
        _layers(score)
    counts = "，".join(f"{v.label} {assessment.count(v)}" for v in Verdict if assessment.count(v))
    console.say(f"  测评项 {len(assessment.controls)}：{counts}")
    _indicators(assessment.indicators)
    triggered = [h for h in assessment.high_risks if h.state == "triggered"]
    if triggered:
        console.say(f"  高风险情形 {len(triggered)}：{'、'.join(h.title for h in triggered)}")
    if assessment.split:
        console.say(f"  {split_line(assessment.split, assessment.controls)}")
    if assessment.inheritance:
        console.say(f"  云平台 {inheritance_line(assessment.inheritance)}")
    if assessment.answers:
        console.say(f"  人工答复 {answers_line(assessment.answers)}；见 zhengguan attest list")
    if assessment.exceptions:
        console.say(f"  {exceptions_line(assessment.exceptions)}")
    findings = assessment.findings
    accepted = excepted(assessment)
    groups = grouped(findings)
    shown = groups if limit == 0 else groups[:limit]
    console.table(
        ("级别", "问题", "对象数", "例如", "规则"),
        [
            (SEVERITY_TITLE[g[0].severity], g[0].message, _count(g, accepted), g[0].name, g[0].rule)
            for g in shown
        ],
        styles=[g[0].severity for g in shown],
    )
    if len(shown) < len(groups):
        console.say(f"  还有 {len(groups) - len(shown)} 类问题，--limit 0 全列")
    _first(assessment)
    if assessment.unseen:
        missing = {u.missing for u in assessment.unseen if u.missing}
        console.say(
            f"  未知 {len(assessment.unseen)} 项（{'；'.join(sorted(missing)[:3])} …），见 --format json"
        )
    console.say()


def share_of(value: IndicatorValue) -> str:
    """The share of an indicator, as a range where something was not seen."""
    if value.low is None or value.high is None:
        return "—"
    return f"{value.low:.1%}" if value.low == value.high else f"{value.low:.1%}–{value.high:.1%}"


def _indicators(values: Sequence[IndicatorValue]) -> None:
    rows = [
        (
            v.title,
            share_of(v),
            f"{v.met}/{v.met + v.short}" + (f"，{v.open} 不明" if v.open else ""),
            target_text(v.better, None if v.target is None else (v.target_year, v.target)),
            "本单位所设" if v.set_here else TRUST_WORD.get(v.verified, ""),
            v.verdict.label,
        )
        for v in values
    ]
    if rows:
        console.table(("指标", "占比", "看到的", "目标", "目标依据", "结论"), rows)


def _first(assessment: Assessment) -> None:
    """What to fix first."""
    if not assessment.priorities:
        return
    console.say(f"  最先整改（前 {_TOP}；先高风险，再得分，再工作量；--assume-fixed 规则 看合在一起的得分）")
    console.table(
        ("规则", "高风险", "处数", "修好后得分", "每处工作量", "处理办法"),
        [
            (
                p.rule,
                "、".join(p.cases),
                p.findings,
                "不打分" if isinstance(assessment.score, Unscored) else gain_text(p, assessment.score.unit),
                EFFORT_WORD[p.effort],
                p.fix,
            )
            for p in assessment.priorities[:_TOP]
        ],
        styles=["fail" if p.cases else "" for p in assessment.priorities[:_TOP]],
    )


def _layers(score: CryptoScore) -> None:
    """密评: the layers, and how many objects were seen to fail in D or A."""
    rows: list[tuple[object, ...]] = []
    for layer in score.layers:
        objects = [o for unit in layer.units for o in unit.objects]
        span = "不适用" if layer.low is None else f"{layer.low}–{layer.high}"
        denied = [sum(1 for o in objects if o.d is False), sum(1 for o in objects if o.a is False)]
        rows.append((layer.title, span, len(layer.units), len(objects), *denied))
    console.table(("层面", "得分（0–1）", "单元", "单元×对象", "D 不符合", "A 不符合"), rows)


def _count(group: Sequence[Finding], accepted: Container[str]) -> str:
    excepted_ = sum(1 for finding in group if finding.id in accepted)
    return f"{len(group)}（例外 {excepted_}）" if excepted_ else str(len(group))


def grouped(findings: Sequence[Finding]) -> list[list[Finding]]:
    """Findings by rule, the worst and most frequent first."""
    by_rule: dict[str, list[Finding]] = {}
    for finding in findings:
        by_rule.setdefault(finding.rule, []).append(finding)
    return sorted(by_rule.values(), key=lambda g: (SEVERITIES.index(g[0].severity), -len(g), g[0].rule))
