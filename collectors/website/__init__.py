"""Source type ``website``: sites as a visitor sees them over IPv4 and over IPv6, each by itself.

Every connection goes to one numeric address of one family. Only GET is sent. A collection's scope is the
site.
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path
from typing import ClassVar

import msgspec

from collectors import contract
from collectors.contract import Access, Run, Source, SourceError
from collectors.website.urls import host_of, server_of, site_of
from inventory.coverage import Batch

KINDS: tuple[str, ...] = ("website",)

PERMISSIONS = """\
不需要账号。采集机要同时有 IPv4 和 IPv6，能连到各网站和解析服务器；采集机没有 IPv6 时，网站的 IPv6 记为未知。
只发 GET：首页按 tries 重复访问，站内链接各访问一次（先看 robots.txt，同一主机两次请求之间等 delay_seconds）；
站外主机只建立连接，不取页面。请求的 User-Agent 说明来意，用 contact 写上联系方式。
tls: true 时另用约 40 个短连接比对两族的 TLS 版本和套件；ports 里的端口各连接一次。
跳转和链接指向的内网地址不访问，除非是 sites、addresses、private_hosts 里写明的主机，或 private: true。
在入侵防御和限速设备上放行采集机。"""


class Options(contract.Options, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """``sites`` and the lines of ``sites_file``: addresses of home pages. ``addresses``: host → its
    addresses,
    instead of the DNS. Links and redirects lead to no private address but of hosts named in ``sites``,
    ``addresses``,
    ``private_hosts`` (``private``: of any). ``resolvers``: "address" or "address:port", instead of the
    system's. Of one site:
    ``pages`` read whole, ``links`` asked, ``external_hosts`` connected to, bytes and seconds in all."""

    PATHS: ClassVar[tuple[str, ...]] = ("sites_file", "ca_file", "recording")

    sites: list[str] = msgspec.field(default_factory=list)
    sites_file: str = ""
    addresses: dict[str, list[str]] = msgspec.field(default_factory=dict)
    resolvers: list[str] = msgspec.field(default_factory=list)
    private_hosts: list[str] = msgspec.field(default_factory=list)
    private: bool = False
    tries: int = 20
    pages: int = 40
    links: int = 200
    external: bool = True
    external_hosts: int = 100
    page_kib: int = 2048
    site_mib: int = 64
    timeout_seconds: float = 5.0
    page_seconds: float = 15.0
    site_seconds: float = 240.0
    delay_seconds: float = 0.2
    concurrency: int = 10
    robots: bool = True
    contact: str = ""
    tls: bool = True
    ports: list[int] = msgspec.field(default_factory=lambda: [22, 80, 443, 3389, 8080, 8443])
    ca_file: str = ""
    recording: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.sites and not self.sites_file and not self.recording:
            raise ValueError("sites 是空的：至少写一个网址，或用 sites_file")
        sites = [str(site_of(site)) for site in self.sites]
        if len(set(sites)) != len(sites):
            raise ValueError("sites 里有重复的网站")
        for name in (
            "tries",
            "page_kib",
            "site_mib",
            "timeout_seconds",
            "page_seconds",
            "site_seconds",
            "concurrency",
        ):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name} 要大于 0")
        for name in ("pages", "links", "external_hosts", "delay_seconds"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} 不能小于 0")
        if not all(0 < port < 65536 for port in self.ports):
            raise ValueError("ports 要在 1 至 65535 之间")
        if not (self.contact.isascii() and self.contact.isprintable()) or len(self.contact) > 200:
            raise ValueError("contact 只用 200 个以内的 ASCII 字符，例如邮箱")
        for host, held in self.addresses.items():
            if host_of(host) != host:
                raise ValueError(f"addresses 的主机名写成小写的 ASCII：{host_of(host)}")
            for address in held:
                ip_address(address)
        for text in self.resolvers:
            server_of(text)

    def asked_for(self) -> list[str]:
        """Sites of both lists, as one address each, in order. Raises SourceError for a file that is not
        there, or holds what is no address."""
        texts = [*self.sites, *(_lines(self.sites_file) if self.sites_file else ())]
        try:
            return list(dict.fromkeys(str(site_of(text)) for text in texts))
        except ValueError as error:
            raise SourceError(f"sites_file：{error}", "每行写一个网址，# 开头的行不算") from error

    def named_hosts(self) -> frozenset[str]:
        """Hosts that the user named: whatever their addresses are, they may be asked."""
        return frozenset(
            [*self.addresses, *self.private_hosts, *(site_of(site).host for site in self.asked_for())]
        )


def _lines(path: str) -> tuple[str, ...]:
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise SourceError(
            f"sites_file {path} 读不出：{error.__class__.__name__}", "检查路径和权限"
        ) from error
    return tuple(line.strip() for line in lines if line.strip() and not line.lstrip().startswith("#"))


def collect(source: Source, run: Run) -> Iterator[Batch]:
    """Visit all sites side by side; a batch per site, in the order they end."""
    from collectors.website.survey import survey

    yield from survey(source, _options(source), run)


def record(source: Source, run: Run, path: Path, note: str = "") -> list[Batch]:
    """Collect, and write a recording that replays to the same."""
    from collectors.website.recording import write
    from collectors.website.survey import survey

    options = _options(source)
    told: dict[str, dict[str, list[object]]] = {}
    batches = list(survey(source, options, run, keep=told))
    write(path, options, told, run, note)
    return batches


def probe(source: Source, run: Run) -> Iterator[Access]:
    """Whether each site has addresses that this machine has a way to, and takes connections."""
    from collectors.website.survey import reach

    yield from reach(_options(source), run)


def _options(source: Source) -> Options:
    if not isinstance(source.options, Options):
        raise SourceError(f"来源 {source.name} 的 options 不是 website 的", "检查配置")
    return source.options
