"""The layout is that of eurofxref-hist.csv and eurofxref.csv; the figures of 29 December 2023 are the Bank's own."""

from __future__ import annotations

import io
import re
import threading
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from portfolio_sync.core.price import Price
from portfolio_sync.errors import InputFileError, SettingsError, Unreachable
from portfolio_sync.pricing.quote import Lookup
from portfolio_sync.pricing.sources.ecb import download, is_ecb, read_rates, text_of
from portfolio_sync.pricing.table import PriceTable

HISTORY = """Date,USD,JPY,BGN,CYP,GBP,
2023-12-29,1.1050,156.33,1.9558,N/A,0.86905,
2023-12-28,1.1114,156.75,1.9558,N/A,0.86875,
1999-01-04,1.1789,133.73,N/A,0.58231,0.7111,
"""
FRIDAY = datetime(2023, 12, 29, tzinfo=UTC)


def rates(text: str = HISTORY) -> list[Price]:
    return list(read_rates(io.StringIO(text), "hist.csv"))


def test_each_day_and_currency_is_a_rate_of_the_euro_for_its_whole_day() -> None:
    found = rates()
    assert found[0] == Price("EUR", "USD", FRIDAY, Decimal("1.1050"), "ecb")
    assert len(found) == 2 * 3  # nothing before Kraken, no currency that it does not book


def test_the_file_of_one_day_is_read_too() -> None:
    (found,) = rates("Date, USD, BGN, \n29 December 2023, 1.1050, 1.9558, \n")
    assert (found.time, found.rate) == (FRIDAY, Decimal("1.1050"))


@pytest.mark.parametrize("line", ["Date,USD,JPY,BGN", "Date, USD, JPY"])
def test_the_banks_file_is_told_by_its_first_line(line: str) -> None:
    assert is_ecb(line)
    assert not is_ecb("symbol,currency,time,rate,source")


def test_pounds_in_dollars_go_over_the_euro_and_fridays_rate_lasts_over_the_weekend() -> None:
    quote = Lookup(PriceTable.of(rates()), "GBP").quote("USD", datetime(2024, 1, 1, 23, tzinfo=UTC))
    assert quote
    assert abs(quote.rate - Decimal("0.86905") / Decimal("1.1050")) < Decimal("1e-18")
    assert quote.source == "1/ecb EUR/USD 2023-12-29T00:00:00Z * ecb EUR/GBP 2023-12-29T00:00:00Z"


@pytest.mark.parametrize(
    ("broken", "why"),
    [
        ("2023-12", "row 5: '2023-12' is no date"),
        ("2023-12-27,1.1", "row 5: has 2 cells, too few for JPY"),
        ("2023-12-27,1.1,one,1,1,1,", "row 5: JPY"),
        ("2023-12-27,0,1,1,1,1,", "row 5: USD: the rate 0 is not above zero"),
    ],
)
def test_a_broken_row_is_named(broken: str, why: str) -> None:
    with pytest.raises(InputFileError, match=re.escape(why)):
        rates(HISTORY + broken)


def zipped(text: str) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("eurofxref-hist.csv", text)
    return content.getvalue()


def test_a_zip_that_is_none_is_named() -> None:
    assert text_of(zipped(HISTORY), "x.zip") == HISTORY
    with pytest.raises(InputFileError, match=r"x\.zip: a ZIP that cannot be read"):
        text_of(zipped(HISTORY)[:40], "x.zip")


@pytest.fixture
def bank() -> Iterator[str]:
    """A server with the table under /hist.zip and a redirect under /moved."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            content = zipped(HISTORY)
            self.send_response({"/hist.zip": 200, "/moved": 301}.get(self.path, 404))
            self.send_header("Location", "http://127.0.0.1:1/elsewhere")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_table_is_fetched(bank: str) -> None:
    assert download(f"{bank}/hist.zip") == rates()


@pytest.mark.parametrize("path", ["moved", "gone"])
def test_another_answer_is_named_and_not_followed(bank: str, path: str) -> None:
    with pytest.raises(Unreachable, match=r"HTTP (301|404)"):
        download(f"{bank}/{path}")


def test_a_bank_that_cannot_be_reached_says_what_to_do() -> None:
    with pytest.raises(Unreachable, match="import its file instead"):
        download("http://127.0.0.1:9/hist.zip")
    with pytest.raises(SettingsError, match="https"):
        download("http://rates.example/hist.zip")
