"""Trunks, QoS policies, sharing."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from collectors.openstack import trunk
from collectors.openstack.listing import Place

PLACE = Place(source="zw", labels={}, clean=lambda value: value)


def test_a_trunk_and_the_port_that_carries_it() -> None:
    row = {
        "id": "t1", "name": "nfv", "port_id": "parent", "status": "ACTIVE", "admin_state_up": True,
        "sub_ports": [{"port_id": "b", "segmentation_type": "vlan", "segmentation_id": 12},
                      {"port_id": "a", "segmentation_type": "vlan", "segmentation_id": 11}],
    }  # fmt: skip
    page = msgspec.json.encode({"trunks": [row]})
    (found,) = trunk.trunks([page], PLACE).resources
    assert found.subports == ["vlan 11 a", "vlan 12 b"]  # type: ignore[attr-defined]
    assert found.related("attached_to") == ["zw/port/parent"]
    assert trunk.trunk_of_port([page]) == {"parent": "t1"}


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ({"type": "bandwidth_limit", "direction": "egress", "max_kbps": 10000, "max_burst_kbps": 800},
         "bandwidth_limit egress 10000 kbit/s"),
        ({"type": "dscp_marking", "dscp_mark": 26}, "dscp_marking 26"),
        ({"type": "minimum_bandwidth", "direction": "ingress", "min_kbps": 500},
         "minimum_bandwidth ingress 500 kbit/s"),
        ({"type": "packet_rate_limit", "direction": "any", "max_kpps": 3}, "packet_rate_limit any 3 kpacket/s"),
        ({"type": "of_tomorrow"}, "of_tomorrow"),
    ],
)  # fmt: skip
def test_qos_rules_in_words(rule: dict[str, Any], words: str) -> None:
    page = msgspec.json.encode({"policies": [{"id": "q", "name": "gold", "shared": True, "rules": [rule]}]})
    (found,) = trunk.qos_policies([page], PLACE).resources
    assert found.rules == [words]  # type: ignore[attr-defined]


def test_things_are_shared_with_projects_and_external_use_is_no_sharing() -> None:
    def policy(thing: str, project: str, **fields: str) -> dict[str, str]:
        shared = {"object_type": "network", "action": "access_as_shared", **fields}
        return {"id": f"{thing}{project}", "object_id": thing, "target_tenant": project, **shared}

    page = msgspec.json.encode(
        {
            "rbac_policies": [
                policy("n1", "p2"),
                policy("n1", "*"),
                policy("n2", "*", action="access_as_external"),
                policy("g1", "p3", object_type="security_group"),
                {"id": "odd"},
            ]
        }
    )
    shared, problems = trunk.shared_with([page])
    assert shared == {"network": {"n1": {"*", "p2"}}, "security_group": {"g1": {"p3"}}}
    assert len(problems) == 1
