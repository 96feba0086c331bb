"""Source type ``tls``: what endpoints speak, SSL 3.0 to TLS 1.3, TLCP and RFC 8998, and their certificates.

Hellos are sent and first flights are read; no handshake of our own is ever finished. Where TLS 1.3 hides the
certificate, one ordinary handshake by the platform's TLS shows it. A collection's scope is the target as
configured, for both kinds.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import msgspec

from collectors import contract
from collectors.contract import Access, Run, Source, SourceError
from collectors.endpoints import Family, families_are_right, scopes_are_unique
from collectors.tls.targets import Asked, Target, asked_of
from inventory.coverage import Batch

KINDS: tuple[str, ...] = ("endpoint", "certificate")

PERMISSIONS = """\
不需要账号。采集机要能连到各端点的端口；只发 TLS 握手的第一步（ClientHello）并读取应答，不登录、不提交数据。
一个端点大约建立 30 至 80 个短连接：在入侵防御、限速设备上放行采集机，否则“拒绝”和“被限速”分不清，记为未知。
starttls 先用该协议自己的明文命令要求加密；http: true 时另取一次首页（GET /），只看响应头。
证书链用本机 openssl 命令核对，信任系统自带的根证书和 ca_file 里的根证书。"""


class Options(contract.Options, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """``targets``: "host", "host:port", "[v6]:port" (port 443 where none is given), or a table with the name
    to ask for and the protocol that starts TLS. A host name is probed at each of its addresses of
    ``families``. ``http``: also ask for the home page's security headers. Times in seconds: of one
    connection, and of one address with all its connections."""

    PATHS: ClassVar[tuple[str, ...]] = ("ca_file", "recording")

    targets: list[str | Target] = msgspec.field(default_factory=list)
    families: list[Family] = msgspec.field(default_factory=lambda: ["ipv4", "ipv6"])
    http: bool = False
    ca_file: str = ""
    timeout_seconds: float = 5.0
    endpoint_seconds: float = 60.0
    concurrency: int = 50
    connections_per_second: float = 500.0
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
        if self.connections_per_second < 0:
            raise ValueError("connections_per_second 不能小于 0（0 = 不限）")

    def asked(self) -> list[Asked]:
        """The targets, taken apart. Raises ValueError for what is none."""
        return [asked_of(target) for target in self.targets]


def collect(source: Source, run: Run) -> Iterator[Batch]:
    """Probe all targets side by side; a batch per target, in the order they end."""
    from collectors.tls.survey import survey

    yield from survey(source, _options(source), run)


def record(source: Source, run: Run, path: Path, note: str = "") -> list[Batch]:
    """Collect, and write a recording that replays to the same."""
    from collectors.tls.recording import write
    from collectors.tls.survey import survey

    options = _options(source)
    told: dict[str, dict[str, list[object]]] = {}
    batches = list(survey(source, options, run, keep=told))
    write(path, options, told, run, note)
    return batches


def probe(source: Source, run: Run) -> Iterator[Access]:
    """Whether each target can be connected to, and whether chains can be verified here."""
    from collectors.tls.survey import reach

    yield from reach(_options(source), run)


def _options(source: Source) -> Options:
    if not isinstance(source.options, Options):
        raise SourceError(f"来源 {source.name} 的 options 不是 tls 的", "检查配置")
    return source.options
