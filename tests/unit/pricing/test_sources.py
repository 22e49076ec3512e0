from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from portfolio_sync.core.instant import to_unix
from portfolio_sync.core.price import Price
from portfolio_sync.errors import RateLimited
from portfolio_sync.pricing.quote import Lookup, Wanted
from portfolio_sync.pricing.sources.kraken import fetch
from portfolio_sync.pricing.sources.route import NoPrice
from portfolio_sync.pricing.table import PriceTable

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
SYMBOLS = {"XXBT": "BTC", "ZUSD": "USD", "ZEUR": "EUR", "XETH": "ETH"}


class Market:
    """Answers like Kraken's public API: the newest 720 daily candles, trades from an instant on."""

    def __init__(self, *pairs: str, refuse_after: int = 10**6) -> None:
        self.pairs, self.calls, self.refuse_after = pairs, list[tuple[str, dict[str, Any]]](), refuse_after
        self.first_trade = datetime(2015, 1, 1, tzinfo=UTC)

    def __call__(self, endpoint: str, **params: Any) -> Any:
        if len(self.calls) >= self.refuse_after:
            raise RateLimited("asked too often")
        self.calls.append((endpoint, params))
        answers: dict[str, Callable[..., Any]] = {
            "AssetPairs": self.asset_pairs,
            "OHLC": self.candles,
            "Trades": self.trades,
        }
        return answers[endpoint](**params)

    def asset_pairs(self) -> dict[str, dict[str, str]]:
        return {name: {"base": name[:4], "quote": name[4:], "altname": name} for name in self.pairs}

    def candles(self, pair: str, interval: int) -> dict[str, Any]:
        assert interval == 1440
        days = [NOW.replace(hour=0) - DAY * back for back in range(719, -1, -1)]
        return {
            pair: [
                [int(day.timestamp()), "1", "1", "1", f"{place + 1}.5", "1", "1", 9] for place, day in enumerate(days)
            ],
            "last": 0,
        }

    def trades(self, pair: str, since: int, count: int) -> dict[str, Any]:
        asked = datetime.fromtimestamp(since // 10**9, UTC)
        traded = max(asked + timedelta(seconds=7), self.first_trade)
        return {pair: [["77.5", "0.1", to_unix(traded), "b", "m", "", 1]][:count], "last": "0"}


def symbol(code: str) -> str:
    return SYMBOLS[code]


Found = Iterator[tuple[Wanted, list[Price | NoPrice]]]


def answers(found: Found) -> list[Price | NoPrice]:
    return [row for _, rows in found for row in rows]


def prices(found: Found) -> list[Price]:
    return [row for row in answers(found) if isinstance(row, Price)]


def test_days_of_the_last_two_years_come_in_one_call_and_are_closing_rates_of_finished_days() -> None:
    market = Market("XXBTZUSD")
    wanted = [Wanted("BTC", "USD", NOW - DAY * back) for back in range(3, 300, 3)]
    found = prices(fetch(wanted, market, symbol, NOW))
    assert [endpoint for endpoint, _ in market.calls] == ["AssetPairs", "OHLC"]
    assert len(found) == 719  # today's candle is not finished
    assert found[-1] == Price("BTC", "USD", NOW.replace(hour=0), Decimal("719.5"), "kraken:ohlc XXBTZUSD")
    table = PriceTable.of(found)
    assert all(Lookup(table, "USD").quote("BTC", one.time) for one in wanted)


def test_an_older_instant_is_priced_by_the_first_trade_at_or_after_it() -> None:
    market, old = Market("XXBTZUSD"), datetime(2017, 5, 1, 10, tzinfo=UTC)
    (found,) = answers(fetch([Wanted("BTC", "USD", old)], market, symbol, NOW))
    assert found == Price("BTC", "USD", old, Decimal("77.5"), "kraken:trades XXBTZUSD 2017-05-01T10:00:07Z")
    assert market.calls[-1] == ("Trades", {"pair": "XXBTZUSD", "since": 1493632800000000000, "count": 1})


def test_the_days_of_the_last_two_years_are_read_also_where_older_instants_are_wanted_first() -> None:
    market = Market("XXBTZUSD")
    wanted = [Wanted("BTC", "USD", datetime(2017, 5, 1, tzinfo=UTC)), Wanted("BTC", "USD", NOW)]
    found = prices(fetch(wanted, market, symbol, NOW))
    assert [endpoint for endpoint, _ in market.calls] == ["AssetPairs", "Trades", "OHLC"]
    assert found[-1].time == NOW.replace(hour=0)


def test_a_coin_without_a_pair_in_the_currency_comes_in_dollars_with_the_dollars_own_rate() -> None:
    found = prices(fetch([Wanted("ETH", "EUR", NOW - 9 * DAY)], Market("XETHZUSD", "ZEURZUSD"), symbol, NOW))
    assert {(row.symbol, row.currency) for row in found} == {("ETH", "USD"), ("EUR", "USD")}
    assert Lookup(PriceTable.of(found), "EUR").quote("ETH", NOW - 9 * DAY)


def test_a_currency_whose_rate_is_known_is_not_asked_for() -> None:
    market = Market("XETHZUSD")
    assert not answers(fetch([], market, symbol, NOW))
    (only,) = {
        row.symbol for row in prices(fetch([Wanted("ETH", "EUR", NOW - 9 * DAY)], market, symbol, NOW, known=known))
    }
    assert only == "ETH"
    (refused,) = answers(fetch([Wanted("ETH", "EUR", NOW - 9 * DAY)], market, symbol, NOW))
    assert isinstance(refused, NoPrice)


def known(currency: str, _instant: datetime) -> bool:
    return currency == "USD"


def test_currencies_without_a_pair_of_their_own_go_over_the_euro_or_the_dollar() -> None:
    names = {"ZAUD": "AUD", "ZCAD": "CAD", "ZEUR": "EUR", "XXBT": "BTC", "ZUSD": "USD"}
    market, when = Market("ZEURZAUD", "ZEURZCAD", "XXBTZAUD", "XXBTZUSD"), NOW - 9 * DAY
    found = prices(fetch([Wanted("AUD", "CAD", when)], market, names.__getitem__, NOW))
    assert {(row.symbol, row.currency) for row in found} == {("EUR", "AUD"), ("EUR", "CAD")}
    assert Lookup(PriceTable.of(found), "CAD").quote("AUD", when)
    market = Market("XXBTZUSD", "ZEURZUSD", "ZEURZCAD")
    found = prices(fetch([Wanted("BTC", "CAD", when)], market, names.__getitem__, NOW))
    assert Lookup(PriceTable.of(found), "CAD").quote("BTC", when)


def test_no_such_price_is_an_answer() -> None:
    old = datetime(2012, 1, 1, tzinfo=UTC)
    wanted = [Wanted("BTC", "USD", old), Wanted("ABC", "USD", NOW)]
    no_pair, no_trade = answers(fetch(wanted, Market("XXBTZUSD"), symbol, NOW))
    assert isinstance(no_pair, NoPrice)
    assert isinstance(no_trade, NoPrice)
    assert no_pair.reason == "the exchange has no pair of ABC with USD or EUR"
    assert no_trade.reason == "no trade of BTC/USD within 1 day after 2012-01-01T00:00:00Z"


def test_being_throttled_is_an_error_and_starting_again_goes_on_where_it_stopped() -> None:
    wanted = [Wanted("BTC", "USD", datetime(2017, month, 1, tzinfo=UTC)) for month in range(1, 7)]
    market, stored = Market("XXBTZUSD", refuse_after=4), list[Price]()
    with pytest.raises(RateLimited):  # noqa: PT012  # the loop is what a caller does: store each as it comes
        for _, rows in fetch(wanted, market, symbol, NOW):
            stored += [row for row in rows if isinstance(row, Price)]
    assert [row.time.month for row in stored] == [1, 2, 3]
    lookup = Lookup(PriceTable.of(stored), "USD")
    for one in wanted:
        lookup.quote("BTC", one.time)
    again = Market("XXBTZUSD")
    assert [row.time.month for row in prices(fetch(lookup.wanted(), again, symbol, NOW))] == [4, 5, 6]
    assert len(again.calls) == 1 + 3


SAMPLES = Path(__file__).parents[2] / "data" / "kraken-samples" / "kraken-net"


def recorded(name: str) -> Any:
    return json.loads((SAMPLES / name).read_text(encoding="utf-8"), parse_float=Decimal)["result"]


def test_recorded_answers_are_read() -> None:
    """Kraken's own answers: a candle's close becomes a rate at its end, the first trade after an instant that instant's rate."""
    told = {
        "AssetPairs": Market("XXBTZUSD").asset_pairs(),
        "OHLC": recorded("GetKlines.json"),
        "Trades": recorded("GetTradeHistory.json"),
    }

    def public(endpoint: str, **_params: Any) -> Any:
        return told[endpoint]

    start = datetime(2023, 7, 6, 18, 53, 17, tzinfo=UTC)
    found = prices(fetch([Wanted("BTC", "USD", start)], public, symbol, datetime(2023, 7, 8, tzinfo=UTC)))
    assert [str(row.rate) for row in found] == ["30305.7", "30300.0", "30291.4", "30295.0", "30243.40000"]
    assert found[-1] == Price(
        "BTC", "USD", start, Decimal("30243.4"), "kraken:trades XXBTZUSD 2023-07-06T18:53:17.827736Z"
    )
