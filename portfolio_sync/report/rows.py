"""Figures as rows of the derived tables, by the columns of the contract's views; who and which run is the store's to add."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from portfolio_sync.core.event import Kind, Leg
from portfolio_sync.pricing.value import UNKNOWN, Valued
from portfolio_sync.tax.result import Computation, lot_id

Row = dict[str, object]


# What an event is about: for these what came, for all others what went; as in the transactions CSV.
ABOUT_RECEIVED = frozenset({Kind.BUY, Kind.INCOME, Kind.GIFT_IN, Kind.DEPOSIT})


def event_rows(events: Iterable[Valued], currency: str) -> Iterator[Row]:
    """The ``event`` view: a row an event, in the words of the transactions CSV and without signs: ``kind`` says which way.

    Of several legs on one side the first stands for all; ``ledger_ids`` names all rows.
    """
    for valued in events:
        event = valued.event
        sides = sorted(zip(event.legs, valued.legs, strict=True), key=lambda side: place(event.kind, side[0]))
        worth = sides[0][1] if sides else UNKNOWN
        yield {
            "id": event.id, "account": event.account, "time": event.time, "kind": event.kind.value,
            **leg_cells("", sides[0][0] if sides else next(iter(event.fees), None)),
            **leg_cells("counter_", sides[1][0] if len(sides) > 1 else None),
            **leg_cells("fee_", next(iter(event.fees), None)),
            "value": worth.money, "currency": currency, "price_source": worth.source or None, "ledger_ids": ";".join(event.source),
        }  # fmt: skip


def place(kind: Kind, leg: Leg) -> bool:
    """Sorts the leg that the event is about first."""
    return leg.number < 0 if kind in ABOUT_RECEIVED else leg.number > 0


def leg_cells(prefix: str, leg: Leg | None) -> Row:
    asset, quantity = f"{prefix}asset", f"{prefix}quantity"
    if leg is None:
        return {asset: "" if not prefix else None, quantity: None}
    return {asset: leg.asset, quantity: abs(leg.number)}


def disposal_rows(computation: Computation, currency: str) -> Iterator[Row]:
    names = "id account asset kind quantity acquired_at disposed_at proceeds cost gain term rule matched_date denied_loss tax_year"
    for row in computation.disposals:
        yield {name: getattr(row, name) for name in names.split()} | {
            "currency": currency, "acquired_id": ";".join(row.acquired_ids), "disposed_id": ";".join(row.disposed_ids),
        }  # fmt: skip


def income_rows(computation: Computation, currency: str) -> Iterator[Row]:
    names = "id account time asset quantity value income_type tax_year"
    for row in computation.income:
        yield {name: getattr(row, name) for name in names.split()} | {"currency": currency, "event_id": row.event}


def lot_rows(computation: Computation, currency: str) -> Iterator[Row]:
    for lot in computation.lots:
        yield {
            "id": lot_id(lot), "account": lot.origin.account, "asset": lot.origin.asset, "acquired_at": lot.acquired_at,
            "quantity": lot.origin.quantity, "remaining": lot.quantity, "cost": lot.cost, "currency": currency, "event_id": lot.origin.event,
        }  # fmt: skip


def holding_rows(computation: Computation, currency: str) -> Iterator[Row]:
    """``account`` is the wallet: the account's name, or ``external:<account>`` for what was withdrawn."""
    for row in computation.holdings:
        yield {
            "account": row.wallet, "symbol": row.asset, "quantity": row.quantity, "cost": row.cost, "value": row.value,
            "unrealised": row.unrealised, "currency": currency, "priced_at": row.priced_at,
        }  # fmt: skip
