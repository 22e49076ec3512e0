"""How far the history that books rest on is proven, and what speaks against it."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Engine, select

from portfolio_sync.app import App
from portfolio_sync.core.finding import Finding, Severity
from portfolio_sync.store.accounts import StoredAccount
from portfolio_sync.store.engine import reading
from portfolio_sync.store.schema import finding_row
from portfolio_sync.tasks.books import Books
from portfolio_sync.tasks.standing import proof_of, stated_alone


@dataclass(frozen=True, slots=True)
class HistoryProof:
    """``accounts``: those with a history of Kraken's, which alone can be proven; ``state``: as good as the worst of them."""

    state: str
    accounts: tuple[StoredAccount, ...]
    findings: tuple[Finding, ...]

    @property
    def needs_person(self) -> bool:
        return bool(self.accounts) and self.state not in ("proven", "windowed")

    @property
    def said(self) -> str:
        return self.state if self.accounts else "stated by transactions alone, nothing of Kraken's to prove"


def proof_of_books(app: App, books: Books) -> HistoryProof:
    """An account with a key has a history, though nothing of it may have been read yet; one that a person stated has none."""
    keyed = {account.name for account in app.settings.accounts}
    stated = {account.id for account in stated_alone(app.engine, books.subject.accounts)}
    accounts = tuple(each for each in books.subject.accounts if each.name in keyed or each.id not in stated)
    return HistoryProof(proof_of(app.engine, accounts), accounts, _findings(app.engine, books, accounts))


def _findings(engine: Engine, books: Books, accounts: tuple[StoredAccount, ...]) -> tuple[Finding, ...]:
    """What the last proof of each account says against it, of the time up to the end of the year; of several, whose it is."""
    f = finding_row.c
    scopes = [f"verify {account.name}" for account in accounts]
    query = select(f.severity, f.code, f.message, f.source_id, f.time, f.account).where(f.scope.in_(scopes))
    with reading(engine) as connection:
        rows = connection.execute(query.order_by(f.scope, f.id)).all()
    whose = {account.name: f"{account.name}: " for account in accounts if len(books.subject.accounts) > 1}
    return books.of_its_time(
        Finding(
            Severity(r.severity),
            r.code,
            whose.get(r.account, "") + r.message,
            tuple(filter(None, r.source_id.split(";"))),
            r.time,
            r.account,
        )
        for r in rows
    )
