"""Running collectors: sources side by side, each within its deadline, every kind accounted for."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime

from collectors.changes import Past
from collectors.contract import (
    REGISTRY,
    Collector,
    DeadlineError,
    Progress,
    Run,
    Source,
    SourceError,
    collector,
    utc_now,
)
from collectors.things import Thing
from inventory.coverage import Batch, Collection, Status

log = logging.getLogger("zhengguan.collectors")

_GRACE_SECONDS = 5.0  # a collector that overruns its own deadline is left behind after this
_POLL_SECONDS = 0.5
_FORGOTTEN = SourceError("采集器没有报告这一类", "请报告此缺陷")

How = Callable[[Collector, Source, Run], Iterator[Batch]]
"""What is done with each source."""
_Result = tuple[Source, Batch | None, SourceError | None]  # no batch = the source has ended


def reading(module: Collector, source: Source, run: Run) -> Iterator[Batch]:
    """Collect, and nothing besides."""
    return module.collect(source, run)


def collect_all(
    sources: Sequence[Source],
    *,
    concurrency: int = 4,
    progress: Callable[[Progress], None] = lambda _: None,
    now: Callable[[], datetime] = utc_now,
    how: How = reading,
    things: Callable[[], Iterable[Thing]] = tuple,
    past: Callable[[Source], Past | None] = lambda _: None,
) -> Iterator[tuple[Source, Batch]]:
    """Collect sources ``concurrency`` at a time and hand over their batches as they come.

    Never raises for a source: one that fails yields collections that say so, for every kind its collector
    knows and did not report. Rows handed over before a failure are kept. Raises KeyError at once for a type
    of source that is not registered. ``things`` tells a collector what other sources have seen, ``past`` what
    changed there.
    """
    results: queue.Queue[_Result] = queue.Queue(maxsize=64)
    waiting = [(source, collector(source.type)) for source in reversed(sources)]
    running: dict[str, tuple[Source, Run, _Coverage]] = {}
    while waiting or running:
        while waiting and len(running) < max(1, concurrency):
            source, module = waiting.pop()
            run = Run(source, progress=progress, now=now, things=things, past=past)
            running[source.name] = (source, run, _Coverage(source, module.KINDS, now))
            threading.Thread(
                target=_work,
                args=(how, module, source, run, results),
                name=f"collect-{source.name}",
                daemon=True,
            ).start()
        # What has come already is taken first: the reader's own slowness is not the source's.
        for source, batch, error in _arrived(results):
            if source.name not in running:
                continue  # left behind: its late rows are not taken
            coverage = running[source.name][2]
            if batch is not None:
                coverage.saw(batch)
                yield source, batch
                continue
            del running[source.name]
            if missing := coverage.missing(error or _FORGOTTEN):
                yield source, Batch(collections=missing)
        yield from _overdue(running)


def _arrived(results: queue.Queue[_Result]) -> Iterator[_Result]:
    """Wait for a result, and take with it those that stand behind it now; none after a while of silence."""
    try:
        yield results.get(timeout=_POLL_SECONDS)
        for _ in range(results.qsize()):
            yield results.get_nowait()
    except queue.Empty:
        return


def _overdue(running: dict[str, tuple[Source, Run, _Coverage]]) -> Iterator[tuple[Source, Batch]]:
    for name, (source, run, coverage) in list(running.items()):
        if run.overdue(_GRACE_SECONDS):
            del running[name]
            if missing := coverage.missing(DeadlineError(source.deadline_seconds)):
                yield source, Batch(collections=missing)


def _work(how: How, module: Collector, source: Source, run: Run, results: queue.Queue[_Result]) -> None:
    """One thread: batches, then the end with what went wrong. What it owes is reckoned by the reader, who
    alone knows which batches were taken."""
    error: SourceError | None = None
    try:
        for batch in how(module, source, run):
            results.put((source, batch, None))
    except SourceError as problem:
        problem.reason = run.redactor.text(problem.reason)
        error = problem
    except ImportError as problem:
        extra = REGISTRY[source.type].extra
        error = SourceError(
            f"缺少组件 {problem.name or problem}",
            f"安装：pip install 'zhengguan[{extra}]'" if extra else "重新安装 zhengguan",
        )
    except (Exception, SystemExit) as problem:
        log.debug("source %s", source.name, exc_info=True)
        error = SourceError(
            run.redactor.text(f"采集器内部错误：{problem.__class__.__name__}: {problem}"),
            "用 --debug 重试并把日志交给开发者",
        )
    finally:
        results.put((source, None, error))


class _Coverage:
    """Which kinds a source still owes a collection for, and whether rows of them have come."""

    def __init__(self, source: Source, kinds: tuple[str, ...], now: Callable[[], datetime]) -> None:
        self.source = source
        self.kinds = kinds
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
            for kind in self.kinds
            if kind not in self.reported
        ]
