"""What happens while something is away, and that afterwards everything goes on: the table of docs/operations.md, row by row.

Faults of single calls are in test_faults.py, kill -9 in test_kill.py, backups in test_restore.py.
"""

from __future__ import annotations

import os
import resource
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import make_url

from portfolio_sync.errors import (
    DatabaseError,
    InvalidKey,
    LockedOut,
    OverpoweredKey,
    Refused,
    SurroundingsError,
    Unreachable,
)
from portfolio_sync.sandbox.account import Account, Entry
from portfolio_sync.sandbox.faults import Fault, Trouble
from portfolio_sync.sandbox.generate import generate
from portfolio_sync.sandbox.server import Sandbox
from portfolio_sync.store import engine as engines
from portfolio_sync.store import migrate
from tests import postgres
from tests.fakes import FakeClock
from tests.patience import PATIENCE
from tests.wire.conftest import Set, Stage
from tests.wire.truth import assert_same, rows_of

NOW = FakeClock().unix()
FAST = {"PORTFOLIO_SYNC_EXCHANGE_PACE": "false"}
QUARTER = timedelta(minutes=15)
YEAR = timedelta(days=365)


@cache
def _generated(rows: int) -> Account:
    return generate(12, rows, end=NOW - 7200)


def life(rows: int = 250) -> Account:
    made = _generated(rows)
    return replace(made, ledgers=list(made.ledgers), trades=list(made.trades), balances=dict(made.balances))


@pytest.fixture
def on(stage: Set) -> Stage:
    """Synced once, fifteen minutes ago."""
    made = stage(life(), FAST, limited=False)
    assert made.sync().proof == "proven"
    made.clock.time += QUARTER
    return made


def book(on: Stage, number: int) -> None:
    balance = str(Decimal(on.exchange.account.balances["ZEUR"]) + 1)
    fields = {"refid": f"FT{number}", "type": "deposit", "subtype": "", "aclass": "currency", "asset": "ZEUR"}
    money = {"amount": "1.0000", "fee": "0.0000", "balance": balance}
    on.exchange.book(Entry(f"LNEW{number:02}-AAAAA-BBBBBB", on.exchange.exchange.clock(), fields | money))


def assert_well(on: Stage) -> None:
    """The next run brings everything, and no nonce came twice."""
    outcome = on.sync()
    assert (outcome.error, outcome.proof) == (None, "proven")
    assert_same(on.database_url, on.exchange.account)
    nonces = [request.nonce for request in on.exchange.requests if request.nonce]
    assert nonces == sorted(set(nonces))


# --- the exchange ---


@pytest.mark.parametrize("trouble", [Trouble.UNAVAILABLE, Trouble.HTTP_503, Trouble.RESET])
def test_an_exchange_away_for_hours_is_asked_a_few_times_a_run_and_caught_up_with_at_once(
    on: Stage, trouble: Trouble
) -> None:
    on.exchange.faults.append(Fault(trouble, times=100_000))
    before, runs = len(on.exchange.requests), 8
    for number in range(runs):
        assert isinstance(on.sync().error, Unreachable)
        book(on, number)
        on.clock.time += timedelta(minutes=45)
    assert len(on.exchange.requests) - before <= 15 * runs
    assert rows_of(on.database_url, "SELECT count(*) FROM ledger")[0][0] == len(on.exchange.account.ledgers) - runs
    on.exchange.faults.clear()
    assert_well(on)


@pytest.mark.parametrize("words", ["EService:Market in maintenance", "EService:Something that nobody has heard of"])
def test_words_of_maintenance_that_nobody_knows_end_the_run_and_the_next_one_tries_again(on: Stage, words: str) -> None:
    answer = b'{"error":["' + words.encode() + b'"]}'
    on.exchange.faults.append(Fault(method="Ledgers", times=100, alter=lambda _: answer))
    before = on.exchange.calls("Ledgers")
    error = on.sync().error
    assert isinstance(error, Refused)
    assert words in str(error)
    assert on.exchange.calls("Ledgers") - before == 1
    on.exchange.faults.clear()
    on.clock.time += QUARTER
    assert_well(on)


def test_a_name_that_cannot_be_resolved_is_said_and_the_next_run_goes_on(
    on: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    on.settings = {"PORTFOLIO_SYNC_KRAKEN_URL": "https://api.kraken.example"}
    with monkeypatch.context() as away:
        away.setattr(socket, "getaddrinfo", unknown)
        error = on.sync().error
    assert isinstance(error, Unreachable)
    assert "cannot be resolved (DNS)" in str(error)
    on.settings = FAST
    assert_well(on)


# --- the key ---


def test_a_revoked_key_costs_one_call_a_run_keeps_everything_and_works_again_when_it_is_back(on: Stage) -> None:
    on.exchange.facts.known = False
    kept, before, runs = len(on.exchange.account.ledgers), on.exchange.calls(), 12
    for _ in range(runs):
        assert isinstance(on.sync().error, (InvalidKey, LockedOut))
        on.clock.time += QUARTER
    assert on.exchange.calls() - before <= runs
    assert rows_of(on.database_url, "SELECT count(*) FROM ledger")[0][0] == kept
    on.exchange.facts.known = True
    book(on, 1)
    on.clock.time += timedelta(hours=1)
    assert_well(on)


def test_a_key_that_learns_to_trade_is_not_used_until_it_has_forgotten_it(on: Stage) -> None:
    before, reads = len(on.exchange.requests), on.exchange.facts.permissions
    on.exchange.facts.permissions = (*reads, "modify-trades")
    book(on, 1)
    for _ in range(3):
        error = on.sync().error
        assert isinstance(error, OverpoweredKey)
        assert "modify-trades" in str(error)
        on.clock.time += QUARTER
    assert {request.method for request in on.exchange.requests[before:]} == {"Time", "GetApiKeyInfo"}
    on.exchange.facts.permissions = reads
    assert_well(on)


# --- the clock ---


class Apart(Stage):
    """The exchange goes by its own clock, and so do we."""

    theirs: FakeClock


@pytest.fixture
def two_clocks(database_url: str, tmp_path: Path) -> Iterator[Apart]:
    theirs = FakeClock()
    with Sandbox(life(), clock=theirs.unix, limited=False) as exchange:
        on = Apart(exchange, database_url, tmp_path, FakeClock(), FAST)
        assert on.sync().proof == "proven"
        theirs.time += QUARTER
        on.theirs = theirs
        yield on


@pytest.mark.parametrize("jump", [YEAR, -YEAR, timedelta(hours=9), -timedelta(seconds=90)], ids=str)
def test_a_clock_that_jumps_and_comes_back_loses_no_row_and_no_nonce(two_clocks: Apart, jump: timedelta) -> None:
    on = two_clocks
    for number, shift in enumerate((jump, -jump, jump / 2)):
        on.clock.time += shift
        on.theirs.time += QUARTER
        book(on, number)
        assert_well(on)


@pytest.mark.parametrize("jump", [YEAR, -YEAR, timedelta(hours=9)], ids=str)
def test_a_clock_that_jumps_in_the_middle_of_a_run_does_no_harm(two_clocks: Apart, jump: timedelta) -> None:
    on = two_clocks

    def leap() -> None:
        on.clock.time += jump

    book(on, 1)
    on.exchange.faults.append(Fault(method="Ledgers", act=leap))
    assert_well(on)
    on.theirs.time += QUARTER
    book(on, 2)
    assert_well(on)


def test_a_lockout_noted_while_the_clock_was_ahead_lasts_no_longer_than_a_lockout(two_clocks: Apart) -> None:
    on = two_clocks
    on.clock.time += YEAR
    on.exchange.faults.append(Fault(Trouble.LOCKOUT, "GetApiKeyInfo"))
    assert isinstance(on.sync().error, LockedOut)
    on.clock.time -= YEAR
    before = on.exchange.calls()
    assert isinstance(on.sync().error, LockedOut)
    assert on.exchange.calls() == before
    on.clock.time += timedelta(minutes=16)
    on.exchange.facts.locked_until = Decimal(0)  # by the exchange's clock, too
    assert_well(on)


class Laptop(FakeClock):
    """Its lid is closed during the first wait, for a night."""

    def sleep(self, seconds: Decimal) -> None:
        super().sleep(seconds)
        if len(self.slept) == 1:
            self.time += timedelta(hours=9)


def test_a_laptop_that_sleeps_between_two_tries_gives_the_run_up_and_the_next_one_goes_on(on: Stage) -> None:
    on.clock = Laptop(on.clock.time)
    on.exchange.faults.append(Fault(Trouble.RESET, "Ledgers", times=3))
    error = on.sync().error
    assert error is None or isinstance(error, Unreachable)
    on.exchange.faults.clear()
    book(on, 1)
    on.exchange.exchange.clock = on.clock.unix
    assert_well(on)


# --- the database ---


def cut_all_connections(url: str) -> None:
    plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(plain, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_database_that_cuts_its_connections_in_the_middle_of_a_run_costs_that_run_at_most(on: Stage) -> None:
    for method in ("GetApiKeyInfo", "TradesHistory", "Ledgers", "BalanceEx"):
        book(on, len(on.exchange.requests))
        cut = Fault(method=method, act=lambda: cut_all_connections(on.database_url))
        on.exchange.faults.append(cut)
        error = on.sync().error
        assert error is None or isinstance(error, DatabaseError), method
        on.exchange.faults.clear()
        on.clock.time += QUARTER
        assert_well(on)
        on.clock.time += QUARTER


SERVE = """\
[exchange]
url = "{url}"
pace = false
give_up_after = "0s"
[sync]
schedule = "{schedule}"
jitter = "0s"
[service]
lease = "3s"
listen = "127.0.0.1:0"
"""


@contextmanager
def serving(
    folder: Path, exchange: Sandbox, database_url: str, schedule: str = "every 1s"
) -> Iterator[subprocess.Popen[str]]:
    (folder / "portfolio-sync.toml").write_text(SERVE.format(url=exchange.url, schedule=schedule))
    key = {"KRAKEN_API_KEY": exchange.key, "KRAKEN_API_SECRET": exchange.secret}
    environ = os.environ | key | {"PORTFOLIO_SYNC_DATABASE_URL": database_url}
    command = [sys.executable, "-m", "portfolio_sync", "serve"]
    with subprocess.Popen(command, cwd=folder, env=environ, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def hear(process: subprocess.Popen[str], wanted: str) -> None:
    said = ""
    assert process.stderr is not None
    for line in process.stderr:
        said += line
        if wanted in line:
            return
    raise AssertionError(said)


def test_a_database_server_that_is_restarted_is_waited_for(tmp_path: Path) -> None:
    with postgres.own_server() as server, Sandbox(life(100), limited=False) as exchange:
        migrate.upgrade(server.url)
        with serving(tmp_path, exchange, server.url) as process:
            hear(process, "0 new")
            server.stop()
            hear(process, "cannot connect")
            server.start()
            hear(process, "0 new")
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=PATIENCE) == 0
        assert_same(server.url, exchange.account)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_full_disk_keeps_what_was_read_and_is_said(stage: Set, monkeypatch: pytest.MonkeyPatch) -> None:
    on = stage(life(), FAST, limited=False)
    pages = rows_of(on.database_url, "PRAGMA page_count")[0][0]
    with monkeypatch.context() as full:
        full.setattr(engines, "SQLITE_PRAGMAS", (*engines.SQLITE_PRAGMAS, f"PRAGMA max_page_count={pages + 20}"))
        error = on.sync().error
    assert isinstance(error, SurroundingsError)
    assert "disk is full" in str(error)
    kept = rows_of(on.database_url, "SELECT count(*) FROM trade")[0][0]
    assert kept > 0
    on.clock.time += QUARTER
    assert_well(on)


def test_a_file_that_may_not_grow_ends_the_command_in_one_line_and_harms_nothing(tmp_path: Path) -> None:
    path = tmp_path / "portfolio.db"
    url = f"sqlite:///{path}"
    migrate.upgrade(url)
    with Sandbox(life(100), limited=False) as exchange:
        environ = os.environ | Stage(exchange, url, tmp_path, FakeClock(), FAST).environ

        def sync(limit: int) -> tuple[int, str]:
            def limited() -> None:
                resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))

            done = subprocess.run(
                [sys.executable, "-m", "portfolio_sync", "sync", "--quiet"],
                cwd=tmp_path, env=environ, capture_output=True, text=True, check=False, preexec_fn=limited,
            )  # fmt: skip
            return done.returncode, done.stderr

        code, said = sync(100_000)
        assert code == 2, said
        assert "Traceback" not in said
        assert "the disk" in said
        connection = sqlite3.connect(path)
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        connection.close()
        assert sync(resource.RLIM_INFINITY)[0] == 0
        assert_same(url, exchange.account)


# --- the process ---


def test_sigterm_ends_within_one_page_and_gives_the_lease_back(database_url: str, tmp_path: Path) -> None:
    with (
        Sandbox(life(2_000), limited=False) as exchange,
        serving(tmp_path, exchange, database_url, "every 1h") as process,
    ):
        while exchange.calls("TradesHistory") < 3:
            assert process.poll() is None
            threading.Event().wait(0.005)
        seen = exchange.calls()
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=PATIENCE) == 0
        assert exchange.calls() - seen <= 10  # those until the signal was heard, and one page
        assert exchange.calls("Ledgers") == 0
    (row,) = rows_of(database_url, "SELECT owner, until, last_outcome FROM lease")
    assert tuple(row) == (None, None, "stopped")
