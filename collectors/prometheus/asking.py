"""Asking one question after the other: what is answered, what it rests on, and what went wrong."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

import msgspec

from collectors.contract import DeadlineError, Run
from collectors.getting import QueryError
from collectors.prometheus.client import Client
from collectors.prometheus.mapping import series_of
from inventory.decoding import from_json
from inventory.evidence import Evidence

T = TypeVar("T")
Series = list[tuple[dict[str, str], float]]


class Asking(msgspec.Struct, kw_only=True):
    """Asks, and keeps what it rests on and what went wrong."""

    client: Client
    run: Run
    evidence_of: Callable[[str, str, bytes], Evidence]
    asked: int = 0
    at: datetime | None = None  # the moment that was asked about
    evidence: list[Evidence] = msgspec.field(default_factory=list)
    problems: list[QueryError | DeadlineError] = msgspec.field(default_factory=list)
    warnings: set[str] = msgspec.field(default_factory=set)
    malformed: int = 0

    def ask(self, what: str, expression: str) -> Series | None:
        """Labels and values; None where it was not answered, once for all where time is up."""
        if any(isinstance(problem, DeadlineError) for problem in self.problems):
            return None
        self.asked += 1
        self.run.progress(what, self.asked)
        try:
            reply = self.client.query(expression)
            rows = series_of(bytes(reply.answer.data))
        except (QueryError, DeadlineError) as error:
            self.problems.append(error)
            return None
        self.at = self.at or reply.at
        self.evidence.append(self.evidence_of(what, expression, reply.body))
        self.warnings |= {text[:200] for text in reply.answer.warnings}
        good = [row for row in rows if row is not None]
        self.malformed += len(rows) - len(good)
        return good

    def read(self, what: str, path: str, type_: type[T]) -> T | None:
        """What another address of the API tells; None where it was not answered, or makes no sense."""
        if any(isinstance(problem, DeadlineError) for problem in self.problems):
            return None
        self.asked += 1
        self.run.progress(what, self.asked)
        try:
            reply = self.client.get(path)
        except (QueryError, DeadlineError) as error:
            self.problems.append(error)
            return None
        try:
            found = from_json(bytes(reply.answer.data), type_)
        except msgspec.DecodeError:
            self.problems.append(QueryError(f"{path} 的答复读不懂", "检查 url 后面是不是 Prometheus"))
            return None
        self.evidence.append(self.evidence_of(what, path, reply.body))
        return found
