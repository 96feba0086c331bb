"""Recordings of the lab's two API servers, and a server on the loopback that answers from them over TLS
with whatever goes wrong on the way."""

from __future__ import annotations

import gzip
import json
import ssl
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from collectors import kubernetes
from collectors.contract import Run, Source
from collectors.run import collect_all
from inventory.coverage import Batch, Collection
from inventory.resource import Resource

DATA = Path(__file__).parents[2] / "data" / "kubernetes"
TOKEN = "the-token-of-the-collector"

Answer = tuple[int, dict[str, str], bytes]
Fault = Callable[[dict[str, str], Answer], Answer]
"""Makes another answer of the right one; ``Api.asked`` counts the requests of each path."""


class Estate:
    """What one collection brought."""

    def __init__(self, batches: list[Batch]) -> None:
        self.resources: dict[str, list[Any]] = {}
        self.collections: dict[str, Collection] = {}
        self.evidence = {e.id: e for b in batches for e in b.evidence}
        for batch in batches:
            for resource in batch.resources:
                self.resources.setdefault(resource.KIND, []).append(resource)
            for collection in batch.collections:
                assert collection.kind not in self.collections
                self.collections[collection.kind] = collection

    def of(self, kind: str) -> dict[str, Any]:
        return {r.native_id: r for r in self.resources.get(kind, [])}

    def status(self, kind: str) -> str:
        return self.collections[kind].status.value

    def statuses(self) -> dict[str, str]:
        return {kind: c.status.value for kind, c in self.collections.items()}

    def lasting(self) -> list[Resource]:
        return sorted((r for rows in self.resources.values() for r in rows), key=lambda r: r.uid)


def collect(options: kubernetes.Options, deadline_seconds: float = 60.0) -> Estate:
    """Through the runner, as the program does."""
    source = Source(name="c", type="kubernetes", options=options, deadline_seconds=deadline_seconds)
    return Estate([batch for _, batch in collect_all([source])])


@pytest.fixture(scope="session", params=["old", "new"])
def version(request: pytest.FixtureRequest) -> str:
    """Each of the lab's servers in turn: 1.20 and a current one."""
    name: str = request.param
    return name


@pytest.fixture(scope="session")
def expected(version: str) -> dict[str, Any]:
    """What the lab's own count says is there."""
    found: dict[str, Any] = json.loads((DATA / f"{version}-expected.json").read_text(encoding="utf-8"))
    return found


@pytest.fixture(scope="session")
def whole(version: str) -> Estate:
    """A server as its administrator sees it."""
    source = Source(
        name="c",
        type="kubernetes",
        options=kubernetes.Options(recording=str(DATA / f"{version}-admin.jsonl.gz")),
    )
    return Estate(list(kubernetes.collect(source, Run(source))))


class Api:
    """An API server on the loopback: a recording, cut into pages of its own, behind TLS and a token."""

    PAGE = 100

    def __init__(self, folder: Path, recording: str, pem: bytes) -> None:
        content = gzip.decompress((DATA / f"{recording}.jsonl.gz").read_bytes())
        lines = [json.loads(line) for line in content.splitlines()[2:]]
        self.answers = {line["path"]: (line["status"], line.get("body")) for line in lines}
        self.faults: dict[str, Fault] = {}
        self.asked: Counter[str] = Counter()
        self.queries: list[tuple[str, dict[str, str], dict[str, str]]] = []
        self.released = threading.Event()
        self.ca = folder / "ca.crt"
        self.ca.write_bytes(pem[pem.index(b"-----BEGIN CERTIFICATE") :])
        (folder / "server.pem").write_bytes(pem)
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.server.daemon_threads = True
        self.server.block_on_close = False
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / "server.pem")
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self.released.set()
        self.server.shutdown()
        self.server.server_close()

    def options(self, folder: Path, **more: Any) -> kubernetes.Options:
        token = folder / "token"
        token.write_text(TOKEN, encoding="utf-8")
        given = {
            "server": f"https://127.0.0.1:{self.port}",
            "token_ref": f"file:{token}",
            "ca_file": str(self.ca),
            "timeout_seconds": 20.0,
        }
        return kubernetes.Options(**(given | more))

    def hang(self, query: dict[str, str], answer: Answer) -> Answer:
        """A fault: no answer until the test is over."""
        self.released.wait(60)
        return answer

    def answer(self, path: str, query: dict[str, str]) -> Answer:
        status, body = self.answers.get(path, (404, {"kind": "Status", "code": 404}))
        if status == 200 and isinstance(body.get("items"), list):
            start = int(query.get("continue", "0"))
            end = start + self.PAGE
            more = {"continue": str(end)} if end < len(body["items"]) else {}
            body = {**body, "metadata": more, "items": body["items"][start:end]}
        return status, {}, json.dumps(body).encode()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        api = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                url = urlsplit(self.path)
                query = dict(parse_qsl(url.query))
                api.asked[url.path] += 1
                api.queries.append((url.path, query, dict(self.headers.items())))
                if self.headers.get("Authorization") != f"Bearer {TOKEN}":
                    answer: Answer = (401, {}, b"{}")
                else:
                    answer = api.answer(url.path, query)
                    fault = api.faults.get(url.path)
                    answer = fault(query, answer) if fault else answer
                self.reply(*answer)

            def reply(self, status: int, headers: dict[str, str], body: bytes) -> None:
                if "gzip" in self.headers.get("Accept-Encoding", "") and "Content-Length" not in headers:
                    body, headers = gzip.compress(body), {**headers, "Content-Encoding": "gzip"}
                self.send_response(status)
                for name, value in {"Content-Length": str(len(body)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)
                if "Content-Length" in headers:
                    self.close_connection = True

            def log_message(self, *_: object) -> None:
                pass

        return Handler


@pytest.fixture
def api(tmp_path: Path, self_signed: bytes) -> Iterator[Api]:
    """The current server's administrator's answers."""
    server = Api(tmp_path, "new-admin", self_signed)
    yield server
    server.close()


@pytest.fixture
def tried(api: Api, tmp_path: Path) -> Callable[..., Estate]:
    """Collect from the loopback's server."""

    def go(deadline_seconds: float = 60.0, **options: Any) -> Estate:
        return collect(api.options(tmp_path, **options), deadline_seconds)

    return go
