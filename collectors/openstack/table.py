"""The table of everything that is read of a cloud. Services are read side by side; within a service the
order here is the order of reading."""

from __future__ import annotations

from collectors.openstack import (
    compute,
    dns,
    grants,
    hosts,
    identity,
    image,
    instance_actions,
    load_balancer,
    network_lists,
    object_container,
    placement,
    quota,
    secret,
    share,
    storage_lists,
)
from collectors.openstack.row import Row

ROWS: tuple[Row, ...] = (
    *identity.ROWS,
    *grants.BEFORE_USERS,
    *identity.USERS,
    *grants.ROWS,
    *placement.ROWS,
    *hosts.BEFORE_SERVERS,
    *compute.ROWS,
    *hosts.AFTER_SERVERS,
    *compute.PER_USER,
    *instance_actions.ROWS,
    *storage_lists.ROWS,
    *network_lists.ROWS,
    *image.ROWS,
    *load_balancer.ROWS,
    *secret.ROWS,
    *dns.ROWS,
    *share.ROWS,
    *object_container.ROWS,
    *quota.ROWS,
)
