"""A rate: what one unit of a symbol was worth in a currency at an instant, and who says so."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Price:
    """``rate`` units of ``currency`` for one ``symbol``, valid from ``time`` on until a later one is known."""

    symbol: str
    currency: str
    time: datetime
    rate: Decimal
    source: str
