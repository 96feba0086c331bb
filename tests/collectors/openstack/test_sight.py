"""Sight: complete only where it is proven, on recordings of the lab with single answers changed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from collectors import openstack
from collectors.contract import Run, Source, SourceError
from inventory.coverage import Batch, Status

Lines = list[dict[str, Any]]
Replay = Callable[..., dict[str, Batch]]
Answer = Callable[..., dict[str, Any]]
Edited = Callable[..., Path]


def status(batches: dict[str, Batch], kind: str) -> tuple[Status, int]:
    collection = batches[kind].collections[0]
    return collection.status, collection.count


def test_a_small_cloud_under_full_admin_is_complete_with_nothing_in_it(
    edited: Edited, replay: Replay, answer: Answer
) -> None:
    def empty(lines: Lines) -> None:
        answer(lines, "volume", "/volumes/detail")["body"]["volumes"] = []
        answer(lines, "compute", "/servers/detail")["body"]["servers"] = []
        for key in ("networks", "subnets", "ports", "routers", "floatingips", "security_groups"):
            answer(lines, "network", "/" + key.replace("_", "-"))["body"][key] = []

    batches = replay(edited(empty))
    for kind in ("server", "volume", "network", "port", "security_group", "floating_ip", "router"):
        assert status(batches, kind) == (Status.COMPLETE, 0)


@pytest.mark.parametrize(
    ("service", "path", "kind"),
    [
        ("volume", "/os-services", "volume"),
        ("network", "/quotas/00000000000000000000000000000000/details", "port"),
        ("network", "/quotas/00000000000000000000000000000000/details", "security_group"),
        ("image", "/tasks", "image"),
        ("compute", "/os-hypervisors", "flavor"),
        ("identity", "/projects", "project"),
        ("identity", "/users", "user"),
    ],
)
def test_without_the_proof_a_list_is_denied_however_long(
    *, service: str, path: str, kind: str, edited: Edited, replay: Replay, answer: Answer
) -> None:
    def refuse(lines: Lines) -> None:
        params = {"name": "0" * 32} if service == "identity" else {}
        answer(lines, service, path, **params)["status"] = 403

    batches = replay(edited(refuse))
    found, count = status(batches, kind)
    assert found is Status.DENIED
    assert count == len(batches[kind].resources) > 0
    assert batches[kind].collections[0].remedy


@pytest.mark.parametrize("kind", ["volume", "flavor", "image", "project"])
def test_an_allowed_call_proves_nothing_without_the_administrators_role(
    kind: str, edited: Edited, replay: Replay
) -> None:
    """A policy may open single calls to an auditor, while lists stay cut to the project."""

    def lesser(lines: Lines) -> None:
        lines[1]["roles"] = ["auditor", "reader"]

    path = edited(lesser)
    assert status(replay(path), kind)[0] is Status.DENIED
    assert status(replay(path, admin_roles=["auditor"]), kind)[0] is Status.COMPLETE


def test_disks_that_servers_carry_must_be_in_the_list(edited: Edited, replay: Replay, answer: Answer) -> None:
    def none(lines: Lines) -> None:
        answer(lines, "volume", "/volumes/detail")["body"]["volumes"] = []

    def few(lines: Lines) -> None:
        rows = answer(lines, "volume", "/volumes/detail")["body"]["volumes"]
        rows[:] = [row for row in rows if row["attachments"]][:3]

    nothing = replay(edited(none))
    assert status(nothing, "volume") == (Status.DENIED, 0)
    assert "25 块" in nothing["volume"].collections[0].reason
    assert status(replay(edited(few)), "volume") == (Status.PARTIAL, 3)


def test_servers_with_addresses_must_have_ports(edited: Edited, replay: Replay, answer: Answer) -> None:
    def none(lines: Lines) -> None:
        answer(lines, "network", "/ports")["body"]["ports"] = []

    def few(lines: Lines) -> None:
        del answer(lines, "network", "/ports")["body"]["ports"][10:]

    nothing = replay(edited(none))
    assert status(nothing, "port") == (Status.DENIED, 0)
    assert {repr(g.in_use) for g in nothing["security_group"].resources} == {"UNKNOWN"}
    assert status(replay(edited(few)), "port") == (Status.PARTIAL, 10)


def test_a_service_that_the_catalogue_lacks_is_unsupported(edited: Edited, replay: Replay) -> None:
    def without(lines: Lines) -> None:
        lines[1]["catalogue"] = [s for s in lines[1]["catalogue"] if s["type"] != "volumev3"]
        lines[:] = [line for line in lines if line.get("service") != "volume"]

    batches = replay(edited(without))
    assert status(batches, "volume") == (Status.UNSUPPORTED, 0)
    assert "目录里没有块存储服务" in batches["volume"].collections[0].reason
    assert status(batches, "quota") == (Status.COMPLETE, 18)


def test_a_service_in_another_region_is_not_in_this_one(edited: Edited, replay: Replay) -> None:
    def elsewhere(lines: Lines) -> None:
        for service in lines[1]["catalogue"]:
            if service["type"] == "image":
                for endpoint in service["endpoints"]:
                    endpoint["region"] = "other"

    assert status(replay(edited(elsewhere)), "image") == (Status.UNSUPPORTED, 0)


def test_several_regions_need_a_choice(edited: Edited) -> None:
    def two(lines: Lines) -> None:
        lines[1]["region"] = ""
        lines[1]["catalogue"][0]["endpoints"][0]["region"] = "zw-region-2"

    source = Source(name="zw", type="openstack", options=openstack.Options(recording=str(edited(two))))
    with pytest.raises(SourceError) as caught:
        list(openstack.collect(source, Run(source)))
    assert "zw-region-1、zw-region-2" in caught.value.reason


def test_neutron_without_quota_details_is_proven_by_its_agents(
    edited: Edited, replay: Replay, answer: Answer
) -> None:
    path = "/quotas/00000000000000000000000000000000/details"

    def agents(rows: list[dict[str, str]]) -> Path:
        def edit(lines: Lines) -> None:
            answer(lines, "network", path)["status"] = 404
            lines.append({"service": "network", "path": "/agents", "status": 200, "body": {"agents": rows}})

        return edited(edit)

    assert status(replay(agents([{"id": "a"}])), "port") == (Status.COMPLETE, 77)
    assert status(replay(agents([])), "port") == (Status.DENIED, 77)


def test_users_without_role_assignments_are_no_complete_picture(
    edited: Edited, replay: Replay, answer: Answer
) -> None:
    def refuse(lines: Lines) -> None:
        answer(lines, "identity", "/role_assignments")["status"] = 403

    batches = replay(edited(refuse))
    assert status(batches, "user") == (Status.PARTIAL, 37)
    assert "角色分配" in batches["user"].collections[0].reason
    user = batches["user"].resources[0]
    assert repr(user.administrator) == repr(user.roles) == "UNKNOWN"  # type: ignore[attr-defined]


def test_users_of_unlisted_domains_may_be_missing(edited: Edited, replay: Replay, answer: Answer) -> None:
    def refuse(lines: Lines) -> None:
        answer(lines, "identity", "/domains")["status"] = 403
        one = answer(lines, "identity", "/users", domain_id="default")
        one["params"] = {}

    batches = replay(edited(refuse))
    found, count = status(batches, "user")
    assert found is Status.DENIED
    assert 0 < count < 37


def test_a_truncated_list_of_users_is_partial(edited: Edited, replay: Replay, answer: Answer) -> None:
    def cut(lines: Lines) -> None:
        answer(lines, "identity", "/users", domain_id="default")["body"]["truncated"] = True

    batches = replay(edited(cut))
    assert status(batches, "user")[0] is Status.PARTIAL
    assert "list_limit" in batches["user"].collections[0].remedy


def test_hidden_images_are_seen(edited: Edited, replay: Replay, answer: Answer) -> None:
    def hide(lines: Lines) -> None:
        shown = answer(lines, "image", "/images", limit="1000")
        hidden = answer(lines, "image", "/images", os_hidden="true")
        shown = next(
            line for line in lines if line.get("path") == "/images" and "os_hidden" not in line["params"]
        )
        hidden["body"]["images"].append(shown["body"]["images"].pop())

    assert status(replay(edited(hide)), "image") == (Status.COMPLETE, 7)


def test_servers_of_a_cell_that_is_down_are_known_by_id_only(
    edited: Edited, replay: Replay, answer: Answer
) -> None:
    """What nova answers then: the API's documentation, "handling of down cells"."""

    def down(lines: Lines) -> None:
        rows = answer(lines, "compute", "/servers/detail")["body"]["servers"]
        keep = ("id", "tenant_id", "created", "links")
        rows[0] = {"status": "UNKNOWN", **{key: rows[0][key] for key in keep}}

    batches = replay(edited(down))
    assert status(batches, "server") == (Status.PARTIAL, 52)
    assert "1 台云主机所在的 cell 没有应答" in batches["server"].collections[0].reason
