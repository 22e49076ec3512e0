"""An account's rows behind the filters that were asked for, kept in step while rows are booked."""

from __future__ import annotations

from collections.abc import Callable

from portfolio_sync.sandbox import orders
from portfolio_sync.sandbox.account import Account, Entry
from portfolio_sync.sandbox.history import History, Keep

MOST_SELECTIONS = 8
"""Each is a list of references; a client that varies its filter must not fill the memory."""


class Rows:
    def __init__(self, account: Account) -> None:
        self.account = account
        self._ledgers: dict[str, History] = {}
        self._trades: dict[str, History] = {}
        self._orders: dict[str, History] = {}
        self._known = self._size()

    def _size(self) -> tuple[int, int]:
        return len(self.account.ledgers), len(self.account.trades)

    def ledgers(self, name: str, keep: Keep | None) -> History:
        """The ledger rows that ``keep`` lets through; ``name`` says which test that is."""
        return self._selection(self._ledgers, name, lambda: History(self.account.ledgers, keep))

    def trades(self, name: str, keep: Keep | None) -> History:
        return self._selection(self._trades, name, lambda: History(self.account.trades, keep))

    def orders(self, closetime: str) -> History:
        return self._selection(self._orders, closetime, lambda: orders.closed(self.account.trades, closetime))

    def _selection(self, kept: dict[str, History], name: str, select: Callable[[], History]) -> History:
        if self._known != self._size():  # somebody booked into the account without asking the exchange
            self._forget()
        if name not in kept:
            while len(kept) >= MOST_SELECTIONS:
                del kept[next(iter(kept))]
            kept[name] = select()
        return kept[name]

    def _forget(self) -> None:
        for kept in (self._ledgers, self._trades, self._orders):
            kept.clear()
        self._known = self._size()

    def book(self, row: Entry) -> None:
        self._note(lambda: self.account.book(row), self._ledgers, lambda history: history.add(row))

    def fill(self, trade: Entry) -> None:
        self._note(lambda: self.account.fill(trade), self._trades, lambda history: history.add(trade))
        self._orders.clear()

    def replace(self, row: Entry) -> None:
        self._note(lambda: self.account.replace(row), self._ledgers, lambda history: history.replace(row))

    def _note(self, change: Callable[[], None], kept: dict[str, History], follow: Callable[[History], None]) -> None:
        if self._known != self._size():
            self._forget()
        change()
        for history in kept.values():
            follow(history)
        self._known = self._size()
