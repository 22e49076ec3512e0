"""What a service that finds nothing new leaves behind: real idle syncs with every byte traced, and two years of its run log.

``python -m benchmarks.idle [SYNCS]`` (default 300) tells both; ``make bench`` traces a hundred syncs.
"""

from __future__ import annotations

import gc
import json
import os
import sys
import tempfile
import threading
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

from portfolio_sync.app import App
from portfolio_sync.sandbox.generate import generate
from portfolio_sync.sandbox.server import Sandbox
from portfolio_sync.service.observer import Observer
from portfolio_sync.service.roster import Roster
from portfolio_sync.service.run import run_one
from portfolio_sync.settings.sources import load
from portfolio_sync.store import accounts, migrate, runs
from portfolio_sync.store import lease as leases
from portfolio_sync.store.engine import open_engine, reading, writing
from portfolio_sync.store.lease import Lease
from portfolio_sync.store.schema import sync_run
from tests.fakes import FakeClock

QUARTER = timedelta(minutes=15)
TWO_YEARS = 730 * 96
KEEP = timedelta(days=90)
WARM = 20


def real(syncs: int) -> dict[str, object]:
    """Syncs through the service's own path over HTTP, the clock moved on by a quarter of an hour each."""
    clock = FakeClock()
    with (
        tempfile.TemporaryDirectory() as name,
        Sandbox(generate(1, 500, end=clock.unix() - 7200), clock=clock.unix, limited=False) as exchange,
        _service(exchange, clock, Path(name)) as (app, roster, observer),
    ):
        idle = partial(_idle, app, roster, observer, clock, exchange)
        idle(WARM)
        tracemalloc.start()
        idle(5)
        before = _standing(app)
        idle(syncs)
        after = _standing(app)
        tracemalloc.stop()
    grown = {f"{key}_grown": after[key] - before[key] for key in before}
    return {"suite": "idle", "syncs": syncs, **grown, "bytes_a_sync": round(grown["database_grown"] / syncs, 1)}


def traced() -> dict[str, object]:
    """As part of ``make bench``."""
    return real(100)


@contextmanager
def _service(exchange: Sandbox, clock: FakeClock, folder: Path) -> Iterator[tuple[App, Roster, Observer]]:
    environ = {
        "KRAKEN_API_KEY": exchange.key,
        "KRAKEN_API_SECRET": exchange.secret,
        "PORTFOLIO_SYNC_KRAKEN_URL": exchange.url,
        "PORTFOLIO_SYNC_EXCHANGE_PACE": "false",
        "PORTFOLIO_SYNC_DATABASE_URL": f"sqlite:///{folder / 'bench.db'}",
    }
    app = App(load(environ=environ, folder=folder), clock, print)
    observer = Observer(app, dict, ())
    yield app, Roster(app, Random(1), print), observer
    observer.close()
    app.close()


def _idle(app: App, roster: Roster, observer: Observer, clock: FakeClock, exchange: Sandbox, syncs: int) -> None:
    for _ in range(syncs):
        clock.time += QUARTER
        with writing(app.writable_engine) as connection:
            lease = leases.acquire(connection, next(iter(roster)), app.owner, timedelta(minutes=1))
        assert isinstance(lease, Lease)
        run_one(roster, roster.start(lease.account_id), lease, print, observer)
        exchange.requests.clear()


def _standing(app: App) -> dict[str, int]:
    gc.collect()
    memory = tracemalloc.get_traced_memory()[0]
    facts = {"memory": memory, "handles": len(os.listdir("/dev/fd")), "threads": threading.active_count()}  # noqa: PTH208
    with reading(app.writable_engine) as connection:
        return facts | {"database": _size(connection)}


def _size(connection: Any) -> int:
    used = "SELECT (page_count - freelist_count) * page_size FROM pragma_page_count(), pragma_freelist_count(), pragma_page_size()"
    return int(connection.exec_driver_sql(used).scalar_one())


def run_log() -> dict[str, object]:
    """All 70,080 lines that two years write to the run log, forgotten by the policy and not."""
    return {"suite": "two years of run log", "runs": TWO_YEARS, **_log(forget=True), **_log(forget=False)}


def _log(*, forget: bool) -> dict[str, object]:
    at = datetime(2024, 1, 1, tzinfo=UTC)
    nothing = {"kind": "sync", "outcome": "ok", "error": None, "calls": 7, "rows_new": 0, "rows_changed": 0}
    with tempfile.TemporaryDirectory() as name:
        url = f"sqlite:///{Path(name) / 'bench.db'}"
        migrate.upgrade(url)
        engine = open_engine(url)
        with writing(engine) as connection:
            account = accounts.get_or_create(connection, "main", "me").id
            before = _size(connection)
            for day in range(TWO_YEARS // 96):
                times = [at + (96 * day + n) * QUARTER for n in range(96)]
                connection.execute(
                    sync_run.insert(),
                    [nothing | {"account_id": account, "started_at": t, "ended_at": t} for t in times],
                )
                if forget:
                    runs.prune(connection, account, times[-1] - KEEP)
            size = _size(connection) - before
            left = connection.exec_driver_sql("SELECT count(*) FROM sync_run").scalar_one()
        engine.dispose()
    word = "kept_90_days" if forget else "kept_for_ever"
    return {f"{word}_runs": left, f"{word}_bytes": size}


if __name__ == "__main__":
    print(json.dumps(real(int(sys.argv[1]) if sys.argv[1:] else 300)), flush=True)
    print(json.dumps(run_log()), flush=True)
