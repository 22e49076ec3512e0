from __future__ import annotations

import csv
import io
from datetime import UTC, datetime
from decimal import Decimal
from operator import attrgetter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portfolio_sync.core.price import Price
from portfolio_sync.errors import InputFileError
from portfolio_sync.pricing.imports import COLUMNS, read_prices
from portfolio_sync.report.table import Table

HEADER = "symbol,currency,time,rate,source\n"


def read(text: str) -> list[Price]:
    return list(read_prices(io.StringIO(text, newline=""), "my.csv"))


def test_columns_come_in_any_order_and_times_have_offsets() -> None:
    (price,) = read("rate,source,symbol,currency,time\n42000.5,cmc,btc,usd,2024-01-01T01:00:00+01:00\n")
    assert (price.symbol, price.currency, str(price.rate), price.time.isoformat()) == (
        "BTC",
        "USD",
        "42000.5",
        "2024-01-01T00:00:00+00:00",
    )


def test_a_tokenized_stock_keeps_the_small_letter_of_its_name() -> None:
    assert read(HEADER + "AAPLx,USD,2024-01-01,200,mine\n")[0].symbol == "AAPLx"


def test_a_row_without_a_source_is_named_after_the_file() -> None:
    assert read(HEADER + "BTC,USD,2024-01-01,1,\n")[0].source == "file my.csv"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("symbol,currency,time,rate\n", r"my.csv, row 1: the header lacks the column\(s\) source"),
        ("symbol,currency,time,rate,source,colour\n", r"row 1: the header has unknown the column\(s\) colour"),
        (HEADER + "BTC,USD,2024-01-01,1,x\nBTC,USD,2024-01-01\n", "row 3: not 5 cells"),
        (HEADER + "BTC,USD,2024-01-01,1,x,y\n", "row 2: not 5 cells"),
        (HEADER + "BTC,USD,yesterday,1,x\n", "row 2: Invalid isoformat string: 'yesterday'"),
        (HEADER + 'BTC,USD,2024-01-01,"1,5",x\n', "row 2: not a decimal number: '1,5'"),
        (HEADER + "BTC,USD,2024-01-01,0,x\n", "row 2: the rate 0 is not above zero"),
        (HEADER + "BTC,USD,2024-01-01,NaN,x\n", "row 2: not a finite number"),
        (HEADER + ",USD,2024-01-01,1,x\n", "row 2: symbol is empty"),
        (HEADER + "BTC,USD,2024-01-01,1,x\nBTC,USD,2024-01-01,2,x\n", "row 3: another row has the rate 1"),
        ("", "row 1: the header lacks"),
    ],
)
def test_a_wrong_row_is_named_by_number(text: str, said: str) -> None:
    with pytest.raises(InputFileError, match=said):
        read(text)


sources = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zs", "Zl", "Zp")), min_size=1).filter(
    lambda s: not s.startswith("'")
)


@settings(deadline=None)
@given(st.decimals("0.00000001", 10**9, places=8), st.datetimes(timezones=st.just(UTC)), sources)
def test_a_reports_prices_can_be_imported_as_they_are(rate: Decimal, time: datetime, source: str) -> None:
    written = Price("BTC", "USD", time, rate, source)
    file = io.StringIO(newline="")
    table = Table("prices.csv", tuple((name, attrgetter(name)) for name in COLUMNS), [written])
    csv.writer(file).writerows([table.header, *table.lines()])
    assert read(file.getvalue()) == [written]
