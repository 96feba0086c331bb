"""What a store survives: killed writers, full disks, folders without permission, foreign files."""

from __future__ import annotations

import os
import random
import resource
import signal
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from inventory.coverage import Batch, Collection, Status
from inventory.kinds.compute import Server
from inventory.resource import Relation
from inventory.store import StoreBusyError, StoreError, open_store

START = datetime(2026, 3, 1, tzinfo=UTC)

# Writes run after run without end; each run r gives every one of the servers vcpus=r. It says on stdout
# where it is, so that the killer can choose a moment inside it.
WRITER = """
import sys
from datetime import UTC, datetime
from inventory.coverage import Batch, Collection, Status
from inventory.kinds.compute import Server
from inventory.resource import Relation
from inventory.store import open_store

path, count, stop = sys.argv[1], int(sys.argv[2]), sys.argv[3]
now = datetime(2026, 3, 1, tzinfo=UTC)
done = Collection(source="a", kind="server", status=Status.COMPLETE, started_at=now, ended_at=now)
edge = Relation("runs_on", "h")

def say(word):
    print(word, flush=True)
    if word == stop:
        sys.stdin.read()  # waits to be killed

store = open_store(path)
while True:
    with store.writer(now) as writer:
        say("begun")
        for start in range(0, count, 500):
            rows = [
                Server(source="a", native_id=str(i), vcpus=writer.info.id, relations=[edge])
                for i in range(start, start + 500)
            ]
            writer.add(Batch(resources=rows))
            say("added")
        writer.add(Batch(collections=[done]))
        writer._flush()
        say("flushed")
    say("committed")
"""


def start(path: Path, count: int, stop: str = "") -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path), str(count), stop],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def wait_for(process: subprocess.Popen[str], word: str) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        if line.strip() == word:
            return
    raise AssertionError(f"the writer ended before it was {word}")


def kill(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGKILL)
    process.communicate()


def check_whole(path: Path, count: int) -> int:
    """Every snapshot there is, is complete; returns how many."""
    store = open_store(str(path), create=False)
    infos = store.snapshots()
    assert [i.id for i in infos] == list(range(1, len(infos) + 1))
    for info in infos[-2:]:
        servers = store.snapshot(info.id).of(Server)
        assert len(servers) == count
        assert {s.vcpus for s in servers} == {info.id}
    if infos:
        assert len(store.referring("h")) == count
    store.close()
    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        loose = "SELECT count(*) FROM version WHERE valid_from NOT IN (SELECT id FROM snapshot)"
        assert connection.execute(loose).fetchone() == (0,)
    connection.close()
    return len(infos)


@pytest.mark.parametrize("moment", ["begun", "added", "flushed"])
def test_killed_inside_a_run_leaves_the_snapshots_before_it(tmp_path: Path, moment: str) -> None:
    path = tmp_path / "s.db"
    first = start(path, 2000)
    wait_for(first, "committed")
    kill(first)
    before = check_whole(path, 2000)
    assert before >= 1
    process = start(path, 2000, stop=moment)
    wait_for(process, moment)
    kill(process)
    assert check_whole(path, 2000) == before
    store = open_store(str(path), create=False)
    with store.writer(START):  # the dead writer's lock is gone with it
        pass
    store.close()


def test_killed_at_any_moment_of_many_runs(tmp_path: Path) -> None:
    path, chance = tmp_path / "s.db", random.Random(20260301)
    snapshots = 0
    for _ in range(12):
        process = start(path, 1500)
        wait_for(process, "begun")
        try:
            process.wait(timeout=chance.uniform(0, 0.4))
            pytest.fail("the writer ended by itself")
        except subprocess.TimeoutExpired:
            kill(process)
        now = check_whole(path, 1500)
        assert now >= snapshots
        snapshots = now


def test_killed_while_the_store_is_made(tmp_path: Path) -> None:
    chance = random.Random(7)
    for number in range(6):
        path = tmp_path / f"{number}.db"
        process = start(path, 500)
        while not path.exists() and process.poll() is None:
            pass
        try:
            process.wait(timeout=chance.uniform(0, 0.03))
        except subprocess.TimeoutExpired:
            kill(process)
        store = open_store(str(path))
        with store.writer(START) as writer:
            writer.add(Batch(resources=[Server(source="b", native_id="1")]))
        assert "b/server/1" in {r.uid for r in store.snapshot()}
        store.close()


def test_a_second_process_is_told_who_holds_the_store(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    process = start(path, 500, stop="added")
    wait_for(process, "added")
    store = open_store(str(path), create=False)
    with pytest.raises(StoreBusyError, match=str(process.pid)) as caught, store.writer(START):
        pass
    assert caught.value.holder == process.pid
    assert store.snapshots() == []  # reading is free all the while
    kill(process)
    with store.writer(START) as writer:
        writer.add(Batch(resources=[Server(source="b", native_id="1")]))
    store.close()


# Disks and permissions

FULL = """
import resource, sys
from datetime import UTC, datetime
from inventory.coverage import Batch
from inventory.kinds.compute import Server
from inventory.store import StoreError, open_store

store = open_store(sys.argv[1], create=False)
limit = int(sys.argv[2])
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
try:
    with store.writer(datetime.now(UTC)) as writer:
        for i in range(0, 60_000, 500):
            rows = [Server(source="a", native_id=f"new-{n}", name="x" * 200) for n in range(i, i + 500)]
            writer.add(Batch(resources=rows))
except StoreError as error:
    print(error.reason, "|", error.remedy)
"""


def filled(path: Path) -> None:
    store = open_store(str(path))
    with store.writer(START) as writer:
        done = Collection(source="a", kind="server", status=Status.COMPLETE, started_at=START, ended_at=START)
        rows = [
            Server(source="a", native_id=str(i), vcpus=1, relations=[Relation("runs_on", "h")])
            for i in range(1500)
        ]
        writer.add(Batch(resources=rows, collections=[done]))
    store.close()


def test_a_file_that_may_grow_no_more_is_one_clear_line_and_nothing_lost(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    filled(path)
    for limit in (0, 100_000, 4_000_000):
        answer = subprocess.run(
            [sys.executable, "-c", FULL, str(path), str(limit)], capture_output=True, text=True, check=True
        )
        assert answer.stderr == ""
        assert answer.stdout.count("\n") == 1
        assert answer.stdout.startswith("磁盘写不下了")
        assert "腾出空间" in answer.stdout
        assert check_whole(path, 1500) == 1


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A real file system of 3 MB; needs the right to mount, else a limit on the file's size stands in."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode == 0:
        yield folder
        subprocess.run(["umount", str(folder)], check=True)
        return
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_500_000, before[1]))
    yield folder
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_is_one_clear_line_and_the_store_goes_on_when_there_is_room(small_disk: Path) -> None:
    path = small_disk / "s.db"
    filled(path)
    store = open_store(str(path))
    many = [Server(source="a", native_id=f"n{i}", name="x" * 100) for i in range(12_000)]
    for _ in range(2):
        with pytest.raises(StoreError, match="磁盘写不下了"), store.writer(START) as writer:
            writer.add(Batch(resources=list(many)))
        assert [i.id for i in store.snapshots()] == [1]
        assert len(store.snapshot()) == 1500
    with store.writer(START) as writer:
        writer.add(Batch(resources=[Server(source="b", native_id="1")]))
    assert len(store.snapshot()) == 1501
    store.close()


READ_ONLY = """
import os, sys
from datetime import UTC, datetime
from inventory.store import StoreError, open_store
if os.geteuid() == 0:
    os.setgid(65534)
    os.setuid(65534)
for path in sys.argv[1:]:
    try:
        with open_store(path).writer(datetime.now(UTC)):
            pass
        print("written")
    except StoreError as error:
        print(error.reason, "|", error.remedy)
"""


def test_a_folder_without_permission_is_one_clear_line(tmp_path: Path) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        filled(folder / "held.db")
        folder.chmod(0o555)
        (folder / "held.db").chmod(0o444)
        answer = subprocess.run(
            [
                sys.executable,
                "-c",
                READ_ONLY,
                str(folder / "held.db"),
                str(folder / "new.db"),
                "/proc/x/y.db",
            ],
            capture_output=True,
            text=True,
            check=True,
        )
        folder.chmod(0o755)
    lines = answer.stdout.splitlines()
    assert len(lines) == 3, answer.stdout + answer.stderr
    assert all("权限" in line and "written" not in line for line in lines)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"this is not a database, it is a letter" * 100, "不是政观的库"),
        (b"SQLite format 3\0" + b"\xff" * 5000, "不是政观的库"),
    ],
)
def test_a_file_that_is_no_database_is_left_alone(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "letter.txt"
    path.write_bytes(content)
    with pytest.raises(StoreError, match=reason):
        open_store(str(path))
    assert path.read_bytes() == content


def test_another_programs_database_is_left_alone(tmp_path: Path) -> None:
    for name, table in (("a.db", "accounts (id)"), ("b.db", "meta (id)")):
        path = tmp_path / name
        with sqlite3.connect(path) as connection:
            connection.execute(f"CREATE TABLE {table}")
        connection.close()
        before = path.read_bytes()
        with pytest.raises(StoreError, match="不是政观的库") as caught:
            open_store(str(path))
        assert caught.value.remedy
        assert path.read_bytes() == before


def test_a_store_of_another_release_is_refused_with_both_versions(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    filled(path)
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE meta SET value = '99' WHERE key = 'schema'")
    connection.close()
    with pytest.raises(StoreError, match=r"第 99 版.*第 1 版"):
        open_store(str(path))


def test_a_damaged_page_is_said_and_not_guessed_over(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    filled(path)
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(4096 * 12)
        file.write(os.urandom(size - 4096 * 12))
    with pytest.raises(StoreError, match="损坏"):
        len(open_store(str(path)).snapshot())


def test_a_missing_store_is_not_made_by_a_reader(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="库不存在"):
        open_store(str(tmp_path / "none.db"), create=False)
    assert list(tmp_path.iterdir()) == []
    open_store(str(tmp_path / "deep" / "er" / "s.db")).close()
    assert (tmp_path / "deep" / "er" / "s.db").exists()


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "gopher://x/y", "::://"])
def test_an_address_that_is_no_store_is_one_clear_line(url: str) -> None:
    with pytest.raises(StoreError) as caught:
        open_store(url)
    assert caught.value.reason
    assert caught.value.remedy


def test_locked_by_another_program_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "s.db"
    filled(path)
    monkeypatch.setattr("inventory.database._BUSY_SECONDS", 0.1)
    foreign = sqlite3.connect(path, isolation_level=None)
    foreign.execute("BEGIN IMMEDIATE")
    store = open_store(str(path))
    with pytest.raises(StoreError, match="锁住"), store.writer(START):
        pass
    foreign.execute("ROLLBACK")
    foreign.close()
    with store.writer(START):
        pass
    store.close()
