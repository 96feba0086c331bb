"""Our own walk over a table, with the guards that the SNMP libraries lack.

A walk ends because it left the table, or it says why it ended. OIDs must increase strictly (an agent that
goes back would otherwise be read for ever), rows are capped, every request is retried, max-repetitions is
halved on tooBig, on an empty answer and on a time-out, and each device and each table has a deadline. What
a page brings beyond its table is kept: a table that lies in such a stretch is known without asking.
"""

from __future__ import annotations

import bisect
import itertools
import operator
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import msgspec

from collectors.contract import DeadlineError, Run, retry_awaited
from collectors.snmp import waiting
from collectors.snmp.engines import (
    AgentError,
    AuthenticationError,
    Engine,
    NoAnswerError,
    Oid,
    TooBigError,
    Value,
    Varbind,
)
from collectors.snmp.tables import Table
from inventory.coverage import Status

T = TypeVar("T")

_FIRST_PAGE = 25  # rows of a table of which nothing is known yet
_ONE_PACKET = 1300  # octets of rows: a page that is longer comes in fragments, which firewalls like to drop
_oid_of_row = operator.itemgetter(0)
_SHORTEST_TIMEOUT = 0.05  # below this a request is not worth sending


class Limits(msgspec.Struct, kw_only=True, frozen=True):
    """``attempts`` counts the first try; times in seconds."""

    timeout_seconds: float = 2.0
    attempts: int = 3
    max_repetitions: int = 50
    max_rows: int = 100_000  # of one table
    device_seconds: float = 60.0
    table_seconds: float = 30.0


class Walk(msgspec.Struct, kw_only=True):
    """A table as far as it was read; ``reason`` (中文) says why it is not complete. ``silent``: the agent
    stopped answering, so asking on makes no sense."""

    rows: dict[Oid, Value] = msgspec.field(default_factory=dict)
    status: Status = Status.COMPLETE
    reason: str = ""
    silent: bool = False


class Walker:
    """Reads one device through one engine. Its deadline starts when it is made, or is the one given as
    ``ends`` (of the monotonic clock): logins tried one after the other share it."""

    def __init__(
        self,
        engine: Engine,
        run: Run,
        limits: Limits,
        *,
        ends: float | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = waiting.sleep,
    ) -> None:
        self._engine = engine
        self._run = run
        self._limits = limits
        self._monotonic = monotonic
        self._sleep = sleep
        self.ends = monotonic() + limits.device_seconds if ends is None else ends
        self._most = limits.max_repetitions  # what the agent was found to manage
        self._fit = _FIRST_PAGE  # what rows like the last ones leave room for
        self._repetitions = limits.max_repetitions
        self._lows: list[Oid] = []  # sorted; after each of them come the rows of ``_beyond``
        self._beyond: list[list[Varbind]] = []
        self._last: Oid | None = None  # after this instance there are no others

    async def get(self, oids: Sequence[Oid]) -> dict[Oid, Value]:
        """Read instances. Raises NoAnswerError, AuthenticationError, AgentError, DeadlineError."""
        try:
            return await self._retried(lambda: self._engine.get(oids, self._timeout(self.ends)), self.ends)
        except TooBigError:
            if len(oids) == 1:
                raise AgentError("一个值也放不进应答（tooBig）") from None
            half = len(oids) // 2
            return await self.get(oids[:half]) | await self.get(oids[half:])

    async def walk(self, table: Table) -> Walk:
        """Read a table. Never raises for the device: what went wrong is in the walk."""
        walk = Walk()
        self._fit = _FIRST_PAGE
        ends = min(self.ends, self._monotonic() + self._limits.table_seconds)
        try:
            for start, stop in table.ranges():
                reason = await self._range(walk.rows, start, stop, ends)
                if reason:
                    walk.status, walk.reason = Status.PARTIAL, reason
                    break
        except NoAnswerError as error:
            walk.status, walk.reason, walk.silent = Status.PARTIAL, f"读到一半{error}", True
        except DeadlineError as error:
            walk.status, walk.reason = Status.PARTIAL, error.reason
        except AuthenticationError as error:
            walk.status, walk.reason = Status.DENIED, str(error)
        except AgentError as error:
            walk.status, walk.reason = Status.PARTIAL, str(error)
        return walk

    async def _range(self, rows: dict[Oid, Value], start: Oid, stop: Oid, ends: float) -> str:
        """Read the instances between ``start`` and ``stop`` into ``rows``; why it broke off, or ""."""
        at = start
        page = self._known_after(start)
        while True:
            page = page or await self._page(at, ends)
            if not page:
                return ""
            oids = [oid for oid, _ in page]
            if not (at < oids[0] and _increasing(oids)):
                return self._up_to_the_fault(rows, at, stop, page)
            inside = len(page) if oids[-1] < stop else bisect.bisect_left(oids, stop)
            room = self._limits.max_rows - len(rows)
            rows.update(page[: min(inside, room)])
            if inside > room:
                return f"超过 {self._limits.max_rows} 行，已停止读取"
            at = oids[inside - 1] if inside else at
            if inside < len(page):
                self._note(at, page[inside:])
                return ""
            page = []

    def _up_to_the_fault(self, rows: dict[Oid, Value], at: Oid, stop: Oid, page: list[Varbind]) -> str:
        """Take what a page that goes back somewhere holds before that place; what comes after its table
        is not kept, since such a page is not believed."""
        for oid, value in page:
            if oid <= at:
                return "设备返回的 OID 不递增（代理有缺陷），已停止读取"
            if oid >= stop:
                return ""
            at = oid
            if len(rows) >= self._limits.max_rows:
                return f"超过 {self._limits.max_rows} 行，已停止读取"
            rows[oid] = value
        raise AssertionError("a page that goes back nowhere")

    def _note(self, after: Oid, page: list[Varbind]) -> None:
        """Keep what a page holds beyond its table: the instances that follow ``after``, one by one."""
        at = bisect.bisect_right(self._lows, after)
        self._lows.insert(at, after)
        self._beyond.insert(at, page)

    def _known_after(self, start: Oid) -> list[Varbind]:
        """Instances after ``start`` that came with an earlier page; [] where they have to be asked for."""
        at = bisect.bisect_right(self._lows, start) - 1
        if at < 0:
            return []
        page = self._beyond[at]
        return page[bisect.bisect_right(page, start, key=_oid_of_row) :]

    async def _page(self, at: Oid, ends: float) -> list[Varbind]:
        """The next rows after ``at``; empty only at the end of the MIB view."""

        if self._last is not None and at >= self._last:
            return []

        async def attempt() -> list[Varbind]:
            timeout = self._timeout(ends)
            try:
                page = await self._engine.get_bulk(at, min(self._repetitions, self._fit), timeout)
            except NoAnswerError:
                self._repetitions = max(1, self._repetitions // 2)  # perhaps the answer was too long
                raise
            except TooBigError:
                page = []
            if page:
                self._repetitions = min(self._most, self._repetitions * 2)
                self._fit = max(1, _ONE_PACKET // _octets_of(page[-1]))
                return page
            row = await self._engine.get_next(at, self._timeout(ends))
            if row is None:
                self._last = at
                return []
            self._most = self._repetitions = max(1, self._repetitions // 2)
            return [row]

        try:
            return await self._retried(attempt, ends)
        except TooBigError:
            raise AgentError("一个值也放不进应答（tooBig）") from None

    async def _retried(self, call: Callable[[], Awaitable[T]], ends: float) -> T:
        base = min(0.5, self._limits.timeout_seconds / 4)  # a time-out has been a wait already

        async def sleep(seconds: float) -> None:
            await self._sleep(min(seconds, max(0.0, ends - self._monotonic())))

        attempts = self._limits.attempts
        return await retry_awaited(call, self._run, attempts=attempts, base_seconds=base, sleep=sleep)

    def _timeout(self, ends: float) -> float:
        left = ends - self._monotonic()
        if left < _SHORTEST_TIMEOUT:
            at_device = ends >= self.ends
            raise DeadlineError(self._limits.device_seconds if at_device else self._limits.table_seconds)
        return self._run.timeout(min(self._limits.timeout_seconds, left))


def _increasing(oids: Sequence[Oid]) -> bool:
    return all(map(operator.lt, oids, itertools.islice(oids, 1, None)))


def _octets_of(row: Varbind) -> int:
    """About how long a row is in an answer: headers, OID, value."""
    oid, value = row
    long = sum(1 for part in oid if part > 127)
    return 7 + len(oid) + 2 * long + (len(value) if isinstance(value, (bytes, str)) else 4)
