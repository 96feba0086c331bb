"""Recordings: the answers of one run against a real cloud, redacted, served again to the same code.

A recording is gzip-compressed JSON lines. The first line is a header, the second the facts of the token,
each further line one request with its answer or with the error it ended in. A request is known by
service, path, sorted parameters and microversion.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from collectors.contract import Run, SourceError
from collectors.openstack.client import Client, Facts, Response, ServiceError, ServiceName
from collectors.recordings import Header, lines_of, write_whole
from inventory.coverage import Status
from inventory.decoding import from_json

FORMAT = "zhengguan-openstack-recording/1"

RequestKey = tuple[str, str, tuple[tuple[str, str], ...], str]


class _Line(msgspec.Struct, kw_only=True, omit_defaults=True):
    service: str
    path: str
    params: dict[str, str] = msgspec.field(default_factory=dict)
    microversion: str = ""
    status: int = 0  # HTTP status; 0 = the request ended in ``error``
    headers: dict[str, str] = msgspec.field(default_factory=dict)
    body: msgspec.Raw = msgspec.Raw(b"null")  # the answer where it is JSON
    text: str = ""  # the answer where it is not
    error: dict[str, str] | None = None


_SINCE = "changes-since"


def request_key(service: str, path: str, params: Mapping[str, str], microversion: str) -> RequestKey:
    """What makes two requests the same request. From when on changes are asked for moves with the clock, and
    is no part of it."""
    asked = tuple(sorted((name, "" if name == _SINCE else value) for name, value in params.items()))
    return service, path, asked, microversion


class ReplayClient:
    """A ``Client`` that answers from a recording and opens no connection."""

    def __init__(self, path: Path) -> None:
        self._facts, self._lines = _read(path)

    def facts(self) -> Facts:
        """See ``Client.facts``."""
        return self._facts

    def get(
        self, service: ServiceName, path: str, params: Mapping[str, str], microversion: str = ""
    ) -> Response:
        """See ``Client.get``. A request that was not recorded failed, it was not answered "nothing". One
        recorded without a microversion stands for a cloud that goes no further; one about changes serves for
        a shorter time too."""
        line = self._lines.get(request_key(service, path, params, microversion)) or self._lines.get(
            request_key(service, path, params, "")
        )
        if line is None or line.params.get(_SINCE, "") > params.get(_SINCE, ""):
            raise ServiceError(f"录制里没有 GET {path}", "用当前版本重新录制")
        if line.error is not None:
            raise ServiceError(
                line.error.get("reason", ""), line.error.get("remedy", ""), Status(line.error["status"])
            )
        body = line.text.encode() if line.text else bytes(line.body)
        return Response(status=line.status, body=body, headers=line.headers)

    def close(self) -> None:
        """See ``Client.close``."""


def _read(path: Path) -> tuple[Facts, dict[RequestKey, _Line]]:
    with lines_of(path, FORMAT) as (facts, *lines):
        decoded = [from_json(line, _Line) for line in lines]
        return from_json(facts, Facts), {
            request_key(line.service, line.path, line.params, line.microversion): line for line in decoded
        }


class Recorder:
    """A ``Client`` that passes requests on and keeps every answer, redacted, for ``write``."""

    def __init__(self, client: Client, run: Run) -> None:
        self._client = client
        self._run = run
        self._facts: Facts | None = None
        self._lines: dict[RequestKey, _Line] = {}
        self._lock = threading.Lock()

    def facts(self) -> Facts:
        """See ``Client.facts``."""
        self._facts = self._client.facts()
        return self._facts

    def get(
        self, service: ServiceName, path: str, params: Mapping[str, str], microversion: str = ""
    ) -> Response:
        """See ``Client.get``."""
        line = _Line(service=service, path=path, params=dict(params), microversion=microversion)
        try:
            response = self._client.get(service, path, params, microversion)
        except ServiceError as error:
            line.error = {"reason": error.reason, "remedy": error.remedy, "status": error.status.value}
            self._keep(line)
            raise
        line.status, line.headers = response.status, response.headers
        cleaned = self._run.redactor.clean(response.body, "application/json")
        try:
            from_json(cleaned)
            line.body = msgspec.Raw(cleaned)
        except msgspec.DecodeError:
            line.text = cleaned.decode("utf-8", "replace")
        self._keep(line)
        return response

    def _keep(self, line: _Line) -> None:
        with self._lock:
            self._lines[request_key(line.service, line.path, line.params, line.microversion)] = line

    def close(self) -> None:
        """See ``Client.close``."""
        self._client.close()

    def write(self, path: Path, note: str = "") -> None:
        """Write the recording, whole or not at all; the same answers make the same bytes."""
        if self._facts is None:
            raise SourceError("没有登录成功，没有可写的录制")
        header = Header(
            format=FORMAT,
            source=self._run.source.name,
            recorded_at=self._run.now().isoformat(timespec="seconds"),
            note=note,
        )
        parts: list[Any] = [header, self._facts, *(self._lines[key] for key in sorted(self._lines))]
        content = b"".join(msgspec.json.encode(part) + b"\n" for part in parts)
        write_whole(path, content)
