"""The background service as a process: it syncs at its interval, survives one account's errors, stops when told."""

from __future__ import annotations

import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, select

from portfolio_sync.errors import DatabaseError
from portfolio_sync.sandbox.faults import Fault
from portfolio_sync.sandbox.generate import generate
from portfolio_sync.sandbox.server import Sandbox
from portfolio_sync.service.worker import Worker
from portfolio_sync.store import accounts, schema
from portfolio_sync.store import lease as leases
from portfolio_sync.store.engine import writing
from portfolio_sync.store.lease import Lease
from tests.patience import PATIENCE

SETTINGS = """\
[database]
url = "sqlite:///portfolio.db"
[exchange]
url = "{url}"
pace = false
give_up_after = "0s"
[sync]
schedule = "every 1s"
jitter = "0s"
[service]
listen = "off"
[[accounts]]
name = "good"
key = {{ env = "GOOD_KEY" }}
secret = {{ env = "GOOD_SECRET" }}
[[accounts]]
name = "bad"
key = {{ env = "BAD_KEY" }}
secret = {{ env = "GOOD_SECRET" }}
"""


@contextmanager
def serving(folder: Path, exchange: Sandbox) -> Iterator[subprocess.Popen[str]]:
    (folder / "portfolio-sync.toml").write_text(SETTINGS.format(url=exchange.url))
    environ = os.environ | {"GOOD_KEY": exchange.key, "GOOD_SECRET": exchange.secret, "BAD_KEY": "nobody"}
    command = [sys.executable, "-m", "portfolio_sync", "serve"]
    with subprocess.Popen(command, cwd=folder, env=environ, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def heard(process: subprocess.Popen[str], *wanted: str) -> str:
    """Read what the service says until all of ``wanted`` was said."""
    said = ""
    assert process.stderr is not None
    for line in process.stderr:
        said += line
        if all(words in said for words in wanted):
            return said
    raise AssertionError(said)


def test_it_syncs_again_and_again_and_one_bad_account_stops_nobody(tmp_path: Path) -> None:
    with Sandbox(generate(2, 200), limited=False) as exchange, serving(tmp_path, exchange) as process:
        heard(process, "good: ", "good: 0 new", "bad: 0 new, 0 changed, 1 calls: GetApiKeyInfo: EAPI:Invalid key")
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=PATIENCE) == 0
    database = sqlite3.connect(tmp_path / "portfolio.db")
    assert database.execute("SELECT count(*) FROM ledger").fetchone() == (200,)
    due = "SELECT a.name, l.owner, l.next_run_at IS NOT NULL, l.last_outcome FROM lease l JOIN account a ON a.id = l.account_id"
    (bad, good) = sorted(database.execute(due))
    assert (bad[:3], good[:3]) == (("bad", None, 1), ("good", None, 1))
    assert (bad[3], good[3]) in {(b, g) for b in ("error", "stopped") for g in ("ok", "stopped")}  # what SIGTERM met
    database.close()


def test_sigterm_ends_a_long_sync_after_its_page_and_the_next_run_goes_on(tmp_path: Path) -> None:
    with Sandbox(generate(2, 2_000), limited=False) as exchange, serving(tmp_path, exchange) as process:
        while exchange.calls("TradesHistory") < 3:
            assert process.poll() is None
            threading.Event().wait(0.01)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=PATIENCE) == 0
        done = exchange.calls("Ledgers")
        assert done < 30
    with Sandbox(exchange.account, limited=False) as again, serving(tmp_path, again) as process:
        heard(process, "good: ", "good: 0 new")
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=PATIENCE) == 0
    database = sqlite3.connect(tmp_path / "portfolio.db")
    assert database.execute("SELECT count(*) FROM ledger").fetchone() == (2_000,)
    database.close()


def test_services_and_a_manual_sync_on_one_sqlite_take_turns_or_say_who_is_at_it(tmp_path: Path) -> None:
    with (
        Sandbox(generate(2, 200), limited=False) as exchange,
        serving(tmp_path, exchange) as one,
        serving(tmp_path, exchange) as two,
    ):
        pids = {str(process.pid) for process in (one, two)}
        heard(one, "serving 2 account(s)")
        environ = os.environ | {"GOOD_KEY": exchange.key, "GOOD_SECRET": exchange.secret, "BAD_KEY": "nobody"}
        command = [sys.executable, "-m", "portfolio_sync", "sync", "--quiet", "--account", "good"]
        for _ in range(2):
            done = subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, text=True, check=False)
            busy = re.search(r"account good is being synced by [^:]+:(\d+):\S+ \(until .*try again later", done.stderr)
            assert done.returncode == 0 or (done.returncode == 2 and busy and busy[1] in pids), done.stderr
        heard(two, "serving 2 account(s)")
        for process in (one, two):
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=PATIENCE) == 0
    refusals = {"EAPI:Invalid key", "EGeneral:Temporary lockout"}  # of the bad key
    assert {request.outcome for request in exchange.requests} <= {"ok", *refusals}
    nonces = [request.nonce for request in exchange.requests if request.nonce and request.outcome == "ok"]
    assert nonces == sorted(set(nonces))
    database = sqlite3.connect(tmp_path / "portfolio.db")
    assert database.execute("SELECT count(*) FROM ledger").fetchone() == (200,)
    database.close()


def test_a_sync_beside_one_that_is_under_way_says_who_has_the_account(tmp_path: Path) -> None:
    asked, go_on = threading.Event(), threading.Event()

    def hesitate() -> None:
        asked.set()
        go_on.wait(60)

    with Sandbox(generate(2, 200), limited=False) as exchange, serving(tmp_path, exchange) as process:
        exchange.faults.append(Fault(method="TradesHistory", act=hesitate))
        assert asked.wait(60)  # in the middle, for as long as we like, and no transaction is open
        environ = os.environ | {"GOOD_KEY": exchange.key, "GOOD_SECRET": exchange.secret, "BAD_KEY": "nobody"}
        command = [sys.executable, "-m", "portfolio_sync", "sync", "--account", "good"]
        done = subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, text=True, check=False)
        go_on.set()
        assert done.returncode == 2
        assert f"account good is being synced by {socket.gethostname()}:{process.pid}:" in done.stderr


@pytest.fixture
def due_accounts(database: Engine) -> list[int]:
    with writing(database) as connection:
        found = [accounts.get_or_create(connection, f"a{n}", "me").id for n in range(5)]
        for account in found:
            leases.schedule(connection, account, leases.now(connection) - timedelta(seconds=1))
    return found


def test_a_worker_claims_as_much_as_it_has_room_for_and_each_account_once(
    database: Engine, due_accounts: list[int]
) -> None:
    going, gate = [], threading.Event()

    def run(lease: Lease) -> None:
        going.append(lease.account_id)
        gate.wait(PATIENCE)
        with writing(database) as connection:
            leases.release(connection, lease, next_run_at=None, outcome="ok")

    worker = Worker(database, due_accounts, run, 2, timedelta(minutes=1), print)
    other = Worker(database, due_accounts, run, 9, timedelta(minutes=1), print)
    worker.tick()
    worker.tick()
    assert len(worker.running) == 2
    other.tick()
    gate.set()
    worker.stop()
    other.stop()
    assert sorted(going) == sorted(due_accounts)


def leases_now(database: Engine) -> dict[int, tuple[str | None, int]]:
    with writing(database) as connection:
        rows = connection.execute(select(schema.lease.c.account_id, schema.lease.c.owner, schema.lease.c.fence))
        return {row.account_id: (row.owner, row.fence) for row in rows}


def test_a_worker_leaves_accounts_of_other_peoples_settings_alone(database: Engine, due_accounts: list[int]) -> None:
    mine = due_accounts[:2]
    worker = Worker(database, mine, lambda lease: None, 5, timedelta(minutes=1), print)
    worker.tick()
    worker.stop()
    assert {account for account, (owner, _) in leases_now(database).items() if owner} == set(mine)


def test_a_queue_is_worked_off_without_waiting_for_ticks(database: Engine, due_accounts: list[int]) -> None:
    done: list[int] = []

    def run(lease: Lease) -> None:
        with writing(database) as connection:
            leases.release(connection, lease, next_run_at=None, outcome="ok")
        done.append(lease.account_id)

    worker = Worker(database, due_accounts, run, 1, timedelta(minutes=1), print)
    worker.tick()
    while len(done) < len(due_accounts):
        threading.Event().wait(0.01)
    worker.stop()
    assert sorted(done) == due_accounts


def test_an_account_that_could_not_be_given_back_is_taken_up_again_as_soon_as_the_database_is_back(
    database: Engine, due_accounts: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    fences: list[int] = []
    said: list[str] = []

    def run(lease: Lease) -> None:
        fences.append(lease.fence)
        if len(fences) == 1:
            monkeypatch.setattr("portfolio_sync.service.worker.writing", away)
            raise DatabaseError("cannot connect")  # the sync's own, and then that of giving back

    def away(_: Engine) -> None:
        raise DatabaseError("still away")

    worker = Worker(database, due_accounts[:1], run, 1, timedelta(hours=1), said.append)
    worker.tick()
    while worker.running:
        threading.Event().wait(0.01)
    with pytest.raises(DatabaseError):
        worker.tick()
    monkeypatch.undo()
    worker.tick()
    while len(fences) < 2:
        threading.Event().wait(0.01)
    worker.stop()
    assert fences[:2] == [1, 2]
    assert any("still away" in line for line in said)


def test_leases_are_kept_while_a_stopped_worker_waits_for_its_last_syncs(
    database: Engine, due_accounts: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("portfolio_sync.service.worker.HEARTBEATS", 600)  # one in a tenth of a second
    gate, ttl = threading.Event(), timedelta(minutes=1)

    def run(lease: Lease) -> None:
        gate.wait(PATIENCE)

    def kept_until() -> datetime:
        with writing(database) as connection:
            until = connection.scalar(select(schema.lease.c.until).where(schema.lease.c.account_id == due_accounts[0]))
            assert isinstance(until, datetime)
            assert until > leases.now(connection)
        return until

    worker = Worker(database, due_accounts[:1], run, 1, ttl, print)
    worker.tick()
    stopping = threading.Thread(target=worker.stop)
    stopping.start()
    for _ in range(3):
        before, end = kept_until(), time.monotonic() + PATIENCE
        while kept_until() == before:
            assert time.monotonic() < end
            threading.Event().wait(0.05)
            worker.tick()
    gate.set()
    stopping.join()
