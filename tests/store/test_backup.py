"""A backup of a SQLite database is whole, private and of one moment, whatever writes meanwhile; and it can be put back."""

from __future__ import annotations

import shutil
import sqlite3
import stat
import threading
from pathlib import Path

import pytest
from sqlalchemy import Engine

from portfolio_sync.errors import DatabaseError, PortfolioSyncError, SurroundingsError, UsageError
from portfolio_sync.store import accounts, backup, migrate
from portfolio_sync.store.backup import back_up, restore
from portfolio_sync.store.bulk import insert
from portfolio_sync.store.engine import open_engine, reading, writing
from portfolio_sync.store.schema import raw_ledger
from tests.store.rows import ledger_row


@pytest.fixture
def path(tmp_path: Path, sqlite_template: Path) -> Path:
    (tmp_path / "live").mkdir()
    return Path(shutil.copy(sqlite_template, tmp_path / "live" / "portfolio.db"))


def url_of(path: Path) -> str:
    return f"sqlite:///{path}"


def add(engine: Engine, first: int, number: int) -> None:
    """Rows of one transaction: a copy holds all of them or none."""
    with writing(engine) as connection:
        account = accounts.get_or_create(connection, "main", "me").id
        rows = [ledger_row(f"L{n:06}") for n in range(first, first + number)]
        insert(connection, raw_ledger, rows, account_id=account, seq=1)


def rows_in(path: Path) -> int:
    engine = open_engine(url_of(path))
    with reading(engine) as connection:
        number = connection.exec_driver_sql("SELECT count(*) FROM ledger").scalar_one()
    engine.dispose()
    return int(number)


def test_a_copy_is_private_one_file_and_at_this_programs_version(path: Path, tmp_path: Path) -> None:
    engine = open_engine(url_of(path))
    add(engine, 0, 50)
    target = tmp_path / "copies" / "portfolio.db"
    target.parent.mkdir()
    done = back_up(url_of(path), target)
    engine.dispose()
    assert (done.path, done.revision, done.size) == (target, migrate.HEAD, target.stat().st_size)
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert [file.name for file in target.parent.iterdir()] == ["portfolio.db"]
    assert rows_in(target) == 50


def test_a_copy_made_while_rows_are_written_is_of_one_moment_and_delays_no_writer(path: Path, tmp_path: Path) -> None:
    engine, stop, written = open_engine(url_of(path)), threading.Event(), 0

    def write() -> None:
        nonlocal written
        while not stop.is_set():
            add(engine, written, 100)
            written += 100

    writer = threading.Thread(target=write)
    writer.start()
    try:
        seen = []
        for number in range(8):
            before = written
            back_up(url_of(path), tmp_path / f"{number}.db")
            rows = rows_in(tmp_path / f"{number}.db")
            assert rows % 100 == 0
            assert before <= rows <= written + 100
            seen.append(rows)
    finally:
        stop.set()
        writer.join()
        engine.dispose()
    assert seen == sorted(seen)
    assert seen[0] < seen[-1]


def test_an_older_backup_is_replaced_only_if_told(path: Path, tmp_path: Path) -> None:
    target = tmp_path / "copy.db"
    target.write_text("older")
    with pytest.raises(UsageError, match="--replace"):
        back_up(url_of(path), target)
    assert target.read_text() == "older"
    back_up(url_of(path), target, replace=True)
    assert rows_in(target) == 0


def test_the_database_never_replaces_itself(path: Path) -> None:
    with pytest.raises(UsageError, match="the database itself"):
        back_up(url_of(path), path, replace=True)


def test_a_backup_that_fails_leaves_the_older_one_and_nothing_else(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "copies" / "copy.db"
    target.parent.mkdir()
    target.write_text("older")

    def full(*_: object) -> None:
        raise SurroundingsError("the disk is full")

    monkeypatch.setattr(backup, "_examined", full)
    with pytest.raises(SurroundingsError):
        back_up(url_of(path), target, replace=True)
    assert [file.name for file in target.parent.iterdir()] == ["copy.db"]
    assert target.read_text() == "older"


def damage(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(8192)
        file.write(b"\xff" * 4096)


def test_a_damaged_database_makes_no_backup_and_is_not_put_back(path: Path, tmp_path: Path) -> None:
    engine = open_engine(url_of(path))
    add(engine, 0, 500)
    engine.dispose()
    back_up(url_of(path), tmp_path / "good.db")
    damage(path)
    with pytest.raises(DatabaseError, match="damaged"):
        back_up(url_of(path), tmp_path / "bad.db")
    assert not (tmp_path / "bad.db").exists()
    with pytest.raises(DatabaseError, match="damaged"):
        restore(path, url_of(tmp_path / "new.db"))
    assert not (tmp_path / "new.db").exists()


def refused(call: str, path: Path, tmp_path: Path) -> str:
    calls = {
        "no folder": lambda: back_up(url_of(path), tmp_path / "none" / "copy.db"),
        "no database": lambda: back_up(url_of(tmp_path / "none.db"), tmp_path / "copy.db"),
        "postgresql": lambda: back_up("postgresql://nobody@nowhere/x", tmp_path / "copy.db"),
        "no backup": lambda: restore(tmp_path / "none.db", url_of(path)),
        "there is one": lambda: restore(path, url_of(path)),
        "other": lambda: restore(foreign(tmp_path), url_of(tmp_path / "new.db")),
        "no sqlite": lambda: restore(letter(tmp_path), url_of(tmp_path / "new.db")),
    }
    with pytest.raises(PortfolioSyncError) as raised:
        calls[call]()
    assert raised.value.exit_code == 2
    return str(raised.value)


def foreign(folder: Path) -> Path:
    connection = sqlite3.connect(folder / "songs.db")
    connection.execute("CREATE TABLE songs (title TEXT)")
    connection.close()
    return folder / "songs.db"


def letter(folder: Path) -> Path:
    (folder / "letter.db").write_text("Dear reader, " * 100)
    return folder / "letter.db"


@pytest.mark.parametrize(
    ("call", "said"),
    [
        ("no folder", "no file can be created there"),
        ("no database", "portfolio-sync init"),
        ("postgresql", "pg_dump"),
        ("no backup", "no such file"),
        ("there is one", "--replace"),
        ("other", "not a database of portfolio-sync"),
        ("no sqlite", "not a SQLite database"),
    ],
)
def test_mistakes_are_said_in_one_line(path: Path, tmp_path: Path, call: str, said: str) -> None:
    assert said in refused(call, path, tmp_path)


def test_a_backup_is_put_back_even_where_a_killed_process_left_a_journal(path: Path, tmp_path: Path) -> None:
    """Copied over by hand, the old file's write-ahead log would be played into the new one."""
    engine = open_engine(url_of(path))
    add(engine, 0, 10)
    back_up(url_of(path), tmp_path / "copy.db")
    add(engine, 10, 90)
    dead = tmp_path / "dead"
    dead.mkdir()
    for part in path.parent.iterdir():  # as a power cut leaves it: the rows stand in the log alone
        shutil.copy(part, dead / part.name)
    engine.dispose()
    assert (dead / "portfolio.db-wal").stat().st_size
    done = restore(tmp_path / "copy.db", url_of(dead / "portfolio.db"), replace=True)
    assert done.revision == migrate.HEAD
    assert rows_in(dead / "portfolio.db") == 10
    assert rows_in(tmp_path / "copy.db") == 10


def test_a_backup_makes_a_new_private_database(path: Path, tmp_path: Path) -> None:
    back_up(url_of(path), tmp_path / "copy.db")
    target = tmp_path / "new" / "portfolio.db"
    restore(tmp_path / "copy.db", url_of(target))
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    migrate.create_or_check(url_of(target)).dispose()
