from __future__ import annotations

import shutil
import zipfile
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from portfolio_sync.core.price import Price
from portfolio_sync.errors import InputFileError
from portfolio_sync.kraken.assets import Assets
from portfolio_sync.pricing.quote import Lookup, Wanted
from portfolio_sync.pricing.sources.archive import Archive, open_archive, pair_of
from portfolio_sync.pricing.sources.route import NoPrice
from portfolio_sync.pricing.table import Policy, PriceTable

SAMPLES = Path(__file__).parents[2] / "data" / "kraken-samples" / "dali-rp2"
NOON = datetime(2020, 1, 1, 12, tzinfo=UTC)
SYMBOL = Assets().symbol


def line(start: datetime, close: str) -> str:
    return f"{int(start.timestamp())},1,1,1,{close},2.5,3\n"


def opened(path: Path) -> Archive:
    archive = open_archive(path, SYMBOL)
    assert archive
    return archive


def write(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        (folder / f"{name}.csv").write_text(text)
    return folder


def prices(archive: Archive, *wanted: Wanted) -> list[Price | NoPrice]:
    return list(archive.prices(wanted, Policy()))


def test_the_published_layout_is_read_and_the_finest_file_counts(tmp_path: Path) -> None:
    for sample in SAMPLES.glob("ohlcvt-*.csv"):
        shutil.copy(sample, tmp_path / sample.name.removeprefix("ohlcvt-"))
    archive = opened(tmp_path)
    assert [candles.minutes for candles in archive.pairs["USDT", "USD"]] == [1, 5, 15, 60, 720, 1440]
    start = datetime.fromtimestamp(1490807100, UTC)
    (found,) = prices(archive, Wanted("USDT", "USD", start + timedelta(hours=2)))
    assert found == Price("USDT", "USD", start + timedelta(minutes=1), Decimal(1), "kraken:ohlcvt USDTUSD_1.csv")
    one_file = opened(tmp_path / "USDTUSD_60.csv")
    (found,) = prices(one_file, Wanted("USDT", "USD", start + timedelta(hours=2)))
    assert isinstance(found, Price)
    assert (found.rate, found.time) == (Decimal("1.6"), start + timedelta(hours=1))


def test_only_a_candle_that_had_ended_counts(tmp_path: Path) -> None:
    candles = line(NOON, "7") + line(NOON + timedelta(hours=1), "8")
    archive = opened(write(tmp_path, XBTUSD_60=candles))
    minute = timedelta(minutes=1)
    wanted = [Wanted("BTC", "USD", NOON + timedelta(hours=1) + late) for late in (-minute, minute * 0, 59 * minute)]
    early, *found = sorted(prices(archive, *wanted), key=lambda row: isinstance(row, Price))
    assert isinstance(early, NoPrice)
    assert found == [Price("BTC", "USD", NOON + timedelta(hours=1), Decimal(7), "kraken:ohlcvt XBTUSD_60.csv")]


def test_what_the_finest_file_lacks_the_next_may_have_and_nothing_older_than_the_tolerance(tmp_path: Path) -> None:
    day = timedelta(days=1)
    write(tmp_path, XBTUSD_1=line(NOON, "7"), XBTUSD_1440=line(NOON + 3 * day, "9"))
    wanted = [Wanted("BTC", "USD", NOON + days * day) for days in (0.5, 2, 4.5)]
    found = prices(opened(tmp_path), *wanted)
    assert [row.rate for row in found if isinstance(row, Price)] == [7, 9]
    (lacking,) = (row for row in found if isinstance(row, NoPrice))
    assert lacking.reason == "the archive has no trade of BTC/USD within 1 day before 2020-01-03T12:00:00Z"


def test_a_zip_with_folders_serves_a_coin_over_a_currency(tmp_path: Path) -> None:
    path = tmp_path / "Kraken_OHLCVT.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("quarter/XDGUSD_60.csv", line(NOON, "0.5"))
        archive.writestr("quarter/EURUSD_60.csv", line(NOON, "1.25"))
        archive.writestr("readme.txt", "not a price")
    at = NOON + timedelta(hours=2)
    found = prices(opened(path), Wanted("DOGE", "EUR", at))
    quote = Lookup(PriceTable.of(row for row in found if isinstance(row, Price)), "EUR").quote("DOGE", at)
    assert quote
    assert quote.rate == Decimal("0.4")


def test_a_pair_that_is_not_there_is_said(tmp_path: Path) -> None:
    (found,) = prices(opened(write(tmp_path, XBTUSD_60=line(NOON, "7"))), Wanted("ABC", "USD", NOON))
    assert isinstance(found, NoPrice)
    assert found.reason.startswith("the archive has no pair of ABC")


@pytest.mark.parametrize(
    ("name", "pair"),
    [
        ("XBTUSD", ("BTC", "USD")), ("XBTUSDT", ("BTC", "USDT")), ("USDTUSD", ("USDT", "USD")), ("ETHXBT", ("ETH", "BTC")),
        ("1INCHEUR", ("1INCH", "EUR")), ("PYUSDUSD", ("PYUSD", "USD")), ("xdgusd", ("DOGE", "USD")), ("AAPLxUSD", ("AAPLx", "USD")), ("USD", None), ("QQQ", None),
    ],
)  # fmt: skip
def test_a_file_name_names_its_pair(name: str, pair: tuple[str, str] | None) -> None:
    assert pair_of(name, SYMBOL) == pair


@pytest.mark.parametrize("broken", ["1577880000,1,1\n", "noon,1,1,1,7,1,1\n", "1577880000,1,1,1,0,1,1\n", "\n"])
def test_a_broken_line_is_named(tmp_path: Path, broken: str) -> None:
    archive = opened(write(tmp_path, XBTUSD_60=line(NOON, "7") + broken))
    with pytest.raises(InputFileError, match=r"XBTUSD_60\.csv, row 2"):
        prices(archive, Wanted("BTC", "USD", NOON + timedelta(days=9)))


def test_other_files_are_no_archive(tmp_path: Path) -> None:
    (tmp_path / "prices.csv").write_text("symbol,currency,time,rate,source\n")
    assert open_archive(tmp_path, SYMBOL) is None
    assert open_archive(tmp_path / "prices.csv", SYMBOL) is None
