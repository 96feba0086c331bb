"""Asking a Prometheus: GET of its HTTP API and nothing else (Prometheus documentation, "HTTP API")."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Protocol
from urllib.parse import quote, urlencode

import msgspec

from collectors.contract import Run
from collectors.getting import Getter, QueryError, Response
from inventory.coverage import Status
from inventory.decoding import from_json

if TYPE_CHECKING:
    from collectors.prometheus import Options


class Answer(msgspec.Struct, kw_only=True):
    """The envelope of every answer of the API; rows stay raw, so that a bad one spoils no other."""

    status: str = ""
    data: msgspec.Raw = msgspec.Raw(b"null")
    error: str = ""
    errorType: str = ""  # noqa: N815 - the API's word
    warnings: list[str] = []


class Reply(msgspec.Struct, kw_only=True):
    """The bytes that came, what they say, and the moment that was asked about."""

    body: bytes
    answer: Answer
    at: datetime


class Client(Protocol):
    """One Prometheus, or anything that speaks its query API."""

    def query(self, expression: str) -> Reply:
        """The value of an expression now. Raises QueryError, and DeadlineError when time is up."""
        ...

    def get(self, path: str) -> Reply:
        """What another address of the API answers (``/api/v1/…``). Raises likewise."""
        ...


class LiveClient:
    """A ``Client`` that asks over HTTP."""

    def __init__(self, options: Options, run: Run) -> None:
        self._options = options
        self._run = run
        self._getter = Getter(options, run)

    def query(self, expression: str) -> Reply:
        """See ``Client.query``."""
        at = self._run.now()
        params = {
            "query": expression,
            "time": f"{at.timestamp():.3f}",
            "timeout": f"{self._options.timeout_seconds:g}s",
        }
        return self._asked(f"/api/v1/query?{urlencode(params, quote_via=quote)}", at)

    def get(self, path: str) -> Reply:
        """See ``Client.get``."""
        return self._asked(path, self._run.now())

    def _asked(self, path: str, at: datetime) -> Reply:
        response = self._getter.get(path, "Prometheus")
        answer = envelope(response.body)
        _refuse(response, answer)
        if answer is None or answer.status != "success":
            raise QueryError(
                f"答复不是 Prometheus 的 JSON（HTTP {response.status}）",
                "检查 url，不要漏掉路径前缀，也不要指向登录页",
            )
        return Reply(body=response.body, answer=answer, at=at)


def envelope(body: bytes) -> Answer | None:
    """What an answer says; None for what is not of the API."""
    try:
        return from_json(body, Answer)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def _refuse(response: Response, answer: Answer | None) -> None:
    if response.status in (401, 403):
        raise QueryError(
            f"Prometheus 不认这个凭据（HTTP {response.status}）", "核对 bearer_ref 或 username", Status.DENIED
        )
    if answer is not None and answer.status == "error":
        if answer.errorType == "bad_data":
            raise QueryError(f"查询写得不对：{answer.error[:200]}", "改 queries 里的 expr")
        if answer.errorType == "timeout":
            raise QueryError("Prometheus 算不完这个查询", "缩短 window_hours，或加大 step_minutes")
        raise QueryError(f"Prometheus 没有算成：{answer.error[:200]}", "缩短 window_hours，或把查询写窄一些")
