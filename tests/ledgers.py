"""Ledger rows for tests, as short as a line of the ledger."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from portfolio_sync.core.ledger import LedgerRow

START = datetime(2024, 1, 1, tzinfo=UTC)


class Ledger:
    """Rows of one account; each call of ``add`` books one, ids counting up from L1."""

    def __init__(self, account: str = "main", start: datetime = START) -> None:
        self.account, self.start = account, start
        self.rows: list[LedgerRow] = []

    def add(
        self,
        type_: str,
        symbol: str,
        amount: str,
        fee: str = "0",
        *,
        refid: str = "",
        subtype: str = "",
        after: float = 0,
    ) -> str:
        """Books a row ``after`` seconds from the start; returns its id."""
        row_id = f"L{len(self.rows) + 1}"
        time = self.start + timedelta(seconds=after)
        self.rows.append(LedgerRow(
            self.account, row_id, refid, time, type_, subtype, "currency", symbol, symbol, "spot", Decimal(amount), Decimal(fee), Decimal(0),
        ))  # fmt: skip
        return row_id

    def trade(self, given: str, received: str, *, refid: str, fee: str = "0", after: float = 0) -> None:
        """``trade("100 USD", "2 BTC")``; the fee is charged on what is given."""
        number, symbol = given.split()
        self.add("trade", symbol, f"-{number}", fee, refid=refid, after=after)
        number, symbol = received.split()
        self.add("trade", symbol, number, refid=refid, after=after)
