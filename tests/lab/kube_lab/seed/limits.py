"""Quotas, limit ranges, priorities, disruption budgets, and pod security policies where there are any."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from kube_lab.seed.plan import Plan
from kube_lab.seed.things import Json, Thing, thing


def milli(text: str) -> int:
    """CPU as Kubernetes writes it, in thousandths of a core."""
    return int(text[:-1]) if text.endswith("m") else int(text) * 1000


def mebibytes(text: str) -> int:
    """Memory as this seed writes it: Mi or Gi."""
    return int(text[:-2]) * {"Mi": 1, "Gi": 1024}[text[-2:]]


def requested(pods: Iterable[Thing]) -> dict[str, Json]:
    """What the pods that are not over ask for, by namespace: what the quota controller would count."""
    found: dict[str, Json] = {}
    for pod in pods:
        if pod.status and pod.status["phase"] in ("Succeeded", "Failed"):
            continue
        sums = found.setdefault(pod.namespace, {"pods": 0, "cpu": 0, "memory": 0})
        sums["pods"] += 1
        for container in pod.body["spec"]["containers"]:
            wanted = container["resources"].get("requests", {})
            sums["cpu"] += milli(wanted.get("cpu", "0"))
            sums["memory"] += mebibytes(wanted.get("memory", "0Mi"))
    return found


def limits(plan: Plan, pods: Iterable[Thing]) -> Iterator[Thing]:
    """Two of three namespaces have a quota, half a limit range; one quota is nearly used up."""
    used = requested(pods)
    for number, namespace in enumerate(plan.namespaces):
        sums = used.get(namespace, {"pods": 0, "cpu": 0, "memory": 0})
        hard = {"requests.cpu": "64", "requests.memory": "128Gi", "pods": "500", "requests.storage": "2Ti"}
        if number % 6 == 4:
            hard["pods"] = str(sums["pods"] + 1)
        if number % 3 != 2:
            now = {
                "requests.cpu": f"{sums['cpu']}m",
                "requests.memory": f"{sums['memory']}Mi",
                "pods": str(sums["pods"]),
                "requests.storage": "0",
            }
            yield thing(
                *("v1", "resourcequotas", "ResourceQuota", "department", namespace),
                spec={"hard": hard},
                status={"hard": hard, "used": now},
            )
        if number % 2 == 0:
            item = {
                "type": "Container",
                "default": {"cpu": "1", "memory": "1Gi"},
                "defaultRequest": {"cpu": "100m", "memory": "128Mi"},
                "max": {"cpu": "8", "memory": "16Gi"},
            }
            yield thing("v1", "limitranges", "LimitRange", "usual", namespace, spec={"limits": [item]})
        if number % 4 == 0:
            yield thing(
                *(
                    "policy/v1beta1" if plan.old else "policy/v1",
                    "poddisruptionbudgets",
                    "PodDisruptionBudget",
                ),
                *("web", namespace),
                spec={"minAvailable": 1, "selector": {"matchLabels": {"app": "web"}}},
            )
    yield thing("scheduling.k8s.io/v1", "priorityclasses", "PriorityClass", "citizens-first", value=100000)
    yield thing("node.k8s.io/v1", "runtimeclasses", "RuntimeClass", "kata", handler="kata")
    if plan.old:
        yield from pod_security_policies()


def pod_security_policies() -> Iterator[Thing]:
    """Gone since 1.25: one that allows everything, one that allows little."""
    api = "policy/v1beta1"
    anything: Json = {
        "seLinux": {"rule": "RunAsAny"},
        "supplementalGroups": {"rule": "RunAsAny"},
        "fsGroup": {"rule": "RunAsAny"},
        "volumes": ["*"],
    }
    yield thing(
        *(api, "podsecuritypolicies", "PodSecurityPolicy", "privileged"),
        spec={
            **anything,
            "privileged": True,
            "hostNetwork": True,
            "hostPID": True,
            "hostIPC": True,
            "allowedCapabilities": ["*"],
            "hostPorts": [{"min": 0, "max": 65535}],
            "runAsUser": {"rule": "RunAsAny"},
        },
    )
    yield thing(
        *(api, "podsecuritypolicies", "PodSecurityPolicy", "restricted"),
        spec={
            **anything,
            "privileged": False,
            "allowPrivilegeEscalation": False,
            "requiredDropCapabilities": ["ALL"],
            "volumes": ["configMap", "emptyDir", "secret", "persistentVolumeClaim"],
            "runAsUser": {"rule": "MustRunAsNonRoot"},
        },
    )
