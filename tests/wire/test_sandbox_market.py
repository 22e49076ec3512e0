"""Public market data of the practice exchange: shapes as recorded, prices that depend on pair and time alone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from portfolio_sync.sandbox.catalogue import PAIRS, rate, year_start
from portfolio_sync.sandbox.server import Sandbox
from tests.wire.caller import Caller, SandClock, called

SAMPLES = Path(__file__).parents[1] / "data" / "kraken-samples"
NOW = 1788415303  # of the recorded Time
NANO = 10**9
UNKNOWN_PAIR = ["EQuery:Unknown asset pair"]


@pytest.fixture
def call() -> Iterator[Caller]:
    with called(Sandbox(clock=SandClock(f"{NOW}.5"))) as caller:
        yield caller


def recorded(name: str) -> Any:
    return json.loads((SAMPLES / name).read_text(), parse_float=Decimal)["result"]


def test_the_time_is_told_as_recorded(call: Caller) -> None:
    assert call.public("Time") == recorded("live-public-2026-09/Time.json")


def test_the_status_has_an_iso_time(call: Caller) -> None:
    assert call.public("SystemStatus") == {"status": "online", "timestamp": "2026-09-03T06:01:43Z"}
    assert call.public("SystemStatus").keys() == recorded("kraken-net/GetSystemStatus.json").keys()


def test_public_methods_are_asked_by_get_and_private_ones_by_post(call: Caller) -> None:
    for command, path in (("POST", "/0/public/Time"), ("GET", "/0/private/Balance"), ("GET", "/0/public/Nothing")):
        assert json.loads(call.send(command, path)[1]) == {"error": ["EGeneral:Unknown method"]}


def test_assets_have_the_recorded_decimals_under_their_legacy_names(call: Caller) -> None:
    ours, real = call.public("Assets"), recorded("live-public-2026-09/Assets-3.json")
    shared = ours.keys() & real.keys()
    assert shared
    for code in shared:
        assert {name: ours[code][name] for name in ("aclass", "altname", "decimals")} == {
            name: real[code][name] for name in ("aclass", "altname", "decimals")
        }


def test_the_new_version_of_assets_uses_display_names(call: Caller) -> None:
    shown = call.public("Assets", assetVersion=1)
    assert {"BTC", "DOGE", "USD", "ETH"} <= shown.keys()
    assert not {"XXBT", "XBT", "XDG", "ZUSD"} & shown.keys()
    assert {"BTC/EUR", "BTC/USD"} <= call.public("AssetPairs", assetVersion=1).keys()


@pytest.mark.parametrize("name", ["XXBT", "XBT", "BTC"])
def test_an_asset_is_found_by_each_of_its_names(call: Caller, name: str) -> None:
    assert list(call.public("Assets", asset=name)) == ["XXBT"]


def test_one_unknown_asset_among_known_ones_refuses_the_call(call: Caller) -> None:
    assert call.public("Assets", asset="XBT,NOPE") == ["EQuery:Unknown asset"]
    assert call.public("AssetPairs", pair="XBTUSD,NOPE") == UNKNOWN_PAIR
    assert call.public("Assets", aclass="forex") == ["EGeneral:Invalid arguments:aclass"]


def test_a_pair_is_found_by_key_altname_and_wsname_and_listed_by_key(call: Caller) -> None:
    for name in ("XXBTZUSD", "XBTUSD", "XBT/USD"):
        (key,) = call.public("AssetPairs", pair=name)
        assert key == "XXBTZUSD"
    pair, real = call.public("AssetPairs")["XXBTZUSD"], recorded("live-public-2026-09/AssetPairs-2.json")["XXBTZUSD"]
    names = ("altname", "wsname", "base", "quote", "pair_decimals", "lot_decimals", "cost_decimals", "tick_size")
    assert {name: pair[name] for name in names} == {name: real[name] for name in names}


def test_only_what_can_be_traded_now_is_listed(call: Caller) -> None:
    assert "XREPZEUR" in PAIRS
    assert "XREPZEUR" not in call.public("AssetPairs")
    assert call.public("AssetPairs", pair="XREPZEUR") == UNKNOWN_PAIR
    assert "MATIC" not in call.public("Assets")


def test_tokenized_stocks_show_only_to_who_asks_for_their_class(call: Caller) -> None:
    assert "AAPLx" not in call.public("Assets")
    assert set(call.public("Assets", aclass="tokenized_asset")) == {"AAPLx", "TSLAx"}
    assert set(call.public("AssetPairs", aclass_base="tokenized_asset")) == {"AAPLxUSD", "TSLAxUSD"}
    assert call.public("OHLC", pair="AAPLxUSD") == UNKNOWN_PAIR
    assert "AAPLxUSD" in call.public("OHLC", pair="AAPLxUSD", asset_class="tokenized_asset")


def test_a_ticker_is_keyed_by_the_pairs_own_name(call: Caller) -> None:
    ours, real = call.public("Ticker", pair="XBTUSD"), recorded("live-public-2026-09/Ticker-XBTUSD.json")
    assert ours.keys() == real.keys()
    assert ours["XXBTZUSD"].keys() == real["XXBTZUSD"].keys()


@pytest.mark.parametrize(("interval", "since"), [(1, 0), (60, 0), (1440, 0), (1440, 1000000000)])
def test_candles_are_the_newest_720_whatever_since_says(call: Caller, interval: int, since: int) -> None:
    result = call.public("OHLC", pair="XBTUSD", interval=interval, since=since)
    starts = [candle[0] for candle in result["XXBTZUSD"]]
    newest = NOW // (60 * interval) * 60 * interval
    assert starts == [newest - 60 * interval * back for back in range(719, -1, -1)]
    assert result["last"] == starts[-2]


def test_since_is_inclusive_on_the_start_of_a_candle(call: Caller) -> None:
    midnight = NOW // 86400 * 86400
    rows = call.public("OHLC", pair="XBTUSD", interval=1440, since=midnight - 86400)["XXBTZUSD"]
    assert [row[0] for row in rows] == [midnight - 86400, midnight]


def test_candles_have_the_recorded_shape_and_enclose_their_prices(call: Caller) -> None:
    real = recorded("live-public-2026-09/OHLC-XBTUSD-1m.json")["XXBTZUSD"][0]
    for row in call.public("OHLC", pair="XBTUSD", interval=1440)["XXBTZUSD"]:
        assert list(map(type, row)) == list(map(type, real))
        opened, high, low, close, average = map(Decimal, row[1:6])
        assert low <= min(opened, close, average) <= max(opened, close, average) <= high


def test_the_finished_candle_of_a_minute_closes_where_the_next_opens_nearly(call: Caller) -> None:
    rows = call.public("OHLC", pair="XBTUSD", interval=1)["XXBTZUSD"]
    for before, after in pairwise(rows):
        assert abs(Decimal(before[4]) / Decimal(after[1]) - 1) < Decimal("0.001")


def test_no_candle_is_older_than_its_market() -> None:
    opened = year_start(2025)
    with called(Sandbox(clock=SandClock(str(opened + 10 * 86400)))) as call:
        rows = call.public("OHLC", pair="AAPLxUSD", interval=1440, asset_class="tokenized_asset")["AAPLxUSD"]
        assert 9 <= len(rows) <= 11
        assert rows[0][0] >= opened


def test_trades_begin_after_since_and_go_on_from_last(call: Caller) -> None:
    since, seen = 1600000000 * NANO, []
    for _ in range(3):
        result = call.public("Trades", pair="XBTUSD", since=since, count=4)
        seen += [row[2] for row in result["XXBTZUSD"]]
        since = int(result["last"])
    assert seen == sorted(set(seen))
    assert seen[0] - 1600000000 < 60
    assert {b - a for a, b in pairwise(seen)} == {Decimal(60)}


def test_the_first_trade_after_an_instant_is_the_first(call: Caller) -> None:
    (row,) = call.public("Trades", pair="XBTUSD", since=1600000020 * NANO, count=1)["XXBTZUSD"]
    (same,) = call.public("Trades", pair="XBTUSD", since=int(row[2] * NANO) - 1, count=1)["XXBTZUSD"]
    (later,) = call.public("Trades", pair="XBTUSD", since=int(row[2] * NANO), count=1)["XXBTZUSD"]
    assert same == row
    assert later[2] == row[2] + 60
    minute = 1600000020 // 60 * 60
    (at_the_minute,) = call.public("Trades", pair="XBTUSD", since=minute * NANO, count=1)["XXBTZUSD"]
    assert at_the_minute[2] == minute + Decimal("0.1234567")


def test_trades_from_zero_start_with_the_market_and_the_newest_end_now(call: Caller) -> None:
    first = call.public("Trades", pair="SOLEUR", since=0)["SOLEUR"]
    assert len(first) == 1000
    assert abs(first[0][2] - year_start(2021)) <= 60
    newest = call.public("Trades", pair="SOLEUR", count=5)["SOLEUR"]
    assert len(newest) == 5
    assert 0 <= NOW + Decimal("0.5") - newest[-1][2] < 60


def test_beyond_the_newest_trade_last_stays_where_it_was(call: Caller) -> None:
    assert call.public("Trades", pair="XBTUSD", since=(NOW + 60) * NANO) == {
        "XXBTZUSD": [],
        "last": str((NOW + 60) * NANO),
    }


def test_a_trade_has_the_recorded_shape_and_the_rate_of_its_minute(call: Caller) -> None:
    row = call.public("Trades", pair="XBTUSD", since=1600000000 * NANO, count=1)["XXBTZUSD"][0]
    assert list(map(type, row)) == list(map(type, recorded("kraken-net/GetTradeHistory.json")["XXBTZUSD"][0]))
    pair = PAIRS["XXBTZUSD"]
    assert Decimal(row[0]) == Decimal(rate(pair, int(row[2]) // 60 * 60)).scaleb(-pair.decimals)


def test_prices_are_the_same_from_exchange_to_exchange(call: Caller) -> None:
    with called(Sandbox(clock=SandClock(f"{NOW + 999}"))) as other:
        asked = {"pair": "XETHZEUR", "since": 1500000000 * NANO, "count": 50}
        assert call.public("Trades", **asked) == other.public("Trades", **asked)


def test_small_prices_are_written_out(call: Caller) -> None:
    for pair, row in call.public("AssetPairs").items():
        prices = [row["tick_size"], *call.public("OHLC", pair=pair, interval=21600)[pair][-1][1:6]]
        assert not [price for price in prices if "E" in price]


@pytest.mark.parametrize("text", ["x", "-1", "1.5", "NaN", "9" * 30, "²"])
@pytest.mark.parametrize(
    ("method", "name"), [("OHLC", "interval"), ("OHLC", "since"), ("Trades", "since"), ("Trades", "count")]
)
def test_arguments_that_are_no_whole_numbers_are_refused(call: Caller, method: str, name: str, text: str) -> None:
    assert call.public(method, pair="XBTUSD", **{name: text}) == [f"EGeneral:Invalid arguments:{name}"]


def test_an_interval_outside_the_list_is_refused(call: Caller) -> None:
    assert call.public("OHLC", pair="XBTUSD", interval=7) == ["EGeneral:Invalid arguments:interval"]
    assert call.public("OHLC") == UNKNOWN_PAIR
