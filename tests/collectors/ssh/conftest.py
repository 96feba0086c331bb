"""SSH servers that the tests start: Debian's sshd and dropbear as an inetd starts them, and scripted peers."""

from __future__ import annotations

import shutil
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import pytest

from collectors.contract import Run, Source, collector
from inventory.coverage import Batch

KEYS = {
    "rsa1024": ("rsa", 1024),
    "rsa2048": ("rsa", 2048),
    "ed25519": ("ed25519", 0),
    "ecdsa": ("ecdsa", 384),
}


def _serve(handle: Callable[[socket.socket], None], stack: ExitStack, host: str = "127.0.0.1") -> int:
    """Hand each connection to ``handle`` in a thread of its own; the port."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.create_server((host, 0), family=family, backlog=64)
    stack.callback(listener.close)
    stack.callback(lambda: suppress_os(listener.shutdown, socket.SHUT_RDWR))

    def one(connection: socket.socket) -> None:
        with connection, suppress(OSError):
            handle(connection)

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=one, args=(connection,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    port: int = listener.getsockname()[1]
    return port


def suppress_os(call: Callable[..., Any], *args: Any) -> None:
    with suppress(OSError):
        call(*args)


@pytest.fixture
def serve() -> Iterator[Callable[..., int]]:
    """Start a peer that follows a script for each connection; its port."""
    with ExitStack() as stack:
        yield lambda handle, host="127.0.0.1": _serve(handle, stack, host)


@pytest.fixture(scope="session")
def inetd() -> Iterator[Callable[..., int]]:
    """Start a program for each connection, which is its standard input and output; the port."""
    with ExitStack() as stack:

        def start(*command: str, host: str = "127.0.0.1") -> int:
            def handle(connection: socket.socket) -> None:
                subprocess.run(
                    command,
                    stdin=connection,
                    stdout=connection,
                    stderr=subprocess.DEVNULL,
                    timeout=120,
                    check=False,
                )

            return _serve(handle, stack, host)

        yield start


def program(name: str, package: str) -> str:
    found = shutil.which(name, path="/usr/sbin:/usr/bin:/sbin:/bin")
    assert found, f"missing {name}: apt-get install {package}"
    return found


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with host keys of ``KEYS``, and a certificate for one of them."""
    folder = tmp_path_factory.mktemp("keys")
    keygen = program("ssh-keygen", "openssh-client")
    for name, (kind, bits) in KEYS.items():
        size = ["-b", str(bits)] if bits else []
        subprocess.run(
            [keygen, "-q", "-t", kind, *size, "-N", "", "-C", "", "-f", str(folder / name)], check=True
        )
    subprocess.run(
        [keygen, "-q", "-s", "rsa2048", "-I", "host", "-h", "-n", "localhost", "ed25519.pub"],
        cwd=folder, check=True,
    )  # fmt: skip
    return folder


@pytest.fixture(scope="session")
def sshd(
    inetd: Callable[..., int], keys: Path, tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., int]:
    """Start an sshd with these lines of configuration; its port."""
    server = program("sshd", "openssh-server")
    Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)

    def start(*lines: str, host: str = "127.0.0.1") -> int:
        config = tmp_path_factory.mktemp("sshd") / "config"
        config.write_text("\n".join(line.replace("KEYS", str(keys)) for line in lines) + "\n")
        subprocess.run([server, "-t", "-f", str(config)], check=True)
        return inetd(server, "-i", "-f", str(config), host=host)

    return start


def _collect(*targets: str, **options: Any) -> Batch:
    found = Source(name="s", type="ssh", options=collector("ssh").Options(targets=list(targets), **options))
    whole = Batch()
    for batch in collector("ssh").collect(found, Run(found)):
        whole.resources += batch.resources
        whole.collections += batch.collections
        whole.evidence += batch.evidence
    return whole


@pytest.fixture(scope="session")
def collect() -> Callable[..., Batch]:
    """Collect from these targets."""
    return _collect
