"""The completeness proof as a page for an accountant: what was proven, how, and over which rows.

Digests are SHA-256 over the rows in the order of the proof, each row the line that ``line`` prints, ended by LF: whoever has the
rows can compute them again. Nothing in it reads a clock, so equal rows give equal bytes, on either database.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeVar

from portfolio_sync.core.amount import EXACT, ZERO, shortest
from portfolio_sync.core.finding import Finding
from portfolio_sync.core.instant import iso
from portfolio_sync.core.ledger import LedgerRow, TradeRow
from portfolio_sync.core.period import Period
from portfolio_sync.verify.balance import Snapshot
from portfolio_sync.verify.proof import Proof

R = TypeVar("R", LedgerRow, TradeRow)

MEANING = {
    "proven": "Nothing is missing: every balance chain begins at zero and runs without a break to the balances that Kraken states.",
    "windowed": "Nothing is missing inside the window that the API key or the settings show; what lies before it is not known.",
    "broken": "Something is missing or was changed: see the findings.",
    "unknown": "Nothing contradicts, but the end of the history is not witnessed by a statement of balances: see the findings.",
}
HOW = (
    "1. Kraken prints on every ledger row the balance after it. Each row must begin (balance - amount + fee) where an earlier row of",
    "   the same asset and wallet ended; a chain may begin at zero only. A missing or changed row breaks a chain.",
    "2. Every ledger row of a trade has its trade, every trade its ledger rows, and the amounts agree.",
    "3. The last balances of all chains, coins in Earn included, equal the balances that Kraken states for the account, read between two",
    "   looks at the ledger that showed the same newest row.",
    "What this cannot see: a row that moved nothing (the exchange's count of rows shows it), and a figure changed by less than the",
    "rounding of the balance where Kraken printed a fee with more decimals than the balance.",
)


@dataclass(slots=True)
class Tally:
    """What is said of a set of rows. Mutable: a million rows pass through."""

    rows: int = 0
    first: tuple[datetime, str] | None = None
    last: tuple[datetime, str] | None = None
    moved: Decimal = ZERO
    digest: Any = field(default_factory=hashlib.sha256)

    def add(self, row: LedgerRow | TradeRow, text: str) -> None:
        self.rows += 1
        self.first = self.first or (row.time, row.id)
        self.last = (row.time, row.id)
        self.digest.update(text.encode())

    @property
    def facts(self) -> list[str]:
        ends = [f"{iso(end[0])} {end[1]}" if end else "-" for end in (self.first, self.last)]
        return [f"{self.rows:,}", *ends, self.digest.hexdigest()]


@dataclass(slots=True)
class Tallies:
    """Of one account: all ledger rows, those of each asset and wallet, all trades."""

    ledger: Tally = field(default_factory=Tally)
    trades: Tally = field(default_factory=Tally)
    wallets: dict[tuple[str, str], Tally] = field(default_factory=dict)

    def ledger_row(self, row: LedgerRow) -> None:
        text = line(row)
        self.ledger.add(row, text)
        own = self.wallets.setdefault((row.symbol, row.wallet), Tally())
        own.add(row, text)
        own.moved = EXACT.add(own.moved, EXACT.subtract(row.amount, row.fee))


def counted_trades(tallies: Tallies, trades: Iterable[TradeRow]) -> Iterator[TradeRow]:
    """Pass the trades on, and tally them."""
    for trade in trades:
        tallies.trades.add(trade, line(trade))
        yield trade


def line(row: LedgerRow | TradeRow) -> str:
    """A row as it is digested: its fields in Kraken's words, divided by ``|``, numbers without trailing zeros."""
    if isinstance(row, LedgerRow):
        words = [row.id, row.refid, iso(row.time), row.type, row.subtype, row.symbol]
        numbers = [row.amount, row.fee, row.balance]
    else:
        words = [row.id, row.order_id, iso(row.time), row.pair, row.side]
        numbers = [row.price, row.cost, row.fee, row.volume]
    return "|".join((*words, *map(shortest, numbers))) + "\n"


@dataclass(frozen=True, slots=True)
class Certificate:
    """All that the page says. ``covered``: the stretches of the ledger that were read completely, empty for files alone."""

    account: str
    taxpayer: str
    kraken_id: str | None
    state: str
    covered: Sequence[Period]
    tallies: Tallies
    proof: Proof
    snapshot: Snapshot | None
    findings: Sequence[Finding]

    def lines(self) -> Iterator[str]:
        yield from ("Certificate of completeness", "===========================", "")
        yield f"account     {self.account}" + (f" (Kraken account {self.kraken_id})" if self.kraken_id else "")
        yield f"taxpayer    {self.taxpayer}"
        yield f"result      {self.state.upper()}"
        yield f"            {MEANING[self.state]}"
        for period in self.covered:
            yield f"read        {iso(period.start)} to {iso(period.end)}, completely"
        yield from ("", "How it was proven", "-----------------", *HOW, "")
        yield from self._rows()
        yield from self._balances()
        yield from self._findings()

    def _rows(self) -> Iterator[str]:
        yield from ("Over which rows", "---------------")
        whole = [["all ledger rows", *self.tallies.ledger.facts], ["all trades", *self.tallies.trades.facts]]
        yield from _columns([["", "rows", "first", "last", "SHA-256"], *whole])
        yield ""
        wallets = [
            [symbol, wallet, shortest(tally.moved), *tally.facts]
            for (symbol, wallet), tally in sorted(self.tallies.wallets.items())
        ]
        yield from _columns([["asset", "wallet", "change", "rows", "first", "last", "SHA-256"], *wallets])
        counts = ", ".join(f"{number:,} {name.replace('_', ' ')}" for name, number in sorted(self.proof.counts.items()))
        yield from ("", f"counted: {counts or 'nothing'}", "")

    def _balances(self) -> Iterator[str]:
        yield from ("Balances that Kraken stated", "---------------------------")
        if self.snapshot is None:
            yield from ("none were read", "")
            return
        yield f"at {iso(self.snapshot.taken_at)}"
        yield from _columns([[each.asset, shortest(each.amount)] for each in self.snapshot.balances if each.amount])
        allocated = {name: number for name, number in (self.snapshot.allocations or {}).items() if number}
        if allocated:
            yield "in Earn"
            yield from _columns([[name, shortest(number)] for name, number in sorted(allocated.items())])
        yield ""

    def _findings(self) -> Iterator[str]:
        yield from ("Findings", "--------")
        yield from (f"{each.severity.value}: {each.code}: {each.message}" for each in self.findings)
        if not self.findings:
            yield "none"


def _columns(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Rows of words as aligned columns."""
    if rows:
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        yield from ("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)
