"""Storage classes, volumes and the claims that hold them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from kube_lab.seed.plan import PLANTED
from kube_lab.seed.things import Json, Thing, thing

GIB = {"plain-hdd": 20, "encrypted-ssd": 20, "local": 20}


def classes() -> Iterator[Thing]:
    """Encrypted by parameter, plain, one that says nothing, and one that carries a password."""
    api, default = "storage.k8s.io/v1", {"storageclass.kubernetes.io/is-default-class": "true"}
    for name, provisioner, parameters, marks in (
        ("encrypted-ssd", "disk.csi.gov.example", {"type": "ssd", "encrypted": "true"}, {}),
        ("plain-hdd", "disk.csi.gov.example", {"type": "hdd", "encrypted": "false"}, default),
        ("local", "kubernetes.io/no-provisioner", {}, {}),
        (
            "ceph",
            "rbd.csi.ceph.com",
            {"pool": "rbd", "adminKey": PLANTED["storage_parameter"], "encryptionKMSID": "kms-sm4"},
            {},
        ),
    ):
        yield thing(
            *(api, "storageclasses", "StorageClass", name),
            annotations=marks,
            provisioner=provisioner,
            parameters=parameters,
            reclaimPolicy="Delete" if name != "ceph" else "Retain",
            volumeBindingMode="WaitForFirstConsumer" if name == "local" else "Immediate",
        )
    yield thing(
        *("storage.k8s.io/v1", "csidrivers", "CSIDriver", "disk.csi.gov.example"),
        spec={"attachRequired": True},
    )


def volumes(sets: Iterable[Thing]) -> Iterator[Thing]:
    """A bound claim and its volume for each pod of each stateful set; then a lost and a left-over one."""
    for owner in sets:
        kind = owner.body["spec"]["volumeClaimTemplates"][0]["spec"]["storageClassName"]
        for index in range(owner.body["spec"]["replicas"]):
            claim = f"data-{owner.name}-{index:03d}"
            volume = f"pv-{owner.namespace}-{owner.name}-{index:03d}"
            yield pvc(owner.namespace, claim, kind, volume)
            yield pv(volume, kind, "Bound", (owner.namespace, claim))
    yield pvc("finance", "waiting", "encrypted-ssd", "")
    yield pv("pv-released", "plain-hdd", "Released", ("finance", "deleted-long-ago"))
    yield pv("pv-free", "plain-hdd", "Available", None)
    yield thing(
        *("v1", "persistentvolumes", "PersistentVolume", "pv-nfs"),
        spec={
            "capacity": {"storage": "500Gi"},
            "accessModes": ["ReadWriteMany"],
            "nfs": {"server": "10.30.0.5", "path": "/export/archive"},
        },
        status={"phase": "Available"},
    )
    yield from on_one_node()


def on_one_node() -> Iterator[Thing]:
    """A disk of one machine, in use: lost with it."""
    yield pvc("finance", "on-one-node", "local", "pv-local")
    volume = pv("pv-local", "local", "Bound", ("finance", "on-one-node"))
    spec = volume.body["spec"]
    del spec["csi"]
    spec["local"] = {"path": "/mnt/disk1"}
    term = {
        "matchExpressions": [{"key": "kubernetes.io/hostname", "operator": "In", "values": ["worker-003"]}]
    }
    spec["nodeAffinity"] = {"required": {"nodeSelectorTerms": [term]}}
    yield volume


def pvc(namespace: str, name: str, kind: str, volume: str) -> Thing:
    spec: Json = {
        "accessModes": ["ReadWriteOnce"],
        "storageClassName": kind,
        "resources": {"requests": {"storage": f"{GIB[kind]}Gi"}},
    }
    status: Json = {"phase": "Pending"}
    if volume:
        spec["volumeName"] = volume
        status = {
            "phase": "Bound",
            "accessModes": ["ReadWriteOnce"],
            "capacity": {"storage": f"{GIB[kind]}Gi"},
        }
    return thing(
        "v1", "persistentvolumeclaims", "PersistentVolumeClaim", name, namespace, spec=spec, status=status
    )


def pv(name: str, kind: str, phase: str, claim: tuple[str, str] | None) -> Thing:
    spec: Json = {
        "capacity": {"storage": f"{GIB[kind]}Gi"},
        "accessModes": ["ReadWriteOnce"],
        "storageClassName": kind,
        "persistentVolumeReclaimPolicy": "Retain" if phase == "Released" else "Delete",
        "csi": {"driver": "disk.csi.gov.example", "volumeHandle": f"vol-{name}"},
    }
    if claim:
        spec["claimRef"] = {"kind": "PersistentVolumeClaim", "namespace": claim[0], "name": claim[1]}
    return thing("v1", "persistentvolumes", "PersistentVolume", name, spec=spec, status={"phase": phase})
