"""The call counter of a key, as the exchange keeps it: each call adds its cost, time takes it down again.

Source: API guide "Spot REST rate limits" and support article "API rate limits". Kraken's own pages give 2 or 4 for a
page of history; we reckon with 4 unless told otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import ROUND_UP, Decimal

from portfolio_sync.core.instant import to_unix
from portfolio_sync.kraken.endpoint import Cost, Endpoint

# The exchange may take the counter down in whole units "every couple of seconds", so it can be up to one unit above ours,
# and its clock may run a little slower.
HEADROOM = 1
CAUTION = Decimal("0.995")
QUERY_COST = 2


@dataclass(frozen=True, slots=True)
class Tier:
    """``most``: the counter's limit; ``decay``: units a second."""

    most: Decimal
    decay: Decimal


TIERS = {
    "starter": Tier(Decimal(15), Decimal("0.33")),
    "intermediate": Tier(Decimal(20), Decimal("0.5")),
    "pro": Tier(Decimal(20), Decimal(1)),
}


@dataclass(frozen=True, slots=True)
class Pacing:
    """How fast this client allows itself to call. ``pace`` False: no waiting at all (loopback only)."""

    tier: Tier
    history_cost: int = 4
    pace: bool = True

    def cost(self, endpoint: Endpoint) -> int:
        """Units of the call counter; public calls do not touch it."""
        if not endpoint.private:
            return 0
        return {Cost.ONE: 1, Cost.QUERY: QUERY_COST, Cost.HISTORY: self.history_cost}[endpoint.value.cost]


@dataclass(frozen=True, slots=True)
class CallCounter:
    """Our estimate of the exchange's counter: ``level`` at the time ``at``."""

    tier: Tier
    level: Decimal = Decimal(0)
    at: datetime | None = None

    def after(self, now: datetime) -> CallCounter:
        """The counter now. A clock that went back takes nothing down."""
        if self.at is None:
            return replace(self, at=now)
        passed = max(Decimal(0), to_unix(now) - to_unix(self.at))
        return replace(self, level=max(Decimal(0), self.level - passed * self.tier.decay * CAUTION), at=now)

    def wait_for(self, cost: int, now: datetime) -> Decimal:
        """Seconds until a call of this cost fits under the limit, rounded up to the millisecond."""
        over = self.after(now).level + cost + HEADROOM - self.tier.most
        if over <= 0:
            return Decimal(0)
        return (over / (self.tier.decay * CAUTION)).quantize(Decimal("0.001"), ROUND_UP)

    def charged(self, cost: int, now: datetime) -> CallCounter:
        counter = self.after(now)
        return replace(counter, level=counter.level + cost)

    def full(self, now: datetime) -> CallCounter:
        """The exchange refused: whatever we thought, the counter is at its limit."""
        return replace(self.after(now), level=self.tier.most)
