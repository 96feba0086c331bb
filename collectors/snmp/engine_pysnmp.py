"""The engine on pysnmp: every algorithm, every error told apart, and forty times the CPU.

Used where gufo-snmp is not installed or lacks the algorithm, and for a second opinion on empty answers.
pysnmp is asynchronous; an engine keeps a private loop and runs it for the one request, so it blocks: a device
read with it has a thread of its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from collectors.contract import IMPORTING
from collectors.snmp.engines import (
    OUT_OF_TIME,
    AgentError,
    AuthenticationError,
    Credentials,
    NoAnswerError,
    Oid,
    TooBigError,
    Value,
    Varbind,
    dotted_of,
)

_TOO_BIG, _NO_SUCH_NAME, _NO_ACCESS, _AUTHORIZATION = 1, 2, 6, 16
_DENIALS = (
    "UnknownUserName UnknownSecurityName WrongDigest AuthenticationFailure AuthenticationError "
    "UnsupportedSecurityLevel UnsupportedAuthProtocol UnsupportedPrivProtocol DecryptionError "
    "EncryptionError NoAuthentication NoEncryption NotInView NoSuchView NoAccessEntry "
    "NoGroupName ReportPduReceived"
).split()


class _NoSuchNameError(Exception):
    """v1 has no exceptions in values: one instance that is not there fails the whole request."""


class PysnmpEngine:
    """See ``Engine``."""

    def __init__(self, address: str, port: int, credentials: Credentials) -> None:
        with IMPORTING:
            import pysnmp.hlapi.v3arch.asyncio as api  # type: ignore[import-untyped]

        self._api: Any = api
        self._where = (address, port)
        self._loop = asyncio.new_event_loop()
        self._engine: Any = None
        self._transport: Any = None
        self._auth = _auth(api, credentials)
        self._bulk = credentials.version != "v1"

    async def get(self, oids: Sequence[Oid], timeout: float) -> dict[Oid, Value]:
        try:
            rows = self._ask(self._api.get_cmd, oids, timeout)
        except _NoSuchNameError:
            if len(oids) == 1:
                return {}
            return {name: value for oid in oids for name, value in (await self.get([oid], timeout)).items()}
        return {oid: value for oid, value, seen in rows if seen}

    async def get_next(self, oid: Oid, timeout: float) -> Varbind | None:
        try:
            rows = self._ask(self._api.next_cmd, [oid], timeout)
        except _NoSuchNameError:
            return None
        for name, value, seen in rows[:1]:
            return (name, value) if seen else None
        return None

    async def get_bulk(self, oid: Oid, max_repetitions: int, timeout: float) -> list[Varbind]:
        def command(engine: Any, auth: Any, transport: Any, context: Any, *binds: Any, **options: Any) -> Any:
            return self._api.bulk_cmd(engine, auth, transport, context, 0, max_repetitions, *binds, **options)

        if not self._bulk:
            row = await self.get_next(oid, timeout)
            return [] if row is None else [row]
        found: list[Varbind] = []
        for name, value, seen in self._ask(command, [oid], timeout):
            if not seen:
                break
            found.append((name, value))
        return found

    def close(self) -> None:
        if not self._loop.is_closed():
            if self._engine is not None:
                self._engine.close_dispatcher()
            self._loop.run_until_complete(asyncio.sleep(0))
            self._loop.close()

    def _ask(
        self, command: Callable[..., Coroutine[Any, Any, Any]], oids: Sequence[Oid], timeout: float
    ) -> list[tuple[Oid, Value, bool]]:
        indication, status, _, rows = self._loop.run_until_complete(self._send(command, oids, timeout))
        if indication is not None:
            raise _indicated(indication)
        if int(status) == _TOO_BIG:
            raise TooBigError("tooBig")
        if int(status) == _NO_SUCH_NAME and not self._bulk:
            raise _NoSuchNameError
        if int(status) in (_NO_ACCESS, _AUTHORIZATION):
            raise AuthenticationError("没有访问权限")
        if int(status):
            raise AgentError(f"设备返回错误 {status.prettyPrint()}")
        return [_plain(name, value) for name, value in rows]

    async def _send(
        self, command: Callable[..., Coroutine[Any, Any, Any]], oids: Sequence[Oid], timeout: float
    ) -> Any:
        api = self._api
        if self._transport is None:
            self._engine = api.SnmpEngine()
            kind = api.Udp6TransportTarget if ":" in self._where[0] else api.UdpTransportTarget
            self._transport = await kind.create(self._where, timeout=timeout, retries=0)
        self._transport.timeout = timeout
        binds = [api.ObjectType(api.ObjectIdentity(dotted_of(oid))) for oid in oids]
        sent = command(self._engine, self._auth, self._transport, api.ContextData(), *binds, lookupMib=False)
        try:
            # v3 discovery is a request of its own with its own time-out
            return await asyncio.wait_for(sent, timeout * 2)
        except TimeoutError as error:
            raise NoAnswerError("没有应答") from error
        except OSError as error:
            raise NoAnswerError(f"网络错误（{error.strerror or error}）") from error


def _indicated(indication: Any) -> Exception:
    name = type(indication).__name__
    if name == "NotInTimeWindow":
        return AuthenticationError(OUT_OF_TIME)
    if name in _DENIALS:
        return AuthenticationError("认证失败")
    if name == "TooBig":
        return TooBigError("tooBig")
    if name in ("RequestTimedOut", "EmptyResponse"):
        return NoAnswerError("没有应答")
    return AgentError(f"应答不合协议（{name}）")


def _auth(api: Any, credentials: Credentials) -> Any:
    if credentials.version != "v3":
        return api.CommunityData(credentials.community, mpModel=0 if credentials.version == "v1" else 1)
    hashes = {
        "none": api.USM_AUTH_NONE,
        "MD5": api.USM_AUTH_HMAC96_MD5,
        "SHA1": api.USM_AUTH_HMAC96_SHA,
        "SHA224": api.USM_AUTH_HMAC128_SHA224,
        "SHA256": api.USM_AUTH_HMAC192_SHA256,
        "SHA384": api.USM_AUTH_HMAC256_SHA384,
        "SHA512": api.USM_AUTH_HMAC384_SHA512,
    }
    ciphers = {
        "none": api.USM_PRIV_NONE,
        "DES": api.USM_PRIV_CBC56_DES,
        "3DES": api.USM_PRIV_CBC168_3DES,
        "AES128": api.USM_PRIV_CFB128_AES,
        "AES192": api.USM_PRIV_CFB192_AES_BLUMENTHAL,
        "AES256": api.USM_PRIV_CFB256_AES_BLUMENTHAL,
        "AES192C": api.USM_PRIV_CFB192_AES,
        "AES256C": api.USM_PRIV_CFB256_AES,
    }
    return api.UsmUserData(
        credentials.user,
        authKey=credentials.authentication_key or None,
        privKey=credentials.privacy_key or None,
        authProtocol=hashes[credentials.authentication],
        privProtocol=ciphers[credentials.privacy],
    )


def _plain(name: Any, value: Any) -> tuple[Oid, Value, bool]:
    """OID, value as ``Engine`` promises it, and whether there is one (no exception of RFC 3416 §3)."""
    oid = tuple(int(part) for part in tuple(name))
    kind = type(value).__name__
    if kind in ("NoSuchObject", "NoSuchInstance", "EndOfMibView"):
        return oid, None, False
    if kind == "Null":
        return oid, None, True
    if kind == "IpAddress":
        return oid, ".".join(map(str, bytes(value))), True
    if kind in ("ObjectIdentifier", "ObjectName"):
        return oid, dotted_of(tuple(int(part) for part in tuple(value))), True
    if hasattr(value, "asOctets"):
        return oid, bytes(value), True
    return oid, int(value), True
