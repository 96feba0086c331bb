"""``except``, and what exceptions do to ``check``: shown, not counted by --fail-on, never scored."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from inventory.coverage import Batch
from inventory.kinds.network import Device
from inventory.store import open_store
from zhengguan.cli import main
from zhengguan.commands.exceptions import TEMPLATE

CONFIG = """
store: store.db
policies: {exceptions: [exceptions.yaml]}
systems:
  - name: gate
    title: 边界
    grade: S3A3
    include: [{sources: ["*"]}]
"""
TELNET = "device-telnet"
TODAY = datetime.now(UTC).date()


class Office:
    """A folder with a store of one switch that speaks telnet, and the program in it."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self.capsys = capsys
        (folder / "zhengguan.yaml").write_text(CONFIG, encoding="utf-8")
        switch = Device(source="core", native_id="sw", name="sw-old-1", role="switch", telnet_enabled=True)
        store = open_store(str(folder / "store.db"))
        with store.writer(datetime.now(UTC)) as writer:
            writer.add(Batch(resources=[switch]))
        store.close()

    def run(self, *words: str) -> tuple[int, str, str]:
        code = main([words[0], "-c", str(self.folder / "zhengguan.yaml"), *words[1:]])
        captured = self.capsys.readouterr()
        return code, captured.out, captured.err

    def accept(self, **changes: Any) -> None:
        """Accept the switch."""
        one = {
            "id": "old-switch",
            "rule": TELNET,
            "scope": [{"names": ["sw-old-*"]}],
            "reason": "老型号",
            "owner": "张三",
            "approver": "李四",
            "expires": TODAY + timedelta(days=90),
        }
        text = yaml.safe_dump({"exceptions": [one | changes]}, allow_unicode=True)
        (self.folder / "exceptions.yaml").write_text(text, encoding="utf-8")


@pytest.fixture
def office(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Office:
    return Office(tmp_path, capsys)


def rules_found(office: Office) -> tuple[dict[str, Any], set[str]]:
    code, out, err = office.run("check", "--json")
    assert code == 0, err
    (checked,) = json.loads(out)
    return checked, {f["rule"] for f in checked["findings"]}


def test_an_accepted_finding_is_told_and_scored_and_does_not_fail_the_pipeline(office: Office) -> None:
    (office.folder / "exceptions.yaml").write_text("exceptions: []\n", encoding="utf-8")
    before, rules = rules_found(office)
    assert TELNET in rules
    office.accept()
    after, _ = rules_found(office)
    assert after["score"] == before["score"]
    assert after["verdicts"] == before["verdicts"]
    assert [(f["rule"], f["exception"]) for f in after["findings"]] == [(TELNET, "old-switch")]
    assert {h["case"] for h in after["high_risks"] if h["state"] == "triggered"} == {"6.4.1.2", "6.5.1.1"}
    code, out, _ = office.run("check", "--fail-on", "info")
    assert (code, "例外 1：匹配 1" in out, "1（例外 1）" in out) == (0, True, True)
    office.accept(expires=TODAY - timedelta(days=2))
    code, out, _ = office.run("check", "--fail-on", "info")
    assert (code, "已过期 1（old-switch）" in out) == (1, True)


def test_the_list_tells_what_became_of_each(office: Office) -> None:
    office.accept(rule="device-telnett")
    code, out, _ = office.run("except", "list")
    assert (code, "没有规则 device-telnett" in out) == (0, True)
    office.accept(scope=[{"names": ["sw-new-*"]}])
    (use,) = json.loads(office.run("except", "list", "--json")[1])
    assert (use["state"], use["findings"]) == ("unused", [])
    office.accept(expires=TODAY + timedelta(days=5))
    code, out, _ = office.run("except", "show", "old-switch")
    assert (code, "老型号" in out, "李四" in out) == (0, True, True)
    assert "即将到期" in office.run("except", "list")[1]
    code, _, err = office.run("except", "show", "old-swich")
    assert (code, "old-switch" in err) == (2, True)


def test_a_mistake_stops_the_run_with_file_and_line(office: Office) -> None:
    office.accept(approver="张三")
    code, _, err = office.run("check")
    assert (code, err.count("\n")) == (2, 1)
    assert "exceptions.yaml:2: owner 和 approver 是同一个人" in err
    code, out, _ = office.run("except", "lint")
    assert (code, "同一个人" in out) == (2, True)
    (office.folder / "exceptions.yaml").unlink()
    assert office.run("check")[0] == 2


def test_the_template_is_a_good_file(office: Office) -> None:
    code, out, _ = office.run("except", "template")
    assert (code, out) == (0, TEMPLATE)
    (office.folder / "exceptions.yaml").write_text(out, encoding="utf-8")
    assert office.run("except", "lint") == (0, "1 个例外，写法都对\n", "")
    (told,) = yaml.safe_load(out)["exceptions"]
    assert isinstance(told["expires"], date)
