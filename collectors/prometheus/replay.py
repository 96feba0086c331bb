"""Recordings: each expression that was asked, with its answer, redacted, or the error it ended in."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from collectors.contract import Run
from collectors.getting import QueryError
from collectors.prometheus.client import Client, Reply, envelope
from collectors.recordings import Header, lines_of, write_whole
from inventory.coverage import Status
from inventory.decoding import from_json

FORMAT = "zhengguan-prometheus-recording/1"


class _Line(msgspec.Struct, kw_only=True, omit_defaults=True):
    expression: str
    at: datetime | None = None
    body: msgspec.Raw = msgspec.Raw(b"null")
    error: dict[str, str] | None = None


class ReplayClient:
    """A ``Client`` that answers from a recording and opens no connection."""

    def __init__(self, path: Path) -> None:
        self._lines = _read(path)

    def query(self, expression: str) -> Reply:
        """See ``Client.query``. What was not recorded failed, it was not answered "nothing"."""
        return self.get(expression)

    def get(self, expression: str) -> Reply:
        """See ``Client.get``; an address stands where expressions do."""
        line = self._lines.get(expression)
        if line is None:
            raise QueryError("录制里没有这个查询", "用当前版本重新录制")
        if line.error is not None:
            raise QueryError(
                line.error.get("reason", ""), line.error.get("remedy", ""), Status(line.error["status"])
            )
        body = bytes(line.body)
        answer = envelope(body)
        if answer is None or line.at is None:
            raise QueryError("录制里的答复读不懂", "重新录制")
        return Reply(body=body, answer=answer, at=line.at)


def _read(path: Path) -> dict[str, _Line]:
    with lines_of(path, FORMAT) as lines:
        decoded = [from_json(line, _Line) for line in lines]
        return {line.expression: line for line in decoded}


class Recorder:
    """A ``Client`` that passes questions on and keeps every answer, redacted, for ``write``."""

    def __init__(self, client: Client, run: Run) -> None:
        self._client = client
        self._run = run
        self._lines: dict[str, _Line] = {}

    def query(self, expression: str) -> Reply:
        """See ``Client.query``."""
        return self._kept(expression, self._client.query)

    def get(self, path: str) -> Reply:
        """See ``Client.get``."""
        return self._kept(path, self._client.get)

    def _kept(self, expression: str, ask: Callable[[str], Reply]) -> Reply:
        line = self._lines[expression] = _Line(expression=expression)
        try:
            reply = ask(expression)
        except QueryError as error:
            line.error = {"reason": error.reason, "remedy": error.remedy, "status": error.status.value}
            raise
        line.at = reply.at
        line.body = msgspec.Raw(self._run.redactor.clean(reply.body, "application/json"))
        return reply

    def write(self, path: Path, options: dict[str, Any], note: str = "") -> None:
        """Write the recording, whole or not at all; the same answers make the same bytes."""
        header = Header(
            format=FORMAT,
            source=self._run.source.name,
            recorded_at=self._run.now().isoformat(timespec="seconds"),
            note=note,
            options=options,
        )
        parts: list[Any] = [header, *(self._lines[key] for key in sorted(self._lines))]
        write_whole(path, b"".join(msgspec.json.encode(part) + b"\n" for part in parts))
