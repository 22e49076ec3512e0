"""Averages: the moving one (Canada's adjusted cost base) and the total one of a year (Japan)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal, localcontext
from itertools import groupby

from portfolio_sync.core.amount import EXACT, ZERO
from portfolio_sync.core.instant import EPOCH
from portfolio_sync.core.lot import Act, Match, Matching, Movement
from portfolio_sync.tax.pool import Pool, Whereabouts, by_entry, entry
from portfolio_sync.tax.profile import Method, Oversell, PoolScope, Profile
from portfolio_sync.tax.superficial import SuperficialLosses


def moving_average(history: Sequence[Movement], profile: Profile, _standing: object = ()) -> Matching:
    """One average for each asset (or wallet): purchases change it, disposals leave it (Canada: ITA 47(1), 53)."""
    with localcontext(EXACT):
        return MovingAverage(history, profile).run()


class MovingAverage:
    """The pools of one asset while its history runs. Without ``pool_scope=wallet`` there is one, and moves do nothing to it."""

    def __init__(self, history: Sequence[Movement], profile: Profile) -> None:
        self.history, self.matches = by_entry(history), list[Match]()
        self.per_wallet = profile.pool_scope is PoolScope.WALLET
        self.zero_cost = profile.oversell is Oversell.ZERO_COST
        self.superficial = SuperficialLosses(self.history, profile) if profile.superficial_loss else None
        self.pools: dict[str, Pool] = defaultdict(Pool)
        self.places: dict[str, Whereabouts] = defaultdict(Whereabouts)
        self.now, self.denied = EPOCH, ZERO

    def key(self, wallet: str) -> str:
        return wallet if self.per_wallet else ""

    def run(self) -> Matching:
        for m in self.history:
            if m.time != self.now:
                self.add_denied()
                self.now = m.time
            pool = self.pools[self.key(m.wallet)]
            leaves = m.act in (Act.DISPOSE, Act.GIVE) or (m.act is Act.MOVE and self.per_wallet)
            if leaves and m.quantity > pool.quantity:
                missing = m.quantity - pool.quantity
                if not self.zero_cost:
                    return Matching(self.matches, (), m, missing)
                invent(missing, m, pool, self.places[self.key(m.wallet)])
            self.apply(m, pool)
        self.add_denied()
        return Matching(
            self.matches, [lot for key, place in sorted(self.places.items()) for lot in place.lots(self.pools[key])]
        )

    def apply(self, m: Movement, pool: Pool) -> None:
        if m.act is Act.MOVE and self.per_wallet:
            spoiled_by = pool.spoiled_by
            self.pools[m.to_wallet].add(m.quantity, pool.take(m.quantity), spoiled_by)
            self.places[m.wallet].book(m._replace(act=Act.GIVE))
            self.places[m.to_wallet].book(m._replace(act=Act.ACQUIRE, wallet=m.to_wallet))
            return
        self.places[self.key(m.wallet)].book(m)
        if m.act is Act.ACQUIRE:
            pool.add(m.quantity, m.money, m)
        elif m.act is not Act.MOVE:
            self.leave(m, pool)

    def add_denied(self) -> None:
        """To what is left after all that was sold in one instant, or to what is bought next."""
        if self.denied:
            self.pools[""].add(ZERO, self.denied, None)
            self.denied = ZERO

    def leave(self, m: Movement, pool: Pool) -> None:
        spoiled_by, cost = pool.spoiled_by, pool.take(m.quantity)
        denied = None
        if self.superficial and m.act is Act.DISPOSE and cost is not None and m.money is not None:
            denied = self.superficial.denied(m, cost + (m.extra_cost or ZERO) - m.money)
            self.denied += denied or ZERO
        self.matches.append(
            Match(m, None, m.quantity, cost, m.money, Method.ACB.value, denied_loss=denied, spoiled_by=spoiled_by)
        )


def invent(missing: Decimal, m: Movement, pool: Pool, place: Whereabouts) -> None:
    """Units of no cost, where the profile wants them rather than a refusal."""
    pool.add(missing, ZERO, m)
    place.put(m.wallet, m.account, missing)


def total_average(history: Sequence[Movement], profile: Profile, _standing: object = ()) -> Matching:
    """One average a tax year: what was left of the last year and all purchases of this one, also those after a disposal.

    Japan: Income Tax Act Enforcement Order art. 119-2 (1), NTA crypto FAQ. Still nobody disposes of more than he has just then.
    """
    matches, pool, place, held = list[Match](), Pool(), Whereabouts(), ZERO
    ordered = by_entry(history)
    with localcontext(EXACT):
        for _, year in groupby(ordered, key=lambda m: profile.year_of(entry(m))):
            movements = list(year)
            for m in movements:
                if m.act is Act.ACQUIRE:
                    pool.add(m.quantity, m.money, m)
            for m in movements:
                if m.act in (Act.DISPOSE, Act.GIVE):
                    if m.quantity > held:
                        if profile.oversell is Oversell.ERROR:
                            return Matching(matches, (), m, m.quantity - held)
                        invent(m.quantity - held, m, pool, place)
                        held = m.quantity
                    spoiled_by, cost = pool.spoiled_by, pool.take(m.quantity)
                    matches.append(
                        Match(m, None, m.quantity, cost, m.money, Method.TOTAL_AVERAGE.value, spoiled_by=spoiled_by)
                    )
                    held -= m.quantity
                elif m.act is Act.ACQUIRE:
                    held += m.quantity
                place.book(m)
        return Matching(matches, list(place.lots(pool)))
