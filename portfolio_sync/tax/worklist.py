"""What a person has to add: rows ready for the transactions CSV, with the unknown figure left blank."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from decimal import Decimal

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
    withdrawals = [valued.event for valued in events if valued.event.kind is Kind.WITHDRAWAL]
    for valued in events:
        event = valued.event
        if (
            event.kind is Kind.DEPOSIT
            and event.facts.cost is None
            and any(is_coin(leg.asset, profile) for leg in event.legs)
        ):
            yield Task(valued, "fill in cost and acquired" + suggestion(event, withdrawals))
        elif lacking(valued):
            yield Task(
                valued,
                "fill in value, or import a price of " + ", ".join(dict.fromkeys(leg.asset for leg in lacking(valued))),
            )


def suggestion(deposit: Event, withdrawals: Iterable[Event]) -> str:
    """Which withdrawal it may undo; said, never assumed."""
    leg = deposit.legs[0]
    for event in withdrawals:
        sent = next((sent for sent in event.legs if sent.asset == leg.asset), None)
        recent = timedelta() <= deposit.time - event.time <= SUGGESTED_WITHIN
        if sent and recent and -sent.number * FEE_ON_THE_WAY <= leg.number <= -sent.number:
            return f"; may be withdrawal {';'.join(sent.ids)} of {iso(event.time)} coming back"
    return ""
