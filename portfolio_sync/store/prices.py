"""The price table: append-only. A corrected rate is a later row; what a report used can always be found again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select

from portfolio_sync.store import bulk
from portfolio_sync.store.schema import price_row

KEY = ("symbol", "currency", "time", "source")


def add(connection: Connection, prices: Iterable[Mapping[str, Any]], fetched_at: datetime) -> int:
    """Store prices (symbol, currency, time, rate, source) that are new or differ from what is known; returns how many."""
    given = {tuple(price[name] for name in KEY): price for price in prices}
    symbols = sorted({price["symbol"] for price in given.values()})
    known = {_key(row): row.rate for row in rates(connection, symbols)}
    news = [price for key, price in given.items() if known.get(key) != price["rate"]]
    return bulk.insert(connection, price_row, news, fetched_at=fetched_at)


def extent(connection: Connection) -> tuple[int, datetime | None]:
    """How many prices are known, and when the last of them came: another where any was added."""
    number, last = connection.execute(select(func.count(), func.max(price_row.c.fetched_at))).one()
    return number, last


def rates(
    connection: Connection, symbols: Iterable[str] | None = None, *, upto: datetime | None = None
) -> Iterator[Any]:
    """Rows (symbol, currency, time, source, rate, fetched_at) in the order of their key, the latest of each key.

    ``upto``: as they were known then. ``symbols``: only these.
    """
    p = price_row.c
    query = select(p.symbol, p.currency, p.time, p.source, p.rate, p.fetched_at)
    if symbols is not None:
        query = query.where(p.symbol.in_(list(symbols)))
    if upto is not None:
        query = query.where(p.fetched_at <= upto)
    ordered = query.order_by(p.symbol, p.currency, p.time, p.source, p.fetched_at)
    last: Any = None
    for row in connection.execution_options(yield_per=5_000).execute(ordered):
        if last is not None and _key(row) != _key(last):
            yield last
        last = row
    if last is not None:
        yield last


def _key(row: Any) -> tuple[object, ...]:
    return tuple(row[: len(KEY)])
