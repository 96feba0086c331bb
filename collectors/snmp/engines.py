"""What the walker asks of an SNMP library, and which library answers.

An engine sends one request, waits as ``waiting`` says, and hands back one answer. It neither walks nor
retries: both libraries walk endlessly on an agent that goes backwards, and gufo-snmp shows tooBig as an
empty answer, so the walker does that itself. Values are plain Python: INTEGER, Counter, Gauge, TimeTicks →
int; OCTET STRING and Opaque → bytes; OBJECT IDENTIFIER and IpAddress → dotted str; NULL → None.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from typing import Literal, Protocol, TypeAlias

import msgspec

from collectors.contract import RetryableError, SourceError

Oid: TypeAlias = tuple[int, ...]
Value: TypeAlias = int | bytes | str | None
Varbind: TypeAlias = tuple[Oid, Value]

Version = Literal["v1", "v2c", "v3"]
Authentication = Literal["none", "MD5", "SHA1", "SHA224", "SHA256", "SHA384", "SHA512"]
Privacy = Literal["none", "DES", "3DES", "AES128", "AES192", "AES256", "AES192C", "AES256C"]
"""Privacy of RFC 3414 and RFC 3826; the 192 and 256 bit forms extend keys as Blumenthal's draft does,
with a C as Reeder's draft and Cisco do."""
EngineName = Literal["auto", "gufo", "pysnmp"]


OUT_OF_TIME = "认证失败：设备的引擎时间不对，总说报文不在时间窗内（RFC 3414 §3.2）"


class NoAnswerError(RetryableError):
    """Nothing came back in time: packet lost, agent gone, port closed, or v2c community wrong."""


class ClosedPortError(NoAnswerError):
    """The host itself said that nobody listens (ICMP port unreachable)."""


class TooBigError(Exception):
    """The agent cannot fit the answer (tooBig, RFC 3416 §4.2.3)."""


class AuthenticationError(Exception):
    """The agent refused user, keys, level or view."""


class AgentError(Exception):
    """The agent answered with an error status, or with bytes that are no SNMP."""


class Credentials(msgspec.Struct, kw_only=True, frozen=True):
    """How to speak to an agent. Holds secrets: never printed, never stored."""

    version: Version
    community: str = ""
    user: str = ""
    authentication: Authentication = "none"
    authentication_key: str = ""
    privacy: Privacy = "none"
    privacy_key: str = ""

    def __repr__(self) -> str:
        return f"<Credentials {self.version}>"


class Engine(Protocol):
    """One conversation with one agent. ``timeout`` is in seconds and bounds the one request."""

    async def get(self, oids: Sequence[Oid], timeout: float) -> dict[Oid, Value]:
        """Values of instances; those the agent does not have (noSuchObject, noSuchInstance) are absent."""
        ...

    async def get_next(self, oid: Oid, timeout: float) -> Varbind | None:
        """The next instance; None at the end of the MIB view."""
        ...

    async def get_bulk(self, oid: Oid, max_repetitions: int, timeout: float) -> list[Varbind]:
        """The next instances in the order they came, cut before the end of the MIB view. Empty does not
        mean the end: a library may hide an error so."""
        ...

    def close(self) -> None:
        """Let go of the socket."""
        ...


def oid_of(dotted: str) -> Oid:
    """From "1.3.6.1" (a leading dot is allowed). Raises ValueError."""
    return tuple(map(int, dotted.strip(".").split(".")))


def dotted_of(oid: Oid) -> str:
    """The usual notation."""
    return ".".join(map(str, oid))


def split_target(target: str) -> tuple[str, int]:
    """Host and port of "host", "host:port", "[v6]:port" or a bare IPv6 address. Raises ValueError."""
    host, port = target.strip(), "161"
    if host.startswith("["):
        host, bracket, rest = host[1:].partition("]")
        if not bracket or (rest and not rest.startswith(":")):
            raise ValueError(f"{target!r} 不是 主机 或 主机:端口")
        port = rest[1:] or port
    elif host.count(":") == 1:
        host, _, port = host.partition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 65536:
        raise ValueError(f"{target!r} 不是 主机 或 主机:端口")
    return host, int(port)


def choose(wanted: EngineName, credentials: Credentials) -> Literal["gufo", "pysnmp"]:
    """The library to use: gufo-snmp where it is installed and knows the algorithms, else pysnmp.
    Raises SourceError where none fits."""
    fits_gufo = credentials.privacy != "3DES"
    if wanted != "pysnmp" and fits_gufo and _installed("gufo.snmp"):
        return "gufo"
    if wanted != "gufo" and _installed("pysnmp"):
        return "pysnmp"
    if not fits_gufo:
        raise SourceError("3DES 需要 pysnmp", "安装：pip install 'zhengguan[snmp]'，并把 engine 写成 auto")
    raise SourceError("没有安装 SNMP 库", "安装：pip install 'zhengguan[snmp]'")


def open_engine(address: str, port: int, credentials: Credentials, wanted: EngineName = "auto") -> Engine:
    """A conversation with the agent at an IP address; nothing is sent yet. Raises SourceError."""
    if choose(wanted, credentials) == "gufo":
        from collectors.snmp.engine_gufo import GufoEngine

        return GufoEngine(address, port, credentials)
    from collectors.snmp.engine_pysnmp import PysnmpEngine

    return PysnmpEngine(address, port, credentials)


def _installed(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        return False
