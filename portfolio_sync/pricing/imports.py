"""A user's prices: a CSV with the columns symbol, currency, time, rate, source (the layout of a report's prices.csv)."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime

from portfolio_sync.core.amount import parse_decimal
from portfolio_sync.core.asset import capitals
from portfolio_sync.core.instant import parse_iso
from portfolio_sync.core.price import Price
from portfolio_sync.errors import InputFileError

COLUMNS = ("symbol", "currency", "time", "rate", "source")


def read_prices(lines: Iterable[str], name: str, asset: Callable[[str], str] = capitals) -> Iterator[Price]:
    """Prices in order of the file ``name``. Raises InputFileError that names the row (the header is row 1).

    ``asset``: the symbol that is meant, or a ValueError that says how to write it. A rate is money for one unit and above zero. Two different rates of one source for one instant are refused.
    """
    reader = csv.DictReader(lines, strict=True)
    check_header(reader.fieldnames or (), name)
    seen: dict[tuple[str, str, datetime, str], Price] = {}
    try:
        for row in reader:
            price = parse(row, f"{name}, row {reader.line_num}", asset)
            known = seen.setdefault((price.symbol, price.currency, price.time, price.source), price)
            if known.rate != price.rate:
                raise InputFileError(
                    f"{name}, row {reader.line_num}: another row has the rate {known.rate} for the same symbol, currency, time and source"
                )
            yield price
    except csv.Error as error:
        raise InputFileError(f"{name}, row {reader.line_num}: not readable as CSV: {error}") from None


def check_header(header: Iterable[str], name: str) -> None:
    found = tuple(column.strip() for column in header)
    for label, columns in (("lacks", set(COLUMNS) - set(found)), ("has unknown", set(found) - set(COLUMNS))):
        if columns:
            raise InputFileError(
                f"{name}, row 1: the header {label} the column(s) {', '.join(sorted(columns))}; wanted: {', '.join(COLUMNS)}"
            )


def parse(row: Mapping[str | None, str | None], where: str, asset: Callable[[str], str] = capitals) -> Price:
    if None in row or None in row.values():
        raise InputFileError(f"{where}: not {len(COLUMNS)} cells")
    text = {str(column).strip(): str(cell).strip().removeprefix("'") for column, cell in row.items()}
    for column in ("symbol", "currency"):
        if not text[column]:
            raise InputFileError(f"{where}: {column} is empty")
    try:
        rate, time = parse_decimal(text["rate"]), parse_iso(text["time"])
        symbol, currency = asset(text["symbol"]), asset(text["currency"].upper())
    except ValueError as error:
        raise InputFileError(f"{where}: {error}") from None
    if rate <= 0:
        raise InputFileError(f"{where}: the rate {text['rate']} is not above zero")
    return Price(symbol, currency, time, rate, text["source"] or name_of_source(where))


def name_of_source(where: str) -> str:
    return "file " + where.rpartition(", row ")[0]
