"""What a person has to add: rows ready for the transactions CSV, with the unknown figure left blank."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence

from portfolio_sync.core.event import Kind
from portfolio_sync.core.transaction import FILL_IN, PRICE_OF
from portfolio_sync.pricing.value import Valued, blanks, sought
from portfolio_sync.tax.movements import is_coin
from portfolio_sync.tax.profile import Profile
from portfolio_sync.tax.result import Task


def worklist(
    events: Sequence[Valued], profile: Profile, hints: Mapping[str, str], without_value: Container[str] = ()
) -> Iterator[Task]:
    """``events`` in order of time; ``hints``: event id -> what to know when its cost is stated.

    ``without_value``: ids of sales for which the worth of all coins is asked and not known.
    """
    for valued in events:
        event = valued.event
        if event.kind is Kind.DEPOSIT and event.facts.cost is None and is_coin(event.legs[0].asset, profile):
            yield Task(valued, "; ".join(filter(None, (f"{FILL_IN}cost and acquired", hints.get(event.id)))))
            continue
        asked = []
        if missing := sought(valued, profile.currency):
            columns = " and ".join(blanks(valued))
            asked.append((f"{FILL_IN}{columns}, or " if columns else "") + PRICE_OF + ", ".join(missing))
        if event.id in without_value:
            asked.append(f"{FILL_IN}portfolio_value, or import prices of all coins held")
        if asked:
            yield Task(valued, "; ".join(asked))
