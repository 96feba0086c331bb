"""What makes the lab show every thing that the collector reads: one project beside the plain tenants."""

from __future__ import annotations

import time

from oslab import seed_cases, seed_compute, seed_identity, seed_network, seed_storage
from oslab.core import Api, say, sec

DOMAIN, PROJECT = "zwy", "ywzx-jcpt"


def tenant(adm: Api) -> Api:
    """The project 市运维中心-基础平台 and its operator, who comes back signed in."""
    domain = adm.ensure("keystone", "domain", {"name": DOMAIN})["id"]
    project = adm.ensure(
        "keystone",
        "project",
        {
            "name": PROJECT,
            "domain_id": domain,
            "description": "市运维中心-基础平台",
            "tags": ["djbh-level-3", "dept=运维中心"],
        },
    )["id"]
    roles = {r["name"]: r["id"] for r in adm.get("keystone", "/roles")["roles"]}
    user = adm.ensure(
        "keystone", "user", {"name": PROJECT + "-ops", "domain_id": domain, "password": sec("tenant")}
    )["id"]
    for role in ("member", "creator"):
        adm.put("keystone", f"/projects/{project}/users/{user}/roles/{roles[role]}")
    adm.put("neutron", "/quotas/" + project, {"quota": {"port": 500, "trunk": 10, "rbac_policy": 100}})
    ops = Api(PROJECT + "-ops", sec("tenant"), PROJECT, DOMAIN)
    ops.auth()
    return ops


def seed(adm: Api, apis: dict[str, Api]) -> None:
    """Everything, after the plain tenants (``apis``: project → its operator); a second call changes nothing."""
    start = time.time()
    partner = next(iter(apis))
    apis = {**apis, PROJECT: tenant(adm)}
    external = adm.get("neutron", "/networks?router:external=true")["networks"][0]["id"]
    net, subnets = seed_network.network(apis[PROJECT], external)
    seed_identity.seed(adm, apis, PROJECT, DOMAIN)
    say(f"more identity {time.time() - start:.0f}s")
    seed_network.seed(adm, apis, PROJECT, partner, subnets)
    say(f"more networks {time.time() - start:.0f}s")
    servers = seed_compute.seed(adm, apis, PROJECT, net)
    say(f"more servers {time.time() - start:.0f}s")
    seed_storage.seed(adm, apis, PROJECT, partner, servers)
    say(f"more storage {time.time() - start:.0f}s")
    seed_cases.seed(adm, apis[PROJECT], apis[partner], servers)
    say(f"more cases {time.time() - start:.0f}s")
