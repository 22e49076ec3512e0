"""Fixtures for all tests: a clean environment, and each database that we support."""

from __future__ import annotations

import itertools
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.engine import URL, make_url

from portfolio_sync.store import migrate
from portfolio_sync.store.engine import open_engine
from tests import postgres

_numbers = itertools.count(1)


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """A developer's own settings and keys never reach a test."""
    for name in list(os.environ):
        if name.startswith(("PORTFOLIO_SYNC_", "KRAKEN_")):
            monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[URL]:
    """One server for the session (with pytest-xdist: for each worker)."""
    with postgres.server() as url:
        yield make_url(url)


@pytest.fixture(scope="session")
def postgres_template(postgres_server: URL) -> Iterator[str]:
    """A migrated database to copy: ten times faster than migrating one for each test."""
    with _new_database(postgres_server) as url:
        migrate.upgrade(url)
        assert url.database
        yield url.database


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "portfolio.db"
    migrate.upgrade(f"sqlite:///{path}")
    return path


class _new_database:  # noqa: N801 - used like a function
    """A fresh PostgreSQL database for a ``with`` block."""

    def __init__(self, server: URL, template: str = "template0") -> None:
        self.url = server.set(database=f"test_{os.getpid()}_{next(_numbers)}")
        self.server, self.template = server, template

    def __enter__(self) -> URL:
        self._run(f'CREATE DATABASE "{self.url.database}" TEMPLATE "{self.template}"')
        return self.url

    def __exit__(self, *_: object) -> None:
        self._run(f'DROP DATABASE "{self.url.database}" WITH (FORCE)')

    def _run(self, statement: str) -> None:
        engine = create_engine(self.server, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(statement))
        engine.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a database without any table; on SQLite there is not even the file."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty' / 'portfolio.db'}"
        return
    with _new_database(request.getfixturevalue("postgres_server")) as url:
        yield url.render_as_string(hide_password=False)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a fresh, migrated database; each test that asks for it runs on both."""
    if request.param == "sqlite":
        path = tmp_path / "portfolio.db"
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        yield f"sqlite:///{path}"
        return
    template = request.getfixturevalue("postgres_template")
    with _new_database(request.getfixturevalue("postgres_server"), template) as url:
        yield url.render_as_string(hide_password=False)


@pytest.fixture
def database(database_url: str) -> Iterator[Engine]:
    """An engine on a fresh, migrated database; each test that asks for it runs on SQLite and on PostgreSQL."""
    engine = open_engine(database_url)
    yield engine
    engine.dispose()
