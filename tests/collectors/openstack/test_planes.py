"""Where the platform is managed and where customers' traffic goes, and what customers may filter."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from collectors.openstack import platform
from collectors.openstack.listing import Place
from inventory.coverage import Batch
from inventory.kinds.cloud import Cloud, PlatformService
from inventory.kinds.virtual_network import Subnet
from inventory.unknown import UNKNOWN, Unknown

Replay = Callable[..., dict[str, Batch]]
Lines = list[dict[str, Any]]
PLACE = Place(source="zw", labels={}, clean=lambda value: value)
SWITCH = "neutron-openvswitch-agent"


@pytest.fixture
def lately(replay: Replay, recordings: dict[str, Path]) -> dict[str, Batch]:
    return replay(recordings["lately"])


def agent(configurations: Any, binary: str = SWITCH, nodes: dict[str, str] | None = None) -> PlatformService:
    row = {"id": "a", "binary": binary, "host": "h1", "configurations": configurations}
    (one,) = platform.agents([msgspec.json.encode({"agents": [row]})], PLACE, nodes).resources
    assert isinstance(one, PlatformService)
    return one


def switches(batches: dict[str, Batch]) -> dict[str, PlatformService]:
    found = (r for r in batches["platform_service"].resources if isinstance(r, PlatformService))
    return {str(r.host): r for r in found if r.binary == SWITCH}


def subnets(batches: dict[str, Batch]) -> dict[str, Any]:
    return {str(r.name): r.platform_addresses for r in batches["subnet"].resources if isinstance(r, Subnet)}


def cloud(batches: dict[str, Batch]) -> Cloud:
    (one,) = batches["cloud"].resources
    assert isinstance(one, Cloud)
    return one


def test_where_tunnels_end_and_where_nodes_are_managed(lately: dict[str, Batch]) -> None:
    found = switches(lately)
    apart, alike = found["zw-a-kunpeng-01"], found["zw-a-intel-01"]
    assert (apart.tunnel_address, apart.management_address) == ("10.254.0.1", "10.255.0.1")
    assert alike.tunnel_address == alike.management_address == "10.255.0.3"
    others = [r for r in lately["platform_service"].resources if isinstance(r, PlatformService)]
    gateway = next(r for r in others if r.binary == "neutron-l3-agent")
    assert gateway.management_address is None  # no compute node
    assert isinstance(gateway.tunnel_address, Unknown)


@pytest.mark.parametrize(
    ("configurations", "address", "networks"),
    [
        ({"tunnel_types": ["vxlan"], "tunneling_ip": "10.1.0.1", "bridge_mappings": {}}, "10.1.0.1", []),
        ({"tunnel_types": [], "tunneling_ip": "10.1.0.1", "bridge_mappings": {"b": "br", "a": "br"}}, None, ["a", "b"]),
        ({"tunnel_types": ["vxlan"], "interface_mappings": {"p": "eth1"}}, UNKNOWN, ["p"]),
        ({"tunnel_types": ["vxlan"], "tunneling_ip": None}, UNKNOWN, []),
        ({}, UNKNOWN, []),
        ({"tunnel_types": "vxlan"}, UNKNOWN, UNKNOWN),
        (None, UNKNOWN, UNKNOWN),
        ([1], UNKNOWN, UNKNOWN),
    ],
)  # fmt: skip
def test_what_an_agent_says_of_its_tunnels(configurations: Any, address: Any, networks: Any) -> None:
    one = agent(configurations)
    assert repr((one.tunnel_address, one.physical_networks)) == repr((address, networks))
    assert isinstance(one.management_address, Unknown)


def test_an_agent_on_a_node_and_beside_it() -> None:
    assert agent({}, nodes={"h1": "10.0.0.1"}).management_address == "10.0.0.1"
    assert agent({}, nodes={"h2": "10.0.0.1"}).management_address is None
    other = agent({"tunnel_types": ["vxlan"], "tunneling_ip": "10.1.0.1"}, "ovn-controller")
    assert isinstance(other.tunnel_address, Unknown)


def test_the_platform_in_a_network_of_the_site(lately: dict[str, Batch]) -> None:
    found = subnets(lately)
    assert found["gov-extranet-v4"] == ["198.18.0.12"]
    assert found["gov-extranet-v6"] == []
    assert found["sjj-ytzw-v4"] == []  # an overlay


def test_an_internal_endpoint_in_a_network_of_the_site(replay: Replay, edited: Callable[..., Path]) -> None:
    def edit(lines: Lines) -> None:
        for service in lines[1]["catalogue"]:
            for endpoint in service["endpoints"]:
                if endpoint["interface"] == "internal":
                    endpoint["url"] = "http://198.18.7.7:8774/v2.1"
        for line in lines:
            if line.get("path") == "/subnets":
                (one,) = [s for s in line["body"]["subnets"] if s["name"] == "sjj-ytzw-v4"]
                one["cidr"] = "198.18.0.0/16"

    found = subnets(replay(edited(edit, "lately")))
    assert found["gov-extranet-v4"] == ["198.18.0.12", "198.18.7.7"]
    assert found["sjj-ytzw-v4"] == []


def test_nodes_that_were_not_seen_leave_it_open(replay: Replay, edited: Callable[..., Path]) -> None:
    def edit(lines: Lines) -> None:
        for line in lines:
            if line.get("path") == "/os-hypervisors/detail":
                line["status"], line["body"] = 403, {}

    batches = replay(edited(edit, "lately"))
    assert isinstance(subnets(batches)["gov-extranet-v4"], Unknown)
    assert {type(one.management_address) for one in switches(batches).values()} == {Unknown}


def test_what_customers_may_filter(lately: dict[str, Batch]) -> None:
    found = cloud(lately)
    assert isinstance(found.network_features, list)
    assert {"security-group", "router"} <= set(found.network_features)
    assert found.customers_filter is True


def test_a_cloud_in_which_no_customer_filters(replay: Replay, edited: Callable[..., Path]) -> None:
    def only_default(lines: Lines) -> None:
        for line in lines:
            for group in (line.get("body") or {}).get("security_groups", ()) if "path" in line else ():
                group["name"] = "default"

    assert cloud(replay(edited(only_default, "lately"))).customers_filter is False

    def refused(lines: Lines) -> None:
        for line in lines:
            if line.get("path") in ("/security-groups", "/extensions"):
                line["status"], line["body"] = 403, {}

    hidden = cloud(replay(edited(refused, "lately")))
    assert isinstance(hidden.customers_filter, Unknown)
    assert isinstance(hidden.network_features, Unknown)


def test_groups_of_the_collectors_own_project_are_no_customers(
    replay: Replay, edited: Callable[..., Path]
) -> None:
    def edit(lines: Lines) -> None:
        for line in lines:
            for group in (line.get("body") or {}).get("security_groups", ()) if "path" in line else ():
                group["project_id"] = lines[1]["project_id"]

    assert cloud(replay(edited(edit, "lately"))).customers_filter is False


def test_a_reader_of_one_project_cannot_tell(replay: Replay, recordings: dict[str, Path]) -> None:
    """Groups of its own project alone are no customer's beside it."""
    found = cloud(replay(recordings["lately-project-reader"]))
    assert found.customers_filter is not False
