"""Answers survive whoever dies while writing them: a batch is there with its evidence, or not at all."""

from __future__ import annotations

import multiprocessing
import os
import random
import sqlite3
import time
from datetime import UTC, date, datetime
from multiprocessing.connection import Connection
from pathlib import Path

import pytest
from sqlalchemy import Engine, event

from inventory.answers import Answer, AnswerFile, digest_of
from inventory.store import open_store

BATCH = 20
NOW = datetime(2026, 3, 1, tzinfo=UTC)
FORK = multiprocessing.get_context("fork")  # a new interpreter would take seconds for each


def answer(subject: str, file: AnswerFile | None) -> Answer:
    return Answer(
        system="s",
        standard="dengbao",
        about="control",
        subject=subject,
        verdict="pass",
        by="b",
        answered_at=NOW,
        valid_until=date(2027, 1, 1),
        files=(file,) if file else (),
    )


def write(path: str, say: Connection) -> None:
    """Batch after batch without end; each with an evidence file of its own, half a megabyte of noise."""
    store = open_store(path)
    while True:
        content = os.urandom(500_000)
        file = AnswerFile(digest=digest_of(content), name="f", size_bytes=len(content))
        batch = [answer(str(n), file) for n in range(BATCH)]
        store.record_answers(batch, {file.digest: content}, NOW)
        say.send("committed")


def check_whole(path: Path) -> int:
    """Every batch there is, is complete; returns the number of answers."""
    store = open_store(str(path), create=False)
    answers = store.answers()
    assert len(answers) % BATCH == 0
    assert [a.id for a in answers] == list(range(1, len(answers) + 1))
    for digest in {f.digest for a in answers for f in a.files}:
        content = store.answer_file(digest)
        assert content is not None
        assert digest_of(content) == digest
    store.record_answers([], {}, NOW)  # the dead writer's lock is gone
    store.close()
    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        stored = connection.execute("SELECT count(*) FROM answer_file").fetchone()
        assert stored == (len(answers) // BATCH,)  # no file without its answers
    connection.close()
    return len(answers)


MOMENTS = ("INSERT INTO answer_file ", "INSERT INTO answer ", "commit")


def write_until(path: str, say: Connection, moment: str) -> None:
    """Write, and at the moment say so and wait to be killed."""

    def stop() -> None:
        say.send(moment)
        time.sleep(60)

    def before(conn: object, cursor: object, statement: str, *_: object) -> None:
        if statement.startswith(moment):
            stop()

    event.listen(Engine, "before_cursor_execute", before)
    if moment == "commit":
        event.listen(Engine, "commit", lambda _: stop())
    write(path, say)


@pytest.mark.parametrize("moment", MOMENTS)
def test_killed_inside_a_batch_leaves_nothing_of_it(tmp_path: Path, moment: str) -> None:
    path = tmp_path / "s.db"
    store = open_store(str(path))
    held = store.record_answers([answer(str(n), None) for n in range(BATCH)], {}, NOW)
    store.close()
    hear, say = FORK.Pipe(duplex=False)
    process = FORK.Process(target=write_until, args=(str(path), say, moment))
    process.start()
    assert hear.recv() == moment
    process.kill()
    process.join()
    store = open_store(str(path), create=False)
    assert store.answers() == held
    store.record_answers([], {}, NOW)  # the dead writer's lock is gone
    store.close()
    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("SELECT count(*) FROM answer_file").fetchone() == (0,)
    connection.close()


def test_killed_at_any_moment(tmp_path: Path) -> None:
    path, chance = tmp_path / "s.db", random.Random(20261122)
    open_store(str(path)).close()
    held = 0
    for _ in range(3):
        hear, say = FORK.Pipe(duplex=False)
        process = FORK.Process(target=write, args=(str(path), say))
        process.start()
        assert hear.recv() == "committed"
        time.sleep(chance.uniform(0, 0.05))
        process.kill()
        process.join()
        process.close()
        hear.close()
        say.close()
        now = check_whole(path)
        assert now > held
        held = now
