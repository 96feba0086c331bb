"""SNMP devices: one source is a list of devices that share credentials.

A collection's scope is the target as configured, for both kinds. So a device that does not answer has a
failed collection of its own, its earlier rows stay, and nothing is concluded about the others.
"""

from __future__ import annotations

import functools
import socket
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from ipaddress import ip_address
from pathlib import Path

import msgspec

from collectors import contract
from collectors.contract import DeadlineError, Run, Source, SourceError
from collectors.recordings import Header, write_whole
from collectors.snmp import logins, mapping, outcome, recorder, tables
from collectors.snmp.engines import Credentials, split_target
from collectors.snmp.fleet import every
from collectors.snmp.heard import HEARD, heard_in
from collectors.snmp.options import Login, Options
from collectors.snmp.reading import Answers, read
from collectors.snmp.recorder import Known
from collectors.snmp.recording import Recording, ReplayEngine, find, stems
from collectors.snmp.texts import text_of
from collectors.snmp.waiting import elsewhere
from collectors.snmp.walker import Limits, Walker
from collectors.targets import failed, no_access, resolved, source_error
from inventory.coverage import Batch
from inventory.unknown import UNKNOWN

__all__ = ["KINDS", "PERMISSIONS", "Login", "Options", "collect", "probe", "record"]

KINDS = ("device", "interface")
PERMISSIONS = """\
只读的 SNMP 视图即可，不需要写权限，也不需要任何写团体字。视图里放开：
  1.3.6.1.2.1          mib-2：系统组、接口、地址、邻居、路由、VLAN、机箱、传感器、不间断电源、监听端口
  1.0.8802.1.1.2       LLDP：拓扑邻居
  1.3.6.1.4.1.<厂商>   厂商自己的表：处理器、内存、温度、电源、风扇、日志服务器（华为 2011、华三 25506 ……）
不必放开 1.3.6.1.6.3（SNMP 用户和团体字），也从不读取。
建议用 SNMPv3 authPriv（SHA256 + AES128 或更强），并用访问控制列表只允许采集机的地址。
看不到的一律记为未知，不会当作没有。"""


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
        credentials = logins.credentials_of(options.logins, run)
    except SourceError as error:
        for target in targets:
            yield failed(run, target, KINDS, started, error)
        return

    by_name = _by_name(targets)

    async def read_one(target: str) -> tuple[_Device, Batch]:
        device = await _read_one(target, options, credentials, run)
        return device, _batch(target, device, by_name, run)

    results = every(targets, options, credentials, run, read_one)
    for done, (target, result) in enumerate(results, start=1):
        run.progress("读取设备", done, len(targets))
        if isinstance(result, BaseException):
            problem = _source_error(result)
            keep(target, problem)
            yield failed(run, target, KINDS, started, problem)
        else:
            device, batch = result
            keep(target, device)
            yield batch


def probe(source: Source, run: Run) -> Iterator[contract.Access]:
    """Ask each target for its system group."""
    options: Options = source.options
    targets = _targets(options)
    credentials = logins.credentials_of(options.logins, run)

    async def ask(target: str) -> contract.Access:
        limits = _limits(options)
        if options.recording:
            scalars = await Walker(ReplayEngine(_recording(options, target)), run, limits).get(tables.SCALARS)
            answered = ""
        else:
            where = await _where(target)
            session = await logins.log_in(target, where, credentials, options.engine, run, limits)
            session.engine.close()
            scalars = session.scalars
            answered = f"SNMP {session.credentials.version}，"
        description = text_of(scalars.get(tables.SYS_DESCR)) or ""
        if scalars:
            detail = run.redactor.text(description)[:80]
            return contract.Access(
                subject=target, ok=True, detail=answered + (detail or "有应答，sysDescr 为空")
            )
        return contract.Access(
            subject=target, ok=False, detail="有应答，但看不到系统组", remedy=outcome.VIEW_REMEDY
        )

    for target, result in every(targets, options, credentials, run, ask):
        if isinstance(result, contract.Access):
            yield result
        else:
            yield no_access(run, target, _source_error(result))


def heard(source: Source, run: Run) -> Iterator[tuple[str, list[str] | SourceError]]:
    """Addresses that each device of a source has in its ARP table and its neighbour cache, read now. Raises
    SecretError."""
    options: Options = source.options
    credentials = logins.credentials_of(options.logins, run)

    async def ask(target: str) -> list[str]:
        where, limits = await _where(target), _limits(options)
        session = await logins.log_in(target, where, credentials, options.engine, run, limits)
        try:
            walks = [(table, await session.walker.walk(table)) for table in HEARD]
        finally:
            session.engine.close()
        return sorted({address for table, walk in walks for address in heard_in(table, walk.rows)})

    for target, result in every(options.targets, options, credentials, run, ask):
        yield target, _source_error(result) if isinstance(result, BaseException) else result


def _targets(options: Options) -> list[str]:
    if options.targets or not options.recording:
        return options.targets
    try:
        return stems(Path(options.recording))
    except OSError as error:
        raise SourceError(f"录制目录读不出：{error.__class__.__name__}", "检查 recording 的路径") from error


def _limits(options: Options) -> Limits:
    return Limits(
        timeout_seconds=options.timeout_seconds,
        attempts=options.retries + 1,
        max_repetitions=options.max_repetitions,
        device_seconds=options.device_seconds,
        table_seconds=options.table_seconds,
    )


async def _where(target: str) -> tuple[str, int]:
    host, port = split_target(target)
    try:
        return str(ip_address(host)), port
    except ValueError:  # a name, or an address with a zone
        return await elsewhere(lambda: resolved(host, port, socket.SOCK_DGRAM)), port


async def _read_one(target: str, options: Options, credentials: Sequence[Credentials], run: Run) -> _Device:
    started: datetime = run.now()
    run.remaining()
    limits = _limits(options)
    if options.recording:
        return await _replay_one(target, options, credentials[0], run)
    where = await _where(target)
    session = await logins.log_in(target, where, credentials, options.engine, run, limits)
    try:
        answers: Answers = await read(session.walker, session.scalars)
        known = Known(
            address=where[0],
            default_community=await _default_community(where, session, options, run, limits),
            version=session.credentials.version,
            authentication=session.credentials.authentication,
            privacy=session.credentials.privacy,
        )
    finally:
        session.engine.close()
    return _Device(started=started, answers=answers, known=known)


async def _default_community(
    where: tuple[str, int], session: logins.Session, options: Options, run: Run, limits: Limits
) -> bool | None:
    """Whether the device answers to a community everybody knows; None where nobody tried."""
    if session.credentials.community in logins.DEFAULT_COMMUNITIES:
        return True
    if not options.try_defaults:
        return None
    try:
        return await logins.answers_to_default(where, session, options.engine, run, limits)
    except DeadlineError:
        return None


def _recording(options: Options, target: str) -> Recording:
    path = find(Path(options.recording), target)
    if path is None:
        raise SourceError("没有应答", "这台设备没有录制：检查 recording 目录和 targets 里的名字")
    return Recording.load(path)


async def _replay_one(target: str, options: Options, login: Credentials, run: Run) -> _Device:
    """The device as it was recorded; ``login`` is what it was read with where the file does not say."""
    started = run.now()
    recording = _recording(options, target)
    if failure := recording.marks.failure:
        raise failure.error
    answers = await read(Walker(ReplayEngine(recording), run, _limits(options)))
    recording.marks.apply(answers)
    known = recording.marks.known
    if not known.version:  # of another tool, or of an earlier version of this program
        known.version, known.authentication = login.version, login.authentication
        known.privacy = login.privacy
    if known.default_community is None and login.community in logins.DEFAULT_COMMUNITIES:
        known.default_community = True
    return _Device(started=started, answers=answers, known=known)


def _by_name(targets: Sequence[str]) -> dict[str, str]:
    """Address or lower-case name → target, for edges between devices of this source."""
    return {split_target(target)[0].lower(): target for target in targets}


def _batch(target: str, device: _Device, by_name: dict[str, str], run: Run) -> Batch:
    known = device.known
    access = mapping.Access(
        version=known.version or "v2c",
        authentication=None if known.authentication == "none" else known.authentication,
        privacy=None if known.privacy == "none" else known.privacy,
        default_community=UNKNOWN if known.default_community is None else known.default_community,
        address=UNKNOWN if known.address is None else known.address,
    )
    name, labels = run.source.name, run.source.labels
    clean = functools.cache(run.redactor.text)  # an interface has its name in two or three columns
    resource = mapping.device_of(name, target, labels, access, device.answers, clean=clean, targets=by_name)
    interfaces = mapping.interfaces_of(name, target, labels, device.answers, clean=clean)
    return outcome.batch(
        run, target, device.started, answers=device.answers, device=resource, interfaces=interfaces
    )


def _source_error(error: BaseException) -> SourceError:
    """What a device's exception means to the user."""
    return logins.explained(error) or source_error(error)
