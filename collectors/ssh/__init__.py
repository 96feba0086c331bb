"""Source type ``ssh``: what SSH servers offer before anybody logs in, and their host keys.

What is offered is read by ourselves (``kexinit``), with bounds that hold against any peer and names that no
library has to know; host keys and the primes of group exchange are had through ssh-audit, in a child process.
A collection's scope is the target as configured.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import ClassVar

import msgspec

from collectors import contract
from collectors.contract import Access, Run, Source, SourceError
from collectors.endpoints import Family, families_are_right, scopes_are_unique, shown, split, write_told
from inventory.coverage import Batch

KINDS: tuple[str, ...] = ("ssh_endpoint",)

PERMISSIONS = """\
不需要账号，也不登录。采集机要能连到各端点的端口。先读服务端报出的算法，
再由 ssh-audit 做密钥交换的第一步，取主机密钥。
一个端点大约建立 5 至 20 个短连接：在入侵防御、fail2ban、限速设备上放行采集机，否则主机密钥记为未知。
对端日志里会有未登录就断开的连接，客户端自称 zhengguan 或 OpenSSH。"""


class Options(contract.Options, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """``targets``: "host", "host:port", "[v6]:port" (port 22 where none is given). A host name is asked at
    each of its addresses of ``families``. ``host_keys`` False: do not run ssh-audit, so host keys and primes
    stay unknown. Times in seconds: of the first connection, and of ssh-audit with all of its own."""

    PATHS: ClassVar[tuple[str, ...]] = ("recording",)

    targets: list[str] = msgspec.field(default_factory=list)
    families: list[Family] = msgspec.field(default_factory=lambda: ["ipv4", "ipv6"])
    host_keys: bool = True
    timeout_seconds: float = 5.0
    endpoint_seconds: float = 60.0
    concurrency: int = 16
    recording: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.targets and not self.recording:
            raise ValueError("targets 是空的：至少写一个端点")
        scopes_are_unique([one.scope for one in self.asked()])
        families_are_right(self.families)
        for name in ("timeout_seconds", "endpoint_seconds", "concurrency"):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name} 要大于 0")

    def asked(self, recorded: Iterable[str] = ()) -> list[Asked]:
        """The targets, taken apart; where none are named, those of a recording. Raises ValueError for what is
        none."""
        return [Asked(*split(target, 22)) for target in self.targets or recorded]


class Asked(msgspec.Struct, frozen=True):
    """One target, taken apart."""

    host: str
    port: int

    @property
    def scope(self) -> str:
        """Its name in collections."""
        return shown(self.host, self.port)


def collect(source: Source, run: Run) -> Iterator[Batch]:
    """Ask all targets side by side; a batch per target, in the order they end."""
    from collectors.ssh.survey import survey

    yield from survey(source, _options(source), run, {})


def record(source: Source, run: Run, path: Path, note: str = "") -> list[Batch]:
    """Collect, and write a recording that replays to the same."""
    from collectors.ssh.mapping import Told
    from collectors.ssh.survey import FORMAT, survey

    options = _options(source)
    told: dict[str, Told] = {}
    batches = list(survey(source, options, run, told))
    write_told(path, FORMAT, options, ("targets", "families", "host_keys"), told, run, note)
    return batches


def probe(source: Source, run: Run) -> Iterator[Access]:
    """Whether each target answers as SSH, and whether ssh-audit is there."""
    from collectors.ssh.survey import reach

    yield from reach(_options(source), run)


def _options(source: Source) -> Options:
    if not isinstance(source.options, Options):
        raise SourceError(f"来源 {source.name} 的 options 不是 ssh 的", "检查配置")
    return source.options
