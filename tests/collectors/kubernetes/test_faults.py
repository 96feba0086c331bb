"""What goes wrong between the collector and an API server, over real TLS."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

PODS = "/api/v1/pods"
SERVICES = "/api/v1/services"
Go = Callable[..., Any]


def items(body: bytes) -> list[Any]:
    found: list[Any] = json.loads(body)["items"]
    return found


def with_items(body: bytes, rows: Any) -> bytes:
    return json.dumps({**json.loads(body), "items": rows}).encode()


@pytest.fixture
def good(tried: Go) -> Any:
    """The same server without a fault."""
    return tried()


def others(estate: Any, *kinds: str) -> set[str]:
    """Statuses of all kinds but these."""
    return {status for kind, status in estate.statuses().items() if kind not in kinds}


RESTING = ("cluster_service", "cluster")


def test_pages_are_followed_to_the_end_with_a_token_and_packed(api: Any, tried: Go) -> None:
    estate = tried()
    assert set(estate.statuses().values()) == {"complete"}
    assert api.asked[PODS] == 3
    assert sum(w.pods for w in estate.resources["workload"]) == 300
    queries = [query for path, query, _ in api.queries if path == PODS]
    assert queries == [
        {"limit": "500"},
        {"limit": "500", "continue": "100"},
        {"limit": "500", "continue": "200"},
    ]
    for _, _, headers in api.queries:
        lower = {name.lower(): value for name, value in headers.items()}
        assert lower["accept-encoding"] == "gzip"
        assert lower["authorization"].startswith("Bearer ")


def test_a_forgotten_place_in_a_list_begins_it_again_once(api: Any, tried: Go, good: Any) -> None:
    answers = itertools.count()

    def gone_once(query: dict[str, str], answer: Any) -> Any:
        return (
            (410, {}, b'{"kind":"Status","code":410}')
            if query.get("continue") and next(answers) == 1
            else answer
        )

    api.faults[PODS] = gone_once
    estate = tried()
    assert estate.status("workload") == "complete"
    assert estate.lasting() == good.lasting()


def test_a_place_forgotten_twice_leaves_what_came_and_says_so(api: Any, tried: Go) -> None:
    api.faults[PODS] = lambda query, answer: (410, {}, b"{}") if query.get("continue") else answer
    estate = tried()
    assert estate.status("workload") == "partial"
    assert "410" in estate.collections["workload"].reason
    assert estate.of("workload")
    assert {str(w.pods) for w in estate.resources["workload"]} == {"未知"}
    assert {str(n.pods) for n in estate.resources["node"]} == {"未知"}
    # whether there is a control plane to be seen, only all pods tell
    assert others(estate, "workload", "control_plane_component") == {"complete"}


def test_busy_is_waited_for(api: Any, tried: Go, good: Any) -> None:
    answers = itertools.count()
    api.faults[SERVICES] = lambda query, answer: (
        (429, {"Retry-After": "1"}, b"") if next(answers) == 0 else answer
    )
    before = api.asked[SERVICES]
    estate = tried()
    assert api.asked[SERVICES] - before == 2
    assert estate.lasting() == good.lasting()


def test_busy_for_longer_than_there_is_time_ends_that_list_only(api: Any, tried: Go) -> None:
    api.faults[SERVICES] = lambda query, answer: (429, {"Retry-After": "3600"}, b"")
    estate = tried()
    assert api.asked[SERVICES] == 1
    assert estate.status("cluster_service") == "failed"
    assert "429" in estate.collections["cluster_service"].reason
    assert others(estate, "cluster_service") == {"complete"}


def test_json_that_is_cut_off(api: Any, tried: Go) -> None:
    api.faults[SERVICES] = lambda query, answer: (200, {}, answer[2][: len(answer[2]) // 2])
    estate = tried()
    assert estate.status("cluster_service") == "failed"
    assert "JSON" in estate.collections["cluster_service"].reason
    assert others(estate, *RESTING) == {"complete"}


def test_an_answer_that_stops_on_the_way(api: Any, tried: Go) -> None:
    api.faults[PODS] = lambda query, answer: (200, {"Content-Length": "99999999"}, answer[2][:1000])
    estate = tried()
    assert estate.status("workload") == "partial"  # the controllers had been read
    assert "断" in estate.collections["workload"].reason
    assert estate.status("limit_range") == "complete"


@pytest.mark.parametrize("items_", [None, {}, "none"])
def test_something_else_where_the_list_belongs_is_not_an_empty_list(api: Any, tried: Go, items_: Any) -> None:
    api.faults[SERVICES] = lambda query, answer: (200, {}, with_items(answer[2], items_))
    estate = tried()
    assert estate.status("cluster_service") == "failed"
    assert others(estate, *RESTING) == {"complete"}


def test_one_odd_object_costs_only_itself(api: Any, tried: Go, good: Any) -> None:
    def spoil(query: dict[str, str], answer: Any) -> Any:
        rows = items(answer[2])
        rows[0]["spec"]["ports"] = None  # as Go writes an empty list: taken
        rows[1]["spec"]["ports"] = [None]
        rows[2]["spec"] = "spec"
        rows[3] = None
        return 200, {}, with_items(answer[2], rows)

    api.faults[SERVICES] = spoil
    estate = tried()
    assert estate.status("cluster_service") == "partial"
    reason = estate.collections["cluster_service"].reason
    assert reason.startswith("3 处看不懂")
    assert len(estate.of("cluster_service")) == len(good.of("cluster_service")) - 3
    assert others(estate, "cluster_service") == {"complete"}


def test_a_pod_without_containers_is_a_problem_and_the_rest_is_there(api: Any, tried: Go) -> None:
    def spoil(query: dict[str, str], answer: Any) -> Any:
        rows = items(answer[2])
        rows[5]["spec"]["containers"] = None
        return 200, {}, with_items(answer[2], rows)

    api.faults[PODS] = spoil
    estate = tried()
    assert estate.status("workload") == "partial"
    assert "containers" in estate.collections["workload"].reason
    assert len(estate.of("workload")) == 95
    # one pod was not understood: what a node holds and a claim serves is not known
    assert {str(n.pods) for n in estate.resources["node"]} == {"未知"}
    assert {str(c.used) for c in estate.resources["volume_claim"]} == {"未知"}


def test_five_megabytes_of_annotation_go_nowhere(api: Any, tried: Go, good: Any) -> None:
    def swell(query: dict[str, str], answer: Any) -> Any:
        rows = items(answer[2])
        rows[0]["metadata"]["annotations"] = {"note": "x" * 5_000_000}
        return 200, {}, with_items(answer[2], rows)

    api.faults[PODS] = api.faults["/api/v1/namespaces"] = swell
    estate = tried()
    assert set(estate.statuses().values()) == {"complete"}
    assert estate.lasting() == good.lasting()
    assert sum(len(e.content) for e in estate.evidence.values()) < 1_000_000


def test_a_server_that_hangs_midway_leaves_what_came_within_the_deadline(api: Any, tried: Go) -> None:
    api.faults[PODS] = lambda query, answer: api.hang(query, answer) if query.get("continue") else answer
    estate = tried(deadline_seconds=6.0, timeout_seconds=30.0)
    assert estate.status("limit_range") == "complete"
    assert estate.status("workload") == "partial"
    assert estate.status("node") == "complete"
    assert {str(n.pods) for n in estate.resources["node"]} == {"未知"}
    for kind in ("cluster_service", "ingress", "network_policy", "volume", "volume_claim"):
        assert estate.status(kind) == "failed"
        assert estate.collections[kind].reason


def test_a_token_that_expires_midway(api: Any, tried: Go) -> None:
    api.faults[SERVICES] = lambda query, answer: (401, {}, b"{}")
    estate = tried()
    assert estate.status("cluster_service") == "denied"
    assert "401" in estate.collections["cluster_service"].reason


def test_a_wrong_token_is_one_clear_reason(tried: Go, tmp_path: Path) -> None:
    (tmp_path / "wrong").write_text("not-the-token", encoding="utf-8")
    estate = tried(token_ref=f"file:{tmp_path / 'wrong'}")
    assert set(estate.statuses().values()) == {"denied"}
    assert {c.reason for c in estate.collections.values()} == {"API 服务器不认这个凭据：令牌或证书无效、过期"}
    assert "not-the-token" not in repr(estate.collections)


def test_a_certificate_that_signed_itself_is_refused_by_name(
    api: Any, tried: Go, tmp_path: Path, pem_of: Callable[..., bytes]
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    from_elsewhere = type(api)(
        other, "old-denied", pem_of("elsewhere", key=ec.generate_private_key(ec.SECP256R1()), ca=True)
    )
    estate = tried(ca_file=str(from_elsewhere.ca))
    from_elsewhere.close()
    assert set(estate.statuses().values()) == {"failed"}
    (reason,) = {c.reason for c in estate.collections.values()}
    assert "证书未通过校验" in reason
    assert api.queries == []


def test_without_verification_it_reads_and_says_so(tried: Go) -> None:
    estate = tried(ca_file="", insecure=True)
    assert set(estate.statuses().values()) == {"complete"}
    assert estate.of("cluster")["cluster"].certificate_verified is False
    verified = tried()
    assert verified.of("cluster")["cluster"].certificate_verified is True


def test_a_redirect_does_not_take_the_token_along(api: Any, tried: Go) -> None:
    target = f"https://127.0.0.1:{api.port}/elsewhere"
    api.faults[SERVICES] = lambda query, answer: (302, {"Location": target}, b"")
    estate = tried()
    assert estate.status("cluster_service") == "failed"
    assert "/elsewhere" not in api.asked


def test_a_list_that_turns_in_circles_ends(api: Any, tried: Go) -> None:
    api.faults[SERVICES] = lambda query, answer: (
        200,
        {},
        json.dumps({**json.loads(answer[2]), "metadata": {"continue": "0"}}).encode(),
    )
    estate = tried()
    assert estate.status("cluster_service") == "partial"
    assert "兜圈子" in estate.collections["cluster_service"].reason


def test_an_address_that_is_no_api_server(api: Any, tried: Go) -> None:
    api.faults["/version"] = lambda query, answer: (200, {}, b"<html>console</html>")
    estate = tried()
    assert set(estate.statuses().values()) == {"failed"}
    assert "不像 Kubernetes" in next(iter(estate.collections.values())).reason


def test_one_group_whose_server_is_away_costs_the_others_nothing(api: Any, tried: Go) -> None:
    api.faults["/apis/storage.k8s.io/v1"] = lambda query, answer: (503, {}, b"service unavailable")
    estate = tried()
    assert estate.status("volume_type") == "failed"
    assert others(estate, "volume_type") == {"complete"}


def test_discovery_refused_is_got_round_by_trying(api: Any, tried: Go, good: Any) -> None:
    api.faults["/apis"] = api.faults["/api"] = lambda query, answer: (403, {}, b"{}")
    estate = tried()
    assert estate.status("cluster") == "partial"
    assert others(estate, "cluster") == {"complete"}
    assert estate.of("workload") == good.of("workload")
