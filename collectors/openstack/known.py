"""What lists tell about each other: names for ids, ids to hold against ids. Never whole rows, so that
memory does not grow with them."""

from __future__ import annotations

import msgspec


class Roles(msgspec.Struct, kw_only=True):
    """Role names and projects by user id, from effective assignments (groups, inheritance and implied
    roles resolved by keystone)."""

    names: dict[str, set[str]] = msgspec.field(default_factory=dict)
    projects: dict[str, set[str]] = msgspec.field(default_factory=dict)
    services: set[str] = msgspec.field(default_factory=set)  # users with a role in a service project


class Known(msgspec.Struct, kw_only=True):
    """Filled by ``Row.learn``, each field by the thread of one service; read by mappers of any."""

    ids: dict[str, set[str]] = msgspec.field(default_factory=dict)  # kind → native ids handed over

    # identity
    domains: dict[str, str] = msgspec.field(default_factory=dict)  # id → name
    roles: Roles = msgspec.field(default_factory=Roles)
    providers: dict[str, bytes] = msgspec.field(default_factory=dict)  # identity providers as listed
    federated: set[str] = msgspec.field(default_factory=set)  # users
    groups: dict[str, bytes] = msgspec.field(default_factory=dict)  # user groups as listed
    groups_of: dict[str, list[str]] = msgspec.field(default_factory=dict)  # user → groups
    implied_roles: dict[str, list[str]] = msgspec.field(default_factory=dict)  # role id → names
    trusts: set[str] = msgspec.field(default_factory=set)

    # compute
    zones: dict[str, str] = msgspec.field(default_factory=dict)  # host → availability zone
    hypervisors: dict[str, str] = msgspec.field(default_factory=dict)  # host name → id
    flavors: dict[str, str] = msgspec.field(default_factory=dict)  # name → id
    volumes_attached: set[str] = msgspec.field(default_factory=set)  # as servers tell
    servers_with_addresses: int = 0

    # volume
    volumes_listed: set[str] = msgspec.field(default_factory=set)

    # network
    prefix_lengths: dict[str, int] = msgspec.field(default_factory=dict)  # subnet id → length
    ports_listed: int = 0
    groups_in_use: set[str] = msgspec.field(default_factory=set)
