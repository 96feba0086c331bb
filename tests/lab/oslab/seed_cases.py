"""What no other part of the seed shows: one thing each that a rule fires on, or is silent on.

What no API can bring about (age, a node that fell silent, rows of an older release) the databases are told.
"""

from __future__ import annotations

import json
from typing import Any

from oslab.core import Api, sec, sql, wait_for

LONG_AGO = "2025-01-15 08:00:00"
DEAD, RETIRED = "zw-c-dead-01", "zw-c-retired-01"


def identity(adm: Api, ops: Api, partner: Api) -> None:
    """A project above the others, people and delegations as they should not be."""
    domain = adm.find("keystone", "domain", name="ywzx")["id"]
    users = {u["name"]: u["id"] for u in adm.get("keystone", "/users")["users"]}
    groups = {g["name"]: g["id"] for g in adm.get("keystone", "/groups")["groups"]}
    admin = {r["name"]: r["id"] for r in adm.get("keystone", "/roles")["roles"]}["admin"]
    tags = adm.get("keystone", f"/projects/{partner.project_id}/tags")["tags"]
    if "djbh-level-4" not in tags:
        adm.put("keystone", f"/projects/{partner.project_id}/tags/djbh-level-4")
    adm.put("keystone", f"/projects/{ops.project_id}/users/{users['ywzx-left']}/roles/{admin}")
    adm.put("keystone", f"/domains/{domain}/groups/{groups['kongzu']}/roles/{admin}")
    sql(
        "UPDATE password p JOIN local_user l ON l.id=p.local_user_id SET p.expires_at='2026-01-01', "
        "p.expires_at_int=UNIX_TIMESTAMP('2026-01-01')*1000000 WHERE l.name='ywzx-password-ended';",
        "keystone",
    )
    me = users["admin"]
    if not adm.get("keystone", f"/OS-TRUST/trusts?trustor_user_id={me}")["trusts"]:
        body = {
            "trustor_user_id": me,
            "trustee_user_id": users["ywzx-mfa"],
            "project_id": adm.project_id,
            "roles": [{"name": "admin"}],
            "impersonation": False,
            "expires_at": "2027-03-31T00:00:00.000000Z",
            "allow_redelegation": True,
            "redelegation_count": 2,
        }
        adm.post("keystone", "/OS-TRUST/trusts", {"trust": body})


ANYWHERE = {4: "0.0.0.0/0", 6: "::/0"}
GROUPS: list[tuple[str, list[tuple[int, int, int, str]]]] = [  # name; family, first and last port, from where
    ("x-ipv6-weaker", [(4, 22, 22, "10.0.0.0/8"), (6, 22, 22, ANYWHERE[6])]),
    ("x-pieces", [(4, 22, 22, "0.0.0.0/2"), (4, 22, 22, "64.0.0.0/2")]),
    ("x-wide", [(4, 8000, 9000, ANYWHERE[4])]),
    ("default", [(4, 443, 443, ANYWHERE[4])]),
]


def network(adm: Api, ops: Api) -> None:
    """Groups open in odd ways, things shared with everybody, a router that is doubled, a full subnet."""
    pid = {"project_id": ops.project_id}
    for name, rules in GROUPS:
        group = ops.ensure("neutron", "security_group", {"name": name}, flt=pid)["id"]
        path = "/security-group-rules?direction=ingress&security_group_id=" + group
        have = {r["remote_ip_prefix"] for r in ops.get("neutron", path)["security_group_rules"]}
        for family, first, last, remote in rules:
            rule = {
                "security_group_id": group,
                "direction": "ingress",
                "ethertype": f"IPv{family}",
                "protocol": "tcp",
                "port_range_min": first,
                "port_range_max": last,
                "remote_ip_prefix": remote,
            }
            if remote not in have:
                ops.post("neutron", "/security-group-rules", {"security_group_rule": rule})
    wide = ops.find("neutron", "security_group", name="x-wide", project_id=ops.project_id)["id"]
    if not adm.get("neutron", f"/rbac-policies?object_id={wide}")["rbac_policies"]:
        body = {"object_type": "security_group", "object_id": wide, "action": "access_as_shared"}
        adm.post("neutron", "/rbac-policies", {"rbac_policy": {**body, "target_tenant": "*"}})
    adm.ensure("neutron", "network", {"name": "x-for-all", "shared": True, **pid}, flt=pid)
    external = adm.get("neutron", "/networks?router:external=true")["networks"][0]["id"]
    doubled = adm.find("neutron", "router", name="x-ha", project_id=ops.project_id)
    if not doubled["external_gateway_info"]:
        body = {"external_gateway_info": {"network_id": external}}
        adm.put("neutron", "/routers/" + doubled["id"], {"router": body})
    net = ops.ensure("neutron", "network", {"name": "x-full"}, flt=pid)["id"]
    body = {"name": "x-full", "network_id": net, "ip_version": 4, "cidr": "10.94.0.0/29"}
    ops.ensure("neutron", "subnet", body, flt=pid)
    for number in range(5):
        ops.ensure("neutron", "port", {"name": f"x-full-{number}", "network_id": net}, flt=pid)


def balancer(adm: Api, ops: Api) -> None:
    """One that everybody reaches, with a port for managing behind it."""
    pid = {"project_id": ops.project_id}
    net = ops.ensure("neutron", "network", {"name": "x-public"}, flt=pid)["id"]
    # global by its form, and in a part of the address space that nobody was given
    body = {"name": "x-public", "network_id": net, "ip_version": 6, "cidr": "4000:90::/64"}
    subnet = ops.ensure("neutron", "subnet", body, flt=pid)["id"]
    if "lb-managed" not in {b["name"] for b in adm.get("octavia", "/loadbalancers")["loadbalancers"]}:
        listener = {"name": "ssh", "protocol": "TCP", "protocol_port": 22}
        body = {"name": "lb-managed", **pid, "vip_subnet_id": subnet, "listeners": [listener]}
        adm.post("octavia", "/loadbalancers", {"loadbalancer": body})
    sql(
        "UPDATE load_balancer SET provisioning_status='ACTIVE', operating_status='ONLINE' WHERE name='lb-managed';"
        "UPDATE listener SET provisioning_status='ACTIVE', operating_status='ONLINE' WHERE name='ssh';",
        "octavia",
    )


def compute(adm: Api, ops: Api, partner: Api, servers: dict[str, Any]) -> None:
    """A server without any filter; quotas used up and without end."""
    open_ports = ops.get("neutron", "/ports?device_id=" + servers["x-pair-2"]["id"])["ports"]
    for port in open_ports:
        if port["port_security_enabled"]:
            body = {"port_security_enabled": False, "security_groups": []}
            ops.put("neutron", "/ports/" + port["id"], {"port": body})
    limits = adm.get("nova", f"/os-quota-sets/{partner.project_id}/detail")["quota_set"]
    used = {"cores": max(1, limits["cores"]["in_use"]), "force": True}
    adm.put("nova", "/os-quota-sets/" + partner.project_id, {"quota_set": used})
    adm.put("nova", "/os-quota-sets/" + ops.project_id, {"quota_set": {"instances": -1}})
    adm.put("neutron", "/quotas/" + partner.project_id, {"quota": {"security_group": 0}})


def images(adm: Api, ops: Api, servers: dict[str, Any]) -> None:
    """Images that are said to be hardened, by property and by tag, and not to be; a disk made from none of these."""
    have = {i["name"]: i for i in adm.get("glance", "/images?limit=200")["images"]}
    as_patch = {"Content-Type": "application/openstack-images-v2.1-json-patch"}
    for name, value in (("Kylin-V10-SP3-aarch64", "true"), ("WindowsServer-2012R2", "false")):
        if "hardened" not in have[name]:
            change = [{"op": "add", "path": "/hardened", "value": value}]
            data = json.dumps(change)
            adm.call("PATCH", "glance", "/images/" + have[name]["id"], data=data, headers=as_patch)
    adm.put("glance", f"/images/{have['openEuler-22.03-LTS-SP4-aarch64']['id']}/tags/hardened")
    if any(v["name"] == "x-from-image" for v in ops.get("cinder", "/volumes")["volumes"]):
        return
    body = {"name": "x-from-image", "size": 40, "imageRef": have["CentOS-7.9-x86_64"]["id"]}
    made = ops.post("cinder", "/volumes", {"volume": body})["volume"]["id"]
    wait_for(lambda: ops.get("cinder", "/volumes/" + made)["volume"]["status"] == "available", 300)
    path = f"/servers/{servers['x-told']['id']}/os-volume_attachments"
    ops.post("nova", path, {"volumeAttachment": {"volumeId": made}})


def silent_nodes(adm: Api) -> None:
    """Rows of a compute node that fell silent, and of a service that was put aside without a reason."""
    columns = {}
    for table in ("services", "compute_nodes"):
        names = sql(
            f"SELECT column_name FROM information_schema.columns WHERE table_schema='nova_cell1' "
            f"AND table_name='{table}' AND column_name<>'id';",
            capture=True,
        )
        columns[table] = names.split()

    def copied(table: str, host: str, changed: dict[str, str]) -> str:
        chosen = ", ".join(changed.get(name, f"`{name}`") for name in columns[table])
        named = ", ".join(f"`{name}`" for name in columns[table])
        of = "`binary`='nova-compute' AND disabled=0" if table == "services" else "1"
        return (
            f"INSERT INTO {table} ({named}) SELECT {chosen} FROM {table} WHERE {of} AND deleted=0 "
            f"AND NOT EXISTS (SELECT 1 FROM {table} WHERE host='{host}') ORDER BY id LIMIT 1;"
        )

    old = {"last_seen_up": f"'{LONG_AGO}'", "updated_at": f"'{LONG_AGO}'", "uuid": "UUID()"}
    text = copied("services", DEAD, {**old, "host": f"'{DEAD}'"})
    text += copied(
        "services", RETIRED, {**old, "host": f"'{RETIRED}'", "disabled": "1", "disabled_reason": "NULL"}
    )
    node = {"host": f"'{DEAD}'", "hypervisor_hostname": f"'{DEAD}'", "service_id": "NULL"}
    text += copied("compute_nodes", DEAD, {**old, **node})
    sql(text, "nova_cell1")
    sql(
        f"INSERT INTO host_mappings (created_at, cell_id, host) SELECT NOW(), cell_id, '{DEAD}' FROM host_mappings "
        f"WHERE NOT EXISTS (SELECT 1 FROM host_mappings WHERE host='{DEAD}') LIMIT 1;",
        "nova_api",
    )
    fill(adm)


def fill(adm: Api) -> None:
    """What the silent node had to give is given away: placement's own books."""
    providers = {
        p["name"]: p["uuid"] for p in adm.get("placement", "/resource_providers")["resource_providers"]
    }
    if DEAD in providers:
        return
    node = sql(f"SELECT uuid FROM nova_cell1.compute_nodes WHERE host='{DEAD}';", capture=True).strip()
    made = adm.post("placement", "/resource_providers", {"name": DEAD, "uuid": node})["uuid"]
    classes = {"VCPU": 16, "MEMORY_MB": 65536, "DISK_GB": 1000}
    inventories = {name: {"total": total, "max_unit": total} for name, total in classes.items()}
    body = {"resource_provider_generation": 0, "inventories": inventories}
    adm.put("placement", f"/resource_providers/{made}/inventories", body)
    body = {
        "allocations": {made: {"resources": classes}},
        "project_id": adm.project_id,
        "user_id": adm.project_id,
        "consumer_generation": None,
        "consumer_type": "INSTANCE",
    }
    adm.put("placement", "/allocations/00000000-0000-4000-8000-0000000000ff", body)


def storage(adm: Api, ops: Api, partner: Api) -> None:
    """A cipher of yesterday, a container that anybody writes to."""
    have = {t["name"]: t["id"] for t in adm.get("cinder", "/types?is_public=None")["volume_types"]}
    if "old-cipher" not in have:
        made = adm.post("cinder", "/types", {"volume_type": {"name": "old-cipher"}})["volume_type"]["id"]
        body = {"provider": "luks", "cipher": "aes-ecb", "key_size": 128, "control_location": "front-end"}
        adm.post("cinder", f"/types/{made}/encryption", {"encryption": body})
    headers = {"X-Container-Write": "*:*"}
    ops.put("swift", f"/AUTH_{ops.project_id}/drop-box", headers=headers)
    for owner in (ops, partner):  # Swift writes what it was told into the account's books when these are read
        owner.get("swift", f"/AUTH_{owner.project_id}?format=json")


def age() -> None:
    """Time that nobody here can wait for, and rows as an older release left them."""
    sql(
        f"UPDATE nova_cell1.instances SET updated_at='{LONG_AGO}' WHERE vm_state='stopped' AND deleted=0 "
        "ORDER BY uuid LIMIT 1;"
        f"UPDATE nova_cell1.instances SET task_state='rebooting', updated_at='{LONG_AGO}' WHERE display_name='x-error';"
        f"UPDATE cinder.volumes SET updated_at='{LONG_AGO}' WHERE display_name='x-secret';"
        f"UPDATE cinder.snapshots SET created_at='{LONG_AGO}' WHERE display_name='snap-good';"
        "UPDATE glance.images SET os_hash_algo=NULL, os_hash_value=NULL WHERE name='CentOS-6.5-x86_64-old';"
    )


def commands(adm: Api, ops: Api, servers: dict[str, Any]) -> None:
    """What was done to servers by people who are gone, put aside, or of no project any more; a server that came
    and went."""
    told = servers["x-told"]["id"]
    path = f"/servers/{told}/os-instance-actions"
    if any(a["action"] == "reboot" for a in ops.get("nova", path)["instanceActions"]):
        return
    roles = {r["name"]: r["id"] for r in adm.get("keystone", "/roles")["roles"]}
    domain = adm.find("keystone", "domain", name=ops.who[3])["id"]
    for name in ("x-gone", "x-aside", "x-elsewhere"):
        body = {"name": name, "password": sec("tenant"), "domain_id": domain}
        user = adm.ensure("keystone", "user", body)["id"]
        grant = f"/projects/{ops.project_id}/users/{user}/roles/{roles['member']}"
        adm.put("keystone", grant)
        who = Api(name, sec("tenant"), *ops.who[2:])
        who.post("nova", f"/servers/{told}/action", {"reboot": {"type": "HARD"}})
        wait_for(lambda: ops.get("nova", "/servers/" + told)["server"]["status"] == "ACTIVE", 300)
        if name == "x-gone":
            adm.call("DELETE", "keystone", "/users/" + user)
        elif name == "x-aside":
            adm.call("PATCH", "keystone", "/users/" + user, {"user": {"enabled": False}})
        else:
            adm.call("DELETE", "keystone", grant)
    like = ops.get("nova", "/servers/" + told)["server"]
    flavor = {f["name"]: f["id"] for f in ops.get("nova", "/flavors")["flavors"]}["s.medium"]
    body = {"name": "x-brief", "flavorRef": flavor, "imageRef": like["image"]["id"], "networks": "none"}
    brief = ops.post("nova", "/servers", {"server": body})["server"]["id"]
    wait_for(lambda: ops.get("nova", "/servers/" + brief)["server"]["status"] != "BUILD", 600)
    ops.call("DELETE", "nova", "/servers/" + brief)


def forget() -> None:
    """Records of commands that lost their user, and the one that a server began with."""
    of = "SELECT uuid FROM instances WHERE deleted=0 AND display_name="
    lost = f"SELECT id FROM instance_actions WHERE action='create' AND instance_uuid=({of}'x-shelved')"
    sql(
        f"UPDATE instance_actions SET user_id=NULL WHERE action='suspend' AND instance_uuid=({of}'x-suspended');"
        f"DELETE FROM instance_actions_events WHERE action_id IN ({lost});"
        f"DELETE FROM instance_actions WHERE action='create' AND instance_uuid=({of}'x-shelved');",
        "nova_cell1",
    )


def seed(adm: Api, ops: Api, partner: Api, servers: dict[str, Any]) -> None:
    """``ops`` is the project that most of it is about, ``partner`` the one beside it."""
    identity(adm, ops, partner)
    network(adm, ops)
    balancer(adm, ops)
    compute(adm, ops, partner, servers)
    images(adm, ops, servers)
    silent_nodes(adm)
    storage(adm, ops, partner)
    commands(adm, ops, servers)
    forget()
    age()
