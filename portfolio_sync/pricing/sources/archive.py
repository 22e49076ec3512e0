"""Kraken's downloadable OHLCVT history: a folder or ZIP of files such as ``XBTUSD_60.csv``, a candle a line, no header.

A line is time (Unix, the candle's beginning), open, high, low, close, volume, trades; intervals without a trade have none.
Only what is asked for is taken: the archive holds hundreds of millions of lines.
Source: Kraken support 360047124832.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TextIO

from portfolio_sync.core.amount import parse_decimal
from portfolio_sync.core.asset import capitals
from portfolio_sync.core.duration import spelled
from portfolio_sync.core.instant import from_unix, iso
from portfolio_sync.core.price import Price
from portfolio_sync.errors import InputFileError
from portfolio_sync.pricing.quote import Wanted
from portfolio_sync.pricing.sources.route import Known, NoPrice, Pair, nothing_known, route, unlisted
from portfolio_sync.pricing.table import Policy

NAME = re.compile(r"([A-Za-z0-9.]+)_(\d+)\.csv", re.ASCII)
# What Kraken quotes in; the longer first, so that BTC/USDT is no pair of "XBTUSD" with "T".
QUOTES = ("USDT", "USDC", "USD", "EUR", "GBP", "CAD", "JPY", "CHF", "AUD", "AED", "XBT", "ETH", "DAI", "DOT")
Symbol = Callable[[str], str]
Open = Callable[[], AbstractContextManager[TextIO]]


@dataclass(frozen=True, slots=True)
class Candles:
    """One file. ``minutes``: how long a candle lasts."""

    name: str
    minutes: int
    open: Open


@dataclass(frozen=True, slots=True)
class Archive:
    """The files of each pair, the finest interval first."""

    name: str
    pairs: dict[Pair, list[Candles]]

    def prices(
        self, wanted: Iterable[Wanted], policy: Policy, known: Known = nothing_known
    ) -> Iterator[Price | NoPrice]:
        """For each wanted instant the close of the newest candle that had ended by then, within the policy's tolerance."""
        instants: dict[Pair, set[datetime]] = defaultdict(set)
        for one in sorted(set(wanted)):
            steps = route(one, self.pairs, known)
            if not steps:
                yield unlisted(one, "the archive")
            for pair in steps:
                instants[pair].add(one.time)
        for pair in sorted(instants):
            yield from self._of(pair, sorted(instants[pair]), policy.tolerance(pair[0]))

    def _of(self, pair: Pair, instants: Sequence[datetime], tolerance: timedelta) -> Iterator[Price | NoPrice]:
        """From the finest file that has them; what one lacks (archives are cut by quarters) the next may have."""
        left = list(instants)
        for candles in self.pairs[pair]:
            found = dict(newest(candles, left, tolerance)) if left else {}
            left = [instant for instant in left if instant not in found]
            said = f"kraken:ohlcvt {candles.name}"
            yield from dict.fromkeys(Price(*pair, end, close, said) for end, close in found.values())
        for instant in left:
            why = f"the archive has no trade of {'/'.join(pair)} within {spelled(tolerance)} before {iso(instant)}"
            yield NoPrice(Wanted(*pair, instant), why)


def newest(
    candles: Candles, instants: Sequence[datetime], tolerance: timedelta
) -> Iterator[tuple[datetime, tuple[datetime, Decimal]]]:
    """(instant, (end, close)) for the ``instants``, in order of time, that have a candle not older than ``tolerance``."""
    length = timedelta(minutes=candles.minutes)
    last: tuple[datetime, Decimal] | None = None
    waiting = iter(instants)
    due = next(waiting, None)
    with candles.open() as lines:
        for number, line in enumerate(lines, 1):
            if due is None:
                return
            end, close = candle(line, f"{candles.name}, row {number}", length)
            while due is not None and end > due:
                if last and due - last[0] <= tolerance:
                    yield due, last
                due = next(waiting, None)
            last = (end, close)
    while due is not None:
        if last and due - last[0] <= tolerance:
            yield due, last
        due = next(waiting, None)


def candle(line: str, where: str, length: timedelta) -> tuple[datetime, Decimal]:
    """When it ended, and at what rate."""
    try:
        time, _open, _high, _low, close, _volume, *_ = line.strip().split(",")
        rate = parse_decimal(close)
        ended = from_unix(time) + length
    except (ValueError, ArithmeticError) as error:
        raise InputFileError(f"{where}: not a line of an OHLCVT file ({error}); is the file cut short?") from None
    if rate <= 0:
        raise InputFileError(f"{where}: the rate {close} is not above zero")
    return ended, rate


def open_archive(path: Path, symbol: Symbol) -> Archive | None:
    """The archive at ``path``: a folder, a ZIP or one file; None where no file is named as one of an archive."""
    pairs: dict[Pair, list[Candles]] = defaultdict(list)
    for name, opener in files_of(path):
        if (match := NAME.fullmatch(name)) and (pair := pair_of(match[1], symbol)):
            pairs[pair].append(Candles(name, int(match[2]), opener))
    for found in pairs.values():
        found.sort(key=lambda candles: (candles.minutes, candles.name))
    return Archive(str(path), dict(pairs)) if pairs else None


def pair_of(name: str, symbol: Symbol) -> Pair | None:
    quote = next((quote for quote in QUOTES if name.upper().endswith(quote) and len(name) > len(quote)), None)
    return (symbol(capitals(name[: -len(quote)])), symbol(quote)) if quote else None


def files_of(path: Path) -> Iterator[tuple[str, Open]]:
    """Name without folders and how to open it."""
    if path.is_dir():
        yield from ((file.name, opener(file)) for file in sorted(path.rglob("*.csv")))
    elif zipfile.is_zipfile(path):
        archive = zipfile.ZipFile(path)  # open as long as the Archive that reads from it
        yield from ((Path(name).name, inside(archive, name)) for name in sorted(archive.namelist()))
    else:
        yield path.name, opener(path)


def opener(file: Path) -> Open:
    return lambda: file.open(encoding="ascii", errors="replace")


def inside(archive: zipfile.ZipFile, name: str) -> Open:
    return lambda: io.TextIOWrapper(archive.open(name), encoding="ascii", errors="replace")
