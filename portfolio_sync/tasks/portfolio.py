"""The portfolio at a moment: quantities from Kraken's own balances and ledger, value from the price table, cost from the lots."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, localcontext

from sqlalchemy import Connection, select

from portfolio_sync.app import App
from portfolio_sync.core.amount import EXACT, ZERO, minus, shortest
from portfolio_sync.core.asset import FEE_CREDIT, FIAT, holding
from portfolio_sync.store.engine import reading
from portfolio_sync.store.schema import raw_balance, raw_ledger
from portfolio_sync.tasks.books import Books, close, subject_of
from portfolio_sync.tasks.report import Asked, profile_of

NO_LOTS = FIAT | {FEE_CREDIT}
FIELDS = ("account", "symbol", "quantity", "price", "value", "cost", "unrealised")


@dataclass(frozen=True, slots=True)
class Holding:
    """One asset in one account. None: not known, never zero."""

    account: str
    symbol: str
    quantity: Decimal
    price: Decimal | None
    value: Decimal | None
    cost: Decimal | None

    @property
    def unrealised(self) -> Decimal | None:
        return minus(self.value, self.cost)


@dataclass(frozen=True, slots=True)
class Portfolio:
    currency: str
    rows: tuple[Holding, ...]
    notes: tuple[str, ...]


def holdings(app: App, asked: Asked, at: datetime | None) -> Portfolio:
    """What the accounts hold at ``at`` (None: by the latest balances, valued now), before anything of that instant itself."""
    profile = profile_of(app, asked)
    subject = subject_of(app.engine, asked.taxpayer, asked.accounts)
    instant = at or app.clock.now()
    books = close(app.engine, subject, profile, None, until=at)
    with reading(app.engine) as connection, localcontext(EXACT):
        balances = {
            account.name: _quantities(connection, account.id, at) or _by_lots(books, account.name)
            for account in subject.accounts
        }
        rows = tuple(_rows(balances, books, instant))
    return Portfolio(profile.currency, rows, tuple(_notes(rows, books)))


def _quantities(connection: Connection, account_id: int, at: datetime | None) -> dict[str, Decimal]:
    """By symbol: the latest balances less what was booked from ``at`` on; of an account from files, what was booked."""
    b, r = raw_balance.c, raw_ledger.c
    last: dict[str, tuple[str, Decimal]] = {}
    query = select(b.asset, b.symbol, b.amount).where(b.account_id == account_id).order_by(b.taken_at)
    for asset, symbol, amount in connection.execute(query):
        last[asset] = symbol, amount
    sums: dict[str, Decimal] = defaultdict(lambda: ZERO)
    for symbol, amount in last.values():
        sums[holding(symbol)] += amount
    booked = select(r.symbol, r.amount, r.fee).where(r.account_id == account_id)
    if at is not None:
        booked = booked.where(r.time >= at if last else r.time < at)
    for symbol, amount, fee in connection.execute(booked) if at is not None or not last else ():
        sums[holding(symbol)] += fee - amount if last else amount - fee
    return sums


def _by_lots(books: Books, account: str) -> dict[str, Decimal]:
    """Of an account that is known by a person's transactions alone."""
    return {row.asset: row.quantity for row in books.computation.holdings if row.wallet == account}


def _rows(balances: Mapping[str, Mapping[str, Decimal]], books: Books, at: datetime) -> Iterable[Holding]:
    currency = books.profile.currency
    lots = {(row.wallet, row.asset): row for row in books.computation.holdings}
    for account, amounts in sorted(balances.items()):
        for symbol, quantity in sorted(amounts.items()):
            if not quantity:
                continue
            quote = books.lookup.quote(symbol, at)
            known = lots.get((account, symbol))
            cost = quantity if symbol == currency else (known.cost if known and known.quantity == quantity else None)
            yield Holding(account, symbol, quantity, quote and quote.rate, quote and quantity * quote.rate, cost)


def _notes(rows: Iterable[Holding], books: Books) -> Iterable[str]:
    unpriced = sorted({row.symbol for row in rows if row.price is None})
    if unpriced:
        yield f"no price in {books.profile.currency} for {', '.join(unpriced)}: run prices fetch, or import prices"
    lots = {(row.wallet, row.asset): row.quantity for row in books.computation.holdings}
    for row in rows:
        found = lots.get((row.account, row.symbol), ZERO)
        if row.symbol not in NO_LOTS and found != row.quantity:
            yield (
                f"{row.account}: the lots hold {shortest(found)} {row.symbol}, the balance {shortest(row.quantity)}: "
                "cost unknown until the difference is explained"
            )
