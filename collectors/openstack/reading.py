"""Reading one cloud by the table: all services side by side, each in its own thread, so that one that
hangs costs nobody else anything; what had come by the deadline is kept.

Answers are mapped as they come and handed over through a short queue: what is held at any time is a few
pages, however many there are.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress

import msgspec

from collectors.contract import DeadlineError, Run
from collectors.openstack.client import TITLES, Client, ServiceError, ServiceName
from collectors.openstack.listing import Ask, Mapped, pages
from collectors.openstack.row import Row, View
from collectors.openstack.sight import missing, prove
from inventory.coverage import Status
from inventory.evidence import Evidence

_MARGIN_SECONDS = 2.0  # kept back from the deadline for telling what has come
_AHEAD = 8  # answers mapped and not yet taken
_AT_ONCE = 4  # calls to one service where a row asks for each of many items
UNFINISHED = ServiceError("到时限时还没有读完", "检查该服务的快慢，或调大该来源的 deadline_seconds")


class Part(msgspec.Struct, kw_only=True, frozen=True):
    """One answer, mapped."""

    row: Row
    found: Mapped
    evidence: Evidence


class End(msgspec.Struct, kw_only=True, frozen=True):
    """One row of the table has been read: to its end, or up to ``error``."""

    row: Row
    error: ServiceError | None


class _ClosedError(Exception):
    """Nobody takes what is read any more."""


class Reader:
    """One reading of one cloud."""

    def __init__(self, client: Client, run: Run, view: View, rows: Sequence[Row]) -> None:
        self._client = client
        self._run = run
        self._view = view
        self._rows = rows
        self._queue: queue.Queue[Part | End | BaseException | None] = queue.Queue(maxsize=_AHEAD)
        self._closed = threading.Event()
        self._gates = {row.name: threading.Event() for row in rows}

    def events(self) -> Iterator[Part | End]:
        """Read; ends when all is read or the deadline is near. Rows without an End are unfinished.
        Re-raises what no reader should raise."""
        services = dict.fromkeys(row.ask.service for row in self._rows)
        for service in services:
            # daemon: one that hangs in a read must not hold the program's end
            threading.Thread(
                target=self._lane, args=(service,), name=f"openstack-{service}", daemon=True
            ).start()
        left = self._run.remaining()
        end = time.monotonic() + left - min(_MARGIN_SECONDS, left / 4)
        lanes = len(services)
        try:
            while lanes:
                try:
                    event = self._queue.get(timeout=max(0.0, end - time.monotonic()))
                except queue.Empty:
                    return
                if event is None:
                    lanes -= 1
                elif isinstance(event, BaseException):
                    raise event
                else:
                    yield event
        finally:
            self._closed.set()

    def _lane(self, service: ServiceName) -> None:
        """All rows of one service, one after the other."""
        rows = [row for row in self._rows if row.ask.service == service]
        view = self._view
        try:
            sights = {row.sight for row in rows}
            view.proofs |= prove(self._client, self._run, view.facts, service, view.admin_roles, sights)
            for row in rows if missing(view.facts, service) is None else ():
                error = self._read(row)
                if error is not None and error.status is Status.DENIED and not error.remedy:
                    error.remedy = row.remedy
                view.ended[row.name] = error
                self._gates[row.name].set()
                self._put(End(row=row, error=error))
            self._put(None)
        except _ClosedError:
            pass
        except Exception as error:  # noqa: BLE001  a thread's error is raised again by the one who waits
            self._put(error)
        finally:
            for row in rows:
                self._gates[row.name].set()

    def _put(self, event: Part | End | BaseException | None) -> None:
        while not self._closed.is_set():
            with suppress(queue.Full):
                return self._queue.put(event, timeout=0.5)
        raise _ClosedError

    def _read(self, row: Row) -> ServiceError | None:
        """One row of the table; returns what ended it early."""
        self._run.progress(f"{TITLES[row.ask.service]}：{row.kind or row.name}")
        try:
            for name in row.after:
                if name in self._gates:
                    self._gates[name].wait(self._run.remaining() / 3)
            if row.each is not None:
                return self._each(row, row.each(self._view))
            try:
                self._answers(row, row.ask)
            except ServiceError as error:
                if row.instead is not None and error.status is Status.DENIED:
                    self._narrower(row, row.instead)
                raise
        except ServiceError as error:
            return error
        except DeadlineError as error:
            return ServiceError(error.reason, error.remedy)
        return None

    def _narrower(self, row: Row, ask: Ask) -> None:
        try:
            self._answers(row, ask)
        except ServiceError:
            return  # denied it is all the same

    def _answers(self, row: Row, ask: Ask, item: str = "") -> None:
        for page in pages(self._client, self._run, ask):
            found = self._mapped(row, page.body, item)
            handed = self._view.known.ids.setdefault(row.kind, set())
            # a row that moved between pages comes twice
            fresh = {r.native_id: r for r in found.resources if r.native_id not in handed}
            handed.update(fresh)
            self._view.odd[row.kind] = self._view.odd.get(row.kind, 0) + len(found.problems)
            found.resources = list(fresh.values())
            if row.ask.service != "identity":
                for resource in found.resources:
                    owners = resource.related("in_project")
                    self._view.known.owners.update(owner.rpartition("/")[2] for owner in owners)
            self._put(Part(row=row, found=found, evidence=page.evidence))

    def _mapped(self, row: Row, body: bytes, item: str) -> Mapped:
        """What one answer holds; one that is not what it should be is a problem, and costs itself only."""
        try:
            if row.learn is not None:
                row.learn(body, item, self._view)
            return row.map(body, item, self._view) if row.map is not None else Mapped()
        except (msgspec.DecodeError, KeyError, RecursionError) as error:
            path = row.ask.path.replace("{}", item)
            return Mapped(problems=[f"GET {path} 的答复：{error.__class__.__name__} {error}"])

    def _each(self, row: Row, items: Sequence[str]) -> ServiceError | None:
        """One call an item, a few at a time. What went wrong with one ends the row, save that it is gone."""
        waiting = iter(list(enumerate(items[: row.most], 1)))
        lock = threading.Lock()
        gone: list[str] = []
        failures: list[BaseException] = []

        def work() -> None:
            while not failures:
                with lock:
                    done, item = next(waiting, (0, ""))
                if not done:
                    return
                self._run.progress(f"{TITLES[row.ask.service]}：{row.kind or row.name}", done, len(items))
                try:
                    self._answers(row, _for_item(row.ask, item), item)
                except ServiceError as error:
                    if error.status is not Status.UNSUPPORTED:
                        failures.append(error)
                    gone.append(item)
                except Exception as error:  # noqa: BLE001  raised again below
                    failures.append(error)

        helpers = [threading.Thread(target=work, daemon=True) for _ in items[1:_AT_ONCE]]
        for helper in helpers:
            helper.start()
        work()
        for helper in helpers:
            helper.join()
        if failures:
            if isinstance(failures[0], ServiceError):
                return failures[0]
            raise failures[0]
        if items and len(gone) >= min(len(items), row.most):
            return ServiceError(
                f"{TITLES[row.ask.service]}没有 {row.ask.path} 这个接口", "", Status.UNSUPPORTED
            )
        if len(items) > row.most:
            return ServiceError(
                f"有 {len(items)} 个要逐个读，只读了前 {row.most} 个",
                row.beyond,
                Status.PARTIAL,
            )
        return None


def _for_item(ask: Ask, item: str) -> Ask:
    params = {name: value.replace("{}", item) for name, value in ask.params.items()}
    return msgspec.structs.replace(
        ask,
        path=ask.path.replace("{}", item),
        params={name: value for name, value in params.items() if value},
    )
