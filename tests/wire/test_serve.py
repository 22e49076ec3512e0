"""The background service as a process: it syncs at its interval, survives one account's errors, stops when told."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from portfolio_sync.sandbox.generate import generate
from portfolio_sync.sandbox.server import Sandbox
from portfolio_sync.service.worker import Worker
from portfolio_sync.store import accounts
from portfolio_sync.store import lease as leases
from portfolio_sync.store.engine import writing
from portfolio_sync.store.lease import Lease

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
        assert process.wait(timeout=20) == 0
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
        assert process.wait(timeout=20) == 0
        done = exchange.calls("Ledgers")
        assert done < 30
    with Sandbox(exchange.account, limited=False) as again, serving(tmp_path, again) as process:
        heard(process, "good: ", "good: 0 new")
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=20) == 0
    database = sqlite3.connect(tmp_path / "portfolio.db")
    assert database.execute("SELECT count(*) FROM ledger").fetchone() == (2_000,)
    database.close()


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
        gate.wait(10)
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
