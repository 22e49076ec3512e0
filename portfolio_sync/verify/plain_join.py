"""Fills that were booked in two rows as they were dealt, by columns; ``join`` judges all others."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from datetime import datetime

from portfolio_sync.core.asset import holding
from portfolio_sync.verify.columns import LedgerColumns, TradeColumns
from portfolio_sync.verify.join import BOOKED_AS, NEAR, JoinState, agree, join, moved_by, note_unit, settle


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
        if len(way) > 1 and time < border and id_ not in state.open:
            for i in way:
                note_unit(state, rows.holding[i], rows.amount[i], rows.balance[i])
            if _agrees(state, rows, way, trades, number):
                del legs[id_]
                continue
        left.append(number)
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


def _agrees(state: JoinState, rows: LedgerColumns, way: Sequence[int], trades: TradeColumns, number: int) -> bool:
    """Whether two of the rows are what was dealt then, and the others moved nothing. (``join`` judges all else, be it right or wrong.)"""
    moving = way if len(way) == 2 else [i for i in way if rows.amount[i]]
    if len(moving) != 2:
        return False
    volume, cost = moved_by(trades.side[number], trades.volume[number], trades.cost[number])
    first, second = moving
    if (rows.amount[first] > 0) is not (volume > 0):
        second, first = moving
    base, quote = rows.holding[first], rows.holding[second]
    time = trades.instant(number)
    return (
        base != quote
        and _are_named(trades, number, base, quote)
        and rows.amount[first] * volume > 0 > rows.amount[second] * volume
        and agree(state, base, rows.amount[first], volume, len(way))
        and agree(state, quote, rows.amount[second], cost, len(way))
        and max(rows.instant(way[-1]), time) - min(rows.instant(way[0]), time) < NEAR
        and _names(trades.ledgers[number], [rows.id[i] for i in way])
    )


def _names(ledgers: str, ids: Sequence[str]) -> bool:
    """Whether a JSON list holds just these ids, in any order, or is empty."""
    return ledgers == "[]" or (ledgers.count('"') == 2 * len(ids) and all(f'"{each}"' in ledgers for each in ids))


def _are_named(trades: TradeColumns, number: int, base: str, quote: str) -> bool:
    """Whether the trade is of that pair, or of one that is not known: then what moved that way is meant."""
    names = trades.base[number], trades.quote[number]
    return names == (base, quote) or not all(names) or (holding(names[0]), holding(names[1])) == (base, quote)
