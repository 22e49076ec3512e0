from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from portfolio_sync.core.event import Kind
from portfolio_sync.core.price import Price
from portfolio_sync.normalize.events import normalize
from portfolio_sync.normalize.transactions import Transaction, to_event
from portfolio_sync.pricing.quote import Lookup, Wanted
from portfolio_sync.pricing.table import PriceTable
from portfolio_sync.pricing.value import Valuation, value_all
from tests.ledgers import START, Ledger
from tests.shown import shown

HOUR = timedelta(hours=1)


def price(symbol: str, currency: str, rate: str, ago: timedelta = timedelta(), source: str = "test") -> Price:
    return Price(symbol, currency, START - ago, Decimal(rate), source)


def valued(ledger: Ledger, *prices: Price, currency: str = "USD") -> tuple[Valuation, Lookup]:
    lookup = Lookup(PriceTable.of(prices), currency)
    return value_all(normalize(ledger.rows).events, lookup), lookup


def legs(found: tuple[Valuation, Lookup]) -> list[str]:
    (event,) = found[0].events
    return [shown(value.money, value.source) for value in event.legs]


def trade(given: str, received: str) -> Ledger:
    ledger = Ledger()
    ledger.trade(given, received, refid="T1")
    return ledger


def test_the_own_money_of_a_trade_is_its_value() -> None:
    found = valued(trade("100 USD", "2 BTC"), price("BTC", "USD", "9999"))
    assert legs(found) == ["100 own leg", "100 own leg"]
    assert not found[1].prices()


def test_money_of_another_currency_is_exchanged() -> None:
    assert (
        legs(valued(trade("100 EUR", "2 BTC"), price("EUR", "USD", "1.1")))
        == ["110 test EUR/USD 2024-01-01T00:00:00Z"] * 2
    )


def test_an_opposite_rate_of_a_currency_serves_inverted() -> None:
    assert (
        legs(valued(trade("100 EUR", "2 BTC"), price("USD", "EUR", "0.8")))
        == ["125 1/test USD/EUR 2024-01-01T00:00:00Z"] * 2
    )


def test_a_weekend_of_currency_rates_is_bridged_but_not_of_coins() -> None:
    old = timedelta(days=4)
    assert legs(valued(trade("100 EUR", "2 BTC"), price("EUR", "USD", "1.1", old)))[0].startswith("110 ")
    assert legs(valued(trade("1 BTC", "20 ETH"), price("ETH", "USD", "5", old))) == ["? ", "? "]


def test_a_coin_pegged_to_the_dollar_is_worth_its_price() -> None:
    tether = price("USDT", "USD", "0.97")
    assert [line.split()[0] for line in legs(valued(trade("1 BTC", "100 USDT"), tether))] == ["97", "97"]
    assert legs(valued(trade("1 BTC", "100 USDT"))) == ["? ", "? "]


def test_a_trade_of_coins_is_worth_what_is_received_else_what_is_given() -> None:
    bitcoin, ether = price("BTC", "USD", "100"), price("ETH", "USD", "4")
    assert [line.split()[0] for line in legs(valued(trade("1 BTC", "20 ETH"), bitcoin, ether))] == ["80", "80"]
    assert [line.split()[0] for line in legs(valued(trade("1 BTC", "20 ETH"), bitcoin))] == ["100", "100"]


def test_a_missing_price_is_a_finding_and_a_wish_never_zero() -> None:
    found = valued(trade("1 BTC", "20 ETH"))
    assert [(f.code, f.source) for f in found[0].findings] == [("missing_price", ("L1", "L2"))]
    assert found[1].wanted() == [Wanted("ETH", "USD", START)]
    assert legs(found) == ["? ", "? "]


def test_a_price_in_dollars_serves_a_report_in_another_currency() -> None:
    found = valued(trade("1 BTC", "20 ETH"), price("ETH", "USD", "5"), price("USD", "CHF", "0.9"), currency="CHF")
    assert legs(found)[0] == "90 test ETH/USD 2024-01-01T00:00:00Z * test USD/CHF 2024-01-01T00:00:00Z"
    assert len(found[1].prices()) == 2


def test_the_newest_price_at_or_before_wins_and_source_order_breaks_ties() -> None:
    rows = [
        price("ETH", "USD", "1", 3 * HOUR, "mine"),
        price("ETH", "USD", "2", HOUR, "kraken:ohlc X"),
        price("ETH", "USD", "9", -HOUR),
    ]
    table = PriceTable.of(
        [*rows, price("ETH", "USD", "3", HOUR, "kraken:trades X"), price("ETH", "USD", "4", HOUR, "mine")]
    )
    found = table.at("ETH", "USD", START, timedelta(days=1))
    assert found
    assert found.rate == 4
    assert PriceTable.of(rows).at("ETH", "USD", START - 4 * HOUR, timedelta(days=1)) is None
    assert PriceTable.of(rows).at("ETH", "USD", START, timedelta(minutes=59)) is None


def test_a_fee_in_a_coin_of_the_trade_has_the_rate_of_the_trade() -> None:
    ledger = Ledger()
    ledger.add("trade", "USD", "-100", "1", refid="T1")
    ledger.add("trade", "DOT", "50", "0.5", refid="T1")
    ledger.add("trade", "KFEE", "0", "25", refid="T1")
    (event,) = valued(ledger)[0].events
    assert [shown(value.money, value.source) for value in event.fees] == ["1 own leg", "1 own rate", "0.25 nominal"]


def test_a_dust_sweep_is_spread_by_price_and_adds_up_exactly() -> None:
    ledger = Ledger()
    for symbol in ("ADA", "DOT", "XRP"):
        ledger.add("spend", symbol, "-1", refid="TS1", subtype="dustsweeping")
    ledger.add("receive", "USD", "10", refid="TS1", subtype="dustsweeping")
    prices = [price(symbol, "USD", "1") for symbol in ("ADA", "DOT", "XRP")]
    (event,) = valued(ledger, *prices)[0].events
    shares = [value.money for value in event.legs]
    assert [shown(share) for share in shares] == [
        "3.33333333333333333333",
        "3.33333333333333333334",
        "3.33333333333333333333",
        "10",
    ]
    assert sum(share for share in shares[:3] if share) == 10


def test_a_dust_sweep_without_all_prices_has_no_values() -> None:
    ledger = Ledger()
    ledger.add("spend", "ADA", "-1", refid="TS1")
    ledger.add("spend", "DOT", "-1", refid="TS1")
    ledger.add("receive", "USD", "10", refid="TS1")
    found = valued(ledger, price("ADA", "USD", "1"))
    assert [shown(value.money) for value in found[0].events[0].legs] == ["?", "?", "10"]
    assert [finding.code for finding in found[0].findings] == ["missing_price"]


def test_the_fee_of_a_fiat_withdrawal_needs_no_value_and_a_deposit_no_price() -> None:
    ledger = Ledger()
    ledger.add("withdrawal", "EUR", "-100", "1", refid="FT1")
    ledger.add("deposit", "BTC", "1", refid="FT2")
    assert not valued(ledger)[0].findings


def test_stated_values_come_first_and_are_exchanged_from_their_currency() -> None:
    stated = Transaction(
        "t1", START, Kind.TRADE, "BTC", Decimal(1), Decimal(100), "ETH", Decimal(20), Decimal(90), currency="EUR"
    )
    lookup = Lookup(PriceTable.of([price("EUR", "USD", "1.1"), price("ETH", "USD", "5")]), "USD")
    (event,) = value_all([to_event(stated, "main")], lookup).events
    assert [shown(value.money) for value in event.legs] == ["110", "99"]
    assert event.legs[0].source == "stated * test EUR/USD 2024-01-01T00:00:00Z"


def test_a_gift_without_a_value_is_no_finding() -> None:
    gift = Transaction("t1", START, Kind.GIFT_IN, "BTC", Decimal(1), cost=Decimal(5))
    lookup = Lookup(PriceTable(), "USD")
    assert not value_all([to_event(gift, "main")], lookup).findings
    assert not lookup.wanted()


def test_what_is_asked_for_is_the_rate_of_the_currency_in_which_a_value_is_stated() -> None:
    """A price of the coin would change nothing."""
    sold = Transaction("t1", START, Kind.SELL, "BTC", Decimal(1), Decimal(90), currency="EUR")
    found = value_all([to_event(sold, "main")], Lookup(PriceTable(), "USD")).findings
    assert ["for EUR in this sell" in finding.message for finding in found] == [True]
