"""Things of other sources, for the sources that are read last: what a monitoring system may have measured, by
the names it may call them, and the accounts that somebody who left may still hold."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from typing import Final, NamedTuple

from inventory.kinds.address import Address
from inventory.kinds.cloud import Cloud
from inventory.kinds.cluster import Node, Workload
from inventory.kinds.compute import Hypervisor, Server
from inventory.kinds.device_config import DeviceConfig
from inventory.kinds.host import Account, Host
from inventory.kinds.identity import User
from inventory.kinds.network import Device, Interface
from inventory.kinds.virtual_network import LoadBalancer, Router
from inventory.resource import Resource
from inventory.unknown import Unknown, or_none

MEASURED: tuple[type[Resource], ...] = (
    Server, Hypervisor, Node, Host, Workload, Device, Interface, Cloud, Router, LoadBalancer,
)  # fmt: skip
HOLDING: tuple[type[Resource], ...] = (Account, User, DeviceConfig)
"""Kinds that are accounts, or have some."""
NAMED: tuple[type[Resource], ...] = (Cloud,)
"""Kinds that a register may call by a name, besides those that are measured."""


class Login(NamedTuple):
    """An account by its name. ``active``: whether it can log in, until the day it ``expires``; None = what
    that hangs on was not seen. ``realm``: domain of the name; "" = there is but one, or it was not seen."""

    name: str
    active: bool | None
    expires: date | None = None
    realm: str = ""


_NO_LINK: Final = (24, 53, 131, 135, 136)
"""IANAifType of what is no link of its own: softwareLoopback, propVirtual, tunnel, l2vlan, l3ipvlan."""


class Link(NamedTuple):
    """What is known of an interface besides its names; None = not known."""

    owner: str  # uid of the device or host
    if_index: int | None
    speed_bps: int | None
    up: bool | None
    virtual: bool


class Thing(NamedTuple):
    """One resource with its native id, its other names (names, host names, addresses), and its accounts.
    ``owner``: uid of the machine that these are accounts of."""

    uid: str
    source: str
    kind: str
    native_id: str
    names: tuple[str, ...] = ()
    logins: tuple[Login, ...] = ()
    link: Link | None = None  # of an interface alone
    owner: str = ""


def thing_of(resource: Resource) -> Thing | None:
    """The thing that a resource is; None for a kind that nobody measures and that has no accounts."""
    if isinstance(resource, HOLDING):
        logins = _logins(resource)
        owner = next(iter((*resource.related("runs_on"), *resource.related("part_of"))), "")
        if isinstance(resource, User):
            owner = ""  # of the one platform of its source
        return Thing(
            resource.uid, resource.source, resource.KIND, resource.native_id, logins=logins, owner=owner
        )
    if not isinstance(resource, (*MEASURED, *NAMED)):
        return None
    if isinstance(resource, Interface):
        return _interface(resource)
    names = [_text(resource.name), _text(getattr(resource, "host", None))]
    if isinstance(resource, Device):
        names.append(_text(resource.management_address))
    if isinstance(resource, Node):
        addresses = [] if isinstance(resource.addresses, Unknown) else resource.addresses
        names += [_text(a.address) for a in addresses if isinstance(a, Address)]
    found = tuple(dict.fromkeys(name for name in names if name))
    return Thing(resource.uid, resource.source, resource.KIND, resource.native_id, found)


def _logins(resource: Resource) -> tuple[Login, ...]:
    """The accounts of a resource."""
    match resource:
        case Account():
            return (Login(_text(resource.name), _works(resource), or_none(resource.expires)),)
        case User():
            realm = _text(or_none(resource.domain))
            return (Login(_text(resource.name), or_none(resource.enabled), realm=realm),)
        case DeviceConfig():
            users = or_none(resource.users) or []
            return tuple(Login(_text(user.name), or_none(user.enabled)) for user in users)
    return ()


def _works(account: Account) -> bool | None:
    """Whether somebody can log in. A locked password does not tell: a key may open the account all the same,
    and keys are not read."""
    shell, password = or_none(account.login_allowed), or_none(account.password)
    if shell is False:
        return False
    return True if shell and password in ("set", "empty") else None


def _interface(one: Interface) -> Thing | None:
    owner = next(iter(one.related("part_of")), "")
    if not owner:
        return None
    virtual = or_none(one.loopback) is True or or_none(one.interface_type) in _NO_LINK
    link = Link(owner, or_none(one.index), or_none(one.speed_bps), or_none(one.oper_up), virtual)
    names = tuple(dict.fromkeys(n for n in (_text(one.name), _text(one.description)) if n))
    return Thing(one.uid, one.source, one.KIND, one.native_id, names, link=link)


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


class Directory:
    """Finds a thing by what a label says. A name that two things have finds neither."""

    def __init__(self, things: Iterable[Thing], sources: Iterable[str] = ()) -> None:
        self.sources = sorted(set(sources))
        self._by_id: dict[tuple[str, str], set[str]] = defaultdict(set)
        self._by_name: dict[tuple[str, str], set[str]] = defaultdict(set)
        self._listed: set[tuple[str, str]] = set()
        self._of_kind: dict[str, list[Thing]] = defaultdict(list)
        self._links: dict[str, list[Thing]] = defaultdict(list)
        for thing in things:
            if self.sources and thing.source not in self.sources:
                continue
            self._listed.add((thing.source, thing.kind))
            if thing.link is not None:  # found by way of their device alone: a name is one of many there
                self._links[thing.link.owner].append(thing)
                continue
            self._of_kind[thing.kind].append(thing)
            self._by_id[thing.kind, thing.native_id.lower()].add(thing.uid)
            for name in thing.names:
                for word in {name.lower(), name.lower().partition(".")[0] if _has_letter(name) else name}:
                    self._by_name[thing.kind, word].add(thing.uid)

    def find(self, kind: str, label: str) -> str | None:
        """Uid by native id, else by name: whole, without a port, or without the domain."""
        found = self.candidates(kind, label)
        return next(iter(found)) if len(found) == 1 else None

    def candidates(self, kind: str, label: str) -> set[str]:
        """Uids of all that a label may mean; several are several things of one name."""
        text = label.strip().lower()
        found = self._by_id.get((kind, text))
        if not found:
            host = _without_port(text)
            words = [text, host, *([host.partition(".")[0]] if _has_letter(host) else [])]
            found = next((held for w in words if w and (held := self._by_name.get((kind, w)))), None)
        return found or set()

    def of_kind(self, kind: str) -> list[Thing]:
        """Everything of a kind (but interfaces)."""
        return self._of_kind.get(kind, [])

    def links(self, owner: str) -> list[Thing]:
        """Interfaces of a device or host, by its uid."""
        return self._links.get(owner, [])

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
