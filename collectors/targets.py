"""The targets of a source: what those that are lists of hosts or devices do alike.

Targets are read side by side, all within the source's deadline, and every one is accounted for: with what was
read of it, or with why it was not.
"""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from datetime import datetime
from ipaddress import ip_address
from typing import TypeVar

from collectors.contract import Access, DeadlineError, Run, SourceError
from inventory.coverage import Batch

log = logging.getLogger("zhengguan.collectors.targets")
T = TypeVar("T")

_LATE_SECONDS = 1.5  # a target that ends just at the deadline is still taken


def side_by_side(
    work: Mapping[str, Callable[[], T]], at_once: int, run: Run
) -> Iterator[tuple[str, T | BaseException]]:
    """Results of all targets, a thread each, or the exceptions they ended with, in the order they come. At
    the deadline the rest is given up (the work on each target stops by itself at the same deadline)."""
    if not work:
        return
    name = f"{run.source.type}-{run.source.name}"
    pool = ThreadPoolExecutor(min(at_once, len(work)), thread_name_prefix=name)
    try:
        pending: dict[Future[T], str] = {pool.submit(one): target for target, one in work.items()}
        while pending:
            finished, _ = wait(pending, timeout=left(run) + _LATE_SECONDS, return_when=FIRST_COMPLETED)
            for future in finished:
                error = future.exception()
                yield pending.pop(future), future.result() if error is None else error
            if not finished:
                break
        for target in pending.values():
            yield target, DeadlineError(run.source.deadline_seconds)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def failed(run: Run, target: str, kinds: Sequence[str], started: datetime, error: SourceError) -> Batch:
    """A target that could not be read: its own scope failed, for all kinds."""
    return Batch(
        collections=[
            run.collection(
                kind, error.status, started, scope=target, reason=error.reason, remedy=error.remedy
            )
            for kind in kinds
        ]
    )


def no_access(run: Run, target: str, error: SourceError) -> Access:
    """A target that cannot be read, as a line of ``doctor``."""
    return Access(subject=target, ok=False, detail=run.redactor.text(error.reason), remedy=error.remedy)


def left(run: Run) -> float:
    """Seconds left of a run; 0 where its deadline has passed."""
    try:
        return run.remaining()
    except DeadlineError:
        return 0.0


def source_error(error: BaseException) -> SourceError:
    """What ended the work on a target, for the user: one of ours says so, and takes no other target with
    it."""
    if isinstance(error, SourceError):
        return error
    log.debug("target", exc_info=error)
    return internal(f"{error.__class__.__name__}: {error}")


def internal(what: str) -> SourceError:
    """A mistake of the collector's own."""
    return SourceError(f"采集器内部错误：{what}", "用 --debug 重试并把日志交给开发者")


def resolved(host: str, port: int, kind: socket.SocketKind) -> str:
    """The first address of a host. Raises SourceError where it has none."""
    try:
        found = socket.getaddrinfo(host, port, type=kind)
    except (OSError, UnicodeError) as error:
        raise SourceError(f"域名 {host} 解析不出", "检查名字和 DNS") from error
    return str(found[0][4][0])


def is_address(host: str) -> bool:
    """Whether a host is written as an IP address."""
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
