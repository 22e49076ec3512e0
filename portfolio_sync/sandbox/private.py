"""The private endpoints: what each needs, what it costs, what it answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING, Any

from portfolio_sync.sandbox import filters, funds, orders
from portfolio_sync.sandbox.account import Json
from portfolio_sync.sandbox.history import ARGUMENTS, ask, flag, sent
from portfolio_sync.sandbox.key import Key
from portfolio_sync.sandbox.message import whole
from portfolio_sync.sandbox.refusal import ExchangeRefusal

if TYPE_CHECKING:
    from portfolio_sync.sandbox.exchange import Exchange

Answer = Callable[["Exchange", Key, Mapping[str, str]], Any]
HIDDEN = frozenset({"wallet", "pending"})  # known to the account; the API does not send them
MOST_TRADES = 100  # rows of a page, where ``limit`` is heeded


class Price(Enum):
    """A cost that depends on the exchange's settings."""

    HISTORY = "history"
    QUERY = "query"
    ORDERS = "orders"


@dataclass(frozen=True, slots=True)
class Method:
    """``permissions``: one of them is needed; none: any key. ``cost``: units of the call counter."""

    answer: Answer
    permissions: tuple[str, ...] = ()
    cost: int | Price = 1


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


def ledgers(exchange: Exchange, key: Key, params: Mapping[str, str]) -> Json:
    name, keep = filters.of_ledgers(params, exchange.account.balances, aclass_hides=exchange.ways.aclass_hides)
    history, ways = exchange.rows.ledgers(name, keep), exchange.ways
    window = exchange.window(key, params)
    rows, total = ask(history, params, exchange.find_ledger, window, ways.page_size, fractions=ways.fractions)
    return exchange.counted({"ledger": {row.id: sent(row, HIDDEN) for row in rows}}, params, total)


def trades_history(exchange: Exchange, key: Key, params: Mapping[str, str]) -> Json:
    """``consolidate_taker`` changes nothing: the account's fills are consolidated, as they are by default."""
    history, ways = exchange.rows.trades(*filters.of_trades(params)), exchange.ways
    size = min(MOST_TRADES, max(1, whole(params, "limit", ways.page_size))) if ways.trades_limit else ways.page_size
    window, find = exchange.window(key, params), exchange.find_trade
    rows, total = ask(history, params, find, window, size, fractions=ways.fractions)
    hidden = HIDDEN | _unasked(params, "ledgers", "trades")
    return exchange.counted({"trades": {row.id: sent(row, hidden) for row in rows}}, params, total)


def _unasked(params: Mapping[str, str], *names: str) -> frozenset[str]:
    return frozenset(name for name in names if not flag(params, name))


def query_ledgers(exchange: Exchange, key: Key, params: Mapping[str, str]) -> Json:
    rows = exchange.asked(exchange.find_ledger, params.get("id", ""), key)
    return {row.id: sent(row, HIDDEN) for row in rows}


def query_trades(exchange: Exchange, key: Key, params: Mapping[str, str]) -> Json:
    rows = exchange.asked(exchange.find_trade, params.get("txid", ""), key)
    hidden = HIDDEN | _unasked(params, "ledgers", "trades")
    return {row.id: sent(row, hidden) for row in rows}


def trade_volume(*_: object) -> Json:
    return {"currency": "ZUSD", "volume": "0.0000"}


def refuse(*_: object) -> Json:
    """A practice exchange carries no order out, whatever the key may do."""
    raise ExchangeRefusal(ARGUMENTS)


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
    "Balance": Method(funds.balance, ("query-funds",)),
    "BalanceEx": Method(funds.balance_ex, ("query-funds",)),
    "TradeBalance": Method(funds.trade_balance, ("query-open-trades",)),
    "TradeVolume": Method(trade_volume, ("query-funds",)),
    "Ledgers": Method(ledgers, ("query-ledger",), Price.HISTORY),
    "QueryLedgers": Method(query_ledgers, ("query-ledger",), Price.QUERY),
    "TradesHistory": Method(trades_history, ("query-closed-trades",), Price.HISTORY),
    "QueryTrades": Method(query_trades, ("query-closed-trades",), Price.QUERY),
    "OpenOrders": Method(orders.open_orders, ("query-open-trades",)),
    "ClosedOrders": Method(orders.closed_orders, ("query-closed-trades",), Price.ORDERS),
    "QueryOrders": Method(orders.query_orders, ("query-open-trades", "query-closed-trades")),
    "OpenPositions": Method(
        lambda exchange, _, params: orders.open_positions(exchange, params), ("query-open-trades",)
    ),
    "Earn/Allocations": Method(funds.allocations, ("query-funds",)),
    "Earn/Strategies": Method(funds.strategies),
    "DepositStatus": Method(funds.status(lambda e: e.account.deposits, "deposit"), ("query-funds",)),
    "WithdrawStatus": Method(
        funds.status(lambda e: e.account.withdrawals, "withdrawal"), ("query-ledger", "withdraw-funds")
    ),
    "AddExport": Method(add_export, ("export-data",)),
    "ExportStatus": Method(export_status, ("export-data",)),
    "RetrieveExport": Method(retrieve_export, ("export-data",)),
    "RemoveExport": Method(remove_export, ("export-data",)),
}
# Known, so that an attempt is seen and refused like the exchange would; what they need no reader has.
_WRITES = {
    "modify-trades": ("AddOrder", "AddOrderBatch", "EditOrder", "AmendOrder"),
    "close-trades": ("CancelOrder", "CancelAll", "CancelAllOrdersAfter", "CancelOrderBatch"),
    "withdraw-funds": ("Withdraw", "WithdrawCancel", "WithdrawInfo", "WithdrawMethods", "WithdrawAddresses", "WalletTransfer", "AccountTransfer"),
    "add-funds": ("DepositMethods", "DepositAddresses"),
    "earn-funds": ("Earn/Allocate", "Earn/Deallocate"),
    "create-ws-token": ("GetWebSocketsToken",),
}  # fmt: skip
WRITES = {name: Method(refuse, (permission,), 0) for permission, names in _WRITES.items() for name in names}
