"""The whole seed, in the order it is written."""

from __future__ import annotations

from kube_lab.seed import access, cluster, distributions, limits, network, settings, storage, workloads
from kube_lab.seed.plan import Plan
from kube_lab.seed.things import Thing


def everything(plan: Plan) -> list[Thing]:
    """Each object once; the same plan gives the same list."""
    programs = [*cluster.system_pods(plan), *workloads.workloads(plan), *workloads.misplaced(plan)]
    pods = [t for t in programs if t.resource == "pods"]
    sets = [t for t in programs if t.resource == "statefulsets"]
    found = [
        *cluster.namespaces(plan),
        *distributions.definitions(),
        *cluster.nodes(plan),
        *access.access(plan),
        *settings.settings(plan),
        *network.network(plan),
        *network.ingress_classes(plan),
        *storage.classes(),
        *storage.volumes(sets),
        *limits.limits(plan, pods),
        *distributions.objects(plan),
        *programs,
    ]
    names = {(t.path, t.name) for t in found}
    if len(names) != len(found):
        raise SystemExit("the seed names an object twice")
    return found
