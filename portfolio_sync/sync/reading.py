"""One stream of one sync: what a reader needs to know, and its way to the exchange."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from portfolio_sync.core.clock import Clock
from portfolio_sync.kraken.assets import Assets
from portfolio_sync.kraken.client import Client
from portfolio_sync.settings.model import Account
from portfolio_sync.sync.book import Book
from portfolio_sync.sync.coverage import UNBOUNDED, Bounds
from portfolio_sync.sync.progress import Progress, Silent
from portfolio_sync.sync.streams import Stream


@dataclass(frozen=True, slots=True)
class Request:
    """What the caller asked of one sync. ``streams`` empty: all that the settings name; ``full``: trust no coverage."""

    streams: tuple[str, ...] = ()
    bounds: Bounds = UNBOUNDED
    full: bool = False


@dataclass(frozen=True, slots=True)
class Job:
    """Everything one sync of one account needs; built by the application."""

    account: Account
    client: Client
    book: Book
    clock: Clock
    request: Request = Request()
    progress: Progress = field(default_factory=Silent)


@dataclass(frozen=True, slots=True)
class Reading:
    """``limits``: what the user asked for; ``seen``: what the key may see; ``now``: the exchange's clock."""

    job: Job
    stream: Stream
    assets: Assets
    now: datetime
    limits: Bounds
    seen: Bounds
    deep: bool

    @property
    def window(self) -> Bounds:
        return self.limits & self.seen

    def call(self, params: dict[str, str]) -> Any:
        return self.job.client.call(self.stream.endpoint, **params)

    def advance(self, rows: int, total: int | None, rows_left: int) -> None:
        """Tell the watcher; the time left is that of the pages still to come at the tier's pace."""
        client = self.job.client
        left = client.time_for(self.stream.endpoint, -(-rows_left // 50)) if total is not None else None
        self.job.progress.advance(rows, total, client.calls, left)
