"""The roles of deploy/postgresql-roles.sql on a real server: who may do what, before and after upgrades."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import inspect, make_url, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import ProgrammingError

from portfolio_sync.app import App
from portfolio_sync.sandbox.generate import generate
from portfolio_sync.sandbox.server import Sandbox
from portfolio_sync.settings.sources import load
from portfolio_sync.store import migrate, view_upkeep, views
from portfolio_sync.store.engine import open_engine, reading, writing
from portfolio_sync.tasks.report import Asked, make
from tests import postgres
from tests.fakes import FakeClock
from tests.wire.conftest import Stage

DEPLOY = Path(__file__).parents[2] / "deploy"
ROLES = ("portfolio_owner", "portfolio_service", "portfolio_analyst")
OWNER, SERVICE, ANALYST = ROLES
pytestmark = pytest.mark.parametrize("empty_url", ["postgresql"], indirect=True)


def psql(url: URL, file: Path) -> str:
    plain = url.set(drivername="postgresql").render_as_string(hide_password=False)
    command = [postgres.client("psql"), "-X", "-v", "ON_ERROR_STOP=1", "-d", plain, "-f", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stderr


def ask(url: URL, *statements: str) -> list[tuple[object, ...]]:
    engine = open_engine(url)
    try:
        with engine.begin() as connection:
            for statement in statements[:-1]:
                connection.exec_driver_sql(statement)
            found = connection.exec_driver_sql(statements[-1])
            return [tuple(row) for row in found] if found.returns_rows else []
    finally:
        engine.dispose()


@pytest.fixture
def superuser(empty_url: str, postgres_server: URL) -> Iterator[URL]:
    """A database with the roles. Roles belong to the server: those that the test made go with it."""
    there = {row[0] for row in ask(postgres_server, "SELECT rolname FROM pg_roles")}
    url = make_url(empty_url)
    psql(url, DEPLOY / "postgresql-roles.sql")
    yield url
    for role in set(ROLES) - there:
        ask(url, f"DROP OWNED BY {role} CASCADE", f"DROP ROLE {role}")


@pytest.fixture
def migrated(superuser: URL) -> URL:
    migrate.upgrade(superuser.set(username=OWNER))
    return superuser


def refused(url: URL, *statements: str) -> None:
    with pytest.raises(ProgrammingError, match=r"permission denied|must be owner"):
        ask(url, *statements)


def tables_and_views(url: URL) -> tuple[list[str], list[str]]:
    engine = open_engine(url)
    with reading(engine) as connection:
        found = inspect(connection)
        names = found.get_table_names(), found.get_view_names()
    engine.dispose()
    return names


def test_the_service_syncs_and_reports_and_cannot_change_the_schema(migrated: URL, tmp_path: Path) -> None:
    service, clock = migrated.set(username=SERVICE), FakeClock()
    text_url = service.render_as_string(hide_password=False)
    with Sandbox(generate(4, 150, end=clock.unix() - 7200), clock=clock.unix, limited=False) as exchange:
        on = Stage(exchange, text_url, tmp_path, clock, {"PORTFOLIO_SYNC_EXCHANGE_PACE": "false"})
        outcome = on.sync()
        assert (outcome.error, outcome.proof) == (None, "proven")
        app = App(load(environ=on.environ, folder=tmp_path), clock, on.warnings.append)
        assert make(app, Asked(profile="us", year=2025), tmp_path / "report").files
        app.close()
    for statement in (
        "DROP TABLE raw_ledger CASCADE",
        "DROP VIEW ledger CASCADE",
        "ALTER TABLE account ADD COLUMN x TEXT",
        "CREATE TABLE x (y TEXT)",
        "TRUNCATE raw_ledger",
    ):
        refused(service, statement)


def test_analysts_read_every_view_and_nothing_else(migrated: URL) -> None:
    analyst = migrated.set(username=ANALYST)
    tables, shown = tables_and_views(migrated)
    assert set(shown) == {view.name for view in views.VIEWS}
    for name in shown:
        ask(analyst, f"SELECT * FROM {name}")
    assert ask(analyst, "SELECT decimal_sum(amount_exact) FROM ledger") == [(None,)]
    writable = "SET TRANSACTION READ WRITE"
    for name in tables:
        refused(analyst, f"SELECT * FROM {name}")
        refused(analyst, writable, f"DELETE FROM {name}")
    for statement in (
        "DELETE FROM price",
        "UPDATE account SET name = 'x'",
        "INSERT INTO account (name, taxpayer) VALUES ('x', 'y')",
        "CREATE TABLE x (y TEXT)",
        "CREATE TEMPORARY TABLE x (y TEXT)",
        "SET ROLE portfolio_service",
    ):
        refused(analyst, writable, statement)


def anew(url: URL) -> None:
    """As an upgrade does it: every view made anew, and one that never was there."""
    engine = open_engine(url.set(username=OWNER))
    with writing(engine) as connection:
        view_upkeep.drop(connection)
        view_upkeep.recreate(connection)
        connection.execute(text("CREATE VIEW later AS SELECT name FROM account"))
        connection.execute(text("CREATE TABLE later_row (id INTEGER GENERATED ALWAYS AS IDENTITY, name TEXT)"))
    engine.dispose()


def test_views_and_tables_of_later_upgrades_are_open_to_the_same_roles(migrated: URL) -> None:
    anew(migrated)
    for name in ("later", "ledger"):
        ask(migrated.set(username=ANALYST), f"SELECT * FROM {name}")
    refused(migrated.set(username=ANALYST), "SELECT * FROM later_row")
    ask(migrated.set(username=SERVICE), "INSERT INTO later_row (name) VALUES ('x')", "DELETE FROM later_row")


def test_without_a_superuser_the_script_is_run_again_after_an_upgrade(migrated: URL) -> None:
    ask(migrated, "DROP EVENT TRIGGER portfolio_views_for_analysts")
    anew(migrated)
    analyst = migrated.set(username=ANALYST)
    refused(analyst, "SELECT * FROM later")
    psql(migrated, DEPLOY / "postgresql-roles.sql")
    ask(analyst, "SELECT * FROM later")
    refused(analyst, "SELECT * FROM later_row")


def test_passwords_come_from_secret_files(superuser: URL, tmp_path: Path) -> None:
    for role in ("owner", "service", "analyst"):
        (tmp_path / f"database_{role}_password").write_text("it's a secret")
    script = (DEPLOY / "compose" / "passwords.sql").read_text(encoding="utf-8")
    assert script.count("/run/secrets/") == 3
    (tmp_path / "passwords.sql").write_text(script.replace("/run/secrets", str(tmp_path)))
    psql(superuser, tmp_path / "passwords.sql")
    kept = ask(superuser, "SELECT rolname FROM pg_authid WHERE starts_with(rolpassword, 'SCRAM-SHA-256') ORDER BY 1")
    assert {str(row[0]) for row in kept} >= set(ROLES)
