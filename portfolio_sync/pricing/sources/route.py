"""The pairs that lead from a symbol to a currency, and what to say where there is no price."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime

from portfolio_sync.core.asset import FEE_CREDIT, FIAT
from portfolio_sync.pricing.quote import PIVOTS, Wanted

Pair = tuple[str, str]
"""(base, quote) in our symbols."""
Known = Callable[[str, datetime], bool]
"""Whether a currency's rate at an instant is in the price table already."""


@dataclass(frozen=True, slots=True)
class NoPrice:
    """The source has no price for this: not asked too fast, but no such pair or no trade then."""

    wanted: Wanted
    reason: str


def nothing_known(_currency: str, _instant: datetime) -> bool:
    return False


def route(wanted: Wanted, listed: Collection[Pair], known: Known = nothing_known) -> list[Pair]:
    """The pairs whose prices are to be got: one, or those over a pivot; empty where none lead there."""
    symbol, currency, instant = wanted
    if symbol == FEE_CREDIT:
        symbol = "USD"
    if symbol in FIAT:
        return between(symbol, currency, listed)
    if (symbol, currency) in listed:
        return [(symbol, currency)]
    for pivot in PIVOTS:
        if (symbol, pivot) in listed and known(pivot, instant):
            return [(symbol, pivot)]
        if (symbol, pivot) in listed and (over := between(pivot, currency, listed)):
            return [(symbol, pivot), *over]
    return []


def between(one: str, other: str, listed: Collection[Pair]) -> list[Pair]:
    """Two currencies: their own pair either way round, else two over the euro or the dollar, as ``Lookup.money`` goes."""
    if direct := exchange(one, other, listed):
        return direct
    ways = ((exchange(one, pivot, listed), exchange(pivot, other, listed)) for pivot in reversed(PIVOTS))
    return next(([*first, *second] for first, second in ways if first and second), [])


def exchange(one: str, other: str, listed: Collection[Pair]) -> list[Pair]:
    return next(([pair] for pair in ((one, other), (other, one)) if pair in listed), [])


def unlisted(wanted: Wanted, where: str) -> NoPrice:
    *first, last = dict.fromkeys((wanted.currency, *PIVOTS))
    return NoPrice(wanted, f"{where} has no pair of {wanted.symbol} with {', '.join(first)} or {last}")
