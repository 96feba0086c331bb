"""The capacity families: how full, who has it, what is idle, what still fits. Aggregates only.

One family per figure and unit (base units), at the finest grain that places partition: sums over any label
mean something. Host aggregates overlap and are left to the report. A sum to which nobody told a value has no
series, and what did not tell is counted beside it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from typing import Final

from exporters.cached import Rows, family
from exporters.exposition import Encoded
from inventory.kinds.usage import AmountOf, Utilization
from inventory.resource import Resource
from inventory.unknown import Unknown
from inventory.usage import Consumer, Estate, Figure, Usage, by_department, holders
from inventory.usage.idle import Idle

MIB, GIB = 1024.0**2, 1024.0**3
UNITS: Final[dict[str, tuple[str, float, str]]] = {
    # resource → (unit in the name, factor, in words)
    "vcpu": ("vcpus", 1.0, "Virtual processors"),
    "memory_mib": ("memory_bytes", MIB, "Memory"),
    "disk_gib": ("storage_bytes", GIB, "Storage"),
    "address": ("addresses", 1.0, "Fixed IPv4 addresses"),
    "floating_ip": ("floating_ips", 1.0, "Floating addresses"),
    "pod": ("pods", 1.0, "Pods"),
}
FIGURES: Final[dict[str, str]] = {
    "capacity": "physically there, before overcommit",
    "reserved": "kept back for the platform",
    "schedulable": "that may be promised: (capacity - reserved) x overcommit ratio",
    "allocated": "promised to consumers",
    "used": "taken, where the platform measures it",
    "free": "left to promise on holders that take new consumers",
}
PLACE: Final = ("source", "holder", "availability_zone", "cpu_architecture", "department")


def capacity_families(estate: Estate) -> list[Encoded]:
    """Every family of capacity, most wanted first."""
    places = _places(estate)
    return [
        *_amounts(places),
        *_seen(estate),
        *_fits(estate),
        *_idle(estate),
        *_owners(estate),
        *_load(estate),
    ]


def _family(name: str, text: str, labels: Sequence[str], rows: Rows) -> Encoded:
    return family(name, text, " ".join(labels), rows)


def _places(estate: Estate) -> dict[tuple[str, ...], dict[AmountOf, Usage]]:
    """Rows of usage at the finest grain: holders that share all labels."""
    found: dict[tuple[str, ...], dict[AmountOf, Usage]] = defaultdict(dict)
    for h in holders(estate.snapshot):
        rows = found[h.source, h.kind, h.zone, h.architecture, h.department]
        for resource, amount in h.amounts.items():
            row = rows.get(resource)
            if row is None:
                row = rows[resource] = Usage(
                    source=h.source,
                    holder=h.kind,
                    dimension="source",
                    key="",
                    resource=resource,
                    complete=True,
                )
            row.take(amount, closed=h.closed, stale=h.stale)
    return dict(sorted(found.items()))


def _amounts(places: dict[tuple[str, ...], dict[AmountOf, Usage]]) -> Iterator[Encoded]:
    for figure, meaning in FIGURES.items():
        for resource, (unit, factor, words) in UNITS.items():
            yield _family(
                f"{figure}_{unit}",
                f"{words} {meaning}. What did not tell is left out, see zhengguan_capacity_unseen.",
                PLACE,
                [
                    (place, held.value * factor)
                    for place, rows in places.items()
                    if (held := _figure(rows, resource, figure)) is not None
                ],
            )
    for name, side, meaning in (
        (
            "compared_allocated",
            "part",
            "promised to consumers, on holders that also told what may be promised",
        ),
        ("compared_schedulable", "whole", "that may be promised, on holders that also told what is promised"),
    ):
        for resource, (unit, factor, words) in UNITS.items():
            yield _family(
                f"{name}_{unit}",
                f"{words} {meaning}: how full it is, is compared_allocated over compared_schedulable.",
                PLACE,
                [
                    (place, getattr(row.promised, side) * factor)
                    for place, rows in places.items()
                    if (row := rows.get(resource)) is not None and row.promised.told  # type: ignore[call-overload]
                ],
            )
    yield _family(
        "capacity_holders",
        "Holders of a resource (compute nodes, storage pools, subnets, cluster nodes).",
        (*PLACE, "resource"),
        [((*place, r.resource), r.holders) for place, rows in places.items() for r in rows.values()],
    )
    yield _family(
        "capacity_unseen",
        "Holders that did not tell a figure of a resource.",
        (*PLACE, "resource", "figure"),
        [
            ((*place, r.resource, figure), unknown)
            for place, rows in places.items()
            for r in rows.values()
            for figure in FIGURES
            if (unknown := getattr(r, figure).unknown)
        ],
    )


def _figure(rows: dict[AmountOf, Usage], resource: str, name: str) -> Figure | None:
    row = rows.get(resource)  # type: ignore[call-overload]
    figure: Figure | None = getattr(row, name) if row else None
    return figure if figure and figure.told else None


def _seen(estate: Estate) -> Iterator[Encoded]:
    whole: dict[tuple[str, str], bool] = {}
    for row in estate.capacity:
        whole[row.source, row.holder] = row.complete
    yield _family(
        "capacity_complete",
        "Whether all holders of a kind were seen in the last run (1), or sums are lower bounds (0).",
        ("source", "holder"),
        [(key, int(complete)) for key, complete in whole.items()],
    )


def _fits(estate: Estate) -> Iterator[Encoded]:
    places = [f for f in estate.fits if f.dimension == "zone" and f.largest is not None]
    labels = ("source", "availability_zone", "flavor")
    for unit, words in (("vcpus", "Processors"), ("memory_bytes", "Memory")):
        yield _family(
            f"largest_flavor_{unit}",
            f"{words} of the largest flavor that still fits on one host of a zone.",
            labels,
            [
                (
                    (f.source, f.key, f.largest.name),
                    f.largest.vcpus if unit == "vcpus" else f.largest.memory_mib * MIB,
                )
                for f in places
                if f.largest is not None
            ],
        )
    yield _family(
        "largest_flavor_fits",
        "How many servers of the largest flavor that still fits; a lower bound where hosts did not tell.",
        labels,
        [((f.source, f.key, f.largest.name), f.largest.count) for f in places if f.largest is not None],
    )


def _idle(estate: Estate) -> Iterator[Encoded]:
    groups: dict[tuple[str, str, str], list[Idle]] = defaultdict(list)
    for judged in estate.idle:
        for row in judged.found:
            groups[row.source, row.department, judged.reason].append(row)
    labels = ("source", "department", "reason")
    yield _family(
        "idle_resources",
        "Things that run for nobody or belong to nothing, by reason.",
        labels,
        [(key, len(rows)) for key, rows in groups.items()],
    )
    for name, field, factor, words in (
        ("idle_vcpus", "vcpu", 1.0, "Virtual processors"),
        ("idle_memory_bytes", "memory_mib", MIB, "Memory"),
        ("idle_storage_bytes", "disk_gib", GIB, "Storage"),
    ):
        yield _family(
            name,
            f"{words} that idle things hold.",
            labels,
            [(key, sum(getattr(r, field) for r in rows) * factor) for key, rows in groups.items()],
        )
    yield _family(
        "idle_undecided",
        "Things of which it could not be told whether they are idle, by reason.",
        ("reason",),
        [((j.reason,), j.undecided) for j in estate.idle if j.asked],
    )


def _owners(estate: Estate) -> Iterator[Encoded]:
    groups: dict[str, list[Consumer]] = defaultdict(list)
    for one in estate.consumers:
        groups[one.source].append(one)
    rows = [
        ((source, one.kind, one.department), one)
        for source, found in groups.items()
        for one in by_department(found)
    ]
    labels = ("source", "owner_kind", "department")
    for name, field, factor, words in (
        ("department_vcpus", "vcpu", 1.0, "Virtual processors of servers, or asked for by pods"),
        ("department_memory_bytes", "memory_mib", MIB, "Memory of servers, or asked for by pods"),
        ("department_storage_bytes", "disk_gib", GIB, "Size of volumes and claims"),
    ):
        figures: list[tuple[tuple[str, str, str], Figure]] = [(key, getattr(one, field)) for key, one in rows]
        yield _family(
            name,
            f"{words}, by department.",
            labels,
            [(key, f.value * factor) for key, f in figures if f.told],
        )
    for name, field, words in (
        ("department_servers", "servers", "Servers"),
        ("department_floating_ips", "floating_ips", "Floating addresses"),
    ):
        yield _family(
            name,
            f"{words}, by department.",
            labels,
            [(key, getattr(one, field)) for key, one in rows if one.kind == "project"],
        )


_BANDS: Final = ((0.1, "0-10%"), (0.3, "10-30%"), (0.6, "30-60%"), (0.8, "60-80%"))


def _load(estate: Estate) -> Iterator[Encoded]:
    counts: Counter[tuple[str, str, str, str]] = Counter()
    for row in estate.snapshot.of(Utilization):
        if (
            row.uid in estate.snapshot.stale
            or isinstance(row.metric, Unknown)
            or isinstance(row.p95, Unknown)
        ):
            continue
        band = next((word for limit, word in _BANDS if row.p95 < limit), "80%+")
        for source, kind in _measured(row):
            counts[source, kind, row.metric, band] += 1
    yield _family(
        "utilization_resources",
        "Measured things by the 95th percentile of their load over the window, in bands.",
        ("source", "kind", "metric", "band"),
        counts.items(),
    )


def _measured(row: Resource) -> Iterator[tuple[str, str]]:
    for target in row.related("measures"):
        source, kind, _ = target.split("/", 2)
        yield source, kind
