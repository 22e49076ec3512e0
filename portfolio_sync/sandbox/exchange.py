"""The practice exchange without its HTTP: accounts, keys and ways in, an answer out."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from portfolio_sync.sandbox import market
from portfolio_sync.sandbox.account import Account, Entry
from portfolio_sync.sandbox.auth import authenticate
from portfolio_sync.sandbox.exports import Exports
from portfolio_sync.sandbox.faults import Fault
from portfolio_sync.sandbox.filters import of_trades
from portfolio_sync.sandbox.history import ARGUMENTS, History, cursor, flag
from portfolio_sync.sandbox.key import Key
from portfolio_sync.sandbox.private import METHODS, WRITES, Method, Price, refuse
from portfolio_sync.sandbox.refusal import ExchangeRefusal
from portfolio_sync.sandbox.rows import Rows


@dataclass(slots=True)
class Ways:
    """How the exchange behaves where its pages leave it open, or servers differ."""

    limited: bool = True  # the call counter
    history_cost: int = (
        2  # of Ledgers and TradesHistory: the exchange's own pages say 2 or 4, and 1 or 4 for ClosedOrders
    )
    query_cost: int = 2
    camel: bool = True  # spelling of GetApiKeyInfo
    absent: frozenset[str] = frozenset()  # methods that this server does not have
    page_size: int = 50
    fractions: bool = False  # bounds may have fractions of a second
    aclass_hides: bool = True  # the default asset class hides tokenized assets
    trades_limit: bool = False  # TradesHistory heeds ``limit``, 1 to 100
    window_refuses: bool = False  # a bound outside the key's window is refused; else the window cuts without a word
    paged_status: bool = True
    balance_numbers: bool = False
    miscount: Callable[[int], int | None] = field(default=lambda count: count)


@dataclass(frozen=True, slots=True)
class Request:
    """One call as it came in. ``outcome``: ``ok`` or the error."""

    method: str
    params: dict[str, str]
    nonce: int | None
    outcome: str
    cost: int = 0


class Exchange:
    """One account, its keys, and a log of every request."""

    def __init__(self, account: Account, keys: Mapping[str, Key], clock: Callable[[], Decimal], ways: Ways) -> None:
        self.account: Account = account
        self.keys, self.clock, self.ways = dict(keys), clock, ways
        self.exports = Exports()
        self.requests: list[Request] = []
        self.faults: list[Fault] = []
        self.recorded: dict[str, bytes] = {}
        self.lock = threading.RLock()
        self.rows = Rows(account)

    # --- rows ---

    def trades(self, kind: str = "all") -> History:
        return self.rows.trades(*of_trades({"type": kind}))

    def orders(self, closetime: str) -> History:
        return self.rows.orders(closetime)

    def find_ledger(self, row_id: str) -> Entry | None:
        """Any row of the ledger, whatever a filter shows."""
        return self.rows.ledgers("all all ", None).find(row_id)

    def find_trade(self, row_id: str) -> Entry | None:
        return self.trades().find(row_id)

    def book(self, row: Entry) -> None:
        """A ledger row is booked, at whatever time it says."""
        with self.lock:
            self.rows.book(row)

    def fill(self, trade: Entry) -> None:
        with self.lock:
            self.rows.fill(trade)

    def replace(self, row: Entry) -> None:
        with self.lock:
            self.rows.replace(row)

    # --- what the histories have in common ---

    def window(self, key: Key, params: Mapping[str, str]) -> tuple[int, int]:
        """(from, to) of the key, 0 for none. How the exchange treats a bound beyond it is not documented; one client met a refusal."""
        if self.ways.window_refuses:
            start, end = (cursor(params, name, lambda _: None, fractions=True) for name in ("start", "end"))
            if (start is not None and start < key.query_from) or (end is not None and 0 < key.query_to < end):
                raise ExchangeRefusal(ARGUMENTS)
        return key.query_from, key.query_to

    def counted(self, result: dict[str, Any], params: Mapping[str, str], total: int) -> dict[str, Any]:
        count = self.ways.miscount(total)
        return result if count is None or flag(params, "without_count") else result | {"count": count}

    def asked(self, find: Callable[[str], Entry | None], ids: str, key: Key) -> list[Entry]:
        """Rows by a comma list of 1 to 20 ids, as far as the key's window shows them."""
        wanted = [part for part in ids.split(",") if part]
        found = [row for row in map(find, wanted) if row is not None]
        if not 1 <= len(wanted) <= 20 or len(found) < len(wanted):
            raise ExchangeRefusal(ARGUMENTS)
        return [row for row in found if key.query_from <= row.at and (not key.query_to or row.at <= key.query_to)]

    # --- calls ---

    def strike(self, method: str) -> list[Fault]:
        with self.lock:
            return [fault for fault in self.faults if fault.strikes(method)]

    def public(self, method: str, params: Mapping[str, str]) -> Any:
        if method in self.ways.absent:
            raise ExchangeRefusal("EGeneral:Unknown method")
        return market.answer(method, params, self.clock())

    def private(
        self, method: str, headers: Mapping[str, str], body: bytes, fields: Mapping[str, str], address: str
    ) -> tuple[Any, int]:
        """(result, cost) of a private call. Raises ExchangeRefusal."""
        now = self.clock()
        key = authenticate(self.keys, f"/0/private/{method}", headers, body, fields, now, address)
        known = self._method(method)
        if known.permissions and not set(known.permissions) & set(key.permissions):
            raise ExchangeRefusal("EGeneral:Permission denied")
        cost = self._cost(known.cost)
        if self.ways.limited and not key.charge(cost, now):
            raise ExchangeRefusal("EAPI:Rate limit exceeded")
        if method in self.recorded:
            return self.recorded[method], cost
        try:
            return known.answer(self, key, fields), cost
        except ExchangeRefusal as refusal:
            refusal.cost = cost  # the arguments are looked at last: the call was counted
            raise

    def _method(self, name: str) -> Method:
        known = METHODS.get(name) or WRITES.get(name) or (Method(refuse) if name in self.recorded else None)
        if name in self.ways.absent or known is None:
            raise ExchangeRefusal("EGeneral:Unknown method")
        return known

    def _cost(self, price: int | Price) -> int:
        if isinstance(price, int):
            return price
        orders = 4 if self.ways.history_cost == 4 else 1
        return {Price.HISTORY: self.ways.history_cost, Price.QUERY: self.ways.query_cost, Price.ORDERS: orders}[price]
