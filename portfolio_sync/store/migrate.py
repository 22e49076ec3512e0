"""Bring a database to the newest schema, and say at every start, cheaply, whether it is there.

Alembic (a third of a second to import) is needed only to migrate. The scripts lie beside the package in the repository
and inside it in a wheel; ``migrations/env.py`` calls :func:`run`, so plain ``alembic upgrade head`` does the same.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine, inspect, text
from sqlalchemy.engine import URL

from portfolio_sync.errors import DatabaseError
from portfolio_sync.store import view_upkeep
from portfolio_sync.store.engine import CONNECTIONS, create_file, is_sqlite, open_engine, reading, writing
from portfolio_sync.store.schema import metadata
from portfolio_sync.store.surroundings import shown

if TYPE_CHECKING:
    from alembic.config import Config
    from alembic.runtime.environment import EnvironmentContext

# Every revision there ever was, oldest first; a test compares it with the scripts.
REVISIONS = ("0001", "0002", "0003", "0004", "0005")
HEAD = REVISIONS[-1]
FOUND = "found"
TURN = 15 * 60 * 1000  # milliseconds that an upgrade of SQLite waits for another one, which may have much to do
LOCK = 0x706F7274666F6C69  # "portfoli": the key of the advisory lock that upgrades on PostgreSQL take


class MissingDatabase(DatabaseError):
    """There is nothing yet: a command that writes may create it."""


def scripts() -> Path:
    """The folder of the migration scripts: in the package (wheel) or beside it (repository)."""
    package = Path(__file__).resolve().parent.parent
    shipped = package / "_migrations"
    return shipped if shipped.is_dir() else package.parent / "migrations"


def upgrade(url: str | URL) -> str | None:
    """Create the database or bring it to the newest revision; returns the one that it had, None for none.

    Safe to run by several processes at once: one does it, the others wait and find it done.
    """
    from alembic import command

    config = _config(url)
    command.upgrade(config, "head")
    found: str | None = config.attributes[FOUND]
    return found


def current(url: str | URL) -> str | None:
    """The database's revision, None where there is no database yet."""
    engine = open_engine(url)
    try:
        return None if _is_missing_file(engine.url) else _revision(engine)
    finally:
        engine.dispose()


def check(engine: Engine) -> None:
    """Raises MissingDatabase where there is none, DatabaseError for an older, a newer or somebody else's database."""
    revision = None if _is_missing_file(engine.url) else _revision(engine)
    if revision is None:
        raise MissingDatabase(f"{shown(engine.url)}: there is no database yet: run portfolio-sync init")
    if revision in REVISIONS[:-1]:
        raise DatabaseError(
            f"{shown(engine.url)}: the database is older than this program: run: portfolio-sync db upgrade"
        )
    if revision != HEAD:
        raise DatabaseError(f"{shown(engine.url)}: the database is newer than this program: update portfolio-sync")


def create_or_check(url: str | URL, connections: int = CONNECTIONS) -> Engine:
    """An engine on the database at ``url``, which is created where there is none yet; otherwise as :func:`check`."""
    engine = open_engine(url, connections)
    try:
        check(engine)
    except MissingDatabase:
        upgrade(engine.url)
    except BaseException:
        engine.dispose()
        raise
    return engine


def run(context: EnvironmentContext, url: str | URL) -> None:
    """The body of ``migrations/env.py``: one transaction for views dropped, tables migrated, views made anew."""
    engine = open_engine(url, busy_timeout=TURN)
    if is_sqlite_url(engine.url):
        create_file(engine.url)
    try:
        with writing(engine) as connection:
            if not is_sqlite(connection):
                # the lock must come first, and be the transaction's: a second connection would wait for the first
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK})
            revision = context.config.attributes[FOUND] = _revision_in(connection)
            if revision is not None and revision not in REVISIONS:
                raise DatabaseError(
                    f"{shown(engine.url)}: the database is newer than this program: update portfolio-sync"
                )
            grants = [] if revision == HEAD else view_upkeep.drop(connection)
            context.configure(connection=connection, target_metadata=metadata, render_as_batch=True)
            context.run_migrations()
            view_upkeep.recreate(connection, grants)
    finally:
        engine.dispose()


def is_sqlite_url(url: URL) -> bool:
    return url.get_backend_name() == "sqlite"


def _config(url: str | URL) -> Config:
    from alembic.config import Config

    config = Config(attributes={"url": url})
    config.set_main_option("script_location", str(scripts()).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def _is_missing_file(url: URL) -> bool:
    return is_sqlite_url(url) and not Path(url.database or "").exists()


def _revision(engine: Engine) -> str | None:
    with reading(engine) as connection:
        return _revision_in(connection)


def _revision_in(connection: Connection) -> str | None:
    """None for an empty database. Raises DatabaseError for one that holds another program's tables."""
    tables = set(inspect(connection).get_table_names())
    ours = tables & set(metadata.tables)
    if "alembic_version" not in tables or not ours:
        # a PostgreSQL database may be shared with others' tables; a SQLite file is ours alone
        if ours or (tables and (is_sqlite(connection) or "alembic_version" in tables)):
            raise DatabaseError(
                f"{shown(connection.engine.url)}: this is another program's database (it has a table {min(tables)!r})"
            )
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
