"""The background service: every account at its interval, one at a time an account, until told to stop."""

from __future__ import annotations

import signal
import threading
from collections import Counter
from collections.abc import Callable
from datetime import timedelta

from portfolio_sync.app import App
from portfolio_sync.core.clock import SystemClock
from portfolio_sync.core.log import about, log
from portfolio_sync.errors import PortfolioSyncError
from portfolio_sync.service.clock import Ticking
from portfolio_sync.service.observer import Observer
from portfolio_sync.service.roster import Roster, Say
from portfolio_sync.service.run import run_one
from portfolio_sync.service.start import Start
from portfolio_sync.service.worker import Worker
from portfolio_sync.store.lease import Lease

TICK = timedelta(seconds=1)
KEEP_PLANS_EVERY = timedelta(minutes=1)
WATCH_CLOCK_EVERY = 5.0  # seconds


def serve(app: App, clock: SystemClock, say: Say = log.info) -> None:
    """Run until SIGTERM or SIGINT; a sync that runs then ends after its page. SIGHUP: take the settings up anew.

    Waits for a database that is away. Raises SettingsError for settings that cannot be served, a channel that cannot
    work, a port in use; DatabaseError for a database that no waiting can mend.
    """
    start = Start(app, say)
    observer = Observer(app, start.accounts)
    done = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: done.set())
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    observer.listen()
    ended: Counter[str] = Counter()
    try:
        roster = start.wait(done.wait)
        if roster is not None:
            _serve(app, clock, say, roster, observer, done, ended)
    finally:
        observer.close()
    say(f"stopped; runs: {', '.join(f'{number} {outcome}' for outcome, number in sorted(ended.items())) or 'none'}")


def _serve(
    app: App,
    clock: SystemClock,
    say: Say,
    roster: Roster,
    observer: Observer,
    done: threading.Event,
    ended: Counter[str],
) -> None:
    """Runs until ``done``. ``ended`` counts the runs by how they ended."""
    signal.signal(signal.SIGHUP, lambda *_: roster.ask())

    def run(lease: Lease) -> None:
        one = roster.start(lease.account_id)
        with about(account=one.account.name):
            ended[run_one(roster, one, lease, log.warning, observer)] += 1

    def tick() -> None:
        roster.look()
        worker.tick()

    observer.start()
    service = app.settings.service
    worker = Worker(app.writable_engine, roster, run, service.workers, service.lease, log.warning)
    ticks = Ticking(surviving(tick), TICK)
    plans = Ticking(surviving(roster.keep_plans), KEEP_PLANS_EVERY)
    say(f"serving {len(roster)} account(s); stop with SIGTERM")
    while not done.wait(WATCH_CLOCK_EVERY):
        for each in (ticks, plans):
            each.catch_up(clock.now())
    say("stopping: what runs ends after its page")
    clock.stop()
    plans.stop()
    worker.stop()  # the clock ticks on: what still runs keeps its lease
    ticks.stop()


def surviving(tick: Callable[[], None]) -> Callable[[], None]:
    """A database that is away for a while must not end the service: the next tick tries again. Each change is said once."""
    said = ""

    def safe() -> None:
        nonlocal said
        try:
            tick()
        except PortfolioSyncError as error:
            if str(error) != said:
                log.warning(str(error))
            said = str(error)
        else:
            if said:
                log.info("the database answers again")
            said = ""

    return safe
