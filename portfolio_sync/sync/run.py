"""One sync of one account: check the key, read what is missing, commit page by page, say what could not be read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from portfolio_sync.core.clock import Stopped
from portfolio_sync.core.log import also_about
from portfolio_sync.errors import PermissionMissing, PortfolioSyncError
from portfolio_sync.sync.coverage import UNBOUNDED, Bounds
from portfolio_sync.sync.history import read_history
from portfolio_sync.sync.key import Checked, Watched, check_key, require
from portfolio_sync.sync.moment import read_snapshot, read_status
from portfolio_sync.sync.reading import Job, Reading, Request, Via, server_time
from portfolio_sync.sync.reference import known_assets
from portfolio_sync.sync.streams import STREAMS, TRADES, Shape, Stream

DEEP_EVERY = timedelta(days=1)
EXPORTS = "export-data"
A_WHILE = timedelta(minutes=1)
"""Balances are compared with the ledger read before them: a window's end that is older would be that of another moment."""
READERS: Mapping[Shape, Callable[[Reading], None]] = {
    Shape.HISTORY: read_history,
    Shape.STATUS: read_status,
    Shape.SNAPSHOT: read_snapshot,
}


@dataclass(slots=True)
class Outcome:
    """What one sync did. ``denied``: streams the key may not read; ``error``: what ended it early."""

    account: str
    rows_new: int = 0
    rows_changed: int = 0
    calls: int = 0
    proof: str = "unknown"
    denied: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    error: PortfolioSyncError | None = None


def sync_account(job: Job) -> Outcome:
    """Run one sync. What a person or the exchange can mend comes back in the outcome; what was read is kept."""
    outcome, ended = Outcome(job.account.name), "error"
    also_about(run=job.book.seq, stream=None)
    try:
        _sync(job, outcome)
        ended = "ok"
    except PortfolioSyncError as error:
        outcome.error = error
    except Stopped:
        ended = "stopped"
        raise
    finally:
        outcome.calls = job.client.calls
        _close(job, outcome, ended)
        also_about(stream=None)
    outcome.rows_new, outcome.rows_changed = job.book.rows_new, job.book.rows_changed
    outcome.notes.extend([*job.notes, *job.client.warnings])
    return outcome


def _close(job: Job, outcome: Outcome, ended: str) -> None:
    """Where the log cannot be written either, what ended the sync first is what counts."""
    try:
        job.book.close(ended, outcome.error, outcome.calls)
    except PortfolioSyncError as error:
        outcome.error = outcome.error or error


def _sync(job: Job, outcome: Outcome) -> None:
    now = server_time(job.client)
    checked = check_key(job.client, job.account.allow_permissions, now)
    job.book.identify(checked.info)
    require(checked.missing, [name for name in job.request.streams if name != TRADES.name])
    outcome.notes.extend(checked.notes)
    via = chosen_via(job.request, checked)
    assets = known_assets(job.client, job.book.engine, now)
    limits = job.request.bounds & Bounds(job.account.sync.start, job.account.sync.end)
    seen = Bounds(checked.info.query_from, checked.info.query_to) if checked.info else Bounds()
    key = Watched(job.client, job.clock, job.account.allow_permissions) if checked.info else None
    asked_at = job.clock.now()
    for stream in chosen(job):
        if job.clock.now() - asked_at > A_WHILE:  # the streams before took their time
            now, asked_at = server_time(job.client), job.clock.now()
        if stream is not TRADES and stream.name in checked.missing:  # guides disagree on TradesHistory: try it
            denied = PermissionMissing(_lacks(stream, checked), checked.missing[stream.name])
            _denied(job, outcome, stream, denied, now)
            continue
        job.progress.stream(job.account.name, stream.name)
        deep = job.request.full or job.book.deep_due(stream.name, now, DEEP_EVERY)
        try:
            READERS[stream.shape](Reading(job, stream, assets, now, limits, seen, deep, via, key))
        except PermissionMissing as error:
            if error.permission == EXPORTS:
                raise  # it was asked for by name
            _denied(job, outcome, stream, error, now)
        else:
            job.book.succeeded(stream, now, deep=deep and job.request.bounds == UNBOUNDED)


def chosen(job: Job) -> list[Stream]:
    """The streams of this sync, in the order they are read."""
    names = job.request.streams or job.account.sync.streams
    return [stream for name, stream in STREAMS.items() if name in names]


def chosen_via(request: Request, checked: Checked) -> Via:
    """How history is fetched. Where nobody can say what the key may do, a report must be asked for by name.

    Raises PermissionMissing where it was, and the key may not make one.
    """
    via, info = Via(request.via), checked.info
    may = info is not None and EXPORTS in info.permissions
    if via is Via.EXPORT and info is not None and not may:
        raise PermissionMissing(
            f"the API key may not make export reports: it lacks the permission {EXPORTS}; use --via pages", EXPORTS
        )
    return Via.PAGES if via is Via.AUTO and not may else via


def _denied(job: Job, outcome: Outcome, stream: Stream, error: PermissionMissing, now: datetime) -> None:
    job.book.failed(stream.name, error, now)
    if stream.name in job.request.streams:
        raise error
    outcome.denied[stream.name] = str(error)


def _lacks(stream: Stream, checked: Checked) -> str:
    return f"the API key may not read {stream.name}: it lacks the permission {checked.missing[stream.name]}"
