"""Evidence files: what is taken, and what is refused before it is read."""

from __future__ import annotations

import os
import tracemalloc
from pathlib import Path

import pytest

from inventory.answers import digest_of
from zhengguan.errors import UserError
from zhengguan.evidence_files import read_evidence, safe_name


def test_a_file_comes_with_its_digest_and_name(tmp_path: Path) -> None:
    path = tmp_path / "会议 纪要.pdf"
    path.write_bytes(b"%PDF")
    file, content = read_evidence(path, 1)
    assert (file.name, file.size_bytes, content) == ("会议 纪要.pdf", 4, b"%PDF")
    assert file.digest == digest_of(b"%PDF")


def test_two_gigabytes_are_refused_by_their_size(tmp_path: Path) -> None:
    path = tmp_path / "disk.img"
    path.touch()
    os.truncate(path, 2 * 1024**3)  # sparse: it takes no room, and would take two gigabytes to read
    tracemalloc.start()
    with pytest.raises(UserError, match="太大（2048 MiB，上限 20 MiB）"):
        read_evidence(path, 20)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1024 * 1024


def test_the_limit_itself(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"x" * 1024 * 1024)
    assert read_evidence(path, 1)[0].size_bytes == 1024 * 1024
    path.write_bytes(b"x" * (1024 * 1024 + 1))
    with pytest.raises(UserError, match="太大"):
        read_evidence(path, 1)


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    fifo, empty, link = tmp_path / "fifo", tmp_path / "empty", tmp_path / "link"
    os.mkfifo(fifo)  # opening it for reading would wait for ever
    empty.touch()
    link.symlink_to("/etc/passwd")
    for path, said in ((fifo, "不是普通文件"), (tmp_path, "不是普通文件"), (empty, "空的")):
        with pytest.raises(UserError, match=said):
            read_evidence(path, 1)
    with pytest.raises(UserError, match="读不出"):
        read_evidence(tmp_path / "none", 1)
    with pytest.raises(UserError, match="读不出"):
        read_evidence(link, 1, follow=False)
    assert read_evidence(link, 1)[0].name == "link"


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("a.pdf", "a.pdf"),
        ("../../etc/passwd", "passwd"),
        ("C:\\x\\报告.docx", "报告.docx"),
        ("x\x1b[31m\u202egnp.exe\n", "x_[31m_gnp.exe_"),
        ("...", "file"),
        ("\udcff.txt", "?.txt"),
        ("长" * 300 + ".pdf", "长" * 116 + ".pdf"),
        ("y" * 300, "y" * 120),
    ],
)
def test_names_are_safe(name: str, safe: str) -> None:
    assert safe_name(name) == safe
