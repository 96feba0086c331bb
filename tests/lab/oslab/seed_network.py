"""Networks beyond plain ones: sharing, trunks, QoS, routers, odd ports and subnets; load balancers; DNS."""

from __future__ import annotations

from typing import Any

from oslab.core import Api, sql


def network(ops: Api, external: str) -> tuple[str, dict[str, str]]:
    """The network of the special servers, with a subnet of every IPv6 mode on others; subnets' ids by name."""
    pid = {"project_id": ops.project_id}
    pools = {}
    for name, prefixes, length in (
        ("pool-v4", ["10.200.0.0/16"], 24),
        ("pool-v6", ["2001:db8:200::/48"], 64),
    ):
        body = {"name": name, "prefixes": prefixes, "default_prefixlen": length}
        pools[name] = ops.ensure("neutron", "subnetpool", body, flt=pid)["id"]
    net = ops.ensure("neutron", "network", {"name": "x-net"}, flt=pid)["id"]
    modes = ops.ensure("neutron", "network", {"name": "x-modes", "mtu": 1400}, flt=pid)["id"]
    pooled = ops.ensure("neutron", "network", {"name": "x-pooled"}, flt=pid)["id"]
    subnets = {}
    plan: list[tuple[str, str, dict[str, Any]]] = [
        (
            "x-v4",
            net,
            {
                "cidr": "10.90.0.0/24",
                "dns_nameservers": ["198.18.0.53"],
                "host_routes": [{"destination": "10.0.0.0/8", "nexthop": "10.90.0.254"}],
            },
        ),
        ("x-slaac", net, {"cidr": "2001:db8:90::/64", "mode": "slaac"}),
        ("x-stateful", modes, {"cidr": "2001:db8:91::/64", "mode": "dhcpv6-stateful"}),
        ("x-stateless", modes, {"cidr": "2001:db8:92::/64", "mode": "dhcpv6-stateless"}),
        ("x-static6", modes, {"cidr": "2001:db8:93::/64", "enable_dhcp": False}),
        ("x-pooled-v4", pooled, {"subnetpool_id": pools["pool-v4"], "ip_version": 4}),
        ("x-pooled-v6", pooled, {"subnetpool_id": pools["pool-v6"], "ip_version": 6, "gateway_ip": None}),
    ]
    for name, on, more in plan:
        mode = more.pop("mode", None)
        body = {"name": name, "network_id": on, "ip_version": 6 if ":" in more.get("cidr", "") else 4, **more}
        if mode:
            body |= {"ipv6_ra_mode": mode, "ipv6_address_mode": mode}
        subnets[name] = ops.ensure("neutron", "subnet", body, flt=pid)["id"]
    routers(ops, external, subnets["x-v4"])
    return net, subnets


def routers(ops: Api, external: str, subnet: str) -> None:
    """A router with a static route; highly available and distributed ones are the administrator's."""
    if not ops.find("neutron", "router", name="x-rt", project_id=ops.project_id):
        body = {"name": "x-rt", "external_gateway_info": {"network_id": external}}
        router = ops.post("neutron", "/routers", {"router": body})["router"]["id"]
        ops.put("neutron", f"/routers/{router}/add_router_interface", {"subnet_id": subnet})
        routes = [{"destination": "172.16.0.0/12", "nexthop": "10.90.0.253"}]
        ops.put("neutron", "/routers/" + router, {"router": {"routes": routes}})


def special_routers(adm: Api, external: str, owner: str) -> None:
    """Highly available, distributed, without source NAT, and switched off."""
    gateway = {"external_gateway_info": {"network_id": external, "enable_snat": False}}
    for name, more in (
        ("x-ha", {"ha": True}),
        ("x-distributed", {"distributed": True}),
        ("x-no-snat", gateway),
        ("x-off", {"admin_state_up": False}),
    ):
        if not adm.find("neutron", "router", name=name, project_id=owner):
            body = {"name": name, "project_id": owner, "ha": False, "distributed": False, **more}
            adm.post("neutron", "/routers", {"router": body})


def ports(ops: Api, net: str) -> dict[str, str]:
    """Ports with address pairs, without security, switched off; a parent and its subports. Ids by name."""
    out = {}
    pairs = [{"ip_address": "10.90.0.200"}, {"ip_address": "2001:db8:90::200"}]
    for name, more in (
        ("x-pairs", {"allowed_address_pairs": pairs}),
        ("x-any-pair", {"allowed_address_pairs": [{"ip_address": "0.0.0.0/1"}]}),
        ("x-no-security", {"port_security_enabled": False, "security_groups": []}),
        ("x-no-group", {"security_groups": []}),
        ("x-off", {"admin_state_up": False}),
        ("x-parent", {}),
        ("x-sub-101", {}),
        ("x-sub-102", {}),
    ):
        body = {"name": name, "network_id": net, **more}
        out[name] = ops.ensure("neutron", "port", body, flt={"project_id": ops.project_id})["id"]
    subs = [
        {"port_id": out[f"x-sub-{tag}"], "segmentation_type": "vlan", "segmentation_id": tag}
        for tag in (101, 102)
    ]
    body = {"name": "x-trunk", "port_id": out["x-parent"], "sub_ports": subs}
    ops.ensure("neutron", "trunk", body, flt={"project_id": ops.project_id})
    return out


def qos(adm: Api, ops: Api, port: str, net: str) -> str:
    """Policies with every kind of rule; one stands on a port, one on a network. The id of the shared one."""
    made = {}
    for name, more, rules in (
        (
            "x-gold",
            {},
            [
                ("bandwidth_limit", {"max_kbps": 100000, "max_burst_kbps": 10000, "direction": "egress"}),
                ("bandwidth_limit", {"max_kbps": 50000, "direction": "ingress"}),
                ("dscp_marking", {"dscp_mark": 46}),
            ],
        ),
        ("x-floor", {}, [("minimum_bandwidth", {"min_kbps": 1000, "direction": "egress"})]),
        ("x-empty", {"is_default": True}, []),
    ):
        have = adm.get("neutron", f"/qos/policies?name={name}")["policies"]
        if not have:
            body = {"name": name, "project_id": ops.project_id, **more}
            have = [adm.post("neutron", "/qos/policies", {"policy": body})["policy"]]
            for kind, rule in rules:
                path = f"/qos/policies/{have[0]['id']}/{kind}_rules"
                adm.post("neutron", path, {f"{kind}_rule": rule})
        made[name] = have[0]["id"]
    adm.put("neutron", "/ports/" + port, {"port": {"qos_policy_id": made["x-gold"]}})
    adm.put("neutron", "/networks/" + net, {"network": {"qos_policy_id": made["x-floor"]}})
    return made["x-gold"]


def groups(ops: Api) -> str:
    """Security groups: without state, from a group of addresses, between groups. The id of the one to share."""
    pid = {"project_id": ops.project_id}
    addresses = ops.ensure(
        "neutron",
        "address_group",
        {"name": "x-bastions", "addresses": ["10.90.0.10/32", "2001:db8:90::10/128"]},
        flt=pid,
    )["id"]
    made = {}
    for name, more in (("x-stateless", {"stateful": False}), ("x-shared", {}), ("x-rules", {})):
        body = {"name": name, "description": "实验室", **more}
        made[name] = ops.ensure("neutron", "security_group", body, flt=pid)["id"]
    base = {"security_group_id": made["x-rules"], "direction": "ingress", "ethertype": "IPv4"}
    have = ops.get("neutron", "/security-group-rules?security_group_id=" + made["x-rules"])[
        "security_group_rules"
    ]
    if not any(r["direction"] == "ingress" for r in have):
        ssh = {"protocol": "tcp", "port_range_min": 22, "port_range_max": 22}
        web = {"protocol": "tcp", "port_range_min": 80, "port_range_max": 80}
        ping = {
            "protocol": "icmp",
            "port_range_min": 8,
            "port_range_max": 0,
            "remote_ip_prefix": "10.0.0.0/8",
        }
        for more in (
            {**ssh, "remote_address_group_id": addresses},
            {**web, "remote_group_id": made["x-shared"]},
            ping,
            {"protocol": "112", "remote_group_id": made["x-rules"]},
        ):
            ops.post("neutron", "/security-group-rules", {"security_group_rule": {**base, **more}})
    return made["x-shared"]


def sharing(adm: Api, net: str, group: str, policy: str, partner: str) -> None:
    """RBAC: a network and a group for one project, a QoS policy for all, an external network for one."""
    have = {
        (r["object_id"], r["target_tenant"]) for r in adm.get("neutron", "/rbac-policies")["rbac_policies"]
    }
    for kind, item, target in (
        ("network", net, partner),
        ("security_group", group, partner),
        ("qos_policy", policy, "*"),
    ):
        if (item, target) not in have:
            body = {
                "object_type": kind,
                "object_id": item,
                "action": "access_as_shared",
                "target_tenant": target,
            }
            adm.post("neutron", "/rbac-policies", {"rbac_policy": body})


def floating_ips(ops: Api, external: str) -> None:
    """Two that nobody uses."""
    have = ops.get("neutron", "/floatingips?project_id=" + ops.project_id)["floatingips"]
    for _ in range(2 - len(have)):
        body = {"floating_network_id": external, "description": "闲置"}
        ops.post("neutron", "/floatingips", {"floatingip": body})


def pool(name: str, protocol: str, port: int, members: int) -> dict[str, Any]:
    return {
        "name": name,
        "protocol": protocol,
        "lb_algorithm": "ROUND_ROBIN",
        "healthmonitor": {"type": "TCP", "delay": 5, "timeout": 3, "max_retries": 3},
        "members": [{"address": f"10.90.0.{20 + n}", "protocol_port": port} for n in range(members)],
    }


def balancers(adm: Api, owner: str, subnets: dict[str, str]) -> None:
    """HTTP, TCP for some prefixes, HTTPS ended with old and with new TLS, one on IPv6, one in error, one empty.

    Nothing holds a certificate for Octavia, so its listeners for ended HTTPS start as plain ones, and the
    database makes them what they are; it also ends what only a worker could end.
    """
    have = {b["name"] for b in adm.get("octavia", "/loadbalancers")["loadbalancers"]}
    web = {
        "name": "web",
        "protocol": "HTTP",
        "protocol_port": 80,
        "insert_headers": {"X-Forwarded-For": "true"},
        "default_pool": pool("web", "HTTP", 8080, 2),
    }
    tcp = {
        "name": "db",
        "protocol": "TCP",
        "protocol_port": 5236,
        "allowed_cidrs": ["10.0.0.0/8"],
        "default_pool": pool("db", "TCP", 5236, 1),
    }
    old = {
        "name": "tls-old",
        "protocol": "HTTP",
        "protocol_port": 443,
        "default_pool": pool("old", "HTTP", 8080, 1),
    }
    new = {
        "name": "tls-new",
        "protocol": "HTTP",
        "protocol_port": 443,
        "default_pool": pool("new", "HTTP", 8080, 1),
    }
    raw = {
        "name": "raw",
        "protocol": "HTTPS",
        "protocol_port": 8443,
        "default_pool": pool("raw", "HTTPS", 443, 1),
    }
    for name, subnet, listeners in (
        ("lb-web", "x-v4", [web, old]),
        ("lb-tls", "x-v4", [new, raw]),
        ("lb-db", "x-v4", [tcp]),
        ("lb-v6", "x-stateful", [web]),
        ("lb-error", "x-v4", []),
        ("lb-empty", "x-v4", []),
    ):
        if name in have:
            continue
        body = {"name": name, "project_id": owner, "vip_subnet_id": subnets[subnet], "listeners": listeners}
        adm.post("octavia", "/loadbalancers", {"loadbalancer": body})
    tables = ("load_balancer", "listener", "pool", "member", "health_monitor")
    sql(
        "".join(f"UPDATE {t} SET provisioning_status='ACTIVE', operating_status='ONLINE';" for t in tables)
        + "UPDATE load_balancer SET provisioning_status='ERROR', operating_status='ERROR' WHERE name='lb-error';"
        + "UPDATE listener SET protocol='TERMINATED_HTTPS', tls_certificate_id='http://barbican/v1/containers/x',"
        " tls_versions=IF(name='tls-old', 'TLSv1,TLSv1.1,TLSv1.2', 'TLSv1.2,TLSv1.3'),"
        " tls_ciphers=IF(name='tls-old', 'DES-CBC3-SHA:AES128-SHA', 'TLS_AES_256_GCM_SHA384:ECDHE-RSA-AES256-GCM-SHA384')"
        " WHERE name LIKE 'tls-%';",
        "octavia",
    )


RECORDS = [
    ("www", "A", ["198.18.0.80"]),
    ("www", "AAAA", ["2001:db8:ffff::80"]),
    ("old", "A", ["198.18.0.81", "198.18.0.82"]),
    ("mail", "MX", ["10 mx.zw.example."]),
    ("txt", "TXT", ['"v=spf1 -all"']),
    ("alias", "CNAME", ["www.zw.example."]),
]


def zones(apis: dict[str, Api], project: str, partner: str) -> None:
    """A zone with IPv6, one without, one held for another server; of two projects."""
    ops, other = apis[project], apis[partner]
    have = {z["name"] for a in (ops, other) for z in a.get("designate", "/zones")["zones"]}
    for owner, name, more in (
        (ops, "zw.example.", {"email": "hostmaster@zw.example", "ttl": 3600}),
        (other, "v4only.example.", {"email": "hostmaster@zw.example", "ttl": 60}),
        (ops, "second.example.", {"type": "SECONDARY", "masters": ["198.18.0.53"]}),
    ):
        if name in have:
            continue
        zone = owner.post("designate", "/zones", {"name": name, **more})["id"]
        sql("UPDATE zones SET status='ACTIVE', action='NONE' WHERE status='PENDING';", "designate")
        for label, kind, values in RECORDS if "ttl" in more else []:
            if owner is other and kind == "AAAA":
                continue
            records = [v.replace("zw.example.", name) for v in values]
            owner.post(
                "designate",
                f"/zones/{zone}/recordsets",
                {"name": f"{label}.{name}", "type": kind, "records": records},
            )
    for table in ("zones", "records"):
        sql(f"UPDATE {table} SET status='ACTIVE', action='NONE' WHERE status='PENDING';", "designate")


def seed(adm: Api, apis: dict[str, Api], project: str, partner: str, subnets: dict[str, str]) -> None:
    """All but the network that servers stand in (``network`` makes that first)."""
    ops, other = apis[project], apis[partner]
    external = adm.get("neutron", "/networks?router:external=true")["networks"][0]["id"]
    net = ops.find("neutron", "network", name="x-net", project_id=ops.project_id)["id"]
    made = ports(ops, net)
    special_routers(adm, external, ops.project_id)
    modes = ops.find("neutron", "network", name="x-modes", project_id=ops.project_id)["id"]
    policy = qos(adm, ops, made["x-pairs"], modes)
    sharing(adm, net, groups(ops), policy, other.project_id)
    floating_ips(ops, external)
    balancers(adm, ops.project_id, subnets)
    zones(apis, project, partner)
