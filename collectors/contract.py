"""What every collector is: a source in; batches of resources, coverage and evidence out.

A collector is a module (or package) with ``Options``, ``KINDS``, ``PERMISSIONS``, ``collect`` and
``probe``; ``REGISTRY`` names it in one line. In each the same three steps: a client does I/O and nothing
else, mapping functions turn bytes into resources, ``collect`` puts both together. A collector never judges.

Errors are values: what could not be read becomes a ``Collection`` that says so. ``SourceError`` is for
what ends the whole source (unreachable, wrong password); the runner turns it into failed collections.
"""

from __future__ import annotations

import copy
import os
import random
import threading
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, TypeVar

import msgspec

from collectors.redact import Redactor
from inventory.coverage import Batch, Collection, Status
from inventory.evidence import Evidence

if TYPE_CHECKING:
    from collectors.changes import Past
    from collectors.things import Thing

T = TypeVar("T")

IMPORTING = threading.Lock()
"""Held while a collector imports a library. Sources are read in threads, and packages that need each other in
circles (as requests does) are half made to a second thread that comes in by another door: the import fails,
and with it a source of which nothing is wrong."""


class SourceError(Exception):
    """A source could not be read. ``reason`` and ``remedy`` are for the user (中文), without secrets."""

    def __init__(self, reason: str, remedy: str = "", status: Status = Status.FAILED) -> None:
        super().__init__(reason)
        self.reason = reason
        self.remedy = remedy
        self.status = status


class DeadlineError(SourceError):
    """The source's deadline has passed."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"超过时限 {seconds:g} 秒", "检查网络，或调大该来源的 deadline_seconds")


class SecretError(SourceError):
    """A secret's reference leads nowhere."""


class Source(msgspec.Struct, kw_only=True):
    """Something configured to be read. ``options`` is the collector's own ``Options``."""

    name: str
    type: str
    labels: dict[str, str] = msgspec.field(default_factory=dict)
    options: Any = None
    deadline_seconds: float = 300.0


class Options(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Base of a collector's options. Fields whose name ends in ``_ref`` are references to secrets:
    ``env:NAME`` or ``file:/path`` (first line)."""

    SECRETS: ClassVar[str] = "_ref"
    PATHS: ClassVar[tuple[str, ...]] = ()  # fields of a path or a list of them, relative to the configuration

    def __post_init__(self) -> None:
        for name in self.__struct_fields__:
            value = getattr(self, name)
            if name.endswith(self.SECRETS) and value and not value.startswith(("env:", "file:")):
                raise ValueError(f"{name} 要写引用（env:变量名 或 file:/路径），不能写密钥本身")


class Access(msgspec.Struct, kw_only=True):
    """One line of ``doctor``: what was tried, whether it worked, and what to do if not."""

    subject: str
    ok: bool | None  # None = cannot be told
    detail: str = ""
    remedy: str = ""


class Progress(msgspec.Struct, kw_only=True):
    """``done`` of ``total`` steps (0 = not known) of what the source is doing."""

    source: str
    what: str
    done: int = 0
    total: int = 0


def utc_now() -> datetime:
    """The one clock for times of day; whole microseconds, UTC."""
    return datetime.now(UTC)


class Run:
    """One attempt at one source: its deadline, clock, secrets, redactor and progress.

    Everything a collector needs of the outside world besides its client comes from here, so a test can
    pass in time and secrets.
    """

    def __init__(
        self,
        source: Source,
        *,
        now: Callable[[], datetime] = utc_now,
        monotonic: Callable[[], float] = time.monotonic,
        progress: Callable[[Progress], None] = lambda _: None,
        environ: Mapping[str, str] = os.environ,
        things: Callable[[], Iterable[Thing]] = tuple,
        past: Callable[[Source], Past | None] = lambda _: None,
    ) -> None:
        self.source = source
        self.now = now
        self.things = things  # what other sources have seen, for a collector that is read ``last``
        self.past = past  # what changed there since it was read; None = nobody keeps that
        self.redactor = Redactor()
        self._monotonic = monotonic
        self._progress = progress
        self._environ = environ
        self._ends = monotonic() + source.deadline_seconds

    def remaining(self) -> float:
        """Seconds left; raises DeadlineError when none are."""
        left = self._ends - self._monotonic()
        if left <= 0:
            raise DeadlineError(self.source.deadline_seconds)
        return left

    def within(self, seconds: float) -> Run:
        """The same run for a part of the source: with a deadline of its own, where that is nearer."""
        part = copy.copy(self)
        part._ends = min(self._ends, self._monotonic() + seconds)
        part.source = msgspec.structs.replace(self.source, deadline_seconds=seconds)
        return part

    def overdue(self, grace_seconds: float) -> bool:
        """Whether the deadline has passed by more than this."""
        return self._monotonic() > self._ends + grace_seconds

    def timeout(self, at_most: float) -> float:
        """A time-out for one call: ``at_most`` seconds, or less where the deadline is nearer."""
        return min(at_most, self.remaining())

    def progress(self, what: str, done: int = 0, total: int = 0) -> None:
        """Tell the user how far this source has got."""
        self._progress(Progress(source=self.source.name, what=what, done=done, total=total))

    def secret(self, reference: str) -> str:
        """Resolve a reference; from then on the redactor masks the value wherever it turns up."""
        value = _resolve(reference, self._environ)
        self.redactor.learn(value)
        return value

    def evidence(
        self, content: bytes, *, origin: str, media_type: str = "application/json", mapped: bool = False
    ) -> Evidence:
        """Redact bytes and address them: the only way from an answer to stored evidence. ``mapped`` says
        that they are encoded resources, whose free text was cleaned when they were made."""
        cleaned = (
            self.redactor.values(content.decode()).encode()
            if mapped
            else self.redactor.clean(content, media_type)
        )
        return Evidence.of(
            cleaned,
            source=self.source.name,
            origin=self.redactor.text(origin),
            media_type=media_type,
            captured_at=self.now(),
        )

    def collection(
        self,
        kind: str,
        status: Status,
        started_at: datetime,
        *,
        count: int = 0,
        scope: str = "",
        reason: str = "",
        remedy: str = "",
        evidence: list[str] | None = None,
    ) -> Collection:
        """How the attempt at one kind ended, now."""
        return Collection(
            source=self.source.name,
            kind=kind,
            status=status,
            started_at=started_at,
            ended_at=self.now(),
            scope=scope,
            count=count,
            reason=self.redactor.text(reason),
            remedy=remedy,
            evidence=evidence or [],
        )


def _resolve(reference: str, environ: Mapping[str, str]) -> str:
    scheme, _, rest = reference.partition(":")
    if scheme == "env":
        if not environ.get(rest):
            raise SecretError(f"环境变量 {rest} 没有设置，或是空的", f"先设置：export {rest}=…")
        return environ[rest]
    if scheme == "file":
        try:
            lines = Path(rest).expanduser().read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise SecretError(
                f"密钥文件 {rest} 读不出：{error.__class__.__name__}", "检查路径和权限"
            ) from error
        if not lines or not lines[0]:
            raise SecretError(f"密钥文件 {rest} 的第一行是空的", "把密钥写在第一行")
        return lines[0]
    # The reference is not repeated: it may be a secret written in the wrong place.
    raise SecretError("不认识的密钥引用", "写成 env:变量名 或 file:/路径")


class RetryableError(Exception):
    """A call failed in a way that may pass; ``after_seconds`` is what the peer asked for."""

    def __init__(self, reason: str, after_seconds: float = 0.0) -> None:
        super().__init__(reason)
        self.after_seconds = after_seconds


def retry(
    call: Callable[[], T],
    run: Run,
    *,
    attempts: int = 3,
    base_seconds: float = 0.5,
    sleep: Callable[[float], None] = time.sleep,
    jitter: Callable[[], float] = random.random,
) -> T:
    """The one retry policy: ``attempts`` tries, exponential backoff with jitter, never past the deadline.
    Re-raises the last RetryableError."""
    for attempt in range(1, attempts + 1):
        run.remaining()
        try:
            return call()
        except RetryableError as error:
            sleep(_pause(error, attempt, attempts, base_seconds * (0.5 + jitter() / 2), run))
    raise AssertionError("attempts must be at least 1")


async def retry_awaited(
    call: Callable[[], Awaitable[T]],
    run: Run,
    *,
    attempts: int,
    base_seconds: float,
    sleep: Callable[[float], Awaitable[None]],
    jitter: Callable[[], float] = random.random,
) -> T:
    """The same policy for a call that is awaited."""
    for attempt in range(1, attempts + 1):
        run.remaining()
        try:
            return await call()
        except RetryableError as error:
            await sleep(_pause(error, attempt, attempts, base_seconds * (0.5 + jitter() / 2), run))
    raise AssertionError("attempts must be at least 1")


def _pause(error: RetryableError, attempt: int, attempts: int, base_seconds: float, run: Run) -> float:
    """Seconds before the next attempt. Raises the error where there is none."""
    wait: float = max(error.after_seconds, base_seconds * 2 ** (attempt - 1))
    if attempt == attempts or wait >= run.remaining():
        raise error
    return wait


class Collector(Protocol):
    """The shape of a collector module."""

    Options: type[Options]
    KINDS: tuple[str, ...]  # every kind it can report on; each gets a collection at each run
    PERMISSIONS: str  # the least privilege it needs, in the words of the source's own system (中文)

    def collect(self, source: Source, run: Run) -> Iterator[Batch]:
        """Read the source. Raises SourceError where nothing can be read at all."""
        ...

    def record(self, source: Source, run: Run, path: Path, note: str = "") -> list[Batch]:
        """Collect, and write a redacted recording that ``collect`` serves to the same result by the option
        ``recording``. Raises as ``collect`` does, and OSError where it cannot be written."""
        ...

    def probe(self, source: Source, run: Run) -> Iterator[Access]:
        """Try reachability and permissions without collecting. Raises SourceError likewise."""
        ...


class Plugin(msgspec.Struct, kw_only=True, frozen=True):
    """One line of the registry: where the module is, and the extra that brings its SDK ("" = none).
    ``last``: read when the other sources of a run have been, because it maps onto what they saw."""

    module: str
    title: str
    extra: str = ""
    last: bool = False


REGISTRY: dict[str, Plugin] = {
    "certificates": Plugin(module="collectors.certificates", title="证书文件", extra="tls"),
    "cli": Plugin(module="collectors.cli", title="网络设备命令行", extra="cli"),
    "dns": Plugin(module="collectors.dns", title="域名解析", extra="dns"),
    "ike": Plugin(module="collectors.ike", title="IPsec 端点"),
    "kubernetes": Plugin(module="collectors.kubernetes", title="Kubernetes 集群", extra="kubernetes"),
    "linux": Plugin(module="collectors.linux", title="Linux 主机", extra="ssh"),
    "local": Plugin(module="collectors.host", title="本机"),
    "logs": Plugin(module="collectors.logs", title="日志平台", last=True),
    "openstack": Plugin(module="collectors.openstack", title="OpenStack 云", extra="openstack"),
    "prometheus": Plugin(module="collectors.prometheus", title="Prometheus 监控", last=True),
    "register": Plugin(module="collectors.register", title="台账", extra="answers", last=True),
    "snmp": Plugin(module="collectors.snmp", title="SNMP 设备", extra="snmp"),
    "ssh": Plugin(module="collectors.ssh", title="SSH 端点", extra="endpoints"),
    "tls": Plugin(module="collectors.tls", title="TLS 与国密端点", extra="tls"),
    "website": Plugin(module="collectors.website", title="网站（IPv4 与 IPv6）", extra="website"),
}


def collector(source_type: str) -> Collector:
    """The collector for a type of source; imports its module now. Raises KeyError for no such type."""
    module: Any = import_module(REGISTRY[source_type].module)
    return module  # type: ignore[no-any-return]
