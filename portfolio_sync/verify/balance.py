"""The ends of the chains beside the balances that the exchange states: what no chain can see, these do.

The rule, by holding (``core.asset.holding``: all codes and wallets of it, ETH2 with ETH): the open ends add up to the
balances. Coins in Earn are normally among the balances, under codes of their own (``XBT.F``) or inside the plain one. Where
they are not, the Earn allocations come on top, and then for the whole account alike: it is one server that answers. So that
this choice hides no missing row, it is only made where the moves between spot and Earn cancel and, where Earn has
chains of its own, these add up to the allocations.
Source: kraken-api notes 4.1 (Balance and Earn), 4.7, 8 (6).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from portfolio_sync.core.amount import EXACT, ZERO, shortest
from portfolio_sync.core.asset import holding
from portfolio_sync.core.finding import Finding, Severity
from portfolio_sync.verify.place import EARN_SIDE, SPOT, is_earn_code, place_of_code
from portfolio_sync.verify.state import Chains, ChainState

MOST_PARTS = 12
"""Strategies of one coin that are tried in all combinations."""


@dataclass(frozen=True, slots=True)
class Stated:
    """What the exchange states for one code: ``asset`` its own (``XBT.F``), ``symbol`` ours (``BTC``)."""

    asset: str
    symbol: str
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All balances at one moment. ``settled``: the ledger's newest row was the same before and after.

    ``allocations``: what lies in Earn, by symbol; None: not read. ``strategies``: in how many of them, where that is known.
    """

    taken_at: datetime
    balances: tuple[Stated, ...]
    allocations: Mapping[str, Decimal] | None = None
    settled: bool = True
    strategies: Mapping[str, int] | None = None
    parts: Mapping[str, Sequence[Decimal]] = field(default_factory=dict)
    """What lies in each strategy, by symbol."""


class Earn(StrEnum):
    """Where coins in Earn stand, seen from the balances."""

    INSIDE = "inside"
    BESIDE = "beside"


@dataclass(slots=True)
class Held:
    """One holding by the three witnesses. ``in_earn``: the ends of Earn's own chains; None where it shares the spot chain."""

    name: str
    chained: Decimal = ZERO
    in_earn: Decimal | None = ZERO
    stated: Decimal = ZERO
    allocated: Decimal = ZERO
    earning: int = 0
    strategies: int | None = None
    parts: list[Decimal] = field(default_factory=list)
    coded: bool = False
    """Some of it is stated under a code of Earn's own: then allocations are among the balances for certain."""
    chains: list[Chains] = field(default_factory=list)

    @property
    def may_be_beside(self) -> bool:
        return bool(self.allocated) and not self.coded

    def off(self, earn: Earn) -> Decimal:
        """By how much the chains' ends exceed what is stated."""
        beside = self.allocated if earn is Earn.BESIDE and self.may_be_beside else ZERO
        return EXACT.subtract(self.chained, EXACT.add(self.stated, beside))


def compare(state: ChainState, snapshot: Snapshot) -> tuple[Earn, list[Finding]]:
    """Where Earn stands, and a finding for each holding that does not agree."""
    held = _held(state, snapshot)
    if state.windowed:
        return Earn.INSIDE, [_differs(each, off) for each in held if (off := _off_in_window(each, snapshot))]
    earn = min(Earn, key=lambda way: sum(each.off(way) != 0 for each in held))  # inside, if neither is better
    found = [_differs(each, off) for each in held if (off := each.off(earn))]
    return earn, found + [finding for each in held if each.may_be_beside for finding in _earn(state, each)]


def moves_left(state: ChainState) -> Iterator[Finding]:
    """Moves between spot and Earn of which one leg is missing; no proof hangs on it where the balances agree."""
    for name, left in state.moves.items():
        if left:
            message = f"the moves of {name} between spot and Earn do not cancel: {shortest(left)} {name} are left over"
            yield Finding(Severity.WARNING, "earn_moves_differ", message)


def _held(state: ChainState, snapshot: Snapshot) -> list[Held]:
    found: dict[str, Held] = {}

    def of(symbol: str) -> Held:
        name = holding(symbol)
        return found.setdefault(name, Held(name))

    for chains in state.symbols.values():
        each = of(chains.symbol)
        each.chains.append(chains)
        each.chained = _sum(each.chained, *(end.value for end in chains.ends))
        own = [end.value for end in chains.ends if end.place in EARN_SIDE]
        each.earning += len(own)
        each.in_earn = None if chains.merged or chains.mixed or each.in_earn is None else _sum(each.in_earn, *own)
    for stated in snapshot.balances:
        each = of(stated.symbol)
        each.stated = EXACT.add(each.stated, stated.amount)
        each.coded |= is_earn_code(stated.asset) and bool(stated.amount)
    for symbol, amount in (snapshot.allocations or {}).items():
        each = of(symbol)
        each.allocated = EXACT.add(each.allocated, amount)
    for symbol, parts in snapshot.parts.items():
        of(symbol).parts.extend(parts)
    for symbol, number in (snapshot.strategies or {}).items():
        each = of(symbol)
        each.strategies = (each.strategies or 0) + number
    return list(found.values())


def _earn(state: ChainState, held: Held) -> Iterator[Finding]:
    name = held.name
    if left := state.moves.get(name, ZERO):
        said = f"a leg of a move of {name} between spot and Earn is missing: {shortest(left)} {name} are left over"
        yield Finding(Severity.ERROR, "earn_differs", said)
    elif held.in_earn is not None and held.in_earn != held.allocated:
        said = (
            f"the ledger leaves {shortest(held.in_earn)} {name} in Earn, its allocations say {shortest(held.allocated)}"
        )
        yield Finding(Severity.ERROR, "earn_differs", said)
    elif held.strategies is not None and held.earning > held.strategies:
        said = (
            f"the ledger has {held.earning} balances of {name} in Earn, which has {held.strategies} allocations of it"
        )
        yield Finding(Severity.ERROR, "earn_differs", said)


def _off_in_window(held: Held, snapshot: Snapshot) -> Decimal:
    """Zero where what is stated for the places with a row in the window agrees; the others cannot be known.

    Nor can it be known which of the strategies in Earn had a row there: some of them may explain the difference, each whole.
    """
    if not held.chains:
        return ZERO
    places: set[str] = set().union(*(chains.places for chains in held.chains))
    if places & EARN_SIDE:
        places.add(SPOT)  # one plain code may stand for both
    here = [each for each in snapshot.balances if holding(each.symbol) == held.name]
    sure = [each.amount for each in here if place_of_code(each.asset) in places]
    off = EXACT.subtract(held.chained, _sum(*sure))
    if held.coded:
        unsure = [each.amount for each in here if is_earn_code(each.asset) and place_of_code(each.asset) not in places]
        return ZERO if places & EARN_SIDE and off in _sums(unsure) else off
    return ZERO if off.copy_abs() in _sums([*held.parts, held.allocated]) else off


def _sums(numbers: Sequence[Decimal]) -> set[Decimal]:
    """The sums of some of them, of none included."""
    sums = {ZERO}
    for number in numbers[:MOST_PARTS]:
        sums |= {EXACT.add(each, number) for each in sums}
    return sums


def _differs(held: Held, off: Decimal) -> Finding:
    what = f"{shortest(abs(off))} {held.name} {'too much' if off > 0 else 'are missing'}"
    said = f"the ledger ends with {shortest(held.chained)} {held.name}, the balances say {shortest(EXACT.subtract(held.chained, off))}: {what}"
    return Finding(
        Severity.ERROR, "balance_differs", said, tuple(end.row for chains in held.chains for end in chains.ends)
    )


def _sum(*numbers: Decimal) -> Decimal:
    total = ZERO
    for number in numbers:
        total = EXACT.add(total, number)
    return total
