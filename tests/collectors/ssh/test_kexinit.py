"""What an SSH server offers, read from peers that follow a script."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.ssh.kexinit import NoSshError, Offer, _kexinit, read_offer

OLD = Offer(
    version="SSH-1.99-Comware-5.20",
    key_exchanges=["diffie-hellman-group1-sha1"],
    host_keys=["ssh-rsa", "ssh-dss"],
    ciphers=["aes128-cbc", "3des-cbc"],
    macs=["hmac-sha1", "hmac-md5"],
    compressions=["none"],
)


def payload(offer: Offer) -> bytes:
    lists = [
        offer.key_exchanges,
        offer.host_keys,
        *[offer.ciphers] * 2,
        *[offer.macs] * 2,
        ["none"],
        ["none"],
        [],
        [],
    ]
    content = b"\x14" + bytes(16)
    for names in lists:
        text = ",".join(names).encode()
        content += struct.pack(">I", len(text)) + text
    return content + b"\x00" + bytes(4)


def packet(content: bytes) -> bytes:
    return struct.pack(">IB", len(content) + 5, 4) + content + bytes(4)


@pytest.fixture
def peer() -> Iterator[Callable[..., tuple[str, int]]]:
    """A peer that sends these bytes to whoever comes, and then listens."""
    with ExitStack() as stack:

        def start(*parts: bytes, hang_up: bool = False) -> tuple[str, int]:
            listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))

            def answer() -> None:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    for part in parts:
                        connection.sendall(part)
                    connection.settimeout(5)
                    while not hang_up and connection.recv(4096):
                        pass

            threading.Thread(target=answer, daemon=True).start()
            return "127.0.0.1", listener.getsockname()[1]

        yield start


def test_all_lists_are_told(peer: Callable[..., tuple[str, int]]) -> None:
    where = peer(b"notice of a server\r\n", b"SSH-1.99-Comware-5.20\r\n", packet(payload(OLD)))
    found = read_offer(where, 5)
    assert found == OLD
    assert found.version1
    assert not found.modern
    assert found.legacy == sorted([*OLD.key_exchanges, *OLD.host_keys, *OLD.ciphers, *OLD.macs])
    assert "diffie-hellman-group1-sha1" in found.told()


def test_a_server_of_version_1_alone_offers_nothing_more(peer: Callable[..., tuple[str, int]]) -> None:
    found = read_offer(peer(b"SSH-1.5-Cisco-1.25\n"), 5)
    assert found == Offer(version="SSH-1.5-Cisco-1.25")
    assert found.version1
    assert not found.modern


@pytest.mark.parametrize(
    "sent",
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n",),
        (b"SSH-2.0-x\r\n", b"\xff\xff\xff\xff\x04" + bytes(10)),
        (b"SSH-2.0-x\r\n", packet(b"\x15" + bytes(40))),
        (b"SSH-2.0-x\r\n", packet(payload(OLD)[:60])),
        (b"SSH-2.0-x\r\n", packet(payload(OLD))[:50]),
        (b"x" * 5000,),
        (b"x\r\n" * 80,),
    ],
)
def test_what_is_no_ssh_says_so(sent: tuple[bytes, ...], peer: Callable[..., tuple[str, int]]) -> None:
    with pytest.raises(NoSshError):
        read_offer(peer(*sent, hang_up=True), 5)


def test_silence_ends_in_time(peer: Callable[..., tuple[str, int]]) -> None:
    with pytest.raises(TimeoutError):
        read_offer(peer(), 0.3)
    with pytest.raises(TimeoutError):
        read_offer(peer(b"SSH-2.0-x\r\n"), 0.3)


def test_modern_needs_one_of_each() -> None:
    new = Offer(
        version="SSH-2.0-OpenSSH_9.2",
        key_exchanges=["curve25519-sha256", "diffie-hellman-group1-sha1"],
        host_keys=["ssh-ed25519"],
        ciphers=["aes256-gcm@openssh.com", "aes128-cbc"],
        macs=["hmac-sha1"],
    )
    assert new.modern
    assert new.legacy == ["aes128-cbc", "diffie-hellman-group1-sha1", "hmac-sha1"]
    assert not new.version1
    for name in ("key_exchanges", "host_keys", "ciphers"):
        fields = {n: getattr(new, n) for n in new.__struct_fields__} | {name: getattr(OLD, name)}
        assert not Offer(**fields).modern


@given(st.binary(max_size=200))
def test_no_bytes_break_the_reader(content: bytes) -> None:
    with suppress(NoSshError):
        _kexinit("SSH-2.0-x", b"\x14" + content)
