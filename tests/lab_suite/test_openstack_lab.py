"""The lab itself: its APIs show what its databases hold, and it holds what the collectors are to be tried on.

Plain requests, so that no fault of the collector can hide behind a fault of the lab.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.lab

ALL_PROJECTS = {"X-Auth-All-Projects": "true"}
COMPUTE = {"OpenStack-API-Version": "compute 2.87"}
VOLUME = {"OpenStack-API-Version": "volume 3.60"}
SHARE = {"X-OpenStack-Manila-API-Version": "2.65"}
LISTS: dict[str, tuple[str, list[str], str, dict[str, str]]] = {  # kind: service, paths, key, headers
    "identity_domain": ("identity", ["/domains"], "domains", {}),
    "project": ("identity", ["/projects"], "projects", {}),
    "user": ("identity", ["/users"], "users", {}),
    "user_group": ("identity", ["/groups"], "groups", {}),
    "role_assignment": ("identity", ["/role_assignments"], "role_assignments", {}),
    "trust": ("identity", ["/OS-TRUST/trusts"], "trusts", {}),
    "identity_provider": ("identity", ["/OS-FEDERATION/identity_providers"], "identity_providers", {}),
    "flavor": ("compute", ["/flavors?is_public=None"], "flavors", COMPUTE),
    "hypervisor": ("compute", ["/os-hypervisors/detail"], "hypervisors", COMPUTE),
    "aggregate": ("compute", ["/os-aggregates"], "aggregates", COMPUTE),
    "server": ("compute", ["/servers/detail?all_tenants=1"], "servers", COMPUTE),
    "server_group": ("compute", ["/os-server-groups?all_projects=true"], "server_groups", COMPUTE),
    "volume": ("volumev3", ["/volumes/detail?all_tenants=1"], "volumes", VOLUME),
    "volume_type": ("volumev3", ["/types?is_public=None"], "volume_types", VOLUME),
    "volume_snapshot": ("volumev3", ["/snapshots/detail?all_tenants=1"], "snapshots", VOLUME),
    "volume_backup": ("volumev3", ["/backups/detail?all_tenants=1"], "backups", VOLUME),
    "storage_pool": ("volumev3", ["/scheduler-stats/get_pools?detail=true"], "pools", VOLUME),
    "share": ("sharev2", ["/shares/detail?all_tenants=1"], "shares", SHARE),
    "image": (
        "image",
        [f"/v2/images?limit=500{more}" for more in ("", "&os_hidden=true", "&visibility=community")],
        "images",
        {},
    ),
    "network": ("network", ["/v2.0/networks"], "networks", {}),
    "subnet": ("network", ["/v2.0/subnets"], "subnets", {}),
    "port": ("network", ["/v2.0/ports"], "ports", {}),
    "security_group": ("network", ["/v2.0/security-groups"], "security_groups", {}),
    "floating_ip": ("network", ["/v2.0/floatingips"], "floatingips", {}),
    "router": ("network", ["/v2.0/routers"], "routers", {}),
    "trunk": ("network", ["/v2.0/trunks"], "trunks", {}),
    "qos_policy": ("network", ["/v2.0/qos/policies"], "policies", {}),
    "load_balancer": ("load-balancer", ["/v2/lbaas/loadbalancers"], "loadbalancers", {}),
    "dns_zone": ("dns", ["/v2/zones"], "zones", ALL_PROJECTS),
}


@pytest.fixture(scope="session")
def cloud(expected: dict[str, Any]) -> Any:
    """A session of the administrator."""
    from openstack.config import OpenStackConfig
    from openstack.connection import Connection

    clouds = str(Path(os.environ["LAB_DIR"]) / "clouds.yaml")
    return Connection(config=OpenStackConfig(config_files=[clouds]).get_one("lab-admin"))


def listed(cloud: Any, service: str, path: str, key: str, headers: dict[str, str]) -> list[Any]:
    where = {"service_type": service, "interface": "public", "region_name": cloud.config.region_name}
    answer = cloud.session.get(path, endpoint_filter=where, headers=headers, raise_exc=True)
    rows = answer.json()[key]
    assert isinstance(rows, list)
    return rows


@pytest.mark.parametrize("kind", LISTS)
def test_an_api_shows_what_its_database_holds(kind: str, cloud: Any, expected: dict[str, Any]) -> None:
    service, paths, key, headers = LISTS[kind]
    rows = [row for path in paths for row in listed(cloud, service, path, key, headers)]
    ids = {row["id"] for row in rows} if rows and "id" in rows[0] else range(len(rows))
    assert len(ids) == expected["kinds"][kind]


def test_secrets_and_containers_are_listed_project_by_project(cloud: Any, expected: dict[str, Any]) -> None:
    mine = listed(cloud, "key-manager", "/v1/secrets?limit=100", "secrets", {})
    assert 0 < len(mine) == expected["projects"]["admin"]["secret"] < expected["kinds"]["secret"]
    base = cloud.session.get_endpoint(service_type="object-store", interface="public").rsplit("_", 1)[0]
    names = []
    for project in listed(cloud, "identity", "/projects", "projects", {}):
        answer = cloud.session.get(f"{base}_{project['id']}?format=json", raise_exc=False)
        names += [c["name"] for c in answer.json()] if answer.status_code == 200 else []
    assert len(names) == expected["kinds"]["object_container"]


def test_roles_and_keys_are_listed_domain_by_domain_and_user_by_user(
    cloud: Any, expected: dict[str, Any]
) -> None:
    roles = listed(cloud, "identity", "/roles", "roles", {})
    for domain in listed(cloud, "identity", "/domains", "domains", {}):
        roles += listed(cloud, "identity", f"/roles?domain_id={domain['id']}", "roles", {})
    assert len(roles) == expected["kinds"]["role"]
    keys = []
    for user in listed(cloud, "identity", "/users", "users", {}):
        keys += listed(cloud, "compute", f"/os-keypairs?user_id={user['id']}", "keypairs", COMPUTE)
    assert len(keys) == expected["kinds"]["key_pair"]


def test_platform_services_are_those_that_the_apis_list(cloud: Any, expected: dict[str, Any]) -> None:
    nova = listed(cloud, "compute", "/os-services", "services", COMPUTE)
    cinder = listed(cloud, "volumev3", "/os-services", "services", VOLUME)
    agents = listed(cloud, "network", "/v2.0/agents", "agents", {})
    numbers = [expected["numbers"][f"services_{name}"] for name in ("nova", "cinder", "neutron")]
    assert [len(nova), len(cinder), len(agents)] == numbers
    disabled = {s["host"] for s in nova if s["status"] == "disabled"}
    assert disabled == {"zw-b-phytium-01", "zw-c-retired-01"}
    assert len([a for a in agents if not a["alive"]]) == expected["numbers"]["agents_dead"]


def test_the_seed_shows_every_trait(expected: dict[str, Any]) -> None:
    """A count of zero would let a collector pass that never reads the thing."""
    assert [kind for kind, n in expected["kinds"].items() if n == 0] == []
    missing = {name for name, n in expected["numbers"].items() if n == 0}
    assert missing <= {"groups_open_everything_ipv6"}  # somebody opens that on the next day


def test_the_second_region_has_the_core_services_only(cloud: Any, expected: dict[str, Any]) -> None:
    region = expected["second_region"]["region"]
    catalogue = cloud.session.auth.get_access(cloud.session).service_catalog.catalog
    types = {s["type"] for s in catalogue for e in s["endpoints"] if e["region_id"] == region}
    assert types == {"identity", "compute", "placement", "network", "image", "volumev3"}
    assert len(types) == expected["second_region"]["services"]
