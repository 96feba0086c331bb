"""Access, admission and the control plane of the lab's clusters; the API server itself is the oracle."""

from __future__ import annotations

import base64
import gzip
import json
import logging
import ssl
from collections import Counter
from collections.abc import Iterator, Mapping
from http.client import HTTPSConnection
from itertools import product
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import pytest

from collectors.contract import Run, Source
from collectors.kubernetes import Options, collect, record
from collectors.kubernetes.access import CLUSTER_ROLE_BINDINGS, CLUSTER_ROLES, ROLE_BINDINGS, ROLES
from collectors.kubernetes.client import LiveClient, Response
from collectors.kubernetes.discovery import discover
from collectors.kubernetes.listing import Reader
from collectors.kubernetes.permissions import Graph, Subject, groups_of
from collectors.kubernetes.powers import RBAC, Request
from collectors.kubernetes.rbac import BindingRow, RoleRow, binding, graph
from inventory.coverage import Batch, Status
from inventory.kinds.cluster import Cluster, ControlPlaneComponent, ServiceAccount
from inventory.kinds.identity import Principal, Role, RoleAssignment, Secret
from inventory.resource import Resource
from inventory.unknown import Unknown

pytestmark = pytest.mark.lab

R = TypeVar("R", bound=Resource)
KINDS = (
    "role role_assignment principal service_account secret admission_webhook admission_policy "
    "control_plane_component".split()
)


def source(kube: Any, who: str) -> Source:
    return Source(
        name="lab", type="kubernetes", options=Options(kubeconfig=str(kube.folder / f"{who}.kubeconfig"))
    )


def read(kube: Any, who: str) -> list[Batch]:
    one = source(kube, who)
    return list(collect(one, Run(one)))


@pytest.fixture(scope="module")
def seen(kube: Any) -> list[Batch]:
    """Everything, with the auditor's credential."""
    return read(kube, "auditor")


def of(batches: list[Batch], kind: type[R]) -> list[R]:
    return [r for batch in batches for r in batch.resources if isinstance(r, kind)]


def status(batches: list[Batch]) -> dict[str, Status]:
    return {c.kind: c.status for batch in batches for c in batch.collections}


def test_counts_are_the_seeds(kube: Any, seen: list[Batch]) -> None:
    counts = kube.expected["counts"]
    found = {c.kind: c.count for batch in seen for c in batch.collections}
    assert found["role"] == counts["roles"] + counts["clusterroles"]
    bindings = {one.name for one in of(seen, RoleAssignment)}
    assert "bound-to-nobody" not in bindings
    assert found["service_account"] == counts["serviceaccounts"]
    assert found["secret"] == counts["secrets"]
    assert Counter(one.secret_type for one in of(seen, Secret)) == kube.expected["facts"]["secrets_by_type"]
    assert {status(seen)[kind] for kind in KINDS} == {Status.COMPLETE}
    mounting = sorted(
        f"{one.namespace}/{one.name}" for one in of(seen, ServiceAccount) if one.automount_token is not False
    )
    assert mounting == kube.expected["facts"]["accounts_that_mount"]


POWERS = {
    "approve_certificates": "approve_certificates",
    "bind": "bind_roles",
    "cluster_admin": "everything",
    "create_pods": "create_pods",
    "create_tokens": "create_tokens",
    "create_volumes": "write_volumes",
    "escalate": "escalate",
    "impersonate": "impersonate",
    "namespace_admin": "everything",
    "node_proxy": "node_proxy",
    "pods_exec": "exec",
    "read_secrets": "read_secrets",
    "write_webhooks": "write_webhooks",
}


def test_powers_are_those_that_were_given(kube: Any, seen: list[Batch]) -> None:
    held = {(one.native_id, power.power, power.scope) for one in of(seen, Principal) for power in one.powers}
    for power, subjects in kube.expected["powers"].items():
        if power not in POWERS:
            continue
        for text in subjects:
            who, _, namespace = text.partition(" in ")
            assert (native(who), POWERS[power], namespace or None) in held, (power, text)
    directly = {
        one.native_id
        for one in of(seen, Principal)
        if not one.builtin
        and any(p.power == "everything" and p.scope is None and p.direct for p in one.powers)
    }
    assert directly == {native(who) for who in kube.expected["powers"]["cluster_admin"]}
    # one named secret is no power over secrets
    assert not {power for who, power, _ in held if who == "user/zhengshi"} - {
        power for who, power, _ in held if who == "group/system:authenticated"
    }


def native(subject: str) -> str:
    kind, _, name = subject.partition(":")
    return {"User": "user", "Group": "group", "ServiceAccount": "service_account"}[kind] + "/" + name


def test_dangling_bindings_are_told(seen: list[Batch]) -> None:
    by_name = {one.name: one for one in of(seen, RoleAssignment)}
    assert by_name["dangling"].role_exists is False
    assert by_name["account-gone"].principal_exists is False
    assert by_name["account-gone"].role_exists is True
    assert by_name["exec"].role == "pods-exec"
    assert by_name["exec"].scope_name == "finance"


def test_aggregated_roles_are_as_the_server_filled_them(seen: list[Batch]) -> None:
    roles = {one.name: one for one in of(seen, Role)}
    assert roles["monitoring"].aggregated is True
    assert roles["monitoring-nodes"].aggregated is False
    assert sorted(r for p in roles["monitoring"].permissions for r in p.resources) == [
        "nodes", "nodes/metrics", "pods",
    ]  # fmt: skip
    assert roles["aggregates-nothing"].permissions == []
    assert roles["cluster-admin"].builtin is True


def test_the_cluster_itself(kube: Any, seen: list[Batch]) -> None:
    (cluster,) = of(seen, Cluster)
    assert cluster.anonymous_permissions is True  # /metrics, and services of one namespace
    assert cluster.distributions == ["Karmada", "KubeSphere", "OpenKruise"]
    assert isinstance(cluster.custom_kinds, list)
    assert "clonesets.apps.kruise.io" in cluster.custom_kinds
    assert len(cluster.custom_kinds) == kube.expected["counts"]["customresourcedefinitions"]
    servers = [one for one in of(seen, ControlPlaneComponent) if one.component == "kube-apiserver"]
    assert sorted(str(one.node) for one in servers) == ["master-000", "master-001", "master-002"]
    assert all("authorization-mode" in one.flags for one in servers)


def test_what_may_not_be_seen_is_denied(kube: Any) -> None:
    """The built-in role view shows neither roles nor secrets nor admission."""
    seen = read(kube, "reader")
    for kind in ("role", "role_assignment", "principal", "secret", "admission_webhook", "admission_policy"):
        assert status(seen)[kind] is Status.DENIED, kind
    assert status(seen)["service_account"] is Status.COMPLETE
    (cluster,) = of(seen, Cluster)
    assert isinstance(cluster.anonymous_permissions, Unknown)
    assert isinstance(cluster.custom_kinds, Unknown)
    assert not of(seen, Secret)
    reasons = {c.kind: c.reason + c.remedy for b in seen for c in b.collections}
    assert "能列出密钥就能读出密钥的值" in reasons["secret"]
    # an old cluster lists tokens at the account; which of them are tokens, only their types would tell
    listing = [one for one in of(seen, ServiceAccount) if isinstance(one.token_secrets, Unknown)]
    assert bool(listing) is (kube.name == "old")


def test_values_of_secrets_travel_nowhere(
    kube: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """With a credential that could read them: not in what the server sent about secrets, not in what is
    kept."""
    answers: dict[str, bytes] = {}
    get = LiveClient.get

    def listening(
        self: LiveClient, path: str, params: Mapping[str, str], accept: str = "application/json"
    ) -> Response:
        response = get(self, path, params, accept)
        answers[f"{path} {sorted(params.items())}"] = response.body
        return response

    monkeypatch.setattr(LiveClient, "get", listening)
    caplog.set_level(logging.DEBUG)
    one = source(kube, "admin")
    batches = record(one, Run(one), tmp_path / "lab.jsonl.gz")
    assert any(isinstance(r, Secret) for b in batches for r in b.resources)

    about_secrets = [body for path, body in answers.items() if path.split()[0].endswith("/secrets")]
    # one to see whether it may, and one for each namespace
    assert len(about_secrets) == kube.expected["counts"]["namespaces"] + 1
    values = [kube.expected["planted"][name] for name in ("secret_value", "secret_last_applied")]
    assert not found(values, b"".join(answers.values()))

    kept = msgspec.json.encode(batches)
    kept += b"".join(e.content for b in batches for e in b.evidence)
    kept += gzip.decompress((tmp_path / "lab.jsonl.gz").read_bytes()) + caplog.text.encode()
    assert not found(list(kube.expected["planted"].values()), kept)


def found(values: list[str], where: bytes) -> list[str]:
    """Which of the values stand there, plain or in base64 at any offset."""
    return [value for value in values if any(spelling in where for spelling in spellings(value))]


def spellings(value: str) -> Iterator[bytes]:
    plain = value.encode()
    yield plain
    for shift in range(3):
        whole = base64.b64encode(b"\0" * shift + plain)
        yield whole[4 if shift else 0 : -4]  # what does not depend on its neighbours


def test_the_search_for_values_finds_them() -> None:
    secret = "zg-planted-secret-value"
    for before in ("", "x", "xy", "xyz"):
        assert found([secret], base64.b64encode(f"{before}{secret}tail".encode())) == [secret]


# The API server's own answer, by SubjectAccessReview: a POST that changes nothing.


class Oracle:
    def __init__(self, kubeconfig: Path, folder: Path) -> None:
        config = json.loads(kubeconfig.read_text(encoding="utf-8"))
        cluster = config["clusters"][0]["cluster"]
        user = next(u["user"] for u in config["users"] if "client-certificate-data" in u["user"])
        context = ssl.create_default_context(
            cadata=base64.b64decode(cluster["certificate-authority-data"]).decode()
        )
        for name in ("client-certificate-data", "client-key-data"):
            (folder / name).write_bytes(base64.b64decode(user[name]))
        context.load_cert_chain(folder / "client-certificate-data", folder / "client-key-data")
        host = cluster["server"].removeprefix("https://")
        self._connection = HTTPSConnection(host, context=context, timeout=20)

    def allows(self, user: str, groups: list[str], request: Request) -> bool:
        spec: dict[str, Any] = {"user": user, "groups": groups}
        if request.url:
            spec["nonResourceAttributes"] = {"verb": request.verb, "path": request.url}
        else:
            resource, _, subresource = request.resource.partition("/")
            spec["resourceAttributes"] = {
                "verb": request.verb,
                "group": request.group,
                "resource": resource,
                "subresource": subresource,
                "name": request.name,
                "namespace": request.namespace or "",
            }
        body = {"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": spec}
        self._connection.request(
            "POST",
            "/apis/authorization.k8s.io/v1/subjectaccessreviews",
            json.dumps(body),
            {"Content-Type": "application/json"},
        )
        answer = json.loads(self._connection.getresponse().read())
        return bool(answer["status"]["allowed"])


@pytest.fixture(scope="module")
def rights(kube: Any) -> Graph:
    """The graph, as the collector builds it."""
    run = Run(source(kube, "auditor"))
    client = LiveClient(run.source.options, run)
    reader = Reader(client, run, discover(client), [])
    roles = [row for ask in (ROLES, CLUSTER_ROLES) for row in reader.all(ask, RoleRow)[0]]
    rows = [row for ask in (ROLE_BINDINGS, CLUSTER_ROLE_BINDINGS) for row in reader.all(ask, BindingRow)[0]]
    client.close()
    return graph(roles, [binding(row) for row in rows])


RESOURCES = [
    ("", "secrets"), ("", "pods"), ("", "pods/exec"), ("", "configmaps"), ("", "services"), ("", "nodes"),
    ("", "nodes/proxy"), ("", "serviceaccounts/token"), ("", "persistentvolumes"), ("", "users"),
    (RBAC, "clusterroles"), (RBAC, "rolebindings"), ("apps", "deployments"), ("apps", "deployments/scale"),
    ("admissionregistration.k8s.io", "mutatingwebhookconfigurations"),
    ("certificates.k8s.io", "certificatesigningrequests/approval"), ("apps.kruise.io", "clonesets"),
    ("example.org", "things"),
]  # fmt: skip
VERBS = ("get", "list", "create", "update", "bind", "escalate", "impersonate")
SUBJECTS: list[Subject] = [
    ("user", "zhangsan"), ("user", "lisi"), ("user", "wangwu"), ("user", "zhaoliu"), ("user", "sunqi"),
    ("user", "zhouba"), ("user", "wujiu"), ("user", "zhengshi"), ("user", "qianjiu"), ("user", "caiwu-admin"),
    ("user", "nobody"), ("user", "system:anonymous"), ("user", "system:kube-scheduler"),
    ("user", "system:kube-controller-manager"),
    ("group", "gov:operators"), ("group", "finance:developers"), ("group", "health:developers"),
    ("group", "lab:auditors"), ("group", "lab:readers"), ("group", "system:unauthenticated"),
    ("service_account", "finance/default"), ("service_account", "health/app"),
    ("service_account", "hrss/app"), ("service_account", "education/app"),
    ("service_account", "big-data/app"), ("service_account", "water/deleted"),
    ("service_account", "kube-system/generic-garbage-collector"),
]  # fmt: skip
URLS = ("/metrics", "/version", "/healthz", "/healthz/etcd", "/api", "/apis/apps", "/logs", "/openapi/v2")


def questions() -> Iterator[Request]:
    """Every fifth of all combinations, the same in each run."""
    for number, ((group, resource), verb, namespace) in enumerate(
        product(RESOURCES, VERBS, (None, "finance", "health", "emergency"))
    ):
        if number % 5 == 0:
            name = "web-tls" if resource == "secrets" and verb == "get" and namespace else ""
            yield Request(verb=verb, group=group, resource=resource, namespace=namespace, name=name)
    for url in URLS:
        yield Request(verb="get", url=url)


def test_the_graph_answers_as_the_server_does(kube: Any, rights: Graph, tmp_path: Path) -> None:
    oracle = Oracle(kube.folder / "admin.kubeconfig", tmp_path)
    asked = granted = 0
    for subject in SUBJECTS:
        type_, name = subject
        groups = list(groups_of(subject))
        user = name
        if type_ == "service_account":
            user = "system:serviceaccount:" + name.replace("/", ":")
        elif type_ == "group":
            anonymous = name == "system:unauthenticated"
            groups = [name] if anonymous else [name, "system:authenticated"]
            user = "somebody-in-no-binding"
        for request in questions():
            ours = (
                rights.allows(("user", user), groups, request)
                if type_ == "group" and name != "system:unauthenticated"
                else rights.allows(subject, groups, request)
            )
            assert ours == oracle.allows(user, groups, request), (subject, request)
            asked += 1
            granted += ours
    assert asked > 2500
    assert asked / 20 < granted < asked * 19 / 20  # neither answer is the easy one
