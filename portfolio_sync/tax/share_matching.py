"""The United Kingdom's share matching: the same day, the next 30 days, then the section 104 pool.

TCGA 1992 ss. 104, 105, 106A; HMRC Cryptoassets Manual CRYPTO22250-22257. All purchases of a local day are one transaction and
so are all sales, over all wallets; a gift without gain (s. 58) is a disposal like them. Every day is matched with itself before
any sale looks ahead; day 30 counts, day 31 not.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal, localcontext

from portfolio_sync.core.amount import EXACT, ZERO
from portfolio_sync.core.event import Kind
from portfolio_sync.core.lot import Act, Match, Matching, Movement, share
from portfolio_sync.tax.pool import Pool, Whereabouts, by_entry, entry
from portfolio_sync.tax.profile import Oversell, Profile

SAME_DAY, THIRTY_DAYS, SECTION_104 = "same_day", "30_day", "s104"
AHEAD = timedelta(days=30)


@dataclass(slots=True)
class Side:
    """A day's purchases, or its sales, as one transaction; what of it is not matched yet."""

    day: date
    whole: Movement
    rest: Pool = field(default_factory=Pool)

    def __post_init__(self) -> None:
        self.rest.add(self.whole.quantity, self.whole.money, self.whole)


@dataclass(slots=True)
class Day:
    """What happened to one asset on one local day.

    ``sold``: its sales and, beside them, its gifts without gain or loss: one disposal, of which each rule takes a like part.
    ``lost``: what is no disposal and leaves the pool alone.
    """

    bought: Side | None = None
    sold: list[Side] = field(default_factory=list)
    lost: list[Movement] = field(default_factory=list)
    matches: list[Match] = field(default_factory=list)

    @property
    def unmatched(self) -> Decimal:
        return self.sold[0].rest.quantity if len(self.sold) == 1 else sum((s.rest.quantity for s in self.sold), ZERO)


def uk_s104(history: Sequence[Movement], profile: Profile, _standing: object = ()) -> Matching:
    """Rows by day and match rule; refused at the first day that sells more than is matched and pooled."""
    place = Whereabouts()
    for m in history:
        place.book(m)
    with localcontext(EXACT):
        days = by_day(history, profile)
        for day in days:
            if day.sold and day.bought:
                pair(day, day.bought, SAME_DAY)
        look_ahead(days)
        return pooled(days, place, profile)


def by_day(history: Sequence[Movement], profile: Profile) -> list[Day]:
    acts: dict[tuple[date, Act], list[Movement]] = defaultdict(list)
    for m in by_entry(history):
        acts[profile.local_day(entry(m)), m.act].append(m)
    days: dict[date, Day] = {}
    for (on, act), movements in acts.items():
        day = days.setdefault(on, Day())
        if act is Act.ACQUIRE:
            day.bought = Side(on, as_one(movements))
        elif act is Act.DISPOSE:
            day.sold.insert(0, Side(on, as_one(movements)))
        elif act is Act.GIVE:
            gifts = [m for m in movements if m.kind == Kind.GIFT_OUT]
            day.sold += [Side(on, as_one(gifts))] if gifts else []
            day.lost = [m for m in movements if m.kind != Kind.GIFT_OUT]
    return [days[on] for on in sorted(days)]


def as_one(movements: Sequence[Movement]) -> Movement:
    """Several movements of a day as one: sums, and every row that has a part in it."""
    if len(movements) == 1:
        return movements[0]
    money = [m.money for m in movements if m.money is not None]
    extra = [m.extra_cost for m in movements if m.extra_cost is not None]
    return movements[0]._replace(
        quantity=sum((m.quantity for m in movements), ZERO),
        money=sum(money, ZERO) if len(money) == len(movements) else None,
        extra_cost=sum(extra, ZERO) if extra else None,
        kind=joined(m.kind for m in movements), account=joined(m.account for m in movements),
        wallet=joined(m.wallet for m in movements), price_source=joined(m.price_source for m in movements),
        ids=tuple(dict.fromkeys(row for m in movements for row in m.ids)),
    )  # fmt: skip


def joined(words: Iterable[str]) -> str:
    return ";".join(filter(None, dict.fromkeys(words)))


def pair(day: Day, bought: Side, rule: str) -> None:
    """Match as many units of the day's sale with those purchases as both have left."""
    left = day.unmatched
    units = min(left, bought.rest.quantity)
    for sold in day.sold:
        others = left - sold.rest.quantity
        part = units if sold is day.sold[-1] else max(share(units, sold.rest.quantity, left), units - others)
        units -= part
        if part:
            cost, proceeds = bought.rest.take(part), sold.rest.take(part)
            day.matches.append(Match(sold.whole, bought.whole, part, cost, proceeds, rule, bought.day.isoformat()))


def look_ahead(days: Sequence[Day]) -> None:
    """Earliest sale first, and for each the earliest purchase; a purchase before a sale is before all later sales too."""
    purchases = [day.bought for day in days if day.bought and day.bought.rest.quantity]
    first = 0
    for day in days:
        if not day.sold:
            continue
        today = day.sold[0].day
        while first < len(purchases) and (purchases[first].day <= today or not purchases[first].rest.quantity):
            first += 1
        place = first
        while day.unmatched and place < len(purchases) and purchases[place].day <= today + AHEAD:
            pair(day, purchases[place], THIRTY_DAYS)
            place += 1


def pooled(days: Sequence[Day], place: Whereabouts, profile: Profile) -> Matching:
    """Through the days once more: purchases that no sale took join the pool, sales that found none leave it."""
    pool, matches = Pool(), list[Match]()
    for day in days:
        if day.bought:
            pool.add(day.bought.rest.quantity, day.bought.rest.cost, day.bought.whole)
        leaving = [(side.whole, side.rest.quantity, side) for side in day.sold if side.rest.quantity]
        for m, units, side in (*leaving, *((m, m.quantity, None) for m in day.lost)):
            if units > pool.quantity:
                if profile.oversell is Oversell.ERROR:
                    return Matching(matches, (), m, units - pool.quantity, by_day=True)
                place.put(m.wallet, m.account, units - pool.quantity)
                pool.add(units - pool.quantity, ZERO, m)
            proceeds = side.rest.take(units) if side else m.money
            spoiled_by = pool.spoiled_by
            day.matches.append(Match(m, None, units, pool.take(units), proceeds, SECTION_104, spoiled_by=spoiled_by))
        matches += day.matches
    return Matching(matches, list(place.lots(pool)), by_day=True)
