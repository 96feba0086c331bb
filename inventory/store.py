"""The store: snapshots on disk, with their history.

One writer at a time, any number of readers. Nothing is visible of a run before it has ended well, and a
run that is killed at any point leaves the snapshots before it whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import date, datetime

from sqlalchemy import Connection, Engine

from inventory import answers as people
from inventory import daily, history
from inventory.answers import Answer
from inventory.daily import UsageDay
from inventory.database import StoreBusyError, StoreError, connect, file_of, reported, writer_lock
from inventory.evidence import Evidence
from inventory.resource import RelationType
from inventory.snapshot import Change, Snapshot, SnapshotInfo, Version
from inventory.writer import Writer

__all__ = ["Store", "StoreBusyError", "StoreError", "Writer", "open_store"]


def open_store(url: str, *, create: bool = True) -> Store:
    """Open the store at ``sqlite:///path``, a plain path, or a PostgreSQL URL.

    With ``create`` a missing one is made. Raises StoreError for a file that is not ours, is of another
    release's format, or cannot be read.
    """
    return Store(connect(url, create=create))


class Store:
    """See ``open_store``. Every method raises StoreError where the database fails."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def close(self) -> None:
        """Give back the connections. Snapshots already loaded can no longer read further kinds."""
        self._engine.dispose()

    @contextmanager
    def writer(self, now: datetime, note: str = "") -> Iterator[Writer]:
        """Everything added becomes one new snapshot, taken at ``now``, when the block ends without an
        exception; otherwise nothing of it is kept. Raises StoreBusyError where another writer is at work.
        """
        path = file_of(self._engine)
        engine = self._engine.execution_options(writing=True)
        with writer_lock(self._engine), ExitStack() as stack:
            with reported(path):
                connection = stack.enter_context(engine.connect())
                transaction = connection.begin()
                day = daily.Day()
                writer = Writer(connection, path, now, note, day.take)
            yield writer  # outside ``reported``: the caller's own errors stay what they are
            writer.finish()
            with reported(path):
                day.record(connection, writer.info, writer.repeated)
                transaction.commit()

    def snapshots(self) -> list[SnapshotInfo]:
        """Every snapshot, oldest first."""
        with self._reading() as connection:
            return history.infos(connection)

    def snapshot(self, at: int | datetime | None = None) -> Snapshot:
        """The state at a snapshot's id, at a time (the last snapshot until then), or the latest.

        Volatile fields are known in the latest only. Raises StoreError where there is none.
        """
        with self._reading() as connection:
            return history.load(self._engine, connection, at)

    def diff(self, a: int, b: int, kind: str | None = None) -> list[Change]:
        """What changed between two snapshots, sorted by uid. Volatile fields are no change."""
        with self._reading() as connection:
            return history.diff(connection, a, b, kind)

    def timeline(self, uid: str) -> list[Version]:
        """Every version of one resource, oldest first; empty for a uid that never was."""
        with self._reading() as connection:
            return history.timeline(connection, uid)

    def referring(self, uid: str, type: RelationType | None = None) -> list[str]:  # noqa: A002
        """Uids of the resources whose relations lead to this one in the latest snapshot, sorted."""
        with self._reading() as connection:
            return history.referring(connection, uid, type)

    def evidence(self, id: str) -> Evidence | None:  # noqa: A002
        """The stored bytes with this digest."""
        with self._reading() as connection:
            return history.evidence(connection, id)

    def usage_days(
        self,
        *,
        since: date | None = None,
        source: str | None = None,
        holder: str | None = None,
        dimension: str | None = None,
        resource: str | None = None,
    ) -> list[UsageDay]:
        """What there was and who had it, a value a day, oldest first; each argument narrows it."""
        with self._reading() as connection:
            return daily.usage_days(
                connection, since=since, source=source, holder=holder, dimension=dimension, resource=resource
            )

    def record_answers(
        self,
        answers: Sequence[Answer],
        files: Mapping[str, bytes],
        now: datetime,
        *,
        unless_after: int | None = None,
    ) -> list[Answer]:
        """Append people's answers with their evidence files (digest → content), all or none; returned with
        their ids. Raises StoreBusyError where a run is being written, StoreError where an answer was
        recorded after the one with the id ``unless_after``, ValueError for a file without content."""
        path = file_of(self._engine)
        engine = self._engine.execution_options(writing=True)
        with (
            writer_lock(self._engine),
            reported(path),
            engine.connect() as connection,
            connection.begin(),
        ):
            return people.record(connection, answers, files, now, unless_after=unless_after)

    def answers(self, system: str | None = None) -> list[Answer]:
        """Every answer ever recorded, oldest first; of one system only where it is named."""
        with self._reading() as connection:
            return people.answers(connection, system)

    def answer_file(self, digest: str) -> bytes | None:
        """The content of an evidence file of an answer; None where there is none of this digest."""
        with self._reading() as connection:
            return people.file_content(connection, digest)

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with reported(file_of(self._engine)), self._engine.connect() as connection:
            yield connection
