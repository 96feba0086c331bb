"""Source type ``ssh``: what SSH servers offer before anybody logs in, and their host keys.

What is offered is read by ourselves (``kexinit``), with bounds that hold against any peer and names that no
library has to know; host keys and the primes of group exchange are had through ssh-audit, in a child process.
A collection's scope is the target as configured.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

from collectors.contract import Access, Run, Source, SourceError
from collectors.endpoints import EndpointOptions, write_told
from inventory.coverage import Batch

KINDS: tuple[str, ...] = ("ssh_endpoint",)

PERMISSIONS = """\
不需要账号，也不登录。采集机要能连到各端点的端口。先读服务端报出的算法，
再由 ssh-audit 做密钥交换的第一步，取主机密钥。
一个端点大约建立 5 至 20 个短连接：在入侵防御、fail2ban、限速设备上放行采集机，否则主机密钥记为未知。
对端日志里会有未登录就断开的连接，客户端自称 zhengguan 或 OpenSSH。"""


class Options(EndpointOptions, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """``host_keys`` False: do not run ssh-audit, so host keys and primes stay unknown. Times in seconds: of
    the first connection, and of ssh-audit with all of its own."""

    PORT: ClassVar[int] = 22

    host_keys: bool = True
    timeout_seconds: float = 5.0
    endpoint_seconds: float = 60.0


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
