"""The migrations make exactly the declared schema, from any number of processes, and say what a database is."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, inspect, text

from portfolio_sync.errors import DatabaseError
from portfolio_sync.store import migrate, view_upkeep, views
from portfolio_sync.store.engine import open_engine, reading, writing
from portfolio_sync.store.schema import metadata
from tests.patience import PATIENCE

ROOT = Path(__file__).parents[2]


@pytest.fixture
def own_database(empty_url: str) -> Iterator[Engine]:
    """A migrated database that a test may take apart."""
    engine = migrate.create_or_check(empty_url)
    yield engine
    engine.dispose()


def test_the_migrations_make_the_declared_tables(database: Engine) -> None:
    with reading(database) as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, metadata) == []


def test_the_known_revisions_are_those_of_the_scripts() -> None:
    config = Config()
    config.set_main_option("script_location", str(migrate.scripts()))
    config.set_main_option("path_separator", "os")
    newest_first = [script.revision for script in ScriptDirectory.from_config(config).walk_revisions()]
    assert tuple(reversed(newest_first)) == migrate.REVISIONS


def test_a_database_is_created_once_and_then_only_checked(empty_url: str) -> None:
    engine = open_engine(empty_url)
    with pytest.raises(migrate.MissingDatabase, match="portfolio-sync init"):
        migrate.check(engine)
    assert migrate.current(empty_url) is None
    migrate.create_or_check(empty_url).dispose()
    migrate.check(engine)
    migrate.upgrade(empty_url)
    assert migrate.current(empty_url) == migrate.HEAD
    engine.dispose()


def test_looking_for_a_database_leaves_no_file_behind(tmp_path: Path) -> None:
    path = tmp_path / "none" / "portfolio.db"
    assert migrate.current(f"sqlite:///{path}") is None
    assert not path.parent.exists()


@contextmanager
def database_at(engine: Engine, revision: str) -> Iterator[None]:
    """As if the database had that revision, for a ``with`` block."""
    set_revision(engine, revision)
    try:
        yield
    finally:
        set_revision(engine, migrate.HEAD)


def set_revision(engine: Engine, revision: str) -> None:
    with writing(engine) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = :revision"), {"revision": revision})


@pytest.mark.parametrize(("revision", "advice"), [("9999", "update portfolio-sync"), ("0000", "db upgrade")])
def test_an_older_or_newer_database_is_refused_with_advice(
    database: Engine, monkeypatch: pytest.MonkeyPatch, revision: str, advice: str
) -> None:
    monkeypatch.setattr(migrate, "REVISIONS", ("0000", migrate.HEAD))
    with database_at(database, revision), pytest.raises(DatabaseError, match=advice):
        migrate.check(database)


def test_a_newer_database_is_not_touched_by_an_upgrade(database: Engine, database_url: str) -> None:
    with database_at(database, "9999"), pytest.raises(DatabaseError, match="newer"):
        migrate.upgrade(database_url)


def test_another_programs_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE songs (title TEXT)")
    connection.close()
    with pytest.raises(DatabaseError, match="another program's database"):
        migrate.create_or_check(f"sqlite:///{path}")


def test_several_processes_may_create_one_database_at_once(empty_url: str) -> None:
    code = "import sys; from portfolio_sync.store import migrate; migrate.create_or_check(sys.argv[1])"
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", code, empty_url]
    running = [subprocess.Popen(command, stderr=subprocess.PIPE, env=environment) for _ in range(3)]
    errors = [process.communicate()[1].decode() for process in running]
    assert [process.returncode for process in running] == [0, 0, 0], errors
    assert migrate.current(empty_url) == migrate.HEAD


def upgraded_from(url: str, processes: int) -> list[str | None]:
    """What each of so many ``db upgrade`` at once found."""
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PORTFOLIO_SYNC_DATABASE_URL": url}
    argv = [sys.executable, "-m", "portfolio_sync", "db", "upgrade", "--json"]
    running = [
        subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment)
        for _ in range(processes)
    ]
    said = [process.communicate() for process in running]
    assert [process.returncode for process in running] == [0] * processes, said
    return [json.loads(out)["from"] for out, _ in said]


@pytest.mark.parametrize("start", [None, "0001"])
def test_of_several_upgrades_at_once_one_migrates_and_the_others_find_it_done(
    empty_url: str, start: str | None
) -> None:
    if start:
        command.upgrade(migrate._config(empty_url), start)
    assert sorted(upgraded_from(empty_url, 3), key=str) == sorted([start, *[migrate.HEAD] * 2], key=str)
    assert migrate.upgrade(empty_url) == migrate.HEAD


def test_an_upgrade_of_sqlite_waits_for_a_long_one(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'portfolio.db'}"
    migrate.upgrade(url)
    engine = open_engine(url)
    with writing(engine):  # somebody migrates
        waiting = threading.Thread(target=migrate.upgrade, args=(url,))
        waiting.start()
        waiting.join(0.5)
        assert waiting.is_alive()
    waiting.join(PATIENCE)
    assert not waiting.is_alive()
    engine.dispose()


def test_plain_alembic_does_the_same_as_our_command(empty_url: str, tmp_path: Path) -> None:
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PORTFOLIO_SYNC_DATABASE_URL": empty_url}
    command = [sys.executable, "-W", "error", "-m", "alembic", "-c", str(ROOT / "alembic.ini"), "upgrade", "head"]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stderr
    engine = open_engine(empty_url)
    migrate.check(engine)
    assert view_names(engine) == {view.name for view in views.VIEWS}
    engine.dispose()


def view_names(engine: Engine) -> set[str]:
    with reading(engine) as connection:
        return set(inspect(connection).get_view_names())


def definitions(engine: Engine) -> Any:
    """What changes when a view is made anew: its text on SQLite, its object number on PostgreSQL."""
    query = {
        "sqlite": "SELECT name, sql, rowid FROM sqlite_master WHERE type = 'view'",
        "postgresql": "SELECT relname, oid FROM pg_class WHERE relkind = 'v' AND relnamespace = current_schema()::regnamespace",
    }[engine.dialect.name]
    with reading(engine) as connection:
        return {row[0]: tuple(row) for row in connection.execute(text(query))}


def test_only_a_changed_view_is_made_anew(own_database: Engine, empty_url: str) -> None:
    before = definitions(own_database)
    with writing(own_database) as connection:
        connection.execute(text("DROP VIEW finding"))
        connection.execute(text("CREATE VIEW finding AS SELECT 1 AS x"))
    migrate.upgrade(empty_url)
    after = definitions(own_database)
    assert {name for name in after if after[name] != before[name]} <= {"finding"}
    with reading(own_database) as connection:
        assert "severity" in list(connection.execute(text("SELECT * FROM finding")).keys())


def test_grants_outlive_a_view_that_is_made_anew(database: Engine) -> None:
    if database.dialect.name == "sqlite":
        with writing(database) as connection:
            assert view_upkeep.drop(connection) == []  # SQLite knows no grants
        return
    # roles belong to the server, and another test run may have left this one
    role = f"analyst_{os.getpid()}"
    with writing(database) as connection:
        connection.execute(text(f'CREATE ROLE "{role}"'))
        connection.execute(text(f'GRANT SELECT ON ledger TO "{role}"'))
        connection.execute(text("GRANT SELECT ON ledger TO PUBLIC"))
    with writing(database) as connection:
        view_upkeep.recreate(connection, view_upkeep.drop(connection))
        granted = text("SELECT grantee FROM information_schema.role_table_grants WHERE table_name = 'ledger'")
        assert {role, "PUBLIC"} <= set(connection.execute(granted).scalars())
        connection.execute(text(f'DROP OWNED BY "{role}"'))
        connection.execute(text(f'DROP ROLE "{role}"'))


def test_a_migration_that_fails_changes_nothing(database: Engine) -> None:
    before = definitions(database)

    def fail() -> None:
        with writing(database) as connection:
            view_upkeep.drop(connection)
            connection.execute(text("ALTER TABLE account ADD COLUMN later TEXT"))
            raise RuntimeError("half way")

    with pytest.raises(RuntimeError, match="half way"):
        fail()
    assert definitions(database) == before
    with reading(database) as connection:
        assert "later" not in {column["name"] for column in inspect(connection).get_columns("account")}
