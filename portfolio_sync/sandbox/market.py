"""Public market data: the catalogue's assets and pairs, and prices that are a function of pair and time, never stored."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from portfolio_sync.sandbox.account import Json
from portfolio_sync.sandbox.catalogue import ASSETS, PAIRS, TOKENIZED, Pair, rate, year_start
from portfolio_sync.sandbox.export_file import display
from portfolio_sync.sandbox.message import whole
from portfolio_sync.sandbox.refusal import ExchangeRefusal

ARGUMENTS = "EGeneral:Invalid arguments"
CLASSES = ("currency", TOKENIZED)
INTERVALS = (1, 5, 15, 30, 60, 240, 1440, 10080, 21600)  # minutes
MOST_CANDLES = 720
MOST_TRADES = 1000
TRADE_EVERY = 60  # seconds between two made-up trades
TRADE_AFTER = Decimal("0.1234567")  # of the full minute
NANO = 1_000_000_000


def answer(method: str, params: Mapping[str, str], now: Decimal) -> Any:
    """The result of a public call. Raises ExchangeRefusal."""
    if method not in PUBLIC:
        raise ExchangeRefusal("EGeneral:Unknown method")
    return PUBLIC[method](params, now)


def time(_: Mapping[str, str], now: Decimal) -> Json:
    return {"unixtime": int(now), "rfc1123": f"{datetime.fromtimestamp(int(now), UTC):%a, %d %b %y %H:%M:%S +0000}"}


def system_status(_: Mapping[str, str], now: Decimal) -> Json:
    return {"status": "online", "timestamp": f"{datetime.fromtimestamp(int(now), UTC):%Y-%m-%dT%H:%M:%SZ}"}


def assets(params: Mapping[str, str], _: Decimal) -> Json:
    aclass = _class(params, "aclass")
    known = {code: asset for code, asset in ASSETS.items() if asset.listed and asset.aclass == aclass}
    by_name = {name: code for code, asset in known.items() for name in (asset.altname, display(code), code)}
    wanted = _names(params, "asset") or list(known)
    if not set(wanted) <= by_name.keys():
        raise ExchangeRefusal("EQuery:Unknown asset")
    return {
        _shown(code, params): {
            "aclass": aclass,
            "altname": known[code].altname,
            "decimals": known[code].decimals,
            "display_decimals": min(5, known[code].decimals),
            "status": "enabled",
        }
        for code in (by_name[name] for name in wanted)
    }


def _shown(code: str, params: Mapping[str, str]) -> str:
    return display(code) if params.get("assetVersion") == "1" else code


def _class(params: Mapping[str, str], name: str) -> str:
    aclass = params.get(name) or "currency"
    if aclass not in CLASSES:
        raise ExchangeRefusal(f"{ARGUMENTS}:{name}")
    return aclass


def _names(params: Mapping[str, str], name: str) -> list[str]:
    return [part for part in params.get(name, "").split(",") if part]


def pairs(params: Mapping[str, str], _: Decimal) -> Json:
    """Only what is listed now, of one asset class; by name, tokenized pairs as well."""
    aclass = _class(params, "aclass_base")
    chosen = [pair_named(name, aclass) for name in _names(params, "pair")] or listed(aclass)
    return {_pair_shown(pair, params): _pair(pair, params) for pair in chosen}


def _pair_shown(pair: Pair, params: Mapping[str, str]) -> str:
    return f"{display(pair.base)}/{display(pair.quote)}" if params.get("assetVersion") == "1" else pair.key


def _pair(pair: Pair, params: Mapping[str, str]) -> Json:
    leverage = [2, 3] if pair.margin else []
    return {
        "altname": pair.altname, "wsname": pair.wsname, "aclass_base": ASSETS[pair.base].aclass,
        "base": _shown(pair.base, params), "aclass_quote": "currency", "quote": _shown(pair.quote, params), "lot": "unit",
        "cost_decimals": pair.cost_decimals, "pair_decimals": pair.decimals, "lot_decimals": pair.lot_decimals,
        "lot_multiplier": 1, "leverage_buy": leverage, "leverage_sell": leverage, "fees": [[0, Decimal("0.4")]],
        "fees_maker": [[0, Decimal("0.25")]], "fee_volume_currency": "ZUSD", "margin_call": 80, "margin_stop": 40,
        "ordermin": "0.0001", "costmin": "0.5", "tick_size": _decimal(1, pair), "status": "online",
    }  # fmt: skip


def listed(aclass: str) -> list[Pair]:
    return [pair for pair in PAIRS.values() if pair.listed and ASSETS[pair.base].aclass == aclass]


def pair_named(name: str, aclass: str) -> Pair:
    """By key, altname or wsname; only what is listed now in the asset class."""
    for pair in listed(aclass):
        if name in (pair.key, pair.altname, pair.wsname):
            return pair
    raise ExchangeRefusal("EQuery:Unknown asset pair")


def _decimal(units: int, pair: Pair) -> str:
    """Units of the pair's last decimal, in plain notation."""
    return format(Decimal(units).scaleb(-pair.decimals), "f")


def price(pair: Pair, second: int) -> str:
    return _decimal(rate(pair, second), pair)


def ticker(params: Mapping[str, str], now: Decimal) -> Json:
    aclass = _class(params, "asset_class")
    chosen = [pair_named(name, aclass) for name in _names(params, "pair")] or listed(aclass)
    return {pair.key: _ticker(pair, int(now)) for pair in chosen}


def _ticker(pair: Pair, now: int) -> Json:
    last, day = price(pair, now), price(pair, now - 86400)
    two = [last, day]
    return {"a": [last, "1", "1.000"], "b": [last, "1", "1.000"], "c": [last, "0.01"], "v": ["10", "20"], "p": two, "t": [10, 20], "l": two, "h": two, "o": day}  # fmt: skip


def ohlc(params: Mapping[str, str], now: Decimal) -> Json:
    """The newest 720 candles, the last of them unfinished, whatever ``since`` asks for; none from before the market opened."""
    pair = pair_named(params.get("pair", ""), _class(params, "asset_class"))
    minutes = whole(params, "interval", 1)
    if minutes not in INTERVALS:
        raise ExchangeRefusal(f"{ARGUMENTS}:interval")
    length = minutes * 60
    newest = int(now) // length * length
    first = max(newest - (MOST_CANDLES - 1) * length, whole(params, "since", 0), year_start(pair.since))
    candles = [_candle(pair, start, length, int(now)) for start in range(first + -first % length, newest + 1, length)]
    return {pair.key: candles, "last": newest - length}


def _candle(pair: Pair, start: int, length: int, now: int) -> list[Any]:
    last = min(start + length - 1, now)
    opened, middle, closed = (rate(pair, second) for second in (start, (start + last) // 2, last))
    shown = (opened, max(opened, middle, closed), min(opened, middle, closed), closed, middle)
    return [start, *(_decimal(units, pair) for units in shown), "12.00000000", 34]


def trades(params: Mapping[str, str], now: Decimal) -> Json:
    """After ``since`` (nanoseconds, or seconds where it is short), oldest first; one made-up trade a minute."""
    pair = pair_named(params.get("pair", ""), _class(params, "asset_class"))
    most = min(MOST_TRADES, whole(params, "count", MOST_TRADES)) or MOST_TRADES
    since = whole(params, "since", (int(now) - most * TRADE_EVERY) * NANO)
    begin = Decimal(since) / NANO if since >= 10**12 else Decimal(since)
    rows = list(_trades(pair, begin, now, most))
    return {pair.key: rows, "last": str(int((rows[-1][2] if rows else begin) * NANO))}


def _trades(pair: Pair, begin: Decimal, now: Decimal, most: int) -> Iterator[list[Any]]:
    opened = year_start(pair.since) // TRADE_EVERY
    first = max(opened, int((begin - TRADE_AFTER) // TRADE_EVERY) + 1)
    for number in range(first, first + most):
        at = number * TRADE_EVERY + TRADE_AFTER
        if at > now:
            return
        yield [price(pair, number * TRADE_EVERY), "0.10000000", at, "b", "l", "", number]


PUBLIC = {
    "Time": time, "SystemStatus": system_status, "Assets": assets, "AssetPairs": pairs, "Ticker": ticker, "OHLC": ohlc,
    "Trades": trades,
}  # fmt: skip
