"""How a database is opened: only for its owner, readers beside a writer, errors that a person can act on."""

from __future__ import annotations

import os
import sqlite3
import stat
import threading
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, select, text
from sqlalchemy.engine import URL

from portfolio_sync.errors import DatabaseError, SurroundingsError
from portfolio_sync.store import migrate
from portfolio_sync.store.engine import open_engine, parse_url, reading, writing
from portfolio_sync.store.schema import key_state


def count(engine: Engine) -> int:
    with reading(engine) as connection:
        return int(connection.exec_driver_sql("SELECT count(*) FROM key_state").scalar_one())


def insert(engine: Engine, name: str) -> None:
    with writing(engine) as connection:
        connection.execute(key_state.insert().values(fingerprint=name, last_nonce=Decimal(0), level=Decimal(0)))


def test_the_file_is_its_owners_alone_even_under_an_open_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        engine = migrate.create_or_check(f"sqlite:///{tmp_path / 'portfolio.db'}")
        with writing(engine):
            insert_while_open = sqlite3.connect(tmp_path / "portfolio.db")
            insert_while_open.close()
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    finally:
        os.umask(before)
    assert modes == dict.fromkeys(("portfolio.db", "portfolio.db-wal", "portfolio.db-shm"), 0o600)
    engine.dispose()


def test_readers_go_on_while_a_writer_writes_and_see_one_moment(database: Engine) -> None:
    insert(database, "a")
    with writing(database) as connection:
        connection.execute(key_state.insert().values(fingerprint="b", last_nonce=Decimal(0), level=Decimal(0)))
        assert count(database) == 1
    with reading(database) as connection:
        assert connection.scalar(select(key_state.c.fingerprint).order_by(key_state.c.fingerprint)) == "a"
        insert(database, "c")
        assert connection.exec_driver_sql("SELECT count(*) FROM key_state").scalar_one() == 2
    assert count(database) == 3


def test_writers_that_read_first_never_fail_each_other(database: Engine) -> None:
    errors: list[BaseException] = []

    def write(name: str) -> None:
        try:
            for turn in range(10):
                with writing(database) as connection:
                    connection.exec_driver_sql("SELECT count(*) FROM key_state").scalar_one()
                    row = {"fingerprint": f"{name}{turn}", "last_nonce": Decimal(0), "level": Decimal(0)}
                    connection.execute(key_state.insert().values(**row))
        except BaseException as error:  # noqa: BLE001 - a thread's error must reach the test
            errors.append(error)

    threads = [threading.Thread(target=write, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert count(database) == 40


def test_what_failed_half_way_is_not_there(database: Engine) -> None:
    def fail() -> None:
        with writing(database) as connection:
            fill(connection, 1)
            raise RuntimeError("half way")

    with pytest.raises(RuntimeError, match="half way"):
        fail()
    assert count(database) == 0


def fill(connection: Connection, rows: int) -> None:
    for number in range(rows):
        row = {"fingerprint": f"{number:0500}", "last_nonce": Decimal(0), "level": Decimal(0)}
        connection.execute(key_state.insert().values(**row))


def test_sessions_are_in_utc(database: Engine) -> None:
    if database.dialect.name == "postgresql":
        with reading(database) as connection:
            assert connection.execute(text("SHOW timezone")).scalar_one() == "UTC"
    with reading(database) as connection:
        now = connection.execute(text("SELECT CAST(CURRENT_TIMESTAMP AS TEXT)")).scalar_one()
    assert "+" not in now.replace("+00", "")


def test_plain_postgresql_urls_mean_psycopg() -> None:
    for written in ("postgres://u@h/d", "postgresql://u@h/d", "postgresql+psycopg://u@h/d"):
        assert parse_url(written).drivername == "postgresql+psycopg"


@pytest.mark.parametrize(
    "wrong",
    ["mysql://u:secret@h/d", "nonsense", "sqlite://", "sqlite:///:memory:", "postgresql+psycopg2://u:secret@h/d"],
)
def test_a_url_that_cannot_work_is_refused_without_its_password(wrong: str) -> None:
    with pytest.raises(DatabaseError) as refused:
        parse_url(wrong)
    assert "secret" not in str(refused.value)


def test_an_unreachable_server_is_one_line_without_the_password() -> None:
    engine = open_engine("postgresql://me:hunter2secret@127.0.0.1:1/books")
    with pytest.raises(DatabaseError) as refused, reading(engine):
        pass
    assert "127.0.0.1:1/books: cannot connect" in str(refused.value)
    assert "hunter2secret" not in str(refused.value)
    assert "\n" not in str(refused.value)
    assert refused.value.__cause__ is None


def test_a_database_that_the_server_has_not_is_named(postgres_server: URL) -> None:
    engine = open_engine(postgres_server.set(database="nowhere"))
    with pytest.raises(DatabaseError, match="nowhere"), reading(engine):
        pass


def test_a_missing_file_is_not_created_by_opening_it(tmp_path: Path) -> None:
    with pytest.raises(SurroundingsError, match="cannot open"), reading(open_engine(f"sqlite:///{tmp_path / 'x.db'}")):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SurroundingsError, match="cannot be created"):
        migrate.upgrade(f"sqlite:///{tmp_path / 'file' / 'portfolio.db'}")


def test_a_file_that_is_no_database_is_said(tmp_path: Path) -> None:
    path = tmp_path / "letter.db"
    path.write_text("Dear reader, " * 100)
    with pytest.raises(DatabaseError, match="not a SQLite database"):
        migrate.check(open_engine(f"sqlite:///{path}"))


def test_a_full_disk_is_said_and_nothing_is_half_written(tmp_path: Path) -> None:
    engine = migrate.create_or_check(f"sqlite:///{tmp_path / 'portfolio.db'}")
    with reading(engine) as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()

    def overfill() -> None:
        with writing(engine) as connection:
            connection.exec_driver_sql(f"PRAGMA max_page_count = {pages + 2}")
            fill(connection, 1000)

    with pytest.raises(SurroundingsError, match="disk is full"):
        overfill()
    engine.dispose()
    again = open_engine(f"sqlite:///{tmp_path / 'portfolio.db'}")
    assert count(again) == 0
    again.dispose()
