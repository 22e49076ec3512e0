"""Each fill has its ledger legs, each leg of a fill has its fill, and their amounts agree.

Kraken's rules (support articles on ledger and trade fields): a buy books ``+volume`` of the base and ``-cost`` of the
quote under the trade's id as refid, a sale the reverse; amounts are gross, the fee apart, in whatever asset. The trade's own ``fee`` is an estimate and is
not compared. On margin only the fee, or profit and loss, is booked. A leg that rounds to zero is not booked at all.
Conversions (spend, receive) are no trades; rollovers name the trade that opened the position, long before.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from operator import attrgetter

from portfolio_sync.core.amount import EXACT, ZERO, shortest
from portfolio_sync.core.asset import holding
from portfolio_sync.core.finding import Finding, Severity
from portfolio_sync.core.ledger import LedgerRow, TradeRow
from portfolio_sync.verify.grid import decimals_of

HORIZON = timedelta(minutes=1)
"""A fill and its legs lie closer together: under a millisecond in the API, under two seconds where a file cut the times."""
NEEDS_A_TRADE = frozenset({"trade", "margin"})
MAY_HAVE_A_TRADE = frozenset({*NEEDS_A_TRADE, "settled"})
COARSEST = 2
"""Decimals that a figure of a trade has at least, however it is written: 1 stands for 1.00."""
BY_TIME = attrgetter("time")


@dataclass(slots=True)
class Fill:
    """All that was found under one trade id; ``time`` of what came first."""

    id: str
    time: datetime
    trade: TradeRow | None = None
    legs: list[LedgerRow] = field(default_factory=list)


def join(rows: Iterable[LedgerRow], trades: Iterable[TradeRow], decimals: dict[str, int]) -> Iterator[Fill]:
    """Fills in order of time, in bounded memory. Both inputs are sorted by time.

    ``decimals`` is filled on the way: the most decimals that an amount of the symbol was written with.
    """
    waiting: dict[str, Fill] = {}
    for item in heapq.merge(legs(rows, decimals), trades, key=BY_TIME):
        name = item.refid if isinstance(item, LedgerRow) else item.id
        fill = waiting.get(name)
        if fill is None:
            yield from _done(waiting, item.time)
            fill = waiting[name] = Fill(name, item.time)
        if isinstance(item, LedgerRow):
            fill.legs.append(item)
        else:
            fill.trade = item
    yield from waiting.values()


def legs(rows: Iterable[LedgerRow], decimals: dict[str, int]) -> Iterator[LedgerRow]:
    """The rows that belong, or may belong, to a fill."""
    for row in rows:
        if row.type in MAY_HAVE_A_TRADE:
            yield row
            decimals[row.symbol] = max(decimals.get(row.symbol, 0), decimals_of(row.amount))


def _done(waiting: dict[str, Fill], now: datetime) -> Iterator[Fill]:
    while waiting:
        name = next(iter(waiting))
        if now - waiting[name].time <= HORIZON:
            return
        yield waiting.pop(name)


def judge(fill: Fill, decimals: dict[str, int]) -> Finding | None:
    """What is wrong with a fill, if anything."""
    if fill.trade is None:
        wanting = [leg for leg in fill.legs if leg.type in NEEDS_A_TRADE]
        if not wanting:
            return None
        return _finding(fill, "ledger_without_trade", f"the trade {fill.id!r} of these ledger rows is missing")
    booked = {leg.id for leg in fill.legs}
    if missing := [name for name in fill.trade.ledgers if name not in booked]:
        return _finding(fill, "trade_without_ledger", f"ledger rows {', '.join(missing)} of trade {fill.id} are missing")
    if _on_margin(fill):
        return None if fill.legs or not fill.trade.fee else _finding(fill, "trade_without_ledger", f"the margin trade {fill.id} has no ledger row")
    return _compare(fill, fill.trade, decimals)


def _on_margin(fill: Fill) -> bool:
    trade = fill.trade
    assert trade is not None
    return any(leg.type != "trade" for leg in fill.legs) or (bool(trade.margin) and not fill.legs)


def _compare(fill: Fill, trade: TradeRow, decimals: dict[str, int]) -> Finding | None:
    sums: dict[str, Decimal] = {}
    for leg in fill.legs:
        name = holding(leg.symbol)
        sums[name] = EXACT.add(sums.get(name, ZERO), leg.amount)
    sign = 1 if trade.side == "buy" else -1
    expected = {"base": sign * trade.volume, "quote": -sign * trade.cost}
    names = {"base": holding(trade.base), "quote": holding(trade.quote)}
    if not (names["base"] and names["quote"]):
        names = _by_sign(sums, sign)
    for side, figure in expected.items():
        name = names[side]
        places = min(_decimals(name, fill, decimals), max(decimals_of(figure), COARSEST))
        tolerance = Decimal((0, (max(len(fill.legs), 1),), -places))
        found = sums.pop(name, ZERO)
        if abs(EXACT.subtract(found, figure)) > tolerance:
            code = "trade_differs" if found or fill.legs else "trade_without_ledger"
            what = f"the ledger has {shortest(found)} {name}, the trade {shortest(figure)}"
            return _finding(fill, code, f"trade {fill.id} ({trade.pair}): {what}")
    if others := [f"{shortest(number)} {name}" for name, number in sums.items() if number]:
        return _finding(fill, "trade_differs", f"trade {fill.id} ({trade.pair}) moved {', '.join(others)} besides")
    return None


def _by_sign(sums: dict[str, Decimal], sign: int) -> dict[str, str]:
    """A pair that is not known any more: what came and what went tell base from quote."""
    came = next((name for name, number in sums.items() if number > 0), "")
    went = next((name for name, number in sums.items() if number < 0), "")
    return {"base": came, "quote": went} if sign > 0 else {"base": went, "quote": came}


def _decimals(name: str, fill: Fill, decimals: dict[str, int]) -> int:
    """Of the ledger's figures of this asset; an asset that was never booked rounded to nothing, so it may be coarse."""
    known = [decimals[leg.symbol] for leg in fill.legs if holding(leg.symbol) == name]
    return max(known, default=decimals.get(name, COARSEST))


def _finding(fill: Fill, code: str, message: str) -> Finding:
    ids = ((fill.id,) if fill.trade else ()) + tuple(leg.id for leg in fill.legs)
    account = fill.trade.account if fill.trade else fill.legs[0].account
    return Finding(Severity.ERROR, code, message, ids, fill.time, account)
