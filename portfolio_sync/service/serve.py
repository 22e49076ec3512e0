"""The background service: every account at its interval, one at a time an account, until told to stop."""

from __future__ import annotations

import logging
import signal
import threading
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from random import Random

from portfolio_sync.app import App
from portfolio_sync.core.clock import Stopped, SystemClock
from portfolio_sync.core.log import about, log
from portfolio_sync.errors import PortfolioSyncError
from portfolio_sync.service.clock import start_ticking
from portfolio_sync.service.observer import Observer
from portfolio_sync.service.roster import Roster, Served
from portfolio_sync.service.told import Told
from portfolio_sync.service.worker import Worker
from portfolio_sync.store import lease as leases
from portfolio_sync.store.engine import writing
from portfolio_sync.store.lease import Lease, LeaseLost
from portfolio_sync.sync.reading import Request
from portfolio_sync.tasks.sync import sync_leased

TICK = timedelta(seconds=1)
KEEP_PLANS_EVERY = timedelta(minutes=1)


def serve(app: App, clock: SystemClock, say: Callable[[str], None] = log.info) -> None:
    """Run until SIGTERM or SIGINT; a sync that runs then ends after its page. SIGHUP: take the settings up anew.

    Raises SettingsError for settings that cannot be served, a channel that cannot work, a port in use.
    """
    roster = Roster(app, Random(), say)
    observer = Observer(app, roster.accounts)
    done = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: done.set())
    signal.signal(signal.SIGHUP, lambda *_: roster.ask())
    ended: Counter[str] = Counter()

    def run(lease: Lease) -> None:
        one = roster.start(lease.account_id)
        with about(account=one.account.name):
            ended[_run(roster, one, lease, say, observer)] += 1

    def tick() -> None:
        roster.look()
        worker.tick()

    observer.start()
    service = app.settings.service
    worker = Worker(app.writable_engine, roster, run, service.workers, service.lease, say)
    stop_ticking = start_ticking(_surviving(tick, say), TICK)
    stop_planning = start_ticking(_surviving(roster.keep_plans, say), KEEP_PLANS_EVERY)
    say(f"serving {len(roster)} account(s); stop with SIGTERM")
    done.wait()
    say("stopping: what runs ends after its page")
    observer.close()
    clock.stop()
    stop_planning()
    worker.stop()  # the clock ticks on: what still runs keeps its lease
    stop_ticking()
    say(f"stopped; runs: {', '.join(f'{number} {outcome}' for outcome, number in sorted(ended.items())) or 'none'}")


def _run(roster: Roster, one: Served, lease: Lease, say: Callable[[str], None], observer: Observer) -> str:
    """One sync; returns how it ended: ``ok``, ``error``, ``stopped`` or ``lost``. Its errors are this account's alone;
    the next run is planned whatever happens.
    """
    ended, problem, client = "error", None, None
    try:
        client = one.app.client(one.account, say, lease)
        outcome = sync_leased(one.app, one.account, one.stored, lease, client, Request(), Told())
        problem = outcome.error
        ended = "error" if problem else "ok"
        told = f": {problem}" if problem else ""
        level = logging.WARNING if problem else logging.INFO
        log.log(level, "%d new, %d changed, %d calls%s", outcome.rows_new, outcome.rows_changed, outcome.calls, told)
    except Stopped:
        ended = "stopped"
    except LeaseLost as lost:
        ended = "lost"
        say(str(lost))
    except PortfolioSyncError as error:
        problem = error
        log.warning(str(error))
    finally:
        ended = ended if ended == "lost" else _give_back(roster, one, lease, ended, problem, say)
        observer.ran(one.account.name, ended, client)
    return ended


def _give_back(
    roster: Roster,
    one: Served,
    lease: Lease,
    ended: str,
    problem: PortfolioSyncError | None,
    say: Callable[[str], None],
) -> str:
    """Plan the next run; one that we stopped is due at once, so that the next process goes on with it. Returns how it ended.

    Where the database is away the account stays due, and is claimed again as soon as it is back.
    """
    try:
        with writing(one.app.writable_engine) as connection:
            now = leases.now(connection)
            due = now if ended == "stopped" else roster.due_after(one, problem, now)
            leases.release(connection, lease, next_run_at=due, outcome=ended)
    except LeaseLost:
        return "lost"
    except PortfolioSyncError as error:
        say(f"{one.account.name}: {error}")
    return ended


def _surviving(tick: Callable[[], None], say: Callable[[str], None]) -> Callable[[], None]:
    """A database that is away for a while must not end the service; the next tick tries again."""

    def safe() -> None:
        try:
            tick()
        except PortfolioSyncError as error:
            say(str(error))

    return safe
