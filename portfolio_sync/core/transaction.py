"""What a person states in the transactions CSV: a history that Kraken does not know, or what a ledger row really was."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from portfolio_sync.core.event import Kind

FILL_IN, PRICE_OF = "fill in ", "import a price of "
"""How the note of a worklist's line begins: what is asked for there is no reason for what was answered."""


@dataclass(frozen=True, slots=True)
class Transaction:
    """One line: units are positive, ``kind`` says which way they go. Money is the total before fees, in ``currency`` ("": the report's).

    ``wallet`` "" or the account's name is Kraken. Empty text and None are what the line leaves open.
    """

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
