"""All devices of a source at once: in one thread with the fast engine, in a thread each with the one that
blocks."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Coroutine, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

from collectors.contract import DeadlineError, Run, SourceError
from collectors.snmp.engines import Credentials, choose
from collectors.snmp.options import Options
from collectors.snmp.waiting import AVAILABLE, alone, side_by_side
from collectors.targets import left

T = TypeVar("T")

_LATE_SECONDS = 0.5  # a device that ends just at the deadline is still taken


def every(
    targets: list[str],
    options: Options,
    credentials: Sequence[Credentials],
    run: Run,
    work: Callable[[str], Coroutine[Any, Any, T]],
) -> Iterator[tuple[str, T | BaseException]]:
    """Results of all targets, or the exceptions they ended with, in the order they come. At the deadline
    the rest is given up (the work on each device stops by itself at the same deadline)."""
    finished: SimpleQueue[tuple[str, T | BaseException]] = SimpleQueue()
    pending = dict.fromkeys(targets)
    at_once = min(options.concurrency, len(targets))
    room = threading.Semaphore(2 * at_once)  # being read, or read and not yet taken: more would pile up
    read = _in_threads if _blocks(options, credentials) else _in_one_thread
    stop = read(targets, at_once, f"snmp-{run.source.name}", room, work, finished.put)
    try:
        while pending:
            try:
                target, result = finished.get(timeout=left(run) + _LATE_SECONDS)
            except Empty:
                break
            room.release()
            del pending[target]
            yield target, result
        for target in pending:
            yield target, DeadlineError(run.source.deadline_seconds)
    finally:
        stop()
        room.release(len(targets))  # those that wait for it may end


def _blocks(options: Options, credentials: Sequence[Credentials]) -> bool:
    """Whether a thread that reads with these logins waits for each answer, and for nothing else."""
    if options.recording:
        return False
    try:
        return not AVAILABLE or any(choose(options.engine, login) == "pysnmp" for login in credentials)
    except SourceError:  # each device will say so
        return True


def _in_threads(
    targets: list[str],
    at_once: int,
    name: str,
    room: threading.Semaphore,
    work: Callable[[str], Coroutine[Any, Any, T]],
    done: Callable[[tuple[str, T | BaseException]], None],
) -> Callable[[], None]:
    """Begin to read devices, one in a thread; what stops it from beginning with more of them."""

    def one(target: str) -> T:
        room.acquire()
        return alone(work(target))

    def ended(target: str, future: Future[T]) -> None:
        if not future.cancelled():
            error = future.exception()
            done((target, future.result() if error is None else error))

    pool = ThreadPoolExecutor(at_once, thread_name_prefix=name)
    for target in targets:
        pool.submit(one, target).add_done_callback(functools.partial(ended, target))
    return lambda: pool.shutdown(wait=False, cancel_futures=True)


def _in_one_thread(
    targets: list[str],
    at_once: int,
    name: str,
    room: threading.Semaphore,
    work: Callable[[str], Coroutine[Any, Any, T]],
    done: Callable[[tuple[str, T | BaseException]], None],
) -> Callable[[], None]:
    """The same, all in one thread."""
    stopped = threading.Event()

    def tasks() -> Iterator[tuple[Coroutine[Any, Any, T], Callable[[T | BaseException], None]] | None]:
        for target in targets:
            while not room.acquire(blocking=False):
                yield None
            if stopped.is_set():
                return
            yield work(target), lambda result, target=target: done((target, result))  # type: ignore[misc]

    threading.Thread(target=side_by_side, args=(tasks(), at_once), name=name).start()
    return stopped.set
