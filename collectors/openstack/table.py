"""The table of everything that is read of a cloud. Services are read side by side; within a service the
order here is the order of reading."""

from __future__ import annotations

from collectors.openstack import compute, grants, identity, image, network, quota, storage
from collectors.openstack.row import Row

ROWS: tuple[Row, ...] = (
    *identity.ROWS,
    *grants.ROWS,
    *compute.ROWS,
    *storage.ROWS,
    *network.ROWS,
    *image.ROWS,
    *quota.ROWS,
)
