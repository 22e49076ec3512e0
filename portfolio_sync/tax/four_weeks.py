"""Ireland: what was bought in the four weeks before a sale goes first; a loss waits for what was bought in the four weeks after.

TCA 1997 s. 580 (first in, first out), s. 581 (1)-(2) (four weeks before), s. 581 (3) (a loss followed by a purchase within four
weeks is deducted from nothing but the gain on what was so bought, in proportion where less was bought than sold).
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal, localcontext

from portfolio_sync.core.amount import EXACT, ZERO
from portfolio_sync.core.lot import Act, Match, Movement, share
from portfolio_sync.tax.pool import by_entry, entry
from portfolio_sync.tax.profile import Method, Profile

FOUR_WEEKS = timedelta(days=28)


@dataclass(slots=True)
class Loss:
    """What of a matched loss may still meet a purchase: units, and the loss on them."""

    place: int
    last_day: date
    quantity: Decimal
    loss: Decimal


def ring_fenced(history: Sequence[Movement], matches: Sequence[Match], profile: Profile) -> list[Match]:
    """The matches with losses denied and later released (``denied_loss`` + and -); each row of a sale is judged by itself.

    Coins deposited from outside were not bought back: they were the taxpayer's from the day he states.
    """
    by_disposal: dict[int, list[int]] = defaultdict(list)
    for place, match in enumerate(matches):
        by_disposal[id(match.disposal)].append(place)
    fences = Fences()
    with localcontext(EXACT):
        for m in by_entry(history):
            if m.act is Act.ACQUIRE:
                fences.bought(m, profile.local_day(entry(m)))
            for place in by_disposal.get(id(m), ()):
                fences.sold(place, matches[place], profile.local_day(m.time))
    return [named(match, fences.denied.get(place), profile) for place, match in enumerate(matches)]


class Fences:
    """Losses that wait for a purchase, and losses that wait for a gain on one."""

    def __init__(self) -> None:
        self.waiting: deque[Loss] = deque()
        self.fenced: dict[int, Decimal] = {}
        self.denied: dict[int, Decimal] = {}

    def bought(self, m: Movement, day: date) -> None:
        """The oldest loss first; a purchase meets as many units of losses as it has."""
        units = m.quantity
        while self.waiting and self.waiting[0].last_day < day:
            self.waiting.popleft()
        while units and self.waiting:
            loss = self.waiting[0]
            met = min(units, loss.quantity)
            amount = share(loss.loss, met, loss.quantity) or ZERO
            self.fenced[id(m)] = self.fenced.get(id(m), ZERO) + amount
            self.denied[loss.place] = self.denied.get(loss.place, ZERO) + amount
            units, loss.quantity, loss.loss = units - met, loss.quantity - met, loss.loss - amount
            if not loss.quantity:
                self.waiting.popleft()

    def sold(self, place: int, match: Match, day: date) -> None:
        if match.disposal.act is not Act.DISPOSE or match.cost is None or match.proceeds is None:
            return
        gain = match.proceeds - match.cost - (extra(match) or ZERO)
        if gain < 0:
            self.waiting.append(Loss(place, day + FOUR_WEEKS, match.quantity, -gain))
        elif released := min(gain, self.fenced.get(id(match.lot), ZERO)):
            self.fenced[id(match.lot)] -= released
            self.denied[place] = -released


def extra(match: Match) -> Decimal | None:
    return share(match.disposal.extra_cost, match.quantity, match.disposal.quantity)


def named(match: Match, denied: Decimal | None, profile: Profile) -> Match:
    """With the rule by which the units were found."""
    assert match.lot
    bought, sold = profile.local_day(match.lot.acquired_at), profile.local_day(match.disposal.time)
    rule = "four_weeks" if bought >= sold - FOUR_WEEKS else Method.IE_FIFO.value
    return match._replace(rule=rule, denied_loss=denied)
