"""Copy a SQLite database while others use it, and put a copy back. A copy counts only when it was read through and found whole.

PostgreSQL has tools of its own (``pg_dump``, ``pg_restore``): see docs/operations.md.
"""

from __future__ import annotations

import os
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.engine import URL

from portfolio_sync.errors import DatabaseError, SurroundingsError, UsageError
from portfolio_sync.store.engine import BUSY_TIMEOUT, create_file, parse_url
from portfolio_sync.store.surroundings import explained


@dataclass(frozen=True, slots=True)
class Copied:
    """``revision``: the schema's; ``size``: bytes."""

    path: Path
    revision: str
    size: int


def back_up(url: str | URL, target: Path, *, replace: bool = False) -> Copied:
    """A copy of the SQLite database at ``url``, as it stood at one moment, in ``target`` (mode 0600).

    Written beside it and renamed when whole: a failed backup leaves an older one untouched. Raises UsageError, DatabaseError,
    SurroundingsError.
    """
    source = _file_of(url)
    if target.exists() and target.samefile(source):
        raise UsageError(f"{target} is the database itself; name another file")
    if target.exists() and not replace:
        raise UsageError(f"{target} exists already; name another file, or replace it with --replace")
    with _beside(target) as new:
        _copy(source, new, "DELETE")  # one file that can be carried away; opening it turns WAL on again
        revision = _examined(new)
        new.replace(target)
    return Copied(target, revision, target.stat().st_size)


def restore(copy: Path, url: str | URL, *, replace: bool = False) -> Copied:
    """Put a backup in the place of the SQLite database at ``url``, in one transaction. Raises as :func:`back_up`."""
    parsed = _sqlite(url)
    target = Path(parsed.database or "")
    if not copy.is_file():
        raise UsageError(f"{copy}: there is no such file")
    revision = _examined(copy)
    if target.exists() and not replace:
        raise UsageError(f"{target} exists already; keep a copy of it, then replace it with --replace")
    create_file(parsed)
    _copy(copy, target)
    return Copied(target, revision, target.stat().st_size)


def _sqlite(url: str | URL) -> URL:
    parsed = parse_url(url) if isinstance(url, str) else url
    if parsed.get_backend_name() != "sqlite":
        raise UsageError("this copies SQLite databases; for PostgreSQL use pg_dump and pg_restore (docs/operations.md)")
    return parsed


def _file_of(url: str | URL) -> Path:
    path = Path(_sqlite(url).database or "")
    if not path.is_file():
        raise DatabaseError(f"{path}: there is no database yet: run portfolio-sync init")
    return path


@contextmanager
def _beside(target: Path) -> Iterator[Path]:
    """A new file of the owner's alone in the target's folder; gone at the end unless it was renamed."""
    try:
        handle, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".new", dir=target.parent)
    except OSError as error:
        raise SurroundingsError(f"{target.parent}: no file can be created there: {error.strerror}") from None
    os.close(handle)
    new = Path(name)
    try:
        yield new
    finally:
        for left in (new, Path(f"{new}-wal"), Path(f"{new}-shm"), Path(f"{new}-journal")):
            left.unlink(missing_ok=True)


def _copy(source: Path, target: Path, journal: str = "WAL") -> None:
    """All pages in one step: a snapshot, and no writer waits for it."""
    with (
        explained(_url(target)),
        closing(_open(source, "ro")) as old,
        closing(_open(target, "rw")) as new,
    ):
        old.backup(new, pages=-1)
        new.execute(f"PRAGMA journal_mode = {journal}")


def _examined(copy: Path) -> str:
    """The schema revision of a whole database of ours. Raises DatabaseError for anything else."""
    with explained(_url(copy)), closing(_open(copy, "ro")) as connection:
        found = connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
        if found != "ok":
            raise DatabaseError(f"{copy}: the database is damaged: {found}")
        if connection.execute("PRAGMA foreign_key_check").fetchone():
            raise DatabaseError(f"{copy}: the database is damaged: rows point to rows that are not there")
        ours = "SELECT count(*) FROM sqlite_master WHERE name IN ('alembic_version', 'account', 'raw_ledger')"
        if connection.execute(ours).fetchone()[0] < 3:
            raise DatabaseError(f"{copy}: this is not a database of portfolio-sync")
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    if row is None:
        raise DatabaseError(f"{copy}: the database has no schema version")
    return str(row[0])


def _open(path: Path, mode: str) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode={mode}", uri=True, timeout=BUSY_TIMEOUT / 1000)


def _url(path: Path) -> URL:
    return URL.create("sqlite", database=str(path))
