"""Recordings: each expression that was asked, with its answer, redacted, or the error it ended in."""

from __future__ import annotations

import gzip
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from collectors.contract import Run, SourceError
from collectors.prometheus.client import Client, QueryError, Reply, envelope
from collectors.recordings import Header, write_whole
from inventory.coverage import Status

FORMAT = "zhengguan-prometheus-recording/1"
_LARGEST_BYTES = 512 * 1024 * 1024  # unpacked; a larger file is no recording of ours


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
    try:
        with gzip.open(path) as file:
            content = file.read(_LARGEST_BYTES + 1)
        if len(content) > _LARGEST_BYTES:
            raise SourceError(f"录制文件 {path.name} 展开后超过 512 MiB", "重新录制")
        header, *lines = content.splitlines()
        if msgspec.json.decode(header, type=Header).format != FORMAT:
            raise SourceError(f"录制文件 {path.name} 的格式不认识", f"要 {FORMAT}")
        decoded = [msgspec.json.decode(line, type=_Line) for line in lines]
    except OSError as error:
        raise SourceError(f"录制文件 {path} 读不出：{error.__class__.__name__}", "检查路径") from error
    except (ValueError, EOFError, msgspec.DecodeError) as error:
        raise SourceError(f"录制文件 {path.name} 不完整或已损坏", "重新录制") from error
    return {line.expression: line for line in decoded}


class Recorder:
    """A ``Client`` that passes questions on and keeps every answer, redacted, for ``write``."""

    def __init__(self, client: Client, run: Run) -> None:
        self._client = client
        self._run = run
        self._lines: dict[str, _Line] = {}

    def query(self, expression: str) -> Reply:
        """See ``Client.query``."""
        line = self._lines[expression] = _Line(expression=expression)
        try:
            reply = self._client.query(expression)
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
