"""The collector against the lab's live OpenStack; what must come out, its databases tell.

tests/lab/openstack-lab is brought up and seeded where it is not (minutes), and left as it was found.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from collectors import openstack
from collectors.contract import Run, Source
from collectors.run import collect_all
from inventory.coverage import Batch, Status
from inventory.kinds.cloud import Project
from inventory.kinds.compute import Server
from inventory.kinds.identity import ApplicationCredential, User
from inventory.kinds.storage import Volume
from inventory.kinds.virtual_network import Port, SecurityGroup, SecurityGroupRule

pytestmark = pytest.mark.lab

FOLDER = Path(os.environ["LAB_DIR"])  # conftest sees to it


def source(cloud: str, deadline_seconds: float = 600.0, **options: Any) -> Source:
    patient = {"timeout_seconds": 120.0, **options}  # the machine may be busy
    return Source(
        name="zw",
        type="openstack",
        options=openstack.Options(cloud=cloud, config_file=str(FOLDER / "clouds.yaml"), **patient),
        deadline_seconds=deadline_seconds,
    )


def collect(wanted: Source) -> dict[str, Batch]:
    batches: dict[str, Batch] = {}
    for _, batch in collect_all([wanted]):
        for resource in batch.resources:
            batches.setdefault(resource.KIND, Batch()).resources.append(resource)
        for collection in batch.collections:
            one = batches.setdefault(collection.kind, Batch())
            assert one.collections == []
            one.collections.append(collection)
    return batches


def statuses(batches: dict[str, Batch]) -> dict[str, tuple[str, int]]:
    return {kind: (b.collections[0].status.value, b.collections[0].count) for kind, b in batches.items()}


def known(expected: dict[str, Any]) -> dict[str, int]:
    """What the lab holds of the kinds that the collector knows."""
    return {kind: n for kind, n in expected["kinds"].items() if kind in openstack.KINDS}


def others_whole(expected: dict[str, Any], *but: str) -> dict[str, tuple[str, int]]:
    """What is to be found where every kind but these is complete."""
    return {kind: ("complete", n) for kind, n in known(expected).items() if kind not in but}


def rows(batches: dict[str, Batch], kind: type) -> list[Any]:
    return [r for r in batches[kind.KIND].resources if isinstance(r, kind)]


def opens(rule: SecurityGroupRule, family: str, port: int) -> bool:
    return bool(
        rule.direction == "ingress"
        and rule.family == family
        and rule.remote_group is None
        and rule.remote in (None, "0.0.0.0/0", "::/0")
        and rule.protocol in (None, "tcp")
        and (rule.port_min is None or rule.port_min <= port)
        and (rule.port_max is None or rule.port_max >= port)
    )


def test_the_seed_is_a_small_provincial_cloud(expected: dict[str, Any]) -> None:
    assert expected["kinds"]["server"] >= 40
    assert expected["kinds"]["project"] >= 9
    for number in (
        "groups_open_ssh_ipv4",
        "groups_open_ssh_ipv6",
        "users_without_mfa",
        "volumes_unencrypted",
    ):
        assert expected["numbers"][number] > 0


@pytest.mark.parametrize("cloud", ["lab-admin", "lab-app-credential"])
def test_an_administrator_sees_what_the_databases_hold(cloud: str, expected: dict[str, Any]) -> None:
    batches = collect(source(cloud))
    found = statuses(batches)
    # barbican and swift tell one project's, whoever asks: test_openstack_services_live
    counted = {
        k: ("complete", n) for k, n in known(expected).items() if k not in ("secret", "object_container")
    }
    if cloud == "lab-app-credential":  # keystone keeps trusts from delegated credentials
        del counted["trust"]
        assert found["trust"][0] == "denied"
    assert {kind: found[kind] for kind in counted} == counted
    groups = rows(batches, SecurityGroup)
    numbers = {
        "security_group_rules": sum(len(g.rules) for g in groups),
        "groups_open_ssh_ipv4": sum(any(opens(r, "ipv4", 22) for r in g.rules) for g in groups),
        "groups_open_ssh_ipv6": sum(any(opens(r, "ipv6", 22) for r in g.rules) for g in groups),
        "groups_open_rdp_ipv4": sum(any(opens(r, "ipv4", 3389) for r in g.rules) for g in groups),
        "users_enabled": sum(u.enabled for u in rows(batches, User)),
        "users_without_mfa": sum(not u.mfa_enabled for u in rows(batches, User)),
        "credentials_unrestricted": sum(c.unrestricted for c in rows(batches, ApplicationCredential)),
        "volumes_unencrypted": sum(not v.encrypted for v in rows(batches, Volume)),
        "volumes_attached": sum(v.attached for v in rows(batches, Volume)),
        "ports_with_ipv6": sum(any(a.family == "ipv6" for a in p.addresses) for p in rows(batches, Port)),
    }
    assert numbers == {name: expected["numbers"][name] for name in numbers}
    names = {p.uid: p.name for p in rows(batches, Project)}
    for kind in (Server, Volume, Port, SecurityGroup):
        count: dict[str, int] = {}
        for resource in rows(batches, kind):
            for uid in resource.related("in_project"):
                count[names[uid]] = count.get(names[uid], 0) + 1
        assert count == {p: n[kind.KIND] for p, n in expected["projects"].items() if kind.KIND in n}


def test_a_project_reader_is_denied_and_keeps_its_projects_rows(expected: dict[str, Any]) -> None:
    batches = collect(source("lab-project-reader"))
    own = expected["reader_sees"]
    found = statuses(batches)
    assert {kind for kind, (status, _) in found.items() if status != "denied"} == {"cloud"}
    for kind in ("server", "volume", "port", "security_group", "floating_ip"):
        assert found[kind] == ("denied", own[kind])
        assert batches[kind].collections[0].remedy
    assert own["port"] < expected["kinds"]["port"]
    assert f"看见 {own['port']} 个" in batches["port"].collections[0].reason


def test_a_system_reader_is_denied_what_it_is_answered_empty(expected: dict[str, Any]) -> None:
    found = statuses(collect(source("lab-system-reader")))
    whole = {kind: n for kind, (status, n) in found.items() if status == "complete"}
    assert {"project", "user", "application_credential", "role_assignment", "load_balancer"} <= set(whole)
    assert whole == {kind: expected["kinds"][kind] for kind in whole}
    assert {status for status, _ in found.values()} == {"complete", "denied"}
    for kind in ("server", "volume", "port", "hypervisor"):
        assert found[kind] == ("denied", 0)
    assert found["security_group"] == ("denied", expected["numbers"]["security_groups_shared_with_all"])


@pytest.mark.parametrize(
    ("command", "back", "words"), [("stop", "start", "连接被拒绝"), ("freeze", "thaw", "超时")]
)
def test_a_service_that_stays_away_fails_alone(
    command: str, back: str, words: str, expected: dict[str, Any], stopped: Callable[[str, str, str], None]
) -> None:
    stopped(command, back, "cinder-api")
    batches = collect(source("lab-admin", timeout_seconds=120 if command == "stop" else 15))
    found = statuses(batches)
    kinds = ("volume", "volume_type", "volume_snapshot", "volume_backup", "storage_pool")
    for kind in kinds:
        assert found.pop(kind) == ("failed", 0)
        assert words in batches[kind].collections[0].reason
    assert found.pop("quota") == ("partial", expected["kinds"]["quota"] * 2 // 3)
    others = expected["kinds"]["platform_service"] - expected["numbers"]["services_cinder"]
    assert found.pop("platform_service") == ("partial", others)
    assert found.pop("secret")[0] == "denied"
    assert found == others_whole(expected, *kinds, "quota", "platform_service", "secret")


def test_a_service_that_hangs_up_to_the_deadline_costs_the_others_nothing(
    expected: dict[str, Any], stopped: Callable[[str, str, str], None]
) -> None:
    stopped("freeze", "thaw", "glance-api")
    found = statuses(collect(source("lab-admin", deadline_seconds=60, timeout_seconds=600)))
    assert found.pop("image") == ("failed", 0)
    assert found.pop("secret")[0] == "denied"
    assert found == others_whole(expected, "image", "secret")


def test_a_wrong_password_is_one_clear_line(expected: dict[str, Any], tmp_path: Path) -> None:
    clouds = json.loads((FOLDER / "clouds.yaml").read_text(encoding="utf-8"))
    clouds["clouds"]["lab-admin"]["auth"]["password"] = "not-the-password"
    # the lab's own administrator must not be locked out by this: a user who does not exist
    clouds["clouds"]["lab-admin"]["auth"]["username"] = "nobody-here"
    (tmp_path / "clouds.yaml").write_text(json.dumps(clouds), encoding="utf-8")
    wrong = Source(
        name="zw",
        type="openstack",
        options=openstack.Options(cloud="lab-admin", config_file=str(tmp_path / "clouds.yaml")),
    )
    collections = [c for _, batch in collect_all([wrong]) for c in batch.collections]
    assert {c.kind for c in collections} == set(openstack.KINDS)
    assert {c.status for c in collections} == {Status.DENIED}
    assert len({c.reason for c in collections}) == 1
    assert "not-the-password" not in collections[0].reason


def test_no_password_comes_out_of_the_lab(expected: dict[str, Any], tmp_path: Path) -> None:
    secrets = json.loads((FOLDER / "etc" / "secrets.json").read_text(encoding="utf-8"))
    wanted = source("lab-admin")
    batches = openstack.record(wanted, Run(wanted), tmp_path / "r.jsonl.gz")
    texts = [e.content.decode() for b in batches for e in b.evidence]
    texts += [repr(r) for b in batches for r in b.resources]
    assert [name for name, secret in secrets.items() if any(secret in text for text in texts)] == []
