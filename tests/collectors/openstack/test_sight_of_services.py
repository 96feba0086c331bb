"""Sight of storage, network and the optional services, on a recording of the lab with single answers
changed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from inventory.coverage import Batch, Status

Lines = list[dict[str, Any]]
Replay = Callable[..., dict[str, Batch]]
Answer = Callable[..., dict[str, Any]]
Edited = Callable[..., Path]

OPTIONAL = {
    "load-balancer": "load_balancer", "key-manager": "secret", "dns": "dns_zone", "share": "share",
    "object-store": "object_container",
}  # fmt: skip
NOBODY = "0" * 32


def told(batches: dict[str, Batch], kind: str) -> tuple[Status, int]:
    collection = batches[kind].collections[0]
    return collection.status, collection.count


def unknown(batches: dict[str, Batch], kind: str, field: str) -> bool:
    return {repr(getattr(r, field)) for r in batches[kind].resources} == {"UNKNOWN"}


@pytest.mark.parametrize(
    ("service", "path", "params", "kind"),
    [
        ("load-balancer", "/lbaas/loadbalancers", {"project_id": NOBODY}, "load_balancer"),
        ("share", "/services", {}, "share"),
        ("dns", "/zones", {"limit": "1"}, "dns_zone"),
        ("volume", "/os-services", {}, "volume_type"),
        ("volume", "/os-services", {}, "volume_backup"),
        ("network", f"/quotas/{NOBODY}/details", {}, "trunk"),
        ("network", f"/quotas/{NOBODY}/details", {}, "qos_policy"),
    ],
)
def test_without_the_proof_a_list_is_denied_however_long(
    *,
    service: str,
    path: str,
    params: dict[str, str],
    kind: str,
    edited: Edited,
    replay: Replay,
    answer: Answer,
) -> None:
    def refuse(lines: Lines) -> None:
        answer(lines, service, path, **params)["status"] = 403

    batches = replay(edited(refuse, "estate"))
    status, count = told(batches, kind)
    assert status is Status.DENIED
    assert count == len(batches[kind].resources) > 0
    assert batches[kind].collections[0].remedy
    assert "不等于" in batches[kind].collections[0].reason


def test_nobody_sees_the_secrets_of_all_projects(replay: Replay, recordings: dict[str, Path]) -> None:
    batches = replay(recordings["estate"])
    assert told(batches, "secret") == (Status.DENIED, 7)
    assert "没有列出全部项目的接口" in batches["secret"].collections[0].reason


@pytest.mark.parametrize("service", OPTIONAL)
def test_a_service_that_the_catalogue_lacks_is_unsupported_and_no_error(
    service: str, edited: Edited, replay: Replay
) -> None:
    names = {"share": "sharev2"}

    def without(lines: Lines) -> None:
        lines[1]["catalogue"] = [s for s in lines[1]["catalogue"] if s["type"] != names.get(service, service)]
        lines[:] = [line for line in lines if line.get("service") != service]

    batches = replay(edited(without, "estate"))
    kind = OPTIONAL[service]
    assert told(batches, kind) == (Status.UNSUPPORTED, 0)
    assert "目录里没有" in batches[kind].collections[0].reason
    assert told(batches, "platform_service")[0] is Status.COMPLETE


def test_the_other_projects_accounts_refused_is_denied_and_keeps_one_s_own(
    edited: Edited, replay: Replay
) -> None:
    def refuse(lines: Lines) -> None:
        own = lines[1]["project_id"]
        for line in lines[2:]:
            if line["service"] == "object-store" and not line["path"].startswith(f"/AUTH_{own}"):
                line["status"] = 403
            elif line["path"] == f"/AUTH_{own}":
                line["body"]["rows"] = [{"name": "mine"}]
        body = {"headers": {"x-container-read": ".r:*"}, "rows": []}
        params = {"format": "json", "limit": "0"}
        lines.append(
            {
                "service": "object-store",
                "path": f"/AUTH_{own}/mine",
                "params": params,
                "status": 200,
                "body": body,
            }
        )

    batches = replay(edited(refuse, "estate"))
    assert told(batches, "object_container") == (Status.DENIED, 1)
    assert "ResellerAdmin" in batches["object_container"].collections[0].remedy
    (mine,) = batches["object_container"].resources
    assert mine.public_read is True  # type: ignore[attr-defined]


def test_who_does_not_own_an_account_is_not_told_who_may_read(edited: Edited, replay: Replay) -> None:
    def lesser(lines: Lines) -> None:
        lines[1]["roles"] = ["admin", "reader"]

    batches = replay(edited(lesser, "estate"))
    found = {r.name: r for r in batches["object_container"].resources}
    assert repr(found["private"].public_read) == "UNKNOWN"  # type: ignore[attr-defined]
    assert found["private"].objects == 3  # type: ignore[attr-defined]


def test_without_the_extension_there_are_no_trunks(edited: Edited, replay: Replay, answer: Answer) -> None:
    def absent(lines: Lines) -> None:
        answer(lines, "network", "/trunks")["status"] = 404

    batches = replay(edited(absent, "estate"))
    assert told(batches, "trunk") == (Status.UNSUPPORTED, 0)
    assert {p.trunk for p in batches["port"].resources} == {None}  # type: ignore[attr-defined]
    assert told(batches, "port")[0] is Status.COMPLETE


@pytest.mark.parametrize(
    ("service", "path", "kind", "field"),
    [
        ("network", "/rbac-policies", "network", "shared_with"),
        ("network", "/trunks", "port", "trunk"),
        ("network", "/network-ip-availabilities", "subnet", "amounts"),
        ("load-balancer", "/lbaas/listeners", "load_balancer", "listeners"),
        ("dns", "/recordsets", "dns_zone", "record_types"),
        ("volume", "/types/default", "volume_type", "default"),
        ("volume", "/backups/detail", "volume", "last_backup_at"),
    ],
)
def test_what_a_second_list_would_tell_is_unknown_without_it(
    *, service: str, path: str, kind: str, field: str,
    edited: Edited, replay: Replay, answer: Answer, recordings: dict[str, Path],
) -> None:  # fmt: skip
    def refuse(lines: Lines) -> None:
        answer(lines, service, path)["status"] = 403

    batches = replay(edited(refuse, "estate"))
    assert unknown(batches, kind, field)
    assert told(batches, kind) == told(replay(recordings["estate"]), kind)  # no row is missing for it
    if field not in ("trunk", "last_backup_at"):  # of these, other kinds tell
        assert "没有读到" in batches[kind].collections[0].reason


def test_answers_about_single_things_that_fail_are_unknown_there(
    edited: Edited, replay: Replay, recordings: dict[str, Path]
) -> None:
    def refuse(lines: Lines) -> None:
        for line in lines[2:]:
            if line["path"].endswith("/encryption") or line["path"] == "/share-access-rules":
                line["status"] = 500

    batches = replay(edited(refuse, "estate"))
    assert unknown(batches, "volume_type", "encrypted")
    assert unknown(batches, "share", "access")
    for kind in ("volume_type", "share"):
        assert told(batches, kind) == told(replay(recordings["estate"]), kind)
        assert "没有读到" in batches[kind].collections[0].reason


def test_a_cloud_without_a_default_type(edited: Edited, replay: Replay, answer: Answer) -> None:
    def absent(lines: Lines) -> None:
        answer(lines, "volume", "/types/default")["status"] = 404

    batches = replay(edited(absent, "estate"))
    assert told(batches, "volume_type")[0] is Status.COMPLETE
    assert {t.default for t in batches["volume_type"].resources} == {False}  # type: ignore[attr-defined]


def test_one_service_down_makes_the_list_of_processes_partial(edited: Edited, replay: Replay) -> None:
    def down(lines: Lines) -> None:
        for line in lines[2:]:
            if line["service"] == "dns":
                line["status"], line["error"] = 0, {"reason": "没有应答", "remedy": "", "status": "failed"}

    batches = replay(edited(down, "estate"))
    assert told(batches, "platform_service")[0] is Status.PARTIAL
    assert told(batches, "dns_zone") == (Status.FAILED, 0)


def test_a_secret_is_unused_only_where_all_that_refer_to_secrets_was_seen(
    edited: Edited, replay: Replay, answer: Answer, recordings: dict[str, Path]
) -> None:
    def hide(lines: Lines) -> None:
        answer(lines, "load-balancer", "/lbaas/listeners")["status"] = 403

    used = {repr(s.used) for s in replay(recordings["estate"])["secret"].resources}  # type: ignore[attr-defined]
    assert used == {"False"}
    blind = {repr(s.used) for s in replay(edited(hide, "estate"))["secret"].resources}  # type: ignore[attr-defined]
    assert blind == {"UNKNOWN"}
