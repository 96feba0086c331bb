"""Pods and pod templates as the API has them: the fields that are used.

Decoding is strict where a wrong shape would hide something (``containers``), and takes null where the
API's own server does.
"""

from __future__ import annotations

import msgspec

from collectors.kubernetes.objects import Annotated, Meta


class Resources(msgspec.Struct, kw_only=True, gc=False):
    requests: dict[str, str | float] | None = None
    limits: dict[str, str | float] | None = None


class Capabilities(msgspec.Struct, kw_only=True, gc=False):
    add: list[str] | None = None
    drop: list[str] | None = None


class Seccomp(msgspec.Struct, kw_only=True, gc=False):
    type: str = ""


class ContainerSecurity(msgspec.Struct, kw_only=True, gc=False):
    privileged: bool | None = None
    escalation: bool | None = msgspec.field(default=None, name="allowPrivilegeEscalation")
    non_root: bool | None = msgspec.field(default=None, name="runAsNonRoot")
    user: int | None = msgspec.field(default=None, name="runAsUser")
    read_only: bool | None = msgspec.field(default=None, name="readOnlyRootFilesystem")
    capabilities: Capabilities | None = None
    seccomp: Seccomp | None = msgspec.field(default=None, name="seccompProfile")


class PodSecurity(msgspec.Struct, kw_only=True, gc=False):
    non_root: bool | None = msgspec.field(default=None, name="runAsNonRoot")
    user: int | None = msgspec.field(default=None, name="runAsUser")
    seccomp: Seccomp | None = msgspec.field(default=None, name="seccompProfile")


class Port(msgspec.Struct, kw_only=True, gc=False):
    host: int | None = msgspec.field(default=None, name="hostPort")


class Reference(msgspec.Struct, kw_only=True, gc=False):
    """Something by its name; where the name is optional, "" = not written."""

    name: str = ""


class ValueFrom(msgspec.Struct, kw_only=True, gc=False):
    secret: Reference | None = msgspec.field(default=None, name="secretKeyRef")


class Variable(msgspec.Struct, kw_only=True, gc=False):
    name: str
    value: str | None = None  # never leaves the mapping
    source: ValueFrom | None = msgspec.field(default=None, name="valueFrom")


class VariableSource(msgspec.Struct, kw_only=True, gc=False):
    secret: Reference | None = msgspec.field(default=None, name="secretRef")


class MountPoint(msgspec.Struct, kw_only=True, gc=False):
    name: str
    read_only: bool | None = msgspec.field(default=None, name="readOnly")


class Probe(msgspec.Struct, gc=False):
    """That there is one is all that is asked."""


class ContainerSpec(msgspec.Struct, kw_only=True, gc=False):
    name: str
    image: str = ""
    command: list[str] | None = None  # may hold secrets: only of the control plane, and masked
    args: list[str] | None = None
    pull_policy: str | None = msgspec.field(default=None, name="imagePullPolicy")
    security: ContainerSecurity | None = msgspec.field(default=None, name="securityContext")
    resources: Resources | None = None
    ports: list[Port] | None = None
    variables: list[Variable] | None = msgspec.field(default=None, name="env")
    variable_sources: list[VariableSource] | None = msgspec.field(default=None, name="envFrom")
    mounts: list[MountPoint] | None = msgspec.field(default=None, name="volumeMounts")
    liveness: Probe | None = msgspec.field(default=None, name="livenessProbe")
    readiness: Probe | None = msgspec.field(default=None, name="readinessProbe")
    restart: str | None = msgspec.field(
        default=None, name="restartPolicy"
    )  # Always on an init one: a sidecar


class PodSpec(msgspec.Struct, kw_only=True, gc=False):
    containers: list[ContainerSpec]
    init: list[ContainerSpec] | None = msgspec.field(default=None, name="initContainers")
    node: str | None = msgspec.field(default=None, name="nodeName")
    service_account: str | None = msgspec.field(default=None, name="serviceAccountName")
    automount: bool | None = msgspec.field(default=None, name="automountServiceAccountToken")
    host_network: bool | None = msgspec.field(default=None, name="hostNetwork")
    host_pid: bool | None = msgspec.field(default=None, name="hostPID")
    host_ipc: bool | None = msgspec.field(default=None, name="hostIPC")
    security: PodSecurity | None = msgspec.field(default=None, name="securityContext")
    volumes: list[dict[str, msgspec.Raw]] | None = None
    pull_secrets: list[Reference] | None = msgspec.field(default=None, name="imagePullSecrets")
    overhead: dict[str, str | float] | None = None
    resources: Resources | None = None  # of the pod as a whole, from 1.34


class ContainerStatus(msgspec.Struct, kw_only=True, gc=False):
    name: str = ""
    image_id: str = msgspec.field(default="", name="imageID")
    restarts: int = msgspec.field(default=0, name="restartCount")
    ready: bool = False


class PodAddress(msgspec.Struct, kw_only=True, gc=False):
    ip: str = ""


class PodStatus(msgspec.Struct, kw_only=True, gc=False):
    phase: str = ""
    addresses: list[PodAddress] | None = msgspec.field(default=None, name="podIPs")
    containers: list[ContainerStatus] | None = msgspec.field(default=None, name="containerStatuses")


class Pod(msgspec.Struct, kw_only=True, gc=False):
    meta: Annotated = msgspec.field(name="metadata")
    spec: PodSpec
    status: PodStatus = msgspec.field(default_factory=PodStatus)

    @property
    def mirror(self) -> bool:
        """It stands for a static pod of a node."""
        return "kubernetes.io/config.mirror" in (self.meta.annotations or {})

    @property
    def owned(self) -> bool:
        """Something in the cluster made it and keeps it."""
        return any(o.controller and o.kind != "Node" for o in self.meta.owners or [])


class TemplateMeta(msgspec.Struct, kw_only=True, gc=False):
    labels: dict[str, str] | None = None


class Template(msgspec.Struct, kw_only=True, gc=False):
    spec: PodSpec
    meta: TemplateMeta = msgspec.field(name="metadata", default_factory=TemplateMeta)


class ControllerSpec(msgspec.Struct, kw_only=True, gc=False):
    """Of what makes pods of a template: Deployment, ReplicaSet, StatefulSet, DaemonSet, Job."""

    template: Template
    replicas: int | None = None
    parallelism: int | None = None


class JobTemplate(msgspec.Struct, kw_only=True, gc=False):
    spec: ControllerSpec


class CronSpec(msgspec.Struct, kw_only=True, gc=False):
    job: JobTemplate = msgspec.field(name="jobTemplate")


class CronJob(msgspec.Struct, kw_only=True, gc=False):
    meta: Meta = msgspec.field(name="metadata")
    spec: CronSpec
