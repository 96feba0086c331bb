"""What an SSH server offers before anybody logs in: its version line and its SSH_MSG_KEXINIT (RFC 4253).

Read by ourselves, because a library that finds nothing in common with a peer does not say what the peer had.
Nothing is agreed and no key is made: we hang up after the server's first packet.
"""

from __future__ import annotations

import re
import socket
import struct
import time

import msgspec

_KEXINIT = 20
_MOST_PACKET_BYTES = 35_000  # RFC 4253 §6.1
_MOST_LINES_BEFORE_VERSION = 50
_MOST_LINE_BYTES = 1024
_OURS = b"SSH-2.0-zhengguan\r\n"


class Offer(msgspec.Struct, kw_only=True, omit_defaults=True):
    """The lists of a server, in its order; ciphers, MACs and compressions of both directions."""

    version: str
    key_exchanges: list[str] = msgspec.field(default_factory=list)
    host_keys: list[str] = msgspec.field(default_factory=list)
    ciphers: list[str] = msgspec.field(default_factory=list)
    macs: list[str] = msgspec.field(default_factory=list)
    compressions: list[str] = msgspec.field(default_factory=list)
    strict: bool = False  # kex-strict-s-v00@openssh.com: packets cannot be cut away (CVE-2023-48795)

    @property
    def version1(self) -> bool:
        """Whether the server speaks SSH version 1, too or alone (RFC 4253 §5.1)."""
        return self.version.startswith(("SSH-1.99-", "SSH-1."))

    @property
    def legacy(self) -> list[str]:
        """Offered algorithms that no current client uses by itself, or that rest on SHA-1, MD5, CBC …"""
        every = (*self.key_exchanges, *self.host_keys, *self.ciphers, *self.macs)
        return sorted({name for name in every if _LEGACY.fullmatch(name)})

    @property
    def modern(self) -> bool:
        """Whether each of key exchange, host key, cipher and MAC can be had without the legacy ones; a cipher
        with its own authentication needs no MAC."""
        lists = (self.key_exchanges, self.host_keys, self.ciphers)
        if not all(any(not _LEGACY.fullmatch(name) for name in names) for names in lists):
            return False
        own = any("gcm" in name or "poly1305" in name for name in self.ciphers)
        return own or any(not _LEGACY.fullmatch(name) for name in self.macs)

    def told(self) -> str:
        """All of it in one line, for a reason that a person reads."""
        return (
            f"{self.version}；密钥交换 {_some(self.key_exchanges)}；主机密钥 {_some(self.host_keys)}；"
            f"加密 {_some(self.ciphers)}；完整性 {_some(self.macs)}"
        )


_LEGACY = re.compile(
    r"diffie-hellman-group1-sha1|diffie-hellman-group14-sha1|diffie-hellman-group-exchange-sha1|gss-.*sha1.*"
    r"|rsa1024-sha1|ssh-dss.*|ssh-rsa|ssh-rsa-cert.*|.*-cbc(?:@.*)?|arcfour.*|none|des|rijndael-cbc@.*"
    r"|hmac-md5.*|hmac-sha1.*|hmac-ripemd.*|umac-64.*"
)


class NoSshError(Exception):
    """What answers is not an SSH server (``other``), or broke off before it told what it offers (中文)."""

    def __init__(self, reason: str, *, other: bool = False) -> None:
        super().__init__(reason)
        self.other = other


class Heard(msgspec.Struct, kw_only=True, frozen=True):
    """What a server said: its version line, printable characters of it, and the payload of its first packet,
    b"" where it speaks version 1 alone."""

    version: str
    payload: bytes = b""


def read_offer(address: tuple[str, int], timeout: float) -> Offer:
    """Ask a server for what it offers, within ``timeout`` seconds. Raises OSError (TimeoutError among them)
    and NoSshError."""
    return offer_of(hear(address, timeout))


def hear(address: tuple[str, int], timeout: float) -> Heard:
    """The bytes of an offer. Raises as ``read_offer`` does."""
    ends = time.monotonic() + timeout
    with socket.create_connection(address, timeout=timeout) as connection:
        peer = _Peer(connection, ends)
        version = _version_line(peer)
        if _only_version1(version):
            return Heard(version=version)
        peer.send(_OURS)
        return Heard(version=version, payload=_packet(peer))


def offer_of(heard: Heard) -> Offer:
    """What the bytes say. Raises NoSshError."""
    if _only_version1(heard.version):
        return Offer(version=heard.version)
    return _kexinit(heard.version, heard.payload)


def _only_version1(version: str) -> bool:
    return version.startswith("SSH-1.") and not version.startswith("SSH-1.99")


class _Peer:
    """A connection with one deadline over all its reads."""

    def __init__(self, connection: socket.socket, ends: float) -> None:
        self._connection, self._ends = connection, ends

    def send(self, content: bytes) -> None:
        self._connection.settimeout(self._left())
        try:
            self._connection.sendall(content)
        except (ConnectionResetError, BrokenPipeError) as error:
            raise NoSshError("对方中断了连接") from error

    def read(self, count: int) -> bytes:
        content = b""
        while len(content) < count:
            self._connection.settimeout(self._left())
            try:
                more = self._connection.recv(count - len(content))
            except ConnectionResetError:  # it hung up with something of ours unread
                more = b""
            if not more:
                raise NoSshError("对方中断了连接")
            content += more
        return content

    def _left(self) -> float:
        left = self._ends - time.monotonic()
        if left <= 0:
            raise TimeoutError("no answer in time")
        return left


def _version_line(peer: _Peer) -> str:
    """The line that begins with SSH-; a server may send others before it (RFC 4253 §4.2)."""
    for before in range(_MOST_LINES_BEFORE_VERSION):
        line = b""
        while not line.endswith(b"\n"):
            try:
                line += peer.read(1)
            except NoSshError as error:
                said_something = before or (line and not b"SSH-".startswith(line[:4]))
                raise NoSshError(str(error), other=bool(said_something)) from error
            if len(line) > _MOST_LINE_BYTES:
                raise NoSshError("应答不是 SSH", other=True)
        if line.startswith(b"SSH-"):
            return "".join(c for c in line.decode("ascii", "replace").strip()[:255] if c.isprintable())
    raise NoSshError("应答不是 SSH", other=True)


def _packet(peer: _Peer) -> bytes:
    """The payload of one packet in the clear (RFC 4253 §6)."""
    length, padding = struct.unpack(">IB", peer.read(5))
    if not 2 <= length <= _MOST_PACKET_BYTES or padding + 1 > length:
        raise NoSshError("SSH 报文长度不对")
    return peer.read(length - 1)[: length - 1 - padding]


def _kexinit(version: str, payload: bytes) -> Offer:
    """Decode SSH_MSG_KEXINIT (RFC 4253 §7.1): type, cookie of 16 bytes, ten name-lists; the languages are
    not read."""
    if len(payload) < 17 or payload[0] != _KEXINIT:
        raise NoSshError("SSH 服务没有先说明它支持的算法")
    lists: list[list[str]] = []
    at = 17
    for _ in range(8):
        if at + 4 > len(payload):
            raise NoSshError("SSH 报文不完整")
        (size,) = struct.unpack_from(">I", payload, at)
        names = payload[at + 4 : at + 4 + size]
        if len(names) != size:
            raise NoSshError("SSH 报文不完整")
        lists.append(
            [name for name in names.decode("ascii", "replace").split(",") if name.isprintable() and name]
        )
        at += 4 + size
    extensions = ("ext-info-", "kex-strict-")
    return Offer(
        version=version,
        key_exchanges=[name for name in lists[0] if not name.startswith(extensions)],
        host_keys=lists[1],
        ciphers=list(dict.fromkeys(lists[2] + lists[3])),
        macs=list(dict.fromkeys(lists[4] + lists[5])),
        compressions=list(dict.fromkeys(lists[6] + lists[7])),
        strict="kex-strict-s-v00@openssh.com" in lists[0],
    )


def _some(names: list[str]) -> str:
    return ", ".join(names[:12]) or "无"
