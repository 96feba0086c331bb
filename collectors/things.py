"""Things of other sources, for the sources that are read last: what a monitoring system may have measured, by
the names it may call them, and the accounts that somebody who left may still hold."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from typing import NamedTuple

from inventory.kinds.address import Address
from inventory.kinds.cluster import Node, Workload
from inventory.kinds.compute import Hypervisor, Server
from inventory.kinds.device_config import DeviceConfig
from inventory.kinds.host import Account, Host
from inventory.kinds.identity import User
from inventory.resource import Resource
from inventory.unknown import Unknown, or_none

MEASURED: tuple[type[Resource], ...] = (Server, Hypervisor, Node, Host, Workload)
HOLDING: tuple[type[Resource], ...] = (Account, User, DeviceConfig)
"""Kinds that are accounts, or have some."""


class Login(NamedTuple):
    """An account by its name. ``active``: whether it can log in, until the day it ``expires``; None = what
    that hangs on was not seen."""

    name: str
    active: bool | None
    expires: date | None = None


class Thing(NamedTuple):
    """One resource with its native id, its other names (names, host names, addresses), and its accounts."""

    uid: str
    source: str
    kind: str
    native_id: str
    names: tuple[str, ...] = ()
    logins: tuple[Login, ...] = ()


def thing_of(resource: Resource) -> Thing | None:
    """The thing that a resource is; None for a kind that nobody measures and that has no accounts."""
    if isinstance(resource, HOLDING):
        logins = _logins(resource)
        return Thing(resource.uid, resource.source, resource.KIND, resource.native_id, logins=logins)
    if not isinstance(resource, MEASURED):
        return None
    names = [_text(resource.name), _text(getattr(resource, "host", None))]
    if isinstance(resource, Node):
        addresses = [] if isinstance(resource.addresses, Unknown) else resource.addresses
        names += [_text(a.address) for a in addresses if isinstance(a, Address)]
    found = tuple(dict.fromkeys(name for name in names if name))
    return Thing(resource.uid, resource.source, resource.KIND, resource.native_id, found)


def _logins(resource: Resource) -> tuple[Login, ...]:
    """The accounts of a resource. That a key opens an account whose password is locked is not seen."""
    match resource:
        case Account():
            return (Login(_text(resource.name), _works(resource), or_none(resource.expires)),)
        case User():
            return (Login(_text(resource.name), or_none(resource.enabled)),)
        case DeviceConfig():
            users = or_none(resource.users) or []
            return tuple(Login(_text(user.name), or_none(user.enabled)) for user in users)
    return ()


def _works(account: Account) -> bool | None:
    """Whether somebody can log in with the account's password."""
    shell, password = or_none(account.login_allowed), or_none(account.password)
    if shell is False or password in ("locked", "none"):
        return False
    return None if shell is None or password is None else True


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


class Directory:
    """Finds a thing by what a label says. A name that two things have finds neither."""

    def __init__(self, things: Iterable[Thing], sources: Iterable[str] = ()) -> None:
        self.sources = sorted(set(sources))
        self._by_id: dict[tuple[str, str], set[str]] = defaultdict(set)
        self._by_name: dict[tuple[str, str], set[str]] = defaultdict(set)
        self._listed: set[tuple[str, str]] = set()
        for thing in things:
            if self.sources and thing.source not in self.sources:
                continue
            self._listed.add((thing.source, thing.kind))
            self._by_id[thing.kind, thing.native_id.lower()].add(thing.uid)
            for name in thing.names:
                for word in {name.lower(), name.lower().partition(".")[0] if _has_letter(name) else name}:
                    self._by_name[thing.kind, word].add(thing.uid)

    def find(self, kind: str, label: str) -> str | None:
        """Uid by native id, else by name: whole, without a port, or without the domain."""
        text = label.strip().lower()
        found = self._by_id.get((kind, text))
        if not found:
            host = _without_port(text)
            words = [text, host, *([host.partition(".")[0]] if _has_letter(host) else [])]
            found = next((held for w in words if w and (held := self._by_name.get((kind, w)))), None)
        return next(iter(found)) if found and len(found) == 1 else None

    def lists(self, source: str, kind: str) -> bool:
        """Whether anything of the kind is known of the source."""
        return (source, kind) in self._listed


def _has_letter(text: str) -> bool:
    return any(c.isalpha() for c in text) and ":" not in text


def _without_port(text: str) -> str:
    if text.startswith("["):
        return text[1:].partition("]")[0]
    host, colon, port = text.rpartition(":")
    return host if colon and port.isdecimal() and ":" not in host else text
