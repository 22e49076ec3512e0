"""A transaction in the words of the transactions CSV (and of the golden cases) becomes an event."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from portfolio_sync.core.amount import ZERO
from portfolio_sync.core.asset import FIAT
from portfolio_sync.core.event import Event, Facts, Kind, Leg, content_id
from portfolio_sync.core.transaction import Transaction

__all__ = ["CHARGED", "EXCHANGES", "SIGN", "Transaction", "by_legs", "facts_of", "to_event", "to_events"]

FACTS = (
    "value", "counter_value", "fee_value", "cost", "acquired", "lots", "portfolio_value", "income_type", "currency", "note",
)  # fmt: skip

# Which way the units go; a move says so by its wallets.
SIGN = {
    Kind.BUY: 1, Kind.INCOME: 1, Kind.GIFT_IN: 1, Kind.DEPOSIT: 1,
    Kind.SELL: -1, Kind.TRADE: -1, Kind.SPEND: -1, Kind.GIFT_OUT: -1, Kind.LOST: -1, Kind.FEE: -1, Kind.TRANSFER: -1,
}  # fmt: skip
EXCHANGES = frozenset({Kind.BUY, Kind.SELL, Kind.TRADE})
TWO = 2
CHARGED = frozenset({Kind.BUY, Kind.SELL, Kind.TRADE, Kind.SPEND, Kind.TRANSFER})
"""Kinds with fees of their own; coins paid as a fee of any other kind are used up beside it."""
STATED = CHARGED | {Kind.GIFT_OUT}
"""A gift has a fee where a person says so; of a ledger row all that left is the gift."""


def kind_of(transaction: Transaction) -> Kind:
    """What it does to lots: a withdrawal, margin, or a deposit without a cost nothing; a buy at a stated cost opens a lot."""
    kind = Kind(transaction.kind)
    if kind is Kind.BUY and transaction.cost is not None:
        return Kind.DEPOSIT
    if kind is Kind.DEPOSIT and transaction.cost is None:
        return Kind.INTERNAL
    return kind if kind in SIGN else Kind.INTERNAL


def by_legs(kind: Kind, legs: Sequence[Leg]) -> Kind:
    """An exchange is what its two legs say: coins for money a sale, money for coins a purchase, coins for coins a trade."""
    money = [leg.number > 0 for leg in legs if leg.asset in FIAT]
    if kind not in EXCHANGES or len(legs) != TWO or len(money) == TWO:
        return kind
    return Kind.TRADE if not money else Kind.SELL if money[0] else Kind.BUY


def facts_of(transaction: Transaction) -> Facts:
    """Values are sizes: which way a position's result went, the sign of its rows says."""
    said = {name: getattr(transaction, name) for name in FACTS}
    return Facts(**said | {"value": None if transaction.value is None else transaction.value.copy_abs()})


def to_events(transaction: Transaction, account: str) -> Iterator[Event]:
    """The event of one imported transaction, and one more for a fee that its kind does not know."""
    event = to_event(transaction, account)
    yield event
    coins = transaction.fee and transaction.fee_asset not in FIAT
    if coins and event.kind not in STATED and event.kind is not Kind.INTERNAL:
        spent = Transaction(
            transaction.id, transaction.time, Kind.FEE, transaction.fee_asset, transaction.fee, transaction.fee_value,
            wallet=transaction.wallet, currency=transaction.currency, note=transaction.note,
        )  # fmt: skip
        yield to_event(spent, account, "fee")


def to_event(transaction: Transaction, account: str, *part: str) -> Event:
    """The event of one imported transaction, without a fee that its kind does not know. ``part`` tells its events apart."""
    kind, ids = kind_of(transaction), (transaction.id,)
    sign = SIGN.get(kind, 0)
    legs = tuple(
        Leg(number, asset, ids)
        for number, asset in (
            (sign * (transaction.amount or ZERO), transaction.asset),
            (-sign * (transaction.counter_amount or ZERO), transaction.counter_asset),
        )
        if number and asset
    )
    charged = transaction.fee if kind in STATED and transaction.fee_asset else None
    fees = (Leg(charged, transaction.fee_asset, ids),) if charged else ()
    return Event(
        content_id("E", account, transaction.id, *part), account, transaction.time, by_legs(kind, legs), legs, fees, ids,
        "imported", transaction.wallet, transaction.to_wallet, facts_of(transaction),
    )  # fmt: skip
