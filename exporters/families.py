"""The metric families: pure functions from a snapshot and its assessments to rendered families.

Aggregates only, most wanted first: some thousand series for 200 000 resources. What was not seen is
counted as not seen, never as zero: a sum over hypervisors stands beside the number that told no capacity.
Values are from the last run, not from the moment of the scrape; the freshness families say how old.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import datetime

import msgspec

from exporters.cached import Rows, family
from exporters.exposition import Encoded
from exporters.posture import posture
from inventory.coverage import Status
from inventory.kinds.compute import Hypervisor, Image
from inventory.kinds.host import Host
from inventory.kinds.network import Device
from inventory.resource import Resource
from inventory.snapshot import Snapshot
from inventory.unknown import Maybe, Unknown, known
from policies.assessment import Assessment

MIB = 1024 * 1024


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
        *posture(assessments),
        *_freshness(snapshot, facts),
        *_coverage(snapshot),
        *_departments(snapshot, facts),
        *_inventory(snapshot, facts),
    ]


def _epoch(moment: datetime) -> float:
    return moment.timestamp()


def _program(snapshot: Snapshot, facts: ProgramFacts) -> list[Encoded]:
    return [
        family("build_info", "Version of the program.", "version", [((facts.version,), 1)], cached=False),
        family(
            "snapshot_timestamp_seconds",
            "Time of the snapshot behind every value on this page.",
            "",
            [((), _epoch(snapshot.info.taken_at))],
            cached=False,
        ),
        family("resources", "Resources in the snapshot, of all kinds.", "", [((), len(snapshot))]),
    ]


def _freshness(snapshot: Snapshot, facts: ProgramFacts) -> list[Encoded]:
    sources = sorted({c.source for c in snapshot.collections} | set(facts.source_labels))
    last = dict.fromkeys(sources, 0.0)
    for (source, _), ended in snapshot.fresh.items():
        last[source] = max(last.get(source, 0.0), _epoch(ended))
    stale = Counter(_source_of(snapshot, uid) for uid in snapshot.stale)
    return [
        family(
            "source_last_success_timestamp_seconds",
            "Last time that some kind of a source was read completely; 0 = never.",
            "source",
            [((source,), moment) for source, moment in last.items()],
        ),
        family(
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
        family(
            "collections_by_status",
            "Scopes attempted in the last run of each source, by how it ended.",
            "status",
            [((status.value,), totals[status]) for status in Status],
        ),
        family(
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
        family(
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
        family(
            "origin_resources",
            "Resources by technical origin of their processor, system or vendor (unknown: not seen).",
            "department kind aspect origin",
            _origins(snapshot, facts),
        ),
        family(
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
        family("hypervisors", "Compute nodes by state.", f"{labels} state", states.items()),
        *(
            family(
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
        family(
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
