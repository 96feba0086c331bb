"""The demo as a new user runs it: ends by itself, tells the truth, leaves a working estate."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import NamedTuple

import pytest

LIMIT_KIB = 400 * 1024
# A process between: the kernel counts what its parent held at the fork as the child's own peak, and a worker of
# the tests holds much.
MEASURED = """
import resource, subprocess, sys
code = subprocess.run(sys.argv[1:], stderr=subprocess.STDOUT).returncode
print("peak", resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
sys.exit(code)
"""


def zhengguan(*words: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "zhengguan", *words], cwd=folder, capture_output=True, text=True, check=False
    )


class Demo(NamedTuple):
    out: Path
    said: str
    peak_kib: int


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    folder = tmp_path_factory.mktemp("demo")
    command = [sys.executable, "-c", MEASURED, sys.executable, "-m", "zhengguan", "demo", "--out", "d"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    said, _, peak = done.stdout.rpartition("peak ")
    assert done.returncode == 0, done.stdout + done.stderr
    return Demo(folder / "d", said, int(peak))


def counted(out: Path, *words: str) -> list[dict[str, object]]:
    done = zhengguan("inventory", *words, "--json", "-c", str(out / "zhengguan.yaml"), folder=out)
    assert done.returncode == 0, done.stderr
    rows: list[dict[str, object]] = json.loads(done.stdout)
    return rows


def test_it_leaves_configuration_store_and_reports(demo: Demo) -> None:
    out, said, _ = demo
    assert (out / "zhengguan.yaml").exists()
    reports = sorted(p.name for p in (out / "reports").iterdir())
    assert sum(name.endswith(".docx") for name in reports) == 3
    assert sum(name.endswith(".html") for name in reports) == 5
    assert sum(name.endswith(".xlsx") for name in reports) == 2
    assert sum(name.startswith("密评自查报告-zwy-") for name in reports) == 2
    for name in reports:
        assert name in said


def test_the_summary_counts_what_the_store_holds(demo: Demo) -> None:
    out, said, _ = demo
    assert f"{len(counted(out, 'server'))} 台云主机" in said
    assert f"{len(counted(out, 'device'))} 台网络与安全设备" in said
    assert f"一个 Kubernetes 集群（{len(counted(out, 'node'))} 个节点）" in said


def test_history_shows_the_day_between(demo: Demo) -> None:
    out = demo.out
    assert [s["id"] for s in counted(out, "snapshots")] == [1, 2]
    changes = counted(out, "diff", "--source", "city-cloud")
    assert {c["action"] for c in changes} == {"added", "changed", "removed"}


def test_its_cryptography_is_written_as_a_bill(demo: Demo) -> None:
    out = demo.out
    written = [
        zhengguan("export", "cbom", *more, "-o", "cbom.json", "-c", str(out / "zhengguan.yaml"), folder=out)
        for more in ([], ["--system", "wzq"])
    ]
    assert [done.returncode for done in written] == [0, 0], written[0].stderr
    bill = json.loads((out / "cbom.json").read_bytes())
    assert bill["compositions"][0] == {"aggregate": "incomplete", "assemblies": ["estate"]}
    unread = [p["value"] for p in bill["metadata"]["properties"] if p["name"] == "zhengguan:unread"]
    assert any("secret" in one for one in unread)
    speak_ssh = {h["source"] for h in counted(out, "host") if h["ssh"].get("installed") is not False}
    assert {s["bom-ref"].split("/")[0] for s in bill["services"]} == speak_ssh  # none where no sshd is here


def test_the_silent_device_is_stale_and_not_gone(demo: Demo) -> None:
    out, said, _ = demo
    stale = [d for d in counted(out, "device") if "stale_since" in d]
    assert len(stale) == 1
    assert "陈旧" in said
    failed = [c for c in counted(out, "coverage") if c["status"] == "failed"]
    assert failed


def test_the_machine_itself_is_read_for_real(demo: Demo) -> None:
    out = demo.out
    (host,) = counted(out, "host")
    assert host["kernel"] == Path("/proc/sys/kernel/osrelease").read_text().strip()


def test_two_systems_are_assessed_as_ranges(demo: Demo) -> None:
    out = demo.out
    done = zhengguan(
        "check", "--standard", "dengbao", "--json", "-c", str(out / "zhengguan.yaml"), folder=out
    )
    assessments = json.loads(done.stdout)
    assert sorted(a["grade"] for a in assessments) == ["S2A2", "S3A3"]
    for assessment in assessments:
        assert float(assessment["score"]["low"]) < float(assessment["score"]["high"])
        assert assessment["findings"]


def test_it_can_be_made_anew_but_never_over_a_users_folder(demo: Demo, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("keep", encoding="utf-8")
    done = zhengguan("demo", "--out", str(tmp_path), folder=tmp_path)
    assert done.returncode == 2
    assert (tmp_path / "mine.txt").read_text(encoding="utf-8") == "keep"


def test_memory_stays_small(demo: Demo) -> None:
    assert demo.peak_kib < LIMIT_KIB


def test_it_serves_when_asked_and_stops_at_a_word(tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [
        sys.executable,
        "-m",
        "zhengguan",
        "demo",
        "--out",
        "d",
        "--serve",
        "--listen",
        f"127.0.0.1:{port}",
    ]
    process = subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert process.stdout is not None
    try:
        address = next(line for line in process.stdout if "/metrics" in line)
        assert f"http://127.0.0.1:{port}/" in address
        for _ in range(100):
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
                    text = answer.read().decode()
                break
            except urllib.error.URLError:
                time.sleep(0.1)
        assert (
            'zhengguan_inventory_resources{department="市大数据局",kind="server",source="city-cloud"}' in text
        )
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0
    finally:
        process.kill()
