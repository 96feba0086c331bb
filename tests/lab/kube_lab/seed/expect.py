"""expected.json: what a collector must find, counted without one.

`counts` are the keys in etcd, a resource each (custom ones with their group): what an administrator's lists
must hold, built-in objects included. `facts` are counted from the seed's own objects: names, sorted.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from kube_lab.api import Etcd
from kube_lab.seed import access
from kube_lab.seed.everything import everything
from kube_lab.seed.plan import PLANTED, plan
from kube_lab.seed.things import Json, Thing
from kube_lab.servers import Server

KEYS = {
    "minions": "nodes",
    "services/specs": "services",
    "services/endpoints": "endpoints",
    "ingress": "ingresses",
    "podsecuritypolicy": "podsecuritypolicies",
}
"""Where etcd's key is not the resource's name."""
NOT_API = ("masterleases", "ranges", "peerserverleases")


def expect(server: Server, pods: int, seed: int) -> None:
    """Count and write."""
    planned = plan(server, pods, seed)
    things = everything(planned)
    found = {
        "server": server.name,
        "version": server.version,
        "pods": pods,
        "seed": seed,
        "counts": stored(server),
        "pods_by_namespace": count(t.namespace for t in things if t.resource == "pods"),
        "pods_by_phase": count(str(t.status["phase"]) for t in things if t.resource == "pods" and t.status),
        "facts": facts(things),
        "powers": access.powers(),
        "planted": PLANTED,
        "unavailable_groups": ["metrics.k8s.io"],
    }
    text = json.dumps(found, ensure_ascii=False, indent=1)
    (server.home / "expected.json").write_text(text + "\n", encoding="utf-8")


def stored(server: Server) -> dict[str, int]:
    """Objects in etcd by resource; events come and go and are left out."""
    counts: Counter[str] = Counter()
    for key in Etcd(server).keys("/registry/"):
        first, second, *_ = key.removeprefix("/registry/").split("/")
        if "." in first:  # /registry/group/resource/…
            resource = second if first.endswith(".k8s.io") else f"{second}.{first}"
        else:
            resource = KEYS.get(f"{first}/{second}") or KEYS.get(first) or first
        if resource not in (*NOT_API, "events"):
            counts[resource] += 1
    return dict(sorted(counts.items()))


def count(words: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(words).items()))


# --------------------------------------------------------------------------- facts
def template(thing: Thing) -> Json | None:
    """The pod spec of what is nobody's: a workload, or a pod that stands alone."""
    if thing.owner:
        return None
    spec: Json = thing.body.get("spec", {})
    if thing.resource == "pods":
        return spec
    if thing.resource == "cronjobs":
        spec = spec["jobTemplate"]["spec"]
    found: Json | None = spec["template"]["spec"] if "template" in spec else None
    return found


def containers(spec: Json) -> list[Json]:
    return [*spec.get("initContainers", []), *spec["containers"]]


def security(container: Json) -> Json:
    found: Json = container.get("securityContext", {})
    return found


def tag(image: str) -> str:
    """What follows the name: a digest, a tag, or nothing."""
    if "@" in image:
        return "@"
    return image.rsplit("/", 1)[-1].partition(":")[2]


def any_container(test: Callable[[Json], bool]) -> Callable[[Json], bool]:
    return lambda spec: any(test(c) for c in containers(spec))


def as_root(spec: Json) -> bool:
    """Nothing forbids user 0: neither the pod nor the container asks for another."""
    pod = spec.get("securityContext", {})
    return any(
        not (pod | security(c)).get("runAsNonRoot") and not (pod | security(c)).get("runAsUser")
        for c in containers(spec)
    )


WORKLOAD_FACTS: dict[str, Callable[[Json], bool]] = {
    "privileged": any_container(lambda c: bool(security(c).get("privileged"))),
    "added_capabilities": any_container(lambda c: bool(security(c).get("capabilities", {}).get("add"))),
    "may_escalate": any_container(lambda c: security(c).get("allowPrivilegeEscalation", True)),
    "may_run_as_root": as_root,
    "writable_root": any_container(lambda c: not security(c).get("readOnlyRootFilesystem")),
    "host_network": lambda spec: bool(spec.get("hostNetwork")),
    "host_pid": lambda spec: bool(spec.get("hostPID")),
    "host_ipc": lambda spec: bool(spec.get("hostIPC")),
    "host_path": lambda spec: any("hostPath" in v for v in spec.get("volumes", [])),
    "runtime_socket": lambda spec: any(
        v.get("hostPath", {}).get("path", "").endswith(".sock") for v in spec.get("volumes", [])
    ),
    "host_port": any_container(lambda c: any(p.get("hostPort") for p in c.get("ports", []))),
    "without_limits": any_container(lambda c: not c.get("resources", {}).get("limits")),
    "image_latest": any_container(lambda c: tag(c["image"]) in ("", "latest")),
    "image_without_digest": any_container(lambda c: tag(c["image"]) != "@"),
    "mounts_token": lambda spec: spec.get("automountServiceAccountToken") is not False,
    "default_account": lambda spec: spec.get("serviceAccountName", "default") == "default",
}


def facts(things: list[Thing]) -> dict[str, Any]:
    """Names by question; workloads are namespace/Kind/name, other objects namespace/name or name."""
    specs = {f"{t.namespace}/{t.kind}/{t.name}": s for t in things if seen_by_pods(t) and (s := template(t))}

    def objects(resource: str) -> list[Thing]:
        return [t for t in things if t.resource == resource and not t.api.startswith("apps.kruise.io")]

    def names(resource: str, test: Callable[[Thing], object]) -> list[str]:
        return sorted(f"{t.namespace}/{t.name}".lstrip("/") for t in objects(resource) if test(t))

    found: dict[str, Any] = {
        "workloads": count(key.split("/")[1] for key in specs),
        "workloads_that": {q: sorted(k for k, s in specs.items() if t(s)) for q, t in WORKLOAD_FACTS.items()},
        "nodes_by_architecture": count(info(t)["architecture"] for t in objects("nodes")),
        "nodes_by_os": count(info(t)["osImage"] for t in objects("nodes")),
        "nodes_by_family": count(families(t) for t in objects("nodes")),
        "nodes_not_ready": names("nodes", lambda t: condition(t, "Ready") != "True"),
        "nodes_cordoned": names("nodes", lambda t: t.body["spec"]["unschedulable"]),
        "nodes_under_pressure": names("nodes", lambda t: condition(t, "DiskPressure") == "True"),
        "cpu_capacity": sum(int(t.status["capacity"]["cpu"]) for t in objects("nodes") if t.status),
        "services_by_type": count(t.body["spec"]["type"] for t in objects("services")),
        "ingresses_without_tls": names("ingresses", lambda t: not t.body["spec"].get("tls")),
        "ingresses_with_plain_hosts": names("ingresses", plain_hosts),
        "secrets_by_type": count(t.body["type"] for t in objects("secrets")),
        "accounts_that_mount": names(
            "serviceaccounts", lambda t: t.body.get("automountServiceAccountToken", True)
        ),
        "claims_unencrypted": names(
            "persistentvolumeclaims", lambda t: t.body["spec"]["storageClassName"] != "encrypted-ssd"
        ),
        "volumes_left_over": names(
            "persistentvolumes", lambda t: t.status and t.status["phase"] in ("Released", "Available")
        ),
        "namespaces_by_department": count(
            t.body["metadata"]["labels"]["department"] for t in objects("namespaces")
        ),
    }
    seeded = {t.name for t in objects("namespaces")}
    policies = objects("networkpolicies")
    for name, having in {
        "namespaces_without_policy": {t.namespace for t in policies},
        "namespaces_without_ingress_deny": {t.namespace for t in policies if denies(t, "Ingress")},
        "namespaces_without_egress_deny": {t.namespace for t in policies if denies(t, "Egress")},
        "namespaces_without_quota": {t.namespace for t in objects("resourcequotas")},
        "namespaces_without_limit_range": {t.namespace for t in objects("limitranges")},
    }.items():
        found[name] = sorted(seeded - having)
    for family, world in (("ipv4", "0.0.0.0/0"), ("ipv6", "::/0")):
        found[f"policies_open_to_{family}"] = names("networkpolicies", opens_to(world))
    return found


WORKLOADS = ("Pod", "Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob", "CloneSet")


def seen_by_pods(thing: Thing) -> bool:
    """OpenKruise's stateful and daemon sets are named as the built-in ones, and here have no pods."""
    return thing.kind in WORKLOADS and (thing.kind == "CloneSet" or ".kruise.io" not in thing.api)


def info(node: Thing) -> dict[str, str]:
    assert node.status
    found: dict[str, str] = node.status["nodeInfo"]
    return found


def families(node: Thing) -> str:
    assert node.status
    addresses = [a["address"] for a in node.status["addresses"] if a["type"] == "InternalIP"]
    return "+".join(sorted({"ipv6" if ":" in a else "ipv4" for a in addresses}))


def condition(node: Thing, kind: str) -> str:
    assert node.status
    (state,) = (c["status"] for c in node.status["conditions"] if c["type"] == kind)
    return str(state)


def plain_hosts(ingress: Thing) -> bool:
    """A host that no TLS entry names, where there is TLS at all."""
    spec = ingress.body["spec"]
    covered = {h for entry in spec.get("tls", []) for h in entry["hosts"]}
    return bool(covered) and any(r["host"] not in covered for r in spec.get("rules", []))


def denies(policy: Thing, direction: str) -> bool:
    """Selects every pod, and so turns what is not said elsewhere into a no."""
    spec = policy.body["spec"]
    said = spec.get("policyTypes") or (["Ingress", "Egress"] if "egress" in spec else ["Ingress"])
    return spec["podSelector"] == {} and direction in said and {} not in spec.get(direction.lower(), [])


def opens_to(world: str) -> Callable[[Thing], bool]:
    """Lets all of one family's addresses in, said by name or by not saying anything."""

    def opens(policy: Thing) -> bool:
        peers = [rule.get("from", []) for rule in policy.body["spec"].get("ingress", [])]
        return any(not p or any(x.get("ipBlock", {}).get("cidr") == world for x in p) for p in peers)

    return opens
