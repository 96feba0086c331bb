"""Exposition: our encoder beside prometheus-client's custom collector, 100 000 samples (20 families of
5 000 series with 6 labels). CPU time of the process, median of interleaved rounds.

    python benchmarks/bench_exposition.py [--samples 100000] [--rounds 5]
"""

from __future__ import annotations

import argparse
import gzip
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from prometheus_client import generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import CollectorRegistry

from exporters.exposition import Encoded, Family, Fragments, Page, encode

LABELS = ("source", "department", "kind", "name", "status", "uid")
Row = tuple[tuple[str, ...], float]


def rows_of(family: int, count: int) -> list[Row]:
    return [
        (
            (
                f"cloud-{n % 31}",
                f"省数据局{n % 90}",
                "server",
                f"vm-{family}-{n}",
                "ACTIVE",
                f"{family:04x}{n:08x}",
            ),
            n * 1.5,
        )
        for n in range(count)
    ]


class Oracle:
    """What one would write with prometheus-client: a collector that makes families at each scrape."""

    def __init__(self, data: list[tuple[Family, list[Row]]]) -> None:
        self.data = data

    def collect(self) -> Iterator[GaugeMetricFamily]:
        for family, rows in self.data:
            metric = GaugeMetricFamily(family.name, family.help, labels=family.labels)
            for values, value in rows:
                metric.add_metric(values, value)
            yield metric


def said(body: bytes) -> set[tuple[object, ...]]:
    """Samples of the benchmark's families, whatever the order of labels and the form of numbers."""
    return {
        (s.name, *sorted(s.labels.items()), s.value)
        for family in text_string_to_metric_families(body.decode())
        for s in family.samples
        if s.name.startswith("zhengguan_bench")
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    each = options.samples // 20
    data = [
        (Family(f"zhengguan_bench_{i}", "Benchmark family.", labels=LABELS), rows_of(i, each))
        for i in range(20)
    ]
    registry = CollectorRegistry()
    registry.register(Oracle(data))  # type: ignore[arg-type]

    encoded = [encode(family, rows) for family, rows in data]
    warm = Page(encoded)
    warm.gzip_chunks("text")
    held = [Fragments(family) for family, _ in data]
    for fragments, (_, rows) in zip(held, data, strict=True):
        for values, value in rows:
            fragments.put(values[-1], values, value)
    changed = max(1, each * 15 // 1000)

    def cold() -> list[Encoded]:
        return [encode(family, rows) for family, rows in data]

    def some_changed() -> bytes:
        for fragments, (_, rows) in zip(held, data, strict=True):
            for values, value in rows[:changed]:
                fragments.put(values[-1], values, value + 1)
        return Page([f.encoded() for f in held]).body()

    ways: list[tuple[str, Callable[[], object]]] = [
        ("prometheus-client, custom collector", lambda: generate_latest(registry)),
        ("ours, cold: every family from rows", lambda: Page(cold()).body()),
        ("ours, 1.5 % of the lines changed", some_changed),
        ("ours, warm: plain scrape", warm.body),
        ("ours, warm: gzip scrape", lambda: b"".join(warm.gzip_chunks("text"))),
        ("ours, cold: gzip scrape", lambda: Page(encoded).gzip_chunks("text")),
        ("prometheus-client + its gzip (level 9)", lambda: gzip.compress(generate_latest(registry))),
    ]
    assert said(warm.body()) == said(generate_latest(registry)), "both must say the same"

    times: dict[str, list[float]] = {name: [] for name, _ in ways}
    for _ in range(options.rounds):
        for name, way in ways:
            began = time.process_time()
            way()
            times[name].append(time.process_time() - began)
    base = statistics.median(times[ways[0][0]])
    print(f"{options.samples} samples, {len(warm.body()) / 1e6:.1f} MB, median of {options.rounds}")
    print(f"{'':42}{'CPU ms':>10}{'M samples/CPU-s':>18}{'x client':>12}")
    for name, _ in ways:
        spent = max(statistics.median(times[name]), 1e-7)
        rate = options.samples / spent / 1e6
        print(f"{name:42}{spent * 1000:10.2f}{rate:18.2f}{base / spent:12.1f}")


if __name__ == "__main__":
    main()
