"""An exchange small enough to be certain of: it books rows the way Kraken does and knows every wallet's balance."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from portfolio_sync.core.ledger import LedgerRow, TradeRow
from portfolio_sync.verify.balance import Snapshot, Stated

START = datetime(2024, 1, 1, tzinfo=UTC)
CODES = {"BTC": "XXBT", "EUR": "ZEUR"}
UNIT = Decimal("0.01")
"""Balances keep two decimals here, so that figures stay readable."""


class Earn(StrEnum):
    """How coins in Earn show."""

    SUFFIX = "a code of their own"
    PLAIN = "in the one balance of the plain code"
    WALLETS = "a balance of their own under the plain code, among the balances"
    BESIDE = "a balance of their own under the plain code, not among the balances"


@dataclass
class Bank:
    earn: Earn = Earn.SUFFIX
    named: bool = False
    """Rows name their wallet, as in an export file; else as the API has it."""
    now: datetime = START
    rows: list[LedgerRow] = field(default_factory=list)
    trades: list[TradeRow] = field(default_factory=list)
    has: defaultdict[tuple[str, str], int] = field(default_factory=lambda: defaultdict(int))
    """Hundredths, by symbol and ``spot`` or ``earn``."""

    def wait(self, seconds: float = 1) -> None:
        self.now += timedelta(seconds=seconds)

    def book(
        self,
        symbol: str,
        amount: int,
        fee: int = 0,
        *,
        type_: str = "deposit",
        subtype: str = "",
        refid: str = "",
        place: str = "spot",
        thousandths: int = 0,
    ) -> LedgerRow:
        """Amounts in hundredths. ``thousandths``: what the fee shows beyond the decimals of the balance."""
        wallet = "spot" if self.earn is Earn.PLAIN else place
        self.has[symbol, place] += amount - fee
        balance = (
            sum(self.has[symbol, p] for p in ("spot", "earn")) if self.earn is Earn.PLAIN else self.has[symbol, wallet]
        )
        own = self.earn is Earn.SUFFIX and place == "earn"
        code = {"BTC": "XBT.F", "EUR": "EUR.M"}[symbol] if own else CODES[symbol]
        said = ("earn / flexible" if place == "earn" else "spot / main") if self.named else "earn" if own else "spot"
        row = LedgerRow(
            "main", f"L{len(self.rows):04}", refid or f"R{len(self.rows)}", self.now, type_, subtype, "currency", code,
            symbol, said, amount * UNIT, fee * UNIT + Decimal(thousandths).scaleb(-3), balance * UNIT,
        )  # fmt: skip
        self.rows.append(row)
        return row

    def trade(self, volume: int, cost: int, fee: int = 0) -> None:
        """Bought if ``volume`` is positive, sold if negative."""
        id_, sign = f"T{len(self.trades)}", 1 if volume > 0 else -1
        legs = [
            self.book("EUR", -sign * cost, fee, type_="trade", refid=id_),
            self.book("BTC", volume, type_="trade", refid=id_),
        ]
        self.trades.append(TradeRow(
            "main", id_, "O", "", self.now, "XXBTZEUR", "BTC", "EUR", "buy" if volume > 0 else "sell", "limit", Decimal(1),
            cost * UNIT, fee * UNIT, abs(volume) * UNIT, Decimal(0), "", tuple(leg.id for leg in legs),
        ))  # fmt: skip

    def move(self, symbol: str, amount: int) -> None:
        """Into Earn, or out of it."""
        subtype = "allocation" if amount > 0 else "deallocation"
        for place, number in (("spot", -amount), ("earn", amount)):
            self.book(symbol, number, type_="earn", subtype=subtype, place=place)

    def snapshot(self) -> Snapshot:
        stated = []
        for symbol, code in CODES.items():
            spot, earn = (self.has[symbol, place] * UNIT for place in ("spot", "earn"))
            if self.earn is Earn.SUFFIX:
                stated.append(Stated(code.removeprefix("X").removeprefix("Z") + ".F", symbol, earn))
            stated.append(Stated(code, symbol, spot + earn if self.earn in (Earn.PLAIN, Earn.WALLETS) else spot))
        allocations = {symbol: self.has[symbol, "earn"] * UNIT for symbol in CODES}
        strategies = {symbol: int(amount > 0) for symbol, amount in allocations.items()}
        return Snapshot(self.now, tuple(stated), allocations, strategies=strategies)
