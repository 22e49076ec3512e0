"""The running-balance chain: each ledger row is an edge from (balance - amount + fee) to balance.

All rows of one symbol are chained together, whatever code or wallet they name, since files and the API name them
differently. A symbol has as many open chains as wallets with something in them. The rules, in this order:

1. A row continues the open chain of its own place that stands where the row begins; else any chain that stands there.
2. A row that begins at zero opens a chain. A second open chain in one place is a break, except in Earn, where one code
   may stand for several wallets.
3. Inside a key's query window the first row of a place may begin anywhere: what was before cannot be seen.
4. A row whose fee is finer than the asset's decimals begins at the balance it was rounded from (``grid``).
5. Everything else is a break. The broken chain goes on from the row, so that one gap makes one break.

The rows of one instant are ordered as trails (``trail``): first place by place; where that leaves something unexplained, all
together, if that explains more.

What no chain can see: a missing last row (``balance`` does), a missing row that moved nothing (its trade and the
exchange's count do), a change that the rounding of the balance swallows, and ``amount`` and ``fee`` changed alike.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from itertools import groupby
from operator import attrgetter
from typing import NamedTuple

from portfolio_sync.core.amount import EXACT, ZERO
from portfolio_sync.core.asset import holding
from portfolio_sync.core.ledger import LedgerRow
from portfolio_sync.verify.grid import EVERY_WAY, decimals_of, snap
from portfolio_sync.verify.place import EARN, EARN_SIDE, REWARD, SPOT, is_move, place_of
from portfolio_sync.verify.trail import Origin, trails

LISTED = 100
"""So many breaks are described; all are counted."""


class End(NamedTuple):
    """Where an open chain stands. ``rows``: how many made it since it left zero."""

    value: Decimal
    place: str
    row: str
    time: datetime
    rows: int = 1


class Break(NamedTuple):
    """Something is missing or was changed between ``before`` and ``row``: that is the interval to read again.

    ``gap``: by how much ``found`` (where the row begins) is off ``expected`` (where the chain stood). ``after``: the next row of the chain.
    """

    symbol: str
    asset: str
    row: str
    time: datetime
    expected: Decimal
    found: Decimal
    before: str = ""
    before_time: datetime | None = None
    after: str = ""

    @property
    def gap(self) -> Decimal:
        return EXACT.subtract(self.found, self.expected)


@dataclass(slots=True)
class Chains:
    """The open chains of one symbol. Mutable: a million rows pass through."""

    symbol: str
    ends: list[End] = field(default_factory=list)
    decimals: int = 0
    ways: int = EVERY_WAY
    rows: int = 0
    places: set[str] = field(default_factory=set)
    merged: bool = False
    """A row that is certainly Earn's continued the spot chain: both have one balance."""
    perhaps_merged: bool = False
    """The same of a row that may be Earn's."""
    apart: bool = False
    """Two rows in sequence of a chain of Earn beside an open spot chain of the plain code."""


@dataclass(slots=True)
class ChainState:
    """All that a later run needs to go on; ``store.chain_json`` has its JSON form. ``time``: of the last row."""

    windowed: bool = False
    time: datetime | None = None
    symbols: dict[str, Chains] = field(default_factory=dict)
    moves: dict[str, Decimal] = field(default_factory=dict)
    """By holding: the sum of all legs between spot and Earn; zero where none is missing."""
    breaks: list[Break] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)


class _Linked(NamedTuple):
    """One way to explain rows of one symbol and instant. ``used``: indices of ends that went on; ``cost``: breaks, then unknown beginnings."""

    cost: tuple[int, int]
    order: list[int]
    used: list[int]
    ends: list[End]
    breaks: list[tuple[int, End | None]]
    flags: set[str]


def extend(state: ChainState, rows: Iterable[LedgerRow]) -> Iterator[LedgerRow]:
    """Chain ``rows``, sorted by time, onto ``state`` (changed in place); yields them by (time, place in the chain, id).

    Rows up to ``state.time`` were chained before and are only passed on.
    """
    for time, together in groupby(rows, key=attrgetter("time")):
        burst = list(together)
        if state.time is not None and time <= state.time:
            yield from burst
        elif len(burst) == 1:
            _one(state, burst[0])
            yield burst[0]
        else:
            yield from _burst(state, burst)
        if state.time is None or time > state.time:
            state.time = time


def _burst(state: ChainState, burst: list[LedgerRow]) -> list[LedgerRow]:
    """Rows of one instant in order; which comes first of two assets is told by place, then id."""
    by_symbol: dict[str, list[LedgerRow]] = {}
    for row in sorted(burst, key=attrgetter("id")):
        by_symbol.setdefault(row.symbol, []).append(row)
    ordered: list[tuple[int, str, LedgerRow]] = []
    for rows in by_symbol.values():
        if len(rows) == 1:
            _one(state, rows[0])
            ordered.append((0, rows[0].id, rows[0]))
        else:
            state.counts["ordered"] += len(rows)
            ordered += [(place, rows[i].id, rows[i]) for place, i in enumerate(_many(state, rows))]
    ordered.sort(key=lambda item: item[:2])
    return [row for _, _, row in ordered]


def _note(state: ChainState, row: LedgerRow) -> Chains:
    """Count the row; gives its chains, their decimals fine enough for it."""
    chains = state.symbols.get(row.symbol)
    if chains is None:
        chains = state.symbols[row.symbol] = Chains(row.symbol)
    chains.rows += 1
    state.counts["rows"] += 1
    chains.decimals = max(chains.decimals, decimals_of(row.balance), decimals_of(row.amount))
    if row.fee < 0:
        state.counts["reversed_fees"] += 1
    if row.type == "earn" and is_move(row):
        name = holding(row.symbol)
        state.moves[name] = EXACT.add(state.moves.get(name, ZERO), row.amount)
    return chains


def _start(row: LedgerRow) -> Decimal:
    return EXACT.add(EXACT.subtract(row.balance, row.amount), row.fee)


def _one(state: ChainState, row: LedgerRow) -> None:
    chains = _note(state, row)
    if len(chains.ends) == 1 and row.balance:
        end, place = chains.ends[0], place_of(row)
        if end.place == place and end.value == _start(row):  # nearly every row
            chains.ends[0] = End(row.balance, place, row.id, row.time, end.rows + 1)
            if state.breaks:
                _name_after(state, end, row)
            return
    _commit(state, chains, [row], _explain(state, chains, [row]))


def _many(state: ChainState, rows: list[LedgerRow]) -> list[int]:
    for row in rows:
        chains = _note(state, row)
    linked = _explain(state, chains, rows)
    _commit(state, chains, rows, linked)
    return linked.order


def _explain(state: ChainState, chains: Chains, rows: list[LedgerRow]) -> _Linked:
    starts = _starts(state, chains, rows)
    places = [place_of(row) for row in rows]
    everything = list(range(len(rows)))
    if len(rows) == 1:
        return _link(state, chains, rows, starts, places, everything, list(range(len(chains.ends))))
    apart = _place_by_place(state, chains, rows, starts, places)
    if apart.cost == (0, 0) or (len(set(places)) == 1 and len(chains.ends) <= 1):
        return apart
    together = _link(state, chains, rows, starts, places, everything, list(range(len(chains.ends))))
    return min(apart, together, key=attrgetter("cost"))


def _starts(state: ChainState, chains: Chains, rows: list[LedgerRow]) -> list[Decimal]:
    starts = [_start(row) for row in rows]
    known = {ZERO, *(end.value for end in chains.ends), *(row.balance for row in rows)}
    for index, (start, row) in enumerate(zip(starts, rows, strict=True)):
        if start not in known and (snapped := snap(start, row.fee, chains.decimals, chains.ways, known)):
            starts[index], chains.ways = snapped
            state.counts["rounded"] += 1
    return starts


def _family(place: str) -> str:
    return EARN if place in EARN_SIDE else place


def _place_by_place(
    state: ChainState, chains: Chains, rows: list[LedgerRow], starts: list[Decimal], places: list[str]
) -> _Linked:
    parts = []
    for family in dict.fromkeys(map(_family, places)):
        edges = [i for i, place in enumerate(places) if _family(place) == family]
        ends = [i for i, end in enumerate(chains.ends) if _family(end.place) == family]
        parts.append(_link(state, chains, rows, starts, places, edges, ends))
    breaks, unknown = (sum(part.cost[i] for part in parts) for i in (0, 1))
    return _Linked(
        (breaks, unknown),
        [i for part in parts for i in part.order],
        [i for part in parts for i in part.used],
        [end for part in parts for end in part.ends],
        [broken for part in parts for broken in part.breaks],
        set().union(*(part.flags for part in parts)),
    )


def _link(
    state: ChainState,
    chains: Chains,
    rows: list[LedgerRow],
    starts: list[Decimal],
    places: list[str],
    edges: list[int],
    usable: list[int],
) -> _Linked:
    """Explain ``edges`` (indices of rows) by the open chains ``usable`` (indices of ends)."""
    free = list(usable)
    linked = _Linked((0, 0), [], [], [], [], set())
    unknown = 0
    seen = set(chains.places)
    found = trails([(starts[i], rows[i].balance) for i in edges], (chains.ends[i].value for i in usable))
    for trail in sorted(found, key=lambda trail: trail.origin is not Origin.OPEN):
        way = [edges[i] for i in trail.edges]
        first, place = way[0], places[way[0]]
        end: End | None = None
        if trail.origin is Origin.OPEN:
            chosen = min(
                (i for i in free if chains.ends[i].value == starts[first]),
                key=lambda i: (chains.ends[i].place != place, _family(chains.ends[i].place) != _family(place), i),
            )
            free.remove(chosen)
            linked.used.append(chosen)
            end = chains.ends[chosen]
        elif trail.origin is Origin.NOWHERE and state.windowed and place not in seen:
            unknown += 1
        elif trail.origin is Origin.NOWHERE or _is_second(chains, place, free):
            replaced = _own(chains, place, free)
            if replaced is not None:
                free.remove(replaced)
                linked.used.append(replaced)
                end = chains.ends[replaced]
            linked.breaks.append((first, end))
            end = end and end._replace(rows=0)
        seen.update(places[i] for i in way)
        linked.order.extend(way)
        last = _walk(end, [places[i] for i in way], linked.flags)
        if rows[way[-1]].balance:
            row = rows[way[-1]]
            linked.ends.append(End(row.balance, last, row.id, row.time, (end.rows if end else 0) + len(way)))
    return linked._replace(cost=(len(linked.breaks), unknown))


def _own(chains: Chains, place: str, free: Sequence[int]) -> int | None:
    """The chain that a row of ``place`` should have continued: its own, else the only one there is."""
    own = [i for i in free if chains.ends[i].place == place] or [
        i for i in free if _family(chains.ends[i].place) == _family(place)
    ]
    return own[-1] if own else free[0] if len(free) == 1 else None


def _is_second(chains: Chains, place: str, free: Sequence[int]) -> bool:
    return place not in EARN_SIDE and any(chains.ends[i].place == place for i in free)


def _walk(end: End | None, way: list[str], flags: set[str]) -> str:
    """The place of a chain after rows of these places; notes where spot and Earn share one balance, or do not."""
    place = end.place if end else way[0]
    for i, step in enumerate(way):
        if place in EARN_SIDE and step in EARN_SIDE:
            if i or end:
                flags.add("apart")
            place = EARN if EARN in (place, step) else REWARD
        elif {place, step} == {SPOT, EARN}:
            flags.add("merged")
            place = SPOT
        elif {place, step} == {SPOT, REWARD}:
            flags.add("perhaps_merged")
            place = SPOT
        elif step != REWARD:
            place = step
    return place


def _commit(state: ChainState, chains: Chains, rows: list[LedgerRow], linked: _Linked) -> None:
    """Make it so."""
    if state.breaks:
        for i in linked.used:
            for row in rows:
                _name_after(state, chains.ends[i], row)
    for i, end in linked.breaks:
        state.counts["breaks"] += 1
        if len(state.breaks) < LISTED:
            row = rows[i]
            stood = (end.value, end.row, end.time) if end else (ZERO, "", None)
            state.breaks.append(Break(chains.symbol, row.asset, row.id, row.time, stood[0], _start(row), *stood[1:]))
    gone = set(linked.used)
    chains.ends = [end for i, end in enumerate(chains.ends) if i not in gone] + linked.ends
    chains.places.update(map(place_of, rows))
    state.counts["unknown_beginnings"] += linked.cost[1]
    chains.merged |= "merged" in linked.flags
    chains.perhaps_merged |= "perhaps_merged" in linked.flags
    chains.apart |= "apart" in linked.flags and any(end.place == SPOT for end in chains.ends)


def _name_after(state: ChainState, end: End, row: LedgerRow) -> None:
    for i, broken in enumerate(state.breaks):
        if broken.row == end.row and not broken.after and row.id != end.row:
            state.breaks[i] = broken._replace(after=row.id)
