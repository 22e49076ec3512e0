"""From the price table to a rate in the wanted currency: directly, over a currency's own rate, or not at all."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from portfolio_sync.core.amount import EXACT
from portfolio_sync.core.asset import FEE_CREDIT, FIAT
from portfolio_sync.core.instant import iso
from portfolio_sync.core.lot import SHARE
from portfolio_sync.core.price import Price
from portfolio_sync.pricing.table import Policy, PriceTable

ONE = Decimal(1)
NOMINAL = Decimal("0.01")  # US dollars a fee credit is worth when Kraken takes it; it has no market
PIVOTS = ("USD", "EUR")  # what Kraken quotes nearly everything in


class Quote(NamedTuple):
    """``rate`` of one unit and where it comes from, as the reports print it."""

    rate: Decimal
    source: str


class Wanted(NamedTuple):
    """A price that the table lacks; what ``prices fetch`` asks the exchange for."""

    symbol: str
    currency: str
    time: datetime


@dataclass(slots=True)
class Lookup:
    """Rates in one report currency; remembers which rows it used and which it missed."""

    table: PriceTable
    currency: str
    policy: Policy = field(default_factory=Policy)
    used: dict[Price, Quote] = field(default_factory=dict)
    """What each row was quoted as: one text for all that a long history values at it."""
    missed: set[Wanted] = field(default_factory=set)

    def prices(self) -> list[Price]:
        """The price rows that any value rests on, in a fixed order."""
        return sorted(self.used, key=lambda p: (p.symbol, p.currency, p.time, p.source, p.rate))

    def wanted(self) -> list[Wanted]:
        """What the table lacks, in a fixed order."""
        return sorted(self.missed)

    def quote(self, symbol: str, instant: datetime) -> Quote | None:
        """The value of one unit in the report currency, or None (remembered as missed)."""
        found = self.find(symbol, instant)
        if found is None:
            self.missed.add(Wanted(symbol, self.currency, instant))
        return found

    def find(self, symbol: str, instant: datetime) -> Quote | None:
        if symbol == self.currency:
            return Quote(ONE, "")
        if symbol == FEE_CREDIT:
            return join(Quote(NOMINAL, "nominal"), self.money("USD", instant))
        if symbol in FIAT:
            return self.money(symbol, instant)
        direct = self.row(symbol, self.currency, instant)
        if direct:
            return direct
        for pivot in PIVOTS:
            if (
                pivot != self.currency
                and (coin := self.row(symbol, pivot, instant))
                and (over := self.money(pivot, instant))
            ):
                return join(coin, over)
        return None

    def money(self, symbol: str, instant: datetime) -> Quote | None:
        """A currency's rate: its own, or over the euro or the dollar (the central bank quotes everything in euros)."""
        if symbol == self.currency:
            return Quote(ONE, "")
        if direct := self.exchange(symbol, self.currency, instant):
            return direct
        for pivot in reversed(PIVOTS):
            first = self.exchange(symbol, pivot, instant)
            if first and (second := self.exchange(pivot, self.currency, instant)):
                return join(first, second)
        return None

    def exchange(self, symbol: str, currency: str, instant: datetime) -> Quote | None:
        """The rate of a pair of currencies; where only the opposite one is known, its inverse, cut to 20 decimals."""
        if direct := self.row(symbol, currency, instant):
            return direct
        opposite = self.row(currency, symbol, instant)
        if opposite is None:
            return None
        return Quote(EXACT.divide(ONE, opposite.rate).quantize(SHARE, context=EXACT), f"1/{opposite.source}")

    def row(self, symbol: str, currency: str, instant: datetime) -> Quote | None:
        price = self.table.at(symbol, currency, instant, self.policy.tolerance(symbol))
        if price is None:
            return None
        known = self.used.get(price)
        if known is None:
            said = f"{price.source} {symbol}/{currency} {iso(price.time)}"
            known = self.used[price] = Quote(price.rate, said)
        return known


def join(first: Quote, over: Quote | None) -> Quote | None:
    return (
        Quote(EXACT.multiply(first.rate, over.rate), " * ".join(filter(None, (first.source, over.source))))
        if over
        else None
    )
