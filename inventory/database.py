"""Opening a store's database: connections, schema, the writer's lock, and errors in the user's words."""

from __future__ import annotations

import errno
import fcntl
import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import (
    Connection,
    Engine,
    Select,
    Table,
    UpdateBase,
    create_engine,
    event,
    inspect,
    select,
    text,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError

from inventory.tables import SCHEMA_VERSION, meta, metadata

_LOCK_KEY = 0x7A67_7374_6F72_65  # of PostgreSQL's advisory lock: "zgstore"
_BUSY_SECONDS = 10.0


class StoreError(Exception):
    """The store cannot do it. ``reason`` and ``remedy`` are for the user (中文), one line each."""

    def __init__(self, reason: str, remedy: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.remedy = remedy


class StoreBusyError(StoreError):
    """Another writer holds the store; ``holder`` is its process id (0 = not known)."""

    def __init__(self, holder: int) -> None:
        who = f"进程 {holder}" if holder else "另一个进程"
        super().__init__(f"库正被{who}写入", "等它结束后再试；同一个库一次只能有一个采集在写")
        self.holder = holder


def connect(url: str, *, create: bool) -> Engine:
    """An engine on a database that holds our schema. Raises StoreError."""
    parsed = _parse(url)
    path = _path(parsed)
    with reported(path):
        if path is not None and not path.exists():
            if not create:
                raise StoreError(f"库不存在：{path}", "先运行 zhengguan collect，或检查配置里的路径")
            path.parent.mkdir(parents=True, exist_ok=True)
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600))  # it lists weaknesses: its owner's alone
        engine = create_engine(parsed, connect_args={"timeout": _BUSY_SECONDS} if path else {})
        if path is not None:
            _tune_sqlite(engine)
        try:
            _check_schema(engine, path, create=create)
        except BaseException:
            engine.dispose()
            raise
    return engine


def _parse(url: str) -> URL:
    if "://" not in url:
        return URL.create("sqlite", database=str(Path(url).expanduser()))
    try:
        parsed = make_url(url)
        parsed.get_dialect()
    except (ArgumentError, NoSuchModuleError) as error:
        raise StoreError(f"不认识的库地址：{url.split('://', 1)[0]}://…", "写成 sqlite:///路径") from error
    return parsed


def _path(url: URL) -> Path | None:
    if url.get_backend_name() != "sqlite":
        return None
    if not url.database or url.database == ":memory:":
        raise StoreError("库必须是一个文件", "写成 sqlite:///路径")
    return Path(url.database)


def _tune_sqlite(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def _(connection: sqlite3.Connection, _: Any) -> None:
        connection.isolation_level = None  # transactions are begun below, and so hold schema changes too
        connection.execute("PRAGMA journal_size_limit = 67108864")
        connection.execute("PRAGMA cache_size = -32768")  # KiB

    @event.listens_for(engine, "begin")
    def _(connection: Connection) -> None:
        writing = connection.get_execution_options().get("writing")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")


def _check_schema(engine: Engine, path: Path | None, *, create: bool) -> None:
    where = path or engine.url.render_as_string(hide_password=True)
    names = set(inspect(engine).get_table_names())
    if meta.name not in names:
        if path is not None and names:
            raise StoreError(f"{where} 不是政观的库", "换一个路径，或指向原来的库")
        if not create:
            raise StoreError(f"库是空的：{where}", "先运行 zhengguan collect")
        if path is not None:
            raw = engine.raw_connection()  # the journal mode cannot change inside a transaction
            try:
                raw.cursor().execute("PRAGMA journal_mode = WAL")
            finally:
                raw.close()
        with engine.connect().execution_options(writing=True) as connection, connection.begin():
            metadata.create_all(connection)
            if connection.scalar(select(meta.c.value).where(meta.c.key == "schema")) is None:
                connection.execute(meta.insert(), {"key": "schema", "value": str(SCHEMA_VERSION)})
    columns = {column["name"] for column in inspect(engine).get_columns(meta.name)}
    if not {"key", "value"} <= columns:
        raise StoreError(f"{where} 不是政观的库", "换一个路径，或指向原来的库")
    with engine.connect() as connection:
        found = connection.scalar(select(meta.c.value).where(meta.c.key == "schema"))
    if found is None:
        raise StoreError(f"{where} 不是政观的库", "换一个路径，或指向原来的库")
    if found != str(SCHEMA_VERSION):
        raise StoreError(
            f"库的格式是第 {found} 版，本程序用第 {SCHEMA_VERSION} 版",
            "用写它的那个版本的程序打开，或换一个路径",
        )


@contextmanager
def writer_lock(engine: Engine) -> Iterator[None]:
    """Hold the store for writing. Raises StoreBusyError at once where another writer does.

    The lock belongs to the process (or session): it vanishes with it, however it ends.
    """
    path = _path(engine.url)
    if path is None:
        with _advisory_lock(engine):
            yield
        return
    with reported(path):
        descriptor = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.pread(descriptor, 20, 0).strip()
            raise StoreBusyError(int(holder) if holder.isdigit() else 0) from error
        # Fixed width and no truncation: a full disk must not get in the way of a name tag.
        with reported(path):
            os.pwrite(descriptor, b"%20d" % os.getpid(), 0)
        yield
    finally:
        os.close(descriptor)


@contextmanager
def _advisory_lock(engine: Engine) -> Iterator[None]:
    with ExitStack() as stack:
        with reported(None):
            connection = stack.enter_context(engine.connect())
            connection.execution_options(isolation_level="AUTOCOMMIT")
            if not connection.scalar(text("SELECT pg_try_advisory_lock(:key)"), {"key": _LOCK_KEY}):
                raise StoreBusyError(_advisory_holder(connection))
        try:
            yield
        finally:
            # The session goes back to the pool and would keep the lock.
            connection.scalar(text("SELECT pg_advisory_unlock(:key)"), {"key": _LOCK_KEY})


def _advisory_holder(connection: Connection) -> int:
    found = connection.scalar(
        text(
            "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted "
            "AND classid = :high AND objid = :low AND objsubid = 1"
        ),
        {"high": _LOCK_KEY >> 32, "low": _LOCK_KEY & 0xFFFF_FFFF},
    )
    return int(found or 0)


def tuples(connection: Connection, statement: Select[Any]) -> Sequence[tuple[Any, ...]]:
    """The rows as the driver gives them, which cost a fifth of SQLAlchemy's. For columns of numbers, text
    and bytes only."""
    cursor = connection.execute(statement).cursor
    assert cursor is not None  # a SELECT has one
    rows: Sequence[tuple[Any, ...]] = cursor.fetchall()
    return rows


def insert_many(
    connection: Connection, table: Table, rows: Sequence[tuple[Any, ...]], *, replace: tuple[str, ...] = ()
) -> None:
    """Insert rows given as tuples in the order of the table's columns. Where the primary key is taken, the
    columns ``replace`` take the new values, if the last of them differs."""
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    statement = dialect.insert(table)
    if replace:
        new = statement.excluded
        statement = statement.on_conflict_do_update(
            index_elements=table.primary_key,
            set_={name: new[name] for name in replace},
            where=table.c[replace[-1]] != new[replace[-1]],
        )
    execute_many(connection, statement, table.c.keys(), rows)


def execute_many(
    connection: Connection, statement: UpdateBase, names: list[str], rows: Sequence[tuple[Any, ...]]
) -> None:
    """Run a statement for each row, a tuple of its parameters ``names`` in the order they stand in it.

    SQLAlchemy makes the statement only: to make a dict and then parameters of every row costs it more
    time than the database needs for all the rest.
    """
    if not rows:
        return
    compiled = statement.compile(dialect=connection.dialect)
    if compiled.positional:
        assert compiled.positiontup == names
        connection.exec_driver_sql(compiled.string, rows)
    else:
        connection.exec_driver_sql(compiled.string, [dict(zip(names, row, strict=True)) for row in rows])


@contextmanager
def reported(path: Path | None) -> Iterator[None]:
    """Turn the database's and the system's errors into a StoreError that says what to do."""
    try:
        yield
    except DBAPIError as error:
        raise _explained(str(error.orig), path) from error
    except sqlite3.Error as error:
        raise _explained(str(error), path) from error
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise _explained("disk is full", path) from error
        raise StoreError(f"库 {path or ''} 打不开：{error.strerror}", "检查路径和目录的写权限") from error


_EXPLANATIONS = (
    (
        ("disk is full", "disk i/o error", "no space left", "could not extend file"),
        "磁盘写不下了，这一次没有写入，上一个快照完好",
        "腾出空间后重新采集",
    ),
    (("readonly database", "read-only"), "库只读，写不进去", "检查库文件和所在目录的写权限"),
    (("unable to open database",), "库打不开", "检查路径是否存在、当前用户对目录有没有读写权限"),
    (
        ("not a database", "malformed", "unsupported file format", "no such table", "no such column"),
        "库文件损坏，或不是政观的库",
        "换一个路径，或从备份恢复；原文件没有被改动",
    ),
    (("is locked", "busy"), "库被别的程序锁住", "关掉正在打开它的程序后再试"),
    (("connection", "could not connect"), "连不上数据库服务", "检查地址、网络和数据库服务"),
)


def _explained(message: str, path: Path | None) -> StoreError:
    where = f"（{path}）" if path else ""
    lower = message.lower()
    for marks, reason, remedy in _EXPLANATIONS:
        if any(mark in lower for mark in marks):
            return StoreError(f"{reason}{where}", remedy)
    first = message.strip().splitlines()[0] if message.strip() else "未知错误"
    return StoreError(f"库读写出错{where}：{first}", "用 --debug 重试并查看日志")


def file_of(engine: Engine) -> Path | None:
    """The file of a SQLite store; None for a server."""
    return _path(engine.url)
