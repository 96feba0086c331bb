"""The kinds of resources: a module per family, one registry."""

from __future__ import annotations

from inventory.kinds import (
    cloud,
    cluster,
    compute,
    crypto,
    device_config,
    host,
    identity,
    load,
    management,
    network,
    register,
    review,
    storage,
    usage,
    virtual_network,
    web,
)
from inventory.resource import Resource

FAMILIES = (
    cloud, identity, compute, storage, virtual_network, cluster, host, network, device_config, crypto,
    web, usage, load, management, register, review,
)  # fmt: skip
KINDS: dict[str, type[Resource]] = {kind.KIND: kind for family in FAMILIES for kind in family.FAMILY}
"""Kind name → type, in the order of the families. The name is the same word in code, store, command
line, metrics and reports."""
