"""Names and servers as people write them."""

from __future__ import annotations

import re
from ipaddress import ip_address
from pathlib import Path

from collectors.contract import SourceError

PORT = 53
_MOST_NAMES = 200_000
_LARGEST_FILE_BYTES = 16 * 1024 * 1024
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")


def ascii_name(text: str) -> str:
    """A name in lower case and A-labels (RFC 5890), without the last dot; "" is the root. Raises ValueError
    (中文) for what is none: an address, a URL, a label that is too long or has other characters."""
    plain = text.strip().rstrip(".。．")
    if not plain:
        return ""
    try:
        name = plain.encode("idna").decode("ascii").lower()
    except UnicodeError as error:
        raise ValueError(f"不认识的域名 {text[:80]!r}") from error
    labels = name.split(".")
    if len(name) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise ValueError(f"不认识的域名 {text[:80]!r}，只写名字，不带 https:// 和路径")
    if labels[-1].isdecimal():
        raise ValueError(f"{text[:80]!r} 是地址，不是域名")
    return name


def names_of(written: list[str]) -> list[str]:
    """Names as asked for, each once, in their order. Raises ValueError (中文)."""
    found = [ascii_name(text) for text in written]
    if "" in found:
        raise ValueError("names 里有空的名字")
    return list(dict.fromkeys(found))


def names_in(path: Path) -> list[str]:
    """Names of a file: one a line, "#" begins a remark; UTF-8, or what Chinese Windows writes (GB 18030).
    Raises SourceError, with the line."""
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST_FILE_BYTES + 1)
    except OSError as error:
        raise SourceError(f"域名文件 {path} 读不出：{error.__class__.__name__}", "检查路径和权限") from error
    if len(content) > _LARGEST_FILE_BYTES:
        raise SourceError(f"域名文件 {path.name} 超过 16 MiB", "每行只写一个域名")
    found: dict[str, None] = {}
    for number, line in enumerate(_decoded(content, path).splitlines(), start=1):
        text = line.partition("#")[0].strip()
        if not text:
            continue
        try:
            found[ascii_name(text)] = None
        except ValueError as error:
            raise SourceError(f"域名文件 {path.name} 第 {number} 行：{error}", "改正后重试") from error
    if len(found) > _MOST_NAMES:
        raise SourceError(f"域名文件 {path.name} 有 {len(found)} 个名字，超过 {_MOST_NAMES}", "分成几个来源")
    if not found:
        raise SourceError(f"域名文件 {path.name} 里没有名字", "每行写一个域名")
    return list(found)


def _decoded(content: bytes, path: Path) -> str:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise SourceError(f"域名文件 {path.name} 既不是 UTF-8 也不是 GBK", "另存为 UTF-8")


def server_of(text: str) -> str:
    """A server as asked: "address" for port 53, "address#port" for another. Takes ``address``,
    ``v4:port`` and ``[v6]:port``. Raises ValueError (中文)."""
    written = text.strip()
    host, port = written, ""
    if written.startswith("["):
        host, closed, rest = written[1:].partition("]")
        port = rest.removeprefix(":")
        if not closed or (rest and not rest.startswith(":")):
            raise ValueError(f"不认识的服务器 {text[:80]!r}，写成 [地址]:端口")
    elif written.count(":") == 1:
        host, _, port = written.partition(":")
    try:
        address = str(ip_address(host))
    except ValueError as error:
        raise ValueError(f"不认识的服务器 {text[:80]!r}，写地址，不写名字") from error
    if port and not (port.isdecimal() and 0 < int(port) < 65536):
        raise ValueError(f"端口 {port[:20]!r} 不对，要 1 至 65535")
    return address if not port or int(port) == PORT else f"{address}#{int(port)}"


def address_of_server(server: str) -> tuple[str, int]:
    """Address and port of what ``server_of`` made."""
    address, _, port = server.partition("#")
    return address, int(port) if port else PORT


def system_resolvers(path: Path = Path("/etc/resolv.conf")) -> list[str]:
    """Name servers that this machine uses (resolv.conf(5)). Raises SourceError where it names none."""
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    found: dict[str, None] = {}
    for words in (line.split() for line in lines):
        if len(words) > 1 and words[0] == "nameserver":
            try:
                found[str(ip_address(words[1].partition("%")[0]))] = None
            except ValueError:
                continue
    if not found:
        raise SourceError("本机没有配置域名服务器（/etc/resolv.conf）", "用 resolvers 写出解析服务器的地址")
    return list(found)


def written(servers: list[str]) -> list[str]:
    """Servers as ``server_of`` takes them."""
    found = []
    for address, port in map(address_of_server, servers):
        found.append(f"[{address}]:{port}" if ":" in address else f"{address}:{port}")
    return found
