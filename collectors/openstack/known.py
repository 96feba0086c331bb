"""What lists tell about each other: names for ids, ids to hold against ids. Never whole rows, so that
memory does not grow with them."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

import msgspec

from inventory.kinds.usage import Amount
from inventory.kinds.virtual_network import BalancerListener


class Roles(msgspec.Struct, kw_only=True):
    """Role names and projects by user id, from effective assignments (groups, inheritance and implied
    roles resolved by keystone). Those leave out roles on the system, which are kept as they were made."""

    names: dict[str, set[str]] = msgspec.field(default_factory=dict)
    projects: dict[str, set[str]] = msgspec.field(default_factory=dict)
    services: set[str] = msgspec.field(default_factory=set)  # users with a role in a service project
    users_on_system: dict[str, set[str]] = msgspec.field(default_factory=dict)
    groups_on_system: dict[str, set[str]] = msgspec.field(default_factory=dict)


class Inventory(msgspec.Struct):
    """How much of one class of resources a provider has (Placement)."""

    total: float
    reserved: float = 0
    allocation_ratio: float = 1.0


class Provider(msgspec.Struct, kw_only=True):
    """What is known of one resource provider; ``root`` is the compute node that it belongs to."""

    root: str
    inventories: dict[str, Inventory] = msgspec.field(default_factory=dict)
    allocated: dict[str, float] = msgspec.field(default_factory=dict)
    consumers: list[str] = msgspec.field(default_factory=list)
    traits: list[str] = msgspec.field(default_factory=list)


class Touched(msgspec.Struct, kw_only=True):
    """A server that changed lately, and may be gone."""

    name: str
    project: str | None
    changed_at: datetime


class Known(msgspec.Struct, kw_only=True):
    """Filled by ``Row.learn``, each field by the thread of one service; read by mappers of any."""

    ids: dict[str, set[str]] = msgspec.field(default_factory=dict)  # kind → native ids handed over

    # identity
    domains: dict[str, str] = msgspec.field(default_factory=dict)  # id → name
    levels: dict[str, int] = msgspec.field(default_factory=dict)  # project → 等保 level, if it declares one
    roles: Roles = msgspec.field(default_factory=Roles)
    providers: dict[str, bytes] = msgspec.field(default_factory=dict)  # identity providers as listed
    users: dict[str, tuple[str, bool]] = msgspec.field(default_factory=dict)  # id → name, enabled
    federated: set[str] = msgspec.field(default_factory=set)  # users
    groups: dict[str, bytes] = msgspec.field(default_factory=dict)  # user groups as listed
    groups_of: dict[str, list[str]] = msgspec.field(default_factory=dict)  # user → groups
    implied_roles: dict[str, list[str]] = msgspec.field(default_factory=dict)  # role name → names
    trusts: set[str] = msgspec.field(default_factory=set)

    # placement
    resource_providers: dict[str, Provider] = msgspec.field(default_factory=dict)  # by id

    # compute
    zones: dict[str, str] = msgspec.field(default_factory=dict)  # host → availability zone
    aggregates_of: dict[str, dict[str, str]] = msgspec.field(default_factory=dict)  # host → id → name
    hypervisors: dict[str, str] = msgspec.field(default_factory=dict)  # host name → id
    flavors: dict[str, str] = msgspec.field(default_factory=dict)  # name → id
    node_addresses: dict[str, str] = msgspec.field(default_factory=dict)  # host → where nova manages it
    server_group_of: dict[str, str] = msgspec.field(default_factory=dict)  # server → server group
    servers_listed: set[str] = msgspec.field(default_factory=set)
    projects_on: dict[str, set[str]] = msgspec.field(default_factory=dict)  # node → with servers on it
    touched: dict[str, Touched] = msgspec.field(default_factory=dict)  # by server
    actions_of: dict[str, set[str]] = msgspec.field(default_factory=dict)  # server → words, of those asked
    volumes_attached: set[str] = msgspec.field(default_factory=set)  # as servers tell
    servers_with_addresses: set[str] = msgspec.field(default_factory=set)

    # volume
    volumes_listed: set[str] = msgspec.field(default_factory=set)
    volume_types: dict[str, str] = msgspec.field(default_factory=dict)  # name → id
    type_encryption: dict[str, bytes] = msgspec.field(default_factory=dict)  # type → its own answer
    default_volume_type: str | None = None  # "" = none is set; None = not seen
    qos_specs: dict[str, str] = msgspec.field(default_factory=dict)  # id → name
    keys_told: bool = False  # cinder goes as far as to tell the keys of volumes and backups
    volume_keys: set[str] = msgspec.field(default_factory=set)  # in the key manager
    last_backups: dict[str, datetime] = msgspec.field(default_factory=dict)  # volume → newest

    # network
    prefix_lengths: dict[str, int] = msgspec.field(default_factory=dict)  # subnet id → length
    ports_listed: int = 0
    devices_with_ports: set[str] = msgspec.field(default_factory=set)
    features: set[str] = msgspec.field(default_factory=set)  # aliases of neutron's extensions
    filtering: set[str] = msgspec.field(default_factory=set)  # projects that made a security group themselves
    groups_in_use: set[str] = msgspec.field(default_factory=set)
    # type of thing → its id → projects it is shared with, "*" = all
    shares: dict[str, dict[str, set[str]]] = msgspec.field(default_factory=dict)
    trunks: dict[str, str] = msgspec.field(default_factory=dict)  # parent port → trunk
    grounded: set[str] = msgspec.field(default_factory=set)  # networks whose addresses are the site's own
    external: set[str] = msgspec.field(default_factory=set)  # networks that floating IPs come from
    # external network → its floating IPs, and whether a port has each
    floating: dict[str, list[tuple[str, bool]]] = msgspec.field(default_factory=dict)
    address_amounts: dict[str, list[Amount]] = msgspec.field(default_factory=dict)  # by subnet

    # image
    architectures: dict[str, str | None] = msgspec.field(default_factory=dict)  # image → as declared
    images_hardened: dict[str, bool | None] = msgspec.field(default_factory=dict)  # as its marks say
    images_shared: set[str] = msgspec.field(default_factory=set)
    image_members: dict[str, set[str]] = msgspec.field(default_factory=dict)
    image_keys: set[str] = msgspec.field(default_factory=set)  # in the key manager

    # load balancer
    listeners: dict[str, list[BalancerListener]] = msgspec.field(default_factory=dict)  # by balancer
    listener_keys: set[str] = msgspec.field(default_factory=set)  # in the key manager

    # key manager
    contained_keys: set[str] = msgspec.field(default_factory=set)  # in containers that something uses

    # name service
    record_types: dict[str, Counter[str]] = msgspec.field(default_factory=dict)  # by zone

    # shared file systems
    shares_listed: set[str] = msgspec.field(default_factory=set)
    share_access: dict[str, list[str]] = msgspec.field(default_factory=dict)

    # object storage
    containers_listed: list[str] = msgspec.field(default_factory=list)  # account/name, quoted for a path

    # all
    owners: set[str] = msgspec.field(default_factory=set)  # projects that something belongs to
