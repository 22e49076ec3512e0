"""What a person has to add: rows ready for the transactions CSV, with the unknown figure left blank."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from decimal import Decimal
from operator import attrgetter

from portfolio_sync.core.event import Event, Kind
from portfolio_sync.core.instant import iso
from portfolio_sync.pricing.value import Valued, lacking
from portfolio_sync.tax.movements import is_coin
from portfolio_sync.tax.profile import Profile
from portfolio_sync.tax.result import Task

# A deposit may be the coins of an earlier withdrawal: as many units or up to 2 % less (fees on the way), within two weeks.
SUGGESTED_WITHIN = timedelta(days=14)
FEE_ON_THE_WAY = Decimal("0.98")


def worklist(events: Sequence[Valued], profile: Profile) -> Iterator[Task]:
    """``events`` in order of time."""
    sent = Sent(valued.event for valued in events)
    for valued in events:
        event = valued.event
        if event.kind is Kind.DEPOSIT and event.facts.cost is None and is_coin(event.legs[0].asset, profile):
            yield Task(valued, "fill in cost and acquired" + sent.suggestion(event))
        elif missing := lacking(valued):
            yield Task(
                valued, "fill in value, or import a price of " + ", ".join(dict.fromkeys(leg.asset for leg in missing))
            )


class Sent:
    """The withdrawals of each asset in order of time."""

    def __init__(self, events: Iterable[Event]) -> None:
        self.by_asset: dict[str, list[Event]] = defaultdict(list)
        for event in events:
            if event.kind is Kind.WITHDRAWAL and event.legs:
                self.by_asset[event.legs[0].asset].append(event)

    def suggestion(self, deposit: Event) -> str:
        """Which withdrawal a deposit may undo; said, never assumed."""
        leg = deposit.legs[0]
        sent = self.by_asset.get(leg.asset, [])
        start = bisect_left(sent, deposit.time - SUGGESTED_WITHIN, key=attrgetter("time"))
        stop = bisect_right(sent, deposit.time, key=attrgetter("time"))
        for event in sent[start:stop]:
            if -event.legs[0].number * FEE_ON_THE_WAY <= leg.number <= -event.legs[0].number:
                return f"; may be withdrawal {';'.join(event.legs[0].ids)} of {iso(event.time)} coming back"
        return ""
