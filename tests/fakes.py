"""A clock that only moves when somebody waits."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from portfolio_sync.core.clock import Stopped


class FakeClock:
    """``slept`` lists every wait in seconds; waiting moves the time, nothing else does."""

    def __init__(self, now: datetime = datetime(2026, 1, 15, 12, tzinfo=UTC)) -> None:
        self.time = now
        self.slept: list[Decimal] = []
        self.stopped = False

    def now(self) -> datetime:
        return self.time

    def sleep(self, seconds: Decimal) -> None:
        self.slept.append(seconds)
        self.time += timedelta(seconds=float(seconds))

    def check(self) -> None:
        if self.stopped:
            raise Stopped

    def stop(self) -> None:
        self.stopped = True

    def unix(self) -> Decimal:
        """The time as a server under test reads it."""
        return Decimal(str(self.time.timestamp()))
