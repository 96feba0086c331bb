"""Selectors: which resources belong to something, told by structure and not by an expression."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

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
    chosen: dict[str, Resource] = {}
    looked = snapshot if among is None else among
    for selector in selectors:
        projects = _uids(snapshot, Project, selector.projects)
        namespaces = _uids(snapshot, Namespace, selector.namespaces)
        for resource in looked:
            if _matches(resource, selector, projects, namespaces):
                chosen.setdefault(resource.uid, resource)
    return [r for r in looked if r.uid in chosen]


def _uids(snapshot: Snapshot, kind: type[Project] | type[Namespace], patterns: list[str]) -> set[str]:
    """Uids of the projects or namespaces whose name or id matches."""
    if not patterns:
        return set()
    return {
        one.uid
        for one in snapshot.of(kind)
        if _any(patterns, one.native_id) or (not isinstance(one.name, Unknown) and _any(patterns, one.name))
    }


def _any(patterns: list[str], text: str) -> bool:
    return any(fnmatchcase(text, pattern) for pattern in patterns)


def _inside(resource: Resource, type_: RelationType, wholes: set[str]) -> bool:
    return resource.uid in wholes or any(uid in wholes for uid in resource.related(type_))


def _matches(resource: Resource, selector: Selector, projects: set[str], namespaces: set[str]) -> bool:
    if selector.sources and not _any(selector.sources, resource.source):
        return False
    if selector.kinds and resource.KIND not in selector.kinds:
        return False
    if selector.names and (isinstance(resource.name, Unknown) or not _any(selector.names, resource.name)):
        return False
    if selector.labels and not all(
        fnmatchcase(resource.labels.get(key, ""), pattern) for key, pattern in selector.labels.items()
    ):
        return False
    if selector.projects and not _inside(resource, "in_project", projects):
        return False
    if selector.namespaces and not _inside(resource, "in_namespace", namespaces):
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
