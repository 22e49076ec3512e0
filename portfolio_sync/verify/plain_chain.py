"""Rows that go on from the one open chain of their place, by columns; ``chain`` decides about all others."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from portfolio_sync.core.amount import EXACT, ZERO
from portfolio_sync.verify.chain import chain_together
from portfolio_sync.verify.columns import LedgerColumns
from portfolio_sync.verify.grid import finest
from portfolio_sync.verify.join import NEED_A_TRADE
from portfolio_sync.verify.place import MOVES, MOVING, place
from portfolio_sync.verify.state import Chains, ChainState, End


@dataclass(slots=True)
class Standing:
    """The one open chain of a place, as rows go on from it. ``end``: which of the symbol's; ``row``: the last that did, -1 before any."""

    value: Decimal
    unit: Decimal
    chains: Chains
    end: int
    row: int = -1


Open = Mapping[str | None, Standing]
"""By place; none is at None."""


def chain_columns(state: ChainState, rows: LedgerColumns) -> dict[int, int]:
    """Chain the rows, all of them later than those before, onto ``state``.

    Returns the place in the chain of those that are not the first of their symbol and instant.
    """
    bursts = _bursts(rows)
    places = _places(rows, undecided=(*bursts, *_of_note(rows)))
    starts = map(EXACT.add, map(EXACT.subtract, rows.balance, rows.amount), rows.fee)
    standing: dict[str, Open] = defaultdict(dict, {symbol: _open(state, symbol) for symbol in state.symbols})
    others, placed = [], dict[int, int]()
    walk = enumerate(zip(rows.symbol, places, starts, rows.amount, rows.balance, strict=True))
    for i, (symbol, at, start, amount, balance) in walk:
        chain = standing[symbol].get(at)
        if chain is not None and chain.value == start and balance:
            chain.value, chain.row = balance, i
            if not (chain.unit.same_quantum(balance) and chain.unit.same_quantum(amount)):
                chain.unit = chain.chains.unit = finest(chain.chains.unit, balance, amount)
            continue
        others.append(i)
        if burst := bursts.get(i, [i]):
            _put_down(standing[symbol], rows)
            order = chain_together(state, [rows.row(each) for each in burst])
            placed.update({burst[each]: number for number, each in enumerate(order)})
            standing[symbol] = _open(state, symbol)
    for chains in standing.values():
        _put_down(chains, rows)
    _count(state, rows, others)
    state.time = rows.instant(-1)
    return {i: number for i, number in placed.items() if number}


def _places(rows: LedgerColumns, undecided: Iterable[int]) -> list[str | None]:
    incoming = map(ZERO.__lt__, rows.amount)
    places: list[str | None] = list(map(place, rows.asset, rows.wallet, rows.type, rows.subtype, incoming))
    for i in undecided:
        places[i] = None
    return places


def _bursts(rows: LedgerColumns) -> dict[int, list[int]]:
    """The rows that share symbol and instant with others: all of them by the first, none by the others."""
    shared = Counter(zip(rows.time, rows.symbol, strict=True))
    if len(shared) == len(rows.id):
        return {}
    found: dict[object, list[int]] = defaultdict(list)
    for i, key in enumerate(zip(rows.time, rows.symbol, strict=True)):
        if shared[key] > 1:
            found[key].append(i)
    return {i: burst if i == burst[0] else [] for burst in found.values() for i in burst}


def _of_note(rows: LedgerColumns) -> Iterator[int]:
    """Rows of which the chains note more than that they were there."""
    if min(rows.fee) < 0:
        yield from (i for i, fee in enumerate(rows.fee) if fee < 0)
    if MOVING in rows.type:
        kinds = zip(rows.type, rows.subtype, strict=True)
        yield from (i for i, (type_, subtype) in enumerate(kinds) if type_ == MOVING and subtype in MOVES)


def _open(state: ChainState, symbol: str) -> Open:
    chains = state.symbols[symbol]
    here = Counter(end.place for end in chains.ends)
    return {
        end.place: Standing(end.value, chains.unit, chains, number)
        for number, end in enumerate(chains.ends)
        if here[end.place] == 1 and end.row not in state.awaiting
    }


def _put_down(standing: Open, rows: LedgerColumns) -> None:
    for at, chain in standing.items():
        if chain.row >= 0 and at is not None:
            chain.chains.ends[chain.end] = End(chain.value, at, rows.id[chain.row], rows.instant(chain.row))


def _count(state: ChainState, rows: LedgerColumns, others: list[int]) -> None:
    """All but ``others``, which were counted as they were chained."""
    symbols, types = Counter(rows.symbol), Counter(rows.type)
    symbols.subtract(rows.symbol[i] for i in others)
    types.subtract(rows.type[i] for i in others)
    for symbol, number in symbols.items():
        state.symbols[symbol].rows += number
    state.counts.update(rows=symbols.total(), rows_of_trades=sum(types[name] for name in NEED_A_TRADE))
