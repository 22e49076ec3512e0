"""All per-endpoint knowledge on one screen: what is read, where its rows go, how a row is taken apart.

A new resource is a new value here, not a new loop. Row functions keep everything: fields that have no column of their own
land in ``extra``, verbatim.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import Any

from portfolio_sync.core.amount import parse_decimal
from portfolio_sync.core.instant import from_unix, parse_iso
from portfolio_sync.kraken.assets import Assets
from portfolio_sync.kraken.endpoint import Endpoint

Fields = Mapping[str, Any]


class Shape(Enum):
    """How an endpoint is read: paged back through time, a list of recent rows, or the state of this moment."""

    HISTORY = "history"
    STATUS = "status"
    SNAPSHOT = "snapshot"


@dataclass(frozen=True, slots=True)
class Record:
    """One row of the exchange: its id, its instant, and the columns it has in its table."""

    id: str
    time: datetime
    columns: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Stream:
    """One resource of an account. ``classes``: asset classes that the endpoint keeps apart; the first needs no filter."""

    name: str
    endpoint: Endpoint
    shape: Shape
    table: str
    container: str
    record: Callable[[str, Fields, Assets], Record]
    params: Mapping[str, str] = field(default_factory=dict)
    classes: tuple[str, ...] = ("",)


class NotARow(ValueError):
    """A row without what makes it one (its time, its amount); the message names the row."""


def ledger(row_id: str, fields: Fields, assets: Assets) -> Record:
    """A row of Ledgers. Source: API reference, Get Ledgers Info."""
    rest = dict(fields)
    time, time_text = _time(row_id, rest.pop("time", None))
    asset = _text(rest.pop("asset", ""))
    return Record(
        row_id,
        time,
        {
            "id": row_id,
            "refid": _text(rest.pop("refid", "")),
            "time": time,
            "time_text": time_text,
            "type": _text(rest.pop("type", "")),
            "subtype": _text(rest.pop("subtype", "")),
            "aclass": _text(rest.pop("aclass", "")),
            "asset": asset,
            "symbol": assets.symbol(asset),
            "wallet": assets.wallet(asset),
            "amount": _number(row_id, rest.pop("amount", None)),
            "fee": _number(row_id, rest.pop("fee", "0")),
            "balance": _number(row_id, rest.pop("balance", None)),
            "source": "api",
            "extra": rest,
        },
    )


def trade(row_id: str, fields: Fields, assets: Assets) -> Record:
    """A row of TradesHistory, with ``ledgers``. Source: API reference, Get Trades History."""
    rest = dict(fields)
    time, time_text = _time(row_id, rest.pop("time", None))
    pair = _text(rest.pop("pair", ""))
    base, quote = assets.pair(pair)
    return Record(
        row_id,
        time,
        {
            "id": row_id,
            "order_id": _text(rest.pop("ordertxid", "")),
            "position_id": _text(rest.pop("postxid", "")),
            "time": time,
            "time_text": time_text,
            "pair": pair,
            "base": base,
            "quote": quote,
            "side": _text(rest.pop("type", "")),
            "order_type": _text(rest.pop("ordertype", "")),
            "price": _number(row_id, rest.pop("price", None)),
            "cost": _number(row_id, rest.pop("cost", None)),
            "fee": _number(row_id, rest.pop("fee", "0")),
            "volume": _number(row_id, rest.pop("vol", None)),
            "margin": _number(row_id, rest.pop("margin", "0")),
            "misc": _text(rest.pop("misc", "")),
            "maker": rest.pop("maker", None),
            "ledgers": list(rest.pop("ledgers", ()) or ()),
            "source": "api",
            "extra": rest,
        },
    )


def transfer(direction: str) -> Callable[[str, Fields, Assets], Record]:
    """A row of DepositStatus or WithdrawStatus; the exchange forgets it after about 90 days, the chain hash with it."""

    def record(_: str, fields: Fields, assets: Assets) -> Record:
        rest = dict(fields)
        refid = _text(rest.pop("refid", ""))
        name = f"{direction} {refid}"
        time, _text_of_time = _time(name, rest.pop("time", None))
        asset = _text(rest.pop("asset", ""))
        return Record(
            refid,
            time,
            {
                "direction": direction,
                "refid": refid,
                "asset": asset,
                "symbol": assets.symbol(asset),
                "amount": _number(name, rest.pop("amount", None)),
                "fee": _optional(name, rest.pop("fee", None)),
                "time": time,
                "status": _text(rest.pop("status", "")),
                "status_prop": _text(rest.pop("status-prop", "")),
                "method": _text(rest.pop("method", "")),
                "network": _text(rest.pop("network", "")),
                "txid": _text(rest.pop("txid", "")),
                "address": _text(rest.pop("info", "")),
                "extra": rest,
            },
        )

    return record


def balance(asset: str, fields: Fields, assets: Assets) -> Record:
    """One asset of BalanceEx, or of Balance (then ``fields`` holds the balance alone)."""
    rest = dict(fields)
    return Record(
        asset,
        from_unix(0),
        {
            "asset": asset,
            "symbol": assets.symbol(asset),
            "amount": _number(asset, rest.pop("balance", None)),
            "hold": _optional(asset, rest.pop("hold_trade", None)),
            "extra": rest,
        },
    )


def allocation(strategy: str, fields: Fields, assets: Assets) -> Record:
    """One strategy of Earn/Allocations: how much lies in it in all its stages, and what it has paid so far."""
    asset = _text(fields.get("native_asset", ""))
    total = _at(fields, "amount_allocated", "total", "native")
    return Record(
        strategy,
        from_unix(0),
        {
            "strategy_id": strategy,
            "asset": asset,
            "symbol": assets.symbol(asset),
            "amount": _number(strategy, total),
            "rewarded": _optional(strategy, _at(fields, "total_rewarded", "native")),
            "extra": dict(fields),
        },
    )


LEDGERS = Stream(
    "ledgers", Endpoint.LEDGERS, Shape.HISTORY, "raw_ledger", "ledger", ledger, classes=("", "tokenized_asset")
)
TRADES = Stream("trades", Endpoint.TRADES_HISTORY, Shape.HISTORY, "raw_trade", "trades", trade, {"ledgers": "true"})
BALANCES = Stream("balances", Endpoint.BALANCE_EX, Shape.SNAPSHOT, "raw_balance", "", balance)
EARN = Stream(
    "earn", Endpoint.EARN_ALLOCATIONS, Shape.SNAPSHOT, "raw_earn", "items", allocation,
    {"hide_zero_allocations": "true"},
)  # fmt: skip
DEPOSITS = Stream(
    "deposits", Endpoint.DEPOSIT_STATUS, Shape.STATUS, "raw_transfer", "deposit", transfer("deposit"), {"limit": "50"}
)
WITHDRAWALS = Stream(
    "withdrawals", Endpoint.WITHDRAW_STATUS, Shape.STATUS, "raw_transfer", "withdrawal", transfer("withdrawal"),
    {"limit": "50"},
)  # fmt: skip

# In the order they are read: the balances directly after the ledger, so that both speak of the same moment.
STREAMS: Mapping[str, Stream] = {s.name: s for s in (TRADES, LEDGERS, BALANCES, EARN, DEPOSITS, WITHDRAWALS)}

# A transfer in any other state can still change.
FINAL_STATES = frozenset({"success", "failure"})


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _time(row_id: str, value: object) -> tuple[datetime, str]:
    """Unix seconds as number or text; RFC 3339 as newer pages of the exchange print it."""
    text = _text(value)
    try:
        return (parse_iso(text) if "T" in text else from_unix(text)), text
    except (ArithmeticError, ValueError):
        raise NotARow(f"{row_id}: time {text!r} is not a time") from None


def _number(row_id: str, value: object) -> Decimal:
    """A number that the exchange sent as text or as a JSON number; None and words are no numbers."""
    try:
        return parse_decimal(_text(value))
    except ValueError as error:
        raise NotARow(f"{row_id}: {error}") from None


def _optional(row_id: str, value: object) -> Decimal | None:
    return None if value in (None, "") else _number(row_id, value)


def _at(fields: Fields, *path: str) -> Any:
    value: Any = fields
    for step in path:
        value = value.get(step) if isinstance(value, Mapping) else None
    return value
