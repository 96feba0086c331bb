"""Where projects of several 等保 levels meet: on networks and on compute nodes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from collectors.openstack.levels import level_of, on_network
from inventory.coverage import Batch
from inventory.unknown import or_none

LEVELS = {"a": 2, "b": 3, "c": 3}


@pytest.mark.parametrize(
    ("owner", "shared", "levels"),
    [
        ("a", (), [2]),
        ("a", ("b",), [2, 3]),
        ("b", ("c",), [3]),
        ("undeclared", ("b",), [3]),
        (None, (), []),
        ("b", ("*",), [2, 3]),
    ],
)
def test_who_may_use_a_network_brings_its_level(
    owner: str | None, shared: tuple[str, ...], levels: list[int]
) -> None:
    assert on_network(LEVELS, owner, shared) == levels


def test_the_highest_of_several_tags_counts() -> None:
    assert level_of(["djbh-2", "等保三级", "mlps:level-4"]) == 4
    assert level_of(["level-3", "d"]) is None


def named(batches: dict[str, Batch], kind: str) -> dict[str, Any]:
    return {str(r.name): r for r in batches[kind].resources}


def test_levels_of_a_recorded_cloud(
    replay: Callable[..., dict[str, Batch]], recordings: dict[str, Path]
) -> None:
    batches = replay(recordings["estate"])
    projects = {r.native_id: r.level for r in batches["project"].resources}  # type: ignore[attr-defined]
    networks, nodes = named(batches, "network"), named(batches, "hypervisor")
    assert networks["lyj-wzq-net"].levels == [2]
    assert networks["gaj-yjzh-net"].levels == [3]
    assert (networks["x-net"].levels, len(networks["x-net"].shared_with)) == ([3], 1)
    assert networks["gov-extranet"].levels == []  # its owner declares none
    on: dict[str, set[int]] = {}
    for server in batches["server"].resources:
        level = projects[server.related("in_project")[0].rpartition("/")[2]]
        if isinstance(level, int) and server.hypervisor:  # type: ignore[attr-defined]
            on.setdefault(server.hypervisor, set()).add(level)  # type: ignore[attr-defined]
    assert {name: node.levels for name, node in nodes.items()} == {n: sorted(v) for n, v in on.items()}
    assert [2, 3] in [node.levels for node in nodes.values()]


@pytest.mark.parametrize("cut", ["/projects", "/rbac-policies", "/servers/detail"])
def test_levels_are_unknown_where_something_was_not_read(
    cut: str,
    edited: Callable[..., Path],
    replay: Callable[..., dict[str, Batch]],
) -> None:
    def broken(lines: list[dict[str, Any]]) -> None:
        for line in lines:
            if line.get("path") == cut:
                line.update(status=0, error={"reason": "超时", "remedy": "", "status": "failed"})

    batches = replay(edited(broken, "estate"))
    network, node = named(batches, "network")["x-net"], named(batches, "hypervisor")["zw-a-intel-01"]
    assert or_none(network.levels) == ([3] if cut == "/servers/detail" else None)
    assert or_none(node.levels) == ([2, 3] if cut == "/rbac-policies" else None)
    if cut == "/projects":
        assert "项目的定级标签没有读到" in batches["network"].collections[0].reason
        assert "项目的定级标签没有读到" in batches["hypervisor"].collections[0].reason
