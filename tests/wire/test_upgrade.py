"""A database of every earlier version, with a life in it, is upgraded: no row or figure changes, and the sync goes on."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import URL, Connection, Engine, inspect, make_url, text

from portfolio_sync.cli.main import main
from portfolio_sync.sandbox.account import Account
from portfolio_sync.sandbox.generate import generate
from portfolio_sync.store import migrate
from portfolio_sync.store.bulk import driver, quoted
from portfolio_sync.store.engine import create_file, is_sqlite, open_engine, reading, writing
from portfolio_sync.store.schema import metadata
from portfolio_sync.store.views import VIEWS
from tests.fakes import FakeClock
from tests.wire.conftest import Set, Stage
from tests.wire.truth import assert_same

NOW = FakeClock().unix()
FAST = {"PORTFOLIO_SYNC_EXCHANGE_PACE": "false"}
Columns = dict[str, list[str]]


@cache
def _generated() -> Account:
    return generate(11, 200, end=NOW - 7200)


@pytest.fixture
def lived(stage: Set, monkeypatch: pytest.MonkeyPatch) -> Stage:
    """A database of today in which everything was used once."""
    made = _generated()
    on = stage(
        replace(made, ledgers=list(made.ledgers), trades=list(made.trades), balances=dict(made.balances)),
        FAST,
        limited=False,
    )
    assert on.sync().proof == "proven"
    monkeypatch.chdir(on.folder)
    for name, value in on.environ.items():
        monkeypatch.setenv(name, value)
    year = str(datetime.now(UTC).year - 1)
    for command in (
        ("prices", "fetch"),
        ("method", "set", "hifo", "--from", f"{year}-01-01"),
        ("report", "--profile", "generic", "--year", "all", "--out", "report"),
        ("year", "close", "2023", "--profile", "generic"),
    ):
        assert main([*command, "--quiet"]) in (0, 4), command
    return on


def scripts() -> list[Any]:
    """Oldest first."""
    config = Config()
    config.set_main_option("script_location", str(migrate.scripts()))
    config.set_main_option("path_separator", "os")
    return list(ScriptDirectory.from_config(config).walk_revisions())[::-1]


@contextmanager
def database_of(revision: str, server: URL, folder: Path) -> Iterator[str]:
    """An empty database as the program of that revision made it."""
    if server.get_backend_name() == "sqlite":
        url = URL.create("sqlite", database=str(folder / "old.db"))
        create_file(url)
        made(revision, url)
        yield str(url)
        return
    url = server.set(database=f"old_{server.database}")
    shell = psycopg.connect(plain(server), autocommit=True)
    with closing(shell):
        shell.execute(f'CREATE DATABASE "{url.database}" TEMPLATE template0'.encode())
        made(revision, url)
        yield url.render_as_string(hide_password=False)
        shell.execute(f'DROP DATABASE "{url.database}" WITH (FORCE)'.encode())


def plain(url: URL) -> str:
    return url.set(drivername="postgresql").render_as_string(hide_password=False)


def made(revision: str, url: URL) -> None:
    engine = open_engine(url)
    with writing(engine) as connection:
        context = MigrationContext.configure(connection, opts={"render_as_batch": True})
        context._ensure_version_table()
        with Operations.context(context):
            for script in scripts():
                script.module.upgrade()
                if script.revision == revision:
                    break
        connection.execute(text("INSERT INTO alembic_version VALUES (:revision)"), {"revision": revision})
        # its views stood in its own words
        connection.execute(text("CREATE VIEW ledger AS SELECT id AS ledger_id, amount FROM raw_ledger"))
    engine.dispose()


def columns_of(engine: Engine) -> Columns:
    with reading(engine) as connection:
        found = inspect(connection)
        names = [name for name, _ in found.get_sorted_table_and_fkc_names() if name and name != "alembic_version"]
        return {name: [column["name"] for column in found.get_columns(name)] for name in names}


def fill(old: Engine, today: Engine, columns: Columns) -> None:
    """Put the rows of today's database into the old one: those columns that it had."""
    if is_sqlite(old):
        with closing(sqlite3.connect(old.url.database or "", isolation_level=None)) as raw:
            raw.execute("ATTACH ? AS today", (today.url.database,))
            for table, names in columns.items():
                raw.execute(f"INSERT INTO {table} ({quoted(names)}) SELECT {quoted(names)} FROM today.{table}")
        return
    with writing(old) as there, reading(today) as here:
        for table, names in columns.items():
            copy(there, here, table, quoted(names))
        for sequence, number in here.execute(text("SELECT sequencename, last_value FROM pg_sequences")).all():
            known = there.execute(text("SELECT to_regclass(:name)"), {"name": sequence}).scalar()
            if known and number:
                there.execute(
                    text("SELECT setval(CAST(:name AS regclass), :number)"), {"name": sequence, "number": number}
                )


def copy(there: Connection, here: Connection, table: str, names: str) -> None:
    out, in_ = f"COPY {table} ({names}) TO STDOUT", f"COPY {table} ({names}) FROM STDIN"
    with (
        driver(here).cursor() as source,
        driver(there).cursor() as target,
        source.copy(out) as found,
        target.copy(in_) as sink,
    ):
        for block in found:
            sink.write(block)


def rows(engine: Engine, columns: Columns) -> dict[str, list[str]]:
    with reading(engine) as connection:
        return {
            table: sorted(
                repr(tuple(row)) for row in connection.exec_driver_sql(f"SELECT {quoted(names)} FROM {table}")
            )
            for table, names in columns.items()
        }


def comparable(columns: Columns) -> list[str]:
    """The views over tables and columns that were there then."""
    tables = metadata.tables
    new = {f"{name} AS" for name in tables if name not in columns}
    new |= {f".{c}" for name, kept in columns.items() if name in tables for c in set(tables[name].c.keys()) - set(kept)}
    return [
        view.name for view in VIEWS if not any(re.search(rf"{re.escape(n)}\b", view.select(sqlite=True)) for n in new)
    ]


def shown(engine: Engine, views: list[str]) -> dict[str, list[str]]:
    with reading(engine) as connection:
        return {
            view: sorted(repr(tuple(row)) for row in connection.exec_driver_sql(f"SELECT * FROM {view}"))
            for view in views
        }


@pytest.mark.parametrize("revision", migrate.REVISIONS[:-1])
def test_an_upgrade_keeps_every_row_and_figure_and_the_sync_goes_on(
    lived: Stage, revision: str, tmp_path: Path
) -> None:
    today = open_engine(lived.database_url)
    with database_of(revision, make_url(lived.database_url), tmp_path) as old_url:
        old = open_engine(old_url)
        had = {table: [n for n in names if n in metadata.tables[table].c] for table, names in columns_of(old).items()}
        fill(old, today, had)
        before, views = rows(old, had), comparable(columns_of(old))
        assert {"raw_ledger", "raw_trade", "report_row", "price_row", "disposal_row"} <= {
            t for t, r in before.items() if r
        }
        assert {"ledger", "trade", "balance", "disposal"} <= set(views)
        old.dispose()

        migrate.upgrade(old_url)

        assert migrate.current(old_url) == migrate.HEAD
        assert rows(old, had) == before
        assert shown(old, views) == shown(today, views)
        with reading(old) as connection:
            assert set(inspect(connection).get_view_names()) == {view.name for view in VIEWS}
            assert compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), metadata) == []
        lived.database_url = old_url
        lived.clock.time += timedelta(minutes=15)
        outcome = lived.sync()
        assert (outcome.error, outcome.proof, outcome.rows_new, outcome.rows_changed) == (None, "proven", 0, 0)
        assert_same(old_url, lived.exchange.account)
        old.dispose()
    today.dispose()
