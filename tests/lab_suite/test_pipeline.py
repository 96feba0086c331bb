"""collect, check and report, as a user runs them, against the live OpenStack with each kind of credential."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from collectors import openstack

pytestmark = pytest.mark.lab

FOLDER = Path(os.environ["LAB_DIR"])  # conftest sees to it
CONFIG = """\
sources:
  - {{name: zw, type: openstack, cloud: {cloud}, config_file: {clouds}, timeout_seconds: 120, deadline_seconds: 900}}
systems:
  - {{name: zwy, title: 市级政务云平台, grade: S3A3, cloud: platform, include: [{{sources: [zw]}}]}}
"""


CINDER = {
    "volume",
    "volume_type",
    "volume_snapshot",
    "volume_backup",
    "storage_pool",
    "platform_service",
    "quota",
}


class Estate:
    """A folder with a configuration for one credential."""

    def __init__(self, folder: Path, cloud: str) -> None:
        self.folder = folder
        text = CONFIG.format(cloud=cloud, clouds=FOLDER / "clouds.yaml")
        (folder / "zhengguan.yaml").write_text(text, encoding="utf-8")

    def run(self, *words: str, code: int = 0) -> Any:
        done = subprocess.run(
            [sys.executable, "-m", "zhengguan", *words, "--json"],
            cwd=self.folder, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == code, done.stdout + done.stderr
        return json.loads(done.stdout)

    def statuses(self) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        for collection in self.run("inventory", "coverage"):
            found.setdefault(collection["kind"], set()).add(collection["status"])
        return found

    def findings(self) -> dict[str, int]:
        (assessment,) = self.run("check")
        count: dict[str, int] = {}
        for finding in assessment["findings"]:
            count[finding["rule"]] = count.get(finding["rule"], 0) + 1
        return count


@pytest.mark.parametrize("cloud", ["lab-admin", "lab-app-credential"])
def test_an_administrator_end_to_end(cloud: str, expected: dict[str, Any], tmp_path: Path) -> None:
    estate = Estate(tmp_path, cloud)
    assert estate.run("collect")["unread"] == []
    counted = {row["kind"]: row["count"] for row in estate.run("inventory")}
    whole = {kind for kind, status in estate.statuses().items() if status == {"complete"}}
    # nobody is shown all secrets, and no delegated credential its trusts
    assert set(openstack.KINDS) - whole == {"secret"} | ({"trust"} if cloud != "lab-admin" else set())
    assert {kind: counted[kind] for kind in whole} == {kind: expected["kinds"][kind] for kind in whole}
    found = estate.findings()
    numbers = expected["numbers"]
    assert found["sg-ssh-open-ipv4"] == numbers["groups_open_ssh_ipv4"]
    assert found["sg-ssh-open-ipv6"] == numbers["groups_open_ssh_ipv6"]
    assert found["sg-rdp-open-ipv4"] == numbers["groups_open_rdp_ipv4"]
    assert found["volume-unencrypted"] == numbers["volumes_unencrypted"]
    assert found["appcred-unrestricted"] == numbers["credentials_unrestricted"]
    reports = [tmp_path / path for path in estate.run("report", "dengbao", "--out", "reports")]
    assert sorted(path.suffix for path in reports) == [".docx", ".html"]
    assert "市级政务云平台" in reports[0].read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("cloud", "seen"),
    [
        ("lab-project-reader", {"cloud"}),
        (
            "lab-system-reader",
            {
                "application_credential",
                "identity_domain",
                "identity_provider",
                "load_balancer",
                "project",
                "role",
                "role_assignment",
                "trust",
                "user",
                "user_group",
            },
        ),
    ],
)
def test_a_reader_is_told_what_it_may_not_see(
    cloud: str, seen: set[str], expected: dict[str, Any], tmp_path: Path
) -> None:
    estate = Estate(tmp_path, cloud)
    estate.run("collect")
    statuses = estate.statuses()
    assert {kind for kind, status in statuses.items() if status == {"complete"}} == seen
    assert {kind for kind, status in statuses.items() if status == {"denied"}} == set(statuses) - seen
    (assessment,) = estate.run("check")
    unseen = [u for u in assessment["unseen"] if u["rule"] == "volume-unencrypted"]
    assert any(not u["uid"] and "无权限" in u["missing"] and u["remedy"] for u in unseen)
    passed = [c["id"] for c in assessment["controls"] if c["verdict"] == "pass"]
    assert passed == []


def test_a_service_stopped_after_a_good_run_leaves_its_rows_stale(
    expected: dict[str, Any], stopped: Callable[[str, str, str], None], tmp_path: Path
) -> None:
    estate = Estate(tmp_path, "lab-admin")
    estate.run("collect")
    before = estate.findings()
    stopped("stop", "start", "cinder-api")
    assert estate.run("collect", code=4)["unread"] == ["zw"]
    volumes = estate.run("inventory", "volume")
    assert len(volumes) == expected["kinds"]["volume"]
    assert all("stale_since" in volume for volume in volumes)
    assert not any("stale_since" in server for server in estate.run("inventory", "server"))
    changes = estate.run("inventory", "diff")
    # what the volumes told of other things is unseen now; nothing came and nothing went
    assert {change["action"] for change in changes} <= {"changed"}
    assert all("new" not in side for change in changes for side in change["fields"].values())
    assert estate.findings() == before
    (assessment,) = estate.run("check")
    stale = [f for f in assessment["findings"] if f["stale"]]
    assert "volume" in {f["kind"] for f in stale}
    assert {f["kind"] for f in stale} <= CINDER


def test_doctor_names_what_a_reader_lacks(expected: dict[str, Any], tmp_path: Path) -> None:
    estate = Estate(tmp_path, "lab-project-reader")
    (lines,) = estate.run("doctor").values()
    assert any(line["ok"] is False and line["remedy"] for line in lines)
    estate = Estate(tmp_path, "lab-admin")
    (lines,) = estate.run("doctor").values()
    assert [line["subject"] for line in lines if not line["ok"]] == ["密钥服务 (barbican)：密钥与口令条目"]


def test_a_wrong_password_is_one_line_and_code_4(expected: dict[str, Any], tmp_path: Path) -> None:
    clouds = json.loads((FOLDER / "clouds.yaml").read_text(encoding="utf-8"))
    auth = clouds["clouds"]["lab-admin"]["auth"]
    auth.update(username="nobody-here", password="not-the-password")
    (tmp_path / "clouds.yaml").write_text(json.dumps(clouds), encoding="utf-8")
    text = CONFIG.format(cloud="lab-admin", clouds="clouds.yaml")
    (tmp_path / "zhengguan.yaml").write_text(text, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "zhengguan", "doctor"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 4
    assert "Traceback" not in done.stderr
    assert "not-the-password" not in done.stdout + done.stderr
