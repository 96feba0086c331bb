"""Source type ``dns``: what names of the estate resolve to, over both families, through the user's resolvers
and through the authoritative servers, walked down from the root; DNSSEC validated here; mail hosts.

A collection's scope is the name. Only questions are sent that any resolver sends.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar, Literal

import msgspec

from collectors import contract
from collectors.contract import IMPORTING, Access, Run, Source, SourceError
from collectors.dns.targets import ascii_name, names_of, server_of, written
from inventory.coverage import Batch

KINDS: tuple[str, ...] = ("domain",)

PERMISSIONS = """\
不需要账号。采集机要能以 UDP 和 TCP 访问解析服务器的 53 端口；authoritative 为 true 时还要能访问各级
权威服务器的 53 端口（两个协议族）。只发普通的域名查询，不做区域传送，不改任何数据。
smtp 为 true 时另连邮件服务器的 25 端口（只用 IPv6），读到问候语就退出，不投信。
自建根的专网：用 root_servers 写根服务器，用 trust_anchors 写它的信任锚（DS）；解析服务器用 resolvers 写。"""

Family = Literal["ipv4", "ipv6"]


class Options(contract.Options, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """``names`` and ``names_file``: what to look up. ``resolvers``: addresses of recursive servers, default
    this machine's. ``families``: over which to ask servers; both kinds of address are asked for in any case.
    ``root_servers`` and ``trust_anchors`` ("zone keytag algorithm digesttype digest") replace the public
    root's; ``servers``: zone → addresses, asked in place of those its parent delegates it to. ``lookups``:
    how often A and AAAA are asked for their median. Times in seconds: of one question, of one name."""

    PATHS: ClassVar[tuple[str, ...]] = ("names_file", "recording")

    names: list[str] = msgspec.field(default_factory=list)
    names_file: str = ""
    resolvers: list[str] = msgspec.field(default_factory=list)
    families: list[Family] = msgspec.field(default_factory=lambda: ["ipv4", "ipv6"])
    authoritative: bool = True
    mail: bool = True
    smtp: bool = False
    root_servers: list[str] = msgspec.field(default_factory=list)
    trust_anchors: list[str] = msgspec.field(default_factory=list)
    servers: dict[str, list[str]] = msgspec.field(default_factory=dict)
    lookups: int = 3
    timeout_seconds: float = 2.0
    retries: int = 1
    name_seconds: float = 60.0
    concurrency: int = 50
    queries_per_second: float = 500.0
    recording: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.names and not self.names_file and not self.recording:
            raise ValueError("names 是空的：至少写一个域名，或用 names_file 指一个文件")
        names_of(self.names)
        for server in (
            *self.resolvers,
            *self.root_servers,
            *(s for own in self.servers.values() for s in own),
        ):
            server_of(server)
        for zone in self.servers:
            ascii_name(zone)
        for anchor in self.trust_anchors:
            if not _is_anchor(anchor):
                raise ValueError(f"不认识的信任锚 {anchor[:80]!r}，写成“区 密钥标签 算法 摘要类型 摘要”")
        if not self.families or len(set(self.families)) != len(self.families):
            raise ValueError("families 写 ipv4、ipv6 之一或两者")
        for name in ("timeout_seconds", "name_seconds", "concurrency", "lookups"):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name} 要大于 0")
        if self.queries_per_second < 0 or self.retries < 0:
            raise ValueError("queries_per_second 和 retries 不能小于 0")


def _is_anchor(text: str) -> bool:
    zone, *words = text.split()
    numbers, digest = words[:3], "".join(words[3:])
    ascii_name(zone)
    try:
        bytes.fromhex(digest)
    except ValueError:
        return False
    return len(numbers) == 3 and all(n.isdecimal() for n in numbers) and len(digest) >= 40


def collect(source: Source, run: Run) -> Iterator[Batch]:
    """Look up all names side by side; a batch per name, in the order they end."""
    with IMPORTING:
        from collectors.dns.survey import survey

    yield from survey(source, _options(source), run)


def record(source: Source, run: Run, path: Path, note: str = "") -> list[Batch]:
    """Collect, and write a recording that replays to the same."""
    with IMPORTING:
        from collectors.dns.peer import Told
        from collectors.dns.recording import write
        from collectors.dns.survey import plan_of, survey

    options = _options(source)
    plan = plan_of(options)
    told = Told()
    batches = list(survey(source, options, run, keep=told))
    write(path, options, told, run, note, {"names": plan.names, "resolvers": written(plan.resolvers)})
    return batches


def probe(source: Source, run: Run) -> Iterator[Access]:
    """Whether each resolver answers, and the root's servers over each family."""
    with IMPORTING:
        from collectors.dns.survey import reach

    yield from reach(_options(source), run)


def _options(source: Source) -> Options:
    if not isinstance(source.options, Options):
        raise SourceError(f"来源 {source.name} 的 options 不是 dns 的", "检查配置")
    return source.options
