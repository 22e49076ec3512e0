"""One stream of one sync: what a reader needs to know, and its way to the exchange."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from portfolio_sync.core.clock import Clock
from portfolio_sync.core.instant import from_unix
from portfolio_sync.errors import Refused
from portfolio_sync.kraken.assets import Assets
from portfolio_sync.kraken.client import Client
from portfolio_sync.kraken.endpoint import Endpoint
from portfolio_sync.settings.model import Account
from portfolio_sync.sync.book import Book
from portfolio_sync.sync.coverage import UNBOUNDED, Bounds
from portfolio_sync.sync.key import Watched
from portfolio_sync.sync.progress import Progress, Silent
from portfolio_sync.sync.streams import Stream


class Via(StrEnum):
    """How history is fetched: by whichever takes fewer calls, by pages alone, or by export reports as far as they go."""

    AUTO = "auto"
    PAGES = "pages"
    EXPORT = "export"


@dataclass(frozen=True, slots=True)
class Request:
    """What the caller asked of one sync. ``streams`` empty: all that the settings name; ``full``: trust no coverage.

    ``doubted``: rows are stored that contradict each other, and those that the exchange does not show are struck. ``via`` is one of :class:`Via`.
    """

    streams: tuple[str, ...] = ()
    bounds: Bounds = UNBOUNDED
    full: bool = False
    via: str = Via.AUTO
    doubted: bool = False


@dataclass(frozen=True, slots=True)
class Job:
    """Everything one sync of one account needs; built by the application. ``notes``: what a person should know of it."""

    account: Account
    client: Client
    book: Book
    clock: Clock
    request: Request = Request()
    progress: Progress = field(default_factory=Silent)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Reading:
    """``limits``: what the user asked for; ``seen``: what the key may see; ``now``: the exchange's clock; ``via``: how
    history is fetched, settled by what the key may do. ``key`` None: the exchange cannot tell what the key may do.
    """

    job: Job
    stream: Stream
    assets: Assets
    now: datetime
    limits: Bounds
    seen: Bounds
    deep: bool
    via: Via = Via.PAGES
    key: Watched | None = None

    @property
    def window(self) -> Bounds:
        return self.limits & self.seen

    def call(self, params: dict[str, str]) -> Any:
        self.look_at_key()
        return self.job.client.call(self.stream.endpoint, **params)

    def look_at_key(self) -> None:
        """Where the last look is long ago. Raises OverpoweredKey."""
        if self.key:
            self.key.look()

    def advance(self, rows: int, total: int | None, rows_left: int) -> None:
        """Tell the watcher; the time left is that of the pages still to come at the tier's pace."""
        client = self.job.client
        left = client.time_for(self.stream.endpoint, -(-rows_left // 50)) if total is not None else None
        self.job.progress.advance(rows, total, client.calls, left)


def server_time(client: Client) -> datetime:
    """The exchange's clock, whole seconds: windows are frozen by it, never by ours. Raises Refused for an answer without a time."""
    told = client.public(Endpoint.TIME)
    try:
        return from_unix(str(told["unixtime"]))
    except (ArithmeticError, KeyError, TypeError):
        raise Refused("Time: the exchange's answer holds no time; try again later") from None
