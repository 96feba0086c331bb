"""``inventory systems`` and ``--unassigned``: what is graded, what it shares, what nobody graded."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from inventory.coverage import Batch
from inventory.kinds.host import Host
from inventory.kinds.network import Device
from inventory.store import open_store
from zhengguan.cli import main

CONFIG = """
store: store.db
systems:
  - {name: portal, title: 门户, grade: S3A3, cloud: tenant, platform_report: DJCP-2026-01, importance: 关键,
     include: [{sources: [web, core]}]}
  - {name: mail, title: 邮件, grade: S2A2, standards: [dengbao, miping], include: [{sources: [core]}]}
"""


@pytest.fixture
def office(tmp_path: Path) -> Path:
    (tmp_path / "zhengguan.yaml").write_text(CONFIG, encoding="utf-8")
    rows = [
        Host(source="web", native_id="web", name="web"),
        Device(source="core", native_id="core", name="core", role="switch", labels={"importance": "重要"}),
        Device(source="lab", native_id="lab", name="lab-switch", role="switch"),
    ]
    with open_store(str(tmp_path / "store.db")).writer(datetime.now(UTC)) as writer:
        writer.add(Batch(resources=list(rows)))
    return tmp_path


def run(office: Path, capsys: pytest.CaptureFixture[str], *words: str) -> str:
    code = main(["inventory", "-c", str(office / "zhengguan.yaml"), *words])
    captured = capsys.readouterr()
    assert code == 0, captured.err
    return captured.out


def test_systems_and_what_they_share(office: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told: dict[str, Any] = json.loads(run(office, capsys, "systems", "--json"))
    portal, mail = told["systems"]
    assert portal["assets"]["服务器"] == {"关键": 1, "重要": 0, "一般": 0}
    assert portal["assets"]["网络设备"] == {"关键": 0, "重要": 1, "一般": 0}
    assert len(portal["assets"]) == 12
    assert (portal["shared_with"], mail["shared_with"]) == ({"mail": 1}, {"portal": 1})
    assert told["unassigned"] == {"device": 1}
    text = run(office, capsys, "systems")
    assert "门户（portal，S3A3）  资源 2，云：云租户，平台测评报告 DJCP-2026-01" in text
    assert "其中 1 个资源也属于 mail" in text
    assert "不属于任何系统的资源 1 个：网络与安全设备 1" in text
    (only,) = json.loads(run(office, capsys, "systems", "--system", "mail", "--json"))["systems"]
    assert only["name"] == "mail"


def test_what_belongs_to_none_is_listed(office: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (lab,) = json.loads(run(office, capsys, "device", "--unassigned", "--json"))
    assert lab["uid"] == "lab/device/lab"
    (kind,) = json.loads(run(office, capsys, "--unassigned", "--json"))
    assert (kind["kind"], kind["count"]) == ("device", 1)
    assert json.loads(run(office, capsys, "host", "--unassigned", "--json")) == []
