"""The background service: every account at its interval, one at a time an account, until told to stop."""

from __future__ import annotations

import logging
import signal
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from random import Random

from sqlalchemy import Engine

from portfolio_sync.app import App
from portfolio_sync.core.clock import Stopped, SystemClock
from portfolio_sync.core.log import about, log
from portfolio_sync.errors import PortfolioSyncError
from portfolio_sync.service.clock import start_ticking
from portfolio_sync.service.observer import Observer
from portfolio_sync.service.schedule import next_run
from portfolio_sync.service.told import Told
from portfolio_sync.service.worker import Worker
from portfolio_sync.settings.model import Account
from portfolio_sync.store import lease as leases
from portfolio_sync.store.accounts import StoredAccount
from portfolio_sync.store.engine import writing
from portfolio_sync.store.lease import Lease, LeaseLost
from portfolio_sync.sync.reading import Request
from portfolio_sync.tasks.sync import stored_account, sync_leased

TICK = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Served:
    """An account of the settings and its row in the database."""

    account: Account
    stored: StoredAccount


def serve(app: App, clock: SystemClock, say: Callable[[str], None] = log.info) -> None:
    """Run until SIGTERM or SIGINT; a sync that runs then ends after its page.

    Raises SettingsError for a bad schedule, a channel that cannot work, a port in use.
    """
    chance = Random()
    served = {one.stored.id: one for one in _prepare(app, chance)}
    observer = Observer(app, lambda: {number: one.account for number, one in served.items()})
    done = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: done.set())
    ended: Counter[str] = Counter()

    def run(lease: Lease) -> None:
        one = served[lease.account_id]
        with about(account=one.account.name):
            ended[_run(app, one, lease, chance, say, observer)] += 1

    observer.start()
    service = app.settings.service
    worker = Worker(app.writable_engine, served.keys(), run, service.workers, service.lease, say)
    stop_ticking = start_ticking(_surviving(worker.tick, say), TICK)
    say(f"serving {len(served)} account(s); stop with SIGTERM")
    done.wait()
    say("stopping: what runs ends after its page")
    observer.close()
    clock.stop()
    worker.stop()  # the clock ticks on: what still runs keeps its lease
    stop_ticking()
    say(f"stopped; runs: {', '.join(f'{number} {outcome}' for outcome, number in sorted(ended.items())) or 'none'}")


def _prepare(app: App, chance: Random) -> list[Served]:
    """Know every account, check every schedule, and plan the runs: at once where none ever was, spread by the jitter;
    no later than a changed schedule wants.
    """
    served = [Served(account, stored_account(app, account)) for account in app.accounts_with_key()]
    with writing(app.writable_engine) as connection:
        now = leases.now(connection)
        for one in sorted(served, key=lambda one: one.stored.id):  # in one order: several processes may start at once
            jitter = one.account.sync.jitter
            latest = next_run(one.account.sync.schedule, jitter, now, chance)
            leases.plan(connection, one.stored.id, now + jitter * chance.random(), latest)
    return served


def _run(app: App, one: Served, lease: Lease, chance: Random, say: Callable[[str], None], observer: Observer) -> str:
    """One sync; returns how it ended: ``ok``, ``error``, ``stopped`` or ``lost``. Its errors are this account's alone;
    the next run is planned whatever happens.
    """
    ended, client = "error", None
    try:
        client = app.client(one.account, say, lease)
        outcome = sync_leased(app, one.account, one.stored, lease, client, Request(), Told())
        ended = "error" if outcome.error else "ok"
        problem = f": {outcome.error}" if outcome.error else ""
        level = logging.WARNING if outcome.error else logging.INFO
        log.log(level, f"{outcome.rows_new} new, {outcome.rows_changed} changed, {outcome.calls} calls{problem}")
    except Stopped:
        ended = "stopped"
    except LeaseLost as lost:
        ended = "lost"
        say(str(lost))
    except PortfolioSyncError as error:
        log.warning(str(error))
    finally:
        ended = ended if ended == "lost" else _give_back(app.writable_engine, one, lease, chance, ended, say)
        observer.ran(one.account.name, ended, client)
    return ended


def _give_back(
    engine: Engine, one: Served, lease: Lease, chance: Random, ended: str, say: Callable[[str], None]
) -> str:
    """Plan the next run; one that we stopped is due at once, so that the next process goes on with it. Returns how it ended.

    Where the database is away the account stays due, and is claimed again as soon as it is back.
    """
    try:
        with writing(engine) as connection:
            now = leases.now(connection)
            at_once = ended == "stopped"
            due = now if at_once else next_run(one.account.sync.schedule, one.account.sync.jitter, now, chance)
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
