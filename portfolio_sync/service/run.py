"""One sync inside the service: its errors are its account's alone, and the next run is planned whatever happens."""

from __future__ import annotations

import logging
from collections.abc import Callable

from portfolio_sync.core.clock import Stopped
from portfolio_sync.core.log import log
from portfolio_sync.errors import KeyRefused, PortfolioSyncError
from portfolio_sync.service.health import PROVEN
from portfolio_sync.service.observer import Observer
from portfolio_sync.service.roster import Roster, Served
from portfolio_sync.service.told import Told
from portfolio_sync.store import lease as leases
from portfolio_sync.store.engine import writing
from portfolio_sync.store.lease import Lease, LeaseLost
from portfolio_sync.sync.reading import Request
from portfolio_sync.sync.run import Outcome
from portfolio_sync.tasks.sync import sync_leased


def run_one(roster: Roster, one: Served, lease: Lease, say: Callable[[str], None], observer: Observer) -> str:
    """Returns how the sync ended: ``ok``, ``error``, ``stopped`` or ``lost``. ``say`` hears of tries that are repeated."""
    ended, problem, client = "error", None, None
    try:
        client = one.app.client(one.account, say, lease)
        outcome = sync_leased(one.app, one.account, one.stored, lease, client, Request(), Told())
        problem = outcome.error
        ended = "error" if problem else "ok"
        log.log(level_of(problem, outcome.proof), words_of(outcome))
    except Stopped:
        ended = "stopped"
    except LeaseLost as lost:
        ended = "lost"
        log.warning(str(lost))
    except PortfolioSyncError as error:
        problem = error
        log.log(level_of(problem), str(error))
    finally:
        ended = ended if ended == "lost" else _give_back(roster, one, lease, ended, problem)
        if client is not None:
            client.close()
        observer.ran(one.account.name, ended, client)
    return ended


def level_of(problem: PortfolioSyncError | None, proof: str = "proven") -> int:
    """Error for what needs a person, warning for what mends itself or may, info else."""
    if (isinstance(problem, KeyRefused) and problem.key_state) or (problem is None and proof == "broken"):
        return logging.ERROR
    return logging.WARNING if problem or proof not in PROVEN else logging.INFO


def words_of(outcome: Outcome) -> str:
    """One line of the log."""
    proof = "" if outcome.proof in PROVEN else f"the proof is {outcome.proof}"
    told = str(outcome.error) if outcome.error else proof
    brought = f"{outcome.rows_new} new, {outcome.rows_changed} changed, {outcome.calls} calls"
    return f"{brought}: {told}" if told else brought


def _give_back(roster: Roster, one: Served, lease: Lease, ended: str, problem: PortfolioSyncError | None) -> str:
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
        log.warning(str(error))
    return ended
