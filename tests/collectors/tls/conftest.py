"""Servers that the tests start: Python's own TLS, and peers that follow a script."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from collectors.contract import Run, Source, collector
from collectors.tls.hello import Hello
from collectors.tls.wire import Place, exchange
from inventory.coverage import Batch

Script = Callable[[socket.socket], None]


@pytest.fixture(scope="session")
def keys() -> dict[str, Any]:
    """Keys are slow to make and may be shared."""
    return {
        "rsa": rsa.generate_private_key(public_exponent=65537, key_size=2048),
        "short": rsa.generate_private_key(public_exponent=65537, key_size=1024),
        "ec": ec.generate_private_key(ec.SECP256R1()),
        "ca": ec.generate_private_key(ec.SECP384R1()),
    }


@pytest.fixture
def serve() -> Iterator[Callable[..., int]]:
    """Start a server that follows a script for each connection; its port."""
    with ExitStack() as stack:
        stopped = threading.Event()
        stack.callback(stopped.set)

        def start(script: Script, address: str = "127.0.0.1") -> int:
            family = socket.AF_INET6 if ":" in address else socket.AF_INET
            listener = stack.enter_context(socket.create_server((address, 0), family=family, backlog=128))

            def one(connection: socket.socket) -> None:
                try:
                    connection.settimeout(10)
                    script(connection)
                except OSError:
                    pass
                finally:
                    connection.close()

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


@pytest.fixture
def serve_tls(serve: Callable[..., int], tmp_path: Path) -> Callable[..., int]:
    """Start Python's TLS: ``pem``, then what to set on its context, what comes before the handshake, and what
    is answered after it. Its port."""

    def start(
        pem: bytes,
        *,
        oldest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_2,
        newest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3,
        ciphers: str = "",
        before: Script | None = None,
        answer: bytes = b"",
        own_order: bool = False,
        address: str = "127.0.0.1",
    ) -> int:
        path = tmp_path / f"{abs(hash(pem))}.pem"
        path.write_bytes(pem)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.set_ciphers(ciphers or "DEFAULT:@SECLEVEL=0")
        context.load_cert_chain(path)
        context.minimum_version, context.maximum_version = oldest, newest
        if own_order:
            context.options |= ssl.OP_CIPHER_SERVER_PREFERENCE
        else:
            context.options &= ~ssl.OP_CIPHER_SERVER_PREFERENCE

        def script(connection: socket.socket) -> None:
            if before:
                before(connection)
            with context.wrap_socket(connection, server_side=True) as secured:
                if answer:
                    secured.recv(4096)
                    secured.sendall(answer)

        return serve(script, address)

    return start


@pytest.fixture
def collect() -> Callable[..., list[Batch]]:
    """Collect targets with short deadlines."""

    def run(*targets: Any, **options: Any) -> list[Batch]:
        module = collector("tls")
        deadline_seconds = options.pop("deadline_seconds", 60)
        settings = {"timeout_seconds": 5.0, "endpoint_seconds": 30.0, **options}
        source = Source(
            name="t",
            type="tls",
            labels={"zone": "互联网区"},
            options=module.Options(
                targets=[f"127.0.0.1:{t}" if isinstance(t, int) else t for t in targets], **settings
            ),
            deadline_seconds=deadline_seconds,
        )
        return list(module.collect(source, Run(source, environ={})))

    return run


@pytest.fixture
def flight_of() -> Callable[[int, Hello], bytes]:
    """The bytes with which a server on a port answers a hello."""

    def ask(port: int, hello: Hello) -> bytes:
        return asyncio.run(exchange(Place("127.0.0.1", port), hello, 5.0))[0]

    return ask
