"""Processes of the platform, as its services list them."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from collectors.openstack import platform
from collectors.openstack.listing import Mapped, Place
from inventory.kinds.cloud import PlatformService

PLACE = Place(source="zw", labels={}, clean=lambda value: value)


def only(found: Mapped) -> PlatformService:
    assert found.problems == []
    (one,) = found.resources
    assert isinstance(one, PlatformService)
    return one


def test_a_service_that_is_down_and_disabled() -> None:
    row = {
        "binary": "cinder-volume", "host": "zw-ctl-01@ceph-ssd", "zone": "az-a", "status": "disabled",
        "state": "down", "updated_at": "2026-11-22T06:59:14.000000", "disabled_reason": "换盘",
    }  # fmt: skip
    one = only(platform.services([msgspec.json.encode({"services": [row]})], "volume", PLACE))
    assert one.native_id == "volume/cinder-volume@zw-ctl-01@ceph-ssd"
    assert (one.alive, one.enabled, one.disabled_reason) == (False, False, "换盘")
    assert one.heartbeat_at == datetime(2026, 11, 22, 6, 59, 14, tzinfo=UTC)
    numbered = {**row, "id": 7, "state": "up", "status": "enabled"}
    same = only(platform.services([msgspec.json.encode({"services": [numbered]})], "share", PLACE))
    assert (same.native_id, same.alive, same.enabled) == ("share/7", True, True)


def test_an_agent_says_when_it_was_last_heard_of() -> None:
    row = {
        "id": "a1", "binary": "neutron-dhcp-agent", "host": "zw-net-01", "admin_state_up": True,
        "availability_zone": "nova", "alive": False, "heartbeat_timestamp": "2026-11-22 06:59:29",
    }  # fmt: skip
    one = only(platform.agents([msgspec.json.encode({"agents": [row]})], PLACE))
    assert (one.native_id, one.service, one.alive, one.enabled) == ("network/a1", "network", False, True)
    assert one.heartbeat_at == datetime(2026, 11, 22, 6, 59, 29, tzinfo=UTC)


def test_designate_knows_its_own() -> None:
    row = {
        "id": "d1", "service_name": "central", "hostname": "vm", "status": "UP",
        "heartbeated_at": "2026-11-22T07:16:53.000000",
    }  # fmt: skip
    one = only(platform.statuses([msgspec.json.encode({"service_statuses": [row]})], PLACE))
    assert (one.binary, one.host, one.alive) == ("designate-central", "vm", True)
    assert repr(one.enabled) == "UNKNOWN"
