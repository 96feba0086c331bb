"""Asking an OpenSearch or Elasticsearch: GET of three addresses of its HTTP API and nothing else.

OpenSearch documentation, "Search API", "CAT indices": a search takes its request from the parameter
``source`` of the address as well as from a body, so that what is asked is a GET, and a
proxy may refuse all else.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Protocol

import msgspec

from collectors.contract import Run
from collectors.getting import Getter, QueryError
from inventory.coverage import Status
from inventory.decoding import from_json

if TYPE_CHECKING:
    from collectors.logs import Options

NAME = "日志平台"


class Reply(msgspec.Struct, kw_only=True):
    """The bytes that came, and the moment they were asked for."""

    body: bytes
    at: datetime


class Client(Protocol):
    """One log platform."""

    def get(self, path: str) -> Reply:
        """What an address of the API answers (``/…``). Raises QueryError, and DeadlineError when time is
        up."""
        ...


class _Cause(msgspec.Struct):
    type: str = ""
    reason: str = ""


class _Error(_Cause):
    root_cause: list[_Cause] = []


class _Refusal(msgspec.Struct):
    error: _Error


class LiveClient:
    """A ``Client`` that asks over HTTP."""

    def __init__(self, options: Options, run: Run) -> None:
        self._run = run
        self._getter = Getter(options, run)

    def get(self, path: str) -> Reply:
        """See ``Client.get``."""
        at = self._run.now()
        response = self._getter.get(path, NAME)
        if response.status in (401, 403):
            raise QueryError(
                f"{NAME}不认这个凭据，或它没有这项权限（HTTP {response.status}）",
                "核对 username 或 bearer_ref，给它集群的 monitor 和这些索引的 read、monitor",
                Status.DENIED,
            )
        if response.status != 200:
            raise _refused(response.status, response.body)
        return Reply(body=response.body, at=at)


def _refused(status: int, body: bytes) -> QueryError:
    try:
        error = from_json(body, _Refusal).error
    except (msgspec.DecodeError, UnicodeDecodeError):
        return QueryError(
            f"答复不是 OpenSearch 或 Elasticsearch 的 JSON（HTTP {status}）",
            "检查 url，不要漏掉路径前缀，也不要指向登录页或 Dashboards、Kibana",
        )
    cause = (error.root_cause or [error])[0]
    text = "".join(c for c in f"{cause.type}：{cause.reason}" if c.isprintable())
    if "Text fields are not optimised" in text or "Fielddata is disabled" in text:
        return QueryError("host_fields 里有 text 字段，不能汇总", "写它的 keyword 字段，如 host.name.keyword")
    return QueryError(f"{NAME}没有算成：{text[:200]}", "检查 indices、time_field 和 host_fields")
