"""Cross-checks between lists that were proven whole."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from collectors.openstack import doubt
from collectors.openstack.known import Known, Provider
from collectors.openstack.sight import Proof
from inventory.coverage import Batch, Status

Lines = list[dict[str, Any]]
WHOLE = Proof(everything=True)
IDS = {str(i) for i in range(100)}


@pytest.mark.parametrize(("lost", "doubted"), [(0, False), (2, False), (3, True), (100, True)])
def test_servers_with_addresses_have_ports(lost: int, doubted: bool) -> None:
    seen = set(sorted(IDS)[lost:])
    known = Known(servers_with_addresses=IDS, devices_with_ports=seen | {"router"}, ports_listed=len(seen))
    proof = doubt.ports(WHOLE, known)
    assert proof.everything is not doubted
    if doubted:
        assert f"{lost} 台的端口看不见" in proof.reason
        assert proof.status is (Status.PARTIAL if seen else Status.DENIED)


@pytest.mark.parametrize(("lost", "doubted"), [(0, False), (2, False), (30, False), (34, True), (100, True)])
def test_most_of_what_placement_promised_is_servers(lost: int, doubted: bool) -> None:
    """Left-behind allocations are common and prove nothing; a third of them is no leftover."""
    listed = set(sorted(IDS)[lost:])
    known = Known(resource_providers={"p": Provider(root="p", consumers=sorted(IDS))}, servers_listed=listed)
    assert doubt.servers(WHOLE, known).everything is not doubted


@pytest.mark.parametrize(("lost", "doubted"), [(0, False), (2, False), (34, True)])
def test_most_owners_are_projects_that_are_listed(lost: int, doubted: bool) -> None:
    known = Known(owners=IDS, ids={"project": set(sorted(IDS)[lost:])})
    proof = doubt.projects(WHOLE, known)
    assert proof.everything is not doubted
    assert proof.remedy or not doubted


def test_an_empty_cloud_is_not_doubted() -> None:
    for check in doubt.DOUBTS.values():
        assert check(WHOLE, Known()).everything


def test_servers_that_only_placement_knows_are_missing(
    edited: Callable[..., Path], replay: Callable[..., dict[str, Batch]]
) -> None:
    def hide(lines: Lines) -> None:
        line = next(ln for ln in lines[2:] if ln["path"] == "/servers/detail")
        del line["body"]["servers"][5:]

    batches = replay(edited(hide, "estate"))
    server = batches["server"].collections[0]
    assert (server.status, server.count) == (Status.PARTIAL, 5)
    assert "资源放置服务记着" in server.reason
