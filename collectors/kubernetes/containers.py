"""Pod templates as the inventory has them: containers with the settings in force, mounts, requests."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Final

import msgspec

from collectors.kubernetes.objects import looks_secret
from collectors.kubernetes.quantities import mebibytes, quantity
from collectors.kubernetes.templates import (
    Capabilities,
    ContainerSecurity,
    ContainerSpec,
    PodSecurity,
    PodSpec,
    Resources,
)
from inventory.decoding import decoder
from inventory.kinds.cluster import Container, Mount
from inventory.unknown import Unknown

_IMAGE = re.compile(r"[A-Za-z0-9._/:@-]{1,500}")  # no room for anything secret
_DOCKER_HUB = "docker.io"
_INJECTED_TOKEN = "kube-api-access-"  # noqa: S105  the volume every pod gets; automount_token tells of it
_MOUNT_TYPES: Final = {
    "hostPath": "host_path",
    "persistentVolumeClaim": "claim",
    "configMap": "config_map",
    "emptyDir": "empty_dir",
    "downwardAPI": "downward_api",
}
_NO_RESOURCES = Resources()
_NO_CAPABILITIES = Capabilities()
_NO_SECURITY = ContainerSecurity()
_NO_POD_SECURITY = PodSecurity()


def container(
    spec: ContainerSpec,
    pod: PodSecurity | None,
    digests: Iterable[str] | Unknown,
    clean: Callable[[str], str],
    *,
    init: bool,
) -> Container:
    """One container. Its own settings go before the pod's."""
    own, pod = spec.security or _NO_SECURITY, pod or _NO_POD_SECURITY
    capabilities = own.capabilities or _NO_CAPABILITIES
    resources = spec.resources or _NO_RESOURCES
    requests, limits = resources.requests or {}, resources.limits or {}
    registry, tag, digest = image_parts(spec.image)
    seccomp = own.seccomp or pod.seccomp
    sources = [v.source.secret.name for v in spec.variables or [] if v.source and v.source.secret]
    sources += [s.secret.name for s in spec.variable_sources or [] if s.secret]
    return Container(
        name=spec.name,
        init=init,
        image=spec.image if _IMAGE.fullmatch(spec.image) else clean(spec.image),
        registry=registry,
        tag=tag,
        digest=digest,
        running_digests=digests if isinstance(digests, Unknown) else sorted(digests),
        pull_policy=spec.pull_policy,
        privileged=own.privileged is True,
        allow_privilege_escalation=own.escalation,
        run_as_non_root=pod.non_root if own.non_root is None else own.non_root,
        run_as_user=pod.user if own.user is None else own.user,
        read_only_root=own.read_only is True,
        capabilities_added=sorted(capabilities.add or []),
        capabilities_dropped=sorted(capabilities.drop or []),
        seccomp=seccomp.type or None if seccomp else None,
        host_ports=sorted(p.host for p in spec.ports or [] if p.host),
        cpu_request=_asked(requests, "cpu", quantity),
        cpu_limit=_asked(limits, "cpu", quantity),
        memory_request_mib=_asked(requests, "memory", mebibytes),
        memory_limit_mib=_asked(limits, "memory", mebibytes),
        secret_variables=sorted(
            v.name for v in spec.variables or [] if v.value and looks_secret(v.name, v.value, clean)
        ),
        secret_references=sorted(set(filter(None, sources))),
        liveness_probe=spec.liveness is not None,
        readiness_probe=spec.readiness is not None,
    )


def _asked(
    amounts: Mapping[str, str | float], name: str, unit: Callable[[str | float], float]
) -> float | None:
    return round(unit(amounts[name]), 3) if name in amounts else None


def image_parts(image: str) -> tuple[str, str | None, str | None]:
    """Registry, tag and digest of an image's name (distribution's reference grammar): what stands before
    the first slash is a registry only if it could be a host."""
    rest, _, digest = image.partition("@")
    first, slash, last = rest.partition("/")
    host = bool(slash) and ("." in first or ":" in first or first == "localhost")
    name, colon, tag = (last if host else rest).rpartition(":")
    written = tag if colon and name and "/" not in tag else None
    return first if host else _DOCKER_HUB, written, digest or None


class Volumes(msgspec.Struct, kw_only=True):
    """What the volumes of a pod come from."""

    mounts: list[Mount] = msgspec.field(default_factory=list)
    secrets: set[str] = msgspec.field(default_factory=set)
    claims: set[str] = msgspec.field(default_factory=set)


class _Source(msgspec.Struct, kw_only=True):
    path: str | None = None
    secret: str | None = msgspec.field(default=None, name="secretName")
    name: str | None = None
    claim: str | None = msgspec.field(default=None, name="claimName")
    driver: str | None = None
    server: str | None = None
    read_only: bool | None = msgspec.field(default=None, name="readOnly")
    sources: list[_Projected] | None = None


class _Named(msgspec.Struct, kw_only=True):
    name: str | None = None


class _Projected(msgspec.Struct, kw_only=True):
    secret: _Named | None = None


_source = decoder(_Source)
_text = decoder(str)


def claims(spec: PodSpec) -> list[str]:
    """Names of the claims that a pod mounts."""
    raw = [v["persistentVolumeClaim"] for v in spec.volumes or [] if "persistentVolumeClaim" in v]
    return [claim for claim in (_source.decode(one).claim for one in raw) if claim]


def volumes(spec: PodSpec) -> Volumes:
    """Mounts and what they lead to. Raises msgspec.ValidationError (a ValueError) for a wrong shape."""
    found = Volumes()
    points: dict[str, list[bool]] = {}
    for one in (*spec.containers, *(spec.init or [])):
        for point in one.mounts or []:
            points.setdefault(point.name, []).append(point.read_only is True)
    for volume in spec.volumes or []:
        name = _text.decode(volume["name"])
        kind = next((k for k in volume if k != "name"), "emptyDir")  # no source at all means emptyDir
        if name.startswith(_INJECTED_TOKEN):
            continue
        source = _source.decode(volume[kind]) if kind in volume else _Source()
        fields = {
            "hostPath": source.path,
            "secret": source.secret,
            "configMap": source.name,
            "persistentVolumeClaim": source.claim,
            "csi": source.driver,
            "nfs": source.server,
        }
        if kind == "secret" and source.secret:
            found.secrets.add(source.secret)
        if kind == "persistentVolumeClaim" and source.claim:
            found.claims.add(source.claim)
        found.secrets |= {s.secret.name for s in source.sources or [] if s.secret and s.secret.name}
        read_only = source.read_only is True or (name in points and all(points[name]))
        found.mounts.append(
            Mount(name=name, type=_MOUNT_TYPES.get(kind, kind), source=fields.get(kind), read_only=read_only)
        )
    found.mounts.sort(key=lambda m: str(m.name))
    return found


def requests(spec: PodSpec) -> dict[str, float]:
    """What the scheduler counts for a pod, resource → base units: its containers and side-cars together,
    or the largest moment of its start if that is more; plus overhead. What is written for the pod as a
    whole goes before (the API's resource helpers)."""
    running: dict[str, float] = {}
    for one in spec.containers:
        _add(running, one.resources)
    if spec.init:
        sidecars: dict[str, float] = {}
        peak: dict[str, float] = {}
        for one in spec.init:
            if one.restart == "Always":
                _add(sidecars, one.resources)
                moment = sidecars
            else:
                moment = dict(sidecars)
                _add(moment, one.resources)
            for name, value in moment.items():
                peak[name] = max(value, peak.get(name, 0.0))
        for name, value in sidecars.items():
            running[name] = running.get(name, 0.0) + value
        for name, value in peak.items():
            running[name] = max(value, running.get(name, 0.0))
    if spec.resources and spec.resources.requests:
        running |= {name: quantity(value) for name, value in spec.resources.requests.items()}
    for name, asked in (spec.overhead or {}).items():
        running[name] = running.get(name, 0.0) + quantity(asked)
    return running


def _add(total: dict[str, float], resources: Resources | None) -> None:
    if resources is None:
        return
    requests = resources.requests or {}
    for name, value in requests.items():
        total[name] = total.get(name, 0.0) + quantity(value)
    for name, value in (resources.limits or {}).items():
        if name not in requests:  # the API's default: what is limited is asked for
            total[name] = total.get(name, 0.0) + quantity(value)
