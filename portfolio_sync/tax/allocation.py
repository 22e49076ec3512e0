"""Unused basis as it is allotted to wallets at the instant from which pools are per wallet (US: Rev. Proc. 2024-28).

A person states it as transfers with named lots at that very instant. It moves basis between wallets, never coins: each wallet
gets back as many units as it gives.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from operator import attrgetter

from portfolio_sync.core.amount import shortest
from portfolio_sync.core.event import Kind
from portfolio_sync.core.finding import Finding, Severity
from portfolio_sync.core.lot import Act, Movement
from portfolio_sync.tax.pool import Whereabouts
from portfolio_sync.tax.profile import Profile

Units = Mapping[str, Decimal]


def allocation_gaps(history: Sequence[Movement], profile: Profile) -> Iterator[Finding]:
    """``history``: of one asset in order of time. What of an allocation does not add up."""
    if profile.wallet_pools_from is None or not history:
        return
    change = profile.start_of(profile.wallet_pools_from)
    first = bisect_left(history, change, key=attrgetter("time"))
    then = history[first : bisect_right(history, change, key=attrgetter("time"))]
    yield from not_balanced([m for m in then if m.act is Act.MOVE and m.picks], profile)
    opening = [m for m in then if m.act is Act.ACQUIRE and m.kind == Kind.DEPOSIT]
    if opening:
        yield from beside_history(opening, units(history[:first]))


def not_balanced(moves: Sequence[Movement], profile: Profile) -> Iterator[Finding]:
    off = {wallet: number for wallet, number in sorted(units(moves).items()) if number}
    if off:
        gains = ", ".join(f"{wallet} {shortest(number)}" for wallet, number in off.items())
        yield Finding(
            Severity.ERROR, "allocation_not_balanced",
            f"transfers with named lots at {profile.wallet_pools_from} allocate basis and move no coins, but by these the wallets' {moves[0].asset} changes: {gains}; "
            "transfer as many units back, or give a real transfer its own time",
            tuple(row for move in moves for row in move.ids), moves[0].time, moves[0].account,
        )  # fmt: skip


def beside_history(opening: Sequence[Movement], before: Units) -> Iterator[Finding]:
    for lot in opening:
        if there := before.get(lot.wallet):
            yield Finding(
                Severity.WARNING, "opening_lot_beside_history",
                f"this lot comes on top of {shortest(there)} {lot.asset} that {lot.wallet} holds by its history; if it is the same coins, allocate them by transfers with lots instead",
                lot.ids, lot.time, lot.account,
            )  # fmt: skip


def units(history: Sequence[Movement]) -> Units:
    """Units that came to each wallet, less those that left it."""
    places = Whereabouts()
    for m in history:
        places.book(m)
    return places.units
