"""The private endpoints: what each needs, what it costs, what it answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from portfolio_sync.sandbox.account import Entry, Json
from portfolio_sync.sandbox.history import (
    ARGUMENTS,
    TRADE_TYPES,
    History,
    filtered,
    ledger_filter,
    offset,
    page,
    sent,
)
from portfolio_sync.sandbox.key import Key
from portfolio_sync.sandbox.refusal import ExchangeRefusal

if TYPE_CHECKING:
    from portfolio_sync.sandbox.exchange import Exchange

Answer = Callable[["Exchange", Key, Mapping[str, str]], Any]
HISTORY, QUERY = "history", "query"  # prices that depend on the exchange's settings


@dataclass(frozen=True, slots=True)
class Method:
    """``permissions``: one of them is needed; none: any key. ``cost``: units, or the name of a price."""

    answer: Answer
    permissions: tuple[str, ...] = ()
    cost: int | str = 1


def key_info(exchange: Exchange, key: Key, _: Mapping[str, str]) -> Json:
    facts = {
        "apiKeyName": key.name, "apiKey": key.key, "nonce": str(key.nonce), "nonceWindow": key.nonce_window,
        "permissions": list(key.permissions), "iban": exchange.account.iban, "validUntil": str(key.valid_until),
        "queryFrom": str(key.query_from), "queryTo": str(key.query_to), "createdTime": "1700000000",
        "modifiedTime": "1700000000", "ipAllowlist": list(key.ip_allowlist), "lastUsed": str(int(exchange.clock())),
    }  # fmt: skip
    if exchange.ways.camel:
        return facts
    snake = {"".join(f"_{c.lower()}" if c.isupper() else c for c in name): value for name, value in facts.items()}
    return snake | {"nonce_window": str(key.nonce_window), "ip_allowlist": list(key.ip_allowlist) or [""]}


def balance(exchange: Exchange, _: Key, __: Mapping[str, str]) -> Json:
    return dict(exchange.account.balances)


def balance_ex(exchange: Exchange, _: Key, __: Mapping[str, str]) -> Json:
    number = Decimal if exchange.ways.balance_numbers else str
    return {
        asset: {"balance": number(amount), "hold_trade": number(exchange.account.holds.get(asset, "0"))}
        for asset, amount in exchange.account.balances.items()
    }


def trade_balance(_: Exchange, __: Key, ___: Mapping[str, str]) -> Json:
    return dict.fromkeys(("eb", "tb", "m", "n", "c", "v", "e", "mf"), "0.0000")


def ledgers(exchange: Exchange, key: Key, params: Mapping[str, str]) -> Json:
    history = exchange.ledger_class(params.get("aclass") or "currency")
    return _history(exchange, key, params, history, "ledger", ledger_filter(params), with_ledgers=True)


def trades_history(exchange: Exchange, key: Key, params: Mapping[str, str]) -> Json:
    if (params.get("type") or "all") not in TRADE_TYPES:
        raise ExchangeRefusal(ARGUMENTS)
    wants = params.get("ledgers", "").lower() in ("true", "1")
    return _history(exchange, key, params, exchange.trades(), "trades", None, with_ledgers=wants)


def _history(
    exchange: Exchange, key: Key, params: Mapping[str, str], history: History, name: str,
    keep: Callable[[Entry], bool] | None, *, with_ledgers: bool,
) -> Json:  # fmt: skip
    low, high = history.bounds(params, (key.query_from, key.query_to), fractions=exchange.ways.fractions)
    if keep is not None:
        history = filtered(history, low, high, keep)
        low, high = 0, len(history.rows)
    rows = page(history.rows, low, high, offset(params), exchange.ways.page_size)
    result: Json = {name: {row.id: sent(row, ledgers=with_ledgers) for row in rows}}
    count = exchange.ways.miscount(high - low)
    if count is not None and params.get("without_count", "").lower() != "true":
        result["count"] = count
    return result


def query(rows: Callable[[Exchange], History], field: str) -> Answer:
    def answer(exchange: Exchange, key: Key, params: Mapping[str, str]) -> Json:
        ids = [part for part in params.get(field, "").split(",") if part]
        history = rows(exchange)
        if not 1 <= len(ids) <= 20 or any(one not in history.by_id for one in ids):
            raise ExchangeRefusal(ARGUMENTS)
        found = {row.id: row for row in history.rows if row.id in ids}
        return {one: sent(found[one]) for one in ids if not key.query_from or found[one].at >= key.query_from}

    return answer


def allocations(exchange: Exchange, _: Key, params: Mapping[str, str]) -> Json:
    items = exchange.account.allocations
    if params.get("hide_zero_allocations", "").lower() == "true":
        items = [item for item in items if Decimal(item["amount_allocated"]["total"]["native"])]
    return {"converted_asset": "USD", "total_allocated": "0.0000", "total_rewarded": "0.0000", "items": items}


def status(rows: Callable[[Exchange], Sequence[Json]], name: str) -> Answer:
    def answer(exchange: Exchange, _: Key, params: Mapping[str, str]) -> Any:
        start, end = (
            Decimal(params.get(bound) or default) for bound, default in (("start", "0"), ("end", "9999999999"))
        )
        found = sorted(
            (row for row in rows(exchange) if start <= row["time"] <= end), key=lambda row: row["time"], reverse=True
        )
        size = min(50, int(params.get("limit") or 25))
        cursor = params.get("cursor")
        if cursor is None or not exchange.ways.paged_status:
            return found[:size]
        place = int(cursor) if cursor.isdigit() else 0
        after = place + size
        return {name: found[place:after], "next_cursor": str(after) if after < len(found) else None}

    return answer


def nothing(name: str) -> Answer:
    return lambda *_: {name: {}, "count": 0} if name == "closed" else ({name: {}} if name else {})


def add_export(exchange: Exchange, key: Key, params: Mapping[str, str]) -> Json:
    window = Decimal(key.query_from), Decimal(key.query_to)
    return exchange.exports.add(exchange.account, dict(params), exchange.clock(), window)


def export_status(exchange: Exchange, _: Key, params: Mapping[str, str]) -> Any:
    return exchange.exports.status(exchange.account, dict(params), exchange.clock())


def retrieve_export(exchange: Exchange, _: Key, params: Mapping[str, str]) -> Any:
    return exchange.exports.retrieve(exchange.account, dict(params), exchange.clock())


def remove_export(exchange: Exchange, _: Key, params: Mapping[str, str]) -> Any:
    return exchange.exports.remove(exchange.account, dict(params), exchange.clock())


# Permissions as the endpoint pages of the reference give them, not as the guide on API keys does.
METHODS: dict[str, Method] = {
    "GetApiKeyInfo": Method(key_info),
    "Balance": Method(balance, ("query-funds",)),
    "BalanceEx": Method(balance_ex, ("query-funds",)),
    "TradeBalance": Method(trade_balance, ("query-open-trades",)),
    "Ledgers": Method(ledgers, ("query-ledger",), HISTORY),
    "QueryLedgers": Method(query(lambda e: e.ledger_class("all"), "id"), ("query-ledger",), QUERY),
    "TradesHistory": Method(trades_history, ("query-closed-trades",), HISTORY),
    "QueryTrades": Method(query(lambda e: e.trades(), "txid"), ("query-closed-trades",), QUERY),
    "OpenOrders": Method(nothing("open"), ("query-open-trades",)),
    "ClosedOrders": Method(nothing("closed"), ("query-closed-trades",), HISTORY),
    "OpenPositions": Method(nothing(""), ("query-open-trades",)),
    "Earn/Allocations": Method(allocations, ("query-funds",)),
    "Earn/Strategies": Method(lambda *_: {"items": [], "next_cursor": None}),
    "DepositStatus": Method(status(lambda e: e.account.deposits, "deposit"), ("query-funds",)),
    "WithdrawStatus": Method(status(lambda e: e.account.withdrawals, "withdrawal"), ("query-ledger", "withdraw-funds")),
    "AddExport": Method(add_export, ("export-data",)),
    "ExportStatus": Method(export_status, ("export-data",)),
    "RetrieveExport": Method(retrieve_export, ("export-data",)),
    "RemoveExport": Method(remove_export, ("export-data",)),
}
# Known, so that an attempt is seen and refused like the exchange would; what they need no reader has.
WRITES = {
    "AddOrder": "modify-trades", "AddOrderBatch": "modify-trades", "EditOrder": "modify-trades",
    "AmendOrder": "modify-trades", "CancelOrder": "close-trades", "CancelAll": "close-trades",
    "CancelAllOrdersAfter": "close-trades", "Withdraw": "withdraw-funds", "WithdrawCancel": "withdraw-funds",
    "WalletTransfer": "withdraw-funds", "Earn/Allocate": "earn-funds", "Earn/Deallocate": "earn-funds",
}  # fmt: skip
