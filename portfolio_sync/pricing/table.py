"""The price table: rates by symbol and currency, looked up by instant."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from operator import attrgetter

from portfolio_sync.core.asset import FIAT
from portfolio_sync.core.price import Price

SOURCE_ORDER = ("ecb", "kraken:trades", "kraken:ohlc", "kraken:ohlcvt")


@dataclass(frozen=True, slots=True)
class Policy:
    """How old a rate may be, and whose rate counts. Currency fixings pause over weekends and holidays, coins do not.

    Where two sources name a rate for the same instant, the earlier in ``order`` wins; a source that is not named (a user's
    own file) comes before all.
    """

    coins: timedelta = timedelta(days=1)
    fiat: timedelta = timedelta(days=5)
    order: tuple[str, ...] = SOURCE_ORDER
    cost_at_given: bool = False
    """What is received for coins has cost the market value of what was given, not its own."""

    def tolerance(self, symbol: str) -> timedelta:
        return self.fiat if symbol in FIAT else self.coins

    def rank(self, source: str) -> int:
        """The place of a source in the order, by the word it begins with; 0: not named."""
        name = source.partition(" ")[0]
        return self.order.index(name) + 1 if name in self.order else 0


STANDARD = Policy()


@dataclass(frozen=True, slots=True)
class PriceTable:
    """Prices of one (symbol, currency) in order of time; the preferred source last among equal times."""

    rows: Mapping[tuple[str, str], tuple[Price, ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, prices: Iterable[Price], policy: Policy = STANDARD) -> PriceTable:
        rows: dict[tuple[str, str], list[Price]] = defaultdict(list)
        for price in prices:
            rows[price.symbol, price.currency].append(price)
        return cls(
            {
                key: tuple(sorted(found, key=lambda p: (p.time, -policy.rank(p.source), p.source, p.rate)))
                for key, found in rows.items()
            }
        )

    def at(self, symbol: str, currency: str, instant: datetime, tolerance: timedelta) -> Price | None:
        """The newest price at or before ``instant``, if it is not older than ``tolerance``."""
        rows = self.rows.get((symbol, currency), ())
        place = bisect_right(rows, instant, key=attrgetter("time"))
        found = rows[place - 1] if place else None
        return found if found and instant - found.time <= tolerance else None
