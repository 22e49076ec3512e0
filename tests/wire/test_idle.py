"""Two years of nothing new: idle syncs through the service's own path leave no memory, no handle and hardly a byte behind.

benchmarks/idle.py does the same some hundreds of times, with every byte of memory traced.
"""

from __future__ import annotations

import gc
import os
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from random import Random

import pytest

from portfolio_sync.app import App
from portfolio_sync.sandbox.faults import Fault, Trouble
from portfolio_sync.sandbox.generate import generate
from portfolio_sync.service.observer import Observer
from portfolio_sync.service.roster import Roster
from portfolio_sync.service.run import run_one
from portfolio_sync.settings.sources import load
from portfolio_sync.store import lease as leases
from portfolio_sync.store.engine import reading, writing
from portfolio_sync.store.lease import Lease
from portfolio_sync.store.schema import metadata
from tests.fakes import FakeClock
from tests.wire.conftest import Set, Stage
from tests.wire.truth import assert_same

QUARTER, TWO_MONTHS = timedelta(minutes=15), timedelta(days=61)
SETTINGS = {"PORTFOLIO_SYNC_EXCHANGE_PACE": "false", "PORTFOLIO_SYNC_SERVICE_KEEP_RUNS": "7d"}
WARM, DENSE, STEPS = 2, 12, 12


@dataclass
class Life:
    """A service of one account whose clock is ours: what it does when the account is due is done by hand."""

    on: Stage
    app: App
    roster: Roster
    observer: Observer
    said: list[str]

    def idle(self, after: timedelta, ends: str = "ok") -> None:
        self.on.clock.time += after
        with writing(self.app.writable_engine) as connection:
            lease = leases.acquire(connection, next(iter(self.roster)), self.app.owner, timedelta(minutes=1))
        assert isinstance(lease, Lease)
        assert run_one(self.roster, self.roster.start(lease.account_id), lease, self.said.append, self.observer) == ends

    def rows(self) -> dict[str, int]:
        with reading(self.app.writable_engine) as connection:
            return {
                name: connection.exec_driver_sql(f"SELECT count(*) FROM {name}").scalar_one()
                for name in metadata.tables
            }

    def size(self) -> int:
        """Bytes of the database, as far as it grows by rows. PostgreSQL first tidies up, as it does by itself once a minute."""
        engine = self.app.writable_engine
        if engine.dialect.name == "sqlite":
            query = "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"
        else:
            with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.exec_driver_sql("VACUUM")
            query = "SELECT sum(pg_relation_size(oid)) FROM pg_class WHERE relkind IN ('r', 'i') AND relnamespace = 'public'::regnamespace"
        with reading(engine) as connection:
            return int(connection.exec_driver_sql(query).scalar_one())


@pytest.fixture
def service(stage: Set) -> Iterator[Life]:
    clock = FakeClock()
    on = stage(generate(13, 200, end=clock.unix() - 7200), SETTINGS, limited=False)
    app = App(load(environ=on.environ, folder=on.folder), on.clock, on.warnings.append)
    assert on.sync().proof == "proven"
    said: list[str] = []
    observer = Observer(app, dict, ())
    yield Life(on, app, Roster(app, Random(1), said.append), observer, said)
    observer.close()
    app.close()


def handles() -> int:
    return len(os.listdir("/dev/fd"))  # noqa: PTH208 - a Path would be one more


def objects() -> int:
    gc.collect()
    return len(gc.get_objects())


def test_a_run_that_is_over_keeps_no_connection(service: Life) -> None:
    service.on.exchange.faults.append(Fault(Trouble.UNKNOWN_METHOD, method="WithdrawStatus", times=9))
    service.idle(QUARTER, "error")
    gc.disable()  # which would find them some day: what is raised holds on to who raised it
    try:
        before = handles()
        for _ in range(5):
            service.idle(QUARTER, "error")
        for _ in range(100):  # the exchange here hangs up a moment later
            if handles() > before:
                time.sleep(0.01)
        assert handles() <= before
    finally:
        gc.enable()


def test_two_years_of_idle_syncs_leave_nothing_behind(service: Life) -> None:
    for after in (QUARTER, TWO_MONTHS) * WARM:  # every way once: statements are compiled and kept
        service.idle(after)
        service.on.exchange.requests.clear()
    rows, before = service.rows(), (objects(), handles(), threading.active_count())
    for _ in range(DENSE):
        service.idle(QUARTER)
        service.on.exchange.requests.clear()  # the practice exchange remembers every call
    assert service.rows() == rows | {"sync_run": rows["sync_run"] + DENSE}
    service.said.clear()
    size = service.size()
    for _ in range(STEPS):  # every one a deep reading; the log of the time before is forgotten
        service.idle(TWO_MONTHS)
        service.on.exchange.requests.clear()
    end = objects(), handles(), threading.active_count()
    assert service.rows() == rows | {"sync_run": 2}  # the run that brought the rows, and the newest
    assert service.size() <= size + (1 << 16)
    assert end[0] - before[0] < 10 * (DENSE + STEPS)  # a sync that kept one answer would keep hundreds
    assert end[1:] <= (before[1] + 1, before[2])
    assert service.app.writable_engine.pool.checkedout() == 0  # type: ignore[attr-defined]
    assert_same(service.on.database_url, service.on.exchange.account)
