"""What changed of the configuration of machines between two looks, for sources that are read last.

Configuration is what somebody sets: state (running, synchronised), counters, and what updates itself are no
part of it. A value that was not seen on one side is no change: it may be that more is read now than before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

import msgspec

from inventory.kinds.cloud import Cloud, PlatformService
from inventory.kinds.cluster import Cluster, ControlPlaneComponent
from inventory.kinds.compute import InstanceAction
from inventory.kinds.device_config import DeviceConfig
from inventory.kinds.host import Host
from inventory.kinds.network import Device
from inventory.kinds.review import ChangeReview
from inventory.resource import Resource, field_names
from inventory.unknown import UNKNOWN, Unknown, or_none

_COMMON: Final = frozenset(field_names(Resource))
_STATE: Final = frozenset({"running", "synchronized", "lines"})
"""Fields of nested rows that tell a state, or where something stands."""
_UPDATING: Final = frozenset({"signatures", "complete", "saved"})
_TABLES: Final = frozenset({"flags"})  # fields that hold a table
CONFIGURED: Final[dict[type[Resource], tuple[str, ...]]] = {
    Host: (
        "os_version", "kernel", "ssh", "password_policy", "lockout", "session_timeout_seconds", "umask",
        "time_sync", "audit", "logging", "mandatory_access_control", "firewall", "firewall_families",
        "ipv6_enabled", "core_dumps_exposed", "history_size",
    ),
    DeviceConfig: tuple(f for f in field_names(DeviceConfig) if f not in _COMMON | _UPDATING),
    Device: ("software", "version", "model"),
    Cloud: ("services", "endpoints"),
    PlatformService: ("enabled",),
    Cluster: (
        "version", "api_groups", "custom_kinds", "service_families", "anonymous_permissions",
        "pod_security_admission", "control_plane_nodes",
    ),
    ControlPlaneComponent: ("image", "flags"),
}  # fmt: skip
"""Kind → its fields that are configuration."""
_CORE: Final[dict[type[Resource], tuple[str, ...]]] = {
    Host: ("ssh", "password_policy", "audit"),
    DeviceConfig: ("line_count",),
    Cloud: ("services",),
    Cluster: ("version",),
}
"""Kinds that are a machine's configuration, and what must have been seen so that no change is hidden."""


class Change(NamedTuple):
    """Something that was done to a machine after ``since`` and until ``until`` (the same where the moment is
    known): ``what`` it touched, and the names that an order may call the machine by."""

    uid: str
    names: tuple[str, ...]
    since: datetime
    until: datetime
    what: tuple[str, ...]


class Watched(NamedTuple):
    """A machine, with the names of ``names_of``. ``since``: when it was seen before, None = never;
    ``seen_at``: when it was seen last; ``whole``: enough of its configuration was."""

    uid: str
    names: tuple[str, ...]
    since: datetime | None
    seen_at: datetime
    whole: bool


class Past(NamedTuple):
    """What a source that is read last may know of before: the machines, what changed of them since it last
    told, and what it told then (by uid of the machine); and which servers of which cloud (uid) were created
    or started again of late."""

    watched: list[Watched]
    changes: list[Change]
    told: Mapping[str, ChangeReview]
    started: Sequence[tuple[InstanceAction, str]] = ()


_STARTING: Final = frozenset(
    "create rebuild reboot start restore resume unpause unshelve unrescue evacuate".split()
)


def starts(action: InstanceAction) -> bool:
    """Whether a server was created or put to work again by it, as far as is known."""
    return action.action in _STARTING and action.failed is not True


NOTHING: Final = Past([], [], {})


def machine_of(resource: Resource, platforms: Mapping[tuple[str, str], str]) -> str:
    """Uid of the machine whose configuration a resource is, or is part of; ``platforms``: (source, kind) →
    uid. "" where it is not known."""
    if isinstance(resource, DeviceConfig):
        return next(iter(resource.related("part_of")), "")
    if isinstance(resource, PlatformService):
        return platforms.get((resource.source, Cloud.KIND), "")
    if isinstance(resource, ControlPlaneComponent):
        return platforms.get((resource.source, Cluster.KIND), "")
    return resource.uid


def is_machine(resource: Resource) -> bool:
    """Whether it tells the configuration of a machine (a device seen from outside does not)."""
    return type(resource) in _CORE


def seen_whole(resource: Resource) -> bool:
    """Whether enough was seen of a machine's configuration."""
    return all(not isinstance(getattr(resource, f), Unknown) for f in _CORE[type(resource)])


def names_of(resource: Resource) -> tuple[str, ...]:
    """What an order may call a machine: first what the configuration calls it, then what it calls itself."""
    names = [
        resource.native_id,
        or_none(resource.name),
        or_none(getattr(resource, "management_address", None)),
    ]
    if isinstance(resource, (Cloud, Cluster)):
        names[0] = resource.source
    return tuple(dict.fromkeys(name for name in names if isinstance(name, str) and name))


def changed(before: Resource, after: Resource) -> tuple[str, ...]:
    """Fields of the configuration that differ between two versions of one resource."""
    return tuple(
        field
        for field in CONFIGURED.get(type(after), ())
        if _differ(getattr(before, field, UNKNOWN), getattr(after, field, UNKNOWN))
    )


def changed_fields(kind: type[Resource], fields: Mapping[str, tuple[Any, Any]]) -> tuple[str, ...]:
    """The same of what a store tells of two versions: field → plain values, before and after."""
    return tuple(f for f in CONFIGURED[kind] if f in fields and _differ(*fields[f], structs=f not in _TABLES))


def moment_of(after: Resource, since: datetime, until: datetime) -> tuple[datetime, datetime]:
    """When a change was, as near as can be told: the moment that a device itself gives, where it can be."""
    at = or_none(getattr(after, "changed_at", UNKNOWN))
    return (at, at) if isinstance(at, datetime) and since <= at <= until else (since, until)


def _differ(before: Any, after: Any, *, structs: bool = False) -> bool:
    """``structs``: a dict is a row of which what was not seen is absent, not a table."""
    if isinstance(before, Unknown) or isinstance(after, Unknown):
        return False
    if isinstance(before, msgspec.Struct) and isinstance(after, msgspec.Struct):
        return any(
            _differ(getattr(before, name), getattr(after, name, UNKNOWN))
            for name in before.__struct_fields__
            if name not in _STATE
        )
    if isinstance(before, list) and isinstance(after, list):
        if len(before) != len(after):
            return True
        return any(_differ(*pair, structs=structs) for pair in zip(before, after, strict=True))
    if structs and isinstance(before, dict) and isinstance(after, dict):
        both = (before.keys() & after.keys()) - _STATE
        return any(_differ(before[name], after[name], structs=True) for name in both)
    return bool(before != after)
