"""Formats of other tools, where a history is not plain. The beancount files made from generated accounts passed bean-check 3.2.3."""

from __future__ import annotations

import csv
from decimal import Decimal, localcontext

from portfolio_sync.core.amount import EXACT
from portfolio_sync.core.price import Price
from portfolio_sync.normalize.events import normalize
from portfolio_sync.pricing.quote import Lookup
from portfolio_sync.pricing.table import PriceTable
from portfolio_sync.pricing.value import value_all
from portfolio_sync.report.exports import beancount, koinly, kraken_ledgers
from portfolio_sync.report.exports.material import Material
from tests.ledgers import START, Ledger


def sweep(*prices: Price) -> Material:
    """Dust of two coins for one: worth 30 and 10 where prices are known."""
    ledger = Ledger()
    for symbol, amount in (("1INCH", "-3"), ("DOT", "-1"), ("BTC", "0.1")):
        ledger.add("receive" if amount[0] != "-" else "spend", symbol, amount, refid="TS1", subtype="dustsweeping")
    return material(ledger, *prices)


def material(ledger: Ledger, *prices: Price) -> Material:
    valued = value_all(normalize(ledger.rows).events, Lookup(PriceTable.of(prices), "USD")).events
    return Material(ledger.rows, valued, "USD")


def price(symbol: str, rate: int) -> Price:
    return Price(symbol, "USD", START, Decimal(rate), "test")


def koinly_rows(found: Material) -> list[list[str]]:
    with localcontext(EXACT):
        return [row[1:5] + row[7:8] for row in list(csv.reader(koinly.lines(found)))[1:]]


def test_what_was_received_for_several_coins_is_split_by_their_worth() -> None:
    assert koinly_rows(sweep(price("1INCH", 10), price("DOT", 10), price("BTC", 400))) == [
        ["3", "1INCH", "0.075", "BTC", "30"],
        ["1", "DOT", "0.025", "BTC", "10"],
    ]


def test_without_prices_the_first_coin_takes_it_whole_and_worth_stays_blank() -> None:
    assert koinly_rows(sweep()) == [["3", "1INCH", "0.1", "BTC", ""], ["1", "DOT", "", "", ""]]


def test_beancount_gets_names_it_can_read_and_every_entry_balances() -> None:
    text = "".join(beancount.lines(sweep()))
    assert '2024-01-01 commodity X1INCH\n  name: "1INCH"\n' in text
    assert "  Assets:Kraken:Main  -3 X1INCH\n  Equity:Conversions  3 X1INCH\n" in text
    assert "2024-01-01 open Equity:Conversions\n" in text
    assert beancount.commodity("a/b c.") == "A-B-C"
    assert beancount.part("ann's.wallet") == "Ann-s-wallet"


def test_internal_moves_are_left_out_and_a_deposit_states_no_cost() -> None:
    ledger = Ledger()
    ledger.add("deposit", "ETH", "2", refid="Q1")
    ledger.add("earn", "DOT", "-0.5", refid="E1", subtype="allocation", after=9)
    found = material(ledger)
    assert koinly_rows(found) == [["", "", "2", "ETH", ""]]
    text = "".join(beancount.lines(found))
    assert "  Assets:Kraken:Main  2 ETH\n  Equity:Transfers  -2 ETH\n" in text
    assert "DOT" not in text


def test_a_cell_that_a_spreadsheet_would_run_is_defused_and_quotes_are_doubled() -> None:
    ledger = Ledger()
    ledger.add("deposit", "EUR", "-0.00000001", refid='=A1&"x"')
    (_, line) = kraken_ledgers.lines(Material(ledger.rows, (), "USD"))
    assert line == (
        '"L1","\'=A1&""x""","2024-01-01 00:00:00","deposit","","currency","fiat","EUR","spot / main",-0.00000001,0,0\n'
    )
