"""Fill the price table: from the exchange's public market data, or from a user's file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from portfolio_sync.app import App
from portfolio_sync.core.price import Price
from portfolio_sync.errors import InputFileError
from portfolio_sync.kraken.endpoint import Endpoint
from portfolio_sync.pricing.imports import read_prices
from portfolio_sync.pricing.quote import Wanted
from portfolio_sync.pricing.sources import NoPrice, fetch
from portfolio_sync.store import prices
from portfolio_sync.store.engine import reading, writing
from portfolio_sync.store.schema import price_row
from portfolio_sync.sync.reference import stored_assets
from portfolio_sync.tasks.books import Books, close, last_complete_year, subject_of
from portfolio_sync.tasks.report import Asked, profile_of

PUBLIC = {"AssetPairs": Endpoint.ASSET_PAIRS, "OHLC": Endpoint.OHLC, "Trades": Endpoint.TRADES}
BATCH = 50  # prices a transaction; a killed fetch asks for at most so many again


@dataclass(frozen=True, slots=True)
class Fetched:
    """``without``: why a wanted price does not exist; being refused or throttled is an error instead."""

    wanted: int
    stored: int
    without: tuple[str, ...]


def fetch_missing(app: App, asked: Asked, say: Callable[[str], None]) -> Fetched:
    """Fetch what the events of all years lack. Starting again goes on where it stopped."""
    engine = app.writable_engine
    profile = profile_of(app, asked)
    books = close(engine, subject_of(engine, asked.taxpayer, asked.accounts), profile, None)
    wanted, client = {*books.lookup.wanted(), *_of_holdings(books, app.clock.now())}, app.public_client(say)

    def public(name: str, **params: Any) -> Any:
        return client.public(PUBLIC[name], **{key: str(value) for key, value in params.items()})

    waiting: list[Price] = []
    without: list[str] = []
    stored = 0
    for found in fetch(wanted, public, stored_assets(engine).symbol, app.clock.now()):
        if isinstance(found, NoPrice):
            without.append(f"{found.wanted.symbol}: {found.reason}")
            continue
        waiting.append(found)
        if len(waiting) >= BATCH:
            stored += _store(app, waiting)
            waiting.clear()
    return Fetched(len(wanted), stored + _store(app, waiting), tuple(dict.fromkeys(without)))


def _of_holdings(books: Books, now: datetime) -> Iterator[Wanted]:
    """What is held is valued now, and in a report at the end of its year."""
    profile = books.profile
    instants = (now, profile.end_of(last_complete_year(profile, now)))
    for row in books.computation.holdings:
        for instant in instants:
            if books.lookup.find(row.asset, instant) is None:
                yield Wanted(row.asset, profile.currency, instant)


def import_file(app: App, path: Path) -> tuple[int, int]:
    """All of the file or nothing. Raises InputFileError naming the row. Returns (rows read, rows new or changed)."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            found = list(read_prices(lines, str(path)))
    except (OSError, UnicodeDecodeError) as error:
        raise InputFileError(
            f"{path}: cannot be read: {getattr(error, 'strerror', None) or 'not UTF-8 text'}"
        ) from None
    return len(found), _store(app, found)


def overview(app: App, symbol: str | None) -> list[tuple[str, str, str, int, datetime, datetime]]:
    """(symbol, currency, source, how many, first, last); the source without its pair and time."""
    p = price_row.c
    query = select(p.symbol, p.currency, p.source, func.count(), func.min(p.time), func.max(p.time))
    if symbol:
        query = query.where(p.symbol == symbol)
    with reading(app.engine) as connection:
        found = connection.execute(
            query.group_by(p.symbol, p.currency, p.source).order_by(p.symbol, p.currency, p.source)
        )
        return [(row[0], row[1], row[2], row[3], row[4], row[5]) for row in found]


def _store(app: App, found: list[Price]) -> int:
    if not found:
        return 0
    with writing(app.writable_engine) as connection:
        return prices.add(connection, [asdict(price) for price in found], app.clock.now())
