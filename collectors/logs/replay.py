"""Recordings: each address that was asked, with its answer, redacted, or the error it ended in."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from collectors.contract import Run
from collectors.getting import QueryError
from collectors.logs.client import Client, Reply
from collectors.recordings import Header, lines_of, write_whole
from inventory.coverage import Status
from inventory.decoding import from_json

FORMAT = "zhengguan-logs-recording/1"


class _Line(msgspec.Struct, kw_only=True, omit_defaults=True):
    path: str
    at: datetime | None = None
    body: msgspec.Raw = msgspec.Raw(b"null")
    error: dict[str, str] | None = None


class ReplayClient:
    """A ``Client`` that answers from a recording and opens no connection."""

    def __init__(self, path: Path) -> None:
        with lines_of(path, FORMAT) as lines:
            decoded = [from_json(line, _Line) for line in lines]
        self._lines = {line.path: line for line in decoded}

    def get(self, path: str) -> Reply:
        """See ``Client.get``. What was not recorded failed, it was not answered "nothing"."""
        line = self._lines.get(path)
        if line is None or (line.error is None and line.at is None):
            raise QueryError("录制里没有这个查询", "用当前版本重新录制")
        if line.error is not None:
            raise QueryError(
                line.error.get("reason", ""), line.error.get("remedy", ""), Status(line.error["status"])
            )
        assert line.at is not None
        return Reply(body=bytes(line.body), at=line.at)


class Recorder:
    """A ``Client`` that passes questions on and keeps every answer, redacted, for ``write``."""

    def __init__(self, client: Client, run: Run) -> None:
        self._client = client
        self._run = run
        self._lines: dict[str, _Line] = {}

    def get(self, path: str) -> Reply:
        """See ``Client.get``."""
        line = self._lines[path] = _Line(path=path)
        try:
            reply = self._client.get(path)
        except QueryError as error:
            line.error = {"reason": error.reason, "remedy": error.remedy, "status": error.status.value}
            raise
        line.at = reply.at
        cleaned = self._run.redactor.clean(reply.body, "application/json")
        try:
            from_json(cleaned)
        except (msgspec.DecodeError, UnicodeDecodeError):
            cleaned = msgspec.json.encode(cleaned.decode("utf-8", "replace"))
        line.body = msgspec.Raw(cleaned)
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
