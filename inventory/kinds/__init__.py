"""The kinds of resources: a module per family, one registry."""

from __future__ import annotations

from inventory.kinds import cloud, host, network
from inventory.resource import Resource

KINDS: dict[str, type[Resource]] = {
    kind.KIND: kind for family in (cloud, host, network) for kind in family.FAMILY
}
"""Kind name → type, in the order of the families. The name is the same word in code, store, command
line, metrics and reports."""
