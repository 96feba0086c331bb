"""The resource: one thing that exists, seen through one source.

A kind is a typed ``Resource`` subclass. It is vendor-neutral: one rule about ``security_group`` serves
every cloud. Every observed field defaults to ``UNKNOWN``; a collector sets what it saw.
"""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import msgspec

from inventory.unknown import UNKNOWN, Maybe

RelationType = Literal[
    "in_project",  # cloud resource → project (a user's home project likewise)
    "in_domain",  # project, user → identity domain
    "runs_on",  # server → hypervisor; account, listener, interface → host or device
    "attached_to",  # volume, port, floating_ip, instance action, its trail → server or port
    "in_network",  # subnet, port → network
    "protected_by",  # port → security_group
    "made_from",  # server → image; volume snapshot, backup → volume
    "has_flavor",  # server → flavor
    "part_of",  # interface → device or host
    "granted_to",  # application credential, role assignment, trust → user, group, service account
    "grants",  # role assignment → role
    "in_namespace",  # cluster resource → namespace
    "member_of",  # server → server group; hypervisor → aggregate; user → user group
    "has_type",  # volume, volume claim → volume type
    "bound_to",  # volume claim → volume
    "uses",  # workload → service account, secret, volume claim; ingress → secret
    "routes_to",  # ingress → cluster service; cluster service → workload
    "governs",  # network policy → workload
    "measures",  # utilization → what it measures
    "reviews",  # what a register says → what it was held against
    "neighbour_of",  # device → device
    "terminates_tls",  # endpoint → certificate
]


class Relation(msgspec.Struct, array_like=True, frozen=True, order=True, gc=False):
    """A typed edge from the resource that holds it to ``target`` (a uid that may lie in no snapshot)."""

    type: RelationType
    target: str


class Resource(msgspec.Struct, kw_only=True, omit_defaults=True, gc=False):
    """Common part of every kind.

    ``native_id`` is the source's own stable id (a UUID, an ifIndex under its device, a user name on its
    host); the name may change, the id may not. ``scope`` is the part of the source the resource was
    listed under ("" = the whole source): absence is judged per (source, scope, kind).
    """

    KIND: ClassVar[str] = ""
    TITLE: ClassVar[str] = ""  # 中文 name of the kind
    VOLATILE: ClassVar[frozenset[str]] = frozenset()  # fields kept beside the hash and the history

    source: str
    native_id: str
    scope: str = ""
    name: Maybe[str] = UNKNOWN
    labels: dict[str, str] = msgspec.field(default_factory=dict)
    relations: list[Relation] = msgspec.field(default_factory=list)

    @property
    def uid(self) -> str:
        """source/kind/native id: unique in a store, stable across runs and renames."""
        return f"{self.source}/{self.KIND}/{self.native_id}"

    def related(self, type_: RelationType) -> list[str]:
        """Uids at the far end of this resource's edges of one type."""
        return [r.target for r in self.relations if r.type == type_]


class Nested(msgspec.Struct, kw_only=True, omit_defaults=True, gc=False):
    """A row inside a resource (a rule of a security group, an address of a port)."""


def uid_of(source: str, kind: str, native_id: str) -> str:
    """The uid that a resource of this kind would have; for building relations."""
    return f"{source}/{kind}/{native_id}"


def field_names(kind: type[msgspec.Struct]) -> tuple[str, ...]:
    """Names of the fields of a kind in declaration order."""
    return kind.__struct_fields__


def plain(resource: msgspec.Struct) -> dict[str, Any]:
    """JSON-able dict of what is known about a resource."""
    result: dict[str, Any] = msgspec.to_builtins(resource)
    return result
