"""The running-balance chain: each ledger row is an edge from (balance - amount + fee) to balance.

All rows of one symbol are chained together, whatever code or wallet they name, since files and the API name them
differently. A symbol has as many open chains as wallets with something in them. The rules, in this order:

1. A row continues the open chain of its own place that stands where the row begins; else any chain that stands there.
2. A row that begins at zero opens a chain. A second open chain in one place is a break, except in Earn, where one code
   may stand for several wallets, unless Earn was seen to share the spot chain.
3. Inside a key's query window the first row of a place may begin anywhere: what was before cannot be seen.
4. A row whose fee is finer than the asset's decimals begins at the balance it was rounded from (``grid``).
5. Everything else is a break. The broken chain goes on from the row, so that one gap makes one break.

The rows of one instant are ordered as trails (``trail``): first place by place; where that leaves something unexplained, all
together, if that explains more (``link``).

Why a row cannot vanish behind the wallets that are inferred: without a break every row begins at zero or where another
ended, so the open ends add up to the sum of all changes. Without one row they add up to something else than the account's
balances (``balance``), whatever chains the others were put into.

What no chain can see: a missing last row (``balance`` does), a missing row that moved nothing (its trade does, and the
exchange's count), a change that the rounding of the balance swallows, ``amount`` and ``fee`` changed alike, and in a
window the very first row of a place.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from operator import attrgetter

from portfolio_sync.core.amount import EXACT, ZERO
from portfolio_sync.core.asset import holding
from portfolio_sync.core.ledger import LedgerRow
from portfolio_sync.verify.grid import finest
from portfolio_sync.verify.join import NEED_A_TRADE
from portfolio_sync.verify.link import Linked, explain, start_of
from portfolio_sync.verify.place import is_move, place_of
from portfolio_sync.verify.state import LISTED, Break, Chains, ChainState, End


def extend(state: ChainState, rows: Iterable[LedgerRow]) -> Iterator[LedgerRow]:
    """Chain ``rows``, sorted by time, onto ``state`` (changed in place); yields them by (time, place in the chain, id).

    Rows up to ``state.time`` were chained before and are only passed on, in the order they come in.
    """
    chained = state.time
    for time, together in groupby(rows, key=attrgetter("time")):
        burst = list(together)
        if chained is not None and time <= chained:
            yield from burst
            continue
        if len(burst) == 1:
            _one(state, burst[0])
            yield burst[0]
        else:
            yield from _many(state, burst)
        state.time = time


def _many(state: ChainState, burst: list[LedgerRow]) -> list[LedgerRow]:
    """Rows of one instant in order; which comes first of two assets is told by place, then id."""
    burst.sort(key=attrgetter("id"))
    if len({row.symbol for row in burst}) == len(burst):  # nearly always: the legs of one trade
        for row in burst:
            _one(state, row)
        return burst
    by_symbol: dict[str, list[LedgerRow]] = {}
    for row in burst:
        by_symbol.setdefault(row.symbol, []).append(row)
    ordered: list[tuple[int, str, LedgerRow]] = []
    for rows in by_symbol.values():
        ordered += [(place, rows[i].id, rows[i]) for place, i in enumerate(chain_together(state, rows))]
    ordered.sort(key=lambda item: item[:2])
    return [row for _, _, row in ordered]


def chain_together(state: ChainState, rows: list[LedgerRow]) -> list[int]:
    """Chain rows of one symbol and instant, sorted by id; gives their order."""
    if len(rows) == 1:
        _one(state, rows[0])
        return [0]
    state.counts["ordered"] += len(rows)
    return _two(state, rows) or _chain(state, rows)


def _two(state: ChainState, rows: list[LedgerRow]) -> list[int] | None:
    """The order in which two rows go on from the one open chain, in its place: nearly every burst. None: something is to be decided."""
    chains = state.symbols.get(rows[0].symbol)
    if len(rows) != 2 or chains is None or len(chains.ends) != 1:
        return None
    (end,) = chains.ends
    if end.row in state.awaiting or any(place_of(row) != end.place for row in rows):
        return None
    for order in ([0, 1], [1, 0]):
        first, last = (rows[i] for i in order)
        if start_of(first) == end.value and start_of(last) == first.balance and last.balance:
            for row in rows:
                _note(state, chains, row)
            chains.ends[0] = End(last.balance, end.place, last.id, last.time)
            return order
    return None


def _one(state: ChainState, row: LedgerRow) -> None:
    chains = state.symbols.get(row.symbol)
    if chains and row.balance:
        start, place = start_of(row), place_of(row)
        for i, end in enumerate(chains.ends):
            if end.value == start and end.place == place and end.row not in state.awaiting:  # nearly every row
                _note(state, chains, row)
                chains.ends[i] = End(row.balance, place, row.id, row.time)
                return
    _chain(state, [row])


def _chain(state: ChainState, rows: list[LedgerRow]) -> list[int]:
    symbol = rows[0].symbol
    chains = state.symbols.get(symbol)
    if chains is None:
        chains = state.symbols[symbol] = Chains(symbol)
    for row in rows:
        _note(state, chains, row)
    linked = explain(chains, rows, state.rounding, windowed=state.windowed)
    _commit(state, chains, rows, linked)
    return linked.order


def _note(state: ChainState, chains: Chains, row: LedgerRow) -> None:
    chains.rows += 1
    state.counts["rows"] += 1
    chains.unit = finest(chains.unit, row.balance, row.amount)
    if row.fee < 0:
        state.counts["reversed_fees"] += 1
    if row.type in NEED_A_TRADE:
        state.counts["rows_of_trades"] += 1
    if is_move(row):
        name = holding(row.symbol)
        state.moves[name] = EXACT.add(state.moves.get(name, ZERO), row.amount)


def _commit(state: ChainState, chains: Chains, rows: list[LedgerRow], linked: Linked) -> None:
    _name_after(state, rows, linked)
    for i, end in linked.breaks:
        _break(state, chains.symbol, rows[i], end)
    gone = set(linked.used)
    chains.ends = [end for i, end in enumerate(chains.ends) if i not in gone] + linked.ends
    chains.places.update(map(place_of, rows))
    chains.merged |= linked.merged
    chains.mixed |= linked.mixed
    state.counts["hidden_beginnings"] += linked.unknown
    state.counts["rounded"] = state.rounding.rows


def _break(state: ChainState, symbol: str, row: LedgerRow, end: End | None) -> None:
    state.counts["breaks"] += 1
    if len(state.breaks) < LISTED:
        stood = (end.value, end.row, end.time) if end else (ZERO, "", None)
        state.awaiting[row.id] = len(state.breaks)
        state.breaks.append(Break(symbol, row.asset, row.id, row.time, stood[0], start_of(row), *stood[1:]))


def _name_after(state: ChainState, rows: list[LedgerRow], linked: Linked) -> None:
    """The next row of a chain that was broken is its neighbour: together they bound what must be read again."""
    if not state.awaiting:
        return
    followed = [(end.row, rows[i].id) for end, i in linked.continued]
    followed += [(end.row, rows[i].id) for i, end in linked.breaks if end]
    for row, after in followed:
        if (place := state.awaiting.pop(row, None)) is not None:
            state.breaks[place] = state.breaks[place]._replace(after=after)
