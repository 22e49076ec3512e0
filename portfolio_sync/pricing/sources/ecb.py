"""The euro foreign exchange reference rates of the European Central Bank: a table of days by currencies, 1 EUR = so much.

The Bank publishes a day's rates about 16:00 in Frankfurt; as in tax practice they count for the whole of their day, in UTC.
Source: https://www.ecb.europa.eu/stats/policy_and_exchange_rates/euro_reference_exchange_rates
"""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from urllib.parse import urlsplit

import requests

from portfolio_sync.core.amount import parse_decimal
from portfolio_sync.core.asset import FIAT
from portfolio_sync.core.loopback import is_loopback
from portfolio_sync.core.price import Price
from portfolio_sync.errors import InputFileError, SettingsError, Unreachable

SOURCE = "ecb"
SINCE = 2011  # nothing was traded at Kraken before
MOST_BYTES = 64 * 1024 * 1024  # of a file of some 8 MB
DATES = ("%Y-%m-%d", "%d %B %Y")  # of the history and of a single day's file
NOT_QUOTED = frozenset({"", "N/A"})


def is_ecb(first_line: str) -> bool:
    return first_line.replace(" ", "").startswith("Date,USD,")


def read_rates(lines: Iterable[str], name: str) -> Iterator[Price]:
    """Rates of the euro in every currency that Kraken books. Raises InputFileError that names the row."""
    reader = csv.reader(lines, skipinitialspace=True)
    header = [cell.strip() for cell in next(reader, [])]
    wanted = [(place, currency) for place, currency in enumerate(header) if currency in FIAT]
    for row in reader:
        where = f"{name}, row {reader.line_num}"
        day = day_of(row[0].strip(), where) if row else None
        if day and day.year >= SINCE:
            yield from (price for place, currency in wanted if (price := rate(row, place, currency, day, where)))


def day_of(text: str, where: str) -> datetime:
    for form in DATES:
        try:
            return datetime.strptime(text, form).replace(tzinfo=UTC)
        except ValueError:
            continue
    raise InputFileError(f"{where}: {text!r} is no date; is the file cut short?")


def rate(row: list[str], place: int, currency: str, day: datetime, where: str) -> Price | None:
    if place >= len(row):
        raise InputFileError(f"{where}: has {len(row)} cells, too few for {currency}; is the file cut short?")
    text = row[place].strip()
    if text in NOT_QUOTED:
        return None
    try:
        number = parse_decimal(text)
    except ValueError as error:
        raise InputFileError(f"{where}: {currency}: {error}") from None
    if number <= 0:
        raise InputFileError(f"{where}: {currency}: the rate {text} is not above zero")
    return Price("EUR", currency, day, number, SOURCE)


def download(url: str) -> list[Price]:
    """The whole history, one request. Raises SettingsError for plain http beyond loopback, Unreachable, InputFileError."""
    if urlsplit(url).scheme != "https" and not is_loopback(url):
        raise SettingsError("[prices] ecb_url must be https, or http on loopback only")
    try:
        with requests.get(url, timeout=(10, 60), stream=True, allow_redirects=False) as answer:
            if answer.status_code != requests.codes.ok:
                raise Unreachable(f"the central bank's rates: HTTP {answer.status_code} from {urlsplit(url).hostname}")
            content = answer.raw.read(MOST_BYTES + 1, decode_content=True)
    except requests.RequestException as error:
        raise Unreachable(
            f"the central bank's rates cannot be fetched ({type(error).__name__}): import its file instead"
        ) from None
    if len(content) > MOST_BYTES:
        raise InputFileError(f"{url}: more than {MOST_BYTES:,} bytes: not the file of reference rates")
    return list(read_rates(io.StringIO(text_of(content, url)), url))


def text_of(content: bytes, name: str) -> str:
    """The table in a ZIP, or the table itself."""
    if not content.startswith(b"PK"):
        return content.decode("utf-8-sig", errors="replace")
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return archive.read(archive.namelist()[0]).decode("utf-8-sig", errors="replace")
    except (zipfile.BadZipFile, IndexError) as error:
        raise InputFileError(f"{name}: a ZIP that cannot be read: {error}") from None
