"""Pod templates: a hardened one, and each flaw as a change to it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from kube_lab.seed.plan import PLANTED
from kube_lab.seed.things import Json

REGISTRY = "registry.gov.example"


def hardened(app: str) -> Json:
    """A pod spec that no rule has anything to say against."""
    digest = hashlib.sha256(app.encode()).hexdigest()
    return {
        "serviceAccountName": "app",
        "automountServiceAccountToken": False,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": 10001,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [
            {
                "name": "app",
                "image": f"{REGISTRY}/app/{app}@sha256:{digest}",
                "imagePullPolicy": "IfNotPresent",
                "ports": [{"name": "http", "containerPort": 8080}],
                "env": [
                    {"name": "LOG_LEVEL", "value": "info"},
                    {
                        "name": "DB_PASSWORD",
                        "valueFrom": {"secretKeyRef": {"name": "database", "key": "password"}},
                    },
                ],
                "resources": {
                    "requests": {"cpu": "250m", "memory": "512Mi"},
                    "limits": {"cpu": "1", "memory": "1Gi"},
                },
                "securityContext": {
                    "allowPrivilegeEscalation": False,
                    "readOnlyRootFilesystem": True,
                    "capabilities": {"drop": ["ALL"]},
                },
                "livenessProbe": {"httpGet": {"path": "/healthz", "port": 8080}, "periodSeconds": 10},
                "volumeMounts": [{"name": "settings", "mountPath": "/etc/app"}],
            }
        ],
        "volumes": [{"name": "settings", "configMap": {"name": "settings"}}],
    }


def _main(spec: Json) -> Json:
    container: Json = spec["containers"][0]
    return container


def _privileged(spec: Json) -> None:
    _main(spec)["securityContext"] = {"privileged": True}


def _added_capabilities(spec: Json) -> None:
    _main(spec)["securityContext"]["capabilities"] = {"add": ["SYS_ADMIN", "NET_ADMIN"]}


def _may_escalate(spec: Json) -> None:
    _main(spec)["securityContext"]["allowPrivilegeEscalation"] = True


def _runs_as_root(spec: Json) -> None:
    spec["securityContext"] = {"runAsUser": 0}


def _says_nothing(spec: Json) -> None:
    del spec["securityContext"]
    del _main(spec)["securityContext"]


def _writable_root(spec: Json) -> None:
    del _main(spec)["securityContext"]["readOnlyRootFilesystem"]


def _unconfined(spec: Json) -> None:
    spec["securityContext"]["seccompProfile"] = {"type": "Unconfined"}


def _runtime_socket(spec: Json) -> None:
    spec["volumes"].append({"name": "docker", "hostPath": {"path": "/var/run/docker.sock"}})
    _main(spec)["volumeMounts"].append({"name": "docker", "mountPath": "/var/run/docker.sock"})


def _host_folder(spec: Json) -> None:
    spec["volumes"].append({"name": "logs", "hostPath": {"path": "/var/log", "type": "Directory"}})
    _main(spec)["volumeMounts"].append({"name": "logs", "mountPath": "/host-logs", "readOnly": True})


def _host_network(spec: Json) -> None:
    spec["hostNetwork"] = True
    _main(spec)["ports"][0]["hostPort"] = 8080


def _host_port(spec: Json) -> None:
    _main(spec)["ports"][0]["hostPort"] = 30080


def _no_limits(spec: Json) -> None:
    _main(spec)["resources"] = {}


def _requests_only(spec: Json) -> None:
    del _main(spec)["resources"]["limits"]


def _latest(spec: Json) -> None:
    _main(spec)["image"] = f"{REGISTRY}/app/portal:latest"


def _untagged(spec: Json) -> None:
    _main(spec)["image"] = f"{REGISTRY}:5000/app/portal"


def _tagged(spec: Json) -> None:
    _main(spec)["image"] = f"{REGISTRY}/app/portal:v1.4.2"


def _foreign_image(spec: Json) -> None:
    _main(spec)["image"] = "nginx:1.27"


def _default_account(spec: Json) -> None:
    spec["serviceAccountName"] = "default"
    del spec["automountServiceAccountToken"]


def _secret_in_environment(spec: Json) -> None:
    _main(spec)["env"].append({"name": "SMS_GATEWAY_PASSWORD", "value": PLANTED["environment"]})


def _secret_in_argument(spec: Json) -> None:
    _main(spec)["args"] = ["serve", f"--db-password={PLANTED['argument']}"]


def _bad_side_containers(spec: Json) -> None:
    """The main container is well, its init container and sidecar are not."""
    image = f"{REGISTRY}/app/init:v2"
    spec["initContainers"] = [
        {"name": "setup", "image": image, "securityContext": {"privileged": True}, "resources": {}}
    ]
    spec["containers"].append({"name": "sidecar", "image": f"{REGISTRY}/app/proxy:latest", "resources": {}})


FLAWS: dict[str, Callable[[Json], None]] = {
    "privileged": _privileged,
    "added_capabilities": _added_capabilities,
    "may_escalate": _may_escalate,
    "runs_as_root": _runs_as_root,
    "says_nothing": _says_nothing,
    "writable_root": _writable_root,
    "unconfined": _unconfined,
    "runtime_socket": _runtime_socket,
    "host_folder": _host_folder,
    "host_network": _host_network,
    "host_pid": lambda spec: spec.update(hostPID=True),
    "host_ipc": lambda spec: spec.update(hostIPC=True),
    "host_port": _host_port,
    "no_limits": _no_limits,
    "requests_only": _requests_only,
    "latest": _latest,
    "untagged": _untagged,
    "tagged": _tagged,
    "foreign_image": _foreign_image,
    "default_account": _default_account,
    "automount": lambda spec: spec.pop("automountServiceAccountToken"),
    "secret_in_environment": _secret_in_environment,
    "secret_in_argument": _secret_in_argument,
    "bad_side_containers": _bad_side_containers,
}
"""Every flaw stands alone in one of the first workloads; later ones draw one now and then."""
