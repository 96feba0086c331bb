"""Peers that are no SSH server, or a bad one: each costs its deadline and no more."""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Callable
from typing import Any

import pytest

from collectors.contract import SourceError
from collectors.ssh import Options
from collectors.ssh.audit import audit
from inventory.coverage import Batch, Status
from inventory.unknown import UNKNOWN

Collect = Callable[..., Batch]
OFFER = b"SSH-2.0-x\r\n"


def drip(connection: socket.socket) -> None:
    while True:
        connection.sendall(b"S")
        time.sleep(0.2)


def flood(connection: socket.socket) -> None:
    connection.sendall(OFFER)
    for _ in range(256):
        connection.sendall(bytes(65536))


def huge_packet(connection: socket.socket) -> None:
    connection.sendall(OFFER + struct.pack(">IB", 2**31 - 1, 4) + bytes(1 << 20))
    connection.recv(100)


def endless_banner(connection: socket.socket) -> None:
    while True:
        connection.sendall(b"this is a long notice of nothing at all\r\n" * 1000)


def http(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 400 Bad Request\r\nServer: x\r\n\r\n")


def hang_up(connection: socket.socket) -> None:
    pass


def silent(connection: socket.socket) -> None:
    connection.recv(100)
    time.sleep(5)


@pytest.mark.parametrize(
    ("script", "status", "ssh"),
    [
        (drip, Status.FAILED, None),
        (flood, Status.FAILED, None),
        (huge_packet, Status.FAILED, None),
        (hang_up, Status.FAILED, None),
        (silent, Status.FAILED, None),
        (endless_banner, Status.COMPLETE, False),
        (http, Status.COMPLETE, False),
    ],
)
def test_a_peer_costs_its_deadline(
    script: Callable[[socket.socket], None], status: Status, ssh: bool | None,
    serve: Callable[..., int], collect: Collect,
) -> None:  # fmt: skip
    found = collect(f"127.0.0.1:{serve(script)}", timeout_seconds=0.5, endpoint_seconds=1.0)
    (collection,) = found.collections
    assert collection.status is status
    assert [r.ssh for r in found.resources] == ([] if ssh is None else [ssh])
    assert bool(collection.reason) == (status is not Status.COMPLETE)
    assert bool(collection.remedy) == (status is not Status.COMPLETE)


def kexinit(*lists: str) -> bytes:
    content = b"\x14" + bytes(16)
    for names in (*lists, "", ""):
        content += struct.pack(">I", len(names)) + names.encode()
    content += bytes(5)
    return struct.pack(">IB", len(content) + 5, 4) + content + bytes(4)


def test_a_server_that_only_offers_has_hidden_keys(serve: Callable[..., int], collect: Collect) -> None:
    """It shows its offer, names of domestic algorithms with it, and hangs up on every key exchange."""

    def script(connection: socket.socket) -> None:
        connection.sendall(
            b"SSH-2.0-\x1b[31mx<script>\r\n"
            + kexinit(
                "sm2-sm3,curve25519-sha256", "sm2,ssh-rsa", *["sm4-ctr"] * 2, *["hmac-sm3"] * 2, *["none"] * 2
            )
        )
        connection.recv(100)

    found = collect(f"127.0.0.1:{serve(script)}", timeout_seconds=1.0)
    (one,) = found.resources
    assert one.banner == "SSH-2.0-[31mx<script>"
    assert one.ciphers == ["sm4-ctr"]
    sm2, rsa = one.host_keys
    assert (sm2.key_type, sm2.fingerprint) == ("SM2", UNKNOWN)
    assert (rsa.key_type, rsa.key_bits, rsa.fingerprint) == ("RSA", UNKNOWN, UNKNOWN)
    assert found.collections[0].status is Status.PARTIAL


def test_a_peer_that_is_slow_only_to_ssh_audit(serve: Callable[..., int], collect: Collect) -> None:
    seen: list[int] = []

    def script(connection: socket.socket) -> None:
        seen.append(1)
        if len(seen) == 1:
            connection.sendall(
                OFFER
                + kexinit(
                    "curve25519-sha256", "ssh-rsa", *["aes256-ctr"] * 2, *["hmac-md5"] * 2, *["none"] * 2
                )
            )
        else:
            drip(connection)

    found = collect(f"127.0.0.1:{serve(script)}", timeout_seconds=5.0, endpoint_seconds=1.0)
    (collection,) = found.collections
    assert (collection.status, collection.count) == (Status.PARTIAL, 1)
    assert "ssh-audit" in collection.reason


def test_ssh_audit_itself_is_bounded(serve: Callable[..., int]) -> None:
    """A packet of 2 GiB that keeps coming: the child is ended, whatever it makes of it."""

    def script(connection: socket.socket) -> None:
        connection.sendall(OFFER + struct.pack(">IB", 2**31 - 1, 4))
        while True:
            connection.sendall(bytes(1 << 16))

    assert audit("127.0.0.1", serve(script), timeout_seconds=1.0, seconds=2.0) in ("late", "audit_failed")


def test_a_closed_port_says_so(collect: Collect) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    (collection,) = collect(f"127.0.0.1:{port}").collections
    assert (collection.status, collection.reason) == (Status.FAILED, "端口没有监听，或被防火墙拒绝")


def test_a_name_without_address_takes_no_other_target_with_it(
    serve: Callable[..., int], collect: Collect
) -> None:
    found = collect("no-such-host.invalid", f"127.0.0.1:{serve(http)}")
    assert sorted(c.status.value for c in found.collections) == ["complete", "failed"]


@pytest.mark.parametrize(
    "fields",
    [
        {}, {"targets": ["a b"]}, {"targets": ["a", "a:22"]}, {"targets": ["a"], "families": []},
        {"targets": ["a"], "concurrency": 0}, {"targets": ["a"], "timeout_seconds": 0}, {"targets": ["a:99999"]},
    ],
)  # fmt: skip
def test_options_that_cannot_be(fields: dict[str, Any]) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - in words of its own each
        Options(**fields)


def test_a_recording_of_others_is_refused(collect: Collect, tmp_path: Any) -> None:
    with pytest.raises(SourceError):
        collect("a", recording=str(tmp_path / "none"))
