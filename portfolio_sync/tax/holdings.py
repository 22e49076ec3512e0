"""What is held where, at cost and at value."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from decimal import Decimal

from portfolio_sync.core.amount import ZERO, minus, plus
from portfolio_sync.core.lot import Lot
from portfolio_sync.pricing.quote import Lookup
from portfolio_sync.tax.result import Holding


def holdings(lots: Iterable[Lot], lookup: Lookup, at: datetime | None) -> Iterator[Holding]:
    """Units and cost by asset and wallet, valued at an instant; without a price the value stays unknown."""
    sums: dict[tuple[str, str], tuple[Decimal, Decimal | None]] = {}
    for lot in lots:
        key = lot.origin.asset, lot.wallet
        quantity, cost = sums.get(key, (ZERO, ZERO))
        sums[key] = quantity + lot.quantity, plus(cost, lot.cost)
    for (asset, wallet), (quantity, cost) in sorted(sums.items()):
        quote = lookup.quote(asset, at) if at else None
        value = quantity * quote.rate if quote else None
        unrealised = minus(value, cost)
        yield Holding(
            asset,
            wallet,
            quantity,
            cost,
            quote and quote.rate,
            value,
            unrealised,
            at if quote else None,
            quote.source if quote else "",
        )
