"""What an account may not see is denied and never empty; what it saw anyway is kept."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from collectors import kubernetes
from collectors.contract import Run, Source
from collectors.recordings import replaying

DATA = Path(__file__).parents[2] / "data" / "kubernetes"
Make = Callable[[list[Any]], Any]


@pytest.fixture
def replayed(whole: Any) -> Callable[[str], Any]:
    """A recording, collected again."""

    def go(name: str) -> Any:
        source = replaying(DATA / f"{name}.jsonl.gz")
        return type(whole)(list(kubernetes.collect(source, Run(source))))

    return go


def test_one_namespace_is_kept_and_nothing_is_concluded(replayed: Callable[[str], Any]) -> None:
    estate = replayed("new-namespace-reader")
    statuses = estate.statuses()
    assert statuses.pop("cluster") == "complete"
    assert set(statuses.values()) == {"denied"}
    assert {w.namespace for w in estate.resources["workload"]} == {"finance"}
    assert sum(w.pods for w in estate.resources["workload"]) == 31
    assert str(estate.of("cluster")["cluster"].control_plane_nodes) == "未知"
    assert list(estate.of("namespace")) == ["finance"]
    finance = estate.of("namespace")["finance"]
    for field in ("network_policies", "default_deny_ingress", "quota", "limit_range", "pods"):
        assert str(getattr(finance, field)) == "未知", field
    assert {str(w.architectures) for w in estate.resources["workload"]} == {"未知"}  # no nodes were seen
    workload = estate.collections["workload"]
    assert "finance" in workload.reason
    assert "不等于只有这些" in workload.reason
    assert "ClusterRole" in workload.remedy
    assert estate.of("node") == {}


def test_nothing_allowed_is_denied_everywhere_with_the_permission_that_lacks(
    replayed: Callable[[str], Any],
) -> None:
    estate = replayed("old-denied")
    statuses = estate.statuses()
    assert statuses.pop("cluster") == "complete"  # everybody may read the discovery
    assert set(statuses.values()) == {"denied"}
    assert set(estate.resources) == {"cluster"}
    for kind in ("node", "volume", "volume_type"):
        collection = estate.collections[kind]
        assert "不等于没有" in collection.reason
        assert "verbs ['list']" in collection.remedy
    assert "persistentvolumes" in estate.collections["volume"].remedy


@pytest.mark.parametrize(
    ("name", "refused"), [("new-admin", 0), ("new-namespace-reader", 10), ("old-denied", 10)]
)
def test_doctor_tells_each_list(name: str, refused: int) -> None:
    source = replaying(DATA / f"{name}.jsonl.gz")
    lines = list(kubernetes.probe(source, Run(source)))
    assert lines[0].ok
    assert "Kubernetes v1." in lines[0].detail
    denied = [line for line in lines if line.ok is False]
    assert len(denied) >= refused
    assert bool(denied) == bool(refused)
    assert all("list" in line.remedy for line in denied)


def test_the_cluster_role_covers_what_is_read_and_no_more() -> None:
    import yaml

    from collectors.kubernetes import access, estate
    from collectors.kubernetes.grants import CLUSTER_ROLE

    (role,) = [d for d in yaml.safe_load_all(CLUSTER_ROLE) if d["kind"] == "ClusterRole"]
    granted = {(g, r) for rule in role["rules"] for g in rule["apiGroups"] for r in rule["resources"]}
    assert {v for rule in role["rules"] for v in rule["verbs"]} == {"get", "list"}
    asked = {(a.group, a.resource) for a in (*estate.ASKS, *access.ASKS)}
    assert asked - granted <= {("", "secrets")}
    assert ("", "secrets") not in granted
    assert CLUSTER_ROLE in kubernetes.PERMISSIONS
    assert not any("*" in pair for pair in granted)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "四者写且只写一个"),
        ({"kubeconfig": "k", "server": "https://a", "token_ref": "env:T"}, "四者写且只写一个"),
        ({"server": "10.0.0.1:6443", "token_ref": "env:T"}, "完整的地址"),
        ({"server": "https://a"}, "token_ref"),
        ({"kubeconfig": "k", "timeout_seconds": 0}, "大于 0"),
    ],
)
def test_options_that_cannot_work_are_refused_where_they_are_written(
    options: dict[str, Any], words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        kubernetes.Options(**options)


@pytest.mark.parametrize("content", ["", "nonsense: [", "apiVersion: v1\nkind: Config\n"])
def test_a_kubeconfig_that_is_none_is_one_clear_line(content: str, tmp_path: Path) -> None:
    path = tmp_path / "kubeconfig"
    path.write_text(content, encoding="utf-8")
    source = Source(name="c", type="kubernetes", options=kubernetes.Options(kubeconfig=str(path)))
    with pytest.raises(kubernetes.SourceError, match="kubeconfig"):
        list(kubernetes.collect(source, Run(source)))
