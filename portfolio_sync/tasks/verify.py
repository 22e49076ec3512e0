"""The completeness proof of stored accounts: run it, keep it, ask for it."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Engine, select

from portfolio_sync.store.accounts import StoredAccount
from portfolio_sync.store.engine import reading
from portfolio_sync.store.schema import proof

# From best to worst: several accounts are as good as the worst of them.
STATES = ("proven", "windowed", "unknown", "broken")


def proof_of(engine: Engine, accounts: Iterable[StoredAccount]) -> str:
    """The stored state of the accounts together."""
    with reading(engine) as connection:
        found = {
            row.account_id: row.state
            for row in connection.execute(select(proof).where(proof.c.asset == "", proof.c.wallet == ""))
        }
    return max((found.get(account.id, "unknown") for account in accounts), key=STATES.index, default="unknown")
