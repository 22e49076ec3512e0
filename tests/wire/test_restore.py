"""A backup put back: the same rows and views, and the next sync goes on from there, whatever the exchange remembers of the key."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import inspect, make_url, text

from portfolio_sync.cli.main import main
from portfolio_sync.sandbox.account import Account, Entry
from portfolio_sync.sandbox.generate import generate
from portfolio_sync.store.backup import back_up, restore
from portfolio_sync.store.engine import open_engine, reading, writing
from tests import postgres
from tests.fakes import FakeClock
from tests.wire.conftest import Set, Stage
from tests.wire.truth import assert_same

NOW = FakeClock().unix()
FAST = {"PORTFOLIO_SYNC_EXCHANGE_PACE": "false"}


@cache
def _generated() -> Account:
    return generate(6, 300, end=NOW - 7200)


def life() -> Account:
    made = _generated()
    return replace(made, ledgers=list(made.ledgers), trades=list(made.trades), balances=dict(made.balances))


@pytest.fixture
def on(stage: Set) -> Stage:
    return stage(life(), FAST, limited=False)


def book_and_sync(on: Stage, number: int) -> None:
    """A deposit of one euro, read fifteen minutes later."""
    balance = str(Decimal(on.exchange.account.balances["ZEUR"]) + 1)
    fields = {"refid": f"FT{number}", "type": "deposit", "subtype": "", "aclass": "currency", "asset": "ZEUR"}
    money = {"amount": "1.0000", "fee": "0.0000", "balance": balance}
    on.exchange.book(Entry(f"LNEW{number:02}-AAAAA-BBBBBB", on.clock.unix(), fields | money))
    on.clock.time += timedelta(minutes=15)
    outcome = on.sync()
    assert (outcome.error, outcome.proof, outcome.rows_new > 0) == (None, "proven", True)


def content(database_url: str) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table and view."""
    engine = open_engine(database_url)
    try:
        with reading(engine) as connection:
            found = inspect(connection)
            names = [*found.get_table_names(), *found.get_view_names()]
            rows = {name: connection.execute(text(f"SELECT * FROM {name}")).all() for name in names}
    finally:
        engine.dispose()
    return {name: sorted((tuple(row) for row in found), key=repr) for name, found in rows.items()}


def dumped(on: Stage) -> Callable[[], None]:
    """Back up as docs/operations.md says; gives how to put it back in the place of what is there then."""
    if on.database_url.startswith("sqlite"):
        back_up(on.database_url, on.folder / "backup.db")
        return lambda: void(restore(on.folder / "backup.db", on.database_url, replace=True))
    plain = make_url(on.database_url).set(drivername="postgresql").render_as_string(hide_password=False)
    file = on.folder / "backup.dump"
    run(postgres.client("pg_dump"), "--format=custom", "--file", str(file), plain)
    back = [postgres.client("pg_restore"), "--clean", "--if-exists", "--single-transaction", "--dbname", plain]
    return lambda: run(*back, str(file))


def void(_: object) -> None:
    pass


def run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_backup_brings_every_row_and_view_back_and_the_sync_goes_on(on: Stage) -> None:
    on.sync()
    book_and_sync(on, 1)
    before, put_back = content(on.database_url), dumped(on)
    assert before["ledger"]
    assert before["change_log"] == []
    book_and_sync(on, 2)
    assert content(on.database_url) != before
    put_back()
    assert content(on.database_url) == before
    on.clock.time += timedelta(minutes=15)
    outcome = on.sync()
    assert (outcome.error, outcome.proof, outcome.rows_new > 0) == (None, "proven", True)
    assert_same(on.database_url, on.exchange.account)


@pytest.mark.parametrize("unit", [10**3, 10**6, 10**9])
def test_an_old_backup_knows_an_old_nonce_and_the_key_works_on(on: Stage, unit: int) -> None:
    """The exchange's last nonce can never be lowered: the key was used with larger ones after the backup."""
    on.sync()
    put_back = dumped(on)
    on.exchange.facts.nonce = int((on.clock.unix() + 600) * unit)
    put_back()
    on.clock.time += timedelta(minutes=15)
    outcome = on.sync()
    assert (outcome.error, outcome.proof) == (None, "proven")
    nonces = [request.nonce for request in on.exchange.requests if request.nonce and request.outcome == "ok"]
    assert len(nonces) == len(set(nonces))


def test_a_backup_made_in_the_middle_of_a_run_goes_on_after_it(on: Stage) -> None:
    """Its lease is held by a process that is no more, its run never ended."""
    on.sync()
    engine = open_engine(on.database_url)
    with writing(engine) as connection:
        connection.execute(text("UPDATE sync_run SET ended_at = NULL, outcome = NULL"))
        connection.execute(
            text("UPDATE lease SET owner = 'gone:1:x', fence = 7, until = '2020-01-01T00:00:00.000000Z'")
        )
    engine.dispose()
    put_back = dumped(on)
    book_and_sync(on, 1)
    put_back()
    on.clock.time += timedelta(minutes=15)
    assert on.sync().proof == "proven"
    assert_same(on.database_url, on.exchange.account)


def test_the_commands_back_up_and_put_back(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PORTFOLIO_SYNC_DATABASE_URL", f"sqlite:///{tmp_path / 'portfolio.db'}")
    assert main(["db", "upgrade"]) == 0
    assert main(["db", "backup", "copy.db"]) == 0
    assert main(["db", "backup", "copy.db"]) == 2
    assert "--replace" in capsys.readouterr().err
    assert main(["db", "backup", "copy.db", "--replace", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["file"] == "copy.db"
    assert main(["db", "restore", "copy.db"]) == 2
    assert main(["db", "restore", "copy.db", "--replace"]) == 0
    assert "is what copy.db holds" in capsys.readouterr().out
