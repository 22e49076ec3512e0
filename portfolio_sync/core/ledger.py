"""The rows as Kraken keeps them, typed: what verification and normalisation read.

Nobody changes a row. They are not frozen all the same: that would make each one cost six times as much, and a history has a
million.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal


@dataclass(slots=True, unsafe_hash=True)
class LedgerRow:
    """One change of one asset in one balance: ``balance = previous balance + amount - fee``.

    ``asset`` is Kraken's code (``XXBT``, ``ETH2.S``), ``symbol`` ours (``BTC``), ``wallet`` where inside the
    account it lies (``spot``, ``earn``, or what an export file said). ``amount`` is signed and gross.
    """

    account: str
    id: str
    refid: str
    time: datetime
    type: str
    subtype: str
    aclass: str
    asset: str
    symbol: str
    wallet: str
    amount: Decimal
    fee: Decimal
    balance: Decimal
    source: str = "api"


@dataclass(slots=True, unsafe_hash=True)
class TradeRow:
    """One fill. ``base`` and ``quote`` are our symbols, ``""`` where the pair is not known (delisted)."""

    account: str
    id: str
    order_id: str
    position_id: str
    time: datetime
    pair: str
    base: str
    quote: str
    side: str
    order_type: str
    price: Decimal
    cost: Decimal
    fee: Decimal
    volume: Decimal
    margin: Decimal
    misc: str
    ledgers: tuple[str, ...] = ()
