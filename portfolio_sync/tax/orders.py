"""Which lot goes first: the sort keys behind FIFO, LIFO, HIFO, LOFO and Ireland's four weeks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from portfolio_sync.core.amount import EXACT, ZERO
from portfolio_sync.core.instant import EPOCH
from portfolio_sync.core.lot import Movement

Key = tuple[Any, ...]


class OpenLot:
    """What is left of an acquisition while the history runs; ``order`` is its place among the movements."""

    __slots__ = ("acquired", "cost", "order", "origin", "quantity")

    def __init__(self, origin: Movement, order: int, quantity: Decimal, cost: Decimal | None) -> None:
        self.origin, self.order, self.quantity, self.cost = origin, order, quantity, cost
        self.acquired = origin.acquired or origin.time


@dataclass(frozen=True, slots=True)
class Order:
    """Which lot goes first, and the word for it in the reports."""

    name: str
    key: Callable[[OpenLot], Key]
    fresh_from: Callable[[datetime], datetime] | None = None
    """Lots acquired from here on go before all older ones; it moves with the time of the sale. Goes with the key ``fresh``."""


def oldest(lot: OpenLot) -> Key:
    return lot.acquired, lot.order


def newest(lot: OpenLot) -> Key:
    return EPOCH - lot.acquired, -lot.order


def fresh(lot: OpenLot) -> Key:
    """Oldest first, before all lots that have become stale (``WalletLots.age``)."""
    return 0, lot.acquired, lot.order


def by_unit(sign: int, money: Callable[[Movement], Decimal | None]) -> Callable[[OpenLot], Key]:
    """Dearest (sign -1) or cheapest (+1) unit first, then the oldest; a lot of unknown cost comes last."""

    def key(lot: OpenLot) -> Key:
        total = money(lot.origin)
        if total is None:
            return 1, ZERO, lot.acquired, lot.order
        return 0, EXACT.divide(total, lot.origin.quantity) * sign, lot.acquired, lot.order

    return key
