"""GET of an HTTP API and nothing else, for the sources that ask one.

The standard library's client, because it follows nothing by itself: a redirect to another host would take
the credential along. An answer is read in pieces, within the run's deadline and a limit of bytes.
"""

from __future__ import annotations

import base64
import http.client
import ssl
from typing import Protocol
from urllib.parse import SplitResult, urljoin, urlsplit

import msgspec

from collectors.contract import RetryableError, Run, SourceError, retry
from inventory.coverage import Status

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


class Reached(Protocol):
    """How an API is reached: the options that every source that asks one has."""

    url: str
    bearer_ref: str
    username: str
    password_ref: str
    ca_file: str
    insecure: bool
    timeout_seconds: float
    answer_mib: int


class Response(msgspec.Struct):
    status: int
    location: str
    body: bytes


class Getter:
    """Asks one API by GET, with the credential of its options, and what it answers is bytes."""

    def __init__(self, options: Reached, run: Run) -> None:
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

    def get(self, path: str, called: str) -> Response:
        """What an address below the base answers, after redirects on the same host. ``called``: the API's
        name in messages. Raises QueryError, and DeadlineError when time is up."""
        url = f"{self._base}{path}"
        try:
            return retry(lambda: self._follow(url), self._run)
        except RetryableError as error:
            raise QueryError(f"{called} 没有应答：{error}", "检查 url、网络和防火墙") from error

    def _follow(self, url: str) -> Response:
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

    def _once(self, url: SplitResult) -> Response:
        connection = self._connection(url)
        path = f"{url.path}?{url.query}" if url.query else url.path
        try:
            connection.request("GET", path, headers=self._headers)
            response = connection.getresponse()
            if response.status in _BUSY:
                wait = response.headers.get("Retry-After", "")
                raise RetryableError(f"HTTP {response.status}", float(wait) if wait.isdecimal() else 0.0)
            return Response(
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


def _context(options: Reached) -> ssl.SSLContext:
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
