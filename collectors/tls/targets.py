"""Targets as people write them."""

from __future__ import annotations

import msgspec

from collectors.targets import is_address
from collectors.tls.starttls import Starttls

_PORTS = {"": 443, "smtp": 25, "imap": 143, "ldap": 389, "postgres": 5432, "mysql": 3306, "rdp": 3389}


class Target(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """``address`` as in the short form. ``server_name``: asked for by SNI; not given = the host where it is a
    name, "" = ask without. ``starttls``: the protocol that is spoken in the clear before TLS."""

    address: str
    server_name: str | None = None
    starttls: Starttls = ""


class Asked(msgspec.Struct, kw_only=True, frozen=True):
    """One target, taken apart. ``scope`` names it in collections."""

    host: str
    port: int
    server_name: str
    starttls: Starttls
    scope: str


def asked_of(target: str | Target) -> Asked:
    """Take a target apart. Raises ValueError (中文) for what is none."""
    if isinstance(target, str):
        target = Target(address=target)
    host, port = _split(target.address, _PORTS[target.starttls])
    named = target.server_name
    name = _ascii(named) if named is not None else ("" if is_address(host) else _ascii(host))
    shown = f"[{host}]" if ":" in host else host
    suffix = f"/{name}" if name and name != host else ""
    return Asked(
        host=host,
        port=port,
        server_name=name,
        starttls=target.starttls,
        scope=f"{shown}:{port}{suffix}",
    )


def _split(text: str, default: int) -> tuple[str, int]:
    if text.startswith("["):
        host, closed, rest = text[1:].partition("]")
        port = rest.removeprefix(":")
        if not closed or not is_address(host) or (rest and not rest.startswith(":")):
            raise ValueError(f"不认识的地址 {text[:80]}，写成 [地址]:端口")
    elif text.count(":") > 1:
        host, port = text, ""
        if not is_address(host):
            raise ValueError(f"不认识的地址 {text[:80]}，IPv6 写成 [地址]:端口")
    else:
        host, _, port = text.partition(":")
    if not host or any(c.isspace() or c in "/@?#" for c in host):
        raise ValueError(f"不认识的地址 {text[:80]!r}，写成 主机:端口，不带 https:// 和路径")
    if port and not (port.isdecimal() and 0 < int(port) < 65536):
        raise ValueError(f"端口 {port[:20]!r} 不对，要 1 至 65535")
    if not is_address(host):
        _ascii(host)
    return host, int(port) if port else default


def _ascii(name: str) -> str:
    """A name as it goes over the wire (IDNA); "" stays so."""
    if not name:
        return ""
    try:
        return name.rstrip(".").encode("idna").decode("ascii").lower()
    except UnicodeError as error:
        raise ValueError(f"不认识的名字 {name[:80]!r}") from error
