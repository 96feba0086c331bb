"""Recordings: the answers of one run against a real cluster, redacted, served again to the same code.

A recording is gzip-compressed JSON lines. The first line is a header, the second tells whom the client
talked to, each further line one request with its answer or with the error it ended in. A request is known
by path, sorted parameters and media type.

Besides what the redactor masks, three things are dropped for good: bookkeeping (``managedFields``), copies
of whole objects (last-applied annotations), and the literal values of environment variables, of which only
a mark stays where one looks like a secret. Commands stay only of the control plane, annotations only where
they are Kubernetes' own.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec

from collectors.contract import Run
from collectors.kubernetes.client import Client, Peer, ReadError, Response
from collectors.kubernetes.listing import PAGE
from collectors.kubernetes.objects import CONTROL_PLANE, MANAGER_NOISE, looks_secret, masked_parameters
from collectors.recordings import Header, lines_of, write_whole
from collectors.redact import MASK, Redactor
from inventory.coverage import Status
from inventory.decoding import from_json

FORMAT = "zhengguan-kubernetes-recording/1"
_LONGEST_NOTE = 64

RequestKey = tuple[str, tuple[tuple[str, str], ...], str]


class _Line(msgspec.Struct, kw_only=True, omit_defaults=True):
    path: str
    params: dict[str, str] = msgspec.field(default_factory=dict)
    accept: str = "application/json"
    status: int = 0  # HTTP status; 0 = the request ended in ``error``
    body: msgspec.Raw = msgspec.Raw(b"null")  # the answer where it is JSON
    text: str = ""  # the answer where it is not
    error: dict[str, str] | None = None

    @property
    def key(self) -> RequestKey:
        return self.path, tuple(sorted(self.params.items())), self.accept


class ReplayClient:
    """A ``Client`` that answers from a recording and opens no connection."""

    def __init__(self, path: Path) -> None:
        self._peer, self._lines = _read(path)

    def peer(self) -> Peer:
        """See ``Client.peer``."""
        return self._peer

    def get(self, path: str, params: Mapping[str, str], accept: str = "application/json") -> Response:
        """See ``Client.get``. A request that was not recorded failed, it was not answered "nothing"."""
        line = self._lines.get((path, tuple(sorted(params.items())), accept))
        if line is None and params.get("limit") == "1":  # doctor asks for one row of what was read whole
            line = self._lines.get((path, tuple(sorted({**params, "limit": PAGE}.items())), accept))
        if line is None:
            raise ReadError(f"录制里没有 GET {path}", "用当前版本重新录制")
        if line.error is not None:
            raise ReadError(
                line.error.get("reason", ""), line.error.get("remedy", ""), Status(line.error["status"])
            )
        return Response(status=line.status, body=line.text.encode() if line.text else bytes(line.body))

    def close(self) -> None:
        """See ``Client.close``."""


def _read(path: Path) -> tuple[Peer, dict[RequestKey, _Line]]:
    with lines_of(path, FORMAT) as (peer, *lines):
        decoded = [from_json(line, _Line) for line in lines]
        return from_json(peer, Peer), {line.key: line for line in decoded}


class Recorder:
    """A ``Client`` that passes requests on and keeps every answer, redacted, for ``write``."""

    def __init__(self, client: Client, run: Run, namespaces: list[str]) -> None:
        self._client = client
        self._run = run
        self._namespaces = namespaces  # that were asked for by name
        self._lines: dict[RequestKey, _Line] = {}

    def peer(self) -> Peer:
        """See ``Client.peer``."""
        return self._client.peer()

    def get(self, path: str, params: Mapping[str, str], accept: str = "application/json") -> Response:
        """See ``Client.get``."""
        line = _Line(path=path, params=dict(params), accept=accept)
        try:
            response = self._client.get(path, params, accept)
        except ReadError as error:
            line.error = {"reason": error.reason, "remedy": error.remedy, "status": error.status.value}
            self._lines[line.key] = line
            raise
        line.status = response.status
        try:
            data = prune(from_json(response.body), self._run.redactor)
            line.body = msgspec.Raw(msgspec.json.encode(self._run.redactor.data(data)))
        except msgspec.DecodeError:
            line.text = self._run.redactor.text(response.body.decode("utf-8", "replace"))
        self._lines[line.key] = line
        return response

    def close(self) -> None:
        """See ``Client.close``."""
        self._client.close()

    def write(self, path: Path, note: str = "") -> None:
        """Write the recording, whole or not at all; the same answers make the same bytes."""
        header = Header(
            format=FORMAT,
            source=self._run.source.name,
            recorded_at=self._run.now().isoformat(timespec="seconds"),
            note=note,
            options={"namespaces": self._namespaces} if self._namespaces else {},
        )
        parts: list[Any] = [header, self.peer(), *(self._lines[key] for key in sorted(self._lines))]
        write_whole(path, b"".join(msgspec.json.encode(part) + b"\n" for part in parts))


def prune(data: Any, redactor: Redactor) -> Any:
    """Drop what nobody needs and what may hold secrets under harmless names."""
    if isinstance(data, list):
        return [prune(item, redactor) for item in data]
    if not isinstance(data, dict):
        return data
    kept: dict[str, Any] = {}
    for key, value in data.items():
        if key == "managedFields" or (key == "images" and isinstance(value, list)):
            continue  # bookkeeping, and what a node holds in its cache: long, and nobody reads it
        if key == "annotations" and isinstance(value, dict):
            kept[key] = {name: _note(name, text) for name, text in value.items() if name not in MANAGER_NOISE}
        elif key == "clientConfig" and isinstance(value, dict) and isinstance(value.get("url"), str):
            kept[key] = {**value, "url": _host_only(value["url"])}  # a path may be what authorizes
        elif key == "env" and isinstance(value, list):
            kept[key] = [_without_value(item, redactor) for item in value]
        elif key == "parameters" and isinstance(value, dict):
            kept[key] = masked_parameters({k: str(v) for k, v in value.items()})
        elif key in ("command", "args") and isinstance(value, list):
            own = data.get("name") in CONTROL_PLANE
            kept[key] = [one for one in value if own and str(one).startswith(("--", *CONTROL_PLANE))]
        else:
            kept[key] = prune(value, redactor)
    return kept


def _host_only(url: str) -> str:
    try:
        parts = urlsplit(url)
    except ValueError:
        return MASK
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}/"


def _note(name: str, text: Any) -> str:
    """An annotation's value only where the mapping reads it: short, and of Kubernetes itself."""
    known = name.partition("/")[0].endswith(("kubernetes.io", "k8s.io")) and not name.endswith("-snippet")
    return text if known and isinstance(text, str) and len(text) <= _LONGEST_NOTE else ""


def _without_value(variable: Any, redactor: Redactor) -> Any:
    if not (isinstance(variable, dict) and isinstance(variable.get("value"), str)):
        return variable
    secret = looks_secret(str(variable.get("name")), variable["value"], redactor.text)
    return {**variable, "value": MASK if secret else ""}
