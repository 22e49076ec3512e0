"""What the database's drivers say when the surroundings are wrong, in one line that a person can act on."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as NoneLeft

from portfolio_sync.errors import DatabaseAway, DatabaseError, PortfolioSyncError, SurroundingsError

# SQLite's primary result codes (sqlite.org/rescode.html) by the start of their name.
SQLITE: tuple[tuple[str, type[PortfolioSyncError], str], ...] = (
    ("SQLITE_FULL", SurroundingsError, "the disk is full; nothing of this step was written"),
    ("SQLITE_CANTOPEN", SurroundingsError, "cannot open the file: is its folder there, and writable?"),
    ("SQLITE_READONLY", SurroundingsError, "the file or its folder is not writable"),
    ("SQLITE_PERM", SurroundingsError, "the file may not be used by this user"),
    ("SQLITE_IOERR", SurroundingsError, "the disk does not read or write as it should"),
    ("SQLITE_NOTADB", DatabaseError, "this file is not a SQLite database"),
    ("SQLITE_CORRUPT", DatabaseError, "the database is damaged: take a backup, then see `sqlite3 FILE .recover`"),
    ("SQLITE_BUSY", DatabaseAway, "another program is writing to it for too long: try again"),
    ("SQLITE_LOCKED", DatabaseAway, "another program is writing to it for too long: try again"),
)
# PostgreSQL's SQLSTATE classes (appendix A of its manual).
POSTGRESQL: tuple[tuple[str, type[PortfolioSyncError], str], ...] = (
    ("53100", SurroundingsError, "the server's disk is full; nothing of this step was written"),
    ("53", DatabaseAway, "the server has no connections or memory left"),
    ("57P", DatabaseAway, "the server is shutting down or starting up: try again"),
    ("3D000", DatabaseError, "the server has no database of this name: create it first (createdb)"),
    ("28", DatabaseError, "the server refuses this user or password"),
    ("42501", DatabaseError, "this user lacks a privilege in the database"),
    ("25P03", DatabaseError, "this process stood still in the middle of a step; nothing of the step was written"),
    ("25006", DatabaseAway, "the server is read-only"),
    ("55P03", DatabaseAway, "another program holds a lock for too long: try again"),
    ("40", DatabaseAway, "another program wrote the same rows at the same time: try again"),
    ("08", DatabaseAway, "the connection to the server was lost"),
)
# What a server answers to a login that no waiting can mend; it has no SQLSTATE where the connection never stood.
# A server that speaks another language is waited for, with its words in the log.
REFUSED_LOGINS = ("password authentication failed", "does not exist", "no pg_hba.conf entry", "no password supplied")


def shown(url: URL) -> str:
    """The database as messages name it: never its password, nor a query string that could hold one."""
    return (
        url.database or ""
        if url.get_backend_name() == "sqlite"
        else url.set(query={}).render_as_string(hide_password=True)
    )


@contextmanager
def explained(url: URL) -> Iterator[None]:
    """Raises DatabaseError or SurroundingsError for what a person can mend; lets everything else through as it is."""
    try:
        yield
    except driver_errors() as error:
        cause = error.orig if isinstance(error, DBAPIError) else error
        known = remedy(cause)
        if known is None:
            raise
        kind, message = known
        raise kind(f"{shown(url)}: {message}") from None
    except NoneLeft:
        raise DatabaseAway(f"{shown(url)}: all connections of this process are busy for too long: try again") from None


def driver_errors() -> tuple[type[Exception], ...]:
    """Those of psycopg only once it is loaded, by the first PostgreSQL database that is opened: other commands start faster."""
    loaded = sys.modules.get("psycopg")
    return (DBAPIError, sqlite3.Error, *((loaded.Error,) if loaded else ()))


def remedy(cause: BaseException | None) -> tuple[type[PortfolioSyncError], str] | None:
    """The error to raise and what to say for a driver's exception, None for one that no surroundings explain."""
    if isinstance(cause, sqlite3.Error):
        return _find(SQLITE, getattr(cause, "sqlite_errorname", None) or "")
    import psycopg

    if isinstance(cause, psycopg.Error) and cause.sqlstate:
        return _find(POSTGRESQL, cause.sqlstate)
    if isinstance(cause, psycopg.OperationalError):  # no SQLSTATE: the server was never reached, or went away
        # libpq's text names host, port and user, never the password; a refused login has no SQLSTATE of its own here.
        words = " ".join(str(cause).split())
        refused = any(refusal in words for refusal in REFUSED_LOGINS)
        return DatabaseError if refused else DatabaseAway, f"cannot connect: {words}"
    return None


def _find(
    table: tuple[tuple[str, type[PortfolioSyncError], str], ...], code: str
) -> tuple[type[PortfolioSyncError], str] | None:
    return next(((kind, message) for start, kind, message in table if code.startswith(start)), None)
