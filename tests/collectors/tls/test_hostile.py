"""Peers that are no TLS servers, or bad ones: they cost their deadline, and nothing false is told of them."""

from __future__ import annotations

import contextlib
import os
import socket
import ssl
import time
from collections.abc import Callable
from typing import Any

import pytest

from collectors.tls import survey
from inventory.coverage import Batch, Status
from inventory.kinds.crypto import Endpoint
from inventory.unknown import Unknown

Collect = Callable[..., list[Batch]]
V12 = ssl.TLSVersion.TLSv1_2


def greeting(text: bytes) -> Callable[[socket.socket], None]:
    """A server that talks first."""

    def script(connection: socket.socket) -> None:
        connection.sendall(text)
        with contextlib.suppress(OSError):
            connection.recv(4096)

    return script


def replying(text: bytes) -> Callable[[socket.socket], None]:
    """A server that answers whatever it gets with the same words."""

    def script(connection: socket.socket) -> None:
        connection.recv(4096)
        connection.sendall(text)

    return script


def echo(connection: socket.socket) -> None:
    while data := connection.recv(4096):
        connection.sendall(data)


NOT_TLS = {
    "sshd": greeting(b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n"),
    "redis": replying(b"-ERR unknown command\r\n"),
    "http": replying(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n"),
    "smtp": greeting(b"220 mail.example ESMTP\r\n"),
    "echo": echo,
    "zeros": replying(bytes(2000)),
    "noise": replying(b"\x17" + os.urandom(500)),
    "a record of nonsense": replying(b"\x16\x03\x03\x00\x04\x63\x00\x00\x00"),
    "a hello cut short inside": replying(b"\x16\x03\x03\x00\x06\x02\x00\x00\x02\x03\x03"),
    "nonsense as TLCP": replying(b"\x16\x01\x01\x00\x06\x02\x00\x00\x02\x01\x01"),
}


@pytest.mark.parametrize("name", NOT_TLS)
def test_what_answers_with_something_else_speaks_no_tls(
    name: str, serve: Callable[..., int], collect: Collect
) -> None:
    (batch,) = collect(serve(NOT_TLS[name]))
    (one,) = batch.resources
    assert isinstance(one, Endpoint)
    assert one.tls is False
    assert {v.offered for v in one.versions} == {False}
    assert (one.certificates, one.groups) == ([], [])
    assert {c.status for c in batch.collections} == {Status.COMPLETE}


def silent(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while connection.recv(4096):
            pass


def hanging_up(connection: socket.socket) -> None:
    connection.recv(4096)


def resetting(connection: socket.socket) -> None:
    connection.recv(4096)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")


def drop_by_drop(connection: socket.socket) -> None:
    for byte in b"\x16\x03\x03\x40\x00" + bytes(200):
        connection.sendall(bytes([byte]))
        time.sleep(0.1)


def announcing(connection: socket.socket) -> None:
    """A ServerHello, then a certificate of 16 MiB that never ends."""
    connection.recv(4096)
    hello = b"\3\3" + bytes(32) + b"\0\xc0\x2f\0"
    message = b"\2" + len(hello).to_bytes(3, "big") + hello + b"\x0b\xff\xff\xff"
    connection.sendall(b"\x16\3\3" + len(message).to_bytes(2, "big") + message)
    record = b"\x16\3\3\x40\0" + bytes(16384)
    for _ in range(1024):
        connection.sendall(record)


@pytest.mark.parametrize("script", [silent, hanging_up, resetting, drop_by_drop])
def test_what_cannot_be_told_is_no_row_and_a_reason(
    script: Callable[[socket.socket], None], serve: Callable[..., int], collect: Collect
) -> None:
    began = time.monotonic()
    (batch,) = collect(serve(script), timeout_seconds=0.3)
    assert time.monotonic() - began < 20  # many times what two time-outs take
    assert batch.resources == []
    assert {c.status for c in batch.collections} == {Status.FAILED}
    assert all(c.reason and c.remedy for c in batch.collections)


def test_a_huge_certificate_is_not_read(serve: Callable[..., int], collect: Collect) -> None:
    (batch,) = collect(serve(announcing), timeout_seconds=2.0, endpoint_seconds=5.0)
    (one,) = [r for r in batch.resources if isinstance(r, Endpoint)]
    assert {v.version for v in one.versions if v.offered is True} == {"TLS 1.2"}
    assert isinstance(one.certificates, Unknown)
    assert {c.kind: c.status for c in batch.collections}["certificate"] is Status.PARTIAL


def test_an_error_of_ours_ends_one_target_and_no_other(
    serve: Callable[..., int], collect: Collect, monkeypatch: pytest.MonkeyPatch
) -> None:
    good, odd = serve(NOT_TLS["http"]), serve(NOT_TLS["http"])
    real = survey.observe

    async def observe(asker: Any, *more: Any) -> Any:
        if asker.place.port == odd:
            raise ZeroDivisionError("a mistake")
        return await real(asker, *more)

    monkeypatch.setattr(survey, "observe", observe)
    began = time.monotonic()
    batches = collect(odd, good, concurrency=1)
    assert time.monotonic() - began < 30  # not the deadline of the source
    status = {c.scope: c for b in batches for c in b.collections if c.kind == "endpoint"}
    assert status[f"127.0.0.1:{good}"].status is Status.COMPLETE
    assert status[f"127.0.0.1:{odd}"].status is Status.FAILED
    assert "ZeroDivisionError" in status[f"127.0.0.1:{odd}"].reason


def test_what_does_not_listen_failed(collect: Collect) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    (batch,) = collect(port)
    assert batch.resources == []
    assert {c.status for c in batch.collections} == {Status.FAILED}
    assert "没有监听" in batch.collections[0].reason


def test_a_name_without_an_address_failed(collect: Collect) -> None:
    (batch,) = collect("no-such-name.invalid:443")
    assert {c.status for c in batch.collections} == {Status.FAILED}
    assert "no-such-name.invalid" in batch.collections[0].reason


def test_a_server_that_stops_answering_refused_nothing(
    serve: Callable[..., int], collect: Collect, serve_tls: Any, pem_of: Any, keys: Any
) -> None:
    """After three answers every connection is closed at once, as by an intrusion prevention system."""
    inner = serve_tls(pem_of("a", key=keys["ec"]), newest=V12)
    left = [3]

    def limited(connection: socket.socket) -> None:
        hello = connection.recv(4096)
        if left[0] <= 0:
            return
        with socket.create_connection(("127.0.0.1", inner)) as behind:
            behind.sendall(hello)
            answer = behind.recv(65536)
            if answer[:1] == b"\x16":
                left[0] -= 1
            connection.sendall(answer)

    (batch,) = collect(serve(limited))
    (one,) = [r for r in batch.resources if isinstance(r, Endpoint)]
    seen = {v.version: v for v in one.versions}
    assert seen["TLS 1.2"].offered is True
    assert len(seen["TLS 1.2"].suites) == 3
    assert isinstance(seen["TLS 1.2"].all_suites, Unknown)
    assert isinstance(seen["TLS 1.0"].offered, Unknown)
    assert isinstance(seen["TLCP 1.1"].offered, Unknown)
    assert isinstance(one.groups, Unknown)
    status = {c.kind: c for c in batch.collections}
    assert status["endpoint"].status is Status.PARTIAL
    assert "限速" in status["endpoint"].reason


def test_many_bad_peers_side_by_side_cost_no_more_than_one(
    serve: Callable[..., int], collect: Collect
) -> None:
    port = serve(silent)
    targets = [f"127.0.0.{n}:{port}" for n in range(1, 2)] + [f"127.0.0.1:{serve(silent)}" for _ in range(30)]
    began = time.monotonic()
    batches = collect(*targets, timeout_seconds=0.5, concurrency=40)
    assert time.monotonic() - began < 20  # one after the other would take 31 seconds
    assert len(batches) == 31


def test_the_source_s_deadline_accounts_for_every_target(serve: Callable[..., int], collect: Collect) -> None:
    targets = [serve(silent) for _ in range(4)]
    batches = collect(*targets, concurrency=1, timeout_seconds=30.0, deadline_seconds=0.5)
    assert {c.scope for b in batches for c in b.collections} == {f"127.0.0.1:{t}" for t in targets}
    assert {c.status for b in batches for c in b.collections} == {Status.FAILED}
    assert all("时限" in c.reason for b in batches for c in b.collections)
