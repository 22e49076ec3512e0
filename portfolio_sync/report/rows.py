"""Figures as rows of the derived tables, by the columns of the contract's views; who and which run is the store's to add."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal
from operator import attrgetter
from typing import Any, NamedTuple

from portfolio_sync.core.event import Event, Kind, Leg
from portfolio_sync.core.listing import Listing, Reads
from portfolio_sync.pricing.value import UNKNOWN, Value, Valued
from portfolio_sync.tax.result import Computation, lot_id

# What an event is about: for these what came, for all others what went; as in the transactions CSV.
ABOUT_RECEIVED = frozenset({Kind.BUY, Kind.INCOME, Kind.GIFT_IN, Kind.DEPOSIT})


class NoLeg(NamedTuple):
    """What stands in the cells of a leg that is not there."""

    asset: str | None
    number: Decimal | None = None


NOTHING, NONE = NoLeg(""), NoLeg(None)


class Shown(NamedTuple):
    """An event as the ``event`` view has it: of several legs on one side the first stands for all."""

    event: Event
    about: Leg | NoLeg
    worth: Value
    counter: Leg | NoLeg
    fee: Leg | NoLeg


def shown(valued: Valued) -> Shown:
    event = valued.event
    fee = event.fees[0] if event.fees else None
    if not event.legs:
        return Shown(event, fee or NOTHING, UNKNOWN, NONE, fee or NONE)
    sides = list(zip(event.legs, valued.legs, strict=True))
    if len(sides) > 1:
        sides.sort(key=lambda side: place(event.kind, side[0]))
    return Shown(event, *sides[0], sides[1][0] if len(sides) > 1 else NONE, fee or NONE)


def place(kind: Kind, leg: Leg) -> bool:
    """Sorts the leg that the event is about first."""
    return leg.number < 0 if kind in ABOUT_RECEIVED else leg.number > 0


def same(names: str) -> Reads:
    """Columns that read the attribute of their name."""
    return {name: attrgetter(name) for name in names.split()}


def units(side: str) -> Callable[[Shown], Decimal | None]:
    number = attrgetter(f"{side}.number")

    def read(row: Shown) -> Decimal | None:
        found = number(row)
        return None if found is None else abs(found)

    return read


def joined(name: str) -> Callable[[Any], str]:
    ids = attrgetter(name)
    return lambda row: ";".join(ids(row))


EVENT: Reads = {
    **{name: attrgetter(f"event.{name}") for name in ("id", "account", "time")}, "kind": attrgetter("event.kind._value_"),
    "asset": attrgetter("about.asset"), "quantity": units("about"),
    "counter_asset": attrgetter("counter.asset"), "counter_quantity": units("counter"),
    "fee_asset": attrgetter("fee.asset"), "fee_quantity": units("fee"),
    "value": attrgetter("worth.money"), "price_source": lambda row: row.worth.source or None, "ledger_ids": joined("event.source"),
}  # fmt: skip
DISPOSAL: Reads = {
    **same("id account asset kind quantity acquired_at disposed_at proceeds cost gain term rule matched_date denied_loss tax_year"),
    "acquired_id": joined("acquired_ids"), "disposed_id": joined("disposed_ids"),
}  # fmt: skip
INCOME: Reads = {**same("id account time asset quantity value income_type tax_year"), "event_id": attrgetter("event")}
LOT: Reads = {
    "id": lot_id, "account": attrgetter("origin.account"), "asset": attrgetter("origin.asset"), "acquired_at": attrgetter("acquired_at"),
    "quantity": attrgetter("origin.quantity"), "remaining": attrgetter("quantity"), "cost": attrgetter("cost"),
    "event_id": attrgetter("origin.event"),
}  # fmt: skip
HOLDING: Reads = {
    **same("quantity cost value unrealised priced_at"), "account": attrgetter("wallet"), "symbol": attrgetter("asset"),
}  # fmt: skip
"""``account`` is the wallet: the account's name, or ``external:<account>`` for what was withdrawn."""


def event_rows(events: Iterable[Valued], currency: str) -> Listing:
    """The ``event`` view: a row an event, in the words of the transactions CSV and without signs: ``kind`` says which way."""
    return in_currency(currency, map(shown, events), EVENT)


def disposal_rows(computation: Computation, currency: str) -> Listing:
    return in_currency(currency, computation.disposals, DISPOSAL)


def income_rows(computation: Computation, currency: str) -> Listing:
    return in_currency(currency, computation.income, INCOME)


def lot_rows(computation: Computation, currency: str) -> Listing:
    return in_currency(currency, computation.lots, LOT)


def holding_rows(computation: Computation, currency: str) -> Listing:
    return in_currency(currency, computation.holdings, HOLDING)


def in_currency(currency: str, items: Iterable[Any], columns: Reads) -> Listing:
    return Listing(items, {**columns, "currency": lambda _row: currency})
