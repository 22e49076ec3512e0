"""Idle syncs: many accounts on PostgreSQL by 1, 2 and 4 workers, and what one of them costs inside a running service."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path

from benchmarks.clock import cpu
from portfolio_sync.app import App
from portfolio_sync.core.clock import SystemClock
from portfolio_sync.service.worker import Worker
from portfolio_sync.settings.sources import load
from portfolio_sync.store import lease as leases
from portfolio_sync.store import migrate
from portfolio_sync.store.engine import writing
from portfolio_sync.store.lease import Lease
from portfolio_sync.sync.progress import Silent
from portfolio_sync.sync.reading import Request
from portfolio_sync.tasks.sync import stored_account, sync_leased
from tests.postgres import server

ACCOUNTS, RUNS = 200, 20
# Accounts that so many workers sync: the most at full length, the fewer only as long as it takes to see their pace.
WORKERS = {1: 40, 2: 80, 4: ACCOUNTS}
SETTINGS = """\
[exchange]
url = "{url}"
pace = false
[service]
workers = 4
"""
ACCOUNT = """\
[[accounts]]
name = "a{number}"
key = {{ env = "KEY{number}" }}
secret = {{ env = "SECRET{number}" }}
"""
# The exchanges, one for each account: in a process of their own, so that their work is not counted as ours.
EXCHANGES = """
import json, sys
from portfolio_sync.sandbox.server import Sandbox
from tests.chaos.fleet import open_exchanges, small_account
sandboxes = [Sandbox(small_account(number), limited=False) for number in range(int(sys.argv[1]))]
with open_exchanges(sandboxes) as url:
    print(json.dumps({"url": url, "keys": [[one.key, one.secret] for one in sandboxes]}), flush=True)
    sys.stdin.read()
"""


def idle() -> dict[str, object]:
    """``cpu_ms`` is this process's own, ``cpu_to_loop`` over adding up a million numbers: the machine taken out of it.

    A worker is a thread of a service's pool.
    """
    with _stage() as app:
        runs = _Runs(app)
        first = runs.all_once(4, ACCOUNTS)
        one = runs.ids[0]
        calls = runs.sync(runs.held(one))
        start = time.process_time()
        for _ in range(RUNS):
            runs.sync(runs.held(one))
        spent = (time.process_time() - start) / RUNS
        loop = cpu(lambda: sum(number for number in range(1_000_000)))
        rates = {workers: round(60 * many / runs.all_once(workers, many)) for workers, many in WORKERS.items()}
    return {
        "suite": "idle syncs on PostgreSQL",
        "accounts": ACCOUNTS,
        "private_calls": calls,
        "cpu_ms": round(spent * 1000, 1),
        "cpu_to_loop": round(spent / loop, 2),
        "accounts_per_minute_by_workers": rates,
        "seconds_for_all_by_4_workers": round(60 * ACCOUNTS / rates[4], 1),
        "seconds_for_the_first_sync_of_all": round(first, 1),
    }


@contextmanager
def _stage() -> Iterator[App]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = stack.enter_context(server())
        migrate.upgrade(url)
        command = [sys.executable, "-c", EXCHANGES, str(ACCOUNTS)]
        exchanges = stack.enter_context(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE))
        assert exchanges.stdout is not None
        ready = json.loads(exchanges.stdout.readline())
        stack.callback(exchanges.terminate)
        names = "".join(ACCOUNT.format(number=number) for number in range(ACCOUNTS))
        (folder / "portfolio-sync.toml").write_text(SETTINGS.format(url=ready["url"]) + names)
        secrets = {
            f"{kind}{number}": words[place]
            for number, words in enumerate(ready["keys"])
            for place, kind in enumerate(("KEY", "SECRET"))
        }
        app = App(load(environ=secrets | {"PORTFOLIO_SYNC_DATABASE_URL": url}, folder=folder), SystemClock(), print)
        stack.callback(app.close)
        yield app


class _Runs:
    """What the service does with its accounts, without the waiting."""

    def __init__(self, app: App) -> None:
        self.app, self.engine = app, app.writable_engine
        self.stored = {one.id: (account, one) for account in app.accounts() for one in [stored_account(app, account)]}
        self.ids = list(self.stored)

    def held(self, account_id: int) -> Lease:
        with writing(self.engine) as connection:
            got = leases.acquire(connection, account_id, self.app.owner, timedelta(minutes=1))
        assert isinstance(got, Lease)
        return got

    def sync(self, lease: Lease) -> int:
        """Returns the number of private calls."""
        account, stored = self.stored[lease.account_id]
        client = self.app.client(account, held=lease)
        outcome = sync_leased(self.app, account, stored, lease, client, Request(), Silent())
        if outcome.error:
            raise outcome.error
        with writing(self.engine) as connection:
            leases.release(connection, lease, next_run_at=None, outcome="ok")
        return outcome.calls

    def all_once(self, workers: int, many: int) -> float:
        """Seconds until each of so many accounts was synced once."""
        ids = self.ids[:many]
        with writing(self.engine) as connection:
            for account_id in ids:
                leases.schedule(connection, account_id, leases.now(connection))
        left, done = set(ids), threading.Event()

        def run(lease: Lease) -> None:
            self.sync(lease)
            left.discard(lease.account_id)
            if not left:
                done.set()

        start = time.perf_counter()
        worker = Worker(self.engine, ids, run, workers, timedelta(minutes=1), print)
        while not done.is_set():
            worker.tick()
            done.wait(1)
        worker.stop()
        return time.perf_counter() - start
