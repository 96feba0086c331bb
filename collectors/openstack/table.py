"""The table of everything that is read of a cloud. Services are read side by side; within a service the
order here is the order of reading."""

from __future__ import annotations

from collectors.openstack import compute, grants, hosts, identity, image, network_lists, placement, quota, storage_lists
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
    *storage_lists.ROWS,
    *network_lists.ROWS,
    *image.ROWS,
    *quota.ROWS,
)
