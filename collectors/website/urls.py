"""URLs as people and pages write them: taken apart, and made one of a kind."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from ipaddress import ip_address
from urllib.parse import quote, urljoin, urlsplit

import msgspec

PORTS = {"http": 80, "https": 443}
_LONGEST = 2000
_CONTROL = dict.fromkeys([*range(32), 127])
_SAFE = "/%:@!$&'()*+,;=~-._?"


class Url(msgspec.Struct, frozen=True):
    """A web address without user, password and fragment. ``host`` is a name in A-labels or a numeric address;
    ``target`` is path and query, for the request line."""

    scheme: str
    host: str
    port: int
    target: str

    @property
    def authority(self) -> str:
        """As the Host header has it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"

    def __str__(self) -> str:
        return f"{self.scheme}://{self.authority}{self.target}"


def site_of(text: str) -> Url:
    """The address of a site as a person configured it. Raises ValueError (中文) for what is none, without
    repeating a password that stands in it."""
    shown = text.rpartition("@")[2][:80]
    if not text.startswith(("http://", "https://")):
        raise ValueError(f"不认识的网址 {shown!r}，写成 https://主机/ 或 http://主机/")
    if "@" in text.partition("://")[2].partition("/")[0]:
        raise ValueError(f"网址 {shown!r} 里不要写账号口令")
    url = url_of(text)
    if url is None:
        raise ValueError(f"不认识的网址 {shown!r}，写成 https://主机/ 或 http://主机/")
    return url


def url_of(text: str, base: Url | None = None) -> Url | None:
    """A link, joined to where it stands; None for what is no web address (mailto:, javascript:, file: …). A
    user and a password in it are dropped."""
    text = text.strip().translate(_CONTROL)
    if not text or len(text) > _LONGEST:
        return None
    try:
        parts = urlsplit(urljoin(str(base), text) if base else text)
        scheme, port = parts.scheme.lower(), parts.port
        host = host_of(parts.hostname or "")
    except ValueError:
        return None
    if scheme not in PORTS or not host or port == 0:
        return None
    target = quote(parts.path or "/", safe=_SAFE) + (
        f"?{quote(parts.query, safe=_SAFE)}" if parts.query else ""
    )
    return Url(scheme, host, port or PORTS[scheme], target)


@lru_cache(maxsize=4096)
def host_of(name: str) -> str:
    """A host in lower case and A-labels (RFC 5890), or a numeric address. Raises ValueError."""
    if numeric(name):
        return str(ip_address(name))
    if name.isascii():
        plain = name.lower().rstrip(".")
        if not plain or len(plain) > 253 or not _HOST.issuperset(plain):
            raise ValueError(f"不认识的主机名 {name[:80]!r}")
        return plain
    return host_of(name.rstrip(".").encode("idna").decode("ascii"))


_HOST = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-._")


def numeric(host: str) -> bool:
    """Whether a host is an address itself."""
    if ":" not in host and not host[-1:].isdigit():
        return False  # most are names, and told at once
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def server_of(text: str) -> tuple[str, int]:
    """A resolver as people write it: "address" or "address:port" ("[v6]:port"). Raises ValueError (中文)."""
    host, port = (text, "53") if numeric(text) else text.rpartition(":")[::2]
    host = host.removeprefix("[").removesuffix("]")
    if not numeric(host) or not port.isdecimal() or not 0 < int(port) < 65536:
        raise ValueError(f"不认识的解析服务器 {text[:80]!r}，写成 地址 或 地址:端口")
    return host, int(port)


@lru_cache(maxsize=1)
def _suffixes() -> Callable[..., object]:
    from tldextract import TLDExtract

    # the list that comes with the library: nothing is fetched, nothing is cached on disk
    return TLDExtract(cache_dir=None, suffix_list_urls=())


@lru_cache(maxsize=4096)
def domain_of(host: str) -> str:
    """The registrable domain of a host by the public suffix list (its part of ICANN); the host itself where
    it
    has none: an address, a name of the intranet."""
    return str(getattr(_suffixes()(host), "top_domain_under_public_suffix", "")) or host
