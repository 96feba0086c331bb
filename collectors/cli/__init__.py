"""Network devices over their command line: one source is a list of devices read over SSH.

A collection's scope is the target as configured, for all kinds. So a device that cannot be read has failed
collections of its own, its earlier rows stay, and nothing is concluded about the others.
"""

from __future__ import annotations

import functools
import logging
import socket
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import TypeVar

import msgspec

from collectors import contract
from collectors.cli import mapping, outcome, recording
from collectors.cli.lines import IncompatibleError, Secrets, secrets_of
from collectors.cli.logins import open_session
from collectors.cli.options import Login, Options, Target, split_address
from collectors.cli.platforms import AUTO
from collectors.cli.reading import Reading, offer_of, place_of, read
from collectors.cli.sessions import CutShortError
from collectors.contract import Run, Source, SourceError
from collectors.recordings import Header
from collectors.targets import failed, internal, no_access, resolved, side_by_side
from inventory.coverage import Batch

__all__ = ["KINDS", "PERMISSIONS", "Login", "Options", "collect", "probe", "record"]

log = logging.getLogger("zhengguan.collectors.cli")
T = TypeVar("T")

KINDS = outcome.KINDS
PERMISSIONS = """\
一个只读的 SSH 账号。只发固定的显示命令（docs/sources.md 列出每个平台的），从不进入配置视图、从不保存：
  华为 VRP       级别 1 的用户看状态；display current-configuration 缺省要级别 3：
                 command-privilege level 1 view shell display current-configuration 后用级别 1 即可
  新华三 Comware 角色 network-operator；配置里的口令、密钥它看不到也不影响
  思科、锐捷、迈普、中兴  要看全部配置须级别 15：低于 15 时设备只显示一部分，会记为“部分”；
                 思科可用 TACACS+ 只授权 show，或写 enable_ref
  瞻博 Junos     预定义的 read-only 类加 view-configuration
  FRR            frrvty 组的用户，登录 shell 为 vtysh 或普通 shell
用访问控制列表只允许采集机登录。配置里的口令、团体字、密钥在保存之前全部打码。"""


def collect(source: Source, run: Run) -> Iterator[Batch]:
    """Read all targets side by side; a batch per device, with collections of the device's own scope."""
    yield from _collect(source, run, keep=lambda _reading: None)


def record(source: Source, run: Run, path: Path, note: str = "") -> list[Batch]:
    """Collect, and write a masked recording of all devices into one file."""
    kept: dict[str, Reading] = {}

    def keep(reading: Reading) -> None:
        kept[reading.target] = reading

    batches = list(_collect(source, run, keep=keep))
    header = Header(
        format=recording.FORMAT,
        source=source.name,
        recorded_at=run.now().isoformat(timespec="seconds"),
        note=note,
    )
    recording.write(path, header, (kept[target] for target in sorted(kept)), run.redactor.values)
    return batches


def _collect(source: Source, run: Run, keep: Callable[[Reading], None]) -> Iterator[Batch]:
    options: Options = source.options
    started = run.now()
    recorded = recording.load(Path(options.recording)) if options.recording else {}
    targets = options.devices or [Target(address=name, platform=AUTO) for name in recorded]
    if not targets:
        raise SourceError("录制文件里没有设备", "重新录制")
    try:
        logins = secrets_of(options, run) if not options.recording else []
    except SourceError as error:
        for target in targets:
            keep(recording.failure_of(target.address, error, run.redactor.text))
            yield failed(run, target.address, KINDS, started, error)
        return

    def work(target: Target) -> _Timed:
        begun = run.now()
        if options.recording:
            return _Timed(started=begun, reading=_recorded(recorded, target.address))
        return _Timed(started=begun, reading=_read(target, logins, options, run))

    by_name = {split_address(t.address)[0].lower(): t.address for t in targets} if not recorded else {}
    results = side_by_side(_each(targets, work), options.concurrency, run)
    for done, (address, result) in enumerate(results, start=1):
        run.progress("读取设备", done, len(targets))
        if isinstance(result, BaseException):
            problem = _source_error(result)
            keep(recording.failure_of(address, problem, run.redactor.text))
            yield failed(run, address, KINDS, started, problem)
        else:
            result.reading.neighbour_targets = result.reading.neighbour_targets or by_name
            keep(result.reading)
            yield _batch(result, source, run)


class _Timed(msgspec.Struct, kw_only=True):
    """A reading, and when it began."""

    started: datetime
    reading: Reading


def _read(target: Target, logins: list[Secrets], options: Options, run: Run) -> Reading:
    run.remaining()
    host, port = split_address(target.address)
    return read(
        target, place_of(target.address, resolved(host, port, socket.SOCK_STREAM)), logins, options, run
    )


def _recorded(recorded: dict[str, Reading], target: str) -> Reading:
    reading = recorded.get(target)
    if reading is None:
        raise SourceError("没有应答", "这台设备没有录制：检查 recording 和 targets")
    if reading.failure is not None and not reading.incompatible:
        raise reading.failure.error
    return reading


def _batch(timed: _Timed, source: Source, run: Run) -> Batch:
    reading, clean = timed.reading, run.redactor.text
    device = mapping.device_of(source.name, source.labels, reading, reading.neighbour_targets, clean)
    found = mapping.interfaces_of(source.name, source.labels, reading, clean)
    config = mapping.config_of(source.name, source.labels, reading, clean)
    return outcome.batch(run, reading, timed.started, device, found, config)


def probe(source: Source, run: Run) -> Iterator[contract.Access]:
    """Log in to each target and find its prompt; no command is sent but the one that tells its platform."""
    options: Options = source.options
    if options.recording:
        for name in recording.load(Path(options.recording)):
            yield contract.Access(subject=name, ok=True, detail="来自录制")
        return
    logins = secrets_of(options, run)

    def ask(target: Target) -> contract.Access:
        host, port = split_address(target.address)
        place = place_of(target.address, resolved(host, port, socket.SOCK_STREAM))
        offer = offer_of(place, options, run)
        try:
            session = open_session(place, logins, options, run, target.platform)
        except IncompatibleError:
            raise SourceError(
                f"没有共同的 SSH 算法。设备提供：{offer.told()}", "见 docs/sources.md 的“老设备”"
            ) from None
        except CutShortError as error:
            raise SourceError(f"登录后{error.reason}", "稍后再试") from None
        title = session.platform.title
        session.close()
        legacy = f"；提供旧算法 {'、'.join(offer.legacy[:6])}" if offer.legacy else ""
        unchecked = "；没有核对主机密钥" if options.insecure else ""
        return contract.Access(
            subject=target.address, ok=True, detail=f"{title}，用户 {session.user}{legacy}{unchecked}"
        )

    for address, result in side_by_side(_each(options.devices, ask), options.concurrency, run):
        if isinstance(result, contract.Access):
            yield result
        else:
            yield no_access(run, address, _source_error(result))


def _each(targets: list[Target], work: Callable[[Target], T]) -> dict[str, Callable[[], T]]:
    return {target.address: functools.partial(work, target) for target in targets}


def _source_error(error: BaseException) -> SourceError:
    """What a device's exception means to the user. Only its name is told and logged: its text may hold what
    the device said."""
    if isinstance(error, SourceError):
        return error
    frame = error.__traceback__
    while frame is not None and frame.tb_next is not None:
        frame = frame.tb_next
    where = f"{Path(frame.tb_frame.f_code.co_filename).name}:{frame.tb_lineno}" if frame else "?"
    log.debug("device: %s at %s", error.__class__.__name__, where)
    return internal(f"{error.__class__.__name__}（{where}）")
