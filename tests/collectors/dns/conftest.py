"""Servers on loopback that answer as a test wants, over UDP and TCP on one port."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator

import pytest
from dns import flags, message, rcode, rrset

Answer = Callable[[message.Message, bool], list[bytes]]
"""Question, whether it came over TCP → what is sent back, piece by piece."""


class Server:
    """One port; ``asked`` are the questions that came."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.asked: list[tuple[str, str, bool]] = []
        while True:
            self._tcp = socket.create_server(("127.0.0.1", 0))
            self._udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            try:
                self._udp.bind(self._tcp.getsockname())
                break
            except OSError:
                self._tcp.close()
                self._udp.close()
        self.address = f"127.0.0.1:{self._tcp.getsockname()[1]}"
        for work in (self._datagrams, self._streams):
            threading.Thread(target=work, daemon=True).start()

    def _told(self, wire: bytes, tcp: bool) -> list[bytes]:
        question = message.from_wire(wire)
        one = question.question[0]
        self.asked.append((str(one.name), one.rdtype.name, tcp))
        return self.answer(question, tcp)

    def _datagrams(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                wire, peer = self._udp.recvfrom(4096)
                if not wire:
                    return  # shut down
                for piece in self._told(wire, False):
                    self._udp.sendto(piece, peer)

    def _streams(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._tcp.accept()
                with connection, contextlib.suppress(OSError):
                    size = int.from_bytes(connection.recv(2, socket.MSG_WAITALL), "big")
                    for piece in self._told(connection.recv(size, socket.MSG_WAITALL), True):
                        connection.sendall(piece)

    def close(self) -> None:
        for one in (self._udp, self._tcp):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()


@pytest.fixture
def serve() -> Iterator[Callable[[Answer], Server]]:
    """Starts servers that end with the test."""
    started: list[Server] = []

    def start(answer: Answer) -> Server:
        started.append(Server(answer))
        return started[-1]

    yield start
    for one in started:
        one.close()


@pytest.fixture
def answer_of() -> Callable[..., message.Message]:
    """Builds the answer to a question out of lines of a zone file."""

    def build(question: message.Message, *lines: str, code: int = rcode.NOERROR) -> message.Message:
        made = message.make_response(question)
        made.flags |= flags.AA
        made.set_rcode(code)
        for line in lines:
            name, kind, *rest = line.split()
            made.answer.append(rrset.from_text(name, 300, "IN", kind, " ".join(rest)))
        return made

    return build
