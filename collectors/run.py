"""Running collectors: sources side by side, each within its deadline, every kind accounted for."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

from collectors.contract import DeadlineError, Progress, Run, Source, SourceError, collector, utc_now
from inventory.coverage import Batch, Collection, Status

log = logging.getLogger("zhengguan.collectors")

_GRACE_SECONDS = 5.0  # a collector that overruns its own deadline is left behind after this


def collect_all(
    sources: Sequence[Source],
    *,
    concurrency: int = 4,
    progress: Callable[[Progress], None] = lambda _: None,
    now: Callable[[], datetime] = utc_now,
) -> Iterator[tuple[Source, Batch]]:
    """Collect sources ``concurrency`` at a time and hand over their batches as they come.

    Never raises for a source: one that fails yields collections that say so, for every kind its collector
    knows and did not report. Rows handed over before a failure are kept.
    """
    results: queue.Queue[tuple[Source, Batch | None]] = queue.Queue(maxsize=64)
    waiting = list(reversed(sources))
    running: dict[str, tuple[Source, Run, _Coverage]] = {}
    while waiting or running:
        while waiting and len(running) < max(1, concurrency):
            source = waiting.pop()
            run = Run(source, progress=progress, now=now)
            coverage = _Coverage(source, now)
            running[source.name] = (source, run, coverage)
            worker = threading.Thread(
                target=_work,
                args=(source, run, coverage, results),
                name=f"collect-{source.name}",
                daemon=True,
            )
            worker.start()
        try:
            source, batch = results.get(timeout=0.5)
        except queue.Empty:
            yield from _overdue(running)
            continue
        if source.name not in running:
            continue  # left behind: its late rows are not taken
        if batch is None:
            del running[source.name]
        else:
            yield source, batch


def _overdue(running: dict[str, tuple[Source, Run, _Coverage]]) -> Iterator[tuple[Source, Batch]]:
    for name, (source, run, coverage) in list(running.items()):
        if run.overdue(_GRACE_SECONDS):
            del running[name]
            error = DeadlineError(source.deadline_seconds)
            yield source, Batch(collections=coverage.missing(error))


def _work(
    source: Source, run: Run, coverage: _Coverage, results: queue.Queue[tuple[Source, Batch | None]]
) -> None:
    try:
        for batch in collector(source.type).collect(source, run):
            coverage.saw(batch)
            results.put((source, batch))
    except SourceError as error:
        results.put((source, Batch(collections=coverage.missing(error))))
    except Exception as error:
        log.debug("source %s", source.name, exc_info=True)
        reason = run.redactor.text(f"采集器内部错误：{error.__class__.__name__}: {error}")
        remedy = "用 --debug 重试并把日志交给开发者"
        results.put((source, Batch(collections=coverage.missing(SourceError(reason, remedy)))))
    else:
        missing = coverage.missing(SourceError("采集器没有报告这一类", "请报告此缺陷"))
        if missing:
            results.put((source, Batch(collections=missing)))
    finally:
        results.put((source, None))


class _Coverage:
    """Which kinds a source still owes a collection for, and whether rows of them have come."""

    def __init__(self, source: Source, now: Callable[[], datetime]) -> None:
        self.source = source
        self.now = now
        self.started_at = now()
        self.reported: set[str] = set()
        self.rows: dict[str, int] = {}

    def saw(self, batch: Batch) -> None:
        self.reported.update(c.kind for c in batch.collections)
        for resource in batch.resources:
            self.rows[resource.KIND] = self.rows.get(resource.KIND, 0) + 1

    def missing(self, error: SourceError) -> list[Collection]:
        return [
            Collection(
                source=self.source.name,
                kind=kind,
                status=Status.PARTIAL
                if self.rows.get(kind) and error.status is Status.FAILED
                else error.status,
                started_at=self.started_at,
                ended_at=self.now(),
                count=self.rows.get(kind, 0),
                reason=error.reason,
                remedy=error.remedy,
            )
            for kind in collector(self.source.type).KINDS
            if kind not in self.reported
        ]
