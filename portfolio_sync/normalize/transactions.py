"""A transaction in the words of the transactions CSV (and of the golden cases) becomes an event."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from portfolio_sync.core.event import Event, Facts, Kind, Leg, content_id

FACTS = (
    "value",
    "counter_value",
    "fee_value",
    "cost",
    "acquired",
    "lots",
    "portfolio_value",
    "income_type",
    "currency",
    "note",
)


@dataclass(frozen=True, slots=True)
class Transaction:
    """One line: units are positive, ``kind`` says which way they go. Money is the total before fees, in ``currency``."""

    id: str
    time: datetime
    kind: Kind
    asset: str
    amount: Decimal | None = None
    value: Decimal | None = None
    counter_asset: str = ""
    counter_amount: Decimal | None = None
    counter_value: Decimal | None = None
    fee: Decimal | None = None
    fee_asset: str = ""
    fee_value: Decimal | None = None
    wallet: str = ""
    to_wallet: str = ""
    income_type: str = ""
    cost: Decimal | None = None
    acquired: datetime | None = None
    lots: tuple[tuple[str, Decimal], ...] = ()
    portfolio_value: Decimal | None = None
    currency: str = ""
    note: str = ""


# Which way the units go; a move and what has no effect on lots carry no sign.
SIGN = {
    Kind.BUY: 1, Kind.INCOME: 1, Kind.GIFT_IN: 1, Kind.DEPOSIT: 1,
    Kind.SELL: -1, Kind.TRADE: -1, Kind.SPEND: -1, Kind.GIFT_OUT: -1, Kind.LOST: -1, Kind.FEE: -1, Kind.TRANSFER: -1,
}  # fmt: skip


def to_event(transaction: Transaction, account: str) -> Event:
    """The event of one imported transaction. A deposit without a cost, a withdrawal and margin have no effect on lots."""
    kind = Kind(transaction.kind)
    if kind is Kind.DEPOSIT and transaction.cost is None:
        kind = Kind.INTERNAL
    ids = (transaction.id,)
    legs = tuple(
        Leg(sign * number, asset, ids)
        for sign, number, asset in (
            (SIGN.get(kind, 0), transaction.amount, transaction.asset),
            (1, transaction.counter_amount, transaction.counter_asset),
        )
        if sign and number and asset
    )
    fees = (Leg(transaction.fee, transaction.fee_asset, ids),) if transaction.fee and transaction.fee_asset else ()
    facts = Facts(**{name: getattr(transaction, name) for name in FACTS})
    return Event(
        content_id("E", account, transaction.id), account, transaction.time, kind, legs, fees, ids,
        "imported", transaction.wallet, transaction.to_wallet, facts,
    )  # fmt: skip
