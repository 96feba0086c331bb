"""Talking to an OpenStack cloud: I/O and nothing else.

``Client`` is all that the code above needs: what the token says, and one GET. ``LiveClient`` asks the
cloud through openstacksdk; ``collectors.openstack.replay`` serves the answers of an earlier run.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Literal, Protocol

import msgspec

from collectors.contract import IMPORTING, RetryableError, Run, SourceError, retry
from collectors.openstack.swift import accounts_url, enveloped
from inventory.coverage import Status

if TYPE_CHECKING:
    from collectors.openstack import Options

ServiceName = Literal[
    "identity",
    "compute",
    "placement",
    "volume",
    "network",
    "image",
    "key-manager",
    "load-balancer",
    "dns",
    "share",
    "object-store",
]


class _Service(msgspec.Struct, frozen=True):
    title: str
    catalogue_types: tuple[str, ...]
    adapter: str  # attribute of the SDK's connection


_SERVICES: dict[ServiceName, _Service] = {
    "identity": _Service("身份服务 (keystone)", ("identity",), "identity"),
    "compute": _Service("计算服务 (nova)", ("compute",), "compute"),
    "placement": _Service("资源放置服务 (placement)", ("placement",), "placement"),
    "volume": _Service("块存储服务 (cinder)", ("block-storage", "block-store", "volumev3"), "block_storage"),
    "network": _Service("网络服务 (neutron)", ("network",), "network"),
    "image": _Service("镜像服务 (glance)", ("image",), "image"),
    "key-manager": _Service("密钥服务 (barbican)", ("key-manager",), "key_manager"),
    "load-balancer": _Service("负载均衡服务 (octavia)", ("load-balancer",), "load_balancer"),
    "dns": _Service("域名服务 (designate)", ("dns",), "dns"),
    "share": _Service(
        "共享文件服务 (manila)", ("shared-file-system", "sharev2", "share"), "shared_file_system"
    ),
    "object-store": _Service("对象存储服务 (swift)", ("object-store",), "object_store"),
}
SERVICES: tuple[ServiceName, ...] = tuple(_SERVICES)
TITLES: dict[ServiceName, str] = {name: service.title for name, service in _SERVICES.items()}
_TOKENS = 8  # times in a run that a service's refusal of a token is answered with another
_BUSY = (429, 502, 503, 504)


class ServiceError(Exception):
    """One service did not answer. ``reason`` (中文) holds no secret."""

    def __init__(self, reason: str, remedy: str = "", status: Status = Status.FAILED) -> None:
        super().__init__(reason)
        self.reason = reason
        self.remedy = remedy
        self.status = status


class Response(msgspec.Struct, frozen=True, kw_only=True):
    """An HTTP answer; ``headers`` are the few that matter, names in lower case."""

    status: int
    body: bytes
    headers: dict[str, str] = msgspec.field(default_factory=dict)


class CatalogueEndpoint(msgspec.Struct, kw_only=True):
    """One address of a service, as the token's catalogue has it."""

    interface: str = ""
    region: str = ""
    url: str = ""


class CatalogueService(msgspec.Struct, kw_only=True):
    """One service of the token's catalogue."""

    type: str = ""
    name: str = ""
    endpoints: list[CatalogueEndpoint] = msgspec.field(default_factory=list)


class Facts(msgspec.Struct, kw_only=True):
    """What the token says: who, with which roles, on what, and the catalogue. Never the token itself."""

    user_id: str = ""
    user_name: str = ""
    project_id: str | None = None
    project_name: str | None = None
    system: bool = False
    roles: list[str] = msgspec.field(default_factory=list)
    method: str = ""
    region: str = ""
    interface: str = "public"
    verified: bool | None = None  # the certificate of the identity service; None = an older recording
    catalogue: list[CatalogueService] = msgspec.field(default_factory=list)

    def has(self, service: ServiceName) -> bool:
        """Whether the catalogue offers the service in this region on this interface."""
        return any(
            entry.type in _SERVICES[service].catalogue_types
            and any(
                e.interface == self.interface and (not self.region or e.region == self.region)
                for e in entry.endpoints
            )
            for entry in self.catalogue
        )


class Client(Protocol):
    """One cloud. Both methods raise ServiceError; ``facts`` raises SourceError where nobody gets in."""

    def facts(self) -> Facts:
        """Authenticate and tell what the token holds."""
        ...

    def get(
        self, service: ServiceName, path: str, params: Mapping[str, str], microversion: str = ""
    ) -> Response:
        """One GET under the service's versioned root; any status of the peer is an answer, save those
        that mean "busy", which are retried. ``microversion`` is the one wanted; a service that does not
        go so far is asked at its highest."""
        ...

    def close(self) -> None:
        """Let connections go."""
        ...


class LiveClient:
    """A cloud behind one openstacksdk Connection (a Connection per call leaks: 30 GB were seen)."""

    def __init__(self, options: Options, run: Run) -> None:
        self._run = run
        self._seconds = options.timeout_seconds
        self._connection = _connection(options, run)
        self._dead: dict[str, str] = {}
        self._refused: dict[str, int] = {}  # tokens, by service
        self._highest: dict[str, str] = {}

    def facts(self) -> Facts:
        """See ``Client.facts``."""
        session = self._connection.session
        session.timeout = self._run.timeout(self._seconds)
        access = self._authenticated(lambda: session.auth.get_access(session))
        config = self._connection.config
        return Facts(
            user_id=access.user_id or "",
            user_name=access.username or "",
            project_id=access.project_id,
            project_name=access.project_name,
            system=bool(access.system_scoped),
            roles=sorted(access.role_names or []),
            method=", ".join(access._data["token"].get("methods", [])),
            region=config.get_region_name() or "",
            interface=config.get_interface("compute") or "public",
            verified=_verified(config),
            catalogue=_catalogue(access.service_catalog.catalog),
        )

    def _authenticated(self, call: Callable[[], Any]) -> Any:
        from keystoneauth1 import exceptions

        def once() -> Any:
            try:
                return call()
            except (
                exceptions.RetriableConnectionFailure,
                exceptions.ServiceUnavailable,
                exceptions.BadGateway,
                exceptions.GatewayTimeout,
                exceptions.DiscoveryFailure,
            ) as error:
                if _words(error) == _BAD_CERTIFICATE:
                    raise SourceError(f"身份服务的 {_BAD_CERTIFICATE}", _CA_REMEDY) from error
                raise RetryableError(_words(error)) from error

        try:
            return retry(once, self._run)
        except RetryableError as error:
            raise SourceError(
                f"身份服务连不上：{error}", "检查 auth_url（keystone v3 的地址）、网络和防火墙"
            ) from error
        except exceptions.MissingAuthMethods as error:
            raise SourceError(
                "该账户要求多因素登录", "为采集建一个应用凭据（application credential）", Status.DENIED
            ) from error
        except exceptions.Unauthorized as error:
            raise SourceError(
                "身份服务不认这个账户：名称、口令或范围不对，或账户被锁定、停用、过期",
                "核对凭据；应用凭据要未过期",
                Status.DENIED,
            ) from error
        except exceptions.SSLError as error:
            raise SourceError(f"身份服务的 {_BAD_CERTIFICATE}", _CA_REMEDY) from error
        except exceptions.ClientException as error:
            raise SourceError(f"身份服务登录失败：{_words(error)}", "核对 auth_url 和登录参数") from error

    def get(
        self, service: ServiceName, path: str, params: Mapping[str, str], microversion: str = ""
    ) -> Response:
        """See ``Client.get``. A service that stayed away once is not asked again in this run."""
        if service in self._dead:
            raise ServiceError(self._dead[service], _UNREACHABLE)
        try:
            return retry(lambda: self._once(service, path, params, microversion), self._run)
        except RetryableError as error:
            self._dead[service] = f"{TITLES[service]}没有应答：{error}"
            raise ServiceError(self._dead[service], _UNREACHABLE) from error

    def _once(
        self,
        service: ServiceName,
        path: str,
        params: Mapping[str, str],
        microversion: str,
        *,
        renewed: bool = False,
    ) -> Response:
        from keystoneauth1 import exceptions
        from openstack.exceptions import SDKException

        session = self._connection.session
        session.timeout = self._run.timeout(self._seconds)  # for discovery and a new token
        try:
            adapter = getattr(self._connection, _SERVICES[service].adapter)
            more = {"microversion": self._at_most_highest(service, microversion)} if microversion else {}
            answer = adapter.get(
                path if service != "object-store" else accounts_url(adapter.get_endpoint() or "") + path,
                params=dict(params),
                raise_exc=False,
                skip_cache=True,
                timeout=self._run.timeout(self._seconds),
                connect_retries=0,
                **more,
            )
        except exceptions.SSLError as error:
            raise ServiceError(
                f"{TITLES[service]}的 TLS 证书未通过校验", "用 ca_file 指定 CA 证书"
            ) from error
        except exceptions.Unauthorized as error:
            raise ServiceError("令牌已失效，重新登录被拒绝", "核对凭据", Status.DENIED) from error
        except (exceptions.ClientException, SDKException) as error:
            # a service that is down shows itself in many ways, version discovery has its own
            raise RetryableError(_words(error)) from error
        except AssertionError as error:
            # keystoneauth asserts that it has a token, and another thread's 401 may just have thrown it away
            raise RetryableError("令牌正在更换") from error
        if answer.status_code == 401 and not renewed and self._refused.get(service, 0) < _TOKENS:
            # a token can end while several calls are under way, and the SDK renews it for one of them
            self._refused[service] = self._refused.get(service, 0) + 1
            return self._once(service, path, params, microversion, renewed=True)
        wait = answer.headers.get("Retry-After", "")
        if answer.status_code in _BUSY:
            raise RetryableError(f"HTTP {answer.status_code}", float(wait) if wait.isdigit() else 0.0)
        headers = {"content-type": answer.headers.get("Content-Type", "")}
        if service == "object-store" and answer.status_code in (200, 204):
            return Response(
                status=200, body=enveloped(answer.content, answer.headers, params), headers=headers
            )
        return Response(status=answer.status_code, body=answer.content, headers=headers)

    def _at_most_highest(self, service: ServiceName, wanted: str) -> str:
        """Raises what the SDK's discovery raises where the service is down."""
        from keystoneauth1.exceptions import DiscoveryFailure

        if service not in self._highest:
            try:
                data = getattr(self._connection, _SERVICES[service].adapter).get_endpoint_data()
            except DiscoveryFailure:
                data = None  # an address that answers, and hides its versions
            version = data.max_microversion if data else None
            self._highest[service] = ".".join(str(part) for part in version) if version else ""
        return lower(self._highest[service], wanted)

    def close(self) -> None:
        """See ``Client.close``."""
        self._connection.close()


def lower(highest: str, wanted: str) -> str:
    """The lower of two microversions; ``wanted`` where a service does not tell its highest ("")."""
    if not highest:
        return wanted
    return min(highest, wanted, key=lambda text: tuple(int(part) for part in text.split(".")))


_BAD_CERTIFICATE = "TLS 证书未通过校验"
_CA_REMEDY = "用 ca_file 指定签发它的 CA 证书"
_UNREACHABLE = "检查该服务是否在运行、端点地址是否可达，再采集一次"


def _verified(config: Any) -> bool:
    """Whether the certificate of the one who is given the credential is checked; over HTTP there is none."""
    url = str(config.config.get("auth", {}).get("auth_url") or "")
    verify, _ = config.get_requests_verify_args()
    return url.lower().startswith("https:") and bool(verify)


def _words(error: Exception) -> str:
    """A short reason in place of the SDK's page of text with addresses and object names."""
    text = str(error)
    for mark, words in (
        ("CERTIFICATE_VERIFY_FAILED", _BAD_CERTIFICATE),
        ("timed out", "超时"),
        ("Connection refused", "连接被拒绝"),
        ("Name or service not known", "域名解析不到"),
        ("Temporary failure in name resolution", "域名解析不到"),
        ("No route to host", "没有路由"),
        ("Connection aborted", "连接中断"),
        ("Unable to establish connection", "连不上"),
        ("versioned identity endpoints", "该地址不像 keystone"),
    ):
        if mark in text:
            return words
    return type(error).__name__


def _catalogue(entries: list[dict[str, Any]]) -> list[CatalogueService]:
    return [
        CatalogueService(
            type=entry.get("type") or "",
            name=entry.get("name") or "",
            endpoints=sorted(
                (
                    CatalogueEndpoint(
                        interface=e.get("interface") or "",
                        region=e.get("region_id") or e.get("region") or "",
                        url=e.get("url") or "",
                    )
                    for e in entry.get("endpoints", [])
                ),
                key=lambda e: (e.region, e.interface, e.url),
            ),
        )
        for entry in sorted(entries, key=lambda e: e.get("type") or "")
    ]


def _connection(options: Options, run: Run) -> Any:
    try:
        with IMPORTING:
            import openstack
            from openstack.config import OpenStackConfig
            from openstack.exceptions import ConfigException
    except ImportError as error:
        raise SourceError("没有安装 openstacksdk", "pip install 'zhengguan[openstack]'") from error
    chosen: dict[str, Any] = {}
    for key, value in (
        ("region_name", options.region),
        ("interface", options.interface),
        ("cacert", options.ca_file),
    ):
        if value:
            chosen[key] = value
    if options.insecure:
        chosen["verify"] = False
    try:
        if options.cloud:
            files = [options.config_file] if options.config_file else None
            loader = OpenStackConfig(config_files=files, load_envvars=not options.config_file)
            if options.system_scope:
                chosen["auth"] = {"system_scope": "all"}
            config = loader.get_one(cloud=options.cloud, **chosen)
        else:
            loader = OpenStackConfig(load_yaml_config=False, load_envvars=False)
            config = loader.get_one(**chosen, **_explicit_auth(options, run))
    except ConfigException as error:
        raise SourceError(
            f"clouds.yaml 里的 {options.cloud or '登录参数'} 用不了：{run.redactor.text(str(error))[:200]}",
            "检查 cloud 名称、config_file 路径和登录参数",
        ) from error
    for name, value in config.config.get("auth", {}).items():
        if isinstance(value, str) and any(
            word in name for word in ("password", "secret", "token", "passcode")
        ):
            run.redactor.learn(value)
    return openstack.connection.Connection(config=config, app_name="zhengguan")


def _explicit_auth(options: Options, run: Run) -> dict[str, Any]:
    auth: dict[str, str] = {"auth_url": options.auth_url}
    if options.application_credential_secret_ref:
        auth["application_credential_id"] = options.application_credential_id
        auth["application_credential_secret"] = run.secret(options.application_credential_secret_ref)
        return {"auth": auth, "auth_type": "v3applicationcredential"}
    auth["username"] = options.username
    auth["user_domain_name"] = options.user_domain
    auth["password"] = run.secret(options.password_ref)
    if options.system_scope:
        auth["system_scope"] = "all"
    else:
        auth["project_name"] = options.project
        auth["project_domain_name"] = options.project_domain
    return {"auth": auth, "auth_type": "v3password"}
