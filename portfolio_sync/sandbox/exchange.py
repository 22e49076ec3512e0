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
from portfolio_sync.sandbox.history import History
from portfolio_sync.sandbox.key import Key
from portfolio_sync.sandbox.private import HISTORY, METHODS, QUERY, WRITES
from portfolio_sync.sandbox.refusal import ExchangeRefusal


@dataclass(slots=True)
class Ways:
    """How the exchange behaves where its pages leave it open, or servers differ."""

    limited: bool = True  # the call counter
    history_cost: int = 2
    query_cost: int = 2
    camel: bool = True  # spelling of GetApiKeyInfo
    absent: frozenset[str] = frozenset()  # methods that this server does not have
    page_size: int = 50
    fractions: bool = False  # bounds may have fractions of a second
    aclass_hides: bool = True  # the default asset class hides tokenized assets
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
        self.account, self.keys, self.clock, self.ways = account, dict(keys), clock, ways
        self.exports = Exports()
        self.requests: list[Request] = []
        self.faults: list[Fault] = []
        self.recorded: dict[str, bytes] = {}
        self.lock = threading.RLock()
        self._classes: dict[str, History] = {}
        self._trades: History | None = None

    # --- rows ---

    def ledger_class(self, aclass: str) -> History:
        """The ledger of one asset class (``all``: of every one), oldest first."""
        shown = "all" if aclass == "currency" and not self.ways.aclass_hides else aclass
        if shown not in self._classes:
            rows = self.account.ledgers
            kept = rows if shown == "all" else [row for row in rows if row.fields.get("aclass", "currency") == shown]
            self._classes[shown] = History(kept)
        return self._classes[shown]

    def trades(self) -> History:
        if self._trades is None:
            self._trades = History(self.account.trades)
        return self._trades

    def book(self, row: Entry) -> None:
        """A ledger row is booked, at whatever time it says."""
        with self.lock:
            self.account.book(row)
            self._classes.clear()

    def fill(self, trade: Entry) -> None:
        with self.lock:
            self.account.fill(trade)
            self._trades = None

    def replace(self, row: Entry) -> None:
        with self.lock:
            self.account.replace(row)
            self._classes.clear()

    # --- calls ---

    def strike(self, method: str) -> list[Fault]:
        with self.lock:
            return [fault for fault in self.faults if fault.strikes(method)]

    def public(self, method: str, params: Mapping[str, str]) -> Any:
        self._present(method)
        return market.answer(method, params, self.clock())

    def private(
        self, method: str, headers: Mapping[str, str], body: bytes, fields: Mapping[str, str], address: str
    ) -> tuple[Any, int]:
        """(result, cost) of a private call. Raises ExchangeRefusal."""
        now = self.clock()
        key = authenticate(self.keys, f"/0/private/{method}", headers, body, fields, now, address)
        self._present(method)
        known = METHODS.get(method)
        needed = known.permissions if known else (WRITES[method],)
        if needed and not set(needed) & set(key.permissions):
            raise ExchangeRefusal("EGeneral:Permission denied")
        cost = self._cost(known.cost if known else 0)
        if self.ways.limited and not key.charge(cost, now):
            raise ExchangeRefusal("EAPI:Rate limit exceeded")
        if known is None:
            raise ExchangeRefusal("EGeneral:Invalid arguments")  # a practice exchange carries no order out
        return known.answer(self, key, fields), cost

    def _present(self, method: str) -> None:
        if method in self.ways.absent or method not in METHODS | WRITES | market.PUBLIC:
            raise ExchangeRefusal("EGeneral:Unknown method")

    def _cost(self, cost: int | str) -> int:
        return {HISTORY: self.ways.history_cost, QUERY: self.ways.query_cost}[cost] if isinstance(cost, str) else cost
