"""Open a database: the URL as users write it, the settings both databases need, transactions for writing and reading."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import Connection, Engine, Table, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DisconnectionError

from portfolio_sync.core.redact import hide
from portfolio_sync.errors import DatabaseError, SurroundingsError
from portfolio_sync.store.decimal_sum import register
from portfolio_sync.store.surroundings import explained

__all__ = [
    "Connection",
    "Engine",
    "create_file",
    "insert_for",
    "insert_into",
    "is_sqlite",
    "open_engine",
    "parse_url",
    "reading",
    "writing",
]

# KiB of its pages that each connection keeps: what writes a history wants it whole, what reads one goes through it once.
PAGES, FEW_PAGES = 65_536, 8_192
BUSY_TIMEOUT = 30_000  # milliseconds that a SQLite connection waits for another writer
# Measured (1,000,000 rows of 12 columns): 118,000 rows a second with these two, 76,000 without.
SQLITE_PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=NORMAL",
    "PRAGMA foreign_keys=ON",
    "PRAGMA wal_autocheckpoint=20000",
    "PRAGMA temp_store=MEMORY",
)
# A server that vanished without a word is given up after a minute; the system's own patience is hours.
POSTGRESQL = {
    "application_name": "portfolio-sync",
    "connect_timeout": "10",
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
    "tcp_user_timeout": "60000",
}
CONNECTIONS = 10
RESTED = 5  # seconds; a connection that was used since is not asked first whether it is still there
DRIVERS = {"sqlite": "sqlite", "sqlite+pysqlite": "sqlite"} | dict.fromkeys(
    ("postgres", "postgresql", "postgresql+psycopg"), "postgresql+psycopg"
)


def parse_url(text: str) -> URL:
    """A database URL. ``postgresql://`` means psycopg. Raises DatabaseError, which never repeats the URL's password."""
    try:
        url = make_url(text)
    except ArgumentError:
        raise DatabaseError(
            "the database URL cannot be read: use sqlite:///FILE or postgresql://USER@HOST/NAME"
        ) from None
    if url.drivername not in DRIVERS:
        raise DatabaseError(f"{url.drivername}: only sqlite and postgresql databases are supported")
    url = url.set(drivername=DRIVERS[url.drivername])
    hide(url.password or "")
    if url.drivername == "sqlite" and url.database in (None, "", ":memory:"):
        raise DatabaseError("a SQLite database needs a file: sqlite:///portfolio.db")
    return url


def open_engine(
    url: str | URL, connections: int = CONNECTIONS, busy_timeout: int = BUSY_TIMEOUT, pages: int = PAGES
) -> Engine:
    """An engine; connects lazily and creates nothing. Raises DatabaseError for a URL that cannot work.

    ``connections``: the most it has open at once; whoever wants one more waits half a minute for it. ``busy_timeout``:
    milliseconds that a writer on SQLite waits for another one; ``pages``: KiB that each of its connections keeps.
    """
    parsed = parse_url(url) if isinstance(url, str) else url
    pool = {"pool_size": connections, "max_overflow": 0, "pool_timeout": 30, "pool_use_lifo": True}
    return _sqlite(parsed, pool, busy_timeout, pages) if parsed.drivername == "sqlite" else _postgresql(parsed, pool)


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """One transaction that may write. On SQLite it takes the write lock at once, so that it never fails half way."""
    with explained(engine.url), engine.connect() as plain:
        connection = plain.execution_options(begin="BEGIN IMMEDIATE")
        with connection.begin():
            yield connection


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """One snapshot: all that is read inside belongs together, and no writer waits for it."""
    with explained(engine.url), engine.connect() as plain:
        options: dict[str, Any] = (
            {} if is_sqlite(engine) else {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        )
        connection = plain.execution_options(**options)
        with connection.begin():
            yield connection


def is_sqlite(bind: Engine | Connection) -> bool:
    return bind.dialect.name == "sqlite"


def insert_for(table: Table, *, lite: bool) -> Any:
    """``insert_into`` for a statement that is made once. ``lite``: for SQLite."""
    # by name: on SQLite the other dialect is never loaded
    return import_module(f"sqlalchemy.dialects.{'sqlite' if lite else 'postgresql'}").insert(table)


def insert_into(connection: Connection, table: Table) -> Any:
    """An INSERT that knows ``on_conflict_do_update`` (the two dialects spell it alike, their types have no common base)."""
    return insert_for(table, lite=is_sqlite(connection))


def create_file(url: URL) -> None:
    """Make an empty SQLite file that only its owner can read, with its folder. The -wal and -shm files inherit the mode."""
    path = Path(url.database or "")
    if path.exists():
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))  # not O_EXCL: two processes may create it at once
    except OSError as error:
        raise SurroundingsError(f"{path}: cannot be created: {error.strerror}") from None


def _sqlite(url: URL, pool: dict[str, Any], busy_timeout: int, pages: int) -> Engine:
    def connect() -> sqlite3.Connection:
        # mode=rw: a misspelt path is an error, not a new empty database
        path = quote(os.path.abspath(url.database or ""))  # noqa: PTH100 - Path.resolve would follow the user's links
        connection = sqlite3.connect(f"file:{path}?mode=rw", uri=True, check_same_thread=False, isolation_level=None)
        for pragma in (f"PRAGMA busy_timeout={busy_timeout}", f"PRAGMA cache_size=-{pages}", *SQLITE_PRAGMAS):
            connection.execute(pragma)
        register(connection)
        return connection

    engine = create_engine(url.set(query={}), creator=connect, hide_parameters=True, **pool)

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # Python's sqlite3 would begin late and commit before DDL; a half-done migration could not be rolled back.
        connection.exec_driver_sql(connection.get_execution_options().get("begin", "BEGIN"))

    return engine


def _postgresql(url: URL, pool: dict[str, Any]) -> Engine:
    import psycopg

    asked = url.update_query_dict({**POSTGRESQL, **url.query})
    engine = create_engine(asked, hide_parameters=True, **pool)

    @event.listens_for(engine, "connect")
    def _in_utc(connection: Any, _record: object) -> None:
        connection.autocommit = True
        connection.execute("SET TIME ZONE 'UTC'")
        connection.autocommit = False

    @event.listens_for(engine, "checkin")
    def _rests(_connection: object, record: Any) -> None:
        record.info["rests_since"] = time.monotonic()

    @event.listens_for(engine, "checkout")
    def _still_there(connection: Any, record: Any, _proxy: object) -> None:
        if time.monotonic() - record.info.get("rests_since", time.monotonic()) < RESTED:
            return
        try:
            connection.execute("SELECT 1")
            connection.rollback()
        except psycopg.Error:
            raise DisconnectionError from None  # the pool opens a new one

    return engine
