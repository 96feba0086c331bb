"""The command line as a user meets it: one clear line, the right exit code, nothing lost."""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from inventory.coverage import Batch
from inventory.kinds.network import Device
from inventory.store import open_store
from zhengguan import __version__
from zhengguan.cli import main

COMMANDS = (
    "demo",
    "init",
    "doctor",
    "collect",
    "inventory",
    "discover",
    "check",
    "attest",
    "except",
    "rules",
    "report",
    "export",
    "serve",
)


def zhengguan(*words: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "zhengguan", *words], cwd=folder, capture_output=True, text=True, check=False
    )


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"zhengguan {__version__}\n"


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main([command, "--help"])
    assert caught.value.code == 0
    text = capsys.readouterr().out
    assert "例：zhengguan " + command in text
    assert "--config" in text


@pytest.mark.parametrize("words", [["chekc"], ["check", "--fail-on", "terrible"], ["collect", "--nonsense"]])
def test_wrong_usage_is_one_line_and_code_2(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(words)
    assert caught.value.code == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_start_up_imports_nothing_heavy() -> None:
    code = "import sys; from zhengguan.cli import main; main(['--version']); print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    heavy = {"sqlalchemy", "msgspec", "jinja2", "yaml", "rich", "openstack", "pysnmp", "docx", "starlette"}
    assert not heavy & set(loaded.split())


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder after init and two collections of this machine."""
    folder = tmp_path_factory.mktemp("home")
    assert zhengguan("init", folder=folder).returncode == 0
    for _ in range(2):
        done = zhengguan("collect", folder=folder)
        assert done.returncode == 0, done.stderr
    return folder


def test_init_does_not_overwrite(home: Path) -> None:
    before = (home / "zhengguan.yaml").read_text(encoding="utf-8")
    again = zhengguan("init", folder=home)
    assert again.returncode == 2
    assert "--force" in again.stderr
    assert (home / "zhengguan.yaml").read_text(encoding="utf-8") == before


def test_the_loop_on_this_machine(home: Path) -> None:
    listed = zhengguan("inventory", "host", "--json", folder=home)
    (host,) = json.loads(listed.stdout)
    assert host["kernel"] == os.uname().release
    shown = zhengguan("inventory", "show", host["uid"], "--json", folder=home)
    assert json.loads(shown.stdout)["uid"] == host["uid"]
    checked = zhengguan("check", "--json", folder=home)
    assert checked.returncode == 0, checked.stderr
    (assessment,) = json.loads(checked.stdout)
    assert assessment["system"] == "this-host"
    assert float(assessment["score"]["low"]) < float(assessment["score"]["high"])
    written = zhengguan("report", "dengbao", "--out", "out", "--json", folder=home)
    assert sorted(Path(p).suffix for p in json.loads(written.stdout)) == [".docx", ".html"]
    written = zhengguan("report", "miping", "--format", "html", "--out", "out", "--json", folder=home)
    (path,) = json.loads(written.stdout)
    assert "密评自查报告-this-host-" in path
    assert "商用密码应用安全性自查报告" in (home / path).read_text(encoding="utf-8")
    written = zhengguan("report", "capacity", "--out", "out", "--json", folder=home)
    paths = [home / p for p in json.loads(written.stdout)]
    assert [p.suffix for p in paths] == [".html", ".xlsx"]
    assert "有多满" in paths[0].read_text(encoding="utf-8")
    assert paths[1].read_bytes().startswith(b"PK")
    words = ("report", "ipv6", "--system", "this-host", "--year", "2025", "--out", "out", "--json")
    paths = [home / p for p in json.loads(zhengguan(*words, folder=home).stdout)]
    assert [p.suffix for p in paths] == [".html", ".xlsx"]
    assert paths[0].name.startswith("IPv6报告-this-host-")
    assert "对照 2025 年目标" in paths[0].read_text(encoding="utf-8")


def test_evidence_behind_a_resource_can_be_read(home: Path) -> None:
    (host,) = json.loads(zhengguan("inventory", "host", "--json", folder=home).stdout)
    ids = json.loads(zhengguan("inventory", "show", host["uid"], "--json", folder=home).stdout)["evidence"]
    shown = [json.loads(zhengguan("inventory", "evidence", i, "--json", folder=home).stdout) for i in ids]
    (release,) = [e for e in shown if e["origin"] == "/etc/os-release"]
    assert f'PRETTY_NAME="{host["os_name"]}"' in release["content"]


def test_device_text_cannot_steer_the_terminal(home: Path, tmp_path: Path) -> None:
    shutil.copy(home / "zhengguan.yaml", tmp_path)
    name = "sw\x1b]0;owned\x07\x1b[31m\u202e"
    with open_store(str(tmp_path / "zhengguan.db")).writer(datetime.now(UTC)) as writer:
        writer.add(Batch(resources=[Device(source="s", native_id="1", name=name, description=name)]))
    for words in (
        ["inventory", "device"],
        ["inventory", "show", "s/device/1"],
        ["inventory", "timeline", "s/device/1"],
    ):
        done = zhengguan(*words, folder=tmp_path)
        assert "owned" in done.stdout
        assert not {"\x1b", "\x07", "\u202e"} & set(done.stdout)


def test_the_store_is_its_owners_alone(home: Path) -> None:
    assert (home / "zhengguan.db").stat().st_mode & 0o077 == 0


def test_exit_codes_of_check(home: Path) -> None:
    assert zhengguan("check", "--min-coverage", "0.99", folder=home).returncode == 3
    assert zhengguan("check", "--fail-on", "info", folder=home).returncode == 1
    assert zhengguan("check", "--system", "this-hst", folder=home).returncode == 2


def test_history_of_this_machine(home: Path) -> None:
    snapshots = json.loads(zhengguan("inventory", "snapshots", "--json", folder=home).stdout)
    assert [s["id"] for s in snapshots] == [1, 2]
    assert zhengguan("inventory", "diff", "--json", folder=home).returncode == 0
    assert "快照号" in zhengguan("inventory", "diff", "1", "7", folder=home).stderr


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["inventory", "serverr"], 2, "是不是 server"),
        (["inventory", "host", "--where", "it.kernl == 'x'"], 2, "kernel"),
        (["inventory", "host", "--where", "it.__class__"], 2, "--where"),
        (["inventory", "show", "nowhere/host/x"], 2, "没有"),
        (["collect", "--source", "other"], 2, "this-host"),
        (["check", "--standard", "miping", "--edition", "2025"], 2, "2023、2021"),
        (["report", "dengbao", "--edition", "2023"], 2, "2025"),
        (["report", "miping", "--format", "xlsx"], 2, "docx"),
        (["report", "dengbao", "--format", "pdff"], 2, "html"),
        (["report", "dengbao", "--format", "xlsx"], 2, "docx"),
        (["report", "capacity", "--format", "csv"], 2, "xlsx"),
        (["report", "capacity", "--system", "this-host"], 2, "--system"),
        (["report", "ipv6", "--edition", "2025"], 2, "--year"),
        (["report", "ipv6", "--system", "this-hosts"], 2, "this-host"),
        (["serve", "--listen", "0.0.0.0:9870"], 2, "TLS"),
        (["serve", "--listen", "nonsense"], 2, "127.0.0.1:9870"),
    ],
)
def test_mistakes_get_one_line_and_a_way_out(home: Path, words: list[str], code: int, said: str) -> None:
    done = zhengguan(*words, folder=home)
    assert done.returncode == code
    assert said in done.stderr
    assert done.stderr.count("\n") == 1
    assert "Traceback" not in done.stderr


def test_without_configuration_it_says_how_to_start(tmp_path: Path) -> None:
    done = zhengguan("collect", folder=tmp_path)
    assert done.returncode == 2
    assert "zhengguan init" in done.stderr


def test_an_unreachable_source_is_code_4_and_the_rest_is_kept(home: Path, tmp_path: Path) -> None:
    config = (home / "zhengguan.yaml").read_text(encoding="utf-8")
    device = (
        "sources:\n  - {name: sw, type: snmp, targets: ['127.77.255.1:9'], version: v2c,"
        " community_ref: 'env:C', timeout_seconds: 0.2, retries: 0}\n"
    )
    (tmp_path / "zhengguan.yaml").write_text(config.replace("sources:\n", device, 1), encoding="utf-8")
    environ = {**os.environ, "C": "s3cr3t-community"}
    done = subprocess.run(
        [sys.executable, "-m", "zhengguan", "collect", "--json"],
        cwd=tmp_path, env=environ, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 4, done.stderr
    assert json.loads(done.stdout)["unread"] == ["sw"]
    assert len(json.loads(zhengguan("inventory", "host", "--json", folder=tmp_path).stdout)) == 1
    assert "s3cr3t-community" not in done.stdout + done.stderr
    assert b"s3cr3t-community" not in (tmp_path / "zhengguan.db").read_bytes()


def test_a_second_process_on_the_store_is_told_who_holds_it(home: Path) -> None:
    hold = (
        "import sys; from inventory.store import open_store; from collectors.contract import utc_now\n"
        "with open_store('zhengguan.db').writer(utc_now()): print('held', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", hold], cwd=home, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        done = zhengguan("collect", folder=home)
        assert done.returncode == 2
        assert str(holder.pid) in done.stderr
        holder.kill()
    assert zhengguan("collect", folder=home).returncode == 0


def test_a_full_disk_loses_nothing(home: Path) -> None:
    before = zhengguan("inventory", "snapshots", "--json", folder=home).stdout

    def small() -> None:  # no file may grow beyond this: to SQLite the same as a full disk
        resource.setrlimit(resource.RLIMIT_FSIZE, (40_960, 40_960))

    done = subprocess.run(
        [sys.executable, "-m", "zhengguan", "collect"], cwd=home, capture_output=True, text=True, check=False,
        preexec_fn=small,
    )  # fmt: skip
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    assert zhengguan("inventory", "snapshots", "--json", folder=home).stdout == before
    assert zhengguan("collect", folder=home).returncode == 0


def test_a_source_is_recorded_and_replayed_elsewhere(home: Path, tmp_path: Path) -> None:
    recorded = zhengguan("collect", "--record", "case/this.gz", folder=home)
    assert recorded.returncode == 0, recorded.stderr
    shutil.copy(home / "case" / "this.gz", tmp_path)
    assert zhengguan("init", folder=tmp_path).returncode == 0
    replayed = zhengguan("collect", "--replay", "this.gz", "--source", "case-7", "--json", folder=tmp_path)
    assert replayed.returncode == 0, replayed.stderr
    told = json.loads(replayed.stdout)
    assert told["snapshot"]["note"] == "来自录制 this.gz"
    assert {c["source"] for c in told["collections"]} == {"case-7"}
    (host,) = json.loads(zhengguan("inventory", "host", "--json", folder=tmp_path).stdout)
    assert host["kernel"] == os.uname().release


@pytest.mark.parametrize(
    ("content", "message"),
    [(None, "没有录制文件"), (b"plain", "不是政观的录制文件"), (b"\x1f\x8b\x08", "不是政观的录制文件")],
)
def test_what_is_no_recording_is_refused(home: Path, content: bytes | None, message: str) -> None:
    if content is not None:
        (home / "odd.gz").write_bytes(content)
    done = zhengguan("collect", "--replay", "odd.gz" if content else "none.gz", folder=home)
    assert done.returncode == 2
    assert message in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_diff_as_json_leaves_out_the_side_that_was_not_seen(tmp_path: Path) -> None:
    assert zhengguan("init", folder=tmp_path).returncode == 0
    store = open_store(str(tmp_path / "zhengguan.db"))
    for hour, told in enumerate(({"vendor": "Huawei"}, {"location": ""})):
        with store.writer(datetime(2026, 3, 1, hour, tzinfo=UTC)) as writer:
            writer.add(Batch(resources=[Device(source="s", native_id="1", **told)]))
    store.close()
    done = zhengguan("inventory", "diff", "--json", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    (change,) = json.loads(done.stdout)
    assert change["fields"] == {"vendor": {"old": "Huawei"}, "location": {"new": ""}}
