"""Sites that the tests start: the standard library's server on 127.0.0.1 and ::1, one port for both."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from collectors.contract import Run, Source, collector
from inventory.coverage import Batch, Collection
from inventory.kinds.web import Link, Quality, Visit, Website

ADDRESS = {"ipv4": "127.0.0.1", "ipv6": "::1"}
Answer = tuple[int, dict[str, str], bytes]  # status, headers, body
Pages = Callable[[str, str, str], Answer | None]  # family, host, path → what is answered; None = 404


class _Server(ThreadingHTTPServer):
    family, pages, requests = "ipv4", staticmethod(lambda *_: None), []

    def handle_error(self, *_: object) -> None:
        pass  # a client that hangs up is what some tests are about


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        server: Any = self.server
        host = self.headers.get("Host", "").split(":")[0]
        server.requests.append((server.family, host, self.path, dict(self.headers)))
        status, headers, body = server.pages(server.family, host, self.path) or (404, {}, b"none")
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if "Transfer-Encoding" not in headers:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


class Served:
    """A site that runs. ``requests``: family, host, path, headers of each."""

    def __init__(self, port: int, requests: list[tuple[str, str, str, dict[str, str]]]) -> None:
        self.port, self.requests = port, requests


def _bound(families: tuple[str, ...]) -> dict[str, socket.socket]:
    """Listening sockets of one port for each family."""
    for _ in range(50):
        held: dict[str, socket.socket] = {}
        port = 0
        try:
            for family in families:
                kind = socket.AF_INET6 if family == "ipv6" else socket.AF_INET
                held[family] = socket.create_server((ADDRESS[family], port), family=kind, backlog=128)
                port = held[family].getsockname()[1]
        except OSError:
            for one in held.values():
                one.close()
            continue
        return held
    raise AssertionError("no port is free on both families")


@pytest.fixture
def serve() -> Iterator[Callable[..., Served]]:
    """Start a site: what it answers, over which families, with which certificate each."""
    with ExitStack() as stack:

        def start(
            pages: Pages, families: tuple[str, ...] = ("ipv4", "ipv6"), pem: dict[str, Path] | None = None
        ) -> Served:
            requests: list[Any] = []
            port = 0
            for family, listener in _bound(families).items():
                server = _Server(listener.getsockname()[:2], _Handler, bind_and_activate=False)
                server.socket.close()
                server.socket = listener
                server.family, server.pages, server.requests = family, pages, requests
                port = listener.getsockname()[1]
                if pem is not None:
                    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                    context.load_cert_chain(pem[family])
                    server.socket = context.wrap_socket(
                        listener, server_side=True, do_handshake_on_connect=False
                    )
                thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
                thread.start()
                stack.callback(thread.join)
                stack.callback(server.server_close)
                stack.callback(server.shutdown)
            return Served(port, requests)

        yield start


@pytest.fixture
def scripted() -> Iterator[Callable[..., int]]:
    """Start a peer that follows a script for each connection; its port."""
    with ExitStack() as stack:
        stopped = threading.Event()
        stack.callback(stopped.set)

        def start(script: Callable[[socket.socket, threading.Event], None]) -> int:
            listener = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=64))

            def one(connection: socket.socket) -> None:
                with connection:
                    connection.settimeout(30)
                    with suppress(OSError):
                        script(connection, stopped)

            def loop() -> None:
                while not stopped.is_set():
                    try:
                        connection, _ = listener.accept()
                    except OSError:
                        return
                    threading.Thread(target=one, args=(connection,), daemon=True).start()

            threading.Thread(target=loop, daemon=True).start()
            port: int = listener.getsockname()[1]
            return port

        yield start


class Seen:
    """What a collection gave of one site."""

    def __init__(self, batches: list[Batch]) -> None:
        self.batches = batches
        self.collections: list[Collection] = [c for b in batches for c in b.collections]
        self.sites: list[Website] = [r for b in batches for r in b.resources if isinstance(r, Website)]

    @property
    def site(self) -> Website:
        assert len(self.sites) == 1, self.collections
        return self.sites[0]

    def visit(self, family: str) -> Visit:
        assert isinstance(self.site.visits, list)
        return next(visit for visit in self.site.visits if visit.family == family)

    def quality(self, family: str) -> Quality:
        assert isinstance(self.site.quality, list)
        return next(one for one in self.site.quality if one.family == family)

    def link(self, part: str) -> Link:
        assert isinstance(self.site.links, list)
        found = [link for link in self.site.links if part in str(link.url)]
        assert len(found) == 1, self.site.links
        return found[0]


QUICK = {
    "delay_seconds": 0.0,
    "tries": 2,
    "ports": [],
    "tls": False,
    "timeout_seconds": 20.0,
    "page_seconds": 60.0,
}


@pytest.fixture
def source_of() -> Callable[..., Source]:
    """A source of this type; what is not said is quick."""

    def make(*sites: str, **options: Any) -> Source:
        module = collector("website")
        converted = msgspec.convert({"sites": list(sites), **QUICK, **options}, module.Options)
        return Source(name="sites", type="website", options=converted, deadline_seconds=300)

    return make


@pytest.fixture
def look(source_of: Callable[..., Source]) -> Callable[..., Seen]:
    """Collect sites."""

    def collect(*sites: str, **options: Any) -> Seen:
        source = source_of(*sites, **options)
        return Seen(list(collector("website").collect(source, Run(source))))

    return collect


@pytest.fixture(scope="session")
def pem_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Make a certificate for names, self-signed, with its key."""

    def make(*names: str) -> Path:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
        now = datetime.now(UTC)
        made = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=30))
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(n) for n in names]), critical=False)
            .sign(key, hashes.SHA256())
        )
        encoding = serialization.Encoding.PEM
        private = key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        path: Path = tmp_path_factory.mktemp("pem") / "site.pem"
        path.write_bytes(private + made.public_bytes(encoding))
        return path

    return make
