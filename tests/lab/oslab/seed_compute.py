"""Compute beyond plain servers: groups, keys, states, flavors, a disabled service, inventories and traits."""

from __future__ import annotations

from typing import Any

from oslab.core import Api, wait_for

KEYS = ["rsa-1024", "rsa-2048", "rsa-4096", "ed25519", "ecdsa-256"]
DISABLED = "zw-b-phytium-01"  # its zone has another node of its kind, so that servers still find a place


def public_key(kind: str) -> str:
    """A fresh public key; the private half is thrown away."""
    from cryptography.hazmat.primitives import serialization as s
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

    name, _, bits = kind.partition("-")
    if name == "rsa":
        key: Any = rsa.generate_private_key(65537, int(bits))
    else:
        key = (
            ed25519.Ed25519PrivateKey.generate()
            if name == "ed25519"
            else ec.generate_private_key(ec.SECP256R1())
        )
    return str(key.public_key().public_bytes(s.Encoding.OpenSSH, s.PublicFormat.OpenSSH).decode()) + " lab"


def keypairs(adm: Api, users: list[str]) -> None:
    for user in users:
        have = {k["keypair"]["name"] for k in adm.get("nova", "/os-keypairs?user_id=" + user)["keypairs"]}
        for kind in KEYS:
            if kind not in have:
                body = {"name": kind, "type": "ssh", "user_id": user, "public_key": public_key(kind)}
                adm.post("nova", "/os-keypairs", {"keypair": body})


def server_groups(ops: Api) -> dict[str, str]:
    have = {g["name"]: g["id"] for g in ops.get("nova", "/os-server-groups")["server_groups"]}
    for name, policy in (("pair", "affinity"), ("spread", "anti-affinity"), ("wish", "soft-anti-affinity")):
        if name not in have:
            have[name] = ops.post(
                "nova", "/os-server-groups", {"server_group": {"name": name, "policy": policy}}
            )["server_group"]["id"]
    return have


def servers(ops: Api, net: str, flavor: str, image: str, key: str) -> dict[str, dict[str, Any]]:
    """The servers that show what the plain ones do not; by name."""
    groups = server_groups(ops)
    base = {"flavorRef": flavor, "imageRef": image, "networks": [{"uuid": net}], "availability_zone": "az-a"}
    volume = {
        "uuid": image,
        "source_type": "image",
        "destination_type": "volume",
        "volume_size": 40,
        "boot_index": 0,
    }
    plan: list[tuple[str, dict[str, Any], str]] = [
        ("x-pair-1", {}, "pair"),
        ("x-pair-2", {}, "pair"),
        # az-b has two nodes for this image: the third finds none, and so stands in no cell
        ("x-spread-1", {"availability_zone": "az-b"}, "spread"),
        ("x-spread-2", {"availability_zone": "az-b"}, "spread"),
        ("x-spread-3", {"availability_zone": "az-b"}, "spread"),
        (
            "x-told",
            {"config_drive": True, "description": "堡垒机", "tags": ["bastion", "djbh-3"], "key_name": key},
            "",
        ),
        ("x-shelved", {"key_name": key}, ""),
        ("x-error", {}, ""),
        ("x-suspended", {}, ""),
        ("x-volume", {"imageRef": "", "block_device_mapping_v2": [volume]}, ""),
    ]
    path = "/servers/detail?project_id=" + ops.project_id
    have = {s["name"] for s in ops.get("nova", path)["servers"]}
    for name, more, group in plan:
        if name in have:
            continue
        body: dict[str, Any] = {"server": {**base, "name": name, "metadata": {"djbh_level": "3"}, **more}}
        if group:
            body["os:scheduler_hints"] = {"group": groups[group]}
        ops.post("nova", "/servers", body)

    def settled() -> dict[str, dict[str, Any]] | None:
        mine = {s["name"]: s for s in ops.get("nova", path)["servers"]}
        return None if any(s["status"] == "BUILD" for s in mine.values()) else mine

    return dict(wait_for(settled, 1200))


def states(adm: Api, ops: Api, have: dict[str, dict[str, Any]]) -> None:
    """Shelved, suspended, in error; each only while the server is active."""
    for name, body in (
        ("x-shelved", {"shelve": None}),
        ("x-suspended", {"suspend": None}),
        ("x-error", {"os-resetState": {"state": "error"}}),
    ):
        if have[name]["status"] == "ACTIVE":
            (adm if name == "x-error" else ops).post("nova", f"/servers/{have[name]['id']}/action", body)
    if have["x-shelved"]["status"] == "ACTIVE":
        wait_for(
            lambda: ops.get("nova", "/servers/" + have["x-shelved"]["id"])["server"]["status"].startswith(
                "SHELVED"
            ),
            600,
        )


def flavors(adm: Api, project: str) -> None:
    """A flavor for one project only, with extra specs."""
    have = {f["name"] for f in adm.get("nova", "/flavors?is_public=None")["flavors"]}
    if "x.kunpeng" in have:
        return
    body = {"name": "x.kunpeng", "vcpus": 32, "ram": 131072, "disk": 200, "os-flavor-access:is_public": False}
    flavor = adm.post("nova", "/flavors", {"flavor": body})["flavor"]["id"]
    specs = {"aggregate_instance_extra_specs:chip": "kunpeng", "hw:cpu_policy": "dedicated"}
    adm.post("nova", f"/flavors/{flavor}/os-extra_specs", {"extra_specs": specs})
    adm.post("nova", f"/flavors/{flavor}/action", {"addTenantAccess": {"tenant": project}})


def platform(adm: Api) -> None:
    """One compute service out of scheduling, an aggregate that says for whom, custom traits, a storage provider."""
    for service in adm.get("nova", "/os-services?binary=nova-compute")["services"]:
        if service["host"] == DISABLED and service["status"] == "enabled":
            body = {"status": "disabled", "disabled_reason": "内存告警，待更换"}
            adm.put("nova", "/os-services/" + service["id"], body)
    aggregates = {a["name"] for a in adm.get("nova", "/os-aggregates")["aggregates"]}
    if "djbh-3" not in aggregates:
        made = adm.post("nova", "/os-aggregates", {"aggregate": {"name": "djbh-3"}})["aggregate"]["id"]
        meta = {"djbh_level": "3", "pinned": "false"}
        adm.post("nova", f"/os-aggregates/{made}/action", {"set_metadata": {"metadata": meta}})
    providers = {p["name"]: p for p in adm.get("placement", "/resource_providers")["resource_providers"]}
    for trait in ("CUSTOM_CHIP_KUNPENG", "CUSTOM_CHIP_HYGON", "CUSTOM_SM_CARD"):
        adm.put("placement", "/traits/" + trait)
    for name, provider in providers.items():
        chip = [t for t in ("kunpeng", "hygon") if t in name]
        path = f"/resource_providers/{provider['uuid']}/traits"
        now = adm.get("placement", path)
        wanted = sorted({*now["traits"], *("CUSTOM_CHIP_" + c.upper() for c in chip)})
        if wanted != sorted(now["traits"]):
            body = {"resource_provider_generation": now["resource_provider_generation"], "traits": wanted}
            adm.put("placement", path, body)
    if "san-pool-01" not in providers:
        made = adm.post("placement", "/resource_providers", {"name": "san-pool-01"})["uuid"]
        inventory = {
            "DISK_GB": {"total": 100000, "reserved": 5000, "allocation_ratio": 1.5, "max_unit": 10000}
        }
        adm.put(
            "placement",
            f"/resource_providers/{made}/inventories",
            {"resource_provider_generation": 0, "inventories": inventory},
        )


def seed(adm: Api, apis: dict[str, Api], project: str, net: str) -> dict[str, dict[str, Any]]:
    """The servers made, by name. ``net`` is the network they stand in."""
    ops = apis[project]
    users = {u["name"]: u["id"] for u in adm.get("keystone", "/users")["users"]}
    keypairs(adm, [users[project + "-ops"], users[next(iter(apis)) + "-ops"]])
    flavors(adm, ops.project_id)
    flavor = {f["name"]: f["id"] for f in adm.get("nova", "/flavors")["flavors"]}["s.medium"]
    image = {i["name"]: i["id"] for i in adm.get("glance", "/images?limit=200")["images"]}[
        "openEuler-22.03-LTS-SP4-aarch64"
    ]
    have = servers(ops, net, flavor, image, "rsa-1024")
    states(adm, ops, have)
    platform(adm)
    return have
