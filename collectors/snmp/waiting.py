"""Waiting for many devices in one thread, or for one of them in a thread of its own.

Only one thread can run Python, and where answers come fast a thread per device spends more on switching
than on the packets. So what reads a device is a coroutine, which awaits one of the three things below, and
a driver resumes it: ``alone`` blocks, ``side_by_side`` looks after all sockets at once. (An asyncio loop
does the same for five times the CPU: it sets up a future, a timer and two system calls for each packet.)
"""

from __future__ import annotations

import itertools
import os
import select
import time
from collections.abc import Callable, Coroutine, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from types import coroutine
from typing import Any, NamedTuple, TypeVar

T = TypeVar("T")

AVAILABLE = hasattr(select, "epoll")
_TICK_SECONDS = 0.02  # how late a time-out may be noticed
_THREADS = 8  # for calls that block


class _Wait(NamedTuple):
    """For a descriptor to be readable, or (-1) for the time, or for a call to end in another thread."""

    descriptor: int
    seconds: float
    call: Callable[[], Any] | None = None


@coroutine
def _until(wait: _Wait) -> Generator[_Wait, Any, Any]:
    return (yield wait)


async def readable(descriptor: int, seconds: float) -> bool:
    """Wait until there is something to read, or an error to fetch; False where time is up first."""
    return bool(await _until(_Wait(descriptor, seconds)))


async def sleep(seconds: float) -> None:
    """Wait this long."""
    await _until(_Wait(-1, seconds))


async def elsewhere(call: Callable[[], T]) -> T:
    """What a call that may block returns or raises; the others go on meanwhile."""
    outcome: Callable[[], T] = await _until(_Wait(-1, 0.0, call))
    return outcome()


def alone(task: Coroutine[Any, Any, T]) -> T:
    """Run one coroutine to its end in this thread."""
    answer: Any = None
    while True:
        try:
            wait: _Wait = task.send(answer)
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]
        if wait.call is not None:
            answer = wait.call
        elif wait.descriptor < 0:
            time.sleep(max(0.0, wait.seconds))
        else:
            poll = select.poll()
            poll.register(wait.descriptor, select.POLLIN)
            answer = bool(poll.poll(wait.seconds * 1000))


class _Running:
    """One coroutine on its way: what came of it goes to ``done``."""

    __slots__ = ("done", "ends", "task")

    def __init__(self, task: Coroutine[Any, Any, Any], done: Callable[[Any], None]) -> None:
        self.task, self.done, self.ends = task, done, 0.0


def side_by_side(
    tasks: Iterable[tuple[Coroutine[Any, Any, T], Callable[[T | BaseException], None]] | None], at_once: int
) -> None:
    """Run coroutines to their ends, ``at_once`` of them at a time, all in this thread; what each returns
    or raises goes to the function beside it. ``tasks`` is asked for the next one when there is room; None
    means to ask again later."""
    loop = _Loop(at_once)
    try:
        loop.run(iter(tasks))
    finally:
        loop.close()


class _Loop:
    def __init__(self, at_once: int) -> None:
        self._at_once = at_once
        self._epoll = select.epoll()
        self._bell = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._epoll.register(self._bell, select.EPOLLIN)
        self._waiting: dict[int, _Running] = {}  # by descriptor, or a negative number that means nothing
        self._numbers = itertools.count(-1, -1)
        self._ended: list[tuple[_Running, Future[Any]]] = []  # calls in other threads
        self._calls = 0
        self._threads: ThreadPoolExecutor | None = None

    def close(self) -> None:
        self._epoll.close()
        if self._threads is not None:
            self._threads.shutdown()
        os.close(self._bell)

    def run(self, tasks: Iterator[Any]) -> None:
        looked, more = time.monotonic(), True
        while True:
            while more and len(self._waiting) + self._calls < self._at_once:
                try:
                    following = next(tasks)
                except StopIteration:
                    more = False
                    break
                if following is None:
                    break
                self._step(_Running(*following), None)
            if not (more or self._waiting or self._calls):
                return
            # answers first: one that waits to be read is in time, however long the others took
            for descriptor, _ in self._epoll.poll(_TICK_SECONDS):
                if descriptor == self._bell:
                    self._take_ended()
                elif (running := self._waiting.pop(descriptor, None)) is not None:
                    self._step(running, True)
            now = time.monotonic()
            if now - looked >= _TICK_SECONDS:
                looked = now
                for key in [key for key, running in self._waiting.items() if running.ends <= now]:
                    self._step(self._waiting.pop(key), False)

    def _step(self, running: _Running, answer: Any) -> None:
        try:
            wait: _Wait = running.task.send(answer)
        except StopIteration as end:
            running.done(end.value)
        except BaseException as error:  # noqa: BLE001  handed to the one who waits for it
            running.done(error)
        else:
            if wait.call is not None:
                self._call(running, wait.call)
                return
            running.ends = time.monotonic() + wait.seconds
            if wait.descriptor < 0:
                self._waiting[next(self._numbers)] = running
            else:
                self._waiting[wait.descriptor] = running
                self._watch(wait.descriptor)

    def _watch(self, descriptor: int) -> None:
        once = select.EPOLLIN | select.EPOLLONESHOT
        try:
            self._epoll.modify(descriptor, once)
        except FileNotFoundError:  # the first time; a socket that is closed leaves by itself
            self._epoll.register(descriptor, once)

    def _call(self, running: _Running, call: Callable[[], Any]) -> None:
        if self._threads is None:
            self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="snmp-call")
        self._calls += 1

        def ended(future: Future[Any]) -> None:
            self._ended.append((running, future))
            os.eventfd_write(self._bell, 1)

        self._threads.submit(call).add_done_callback(ended)

    def _take_ended(self) -> None:
        os.eventfd_read(self._bell)
        while self._ended:
            running, future = self._ended.pop(0)
            self._calls -= 1
            self._step(running, future.result)
