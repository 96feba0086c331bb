"""The tables of the store. One schema for SQLite and PostgreSQL.

Validity is a half-open interval of snapshot ids: a row holds at snapshot N when
``valid_from <= N < valid_to``. ``valid_to`` of a row that still holds is ``OPEN``, a number and not NULL,
so that one comparison answers "as of" for old and new snapshots alike.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    and_,
    literal_column,
)

SCHEMA_VERSION = 1
OPEN = 2**31 - 1

_ROW_ID = BigInteger().with_variant(Integer(), "sqlite")  # only INTEGER aliases SQLite's rowid

metadata = MetaData()

meta = Table("meta", metadata, Column("key", Text, primary_key=True), Column("value", Text, nullable=False))

snapshot = Table(
    "snapshot",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("taken_at", BigInteger, nullable=False, index=True),  # microseconds since 1970, UTC
    Column("note", Text, nullable=False),
)

version = Table(
    "version",
    metadata,
    Column("id", _ROW_ID, primary_key=True, autoincrement=False),
    Column("uid", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("scope", Text, nullable=False),
    Column("valid_from", Integer, nullable=False, index=True),
    Column("valid_to", Integer, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    Column("body", LargeBinary, nullable=False),  # JSON of the resource without its volatile fields
)
Index("version_uid", version.c.uid, version.c.valid_from)
Index("version_kind", version.c.kind, version.c.valid_to, version.c.valid_from)

# A literal, because neither database uses a partial index for a bound parameter.
STILL_OPEN: ColumnElement[bool] = version.c.valid_to == literal_column(str(OPEN))
ENDED: ColumnElement[bool] = version.c.valid_to < literal_column(str(OPEN))
Index("version_ended", version.c.valid_to, sqlite_where=ENDED, postgresql_where=ENDED)
# Carries what a writer compares, so that no body is read to find out that nothing changed.
Index(
    "version_live",
    version.c.source,
    version.c.kind,
    version.c.uid,
    version.c.hash,
    version.c.valid_to,  # or SQLite looks into the row to test what the index already promises
    sqlite_where=STILL_OPEN,
    postgresql_where=STILL_OPEN,
)

relation = Table(
    "relation",
    metadata,
    Column("target", Text, primary_key=True),
    Column("type", Text, primary_key=True),
    Column("version", _ROW_ID, primary_key=True, autoincrement=False),
    sqlite_with_rowid=False,
)

volatile = Table(  # the latest values only: they have no history
    "volatile",
    metadata,
    Column("uid", Text, primary_key=True),
    Column("kind", Text, nullable=False, index=True),
    Column("snapshot", Integer, nullable=False),
    Column("body", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)

stale = Table(  # rows that hold although the latest attempt did not show them
    "stale",
    metadata,
    Column("uid", Text, primary_key=True),
    Column("valid_from", Integer, primary_key=True, autoincrement=False),
    Column("valid_to", Integer, nullable=False, index=True),
    Column("last_seen", Integer, nullable=False),  # snapshot id
    sqlite_with_rowid=False,
)

collection = Table(  # valid until the next attempt at the same (source, scope, kind)
    "collection",
    metadata,
    Column("source", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("scope", Text, primary_key=True),
    Column("valid_from", Integer, primary_key=True, autoincrement=False),
    Column("valid_to", Integer, nullable=False, index=True),
    Column("completed_at", BigInteger),  # end of the last complete attempt up to this one, microseconds
    Column("body", LargeBinary, nullable=False),
)

evidence = Table(
    "evidence",
    metadata,
    Column("id", Text, primary_key=True),
    Column("source", Text, nullable=False),
    Column("origin", Text, nullable=False),
    Column("media_type", Text, nullable=False),
    Column("captured_at", BigInteger, nullable=False),
    Column("content", LargeBinary, nullable=False),  # zlib
)

usage_day = Table(  # younger than the first stores: made on the first run that writes it (inventory.daily)
    "usage_day",
    metadata,
    Column("day", Text, primary_key=True),  # ISO date
    Column("source", Text, primary_key=True),
    Column("holder", Text, primary_key=True),
    Column("dimension", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("resource", Text, primary_key=True),
    Column("capacity", Float(53)),
    Column("schedulable", Float(53)),
    Column("allocated", Float(53)),
    Column("used", Float(53)),
    Column("holders", Integer, nullable=False),
    Column("unknown", Integer, nullable=False),
    Column("complete", Integer, nullable=False),
    sqlite_with_rowid=False,
)

answer = Table(  # younger than the first stores, as usage_day: made when the first answer is recorded
    "answer",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("system", Text, nullable=False, index=True),
    Column("standard", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("recorded_at", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),  # JSON of the answer
)

answer_file = Table(
    "answer_file",
    metadata,
    Column("id", Text, primary_key=True),  # SHA-256 of the content
    Column("size_bytes", BigInteger, nullable=False),
    Column("recorded_at", BigInteger, nullable=False),
    Column("content", LargeBinary, nullable=False),  # zlib
)


def holds_at(table: Table, snapshot_id: int) -> ColumnElement[bool]:
    """Rows of a table with validity that hold at a snapshot."""
    return and_(table.c.valid_from <= snapshot_id, table.c.valid_to > snapshot_id)
