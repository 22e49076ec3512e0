"""Canada's superficial losses (ITA 40(2)(g)(i), 53(1)(f), 54): losses on what one goes on holding.

What is sold in one instant is one disposition, so that an order filled in parts is judged as one filled at once.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import accumulate

from portfolio_sync.core.amount import ZERO
from portfolio_sync.core.lot import Act, Movement, share
from portfolio_sync.tax.pool import entry
from portfolio_sync.tax.profile import Profile

SIGNS = {Act.ACQUIRE: 1, Act.DISPOSE: -1, Act.GIVE: -1, Act.MOVE: 0}
WINDOW = timedelta(days=30)  # before and after the day of the sale: 61 days with it


class SuperficialLosses:
    """Purchases and units held by local day, of one asset over all wallets of the taxpayer."""

    def __init__(self, history: Sequence[Movement], profile: Profile) -> None:
        """``history`` in order of joining."""
        self.profile = profile
        bought = [m for m in history if m.act is Act.ACQUIRE]
        self.bought_on = [profile.local_day(entry(m)) for m in bought]
        self.bought = running(m.quantity for m in bought)
        self.days = [profile.local_day(entry(m)) for m in history]
        self.held = running(m.quantity * SIGNS[m.act] for m in history)
        self.sold: dict[datetime, Decimal] = defaultdict(lambda: ZERO)
        for m in history:
            if m.act is Act.DISPOSE:
                self.sold[m.time] += m.quantity

    def denied(self, sale: Movement, loss: Decimal) -> Decimal | None:
        """The denied part of ``loss`` (> 0): loss x min(sold, bought in the 61 days, held at the end of day +30) / sold."""
        if loss <= 0:
            return None
        day = self.profile.local_day(sale.time)
        first, last = bisect_left(self.bought_on, day - WINDOW), bisect_right(self.bought_on, day + WINDOW)
        bought = self.bought[last] - self.bought[first]
        held = self.held[bisect_right(self.days, day + WINDOW)]
        sold = self.sold[sale.time]
        covered = min(sold, bought, held)
        return share(loss, covered, sold) if covered > 0 else None


def running(quantities: Iterable[Decimal]) -> list[Decimal]:
    """Sums of the first 0, 1, 2, ... quantities."""
    return list(accumulate(quantities, initial=ZERO))
