"""What an SSH server says first, by real sockets: nothing is sent, and nothing hangs."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator

import pytest

from collectors.discovery.probes import ssh_at

Serve = Callable[[Callable[[socket.socket], None]], tuple[int, list[bytes]]]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """A server that does something with its one client; its port, and what the client sent."""
    listeners: list[socket.socket] = []

    def start(talk: Callable[[socket.socket], None]) -> tuple[int, list[bytes]]:
        listener = socket.create_server(("127.0.0.1", 0))
        listeners.append(listener)
        heard: list[bytes] = []

        def work() -> None:
            try:
                peer = listener.accept()[0]
            except OSError:
                return
            with peer:
                talk(peer)
                peer.settimeout(2)
                try:
                    heard.append(peer.recv(1000))
                except OSError:
                    heard.append(b"")

        threading.Thread(target=work, daemon=True).start()
        return listener.getsockname()[1], heard

    yield start
    for listener in listeners:
        listener.close()


@pytest.mark.parametrize(
    ("said", "banner"),
    [
        (b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n", "SSH-2.0-OpenSSH_9.2p1 Debian-2"),
        (b"welcome\r\nSSH-1.99-Cisco-1.25\r\n", "SSH-1.99-Cisco-1.25"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", ""),
        (b"SSH-2.0-" + b"x" * 5000, ""),
        (b"SSH-2.0-esc\x1b[2J\r\n", ""),
        (b"", ""),
    ],
)
def test_identification_strings(serve: Serve, said: bytes, banner: str) -> None:
    port, heard = serve(lambda peer: peer.sendall(said))
    assert ssh_at("127.0.0.1", port, 0.3) == banner
    for _ in range(100):
        if heard:
            break
        threading.Event().wait(0.02)
    assert heard == [b""]  # it closed, and had sent nothing


def test_a_closed_port_and_a_drip() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        assert ssh_at("127.0.0.1", closed.getsockname()[1], 0.3) == ""
