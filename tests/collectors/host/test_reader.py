from __future__ import annotations

import os
from pathlib import Path

import pytest

from collectors.host.notebook import decode, lines
from collectors.host.reader import (
    COMMANDS,
    MAX_FILE_BYTES,
    LocalReader,
    Output,
    Refusal,
    allowed,
)
from collectors.host.recording import RecordedReader

READER = LocalReader()


def test_files_and_refusals(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"text\n")
    (tmp_path / "big").write_bytes(b"x" * (MAX_FILE_BYTES + 1))
    (tmp_path / "limit").write_bytes(b"x" * MAX_FILE_BYTES)
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to("loop")
    assert READER.read_file(f"{tmp_path}/a") == b"text\n"
    assert READER.read_file(f"{tmp_path}/none") is Refusal.NOT_FOUND
    assert READER.read_file(f"{tmp_path}/a/b") is Refusal.NOT_FOUND
    for name in ("big", "pipe", "loop", ".", "a\0b"):
        assert READER.read_file(f"{tmp_path}/{name}") is Refusal.UNREADABLE, name
    assert len(READER.read_file(f"{tmp_path}/limit")) == MAX_FILE_BYTES
    assert READER.list_dir(str(tmp_path)) == ["a", "big", "limit", "loop", "pipe"]
    assert READER.read_link(f"{tmp_path}/loop") == "loop"


def test_proc_files_that_refuse_large_reads() -> None:
    assert READER.read_file("/proc/sys/kernel/osrelease") == os.uname().release.encode() + b"\n"


def test_only_the_list_is_run() -> None:
    for argv in (("sh", "-c", "id"), ("uname", "-a"), ("sshd", "-T", "-f", "relative"), ("sshd", "-D"), ()):
        assert not allowed(argv)
        with pytest.raises(ValueError, match="allowed"):
            READER.run(argv)
    answer = READER.run(("uname", "-m"))
    assert isinstance(answer, Output)
    assert answer.stdout.decode().strip() == os.uname().machine


def test_no_command_of_the_list_can_write() -> None:
    words = {word for argv in COMMANDS for word in argv[1:]}
    assert not words & {
        "install",
        "upgrade",
        "update",
        "set",
        "add",
        "del",
        "-w",
        "flush",
        "restart",
        "makecache",
        "-e",
    }


def test_command_ends_at_its_timeout() -> None:
    reader = LocalReader(timeout=lambda _: 0.001)
    assert reader.run(
        tuple("apt -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= list --upgradable".split())
    ) is (Refusal.UNREADABLE)


def test_what_was_not_recorded_is_unreadable_and_not_absent() -> None:
    reader = RecordedReader(
        b'{"files": {"/a/b": "x", "/c": {"base64": "//4="}, "/d": {"refused": "denied"}}}'
    )
    assert reader.read_file("/a/b") == b"x"
    assert reader.read_file("/c") == b"\xff\xfe"
    assert reader.read_file("/d") is Refusal.DENIED
    assert reader.read_file("/x") is Refusal.UNREADABLE
    assert reader.list_dir("/a") == ["b"]
    assert reader.list_dir("/x") is Refusal.UNREADABLE
    assert reader.run(("uname", "-m")) is Refusal.UNREADABLE


def test_text_of_any_encoding() -> None:
    assert decode("系统管理员".encode("gbk")) == "系统管理员"
    assert decode("系统管理员".encode()) == "系统管理员"
    assert "\0" not in decode(b"a\0b\xff\xff\xff")
    assert list(lines(b"a \\\n b\n# c\n\n  d\r\n")) == ["a   b", "d"]
