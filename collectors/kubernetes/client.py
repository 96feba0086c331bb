"""Talking to a Kubernetes API server: I/O and nothing else.

``Client`` is all that the code above needs: whom it talks to, and one GET. ``LiveClient`` asks a server;
``collectors.kubernetes.replay`` serves the answers of an earlier run.

The official client reads kubeconfig files, keeps tokens fresh and sets up TLS. Requests go through its
connection pool as they are: its models cost 24 times the CPU, and one odd object fails a whole list.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlencode, urlsplit

import msgspec

from collectors.contract import IMPORTING, RetryableError, Run, SourceError, retry
from inventory.coverage import Status

if TYPE_CHECKING:
    from collectors.kubernetes import Options

_BUSY = (429, 500, 502, 503, 504)  # 500 too: etcd between two leaders
_CONNECT_SECONDS = 5.0
_LARGEST_BYTES = 256 * 1024 * 1024  # of one answer, unpacked
_CHUNK_BYTES = 4 * 1024 * 1024
_JSON = "application/json"


class ReadError(Exception):
    """A request did not bring what was asked for. ``reason`` (中文) holds no secret."""

    def __init__(self, reason: str, remedy: str = "", status: Status = Status.FAILED) -> None:
        super().__init__(reason)
        self.reason = reason
        self.remedy = remedy
        self.status = status


class Response(msgspec.Struct, frozen=True, kw_only=True):
    """An HTTP answer."""

    status: int
    body: bytes


class Peer(msgspec.Struct, kw_only=True):
    """Whom the client talks to: the server's address without credentials, whether its certificate was
    checked, and the namespace that the context names ("" = none)."""

    server: str = ""
    verified: bool = False
    namespace: str = ""


class Client(Protocol):
    """One API server. ``get`` raises ReadError where no answer came, SourceError where none ever will."""

    def peer(self) -> Peer:
        """Whom it talks to; opens no connection."""
        ...

    def get(self, path: str, params: Mapping[str, str], accept: str = _JSON) -> Response:
        """One GET; any status of the server is an answer, save those that mean "busy", which are
        retried. ``accept`` is the media type asked for."""
        ...

    def close(self) -> None:
        """Let connections go."""
        ...


class LiveClient:
    """A server behind one connection pool for the whole run."""

    def __init__(self, options: Options, run: Run) -> None:
        self._run = run
        self._at_most = options.timeout_seconds
        self._configuration, namespace = _configuration(options, run)
        self._api = _api(self._configuration)
        self._server = str(self._configuration.host).rstrip("/")
        self._peer = Peer(
            server=_without_credentials(self._server),
            verified=self._server.startswith("https:") and bool(self._configuration.verify_ssl),
            namespace=namespace,
        )
        self._dead = ""

    def peer(self) -> Peer:
        """See ``Client.peer``."""
        return self._peer

    def get(self, path: str, params: Mapping[str, str], accept: str = _JSON) -> Response:
        """See ``Client.get``. A server that stayed away once is not asked again in this run."""
        if self._dead:
            raise ReadError(self._dead, _UNREACHABLE)
        try:
            return retry(lambda: self._once(path, params, accept), self._run)
        except _SilenceError as error:
            self._dead = f"API 服务器没有应答：{error}"
            raise ReadError(self._dead, _UNREACHABLE) from error
        except RetryableError as error:
            raise ReadError(f"GET {path} 一直没有读成：{error}", "稍后再采集一次") from error

    def _once(self, path: str, params: Mapping[str, str], accept: str) -> Response:
        import urllib3

        url = f"{self._server}{path}" + (f"?{urlencode(params)}" if params else "")
        headers = {"Accept": accept, "Accept-Encoding": "gzip", "User-Agent": "zhengguan"}
        headers |= self._authorization()
        wait = self._run.timeout(self._at_most)
        try:
            answer = self._api.rest_client.pool_manager.request(
                "GET",
                url,
                headers=headers,
                timeout=urllib3.Timeout(connect=min(_CONNECT_SECONDS, wait), read=wait),
                retries=False,
                redirect=False,  # a token is for this server only
                preload_content=False,
            )
            try:
                body = self._body(answer)
            finally:
                answer.close() if answer.closed is False and answer.status >= 400 else answer.release_conn()
        except urllib3.exceptions.SSLError as error:
            raise SourceError(f"API 服务器的 TLS {_tls_words(str(error))}", _CA_REMEDY) from error
        except urllib3.exceptions.HTTPError as error:
            raise _SilenceError(_words(error)) from error
        if answer.status in _BUSY:
            raise RetryableError(f"HTTP {answer.status}", _seconds(answer.headers.get("Retry-After", "")))
        return Response(status=answer.status, body=body)

    def _authorization(self) -> dict[str, str]:
        """Headers that log in; a token that was renewed meanwhile is a secret too."""
        headers = {}
        for setting in self._configuration.auth_settings().values():
            if setting.get("in") == "header" and setting.get("value"):
                headers[str(setting["key"])] = value = str(setting["value"])
                self._run.redactor.learn(value.rpartition(" ")[2])
        return headers

    def _body(self, answer: Any) -> bytes:
        """The whole answer within the deadline: a time-out is for silence, not for a trickle."""
        chunks: list[bytes] = []
        size = 0
        for chunk in answer.stream(_CHUNK_BYTES, decode_content=True):
            chunks.append(chunk)
            size += len(chunk)
            self._run.remaining()
            if size > _LARGEST_BYTES:
                raise ReadError(
                    f"一次答复超过 {_LARGEST_BYTES >> 20} MiB", "请把这类对象的数量和大小告诉开发者"
                )
        return b"".join(chunks)

    def close(self) -> None:
        """See ``Client.close``."""
        self._api.rest_client.pool_manager.clear()
        self._api.close()


class _SilenceError(RetryableError):
    """The server itself did not answer, whatever was asked."""


_CA_REMEDY = (
    "用 ca_file（或 kubeconfig 的 certificate-authority）指定签发它的 CA 证书，server 写证书里有的名字"
)
_UNREACHABLE = "检查 API 服务器的地址、网络和防火墙，再采集一次"
_TLS_WORDS = (
    ("self-signed", "证书未通过校验：自签名"),
    ("self signed", "证书未通过校验：自签名"),
    ("unable to get local issuer", "证书未通过校验：不是所信任的 CA 签发的"),
    ("expired", "证书未通过校验：已过期"),
    ("mismatch", "证书未通过校验：名称与地址不符"),
    ("not valid for", "证书未通过校验：名称与地址不符"),
    ("CERTIFICATE_VERIFY_FAILED", "证书未通过校验"),
    ("WRONG_VERSION_NUMBER", "握手失败：对方说的不是 TLS"),
)


def _tls_words(text: str) -> str:
    return next((words for mark, words in _TLS_WORDS if mark in text), "握手失败")


def _words(error: Exception) -> str:
    """A short reason in place of a text with addresses and object names."""
    text = str(error)
    for mark, words in (
        ("timed out", "超时"),
        ("Connection refused", "连接被拒绝"),
        ("Name or service not known", "域名解析不到"),
        ("Temporary failure in name resolution", "域名解析不到"),
        ("No route to host", "没有路由"),
        ("Network is unreachable", "网络不通"),
        ("IncompleteRead", "答复中途断了"),
        ("Connection broken", "答复中途断了"),
        ("Connection aborted", "连接中断"),
        ("RemoteDisconnected", "连接中断"),
    ):
        if mark in text:
            return words
    return type(error).__name__


def _seconds(retry_after: str) -> float:
    """Only seconds: API servers send no dates."""
    return float(retry_after) if re.fullmatch(r"\d{1,6}", retry_after) else 0.0


def _without_credentials(server: str) -> str:
    parts = urlsplit(server)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def _api(configuration: Any) -> Any:
    from kubernetes import client
    from urllib3.exceptions import InsecureRequestWarning

    if not configuration.verify_ssl:
        warnings.simplefilter("ignore", InsecureRequestWarning)  # the inventory says it, once
    return client.ApiClient(configuration)


def _configuration(options: Options, run: Run) -> tuple[Any, str]:
    """Configuration of the official client, and the namespace of the context."""
    try:
        with IMPORTING:
            from kubernetes import client
    except ImportError as error:
        raise SourceError("没有安装 kubernetes", "pip install 'zhengguan[kubernetes]'") from error
    configuration: Any = client.Configuration()
    namespace = ""
    if options.kubeconfig:
        namespace = _from_kubeconfig(options, configuration, run)
    elif options.in_cluster:
        _from_cluster(configuration)
    else:
        configuration.host = options.server
        if options.token_ref:
            configuration.api_key = {"authorization": f"Bearer {run.secret(options.token_ref)}"}
        for path in (options.client_certificate, options.client_key, options.ca_file):
            if path and not Path(path).is_file():
                raise SourceError(f"证书文件 {path} 读不出", "检查路径和权限")
        configuration.cert_file = options.client_certificate or None
        configuration.key_file = options.client_key or None
    if options.ca_file:
        configuration.ssl_ca_cert = options.ca_file
    if options.insecure:
        configuration.verify_ssl = False
    return configuration, namespace


def _from_kubeconfig(options: Options, configuration: Any, run: Run) -> str:
    from kubernetes import config as _config

    config: Any = _config  # it has no types

    import yaml

    path = options.kubeconfig
    try:
        # what a plug-in renews stays in memory: nothing of the user's is written to
        config.load_kube_config(
            path, context=options.context or None, client_configuration=configuration, persist_config=False
        )
        contexts, active = config.list_kube_config_contexts(path)
    except (config.ConfigException, yaml.YAMLError, OSError, ValueError, TypeError, KeyError) as error:
        raise SourceError(
            f"kubeconfig {path} 用不了：{run.redactor.text(str(error))[:200]}",
            "检查路径、context 和其中的文件",
        ) from error
    chosen = next((c for c in contexts if c["name"] == options.context), active)
    return str((chosen.get("context") or {}).get("namespace") or "")


def _from_cluster(configuration: Any) -> None:
    from kubernetes import config as _config

    config: Any = _config  # it has no types

    try:
        config.load_incluster_config(client_configuration=configuration)
    except config.ConfigException as error:
        raise SourceError(
            "不在集群里：没有服务账户的令牌", "in_cluster 只用于集群里的 Pod；别处写 kubeconfig"
        ) from error
