"""Public market data: the catalogue's assets and pairs, and prices that are a function of pair and time, never stored."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from email.utils import formatdate
from typing import Any

from portfolio_sync.sandbox.account import Json
from portfolio_sync.sandbox.catalogue import ASSETS, PAIRS, Pair, rate
from portfolio_sync.sandbox.refusal import ExchangeRefusal

INTERVALS = (1, 5, 15, 30, 60, 240, 1440, 10080, 21600)  # minutes
MOST_CANDLES = 720
MOST_TRADES = 1000
TRADE_EVERY = 60  # seconds between two made-up trades
NANO = 1_000_000_000


def answer(method: str, params: Mapping[str, str], now: Decimal) -> Any:
    """The result of a public call. Raises ExchangeRefusal."""
    if method not in PUBLIC:
        raise ExchangeRefusal("EGeneral:Unknown method")
    return PUBLIC[method](params, now)


def time(_: Mapping[str, str], now: Decimal) -> Json:
    return {"unixtime": int(now), "rfc1123": formatdate(int(now))}


def system_status(_: Mapping[str, str], now: Decimal) -> Json:
    return {"status": "online", "timestamp": formatdate(int(now))}


def assets(params: Mapping[str, str], _: Decimal) -> Json:
    wanted = set(filter(None, params.get("asset", "").split(",")))
    display = params.get("assetVersion") == "1"
    found = {}
    for code, asset in ASSETS.items():
        if (
            asset.listed
            and asset.aclass == params.get("aclass", "currency")
            and (not wanted or wanted & {code, asset.altname})
        ):
            found[asset.altname if display else code] = {
                "aclass": asset.aclass, "altname": asset.altname, "decimals": asset.decimals,
                "display_decimals": min(5, asset.decimals), "status": "enabled",
            }  # fmt: skip
    if wanted and not found:
        raise ExchangeRefusal("EQuery:Unknown asset")
    return found


def pairs(params: Mapping[str, str], _: Decimal) -> Json:
    wanted = list(filter(None, params.get("pair", "").split(",")))
    if wanted:
        return {pair.key: _pair(pair) for pair in map(pair_named, wanted)}
    aclass = params.get("aclass_base", "currency")
    return {key: _pair(pair) for key, pair in PAIRS.items() if pair.listed and ASSETS[pair.base].aclass == aclass}


def _pair(pair: Pair) -> Json:
    leverage = [2, 3] if pair.margin else []
    return {
        "altname": pair.altname, "wsname": pair.wsname, "aclass_base": ASSETS[pair.base].aclass, "base": pair.base,
        "aclass_quote": "currency", "quote": pair.quote, "lot": "unit", "cost_decimals": pair.cost_decimals,
        "pair_decimals": pair.decimals, "lot_decimals": pair.lot_decimals, "lot_multiplier": 1,
        "leverage_buy": leverage, "leverage_sell": leverage, "fees": [[0, Decimal("0.4")]], "fees_maker": [[0, Decimal("0.25")]],
        "fee_volume_currency": "ZUSD", "margin_call": 80, "margin_stop": 40, "ordermin": "0.0001", "costmin": "0.5",
        "tick_size": str(Decimal(1).scaleb(-pair.decimals)), "status": "online",
    }  # fmt: skip


def pair_named(name: str) -> Pair:
    """By key, altname or wsname; only what is listed now."""
    for pair in PAIRS.values():
        if pair.listed and name in (pair.key, pair.altname, pair.wsname):
            return pair
    raise ExchangeRefusal("EQuery:Unknown asset pair")


def price(pair: Pair, second: int) -> str:
    return str(Decimal(rate(pair, second)).scaleb(-pair.decimals))


def ticker(params: Mapping[str, str], now: Decimal) -> Json:
    wanted = [pair_named(name) for name in filter(None, params.get("pair", "").split(","))]
    return {pair.key: _ticker(pair, int(now)) for pair in wanted or [p for p in PAIRS.values() if p.listed]}


def _ticker(pair: Pair, now: int) -> Json:
    last, day = price(pair, now), price(pair, now - 86400)
    two = [last, day]
    return {"a": [last, "1", "1.000"], "b": [last, "1", "1.000"], "c": [last, "0.01"], "v": ["10", "20"], "p": two, "t": [10, 20], "l": two, "h": two, "o": day}  # fmt: skip


def ohlc(params: Mapping[str, str], now: Decimal) -> Json:
    """The newest 720 candles, the last of them unfinished, whatever ``since`` asks for."""
    pair, minutes = pair_named(params.get("pair", "")), int(params.get("interval") or 1)
    if minutes not in INTERVALS:
        raise ExchangeRefusal("EGeneral:Invalid arguments")
    length = minutes * 60
    newest = int(now) // length * length
    first = max(newest - (MOST_CANDLES - 1) * length, int(params.get("since") or 0))
    candles = [_candle(pair, start, length) for start in range(first + -first % length, newest + 1, length)]
    return {pair.key: candles, "last": newest - length}


def _candle(pair: Pair, start: int, length: int) -> list[Any]:
    first, middle, last = (rate(pair, start + part) for part in (0, length // 2, length - 1))
    shown = [
        str(Decimal(v).scaleb(-pair.decimals))
        for v in (first, max(first, middle, last), min(first, middle, last), last, middle)
    ]
    return [start, *shown, "12.00000000", 34]


def trades(params: Mapping[str, str], now: Decimal) -> Json:
    """From ``since`` (nanoseconds) on, oldest first; one made-up trade a minute."""
    pair, most = pair_named(params.get("pair", "")), min(MOST_TRADES, int(params.get("count") or MOST_TRADES))
    since = params.get("since")
    begin = Decimal(since) / NANO if since and len(since) > 12 else Decimal(since or int(now) - most * TRADE_EVERY)
    rows = list(_trades(pair, begin, int(now), most))
    last = rows[-1][2] if rows else begin
    return {pair.key: rows, "last": str(int(last * NANO))}


def _trades(pair: Pair, begin: Decimal, now: int, most: int) -> Iterator[list[Any]]:
    opened = int(Decimal(pair.since - 1970) * Decimal(31556952))
    second = max(opened, int(begin) // TRADE_EVERY * TRADE_EVERY + TRADE_EVERY)
    for number in range(most):
        at = second + number * TRADE_EVERY
        if at > now:
            return
        yield [price(pair, at), "0.10000000", Decimal(at) + Decimal("0.1234567"), "b", "l", "", at // TRADE_EVERY]


PUBLIC = {
    "Time": time, "SystemStatus": system_status, "Assets": assets, "AssetPairs": pairs, "Ticker": ticker, "OHLC": ohlc,
    "Trades": trades,
}  # fmt: skip
