"""Run what is due: claim accounts by lease, sync each in a bounded pool, keep the leases alive, stop within a page."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta

from sqlalchemy import Engine

from portfolio_sync.core.log import log
from portfolio_sync.errors import PortfolioSyncError
from portfolio_sync.store import lease as leases
from portfolio_sync.store.engine import writing
from portfolio_sync.store.lease import Lease
from portfolio_sync.store.owner import is_gone, own_name

HEARTBEATS = 4  # a lease; of the shortest one each tick is one
Run = Callable[[Lease], None]
"""Sync the leased account and give the lease back; its errors are its own affair."""


@dataclass
class Worker:
    """A pool of ``size`` threads over one database, for the accounts that it is told. ``say`` hears what a person should know."""

    engine: Engine
    accounts: Collection[int]
    run: Run
    size: int
    ttl: timedelta
    say: Callable[[str], None]
    owner: str = field(default_factory=own_name)
    running: dict[int, Lease] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.pool = ThreadPoolExecutor(self.size, thread_name_prefix="sync")
        self._lock = threading.RLock()
        self._stopping = False
        self._beat_at = time.monotonic()

    def tick(self) -> None:
        """Prolong what runs, claim what is due and there is room for. Never waits for a sync. Raises PortfolioSyncError."""
        with self._lock:
            self._keep_leases()
            for lease in self._claim(self.size - len(self.running)):
                self.pool.submit(self._work, lease)

    def stop(self) -> None:
        """Take nothing new and wait for what runs, which was told to stop before; ticks meanwhile keep its leases."""
        with self._lock:
            self._stopping = True
        self.pool.shutdown(wait=True)

    def _work(self, lease: Lease) -> None:
        """Run the account, then go on with the next that is due: a queue is not worked off at the pace of ticks."""
        todo: Lease | None = lease
        while todo is not None:
            try:
                self.run(todo)
            except Exception as error:  # noqa: BLE001 - one account's misfortune is not the others'
                shown = error if log.isEnabledFor(logging.DEBUG) else None  # tracebacks only with --verbose
                log.error("account %d: %s: %s", todo.account_id, type(error).__name__, error, exc_info=shown)
            todo = self._next_after(todo)

    def _next_after(self, lease: Lease) -> Lease | None:
        with self._lock:
            del self.running[lease.account_id]
            try:
                return next(iter(self._claim(1)), None)
            except PortfolioSyncError as error:  # the database is away: a later tick sees to it
                self.say(str(error))
                return None

    def _claim(self, room: int) -> list[Lease]:
        if self._stopping or room <= 0:
            return []
        idle = [account for account in self.accounts if account not in self.running]
        with writing(self.engine) as connection:
            claimed = leases.claim_due(connection, self.owner, self.ttl, room, among=idle, gone=is_gone)
        self.running.update((lease.account_id, lease) for lease in claimed)
        return claimed

    def _keep_leases(self) -> None:
        """A lease that was lost is its sync's to find out: at its next call or commit."""
        if not self.running:
            self._beat_at = time.monotonic()
        elif time.monotonic() - self._beat_at >= self.ttl.total_seconds() / HEARTBEATS:
            with writing(self.engine) as connection:
                leases.prolong(connection, self.running.values(), self.ttl)
            self._beat_at = time.monotonic()
