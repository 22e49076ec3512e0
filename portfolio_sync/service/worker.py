"""Run what is due: claim accounts by lease, sync each in a bounded pool, keep the leases alive, stop within a page."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta

from sqlalchemy import Engine

from portfolio_sync.store import lease as leases
from portfolio_sync.store.engine import writing
from portfolio_sync.store.lease import Lease, LeaseLost

Run = Callable[[Lease], None]
"""Sync the leased account and give the lease back; its errors are its own affair."""


@dataclass
class Worker:
    """A pool of ``size`` threads over one database. ``say`` hears what a person should know."""

    engine: Engine
    owner: str
    run: Run
    size: int
    ttl: timedelta
    say: Callable[[str], None]
    running: dict[Lease, Future[None]] = field(default_factory=dict)
    stopping: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.pool = ThreadPoolExecutor(self.size, thread_name_prefix="sync")

    def tick(self) -> None:
        """Prolong what runs, claim what is due and there is room for. Never waits for a sync."""
        self._forget_finished()
        self._keep_leases()
        room = self.size - len(self.running)
        if self.stopping.is_set() or room <= 0:
            return
        with writing(self.engine) as connection:
            claimed = leases.claim_due(connection, self.owner, self.ttl, room)
        for lease in claimed:
            self.running[lease] = self.pool.submit(self.run, lease)

    def stop(self) -> None:
        """Take nothing new and wait for what runs; the clock that the syncs sleep by was stopped before."""
        self.stopping.set()
        self.pool.shutdown(wait=True)
        self._forget_finished()

    def _forget_finished(self) -> None:
        for lease, future in list(self.running.items()):
            if future.done():
                del self.running[lease]
                if error := future.exception():
                    self.say(f"account {lease.account_id}: {type(error).__name__}: {error}")

    def _keep_leases(self) -> None:
        for lease in list(self.running):
            try:
                with writing(self.engine) as connection:
                    leases.heartbeat(connection, lease, self.ttl)
            except LeaseLost as lost:
                self.say(str(lost))  # the sync itself ends at its next commit
