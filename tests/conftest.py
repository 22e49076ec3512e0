"""Fixtures for all tests: a clean environment, and each database that we support."""

from __future__ import annotations

import gc
import itertools
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from hypothesis import HealthCheck, settings
from sqlalchemy import Engine
from sqlalchemy.engine import URL, make_url

from portfolio_sync.store import migrate
from portfolio_sync.store.engine import open_engine
from portfolio_sync.store.schema import metadata
from tests import postgres

_numbers = itertools.count(1)

# Hundreds of processes of ours start here; each would compile every module anew where the environment forbids to keep that.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# A loaded machine is slow, not wrong; a gate must not fail by chance, so it looks at the same examples each time.
settings.register_profile("here", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("gate", settings.get_profile("here"), derandomize=True)
settings.load_profile("gate" if os.environ.get("CI") else "here")


def pytest_collection_finish() -> None:
    """What collecting three thousand tests made stays to the end: the garbage collector need not look through it again and again."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True, scope="session")
def _clean_environment() -> Iterator[None]:
    """A developer's own settings and keys never reach a test, nor a fixture."""
    with pytest.MonkeyPatch.context() as session:
        for name in list(os.environ):
            if name.startswith(("PORTFOLIO_SYNC_", "KRAKEN_")):
                session.delenv(name)
        yield


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[URL]:
    """One server for the session (with pytest-xdist: for each worker)."""
    with postgres.server() as url:
        yield make_url(url)


@pytest.fixture(scope="session")
def postgres_shared(postgres_server: URL) -> Iterator[URL]:
    """A migrated database that is emptied after each test: a hundred times faster than a new one."""
    with _new_database(postgres_server) as url:
        migrate.upgrade(url)
        yield url


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "portfolio.db"
    migrate.upgrade(f"sqlite:///{path}")
    return path


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a database of the test's own without any table; on SQLite there is not even the file."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty' / 'portfolio.db'}"
        return
    with _new_database(request.getfixturevalue("postgres_server")) as url:
        yield url.render_as_string(hide_password=False)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a migrated database without a row; each test that asks for it runs on both.

    A test that changes tables, views or roles asks for ``empty_url`` and migrates that.
    """
    if request.param == "sqlite":
        path = tmp_path / "portfolio.db"
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        yield f"sqlite:///{path}"
        return
    url: URL = request.getfixturevalue("postgres_shared")
    yield url.render_as_string(hide_password=False)
    _empty(url)


@pytest.fixture
def database(database_url: str) -> Iterator[Engine]:
    """An engine on a migrated database without a row; each test that asks for it runs on SQLite and on PostgreSQL."""
    engine = open_engine(database_url)
    yield engine
    engine.dispose()


@pytest.fixture
def postgres_database(postgres_shared: URL) -> Iterator[Engine]:
    """As ``database``, for what only PostgreSQL does."""
    engine = open_engine(postgres_shared)
    yield engine
    engine.dispose()
    _empty(postgres_shared)


@contextmanager
def _new_database(server: URL) -> Iterator[URL]:
    """A fresh PostgreSQL database for a ``with`` block."""
    name = f"test_{os.getpid()}_{next(_numbers)}"
    _run(server, f'CREATE DATABASE "{name}" TEMPLATE template0')
    yield server.set(database=name)
    _run(server, f'DROP DATABASE "{name}" WITH (FORCE)')


def _empty(url: URL) -> None:
    """Delete every row, number anew from 1. What a test left connected is cut off first: it may hold locks."""
    statements = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()",
        *(f"DELETE FROM {table.name}" for table in reversed(metadata.sorted_tables)),
        "SELECT setval(quote_ident(sequencename)::regclass, 1, false) FROM pg_sequences",
    )
    _run(url, "; ".join(statements))


def _run(url: URL, statements: str) -> None:
    plain = url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(plain, autocommit=True) as connection:
        connection.execute(statements.encode())
