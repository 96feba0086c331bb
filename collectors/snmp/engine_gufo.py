"""The fast engine, on gufo-snmp (Rust).

gufo's own iterators cannot resume in the middle of a table with another max-repetitions. Its sockets can:
what is sent and what the answer is checked against are two ``GetIter``. So this engine speaks to the
sockets, and the version of gufo-snmp is pinned in pyproject.toml.

gufo turns every error status, and the end of the MIB view, into the same empty answer. Where that matters
(a GETNEXT that brought nothing) pysnmp is asked for a second opinion; without pysnmp it counts as an error,
because taking it for the end would make a short table look whole.
"""

from __future__ import annotations

import contextlib
import functools
import importlib.util
import os
import time
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, TypeVar

from collectors.contract import IMPORTING, SourceError
from collectors.snmp.engines import (
    AgentError,
    AuthenticationError,
    ClosedPortError,
    Credentials,
    Engine,
    NoAnswerError,
    Oid,
    Value,
    Varbind,
    dotted_of,
    oid_of,
)
from collectors.snmp.waiting import alone, elsewhere, readable

T = TypeVar("T")

_TREES = ("1.3", "1.0")  # answers are checked against one of these: LLDP is under 1.0, all else under 1.3
_USUAL = 80  # characters; an agent that makes up longer names shall not fill the memory with them
_SYS_UPTIME = (1, 3, 6, 1, 2, 1, 1, 3, 0)
_RESYNC_SECONDS = 100.0  # half-life of the 150 s time window (RFC 3414 §3.2)
_NANOSECONDS = 1_000_000_000
_SOCKET_TIMEOUT_NS = 60 * _NANOSECONDS  # never reached: the socket does not block


class GufoEngine:
    """See ``Engine``."""

    def __init__(self, address: str, port: int, credentials: Credentials) -> None:
        with IMPORTING:
            from gufo.snmp import _fast

        self._fast = _fast
        self._where = (address, port)
        self._credentials = credentials
        self._bulk = credentials.version != "v1"
        host = f"[{address}]" if ":" in address else address
        try:
            self._socket = _open_socket(_fast, f"{host}:{port}", credentials)
        except (OSError, ValueError) as error:
            raise SourceError(f"不能打开到 {address} 的套接字：{error}", "检查地址和路由") from error
        self._descriptor: int = self._socket.get_fd()
        os.set_blocking(self._descriptor, False)
        self._bases = {tree: _fast.GetIter(tree) for tree in _TREES}
        self._keys_set = False
        self._synced_at: float | None = None
        self._second: Engine | None = None

    async def get(self, oids: Sequence[Oid], timeout: float) -> dict[Oid, Value]:
        names = [dotted_of(oid) for oid in oids]
        answer: dict[str, Any] = await self._ask(
            lambda: self._socket.send_get_many(names), self._socket.recv_get_many, timeout
        )
        if not answer and self._bulk:  # all absent, or an error status
            return await self._asked_again(lambda second: second.get(oids, timeout))
        if not answer:  # v1: one that is absent fails them all
            return await self._one_by_one(oids, timeout)
        return {_oid(name): value for name, value in answer.items()}

    async def get_next(self, oid: Oid, timeout: float) -> Varbind | None:
        asked = self._fast.GetIter(dotted_of(oid))
        for tree in self._trees(oid):
            base = self._bases[tree]
            with contextlib.suppress(StopAsyncIteration):
                name, value = await self._ask(
                    lambda: self._socket.send_get_next(asked),
                    lambda base=base: self._socket.recv_get_next(base),  # type: ignore[misc]
                    timeout,
                )
                return _oid(name), value
        return await self._asked_again(lambda second: second.get_next(oid, timeout))

    def _trees(self, oid: Oid) -> tuple[str, ...]:
        """Where the instance after this one may be; gufo hands over what is in one of them."""
        return _TREES[::-1] if oid[:2] == (1, 0) else _TREES[:1]

    async def _one_by_one(self, oids: Sequence[Oid], timeout: float) -> dict[Oid, Value]:
        if len(oids) == 1:
            return await self._asked_again(lambda second: second.get(oids, timeout))
        return {name: value for oid in oids for name, value in (await self.get([oid], timeout)).items()}

    async def get_bulk(self, oid: Oid, max_repetitions: int, timeout: float) -> list[Varbind]:
        if not self._bulk:
            row = await self.get_next(oid, timeout)
            return [] if row is None else [row]
        asked = self._fast.GetIter(dotted_of(oid), max_repetitions)
        for tree in self._trees(oid):
            base = self._bases[tree]
            try:
                rows = await self._ask(
                    lambda: self._socket.send_get_bulk(asked),
                    lambda base=base: self._socket.recv_get_bulk(base),  # type: ignore[misc]
                    timeout,
                )
            except StopAsyncIteration:
                return []
            found = [(_oid(row[0]), row[1]) for row in rows if row is not None]
            if found or not rows:
                return found
        return []

    def close(self) -> None:
        self._socket = None
        if self._second is not None:
            self._second.close()

    async def _ask(self, send: Callable[[], None], receive: Callable[[], T], timeout: float) -> T:
        ends = time.monotonic() + timeout
        await self._prepare(ends)
        try:
            return await self._exchange(send, receive, ends)
        except AuthenticationError:
            if self._synced_at is None:
                raise
        # Perhaps it has restarted: learn its boots and time again, once.
        self._synced_at = None
        await self._prepare(ends)
        try:
            return await self._exchange(send, receive, ends)
        except AuthenticationError as error:
            raise await self._why_refused(timeout) or error from None

    async def _why_refused(self, timeout: float) -> AuthenticationError | None:
        """gufo has one error for a wrong user, a wrong password and a wrong clock; pysnmp has three."""
        if importlib.util.find_spec("pysnmp") is None:
            return None
        try:
            with contextlib.suppress(NoAnswerError, AgentError):
                await self._asked_again(lambda second: second.get([_SYS_UPTIME], timeout))
        except AuthenticationError as error:
            return error
        return None

    async def _prepare(self, ends: float) -> None:
        """v3: learn the agent's engine id, then set the keys for it, then its boots and time."""
        if self._credentials.version != "v3":
            return
        exchange = (self._socket.send_refresh, self._socket.recv_refresh)
        if not self._keys_set:
            await self._exchange(*exchange, ends)
            user = _user(self._credentials)
            self._socket.set_keys(
                user.name, user.get_auth_alg(), user.get_auth_key(), user.get_priv_alg(), user.get_priv_key()
            )
            self._keys_set = True
        if self._credentials.authentication == "none":
            return
        now = time.monotonic()
        if self._synced_at is None or now - self._synced_at > _RESYNC_SECONDS:
            await self._exchange(*exchange, ends)
            self._synced_at = now

    async def _exchange(self, send: Callable[[], None], receive: Callable[[], T], ends: float) -> T:
        """Send, then wait for the answer to this very request: gufo drops late answers to earlier ones."""
        try:
            send()
            while True:
                left = ends - time.monotonic()
                if left <= 0 or not await readable(self._descriptor, left):
                    raise NoAnswerError("没有应答")
                try:
                    return receive()
                except BlockingIOError:
                    continue
        except TimeoutError as error:  # so it tells ICMP port unreachable
            raise ClosedPortError("端口没有开放") from error
        except self._fast.SnmpAuthError as error:
            raise AuthenticationError("认证失败") from error
        except self._fast.NoSuchInstance:
            raise StopAsyncIteration from None
        except (self._fast.SnmpDecodeError, self._fast.SnmpEncodeError, self._fast.SnmpError) as error:
            raise AgentError(f"应答不合协议（{error}）") from error
        except OSError as error:
            raise NoAnswerError(f"网络错误（{error.strerror or error}）") from error

    async def _asked_again(self, ask: Callable[[Engine], Coroutine[Any, Any, T]]) -> T:
        """What pysnmp, which blocks, says to the same question."""
        second = self._second_opinion()
        return await elsewhere(lambda: alone(ask(second)))

    def _second_opinion(self) -> Engine:
        if self._second is None:
            if importlib.util.find_spec("pysnmp") is None:
                raise AgentError("设备给了空应答；没有安装 pysnmp，分不清是表的末尾还是错误")
            from collectors.snmp.engine_pysnmp import PysnmpEngine

            self._second = PysnmpEngine(*self._where, self._credentials)
        return self._second


def _oid(name: str) -> Oid:
    return _cached(name) if len(name) <= _USUAL else oid_of(name)


@functools.lru_cache(maxsize=1 << 14)
def _cached(name: str) -> Oid:
    """An OID as numbers. Devices of one model name the same instances, and the rows of a table differ in
    their last number; parsing each anew costs more than the whole exchange that brought it."""
    before, _, last = name.rpartition(".")
    return (*_before(before), int(last))


_before = functools.lru_cache(maxsize=1 << 11)(oid_of)


def _open_socket(fast: Any, where: str, credentials: Credentials) -> Any:
    if credentials.version != "v3":
        kind = fast.SnmpV1ClientSocket if credentials.version == "v1" else fast.SnmpV2cClientSocket
        return kind(where, credentials.community, 0, 0, 0, _SOCKET_TIMEOUT_NS)
    return fast.SnmpV3ClientSocket(where, b"", "", 0, b"", 0, b"", 0, 0, 0, _SOCKET_TIMEOUT_NS)


def _user(credentials: Credentials) -> Any:
    with IMPORTING:
        from gufo.snmp import user as keys

    hashes = {
        "MD5": keys.Md5Key,
        "SHA1": keys.Sha1Key,
        "SHA224": keys.Sha224Key,
        "SHA256": keys.Sha256Key,
        "SHA384": keys.Sha384Key,
        "SHA512": keys.Sha512Key,
    }
    ciphers = {
        "DES": keys.DesKey,
        "AES128": keys.Aes128Key,
        "AES192": keys.Aes192Key,
        "AES256": keys.Aes256Key,
    }
    hashed = hashes.get(credentials.authentication)
    cipher = ciphers.get(credentials.privacy.removesuffix("C"))
    expansion = keys.KeyExpansion.Cisco if credentials.privacy.endswith("C") else keys.KeyExpansion.Blumenthal
    if hashed is None:
        return keys.User(credentials.user)
    master = keys.KeyType.Master
    auth_key = hashed(_master_key(hashed, credentials.authentication_key), master)
    if cipher is None:
        return keys.User(credentials.user, auth_key=auth_key)
    priv_key = cipher(_master_key(hashed, credentials.privacy_key), master)
    return keys.User(credentials.user, auth_key=auth_key, priv_key=priv_key, key_expansion=expansion)


@functools.lru_cache(maxsize=64)
def _master_key(hashed: Any, password: str) -> bytes:
    """Ku of RFC 3414 §A.2, a hash over a megabyte: the same for all devices that share the password."""
    return bytes(hashed.get_master_key(password.encode()))
