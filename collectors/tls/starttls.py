"""The dialogues that come before TLS in protocols that start in the clear.

RFC 3207 (SMTP), RFC 3501 (IMAP), RFC 4511 (LDAP), PostgreSQL's SSLRequest, MySQL's SSLRequest, and the RDP
negotiation of X.224. Each stops where the client may send its ClientHello.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final, Literal, Protocol

Starttls = Literal["", "smtp", "imap", "ldap", "postgres", "mysql", "rdp"]

_LONGEST_LINES = 16 * 1024


class NoTlsError(Exception):
    """The peer does not speak the protocol, or has no TLS to start; the text says which (中文)."""

    def __init__(self, text: str, offered: bool | None = None) -> None:
        super().__init__(text)
        self.offered = offered  # False = the protocol was spoken, and TLS is not offered


class Stream(Protocol):
    """An open connection within its deadline."""

    async def send(self, data: bytes) -> None:
        """Send all of it."""
        ...

    async def receive(self) -> bytes:
        """The next bytes; b"" at the end."""
        ...


async def _until(stream: Stream, enough: Callable[[bytes], bool]) -> bytes:
    data = b""
    while not enough(data):
        piece = await stream.receive()
        if not piece or len(data) > _LONGEST_LINES:
            raise NoTlsError("明文阶段没有得到完整的应答")
        data += piece
    return data


def _replied(data: bytes) -> bool:
    """Whether a reply of SMTP has come to its last line."""
    lines = data.split(b"\r\n")
    return len(lines) > 1 and any(line[:3].isdigit() and line[3:4] != b"-" for line in lines[:-1])


async def _smtp(stream: Stream) -> None:
    if not (await _until(stream, _replied)).startswith(b"220"):
        raise NoTlsError("不是 SMTP 服务")
    await stream.send(b"EHLO zhengguan.invalid\r\n")
    offers = (await _until(stream, _replied)).upper()
    if b"STARTTLS" not in offers:
        raise NoTlsError("SMTP 服务没有提供 STARTTLS", offered=False)
    await stream.send(b"STARTTLS\r\n")
    if not (await _until(stream, _replied)).startswith(b"220"):
        raise NoTlsError("SMTP 服务拒绝了 STARTTLS", offered=False)


async def _imap(stream: Stream) -> None:
    if not (await _until(stream, lambda data: b"\r\n" in data)).startswith(b"* "):
        raise NoTlsError("不是 IMAP 服务")
    await stream.send(b"a STARTTLS\r\n")
    answer = await _until(stream, lambda data: any(x.startswith(b"a ") for x in data.split(b"\r\n")[:-1]))
    if b"a OK" not in answer:
        raise NoTlsError("IMAP 服务没有提供 STARTTLS", offered=False)


async def _ldap(stream: Stream) -> None:
    oid = b"1.3.6.1.4.1.1466.20037"
    request = b"\x77" + bytes([len(oid) + 2]) + b"\x80" + bytes([len(oid)]) + oid
    await stream.send(b"\x30" + bytes([len(request) + 3]) + b"\x02\x01\x01" + request)
    answer = await _until(stream, lambda data: len(data) >= 2 and len(data) >= _ber_length(data))
    at = answer.find(b"\x02\x01\x01\x78")
    if answer[:1] != b"\x30" or at < 0:
        raise NoTlsError("不是 LDAP 服务")
    if b"\x0a\x01\x00" not in answer[at:]:
        raise NoTlsError("LDAP 服务没有提供 StartTLS", offered=False)


def _ber_length(data: bytes) -> int:
    first = data[1]
    if first < 0x80:
        return 2 + first
    size = first & 0x7F
    return 2 + size + int.from_bytes(data[2 : 2 + size], "big") if len(data) >= 2 + size else 2 + size


async def _postgres(stream: Stream) -> None:
    await stream.send(bytes.fromhex("0000000804d2162f"))
    answer = await _until(stream, lambda data: len(data) >= 1)
    if answer[:1] == b"N":
        raise NoTlsError("PostgreSQL 没有启用 SSL", offered=False)
    if answer[:1] != b"S":
        raise NoTlsError("不是 PostgreSQL 服务")


async def _mysql(stream: Stream) -> None:
    def whole(data: bytes) -> bool:
        return len(data) >= 4 and len(data) >= 4 + int.from_bytes(data[:3], "little")

    packet = (await _until(stream, whole))[4:]
    version = packet.find(b"\0", 1)
    low = version + 1 + 4 + 8 + 1  # thread id, first part of the salt, filler
    if packet[:1] != b"\x0a" or version < 0 or len(packet) < low + 2:
        raise NoTlsError("不是 MySQL 服务")
    if not int.from_bytes(packet[low : low + 2], "little") & 0x0800:
        raise NoTlsError("MySQL 没有启用 SSL", offered=False)
    body = (0x000AA200 | 0x0800).to_bytes(4, "little") + (1 << 24).to_bytes(4, "little") + b"\x21" + bytes(23)
    await stream.send(len(body).to_bytes(3, "little") + b"\1" + body)


async def _rdp(stream: Stream) -> None:
    # TPKT, X.224 connection request, RDP_NEG_REQ for TLS and CredSSP ([MS-RDPBCGR] 2.2.1.1)
    await stream.send(bytes.fromhex("030000130ee000000000000100080003000000"))

    def whole(data: bytes) -> bool:
        return len(data) >= 4 and len(data) >= int.from_bytes(data[2:4], "big")

    answer = await _until(stream, whole)
    if answer[:2] != b"\3\0" or len(answer) < 11 or answer[5] != 0xD0:
        raise NoTlsError("不是 RDP 服务")
    if len(answer) < 19 or answer[11] != 2 or not int.from_bytes(answer[15:19], "little") & 3:
        raise NoTlsError("RDP 服务没有启用 TLS", offered=False)


_DIALOGUES: Final[dict[str, Callable[[Stream], Awaitable[None]]]] = {
    "smtp": _smtp,
    "imap": _imap,
    "ldap": _ldap,
    "postgres": _postgres,
    "mysql": _mysql,
    "rdp": _rdp,
}


async def start(protocol: Starttls, stream: Stream) -> None:
    """Hold the dialogue of a protocol. Raises NoTlsError where it leads to no TLS."""
    if protocol:
        await _DIALOGUES[protocol](stream)
