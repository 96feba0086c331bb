"""Storage classes, persistent volumes, claims."""

from __future__ import annotations

from collections.abc import Container
from math import ceil
from typing import TypeVar

import msgspec

from collectors.kubernetes.listing import Ask
from collectors.kubernetes.objects import Annotated, Meta, masked_parameters
from collectors.kubernetes.quantities import gibibytes
from collectors.kubernetes.survey import Place
from inventory.decoding import from_json
from inventory.kinds.storage import Volume, VolumeClaim, VolumeType
from inventory.unknown import UNKNOWN, Unknown

T = TypeVar("T")

CLASSES = Ask(resource="storageclasses", group="storage.k8s.io", versions=("v1", "v1beta1"), namespaced=False)
VOLUMES = Ask(resource="persistentvolumes", namespaced=False)
CLAIMS = Ask(resource="persistentvolumeclaims")
_DEFAULT = (
    "storageclass.kubernetes.io/is-default-class",
    "storageclass.beta.kubernetes.io/is-default-class",
)
_ENCRYPTED = ("encrypted", "encryption", "csi.storage.k8s.io/encrypted")
_NOT_SOURCES = frozenset(
    "capacity accessModes claimRef persistentVolumeReclaimPolicy storageClassName mountOptions volumeMode"
    " nodeAffinity volumeAttributesClassName".split()
)


class ClassRow(msgspec.Struct, kw_only=True):
    """A StorageClass as the API has it."""

    meta: Annotated = msgspec.field(name="metadata")
    provisioner: str = ""
    parameters: dict[str, str] | None = None
    reclaim_policy: str = msgspec.field(default="Delete", name="reclaimPolicy")


class _Csi(msgspec.Struct, kw_only=True):
    driver: str = ""
    attributes: dict[str, str] | None = msgspec.field(default=None, name="volumeAttributes")


class _ClaimReference(msgspec.Struct, kw_only=True):
    namespace: str = ""
    name: str = ""


class _VolumeStatus(msgspec.Struct, kw_only=True):
    phase: str = ""


class VolumeRow(msgspec.Struct, kw_only=True):
    """A PersistentVolume as the API has it; its source is whichever key of the spec is none of the others."""

    meta: Meta = msgspec.field(name="metadata")
    spec: dict[str, msgspec.Raw]
    status: _VolumeStatus = msgspec.field(default_factory=_VolumeStatus)


class _Requests(msgspec.Struct, kw_only=True):
    requests: dict[str, str | float] | None = None


class _ClaimSpec(msgspec.Struct, kw_only=True):
    storage_class: str | None = msgspec.field(default=None, name="storageClassName")
    volume: str = msgspec.field(default="", name="volumeName")
    access_modes: list[str] | None = msgspec.field(default=None, name="accessModes")
    resources: _Requests = msgspec.field(default_factory=_Requests)


class _ClaimStatus(msgspec.Struct, kw_only=True):
    phase: str = ""
    capacity: dict[str, str | float] | None = None


class ClaimRow(msgspec.Struct, kw_only=True):
    """A PersistentVolumeClaim as the API has it."""

    meta: Meta = msgspec.field(name="metadata")
    spec: _ClaimSpec = msgspec.field(default_factory=_ClaimSpec)
    status: _ClaimStatus = msgspec.field(default_factory=_ClaimStatus)


def volume_type(row: ClassRow, place: Place) -> VolumeType:
    """A storage class. Whether it encrypts is known only where a parameter says so: many back ends encrypt
    without one, and a volume may be older than its class."""
    notes = row.meta.annotations or {}
    return VolumeType(
        source=place.source,
        native_id=row.meta.name,
        name=row.meta.name,
        labels=place.tags(row.meta.labels),
        public=True,  # any namespace may name it
        default=any(notes.get(name) == "true" for name in _DEFAULT),
        encrypted=_encrypted(row.parameters),
        driver=row.provisioner or None,
        reclaim_policy=row.reclaim_policy,
        extra_specs=place.clean(masked_parameters(row.parameters or {})),
    )


def _encrypted(parameters: dict[str, str] | None) -> bool | Unknown:
    for name, value in (parameters or {}).items():
        if name.casefold() in _ENCRYPTED and value.casefold() in ("true", "false"):
            return value.casefold() == "true"
    return UNKNOWN


def volume(row: VolumeRow, place: Place) -> Volume:
    """A persistent volume."""
    spec = row.spec
    capacity = from_json(spec["capacity"], dict[str, str | float]) if "capacity" in spec else {}
    claim = _decoded(spec, "claimRef", _ClaimReference)
    csi = _decoded(spec, "csi", _Csi)
    kind = next((name for name in sorted(spec) if name not in _NOT_SOURCES), None)
    type_name = _text(spec, "storageClassName")
    bound = row.status.phase == "Bound"
    return Volume(
        source=place.source,
        native_id=row.meta.name,
        name=row.meta.name,
        labels=place.tags(row.meta.labels),
        relations=place.relations(("has_type", "volume_type", type_name)),
        status=row.status.phase.lower() or UNKNOWN,
        size_gib=ceil(gibibytes(capacity["storage"])) if "storage" in capacity else UNKNOWN,
        volume_type=type_name,
        encrypted=_encrypted(csi.attributes if csi else None),
        bootable=False,
        attached=bound,
        image=None,  # no cluster makes its volumes from images of an operating system
        image_hardened=None,
        created_at=row.meta.created_at or UNKNOWN,
        namespace=claim.namespace if claim and bound else None,
        backend=csi.driver if csi else kind,
        reclaim_policy=_text(spec, "persistentVolumeReclaimPolicy"),
    )


def _decoded(spec: dict[str, msgspec.Raw], name: str, shape: type[T]) -> T | None:
    return from_json(spec[name], shape) if name in spec else None


def _text(spec: dict[str, msgspec.Raw], name: str) -> str | None:
    return from_json(spec[name], str) or None if name in spec else None


def volume_claim(row: ClaimRow, used: Container[str] | None, place: Place) -> VolumeClaim:
    """A claim. ``used`` holds the keys of those that workloads mount, None where not all were seen."""
    sizes = row.status.capacity or row.spec.resources.requests or {}
    return VolumeClaim(
        source=place.source,
        native_id=row.meta.key,
        name=row.meta.name,
        labels=place.tags(row.meta.labels),
        relations=place.relations(
            ("in_namespace", "namespace", row.meta.namespace),
            ("has_type", "volume_type", row.spec.storage_class),
            ("bound_to", "volume", row.spec.volume),
        ),
        namespace=row.meta.namespace,
        status=row.status.phase.lower() or UNKNOWN,
        size_gib=round(gibibytes(sizes["storage"]), 3) if "storage" in sizes else UNKNOWN,
        volume_type=row.spec.storage_class or None,
        access_modes=sorted(row.spec.access_modes or []),
        used=row.meta.key in used if used is not None else UNKNOWN,
    )
