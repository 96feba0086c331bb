"""Storage beyond plain volumes: types, QoS, backups, multi-attach; images; shares; objects."""

from __future__ import annotations

import os
from typing import Any

from oslab.core import DATA, Api, sql, wait_for

IMAGES: list[tuple[str, dict[str, Any]]] = [
    (
        "Kylin-V10-SP3-loongarch64",
        {
            "os_distro": "kylin",
            "os_version": "V10-SP3",
            "hw_architecture": "loongarch64",
            "architecture": "loongarch64",
            "protected": True,
            "visibility": "public",
        },
    ),
    (
        "UOS-20-1060e-loongarch64",
        {"os_distro": "uos", "os_version": "20", "architecture": "loongarch64", "visibility": "public"},
    ),
    (
        "UOS-20-1060e-aarch64",
        {"os_distro": "uos", "os_version": "20", "hw_architecture": "aarch64", "visibility": "community"},
    ),
    (
        "openEuler-24.03-LTS-signed",
        {
            "os_distro": "openeuler",
            "os_version": "24.03",
            "hw_architecture": "aarch64",
            "visibility": "private",
            "os_type": "linux",
            "os_secure_boot": "required",
            "hw_tpm_version": "2.0",
        },
    ),
    (
        "Debian-13-signed",
        {"os_distro": "debian", "os_version": "13", "architecture": "x86_64", "visibility": "public"},
    ),
    (
        "CentOS-6.5-x86_64-old",
        {"os_distro": "centos", "os_version": "6.5", "os_hidden": True, "visibility": "public"},
    ),
    ("template-shared", {"os_distro": "openeuler", "os_version": "22.03", "visibility": "shared"}),
    ("undeclared", {"visibility": "private"}),
    ("deactivated", {"visibility": "private", "os_distro": "debian", "os_version": "9"}),
    ("never-uploaded", {"visibility": "private"}),
]
SIGNATURE = {
    "img_signature": "bm90IGEgcmVhbCBzaWduYXR1cmU=",
    "img_signature_hash_method": "SHA-256",
    "img_signature_key_type": "RSA-PSS",
    "img_signature_certificate_uuid": "6a4a0b9e-3b1a-4a53-8d3f-0d5f6c2f1a11",
}


def every_image(adm: Api) -> list[dict[str, Any]]:
    """Glance leaves hidden images, and others' community images, out of its plain list."""
    found = {}
    for query in ("", "&os_hidden=true", "&visibility=community"):
        for image in adm.get("glance", "/images?limit=200" + query)["images"]:
            found[image["id"]] = image
    return list(found.values())


def images(adm: Api, owner: str, partner: str) -> None:
    """Every visibility, a signed one (signed after its upload: nothing checks it), old, hidden, shared, off."""
    have = {i["name"]: i for i in every_image(adm)}
    for name, more in IMAGES:
        if name in have:
            continue
        body = {"name": name, "disk_format": "qcow2", "container_format": "bare", "owner": owner, **more}
        image = adm.post("glance", "/images", body)["id"]
        if name == "never-uploaded":
            continue
        data = {"data": os.urandom(2048), "headers": {"Content-Type": "application/octet-stream"}}
        adm.call("PUT", "glance", f"/images/{image}/file", **data)
        if name.endswith("signed"):
            signature = {**SIGNATURE, "img_signature_hash_method": "SHA-1"} if "Debian" in name else SIGNATURE
            patch = [{"op": "add", "path": "/" + k, "value": v} for k, v in signature.items()]
            kind = {"Content-Type": "application/openstack-images-v2.1-json-patch"}
            adm.call("PATCH", "glance", "/images/" + image, body=patch, headers=kind)
        if name == "template-shared":
            adm.post("glance", f"/images/{image}/members", {"member": partner})
            adm.put("glance", f"/images/{image}/members/{partner}", {"status": "accepted"})
        if name == "deactivated":
            adm.call("POST", "glance", f"/images/{image}/actions/deactivate")
    sql("UPDATE images SET created_at='2018-03-04 05:06:07' WHERE name LIKE 'CentOS-6.5%';", "glance")


def volume_types(adm: Api, project: str) -> dict[str, str]:
    """A private type, one for many servers at once, and QoS on two consumers; ids by name."""
    have = {t["name"]: t for t in adm.get("cinder", "/types?is_public=None")["volume_types"]}
    for name, body in (
        (
            "secret-ssd",
            {"os-volume-type-access:is_public": False, "extra_specs": {"volume_backend_name": "ceph-ssd"}},
        ),
        ("ssd-multi", {"extra_specs": {"volume_backend_name": "ceph-ssd", "multiattach": "<is> True"}}),
    ):
        if name not in have:
            have[name] = adm.post("cinder", "/types", {"volume_type": {"name": name, **body}})["volume_type"]
            if name == "secret-ssd":
                access = {"addProjectAccess": {"project": project}}
                adm.post("cinder", f"/types/{have[name]['id']}/action", access)
    qos = {q["name"]: q["id"] for q in adm.get("cinder", "/qos-specs")["qos_specs"]}
    for name, consumer, specs, on in (
        ("gold", "front-end", {"total_iops_sec": "5000"}, "ssd"),
        ("bronze", "back-end", {"maxIOPS": "300"}, "hdd"),
        ("unused", "both", {"total_bytes_sec": "104857600"}, ""),
    ):
        if name not in qos:
            body = {"qos_specs": {"name": name, "consumer": consumer, **specs}}
            qos[name] = adm.post("cinder", "/qos-specs", body)["qos_specs"]["id"]
            if on:
                adm.get("cinder", f"/qos-specs/{qos[name]}/associate?vol_type_id={have[on]['id']}")
    return {name: t["id"] for name, t in have.items()}


def ready(api: Api, kind: str, item: str, states: tuple[str, ...] = ("available", "in-use", "error")) -> Any:
    """Wait until a volume, snapshot or backup is done with what it does."""

    def look() -> Any:
        found = api.get("cinder", f"/{kind}s/{item}")[kind]
        return found if found["status"] in states else None

    return wait_for(look, 600, 0.5)


def volumes(adm: Api, ops: Api, servers: dict[str, Any]) -> dict[str, str]:
    """A volume on two servers, one in error, one of the private type, two for backups; ids by name."""
    have = {v["name"]: v["id"] for v in ops.get("cinder", "/volumes/detail")["volumes"]}
    for name, kind, size in (
        ("x-multi", "ssd-multi", 100),
        ("x-error", "hdd", 10),
        ("x-secret", "secret-ssd", 20),
        ("x-kept", "hdd", 50),
        ("x-kept-aes", "ssd-luks-aes", 50),
    ):
        if name in have:
            continue
        body = {"volume": {"name": name, "size": size, "volume_type": kind}}
        have[name] = ops.post("cinder", "/volumes", body)["volume"]["id"]
        ready(ops, "volume", have[name])
        if name == "x-error":
            adm.post("cinder", f"/volumes/{have[name]}/action", {"os-reset_status": {"status": "error"}})
    multi = have["x-multi"]
    for server in (servers["x-pair-1"]["id"], servers["x-pair-2"]["id"]):
        attached = {a["server_id"] for a in ready(ops, "volume", multi)["attachments"]}
        if server not in attached:
            body = {"volumeAttachment": {"volumeId": multi}}
            ops.post("nova", f"/servers/{server}/os-volume_attachments", body)
            ready(ops, "volume", multi, ("in-use",))
    return have


def snapshots_and_backups(adm: Api, ops: Api, have: dict[str, str]) -> None:
    """Snapshots good and bad; backups full, on top of another, encrypted, of a volume in use, and a failed one."""
    done = {s["name"] for s in ops.get("cinder", "/snapshots")["snapshots"]}
    for name, volume in (("snap-good", "x-kept"), ("snap-bad", "x-kept")):
        if name not in done:
            body = {"snapshot": {"name": name, "volume_id": have[volume], "force": True}}
            made = ops.post("cinder", "/snapshots", body)["snapshot"]["id"]
            ready(ops, "snapshot", made)
            if name == "snap-bad":
                adm.post("cinder", f"/snapshots/{made}/action", {"os-reset_status": {"status": "error"}})
    done = {b["name"] for b in ops.get("cinder", "/backups")["backups"]}
    for name, volume, more in (
        ("full", "x-kept", {}),
        ("on-top", "x-kept", {"incremental": True}),
        ("encrypted", "x-kept-aes", {}),
        ("in-use", "x-multi", {"force": True}),
        ("failed", "x-kept", {}),
    ):
        if name not in done:
            body = {"backup": {"name": name, "volume_id": have[volume], **more}}
            made = ops.post("cinder", "/backups", body)["backup"]["id"]
            ready(ops, "backup", made)
            if name == "failed":
                adm.post("cinder", f"/backups/{made}/action", {"os-reset_status": {"status": "error"}})


def shares(adm: Api, ops: Api) -> None:
    """NFS open to all and to a few, CIFS for a user, a public one, one nobody may use, a snapshot."""
    types = {t["name"] for t in adm.get("manila", "/types?is_public=all")["share_types"]}
    for name, public in (("nas", True), ("nas-private", False)):
        if name not in types:
            specs = {"driver_handles_share_servers": "false", "snapshot_support": "true"}
            body = {"name": name, "share_type_access:is_public": public, "extra_specs": specs}
            adm.post("manila", "/types", {"share_type": body})
    have = {s["name"] for s in ops.get("manila", "/shares")["shares"]}
    for name, protocol, public, rules in (
        ("docs", "NFS", False, [("ip", "0.0.0.0/0", "rw")]),
        ("web", "NFS", False, [("ip", "10.20.0.0/16", "rw"), ("ip", "10.21.0.7", "ro")]),
        ("people", "CIFS", True, [("user", "hr-staff", "rw")]),
        ("unused", "NFS", False, []),
    ):
        if name in have:
            continue
        body = {"name": name, "share_proto": protocol, "size": 10, "share_type": "nas"}
        share = ops.post("manila", "/shares", {"share": body})["share"]["id"]
        wait_for(
            lambda s=share: ops.get("manila", "/shares/" + s)["share"]["status"] in ("available", "error"),
            600,
            0.5,
        )
        if public:
            adm.put("manila", "/shares/" + share, {"share": {"is_public": True}})
        for kind, to, level in rules:
            rule = {"access_type": kind, "access_to": to, "access_level": level}
            ops.post("manila", f"/shares/{share}/action", {"allow_access": rule})
        if name == "docs":
            ops.post("manila", "/snapshots", {"snapshot": {"share_id": share, "name": "docs-monthly"}})


def objects(ops: Api, partner: str) -> None:
    """Containers: private, readable by anybody, shared with a project, with versions, in another policy."""
    account = "/AUTH_" + ops.project_id
    for name, headers, files in (
        ("private", {}, 3),
        ("public-files", {"X-Container-Read": ".r:*,.rlistings"}, 2),
        ("shared", {"X-Container-Read": partner + ":*", "X-Container-Write": partner + ":*"}, 1),
        ("versions", {"X-Versions-Enabled": "true"}, 0),
        ("archive", {"X-Storage-Policy": "archive"}, 1),
    ):
        ops.put("swift", f"{account}/{name}", headers=headers)
        for n in range(files):
            text = {"data": f"{name} {n}\n".encode(), "headers": {"Content-Type": "text/plain"}}
            ops.call("PUT", "swift", f"{account}/{name}/file-{n}.txt", **text)


def containers() -> int:
    """Number of containers that Swift's own account databases hold, reserved ones left out."""
    import glob
    import sqlite3

    total = 0
    for path in glob.glob(os.path.join(DATA, "swift", "d1", "accounts", "**", "*.db"), recursive=True):
        with sqlite3.connect(path) as db:
            total += db.execute(
                "SELECT COUNT(*) FROM container WHERE deleted=0 AND name NOT LIKE char(0)||'%'"
            ).fetchone()[0]
    return total


def seed(adm: Api, apis: dict[str, Api], project: str, partner: str, servers: dict[str, Any]) -> None:
    """``partner`` is the name of the project that things are shared with."""
    ops, other = apis[project], apis[partner]
    images(adm, ops.project_id, other.project_id)
    volume_types(adm, ops.project_id)
    have = volumes(adm, ops, servers)
    snapshots_and_backups(adm, ops, have)
    shares(adm, ops)
    objects(ops, other.project_id)
    account = "/AUTH_" + other.project_id
    other.put("swift", account + "/backup")
