"""Run one query that cannot write, whatever it says: the database itself refuses, not a parser of ours."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Engine

from portfolio_sync.errors import UsageError
from portfolio_sync.store.bulk import driver
from portfolio_sync.store.decimal_sum import register
from portfolio_sync.store.engine import is_sqlite
from portfolio_sync.store.surroundings import explained, remedy

if TYPE_CHECKING:
    import psycopg

Result = tuple[list[str], Iterator[tuple[Any, ...]]]
# PostgreSQL lets ``COPY ... TO PROGRAM`` pass in a read-only transaction, so what is no query does not even start.
QUERIES = ("select", "with", "values", "table", "explain", "show")
NO_CURSOR = ("explain", "show")
FIRST_WORD = re.compile(r"(?:\s|\(|--[^\n]*\n|/\*.*?\*/)*(?P<word>[A-Za-z]+)", re.DOTALL)
READS = {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE}
DESCRIBING = frozenset({"table_info", "table_xinfo", "table_list", "index_list", "index_info"})


@contextmanager
def run_query(engine: Engine, query: str) -> Iterator[Result]:
    """Column names and rows of one query, streamed. Raises UsageError for one that fails or would write."""
    if first_word(query) not in QUERIES:
        raise UsageError("only a query can be run here: SELECT ..., WITH ..., VALUES ...")
    with explained(engine.url), (_sqlite if is_sqlite(engine) else _postgresql)(engine, query) as result:
        yield result


def first_word(query: str) -> str:
    found = FIRST_WORD.match(query)
    return found["word"].lower() if found else ""


@contextmanager
def _sqlite(engine: Engine, query: str) -> Iterator[Result]:
    uri = Path(engine.url.database or "").absolute().as_uri() + "?mode=ro"
    with closing(sqlite3.connect(uri, uri=True)) as connection:
        register(connection)
        connection.execute("PRAGMA query_only = ON")
        connection.set_authorizer(_only_reading)
        with _refused_as_usage(sqlite3):
            cursor = connection.execute(query)
            yield [column[0] for column in cursor.description], cursor


def _only_reading(action: int, first: str | None, second: str | None, *_: str | None) -> int:
    allowed = action in READS and second != "load_extension"
    describing = action == sqlite3.SQLITE_PRAGMA and first in DESCRIBING
    return sqlite3.SQLITE_OK if allowed or describing else sqlite3.SQLITE_DENY


@contextmanager
def _postgresql(engine: Engine, query: str) -> Iterator[Result]:
    import psycopg

    with engine.connect() as connection:
        raw: psycopg.Connection[Any] = driver(connection)
        raw.rollback()
        raw.read_only = True
        try:
            with _refused_as_usage(psycopg), _cursor(raw, query) as cursor:
                yield [column.name for column in cursor.description or ()], iter(cursor)
        finally:
            raw.rollback()
            raw.read_only = None


@contextmanager
def _cursor(raw: psycopg.Connection[Any], query: str) -> Iterator[psycopg.Cursor[Any] | psycopg.ServerCursor[Any]]:
    """Both ways speak the extended protocol, which takes one statement: nothing can follow a COMMIT."""
    text = query.rstrip().rstrip(";").encode()
    if first_word(query) in NO_CURSOR:
        with raw.cursor() as cursor:
            yield cursor.execute(text, prepare=True)
    else:
        with raw.cursor(name="query") as server_cursor:
            yield server_cursor.execute(text)


@contextmanager
def _refused_as_usage(module: Any) -> Iterator[None]:
    try:
        yield
    except module.Error as error:
        if isinstance(error, module.OperationalError) and remedy(error) is not None:
            raise
        raise UsageError(f"the query was refused: {str(error).splitlines()[0]}") from None
