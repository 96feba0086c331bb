"""The metric families: pure functions from a snapshot and its assessments to rendered families.

Aggregates only, most wanted first: some thousand series for 200 000 resources. What was not seen is
counted as not seen, never as zero: a sum over hypervisors stands beside the number that told no capacity.
Values are from the last run, not from the moment of the scrape; the freshness families say how old.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal

import msgspec

from exporters.exposition import Encoded, Family, Value, encode
from inventory.coverage import Status
from inventory.kinds.compute import Hypervisor, Image
from inventory.kinds.host import Host
from inventory.kinds.network import Device
from inventory.resource import Resource
from inventory.snapshot import Snapshot
from inventory.unknown import Maybe, Unknown, known
from policies.assessment import Assessment
from policies.exceptions import excepted
from policies.verdict import SEVERITIES, Verdict

CACHED = "Cached: from the last run, see zhengguan_snapshot_timestamp_seconds."
MIB = 1024 * 1024
Rows = Iterable[tuple[Sequence[str], Value]]


class ProgramFacts(msgspec.Struct, kw_only=True):
    """What the program knows and the snapshot does not. ``source_labels``: labels of each configured source
    (department, level, zone), also of those that gave no resource yet."""

    version: str = ""
    source_labels: dict[str, dict[str, str]] = msgspec.field(default_factory=dict)


def families(
    snapshot: Snapshot, assessments: Sequence[Assessment], facts: ProgramFacts | None = None
) -> list[Encoded]:
    """Every family of the default page, in the order in which they are kept when space is short."""
    facts = facts or ProgramFacts()
    return [
        *_program(snapshot, facts),
        *_posture(assessments),
        *_freshness(snapshot, facts),
        *_coverage(snapshot),
        *_departments(snapshot, facts),
        *_inventory(snapshot, facts),
    ]


def _family(name: str, help_text: str, labels: str, rows: Rows, *, cached: bool = True) -> Encoded:
    kind = "info" if name.endswith("_info") else "gauge"
    text = f"{help_text} {CACHED}" if cached else help_text
    return encode(Family(f"zhengguan_{name}", text, kind, tuple(labels.split())), rows)  # type: ignore[arg-type]


def _epoch(moment: datetime) -> float:
    return moment.timestamp()


def _program(snapshot: Snapshot, facts: ProgramFacts) -> list[Encoded]:
    return [
        _family("build_info", "Version of the program.", "version", [((facts.version,), 1)], cached=False),
        _family(
            "snapshot_timestamp_seconds",
            "Time of the snapshot behind every value on this page.",
            "",
            [((), _epoch(snapshot.info.taken_at))],
            cached=False,
        ),
        _family("resources", "Resources in the snapshot, of all kinds.", "", [((), len(snapshot))]),
    ]


def _posture(assessments: Sequence[Assessment]) -> list[Encoded]:
    scores = [((a.system.name, a.standard, a.score.edition), a) for a in assessments]
    indicators = [
        ((a.system.name, a.standard, v.id, v.title), v) for a in assessments for v in a.indicators if v.kind
    ]
    return [
        _family(
            "system_info",
            "A graded system (title, department and grade to join on system).",
            "system title department grade importance",
            [
                ((s.name, s.title, s.department, str(s.graded), s.importance), 1)
                for s in {a.system.name: a.system for a in assessments}.values()
            ],
        ),
        _family(
            "score_low_ratio",
            "Self-check score of a system if every unknown fails, 0 to 1.",
            "system standard edition",
            [(key, a.score.low / Decimal(100)) for key, a in scores if a.score.low is not None],
        ),
        _family(
            "score_high_ratio",
            "Self-check score of a system if every unknown passes, 0 to 1.",
            "system standard edition",
            [(key, a.score.high / Decimal(100)) for key, a in scores if a.score.high is not None],
        ),
        _family(
            "assessment_coverage_ratio",
            "Controls decided among those applicable, 0 to 1.",
            "system standard edition",
            [(key, a.score.coverage) for key, a in scores],
        ),
        _family(
            "indicator_low_ratio",
            "Share over the inventory if nothing that was not seen meets it, 0 to 1.",
            "system standard indicator title",
            [(key, v.low) for key, v in indicators if v.low is not None],
        ),
        _family(
            "indicator_high_ratio",
            "Share over the inventory if all that was not seen meets it, 0 to 1.",
            "system standard indicator title",
            [(key, v.high) for key, v in indicators if v.high is not None],
        ),
        _family(
            "indicator_target_ratio",
            "Share an indicator should reach, or (better = less) stay at or below, 0 to 1.",
            "system standard indicator better",
            [((*key[:3], v.better), v.target) for key, v in indicators if v.target is not None],
        ),
        _family(
            "high_risks",
            "High-risk cases by state; undetermined: nothing that was seen decides it; "
            "mitigated: a person says so.",
            "system standard state",
            _high_risks(assessments),
        ),
        _family(
            "high_risk_triggered",
            "A high-risk case whose condition is met (a person may still confirm a mitigation).",
            "system standard case title",
            _triggered(assessments),
        ),
        _family(
            "control_verdicts",
            "Controls by verdict and by who gave it (auto, person, inherited from the platform, none).",
            "system standard verdict origin",
            _verdicts(assessments),
        ),
        _family(
            "answers",
            "People's answers by what became of them; expiring ones still count.",
            "system standard state",
            _answers(assessments),
        ),
        _family(
            "exceptions",
            "Exceptions that concern a system by state; expired ones no longer cover anything.",
            "system standard state",
            _exceptions(assessments),
        ),
        _family(
            "findings_excepted",
            "Findings that an exception in force covers; they are among the open ones.",
            "system rule severity",
            _covered(assessments),
        ),
        _family(
            "findings_by_severity",
            "Open findings of a system by severity.",
            "system severity",
            _severities(assessments),
        ),
        _family(
            "findings",
            "Open findings of a system by rule; a rule without findings has no series.",
            "system rule severity",
            _findings(assessments),
        ),
    ]


def _high_risks(assessments: Sequence[Assessment]) -> Rows:
    for a in assessments:
        counts = Counter(risk.state for risk in a.high_risks)
        for state in ("triggered", "mitigated", "undetermined", "clear"):
            yield (a.system.name, a.standard, state), counts[state]


def _triggered(assessments: Sequence[Assessment]) -> Rows:
    for a in assessments:
        for risk in a.high_risks:
            if risk.state == "triggered":
                yield (a.system.name, a.standard, risk.case, risk.title), 1


def _verdicts(assessments: Sequence[Assessment]) -> Rows:
    for a in assessments:
        counts = Counter((c.verdict, c.origin) for c in a.controls)
        for verdict in Verdict:
            for origin in ("auto", "person", "inherited", "none"):
                yield (a.system.name, a.standard, verdict.value, origin), counts[verdict, origin]


def _answers(assessments: Sequence[Assessment]) -> Rows:
    for a in assessments:
        counts = Counter("expiring" if u.effect == "counted" and u.expiring else u.effect for u in a.answers)
        for state in ("counted", "expiring", "expired", "contradicted", "unused"):
            yield (a.system.name, a.standard, state), counts[state]


def _exceptions(assessments: Sequence[Assessment]) -> Rows:
    for a in assessments:
        counts = Counter(
            "expiring" if use.state == "matched" and use.expiring else use.state for use in a.exceptions
        )
        for state in ("matched", "expiring", "unused", "expired", "unknown"):
            yield (a.system.name, a.standard, state), counts[state]


def _covered(assessments: Sequence[Assessment]) -> Rows:
    found: dict[tuple[str, str, str], set[str]] = defaultdict(set)
    for a in assessments:
        covered = excepted(a)
        for f in a.findings:
            if f.id in covered:
                found[a.system.name, f.rule, f.severity].add(f.id)
    return [(key, len(ids)) for key, ids in found.items()]


def _severities(assessments: Sequence[Assessment]) -> Rows:
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for a in assessments:
        found[a.system.name] |= {f.id: f.severity for f in a.findings}
    for system, held in found.items():
        counts = Counter(held.values())
        for severity in SEVERITIES:
            yield (system, severity), counts[severity]


def _findings(assessments: Sequence[Assessment]) -> Rows:
    """One finding may stand in two assessments of a system (two standards): it is counted once."""
    found: dict[tuple[str, str, str], set[str]] = defaultdict(set)
    for a in assessments:
        for f in a.findings:
            found[a.system.name, f.rule, f.severity].add(f.uid)
    return [(key, len(uids)) for key, uids in found.items()]


def _freshness(snapshot: Snapshot, facts: ProgramFacts) -> list[Encoded]:
    sources = sorted({c.source for c in snapshot.collections} | set(facts.source_labels))
    last = dict.fromkeys(sources, 0.0)
    for (source, _), ended in snapshot.fresh.items():
        last[source] = max(last.get(source, 0.0), _epoch(ended))
    stale = Counter(_source_of(snapshot, uid) for uid in snapshot.stale)
    return [
        _family(
            "source_last_success_timestamp_seconds",
            "Last time that some kind of a source was read completely; 0 = never.",
            "source",
            [((source,), moment) for source, moment in last.items()],
        ),
        _family(
            "stale_resources",
            "Resources kept from an earlier run because the last one could not read them.",
            "source",
            [((source,), stale[source]) for source in last],
        ),
    ]


def _source_of(snapshot: Snapshot, uid: str) -> str:
    held = snapshot.get(uid)
    return held.source if held else uid.partition("/")[0]


def _coverage(snapshot: Snapshot) -> list[Encoded]:
    counts = Counter((c.source, c.kind, c.status.value) for c in snapshot.collections)
    totals = Counter(c.status for c in snapshot.collections)
    return [
        _family(
            "collections_by_status",
            "Scopes attempted in the last run of each source, by how it ended.",
            "status",
            [((status.value,), totals[status]) for status in Status],
        ),
        _family(
            "collections",
            "Scopes of a source and kind by how the last attempt at them ended.",
            "source kind status",
            counts.items(),
        ),
    ]


def _department(resource: Resource, facts: ProgramFacts) -> str:
    own = resource.labels.get("department")
    return own if own is not None else facts.source_labels.get(resource.source, {}).get("department", "")


def _departments(snapshot: Snapshot, facts: ProgramFacts) -> list[Encoded]:
    levels: dict[str, set[str]] = defaultdict(set)
    zones: dict[str, set[str]] = defaultdict(set)
    for labels in [*facts.source_labels.values(), *(r.labels for r in snapshot if r.labels)]:
        name = labels.get("department")
        if name:
            levels[name] |= {labels["level"]} if "level" in labels else set()
            zones[name] |= {labels["zone"]} if "zone" in labels else set()
    return [
        _family(
            "department_info",
            "A department with its administrative level and network zones (to join on department).",
            "department administrative_level network_zones",
            [
                ((name, ",".join(sorted(levels[name])), ",".join(sorted(zones[name]))), 1)
                for name in sorted(levels)
            ],
        )
    ]


def _inventory(snapshot: Snapshot, facts: ProgramFacts) -> list[Encoded]:
    counts = Counter((_department(r, facts), r.KIND, r.source) for r in snapshot)
    return [
        *_hypervisors(snapshot),
        _family(
            "origin_resources",
            "Resources by technical origin of their processor, system or vendor (unknown: not seen).",
            "department kind aspect origin",
            _origins(snapshot, facts),
        ),
        _family(
            "inventory_resources",
            "Resources by department, kind and source, stale ones included.",
            "department kind source",
            counts.items(),
        ),
    ]


def _hypervisors(snapshot: Snapshot) -> list[Encoded]:
    groups: dict[tuple[str, str], list[Hypervisor]] = defaultdict(list)
    for hypervisor in snapshot.of(Hypervisor):
        groups[hypervisor.source, _word(hypervisor.cpu_origin)].append(hypervisor)
    states = Counter((h.source, origin, _word(h.state)) for (_, origin), rows in groups.items() for h in rows)
    measures = (
        ("hypervisor_vcpus", "Processors of compute nodes, before overcommit.", "vcpus", 1),
        ("hypervisor_vcpus_used", "Virtual processors given to servers.", "vcpus_used", 1),
        ("hypervisor_memory_bytes", "Memory of compute nodes, before overcommit.", "memory_mib", MIB),
        ("hypervisor_memory_used_bytes", "Memory given to servers.", "memory_used_mib", MIB),
    )
    labels = "source cpu_origin"
    return [
        _family("hypervisors", "Compute nodes by state.", f"{labels} state", states.items()),
        *(
            _family(
                name,
                f"{text} Nodes that did not tell are left out, see zhengguan_hypervisors_unseen.",
                labels,
                [
                    (key, total)
                    for key, rows in groups.items()
                    if (total := _sum(rows, field, unit)) is not None
                ],
            )
            for name, text, field, unit in measures
        ),
        _family(
            "hypervisors_unseen",
            "Compute nodes that did not tell a figure.",
            f"{labels} figure",
            [
                ((*key, field), sum(1 for h in rows if not known(getattr(h, field))))
                for key, rows in groups.items()
                for _, _, field, _ in measures
            ],
        ),
    ]


def _sum(rows: list[Hypervisor], field: str, unit: int) -> int | None:
    """Sum of what was seen; None where no row told it, so that no series claims a zero."""
    seen = [value for h in rows if known(value := getattr(h, field))]
    return sum(seen) * unit if seen else None


def _word(value: Maybe[str]) -> str:
    return "unknown" if isinstance(value, Unknown) else value


def _origins(snapshot: Snapshot, facts: ProgramFacts) -> Rows:
    aspects: tuple[tuple[type[Resource], str, str], ...] = (
        (Hypervisor, "cpu", "cpu_origin"),
        (Host, "cpu", "cpu_origin"),
        (Host, "os", "os_origin"),
        (Image, "os", "os_origin"),
        (Device, "vendor", "vendor_origin"),
    )
    counts: Counter[tuple[str, str, str, str]] = Counter()
    for kind, aspect, field in aspects:
        for r in snapshot.of(kind):
            counts[_department(r, facts), kind.KIND, aspect, _word(getattr(r, field))] += 1
    return counts.items()
