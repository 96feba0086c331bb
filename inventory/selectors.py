"""Selectors: which resources belong to something, told by structure and not by an expression."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final

import msgspec

from inventory.kinds.address import Address
from inventory.kinds.cloud import Project
from inventory.kinds.cluster import Namespace
from inventory.resource import RelationType, Resource
from inventory.snapshot import Snapshot
from inventory.unknown import Unknown


class Selector(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """All given conditions must hold; a condition lists alternatives; text may hold ``*`` and ``?``.

    ``projects`` matches a project's name or id and takes in the project, and all that lies in it.
    ``namespaces`` does the same with a cluster's namespaces, by name (with ``sources`` for one cluster's).
    ``addresses`` are prefixes: a resource matches that has an address inside one.
    """

    sources: list[str] = msgspec.field(default_factory=list)
    kinds: list[str] = msgspec.field(default_factory=list)
    names: list[str] = msgspec.field(default_factory=list)
    labels: dict[str, str] = msgspec.field(default_factory=dict)
    projects: list[str] = msgspec.field(default_factory=list)
    namespaces: list[str] = msgspec.field(default_factory=list)
    addresses: list[str] = msgspec.field(default_factory=list)

    def __post_init__(self) -> None:
        for prefix in self.addresses:
            ip_network(prefix, strict=False)  # ValueError names the wrong one
        if not any(getattr(self, name) for name in self.__struct_fields__):
            raise ValueError(
                "选择条件为空：至少写一项（sources、kinds、names、labels、projects、namespaces、addresses）"
            )


def select(
    snapshot: Snapshot, selectors: list[Selector], *, among: Sequence[Resource] | None = None
) -> list[Resource]:
    """Resources that any of the selectors takes, in the snapshot's order; ``among`` some, in theirs."""
    looked = list(snapshot) if among is None else among
    taken = [_taken(looked, selector, snapshot) for selector in selectors]
    if len(taken) == 1:
        return taken[0]
    chosen = {resource.uid for some in taken for resource in some}
    return [r for r in looked if r.uid in chosen] if chosen else []


class _Fits(dict[str, bool]):
    """Whether a text fits one of the patterns: asked for each of many resources, told once per text."""

    def __init__(self, patterns: list[str]) -> None:
        super().__init__()
        self.patterns = patterns

    def __missing__(self, text: str) -> bool:
        self[text] = fits = _any(self.patterns, text)
        return fits


def _taken(looked: Sequence[Resource], selector: Selector, snapshot: Snapshot) -> list[Resource]:
    """What one selector takes: by its source and kind first, which most selectors leave it at."""
    rows = list(looked)
    if selector.sources:
        of_source = _Fits(selector.sources)
        rows = [r for r in rows if of_source[r.source]]
    if selector.kinds:
        kinds = frozenset(selector.kinds)
        rows = [r for r in rows if r.KIND in kinds]
    if not any(getattr(selector, name) for name in ("names", "labels", *_WHOLES, "addresses")):
        return rows
    wholes = {
        inside: _uids(snapshot, kind, getattr(selector, name))
        for name, (kind, inside) in _WHOLES.items()
        if getattr(selector, name)
    }
    return [r for r in rows if _matches(r, selector, wholes)]


_WHOLES: Final[dict[str, tuple[type[Project] | type[Namespace], RelationType]]] = {
    "projects": (Project, "in_project"),
    "namespaces": (Namespace, "in_namespace"),
}


def _uids(snapshot: Snapshot, kind: type[Project] | type[Namespace], patterns: list[str]) -> set[str]:
    """Uids of the projects or namespaces whose name or id matches."""
    return {
        one.uid
        for one in snapshot.of(kind)
        if _any(patterns, one.native_id) or (not isinstance(one.name, Unknown) and _any(patterns, one.name))
    }


def _any(patterns: list[str], text: str) -> bool:
    return any(fnmatchcase(text, pattern) for pattern in patterns)


def _matches(resource: Resource, selector: Selector, wholes: dict[RelationType, set[str]]) -> bool:
    if selector.names and (isinstance(resource.name, Unknown) or not _any(selector.names, resource.name)):
        return False
    if selector.labels and not all(
        fnmatchcase(resource.labels.get(key, ""), pattern) for key, pattern in selector.labels.items()
    ):
        return False
    for inside, uids in wholes.items():
        if resource.uid not in uids and not any(uid in uids for uid in resource.related(inside)):
            return False
    return not selector.addresses or _has_address(resource, selector.addresses)


def _has_address(resource: Resource, prefixes: list[str]) -> bool:
    held = getattr(resource, "addresses", None)
    if held is None or isinstance(held, Unknown):
        held = []
    texts = [a.address for a in held if isinstance(a, Address) and not isinstance(a.address, Unknown)]
    management = getattr(resource, "management_address", None)
    if isinstance(management, str):
        texts.append(management)
    parsed = [address for address in map(_parsed, texts) if address is not None]
    networks = [ip_network(prefix, strict=False) for prefix in prefixes]
    return any(a.version == n.version and a in n for a in parsed for n in networks)


def _parsed(text: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(text)
    except ValueError:  # a device may be managed by a name
        return None
