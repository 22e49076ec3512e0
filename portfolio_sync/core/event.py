"""What rows mean: a trade, a deposit, income, a fee. Every ledger row and every imported transaction becomes part of one.

Nobody changes a leg or an event. Like the rows they are not frozen all the same, since a history has half a million of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from hashlib import sha256

from portfolio_sync.core.amount import Amount


class Kind(StrEnum):
    """The kinds of the transactions CSV, and ``internal``: rows without effect on lots, kept with the reason."""

    BUY = "buy"
    SELL = "sell"
    TRADE = "trade"
    INCOME = "income"
    SPEND = "spend"
    GIFT_IN = "gift_in"
    GIFT_OUT = "gift_out"
    LOST = "lost"
    TRANSFER = "transfer"
    FEE = "fee"
    DEPOSIT = "deposit"
    WITHDRAWAL = "withdrawal"
    MARGIN = "margin"
    INTERNAL = "internal"


@dataclass(slots=True, unsafe_hash=True)
class Leg:
    """A signed change of one asset (+ received, - given; in ``Event.fees``: + charged). ``ids``: the rows it was booked in."""

    number: Decimal
    asset: str
    ids: tuple[str, ...]

    @property
    def amount(self) -> Amount:
        return Amount(self.number, self.asset)


@dataclass(frozen=True, slots=True)
class Facts:
    """What a person states about an event and no row of Kraken's says. Money is in ``currency`` ("": the report's)."""

    value: Decimal | None = None
    counter_value: Decimal | None = None
    fee_value: Decimal | None = None
    cost: Decimal | None = None
    acquired: datetime | None = None
    lots: tuple[tuple[str, Decimal], ...] = ()
    portfolio_value: Decimal | None = None
    income_type: str = ""
    currency: str = ""
    note: str = ""


NOTHING_STATED = Facts()


@dataclass(slots=True, unsafe_hash=True)
class Event:
    """One thing that happened, in units; values in money come later (``pricing.value``).

    ``legs`` are gross of ``fees``. ``wallet`` "" is Kraken itself, spot and earn alike. ``rule`` names what classified it.
    """

    id: str
    account: str
    time: datetime
    kind: Kind
    legs: tuple[Leg, ...]
    fees: tuple[Leg, ...] = ()
    source: tuple[str, ...] = ()
    rule: str = ""
    wallet: str = ""
    to_wallet: str = ""
    facts: Facts = NOTHING_STATED

    @property
    def given(self) -> tuple[Leg, ...]:
        return tuple(leg for leg in self.legs if leg.number < 0)

    @property
    def received(self) -> tuple[Leg, ...]:
        return tuple(leg for leg in self.legs if leg.number > 0)


def content_id(prefix: str, *parts: str) -> str:
    """An id that depends on nothing but what it names: the same in every database, at every run."""
    return prefix + sha256("\x1f".join(parts).encode()).hexdigest()[:16]
