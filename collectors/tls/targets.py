"""Targets as people write them."""

from __future__ import annotations

import msgspec

from collectors.endpoints import shown, split, wire_name
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
    host, port = split(target.address, _PORTS[target.starttls])
    named = target.server_name
    name = wire_name(named) if named is not None else ("" if is_address(host) else wire_name(host))
    suffix = f"/{name}" if name and name != host else ""
    return Asked(
        host=host,
        port=port,
        server_name=name,
        starttls=target.starttls,
        scope=f"{shown(host, port)}{suffix}",
    )
