"""The dialogues before TLS, against servers that follow the protocols' own words."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

import pytest

from collectors.tls.targets import Target
from inventory.coverage import Batch, Status
from inventory.kinds.crypto import Endpoint

Collect = Callable[..., list[Batch]]


def line(connection: socket.socket) -> bytes:
    data = b""
    while not data.endswith(b"\r\n"):
        piece = connection.recv(1)
        if not piece:
            raise ConnectionResetError
        data += piece
    return data


def smtp(connection: socket.socket, offers: bool = True) -> None:
    connection.sendall(b"220-mail.example ESMTP\r\n220 ready\r\n")
    assert line(connection).startswith(b"EHLO ")
    connection.sendall(b"250-mail.example\r\n" + (b"250-STARTTLS\r\n" if offers else b"") + b"250 SIZE 1\r\n")
    assert line(connection) == b"STARTTLS\r\n"
    connection.sendall(b"220 go ahead\r\n")


def imap(connection: socket.socket, offers: bool = True) -> None:
    connection.sendall(b"* OK IMAP4rev1 ready\r\n")
    tag, command = line(connection).split()
    assert command == b"STARTTLS"
    connection.sendall(tag + (b" OK begin\r\n" if offers else b" BAD unknown\r\n"))


def ldap(connection: socket.socket, offers: bool = True) -> None:
    assert b"1.3.6.1.4.1.1466.20037" in connection.recv(4096)
    code = b"\0" if offers else b"\2"
    connection.sendall(b"\x30\x0c\x02\x01\x01\x78\x07\x0a\x01" + code + b"\x04\x00\x04\x00")


def postgres(connection: socket.socket, offers: bool = True) -> None:
    assert connection.recv(8) == bytes.fromhex("0000000804d2162f")
    connection.sendall(b"S" if offers else b"N")


def mysql(connection: socket.socket, offers: bool = True) -> None:
    low = 0xFFFF if offers else 0xF7FF
    body = b"\x0a8.0.36\0" + bytes(4) + b"abcdefgh\0" + low.to_bytes(2, "little") + bytes(31)
    connection.sendall(len(body).to_bytes(3, "little") + b"\0" + body)
    if offers:
        asked = connection.recv(36)
        assert len(asked) == 36
        assert int.from_bytes(asked[4:8], "little") & 0x0800


def rdp(connection: socket.socket, offers: bool = True) -> None:
    asked = connection.recv(4096)
    assert (len(asked), asked[5]) == (19, 0xE0)
    chosen = (1 if offers else 0).to_bytes(4, "little")
    connection.sendall(bytes.fromhex("030000130ed0000012340002000800") + chosen)


DIALOGUES: dict[str, Callable[..., None]] = {
    "smtp": smtp, "imap": imap, "ldap": ldap, "postgres": postgres, "mysql": mysql, "rdp": rdp,
}  # fmt: skip


@pytest.mark.parametrize("protocol", DIALOGUES)
def test_tls_after_the_dialogue(
    protocol: Any, serve_tls: Any, pem_of: Any, keys: Any, collect: Collect
) -> None:
    port = serve_tls(pem_of("a", key=keys["ec"]), before=DIALOGUES[protocol])
    (batch,) = collect(Target(address=f"127.0.0.1:{port}", starttls=protocol))
    (one,) = [r for r in batch.resources if isinstance(r, Endpoint)]
    assert (one.starttls, one.tls) == (protocol, True)
    assert {v.version for v in one.versions if v.offered} == {"TLS 1.2", "TLS 1.3"}
    assert {c.status for c in batch.collections} == {Status.COMPLETE}
    assert len(one.certificates) == 1


@pytest.mark.parametrize("protocol", DIALOGUES)
def test_a_server_that_offers_none_is_seen_without(
    protocol: Any, serve: Callable[..., int], collect: Collect
) -> None:
    port = serve(lambda connection: DIALOGUES[protocol](connection, offers=False))
    (batch,) = collect(Target(address=f"127.0.0.1:{port}", starttls=protocol))
    (one,) = batch.resources
    assert isinstance(one, Endpoint)
    assert one.tls is False
    assert {c.status for c in batch.collections} == {Status.COMPLETE}


@pytest.mark.parametrize("protocol", DIALOGUES)
@pytest.mark.parametrize("words", [b"SSH-2.0-OpenSSH_9.2\r\n", b"\0" * 300, b""])
def test_another_protocol_is_not_taken_for_one_without_tls(
    protocol: Any, words: bytes, serve: Callable[..., int], collect: Collect
) -> None:
    def script(connection: socket.socket) -> None:
        connection.sendall(words)
        connection.recv(4096)

    (batch,) = collect(Target(address=f"127.0.0.1:{serve(script)}", starttls=protocol), timeout_seconds=0.5)
    assert batch.resources == []
    assert {c.status for c in batch.collections} == {Status.FAILED}
