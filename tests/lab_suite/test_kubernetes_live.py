"""The collector against the lab's live API servers, an old and a current one; what must come out, the lab
counts in etcd and in its own seed."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from collectors import kubernetes
from collectors.contract import Run, Source
from collectors.kubernetes import listing
from collectors.kubernetes.client import LiveClient, Response
from collectors.kubernetes.discovery import discover
from collectors.kubernetes.listing import Reader
from collectors.kubernetes.pods import ASK, Pods
from collectors.kubernetes.templates import Pod
from collectors.run import collect_all
from inventory.coverage import Batch
from inventory.kinds.cluster import Node, Workload

pytestmark = pytest.mark.lab

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
KINDS = ("workload", *COUNTS)


def source(kube: Any, who: str, deadline_seconds: float = 120.0, **options: Any) -> Source:
    path = str(kube.folder / f"{who}.kubeconfig")
    given = kubernetes.Options(kubeconfig=path, **options)
    return Source(name="k", type="kubernetes", options=given, deadline_seconds=deadline_seconds)


def collect(wanted: Source) -> dict[str, Batch]:
    batches: dict[str, Batch] = {}
    for _, batch in collect_all([wanted]):
        for collection in batch.collections:  # several where the source failed as a whole
            assert collection.kind not in batches
            own = [r for r in batch.resources if collection.kind == r.KIND]
            batches[collection.kind] = Batch(resources=own, collections=[collection], evidence=batch.evidence)
    return batches


def statuses(batches: dict[str, Batch]) -> dict[str, tuple[str, int]]:
    """Of the kinds that this suite counts."""
    found = {kind: batches[kind].collections[0] for kind in KINDS}
    return {kind: (c.status.value, c.count) for kind, c in found.items()}


def truth(kube: Any) -> dict[str, int]:
    counts = {kind: kube.expected["counts"].get(resource, 0) for kind, resource in COUNTS.items()}
    return {"workload": sum(kube.expected["facts"]["workloads"].values()), **counts}


def workloads(batches: dict[str, Batch]) -> list[Workload]:
    return [r for r in batches["workload"].resources if isinstance(r, Workload)]


@pytest.mark.parametrize("who", ["admin", "auditor"])
def test_who_sees_everything_sees_what_etcd_holds(kube: Any, who: str) -> None:
    batches = collect(source(kube, who))
    assert statuses(batches) == {kind: ("complete", n) for kind, n in truth(kube).items()}
    found = workloads(batches)
    assert Counter(w.type for w in found) == kube.expected["facts"]["workloads"]
    assert sum(w.pods for w in found) == kube.expected["pods"]  # type: ignore[misc]
    nodes = [r for r in batches["node"].resources if isinstance(r, Node)]
    assert (
        sum(a.total for n in nodes for a in n.amounts if a.of == "vcpu")
        == (  # type: ignore[misc, union-attr]
            kube.expected["facts"]["cpu_capacity"]
        )
    )
    (cluster,) = batches["cluster"].resources
    assert cluster.version == kube.expected["version"]  # type: ignore[attr-defined]


def test_a_reader_is_denied_what_lies_in_no_namespace(kube: Any) -> None:
    found = statuses(collect(source(kube, "reader")))
    denied = {kind for kind, (status, _) in found.items() if status == "denied"}
    assert denied == {"node", "volume", "volume_type"}
    assert {found[kind][1] for kind in denied} == {0}
    whole = {kind: ("complete", n) for kind, n in truth(kube).items() if kind not in denied}
    assert {kind: seen for kind, seen in found.items() if kind not in denied} == whole


def test_a_reader_of_one_namespace_keeps_its_rows_and_is_denied_the_rest(kube: Any) -> None:
    batches = collect(source(kube, "namespace-reader", namespaces=["finance"]))
    found = statuses(batches)
    assert {status for status, _ in found.values()} == {"denied"}
    assert sum(w.pods for w in workloads(batches)) == kube.expected["pods_by_namespace"]["finance"]  # type: ignore[misc]
    assert {w.namespace for w in workloads(batches)} == {"finance"}
    assert all(batches[kind].collections[0].remedy for kind in KINDS)


def test_a_reader_of_one_namespace_that_nobody_named_sees_nothing_and_is_told_so(kube: Any) -> None:
    found = statuses(collect(source(kube, "denied")))
    assert set(found.values()) == {("denied", 0)}


@pytest.mark.parametrize(
    ("who", "status", "words"),
    [
        ("wrong-token", "denied", "不认这个凭据"),
        ("expired-token", "denied", "不认这个凭据"),
        ("untrusted", "failed", "证书未通过校验"),
    ],
)
def test_who_does_not_get_in_is_told_why_once(kube: Any, who: str, status: str, words: str) -> None:
    batches = collect(source(kube, who))
    collections = [c for kind in kubernetes.KINDS for c in batches[kind].collections]
    assert {c.status.value for c in collections} == {status}
    (reason,) = {c.reason for c in collections}
    assert words in reason


def test_a_server_that_freezes_midway_costs_no_more_than_the_deadline(kube: Any) -> None:
    wanted = source(kube, "admin", deadline_seconds=12.0, timeout_seconds=30.0)
    found: dict[str, str] = {}
    rows: set[str] = set()
    frozen_at = 0.0
    batches = kubernetes.collect(wanted, Run(wanted))  # it stands still between two of them
    try:
        for batch in batches:
            if not frozen_at:
                kube.lab("freeze")
                frozen_at = time.monotonic()
            found |= {c.kind: c.status.value for c in batch.collections}
            rows |= {r.KIND for r in batch.resources}
    finally:
        kube.lab("thaw")
    assert time.monotonic() - frozen_at < 20
    assert found.pop("limit_range") == "complete"
    assert {kind for kind, status in found.items() if status == "complete"} <= {"namespace", "cluster"}
    assert found["workload"] == found["cluster_service"] == found["volume"] == "failed"
    assert rows <= {"limit_range", "namespace", "cluster"}  # the namespaces had been listed before


class Compacting:
    """A client that has the server forget old revisions before its third page is asked for."""

    def __init__(self, client: LiveClient, kube: Any, times: int) -> None:
        self._client = client
        self._kube = kube
        self._times = times
        self._pages = 0
        self.statuses: list[int] = []

    def get(self, path: str, params: Mapping[str, str], accept: str = "application/json") -> Response:
        if path == "/api/v1/pods":
            self._pages += 1
            if "continue" in params and self._pages >= 3 and self._times:
                self._times -= 1
                self._kube.lab("compact")
        response = self._client.get(path, params, accept)
        if path == "/api/v1/pods":
            self.statuses.append(response.status)
        return response


@pytest.mark.parametrize(("times", "whole"), [(1, True), (99, False)])
def test_a_forgotten_place_in_the_list(
    kube: Any, times: int, whole: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "PAGE", "60")
    wanted = source(kube, "admin")
    run = Run(wanted)
    live = LiveClient(wanted.options, run)
    client = Compacting(live, kube, times)
    reader = Reader(client, run, discover(live), [])  # type: ignore[arg-type]
    fold = Pods({}, {})
    found = reader.read(ASK, Pod, fold)
    live.close()
    assert client.statuses.count(410) == (1 if whole else 2)
    seen = sum(group.pods for group in fold.groups.values())
    assert found.whole is whole
    assert seen == kube.expected["pods"] if whole else 0 < seen < kube.expected["pods"]


def test_a_recording_of_the_lab_holds_nothing_that_was_planted(kube: Any, tmp_path: Path) -> None:
    wanted = source(kube, "admin")
    batches = kubernetes.record(wanted, Run(wanted), tmp_path / "r.jsonl.gz")
    import gzip

    texts = [gzip.decompress((tmp_path / "r.jsonl.gz").read_bytes()).decode()]
    texts += [e.content.decode() for b in batches for e in b.evidence]
    texts += [repr(r) for b in batches for r in b.resources]
    planted = kube.expected["planted"]
    assert planted
    assert [name for name, secret in planted.items() if any(secret in text for text in texts)] == []


def test_doctor_names_what_a_reader_lacks(kube: Any) -> None:
    def refused(who: str) -> list[str]:
        wanted = source(kube, who)
        lines = list(kubernetes.probe(wanted, Run(wanted)))
        assert all(line.remedy for line in lines if line.ok is False)
        return [line.subject for line in lines if line.ok is False]

    lacking = refused("reader")
    assert {"nodes", "persistentvolumes", "storageclasses.storage.k8s.io"} <= set(lacking)
    assert "pods" not in lacking
    assert refused("admin") == []
