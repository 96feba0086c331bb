"""What KubeSphere, Karmada and OpenKruise add to a cluster: their definitions, a few of their objects."""

from __future__ import annotations

from collections.abc import Iterator

from kube_lab.seed.plan import DEPARTMENTS, PLANTED, Plan
from kube_lab.seed.things import Json, Thing, thing

# group, version, plural, kind, in namespaces?
DEFINITIONS = [
    ("tenant.kubesphere.io", "v1alpha1", "workspaces", "Workspace", False),
    ("tenant.kubesphere.io", "v1alpha2", "workspacetemplates", "WorkspaceTemplate", False),
    ("iam.kubesphere.io", "v1alpha2", "users", "User", False),
    ("iam.kubesphere.io", "v1alpha2", "globalrolebindings", "GlobalRoleBinding", False),
    ("installer.kubesphere.io", "v1alpha1", "clusterconfigurations", "ClusterConfiguration", True),
    ("cluster.karmada.io", "v1alpha1", "clusters", "Cluster", False),
    ("policy.karmada.io", "v1alpha1", "propagationpolicies", "PropagationPolicy", True),
    ("work.karmada.io", "v1alpha2", "resourcebindings", "ResourceBinding", True),
    ("apps.kruise.io", "v1alpha1", "clonesets", "CloneSet", True),
    # named as the built-in ones are
    ("apps.kruise.io", "v1beta1", "statefulsets", "StatefulSet", True),
    ("apps.kruise.io", "v1alpha1", "daemonsets", "DaemonSet", True),
]


def definitions() -> Iterator[Thing]:
    """Custom resource definitions that take any object, as the real ones' names are."""
    for group, version, plural, kind, namespaced in DEFINITIONS:
        names = {"plural": plural, "singular": kind.lower(), "kind": kind, "listKind": f"{kind}List"}
        schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
        served = {"name": version, "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
        yield thing(
            *("apiextensions.k8s.io/v1", "customresourcedefinitions", "CustomResourceDefinition"),
            f"{plural}.{group}",
            spec={
                "group": group,
                "scope": "Namespaced" if namespaced else "Cluster",
                "names": names,
                "versions": [served],
            },
        )


def objects(plan: Plan) -> Iterator[Thing]:
    """Workspaces by department, member clusters, an advanced stateful and daemon set."""
    for department, alias in DEPARTMENTS.items():
        yield thing(
            *("tenant.kubesphere.io/v1alpha1", "workspaces", "Workspace", department),
            annotations={"kubesphere.io/alias-name": alias},
            spec={"manager": "admin"},
        )
    yield thing(
        *("tenant.kubesphere.io/v1alpha2", "workspacetemplates", "WorkspaceTemplate", "finance"),
        spec={"placement": {"clusters": [{"name": "host"}]}},
    )
    for name in ("admin", "operator-wang"):
        yield thing(
            *("iam.kubesphere.io/v1alpha2", "users", "User", name),
            spec={"email": f"{name}@gov.example", "password": PLANTED["custom_object"]},
        )
    yield thing(
        *("iam.kubesphere.io/v1alpha2", "globalrolebindings", "GlobalRoleBinding", "operator-wang"),
        roleRef={"apiGroup": "iam.kubesphere.io", "kind": "GlobalRole", "name": "platform-admin"},
        subjects=[{"kind": "User", "name": "operator-wang", "apiGroup": "iam.kubesphere.io"}],
    )
    yield thing(
        *(
            "installer.kubesphere.io/v1alpha1",
            "clusterconfigurations",
            "ClusterConfiguration",
            "ks-installer",
        ),
        "kube-system",
        labels={"version": "v3.4.1"},
        spec={"alerting": {"enabled": True}},
    )
    for name, mode, ready in (("member-east", "Push", "True"), ("member-west", "Pull", "False")):
        yield thing(
            *("cluster.karmada.io/v1alpha1", "clusters", "Cluster", name),
            spec={"syncMode": mode, "apiEndpoint": "https://203.0.113.7:6443", "region": name[-4:]},
            status={"conditions": [{"type": "Ready", "status": ready}], "kubernetesVersion": "v1.27.4"},
        )
    selector = {"apiVersion": "apps/v1", "kind": "Deployment"}
    yield thing(
        *("policy.karmada.io/v1alpha1", "propagationpolicies", "PropagationPolicy", "everywhere", "finance"),
        spec={
            "resourceSelectors": [selector],
            "placement": {"clusterAffinity": {"clusterNames": ["member-east"]}},
        },
    )
    template: Json = {
        "metadata": {"labels": {"app": "kruise"}},
        "spec": {"containers": [{"name": "app", "image": "registry.gov.example/app/kruise:latest"}]},
    }
    body = {"selector": {"matchLabels": {"app": "kruise"}}, "template": template}
    yield thing(
        *("apps.kruise.io/v1beta1", "statefulsets", "StatefulSet", "advanced", "health"),
        spec={**body, "replicas": 2},
    )
    yield thing("apps.kruise.io/v1alpha1", "daemonsets", "DaemonSet", "advanced", "health", spec=body)
