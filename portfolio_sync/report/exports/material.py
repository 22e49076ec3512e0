"""What every format is made of."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from portfolio_sync.core.amount import ZERO
from portfolio_sync.core.event import Leg
from portfolio_sync.core.ledger import LedgerRow
from portfolio_sync.core.lot import share
from portfolio_sync.pricing.value import Value, Valued


@dataclass(frozen=True, slots=True)
class Material:
    """``ledger``: all rows in order, to be read once; ``events``: what they and imports mean, valued in ``currency``."""

    ledger: Iterable[LedgerRow]
    events: Sequence[Valued]
    currency: str


class Swap(NamedTuple):
    """One thing given for one thing received, or one of them alone. ``first``: the one of an event that bears its fees."""

    given: Leg | None
    received: Leg | None
    value: Decimal | None
    first: bool


def swaps(valued: Valued) -> Iterator[Swap]:
    """The legs of an event one against one.

    Where several were given for one (a sweep of small balances), the one is split by what each was worth; where that is not known,
    the first takes it whole and the others stand alone.
    """
    sides = list(zip(valued.event.legs, valued.legs, strict=True))
    given, received = [s for s in sides if s[0].number < 0], [s for s in sides if s[0].number > 0]
    many, one = (given, received) if len(given) >= len(received) else (received, given)
    whole = one[0] if len(one) == 1 else None
    parts = split(whole[0].number, [worth for _, worth in many]) if whole else [None] * len(many)
    for place, (leg, worth) in enumerate(many):
        part = parts[place]
        other = Leg(part, whole[0].asset, whole[0].ids) if whole and part else None
        gone, come = (leg, other) if many is given else (other, leg)
        yield Swap(gone, come, worth.money, not place)
    if len(one) > 1:
        for leg, worth in one:
            yield Swap(None, leg, worth.money, False) if many is given else Swap(leg, None, worth.money, False)


def split(number: Decimal, worths: Sequence[Value]) -> list[Decimal | None]:
    known = [worth.money for worth in worths if worth.money is not None]
    weight = sum(known, ZERO)
    if len(worths) == 1 or len(known) < len(worths) or not weight:
        return [number, *[None] * (len(worths) - 1)]
    rest, parts = number, list[Decimal | None]()
    for worth in known:
        part = share(rest, worth, weight) if weight else ZERO
        parts.append(part)
        rest, weight = rest - (part or ZERO), weight - worth
    return parts


def csv_line(cells: Iterable[str]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(cells)
    return text.getvalue()
