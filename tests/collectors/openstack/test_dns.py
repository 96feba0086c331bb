"""Zones of the cloud's name service."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from collectors.openstack import dns
from collectors.openstack.listing import Place
from inventory.kinds.virtual_network import DnsZone

PLACE = Place(source="zw", labels={}, clean=lambda value: value)
ZONES = msgspec.json.encode(
    {
        "zones": [
            {"id": "z1", "name": "zw.example.gov.cn.", "project_id": "p1", "status": "ACTIVE", "ttl": 3600,
             "email": "dns@example.gov.cn", "type": "PRIMARY"},
            {"id": "z2", "name": "empty.example.gov.cn."},
        ]
    }
)  # fmt: skip
RECORDS = [
    {"id": "r1", "zone_id": "z1", "type": "A"},
    {"id": "r2", "zone_id": "z1", "type": "AAAA"},
    {"id": "r3", "zone_id": "z1", "type": "A"},
]


def zones(types: Mapping[str, Mapping[str, int]] | None) -> list[DnsZone]:
    found = dns.zones([ZONES], types, PLACE)
    assert found.problems == []
    return [zone for zone in found.resources if isinstance(zone, DnsZone)]


def test_record_sets_are_counted_by_type() -> None:
    pages = [
        msgspec.json.encode({"recordsets": RECORDS[:3]}),
        msgspec.json.encode({"recordsets": RECORDS[3:]}),
    ]
    types, problems = dns.record_types(pages)
    assert types == {"z1": {"A": 2, "AAAA": 1}}
    assert problems == []
    first, second = zones(types)
    assert first.record_types == {"A": 2, "AAAA": 1}
    assert second.record_types == {}
    assert (first.name, first.zone_type, first.ttl) == ("zw.example.gov.cn.", "PRIMARY", 3600)
    assert repr(second.status) == "UNKNOWN"


def test_a_zone_whose_records_nobody_saw_is_not_empty() -> None:
    assert [repr(zone.record_types) for zone in zones(None)] == ["UNKNOWN", "UNKNOWN"]
