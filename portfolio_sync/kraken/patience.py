"""How long one call is tried again: later and later, until its time is up. Pure; the client sleeps."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random

from portfolio_sync.core.instant import to_unix
from portfolio_sync.kraken.response import Failure

FIRST_DELAY = Decimal("0.5")  # seconds
LONGEST_DELAY = Decimal(30)
LONGEST_ASKED = Decimal(300)  # who asks for more is not believed


@dataclass(frozen=True, slots=True)
class Patience:
    """``since``: the first failure of the call. ``tries``: how many failed."""

    give_up_after: timedelta
    since: datetime | None = None
    tries: int = 0

    def failed(self, now: datetime) -> Patience:
        return Patience(self.give_up_after, min(self.since or now, now), self.tries + 1)  # a clock may go back

    def delay(self, failure: Failure, now: datetime, chance: Random) -> Decimal | None:
        """Seconds until the next try, at least what the exchange asked for; None: give up."""
        stamp = failure.until - to_unix(now) if failure.until else Decimal(0)
        # A time stamp far ahead says that one of two clocks is wrong: then it says nothing.
        asked = max(failure.delay or Decimal(0), stamp if stamp <= LONGEST_ASKED else Decimal(0))
        backoff = min(LONGEST_DELAY, FIRST_DELAY * 2 ** min(self.tries, 10))
        jitter = Decimal(chance.randrange(500, 1001)) / 1000
        wait = max(min(asked, LONGEST_ASKED), backoff * jitter)
        left = self.give_up_after - (now - (self.since or now))
        return wait if timedelta(seconds=float(wait)) <= left else None
