"""Networks, subnets, ports, routers: the fields beside addresses and rules."""

from __future__ import annotations

from typing import Any

import msgspec

from collectors.openstack import network
from collectors.openstack.listing import Place
from inventory.kinds.usage import Amount

PLACE = Place(source="zw", labels={}, clean=lambda value: value)


def page(key: str, *rows: dict[str, Any]) -> list[bytes]:
    return [msgspec.json.encode({key: list(rows)})]


def test_who_a_network_is_shared_with_is_known_only_with_all_policies() -> None:
    rows = page("networks", {"id": "n1"}, {"id": "n2"})
    first, second = network.networks(rows, PLACE, {"n1": {"p2", "*"}}).resources
    assert first.shared_with == ["*", "p2"]  # type: ignore[attr-defined]
    assert second.shared_with == []  # type: ignore[attr-defined]
    (_, unseen) = network.networks(rows, PLACE).resources
    assert repr(unseen.shared_with) == "UNKNOWN"  # type: ignore[attr-defined]
    (group,) = network.security_groups(page("security_groups", {"id": "g", "stateful": False}), None, PLACE, {
        "g": {"p3"}
    }).resources  # fmt: skip
    assert (group.shared_with, group.stateful) == (["p3"], False)  # type: ignore[attr-defined]


def test_a_network_on_the_wire() -> None:
    row = {"id": "n", "provider:physical_network": "physnet1", "provider:segmentation_id": 12,
           "qos_policy_id": "q", "dns_domain": "", "router:external": True}  # fmt: skip
    (found,) = network.networks(page("networks", row), PLACE).resources
    assert found.physical_network == "physnet1"  # type: ignore[attr-defined]
    assert (found.qos_policy, found.dns_domain) == ("q", None)  # type: ignore[attr-defined]
    assert network.external(page("networks", row, {"id": "inside", "router:external": False})) == {"n"}


def test_a_subnet_with_its_pools_and_how_full_it_is() -> None:
    row = {
        "id": "s", "cidr": "10.0.0.0/24", "ip_version": 4,
        "allocation_pools": [{"start": "10.0.0.2", "end": "10.0.0.99"}],
        "host_routes": [{"destination": "10.9.0.0/16", "nexthop": "10.0.0.254"}],
    }  # fmt: skip
    amounts = {"s": [Amount(of="address", total=98.0)]}
    (found,) = network.subnets(page("subnets", row), PLACE, amounts).resources
    assert found.allocation_pools == ["10.0.0.2-10.0.0.99"]  # type: ignore[attr-defined]
    assert found.host_routes == ["10.9.0.0/16 via 10.0.0.254"]  # type: ignore[attr-defined]
    assert found.amounts == amounts["s"]  # type: ignore[attr-defined]
    (unseen,) = network.subnets(page("subnets", {"id": "s"}), PLACE).resources
    assert repr(unseen.amounts) == repr(unseen.allocation_pools) == "UNKNOWN"  # type: ignore[attr-defined]


def test_a_port_that_is_bound_nowhere_and_one_whose_host_is_hidden() -> None:
    rows = page("ports", {"id": "a", "binding:host_id": "", "admin_state_up": False}, {"id": "b"})
    first, second = network.ports(rows, {}, PLACE, {"a": "t1"}).resources
    assert (first.host, first.admin_up, first.trunk) == (None, False, "t1")  # type: ignore[attr-defined]
    assert repr(second.host) == "UNKNOWN"  # type: ignore[attr-defined]
    assert second.trunk is None  # type: ignore[attr-defined]
    (unseen, _) = network.ports(rows, {}, PLACE).resources
    assert repr(unseen.trunk) == "UNKNOWN"  # type: ignore[attr-defined]


def test_a_router_with_and_without_a_way_out() -> None:
    gateway = {
        "network_id": "ext", "enable_snat": False,
        "external_fixed_ips": [{"subnet_id": "s", "ip_address": "2001:db8:ffff::1d4"},
                               {"subnet_id": "s4", "ip_address": "198.18.1.86"}],
    }  # fmt: skip
    rows = page("routers", {"id": "a", "external_gateway_info": gateway, "distributed": True, "routes": []},
                {"id": "b", "external_gateway_info": None}, {"id": "c"})  # fmt: skip
    out, inside, hidden = network.routers(rows, PLACE).resources
    assert out.source_nat is False  # type: ignore[attr-defined]
    assert [a.address for a in out.external_addresses] == ["198.18.1.86", "2001:db8:ffff::1d4"]  # type: ignore[attr-defined]
    assert (out.distributed, out.routes) == (True, [])  # type: ignore[attr-defined]
    assert inside.source_nat is None  # type: ignore[attr-defined]
    assert inside.external_addresses == []  # type: ignore[attr-defined]
    assert repr(hidden.source_nat) == repr(hidden.external_addresses) == "UNKNOWN"  # type: ignore[attr-defined]
