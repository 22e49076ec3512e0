"""What a taxpayer wrote down about lots, and when: standing orders, and lots named for one sale. Never changed, only added to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class RecordedOrder:
    """From ``start`` on, lots of ``account`` ("": every account) are taken by ``method``."""

    method: str
    start: datetime
    recorded_at: datetime
    account: str = ""


@dataclass(frozen=True, slots=True)
class RecordedPick:
    """``amount`` units of the acquisition ``lot`` go in ``sale``. Ids of ledger rows, trades, orders or imported transactions."""

    sale: str
    lot: str
    amount: Decimal
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class Recorded:
    """All of one taxpayer's, in the order of recording."""

    orders: tuple[RecordedOrder, ...] = ()
    picks: tuple[RecordedPick, ...] = ()


NOTHING_RECORDED = Recorded()
