"""Linux hosts over SSH: the same kinds and facts as ``local``, of other machines.

A source is a list of hosts that share a login; a collection's scope is the target as configured, for every
kind, so a host that fails takes no other with it. One run of ``script.sh`` prints what is to be read, and the
parsers of ``collectors.host`` read that. The type is named for what is read, not for the protocol: network
devices are reached over SSH too, and SSH servers are a thing to be judged themselves.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from pathlib import Path

from collectors import host, known_hosts
from collectors.contract import Access, Run, Source, SourceError
from collectors.linux.hosts import Read, access, read_host, replay
from collectors.linux.options import Options
from collectors.linux.recording import Recorded, load, write
from collectors.linux.session import login_of
from collectors.linux.sudo import COMMANDS, sudoers
from collectors.recordings import Failure
from collectors.targets import failed, no_access, side_by_side, source_error
from inventory.coverage import Batch

__all__ = ["KINDS", "PERMISSIONS", "Options", "collect", "probe", "record"]

KINDS = host.KINDS
_PROGRAMS = {"cut": "/usr/bin", "grep": "/usr/bin", "ss": "/usr/bin", "dnf": "/usr/bin", "yum": "/usr/bin"}
_PERMITTED = "\n".join(
    f"  {line}"
    for line in sudoers("zhengguan", (f"{_PROGRAMS.get(c.split()[0], '/usr/sbin')}/{c}" for c in COMMANDS))
)
PERMISSIONS = f"""\
普通账户、能用 sh 即可；只读，不在对方主机上写任何文件（也不写临时文件），不联网。密码散列从不离开对方主机。
普通账户看不到的记为未知。要看全，在来源里写 sudo: true，并在每台主机上 visudo -f /etc/sudoers.d/zhengguan
逐条放行；每条都是完整命令，没有通配符，不能写文件，也看不到密码散列（DES 散列除外，它没有 $ 分隔）：
{_PERMITTED}
命令路径以该主机为准（zhengguan doctor 按主机列出缺哪几条）；没有的命令（nft、auditctl、dnf ……）不必写。"""


def collect(source: Source, run: Run) -> Iterator[Batch]:
    """Read all targets side by side; five batches for each, in the order the hosts end."""
    yield from _collect(source, run, lambda _: None)


def record(source: Source, run: Run, path: Path, note: str = "") -> list[Batch]:
    """Collect, and write a redacted recording of all targets into one file."""
    kept: list[Recorded] = []
    batches = list(_collect(source, run, kept.append))
    write(path, kept, run, note)
    return batches


def probe(source: Source, run: Run) -> Iterator[Access]:
    """Log in to each target, and say which rule of sudo would show more."""
    options: Options = source.options
    for target, result in _results(source, options, run):
        if isinstance(result, Read):
            yield from access(result, target, options)
        else:
            yield no_access(run, target, result)


def _collect(source: Source, run: Run, keep: Callable[[Recorded], None]) -> Iterator[Batch]:
    started = run.now()
    for target, result in _results(source, source.options, run):
        if isinstance(result, Read):
            keep(result.recorded)
            yield from result.batches
            continue
        keep(Recorded(target=target, failure=Failure.of(result, run.redactor.text)))
        yield failed(run, target, KINDS, started, result)


def _results(source: Source, options: Options, run: Run) -> Iterator[tuple[str, Read | SourceError]]:
    """Each target with what was read of it, or with why it was not."""
    work: dict[str, Callable[[], Read]]
    if options.recording:
        recorded = {one.target: one for one in load(Path(options.recording))}
        chosen = options.targets or list(recorded)
        work = {target: functools.partial(_replayed, recorded, target, source, run) for target in chosen}
    else:
        entries = [] if options.insecure else known_hosts.read_known_hosts(options.known_hosts)
        login = login_of(options, run)
        work = {
            target: functools.partial(read_host, target, source, options, login, entries, run)
            for target in options.targets
        }
    for done, (target, result) in enumerate(side_by_side(work, options.concurrency, run), start=1):
        run.progress("读取主机", done, len(work))
        yield target, result if isinstance(result, Read) else _source_error(result)


def _replayed(recorded: dict[str, Recorded], target: str, source: Source, run: Run) -> Read:
    if target not in recorded:
        raise SourceError("这台主机没有录制", "检查 recording 和 targets 里的名字")
    return replay(recorded[target], source, run)


def _source_error(error: BaseException) -> SourceError:
    if isinstance(error, ImportError):
        raise error  # the runner says which extra is missing
    return source_error(error)
