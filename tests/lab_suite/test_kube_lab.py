"""The Kubernetes labs hold what expected.json says, by nothing but HTTP and JSON; and their faults are faults."""

from __future__ import annotations

import base64
import json
import ssl
import subprocess
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.lab

Json = dict[str, Any]


class Client:
    """One kubeconfig's user, with urllib alone."""

    def __init__(self, folder: Path, who: str, scratch: Path) -> None:
        config = json.loads((folder / f"{who}.kubeconfig").read_text(encoding="ascii"))
        cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
        authority = base64.b64decode(cluster["certificate-authority-data"]).decode()
        self._server = cluster["server"]
        self._tls = ssl.create_default_context(cadata=authority)
        self._headers = {"Authorization": f"Bearer {user['token']}"} if "token" in user else {}
        if "client-key-data" in user:
            pair = scratch / f"{who}.pem"
            pair.touch(mode=0o600)
            pair.write_bytes(
                base64.b64decode(user["client-certificate-data"]) + base64.b64decode(user["client-key-data"])
            )
            self._tls.load_cert_chain(pair)

    def ask(
        self, path: str, method: str = "GET", body: object = None, timeout: float = 60
    ) -> tuple[int, Json]:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._server + path, data, self._headers, method=method)
        request.add_header("Content-Type", "application/json")
        try:
            with urllib.request.urlopen(request, timeout=timeout, context=self._tls) as answer:
                return answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as refused:
            content = refused.read()
            is_json = refused.headers.get("Content-Type", "").startswith("application/json")
            return refused.code, json.loads(content) if is_json else {"message": content.decode()}

    def items(self, path: str) -> Iterator[Json]:
        going = ""
        while True:
            status, answer = self.ask(f"{path}?limit=200{going}")
            assert status == 200, (path, answer)
            yield from answer["items"]
            if not answer["metadata"].get("continue"):
                return
            going = f"&continue={answer['metadata']['continue']}"


@pytest.fixture
def admin(kube: Any, tmp_path: Path) -> Client:
    return Client(kube.folder, "admin", tmp_path)


def listable(admin: Client) -> Iterator[tuple[str, str]]:
    """Every resource that can be listed: its name as expected.json has it, and where."""
    roots = [("", [f"/api/{v}" for v in admin.ask("/api")[1]["versions"]])]
    for group in admin.ask("/apis")[1]["groups"]:
        versions = sorted(group["versions"], key=lambda v, g=group: v != g["preferredVersion"])
        roots.append((group["name"], [f"/apis/{v['groupVersion']}" for v in versions]))
    for group, versions in roots:
        custom = "." in group and not group.endswith(".k8s.io")
        named: set[str] = set()
        for root in versions:
            status, answer = admin.ask(root)
            assert status == (503 if group == "metrics.k8s.io" else 200), root
            resources = {r["name"] for r in answer.get("resources", []) if "list" in r["verbs"]}
            for name in sorted(resources - named):
                yield (f"{name}.{group}" if custom else name), f"{root}/{name}"
            named |= resources


def test_the_version_is_the_one_that_was_built(kube: Any, admin: Client) -> None:
    assert admin.ask("/version")[1]["gitVersion"] == kube.expected["version"]
    minor = int(kube.expected["version"].split(".")[1])
    assert minor == 20 if kube.name == "old" else minor >= 33


def test_lists_hold_what_is_in_etcd(kube: Any, admin: Client) -> None:
    made_up = ("componentstatuses", "events")  # asked of elsewhere; come and go
    counts = {
        name: sum(1 for _ in admin.items(path)) for name, path in listable(admin) if name not in made_up
    }
    assert {name: n for name, n in counts.items() if n} == kube.expected["counts"]
    assert counts["pods"] == kube.expected["pods"] == 300


def test_the_facts_of_the_seed_are_what_the_server_answers(kube: Any, admin: Client) -> None:
    pods, nodes = list(admin.items("/api/v1/pods")), list(admin.items("/api/v1/nodes"))
    ingresses = list(admin.items("/apis/networking.k8s.io/v1/ingresses"))
    seeded = {
        n["metadata"]["name"]
        for n in admin.items("/api/v1/namespaces")
        if "department" in n["metadata"].get("labels", {})
    }

    def without(path: str) -> list[str]:
        return sorted(seeded - {item["metadata"]["namespace"] for item in admin.items(path)})

    def internal(node: Json) -> str:
        found = {
            "ipv6" if ":" in a["address"] else "ipv4"
            for a in node["status"]["addresses"]
            if a["type"] == "InternalIP"
        }
        return "+".join(sorted(found))

    services = [s for s in admin.items("/api/v1/services") if s["metadata"]["name"] != "kubernetes"]
    facts = {
        "nodes_by_architecture": Counter(n["status"]["nodeInfo"]["architecture"] for n in nodes),
        "nodes_by_os": Counter(n["status"]["nodeInfo"]["osImage"] for n in nodes),
        "nodes_by_family": Counter(internal(n) for n in nodes),
        "nodes_cordoned": sorted(n["metadata"]["name"] for n in nodes if n["spec"].get("unschedulable")),
        "cpu_capacity": sum(int(n["status"]["capacity"]["cpu"]) for n in nodes),
        "services_by_type": Counter(s["spec"]["type"] for s in services),
        "secrets_by_type": Counter(s["type"] for s in admin.items("/api/v1/secrets")),
        "namespaces_without_policy": without("/apis/networking.k8s.io/v1/networkpolicies"),
        "namespaces_without_quota": without("/api/v1/resourcequotas"),
        "ingresses_without_tls": sorted(
            f"{i['metadata']['namespace']}/{i['metadata']['name']}"
            for i in ingresses
            if not i["spec"].get("tls")
        ),
    }
    assert facts == {name: kube.expected["facts"][name] for name in facts}
    assert Counter(p["status"]["phase"] for p in pods) == kube.expected["pods_by_phase"]
    assert Counter(p["metadata"]["namespace"] for p in pods) == kube.expected["pods_by_namespace"]


def test_the_seed_shows_every_case(kube: Any) -> None:
    facts = kube.expected["facts"]
    assert [q for q, names in facts["workloads_that"].items() if not names] == []
    assert [name for name, value in facts.items() if not value] == []
    assert set(facts["nodes_by_architecture"]) == {"amd64", "arm64", "loong64"}
    assert set(facts["nodes_by_family"]) == {"ipv4", "ipv6", "ipv4+ipv6"}
    assert set(facts["workloads"]) >= {
        "Deployment",
        "StatefulSet",
        "DaemonSet",
        "Job",
        "CronJob",
        "CloneSet",
        "Pod",
    }


def test_pods_are_owned_by_what_is_there(admin: Client) -> None:
    places = {
        "ReplicaSet": "/apis/apps/v1/replicasets",
        "DaemonSet": "/apis/apps/v1/daemonsets",
        "StatefulSet": "/apis/apps/v1/statefulsets",
        "Job": "/apis/batch/v1/jobs",
        "CloneSet": "/apis/apps.kruise.io/v1alpha1/clonesets",
    }
    uids = {kind: {i["metadata"]["uid"] for i in admin.items(path)} for kind, path in places.items()}
    owners = [o for p in admin.items("/api/v1/pods") for o in p["metadata"].get("ownerReferences", [])]
    assert {o["kind"] for o in owners} == set(places)
    assert [o for o in owners if o["uid"] not in uids[o["kind"]]] == []


def test_planted_secrets_are_where_they_are_said_to_be(kube: Any, admin: Client) -> None:
    text = "\n".join(json.dumps(item) for _, path in listable(admin) for item in admin.items(path))
    for place, value in kube.expected["planted"].items():
        forms = [value, *(base64.b64encode(b"x" * n + value.encode())[4:-4].decode() for n in range(3))]
        assert any(form in text for form in forms), place


@pytest.mark.parametrize(
    ("who", "answers"),
    [
        ("admin", {"pods": 200, "secrets": 200, "nodes": 200, "clusterroles": 200, "finance": 200, "make": 201}),
        ("auditor", {"pods": 200, "secrets": 200, "nodes": 200, "clusterroles": 200, "finance": 200, "make": 403}),
        ("reader", {"pods": 200, "secrets": 403, "nodes": 403, "clusterroles": 403, "finance": 200, "make": 403}),
        ("namespace-reader", {"pods": 403, "secrets": 403, "nodes": 403, "clusterroles": 403, "finance": 200, "make": 403}),
        ("denied", dict.fromkeys(("pods", "secrets", "nodes", "clusterroles", "finance", "make"), 403)),
        ("wrong-token", dict.fromkeys(("pods", "secrets", "nodes", "clusterroles", "finance", "make"), 401)),
        ("expired-token", dict.fromkeys(("pods", "secrets", "nodes", "clusterroles", "finance", "make"), 401)),
    ],
)  # fmt: skip
def test_each_kubeconfig_may_what_its_name_says(
    who: str, answers: dict[str, int], kube: Any, tmp_path: Path
) -> None:
    client = Client(kube.folder, who, tmp_path)
    paths = {
        "pods": "/api/v1/pods?limit=1",
        "secrets": "/api/v1/secrets?limit=1",
        "nodes": "/api/v1/nodes?limit=1",
        "clusterroles": "/apis/rbac.authorization.k8s.io/v1/clusterroles?limit=1",
        "finance": "/api/v1/namespaces/finance/pods?limit=1",
    }
    found = {name: client.ask(path)[0] for name, path in paths.items()}
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "not-kept"}}
    found["make"] = client.ask("/api/v1/namespaces?dryRun=All", "POST", body)[0]
    assert found == answers


def test_an_untrusted_certificate_is_not_taken(kube: Any, tmp_path: Path) -> None:
    with pytest.raises(urllib.error.URLError, match="CERTIFICATE_VERIFY_FAILED"):
        Client(kube.folder, "untrusted", tmp_path).ask("/version")


def test_up_and_seed_again_change_nothing(kube: Any, admin: Client) -> None:
    def versions() -> set[tuple[str, str]]:
        seeded = [
            path for name, path in listable(admin) if name not in ("leases", "events", "componentstatuses")
        ]
        found = (item["metadata"] for path in seeded for item in admin.items(path))
        return {(m["uid"], m["resourceVersion"]) for m in found if "uid" in m}

    before = versions()
    kube.lab("up")
    kube.lab("seed", "300")
    assert json.loads((kube.folder / "expected.json").read_text(encoding="utf-8")) == kube.expected
    assert versions() == before


def test_a_frozen_server_hangs_and_thaws(kube: Any, admin: Client) -> None:
    kube.lab("freeze")
    try:
        with pytest.raises(OSError, match="timed out"):
            admin.ask("/version", timeout=1)
        assert not kube.ready()
    finally:
        kube.lab("thaw")
    assert admin.ask("/version")[0] == 200
    assert kube.ready()


def test_a_frozen_etcd_lets_the_server_answer_that_it_cannot(kube: Any, admin: Client) -> None:
    kube.lab("freeze", "etcd")
    try:
        with pytest.raises(OSError, match="timed out"):
            admin.ask("/apis/apps/v1/deployments?limit=1", timeout=2)
        assert admin.ask("/version")[0] == 200
    finally:
        kube.lab("thaw", "etcd")
    assert admin.ask("/apis/apps/v1/deployments?limit=1")[0] == 200


def test_after_compaction_a_continue_token_is_gone(kube: Any, admin: Client) -> None:
    token = admin.ask("/api/v1/pods?limit=100")[1]["metadata"]["continue"]
    kube.lab("compact")
    status, answer = admin.ask(f"/api/v1/pods?limit=100&continue={token}")
    assert (status, answer["reason"]) == (410, "Expired")
    assert admin.ask(f"/api/v1/pods?limit=100&continue={answer['metadata']['continue']}")[0] == 200


def test_what_others_did_is_in_the_audit_log(kube: Any, tmp_path: Path) -> None:
    Client(kube.folder, "auditor", tmp_path).ask("/api/v1/namespaces/water/services")
    lines = (kube.folder / "run" / "audit.log").read_text(encoding="utf-8").splitlines()
    events = [json.loads(line) for line in lines]
    asked = {(e["user"].get("username"), e["verb"], e["requestURI"]) for e in events}
    assert ("lab-auditor", "list", "/api/v1/namespaces/water/services") in asked
    assert not any(user == "lab-admin" for user, _, _ in asked)


def test_status_says_what_runs(kube: Any) -> None:
    said = subprocess.run([*kube.command, "status"], check=True, text=True, stdout=subprocess.PIPE).stdout
    assert "apiserver runs" in said
    assert "etcd runs" in said
