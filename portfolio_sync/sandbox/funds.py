"""What the account holds and what came and went: balances, Earn, deposit and withdrawal status."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from portfolio_sync.sandbox.account import Json
from portfolio_sync.sandbox.catalogue import PRICE_SCALE, usd
from portfolio_sync.sandbox.filters import CODES
from portfolio_sync.sandbox.history import ARGUMENTS, MOMENT, flag
from portfolio_sync.sandbox.key import Key
from portfolio_sync.sandbox.message import whole
from portfolio_sync.sandbox.orders import open_positions
from portfolio_sync.sandbox.refusal import ExchangeRefusal

if TYPE_CHECKING:
    from portfolio_sync.sandbox.exchange import Exchange

MOST, USUAL = 50, 25  # rows of a page of DepositStatus
MOST_BARE = 500  # rows of an answer that is not paged
CENT = Decimal("0.0001")


def balance(exchange: Exchange, _: Key, __: Mapping[str, str]) -> Json:
    return dict(exchange.account.balances)


def balance_ex(exchange: Exchange, _: Key, __: Mapping[str, str]) -> Json:
    number = Decimal if exchange.ways.balance_numbers else str
    return {
        asset: {"balance": number(amount), "hold_trade": number(exchange.account.holds.get(asset, "0"))}
        for asset, amount in exchange.account.balances.items()
    }


def trade_balance(exchange: Exchange, _: Key, params: Mapping[str, str]) -> Json:
    """In ``asset`` (dollars unless told): what the balances and the open positions are worth now."""
    code = CODES.get(params.get("asset") or "ZUSD")
    if code is None:
        raise ExchangeRefusal("EQuery:Unknown asset")
    now = int(exchange.clock())
    unit = _dollars(code, Decimal(1), now)
    worth = (
        sum((_dollars(asset, Decimal(amount), now) for asset, amount in exchange.account.balances.items()), Decimal(0))
        / unit
    )
    positions = open_positions(exchange, {"docalcs": "true"}).values()
    margin, net, cost, value = (
        sum((Decimal(p[name]) for p in positions), Decimal(0)) for name in ("margin", "net", "cost", "value")
    )
    equity = worth + net
    figures = {
        "eb": worth,
        "tb": worth,
        "m": margin,
        "n": net,
        "c": cost,
        "v": value,
        "e": equity,
        "mf": equity - margin,
    }
    if margin:
        figures["ml"] = equity / margin * 100
    return {name: str(figure.quantize(CENT)) for name, figure in figures.items()}


def _dollars(code: str, amount: Decimal, now: int) -> Decimal:
    """Nothing for an asset without a price."""
    try:
        return amount * usd(code, now) / PRICE_SCALE
    except KeyError:
        return Decimal(0)


def allocations(exchange: Exchange, _: Key, params: Mapping[str, str]) -> Json:
    items = exchange.account.allocations
    if flag(params, "hide_zero_allocations"):
        items = [item for item in items if Decimal(item["amount_allocated"]["total"]["native"])]
    totals = {
        name: str(sum((Decimal(item[part]["converted"] if part == "total_rewarded" else item[part]["total"]["converted"]) for item in items), Decimal(0)))
        for name, part in (("total_allocated", "amount_allocated"), ("total_rewarded", "total_rewarded"))
    }  # fmt: skip
    return {"converted_asset": params.get("converted_asset") or "USD", **totals, "items": items}


def strategies(exchange: Exchange, _: Key, params: Mapping[str, str]) -> Json:
    """Those that the account uses or used."""
    wanted = CODES.get(params.get("asset", ""), params.get("asset"))
    items = [
        {
            "id": item["strategy_id"], "asset": item["native_asset"],
            "lock_type": {"type": "instant", "payout_frequency": 604800}, "apr_estimate": {"low": "2.0000", "high": "6.0000"},
            "user_min_allocation": "0.01", "allocation_fee": "0.0000", "deallocation_fee": "0.0000",
            "auto_compound": {"type": "enabled"}, "yield_source": {"type": "staking"}, "can_allocate": True,
            "can_deallocate": True, "allocation_restriction_info": [],
        }
        for item in exchange.account.allocations
        if not wanted or wanted in (item["native_asset"], CODES.get(item["native_asset"]))
    ]  # fmt: skip
    return {"items": items, "next_cursor": None}


def status(rows: Callable[[Exchange], Sequence[Json]], name: str) -> Callable[[Exchange, Key, Mapping[str, str]], Any]:
    """DepositStatus and WithdrawStatus: a bare array, or pages where ``cursor`` asks for them, newest first."""

    def answer(exchange: Exchange, _: Key, params: Mapping[str, str]) -> Any:
        found = sorted((row for row in rows(exchange) if _wanted(row, params)), key=lambda row: -int(row["time"]))
        size = min(MOST, max(1, whole(params, "limit", USUAL)))
        if not params.get("cursor") or not exchange.ways.paged_status:
            return found[: size if "limit" in params or exchange.ways.paged_status else MOST_BARE]
        begin = 0 if params["cursor"] == "true" else whole(params, "cursor", 0)
        end = begin + size
        return {name: found[begin:end], "next_cursor": str(end) if end < len(found) else None}

    return answer


def _wanted(row: Json, params: Mapping[str, str]) -> bool:
    asset, method = params.get("asset", ""), params.get("method", "")
    return (
        (not asset or row["asset"] in (asset, CODES.get(asset)))
        and (not method or row["method"] == method)
        and _moment(params, "start", 0) <= row["time"] <= _moment(params, "end", 10**12)
    )


def _moment(params: Mapping[str, str], name: str, default: int) -> Decimal:
    """Unix seconds or RFC 3339."""
    text = params.get(name) or str(default)
    if MOMENT.fullmatch(text) or text == str(default):
        return Decimal(text)
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise ExchangeRefusal(f"{ARGUMENTS}:{name}")
    return Decimal(int(at.timestamp()))
