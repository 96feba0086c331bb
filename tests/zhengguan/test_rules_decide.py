"""From a machine to verdicts: what the program's rules decide together, through the real collector.

The machine is a hardened one; each case spoils or mends one thing on it and names what that decides.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from collectors.contract import Run, Source
from collectors.host import Options, collect_from
from collectors.host.hardening import STAT
from collectors.host.recording import RecordedReader
from inventory.selectors import Selector
from inventory.snapshot import Snapshot
from inventory.systems import System
from policies.assess import assess
from policies.evaluate import evaluate
from policies.rules import load_rules
from policies.standards import load_standard
from policies.verdict import Verdict
from zhengguan.cli import main

MACHINE = Path(__file__).parents[1] / "data" / "host" / "openeuler-22.03.json"
AT = datetime(2026, 5, 1, tzinfo=UTC)
PASS, FAIL, PARTIAL, UNKNOWN = Verdict.PASS, Verdict.FAIL, Verdict.PARTIAL, Verdict.UNKNOWN
MODES = (
    "644:root:root:/etc/passwd\n0:root:root:/etc/shadow\n440:root:root:/etc/sudoers\n"
    "700:root:root:/var/log/audit\n600:root:root:/var/log/messages\n600:root:root:/var/log/secure\n"
)
AUDIT = (
    "-w /etc/passwd -p wa\n-w /etc/shadow -p wa\n-w /etc/sudoers -p wa\n"
    "-a always,exit -F arch=b64 -S settimeofday,init_module\n"
)
RULES = load_rules(examples=False)
DENGBAO = load_standard("dengbao")
Change = Callable[[dict[str, Any]], None]


def verdicts(*changes: Change) -> dict[str, Verdict]:
    """The host's verdict under each control of level 3 that rules decide for a host."""
    record = json.loads(MACHINE.read_text(encoding="utf-8"))
    for change in changes:
        change(record)
    source = Source(name="m", type="local", labels={"department": "甲"}, options=Options())
    run = Run(source, now=lambda: AT)
    batches = list(collect_from(RecordedReader(json.dumps(record).encode()), source, run))
    snapshot = Snapshot.of_batches(batches, AT)
    system = System(name="s", title="系统", grade="S3A3", include=[Selector(sources=["*"])])
    assessment = assess(system, DENGBAO, evaluate(RULES, snapshot, now=AT), snapshot)
    found = {}
    for control in assessment.controls:
        decision = DENGBAO.decisions.get(control.control.id)
        if decision and "host" in decision.by:
            (host,) = [o for o in control.objects if o.asset.split("/")[1] == "host"]
            found[control.control.id.removeprefix("dengbao/")] = host.verdict
    return found


def command(name: str, output: str) -> Change:
    return lambda record: record["commands"].update({name: [0, output]})


def program(pid: int, name: str) -> Change:
    return lambda record: record["files"].update(
        {f"/proc/{pid}/comm": f"{name}\n", f"/proc/{pid}/cmdline": f"/usr/sbin/{name}\0"}
    )


def file(path: str, text: str) -> Change:
    return lambda record: record["files"].update({path: text})


def renewed(record: dict[str, Any]) -> None:
    record["modified"]["/var/lib/clamav/daily.cld"] = AT.timestamp() - 3600


CLAM = (program(106, "clamd"), program(107, "clamonacc"), renewed)


def test_a_hardened_machine_meets_what_was_seen_of_it_and_no_more() -> None:
    found = verdicts()
    met = {c for c, v in found.items() if v is PASS}
    assert met == {
        "8.1.4.1.b", "8.1.4.1.c", "8.1.4.2.b", "8.1.4.3.b", "8.1.4.3.d", "8.1.4.4.b", "8.1.4.4.c",
    }  # fmt: skip
    # permissions of files were not recorded, of its agents nobody knows how they are set and where they report
    # to, and neither monitoring nor a register was read
    assert {c for c, v in found.items() if v is UNKNOWN} == {
        "8.1.10.8.b",
        "8.1.4.2.a",
        "8.1.4.3.c",
        "8.1.4.4.f",
        "8.1.4.5.a",
        "8.1.5.4.c",
    }


@pytest.mark.parametrize(
    ("control", "changes", "verdict"),
    [
        ("8.1.4.2.a", [command(" ".join(STAT), MODES)], PASS),
        ("8.1.4.2.a", [command(" ".join(STAT), MODES.replace("0:root:root:/etc/sh", "644:root:root:/etc/sh"))], PARTIAL),
        ("8.1.4.3.c", [command(" ".join(STAT), MODES)], PASS),
        ("8.1.4.3.c", [command(" ".join(STAT), MODES.replace("700:", "755:"))], PARTIAL),
        ("8.1.4.3.c", [command(" ".join(STAT), MODES), file("/etc/rsyslog.conf", "*.* /var/log/messages\n")], PARTIAL),
        ("8.1.4.3.a", [command("auditctl -l", AUDIT)], PASS),
        ("8.1.4.3.d", [command("auditctl -s", "enabled 1\n")], PARTIAL),
        ("8.1.4.5.a", [*CLAM], PASS),
        ("8.1.4.5.a", [CLAM[0], CLAM[2]], PARTIAL),  # it scans, and does not block
        ("8.1.4.5.a", [CLAM[0], CLAM[1]], UNKNOWN),  # nobody knows how old its signatures are
        ("8.1.4.5.a", [program(106, "cron")], FAIL),
        ("8.1.4.4.c", [command("nft -j list ruleset", '{"nftables": []}'),
                       command("iptables-save", "*filter\n:INPUT ACCEPT [0:0]\nCOMMIT\n"),
                       program(105, "cron")], PARTIAL),
        ("8.1.4.1.b", [file("/etc/profile", "umask 027\n"), file("/etc/profile.d/tmout.sh", "")], PARTIAL),
    ],
)  # fmt: skip
def test_one_thing_more_or_less_decides(control: str, changes: list[Change], verdict: Verdict) -> None:
    assert verdicts(*changes)[control] is verdict


def test_coverage_in_figures_and_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rules", "coverage", "--standard", "dengbao", "--level", "3", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["automatic"] + found["partly"] + found["manual"] + found["missing"] == 257
    assert found["automatic"] >= 35
    assert found["manual"] - found["manual_for_data"] == 97
    assert found["missing"] <= 14
    passwords = next(i for i in found["items"] if i["id"] == "dengbao/8.1.4.1.a")
    assert passwords["reach"] == "automatic"
    assert passwords["decided"] == ["server", "network_device", "security_device"]
    assert passwords["unseen"]["cloud_platform"] == "口令复杂度与更换周期写在身份服务的配置里，API 不给出"

    assert main(["rules", "coverage", "--standard", "dengbao", "--level", "3"]) == 0
    text = capsys.readouterr().out
    assert "通用 安全计算环境" in text
    assert f"自动 {found['automatic']}，部分 {found['partly']}" in text
    assert "两种鉴别方式里有没有密码技术" in text
    assert "由人：门禁系统没有接入的来源" in text
    assert "还没有：流量分析设备没有接入的来源" in text


def test_a_rule_tells_with_how_many_others_it_decides(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rules", "show", "host-lockout"]) == 0
    text = capsys.readouterr().out
    assert "判定 dengbao/8.1.4.1.b 身份鉴别：登录失败锁定、会话超时退出（与另外 1 条规则一起判定）" in text
    assert main(["rules", "show", "volume-without-backup"]) == 0
    assert "佐证 dengbao/8.1.4.9.a" in capsys.readouterr().out
