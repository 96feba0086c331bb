"""The live client against a small identity and compute service on the loopback, for what the lab cannot
be made to answer on demand: busy, slow, refusing, behind a wrong certificate."""

from __future__ import annotations

import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import msgspec
import pytest

from collectors import openstack
from collectors.contract import Run, SecretError, Source, SourceError
from collectors.openstack.client import LiveClient, ServiceError, lower
from inventory.coverage import Status

SECRET = "Planted-application-secret"


class Cloud:
    """One region with keystone and nova. ``answers`` are given to GET /v2.1/servers one after another."""

    def __init__(self, certificate: Path | None = None) -> None:
        self.answers: list[tuple[int, dict[str, str], bytes]] = []
        self.asked: list[str] = []
        self.microversions: list[str | None] = []
        self.logins: list[dict[str, Any]] = []
        self.login_status = 201
        cloud = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                cloud.logins.append(json.loads(body))
                token = (
                    cloud.token() if cloud.login_status == 201 else {"error": {"message": "no", "code": 401}}
                )
                self.reply(cloud.login_status, {"X-Subject-Token": "gAAAAA" + "t" * 60}, token)

            def do_GET(self) -> None:
                cloud.asked.append(self.path)
                if self.path.startswith("/v2.1/servers"):
                    told = self.headers.get("OpenStack-API-Version")
                    cloud.microversions.append(told.removeprefix("compute ") if told else None)
                    status, headers, raw = cloud.answers.pop(0)
                    self.reply(status, headers, raw)
                elif self.path.startswith("/v3"):
                    version = {
                        "id": "v3.14",
                        "status": "stable",
                        "links": [{"rel": "self", "href": cloud.url + "/v3/"}],
                    }
                    self.reply(200, {}, {"version": version})
                else:
                    version = {
                        "id": "v2.1", "status": "CURRENT", "version": "2.79", "min_version": "2.1",
                        "links": [{"rel": "self", "href": cloud.url + "/v2.1/"}],
                    }  # fmt: skip
                    self.reply(200, {}, {"version": version})

            def reply(self, status: int, headers: dict[str, str], body: object) -> None:
                content = body if isinstance(body, bytes) else json.dumps(body).encode()
                self.send_response(status)
                for name, value in {"Content-Type": "application/json", **headers}.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        scheme = "https" if certificate else "http"
        self.url = f"{scheme}://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def token(self) -> dict[str, Any]:
        def service(type_: str, path: str) -> dict[str, Any]:
            url = self.url + path
            ends = [{"id": type_, "interface": "public", "region": "r1", "region_id": "r1", "url": url}]
            return {"type": type_, "name": type_, "id": type_, "endpoints": ends}

        return {
            "token": {
                "methods": ["application_credential"],
                "user": {"id": "u1", "name": "reader", "domain": {"id": "default", "name": "Default"}},
                "project": {"id": "p1", "name": "admin", "domain": {"id": "default", "name": "Default"}},
                "roles": [{"id": "1", "name": "admin"}],
                "issued_at": "2026-11-22T00:00:00.000000Z",
                "expires_at": "2096-11-22T00:00:00.000000Z",
                "catalog": [service("identity", "/v3"), service("compute", "/v2.1")],
            }
        }


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    made = Cloud()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture
def client(tmp_path: Path) -> Callable[..., tuple[LiveClient, Run]]:
    def make(url: str, **more: Any) -> tuple[LiveClient, Run]:
        (tmp_path / "secret").write_text(SECRET + "\n")
        options = openstack.Options(
            auth_url=url + "/v3",
            application_credential_id="c1",
            application_credential_secret_ref=f"file:{tmp_path}/secret",
            **more,
        )
        run = Run(Source(name="zw", type="openstack", options=options, deadline_seconds=20))
        return LiveClient(options, run), run

    return make


Client = Callable[..., tuple[LiveClient, Run]]


def test_facts_are_the_tokens_and_hold_no_secret(cloud: Cloud, client: Client) -> None:
    live, run = client(cloud.url)
    facts = live.facts()
    assert (facts.user_name, facts.project_name, facts.roles) == ("reader", "admin", ["admin"])
    assert facts.has("compute")
    assert not facts.has("volume")
    assert facts.verified is False  # over HTTP there is no certificate
    assert cloud.logins[0]["auth"]["identity"]["application_credential"] == {"id": "c1", "secret": SECRET}
    text = msgspec.json.encode(facts).decode()
    assert SECRET not in text
    assert "gAAAAA" not in text
    assert run.redactor.text(f"it is {SECRET}") == "it is ******"


@pytest.mark.parametrize("busy", [429, 503, 502, 504])
def test_a_busy_service_is_asked_again(busy: int, cloud: Cloud, client: Client) -> None:
    live, _ = client(cloud.url)
    live.facts()
    cloud.answers = [(busy, {"Retry-After": "0"}, b"{}"), (200, {}, b'{"servers":[]}')]
    answer = live.get("compute", "/servers", {"limit": "1"}, "2.79")
    assert (answer.status, answer.body) == (200, b'{"servers":[]}')
    assert [path for path in cloud.asked if "/servers" in path] == ["/v2.1/servers?limit=1"] * 2


def test_a_service_that_stays_busy_is_not_asked_for_ever(cloud: Cloud, client: Client) -> None:
    live, _ = client(cloud.url)
    live.facts()
    cloud.answers = [(503, {}, b"{}")] * 3
    for _ in range(2):
        with pytest.raises(ServiceError) as caught:
            live.get("compute", "/servers", {})
        assert caught.value.reason == "计算服务 (nova)没有应答：HTTP 503"
    assert cloud.answers == []


def test_a_wait_beyond_the_deadline_is_not_waited(cloud: Cloud, client: Client) -> None:
    live, _ = client(cloud.url)
    live.facts()
    cloud.answers = [(429, {"Retry-After": "3600"}, b"{}")]
    with pytest.raises(ServiceError) as caught:
        live.get("compute", "/servers", {})
    assert "HTTP 429" in caught.value.reason


@pytest.mark.parametrize(("wanted", "asked"), [("2.87", "2.79"), ("2.9", "2.9"), ("", None)])
def test_a_service_is_asked_at_no_more_than_its_highest_microversion(
    wanted: str, asked: str | None, cloud: Cloud, client: Client
) -> None:
    live, _ = client(cloud.url)
    cloud.answers = [(200, {}, b"{}")] * 2
    live.get("compute", "/servers", {}, wanted)
    live.get("compute", "/servers", {}, wanted)
    assert cloud.microversions == [asked] * 2
    assert cloud.asked.count("/v2.1/servers") == 2
    assert len(cloud.asked) <= 4  # versions are asked for once


@pytest.mark.parametrize(
    ("highest", "wanted", "asked"),
    [("2.93", "2.87", "2.87"), ("2.100", "2.87", "2.87"), ("", "2.87", "2.87")],
)
def test_the_lower_of_two_microversions(highest: str, wanted: str, asked: str) -> None:
    assert lower(highest, wanted) == asked


def test_other_refusals_are_answers(cloud: Cloud, client: Client) -> None:
    live, _ = client(cloud.url)
    live.facts()
    cloud.answers = [(403, {}, b"{}"), (500, {}, b"oops")]
    assert [live.get("compute", "/servers", {}).status for _ in range(2)] == [403, 500]


def test_a_wrong_password_is_denied_in_one_line(cloud: Cloud, client: Client) -> None:
    cloud.login_status = 401
    live, _ = client(cloud.url)
    with pytest.raises(SourceError) as caught:
        live.facts()
    assert caught.value.status is Status.DENIED
    assert "身份服务不认这个账户" in caught.value.reason


def test_nobody_at_the_address(client: Client) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
        live, _ = client(url)
        with pytest.raises(SourceError) as caught:
            live.facts()
    assert caught.value.status is Status.FAILED
    assert caught.value.reason == "身份服务连不上：连接被拒绝"


def test_a_service_that_never_answers_times_out(client: Client) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        live, _ = client(f"http://127.0.0.1:{silent.getsockname()[1]}", timeout_seconds=0.2)
        with pytest.raises(SourceError) as caught:
            live.facts()
    assert caught.value.reason == "身份服务连不上：超时"


def test_a_certificate_is_checked_unless_told_not_to(
    self_signed: bytes, client: Client, tmp_path: Path
) -> None:
    certificate = tmp_path / "ca.pem"
    certificate.write_bytes(self_signed)
    cloud = Cloud(certificate)
    try:
        live, _ = client(cloud.url)
        with pytest.raises(SourceError) as caught:
            live.facts()
        assert caught.value.reason == "身份服务的 TLS 证书未通过校验"
        assert cloud.logins == []
        trusting, _ = client(cloud.url, ca_file=str(certificate))
        assert trusting.facts().user_name == "reader"
        assert trusting.facts().verified is True
        careless, _ = client(cloud.url, insecure=True)
        assert careless.facts().user_name == "reader"
        assert careless.facts().verified is False
    finally:
        cloud.server.shutdown()
        cloud.server.server_close()


def test_a_secret_that_is_not_there(tmp_path: Path) -> None:
    options = openstack.Options(
        auth_url="http://127.0.0.1:1/v3",
        application_credential_id="c1",
        application_credential_secret_ref=f"file:{tmp_path}/none",
    )
    source = Source(name="zw", type="openstack", options=options)
    with pytest.raises(SecretError):
        list(openstack.collect(source, Run(source)))


def test_a_cloud_that_clouds_yaml_does_not_have(tmp_path: Path) -> None:
    (tmp_path / "clouds.yaml").write_text('{"clouds": {}}')
    options = openstack.Options(cloud="nowhere", config_file=str(tmp_path / "clouds.yaml"))
    source = Source(name="zw", type="openstack", options=options)
    with pytest.raises(SourceError) as caught:
        list(openstack.collect(source, Run(source)))
    assert "nowhere" in caught.value.reason


def test_a_password_in_clouds_yaml_is_masked_from_then_on(cloud: Cloud, tmp_path: Path) -> None:
    auth = {
        "auth_url": cloud.url + "/v3", "username": "admin", "password": "Planted-in-yaml",
        "project_name": "admin", "user_domain_name": "Default", "project_domain_name": "Default",
    }  # fmt: skip
    (tmp_path / "clouds.yaml").write_text(json.dumps({"clouds": {"zw": {"auth": auth}}}))
    options = openstack.Options(cloud="zw", config_file=str(tmp_path / "clouds.yaml"))
    run = Run(Source(name="zw", type="openstack", options=options))
    LiveClient(options, run)
    assert run.redactor.text("x Planted-in-yaml y") == "x ****** y"


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"cloud": "a", "recording": "b"},
        {"auth_url": "http://x/v3"},
        {"auth_url": "http://x/v3", "username": "u", "password_ref": "env:P"},
        {"cloud": "a", "timeout_seconds": 0},
        {"cloud": "a", "password_ref": "plain text"},
        {"cloud": "a", "pasword_ref": "env:P"},
    ],
)
def test_options_that_cannot_work_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(options, openstack.Options)
