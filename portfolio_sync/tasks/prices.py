"""Fill the price table: from the exchange's market data or its archive, the central bank, or a user's file."""

from __future__ import annotations

import io
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select

from portfolio_sync.app import App
from portfolio_sync.core.asset import capitals
from portfolio_sync.core.price import Price
from portfolio_sync.errors import InputFileError
from portfolio_sync.files import cells
from portfolio_sync.kraken.endpoint import Endpoint
from portfolio_sync.pricing.imports import read_prices
from portfolio_sync.pricing.quote import Lookup, Wanted
from portfolio_sync.pricing.sources import ecb
from portfolio_sync.pricing.sources.archive import Archive, open_archive
from portfolio_sync.pricing.sources.kraken import fetch
from portfolio_sync.pricing.sources.route import Known, NoPrice
from portfolio_sync.store import prices
from portfolio_sync.store.engine import reading, writing
from portfolio_sync.store.schema import price_row
from portfolio_sync.sync.reference import stored_assets
from portfolio_sync.tasks.books import Books, close, last_complete_year, subject_of
from portfolio_sync.tasks.report import Asked, profile_of
from portfolio_sync.tax.profile import Profile

PUBLIC = {"AssetPairs": Endpoint.ASSET_PAIRS, "OHLC": Endpoint.OHLC, "Trades": Endpoint.TRADES}
BATCH = 50  # prices a transaction; a killed fetch asks for at most so many again
SAID_EVERY = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class Fetched:
    """``without``: why a wanted price does not exist; being refused or throttled is an error instead."""

    wanted: int
    stored: int
    without: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Imported:
    """``wanted``: of an archive, how many prices events lacked; None: all of the file was taken."""

    read: int
    stored: int
    wanted: int | None = None
    without: tuple[str, ...] = ()


def fetch_missing(app: App, asked: Asked, fiat: str, say: Callable[[str], None]) -> Fetched:
    """Fetch what the events of all years lack. Starting again goes on where it stopped.

    ``fiat``: whose rates of currencies, ``ecb`` or ``kraken``; what the central bank does not quote, the exchange is asked for.
    """
    profile = profile_of(app, asked)
    wanted, lookup = lacking(app, profile, asked)
    from_bank = _store(app, ecb.download(app.settings.prices.ecb_url)) if fiat == "ecb" and wanted else 0
    if from_bank:
        say(f"{from_bank:,} rates of the European Central Bank stored")
        wanted, lookup = lacking(app, profile, asked)
    stored, without = _fetch(app, wanted, lookup, say)
    return Fetched(len(wanted), from_bank + stored, without)


def lacking(app: App, profile: Profile, asked: Asked) -> tuple[list[Wanted], Lookup]:
    """What events and holdings want a price of, and what there is."""
    books = close(app.writable_engine, subject_of(app.engine, asked.taxpayer, asked.accounts), profile, None)
    return sorted({*books.lookup.wanted(), *_of_holdings(books, app.clock.now())}), books.lookup


def _fetch(app: App, wanted: list[Wanted], lookup: Lookup, say: Callable[[str], None]) -> tuple[int, tuple[str, ...]]:
    client, now = app.public_client(say), app.clock.now()

    def public(name: str, **params: Any) -> Any:
        return client.public(PUBLIC[name], **{key: str(value) for key, value in params.items()})

    waiting, without, stored, say_at = list[Price](), list[str](), 0, SAID_EVERY
    found = fetch(wanted, public, stored_assets(app.writable_engine).symbol, now, lookup.policy, known_to(lookup))
    try:
        for done, (_, answers) in enumerate(found, 1):
            waiting += [answer for answer in answers if isinstance(answer, Price)]
            without += [f"{no.wanted.symbol}: {no.reason}" for no in answers if isinstance(no, NoPrice)]
            if len(waiting) >= BATCH:
                stored += _store(app, waiting)
                waiting.clear()
            if (taken := app.clock.now() - now) >= say_at:
                say(f"{done:,} of {len(wanted):,} prices, about {left(done, len(wanted), taken)} left")
                say_at = taken + SAID_EVERY
    finally:  # also what came before a refusal is paid for
        stored += _store(app, waiting)
    return stored, tuple(dict.fromkeys(without))


def known_to(lookup: Lookup) -> Known:
    return lambda currency, instant: lookup.money(currency, instant) is not None


def left(done: int, wanted: int, taken: timedelta) -> str:
    """How long the rest takes at the pace so far."""
    seconds = round(taken.total_seconds() * (wanted - done) / done)
    return f"{seconds} s" if seconds < 120 else f"{seconds // 60} min"


def _of_holdings(books: Books, now: datetime) -> Iterator[Wanted]:
    """What is held is valued now, and in a report at the end of its year."""
    profile = books.profile
    instants = (now, profile.end_of(last_complete_year(profile, now)))
    for row in books.computation.holdings:
        for instant in instants:
            if books.lookup.find(row.asset, instant) is None:
                yield Wanted(row.asset, profile.currency, instant)


def import_path(app: App, path: Path, asked: Asked) -> Imported:
    """A user's CSV, the central bank's table (CSV or ZIP), or Kraken's OHLCVT archive (folder, ZIP or one CSV).

    All of a table or nothing; of an archive what the events lack. Raises InputFileError naming the row.
    """
    if archive := open_archive(path, stored_assets(app.writable_engine).symbol):
        return _import_archive(app, archive, asked)
    if path.is_dir():
        raise InputFileError(f"{path}: holds no file of Kraken's OHLCVT history, such as XBTUSD_60.csv")
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputFileError(f"{path}: cannot be read: {error.strerror}") from None
    text = _decoded(ecb.text_of(content, str(path)) if content.startswith(b"PK") else content, path)
    lines = io.StringIO(text, newline="")
    is_ecb = ecb.is_ecb(text.partition("\n")[0])
    found = list(ecb.read_rates(lines, str(path)) if is_ecb else read_prices(lines, str(path), named))
    return Imported(len(found), _store(app, found))


def named(symbol: str) -> str:
    """Ours, as in the transactions CSV: a price of Kraken's ``XBT`` would be that of no coin. Raises ValueError that says it."""
    return cells.asset("symbol", capitals(symbol))


def _decoded(content: bytes | str, path: Path) -> str:
    try:
        return content if isinstance(content, str) else content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputFileError(f"{path}: cannot be read: not UTF-8 text") from None


def _import_archive(app: App, archive: Archive, asked: Asked) -> Imported:
    wanted, lookup = lacking(app, profile_of(app, asked), asked)
    found = list(archive.prices(wanted, lookup.policy, known_to(lookup)))
    prices_found = [answer for answer in found if isinstance(answer, Price)]
    without = (f"{no.wanted.symbol}: {no.reason}" for no in found if isinstance(no, NoPrice))
    return Imported(len(prices_found), _store(app, prices_found), len(wanted), tuple(dict.fromkeys(without)))


def overview(app: App, symbol: str | None) -> list[tuple[str, str, str, int, datetime, datetime]]:
    """(symbol, currency, source, how many, first, last); the source without its pair and time."""
    p = price_row.c
    query = select(p.symbol, p.currency, p.source, p.time).order_by(p.symbol, p.currency, p.time)
    if symbol:
        query = query.where(p.symbol == capitals(symbol))
    times: dict[tuple[str, str, str], list[datetime]] = defaultdict(list)
    with reading(app.engine) as connection:
        for row in connection.execute(query):
            times[row.symbol, row.currency, row.source.partition(" ")[0]].append(row.time)
    return [(*key, len(found), found[0], found[-1]) for key, found in sorted(times.items())]


def _store(app: App, found: list[Price]) -> int:
    if not found:
        return 0
    with writing(app.writable_engine) as connection:
        return prices.add(connection, [asdict(price) for price in found], app.clock.now())
