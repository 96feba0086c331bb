"""Recordings of the lab against the numbers that its databases gave."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from collectors import openstack
from collectors.contract import Run, Source, SourceError
from collectors.openstack.replay import Recorder, ReplayClient
from inventory.coverage import Batch, Status
from inventory.kinds.cloud import Cloud, Project, Quota
from inventory.kinds.compute import Hypervisor, Image, Server
from inventory.kinds.identity import ApplicationCredential, User
from inventory.kinds.storage import Volume
from inventory.kinds.virtual_network import Network, Port, SecurityGroup, SecurityGroupRule, Subnet

Replay = Callable[..., dict[str, Batch]]


def statuses(batches: dict[str, Batch]) -> dict[str, tuple[str, int]]:
    return {kind: (b.collections[0].status.value, b.collections[0].count) for kind, b in batches.items()}


def of_the_recording(found: dict[str, Any], want: dict[str, Any]) -> dict[str, Any]:
    """Without the kinds that were not collected yet when the recordings were made; none of those may
    look as if it had been answered."""
    later = {kind: told for kind, told in found.items() if kind not in want}
    del later["identity_domain"]  # its list was read for names already
    assert "complete" not in {status for status, _ in later.values()}
    return {kind: told for kind, told in found.items() if kind in want}


def rows(batches: dict[str, Batch], kind: type) -> list[Any]:
    return [r for r in batches[kind.KIND].resources if isinstance(r, kind)]


def lets_in(rule: SecurityGroupRule, family: str, port: int | None) -> bool:
    """Whether anybody on the internet gets in: to one TCP port, or (None) to everything."""
    anybody = rule.remote_group is None and rule.remote in (None, "0.0.0.0/0", "::/0")
    if rule.direction != "ingress" or rule.family != family or not anybody:
        return False
    if port is None:
        return rule.protocol is None
    covered = (rule.port_min is None or rule.port_min <= port) and (
        rule.port_max is None or port <= rule.port_max
    )
    return rule.protocol in (None, "tcp") and covered


def open_groups(batches: dict[str, Batch], family: str, port: int | None) -> int:
    return sum(any(lets_in(r, family, port) for r in g.rules) for g in rows(batches, SecurityGroup))


@pytest.mark.parametrize("day", ["day1", "day2"])
def test_an_administrator_sees_what_the_databases_hold(
    day: str,
    replay: Replay,
    recordings: dict[str, Path],
    expected: dict[str, Any],
    no_network: None,
) -> None:
    batches = replay(recordings[day])
    want = expected[day]
    found = of_the_recording(statuses(batches), want["kinds"])
    assert found == {kind: ("complete", n) for kind, n in want["kinds"].items()}
    credentials = rows(batches, ApplicationCredential)
    numbers = {
        "security_group_rules": sum(len(g.rules) for g in rows(batches, SecurityGroup)),
        "groups_open_ssh_ipv4": open_groups(batches, "ipv4", 22),
        "groups_open_ssh_ipv6": open_groups(batches, "ipv6", 22),
        "groups_open_rdp_ipv4": open_groups(batches, "ipv4", 3389),
        "groups_open_everything_ipv4": open_groups(batches, "ipv4", None),
        "groups_open_everything_ipv6": open_groups(batches, "ipv6", None),
        "users_enabled": sum(u.enabled for u in rows(batches, User)),
        "users_without_mfa": sum(not u.mfa_enabled for u in rows(batches, User)),
        "users_ignoring_password_expiry": sum(u.ignores_password_expiry for u in rows(batches, User)),
        "credentials_unrestricted": sum(c.unrestricted for c in credentials),
        "credentials_without_expiry": sum(c.expires_at is None for c in credentials),
        "volumes_unencrypted": sum(not v.encrypted for v in rows(batches, Volume)),
        "volumes_attached": sum(v.attached for v in rows(batches, Volume)),
        "images_unprotected": sum(not i.protected for i in rows(batches, Image)),
        "networks_without_port_security": sum(not n.port_security_enabled for n in rows(batches, Network)),
        "ports_with_ipv6": sum(any(a.family == "ipv6" for a in p.addresses) for p in rows(batches, Port)),
    }
    assert numbers == want["numbers"]
    names = {p.uid: p.name for p in rows(batches, Project)}
    for kind in (Server, Volume, Port, SecurityGroup, Network):
        count: dict[str, int] = {}
        for resource in rows(batches, kind):
            for uid in resource.related("in_project"):
                count[names[uid]] = count.get(names[uid], 0) + 1
        assert count == {p: n[kind.KIND] for p, n in want["projects"].items() if kind.KIND in n}


def test_fields_of_the_seed(replay: Replay, recordings: dict[str, Path]) -> None:
    batches = replay(recordings["day1"])
    users = {u.name: u for u in rows(batches, User)}
    assert users["czj-yths-admin"].mfa_enabled is True
    assert users["czj-yths-admin"].mfa_rules == [["password", "totp"]]
    assert users["czj-yths-admin"].administrator is True
    assert users["czj-yths-admin"].domain == "zwy"
    assert users["sjj-ytzw-ops"].administrator is not True
    assert users["sjj-ytzw-old"].ignores_password_expiry is True
    assert users["nova"].service_account is True
    assert users["nova"].ignores_lockout is True
    assert users["admin"].service_account is False
    hypervisors = {h.name: h for h in rows(batches, Hypervisor)}
    kunpeng, intel = hypervisors["zw-a-kunpeng-01"], hypervisors["zw-a-intel-01"]
    assert (kunpeng.cpu_architecture, kunpeng.cpu_vendor, kunpeng.cpu_origin) == (
        "aarch64",
        "HiSilicon",
        "domestic",
    )
    assert (intel.cpu_origin, intel.zone, intel.state, intel.vcpus) == ("foreign", "az-a", "up", 256)
    projects = {p.name: p for p in rows(batches, Project)}
    assert (projects["gaj-yjzh"].level, projects["lyj-wzq"].level, projects["admin"].level) == (3, 2, None)
    assert projects["gaj-yjzh"].description == "市公安局-应急指挥"
    (cloud,) = rows(batches, Cloud)
    assert cloud.services == [
        "compute", "identity", "image", "key-manager", "network", "placement", "volumev3",
    ]  # fmt: skip
    assert {e.encrypted for e in cloud.endpoints} == {False}
    images = {i.name: i for i in rows(batches, Image)}
    assert images["CentOS-7.9-x86_64"].os_origin == "foreign"
    kylin = images["Kylin-V10-SP3-aarch64"]
    assert (kylin.os_origin, kylin.architecture, kylin.hash_algorithm, kylin.signed) == (
        "domestic",
        "aarch64",
        "sha512",
        False,
    )
    v6 = {s.name: s for s in rows(batches, Subnet)}["wjw-qmjk-v6"]
    assert (v6.family, v6.cidr, v6.ra_mode) == ("ipv6", "2001:db8:102::/64", "slaac")
    quotas = {q.native_id: q for q in rows(batches, Quota)}
    quota = quotas[f"{projects['sjj-ytzw'].native_id}/compute"]
    assert quota.limits["instances"] == 100
    assert quota.usage["instances"] == 13


def test_edges_lead_to_resources_that_are_there(replay: Replay, recordings: dict[str, Path]) -> None:
    batches = replay(recordings["day1"])
    uids = {r.uid for b in batches.values() for r in b.resources}
    edges = {(e.type, e.target) for b in batches.values() for r in b.resources for e in r.relations}
    assert {target for _, target in edges} <= uids
    assert {type_ for type_, _ in edges} == {
        "in_project", "runs_on", "has_flavor", "made_from", "attached_to", "in_network", "protected_by",
        "granted_to", "in_domain",
    }  # fmt: skip


def test_groups_in_use_are_told_by_all_ports(replay: Replay, recordings: dict[str, Path]) -> None:
    batches = replay(recordings["day1"])
    carried = {uid for p in rows(batches, Port) for uid in p.related("protected_by")}
    groups = rows(batches, SecurityGroup)
    assert {g.uid for g in groups if g.in_use} == carried
    assert 0 < len(carried) < len(groups)


def test_a_project_reader_is_denied_and_keeps_the_rows_it_saw(
    replay: Replay, recordings: dict[str, Path]
) -> None:
    batches = replay(recordings["project-reader"])
    want = {
        "cloud": ("complete", 1), "project": ("denied", 1), "user": ("denied", 0),
        "application_credential": ("denied", 0), "flavor": ("denied", 5), "hypervisor": ("denied", 0),
        "server": ("denied", 13), "volume": ("denied", 7), "network": ("denied", 2),
        "subnet": ("denied", 2), "port": ("denied", 15), "security_group": ("denied", 7),
        "floating_ip": ("denied", 1), "router": ("denied", 1), "image": ("denied", 7),
        "quota": ("denied", 3),
    }  # fmt: skip
    assert of_the_recording(statuses(batches), want) == want
    port = batches["port"].collections[0]
    assert port.reason == (
        "凭据（角色 reader）只看见项目 sjj-ytzw 自己的；看见 15 个虚拟网卡，不等于只有这些"
    )
    assert "admin 角色" in port.remedy
    groups = rows(batches, SecurityGroup)
    assert repr(groups[0].in_use) == "UNKNOWN"  # ports of others may carry it


def test_a_system_reader_is_denied_what_it_is_answered_empty(
    replay: Replay, recordings: dict[str, Path]
) -> None:
    batches = replay(recordings["system-reader"])
    found = statuses(batches)
    assert {kind for kind, (status, _) in found.items() if status == "complete"} == {
        "identity_domain",
        "project",
        "user",
        "application_credential",
    }
    assert found["port"] == found["security_group"] == found["volume"] == ("denied", 0)
    assert "不报错" in batches["port"].collections[0].reason
    assert "块存储" in batches["volume"].collections[0].reason


def test_a_service_that_is_down_fails_alone(
    replay: Replay, recordings: dict[str, Path], expected: dict[str, Any]
) -> None:
    batches = replay(recordings["cinder-stopped"])
    found = statuses(batches)
    assert found.pop("volume") == ("failed", 0)
    assert found.pop("quota") == ("partial", 18)
    assert "连接被拒绝" in batches["volume"].collections[0].reason
    kinds = dict(expected["day1"]["kinds"])
    del kinds["volume"], kinds["quota"]
    assert of_the_recording(found, kinds) == {kind: ("complete", n) for kind, n in kinds.items()}


def test_doctor_names_what_would_be_denied(recordings: dict[str, Path]) -> None:
    def lines(name: str) -> list[tuple[str, bool | None]]:
        source = Source(
            name="zw", type="openstack", options=openstack.Options(recording=str(recordings[name]))
        )
        return [(a.subject, a.ok) for a in openstack.probe(source, Run(source))]

    told = lines("estate")
    assert len(told) == 10  # the login, and a line a service
    # barbican lists the secrets of one project, whoever asks
    assert [line for line in told if not line[1]] == [("密钥服务 (barbican)：密钥与口令条目", False)]
    reader = dict(lines("project-reader"))
    assert reader["登录"] is True
    assert reader["网络服务 (neutron)：虚拟网卡"] is False
    assert reader["块存储服务 (cinder)：云硬盘"] is False


def test_the_base_install_replays_without_the_sdk(recordings: dict[str, Path]) -> None:
    program = f"""
import sys
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("openstack", "keystoneauth1", "requests"):
            raise ImportError(name)
sys.meta_path.insert(0, Refuse())
import collectors.openstack as o
from collectors.contract import Run, Source
s = Source(name="zw", type="openstack", options=o.Options(recording={str(recordings["day1"])!r}))
print(sum(len(b.resources) for b in o.collect(s, Run(s))))
s.options = o.Options(cloud="x")
try:
    list(o.collect(s, Run(s)))
except Exception as error:
    print(error.reason, error.remedy)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    rows, missing = done.stdout.splitlines()
    assert int(rows) >= 340
    assert (missing) == ("没有安装 openstacksdk pip install 'zhengguan[openstack]'")


def test_a_request_that_was_not_recorded_is_a_failure(
    edited: Callable[..., Path], replay: Replay, answer: Callable[..., dict[str, Any]]
) -> None:
    path = edited(lambda lines: lines.remove(answer(lines, "network", "/ports")))
    found = statuses(replay(path))
    assert found["port"] == ("failed", 0)
    assert found["subnet"] == ("complete", 13)


@pytest.mark.parametrize("damage", ["cut", "not gzip", "other format", "absent"])
def test_a_damaged_recording_is_one_clear_error(
    damage: str, tmp_path: Path, recordings: dict[str, Path]
) -> None:
    path = tmp_path / "x.jsonl.gz"
    whole = recordings["day1"].read_bytes()
    if damage == "cut":
        path.write_bytes(whole[: len(whole) // 2])
    elif damage == "not gzip":
        path.write_bytes(b"hello")
    elif damage == "other format":
        path.write_bytes(gzip.compress(b'{"format":"something"}\n{}\n'))
    with pytest.raises(SourceError) as caught:
        ReplayClient(path)
    assert "录制文件" in caught.value.reason


def test_recording_a_replay_gives_the_same_recording(recordings: dict[str, Path], tmp_path: Path) -> None:
    def again(path: Path, name: str) -> Path:
        source = Source(name="zw", type="openstack", options=openstack.Options(recording=str(path)))
        openstack.record(source, Run(source), tmp_path / name)
        return tmp_path / name

    first = again(recordings["day2"], "first.jsonl.gz")
    second = again(first, "second.jsonl.gz")
    before, once, twice = (
        gzip.decompress(path.read_bytes()).splitlines()[1:] for path in (recordings["day2"], first, second)
    )
    # what the recording lacks is asked for side by side until the first is told so: how often is chance
    assert [line for line in twice if b'"error":' not in line] == [
        line for line in once if b'"error":' not in line
    ]
    # all that was recorded is asked for still (volumes at a microversion by now)
    asked = {(line["service"], line["path"]) for line in map(json.loads, once[1:])}
    assert {(line["service"], line["path"]) for line in map(json.loads, before[1:])} <= asked


def test_a_recorder_keeps_no_secret(
    edited: Callable[..., Path], answer: Callable[..., dict[str, Any]], tmp_path: Path
) -> None:
    def plant(lines: list[dict[str, Any]]) -> None:
        server = answer(lines, "compute", "/servers/detail")["body"]["servers"][0]
        server["adminPass"] = "Planted-adminPass"
        server["OS-EXT-SRV-ATTR:user_data"] = "UGxhbnRlZC11c2VyLWRhdGE="
        server["metadata"]["root_password"] = "Planted-metadata"
        answer(lines, "network", "/ports")["text"] = "<html>password=Planted-html</html>"

    source = Source(name="zw", type="openstack", options=openstack.Options(recording=str(edited(plant))))
    run = Run(source)
    client = Recorder(ReplayClient(Path(source.options.recording)), run)
    client.facts()
    client.get("compute", "/servers/detail", {"all_tenants": "1", "limit": "1000"}, "2.87")
    client.get("network", "/ports", {"limit": "1000"})
    client.write(tmp_path / "r.jsonl.gz")
    text = gzip.decompress((tmp_path / "r.jsonl.gz").read_bytes()).decode()
    assert "Planted" not in text
    assert "UGxhbnRlZC" not in text
    assert json.loads(text.splitlines()[2])["body"]["servers"][0]["adminPass"] == "******"


def test_what_ended_in_an_error_is_recorded_as_that(
    recordings: dict[str, Path], tmp_path: Path, replay: Replay
) -> None:
    source = Source(
        name="zw", type="openstack", options=openstack.Options(recording=str(recordings["cinder-stopped"]))
    )
    openstack.record(source, Run(source), tmp_path / "again.jsonl.gz")
    again = replay(tmp_path / "again.jsonl.gz")
    assert again["volume"].collections[0].status is Status.FAILED
    assert again["volume"].collections[0].reason == (
        replay(recordings["cinder-stopped"])["volume"].collections[0].reason
    )
