"""SNMP devices: one source is a list of devices that share credentials.

A collection's scope is the target as configured, for both kinds. So a device that does not answer has a
failed collection of its own, its earlier rows stay, and nothing is concluded about the others.
"""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from datetime import datetime
from pathlib import Path
from typing import ClassVar, Literal, TypeVar

import msgspec

from collectors import contract
from collectors.contract import DeadlineError, Run, Source, SourceError
from collectors.recordings import Header, write_whole
from collectors.snmp import mapping, outcome, recorder, tables
from collectors.snmp.engines import (
    AgentError,
    Authentication,
    AuthenticationError,
    Credentials,
    Engine,
    EngineName,
    NoAnswerError,
    Privacy,
    open_engine,
    split_target,
)
from collectors.snmp.reading import Answers, read
from collectors.snmp.recorder import Known, Marks
from collectors.snmp.recording import Recording, ReplayEngine, find, stems
from collectors.snmp.walker import Limits, Walker
from inventory.coverage import Batch, Status
from inventory.unknown import UNKNOWN

log = logging.getLogger("zhengguan.collectors.snmp")
T = TypeVar("T")

KINDS = ("device", "interface")
PERMISSIONS = """\
只读的 SNMP 视图即可，不需要写权限，也不需要任何写团体字。视图里放开：
  1.3.6.1.2.1.1        system：名称、型号、运行时间
  1.3.6.1.2.1.2        interfaces：ifTable
  1.3.6.1.2.1.31       ifXTable：接口名、别名、速率
  1.3.6.1.2.1.4        ip：ipAddressTable、ipAddrTable
  1.3.6.1.2.1.55       ipv6MIB：旧设备的 IPv6 地址
  1.3.6.1.2.1.47       entityMIB：机箱型号、序列号、软件版本
  1.3.6.1.2.1.6        tcp：监听端口（是否开着 Telnet）
建议用 SNMPv3 authPriv（SHA256 + AES128 或更强），并用访问控制列表只允许采集机的地址。
看不到的一律记为未知，不会当作没有。"""

_DEFAULT_COMMUNITIES = ("public", "private")
_SILENT_REMEDY = "检查设备是否开机、地址和端口、团体字或加密口令、设备上的 SNMP 访问控制列表"
_LATE_SECONDS = 0.5  # a device that ends just at the deadline is still taken


class Options(contract.Options, kw_only=True):
    """``targets``: "host", "host:port" or "[v6]:port". With ``recording`` (a folder of .snmprec or
    .snmprec.gz files, or one file) they are names of files without the ending, and none given means all
    files; a target without a file has not answered. Times in seconds."""

    PATHS: ClassVar[tuple[str, ...]] = ("recording",)

    targets: list[str] = msgspec.field(default_factory=list)
    version: Literal["v2c", "v3"] = "v2c"
    community_ref: str = ""
    user: str = ""
    authentication: Authentication = "none"
    authentication_ref: str = ""
    privacy: Privacy = "none"
    privacy_ref: str = ""
    engine: EngineName = "auto"
    recording: str = ""
    timeout_seconds: float = 2.0
    retries: int = 2
    concurrency: int = 16
    max_repetitions: int = 25
    device_seconds: float = 60.0
    table_seconds: float = 30.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.recording:
            if not self.targets:
                raise ValueError("targets 是空的：至少写一台设备的地址")
            for target in self.targets:
                split_target(target)
        if len(set(self.targets)) != len(self.targets):
            raise ValueError("targets 里有重复的设备")
        if self.recording and any("/" in target or target.startswith(".") for target in self.targets):
            raise ValueError("使用录制时 targets 写文件名（不带目录和后缀）")
        for name in ("timeout_seconds", "concurrency", "max_repetitions", "device_seconds", "table_seconds"):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name} 要大于 0")
        if self.retries < 0:
            raise ValueError("retries 不能小于 0")
        self._check_credentials()

    def _check_credentials(self) -> None:
        if self.privacy != "none" and self.authentication == "none":
            raise ValueError("SNMPv3 加密（privacy）需要先有认证（authentication）")
        if self.recording:
            return
        if self.version == "v2c" and not self.community_ref:
            raise ValueError("v2c 需要 community_ref")
        if self.version == "v3":
            if not self.user:
                raise ValueError("v3 需要 user")
            if (self.authentication != "none") != bool(self.authentication_ref):
                raise ValueError("authentication（例如 SHA256）和 authentication_ref 要一起写")
            if (self.privacy != "none") != bool(self.privacy_ref):
                raise ValueError("privacy（例如 AES128）和 privacy_ref 要一起写")


def collect(source: Source, run: Run) -> Iterator[Batch]:
    """Read all targets side by side; a batch per device, with collections of the device's own scope."""
    yield from _collect(source, run, keep=lambda _target, _device: None)


def record(source: Source, run: Run, path: Path, note: str = "") -> list[Batch]:
    """Collect, and write a redacted recording of every device into the folder ``path``. A file of an
    earlier recording there is replaced, or refused where its device is none of these."""
    options: Options = source.options
    header = Header(
        format=recorder.FORMAT,
        source=source.name,
        recorded_at=run.now().isoformat(timespec="seconds"),
        note=note,
        options={
            "version": options.version,
            "authentication": options.authentication,
            "privacy": options.privacy,
        },
    )
    targets = _targets(options)
    if path.is_file() or (path.is_dir() and set(stems(path)) - set(targets)):
        raise SourceError(f"{path} 里已有别的内容", "SNMP 来源录成一个目录，每台设备一个文件：换一个新目录")

    def keep(target: str, device: _Device | SourceError) -> None:
        clean = run.redactor.text
        if isinstance(device, SourceError):
            content = recorder.failed(header, device, clean)
        else:
            content = recorder.written(header, device.known, device.answers, clean)
        write_whole(path / f"{target}.snmprec.gz", content)

    return list(_collect(source, run, keep=keep))


class _Device(msgspec.Struct, kw_only=True):
    """What one device answered."""

    started: datetime
    answers: Answers
    known: Known


def _collect(source: Source, run: Run, keep: Callable[[str, _Device | SourceError], None]) -> Iterator[Batch]:
    options: Options = source.options
    targets = _targets(options)
    if not targets:
        raise SourceError("录制目录里没有 .snmprec 文件", "检查 recording 的路径")
    started = run.now()
    try:
        credentials = _credentials(options, run)
    except SourceError as error:
        for target in targets:
            yield outcome.failed(run, target, started, error)
        return
    results = _side_by_side(
        targets, options.concurrency, run, lambda target: _read_one(target, options, credentials, run)
    )
    for done, (target, result) in enumerate(results, start=1):
        run.progress("读取设备", done, len(targets))
        if isinstance(result, BaseException):
            problem = _source_error(result)
            keep(target, problem)
            yield outcome.failed(run, target, started, problem)
        else:
            keep(target, result)
            yield _batch(target, result, options, run)


def probe(source: Source, run: Run) -> Iterator[contract.Access]:
    """Ask each target for its system group."""
    options: Options = source.options
    targets = _targets(options)
    credentials = _credentials(options, run)

    def ask(target: str) -> contract.Access:
        with _Opened(target, options, credentials) as opened:
            scalars = Walker(opened.engine, run, _limits(options)).get(tables.SCALARS)
        description = mapping.text_of(scalars.get(tables.SYS_DESCR)) or ""
        if scalars:
            detail = run.redactor.text(description)[:80]
            return contract.Access(subject=target, ok=True, detail=detail or "有应答，sysDescr 为空")
        return contract.Access(
            subject=target, ok=False, detail="有应答，但看不到系统组", remedy=outcome.VIEW_REMEDY
        )

    for target, result in _side_by_side(targets, options.concurrency, run, ask):
        if isinstance(result, contract.Access):
            yield result
        else:
            error = _source_error(result)
            yield contract.Access(
                subject=target, ok=False, detail=run.redactor.text(error.reason), remedy=error.remedy
            )


def _targets(options: Options) -> list[str]:
    if options.targets or not options.recording:
        return options.targets
    try:
        return stems(Path(options.recording))
    except OSError as error:
        raise SourceError(f"录制目录读不出：{error.__class__.__name__}", "检查 recording 的路径") from error


def _credentials(options: Options, run: Run) -> Credentials:
    def secret(reference: str) -> str:
        return run.secret(reference) if reference else ""

    return Credentials(
        version=options.version,
        community=secret(options.community_ref),
        user=options.user,
        authentication=options.authentication,
        authentication_key=secret(options.authentication_ref),
        privacy=options.privacy,
        privacy_key=secret(options.privacy_ref),
    )


def _limits(options: Options) -> Limits:
    return Limits(
        timeout_seconds=options.timeout_seconds,
        attempts=options.retries + 1,
        max_repetitions=options.max_repetitions,
        device_seconds=options.device_seconds,
        table_seconds=options.table_seconds,
    )


def _side_by_side(
    targets: list[str], concurrency: int, run: Run, work: Callable[[str], T]
) -> Iterator[tuple[str, T | BaseException]]:
    """Results, or the exceptions they ended with, in the order they come. At the deadline the rest is
    given up (each worker stops by itself at the same deadline)."""
    pool = ThreadPoolExecutor(min(concurrency, len(targets)), thread_name_prefix=f"snmp-{run.source.name}")
    try:
        pending: dict[Future[T], str] = {pool.submit(work, target): target for target in targets}
        while pending:
            finished, _ = wait(pending, timeout=_left(run) + _LATE_SECONDS, return_when=FIRST_COMPLETED)
            for future in finished:
                error = future.exception()
                yield pending.pop(future), future.result() if error is None else error
            if not finished:
                break
        for target in pending.values():
            yield target, DeadlineError(run.source.deadline_seconds)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _left(run: Run) -> float:
    try:
        return run.remaining()
    except DeadlineError:
        return 0.0


class _Opened:
    """A target's engine, closed at the end of the ``with`` block."""

    def __init__(self, target: str, options: Options, credentials: Credentials) -> None:
        self.engine: Engine
        v2c = credentials.version == "v2c" and credentials.community
        default = credentials.community in _DEFAULT_COMMUNITIES if v2c else None
        if options.recording:
            path = find(Path(options.recording), target)
            if path is None:
                raise SourceError("没有应答", "这台设备没有录制：检查 recording 目录和 targets 里的名字")
            recording = Recording.load(path)
            self.marks = recording.marks
            if self.marks.known.default_community is None:
                self.marks.known.default_community = default
            if failure := recording.marks.failure:
                raise SourceError(failure.reason, failure.remedy, failure.status)
            self.engine = ReplayEngine(recording)
            return
        host, port = split_target(target)
        address = _resolve(host, port)
        self.marks = Marks(known=Known(address=address, default_community=default))
        self.engine = open_engine(address, port, credentials, options.engine)

    def __enter__(self) -> _Opened:
        return self

    def __exit__(self, *_: object) -> None:
        self.engine.close()


def _resolve(host: str, port: int) -> str:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)
    except (OSError, UnicodeError) as error:
        raise SourceError(f"域名 {host} 解析不出", "检查名字和 DNS") from error
    return str(found[0][4][0])


def _read_one(target: str, options: Options, credentials: Credentials, run: Run) -> _Device:
    started: datetime = run.now()
    run.remaining()
    with _Opened(target, options, credentials) as opened:
        answers: Answers = read(Walker(opened.engine, run, _limits(options)))
    opened.marks.apply(answers)
    return _Device(started=started, answers=answers, known=opened.marks.known)


def _batch(target: str, device: _Device, options: Options, run: Run) -> Batch:
    v2c = options.version == "v2c"
    known = device.known
    access = mapping.Access(
        version=options.version,
        authentication=None if v2c or options.authentication == "none" else options.authentication,
        privacy=None if v2c or options.privacy == "none" else options.privacy,
        default_community=UNKNOWN if known.default_community is None else known.default_community,
        address=UNKNOWN if known.address is None else known.address,
    )
    name, labels, clean = run.source.name, run.source.labels, run.redactor.text
    resource = mapping.device_of(name, target, labels, access, device.answers, clean=clean)
    interfaces = mapping.interfaces_of(name, target, labels, device.answers, clean=clean)
    return outcome.batch(
        run, target, device.started, answers=device.answers, device=resource, interfaces=interfaces
    )


def _source_error(error: BaseException) -> SourceError:
    """What a device's exception means to the user."""
    if isinstance(error, SourceError):
        return error
    if isinstance(error, NoAnswerError):
        return SourceError(str(error), _SILENT_REMEDY)
    if isinstance(error, AuthenticationError):
        return SourceError(
            f"设备拒绝了我们：{error}",
            "检查 SNMPv3 用户名、认证口令和算法、安全级别，以及设备上的视图",
            Status.DENIED,
        )
    if isinstance(error, AgentError):
        return SourceError(str(error), "换 engine: pysnmp 再试；仍不行则是设备代理的缺陷")
    log.debug("device", exc_info=error)
    return SourceError(
        f"采集器内部错误：{error.__class__.__name__}: {error}", "用 --debug 重试并把日志交给开发者"
    )
