"""Trades beside their ledger rows: every fill was booked, every booked fill is a trade, and the amounts agree.

A trade and its rows share an id (``refid``) and happen within moments. What is compared:

- the base leg moves by the volume, the quote leg by the cost, to the last decimal that ledger and trade both keep (a trade's
  figures have the pair's decimals); legs of a third asset move nothing (fee credits). Fees are not compared: a
  trade's is an estimate.
- a leg that rounds to nothing may be absent.
- rows of type ``margin`` are not compared: opening moves nothing, closing books a profit or loss that the trade does not
  state, a liquidation what was seized. Settling a position in kind books the legs of a spot trade.
- where the trade names its ledger rows, each of them must be there, those that moved nothing too.

Source: kraken-api notes 5.2, 5.3, 6.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from operator import attrgetter

from portfolio_sync.core.amount import EXACT, ZERO, shortest
from portfolio_sync.core.asset import holding
from portfolio_sync.core.finding import Finding, Severity
from portfolio_sync.core.instant import MICROSECOND
from portfolio_sync.core.ledger import LedgerRow, TradeRow
from portfolio_sync.core.period import Period
from portfolio_sync.verify.grid import finest

NEED_A_TRADE = frozenset({"trade", "margin"})
BOOKED_AS = frozenset({*NEED_A_TRADE, "settled"})
"""Types of ledger rows whose refid is a trade's id. A rollover's is the trade that opened the position: no fill of its own."""
NEAR = timedelta(hours=1)
"""Rows and trade of one fill are less than this apart (recorded: under a millisecond; a file cuts times to the second)."""
WHOLE = Decimal(1)
UNSEEN = Decimal("0.0001")
"""For an asset of which no row was seen: the last decimal of most fiat, the coarsest there is."""
CENT = Decimal("0.01")
"""The coarsest figure of a trade, however it is written: 1 stands for 1.00."""
LISTED = 100


@dataclass(slots=True)
class Fill:
    """What was seen of one id so far."""

    id: str
    time: datetime
    trade: TradeRow | None = None
    rows: list[LedgerRow] = field(default_factory=list)


@dataclass(slots=True)
class JoinState:
    """What is not joined yet, and what did not agree.

    ``trades`` and ``ledger``: the periods read without gaps, None for all of time; where one is not known, the other is not missed.
    ``begin``: fills that began before were judged by an earlier proof; ``judged_to``: so were those before, by this one.
    """

    trades: Period | None = None
    ledger: Period | None = None
    begin: datetime | None = None
    judged_to: datetime | None = None
    open: dict[str, Fill] = field(default_factory=dict)
    units: dict[str, Decimal] = field(default_factory=dict)
    """By holding: one in the last decimal that the ledger keeps."""
    findings: list[Finding] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)


def join(state: JoinState, rows: Iterable[LedgerRow], trades: Iterable[TradeRow]) -> Iterator[LedgerRow]:
    """Join ``rows`` and ``trades``, both sorted by time, holding those of ``NEAR``; passes the rows on. ``close`` ends it."""
    next_look: datetime | None = None
    merged: Iterator[LedgerRow | TradeRow] = heapq.merge(rows, trades, key=attrgetter("time"))
    for item in merged:
        if next_look is None or item.time > next_look:
            settle(state, item.time - NEAR)
            next_look = item.time + NEAR
        if isinstance(item, TradeRow):
            _fill(state, item.id, item.time).trade = item
            continue
        if item.type in BOOKED_AS:
            _fill(state, item.refid, item.time).rows.append(item)
            note_unit(state, holding(item.symbol), item.amount, item.balance)
        yield item


def settle(state: JoinState, before: datetime) -> None:
    """Judge the fills that began before that time: everything of them was seen."""
    if state.judged_to is None or before > state.judged_to:
        state.judged_to = before
        _settle(state, before)


def close(state: JoinState) -> None:
    """Everything was seen: what is still open stays so."""
    _settle(state, None)


def _fill(state: JoinState, id_: str, time: datetime) -> Fill:
    found = state.open.get(id_)
    if found is not None and time - found.time >= NEAR:  # whether it was settled yet is chance
        settle(state, time - NEAR + MICROSECOND)
        found = None
    if found is None:
        found = state.open[id_] = Fill(id_, time)
    return found


def _settle(state: JoinState, before: datetime | None) -> None:
    """They stand in the order they began in."""
    while state.open:
        fill = next(iter(state.open.values()))
        if before is not None and fill.time >= before:
            return
        del state.open[fill.id]
        if state.begin is not None and fill.time < state.begin:
            continue
        finding = _judge(state, fill)
        if finding:
            state.counts["join_errors"] += 1
            if len(state.findings) < LISTED:
                state.findings.append(finding)


def _judge(state: JoinState, fill: Fill) -> Finding | None:
    if fill.trade is None:
        return _without_trade(state, fill)
    state.counts["trades"] += 1
    if state.ledger is not None and fill.time not in state.ledger:
        state.counts["trades_beyond_ledger"] += 1
        return None
    if absent := set(fill.trade.ledgers) - {row.id for row in fill.rows}:
        return _finding(fill, "leg_missing", f"trade {fill.id} was booked as {', '.join(sorted(absent))}: not there")
    if not fill.rows and not _moves_nothing(state, fill.trade):
        return _finding(fill, "leg_missing", f"trade {fill.id} has no ledger row")
    if not _is_plain(fill.trade, fill.rows) and (wrong := _disagreement(state, fill.trade, fill.rows)):
        return _finding(fill, "trade_differs", f"trade {fill.id}: {wrong}")
    state.counts["joined"] += 1
    return None


def _without_trade(state: JoinState, fill: Fill) -> Finding | None:
    if not any(row.type in NEED_A_TRADE for row in fill.rows):
        return None
    if state.trades is not None and fill.time not in state.trades:
        state.counts["rows_beyond_trades"] += len(fill.rows)
        return None
    return _finding(fill, "trade_missing", f"ledger rows of trade {fill.id or '(no id)'} are there, the trade is not")


def _finding(fill: Fill, code: str, message: str) -> Finding:
    trade = (fill.id,) if fill.trade else ()
    return Finding(Severity.ERROR, code, message, (*trade, *(row.id for row in fill.rows)), fill.time)


def _is_plain(trade: TradeRow, rows: list[LedgerRow]) -> bool:
    """Whether it was booked in two rows, to the last digit: nearly every trade."""
    booked = [(holding(row.symbol), row.amount) for row in rows]
    return len(rows) == 2 and _legs(trade, {}) in (booked, booked[::-1])


def _disagreement(state: JoinState, trade: TradeRow, rows: list[LedgerRow]) -> str:
    """What does not agree, or nothing."""
    if rows and all(row.type == "margin" for row in rows):
        return ""
    moved: dict[str, Decimal] = {}
    for row in rows:
        name = holding(row.symbol)
        moved[name] = EXACT.add(moved.get(name, ZERO), row.amount)
    for symbol, expected in _legs(trade, moved):
        found = moved.pop(symbol, ZERO)
        if not agree(state, symbol, found, expected, len(rows)):
            return f"{shortest(expected)} {symbol or 'of another asset'} were dealt, {shortest(found)} booked"
    return "; ".join(f"{shortest(number)} {symbol} were booked besides" for symbol, number in moved.items() if number)


def _legs(trade: TradeRow, moved: Mapping[str, Decimal]) -> list[tuple[str, Decimal]]:
    """Name and amount of base and quote; where the pair is not known, the asset that moved that way is meant."""
    expected = moved_by(trade.side, trade.volume, trade.cost)
    if trade.base and trade.quote:
        return [(holding(trade.base), expected[0]), (holding(trade.quote), expected[1])]
    return [(next((name for name, number in moved.items() if number * leg > 0), ""), leg) for leg in expected]


def moved_by(side: str, volume: Decimal, cost: Decimal) -> tuple[Decimal, Decimal]:
    """By how much a fill moves base and quote."""
    return (volume.copy_negate(), cost) if side == "sell" else (volume, cost.copy_negate())


def agree(state: JoinState, name: str, booked: Decimal, dealt: Decimal, rows: int) -> bool:
    """Whether as much was booked as was dealt, to the last decimal that both keep: each of the ``rows`` may be rounded there."""
    if booked == dealt:
        return True
    off, rows = abs(EXACT.subtract(booked, dealt)), max(rows, 1)
    # the ledger's unit alone is enough for nearly all, and the trade's takes long to tell
    return off < rows * state.units.get(name, UNSEEN) or off < rows * _unit(state, name, dealt)


def note_unit(state: JoinState, name: str, amount: Decimal, balance: Decimal) -> None:
    """What a row that books a fill says about the decimals of its asset."""
    unit = state.units.get(name, WHOLE)
    if not (unit.same_quantum(amount) and unit.same_quantum(balance)):
        state.units[name] = finest(unit, amount, balance)


def _unit(state: JoinState, symbol: str, expected: Decimal) -> Decimal:
    """One in the last decimal that both the ledger and the trade keep."""
    return max(state.units.get(symbol, UNSEEN), finest(CENT, expected))


def _moves_nothing(state: JoinState, trade: TradeRow) -> bool:
    """Whether nothing of it may have been booked; on margin that is the fee alone."""
    if trade.margin:
        return not trade.fee
    return all(abs(number) < _unit(state, symbol, number) for symbol, number in _legs(trade, {}))
