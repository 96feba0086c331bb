"""Service accounts, roles and bindings, each with the power it is there to show."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kube_lab.seed.plan import Plan
from kube_lab.seed.things import Json, Thing, thing

RBAC = "rbac.authorization.k8s.io"
V1 = f"{RBAC}/v1"


def rule(groups: str, resources: str, verbs: str, **more: Any) -> Json:
    """Words in one string, "core" for the empty API group."""
    named = ["" if g == "core" else g for g in groups.split()]
    return {"apiGroups": named, "resources": resources.split(), "verbs": verbs.split(), **more}


def subject(text: str) -> Json:
    """User:zhangsan, Group:ops or ServiceAccount:namespace/name."""
    kind, _, name = text.partition(":")
    if kind == "ServiceAccount":
        namespace, _, name = name.partition("/")
        return {"kind": kind, "namespace": namespace, "name": name}
    return {"kind": kind, "apiGroup": RBAC, "name": name}


# Cluster roles bound to somebody: (name, power shown, rules or a built-in role, subjects).
GRANTS: list[tuple[str, str, list[Json] | str, str]] = [
    ("ops-zhangsan", "cluster_admin", "cluster-admin", "User:zhangsan"),
    ("ops-everyone", "cluster_admin", "cluster-admin", "Group:gov:operators"),
    ("helm-left-over", "cluster_admin", "cluster-admin", "ServiceAccount:finance/default"),
    ("wildcard", "cluster_admin", [rule("*", "*", "*")], "ServiceAccount:health/app"),
    ("secrets-reader", "read_secrets", [rule("core", "secrets", "get list watch")], "User:lisi"),
    ("core-reader", "read_secrets", [rule("core", "*", "get list")], "ServiceAccount:hrss/app"),
    ("role-escalator", "escalate", [rule(RBAC, "clusterroles roles", "escalate update patch")], "User:wangwu"),
    ("role-binder", "bind", [rule(RBAC, "clusterroles", "bind"), rule(RBAC, "clusterrolebindings", "create")], "User:wangwu"),
    ("impersonator", "impersonate", [rule("core", "users groups serviceaccounts", "impersonate")], "User:zhaoliu"),
    ("node-proxy", "node_proxy", [rule("core", "nodes/proxy", "get create")], "ServiceAccount:education/app"),
    ("pods-exec", "pods_exec", [rule("core", "pods/exec pods/attach", "create get")], "User:sunqi"),
    ("pod-creator", "create_pods", [rule("core", "pods", "create"), rule("apps", "deployments", "create update")], "User:sunqi"),
    ("token-maker", "create_tokens", [rule("core", "serviceaccounts/token", "create")], "User:zhouba"),
    ("webhook-writer", "write_webhooks", [rule("admissionregistration.k8s.io", "validatingwebhookconfigurations mutatingwebhookconfigurations", "create update delete")], "User:zhouba"),
    ("volume-maker", "create_volumes", [rule("core", "persistentvolumes", "create")], "User:wujiu"),
    ("csr-approver", "approve_certificates", [rule("certificates.k8s.io", "certificatesigningrequests/approval", "update"), rule("certificates.k8s.io", "signers", "approve")], "User:wujiu"),
    ("metrics-for-all", "anonymous", [{"nonResourceURLs": ["/metrics"], "verbs": ["get"]}], "Group:system:unauthenticated"),
    ("one-secret", "", [rule("core", "secrets", "get", resourceNames=["web-tls"])], "User:zhengshi"),
    ("odd-spellings", "", [rule("*", "*/scale pods/* */token", "get update create")], "User:guaipi"),
    ("every-verb", "", [rule("core", "configmaps", "*")], "User:hejiu"),
    ("viewer", "", "view", "User:qianjiu"),
]  # fmt: skip

# Bound in one namespace: (namespace, name, power shown, rules, or an existing role as Kind/name, subjects).
LOCAL_GRANTS: list[tuple[str, str, str, list[Json] | str, str]] = [
    ("finance", "admins", "", "ClusterRole/admin", "User:caiwu-admin"),
    ("finance", "exec", "pods_exec", "ClusterRole/pods-exec", "Group:finance:developers"),
    ("health", "everything-here", "namespace_admin", [rule("*", "*", "*")], "Group:health:developers"),
    ("education", "everybody-reads", "authenticated", [rule("core", "configmaps", "get list")], "Group:system:authenticated"),
    ("market", "anonymous-reads", "anonymous", [rule("core", "services", "get list")], "Group:system:unauthenticated"),
    ("emergency", "all-accounts", "all_service_accounts", "ClusterRole/edit", "Group:system:serviceaccounts"),
    ("emergency", "accounts-of-one-namespace", "", "ClusterRole/view", "Group:system:serviceaccounts:emergency"),
    ("market", "everybody-executes", "pods_exec", "ClusterRole/pods-exec", "Group:system:authenticated"),
    ("transport", "dangling", "", "Role/never-was", "User:nobody"),
    ("water", "account-gone", "", "ClusterRole/view", "ServiceAccount:water/deleted"),
]  # fmt: skip


def access(plan: Plan) -> Iterator[Thing]:
    """The tables above, aggregated roles, service accounts, and the lab's own users."""
    for name, _, what, who in GRANTS:
        role = what if isinstance(what, str) else name
        if not isinstance(what, str):
            yield cluster_role(name, what)
        yield binding(name, f"ClusterRole/{role}", who)
    for namespace, name, _, what, who in LOCAL_GRANTS:
        role = what if isinstance(what, str) else f"Role/{name}"
        if not isinstance(what, str):
            yield thing(V1, "roles", "Role", name, namespace, rules=what)
        yield binding(name, role, who, namespace)
    yield from aggregated()
    yield from accounts(plan)
    yield from lab_users()


def cluster_role(name: str, rules: list[Json], **more: Any) -> Thing:
    return thing(V1, "clusterroles", "ClusterRole", name, rules=rules, **more)


def binding(name: str, role: str, who: str, namespace: str = "") -> Thing:
    kind, _, named = role.partition("/")
    body: Json = {
        "roleRef": {"apiGroup": RBAC, "kind": kind, "name": named},
        "subjects": [subject(w) for w in who.split()],
    }
    if namespace:
        return thing(V1, "rolebindings", "RoleBinding", name, namespace, **body)
    return thing(V1, "clusterrolebindings", "ClusterRoleBinding", name, **body)


def aggregated() -> Iterator[Thing]:
    """A role made of others by label; `write` fills in what the controller would."""
    label = "gov.example/aggregate-to-monitoring"
    selectors = [{"matchLabels": {label: "true"}}]
    yield cluster_role("monitoring", [], aggregationRule={"clusterRoleSelectors": selectors})
    yield cluster_role(
        "monitoring-nodes", [rule("core", "nodes nodes/metrics", "get list")], labels={label: "true"}
    )
    yield cluster_role("monitoring-pods", [rule("core", "pods", "get list watch")], labels={label: "true"})
    yield binding("monitoring", "ClusterRole/monitoring", "ServiceAccount:big-data/app")
    # answered with "rules": null, and bound to nobody
    nothing = [{"matchLabels": {"gov.example/never": "set"}}]
    yield cluster_role("aggregates-nothing", [], aggregationRule={"clusterRoleSelectors": nothing})
    yield binding("bound-to-nobody", "ClusterRole/cluster-admin", "")
    to_view = {f"{RBAC}/aggregate-to-view": "true"}
    kruise = rule("apps.kruise.io", "clonesets statefulsets daemonsets", "get list watch")
    yield cluster_role("kruise-view", [kruise], labels=to_view)


def accounts(plan: Plan) -> Iterator[Thing]:
    """`default` and `app` everywhere; a third of the defaults mount their token, a third say nothing."""
    spaces = ["default", "kube-system", "kube-public", "kube-node-lease", "abandoned"]
    for number, namespace in enumerate([*plan.namespaces, *spaces]):
        mount: Json = [{"automountServiceAccountToken": False}, {"automountServiceAccountToken": True}, {}][
            number % 3
        ]
        legacy = [{"name": "default-token-lab00"}]
        secrets: Json = {"secrets": legacy} if plan.old and namespace in plan.namespaces else {}
        yield thing("v1", "serviceaccounts", "ServiceAccount", "default", namespace, **mount, **secrets)
        if namespace in plan.namespaces:
            yield thing(
                *("v1", "serviceaccounts", "ServiceAccount", "app", namespace),
                automountServiceAccountToken=False,
            )


def lab_users() -> Iterator[Thing]:
    """What the lab's own kubeconfigs may do; `denied` may do nothing."""
    core = "nodes namespaces pods services serviceaccounts resourcequotas limitranges persistentvolumes"
    auditor = [
        rule("*", "*", "list watch"),
        rule("core", core, "get"),
        {"nonResourceURLs": ["*"], "verbs": ["get"]},
    ]
    yield cluster_role("lab-auditor", auditor)
    yield binding("lab-auditor", "ClusterRole/lab-auditor", "Group:lab:auditors")
    yield binding("lab-reader", "ClusterRole/view", "Group:lab:readers")
    yield binding("lab-namespace-reader", "ClusterRole/view", "Group:lab:finance-readers", "finance")


def powers() -> dict[str, list[str]]:
    """Who was given what, beyond what the server gives by itself and the lab's own users hold."""
    found: dict[str, list[str]] = {}
    for _, power, _, who in GRANTS:
        if power:
            found.setdefault(power, []).extend(who.split())
    for namespace, _, power, _, who in LOCAL_GRANTS:
        if power:
            found.setdefault(power, []).extend(f"{w} in {namespace}" for w in who.split())
    return {power: sorted(subjects) for power, subjects in sorted(found.items())}
