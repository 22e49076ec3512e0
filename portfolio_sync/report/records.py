"""The same figures as rows of the derived tables, so that SQL and the files never disagree. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from portfolio_sync.core.event import Kind, Leg
from portfolio_sync.pricing.value import Value, Valued
from portfolio_sync.tax.profile import Profile
from portfolio_sync.tax.result import Computation, lot_id

Record = dict[str, Any]
# What an event is about: for these what came, for all others what went.
ABOUT_RECEIVED = frozenset({Kind.BUY, Kind.INCOME, Kind.GIFT_IN, Kind.DEPOSIT})


def event_records(events: Iterable[Valued], currency: str) -> Iterator[Record]:
    """Rows of ``event``. Quantities have their sign: + came, - went; ``value`` is the worth of what the event is about."""
    for valued in events:
        event = valued.event
        sides = sorted(zip(event.legs, valued.legs, strict=True), key=lambda side: _place(event.kind, side[0]))
        first, second = (sides[place] if place < len(sides) else None for place in (0, 1))
        fee = event.fees[0] if event.fees else None
        worth = first[1] if first else Value(None)
        yield {
            "id": event.id,
            "time": event.time,
            "kind": event.kind.value,
            "asset": first[0].asset if first else (fee.asset if fee else ""),
            "quantity": first[0].number if first else None,
            "counter_asset": second[0].asset if second else None,
            "counter_quantity": second[0].number if second else None,
            "fee_asset": fee.asset if fee else None,
            "fee_quantity": fee.number if fee else None,
            "value": worth.money,
            "currency": currency,
            "price_source": worth.source or None,
            "ledger_ids": ";".join(event.source),
        }


def _place(kind: Kind, leg: Leg) -> bool:
    return leg.number < 0 if kind in ABOUT_RECEIVED else leg.number > 0


def lot_records(computed: Computation, profile: Profile, taxpayer: str) -> Iterator[Record]:
    for lot in computed.lots:
        yield {
            "id": lot_id(lot),
            "taxpayer": taxpayer,
            "account": lot.origin.account,
            "asset": lot.origin.asset,
            "acquired_at": lot.origin.acquired_at,
            "quantity": lot.origin.quantity,
            "remaining": lot.quantity,
            "cost": lot.cost,
            "currency": profile.currency,
            "event_id": lot.origin.event,
        }


def disposal_records(computed: Computation, profile: Profile, taxpayer: str) -> Iterator[Record]:
    taken = [
        "id",
        "tax_year",
        "kind",
        "asset",
        "quantity",
        "acquired_at",
        "disposed_at",
        "proceeds",
        "cost",
        "gain",
        "term",
        "rule",
        "matched_date",
        "denied_loss",
        "account",
    ]
    for row in computed.disposals:
        yield {name: getattr(row, name) for name in taken} | {
            "taxpayer": taxpayer,
            "currency": profile.currency,
            "acquired_id": ";".join(row.acquired_ids),
            "disposed_id": ";".join(row.disposed_ids),
        }


def income_records(computed: Computation, profile: Profile, taxpayer: str) -> Iterator[Record]:
    for row in computed.income:
        taken = {
            name: getattr(row, name) for name in ("id", "tax_year", "time", "asset", "quantity", "value", "account")
        }
        facts = {"taxpayer": taxpayer, "currency": profile.currency, "income_type": row.income_type}
        yield taken | facts | {"event_id": row.event}


def holding_records(computed: Computation, profile: Profile, taxpayer: str) -> Iterator[Record]:
    """``account`` is the wallet: the account's name, or ``external:<account>`` for coins that were withdrawn."""
    for row in computed.holdings:
        yield {
            "taxpayer": taxpayer,
            "account": row.wallet,
            "symbol": row.asset,
            "quantity": row.quantity,
            "cost": row.cost,
            "value": row.value,
            "unrealised": row.unrealised,
            "currency": profile.currency,
            "priced_at": row.priced_at,
        }
