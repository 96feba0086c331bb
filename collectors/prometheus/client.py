"""Asking a Prometheus: GET of its HTTP API and nothing else (Prometheus documentation, "HTTP API").

The standard library's client, because it follows nothing by itself: a redirect to another host would take
the credential along. An answer is read in pieces, within the run's deadline and a limit of bytes.
"""

from __future__ import annotations

import base64
import http.client
import ssl
from datetime import datetime
from typing import TYPE_CHECKING, Protocol
from urllib.parse import SplitResult, quote, urlencode, urljoin, urlsplit

import msgspec

from collectors.contract import RetryableError, Run, SourceError, retry
from inventory.coverage import Status
from inventory.decoding import from_json

if TYPE_CHECKING:
    from collectors.prometheus import Options

_BUSY = (429, 502, 503, 504)
_PIECE = 256 * 1024
_MOST_REDIRECTS = 3
MIB = 1024 * 1024


class QueryError(Exception):
    """One query was not answered. ``reason`` (中文) holds no secret."""

    def __init__(self, reason: str, remedy: str = "", status: Status = Status.FAILED) -> None:
        super().__init__(reason)
        self.reason = reason
        self.remedy = remedy
        self.status = status


class Answer(msgspec.Struct, kw_only=True):
    """The envelope of every answer of the API; rows stay raw, so that a bad one spoils no other."""

    status: str = ""
    data: msgspec.Raw = msgspec.Raw(b"null")
    error: str = ""
    errorType: str = ""  # noqa: N815 - the API's word
    warnings: list[str] = []


class _Response(msgspec.Struct):
    status: int
    location: str
    body: bytes


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
        self._base = options.url.rstrip("/")
        self._headers = {"Accept": "application/json", "User-Agent": "zhengguan"}
        if options.bearer_ref:
            self._headers["Authorization"] = f"Bearer {run.secret(options.bearer_ref)}"
        elif options.username:
            password = run.secret(options.password_ref)
            pair = base64.b64encode(f"{options.username}:{password}".encode()).decode()
            run.redactor.learn(pair)
            self._headers["Authorization"] = f"Basic {pair}"
        self._context = _context(options) if urlsplit(self._base).scheme == "https" else None

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
        url = f"{self._base}{path}"
        try:
            response = retry(lambda: self._follow(url), self._run)
        except RetryableError as error:
            raise QueryError(f"Prometheus 没有应答：{error}", "检查 url、网络和防火墙") from error
        answer = envelope(response.body)
        _refuse(response, answer)
        if answer is None or answer.status != "success":
            raise QueryError(
                f"答复不是 Prometheus 的 JSON（HTTP {response.status}）",
                "检查 url，不要漏掉路径前缀，也不要指向登录页",
            )
        return Reply(body=response.body, answer=answer, at=at)

    def _follow(self, url: str) -> _Response:
        for _ in range(_MOST_REDIRECTS + 1):
            response = self._once(urlsplit(url))
            if response.status not in (301, 302, 303, 307, 308):
                return response
            target = urlsplit(urljoin(url, response.location))
            if _origin(target) != _origin(urlsplit(self._base)):
                raise QueryError(
                    f"被转到另一台主机（{(target.hostname or '?')[:80]}），没有跟去",
                    "把 url 写成最终的地址；需要统一登录的，给采集器单独开一个入口",
                    Status.DENIED,
                )
            url = target.geturl()
        raise QueryError("转来转去没有结果", "检查 url 和反向代理")

    def _once(self, url: SplitResult) -> _Response:
        connection = self._connection(url)
        path = f"{url.path}?{url.query}" if url.query else url.path
        try:
            connection.request("GET", path, headers=self._headers)
            response = connection.getresponse()
            if response.status in _BUSY:
                wait = response.headers.get("Retry-After", "")
                raise RetryableError(f"HTTP {response.status}", float(wait) if wait.isdecimal() else 0.0)
            return _Response(
                status=response.status,
                location=response.headers.get("Location", ""),
                body=self._body(connection, response),
            )
        except ssl.SSLCertVerificationError as error:
            raise QueryError(
                f"TLS 证书未通过校验：{error.verify_message}", "用 ca_file 指定 CA 证书"
            ) from error
        except (OSError, http.client.HTTPException) as error:
            raise RetryableError(_words(error)) from error
        finally:
            connection.close()

    def _connection(self, url: SplitResult) -> http.client.HTTPConnection:
        timeout = self._run.timeout(self._options.timeout_seconds)
        host, port = url.hostname or "", url.port
        if url.scheme == "https":
            return http.client.HTTPSConnection(host, port, timeout=timeout, context=self._context)
        return http.client.HTTPConnection(host, port, timeout=timeout)

    def _body(self, connection: http.client.HTTPConnection, response: http.client.HTTPResponse) -> bytes:
        most = self._options.answer_mib * MIB
        parts: list[bytes] = []
        size = 0
        while piece := response.read1(_PIECE):
            parts.append(piece)
            size += len(piece)
            if size > most:
                raise QueryError(
                    f"答复超过 {self._options.answer_mib} MiB，没有读完",
                    "把查询写窄一些，或调大 answer_mib",
                )
            if connection.sock is not None:  # a peer that drips must not outlive the deadline
                connection.sock.settimeout(self._run.timeout(self._options.timeout_seconds))
        return b"".join(parts)


def _origin(url: SplitResult) -> tuple[str, str | None, int | None]:
    return url.scheme, url.hostname, url.port or {"http": 80, "https": 443}.get(url.scheme)


def envelope(body: bytes) -> Answer | None:
    """What an answer says; None for what is not of the API."""
    try:
        return from_json(body, Answer)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def _refuse(response: _Response, answer: Answer | None) -> None:
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


def _context(options: Options) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=options.ca_file or None)
    except (OSError, ssl.SSLError) as error:
        raise SourceError(f"CA 证书读不出：{options.ca_file}", "检查 ca_file 的路径和内容") from error
    if options.insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _words(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "超时"
    if isinstance(error, ConnectionRefusedError):
        return "连接被拒绝"
    text = str(error)
    for mark, words in (
        ("Name or service not known", "域名解析不到"),
        ("name resolution", "域名解析不到"),
        ("No route to host", "没有路由"),
    ):
        if mark in text:
            return words
    return "连接中断" if isinstance(error, (OSError, http.client.HTTPException)) else type(error).__name__
