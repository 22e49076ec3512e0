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

# Where two sources name a rate for the same instant, the earlier here wins; a source that is not named (a user's own
# file) comes before all. Matched by prefix.
SOURCE_ORDER = ("ecb", "kraken:trades", "kraken:ohlc", "kraken:ohlcvt")


@dataclass(frozen=True, slots=True)
class Policy:
    """How old a rate may be. Currency fixings pause over weekends and holidays, coins do not."""

    coins: timedelta = timedelta(days=1)
    fiat: timedelta = timedelta(days=5)

    def tolerance(self, symbol: str) -> timedelta:
        return self.fiat if symbol in FIAT else self.coins


def rank(source: str) -> int:
    return next((place for place, name in enumerate(SOURCE_ORDER, 1) if source.startswith(name)), 0)


@dataclass(frozen=True, slots=True)
class PriceTable:
    """Prices of one (symbol, currency) in order of time; the preferred source last among equal times."""

    rows: Mapping[tuple[str, str], tuple[Price, ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, prices: Iterable[Price]) -> PriceTable:
        rows: dict[tuple[str, str], list[Price]] = defaultdict(list)
        for price in prices:
            rows[price.symbol, price.currency].append(price)
        return cls(
            {
                key: tuple(sorted(found, key=lambda p: (p.time, -rank(p.source), p.source, p.rate)))
                for key, found in rows.items()
            }
        )

    def at(self, symbol: str, currency: str, instant: datetime, tolerance: timedelta) -> Price | None:
        """The newest price at or before ``instant``, if it is not older than ``tolerance``."""
        rows = self.rows.get((symbol, currency), ())
        place = bisect_right(rows, instant, key=attrgetter("time"))
        found = rows[place - 1] if place else None
        return found if found and instant - found.time <= tolerance else None
