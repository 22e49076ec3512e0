"""Fills that were booked in two rows to the last digit, by columns; ``join`` judges all others."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from portfolio_sync.core.asset import holding
from portfolio_sync.verify.columns import LedgerColumns, TradeColumns
from portfolio_sync.verify.grid import finest
from portfolio_sync.verify.join import BOOKED_AS, NEAR, WHOLE, JoinState, join, settle


def join_columns(state: JoinState, rows: LedgerColumns, trades: TradeColumns) -> None:
    """Join the rows and the trades up to the last of them, later than those before."""
    sure = rows.instant(-1) - NEAR  # of what was dealt before, all rows were seen
    legs = _legs(rows)
    left = list(range(len(trades.id)))
    if _is_known(state, rows, trades):
        left = _after_the_plain(state, rows, trades, legs, sure)
    state.counts.update(dict.fromkeys(("trades", "joined"), len(trades.id) - len(left)))
    others = sorted(i for way in legs.values() for i in way)
    deque(join(state, map(rows.row, others), map(trades.row, left)), 0)
    settle(state, sure)


def _after_the_plain(
    state: JoinState, rows: LedgerColumns, trades: TradeColumns, legs: dict[str, list[int]], sure: datetime
) -> list[int]:
    """Take the plain fills out of ``legs``; gives the trades that are left."""
    border = trades.stored.stamp(sure)
    left = []
    for number, (id_, time) in enumerate(zip(trades.id, trades.time, strict=True)):
        way = legs.get(id_, ())
        if len(way) != 2 or time >= border or id_ in state.open or not _agree(rows, way, trades, number):
            left.append(number)
            continue
        del legs[id_]
        for i in way:
            _note(state.units, rows.holding[i], rows.amount[i], rows.balance[i])
    return left


def _legs(rows: LedgerColumns) -> dict[str, list[int]]:
    """By id of the fill: the rows that book it."""
    legs: dict[str, list[int]] = {}
    for i, (type_, refid) in enumerate(zip(rows.type, rows.refid, strict=True)):
        if type_ in BOOKED_AS:
            if refid in legs:
                legs[refid].append(i)
            else:
                legs[refid] = [i]
    return legs


def _is_known(state: JoinState, rows: LedgerColumns, trades: TradeColumns) -> bool:
    """Whether the ledger was read over all of this, and nothing of it judged before."""
    first = min(rows.instant(0), trades.instant(0)) if trades.id else rows.instant(0)
    return state.begin is None and (
        state.ledger is None or (first in state.ledger and rows.instant(-1) in state.ledger)
    )


def _agree(rows: LedgerColumns, way: Sequence[int], trades: TradeColumns, number: int) -> bool:
    """Whether two rows of one instant are what was dealt then. (A fill may pass that is plain all the same: ``join`` judges it.)"""
    base, quote = way
    if rows.holding[base] == holding(trades.quote[number]):
        quote, base = way
    sold = trades.side[number] == "sell"
    volume, cost = trades.volume[number], trades.cost[number]
    one, other = rows.id[base], rows.id[quote]
    return (
        rows.amount[base] == (volume.copy_negate() if sold else volume)
        and rows.amount[quote] == (cost if sold else cost.copy_negate())
        and "" != rows.holding[base] == holding(trades.base[number])
        and "" != rows.holding[quote] == holding(trades.quote[number])
        and rows.time[base] == rows.time[quote]
        and abs(rows.instant(base) - trades.instant(number)) < NEAR
        and trades.ledgers[number] in (f'["{one}","{other}"]', f'["{other}","{one}"]', "[]")
    )


def _note(units: dict[str, Decimal], name: str, amount: Decimal, balance: Decimal) -> None:
    unit = units.get(name, WHOLE)
    if not (unit.same_quantum(amount) and unit.same_quantum(balance)):
        units[name] = finest(unit, amount, balance)
