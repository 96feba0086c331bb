"""The script, run by a real sh: in roots that hold the recorded machines of other families, and with tools
missing. What it prints must be read to the same facts as the recording itself."""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from collectors.contract import Run, Source
from collectors.host import collect_from
from collectors.host.reader import LocalReader, Refusal
from collectors.host.recording import RecordedReader
from collectors.linux import questions
from collectors.linux.answers import ScriptReader, transcript
from inventory.resource import plain

MACHINES = Path(__file__).parents[2] / "data" / "host"
TOOLS = "sh cat head sed tr cut ls id stat timeout true grep readlink".split()
WORD = "f00dfeedf00dfeed"


def answers(output: bytes) -> dict[str, Any]:
    told = transcript(output, WORD)
    assert told.started
    assert told.whole
    return told.answers


def run_here(
    further: list[questions.Question] | None = None, shell: str = "sh", **environ: str
) -> ScriptReader:
    """On this machine, as whoever runs the tests."""
    text = questions.script(WORD, False, 16 << 20, further or [])
    done = subprocess.run(
        [shell, "-s"], input=text, capture_output=True, check=True, env={**os.environ, **environ}
    )
    assert done.stderr == b""
    return ScriptReader(answers(done.stdout))


@pytest.mark.parametrize("shell", ["sh", "bash"])
def test_files_folders_and_refusals_are_those_of_the_local_reader(tmp_path: Path, shell: str) -> None:
    (tmp_path / "text").write_bytes(b"a\n\nb \\ %s\n")
    (tmp_path / "binary").write_bytes(bytes(range(256)) * 3)
    (tmp_path / "no newline").write_bytes(b"x")
    (tmp_path / "empty").write_bytes(b"")
    (tmp_path / "it's $(id) `id`").write_bytes(b"quoted")
    (tmp_path / ".hidden").write_bytes(b"h")
    (tmp_path / "文件").write_bytes("内容".encode())
    (tmp_path / "folder").mkdir()
    (tmp_path / "dangling").symlink_to("nowhere")
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "marks").write_bytes(f"\n{WORD[:-1]}. ok\n".encode())
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "secret").mkdir(mode=0)
    (tmp_path / "denied").write_bytes(b"d")
    (tmp_path / "denied").chmod(0)
    names = [*(path.name for path in tmp_path.iterdir()), "none", "text/under", "secret/x", "secret/../text"]
    paths = [f"{tmp_path}/{name}" for name in names] + ["/proc/self/comm", "/proc/sys/kernel/osrelease"]
    asked: list[questions.Question] = [(verb, path) for path in paths for verb in ("f", "d", "l", "m")]
    asked += [("d", str(tmp_path)), ("d", "/none"), ("c", "uname -m"), ("c", "ntpq -pn")]
    reader, local = run_here(asked, shell), LocalReader()
    for path in [p for p in paths if p != "/proc/self/comm"]:
        assert reader.read_file(path) == local.read_file(path), path
        theirs, ours = local.modified(path), reader.modified(path)
        assert ours == (theirs if isinstance(theirs, Refusal) else int(theirs)), path
        assert reader.list_dir(path) == local.list_dir(path), path
        assert reader.read_link(path) == local.read_link(path), path
    assert reader.list_dir(str(tmp_path)) == local.list_dir(str(tmp_path))
    assert reader.list_dir("/none") is Refusal.NOT_FOUND
    assert reader.run(("uname", "-m")) == local.run(("uname", "-m"))
    assert reader.user_id == os.geteuid()
    assert not reader.missed


def test_further_questions_keep_away_from_secrets() -> None:
    may = [("f", "/etc/ssh/own.conf"), ("d", "/etc/rsyslog.extra"), ("c", "sshd -T -f /etc/ssh/own.conf")]
    may_not = [
        ("f", "/etc/shadow"), ("f", "/etc/shadow-"), ("f", "/etc/gshadow"), ("f", "/etc/ssh/ssh_host_rsa_key"),
        ("f", "/etc/pki/tls/private/a"), ("f", "/etc/ssl/a.pem"), ("f", "/root/x"), ("f", "/home/u/x"),
        ("f", "/etc/../root/x"), ("f", "/etc//shadow"), ("f", "/etc/a\nrm"), ("f", "/etc/security/opasswd"),
        ("c", "sh -c id"), ("c", "sshd -D"),
    ]  # fmt: skip
    assert questions.further([*may, *may_not, *may]) == may


def test_the_script_is_sent_whole_before_it_runs_and_is_plain_sh() -> None:
    text = questions.script(WORD, False, 100).decode()
    assert text.splitlines()[0] == f"N={WORD} S=0 M=100"
    assert text.splitlines()[1] == "main() {"
    assert text.endswith("}\nmain\n")
    assert not re.search(
        r"(?<![0-9&])>(?!&|/dev/null)", re.sub(r"'[^']*'|\"[^\"]*\"|#.*", "", text)
    )  # writes no file
    assert "<<" not in text  # some shells keep here-documents in files


def chroot(
    folder: Path, record: dict[str, Any], tools: list[str], user: int, *, busybox: bool = False
) -> bytes:
    """What the script prints in a root that holds a recorded machine, run as this user."""
    for tool in tools if busybox else ():
        (folder / "usr/bin").mkdir(parents=True, exist_ok=True)
        (folder / "usr/bin" / tool).symlink_to("busybox")
    for tool in ["busybox"] if busybox else tools:
        program = Path(shutil.which(tool) or "")
        libraries = subprocess.run(["ldd", program], capture_output=True, text=True, check=False).stdout
        for path in [str(program.resolve()), *re.findall(r"(/\S+)", libraries)]:
            target = (
                folder / path.lstrip("/") if path != str(program.resolve()) else folder / "usr/bin" / tool
            )
            target.parent.mkdir(parents=True, exist_ok=True)
            if not target.exists():
                shutil.copy(path, target)
    folder.chmod(0o755)
    (folder / "bin").symlink_to("usr/bin")
    (folder / "dev").mkdir()
    os.mknod(folder / "dev/null", 0o666 | stat.S_IFCHR, os.makedev(1, 3))
    (folder / "dev/null").chmod(0o666)
    for path, content in record.get("files", {}).items():
        file = folder / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, dict) and content["refused"] == "not_found":
            continue
        file.write_bytes(content.encode() if isinstance(content, str) else b"?")
        file.chmod(0o644 if isinstance(content, str) else 0)
    for path, names in record.get("dirs", {}).items():
        if isinstance(names, dict):
            if names["refused"] == "denied":
                (folder / path.lstrip("/")).mkdir(parents=True, exist_ok=True)
                (folder / path.lstrip("/")).chmod(0)
            continue
        for name in names:
            if not (folder / path.lstrip("/") / name).exists():
                (folder / path.lstrip("/") / name).mkdir(parents=True)
    for file in (folder / "var").rglob("*"):
        os.utime(file, (0, 0))  # "known to be there" in a recording that names no time
    for path, when in record.get("modified", {}).items():
        file = folder / path.lstrip("/")
        if isinstance(when, int | float):
            if not file.exists():
                file.parent.mkdir(parents=True, exist_ok=True)
                file.touch()
            os.utime(file, (when, when))
    for path, target in record.get("links", {}).items():
        link = folder / path.lstrip("/")
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(target)
    _commands(folder, record.get("commands", {}))
    (folder / "proc/self").mkdir(exist_ok=True)
    (folder / "proc/self/status").write_text(f"Name:\tsh\nUid:\t{user}\t{user}\n")
    text = questions.script(WORD, False, 16 << 20)
    return subprocess.run(
        ["chroot", f"--userspec={user}:{user}", folder, "/bin/sh", "-s"],
        input=text,
        capture_output=True,
        check=True,
    ).stdout


def _commands(folder: Path, commands: dict[str, Any]) -> None:
    """Programs that answer as they did on the recorded machine."""
    by_program: dict[str, list[tuple[str, Any]]] = {}
    for line, answer in commands.items():
        name, _, arguments = line.partition(" ")
        by_program.setdefault(name, []).append((arguments, answer))
    for name, known in by_program.items():
        cases = []
        for number, (arguments, answer) in enumerate(known):
            if isinstance(answer, dict):
                continue
            (folder / f"answer-{name}-{number}").write_text(answer[1])
            cases.append(f"'{arguments}') cat /answer-{name}-{number}; exit {answer[0]} ;;")
        if cases:
            program = folder / "usr/sbin" / name
            program.parent.mkdir(parents=True, exist_ok=True)
            program.write_text('#!/bin/sh\ncase "$*" in\n' + "\n".join(cases) + "\nesac\nexit 3\n")
            program.chmod(0o755)


def facts(reader: Any, source: Source) -> tuple[dict[str, Any], dict[str, Any]]:
    rows, ends = {}, {}
    for batch in collect_from(reader, source, Run(source)):
        ends |= {c.kind: (c.status, c.count, c.reason) for c in batch.collections}
        rows |= {r.uid: plain(r) for r in batch.resources}
    for row in rows.values():
        row.pop("file_modes", None)  # of the root that is made here, not of the recorded machine
    return rows, ends


@pytest.fixture
def machine() -> Callable[[str], dict[str, Any]]:
    return lambda name: json.loads((MACHINES / f"{name}.json").read_text(encoding="utf-8"))


@pytest.mark.lab  # root, for chroot
@pytest.mark.parametrize("name", ["openeuler-22.03", "kylin-v10-user", "uos-20", "anolis-8-user", "centos-7"])
def test_other_families_are_read_to_the_same_facts(
    name: str, machine: Callable[[str], dict[str, Any]], tmp_path: Path
) -> None:
    record = machine(name)
    user = record.get("user_id", 0)
    reader = ScriptReader(answers(chroot(tmp_path, record, TOOLS, user)))
    source = Source(name="m", type="linux")
    recorded = RecordedReader(json.dumps(record).encode())
    (rows, ends), (whole, recorded_ends) = facts(reader, source), facts(recorded, source)
    assert set(rows) == set(whole)
    for uid, row in rows.items():
        assert row == whole[uid]
    assert ends == recorded_ends
    assert not questions.further(reader.missed)


@pytest.mark.lab
@pytest.mark.parametrize("name", ["openeuler-22.03", "anolis-8-user", "uos-20"])
def test_busybox_reads_the_same(name: str, machine: Callable[[str], dict[str, Any]], tmp_path: Path) -> None:
    record = machine(name)
    output = chroot(tmp_path, record, TOOLS, record.get("user_id", 0), busybox=True)
    source = Source(name="m", type="linux")
    (rows, ends) = facts(ScriptReader(answers(output)), source)
    (whole, recorded_ends) = facts(RecordedReader(json.dumps(record).encode()), source)
    assert rows == whole
    assert ends == recorded_ends


@pytest.mark.lab
@pytest.mark.parametrize("missing", ["sed", "cut", "head", "ls", "tr", "stat", "timeout", "id"])
def test_a_missing_tool_leaves_unknown_and_nothing_wrong(
    missing: str, machine: Callable[[str], dict[str, Any]], tmp_path: Path
) -> None:
    """Of each field that is told, the value is that of the whole machine; no row is made up."""
    record = machine("openeuler-22.03")
    source = Source(name="m", type="linux")
    whole, _ = facts(RecordedReader(json.dumps(record).encode()), source)
    output = chroot(tmp_path, record, [tool for tool in TOOLS if tool != missing], 0)
    reader = ScriptReader(answers(output))
    if missing == "head":  # nothing can be read at all, and that is said
        assert reader.read_file("/etc/os-release") is Refusal.UNREADABLE
        return
    rows, ends = facts(reader, source)
    assert set(rows) <= set(whole)
    for uid, row in rows.items():
        told = {k: v for k, v in row.items() if k not in ("updates",)}
        assert [k for k, v in told.items() if not _within({k: v}, whole[uid])] == []
    if missing in ("stat", "timeout", "id", "tr"):
        assert set(rows) == set(whole)
    if missing == "sed":
        assert ends["account"][0] != "complete"
        assert ends["listener"][0] != "complete"


def _within(told: dict[str, Any], whole: dict[str, Any]) -> bool:
    return all(
        _within(value, whole[key]) if isinstance(value, dict) else value == whole.get(key)
        for key, value in told.items()
    )
