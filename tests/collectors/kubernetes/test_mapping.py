"""Recordings of both servers, held against what the lab counted without a collector."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from collectors import kubernetes
from inventory.kinds.cluster import Container, Node, Workload

COUNTS = {
    "node": "nodes",
    "namespace": "namespaces",
    "cluster_service": "services",
    "ingress": "ingresses",
    "network_policy": "networkpolicies",
    "limit_range": "limitranges",
    "quota": "resourcequotas",
    "volume_type": "storageclasses",
    "volume": "persistentvolumes",
    "volume_claim": "persistentvolumeclaims",
}


def test_every_kind_is_complete_and_as_many_as_there_are(whole: Any, expected: dict[str, Any]) -> None:
    assert set(kubernetes.KINDS) == set(whole.collections)
    assert set(whole.statuses().values()) == {"complete"}
    for kind, resource in COUNTS.items():
        assert len(whole.of(kind)) == expected["counts"].get(resource, 0), kind
    types = Counter(w.type for w in whole.resources["workload"])
    assert types == expected["facts"]["workloads"]


def some(test: Callable[[Container], object]) -> Callable[[Workload], bool]:
    return lambda workload: any(test(c) for c in workload.containers)  # type: ignore[union-attr]


QUESTIONS: dict[str, Callable[[Workload], object]] = {
    "privileged": some(lambda c: c.privileged),
    "added_capabilities": some(lambda c: c.capabilities_added),
    "may_escalate": some(lambda c: c.allow_privilege_escalation is not False),
    "may_run_as_root": some(lambda c: not c.run_as_non_root and not c.run_as_user),
    "writable_root": some(lambda c: not c.read_only_root),
    "host_network": lambda w: w.host_network,
    "host_pid": lambda w: w.host_pid,
    "host_ipc": lambda w: w.host_ipc,
    "host_path": lambda w: any(m.type == "host_path" for m in w.mounts),  # type: ignore[union-attr]
    "runtime_socket": lambda w: any(str(m.source).endswith(".sock") for m in w.mounts),  # type: ignore[union-attr]
    "host_port": some(lambda c: c.host_ports),
    "without_limits": some(lambda c: c.cpu_limit is None and c.memory_limit_mib is None),
    "image_latest": some(lambda c: c.digest is None and c.tag in (None, "latest")),
    "image_without_digest": some(lambda c: c.digest is None),
    "default_account": lambda w: w.service_account == "default",
}


@pytest.mark.parametrize("question", QUESTIONS)
def test_templates_say_what_was_seeded(question: str, whole: Any, expected: dict[str, Any]) -> None:
    found = sorted(w.native_id for w in whole.resources["workload"] if QUESTIONS[question](w))
    assert found == expected["facts"]["workloads_that"][question]
    assert found


def test_a_token_is_mounted_where_neither_the_template_nor_the_account_forbids_it(
    whole: Any, expected: dict[str, Any]
) -> None:
    silent = set(expected["facts"]["workloads_that"]["mounts_token"])  # the template does not forbid it
    accounts = set(expected["facts"]["accounts_that_mount"])
    found = {w.native_id for w in whole.resources["workload"] if w.automount_token is not False}
    assert found <= silent
    for workload in whole.resources["workload"]:
        if workload.native_id in silent - found:
            account = f"{workload.namespace}/{workload.service_account}"
            assert account not in accounts


def test_pods_are_counted_once_under_their_topmost_owner(whole: Any, expected: dict[str, Any]) -> None:
    workloads = whole.resources["workload"]
    assert sum(w.pods for w in workloads) == expected["pods"]
    phases: Counter[str] = Counter()
    for workload in workloads:
        phases.update(workload.pod_phases)
    assert phases == expected["pods_by_phase"]
    namespaces = {n.name: n.pods for n in whole.resources["namespace"] if n.pods}
    assert namespaces == expected["pods_by_namespace"]
    static = [w for w in workloads if w.static]
    assert {w.namespace for w in static} == {"kube-system"}
    assert {w.type for w in static} == {"Pod"}
    assert len(static) == 12
    cron = next(w for w in workloads if w.type == "CronJob" and w.pods)
    assert cron.pods > 0  # through its jobs


def test_nodes(whole: Any, expected: dict[str, Any]) -> None:
    nodes: list[Node] = whole.resources["node"]
    facts = expected["facts"]
    words = {"amd64": "x86_64", "arm64": "aarch64", "loong64": "loongarch64"}
    assert Counter(n.cpu_architecture for n in nodes) == {
        words[a]: n for a, n in facts["nodes_by_architecture"].items()
    }
    assert Counter(n.os_image for n in nodes) == facts["nodes_by_os"]
    families = Counter(
        "+".join(sorted({str(a.family) for a in n.addresses}))  # type: ignore[union-attr]
        for n in nodes
    )
    assert families == facts["nodes_by_family"]
    assert [n.name for n in nodes if n.ready is not True] == facts["nodes_not_ready"]
    assert [n.name for n in nodes if not n.schedulable] == facts["nodes_cordoned"]
    pressed = [
        n.name
        for n in nodes
        if any(c.type == "DiskPressure" and c.status is True for c in n.conditions)  # type: ignore[union-attr]
    ]
    assert pressed == facts["nodes_under_pressure"]
    not_ready = next(n for n in nodes if n.ready is not True)
    assert not_ready.ready is None  # the cluster itself does not know


def test_amounts_of_nodes_add_up(whole: Any, expected: dict[str, Any]) -> None:
    def total(of: str, field: str) -> float:
        return sum(
            getattr(amount, field)
            for node in whole.resources["node"]
            for amount in node.amounts
            if amount.of == of
        )

    assert total("vcpu", "total") == expected["facts"]["cpu_capacity"]
    assert total("vcpu", "reserved") == pytest.approx(0.5 * expected["counts"]["nodes"])
    phases = expected["pods_by_phase"]
    scheduled = total("pod", "allocated")
    assert 0 < scheduled <= phases["Running"] + phases["Pending"]
    assert scheduled == sum(n.pods for n in whole.resources["node"])
    assert total("gpu", "total") > 0
    used = sum(q.usage["requests.cpu"] for q in whole.resources["quota"]) / 1000
    assert 0 < used <= total("vcpu", "allocated") + 1


def test_origin_of_nodes_is_told_or_unknown(whole: Any) -> None:
    for node in whole.resources["node"]:
        domestic = any(word in node.os_image for word in ("Kylin", "麒麟", "统信", "UnionTech", "openEuler"))
        assert node.os_origin == ("domestic" if domestic else "foreign")
        if node.cpu_architecture == "loongarch64":
            assert node.cpu_origin == "domestic"
        elif str(node.cpu_vendor) == "未知":
            assert str(node.cpu_origin) == "未知"  # the architecture alone does not tell 海光 from Intel


def test_network(whole: Any, expected: dict[str, Any]) -> None:
    facts = expected["facts"]
    seeded = [s for s in whole.resources["cluster_service"] if s.native_id != "default/kubernetes"]
    assert Counter(s.type for s in seeded) == facts["services_by_type"]
    external = [s for s in seeded if s.type == "ExternalName"]
    assert all(s.external_name and s.families == [] for s in external)
    assert any(s.headless for s in seeded)
    balanced = next(s for s in seeded if s.type == "LoadBalancer")
    assert {a.family for a in balanced.external_addresses} == {"ipv4", "ipv6"}
    without = [i.native_id for i in whole.resources["ingress"] if not any(h.tls for h in i.hosts)]
    assert without == facts["ingresses_without_tls"]
    mixed = [i.native_id for i in whole.resources["ingress"] if {h.tls for h in i.hosts} == {True, False}]
    assert mixed == facts["ingresses_with_plain_hosts"]
    assert any(i.snippets for i in whole.resources["ingress"])
    for family in ("ipv4", "ipv6"):
        world = {"ipv4": "0.0.0.0/0", "ipv6": "::/0"}[family]
        opened = [
            p.native_id
            for p in whole.resources["network_policy"]
            if any(
                peer.direction == "ingress"
                and (peer.prefix == world or (peer.prefix is peer.namespaces is peer.pods is None))
                for peer in p.peers
            )
        ]
        assert opened == facts[f"policies_open_to_{family}"]


def test_namespaces_tell_what_they_lack(whole: Any, expected: dict[str, Any]) -> None:
    facts = expected["facts"]
    seeded = [n for n in whole.resources["namespace"] if "department" in n.labels]
    assert Counter(n.labels["department"] for n in seeded) == facts["namespaces_by_department"]
    for name, test in {
        "namespaces_without_policy": lambda n: n.network_policies == 0,
        "namespaces_without_ingress_deny": lambda n: not n.default_deny_ingress,
        "namespaces_without_egress_deny": lambda n: not n.default_deny_egress,
        "namespaces_without_quota": lambda n: not n.quota,
        "namespaces_without_limit_range": lambda n: not n.limit_range,
    }.items():
        assert [n.name for n in seeded if test(n)] == facts[name], name
    assert {n.name for n in whole.resources["namespace"] if n.system} == {
        "kube-system",
        "kube-public",
        "kube-node-lease",
    } | {n.name for n in whole.resources["namespace"] if n.name.startswith(("kubesphere-", "kruise-"))}


def test_storage(whole: Any, expected: dict[str, Any]) -> None:
    classes = {t.name: t for t in whole.resources["volume_type"]}
    assert classes["encrypted-ssd"].encrypted is True
    assert classes["plain-hdd"].encrypted is False
    assert str(classes["local"].encrypted) == "未知"
    assert [t.name for t in classes.values() if t.default] == ["plain-hdd"]
    assert classes["ceph"].extra_specs["adminKey"] == "******"
    left = [v.native_id for v in whole.resources["volume"] if not v.attached]
    assert left == expected["facts"]["volumes_left_over"]
    plain = [c.native_id for c in whole.resources["volume_claim"] if c.volume_type != "encrypted-ssd"]
    assert plain == expected["facts"]["claims_unencrypted"]
    nfs = whole.of("volume")["pv-nfs"]
    assert (nfs.backend, nfs.size_gib, nfs.status) == ("nfs", 500, "available")


def test_relations_lead_to_what_is_there(whole: Any) -> None:
    known = {r.uid for rows in whole.resources.values() for r in rows}
    for rows in whole.resources.values():
        for resource in rows:
            for relation in resource.relations:
                kind = relation.target.split("/")[1]
                if kind in ("namespace", "workload", "volume_type"):
                    assert relation.target in known, (resource.uid, relation)
    policy = whole.of("network_policy")["finance/neighbours"]
    governed = set(policy.related("governs"))
    inside = {w.uid for w in whole.resources["workload"] if w.namespace == "finance"}
    assert governed == inside


def test_a_service_leads_to_the_workloads_that_its_selector_takes(whole: Any) -> None:
    for service in whole.resources["cluster_service"]:
        for target in service.related("routes_to"):
            assert target.split("/")[2] == service.namespace


def test_secrets_are_named_and_never_held(whole: Any, expected: dict[str, Any]) -> None:
    texts = [repr(r) for rows in whole.resources.values() for r in rows]
    texts += [e.content.decode() for e in whole.evidence.values()]
    for name, value in expected["planted"].items():
        assert not any(value in text for text in texts), name
    variables = {v for w in whole.resources["workload"] for c in w.containers for v in c.secret_variables}
    assert variables
    assert all(v.isupper() for v in variables)


def test_evidence_is_small_and_the_same_for_the_same_estate(whole: Any, version: str) -> None:
    assert sum(len(e.content) for e in whole.evidence.values()) < 2_000_000
    assert {e.origin for e in whole.evidence.values()} >= {"GET /api/v1/nodes"}


def test_the_cluster_itself(whole: Any, expected: dict[str, Any]) -> None:
    cluster = whole.of("cluster")["cluster"]
    assert cluster.version == expected["version"]
    assert cluster.service_families == ["ipv4", "ipv6"]
    assert "apps.kruise.io/v1alpha1" in cluster.api_groups
    assert "v1" in cluster.api_groups
    assert cluster.certificate_verified is True
    control_plane = [n for n in whole.of("node").values() if {"control-plane", "master"} & set(n.roles)]
    assert cluster.control_plane_nodes == len(control_plane) > 0
    assert cluster.endpoint.startswith("https://127.0.0.1:")
