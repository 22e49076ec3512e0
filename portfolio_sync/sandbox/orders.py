"""Orders and open positions, as far as the account's trades and holds tell of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from itertools import groupby
from typing import TYPE_CHECKING

from portfolio_sync.sandbox.account import Entry, Json
from portfolio_sync.sandbox.catalogue import PAIRS, Pair, rate
from portfolio_sync.sandbox.history import ARGUMENTS, History, ask, flag
from portfolio_sync.sandbox.key import Key
from portfolio_sync.sandbox.refusal import ExchangeRefusal

if TYPE_CHECKING:
    from portfolio_sync.sandbox.exchange import Exchange

TRADES = frozenset({"trades"})


def closed(trades: Iterable[Entry], closetime: str) -> History:
    """Every order that was filled, at the time it was opened (``open``) or closed (``close``, ``both``)."""
    by_order = sorted(trades, key=lambda trade: (trade.fields["ordertxid"], trade.at, trade.id))
    orders = [_order(txid, list(fills)) for txid, fills in groupby(by_order, lambda trade: trade.fields["ordertxid"])]
    at = "opentm" if closetime == "open" else "closetm"
    return History(
        sorted((Entry(txid, fields[at], fields) for txid, fields in orders), key=lambda row: (row.at, row.id))
    )


def _order(txid: str, fills: list[Entry]) -> tuple[str, Json]:
    first = fills[0].fields
    volume, cost, fee = (
        sum((Decimal(fill.fields[name]) for fill in fills), Decimal(0)) for name in ("vol", "cost", "fee")
    )
    pair = PAIRS.get(first["pair"])
    name, decimals = (pair.altname, pair.decimals) if pair else (first["pair"], 5)
    price = str((cost / volume).quantize(Decimal(1).scaleb(-decimals))) if volume else "0"
    limit = "0" if first["ordertype"] == "market" else price
    words = f"{first['type']} {volume} {name} @ {first['ordertype']}" + (f" {limit}" if limit != "0" else "")
    leverage = first.get("leverage", "0")
    return txid, {
        "refid": "None", "userref": 0, "status": "closed", "reason": None, "opentm": fills[0].at, "closetm": fills[-1].at,
        "starttm": 0, "expiretm": 0,
        "descr": {
            "pair": name, "type": first["type"], "ordertype": first["ordertype"], "price": limit, "price2": "0",
            "leverage": "none" if leverage in ("", "0") else f"{leverage}:1", "order": words, "close": "",
        },
        "vol": str(volume), "vol_exec": str(volume), "cost": str(cost), "fee": str(fee), "price": price,
        "stopprice": "0.00000", "limitprice": "0.00000", "misc": "", "oflags": "fciq",
        "trades": [fill.id for fill in fills],
    }  # fmt: skip


def closed_orders(exchange: Exchange, key: Key, params: Mapping[str, str]) -> Json:
    closetime = params.get("closetime") or "both"
    if closetime not in ("open", "close", "both"):
        raise ExchangeRefusal(f"{ARGUMENTS}:closetime")
    history = exchange.orders(closetime)
    opened = exchange.orders("open").find  # an id stands for the time its order was opened
    rows, total = ask(
        history,
        params,
        opened,
        exchange.window(key, params),
        exchange.ways.page_size,
        fractions=exchange.ways.fractions,
    )
    hidden = frozenset() if flag(params, "trades") else TRADES
    result: Json = {"closed": {row.id: {n: v for n, v in row.fields.items() if n not in hidden} for row in rows}}
    return exchange.counted(result, params, total)


def query_orders(exchange: Exchange, key: Key, params: Mapping[str, str]) -> Json:
    rows = exchange.asked(exchange.orders("close").find, params.get("txid", ""), key)
    hidden = frozenset() if flag(params, "trades") else TRADES
    return {row.id: {n: v for n, v in row.fields.items() if n not in hidden} for row in rows}


def open_orders(exchange: Exchange, _: Key, __: Mapping[str, str]) -> Json:
    """One limit order for each hold: what is held is given away for the other side of a listed pair."""
    orders = {}
    for number, (asset, held) in enumerate(exchange.account.holds.items()):
        pair = next((p for p in PAIRS.values() if p.listed and asset in (p.base, p.quote)), None)
        if pair is not None and Decimal(held):
            orders[f"OHOLD{number}-SANDB-OXHOLD"] = _open_order(pair, asset, Decimal(held), int(exchange.clock()))
    return {"open": orders}


def _open_order(pair: Pair, asset: str, held: Decimal, now: int) -> Json:
    side = "sell" if asset == pair.base else "buy"
    price = Decimal(rate(pair, now)).scaleb(-pair.decimals)
    volume = held if side == "sell" else (held / price).quantize(Decimal(1).scaleb(-pair.lot_decimals))
    words = f"{side} {volume} {pair.altname} @ limit {price}"
    return {
        "refid": "None", "userref": 0, "status": "open", "opentm": Decimal(now - 3600), "starttm": 0, "expiretm": 0,
        "descr": {
            "pair": pair.altname, "type": side, "ordertype": "limit", "price": str(price), "price2": "0",
            "leverage": "none", "order": words, "close": "",
        },
        "vol": str(volume), "vol_exec": "0.00000000", "cost": "0.00000", "fee": "0.00000", "price": "0.00000",
        "stopprice": "0.00000", "limitprice": "0.00000", "misc": "", "oflags": "fciq",
    }  # fmt: skip


def open_positions(exchange: Exchange, params: Mapping[str, str]) -> Json:
    """Positions whose opening trade says so; what they are worth now only where ``docalcs`` asks for it."""
    wanted = {txid for txid in params.get("txid", "").split(",") if txid}
    return {
        row.id: _position(row, int(exchange.clock()), docalcs=flag(params, "docalcs"))
        for row in reversed(exchange.trades("any position").rows)
        if row.fields.get("posstatus") == "open" and (not wanted or row.id in wanted)
    }


def _position(row: Entry, now: int, *, docalcs: bool) -> Json:
    fields = row.fields
    names = ("ordertxid", "posstatus", "pair")
    position: Json = {name: fields[name] for name in names} | {"time": row.at}
    position |= {name: fields[name] for name in ("type", "ordertype", "cost", "fee", "vol")}
    position |= {"vol_closed": fields.get("cvol", "0.00000000"), "margin": fields["margin"]}
    if docalcs and fields["pair"] in PAIRS:
        pair = PAIRS[fields["pair"]]
        left = Decimal(fields["vol"]) - Decimal(fields.get("cvol", "0"))
        value = (left * Decimal(rate(pair, now)).scaleb(-pair.decimals)).quantize(Decimal("0.0001"))
        paid = Decimal(fields["cost"]) * left / Decimal(fields["vol"])
        net = (value - paid) * (1 if fields["type"] == "buy" else -1)
        position |= {"value": str(value), "net": f"{net.quantize(Decimal('0.0001')):+f}"}
    return position | {
        "terms": "0.0100% per 4 hours",
        "rollovertm": str(now // 14400 * 14400 + 14400),
        "misc": fields["misc"],
        "oflags": "",
    }
