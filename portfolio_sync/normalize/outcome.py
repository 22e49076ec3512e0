"""What becomes of a group of rows: an event, a finding in its place, or a warning beside it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal

from portfolio_sync.core.amount import ZERO
from portfolio_sync.core.asset import FEE_CREDIT, FIAT, holding
from portfolio_sync.core.event import NOTHING_STATED, Event, Facts, Kind, Leg, content_id
from portfolio_sync.core.finding import Finding, Severity
from portfolio_sync.core.ledger import LedgerRow

Outcome = Event | Finding
EXTERNAL = "external:"
"""Where coins are that left Kraken, as the movements of lots have it."""


def event(
    rows: Sequence[LedgerRow],
    kind: Kind,
    rule: str,
    legs: Iterable[Leg] = (),
    fees: Iterable[Leg] = (),
    facts: Facts = NOTHING_STATED,
) -> Event:
    """An event of these rows, at the time of the first."""
    first, source = rows[0], tuple([row.id for row in rows])
    return Event(
        content_id("E", first.account, *sorted(source)), first.account, first.time, kind, tuple(legs), tuple(fees), source, rule,
        facts=facts,
    )  # fmt: skip


def problem(rows: Sequence[LedgerRow], code: str, message: str) -> Finding:
    """A finding that stands for its rows: they have no effect on any figure."""
    return finding(Severity.ERROR, rows, code, message)


def warning(rows: Sequence[LedgerRow], code: str, message: str) -> Finding:
    """Something to look at beside the event that the rows became."""
    return finding(Severity.WARNING, rows, code, message)


def finding(severity: Severity, rows: Sequence[LedgerRow], code: str, message: str) -> Finding:
    return Finding(severity, code, message, tuple(row.id for row in rows), rows[0].time, rows[0].account)


def leg(row: LedgerRow, number: Decimal) -> Leg:
    return Leg(number, holding(row.symbol), (row.id,))


def is_coin(symbol: str) -> bool:
    return symbol not in FIAT and holding(symbol) != FEE_CREDIT


def booked(rows: Iterable[LedgerRow]) -> tuple[list[Leg], list[Leg]]:
    """Legs and fees summed by holding: a fill out of two wallets is one fill, legs that cancel are none."""
    legs: dict[str, Leg] = {}
    fees: dict[str, Leg] = {}
    for row in rows:
        asset = holding(row.symbol)
        amount, fee = row.amount, row.fee
        if asset == FEE_CREDIT:
            amount, fee = ZERO, max(fee - amount, ZERO)  # credits spent, however they are booked
        elif fee < 0:
            amount, fee = amount - fee, ZERO  # a rebate is part of what is received
        ids = (row.id,)  # one for both
        add(legs, asset, amount, ids)
        add(fees, asset, fee, ids)
    return [each for each in legs.values() if each.number], list(fees.values())


def add(sums: dict[str, Leg], asset: str, number: Decimal, ids: tuple[str, ...]) -> None:
    if number:
        known = sums.get(asset)
        sums[asset] = Leg(known.number + number, asset, (*known.ids, *ids)) if known else Leg(number, asset, ids)
