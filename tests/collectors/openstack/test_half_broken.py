"""The whole collector, live client and all, against clouds that are half broken: the recording of a real
one served over HTTP on the loopback, with single answers replaced. What is hurt says so, the rest is there.
"""

from __future__ import annotations

import gzip
import json
import ssl
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from collectors import openstack
from collectors.contract import Run, Source
from collectors.run import collect_all
from inventory.coverage import Batch, Collection, Status

Fault = Callable[[BaseHTTPRequestHandler, int], bool]  # handler, how often asked before → answered
ROOTS = {"identity": "v3", "compute": "v2.1", "volume": "v3", "network": "v2.0", "image": "v2"}
VERSIONS = {
    "identity": "v3.14",
    "image": "v2.15",
    "network": "v2.0",
    "key-manager": "v1",
    "placement": "v1.0",
    "volume": "v3.0",
}


class ServedCloud:
    """A recording behind HTTP. ``faults`` maps a path (without the service's root) to what happens there;
    ``revoked`` tokens are answered 401 everywhere."""

    def __init__(
        self, recording: Path, regions: tuple[str, ...] = (), certificate: Path | None = None
    ) -> None:
        facts, *lines = [json.loads(x) for x in gzip.decompress(recording.read_bytes()).splitlines()[1:]]
        self.facts, self.regions = facts, regions
        self.answers = {
            (line["service"], line["path"], tuple(sorted(line.get("params", {}).items()))): line
            for line in lines
        }
        self.faults: dict[str, Fault] = {}
        self.asked: Counter[str] = Counter()
        self.logins = 0
        self.revoked: set[str] = set()
        cloud = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                cloud.logins += 1
                self.send(201, cloud.token(), {"X-Subject-Token": f"token-{cloud.logins}"})

            def do_GET(self) -> None:
                url = urlsplit(self.path)
                region, service, *rest = url.path.strip("/").split("/")
                path = "/" + "/".join(rest[1:])  # without the service's root
                if path == "/":
                    self.send(200, cloud.version(service, region), {})
                    return
                before = cloud.asked[path]
                cloud.asked[path] += 1
                if self.headers.get("X-Auth-Token") in cloud.revoked:
                    self.send(401, {"error": {"code": 401}}, {})
                    return
                fault = cloud.faults.get(path)
                if fault is not None and fault(self, before):
                    return
                line = cloud.answers.get((service, path, tuple(sorted(parse_qsl(url.query)))))
                if line is None or "error" in line:
                    self.send(404, {}, {})
                else:
                    self.send(line["status"], line.get("body"), {})

            def send(self, status: int, body: object, headers: dict[str, str]) -> None:
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
        self.server.daemon_threads = True
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        scheme = "https" if certificate else "http"
        self.url = f"{scheme}://127.0.0.1:{self.server.server_port}"
        self.elsewhere: dict[str, str] = {}  # service → address of another server
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.auth_url = f"{self.url}/any/identity/v3"

    def token(self) -> dict[str, Any]:
        facts = self.facts
        services = {
            s["type"]: self.service_of(s["type"])
            for s in facts["catalogue"]
            if self.service_of(s["type"]) in {key[0] for key in self.answers}
        }
        catalogue = [
            {"type": type_, "name": type_, "id": type_, "endpoints": [
                {"id": f"{type_}-{region}", "interface": "public", "region": region, "region_id": region,
                 "url": f"{self.elsewhere.get(service, self.url)}/{region}/{service}/{ROOTS.get(service, 'root')}"}
                for region in self.regions or (facts["region"],)]}
            for type_, service in services.items()
        ]  # fmt: skip
        domain = {"id": "default", "name": "Default"}
        return {"token": {
            "methods": ["password"], "user": {"id": facts["user_id"], "name": "admin", "domain": domain},
            "project": {"id": facts["project_id"], "name": "admin", "domain": domain},
            "roles": [{"id": name, "name": name} for name in facts["roles"]],
            "issued_at": "2026-11-22T00:00:00.000000Z", "expires_at": "2096-11-22T00:00:00.000000Z",
            "catalog": catalogue}}  # fmt: skip

    @staticmethod
    def service_of(type_: str) -> str:
        return {"volumev3": "volume", "block-storage": "volume"}.get(type_, type_)

    def version(self, service: str, region: str) -> dict[str, Any]:
        highest = {"compute": "2.93", "placement": "1.39", "volume": "3.70"}.get(service, "")
        version = {
            "id": VERSIONS.get(service, "v2.1"), "status": "CURRENT",
            "version": highest, "min_version": f"{highest[:1]}.1" if highest else "",
            "links": [{"rel": "self", "href": f"{self.url}/{region}/{service}/{ROOTS.get(service, 'root')}"}],
        }  # fmt: skip
        return {"version": version}

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


def says(status: int, body: object = b"{}", headers: dict[str, str] | None = None, times: int = 9) -> Fault:
    """Answer so, for the first calls."""

    def fault(handler: BaseHTTPRequestHandler, before: int) -> bool:
        if before >= times:
            return False
        handler.send(status, body, headers or {})  # type: ignore[attr-defined]
        return True

    return fault


@pytest.fixture
def cloud(recordings: dict[str, Path]) -> Iterator[ServedCloud]:
    made = ServedCloud(recordings["estate"])
    yield made
    made.close()


def source(cloud: ServedCloud, name: str = "zw", deadline_seconds: float = 120, **options: Any) -> Source:
    options = {"timeout_seconds": 10, **options}
    made = openstack.Options(
        auth_url=cloud.auth_url, username="admin", password_ref="env:PASSWORD", project="admin", **options
    )
    return Source(name=name, type="openstack", options=made, deadline_seconds=deadline_seconds)


def collect(wanted: Source) -> dict[str, Collection]:
    found: dict[str, Collection] = {}
    counts: Counter[str] = Counter()
    for batch in openstack.collect(wanted, Run(wanted, environ={"PASSWORD": "secret-word"})):
        counts.update(r.KIND for r in batch.resources)
        found |= {c.kind: c for c in batch.collections}
    assert {kind: c.count for kind, c in found.items() if c.count} == dict(counts)
    return found


@pytest.fixture(scope="module")
def whole() -> dict[str, tuple[Status, int]]:
    """What the recording holds when nothing is broken."""
    path = Path(__file__).parents[2] / "data" / "openstack" / "estate-admin.jsonl.gz"
    made = ServedCloud(path)
    try:
        return {kind: (c.status, c.count) for kind, c in collect(source(made)).items()}
    finally:
        made.close()


def test_a_token_thrown_away_by_another_thread_is_fetched_again(cloud: ServedCloud) -> None:
    from collectors.openstack.client import LiveClient

    wanted = source(cloud)
    client = LiveClient(wanted.options, Run(wanted, environ={"PASSWORD": "secret-word"}))
    client.facts()
    auth = client._connection.session.auth
    needed = auth._needs_reauthenticate

    def thrown_away() -> bool:
        """The token was good when it was looked at, and is gone when it is used."""
        auth._needs_reauthenticate = needed
        auth.auth_ref = None
        return False

    auth._needs_reauthenticate = thrown_away
    assert client.get("identity", "/role_inferences", {}).status == 200
    client.close()


def rest(found: dict[str, Collection], *hurt: str) -> dict[str, tuple[Status, int]]:
    return {kind: (c.status, c.count) for kind, c in found.items() if kind not in hurt}


def unhurt(whole: dict[str, tuple[Status, int]], *hurt: str) -> dict[str, tuple[Status, int]]:
    return {kind: told for kind, told in whole.items() if kind not in hurt}


def test_a_recording_served_is_read_as_it_was_recorded(whole: dict[str, tuple[Status, int]]) -> None:
    for kind, count in (("server", 50), ("role_assignment", 72), ("key_pair", 10), ("hypervisor", 6)):
        assert whole[kind] == (Status.COMPLETE, count)


Whole = dict[str, tuple[Status, int]]


@pytest.mark.parametrize(
    ("path", "kind", "fault", "status", "words"),
    [
        ("/ports", "port", says(200, b'{"ports": [{"id": "x'), "failed", "不是 JSON 列表"),
        ("/routers", "router", says(200, {"routers": None}), "failed", "没有 routers"),
        ("/os-aggregates", "aggregate", says(410), "unsupported", "没有 /os-aggregates 这个接口"),
        ("/floatingips", "floating_ip", says(403), "denied", "拒绝了 GET /floatingips"),
        ("/os-server-groups", "server_group", says(500), "failed", "HTTP 500"),
        ("/flavors/detail", "flavor", says(200, b"<html>login</html>"), "failed", "不是 JSON 列表"),
        ("/OS-TRUST/trusts", "trust", says(401), "failed", "不认令牌，重新登录后也是"),
        ("/roles", "role", says(200, b'{"roles": ' + b"[" * 100_000), "failed", "不是 JSON 列表"),
    ],
)  # fmt: skip
def test_one_broken_list_costs_its_kind_only(
    *,
    path: str,
    kind: str,
    fault: Fault,
    status: str,
    words: str,
    cloud: ServedCloud,
    whole: Whole,
) -> None:
    cloud.faults[path] = fault
    found = collect(source(cloud))
    assert (found[kind].status.value, found[kind].count) == (status, 0)
    assert words in found[kind].reason
    assert rest(found, kind) == unhurt(whole, kind)


def test_a_token_that_ends_midway_is_replaced_once(cloud: ServedCloud, whole: Whole) -> None:
    def revoke(_: BaseHTTPRequestHandler, before: int) -> bool:
        if before == 0:
            cloud.revoked.add("token-1")
        return False

    cloud.faults["/servers/detail"] = revoke
    assert rest(collect(source(cloud))) == whole
    assert "token-1" in cloud.revoked
    # those that were under way find out at the same time; nobody logs in again and again
    assert 2 <= cloud.logins <= 20


def test_waiting_as_long_as_a_busy_service_asks(cloud: ServedCloud, whole: Whole) -> None:
    cloud.faults["/images"] = says(429, headers={"Retry-After": "1"}, times=1)
    began = time.monotonic()
    assert rest(collect(source(cloud))) == whole
    assert time.monotonic() - began >= 1


def test_a_service_busy_for_longer_than_there_is_time(cloud: ServedCloud, whole: Whole) -> None:
    cloud.faults["/tasks"] = cloud.faults["/images"] = says(429, headers={"Retry-After": "3600"})
    found = collect(source(cloud))
    assert found["image"].status is Status.FAILED
    assert "HTTP 429" in found["image"].reason
    assert rest(found, "image") == unhurt(whole, "image")


def test_a_service_that_hangs_is_left_after_its_time(cloud: ServedCloud, whole: Whole) -> None:
    done = threading.Event()
    cloud.faults["/volumes/detail"] = lambda *_: done.wait(60)
    try:
        found = collect(source(cloud, timeout_seconds=4))
    finally:
        done.set()
    assert (found["volume"].status, found["volume"].count) == (Status.FAILED, 0)
    assert "超时" in found["volume"].reason
    assert cloud.asked["/volumes/detail"] == 3
    # a service that stayed away is not asked again: what else it has fails at once
    hurt = {kind for kind, one in found.items() if "块存储服务 (cinder)没有应答" in one.reason}
    assert {"volume", "quota", "volume_snapshot", "platform_service"} <= hurt
    assert found["quota"].status is found["platform_service"].status is Status.PARTIAL
    assert rest(found, *hurt) == unhurt(whole, *hurt)


def test_a_huge_text_is_taken_and_masked(cloud: ServedCloud, whole: Whole) -> None:
    def huge(handler: BaseHTTPRequestHandler, _: int) -> bool:
        if "changes-since" in handler.path:
            return False
        line = next(line for key, line in cloud.answers.items() if key[1] == "/servers/detail")
        body = json.loads(json.dumps(line["body"]))
        body["servers"][0]["metadata"] = {"note": "政" * 2_000_000}
        body["servers"][1]["metadata"] = {"note": "x" * 100_000 + " password=Planted-5M "}
        handler.send(200, body, {})  # type: ignore[attr-defined]
        return True

    cloud.faults["/servers/detail"] = huge
    wanted = source(cloud)
    batches = list(openstack.collect(wanted, Run(wanted, environ={"PASSWORD": "secret-word"})))
    assert {c.kind: (c.status, c.count) for b in batches for c in b.collections} == whole
    assert not any(b"Planted-5M" in e.content for b in batches for e in b.evidence)
    notes = [r.metadata for b in batches for r in b.resources if r.KIND == "server"]  # type: ignore[attr-defined]
    assert max(len(str(note)) for note in notes) > 2_000_000
    assert "Planted-5M" not in str(notes)


def test_one_service_behind_a_certificate_of_its_own_making(
    self_signed: bytes, cloud: ServedCloud, recordings: dict[str, Path], tmp_path: Path, whole: Whole
) -> None:
    (tmp_path / "own.pem").write_bytes(self_signed)
    behind = ServedCloud(recordings["estate"], certificate=tmp_path / "own.pem")
    try:
        cloud.elsewhere["image"] = behind.url
        found = collect(source(cloud))
        assert found["image"].status is Status.FAILED
        assert "TLS 证书未通过校验" in found["image"].reason
        assert "ca_file" in found["image"].remedy
        assert rest(found, "image") == unhurt(whole, "image")
        assert rest(collect(source(cloud, ca_file=str(tmp_path / "own.pem")))) == whole
    finally:
        behind.close()


def test_a_region_must_be_named_and_be_there(recordings: dict[str, Path], whole: Whole) -> None:
    cloud = ServedCloud(recordings["estate"], regions=("east", "west"))
    try:
        for region in ("", "north"):
            collections = [c for _, b in run_all([source(cloud, region=region)]) for c in b.collections]
            assert {c.kind for c in collections} == set(openstack.KINDS)
            assert {c.status for c in collections} == {Status.FAILED}
            assert "east、west" in collections[0].reason
        assert rest(collect(source(cloud, region="west"))) == whole
    finally:
        cloud.close()


def run_all(sources: list[Source]) -> Iterator[tuple[Source, Batch]]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PASSWORD", "secret-word")
        yield from collect_all(sources)


def test_two_regions_at_once_are_two_sources_side_by_side(recordings: dict[str, Path], whole: Whole) -> None:
    """Each answers only when the other has been asked too: one after the other would never end."""
    both = threading.Barrier(2, timeout=60)
    clouds = [ServedCloud(recordings["estate"], regions=(region,)) for region in ("east", "west")]

    def together(_: BaseHTTPRequestHandler, before: int) -> bool:
        if before == 0:
            both.wait()
        return False

    try:
        for cloud in clouds:
            cloud.faults["/servers/detail"] = together
        found: dict[str, dict[str, tuple[Status, int]]] = {"east": {}, "west": {}}
        sources = [source(c, name=c.regions[0], region=c.regions[0], timeout_seconds=60) for c in clouds]
        uids = Counter[str]()
        for one, batch in run_all(sources):
            found[one.name] |= {c.kind: (c.status, c.count) for c in batch.collections}
            uids.update(r.uid for r in batch.resources)
        assert found == {"east": whole, "west": whole}
        assert set(uids.values()) == {1}
    finally:
        for cloud in clouds:
            cloud.close()


def test_calls_are_no_more_than_pages_and_items_require(cloud: ServedCloud, whole: Whole) -> None:
    collect(source(cloud))
    users, projects, domains = (whole[kind][1] for kind in ("user", "project", "identity_domain"))
    # asked for proof and for the rows, by domain or user, or twice for names and for the rest
    assert {path: cloud.asked[path] for path in ("/users", "/groups", "/roles", "/os-keypairs")} == {
        "/users": domains + 1 + whole["identity_provider"][1],
        "/groups": domains,
        "/roles": domains + 1,
        "/os-keypairs": users,
    }
    twice = ("/projects", "/role_assignments", "/os-hypervisors/detail")
    assert {cloud.asked[path] for path in twice} == {2}
    assert cloud.asked["/servers/detail"] == 3  # all of them, and twice those that changed of late
    once = (
        "/ports",
        "/security-groups",
        "/os-aggregates",
        "/OS-TRUST/trusts",
    )
    assert {path: cloud.asked[path] for path in once} == dict.fromkeys(once, 1)
    assert sum(n for path, n in cloud.asked.items() if "application_credentials" in path) == users
    placement = [path.split("/")[2] for path in cloud.asked if path.startswith("/resource_providers/")]
    assert set(Counter(placement).values()) == {3}
    assert len(set(placement)) >= whole["hypervisor"][1]
    assert sum(
        n for path, n in cloud.asked.items() if "quota" in path and path.split("/")[2] != "0" * 32
    ) <= (5 * projects)
    assert cloud.logins == 1
