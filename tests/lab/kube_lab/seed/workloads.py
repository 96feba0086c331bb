"""Deployments, stateful sets, jobs … with their pods and the statuses that controllers would write."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass

from kube_lab.seed import cluster
from kube_lab.seed.plan import PLANTED, Plan
from kube_lab.seed.templates import FLAWS, hardened
from kube_lab.seed.things import BORN, Json, Thing, thing

# what the workloads are, again and again, and how many pods each wants
SHAPES = [
    *(("Deployment", 6), ("StatefulSet", 3), ("Deployment", 4), ("DaemonSet", 3), ("Deployment", 8)),
    *(("CronJob", 2), ("Deployment", 5), ("Job", 1), ("CloneSet", 4), ("Pod", 1), ("Deployment", 0)),
]


@dataclass(frozen=True)
class Workload:
    """One of a department's programs: its template is drawn once, its pods all have it."""

    plan: Plan
    number: int
    name: str
    namespace: str
    template: Json
    pods: int

    @property
    def selector(self) -> Json:
        return {"matchLabels": {"app": self.name}}


def workloads(plan: Plan) -> Iterator[Thing]:
    """As many as the plan's pods allow, the system's taken off."""
    left = plan.pods - cluster.SYSTEM_PODS - plan.nodes
    flaws = list(FLAWS)
    number = 0
    while left > 0:
        kind, pods = SHAPES[number % len(SHAPES)]
        pods = min(pods, left)
        name = f"app-{number:04d}"
        if number < len(flaws):
            chosen = [flaws[number]]
        else:
            chosen = [plan.chance.choice(flaws)] if plan.chance.random() < 0.4 else []
        namespace = plan.namespaces[number % len(plan.namespaces)]
        spec = hardened(name)
        for flaw in chosen:
            FLAWS[flaw](spec)
        labels = {"app": name, "app.kubernetes.io/part-of": f"system-{number % 5}"}
        template: Json = {"metadata": {"labels": labels}, "spec": spec}
        yield from MAKERS[kind](Workload(plan, number, name, namespace, template, pods))
        left -= pods
        number += 1


def misplaced(plan: Plan) -> Iterator[Thing]:
    """Programs of no department, without pods: in the namespace of the beginning, with the machine's settings."""
    for name, namespace, folder in (("in-default", "default", ""), ("host-settings", "abandoned", "/etc")):
        spec = hardened(name)
        if folder:
            spec["volumes"].append({"name": "host", "hostPath": {"path": folder, "type": "Directory"}})
        template: Json = {"metadata": {"labels": {"app": name}}, "spec": spec}
        yield from deployment(Workload(plan, 9_000, name, namespace, template, 0))


def notes(work: Workload) -> dict[str, str]:
    """Mostly an owner; now and then what should not be there."""
    found = {"contact": f"group-{work.number % 7}@gov.example"}
    if work.number == 0:
        found["blob"] = "政" * 65_000  # as near to the API server's 256 KiB as annotations come
    if work.number == 2:
        found["deploy.gov.example/token"] = PLANTED["annotation"]
    return found


def pod(work: Workload, index: int, owner: tuple[str, str] | None, phase: str = "") -> Thing:
    """One pod of it, somewhere, in a phase that is drawn unless it is told."""
    plan = work.plan
    spec = copy.deepcopy(work.template["spec"])
    drawn = plan.chance.choices(["Running", "Pending", "Failed", "Waiting"], [92, 3, 2, 3])[0]
    phase = phase or drawn
    seat = 3 + (work.number * 5 + index) % (plan.nodes - 3)
    containers: list[Json] = spec["containers"]
    status = cluster.running(
        seat, containers, host_network=bool(spec.get("hostNetwork")), index=work.number * 8 + index
    )
    if phase == "Pending":
        status = {"phase": "Pending", "conditions": [unscheduled()]}
    else:
        spec["nodeName"] = cluster.node_name(seat)
    if phase == "Waiting":
        waiting = {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 5m0s"}}
        status["containerStatuses"] = [
            cluster.container_status(c, waiting, ready=False, restarts=17) for c in containers
        ]
        status["conditions"] = [c | {"status": "False"} for c in status["conditions"] if "Ready" in c["type"]]
    if phase in ("Failed", "Succeeded"):
        ended = {
            "terminated": {"exitCode": int(phase == "Failed"), "reason": "Completed", "finishedAt": BORN}
        }
        status |= {"phase": phase, "conditions": []}
        status["containerStatuses"] = [cluster.container_status(c, ended, ready=False) for c in containers]
    return thing(
        *("v1", "pods", "Pod", f"{work.name}-{index:03d}", work.namespace),
        labels=work.template["metadata"]["labels"],
        owner=owner,
        spec=spec,
        status=status,
    )


def unscheduled() -> Json:
    return {
        "type": "PodScheduled",
        "status": "False",
        "reason": "Unschedulable",
        "message": "0 nodes are available: insufficient cpu",
        "lastTransitionTime": BORN,
    }


def pods(work: Workload, owner: tuple[str, str] | None, phase: str = "") -> list[Thing]:
    return [pod(work, index, owner, phase) for index in range(work.pods)]


def ready(found: list[Thing]) -> int:
    """How many of the pods are: what a controller would count."""
    return sum(
        bool(p.status and any(c["type"] == "Ready" and c["status"] == "True" for c in p.status["conditions"]))
        for p in found
    )


def deployment(work: Workload) -> Iterator[Thing]:
    """With the replica set of today, and of before the last change."""
    revision = f"{work.name}-{work.number * 2654435761 % 2**32:08x}"
    found = pods(work, ("ReplicaSet", revision))
    counts = {"replicas": work.pods, "readyReplicas": ready(found), "availableReplicas": ready(found)}
    spec: Json = {"replicas": work.pods, "selector": work.selector, "template": work.template}
    yield thing(
        *("apps/v1", "deployments", "Deployment", work.name, work.namespace),
        labels={"app": work.name},
        annotations=notes(work),
        spec=spec,
        status={**counts, "updatedReplicas": work.pods, "observedGeneration": 1},
    )
    owner = ("Deployment", work.name)
    yield thing(
        *("apps/v1", "replicasets", "ReplicaSet", revision, work.namespace),
        labels={"app": work.name},
        owner=owner,
        spec=spec,
        status={**counts, "observedGeneration": 1},
    )
    yield thing(
        *("apps/v1", "replicasets", "ReplicaSet", f"{work.name}-before", work.namespace),
        labels={"app": work.name},
        owner=owner,
        spec={**spec, "replicas": 0},
        status={"replicas": 0, "observedGeneration": 1},
    )
    yield from found


def stateful_set(work: Workload) -> Iterator[Thing]:
    """With a volume claim for each pod; see storage for what they bind to."""
    found = pods(work, ("StatefulSet", work.name))
    claim = {
        "metadata": {"name": "data"},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "storageClassName": "encrypted-ssd" if work.number % 2 else "plain-hdd",
            "resources": {"requests": {"storage": "20Gi"}},
        },
    }
    yield thing(
        *("apps/v1", "statefulsets", "StatefulSet", work.name, work.namespace),
        labels={"app": work.name},
        annotations=notes(work),
        spec={
            "serviceName": work.name,
            "replicas": work.pods,
            "selector": work.selector,
            "template": work.template,
            "volumeClaimTemplates": [claim],
        },
        status={"replicas": work.pods, "readyReplicas": ready(found), "observedGeneration": 1},
    )
    yield from found


def daemon_set(work: Workload) -> Iterator[Thing]:
    found = pods(work, ("DaemonSet", work.name))
    work.template["spec"]["nodeSelector"] = {"kubernetes.io/arch": "arm64"}
    yield thing(
        *("apps/v1", "daemonsets", "DaemonSet", work.name, work.namespace),
        labels={"app": work.name},
        annotations=notes(work),
        spec={"selector": work.selector, "template": work.template},
        status={
            "desiredNumberScheduled": work.pods,
            "currentNumberScheduled": work.pods,
            "numberReady": ready(found),
            "numberMisscheduled": 0,
            "observedGeneration": 1,
        },
    )
    yield from found


def job(work: Workload, name: str = "", owner: tuple[str, str] | None = None) -> Iterator[Thing]:
    """A finished one."""
    name = name or work.name
    template = {**work.template, "spec": {**work.template["spec"], "restartPolicy": "Never"}}
    finished = Workload(work.plan, work.number, name, work.namespace, template, min(1, work.pods))
    yield thing(
        *("batch/v1", "jobs", "Job", name, work.namespace),
        labels={"app": work.name},
        annotations=notes(work) if owner is None else None,
        owner=owner,
        spec={"template": template, "backoffLimit": 2, "completions": 1, "parallelism": 1},
        status={
            "succeeded": 1,
            "startTime": BORN,
            "completionTime": BORN,
            "conditions": [
                {"type": kind, "status": "True", "lastProbeTime": BORN, "lastTransitionTime": BORN}
                for kind in (("Complete",) if work.plan.old else ("SuccessCriteriaMet", "Complete"))
            ],
        },
    )
    yield from pods(finished, ("Job", name), "Succeeded")


def cron_job(work: Workload) -> Iterator[Thing]:
    """With the jobs of its last runs."""
    template = {**work.template, "spec": {**work.template["spec"], "restartPolicy": "OnFailure"}}
    yield thing(
        *("batch/v1beta1" if work.plan.old else "batch/v1", "cronjobs", "CronJob", work.name, work.namespace),
        labels={"app": work.name},
        annotations=notes(work),
        spec={"schedule": "0 2 * * *", "jobTemplate": {"spec": {"template": template}}},
        status={"lastScheduleTime": BORN},
    )
    for run in range(work.pods):
        yield from job(work, f"{work.name}-{29400000 + run}", ("CronJob", work.name))


def clone_set(work: Workload) -> Iterator[Thing]:
    """OpenKruise's deployment: a custom object that owns pods itself."""
    yield thing(
        *("apps.kruise.io/v1alpha1", "clonesets", "CloneSet", work.name, work.namespace),
        labels={"app": work.name},
        annotations=notes(work),
        spec={"replicas": work.pods, "selector": work.selector, "template": work.template},
    )
    yield from pods(work, ("CloneSet", work.name))


def bare_pod(work: Workload) -> Iterator[Thing]:
    yield from pods(work, None)


MAKERS = {
    "Deployment": deployment,
    "StatefulSet": stateful_set,
    "DaemonSet": daemon_set,
    "Job": job,
    "CronJob": cron_job,
    "CloneSet": clone_set,
    "Pod": bare_pod,
}
